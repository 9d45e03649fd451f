/*
 * factors.h: factors of items and users, learned by alternating least squares (see math/fold).
 *
 * Items begin with small numbers drawn by lot; then, iteration by iteration, every user is folded
 * in with the items, and every item with the users.  Only the factors of items are kept: those of
 * a user follow from the history, whenever it is asked about.
 *
 * Cost of an iteration: 2 * cells * factors^2 / 2 multiply-adds for the systems, and factors^3 / 6
 * for the solution of each user and item.
 */
#ifndef RECO_FACTORS_H
#define RECO_FACTORS_H

#include "learn/interactions.h"
#include "math/fold.h"
#include "math/rank.h"

typedef struct Factors
{
	uint32_t items;
	float *row;         /* [items * fold.width], 0 for items of too few users */
	unsigned char *has; /* [items], 1 where there are factors */
	float *base;        /* of fold */
	Fold fold;
} Factors;

/*
 * Learns from the users below users of a matrix.  With a start, of the same items and options, it
 * goes on from there, for a quarter of the iterations.
 */
extern Factors *FactorsLearn(const Sparse *by_user, uint32_t users, const FoldOptions *options,
							 const Factors *start, Budget *budget);

/*
 * Learns from everybody, but not of what held-out users chose in the end: a match curve wants users
 * as they will be asked about, and what users whom factors were learned from choose next they
 * rank lower than a stranger's, since it was among what was not observed.
 */
extern Factors *FactorsLearnBefore(const Interactions *matrix, const FoldOptions *options,
								   Budget *budget);

extern void FactorsFree(Factors *factors, Budget *budget);

/* Memory to score users in, one after the other. */
typedef struct FactorsScorer
{
	const Factors *factors;
	FoldEntry *entry; /* [items] */
	float *scratch;
	float *user;
} FactorsScorer;

extern FactorsScorer *FactorsScorerOpen(const Factors *factors, Budget *budget);
extern void FactorsScorerClose(FactorsScorer *scorer, Budget *budget);

/*
 * Scores all items by a history, of which sources and weights are read, into a clear scratch.  Returns
 * the level of the scores (FoldLevel).
 */
extern double FactorsScore(FactorsScorer *scorer, const RankEntry *entries, size_t count,
						   RankScratch *scratch);

#endif
