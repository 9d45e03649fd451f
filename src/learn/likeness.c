#include "learn/likeness.h"

#include <math.h>

#include "base/interrupts.h"

/* Visits of an item by a token, about a second's work; beyond, the most frequent tokens go. */
#define MOST_VISITS UINT64_C(1000000000)

uint64_t
LikenessBytes(const LikenessInput *input)
{
	uint64_t items = input->by_token->columns;
	uint64_t cells = SparseCount(input->by_token);

	return cells * sizeof(float) +
		   items * (3 * sizeof(uint32_t) + sizeof(uint64_t) + sizeof(double));
}

/* Counts the tokens of every item, by its place in the input. */
static void
count_tokens(Likeness *likeness)
{
	Sparse *by_token = likeness->input->by_token;

	for (uint64_t e = 0; e < SparseCount(by_token); e++)
		by_token->column[e] = likeness->input->place[by_token->column[e]];
	SparseCountColumns(by_token, by_token->rows, likeness->start);
}

/* Puts items in order; those without tokens come first, where nobody looks. */
static void
put_in_order(Likeness *likeness, Budget *budget)
{
	const LikenessInput *input = likeness->input;
	uint32_t *group = BudgetZeroed(budget, likeness->items, sizeof(uint32_t));
	uint32_t place[5] = {0};
	uint32_t known = 0;
	uint32_t step;

	for (uint32_t i = 0; i < likeness->items; i++)
		known += likeness->start[i] > 0 && !LikenessNeedy(input, i);
	step = Max((known + LIKENESS_SAMPLE - 1) / LIKENESS_SAMPLE, 1);
	known = 0;
	for (uint32_t i = 0; i < likeness->items; i++)
	{
		if (likeness->start[i] > 0 && LikenessNeedy(input, i))
			group[i] = LikenessUsers(input, i) > 0 ? 2 : 3;
		else if (likeness->start[i] > 0)
			group[i] = known++ % step == step / 2;
		place[group[i] + 1]++;
	}
	for (int g = 1; g < 5; g++)
		place[g] += place[g - 1];
	likeness->first_sample = place[1];
	likeness->first_needy = place[2];
	likeness->first_unused = place[3];
	for (uint32_t i = 0; i < likeness->items; i++)
	{
		likeness->at[i] = place[group[i]]++;
		likeness->item[likeness->at[i]] = i;
	}
	BudgetFree(budget, group);
}

static int
by_number(const void *a, const void *b, void *unused)
{
	uint32_t x = *(const uint32_t *) a;
	uint32_t y = *(const uint32_t *) b;

	return x < y ? -1 : x > y;
}

/* Renumbers the items of every token, in order. */
static void
renumber(Likeness *likeness)
{
	Sparse *by_token = likeness->input->by_token;

	for (uint32_t t = 0; t < by_token->rows; t++)
	{
		uint64_t begin = by_token->start[t];
		uint64_t end = by_token->start[t + 1];

		INTERRUPTS();
		for (uint64_t e = begin; e < end; e++)
			by_token->column[e] = likeness->at[by_token->column[e]];
		qsort_interruptible(by_token->column + begin, end - begin, sizeof(uint32_t), by_number,
							NULL);
	}
}

/* The number of bits of a number. */
static int
bits_of(uint64_t x)
{
	int bits = 0;

	for (; x > 0; x >>= 1)
		bits++;
	return bits;
}

/*
 * How many bits the number of a token's items may have for all of such tokens together to be no more
 * work than MOST_VISITS.
 */
static int
most_bits(const Likeness *likeness)
{
	const Sparse *by_token = likeness->input->by_token;
	uint64_t visits[33] = {0};
	uint64_t sum = 0;
	int bits = 0;

	for (uint32_t t = 0; t < by_token->rows; t++)
	{
		uint64_t items = by_token->start[t + 1] - by_token->start[t];
		uint64_t rows = by_token->start[t + 1] - SparseFind(by_token, t, likeness->first_sample);

		visits[bits_of(items)] += items * rows;
	}
	for (; bits < 32 && sum + visits[bits + 1] <= MOST_VISITS; bits++)
		sum += visits[bits + 1];
	return bits;
}

/*
 * Leaves, in the same memory, those tokens that tell items apart without being too much work; the
 * values of a token's cells come to be its idf.
 */
static void
weigh_tokens(Likeness *likeness)
{
	const LikenessInput *input = likeness->input;
	Sparse *by_token = input->by_token;
	int bits = most_bits(likeness);
	uint32_t rows = 0;
	uint64_t cells = 0;

	for (uint32_t t = 0; t < by_token->rows; t++)
	{
		uint64_t begin = by_token->start[t];
		uint64_t count = by_token->start[t + 1] - begin;

		INTERRUPTS();
		if (count > input->catalogue / 2 || bits_of(count) > bits)
			continue;
		memmove(by_token->column + cells, by_token->column + begin, sizeof(uint32_t) * count);
		for (uint64_t e = cells; e < cells + count; e++)
			by_token->value[e] = (float) log((double) input->catalogue / (double) count);
		input->column[rows] = input->column[t];
		by_token->start[rows++] = cells;
		cells += count;
	}
	by_token->start[rows] = cells;
	by_token->rows = rows;
}

/*
 * Brings what every item has of each attribute to length 1, divided by the root of the number of
 * attributes: products then add up to the mean of the cosines.
 */
static void
normalise(const Likeness *likeness, Budget *budget)
{
	const LikenessInput *input = likeness->input;
	Sparse *by_token = input->by_token;
	double *squares = BudgetAlloc(budget, likeness->items, sizeof(double));

	for (uint32_t c = 0; c < input->columns; c++)
	{
		memset(squares, 0, sizeof(double) * likeness->items);
		for (uint32_t t = 0; t < by_token->rows; t++)
		{
			uint64_t end = input->column[t] == c ? by_token->start[t + 1] : 0;

			INTERRUPTS();
			for (uint64_t e = by_token->start[t]; e < end; e++)
				squares[by_token->column[e]] += (double) by_token->value[e] * by_token->value[e];
		}
		for (uint32_t t = 0; t < by_token->rows; t++)
		{
			uint64_t end = input->column[t] == c ? by_token->start[t + 1] : 0;

			INTERRUPTS();
			for (uint64_t e = by_token->start[t]; e < end; e++)
				by_token->value[e] /= (float) sqrt(input->columns * squares[by_token->column[e]]);
		}
	}
	BudgetFree(budget, squares);
}

/* Counts the cells before every item, and what else the kernel wants to know. */
static void
measure(Likeness *likeness)
{
	Sparse *by_token = likeness->input->by_token;
	double squares = 0;
	uint64_t most = 0;

	SparseCountColumns(by_token, by_token->rows, likeness->start);
	for (uint32_t i = 0; i < likeness->items; i++)
		most = Max(most, likeness->start[i]);
	SparseOffsets(likeness->start, likeness->items);
	for (uint32_t t = 0; t < by_token->rows; t++)
	{
		double count = (double) (by_token->start[t + 1] - by_token->start[t]);

		squares += count * count;
	}
	likeness->pairs.by_user = *by_token;
	likeness->pairs.mean_list = squares > 0 ? squares / (double) SparseCount(by_token) : 0;
	likeness->pairs.scale = PairsScale((uint32_t) most, 1);
}

void
LikenessTurn(Likeness *likeness, uint32_t begin, uint32_t end, Budget *budget)
{
	const uint64_t *start = likeness->start;
	uint64_t cells = start[end] - start[begin];
	Sparse *by_item = &likeness->pairs.by_item;

	*by_item = (Sparse){.rows = end - begin, .columns = likeness->pairs.by_user.rows};
	by_item->start = BudgetAlloc(budget, (uint64_t) by_item->rows + 1, sizeof(uint64_t));
	for (uint32_t i = begin; i <= end; i++)
		by_item->start[i - begin] = start[i] - start[begin];
	by_item->column = BudgetAlloc(budget, cells, sizeof(uint32_t));
	likeness->pairs.place = BudgetAlloc(budget, cells, sizeof(uint32_t));
	SparseTurnPlaces(&likeness->pairs.by_user, begin, by_item, likeness->pairs.place);
	likeness->pairs.first = begin;
}

void
LikenessUnturn(Likeness *likeness, Budget *budget)
{
	BudgetFree(budget, likeness->pairs.by_item.start);
	BudgetFree(budget, likeness->pairs.by_item.column);
	BudgetFree(budget, likeness->pairs.place);
}

Likeness *
LikenessLearn(const LikenessInput *input, Budget *budget)
{
	Likeness *likeness = BudgetZeroed(budget, 1, sizeof(Likeness));
	Sparse *by_token = input->by_token;

	likeness->input = input;
	likeness->items = by_token->columns;
	likeness->at = BudgetAlloc(budget, likeness->items, sizeof(uint32_t));
	likeness->item = BudgetAlloc(budget, likeness->items, sizeof(uint32_t));
	likeness->start = BudgetAlloc(budget, (uint64_t) likeness->items + 1, sizeof(uint64_t));
	by_token->value = BudgetAlloc(budget, SparseCount(by_token), sizeof(float));
	count_tokens(likeness);
	put_in_order(likeness, budget);
	renumber(likeness);
	weigh_tokens(likeness);
	normalise(likeness, budget);
	measure(likeness);
	return likeness;
}

void
LikenessFree(Likeness *likeness, Budget *budget)
{
	BudgetFree(budget, likeness->input->by_token->value);
	BudgetFree(budget, likeness->at);
	BudgetFree(budget, likeness->item);
	BudgetFree(budget, likeness->start);
	BudgetFree(budget, likeness);
}
