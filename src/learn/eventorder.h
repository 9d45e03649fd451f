/*
 * eventorder.h: events in the order in which they are summed.
 *
 * By user, then item, then age, then weight: any order that does not depend on arrival will do.
 */
#ifndef RECO_EVENTORDER_H
#define RECO_EVENTORDER_H

#include "math/eventlog.h"

static inline uint64_t
EventUser(const Event *event)
{
	return (uint64_t) event->user_high << 32 | event->user_low;
}

static inline int
EventCompare(const Event *a, const Event *b)
{
	uint64_t x = EventUser(a);
	uint64_t y = EventUser(b);

	if (x != y)
		return x < y ? -1 : 1;
	if (a->item != b->item)
		return a->item < b->item ? -1 : 1;
	if (a->age != b->age)
		return a->age < b->age ? -1 : 1;
	if (a->weight != b->weight)
		return a->weight < b->weight ? -1 : 1;
	return 0;
}

/* Sorts events. */
extern void EventOrderSmall(Event *events, uint64_t count);

/* A pile of so many events is spread by hash to two to so many spots first. */
extern uint32_t EventOrderBits(uint64_t count);

/* What is known of a pile: by how many bits of their user events came to it, and that items are below a number. */
typedef struct EventOrderBy
{
	uint32_t pile_bits;
	uint32_t items;
} EventOrderBy;

/*
 * Sorts the events of a pile: by item, then spread by the next bits of the user, which leaves little to
 * do for each spot.  Spare is as large, start has a place for each spot and one more.  Returns where
 * they are then, in the one place or the other.
 *
 * Of 20 million events of 133,000 users, processor seconds on a busy machine: .8 where spots of 128 were sorted
 * by comparison alone, .3 so.
 */
extern Event *EventOrderSort(Event *events, Event *spare, uint64_t count, const EventOrderBy *by,
							 uint64_t *start);

#endif
