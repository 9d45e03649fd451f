/*
 * next.h: pairs counted one way: what follows what, or what leads to a target.
 *
 * The family of math/similarity over pairs counted in order of time:
 *
 *   c_ij = sum over u of h_u^-b * f(r_ui) * f(r_uj) * g(steps from i to j)
 *
 * A step leads from one time of a user to the next, whatever lies between: what was chosen at one
 * time, a basket, has no order.  g is 1 / sqrt(d) where j came d steps after i, NEXT_REVERSE as much
 * where it came before, NEXT_TOGETHER at the same time, and 0 beyond NEXT_WINDOW steps.
 *
 * Where rows tell what cells are worth as targets (learn/mixing), j counts by that, c_ij = sum of
 * h_u^-b * A_ui * B_uj * g, n_i is counted in A and n_j in B; with similarities that do not go by
 * order, g is 1.
 */
#ifndef RECO_NEXT_H
#define RECO_NEXT_H

#include "learn/cooccurrence.h"

/* What served both a wholesaler's baskets and single films, tried on the last of each user. */
#define NEXT_WINDOW   20
#define NEXT_REVERSE  0.3
#define NEXT_TOGETHER 0.5

/* What it takes for each cell while pairs are counted. */
#define NEXT_CELL_BYTES 24

/* True where pairs are to be counted so, and not both ways at once. */
static inline bool
NextWanted(const Rows *rows, const SimilarityRule *rule)
{
	return rule->kind == SIMILARITY_NEXT || rows->target;
}

/*
 * Fills the slots of every item as CooccurrenceRows does, from a matrix in memory with the positions of
 * its cells, or their worth as targets.  O(pairs within a window, and those at one time), shared by as
 * many processes as the budget allows; memory for 24 bytes a cell.
 */
extern void NextRows(const CooccurrenceInput *input, CooccurrenceSlots *from, CooccurrenceSlots *to,
					 Budget *budget);

#endif
