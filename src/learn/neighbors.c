/*
 * neighbors.c: what is kept of every item's pairs, as rows by source.
 */
#include "learn/neighbors.h"

#include <math.h>

#include "base/interrupts.h"
#include "learn/cooccurrence.h"
#include "learn/next.h"
#include "learn/solving.h"

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

/* Rows of what is scored, from slots of targets: turned, each in order of index. */
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
}

void
NeighborsSort(Neighbors *neighbors)
{
	for (uint32_t i = 0; i < neighbors->items; i++)
	{
		INTERRUPTS();
		BestSort(neighbors->entry + neighbors->start[i], neighbors->scored[i]);
	}
}

/*
 * Rows by source: what targets keep, where they do and in order of index, then what sources keep,
 * where they do, best first.
 */
static Neighbors *
gather_rows(uint32_t items, const CooccurrenceSlots *from, const CooccurrenceSlots *to,
			Budget *budget)
{
	Neighbors *result = BudgetAlloc(budget, 1, sizeof(Neighbors));

	result->items = items;
	result->start = BudgetZeroedResult(budget, (uint64_t) items + 1, sizeof(uint64_t));
	result->scored = BudgetZeroedResult(budget, items, sizeof(uint32_t));
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

/* The k best of each slot, in the same memory. */
static CooccurrenceSlots
best_of(const CooccurrenceSlots *slots, uint32_t k, uint32_t items, Budget *budget)
{
	CooccurrenceSlots best = *slots;

	best.count = BudgetAllocResult(budget, items, sizeof(uint32_t));
	for (uint32_t i = 0; i < items; i++)
		best.count[i] = Min(slots->count[i], k);
	return best;
}

Neighbors *
NeighborsCounted(const RidgeBasis *basis, const SimilarityOptions *options, Budget *budget)
{
	uint32_t items = basis->input.rows.items;
	bool by_target = options->keep == SIMILARITY_KEEP_TARGET;
	uint32_t shown = by_target ? Min(options->k, SHOWN) : options->k;
	CooccurrenceSlots from = best_of(&basis->from, shown, items, budget);
	CooccurrenceSlots to = best_of(&basis->to, options->k, items, budget);
	Neighbors *result;

	if (by_target)
		drop_kept(&from, &to, items);
	result = gather_rows(items, &from, by_target ? &to : NULL, budget);
	BudgetFree(budget, from.count);
	BudgetFree(budget, to.count);
	NeighborsSort(result);
	return result;
}

double
NeighborsCount(const CooccurrenceSlots *slots, uint32_t k, uint32_t items)
{
	double count = 0;

	for (uint32_t i = 0; i < items; i++)
		count += Min(slots->count[i], k);
	return count;
}

/* What is learned by ridge alone. */
typedef struct Fit
{
	const SimilarityOptions *options;
	Solving *solving;
	Budget *budget;
	Neighbors *neighbors;
} Fit;

static void
fit(void *with)
{
	Fit *this = with;
	const SimilarityOptions *options = this->options;

	SolvingSolve(this->solving, options->lambda, options->candidates, this->budget);
	SolvingRows(this->solving, options, true, this->budget);
	this->neighbors = SolvingNeighbors(this->solving, this->budget);
}

Neighbors *
NeighborsOfRidge(const RidgeBasis *basis, const SimilarityOptions *options, Budget *budget)
{
	Fit this = {.options = options, .budget = budget};

	this.solving = SolvingOpen(&(SolvingInput){.basis = basis,
											   .candidates = options->candidates,
											   .k = options->k,
											   .counts = options->blend > 0,
											   .indirect = options->indirect > 0},
							   budget);
	SolvingRun(this.solving, fit, &this, budget);
	SolvingClose(this.solving, budget);
	return this.neighbors;
}

bool
NeighborsNeedSources(const SimilarityOptions *options)
{
	return options->blend > 0 && options->keep == SIMILARITY_KEEP_SOURCE;
}

static Neighbors *
learn_ridge(const CooccurrenceInput *input, const SimilarityOptions *options, Budget *budget)
{
	uint32_t from_k = NeighborsNeedSources(options) ? options->k : 0;
	RidgeBasis *basis = RidgeOpen(input, from_k, options->candidates, budget);
	Neighbors *result = NeighborsOfRidge(basis, options, budget);

	RidgeClose(basis, budget);
	return result;
}

Neighbors *
NeighborsLearn(const Rows *rows, const SimilarityOptions *options, Budget *budget)
{
	CooccurrenceInput input = {.rows = *rows, .rule = &options->rule};
	uint32_t items = rows->items;
	uint32_t k = Max(1, Min(options->k, items));
	bool by_target = options->keep == SIMILARITY_KEEP_TARGET;
	CooccurrenceSlots from = {.k = by_target ? Min(k, SHOWN) : k};
	CooccurrenceSlots to = {.k = by_target ? k : 0};
	Neighbors *result;

	if (options->rule.kind == SIMILARITY_RIDGE)
		return learn_ridge(&input, options, budget);

	input.rows.item_users = RowsUsers(rows, budget);
	CooccurrenceAlloc(&input, &from, &to, budget);
	if (NextWanted(&input.rows, &options->rule))
		NextRows(&input, &from, &to, budget);
	else
		CooccurrenceRows(&input, &from, &to, budget);
	if (by_target)
		drop_kept(&from, &to, items);
	result = gather_rows(items, &from, by_target ? &to : NULL, budget);
	CooccurrenceFree(&from, budget);
	CooccurrenceFree(&to, budget);
	RowsFreeUsers(rows, input.rows.item_users, budget);
	NeighborsSort(result);
	return result;
}

void
NeighborsCut(Neighbors *neighbors, uint32_t items)
{
	uint64_t kept = 0;

	if (neighbors->items <= items)
		return;
	for (uint32_t i = 0; i < items; i++)
	{
		uint64_t begin = neighbors->start[i];
		uint64_t scored_end = begin + neighbors->scored[i];

		INTERRUPTS();
		neighbors->start[i] = kept;
		for (uint64_t e = begin; e < neighbors->start[i + 1]; e++)
		{
			if (e == scored_end)
				neighbors->scored[i] = (uint32_t) (kept - neighbors->start[i]);
			if (neighbors->entry[e].index < items)
				neighbors->entry[kept++] = neighbors->entry[e];
		}
		if (scored_end == neighbors->start[i + 1])
			neighbors->scored[i] = (uint32_t) (kept - neighbors->start[i]);
	}
	neighbors->start[items] = kept;
	neighbors->items = items;
}

void
NeighborsFree(Neighbors *neighbors, Budget *budget)
{
	BudgetFree(budget, neighbors->start);
	BudgetFree(budget, neighbors->scored);
	BudgetFree(budget, neighbors->entry);
	BudgetFree(budget, neighbors);
}
