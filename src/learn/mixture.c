#include "learn/mixture.h"

#include <math.h>

#include "base/interrupts.h"

/* Rows that are made by one member at a time. */
#define TAKEN 16

struct Mixture
{
	const RidgeBasis *basis;
	uint32_t items;
	bool alone; /* room is made when it is known how much */
	Budget *budget;
	void **piece;

	uint64_t *weights_start;
	Best *weights;
	bool massed; /* the next two are of these weights */
	double damping;
	double weights_mass;
	float *factor;

	uint64_t *counts_start;
	Best *counts;
	bool counted; /* they are there, like this: */
	bool sorted;  /* in order of index */
	SimilarityKeep keep;
	uint32_t k;
	double counts_mass;

	uint64_t *start;
	uint32_t *count;
	uint32_t *item;
	float *similarity;
	uint32_t *support;
	void *row; /* of every member, like the next; the first is the leader's */
	void *key;
};

static uint64_t
count_best(const CooccurrenceSlots *slots, uint32_t k, uint32_t items)
{
	return (uint64_t) NeighborsCount(slots, k, items);
}

/* The best counts of every item at most. */
static uint64_t
count_counts(const MixtureInput *input, const RidgeBasis *basis)
{
	uint32_t items = basis->input.rows.items;

	return input->counts ? Max(count_best(&basis->to, input->k, items),
							   count_best(&basis->from, input->k, items))
						 : 0;
}

/* Room for rows that are made of so many of both. */
static uint64_t
count_places(const MixtureInput *input, uint64_t weights, uint64_t counts)
{
	uint64_t items = input->basis->input.rows.items;
	uint64_t most = items * Min(input->k, items);

	return Max(input->whole ? Max(most, weights + counts) : Min(most, weights + counts), counts);
}

/* Room for what a team shares, before it starts. */
static void
make_room(Mixture *mixture, const MixtureInput *input)
{
	Budget *budget = mixture->budget;
	uint64_t weights = count_best(&input->basis->to, input->candidates, mixture->items);
	uint64_t counts = count_counts(input, input->basis);
	uint64_t places;

	if (input->other)
	{
		weights = Max(weights, count_best(&input->other->to, input->candidates, mixture->items));
		counts = Max(counts, count_counts(input, input->other));
	}
	places = count_places(input, weights, counts);
	mixture->weights = BudgetAllocSharedResult(budget, weights, sizeof(Best));
	mixture->counts = BudgetAllocSharedResult(budget, counts, sizeof(Best));
	mixture->item = BudgetAllocSharedResult(budget, places, sizeof(uint32_t));
	mixture->similarity = BudgetAllocSharedResult(budget, places, sizeof(float));
	mixture->support = BudgetAllocSharedResult(budget, places, sizeof(uint32_t));
}

/* The same for one process, of one kind at a time; what was there is not needed any more. */
static void *
renew(const Mixture *mixture, void *memory, uint64_t count, Size size)
{
	BudgetFree(mixture->budget, memory);
	return BudgetAllocResult(mixture->budget, count, size);
}

static void
renew_rows(Mixture *mixture, uint64_t places)
{
	if (!mixture->alone)
		return;
	mixture->item = renew(mixture, mixture->item, places, sizeof(uint32_t));
	mixture->similarity = renew(mixture, mixture->similarity, places, sizeof(float));
	mixture->support = renew(mixture, mixture->support, places, sizeof(uint32_t));
}

static void
name_pieces(Mixture *mixture)
{
	void **piece = mixture->piece;

	piece[MIXTURE_WEIGHTS_START] = mixture->weights_start;
	piece[MIXTURE_WEIGHTS] = mixture->weights;
	piece[MIXTURE_COUNTS_START] = mixture->counts_start;
	piece[MIXTURE_COUNTS] = mixture->counts;
	piece[MIXTURE_FACTOR] = mixture->factor;
	piece[MIXTURE_START] = mixture->start;
	piece[MIXTURE_COUNT] = mixture->count;
	piece[MIXTURE_ITEM] = mixture->item;
	piece[MIXTURE_SIMILARITY] = mixture->similarity;
	piece[MIXTURE_SUPPORT] = mixture->support;
	piece[MIXTURE_ROW] = mixture->row;
	piece[MIXTURE_KEY] = mixture->key;
}

Mixture *
MixtureOpen(const MixtureInput *input, void **piece, uint32_t *members, Budget *budget)
{
	Mixture *mixture = BudgetZeroedResult(budget, 1, sizeof(Mixture));
	uint32_t items = input->basis->input.rows.items;
	uint64_t most = Max(items, 1);

	mixture->basis = input->basis;
	mixture->items = items;
	mixture->alone = input->alone;
	mixture->budget = budget;
	mixture->piece = piece;
	mixture->weights_start =
		BudgetAllocSharedResult(budget, (uint64_t) items + 1, sizeof(uint64_t));
	mixture->counts_start = BudgetAllocSharedResult(budget, (uint64_t) items + 1, sizeof(uint64_t));
	mixture->factor = BudgetAllocSharedResult(budget, items, sizeof(float));
	mixture->start = BudgetAllocSharedResult(budget, (uint64_t) items + 1, sizeof(uint64_t));
	mixture->count = BudgetAllocSharedResult(budget, items, sizeof(uint32_t));
	if (!input->alone)
		make_room(mixture, input);

	/* One row at the least, however little memory there is; others work on more than that meanwhile. */
	*members = input->alone ? 1 : TeamMembers(budget, most * (sizeof(Best) + sizeof(uint64_t)));
	mixture->row = BudgetAllocSharedResult(budget, most * *members, sizeof(Best));
	mixture->key = BudgetAllocSharedResult(budget, most * *members, sizeof(uint64_t));
	name_pieces(mixture);
	return mixture;
}

void
MixtureClose(Mixture *mixture, Budget *budget)
{
	BudgetFree(budget, mixture->weights_start);
	BudgetFree(budget, mixture->weights);
	BudgetFree(budget, mixture->counts_start);
	BudgetFree(budget, mixture->counts);
	BudgetFree(budget, mixture->factor);
	BudgetFree(budget, mixture->start);
	BudgetFree(budget, mixture->count);
	BudgetFree(budget, mixture->item);
	BudgetFree(budget, mixture->similarity);
	BudgetFree(budget, mixture->support);
	BudgetFree(budget, mixture->row);
	BudgetFree(budget, mixture->key);
	BudgetFree(budget, mixture);
}

/* Rows by source of the k best of every target, in order of index. */
static void
turn(const CooccurrenceSlots *to, uint32_t k, uint32_t items, uint64_t *start, Best *entry)
{
	memset(start, 0, sizeof(uint64_t) * (items + UINT64_C(1)));
	for (uint32_t target = 0; target < items; target++)
	{
		const Best *slot = CooccurrenceSlot(to, target);

		INTERRUPTS();
		for (uint32_t n = 0; n < Min(to->count[target], k); n++)
			start[slot[n].index]++;
	}
	SparseOffsets(start, items);
	for (uint32_t target = 0; target < items; target++)
	{
		const Best *slot = CooccurrenceSlot(to, target);

		INTERRUPTS();
		for (uint32_t n = 0; n < Min(to->count[target], k); n++)
			entry[start[slot[n].index]++] = (Best){target, slot[n].support, slot[n].value};
	}
	/* Each row now begins where it ends. */
	memmove(start + 1, start, sizeof(uint64_t) * items);
	start[0] = 0;
}

/* Rows by source of the k best of every source, best first. */
static void
copy_sources(const CooccurrenceSlots *from, uint32_t k, uint32_t items, uint64_t *start,
			 Best *entry)
{
	uint64_t end = 0;

	for (uint32_t source = 0; source < items; source++)
	{
		uint32_t count = Min(from->count[source], k);

		INTERRUPTS();
		start[source] = end;
		memcpy(entry + end, CooccurrenceSlot(from, source), sizeof(Best) * count);
		end += count;
	}
	start[items] = end;
}

void
MixtureOther(Mixture *mixture, const RidgeBasis *other)
{
	mixture->basis = other;
	mixture->counted = false;
	mixture->massed = false;
}

void
MixtureTurn(Mixture *mixture, const CooccurrenceSlots *solved)
{
	if (mixture->alone)
		mixture->weights = renew(mixture, mixture->weights,
								 count_best(solved, UINT32_MAX, mixture->items), sizeof(Best));
	turn(solved, UINT32_MAX, mixture->items, mixture->weights_start, mixture->weights);
	mixture->massed = false;
}

/* The sum of all values, in the order they are in. */
static double
mass_of(const Best *entry, uint64_t count)
{
	double mass = 0;

	for (uint64_t e = 0; e < count; e++)
		mass += fabsf(entry[e].value);
	return mass;
}

static uint32_t
length_of(const uint64_t *start, uint32_t row)
{
	return (uint32_t) (start[row + 1] - start[row]);
}

/* Has the best k of every target or source at hand as rows. */
static void
use_counts(Mixture *mixture, SimilarityKeep keep, uint32_t k, bool sorted)
{
	uint32_t items = mixture->items;
	bool by_target = keep == SIMILARITY_KEEP_TARGET;
	uint64_t *start = mixture->counts_start;

	if (!mixture->counted || mixture->keep != keep || mixture->k != k ||
		(mixture->sorted && !sorted && !by_target))
	{
		if (mixture->alone)
			mixture->counts =
				renew(mixture, mixture->counts,
					  count_best(by_target ? &mixture->basis->to : &mixture->basis->from, k, items),
					  sizeof(Best));
		if (by_target)
			turn(&mixture->basis->to, k, items, start, mixture->counts);
		else
			copy_sources(&mixture->basis->from, k, items, start, mixture->counts);
		mixture->counts_mass = mass_of(mixture->counts, start[items]);
		mixture->counted = true;
		mixture->keep = keep;
		mixture->k = k;
		mixture->sorted = by_target;
	}
	for (uint32_t i = 0; sorted && !mixture->sorted && i < items; i++)
	{
		INTERRUPTS();
		BestByIndex(mixture->counts + start[i], mixture->row, length_of(start, i), items);
	}
	mixture->sorted = mixture->sorted || sorted;
}

/* A weight divided by what its items have of users. */
static inline float
damped(const Best *weight, float source, const float *factor)
{
	return weight->value * (source * factor[weight->index]);
}

static inline float
source_factor(const float *factor, uint32_t source)
{
	return factor[source] * factor[source] * factor[source];
}

/* The same of weights that are damped. */
static double
mass_of_damped(const Mixture *mixture)
{
	double mass = 0;

	for (uint32_t i = 0; i < mixture->items; i++)
	{
		float source = source_factor(mixture->factor, i);

		INTERRUPTS();
		for (uint64_t e = mixture->weights_start[i]; e < mixture->weights_start[i + 1]; e++)
			mass += fabsf(damped(&mixture->weights[e], source, mixture->factor));
	}
	return mass;
}

/* Has factors and mass of the weights at hand. */
static void
damp(Mixture *mixture, double damping)
{
	if (mixture->massed && mixture->damping == damping)
		return;
	for (uint32_t i = 0; damping > 0 && i < mixture->items; i++)
		mixture->factor[i] = (float) pow((double) Max(mixture->basis->users[i], 1), -damping / 2);
	mixture->weights_mass = damping > 0
								? mass_of_damped(mixture)
								: mass_of(mixture->weights, mixture->weights_start[mixture->items]);
	mixture->damping = damping;
	mixture->massed = true;
}

/* Where each row has room. */
static void
place_rows(Mixture *mixture, const MixtureJob *job)
{
	uint64_t end = 0;

	for (uint32_t i = 0; i < job->items; i++)
	{
		uint64_t places = job->weighed ? length_of(mixture->weights_start, i) : 0;

		if (job->blended || !job->weighed)
			places += length_of(mixture->counts_start, i);
		mixture->start[i] = end;
		end += job->weighed ? Min(places, Min(job->k, job->items)) : places;
	}
	mixture->start[job->items] = end;
	renew_rows(mixture, end);
}

void
MixtureBegin(Mixture *mixture, const SimilarityOptions *options, uint32_t k, bool ordered,
			 MixtureJob *job)
{
	*job = (MixtureJob){
		.items = mixture->items,
		.k = k,
		.weighed = options->rule.kind == SIMILARITY_RIDGE,
		.ordered = ordered,
	};
	if (job->weighed)
	{
		job->damped = options->damping > 0;
		job->blended = options->blend > 0;
		job->share = options->blend;
		damp(mixture, options->damping);
	}
	if (job->blended || !job->weighed)
		use_counts(mixture, options->keep, options->k, job->blended);
	if (mixture->counts_mass > 0)
		job->scale = job->share * mixture->weights_mass / mixture->counts_mass;
	place_rows(mixture, job);
	name_pieces(mixture);
}

/* What a member makes rows by. */
typedef struct Maker
{
	const MixtureJob *job;
	const uint64_t *weights_start;
	const Best *weights;
	const uint64_t *counts_start;
	const Best *counts;
	const float *factor;
	Best *row;
	uint64_t *key;
} Maker;

/* The sum of an item's rows in order of index: what is missing in one is 0.  Returns its length. */
static uint32_t
add_rows(const Maker *maker, uint32_t source)
{
	const MixtureJob *job = maker->job;
	const Best *a = maker->weights + maker->weights_start[source];
	const Best *b = maker->counts + maker->counts_start[source];
	const Best *a_end = a + length_of(maker->weights_start, source);
	const Best *b_end = b + (job->blended ? length_of(maker->counts_start, source) : 0);
	float factor = job->damped ? source_factor(maker->factor, source) : 1;
	Best *sum = maker->row;

	while (a < a_end || b < b_end)
	{
		bool from_a = b == b_end || (a < a_end && a->index <= b->index);
		bool from_b = a == a_end || (b < b_end && b->index <= a->index);
		float weight = 0;

		*sum = from_a ? *a : *b;
		if (from_a)
			weight = job->damped ? damped(a, factor, maker->factor) : a->value;
		sum->value = job->blended ? (float) ((from_a ? (1 - job->share) * weight : 0) +
											 (from_b ? job->scale * b->value : 0))
								  : weight;
		sum++;
		a += from_a;
		b += from_b;
	}
	return (uint32_t) (sum - maker->row);
}

/* Leaves the k strongest entries of a row, for and against, in the order they are in. */
static uint32_t
prune(const Maker *maker, uint32_t count)
{
	uint32_t k = maker->job->k;
	Best *row = maker->row;
	uint32_t taken = 0;

	if (count <= k)
		return count;
	for (uint32_t n = 0; n < count; n++)
		maker->key[n] = BestKey(n, fabsf(row[n].value));
	BestSelect(maker->key, count, k);
	for (uint32_t n = 0; n < count; n++)
		if (BestKey(n, fabsf(row[n].value)) >= maker->key[k - 1])
			row[taken++] = row[n];
	return taken;
}

/* Makes a row; returns its length. */
static uint32_t
make_row(const Maker *maker, uint32_t source)
{
	uint32_t count;

	if (!maker->job->weighed)
	{
		count = length_of(maker->counts_start, source);
		memcpy(maker->row, maker->counts + maker->counts_start[source], sizeof(Best) * count);
		return count;
	}
	count = prune(maker, add_rows(maker, source));
	if (maker->job->ordered)
		BestSort(maker->row, count);
	return count;
}

static void
put_row(const Best *row, uint32_t count, uint32_t *item, float *similarity, uint32_t *support)
{
	for (uint32_t n = 0; n < count; n++)
	{
		item[n] = row[n].index;
		similarity[n] = row[n].value;
		support[n] = row[n].support;
	}
}

void
MixtureWork(const TeamMember *member, const MixtureJob *job, int first)
{
	void **piece = member->piece + first;
	Maker maker = {
		.job = job,
		.weights_start = piece[MIXTURE_WEIGHTS_START],
		.weights = piece[MIXTURE_WEIGHTS],
		.counts_start = piece[MIXTURE_COUNTS_START],
		.counts = piece[MIXTURE_COUNTS],
		.factor = piece[MIXTURE_FACTOR],
		.row = TeamShare(member, first + MIXTURE_ROW, sizeof(Best) * Max(job->items, 1)),
		.key = TeamShare(member, first + MIXTURE_KEY, sizeof(uint64_t) * Max(job->items, 1)),
	};
	const uint64_t *start = piece[MIXTURE_START];
	uint32_t *count = piece[MIXTURE_COUNT];
	uint32_t *item = piece[MIXTURE_ITEM];
	float *similarity = piece[MIXTURE_SIMILARITY];
	uint32_t *support = piece[MIXTURE_SUPPORT];
	uint64_t begin;

	while ((begin = (uint64_t) TeamNext(member) * TAKEN) < job->items)
		for (uint32_t i = (uint32_t) begin; i < Min(begin + TAKEN, job->items); i++)
		{
			INTERRUPTS();
			count[i] = make_row(&maker, i);
			put_row(maker.row, count[i], item + start[i], similarity + start[i],
					support + start[i]);
		}
}

Neighbors *
MixtureNeighbors(const Mixture *mixture, Budget *budget)
{
	Neighbors *result = BudgetAlloc(budget, 1, sizeof(Neighbors));
	uint32_t items = mixture->items;
	uint64_t end = 0;

	for (uint32_t i = 0; i < items; i++)
		end += mixture->count[i];
	result->items = items;
	result->start = BudgetAllocResult(budget, (uint64_t) items + 1, sizeof(uint64_t));
	result->scored = BudgetAllocResult(budget, items, sizeof(uint32_t));
	result->entry = BudgetAllocResult(budget, end, sizeof(Best));
	end = 0;
	for (uint32_t i = 0; i < items; i++)
	{
		INTERRUPTS();
		result->start[i] = end;
		result->scored[i] = mixture->count[i];
		for (uint64_t e = mixture->start[i]; e < mixture->start[i] + mixture->count[i]; e++)
			result->entry[end++] =
				(Best){mixture->item[e], mixture->support[e], mixture->similarity[e]};
	}
	result->start[items] = end;
	return result;
}

Neighbors *
MixtureLast(Mixture *mixture, Budget *budget)
{
	/* A team may still have it. */
	if (mixture->alone)
	{
		BudgetFree(budget, mixture->weights);
		BudgetFree(budget, mixture->counts);
		mixture->weights = NULL;
		mixture->counts = NULL;
		mixture->counted = false;
	}
	return MixtureNeighbors(mixture, budget);
}

void
MixtureAdd(Mixture *mixture, const Neighbors *neighbors, Neighbors *others,
		   const SimilarityOptions *options, bool ordered)
{
	uint32_t items = mixture->items;
	double neighbors_mass = mass_of(neighbors->entry, neighbors->start[items]);
	double others_mass = mass_of(others->entry, others->start[items]);
	MixtureJob job = {
		.items = items,
		.k = options->k,
		.weighed = true,
		.blended = true,
		.ordered = ordered,
		.share = options->indirect,
		.scale = others_mass > 0 ? options->indirect * neighbors_mass / others_mass : 0,
	};
	Maker maker = {
		.job = &job,
		.weights_start = neighbors->start,
		.weights = neighbors->entry,
		.counts_start = others->start,
		.counts = others->entry,
		.row = mixture->row,
		.key = mixture->key,
	};
	uint64_t end = 0;

	for (uint32_t i = 0; i < items; i++)
		end += Min(length_of(neighbors->start, i) + length_of(others->start, i), job.k);
	renew_rows(mixture, end);
	name_pieces(mixture);
	end = 0;
	for (uint32_t i = 0; i < items; i++)
	{
		INTERRUPTS();
		BestByIndex(others->entry + others->start[i], mixture->row, length_of(others->start, i),
					items);
		mixture->start[i] = end;
		mixture->count[i] = make_row(&maker, i);
		put_row(mixture->row, mixture->count[i], mixture->item + end, mixture->similarity + end,
				mixture->support + end);
		end += mixture->count[i];
	}
	mixture->start[items] = end;
}
