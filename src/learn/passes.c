#include "learn/passes.h"

#include "base/interrupts.h"
#include "base/progress.h"

/* Of the memory that is left, shares for the sums of a block and for a part of the users. */
#define BLOCK_SHARE 0.70
#define PART_SHARE  0.25

typedef struct Passes
{
	const Weighing *in;
	Budget *budget;
	RowsWalk walk;
	bool valued;
	uint64_t *terms; /* [items], of the row of each */

	/* The block at hand. */
	uint32_t first;
	uint32_t end;
	uint64_t *place; /* [items], where the row of each lies in room, in its block */
	uint64_t *count; /* [items], terms so far, where these are listed */
	char *room;
	uint64_t room_bytes;

	/* A part of the users, as far as they have to do with the block. */
	PairsInput part;
	PairSum *step;
	uint64_t most_cells;

	/* One row of which terms are listed, added up. */
	PairSum *sums;
	uint32_t *touched;

	/* Progress. */
	uint64_t steps;
	double bytes_all;
	double bytes_done;
} Passes;

/* True for a row that is better off with sums than with a list of terms. */
static bool
has_sums(const Passes *passes, uint32_t item)
{
	return item * sizeof(PairSum) <= passes->terms[item] * sizeof(PairTerm);
}

static uint64_t
row_bytes(const Passes *passes, uint32_t item)
{
	uint64_t bytes =
		has_sums(passes, item) ? item * sizeof(PairSum) : passes->terms[item] * sizeof(PairTerm);

	return TYPEALIGN(sizeof(PairSum), bytes);
}

/* How many terms every row has: an item of a user is paired with those before it. */
static void
count_terms(Passes *passes)
{
	Row row;

	passes->terms = BudgetZeroedResult(passes->budget, passes->in->rows.items, sizeof(uint64_t));
	passes->walk = RowsOpen(&passes->in->rows, passes->budget);
	while (RowsNext(&passes->walk, &row))
		for (uint32_t c = 1; c < row.count; c++)
			passes->terms[row.item[c]] += c;
	RowsClose(&passes->walk);
}

/* Takes what memory there is for blocks and parts. */
static void
alloc_room(Passes *passes)
{
	Budget *budget = passes->budget;
	const Rows *rows = &passes->in->rows;
	uint32_t items = rows->items;
	double left = (double) BudgetLeft(budget);
	uint64_t cells = passes->in->item_start[items];
	uint64_t longest = 0;
	/* Numbers of items, and as much again turned; a user has two cells at least. */
	double cell_bytes = passes->valued ? 16 + 8 / 2 : 8 + 16 / 2;
	Sparse *by_user = &passes->part.by_user;
	Sparse *by_item = &passes->part.by_item;

	passes->place = BudgetAllocResult(budget, items, sizeof(uint64_t));
	passes->count = BudgetAllocResult(budget, items, sizeof(uint64_t));
	passes->sums = BudgetZeroedResult(budget, items, sizeof(PairSum));
	passes->touched = BudgetAllocResult(budget, (uint64_t) items + 1, sizeof(uint32_t));
	by_item->start = BudgetAllocResult(budget, (uint64_t) items + 1, sizeof(uint64_t));

	for (uint32_t i = 0; i < items; i++)
	{
		passes->bytes_all += (double) row_bytes(passes, i);
		longest = Max(longest, row_bytes(passes, i));
	}
	passes->room_bytes = (uint64_t) Min(BLOCK_SHARE * left, passes->bytes_all);
	passes->room_bytes = Max(passes->room_bytes, longest);
	passes->room = BudgetAllocLeast(budget, passes->room_bytes, 1);

	passes->most_cells = (uint64_t) (PART_SHARE * left / cell_bytes);
	passes->most_cells = Max(Min(passes->most_cells, cells), Min(items, cells));
	by_user->start = BudgetAllocLeast(budget, passes->most_cells / 2 + 2, sizeof(uint64_t));
	by_user->column = BudgetAllocLeast(budget, passes->most_cells, sizeof(uint32_t));
	by_item->column = BudgetAllocLeast(budget, passes->most_cells, sizeof(uint32_t));
	if (passes->valued)
	{
		by_user->value = BudgetAllocLeast(budget, passes->most_cells, sizeof(float));
		by_item->value = BudgetAllocLeast(budget, passes->most_cells, sizeof(float));
	}
	else
		passes->part.step = passes->step =
			BudgetAllocLeast(budget, passes->most_cells / 2 + 1, sizeof(PairSum));
}

static void
free_room(Passes *passes)
{
	Budget *budget = passes->budget;

	BudgetFree(budget, passes->terms);
	BudgetFree(budget, passes->place);
	BudgetFree(budget, passes->count);
	BudgetFree(budget, passes->sums);
	BudgetFree(budget, passes->touched);
	BudgetFree(budget, passes->room);
	BudgetFree(budget, passes->step);
	BudgetFree(budget, passes->part.by_user.start);
	BudgetFree(budget, passes->part.by_user.column);
	BudgetFree(budget, passes->part.by_user.value);
	BudgetFree(budget, passes->part.by_item.start);
	BudgetFree(budget, passes->part.by_item.column);
	BudgetFree(budget, passes->part.by_item.value);
}

/* Settles a block from an item on: as many rows as there is room for, one at least. */
static void
open_block(Passes *passes, uint32_t first)
{
	uint32_t items = passes->in->rows.items;
	uint64_t bytes = 0;

	passes->first = first;
	for (passes->end = first; passes->end < items; passes->end++)
	{
		uint64_t row = row_bytes(passes, passes->end);

		if (bytes + row > passes->room_bytes)
			break;
		passes->place[passes->end] = bytes;
		passes->count[passes->end] = 0;
		bytes += row;
	}
	Assert(passes->end > first);
	memset(passes->room, 0, bytes);
}

/*
 * Reads users who have to do with the block, as many as there is room for, from a row that is
 * already at hand on; *more tells whether one is again.
 */
static void
read_part(Passes *passes, Row *row, bool *more)
{
	Sparse *part = &passes->part.by_user;
	uint64_t cells = 0;

	part->rows = 0;
	for (; *more; *more = RowsNext(&passes->walk, row))
	{
		uint32_t count = RowFind(row, passes->end);

		if (count < 2 || row->item[count - 1] < passes->first)
			continue;
		if (cells + count > passes->most_cells)
			break;
		part->start[part->rows] = cells;
		memcpy(part->column + cells, row->item, sizeof(uint32_t) * count);
		if (passes->valued)
			WeighingCells(passes->in, row, count, part->value + cells);
		else
			passes->step[part->rows] = WeighingStep(passes->in, row);
		part->rows++;
		cells += count;
	}
	part->start[part->rows] = cells;
}

/* The block's items with their users in the part. */
static void
turn_part(Passes *passes)
{
	const Sparse *by_user = &passes->part.by_user;
	Sparse *by_item = &passes->part.by_item;

	by_item->rows = passes->end - passes->first;
	by_item->columns = by_user->rows;
	memset(by_item->start, 0, sizeof(uint64_t) * ((uint64_t) by_item->rows + 1));
	for (uint32_t u = 0; u < by_user->rows; u++)
	{
		INTERRUPTS();
		for (uint64_t e = by_user->start[u + 1];
			 e-- > by_user->start[u] && by_user->column[e] >= passes->first;)
			by_item->start[by_user->column[e] - passes->first]++;
	}
	SparseOffsets(by_item->start, by_item->rows);
	SparseTurn(by_user, passes->first, by_item);
}

/* Adds what a part says of the block. */
static void
add_part(Passes *passes)
{
	passes->part.first = passes->first;
	for (uint32_t i = passes->first; i < passes->end; i++)
	{
		char *row = passes->room + passes->place[i];

		INTERRUPTS();
		if (has_sums(passes, i))
			PairsAdd(&passes->part, i, (PairSum *) row);
		else
			passes->count[i] += PairsTerms(&passes->part, i, (PairTerm *) row + passes->count[i]);
	}
}

/* Reads all users for the block at hand. */
static void
count_block(Passes *passes)
{
	double bytes = 0;
	bool more;
	Row row;

	for (uint32_t i = passes->first; i < passes->end; i++)
		bytes += (double) row_bytes(passes, i);
	passes->walk = RowsOpen(&passes->in->rows, passes->budget);
	more = RowsNext(&passes->walk, &row);
	while (more)
	{
		double done;

		read_part(passes, &row, &more);
		turn_part(passes);
		add_part(passes);
		done = passes->bytes_done + bytes * passes->walk.next / passes->in->rows.users;
		ProgressDone((uint64) (done / Max(passes->bytes_all, 1) * (double) passes->steps));
	}
	RowsClose(&passes->walk);
	passes->bytes_done += bytes;
}

/* Adds up a row's terms, and hands it over. */
static void
take_terms(Passes *passes, uint32_t item, PassesTake take, void *with)
{
	const PairTerm *term = (const PairTerm *) (passes->room + passes->place[item]);
	PairRow row = {item, 0, passes->touched, passes->sums};

	Assert(passes->count[item] == passes->terms[item]);
	for (uint64_t t = 0; t < passes->count[item]; t++)
	{
		PairSum *sum = &passes->sums[term[t].other];

		INTERRUPTS_AT(t);
		passes->touched[row.count] = term[t].other;
		row.count += *sum == 0;
		*sum += PairTermSum(&term[t]);
	}
	take(&row, with);
	for (uint32_t t = 0; t < row.count; t++)
		passes->sums[passes->touched[t]] = 0;
}

void
PassesRows(const Weighing *weighing, PassesTake take, void *with, uint64_t steps, Budget *budget)
{
	Passes passes = {
		.in = weighing,
		.budget = budget,
		.valued = WeighingValued(weighing),
		.part = {.by_user = {.columns = weighing->rows.items}, .scale = weighing->scale},
		.steps = steps,
	};

	count_terms(&passes);
	alloc_room(&passes);
	for (uint32_t first = 0; first < weighing->rows.items; first = passes.end)
	{
		open_block(&passes, first);
		count_block(&passes);
		for (uint32_t i = first; i < passes.end; i++)
		{
			INTERRUPTS();
			if (has_sums(&passes, i))
				take(&(PairRow){i, i, NULL, (PairSum *) (passes.room + passes.place[i])}, with);
			else
				take_terms(&passes, i, take, with);
		}
	}
	free_room(&passes);
}
