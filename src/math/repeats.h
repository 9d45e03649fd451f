/*
 * repeats.h: whether what was chosen will be chosen again by the same person, and how long after.
 *
 * Of an item everybody's visits on which it was chosen are summed up: g that another visit of the
 * same person with it followed, the mean gap of each person who has some, and how long ago, s, each
 * person chose it last.  With G the mean of all people's mean gaps,
 *
 *   T = (sum of the item's mean gaps + 5 G) / (number of them + 5)       its typical gap
 *   E = sum over the last visits of F(s),  F(s) = 1 - (2 G / (2 G + s))^2
 *   q = (g + 10 Q) / (g + E + 10)             the share of visits that another follows in the end
 *
 * and Q the same of all items, g / (g + E): a last visit counts as one that nothing followed as far
 * as something should have by now.  F is that of a gap of which nothing is known but what holds
 * for all, as math/gaps has it after a prior of two gaps.
 */
#ifndef RECO_REPEATS_H
#define RECO_REPEATS_H

#include <stdint.h>

/* Gaps that the typical one counts as, beside a person's own. */
#define REPEATS_PRIOR 2.0

/* Visits that q counts as, beside those of a person. */
#define REPEATS_SHARE_PRIOR 1.0

/* Ranges of s: the b-th begins at 2^(b/2) - 1 days, the last at 126 years. */
#define REPEATS_RANGES 32

/* A mean, of whole seconds, so that it is the same in whatever order it was added up. */
typedef struct RepeatsMean
{
	int64_t sum;
	int64_t count;
} RepeatsMean;

/* What is known of an item; all zero is nothing. */
typedef struct RepeatsSum
{
	int64_t people;
	int64_t visits;
	int64_t gaps;
	RepeatsMean gap;
	uint32_t waiting[REPEATS_RANGES]; /* last visits by how long ago they are */
} RepeatsSum;

/* Adds a length in seconds, up to 2^40. */
extern void RepeatsMeanAdd(RepeatsMean *mean, double seconds);

/* NaN where nothing was added. */
extern double RepeatsMeanValue(const RepeatsMean *mean);

/* Adds a person's visits, at least one: how many, from the first to the last, and since. */
extern void RepeatsAdd(RepeatsSum *sum, int64_t visits, double span, double since);

/* Adds all that is known of another item. */
extern void RepeatsMerge(RepeatsSum *sum, const RepeatsSum *other);

/* T, Q and q; gap is G, and share Q. */
extern double RepeatsTypical(const RepeatsSum *sum, double gap);
extern double RepeatsShareOfAll(const RepeatsSum *all, double gap);
extern double RepeatsShare(const RepeatsSum *sum, double gap, double share);

#endif
