/*
 * neighbors.c: what is kept of every item's pairs, as rows by source.
 */
#include "learn/neighbors.h"

#include <math.h>

#include "base/interrupts.h"
#include "learn/cooccurrence.h"
#include "learn/ridge.h"

/*
 * Kept by target, an item that few targets count among their best has next to no row: right for
 * ranking (to let every item speak costs up to a tenth of recall, tried on MovieLens and the
 * retail set), but there would be nothing similar to show.  So many of its own best are
 * kept to be shown, beside those that are scored.
 */
#define SHOWN 20

/* True where a target keeps a source among its best. */
static bool
is_kept(const CooccurrenceSlots *to, uint32_t target, uint32_t source)
{
	const Best *slot = CooccurrenceSlot(to, target);

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

/* By how much an entry says, for or against. */
static int
strongest_first(const void *a, const void *b)
{
	Best x = *(const Best *) a;
	Best y = *(const Best *) b;

	x.value = fabsf(x.value);
	y.value = fabsf(y.value);
	return best_first(&x, &y);
}

/* Takes from each source's slot what its target keeps as well: the rest is only to be shown. */
static void
drop_kept(CooccurrenceSlots *from, const CooccurrenceSlots *to, uint32_t items)
{
	for (uint32_t source = 0; source < items; source++)
	{
		Best *slot = CooccurrenceSlot(from, source);
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
turn_rows(Neighbors *result, const CooccurrenceSlots *to)
{
	for (uint32_t target = 0; target < result->items; target++)
	{
		INTERRUPTS();
		for (uint32_t n = 0; n < to->count[target]; n++)
		{
			Best entry = CooccurrenceSlot(to, target)[n];
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
gather_rows(uint32_t items, const CooccurrenceSlots *from, const CooccurrenceSlots *to,
			Budget *budget)
{
	Neighbors *result = BudgetAlloc(budget, 1, sizeof(Neighbors));

	result->items = items;
	result->start = BudgetZeroed(budget, (uint64_t) items + 1, sizeof(uint64_t));
	result->scored = BudgetZeroed(budget, items, sizeof(uint32_t));
	for (uint32_t i = 0; i < items; i++)
	{
		INTERRUPTS();
		result->start[i] += from->count[i];
		for (uint32_t n = 0; to && n < to->count[i]; n++)
			result->start[CooccurrenceSlot(to, i)[n].index]++;
	}
	SparseOffsets(result->start, items);
	result->entry = BudgetAllocResult(budget, result->start[items], sizeof(Best));
	if (to)
		turn_rows(result, to);
	for (uint32_t i = 0; i < items; i++)
	{
		INTERRUPTS();
		memcpy(result->entry + result->start[i] + result->scored[i], CooccurrenceSlot(from, i),
			   sizeof(Best) * from->count[i]);
		if (to == NULL)
			result->scored[i] = from->count[i];
	}
	return result;
}

/* Rows of which each keeps its k strongest entries, for and against, and these best first. */
static void
prune_rows(Neighbors *result, uint32_t k)
{
	uint64_t kept = 0;

	for (uint32_t i = 0; i < result->items; i++)
	{
		Best *row = result->entry + result->start[i];
		uint32_t count = Min(result->scored[i], k);

		INTERRUPTS();
		qsort(row, result->scored[i], sizeof(Best), strongest_first);
		qsort(row, count, sizeof(Best), best_first);
		memmove(result->entry + kept, row, sizeof(Best) * count);
		result->start[i] = kept;
		result->scored[i] = count;
		kept += count;
	}
	result->start[result->items] = kept;
}

/* Weights solved for each target from its candidates, pruned by source. */
static Neighbors *
learn_ridge(const CooccurrenceInput *input, const SimilarityOptions *options, Budget *budget)
{
	uint32_t items = input->by_user->columns;
	CooccurrenceSlots none = {.k = 0};
	CooccurrenceSlots to = {.k = Max(1, Min(options->candidates, items))};
	Neighbors *result;

	CooccurrenceAlloc(input, &none, &to, budget);
	RidgeSolve(input, options->lambda, &none, &to, budget);
	result = gather_rows(items, &none, &to, budget);
	prune_rows(result, options->k);
	CooccurrenceFree(&none, budget);
	CooccurrenceFree(&to, budget);
	return result;
}

Neighbors *
NeighborsLearn(const Sparse *by_user, uint32_t users, const SimilarityOptions *options,
			   Budget *budget)
{
	CooccurrenceInput input = {.by_user = by_user, .users = users, .rule = &options->rule};
	uint32_t items = by_user->columns;
	uint32_t k = Max(1, Min(options->k, items));
	bool by_target = options->keep == SIMILARITY_KEEP_TARGET;
	CooccurrenceSlots from = {.k = by_target ? Min(k, SHOWN) : k};
	CooccurrenceSlots to = {.k = by_target ? k : 0};
	Neighbors *result;

	if (options->rule.kind == SIMILARITY_RIDGE)
		return learn_ridge(&input, options, budget);

	CooccurrenceAlloc(&input, &from, &to, budget);
	CooccurrenceRows(&input, &from, &to, budget);
	if (by_target)
		drop_kept(&from, &to, items);
	result = gather_rows(items, &from, by_target ? &to : NULL, budget);
	CooccurrenceFree(&from, budget);
	CooccurrenceFree(&to, budget);
	return result;
}

void
NeighborsFree(Neighbors *neighbors, Budget *budget)
{
	BudgetFree(budget, neighbors->start);
	BudgetFree(budget, neighbors->scored);
	BudgetFreeResult(budget, neighbors->entry);
	BudgetFree(budget, neighbors);
}
