/*
 * beside.h: what each signal is worth beside the target, picked on the held-out users.
 *
 * One signal after the other is tried with several weights: what it says of those that the target goes
 * on to choose is counted anew with each, and lists are compared by NDCG at 20, user by user.
 * Counted are the first users, which is a draw by lot, as many as make all trials together about as
 * much work as one count of all.  Another weight than 1, that of the events themselves, is taken only where it is better by more than
 * the standard error of the difference, as learn/automatic has it.  A list that a history does not
 * fill goes on with what is popular, as it does when it is served: so a signal must say more than
 * nothing at all.
 */
#ifndef RECO_BESIDE_H
#define RECO_BESIDE_H

#include "learn/mixing.h"
#include "learn/neighbors.h"

/*
 * Sets the weights of all signals but the target, which are 1 at first, and returns the matrix that
 * they make; there must be chosen items.  At most four trials a signal.
 */
extern Interactions *BesidePick(const Interactions *whole, const SimilarityOptions *options,
								Weighting weighting, double *w, Budget *budget);

#endif
