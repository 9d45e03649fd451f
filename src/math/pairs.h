/*
 * pairs.h: one row of A'A, the kernel of everything learned from co-occurrence.
 *
 * Gustavson's row-by-row product (1978): for one item, walk its users, and for each of them
 * walk the user's items, adding up.  The product is never held whole: the caller takes what it
 * wants from the row's sums and clears them for the next.
 *
 * Cost: the sum over the item's users of their number of items.
 */
#ifndef RECO_PAIRS_H
#define RECO_PAIRS_H

#include "math/sparse.h"

typedef struct PairSum
{
	float sum;      /* sum over users with both of d_u * v_ui * v_uj */
	uint32_t users; /* how many users have both */
} PairSum;

typedef struct PairsInput
{
	const Sparse *by_user; /* v_uj, rows sorted by item */
	const Sparse *by_item; /* its transpose, rows sorted by user */
	const float *factor;   /* d_u, [users] */
	uint32_t users;        /* only users below this count */
	float uniform;         /* the value all cells share; 0 where they differ */
} PairsInput;

/*
 * Adds the row of one item to sums[0 .. items - 1], all zero before, and lists in touched[]
 * the items whose sums are no longer zero, the item itself among them.  Returns how many.
 * touched has items + 1 places.
 */
extern uint32_t PairsRow(const PairsInput *in, uint32_t item, PairSum *sums, uint32_t *touched);

/* Sets the touched sums back to zero. */
extern void PairsClear(PairSum *sums, const uint32_t *touched, uint32_t count);

#endif
