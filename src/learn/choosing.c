#include "learn/choosing.h"

#include "math/hash.h"

int
ChoosingLastFirst(const void *a, const void *b, void *with)
{
	const ChoosingLot *lot = with;
	const Cell *x = a;
	const Cell *y = b;
	uint64_t drawn_x;
	uint64_t drawn_y;

	if (x->oldest_age != y->oldest_age)
		return x->oldest_age < y->oldest_age ? -1 : 1;
	drawn_x = HashMix(lot->user + lot->item_rank[x->item] + 1);
	drawn_y = HashMix(lot->user + lot->item_rank[y->item] + 1);
	return drawn_x < drawn_y ? -1 : drawn_x > drawn_y;
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
