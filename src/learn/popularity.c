#include "learn/popularity.h"

#include <math.h>

#include "math/best.h"
#include "math/decay.h"

#define DAY 86400.0

/* Up to here single precision tells logarithms apart by .1 %; half-lives of less than a day go beyond. */
#define SINGLE_ENOUGH 16384

/*
 * log2 of a sum decayed as of so many half-lives after the epoch, moved there; in single precision, so that
 * an item that saw nothing new has the same number though others did, but for rare roundings where a
 * half-life has passed, and its row is left as it is.
 */
static double
at_epoch(double sum, double periods)
{
	if (!(sum > 0) || !isfinite(sum))
		return NAN;
	sum = log2(sum);
	if (periods == 0)
		return sum;
	sum += periods;
	return fabs(sum) < SINGLE_ENOUGH ? (double) (float) sum : sum;
}

/*
 * What must be taken off such a logarithm to have a rate a day at a given time, from events over a
 * span of seconds.
 */
static double
rate_offset(int64_t at, double span, double half_life)
{
	/*
	 * A steady rate of one a second sums up to half_life / ln 2 in the end, and to this share of it
	 * in the span.
	 */
	double share = -expm1(-M_LN2 * Max(span, DAY) / half_life);

	return at / half_life + log2(half_life / M_LN2 / DAY * share);
}

static void
rank_trends(const Interactions *matrix, Popularity *popularity)
{
	uint32_t items = matrix->items;
	Best listed[POPULARITY_LISTED];
	uint32_t count = 0;

	for (uint32_t i = 0; i < items; i++)
	{
		double longrun = DecayedRate(popularity->longrun_log2[i], popularity->popularity_offset);
		double recent = DecayedRate(popularity->recent_log2[i], popularity->recent_offset);
		double trend = DecayedTrend(recent, longrun, popularity->trend_prior);

		if (trend >= POPULARITY_RISING)
			BestOffer(listed, &count, POPULARITY_LISTED,
					  (Best){.index = i, .value = (float) trend});
	}
	BestSort(listed, count);
	for (uint32_t n = 0; n < count; n++)
		popularity->trending_rank[listed[n].index] = (int32) n + 1;
}

Popularity *
PopularityLearn(const Interactions *matrix, const EventLog *log, const InteractionOptions *options,
				Budget *budget)
{
	uint32_t items = matrix->items;
	Popularity *popularity = BudgetZeroedResult(budget, 1, sizeof(Popularity));
	int64_t newest = EventLogNewest(log);
	double popular = log->timed ? DecayPeriods(newest, options->popular_half_life) : 0;
	double recent = log->timed ? DecayPeriods(newest, options->trend_half_life) : 0;
	double total = 0;
	uint32_t oldest_age = 0;

	popularity->longrun_log2 = BudgetAllocResult(budget, items, sizeof(double));
	popularity->recent_log2 = BudgetAllocResult(budget, items, sizeof(double));
	popularity->trending_rank = BudgetZeroedResult(budget, items, sizeof(int32));
	popularity->newest_age = UINT32_MAX;
	for (uint32_t i = 0; i < items; i++)
	{
		popularity->newest_age = Min(popularity->newest_age, matrix->stat[i].newest_age);
		oldest_age = Max(oldest_age, matrix->stat[i].oldest_age);
	}

	if (log->timed && items > 0)
	{
		int64_t last = log->now - popularity->newest_age;
		double span = (double) oldest_age - popularity->newest_age;

		popularity->popularity_offset = rate_offset(last, span, options->popular_half_life);
		popularity->recent_offset = rate_offset(last, span, options->trend_half_life);
	}
	for (uint32_t i = 0; i < items; i++)
	{
		const ItemStat *stat = &matrix->stat[i];

		popularity->longrun_log2[i] = at_epoch(stat->popularity, popular);
		popularity->recent_log2[i] = log->timed ? at_epoch(stat->recent, recent) : NAN;
		total += DecayedRate(popularity->longrun_log2[i], popularity->popularity_offset);
	}
	if (log->timed && items > 0)
	{
		popularity->trend_prior = total / items;
		rank_trends(matrix, popularity);
	}
	return popularity;
}
