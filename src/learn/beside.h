/*
 * beside.h: what each signal is worth beside the target, picked on the held-out users.
 *
 * One signal after the other is tried with several weights: what it says of those that the target goes
 * on to choose is counted anew with each, and lists are compared by NDCG at 20, user by user.
 * Counted are the first users, which is a draw by lot, as many as all trials together may be (learn/
 * allowance); a signal for which there is not enough weighs what its events say.  Another weight than 1, that of the events themselves, is taken only where it is better by more than
 * the standard error of the difference, as learn/automatic has it.  A list that a history does not
 * fill goes on with what is popular, as it does when it is served: so a signal must say more than
 * nothing at all.
 */
#ifndef RECO_BESIDE_H
#define RECO_BESIDE_H

#include "learn/allowance.h"
#include "learn/mixing.h"
#include "learn/neighbors.h"

/* What there is to pick from, and by. */
typedef struct BesideInput
{
	const Interactions *whole;
	const SimilarityOptions *options;
	Weighting weighting;
	Allowance *allowance;
	double besides; /* of it, what others need */
	double *w;      /* of every signal, 1 at first; gets what is picked */
} BesideInput;

/*
 * Sets the weights of all signals but the target, and returns the matrix that they make; there must be
 * chosen items.  At most four trials a signal.
 */
extern Interactions *BesidePick(const BesideInput *input, Budget *budget);

#endif
