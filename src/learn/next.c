/*
 * next.c: pairs counted one way.
 *
 * 1. The cells of every user are put in order of time, one user after the other, each with the
 *    number of its step.  Between users the steps leave a gap wider than the window, so that a walk
 *    from a cell ends by itself where its user does.
 *    Where order does not count, all cells of a user are at one step.
 * 2. Of each item the places are listed at which it comes.
 * 3. An item's row is counted by walking from each of its places back and forth.  Sums are whole
 *    numbers, and which of a row's pairs stay does not depend on the order of offers: any number of
 *    processes may share the items, with the same answer.
 */
#include "learn/next.h"

#include <math.h>

#include "base/interrupts.h"
#include "base/progress.h"
#include "base/team.h"

/* Items are taken so many at a time, the popular ones first. */
#define ITEMS_AT_ONCE 16

/* A cell in order of time. */
typedef struct Stop
{
	uint32_t item;
	uint32_t step;
	float weight;
	float as_target; /* the same where it comes after; 0 for what is no target */
} Stop;

/* What members share: the job, and its pieces. */
typedef struct Job
{
	uint32_t items;
	uint32_t users;
	uint64_t cells;
	bool locked;
	PairScale scale;
	SimilarityRule rule;
} Job;

enum
{
	PIECE_STOP,  /* every cell, in order of time */
	PIECE_START, /* [items + 1], where the places of an item begin */
	PIECE_PLACE,
	PIECE_SOURCE,
	PIECE_TARGET,
	PIECE_USERS,
	PIECE_TARGET_USERS,
	PIECE_LOCK,
	PIECE_FROM_START,
	PIECE_FROM_SLOT,
	PIECE_FROM_COUNT,
	PIECE_FROM_LEAST,
	PIECE_TO_START,
	PIECE_TO_SLOT,
	PIECE_TO_COUNT,
	PIECE_TO_LEAST,
	PIECE_SUMS,    /* [items], zero between rows; of each member, like the next */
	PIECE_TOUCHED, /* [items + 1] */
	PIECES
};

StaticAssertDecl(PIECES <= TEAM_PIECES, "a job has more pieces than a team may share");

/* The job as one member sees it. */
typedef struct Count
{
	const Job *job;
	const Stop *stop;
	const uint64_t *start;
	const uint64_t *place;
	SimilarityTable table;
	CooccurrenceSlots from;
	CooccurrenceSlots to;
	slock_t *lock; /* [items], NULL for one process */
	PairSum *sums;
	uint32_t *touched;
	uint32_t met;                  /* how many items are listed in touched */
	double after[NEXT_WINDOW + 1]; /* g by steps */
	double before[NEXT_WINDOW + 1];
} Count;

/* Position below, place in the row above: sorted, the first to be chosen comes last. */
#define ST_SORT          sort_times
#define ST_ELEMENT_TYPE  uint64_t
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE         static
#define ST_DEFINE
#define ST_CHECK_FOR_INTERRUPTS
#include "lib/sort_template.h"

static void
set_decay(Count *count)
{
	if (count->job->rule.kind != SIMILARITY_NEXT)
	{
		count->after[0] = count->before[0] = 1;
		return;
	}
	count->after[0] = count->before[0] = NEXT_TOGETHER;
	for (int d = 1; d <= NEXT_WINDOW; d++)
	{
		count->after[d] = 1 / sqrt(d);
		count->before[d] = NEXT_REVERSE / sqrt(d);
	}
}

/* The job as one member sees it, with no sums yet. */
static Count
open_job(const TeamMember *member)
{
	const Job *job = member->job;
	void **piece = member->piece;
	Count count = {
		.job = job,
		.stop = piece[PIECE_STOP],
		.start = piece[PIECE_START],
		.place = piece[PIECE_PLACE],
		.table = {job->rule, job->scale, piece[PIECE_SOURCE], piece[PIECE_TARGET],
				  piece[PIECE_USERS], piece[PIECE_TARGET_USERS], job->users},
		.from = {.start = piece[PIECE_FROM_START],
				 .slot = piece[PIECE_FROM_SLOT],
				 .count = piece[PIECE_FROM_COUNT],
				 .least = piece[PIECE_FROM_LEAST]},
		.to = {.start = piece[PIECE_TO_START],
			   .slot = piece[PIECE_TO_SLOT],
			   .count = piece[PIECE_TO_COUNT],
			   .least = piece[PIECE_TO_LEAST]},
		.lock = job->locked ? piece[PIECE_LOCK] : NULL,
		.sums = TeamShare(member, PIECE_SUMS, sizeof(PairSum) * job->items),
		.touched = TeamShare(member, PIECE_TOUCHED, sizeof(uint32_t) * ((uint64_t) job->items + 1)),
	};

	memset(count.sums, 0, sizeof(PairSum) * job->items);
	set_decay(&count);
	return count;
}

/* Adds what a cell, with what it weighs in units, is to the item of another. */
static inline uint32_t
add_pair(const Stop *other, double weight, double g, uint32_t bits, PairSum *restrict sums,
		 uint32_t *restrict touched, uint32_t met)
{
	PairSum units = (PairSum) (int64_t) (weight * other->as_target * g + 0.5);

	/* Noted whether it is new or not, and the note kept if it is: no branch to be guessed. */
	touched[met] = other->item;
	met += sums[other->item] == 0;
	sums[other->item] += (units << bits) + 1;
	return met;
}

/* Adds up the row of an item: what came before and after each of its places. */
static void
count_row(Count *count, uint32_t item)
{
	const Stop *end = count->stop + count->job->cells;
	double per_unit = 1 / count->job->scale.unit; /* a power of two, so exact */
	uint32_t bits = count->job->scale.bits;
	uint32_t met = 0;

	for (uint64_t n = count->start[item]; n < count->start[item + 1]; n++)
	{
		const Stop *own = count->stop + count->place[n];
		double weight = own->weight * per_unit;
		uint32_t d;

		INTERRUPTS_AT(n);
		for (const Stop *other = own; other > count->stop; other--)
		{
			if ((d = own->step - other[-1].step) > NEXT_WINDOW)
				break;
			if (other[-1].as_target > 0)
				met = add_pair(&other[-1], weight, count->before[d], bits, count->sums,
							   count->touched, met);
		}
		for (const Stop *other = own + 1; other < end; other++)
		{
			if ((d = other->step - own->step) > NEXT_WINDOW)
				break;
			if (other->as_target > 0)
				met = add_pair(other, weight, count->after[d], bits, count->sums, count->touched,
							   met);
		}
	}
	count->met = met;
}

/* Offers a part of a row's pairs, those that may get in anywhere. */
static void
offer_part(const Count *count, uint32_t item, uint32_t first, uint32_t n)
{
	SimilarityLeast least = {count->from.least, count->to.least};
	PairRow row = {.item = item, .touched = count->touched, .sums = count->sums};
	uint32_t found[SIMILARITY_PART];
	uint32_t many = SimilaritySift(&count->table, &row, first, n, &least, found);

	for (uint32_t f = 0; f < many; f++)
	{
		uint32_t other = found[f];
		uint32_t users = PairUsers(count->sums[other], count->job->scale);
		float speaks;
		float spoken; /* of the other way round, which has a row of its own */

		SimilarityPair(&count->table, item, other, count->sums[other], &speaks, &spoken);
		CooccurrenceOffer(&count->from, count->lock, item, (Best){other, users, speaks});
		CooccurrenceOffer(&count->to, count->lock, other, (Best){item, users, speaks});
	}
}

/* Offers the pairs of a row, and leaves the sums at zero. */
static void
offer_row(const Count *count, uint32_t item)
{
	for (uint32_t t = 0; t < count->met; t += SIMILARITY_PART)
		offer_part(count, item, t, Min(count->met - t, SIMILARITY_PART));
	for (uint32_t t = 0; t < count->met; t++)
		count->sums[count->touched[t]] = 0;
}

/* Takes items until none is left, and counts the row of each. */
static void
count_rows(const TeamMember *member)
{
	const Job *job = member->job;
	Count count = open_job(member);
	uint64_t first;

	while ((first = (uint64_t) TeamNext(member) * ITEMS_AT_ONCE) < job->items)
	{
		uint32_t end = (uint32_t) Min(first + ITEMS_AT_ONCE, job->items);

		for (uint32_t item = (uint32_t) first; item < end; item++)
		{
			INTERRUPTS();
			count_row(&count, item);
			offer_row(&count, item);
		}
		ProgressDone(count.start[end]);
	}
}

/* Where a worker starts. */
extern PGDLLEXPORT void NextWorker(dsm_segment *segment, shm_toc *toc);

void
NextWorker(dsm_segment *segment, shm_toc *toc)
{
	TeamJoin(toc, count_rows, sizeof(Job), PIECES);
}

/* What is learned of cells and items before pairs are counted. */
typedef struct Inputs
{
	Stop *stop;
	uint64_t *start;
	uint64_t *place;
	float *source;
	float *target;
	uint32_t *users;
	uint32_t *target_users; /* NULL where every cell is a target */
	double *length;         /* of items, the sums of their cells, where the rule asks for them */
	double mean_length;
} Inputs;

/* What a cell of an item is worth by the rule, from what it is worth at first. */
static double
cell_of(const Inputs *in, const CooccurrenceInput *input, uint32_t item, double f)
{
	return SimilarityCell(input->rule, f, in->length ? in->length[item] : 0, in->mean_length);
}

/* Puts the cells of one user in order, from a step on.  Returns the step of the last of them. */
static uint32_t
order_user(Inputs *in, const CooccurrenceInput *input, uint32_t user, uint32_t first,
		   uint64_t *times)
{
	const Sparse *a = input->rows.memory;
	uint64_t begin = a->start[user];
	uint32_t count = (uint32_t) (a->start[user + 1] - begin);
	double factor = sqrt(SimilarityUserFactor(input->rule, Max(count, 1), a->columns));
	uint32_t oldest = 0;

	for (uint32_t c = 0; c < count; c++)
	{
		uint32_t position =
			input->rule->kind == SIMILARITY_NEXT ? input->rows.position[begin + c] : 0;

		times[c] = (uint64_t) position << 32 | c;
		oldest = Max(oldest, position);
	}
	sort_times(times, count);
	for (uint32_t c = 0; c < count; c++)
	{
		uint64_t time = times[count - 1 - c];
		uint64_t cell = begin + (uint32_t) time;
		uint32_t item = a->column[cell];
		float weight = (float) (factor * cell_of(in, input, item, SparseValue(a, cell)));
		float target = weight;

		if (input->rows.target)
			target = (float) (factor * cell_of(in, input, item, input->rows.target[cell]));
		in->stop[begin + c] = (Stop){
			.item = item,
			.step = first + oldest - (uint32_t) (time >> 32),
			.weight = weight,
			.as_target = target,
		};
	}
	return first + oldest;
}

/* How long items are, for rules that weigh cells by it. */
static void
measure_length(Inputs *in, const CooccurrenceInput *input, Budget *budget)
{
	const Sparse *a = input->rows.memory;

	if (!SimilarityWeighsCells(input->rule))
		return;
	in->length = BudgetZeroed(budget, a->columns, sizeof(double));
	for (uint64_t c = 0; c < a->start[input->rows.users]; c++)
	{
		INTERRUPTS_AT(c);
		in->length[a->column[c]] += SparseValue(a, c);
		in->mean_length += SparseValue(a, c) / (double) a->columns;
	}
}

/* The cells of every user in order of time. */
static void
order_cells(Inputs *in, const CooccurrenceInput *input, Budget *budget)
{
	const Sparse *a = input->rows.memory;
	uint64_t cells = a->start[input->rows.users];
	uint64_t longest = 0;
	uint64_t *times;
	uint32_t step = 0; /* only differences matter, so it may run over */

	in->stop = BudgetAllocShared(budget, cells, sizeof(Stop));
	for (uint32_t u = 0; u < input->rows.users; u++)
		longest = Max(longest, a->start[u + 1] - a->start[u]);
	times = BudgetAlloc(budget, longest, sizeof(uint64_t));
	for (uint32_t u = 0; u < input->rows.users; u++)
	{
		INTERRUPTS();
		step = order_user(in, input, u, step, times) + NEXT_WINDOW + 1;
	}
	BudgetFree(budget, times);
}

/* How many users have each item as a target, where not all cells are. */
static void
count_targets(Inputs *in, const CooccurrenceInput *input, Budget *budget)
{
	const Sparse *a = input->rows.memory;

	if (input->rows.target == NULL)
		return;
	in->target_users = BudgetAllocShared(budget, a->columns, sizeof(uint32_t));
	memset(in->target_users, 0, sizeof(uint32_t) * a->columns);
	for (uint64_t c = 0; c < a->start[input->rows.users]; c++)
		in->target_users[a->column[c]] += input->rows.target[c] > 0;
}

/* The places at which each item comes. */
static void
list_places(Inputs *in, uint32_t items, uint64_t cells, Budget *budget)
{
	in->start = BudgetAllocShared(budget, (uint64_t) items + 1, sizeof(uint64_t));
	in->place = BudgetAllocShared(budget, cells, sizeof(uint64_t));
	in->users = BudgetAllocShared(budget, items, sizeof(uint32_t));
	memset(in->start, 0, sizeof(uint64_t) * ((uint64_t) items + 1));
	for (uint64_t c = 0; c < cells; c++)
		in->start[in->stop[c].item]++;
	for (uint32_t i = 0; i < items; i++)
		in->users[i] = (uint32_t) in->start[i];
	SparseOffsets(in->start, items);
	for (uint64_t c = 0; c < cells; c++)
	{
		INTERRUPTS_AT(c);
		in->place[in->start[in->stop[c].item]++] = c;
	}
	/* start[] ran ahead by one item. */
	memmove(in->start + 1, in->start, sizeof(uint64_t) * items);
	in->start[0] = 0;
}

/*
 * n^-exponent of every item, n as the family has it, either in histories or as a target.  Each weight
 * is divided by about the root of its item's mass, which leaves sums of at most 1 whatever the weights
 * are; similarities get it back.
 */
static float *
weigh_items(Inputs *in, const CooccurrenceInput *input, bool as_target, Budget *budget)
{
	const Sparse *a = input->rows.memory;
	uint32_t items = a->columns;
	uint64_t cells = a->start[input->rows.users];
	double exponent = as_target ? input->rule->target_exponent : input->rule->source_exponent;
	const float *target = as_target ? input->rows.target : NULL;
	double *size = BudgetZeroed(budget, items, sizeof(double));
	double *mass = BudgetZeroed(budget, items, sizeof(double));
	float *factor = BudgetAllocShared(budget, items, sizeof(float));

	for (uint64_t c = 0; c < cells; c++)
	{
		double v = target ? target[c] : SparseValue(a, c);
		double weight = as_target ? in->stop[c].as_target : in->stop[c].weight;

		INTERRUPTS_AT(c);
		v = cell_of(in, input, a->column[c], v);
		size[a->column[c]] += v * v;
		mass[in->stop[c].item] += weight * weight;
	}
	if (SimilarityWeighsCells(input->rule))
		memcpy(size, mass, sizeof(double) * items);
	for (uint32_t i = 0; i < items; i++)
	{
		mass[i] = PairsRoot(mass[i]);
		factor[i] = size[i] > 0 ? (float) (pow(size[i], -exponent) * mass[i]) : 0;
	}
	for (uint64_t c = 0; c < cells; c++)
	{
		Stop *stop = &in->stop[c];

		if (as_target)
			stop->as_target = (float) (stop->as_target / mass[stop->item]);
		else
			stop->weight = (float) (stop->weight / mass[stop->item]);
	}
	BudgetFree(budget, size);
	BudgetFree(budget, mass);
	return factor;
}

static void
release(Inputs *in, Budget *budget)
{
	BudgetFree(budget, in->stop);
	BudgetFree(budget, in->start);
	BudgetFree(budget, in->place);
	BudgetFree(budget, in->source);
	BudgetFree(budget, in->target);
	BudgetFree(budget, in->users);
	BudgetFree(budget, in->target_users);
	BudgetFree(budget, in->length);
}

/* Scratch memory for as many members as there is memory for; returns their number. */
static uint32_t
make_scratch(const Job *job, void **piece, Budget *budget)
{
	uint64_t items = job->items;
	uint64_t members =
		TeamMembers(budget, items * sizeof(PairSum) + (items + 1) * sizeof(uint32_t));

	piece[PIECE_SUMS] = BudgetAllocShared(budget, items * members, sizeof(PairSum));
	piece[PIECE_TOUCHED] = BudgetAllocShared(budget, (items + 1) * members, sizeof(uint32_t));
	return (uint32_t) members;
}

void
NextRows(const CooccurrenceInput *input, CooccurrenceSlots *from, CooccurrenceSlots *to,
		 Budget *budget)
{
	uint32_t items = input->rows.items;
	uint32_t most_users = 0;
	Inputs in = {0};
	Job job = {.items = items,
			   .users = input->rows.users,
			   .cells = input->rows.memory->start[input->rows.users],
			   .rule = *input->rule};
	void *piece[PIECES] = {0};
	TeamTask task = {.entry = "NextWorker",
					 .work = count_rows,
					 .job = &job,
					 .size = sizeof(job),
					 .piece = piece,
					 .pieces = PIECES};

	measure_length(&in, input, budget);
	order_cells(&in, input, budget);
	list_places(&in, items, job.cells, budget);
	count_targets(&in, input, budget);
	in.source = weigh_items(&in, input, false, budget);
	in.target = weigh_items(&in, input, true, budget);
	for (uint32_t i = 0; i < items; i++)
		most_users = Max(most_users, in.users[i]);
	job.scale = PairsScale(most_users, 1);

	piece[PIECE_STOP] = in.stop;
	piece[PIECE_START] = in.start;
	piece[PIECE_PLACE] = in.place;
	piece[PIECE_SOURCE] = in.source;
	piece[PIECE_TARGET] = in.target;
	piece[PIECE_USERS] = in.users;
	piece[PIECE_TARGET_USERS] = in.target_users;
	piece[PIECE_LOCK] = CooccurrenceLocks(items, budget);
	piece[PIECE_FROM_START] = from->start;
	piece[PIECE_FROM_SLOT] = from->slot;
	piece[PIECE_FROM_COUNT] = from->count;
	piece[PIECE_FROM_LEAST] = from->least;
	piece[PIECE_TO_START] = to->start;
	piece[PIECE_TO_SLOT] = to->slot;
	piece[PIECE_TO_COUNT] = to->count;
	piece[PIECE_TO_LEAST] = to->least;
	task.members = make_scratch(&job, piece, budget);
	job.locked = task.members > 1;

	TeamRun(&task, budget);
	CooccurrenceSort(from, items);
	CooccurrenceSort(to, items);

	BudgetFree(budget, piece[PIECE_LOCK]);
	BudgetFree(budget, piece[PIECE_SUMS]);
	BudgetFree(budget, piece[PIECE_TOUCHED]);
	release(&in, budget);
}
