/*
 * neighbors.h: the matrix of neighbours, learned from interactions by counts or by ridge.
 *
 * One row an item: what it, in a history, speaks for, best first.  Of every item the k best
 * are kept, by source (its own row has at most k) or by target (each item is in at most k
 * rows, those that speak most for it).
 */
#ifndef RECO_NEIGHBORS_H
#define RECO_NEIGHBORS_H

#include "learn/ridge.h"

typedef struct Neighbors
{
	uint32_t items;
	uint64_t *start; /* [items + 1] */
	uint32_t
		*scored; /* [items], entries of a row that speak for an item; the rest are only shown */
	Best *entry; /* each row in two runs, both best first: what is scored, what is only shown */
} Neighbors;

/*
 * Learns from the rows of a matrix; their positions are only read for what goes by order.  O(sum over
 * the users of the square of their number of items); memory for k entries an item beside the result.
 */
extern Neighbors *NeighborsLearn(const Rows *rows, const SimilarityOptions *options,
								 Budget *budget);

/* How many of the best k of slots there are altogether. */
extern double NeighborsCount(const CooccurrenceSlots *slots, uint32_t k, uint32_t items);

/* As NeighborsLearn has it of the counts, from what was counted; the basis is good for nothing else then. */
extern Neighbors *NeighborsCounted(const RidgeBasis *basis, const SimilarityOptions *options,
								   Budget *budget);

/*
 * As NeighborsLearn has them of ridge, from candidates that were counted: weights solved for each target,
 * pruned by source.  Only some options need the best of every source, too.
 */
extern Neighbors *NeighborsOfRidge(const RidgeBasis *basis, const SimilarityOptions *options,
								   Budget *budget);
extern bool NeighborsNeedSources(const SimilarityOptions *options);

/* Puts what is scored of every row in order, best first. */
extern void NeighborsSort(Neighbors *neighbors);

/* Leaves the first so many items: their rows, and what these say of each other. */
extern void NeighborsCut(Neighbors *neighbors, uint32_t items);

extern void NeighborsFree(Neighbors *neighbors, Budget *budget);

#endif
