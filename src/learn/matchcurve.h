/*
 * matchcurve.h: what a score means, learned from users kept out of learning.
 *
 * Of each held-out user the chosen items are scored by the rest of the history, and beside
 * each an item drawn from the catalogue at random that the user never touched.  Pairs without
 * a score say nothing and are left out of the curve, not of the balance.
 */
#ifndef RECO_MATCHCURVE_H
#define RECO_MATCHCURVE_H

#include "learn/interactions.h"
#include "learn/neighbors.h"
#include "math/curve.h"

/* Below this many chosen items a curve would be noise: no knots, and match is NULL. */
#define MATCHCURVE_LEAST 40

/*
 * Whether those held out are so few that the model does without them; otherwise the neighbours
 * are learned a second time, from everybody.
 */
extern bool MatchCurveSpares(uint32_t users, uint32_t held_out);

/*
 * Fits the curve to neighbours that were learned without the held-out users.  Returns the number of
 * chosen items asked about.
 */
extern uint32_t MatchCurveLearn(const Interactions *matrix, const Neighbors *neighbors,
								Curve *curve, Budget *budget);

#endif
