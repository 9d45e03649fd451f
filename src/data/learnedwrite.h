/*
 * learnedwrite.h: the table "learned_item", written by a refresh.
 */
#ifndef RECO_LEARNEDWRITE_H
#define RECO_LEARNEDWRITE_H

#include "base/budget.h"
#include "data/ids.h"
#include "data/model.h"
#include "math/best.h"

/* Stands for a time before any that is counted: stored as -infinity. */
#define LEARNED_ALWAYS PG_INT64_MIN

/* One item as a refresh writes it. */
typedef struct LearnedItem
{
	uint32 id; /* its number in the set of ids */
	int64 events;
	int32 users;
	double popularity_log2; /* NaN where there is none, like the next */
	double recent_log2;
	int32 trending_rank; /* 1 for the fastest rising, 0 where it does not rise */
	int64 first_seconds; /* since 2000-01-01 UTC; read where the model is timed */
	int64 last_seconds;
	const Best *neighbors; /* index into the items being written; support is 0 by content alone */
	uint32 neighbor_count;
	uint32 scored; /* of them, from the first on */
} LearnedItem;

/*
 * Raises an error where an id is longer than the table's index can hold, before anything is learned of
 * it: which one, and what to do.
 */
extern void LearnedCheckIds(const Model *model, const IdSet *ids);

/*
 * Makes the table hold just these items.  Items keep the number they had, new ones get the
 * next, and rows that say the same as before are not written.  Returns how many rows were
 * written or deleted; *slots is then above every number.  SPI is connected, the lock is held.
 */
extern uint64 LearnedWrite(const Model *model, const IdSet *ids, const LearnedItem *items,
						   uint32 count, bool timed, uint32 *slots, Budget *budget);

#endif
