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

/*
 * Sorts the events of a pile, to which they came by so many bits of their user: spread by the next
 * bits, then each spot by itself.  Spare is as large, start has a place for each spot and one more.
 * Returns where they are then, in the one place or the other.
 */
extern Event *EventOrderSort(Event *events, Event *spare, uint64_t count, uint32_t pile_bits,
							 uint64_t *start);

#endif
