#include "learn/choosing.h"

#include "base/interrupts.h"
#include "math/hash.h"

static inline int
compare_last(const Cell *x, const Cell *y, const ChoosingLot *lot)
{
	uint64_t drawn_x;
	uint64_t drawn_y;

	if (x->oldest_age != y->oldest_age)
		return x->oldest_age < y->oldest_age ? -1 : 1;
	drawn_x = HashMix(lot->user + lot->item_rank[x->item] + 1);
	drawn_y = HashMix(lot->user + lot->item_rank[y->item] + 1);
	return drawn_x < drawn_y ? -1 : drawn_x > drawn_y;
}

#define ST_SORT               sort_last_first
#define ST_ELEMENT_TYPE       Cell
#define ST_COMPARE_ARG_TYPE   const ChoosingLot
#define ST_COMPARE(a, b, lot) compare_last(a, b, lot)
#define ST_SCOPE              static
#define ST_DEFINE
#define ST_CHECK_FOR_INTERRUPTS
#include "lib/sort_template.h"

void
ChoosingLastFirst(Cell *cells, uint32_t count, const ChoosingLot *lot)
{
	sort_last_first(cells, count, lot);
}

int
ChoosingNewestFirst(const void *a, const void *b, void *item_rank)
{
	const uint32_t *rank = item_rank;
	const Cell *x = a;
	const Cell *y = b;

	if (x->newest_age != y->newest_age)
		return x->newest_age < y->newest_age ? -1 : 1;
	return rank[x->item] < rank[y->item] ? -1 : rank[x->item] > rank[y->item];
}

uint32_t
ChoosingWholeTimes(const Cell *cells, uint32_t count, uint32_t wanted)
{
	uint32_t whole = wanted;

	while (whole > 0 && cells[whole - 1].oldest_age == cells[whole].oldest_age)
		whole--;
	if (whole == 0)
		for (whole = wanted; whole < count; whole++)
			if (cells[whole - 1].oldest_age != cells[whole].oldest_age)
				break;
	return whole;
}
