/*
 * allowance.h: how much work trials may take, by counts and not by the clock.
 *
 * All that a refresh tries before it learns takes no more work than one fit: pairs counted, systems
 * solved for all candidates, neighbours put into rows.  It is a fit by the dearest of what may be
 * picked, ridge where nobody said, of the pairs of all signals; counts, where they are picked after
 * all, are learned for less.  What is tried is decided by what is known before: cells, pairs,
 * candidates, neighbours, at the seconds that math/cost has for each.  So the answer is the same for
 * any number of processes, on whatever machine, and however busy it is.  A trial that does not fit any
 * more is left out.
 *
 * Where a fit is less than ALLOWANCE_LEAST, trials may take so much: nobody waits for that, and small
 * data needs the choice most.
 */
#ifndef RECO_ALLOWANCE_H
#define RECO_ALLOWANCE_H

#include "learn/interactions.h"
#include "math/similarity.h"

/* Seconds of work that trials may always take. */
#define ALLOWANCE_LEAST 0.05

/* Seconds of one process on the machine of math/cost. */
typedef struct Allowance
{
	double fit;   /* one fit */
	double counting; /* its part that counts pairs */
	double most;  /* of trials together */
	double spent; /* so far */
} Allowance;

/* What there is for trials before neighbours are learned from a matrix by such options. */
extern Allowance AllowanceOf(const Interactions *matrix, const SimilarityOptions *options,
							 Budget *budget);

/* Holds what is left to what one fit of another matrix or by other options takes. */
extern void AllowanceNarrow(Allowance *allowance, double fit);

/*
 * Takes work out of the allowance, with so much left besides; false, and nothing is taken, where there
 * is not so much.
 */
extern bool AllowanceTake(Allowance *allowance, double work, double besides);

/* What learning from the first so many users of a matrix in memory takes. */
extern double AllowanceSample(const Interactions *matrix, uint32_t users,
							  const SimilarityOptions *options, Budget *budget);

/* The work of trials so far as a share of a fit. */
extern double AllowanceShare(const Allowance *allowance);

/* Held-out users, the first ones, of whom trials ask. */
typedef struct AllowanceUsers
{
	uint32_t users;
	double cells; /* of their histories at most */
} AllowanceUsers;

/*
 * As many of them as have lists by k neighbours of each item for so much work, and ALLOWANCE_USERS at the
 * least.
 */
#define ALLOWANCE_USERS 200
extern AllowanceUsers AllowanceAsk(const Interactions *matrix, uint32_t k, double work);

/* What their lists take. */
extern double AllowanceLists(const AllowanceUsers *asked, uint32_t items, uint32_t k);

#endif
