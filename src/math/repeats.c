#include "math/repeats.h"

#include <math.h>

#define DAY 86400.0

/* How many mean gaps of people, and how many visits, what holds for all counts as. */
#define GAP_PRIOR   5
#define VISIT_PRIOR 10

void
RepeatsMeanAdd(RepeatsMean *mean, double seconds)
{
	mean->sum += (int64_t) rint(fmin(fmax(seconds, 0), 1099511627776.0));
	mean->count++;
}

double
RepeatsMeanValue(const RepeatsMean *mean)
{
	return mean->count > 0 ? (double) mean->sum / (double) mean->count : NAN;
}

/* The range of a length in seconds. */
static int
range_of(double seconds)
{
	return (int) fmin(2 * log2(1 + fmax(seconds, 0) / DAY), REPEATS_RANGES - 1);
}

/* The length that stands for all of a range. */
static double
middle_of(int range)
{
	return (exp2((range + 0.5) / 2) - 1) * DAY;
}

void
RepeatsAdd(RepeatsSum *sum, int64_t visits, double span, double since)
{
	sum->people++;
	sum->visits += visits;
	sum->gaps += visits - 1;
	if (visits > 1)
		RepeatsMeanAdd(&sum->gap, span / (double) (visits - 1));
	sum->waiting[range_of(since)]++;
}

void
RepeatsMerge(RepeatsSum *sum, const RepeatsSum *other)
{
	sum->people += other->people;
	sum->visits += other->visits;
	sum->gaps += other->gaps;
	sum->gap.sum += other->gap.sum;
	sum->gap.count += other->gap.count;
	for (int r = 0; r < REPEATS_RANGES; r++)
		sum->waiting[r] += other->waiting[r];
}

double
RepeatsTypical(const RepeatsSum *sum, double gap)
{
	return ((double) sum->gap.sum + GAP_PRIOR * gap) / ((double) sum->gap.count + GAP_PRIOR);
}

/* E: the last visits that another should have followed by now, if one ever did. */
static double
exposed(const RepeatsSum *sum, double gap)
{
	double all = 0;

	for (int r = 0; r < REPEATS_RANGES; r++)
	{
		double left = REPEATS_PRIOR * gap / (REPEATS_PRIOR * gap + middle_of(r));

		all += sum->waiting[r] * (1 - pow(left, REPEATS_PRIOR));
	}
	return all;
}

double
RepeatsShareOfAll(const RepeatsSum *all, double gap)
{
	/* Where nothing was ever chosen twice, nothing will be, as far as is known. */
	return all->gaps > 0 ? (double) all->gaps / ((double) all->gaps + exposed(all, gap)) : 0;
}

double
RepeatsShare(const RepeatsSum *sum, double gap, double share)
{
	double gaps = (double) sum->gaps;

	return share > 0 ? (gaps + VISIT_PRIOR * share) / (gaps + exposed(sum, gap) + VISIT_PRIOR) : 0;
}
