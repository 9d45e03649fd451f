/*
 * best.h: the k best of a stream, in a fixed order.
 *
 * Greater value first; of equal values the smaller index, so that the answer never depends on
 * the order in which candidates came.  A heap with the worst on top: O(log k) for what
 * gets in, one comparison for what does not.
 */
#ifndef RECO_BEST_H
#define RECO_BEST_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct Best
{
	uint32_t index;
	uint32_t support;
	float value;
} Best;

static inline bool
BestBefore(const Best *a, const Best *b)
{
	/* All is compared, without a branch: nobody can foresee which one it would take. */
	return (a->value > b->value) | ((a->value == b->value) & (a->index < b->index));
}

/* Offers a candidate to heap[0 .. *count - 1], which has k places; k is at least 1. */
extern void BestOffer(Best *heap, uint32_t *count, uint32_t k, Best candidate);

/* Sends for what an offer to a heap that is full will look at first: its root and two levels of children. */
#define BEST_SENT 256 /* bytes */

static inline void
BestSendFor(const Best *heap, uint32_t k)
{
	for (uint32_t line = 0; line < BEST_SENT && line < k * sizeof(Best); line += 64)
		__builtin_prefetch((const char *) heap + line);
}

/* Puts entries in the order of such a heap.  O(count). */
extern void BestHeap(Best *entries, uint32_t count);

/*
 * A candidate of a value above 0 as one number, which is greater for the better one: what is to be
 * sorted out in great numbers is put so.
 */
static inline uint64_t
BestKey(uint32_t index, float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return (uint64_t) bits << 32 | ~index;
}

static inline uint32_t
BestKeyIndex(uint64_t key)
{
	return ~(uint32_t) key;
}

static inline float
BestKeyValue(uint64_t key)
{
	uint32_t bits = (uint32_t) (key >> 32);
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/*
 * Moves the k greatest of n numbers, all different, to the front, the least of them to place k - 1;
 * k is 1 to n.  O(n) as a rule (Hoare 1961).
 */
extern void BestSelect(uint64_t *keys, uint32_t n, uint32_t k);

/*
 * Puts entries in order of index, by way of room for as many; no index is greater than most.  Some operations
 * an entry for every eight bits of that.
 */
extern void BestByIndex(Best *entries, Best *room, uint32_t count, uint32_t most);

/* Puts entries in order, best first; all are different. */
extern void BestSort(Best *entries, uint32_t count);

#endif
