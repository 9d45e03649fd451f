/*
 * ridge.h: neighbours weighed against each other.
 *
 * For each target j, the weights w of its candidates N(j) solve
 *
 *   (G_NN + lambda * mean(diag G) * I) w = G_Nj,   G = X' diag(h_u^-b) X
 *
 * which is EASE (Steck 2019) restricted to a neighbourhood chosen by counts, as SLIM is in Ning &
 * Karypis 2011, section IV.B.  The ridge is the same for every item: one in proportion to each
 * item's own count was tried by others here and lost 4 to 13 %.
 *
 * Cost: k^3 / 6 multiply-adds a target for the solution, k = |N|, besides gathering the system.
 */
#ifndef RECO_RIDGE_H
#define RECO_RIDGE_H

#include "learn/cooccurrence.h"

/*
 * Fills to[] with the candidates of every target and their weights, which may be below 0.  The
 * input's rule chooses the candidates, and its user exponent is b.  A system that cannot be
 * solved, which rounding alone can bring about, leaves its target without candidates.  none[] are
 * slots without a place, for counting knows two kinds.
 */
extern void RidgeSolve(const CooccurrenceInput *input, double lambda, CooccurrenceSlots *none,
					   CooccurrenceSlots *to, Budget *budget);

#endif
