/*
 * neighbors.c: every row of A'A, the k best of each, turned to rows by source.
 *
 * Rows are independent: each fills the k places of its own slot and touches nothing else, so
 * that any number of processes may share the loop of learn_rows() and give the same answer.
 */
#include "learn/neighbors.h"

#include <math.h>

#include "base/interrupts.h"

/* What the rows are learned from: cells transformed for the measure, and what it needs of users and items. */
typedef struct Inputs
{
	PairsInput pairs;
	Sparse by_user; /* the matrix's shape with values of our own, where the measure has its own */
	Sparse by_item;
	float *factor;
	float *source;
	float *target;
	uint32_t *users;
	SimilarityTable table;
} Inputs;

/* One transformed copy of a matrix's values; item_of_row says whether rows or columns are items. */
static float *
transform_cells(const Sparse *a, bool item_of_row, const SimilarityRule *rule, const double *mass,
				double mean_mass, Budget *budget)
{
	float *value = BudgetAlloc(budget, SparseCount(a), sizeof(float));

	for (uint32_t row = 0; row < a->rows; row++)
	{
		INTERRUPTS();
		for (uint64_t e = a->start[row]; e < a->start[row + 1]; e++)
			value[e] = (float) SimilarityCell(
				rule, a->value[e], mass[item_of_row ? row : a->column[e]], mean_mass);
	}
	return value;
}

/* bm25 needs the length of each item before its cells can be weighed. */
static void
transform(Inputs *in, const SimilarityRule *rule, uint32_t users, Budget *budget)
{
	double *mass = BudgetZeroed(budget, in->by_item.rows, sizeof(double));
	double total = 0;

	for (uint32_t i = 0; i < in->by_item.rows; i++)
	{
		uint64_t end = SparseFind(&in->by_item, i, users);

		for (uint64_t e = in->by_item.start[i]; e < end; e++)
			mass[i] += in->by_item.value[e];
		total += mass[i];
	}
	total = total > 0 ? total / in->by_item.rows : 1;
	in->by_user.value = transform_cells(&in->by_user, false, rule, mass, total, budget);
	in->by_item.value = transform_cells(&in->by_item, true, rule, mass, total, budget);
	BudgetFree(budget, mass);
}

static void
prepare(Inputs *in, const Sparse *by_user, const Sparse *by_item, uint32_t users,
		const SimilarityRule *rule, Budget *budget)
{
	uint32_t items = by_item->rows;
	bool text = rule->kind == SIMILARITY_TFIDF || rule->kind == SIMILARITY_BM25;

	in->by_user = *by_user;
	in->by_item = *by_item;
	if (text)
		transform(in, rule, users, budget);

	in->factor = BudgetAlloc(budget, users, sizeof(float));
	for (uint32_t u = 0; u < users; u++)
		in->factor[u] = (float) SimilarityUserFactor(
			rule, (uint32_t) (by_user->start[u + 1] - by_user->start[u]), items);

	in->source = BudgetAlloc(budget, items, sizeof(float));
	in->target = BudgetAlloc(budget, items, sizeof(float));
	in->users = BudgetAlloc(budget, items, sizeof(uint32_t));
	for (uint32_t i = 0; i < items; i++)
	{
		uint64_t begin = in->by_item.start[i];
		uint64_t end = SparseFind(&in->by_item, i, users);
		double n = 0;

		INTERRUPTS();
		for (uint64_t e = begin; e < end; e++)
		{
			double v = in->by_item.value[e];

			n += v * v * (text ? in->factor[in->by_item.column[e]] : 1);
		}
		in->users[i] = (uint32_t) (end - begin);
		in->source[i] = n > 0 ? (float) pow(n, -rule->source_exponent) : 0;
		in->target[i] = n > 0 ? (float) pow(n, -rule->target_exponent) : 0;
	}

	in->pairs = (PairsInput){&in->by_user, &in->by_item, in->factor, users};
	in->table = (SimilarityTable){*rule, in->source, in->target, in->users, users};
}

static void
release(Inputs *in, const Sparse *by_user, Budget *budget)
{
	if (in->by_user.value != by_user->value)
	{
		BudgetFree(budget, in->by_user.value);
		BudgetFree(budget, in->by_item.value);
	}
	BudgetFree(budget, in->factor);
	BudgetFree(budget, in->source);
	BudgetFree(budget, in->target);
	BudgetFree(budget, in->users);
}

/* Fills slot[k * i ..] with the best of row i, best first, and count[i] with how many. */
static void
learn_rows(const Inputs *in, SimilaritySide side, uint32_t k, Best *slot, uint32_t *count,
		   Budget *budget)
{
	uint32_t items = in->by_item.rows;
	PairSum *sums = BudgetZeroed(budget, items, sizeof(PairSum));
	uint32_t *touched = BudgetAlloc(budget, (uint64_t) items + 1, sizeof(uint32_t));

	for (uint32_t i = 0; i < items; i++)
	{
		uint32_t n;

		INTERRUPTS();
		n = PairsRow(&in->pairs, i, sums, touched);
		count[i] =
			SimilarityRow(&in->table, i, side, sums, touched, n, slot + (uint64_t) k * i, k);
		PairsClear(sums, touched, n);
		BestSort(slot + (uint64_t) k * i, count[i]);
	}
	BudgetFree(budget, sums);
	BudgetFree(budget, touched);
}

/* Rows of the k best targets of each source, side by side without gaps. */
static void
close_gaps(Neighbors *result, const Best *slot, const uint32_t *count, uint32_t k)
{
	for (uint32_t i = 0; i < result->items; i++)
		memcpy(result->entry + result->start[i], slot + (uint64_t) k * i,
			   sizeof(Best) * count[i]);
}

/* Slots by target, each with its best sources, turned to rows by source. */
static void
turn(Neighbors *result, const Best *slot, const uint32_t *count, uint32_t k)
{
	for (uint32_t target = 0; target < result->items; target++)
	{
		INTERRUPTS();
		for (uint32_t n = 0; n < count[target]; n++)
		{
			Best entry = slot[(uint64_t) k * target + n];
			uint32_t source = entry.index;

			entry.index = target;
			result->entry[result->start[source]++] = entry;
		}
	}
	memmove(result->start + 1, result->start, sizeof(uint64_t) * result->items);
	result->start[0] = 0;
}

static int
best_first(const void *a, const void *b)
{
	return BestBefore(a, b) ? -1 : BestBefore(b, a);
}

Neighbors *
NeighborsLearn(const Sparse *by_user, const Sparse *by_item, uint32_t users,
			   const SimilarityOptions *options, Budget *budget)
{
	uint32_t items = by_item->rows;
	uint32_t k = Max(1, Min(options->k, items));
	bool by_target = options->keep == SIMILARITY_KEEP_TARGET;
	Neighbors *result = BudgetAlloc(budget, 1, sizeof(Neighbors));
	Best *slot = BudgetAlloc(budget, (uint64_t) items * k, sizeof(Best));
	uint32_t *count = BudgetAlloc(budget, items, sizeof(uint32_t));
	uint64_t total = 0;
	Inputs in;

	prepare(&in, by_user, by_item, users, &options->rule, budget);
	learn_rows(&in, by_target ? SIMILARITY_TO : SIMILARITY_FROM, k, slot, count, budget);
	release(&in, by_user, budget);

	result->items = items;
	result->start = BudgetZeroed(budget, (uint64_t) items + 1, sizeof(uint64_t));
	for (uint32_t i = 0; i < items; i++)
	{
		total += count[i];
		if (by_target)
			for (uint32_t n = 0; n < count[i]; n++)
				result->start[slot[(uint64_t) k * i + n].index]++;
		else
			result->start[i] = count[i];
	}
	SparseOffsets(result->start, items);
	result->entry = BudgetAlloc(budget, total, sizeof(Best));
	if (by_target)
	{
		turn(result, slot, count, k);
		for (uint32_t i = 0; i < items; i++)
		{
			INTERRUPTS();
			qsort(result->entry + result->start[i], result->start[i + 1] - result->start[i],
				  sizeof(Best), best_first);
		}
	}
	else
		close_gaps(result, slot, count, k);

	BudgetFree(budget, slot);
	BudgetFree(budget, count);
	return result;
}

void
NeighborsFree(Neighbors *neighbors, Budget *budget)
{
	BudgetFree(budget, neighbors->start);
	BudgetFree(budget, neighbors->entry);
	BudgetFree(budget, neighbors);
}
