/*
 * cooccurrence.h: how often items meet, row by row, and the best of each row.
 */
#ifndef RECO_COOCCURRENCE_H
#define RECO_COOCCURRENCE_H

#include "base/budget.h"
#include "math/similarity.h"

/* The k best of every item, best first: count[i] of them from slot[k * i] on. */
typedef struct CooccurrenceSlots
{
	uint32_t k;
	Best *slot;
	uint32_t *count;
} CooccurrenceSlots;

extern CooccurrenceSlots CooccurrenceAlloc(uint32_t items, uint32_t k, Budget *budget);
extern void CooccurrenceFree(CooccurrenceSlots *slots, Budget *budget);

static inline Best *
CooccurrenceSlot(const CooccurrenceSlots *slots, uint32_t item)
{
	return slots->slot + (uint64_t) slots->k * item;
}

typedef struct CooccurrenceInput
{
	const Sparse *by_user;
	const Sparse *by_item; /* its transpose */
	uint32_t users;        /* only users below this number */
	const SimilarityRule *rule;
	/* Where it is set, sees the sums of every row before they are cleared. */
	void (*take_row)(uint32_t item, const PairSum *sums, const uint32_t *touched, uint32_t count,
					 void *with);
	void *with;
} CooccurrenceInput;

/*
 * Fills the slots of every item: the best it speaks for (from), the best that speak for it (to),
 * either of them NULL where it is not wanted.  O(sum over the users of the square of their number
 * of items).
 */
extern void CooccurrenceRows(const CooccurrenceInput *input, CooccurrenceSlots *from,
							 CooccurrenceSlots *to, Budget *budget);

#endif
