/*
 * choosing.h: the cells of one user, and which of them were chosen last.
 */
#ifndef RECO_CHOOSING_H
#define RECO_CHOOSING_H

#include "base/compat.h"

/* What a user's events of one item come to. */
typedef struct Cell
{
	uint32_t item;
	float value;
	uint32_t oldest_age; /* of the positive events: when the item was first chosen */
	uint32_t newest_age;
	uint32_t latest_age; /* of the positive events: when it was last chosen */
} Cell;

/* What decides between items of a user that were chosen at the same time. */
typedef struct ChoosingLot
{
	const uint32_t *item_rank;
	uint64_t user; /* the hash */
} ChoosingLot;

/*
 * Puts cells in order by when an item was first chosen, the last first; ties go by lot, different for every user.
 * So many of them at the least, with all of the last one's time; what is older comes after them in any order.
 */
extern void ChoosingLastFirst(Cell *cells, uint32_t count, uint32_t wanted, const ChoosingLot *lot);

/* By an item's newest event, the newest first; ties go by id, as the ranks of all items have it. */
extern int ChoosingNewestFirst(const void *a, const void *b, void *item_rank);

/*
 * How many of the cells, the last chosen first, came after all others: about as many as wanted, but
 * never a part of what was chosen at one time.  All of them, where that is all there was.
 */
extern uint32_t ChoosingWholeTimes(const Cell *cells, uint32_t count, uint32_t wanted);

#endif
