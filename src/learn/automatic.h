/*
 * automatic.h: what a model learns by where nobody said: picked on the held-out users.
 *
 * Tried are the counts, the best of each target or of each source, and ridge, with several lambda,
 * dampings and shares of the counts blended in.  Counted is once; a trial of ridge solves for few
 * candidates, which costs a small part of the fit and ranks lambdas and blends as many
 * candidates do.  What has the highest NDCG at 20 on what held-out users went on to choose is
 * learned with all candidates.
 *
 * Where hardly anybody can be held out there is nothing to pick by: it is the counts then, with
 * shrinkage, which do least harm on thin data.
 */
#ifndef RECO_AUTOMATIC_H
#define RECO_AUTOMATIC_H

#include "learn/interactions.h"
#include "learn/neighbors.h"

/*
 * Sets what is to be picked in options, and returns the neighbours learned by that from the
 * learners; NULL where there is nothing to pick by.
 */
extern Neighbors *AutomaticLearn(const Interactions *matrix, SimilarityOptions *options,
								 Budget *budget);

#endif
