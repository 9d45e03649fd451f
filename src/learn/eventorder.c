#include "learn/eventorder.h"

#include <string.h>

#include "base/interrupts.h"
#include "math/sparse.h"

/* Events of a pile are spread to about so many each: of most users, each to a spot of its own. */
#define SPREAD_EVENTS 32
#define SPREAD_BITS   16 /* and to 2^so many spots at most */

/* They are put in order of item before, by so many bits at a time, at most so often. */
#define ITEM_BITS   11
#define ITEM_PASSES 2

#define ST_SORT          sort_events
#define ST_ELEMENT_TYPE  Event
#define ST_COMPARE(a, b) EventCompare(a, b)
#define ST_SCOPE         static
#define ST_DEFINE
#define ST_CHECK_FOR_INTERRUPTS
#include "lib/sort_template.h"

void
EventOrderSmall(Event *events, uint64_t count)
{
	sort_events(events, count);
}

uint32_t
EventOrderBits(uint64_t count)
{
	uint32_t bits = 0;

	while (bits < SPREAD_BITS && count >> bits > SPREAD_EVENTS)
		bits++;
	return bits;
}

/* Moves events to their places by some bits of their item; those that share these stay in order. */
static void
move_by_item(const Event *events, Event *to, uint64_t count, uint32_t shift)
{
	uint64_t start[(1 << ITEM_BITS) + 1] = {0};

	for (uint64_t e = 0; e < count; e++)
		start[events[e].item >> shift & ((1 << ITEM_BITS) - 1)]++;
	SparseOffsets(start, 1 << ITEM_BITS);
	for (uint64_t e = 0; e < count; e++)
	{
		INTERRUPTS_AT(e);
		to[start[events[e].item >> shift & ((1 << ITEM_BITS) - 1)]++] = events[e];
	}
}

/* Moves events to their spots, which they leave in order within; start[] is then where each ends. */
static void
move_to_spots(const Event *events, Event *to, uint64_t count, uint32_t shift, uint32_t bits,
			  uint64_t *start)
{
	memset(start, 0, sizeof(uint64_t) * ((UINT64_C(1) << bits) + 1));
	for (uint64_t e = 0; e < count; e++)
		start[EventUser(&events[e]) >> shift & ((1 << bits) - 1)]++;
	SparseOffsets(start, 1 << bits);
	for (uint64_t e = 0; e < count; e++)
	{
		INTERRUPTS_AT(e);
		to[start[EventUser(&events[e]) >> shift & ((1 << bits) - 1)]++] = events[e];
	}
}

/*
 * Sorts a spot.  Where that is one user's and in order of item, next to nothing is left to move;
 * what turns out to be more is sorted otherwise.
 */
static void
sort_spot(Event *events, uint64_t count)
{
	uint64_t moves = count;

	for (uint64_t e = 1; e < count && moves > 0; e++)
	{
		Event event = events[e];
		uint64_t to = e;

		for (; to > 0 && moves > 0 && EventCompare(&event, &events[to - 1]) < 0; to--, moves--)
			events[to] = events[to - 1];
		events[to] = event;
	}
	if (moves == 0)
		sort_events(events, count);
}

Event *
EventOrderSort(Event *events, Event *spare, uint64_t count, const EventOrderBy *by, uint64_t *start)
{
	uint32_t bits = EventOrderBits(count);

	if (bits == 0)
	{
		sort_events(events, count);
		return events;
	}
	if ((uint64_t) by->items <= UINT64_C(1) << (ITEM_BITS * ITEM_PASSES))
		for (uint32_t shift = 0; (by->items - 1) >> shift > 0; shift += ITEM_BITS)
		{
			Event *moved = spare;

			move_by_item(events, moved, count, shift);
			spare = events;
			events = moved;
		}
	move_to_spots(events, spare, count, 64 - by->pile_bits - bits, bits, start);
	for (uint32_t spot = 0; spot < UINT32_C(1) << bits; spot++)
	{
		uint64_t begin = spot == 0 ? 0 : start[spot - 1];

		INTERRUPTS();
		sort_spot(spare + begin, start[spot] - begin);
	}
	return spare;
}
