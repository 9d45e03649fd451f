#include "math/gaps.h"

#include <math.h>

#include "math/beta.h"

Gaps
GapsBetween(const int64_t *time, size_t times)
{
	Gaps gaps = {0};
	double mean;

	if (times < 2)
		return gaps;
	gaps.count = (double) (times - 1);
	gaps.sum = (double) time[times - 1] - (double) time[0];
	mean = gaps.sum / gaps.count;
	for (size_t t = 1; t < times; t++)
	{
		double deviation = (double) time[t] - (double) time[t - 1] - mean;

		gaps.squares += deviation * deviation;
	}
	return gaps;
}

double
GapsMean(const Gaps *gaps)
{
	return gaps->count > 0 ? gaps->sum / gaps->count : NAN;
}

double
GapsSpread(const Gaps *gaps)
{
	return gaps->count > 1 ? sqrt(gaps->squares / (gaps->count - 1)) : NAN;
}

GapsNext
GapsForeseeAfter(const Gaps *gaps, double typical, double weight)
{
	double count = gaps->count + weight;
	double sum = gaps->sum + typical * weight;
	double mean = sum / count;
	double variation = gaps->squares / (mean * mean); /* (n - 1) cv^2 */
	double squared = (GAPS_DOUBT + variation) / (GAPS_DOUBT + fmax(gaps->count - 1, 0));

	return (GapsNext){.shape = fmin(fmax(1 / squared, GAPS_SHAPE_LEAST), GAPS_SHAPE_MOST),
					  .weight = count,
					  .sum = sum};
}

GapsNext
GapsForesee(const Gaps *gaps)
{
	return GapsForeseeAfter(gaps, 0, 0);
}

double
GapsLonger(const GapsNext *next, double length)
{
	return BetaAbove(next->shape, next->shape * next->weight, length / next->sum);
}

double
GapsLength(const GapsNext *next, double over, double chance)
{
	double longer = chance * (over > 0 ? GapsLonger(next, over) : 1);

	/* What can hardly be is over already: any moment now. */
	if (!(longer > 0))
		return over;
	return fmax(next->sum * BetaOdds(next->shape, next->shape * next->weight, longer), over);
}

double
GapsEnds(const GapsNext *next, double share, double over, double span)
{
	double longer = over > 0 ? GapsLonger(next, over) : 1;
	double ends = share * (longer - GapsLonger(next, fmax(over, 0) + span));
	double left = 1 - share + share * longer;

	return left > 0 ? fmin(fmax(ends / left, 0), 1) : 1;
}
