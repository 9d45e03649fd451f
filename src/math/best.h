/*
 * best.h: the k best of a stream, in a fixed order.
 *
 * Greater value first; of equal values the smaller index, so that the answer never depends on
 * the order in which candidates came.  A binary heap with the worst on top: O(log k) for what
 * gets in, one comparison for what does not.
 */
#ifndef RECO_BEST_H
#define RECO_BEST_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Best
{
	uint32_t index;
	uint32_t support;
	float value;
} Best;

static inline bool
BestBefore(const Best *a, const Best *b)
{
	return a->value > b->value || (a->value == b->value && a->index < b->index);
}

/* Offers a candidate to heap[0 .. *count - 1], which has k places; k is at least 1. */
extern void BestOffer(Best *heap, uint32_t *count, uint32_t k, Best candidate);

/* Puts a heap in order, best first. */
extern void BestSort(Best *heap, uint32_t count);

#endif
