/*
 * automatic.h: what a model learns by where nobody said: picked on the held-out users.
 *
 * Tried are the counts, the best of each target or of each source, and ridge with several lambda,
 * dampings, shares of the counts and of indirect neighbours, these from the start where pairs are
 * few, and more neighbours kept; where users come back often, also histories of which the newest
 * items count most, and what follows what.  Counted is once.  A trial of ridge solves for few
 * candidates, which costs a small part of the fit and ranks most options as many candidates do; how
 * many neighbours are kept, and the share of the counts, is asked of what is solved for all, which
 * the match curve wants anyway.  Lists are compared by NDCG at 20 on what held-out users went on to
 * choose, user by user.  Where one value serves most sets, it is left only for what is better by
 * more than the standard error of the difference (after the rule of Breiman et al. 1984, section
 * 3.4.3); otherwise whatever is better is taken.
 *
 * Cost: all trials together take no more work than one fit, as learn/allowance counts it, the cheap
 * ones first; one that does not fit any more is left out, and the value that serves most sets stays.
 * What all candidates are asked has its part reserved.
 */
#ifndef RECO_AUTOMATIC_H
#define RECO_AUTOMATIC_H

#include "learn/allowance.h"
#include "learn/neighbors.h"

/* How many are about tried. */
#define AUTOMATIC_TRIALS 13

/* What is picked is learned from all users, too, by the same team where that is possible. */
typedef struct AutomaticAll
{
	/*
	 * Takes the neighbours learned from the learners, once the options are set, while others solve the systems
	 * of all users.
	 */
	void (*take)(Neighbors *neighbors, void *with);
	/* Takes those learned from all users, while the others leave. */
	void (*finish)(Neighbors *neighbors, void *with);
	void *with;
	RidgeBasis *counted; /* the pairs of all users, to be learned from and closed, or NULL */
	bool finished;       /* both were called */
} AutomaticAll;

/*
 * Sets what is to be picked in options, within what is left of the allowance, and returns the neighbours learned by that from the
 * learners, unless they were taken; there must be chosen items.  Where all is not NULL, sums are scaled as those of
 * all users, and where there is memory for it, their pairs are counted along.
 */
extern Neighbors *AutomaticLearn(const Interactions *matrix, SimilarityOptions *options,
								 Allowance *allowance, AutomaticAll *all, Budget *budget);

/*
 * Where hardly anybody can be held out there is nothing to pick by: it is the counts then, with
 * shrinkage, which do least harm on thin data.
 */
extern void AutomaticThin(SimilarityOptions *options);

#endif
