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

/* So few cells are put in order whole, and so are others that have not become so few in so many rounds. */
#define FEW    16
#define ROUNDS 64

/*
 * Moves the cells of a range that are at most so old to its front; returns where the others begin.  Every cell
 * is moved, as the processor could not foresee which are to be.
 */
static uint32_t
move_to_front(Cell *cells, uint32_t first, uint32_t end, uint32_t age)
{
	uint32_t to = first;

	for (uint32_t n = first; n < end; n++)
	{
		Cell cell = cells[n];

		cells[n] = cells[to];
		cells[to] = cell;
		to += cell.oldest_age <= age;
	}
	return to;
}

static uint32_t
middle_age(const Cell *cells, uint32_t first, uint32_t end)
{
	uint32_t a = cells[first].oldest_age;
	uint32_t b = cells[first + (end - first) / 2].oldest_age;
	uint32_t c = cells[end - 1].oldest_age;

	return Max(Min(a, b), Min(Max(a, b), c));
}

/*
 * Moves the cells chosen last to the front, so many at the least and no part of those of one time.  Returns how
 * many there are; in no order.
 */
static uint32_t
move_last(Cell *cells, uint32_t count, uint32_t wanted)
{
	uint32_t first = 0;
	uint32_t end = count;

	/* Those before the first are among them, and those from the end on are not. */
	for (int round = 0; end - first > FEW && round < ROUNDS; round++)
	{
		uint32_t age = middle_age(cells, first, end);
		uint32_t older = move_to_front(cells, first, end, age);
		uint32_t same = age > 0 ? move_to_front(cells, first, older, age - 1) : first;

		INTERRUPTS();
		if (wanted <= same)
			end = same;
		else if (wanted <= older)
			return older;
		else
			first = older;
	}
	return end;
}

void
ChoosingLastFirst(Cell *cells, uint32_t count, uint32_t wanted, const ChoosingLot *lot)
{
	sort_last_first(cells, wanted < count ? move_last(cells, count, wanted) : count, lot);
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
