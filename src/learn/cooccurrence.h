/*
 * cooccurrence.h: how often items meet, row by row, and the best of each.
 */
#ifndef RECO_COOCCURRENCE_H
#define RECO_COOCCURRENCE_H

#include "learn/rows.h"
#include "math/best.h"
#include "math/similarity.h"
#include "storage/spin.h"

typedef struct CooccurrenceInput
{
	Rows rows; /* items in order of popularity cost least */
	const SimilarityRule *rule;
	/*
	 * Where they are set, get the sums themselves: the row of item i below i, from place
	 * i * (i - 1) / 2 on, shared memory that is zero before; and those of every item with itself.
	 * All in one unit, a power of four, in which the mean of the diagonal is about 1.
	 */
	float *gram;
	double *diagonal;
	double *unit;
} CooccurrenceInput;

/*
 * The k best of every item: count[i] of them from slot[start[i]] on, best first once all is
 * counted.  An item has fewer places where it cannot have k pairs.
 */
typedef struct CooccurrenceSlots
{
	uint32_t k;
	uint64_t *start; /* [items + 1] */
	Best *slot;
	uint32_t *count;
	float *least; /* [items], less than this does not get in; infinite where there is no place */
} CooccurrenceSlots;

/*
 * Makes both kinds, for the k that each is given with; users of items have been counted.  O(users and cells of
 * rare items).
 */
extern void CooccurrenceAlloc(const CooccurrenceInput *input, CooccurrenceSlots *from,
							  CooccurrenceSlots *to, Budget *budget);
extern void CooccurrenceFree(CooccurrenceSlots *slots, Budget *budget);

static inline Best *
CooccurrenceSlot(const CooccurrenceSlots *slots, uint32_t item)
{
	return slots->slot + slots->start[item];
}

static inline uint32_t
CooccurrencePlaces(const CooccurrenceSlots *slots, uint32_t item)
{
	return (uint32_t) (slots->start[item + 1] - slots->start[item]);
}

/* A lock an item, for slots that several processes fill. */
extern slock_t *CooccurrenceLocks(uint32_t items, Budget *budget);

/*
 * False for a value that cannot get in at an item, or is none.  What gets in only rises, so that a look without the
 * lock refuses nothing it should not.
 */
static inline bool
CooccurrenceMayGetIn(const CooccurrenceSlots *slots, uint32_t item, float value)
{
	return value > 0 && !(value < slots->least[item]);
}

/* Offers a pair to the best of one of its items; locks are NULL for one process. */
static inline void
CooccurrenceOffer(const CooccurrenceSlots *slots, slock_t *locks, uint32_t item, Best pair)
{
	Best *slot;
	uint32_t places;

	if (!CooccurrenceMayGetIn(slots, item, pair.value))
		return;
	slot = CooccurrenceSlot(slots, item);
	places = CooccurrencePlaces(slots, item);
	if (locks)
		SpinLockAcquire(&locks[item]);
	BestOffer(slot, &slots->count[item], places, pair);
	if (slots->count[item] == places)
		slots->least[item] = Max(slots->least[item], slot[0].value);
	if (locks)
		SpinLockRelease(&locks[item]);
}

/* Makes known that an item will be offered as many as it has places that are worth so much. */
static inline void
CooccurrenceRaise(const CooccurrenceSlots *slots, slock_t *locks, uint32_t item, float least)
{
	if (locks)
		SpinLockAcquire(&locks[item]);
	slots->least[item] = Max(slots->least[item], least);
	if (locks)
		SpinLockRelease(&locks[item]);
}

/* Puts every item's best in order once all are offered. */
extern void CooccurrenceSort(CooccurrenceSlots *slots, uint32_t items);

/*
 * Fills the slots of every item: the best it speaks for (from), the best that speak for it (to).
 * O(sum over the users of the square of their number of items), shared by as many processes as
 * the budget allows; where rows are on tape in as many passes as it takes.
 */
extern void CooccurrenceRows(const CooccurrenceInput *input, CooccurrenceSlots *from,
							 CooccurrenceSlots *to, Budget *budget);

/*
 * The same of the first rows of a matrix in memory and of all, counted once: those of the first are scaled
 * as all are.
 */
typedef struct CooccurrenceBest
{
	const CooccurrenceInput *input;
	CooccurrenceSlots *from;
	CooccurrenceSlots *to;
} CooccurrenceBest;

extern void CooccurrenceBoth(const CooccurrenceBest *first, const CooccurrenceBest *all,
							 Budget *budget);

#endif
