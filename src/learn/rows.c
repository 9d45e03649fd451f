/*
 * rows.c: a row on tape is a count, as many items, and as many values where cells differ.
 */
#include "learn/rows.h"

#include "base/interrupts.h"

Rows
RowsInMemory(const Sparse *by_user, uint32_t users)
{
	return (Rows){.users = users, .items = by_user->columns, .memory = by_user};
}

bool
RowsValued(const Rows *rows)
{
	return rows->memory ? rows->memory->value != NULL : rows->valued;
}

Row
RowOf(const Sparse *by_user, uint32_t user)
{
	uint64_t begin = by_user->start[user];

	return (Row){
		.count = (uint32_t) (by_user->start[user + 1] - begin),
		.item = by_user->column + begin,
		.value = by_user->value ? by_user->value + begin : NULL,
		.uniform = by_user->uniform,
	};
}

uint32_t
RowFind(const Row *row, uint32_t item)
{
	uint32_t low = 0;
	uint32_t high = row->count;

	while (low < high)
	{
		uint32_t middle = low + (high - low) / 2;

		if (row->item[middle] < item)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

RowsWalk
RowsOpen(const Rows *rows, Budget *budget)
{
	uint32_t *item = NULL;
	float *value = NULL;
	RowsWalk walk;

	/* No user has more cells than there are items. */
	if (rows->memory == NULL)
		item = BudgetAllocResult(budget, rows->longest, sizeof(uint32_t));
	if (rows->memory == NULL && rows->valued)
		value = BudgetAllocResult(budget, rows->longest, sizeof(float));
	walk = RowsOpenIn(rows, item, value);
	walk.budget = budget;
	return walk;
}

RowsWalk
RowsOpenIn(const Rows *rows, uint32_t *item, float *value)
{
	if (rows->memory == NULL)
		TapeSeek(rows->tape, 0);
	return (RowsWalk){.rows = rows, .item = item, .value = value};
}

void
RowsClose(RowsWalk *walk)
{
	if (walk->budget == NULL)
		return;
	BudgetFree(walk->budget, walk->item);
	BudgetFree(walk->budget, walk->value);
}

bool
RowsNext(RowsWalk *walk, Row *row)
{
	const Rows *rows = walk->rows;

	INTERRUPTS();
	if (walk->next == rows->users)
		return false;
	if (rows->memory)
		*row = RowOf(rows->memory, walk->next);
	else
	{
		uint32_t count;

		TapeRead(rows->tape, &count, sizeof(count));
		Assert(count <= rows->longest);
		TapeRead(rows->tape, walk->item, sizeof(uint32_t) * count);
		if (rows->valued)
			TapeRead(rows->tape, walk->value, sizeof(float) * count);
		*row = (Row){count, walk->item, walk->value, rows->uniform};
	}
	walk->next++;
	return true;
}

uint32_t *
RowsCountUsers(const Rows *rows, Budget *budget)
{
	uint32_t *users = BudgetAllocSharedResult(budget, rows->items, sizeof(uint32_t));
	RowsWalk walk = RowsOpen(rows, budget);
	Row row;

	memset(users, 0, sizeof(uint32_t) * rows->items);
	while (RowsNext(&walk, &row))
		for (uint32_t c = 0; c < row.count; c++)
			users[row.item[c]]++;
	RowsClose(&walk);
	return users;
}

uint32_t *
RowsUsers(const Rows *rows, Budget *budget)
{
	return rows->item_users ? rows->item_users : RowsCountUsers(rows, budget);
}

void
RowsFreeUsers(const Rows *rows, uint32_t *users, Budget *budget)
{
	if (users != rows->item_users)
		BudgetFree(budget, users);
}

void
RowsPut(Tape *tape, const Row *row)
{
	TapeWrite(tape, &row->count, sizeof(row->count));
	TapeWrite(tape, row->item, sizeof(uint32_t) * row->count);
	if (row->value)
		TapeWrite(tape, row->value, sizeof(float) * row->count);
}
