#include "learn/eventorder.h"

#include <string.h>

#include "base/interrupts.h"
#include "math/sparse.h"

/* Events of a pile are spread to about so many each, which then sort quickly. */
#define SPREAD_EVENTS 128
#define SPREAD_BITS   16 /* and to 2^so many spots at most */

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

Event *
EventOrderSort(Event *events, Event *spare, uint64_t count, uint32_t pile_bits, uint64_t *start)
{
	uint32_t bits = EventOrderBits(count);
	uint32_t shift;

	if (bits == 0)
	{
		sort_events(events, count);
		return events;
	}

	shift = 64 - pile_bits - bits;
	memset(start, 0, sizeof(uint64_t) * ((1 << bits) + 1));
	for (uint64_t e = 0; e < count; e++)
		start[EventUser(&events[e]) >> shift & ((1 << bits) - 1)]++;
	SparseOffsets(start, 1 << bits);
	for (uint64_t e = 0; e < count; e++)
	{
		INTERRUPTS_AT(e);
		spare[start[EventUser(&events[e]) >> shift & ((1 << bits) - 1)]++] = events[e];
	}
	/* start[] ran ahead by one spot. */
	for (uint32_t spot = 0; spot < UINT32_C(1) << bits; spot++)
	{
		uint64_t begin = spot == 0 ? 0 : start[spot - 1];

		INTERRUPTS();
		sort_events(spare + begin, start[spot] - begin);
	}
	return spare;
}
