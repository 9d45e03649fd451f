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
 * Where rows tell what cells are worth as targets, B, weights foresee these: the right side is
 * G_Nj = X' diag(h_u^-b) B_j, and candidates are chosen by what leads to j (learn/next).
 *
 * Cost: k^3 / 6 multiply-adds a target for the solution, k = |N|, besides gathering the system.
 */
#ifndef RECO_RIDGE_H
#define RECO_RIDGE_H

#include "learn/systems.h"

/* What systems are made of: counted once, solved as often as wanted. */
typedef struct RidgeBasis
{
	CooccurrenceInput input;
	CooccurrenceSlots from; /* the best of every source by counts */
	CooccurrenceSlots to;   /* the candidates of every target */
	float *gram;            /* below the diagonal, row after row; NULL where it does not fit */
	double *diagonal;       /* G_ii */
	double unit;            /* of both */
	uint64_t *users;        /* n_i, [items + 1] */
	double *source;         /* what makes similarities sums again: n_i^p; where targets are */
	double *target;         /* counted apart, like this: n_j^q / unit; else NULL */
	Systems *systems;       /* where there is no gram */
} RidgeBasis;

/*
 * Counts: from_k of every source, the candidates of every target.  The input's rule chooses them,
 * and its user exponent is b.  The rows of the input must stay as long as the basis.
 */
extern RidgeBasis *RidgeOpen(const CooccurrenceInput *input, uint32_t from_k, uint32_t candidates,
							 Budget *budget);
extern void RidgeClose(RidgeBasis *basis, Budget *budget);

/* How many numbers the systems of so many candidates have together, and what solving them multiplies. */
extern uint64_t RidgeNumbers(const RidgeBasis *basis, uint32_t candidates);
extern double RidgeProducts(const RidgeBasis *basis, uint32_t candidates);

/*
 * The best so many candidates of every target with their weights, which may be below 0.  A
 * system that cannot be solved, which rounding alone can bring about, leaves its target without
 * any.  Whether there is a Gram matrix makes no difference to the weights.
 */
extern CooccurrenceSlots RidgeSolve(const RidgeBasis *basis, double lambda, uint32_t candidates,
									Budget *budget);

#endif
