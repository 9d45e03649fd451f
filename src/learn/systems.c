#include "learn/systems.h"

#include "base/interrupts.h"
#include "math/gram.h"

/* Zeros are written in pieces of so many bytes. */
#define ZEROS 65536

static int
by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *) a;
	uint32_t y = *(const uint32_t *) b;

	return x < y ? -1 : x > y;
}

Systems *
SystemsOpen(const CooccurrenceSlots *to, uint32_t items, Budget *budget)
{
	Systems *systems = BudgetZeroedResult(budget, 1, sizeof(Systems));
	uint64_t places = (uint64_t) items + 1;

	systems->items = items;
	systems->member_start = BudgetAllocSharedResult(budget, places, sizeof(uint64_t));
	systems->number_start = BudgetAllocSharedResult(budget, places, sizeof(uint64_t));
	for (uint32_t target = 0; target < items; target++)
	{
		uint64_t n = to->count[target];

		systems->member_start[target] = n > 0 ? n + 1 : 0;
		systems->number_start[target] = n * (n + 1) / 2;
		systems->largest = Max(systems->largest, systems->number_start[target]);
	}
	SparseOffsets(systems->member_start, items);
	SparseOffsets(systems->number_start, items);
	systems->member =
		BudgetAllocSharedResult(budget, systems->member_start[items], sizeof(uint32_t));
	for (uint32_t target = 0; target < items; target++)
	{
		uint32_t *member = systems->member + systems->member_start[target];

		INTERRUPTS();
		if (to->count[target] == 0)
			continue;
		for (uint32_t n = 0; n < to->count[target]; n++)
			member[n] = CooccurrenceSlot(to, target)[n].index;
		member[to->count[target]] = target;
		qsort(member, to->count[target] + (size_t) 1, sizeof(uint32_t), by_number);
	}
	return systems;
}

void
SystemsClose(Systems *systems, Budget *budget)
{
	TapeFree(systems->tape);
	BudgetFree(budget, systems->member_start);
	BudgetFree(budget, systems->number_start);
	BudgetFree(budget, systems->member);
	BudgetFree(budget, systems);
}

/* Dealing out. */
typedef struct Dealer
{
	Systems *systems;
	uint64_t *start;  /* [items + 1], systems of which an item is a member */
	uint32_t *target; /* in rising order */
	float *run;       /* numbers of one member */
} Dealer;

/* Lists for every item the systems it is a member of. */
static void
list_systems(Dealer *dealer, Budget *budget)
{
	const Systems *systems = dealer->systems;
	Sparse members = {.rows = systems->items,
					  .columns = systems->items,
					  .start = systems->member_start,
					  .column = systems->member};
	Sparse turned = {.rows = systems->items, .columns = systems->items};

	dealer->start = turned.start =
		BudgetAllocResult(budget, (uint64_t) systems->items + 1, sizeof(uint64_t));
	dealer->target = turned.column =
		BudgetAllocResult(budget, SparseCount(&members), sizeof(uint32_t));
	SparseCountColumns(&members, systems->items, turned.start);
	SparseOffsets(turned.start, systems->items);
	SparseTurn(&members, 0, &turned);
}

/* Writes an item's numbers with the members before it to every system it is a member of. */
static void
deal_row(uint32_t item, const float *values, void *with)
{
	const Dealer *dealer = with;
	Systems *systems = dealer->systems;

	for (uint64_t s = dealer->start[item]; s < dealer->start[item + 1]; s++)
	{
		uint32_t target = dealer->target[s];
		const uint32_t *member = systems->member + systems->member_start[target];
		uint32_t place = SystemsPlace(systems, target, item);

		INTERRUPTS();
		if (place == 0)
			continue;
		for (uint32_t n = 0; n < place; n++)
			dealer->run[n] = values[member[n]];
		TapeSeek(systems->tape,
				 (systems->number_start[target] + GramPlace(place, 0)) * sizeof(float));
		TapeWrite(systems->tape, dealer->run, sizeof(float) * place);
	}
}

/* Makes the tape as long as it will be, so that every place on it can be gone to. */
static void
lay_out(Systems *systems, Budget *budget)
{
	uint64_t bytes = systems->number_start[systems->items] * sizeof(float);
	char *zeros = BudgetZeroedResult(budget, ZEROS, 1);

	systems->tape = TapeCreate(budget);
	for (uint64_t written = 0; written < bytes; written += Min(bytes - written, ZEROS))
	{
		INTERRUPTS();
		TapeWrite(systems->tape, zeros, Min(bytes - written, ZEROS));
	}
	BudgetFree(budget, zeros);
}

void
SystemsGather(Systems *systems, const CooccurrenceInput *input, Budget *budget)
{
	Dealer dealer = {.systems = systems};
	uint64_t most = 0;

	if (systems->tape)
		return;
	for (uint32_t target = 0; target < systems->items; target++)
		most = Max(most, systems->member_start[target + 1] - systems->member_start[target]);
	lay_out(systems, budget);
	list_systems(&dealer, budget);
	dealer.run = BudgetAllocResult(budget, most, sizeof(float));
	CooccurrenceEach(input, deal_row, &dealer, systems->items, budget);
	BudgetFree(budget, dealer.run);
	BudgetFree(budget, dealer.start);
	BudgetFree(budget, dealer.target);
}

uint32_t
SystemsRead(const Systems *systems, uint32_t first, uint64_t room, float *number)
{
	const uint64_t *start = systems->number_start;
	uint32_t end = first + 1;

	while (end < systems->items && start[end + 1] - start[first] <= room)
		end++;
	TapeSeek(systems->tape, start[first] * sizeof(float));
	TapeRead(systems->tape, number, (start[end] - start[first]) * sizeof(float));
	return end - first;
}
