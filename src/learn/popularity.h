/*
 * popularity.h: what most people choose, and what is rising.
 *
 * Popularity is the decayed sum of an item's positive events as a rate, weight a day; the
 * recent count has a shorter half-life; trend is the one over the other, both with the mean
 * popularity of all items as prior, so that one lucky event makes no trend.
 */
#ifndef RECO_POPULARITY_H
#define RECO_POPULARITY_H

#include "learn/interactions.h"
#include "math/eventlog.h"

/*
 * At least so much over the long-run rate is called rising, and so many items at most are listed.
 */
#define POPULARITY_RISING 1.5
#define POPULARITY_LISTED 1000

typedef struct Popularity
{
	/* Sums as log2 at 2000-01-01 UTC, NaN where there is nothing; [items] in matrix order. */
	double *longrun_log2;
	double *recent_log2;
	int32 *trending_rank; /* from 1, 0 for what is not listed */
	/* What turns them to rates at the time of the newest event. */
	double popularity_offset;
	double recent_offset;
	double trend_prior;
	uint32_t newest_age; /* of all events, seconds before the log's now */
} Popularity;

/* Without times popularity is the plain sum of weights and nothing rises. */
extern Popularity *PopularityLearn(const Interactions *matrix, const EventLog *log,
								   const InteractionOptions *options, Budget *budget);

#endif
