/*
 * cooccurrence.c: every row of A'A, and the k best of each.
 *
 * Rows are independent: each fills its own slots and touches nothing else, so that any number of
 * processes may share the loop of CooccurrenceRows and give the same answer.
 */
#include "learn/cooccurrence.h"

#include <math.h>

#include "base/interrupts.h"

/*
 * What the rows are learned from: cells transformed for the measure, and what it needs of users and
 * items.
 */
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
			value[e] = (float) SimilarityCell(rule, a->value[e],
											  mass[item_of_row ? row : a->column[e]], mean_mass);
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

/* The value that all cells of a matrix share, 0 where they differ: events without weights have one. */
static float
uniform_value(const Sparse *a)
{
	for (uint64_t e = 1; e < SparseCount(a); e++)
		if (a->value[e] != a->value[0])
			return 0;
	return SparseCount(a) > 0 ? a->value[0] : 0;
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

	in->pairs =
		(PairsInput){&in->by_user, &in->by_item, in->factor, users, uniform_value(&in->by_user)};
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

CooccurrenceSlots
CooccurrenceAlloc(uint32_t items, uint32_t k, Budget *budget)
{
	return (CooccurrenceSlots){k, BudgetAllocResult(budget, (uint64_t) items * k, sizeof(Best)),
							   BudgetZeroed(budget, items, sizeof(uint32_t))};
}

void
CooccurrenceFree(CooccurrenceSlots *slots, Budget *budget)
{
	BudgetFreeResult(budget, slots->slot);
	BudgetFree(budget, slots->count);
}

void
CooccurrenceRows(const CooccurrenceInput *input, CooccurrenceSlots *from, CooccurrenceSlots *to,
				 Budget *budget)
{
	uint32_t items = input->by_item->rows;
	PairSum *sums = BudgetZeroed(budget, items, sizeof(PairSum));
	uint32_t *touched = BudgetAlloc(budget, (uint64_t) items + 1, sizeof(uint32_t));
	Inputs in;

	prepare(&in, input->by_user, input->by_item, input->users, input->rule, budget);
	for (uint32_t i = 0; i < items; i++)
	{
		uint32_t n;

		INTERRUPTS();
		n = PairsRow(&in.pairs, i, sums, touched);
		if (from)
		{
			from->count[i] = SimilarityRow(&in.table, i, SIMILARITY_FROM, sums, touched, n,
										   CooccurrenceSlot(from, i), from->k);
			BestSort(CooccurrenceSlot(from, i), from->count[i]);
		}
		if (to)
		{
			to->count[i] = SimilarityRow(&in.table, i, SIMILARITY_TO, sums, touched, n,
										 CooccurrenceSlot(to, i), to->k);
			BestSort(CooccurrenceSlot(to, i), to->count[i]);
		}
		if (input->take_row)
			input->take_row(i, sums, touched, n, input->with);
		PairsClear(sums, touched, n);
	}
	release(&in, input->by_user, budget);
	BudgetFree(budget, sums);
	BudgetFree(budget, touched);
}
