#include "learn/spilling.h"

#include "base/interrupts.h"
#include "learn/cellrow.h"

/* Room in memory for the rows of those held out. */
static void
alloc_held(const SpillingInput *input, Interactions *matrix, Budget *budget)
{
	Sparse *kept = &matrix->by_user;
	uint64_t cells = matrix->cells - matrix->learned_cells;

	*kept = (Sparse){
		.rows = input->held_count, .columns = matrix->items, .uniform = matrix->rows.uniform};
	kept->start = BudgetZeroedResult(budget, (uint64_t) kept->rows + 1, sizeof(uint64_t));
	kept->column = BudgetAllocResult(budget, cells, sizeof(uint32_t));
	if (matrix->rows.valued)
		kept->value = BudgetAllocResult(budget, cells, sizeof(float));
	matrix->in_memory = matrix->learners;
}

/* One user's cells on the way to tape. */
typedef struct Spill
{
	uint32_t *words;
	uint64_t *room; /* to sort them */
	uint32_t *column;
	float *value; /* NULL where all are worth the same */
} Spill;

/* The row of one user, from the words before the last ones read. */
static Row
spill_row(const SpillingInput *input, const Spill *spill, PilesBack *back)
{
	Row row = {.item = spill->column, .value = spill->value};
	uint32_t size = CellWords(input->summed->ordered, 0);
	uint32_t tail[USER_WORDS];
	uint64_t *sorted;

	PilesBackRead(back, tail, sizeof(tail));
	row.count = tail[USER_CELLS];
	PilesBackRead(back, spill->words, sizeof(uint32_t) * size * row.count);
	sorted = CellRowSort(spill->words, row.count, size, input->item_place, spill->room);
	CellRowSplit(spill->words, row.count, size, sorted, spill->column, spill->value);
	return row;
}

/* Writes the rows of a part to tape, and of those held out to memory. */
static void
spill_part(const SpillingInput *input, const Spill *spill, uint32_t p, Interactions *matrix,
		   Budget *budget)
{
	const Part *part = &input->summed->part[p];
	uint32_t pile = EventLogPile(input->log->pile_bits, EVENTLOG_CELLS, p);
	const Held *held = input->held + part->first_held;
	const Held *held_end = held + part->held;
	Sparse *kept = &matrix->by_user;
	PilesBack *back = PilesBackOpen(input->log->piles, pile, budget);

	for (uint32_t user = part->users; user-- > 0;)
	{
		Row row = spill_row(input, spill, back);

		INTERRUPTS();
		if (held < held_end && held->user == user)
		{
			uint32_t place = held->row - matrix->learners;
			uint64_t begin = kept->start[place];

			memcpy(kept->column + begin, row.item, sizeof(uint32_t) * row.count);
			if (row.value)
				memcpy(kept->value + begin, row.value, sizeof(float) * row.count);
			kept->start[place + 1] = begin + row.count;
			held++;
		}
		else
			RowsPut(matrix->rows.tape, &row);
	}
	Assert(held == held_end);
	PilesBackClose(back, budget);
}

void
SpillingRun(const SpillingInput *input, Interactions *matrix, Budget *budget)
{
	uint64_t longest = matrix->rows.longest;
	Spill spill = {
		.words = BudgetAllocLeast(budget, longest * CELL_WORDS, sizeof(uint32_t)),
		.room = BudgetAllocLeast(budget, 2 * longest, sizeof(uint64_t)),
		.column = BudgetAllocLeast(budget, longest, sizeof(uint32_t)),
		.value = matrix->rows.valued ? BudgetAllocLeast(budget, longest, sizeof(float)) : NULL,
	};

	alloc_held(input, matrix, budget);
	matrix->rows.tape = TapeCreate(budget);
	for (uint32_t p = 0; p < UINT32_C(1) << input->log->pile_bits; p++)
		spill_part(input, &spill, p, matrix, budget);
	for (uint32_t h = 0; h < matrix->by_user.rows; h++)
	{
		Row row = RowOf(&matrix->by_user, h);

		RowsPut(matrix->rows.tape, &row);
	}
	BudgetFree(budget, spill.words);
	BudgetFree(budget, spill.room);
	BudgetFree(budget, spill.column);
	BudgetFree(budget, spill.value);
}
