#include "learn/weighing.h"

#include <math.h>

#include "base/interrupts.h"
#include "math/levels.h"

/* d_u of a user with so many items. */
static inline double
factor_of(const Weighing *in, uint32_t count)
{
	return count < WEIGHING_FACTORS ? in->factor[count]
									: SimilarityUserFactor(&in->rule, count, in->rows.items);
}

bool
WeighingValued(const Weighing *in)
{
	return SimilarityWeighsCells(&in->rule) || RowsValued(&in->rows);
}

/* A cell as the measure wants it, before it is divided by its item's norm. */
static inline float
cell_of(const Weighing *in, const Row *row, uint32_t cell)
{
	float value = RowValue(row, cell);

	if (in->length == NULL)
		return value;
	return (float) SimilarityCell(&in->rule, value, in->length[row->item[cell]], in->mean_length);
}

/* bm25 needs the length of each item before its cells can be weighed. */
static void
measure_length(Weighing *in, Budget *budget)
{
	uint32_t items = in->rows.items;
	RowsWalk walk = RowsOpen(&in->rows, budget);
	double mean = 0;
	Row row;

	in->length = BudgetAllocSharedResult(budget, items, sizeof(double));
	memset(in->length, 0, sizeof(double) * items);
	while (RowsNext(&walk, &row))
		for (uint32_t c = 0; c < row.count; c++)
		{
			in->length[row.item[c]] += RowValue(&row, c);
			mean += RowValue(&row, c);
		}
	RowsClose(&walk);
	in->mean_length = mean > 0 ? mean / items : 1;
}

/* Adds a user whose cells are all worth the same to the sums of items. */
static inline void
add_alike(Weighing *in, const Row *row, double weight)
{
	for (uint32_t c = 0; c < row->count; c++)
		in->mass[row->item[c]] += weight;
}

/* The same for cells that differ. */
static inline void
add_different(Weighing *in, const Row *row, double factor)
{
	for (uint32_t c = 0; c < row->count; c++)
	{
		double v = cell_of(in, row, c);

		in->mass[row->item[c]] += factor * v * v;
		in->size[row->item[c]] += v * v;
	}
}

/*
 * Sums over the users of every item: of d_u * v_ui^2, and n_i as the family has it.  Where each user adds the
 * same, to count users was enough.
 */
static void
sum_items(Weighing *in, Budget *budget)
{
	uint32_t items = in->rows.items;
	bool valued = WeighingValued(in);
	bool same = !valued && in->rule.user_exponent == 0;
	double entries = 0;
	RowsWalk walk;
	Row row = {0};

	in->mass = BudgetZeroedResult(budget, items, sizeof(double));
	in->size = BudgetZeroedResult(budget, items, sizeof(double));
	in->users = RowsUsers(&in->rows, budget);
	walk = RowsOpen(&in->rows, budget);
	while (RowsNext(&walk, &row))
	{
		double factor = factor_of(in, row.count);

		in->mean_list += (double) row.count * row.count;
		in->longest = Max(in->longest, row.count);
		entries += row.count;
		if (valued)
			add_different(in, &row, factor);
		else if (!same)
			add_alike(in, &row, factor * row.uniform * row.uniform);
	}
	RowsClose(&walk);
	for (uint32_t i = 0; i < items && !valued; i++)
	{
		in->size[i] = in->users[i] * ((double) row.uniform * row.uniform);
		if (same)
			in->mass[i] = in->size[i];
	}
	in->mean_list = entries > 0 ? in->mean_list / entries : 0;
	if (SimilarityWeighsCells(&in->rule))
		memcpy(in->size, in->mass, sizeof(double) * items);
}

/*
 * Where cells are all worth the same, a pair comes to no more than the smaller mass of its items, so
 * the second greatest of all bounds them: most that everybody has, and those who have nothing else,
 * cost no precision.  Users who have fewer than two items may be worth more; they are in no
 * pair.
 */
static void
scale_users(Weighing *in, uint32_t most_users, Budget *budget)
{
	double greatest = 0;

	for (uint32_t i = 0; i < in->rows.items; i++)
	{
		in->most = Max(in->most, Min(in->mass[i], greatest));
		greatest = Max(greatest, in->mass[i]);
	}
	in->whole = PairsRoot(in->most);
	in->scale = PairsScale(most_users, in->most / in->whole / in->whole);
	if (in->rows.memory)
	{
		Row row = {.uniform = in->rows.memory->uniform};

		in->step_of_count =
			BudgetAllocSharedResult(budget, (uint64_t) in->longest + 1, sizeof(PairSum));
		in->step_of_count[0] = 0;
		for (row.count = 1; row.count <= in->longest; row.count++)
		{
			INTERRUPTS_AT(row.count);
			in->step_of_count[row.count] = WeighingStep(in, &row);
		}
	}
}

PairSum
WeighingSame(const Weighing *in)
{
	if (in->step_of_count == NULL || in->longest == 0)
		return 0;
	for (uint32_t count = 2; count <= in->longest; count++)
		if (in->step_of_count[count] != in->step_of_count[1])
			return 0;
	return in->step_of_count[1];
}

PairSum
WeighingStep(const Weighing *in, const Row *row)
{
	double v = row->uniform;

	return PairStep(Min(factor_of(in, row->count) * v * v, in->most) / in->whole / in->whole,
					in->scale);
}

/* Gives each cell the number of its value, unless there are too many of these. */
static uint8_t *
number_cells(const Weighing *in, Levels *levels, Budget *budget)
{
	const uint64_t *start = in->rows.memory->start;
	uint8_t *code = BudgetAllocShared(budget, start[in->rows.users], sizeof(uint8_t));

	for (uint32_t u = 0; u < in->rows.users; u++)
	{
		Row row = RowOf(in->rows.memory, u);

		INTERRUPTS();
		for (uint32_t c = 0; c < row.count; c++)
		{
			uint32_t item = row.item[c];
			int number = LevelsNumber(levels, cell_of(in, &row, c) / in->norm[item], item);

			if (number < 0)
			{
				BudgetFree(budget, code);
				return NULL;
			}
			code[start[u] + c] = (uint8_t) number;
		}
	}
	return code;
}

/*
 * Keeps cells as numbers of their values, which the root of their user's factor is not a part of.  False where
 * there are too many values.
 */
static bool
level_cells(Weighing *in, Budget *budget)
{
	uint64_t cells = in->rows.memory->start[in->rows.users];
	uint32_t items = in->rows.items;
	Levels levels = {0};
	uint8_t renamed[LEVELS_MOST];
	uint8_t *code = number_cells(in, &levels, budget);
	double *value;
	double *root;
	uint16_t *needed;

	if (code == NULL)
		return false;
	LevelsOrder(&levels, renamed);
	for (uint64_t c = 0; c < cells; c++)
	{
		INTERRUPTS_AT(c);
		code[c] = renamed[code[c]];
	}
	value = BudgetAllocSharedResult(budget, LEVELS_MOST, sizeof(double));
	memcpy(value, levels.value, sizeof(levels.value));
	root = BudgetAllocSharedResult(budget, (uint64_t) in->longest + 1, sizeof(double));
	for (uint32_t count = 0; count <= in->longest; count++)
	{
		INTERRUPTS_AT(count);
		root[count] = sqrt(factor_of(in, count));
	}
	needed = BudgetAllocSharedResult(budget, items, sizeof(uint16_t));
	for (uint32_t i = 0, n = 0; i < items; i++)
	{
		INTERRUPTS_AT(i);
		while (n < levels.count && levels.first[n] <= i)
			n++;
		needed[i] = (uint16_t) n;
	}
	in->levels = (PairLevels){code, value, root, needed};
	in->by_user.value = NULL;
	return true;
}

/*
 * Where cells differ, each is divided by about the root of its item's mass, which leaves pairs of
 * at most 1 whatever the weights are; similarities get it back.
 */
static void
scale_cells(Weighing *in, uint32_t most_users, Budget *budget)
{
	in->norm = BudgetAllocSharedResult(budget, in->rows.items, sizeof(double));
	for (uint32_t i = 0; i < in->rows.items; i++)
	{
		INTERRUPTS_AT(i);
		in->norm[i] = PairsRoot(in->mass[i]);
	}
	in->scale = PairsScale(most_users, 1);
	if (in->rows.memory && !level_cells(in, budget))
	{
		const uint64_t *start = in->rows.memory->start;

		in->by_user.value = BudgetAllocShared(budget, start[in->rows.users], sizeof(float));
		for (uint32_t u = 0; u < in->rows.users; u++)
		{
			Row row = RowOf(in->rows.memory, u);

			INTERRUPTS();
			WeighingCells(in, &row, row.count, in->by_user.value + start[u]);
		}
	}
}

void
WeighingCells(const Weighing *in, const Row *row, uint32_t count, float *value)
{
	double root = sqrt(factor_of(in, row->count));

	for (uint32_t c = 0; c < count; c++)
		value[c] = (float) (cell_of(in, row, c) * root / in->norm[row->item[c]]);
}

/* n_i^-p and n_i^-q, times what sums were divided by: neither is far from 1 then. */
static void
weigh_items(Weighing *in, Budget *budget)
{
	uint32_t items = in->rows.items;

	in->source = BudgetAllocSharedResult(budget, items, sizeof(float));
	in->target = BudgetAllocSharedResult(budget, items, sizeof(float));
	for (uint32_t i = 0; i < items; i++)
	{
		double n = in->size[i];
		double norm = in->norm ? in->norm[i] : in->whole;

		INTERRUPTS_AT(i);
		in->source[i] = n > 0 ? (float) (pow(n, -in->rule.source_exponent) * norm) : 0;
		in->target[i] = n > 0 ? (float) (pow(n, -in->rule.target_exponent) * norm) : 0;
	}
}

#ifdef USE_ASSERT_CHECKING
/* True unless users of items were counted, and not of these rows. */
static bool
counts_agree(const Rows *rows, Budget *budget)
{
	uint32_t *users;
	bool agree;

	if (rows->item_users == NULL)
		return true;
	users = RowsCountUsers(rows, budget);
	agree = memcmp(users, rows->item_users, sizeof(uint32_t) * rows->items) == 0;
	BudgetFree(budget, users);
	return agree;
}
#endif

/* What is known of rows but for how they are scaled; tells at most how many users a pair has. */
static Weighing *
sum_rows(const Rows *rows, const SimilarityRule *rule, uint32_t *most_users, Budget *budget)
{
	Weighing *in = BudgetZeroedResult(budget, 1, sizeof(Weighing));
	uint32_t greatest = 0;

	Assert(counts_agree(rows, budget));
	*most_users = 0; /* no more than the second greatest number */
	in->rows = *rows;
	in->rule = *rule;
	if (rows->memory)
		in->by_user = *rows->memory;
	for (uint32_t h = 0; h < WEIGHING_FACTORS; h++)
		in->factor[h] = SimilarityUserFactor(rule, h, rows->items);
	if (SimilarityWeighsCells(rule))
		measure_length(in, budget);
	sum_items(in, budget);

	in->item_start = BudgetAllocSharedResult(budget, (uint64_t) rows->items + 1, sizeof(uint64_t));
	for (uint32_t i = 0; i < rows->items; i++)
	{
		INTERRUPTS_AT(i);
		in->item_start[i] = in->users[i];
		*most_users = Max(*most_users, Min(in->users[i], greatest));
		greatest = Max(greatest, in->users[i]);
	}
	SparseOffsets(in->item_start, rows->items);
	return in;
}

Weighing *
WeighingWithin(const Weighing *whole, const Rows *rows, Budget *budget)
{
	uint32_t most_users;
	Weighing *in = sum_rows(rows, &whole->rule, &most_users, budget);

	in->norm = whole->norm;
	in->whole = whole->whole;
	in->most = whole->most;
	in->scale = whole->scale;
	in->by_user = whole->by_user;
	in->levels = whole->levels;
	in->step_of_count = whole->step_of_count;
	in->borrowed = true;
	weigh_items(in, budget);
	return in;
}

/* Weighs rows that are scaled as more of the matrix are, and keeps of these what that takes. */
static Weighing *
create_scaled(const Rows *rows, const SimilarityRule *rule, Budget *budget)
{
	Rows more = *rows;
	Weighing *whole;
	Weighing *in;

	more.users = rows->scaled;
	more.scaled = 0;
	more.item_users = NULL;
	whole = WeighingCreate(&more, rule, budget);
	in = WeighingWithin(whole, rows, budget);
	in->borrowed = false;
	whole->borrowed = true;
	WeighingFree(whole, budget);
	return in;
}

Weighing *
WeighingCreate(const Rows *rows, const SimilarityRule *rule, Budget *budget)
{
	uint32_t most_users;
	Weighing *in;

	if (rows->scaled > rows->users)
		return create_scaled(rows, rule, budget);
	in = sum_rows(rows, rule, &most_users, budget);
	if (WeighingValued(in))
		scale_cells(in, most_users, budget);
	else
		scale_users(in, most_users, budget);
	weigh_items(in, budget);
	return in;
}

void
WeighingFree(Weighing *in, Budget *budget)
{
	BudgetFree(budget, in->length);
	BudgetFree(budget, in->mass);
	BudgetFree(budget, in->size);
	BudgetFree(budget, in->item_start);
	RowsFreeUsers(&in->rows, in->users, budget);
	BudgetFree(budget, in->source);
	BudgetFree(budget, in->target);
	if (!in->borrowed)
	{
		BudgetFree(budget, in->norm);
		BudgetFree(budget, in->step_of_count);
		BudgetFree(budget, (void *) in->levels.code);
		BudgetFree(budget, (void *) in->levels.value);
		BudgetFree(budget, (void *) in->levels.root);
		BudgetFree(budget, (void *) in->levels.needed);
		if (WeighingValued(in))
			BudgetFree(budget, in->by_user.value);
	}
	BudgetFree(budget, in);
}
