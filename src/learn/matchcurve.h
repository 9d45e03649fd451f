/*
 * matchcurve.h: what a score means, learned from users kept out of learning.
 *
 * Of each held-out user the chosen items are scored by the rest of the history, and beside each,
 * with as much weight together, some drawn from the catalogue at random that the user never touched.
 * Pairs without a score say nothing and are left out of the curve, not of the balance.  Scores are
 * brought to one level first (RankLevel), as they are when the curve is read.
 */
#ifndef RECO_MATCHCURVE_H
#define RECO_MATCHCURVE_H

#include "learn/factors.h"
#include "learn/interactions.h"
#include "learn/neighbors.h"
#include "math/curve.h"

/* Below this many chosen items a curve would be noise: no knots, and match is NULL. */
#define MATCHCURVE_LEAST 40

/* Items of a user that are asked about at most; each then counts for others that are not. */
#define MATCHCURVE_MOST 30

/* Items drawn beside each chosen one: so many that most of the noise is that of the chosen ones. */
#define MATCHCURVE_DRAWN 4

/*
 * Whether those held out are so few that the model does without them; otherwise the neighbours
 * are learned a second time, from everybody.
 */
extern bool MatchCurveSpares(uint32_t users, uint32_t held_out);

typedef struct MatchCurve
{
	Curve curve;
	uint32_t asked; /* chosen items asked about */
	double drawn;   /* sum of the scores of drawn items: how high scores are when nothing ties
					   an item to a user */
} MatchCurve;

/* What scores: neighbours, or factors where there are none. */
typedef struct MatchCurveOf
{
	const Neighbors *neighbors;
	const Factors *factors;
	double recency; /* that histories are read with (SimilarityRecency) */
} MatchCurveOf;

/*
 * Fits a curve to what was learned without the held-out users.  O(scored neighbours of the items
 * those users had, or all factors for each of them, and n log n for n pairs asked about).
 */
extern void MatchCurveLearn(const Interactions *matrix, const MatchCurveOf *of, MatchCurve *curve,
							Budget *budget);

/*
 * Carries a curve over to what was learned from everybody.  More users can mean higher scores, or
 * lower ones: llr and bm25 sum over them, and where half were held out the rest is known less well.
 * What the held-out users chose cannot tell by how much, since it was learned from now; the items
 * drawn for them can, and knots move with them.  O(as above).
 */
extern void MatchCurveCarry(const Interactions *matrix, const MatchCurveOf *of, MatchCurve *curve,
							Budget *budget);

#endif
