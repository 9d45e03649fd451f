/*
 * neighbors.c: every row of A'A, the k best of each, turned to rows by source.
 *
 * Rows are independent: each fills the k places of its own slot and touches nothing else, so
 * that any number of processes may share the loop of learn_rows() and give the same answer.
 */
#include "learn/neighbors.h"

#include <math.h>

#include "base/interrupts.h"

/*
 * Kept by target, an item that few targets count among their best has next to no row: right for
 * ranking (to let every item speak costs up to a tenth of recall, tried on MovieLens and the
 * retail set), but there would be nothing similar to show.  So many of its own best are
 * kept to be shown, beside those that are scored.
 */
#define SHOWN 20

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

/* The k best of every item, best first: count[i] of them from slot[k * i] on. */
typedef struct Slots
{
	uint32_t k;
	Best *slot;
	uint32_t *count;
} Slots;

static Slots
alloc_slots(uint32_t items, uint32_t k, Budget *budget)
{
	return (Slots){k, BudgetAlloc(budget, (uint64_t) items * k, sizeof(Best)),
				   BudgetZeroed(budget, items, sizeof(uint32_t))};
}

static void
free_slots(Slots *slots, Budget *budget)
{
	BudgetFree(budget, slots->slot);
	BudgetFree(budget, slots->count);
}

static Best *
slot_of(const Slots *slots, uint32_t item)
{
	return slots->slot + (uint64_t) slots->k * item;
}

/* Fills the slots of every row of A'A: as sources, as targets, or both. */
static void
learn_rows(const Inputs *in, Slots *from, Slots *to, Budget *budget)
{
	uint32_t items = in->by_item.rows;
	PairSum *sums = BudgetZeroed(budget, items, sizeof(PairSum));
	uint32_t *touched = BudgetAlloc(budget, (uint64_t) items + 1, sizeof(uint32_t));

	for (uint32_t i = 0; i < items; i++)
	{
		uint32_t n;

		INTERRUPTS();
		n = PairsRow(&in->pairs, i, sums, touched);
		if (from)
		{
			from->count[i] = SimilarityRow(&in->table, i, SIMILARITY_FROM, sums, touched, n,
										   slot_of(from, i), from->k);
			BestSort(slot_of(from, i), from->count[i]);
		}
		if (to)
		{
			to->count[i] = SimilarityRow(&in->table, i, SIMILARITY_TO, sums, touched, n,
										 slot_of(to, i), to->k);
			BestSort(slot_of(to, i), to->count[i]);
		}
		PairsClear(sums, touched, n);
	}
	BudgetFree(budget, sums);
	BudgetFree(budget, touched);
}

/* True where a target keeps a source among its best. */
static bool
is_kept(const Slots *to, uint32_t target, uint32_t source)
{
	const Best *slot = slot_of(to, target);

	for (uint32_t n = 0; n < to->count[target]; n++)
		if (slot[n].index == source)
			return true;
	return false;
}

static int
best_first(const void *a, const void *b)
{
	return BestBefore(a, b) ? -1 : BestBefore(b, a);
}

/* Takes from each source's slot what its target keeps as well: the rest is only to be shown. */
static void
drop_kept(Slots *from, const Slots *to, uint32_t items)
{
	for (uint32_t source = 0; source < items; source++)
	{
		Best *slot = slot_of(from, source);
		uint32_t left = 0;

		INTERRUPTS();
		for (uint32_t n = 0; n < from->count[source]; n++)
			if (!is_kept(to, slot[n].index, source))
				slot[left++] = slot[n];
		from->count[source] = left;
	}
}

/* Rows of what is scored, from slots of targets: turned, and sorted anew. */
static void
turn_rows(Neighbors *result, const Slots *to)
{
	for (uint32_t target = 0; target < result->items; target++)
	{
		INTERRUPTS();
		for (uint32_t n = 0; n < to->count[target]; n++)
		{
			Best entry = slot_of(to, target)[n];
			uint32_t source = entry.index;

			entry.index = target;
			result->entry[result->start[source] + result->scored[source]++] = entry;
		}
	}
	for (uint32_t i = 0; i < result->items; i++)
	{
		INTERRUPTS();
		qsort(result->entry + result->start[i], result->scored[i], sizeof(Best), best_first);
	}
}

/* Rows by source: what targets keep, where they do, then what sources keep. */
static Neighbors *
gather_rows(uint32_t items, const Slots *from, const Slots *to, Budget *budget)
{
	Neighbors *result = BudgetAlloc(budget, 1, sizeof(Neighbors));

	result->items = items;
	result->start = BudgetZeroed(budget, (uint64_t) items + 1, sizeof(uint64_t));
	result->scored = BudgetZeroed(budget, items, sizeof(uint32_t));
	for (uint32_t i = 0; i < items; i++)
	{
		result->start[i] += from->count[i];
		for (uint32_t n = 0; to && n < to->count[i]; n++)
			result->start[slot_of(to, i)[n].index]++;
	}
	SparseOffsets(result->start, items);
	result->entry = BudgetAlloc(budget, result->start[items], sizeof(Best));
	if (to)
		turn_rows(result, to);
	for (uint32_t i = 0; i < items; i++)
	{
		memcpy(result->entry + result->start[i] + result->scored[i], slot_of(from, i),
			   sizeof(Best) * from->count[i]);
		if (to == NULL)
			result->scored[i] = from->count[i];
	}
	return result;
}

Neighbors *
NeighborsLearn(const Sparse *by_user, const Sparse *by_item, uint32_t users,
			   const SimilarityOptions *options, Budget *budget)
{
	uint32_t items = by_item->rows;
	uint32_t k = Max(1, Min(options->k, items));
	bool by_target = options->keep == SIMILARITY_KEEP_TARGET;
	Neighbors *result;
	Slots from = {0};
	Slots to = {0};
	Inputs in;

	from = alloc_slots(items, by_target ? Min(k, SHOWN) : k, budget);
	if (by_target)
		to = alloc_slots(items, k, budget);
	prepare(&in, by_user, by_item, users, &options->rule, budget);
	learn_rows(&in, &from, by_target ? &to : NULL, budget);
	release(&in, by_user, budget);

	if (by_target)
		drop_kept(&from, &to, items);
	result = gather_rows(items, &from, by_target ? &to : NULL, budget);
	free_slots(&from, budget);
	if (by_target)
		free_slots(&to, budget);
	return result;
}

void
NeighborsFree(Neighbors *neighbors, Budget *budget)
{
	BudgetFree(budget, neighbors->start);
	BudgetFree(budget, neighbors->scored);
	BudgetFree(budget, neighbors->entry);
	BudgetFree(budget, neighbors);
}
