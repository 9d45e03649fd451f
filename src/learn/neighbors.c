/*
 * neighbors.c: what is kept of every item's pairs, as rows by source.
 */
#include "learn/neighbors.h"

#include <math.h>

#include "base/interrupts.h"
#include "learn/cooccurrence.h"
#include "learn/indirect.h"
#include "learn/next.h"
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

#define ST_SORT          sort_best_first
#define ST_ELEMENT_TYPE  Best
#define ST_COMPARE(a, b) (BestBefore(a, b) ? -1 : BestBefore(b, a))
#define ST_SCOPE         static
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT          sort_by_index
#define ST_ELEMENT_TYPE  Best
#define ST_COMPARE(a, b) ((a)->index < (b)->index ? -1 : (a)->index > (b)->index)
#define ST_SCOPE         static
#define ST_DEFINE
#include "lib/sort_template.h"

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
		sort_best_first(neighbors->entry + neighbors->start[i], neighbors->scored[i]);
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
		result->start[i] += from ? from->count[i] : 0;
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
		if (from)
			memcpy(result->entry + result->start[i] + result->scored[i], CooccurrenceSlot(from, i),
				   sizeof(Best) * from->count[i]);
		if (to == NULL)
			result->scored[i] = from->count[i];
	}
	return result;
}

/* Takes the k strongest entries of a row in order of index, for and against, to another place before it. */
static void
take_strongest(const Best *row, uint32_t count, uint32_t k, uint64_t *keys, Best *taken)
{
	for (uint32_t n = 0; n < count; n++)
		keys[n] = BestKey(n, fabsf(row[n].value));
	BestSelect(keys, count, k);
	/* Places rise, so that nothing is written over before it is taken. */
	for (uint32_t n = 0; n < count; n++)
		if (BestKey(n, fabsf(row[n].value)) >= keys[k - 1])
			*taken++ = row[n];
}

/* Rows in order of index, of which each keeps its k strongest entries. */
static void
prune_rows(Neighbors *result, uint32_t k, Budget *budget)
{
	uint32_t longest = 0;
	uint64_t kept = 0;
	uint64_t *keys;

	for (uint32_t i = 0; i < result->items; i++)
		longest = Max(longest, result->scored[i]);
	keys = BudgetAllocLeast(budget, longest, sizeof(uint64_t));
	for (uint32_t i = 0; i < result->items; i++)
	{
		Best *row = result->entry + result->start[i];
		Best *taken = result->entry + kept;
		uint32_t count = Min(result->scored[i], k);

		INTERRUPTS();
		if (count < result->scored[i])
			take_strongest(row, result->scored[i], count, keys, taken);
		else
			memmove(taken, row, sizeof(Best) * count);
		result->start[i] = kept;
		result->scored[i] = count;
		kept += count;
	}
	result->start[result->items] = kept;
	BudgetFree(budget, keys);
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
NeighborsOfCounts(const RidgeBasis *basis, SimilarityKeep keep, uint32_t k, Budget *budget)
{
	uint32_t items = basis->input.rows.items;
	bool by_target = keep == SIMILARITY_KEEP_TARGET;
	CooccurrenceSlots from = best_of(&basis->from, by_target ? 0 : k, items, budget);
	CooccurrenceSlots to = best_of(&basis->to, k, items, budget);
	Neighbors *result = gather_rows(items, &from, by_target ? &to : NULL, budget);

	BudgetFree(budget, from.count);
	BudgetFree(budget, to.count);
	return result;
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

static double
mass_of(const Neighbors *a)
{
	double mass = 0;

	for (uint64_t e = 0; e < a->start[a->items]; e++)
		mass += fabsf(a->entry[e].value);
	return mass;
}

/* The sum of two rows in order of index, the second scaled.  Returns its length. */
static uint32_t
add_row(const Best *a, uint32_t a_count, double a_scale, const Best *b, uint32_t b_count,
		double b_scale, Best *sum)
{
	uint32_t x = 0;
	uint32_t y = 0;
	uint32_t n = 0;

	while (x < a_count || y < b_count)
	{
		bool from_a = y == b_count || (x < a_count && a[x].index <= b[y].index);
		bool from_b = x == a_count || (y < b_count && b[y].index <= a[x].index);
		double value = (from_a ? a_scale * a[x].value : 0) + (from_b ? b_scale * b[y].value : 0);

		sum[n++] = (Best){from_a ? a[x].index : b[y].index, from_a ? a[x].support : b[y].support,
						  (float) value};
		x += from_a;
		y += from_b;
	}
	return n;
}

/*
 * Weights and others in one, (1 - share) * weights + share * others, the others scaled to the mass
 * of the weights.  Rows are then in order of index; what went in is freed.
 */
static Neighbors *
blend_rows(Neighbors *weights, Neighbors *others, double share, Budget *budget)
{
	Neighbors *result = BudgetAlloc(budget, 1, sizeof(Neighbors));
	double weights_mass = mass_of(weights);
	double others_mass = mass_of(others);
	double scale = others_mass > 0 ? share * weights_mass / others_mass : 0;
	uint64_t count = 0;

	result->items = weights->items;
	result->start = BudgetZeroedResult(budget, (uint64_t) weights->items + 1, sizeof(uint64_t));
	result->scored = BudgetZeroedResult(budget, weights->items, sizeof(uint32_t));
	result->entry = BudgetAllocResult(
		budget, weights->start[weights->items] + others->start[others->items], sizeof(Best));
	for (uint32_t i = 0; i < weights->items; i++)
	{
		Best *a = weights->entry + weights->start[i];
		Best *b = others->entry + others->start[i];

		INTERRUPTS();
		sort_by_index(a, weights->scored[i]);
		sort_by_index(b, others->scored[i]);
		result->start[i] = count;
		result->scored[i] = add_row(a, weights->scored[i], 1 - share, b, others->scored[i], scale,
									result->entry + count);
		count += result->scored[i];
	}
	result->start[weights->items] = count;
	NeighborsFree(weights, budget);
	NeighborsFree(others, budget);
	return result;
}

/*
 * Divides every weight i -> j by (n_i^3 n_j)^(damping / 2): what a popular item of a history says is
 * worth less, and more so than what is said of a popular item.  Both by the same power was a
 * little worse on dense and on sparse data.
 */
static void
damp_rows(Neighbors *result, const uint64_t *users, double damping, Budget *budget)
{
	float *factor = BudgetAllocResult(budget, result->items, sizeof(float));

	for (uint32_t i = 0; i < result->items; i++)
		factor[i] = (float) pow((double) Max(users[i], 1), -damping / 2);
	for (uint32_t i = 0; i < result->items; i++)
	{
		float source = factor[i] * factor[i] * factor[i];

		INTERRUPTS();
		for (uint64_t e = result->start[i]; e < result->start[i + 1]; e++)
			result->entry[e].value *= source * factor[result->entry[e].index];
	}
	BudgetFree(budget, factor);
}

Neighbors *
NeighborsOfRidge(const RidgeBasis *basis, const CooccurrenceSlots *solved,
				 const SimilarityOptions *options, Budget *budget)
{
	uint32_t items = basis->input.rows.items;
	Neighbors *result = gather_rows(items, NULL, solved, budget);

	if (options->damping > 0)
		damp_rows(result, basis->users, options->damping, budget);
	if (options->blend > 0)
		result = blend_rows(result, NeighborsOfCounts(basis, options->keep, options->k, budget),
							options->blend, budget);
	if (options->indirect > 0)
		result = blend_rows(result, IndirectRows(result, budget), options->indirect, budget);
	prune_rows(result, options->k, budget);
	return result;
}

/* Weights solved for each target from its candidates, pruned by source. */
static Neighbors *
learn_ridge(const CooccurrenceInput *input, const SimilarityOptions *options, Budget *budget)
{
	bool by_source = options->blend > 0 && options->keep == SIMILARITY_KEEP_SOURCE;
	RidgeBasis *basis = RidgeOpen(input, by_source ? options->k : 0, options->candidates, budget);
	CooccurrenceSlots solved = RidgeSolve(basis, options->lambda, options->candidates, budget);
	Neighbors *result = NeighborsOfRidge(basis, &solved, options, budget);

	NeighborsSort(result);
	CooccurrenceFree(&solved, budget);
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
