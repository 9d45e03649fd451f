/*
 * cooccurrence.c: every row of A'A, and the k best of each.
 *
 * A row stands for pairs of an item with the more popular ones, and each pair is offered to
 * both of its items.  Which k stay does not depend on the order of offers, nor do the sums on the
 * order of users: any number of processes may share the rows, and any number of passes go over
 * the users, with the same answer.
 */
#include "learn/cooccurrence.h"

#include <math.h>

#include "base/interrupts.h"
#include "base/progress.h"
#include "base/team.h"

/* What one member counts from and into. */
typedef struct Count
{
	PairsInput pairs;
	SimilarityTable table;
	const double *norm; /* [items], each sum is divided by both of its items'; NULL is whole */
	double whole;
	double unit; /* of what is kept of sums */
	CooccurrenceSlots from;
	CooccurrenceSlots to;
	slock_t *lock; /* [items], held while an item's slots change; NULL for one process */
	float *gram;
	PairSum *sums;     /* [items], zero between rows */
	uint32_t *touched; /* [items + 1] */
} Count;

/* What members share: the job, and its pieces. */
typedef struct Job
{
	uint32_t items;
	uint32_t users;
	uint32_t ranges;
	uint64_t range_most; /* entries of the largest range */
	float uniform;
	bool locked;
	double mean_list;
	double whole;
	double unit;
	PairScale scale;
	SimilarityRule rule;
} Job;

enum
{
	PIECE_USER_START,
	PIECE_USER_COLUMN,
	PIECE_USER_VALUE,
	PIECE_STEP,
	PIECE_SOURCE,
	PIECE_TARGET,
	PIECE_USERS,
	PIECE_NORM,
	PIECE_ITEM_START, /* offsets in the transpose */
	PIECE_RANGE,      /* the first item of every range, and an end */
	PIECE_LOCK,
	PIECE_FROM_START,
	PIECE_FROM_SLOT,
	PIECE_FROM_COUNT,
	PIECE_FROM_LEAST,
	PIECE_TO_START,
	PIECE_TO_SLOT,
	PIECE_TO_COUNT,
	PIECE_TO_LEAST,
	PIECE_GRAM,
	PIECE_SUMS, /* of each member, like the next */
	PIECE_TOUCHED,
	PIECE_TURN_START, /* the transpose of its range */
	PIECE_TURN_COLUMN,
	PIECE_TURN_VALUE,
	PIECES
};

StaticAssertDecl(PIECES <= TEAM_PIECES, "a job has more pieces than a team may share");

/*
 * Items are turned and counted by ranges of about equal numbers of entries: enough of them that all
 * members end at about the same time, not so many that walking the users for each costs.
 */
#define RANGES 64

/* What is learned of users and items before pairs are counted. */
typedef struct Inputs
{
	Sparse by_user;       /* the matrix's shape, with values of our own where it has some */
	double *factor;       /* d_u, [users] */
	double *mass;         /* sum of d_u * v_ui^2, [items] */
	double *size;         /* n_i, [items] */
	double *norm;         /* about the root of the mass, where cells are divided by it */
	double whole;         /* the same of all items, where cells are all worth the same */
	PairSum *step;        /* [users], there */
	uint64_t *item_start; /* [items + 1], offsets in the transpose */
	float *source;
	float *target;
	uint32_t *users;
	double mean_list;
} Inputs;

/*
 * How many others an item can be paired with: those of its users' other cells, each of which
 * takes as many users as min_support; at most so many.
 */
static uint32_t *
bound_pairs(const CooccurrenceInput *input, uint32_t most, Budget *budget)
{
	const Sparse *a = input->by_user;
	uint32_t support = Max(input->rule->min_support, 1);
	uint64_t enough = (uint64_t) most * support;
	uint32_t *users = BudgetZeroed(budget, a->columns, sizeof(uint32_t));
	uint64_t *others = BudgetZeroed(budget, a->columns, sizeof(uint64_t));

	for (uint32_t u = 0; u < input->users; u++)
	{
		uint64_t list = a->start[u + 1] - a->start[u];

		INTERRUPTS();
		for (uint64_t e = a->start[u]; e < a->start[u + 1]; e++)
		{
			users[a->column[e]]++;
			others[a->column[e]] += list - 1;
		}
	}
	for (uint32_t i = 0; i < a->columns; i++)
		users[i] = users[i] < support ? 0 : (uint32_t) (Min(others[i], enough) / support);
	BudgetFree(budget, others);
	return users;
}

static void
alloc_slots(CooccurrenceSlots *slots, const uint32_t *bound, uint32_t items, Budget *budget)
{
	slots->start = BudgetAllocShared(budget, (uint64_t) items + 1, sizeof(uint64_t));
	slots->count = BudgetAllocShared(budget, items, sizeof(uint32_t));
	slots->least = BudgetAllocShared(budget, items, sizeof(float));
	for (uint32_t i = 0; i < items; i++)
	{
		slots->start[i] = Min(bound[i], slots->k);
		slots->count[i] = 0;
		slots->least[i] = slots->start[i] > 0 ? 0 : INFINITY;
	}
	SparseOffsets(slots->start, items);
	slots->slot = BudgetAllocSharedResult(budget, slots->start[items], sizeof(Best));
}

void
CooccurrenceAlloc(const CooccurrenceInput *input, CooccurrenceSlots *from, CooccurrenceSlots *to,
				  Budget *budget)
{
	uint32_t *bound = bound_pairs(input, Max(from->k, to->k), budget);

	alloc_slots(from, bound, input->by_user->columns, budget);
	alloc_slots(to, bound, input->by_user->columns, budget);
	BudgetFree(budget, bound);
}

void
CooccurrenceFree(CooccurrenceSlots *slots, Budget *budget)
{
	BudgetFreeResult(budget, slots->slot);
	BudgetFree(budget, slots->start);
	BudgetFree(budget, slots->count);
	BudgetFree(budget, slots->least);
}

/*
 * Cells as the measure wants them.  bm25 needs the length of each item before its cells can be
 * weighed; where cells are all the same and stay so, none are made.
 */
static void
weigh_cells(Inputs *in, const CooccurrenceInput *input, Budget *budget)
{
	const Sparse *a = input->by_user;
	uint64_t count = a->start[input->users];
	double *length;
	double mean = 0;

	if (!SimilarityWeighsCells(input->rule) && a->value == NULL)
		return;
	in->by_user.value = BudgetAllocShared(budget, count, sizeof(float));
	length = BudgetZeroed(budget, a->columns, sizeof(double));
	for (uint64_t e = 0; e < count; e++)
	{
		INTERRUPTS_AT(e);
		length[a->column[e]] += SparseValue(a, e);
		mean += SparseValue(a, e);
	}
	mean = mean > 0 ? mean / a->columns : 1;
	for (uint64_t e = 0; e < count; e++)
	{
		INTERRUPTS_AT(e);
		in->by_user.value[e] =
			(float) SimilarityCell(input->rule, SparseValue(a, e), length[a->column[e]], mean);
	}
	BudgetFree(budget, length);
}

/* d_u, and sums over the users of every item: of d_u * v_ui^2, and n_i as the family has it. */
static void
sum_items(Inputs *in, const CooccurrenceInput *input, Budget *budget)
{
	const Sparse *a = &in->by_user;
	uint32_t items = a->columns;
	double entries = 0;

	in->factor = BudgetAlloc(budget, input->users, sizeof(double));
	in->mass = BudgetZeroed(budget, items, sizeof(double));
	in->size = BudgetZeroed(budget, items, sizeof(double));
	for (uint32_t u = 0; u < input->users; u++)
	{
		uint32_t list = (uint32_t) (a->start[u + 1] - a->start[u]);

		INTERRUPTS();
		in->factor[u] = SimilarityUserFactor(input->rule, list, items);
		in->mean_list += (double) list * list;
		entries += list;
		for (uint64_t e = a->start[u]; e < a->start[u + 1]; e++)
		{
			double v = SparseValue(a, e);

			in->mass[a->column[e]] += in->factor[u] * v * v;
			in->size[a->column[e]] += v * v;
		}
	}
	in->mean_list = entries > 0 ? in->mean_list / entries : 0;
	if (SimilarityWeighsCells(input->rule))
		memcpy(in->size, in->mass, sizeof(double) * items);
}

/*
 * Where cells are all worth the same: what each user adds to a pair.  A pair comes to no more than
 * the smaller mass of its items, so the second greatest of all bounds them: most that everybody
 * has, and those who have nothing else, cost no precision.  Users who have fewer than two
 * items may be worth more; they are in no pair.
 */
static PairScale
scale_users(Inputs *in, const CooccurrenceInput *input, uint32_t most_users, Budget *budget)
{
	double greatest = 0;
	double most = 0;
	double v = in->by_user.uniform;
	PairScale scale;

	for (uint32_t i = 0; i < in->by_user.columns; i++)
	{
		most = Max(most, Min(in->mass[i], greatest));
		greatest = Max(greatest, in->mass[i]);
	}
	in->whole = PairsRoot(most);
	scale = PairsScale(most_users, most / in->whole / in->whole);
	in->step = BudgetAllocShared(budget, input->users, sizeof(PairSum));
	for (uint32_t u = 0; u < input->users; u++)
		in->step[u] = PairStep(Min(in->factor[u] * v * v, most) / in->whole / in->whole, scale);
	return scale;
}

/*
 * Where cells differ, each is divided by about the root of its item's mass, which leaves pairs of
 * at most 1 whatever the weights are; similarities get it back.  A power of two, so that no digit
 * is lost by it.
 */
static PairScale
scale_cells(Inputs *in, const CooccurrenceInput *input, uint32_t most_users, Budget *budget)
{
	Sparse *a = &in->by_user;

	in->norm = BudgetAllocShared(budget, a->columns, sizeof(double));
	for (uint32_t i = 0; i < a->columns; i++)
		in->norm[i] = PairsRoot(in->mass[i]);
	for (uint32_t u = 0; u < input->users; u++)
	{
		double root = sqrt(in->factor[u]);

		INTERRUPTS();
		for (uint64_t e = a->start[u]; e < a->start[u + 1]; e++)
			a->value[e] = (float) (a->value[e] * root / in->norm[a->column[e]]);
	}
	return PairsScale(most_users, 1);
}

/* n_i^-p and n_i^-q, times what sums were divided by: neither is far from 1 then. */
static void
weigh_items(Inputs *in, const SimilarityRule *rule, Budget *budget)
{
	uint32_t items = in->by_user.columns;

	in->source = BudgetAllocShared(budget, items, sizeof(float));
	in->target = BudgetAllocShared(budget, items, sizeof(float));
	for (uint32_t i = 0; i < items; i++)
	{
		double n = in->size[i];
		double norm = in->norm ? in->norm[i] : in->whole;

		in->source[i] = n > 0 ? (float) (pow(n, -rule->source_exponent) * norm) : 0;
		in->target[i] = n > 0 ? (float) (pow(n, -rule->target_exponent) * norm) : 0;
	}
}

static PairScale
prepare(Inputs *in, const CooccurrenceInput *input, Budget *budget)
{
	uint32_t items = input->by_user->columns;
	uint32_t greatest = 0;
	uint32_t most_users = 0; /* of a pair: no more than the second greatest number */
	PairScale scale;

	*in = (Inputs){.by_user = *input->by_user};
	weigh_cells(in, input, budget);
	sum_items(in, input, budget);

	in->item_start = BudgetAllocShared(budget, (uint64_t) items + 1, sizeof(uint64_t));
	SparseCountColumns(&in->by_user, input->users, in->item_start);
	in->users = BudgetAllocShared(budget, items, sizeof(uint32_t));
	for (uint32_t i = 0; i < items; i++)
	{
		in->users[i] = (uint32_t) in->item_start[i];
		most_users = Max(most_users, Min(in->users[i], greatest));
		greatest = Max(greatest, in->users[i]);
	}
	SparseOffsets(in->item_start, items);

	scale = in->by_user.value ? scale_cells(in, input, most_users, budget)
							  : scale_users(in, input, most_users, budget);
	weigh_items(in, input->rule, budget);
	return scale;
}

static void
release(Inputs *in, Budget *budget)
{
	BudgetFree(budget, in->by_user.value);
	BudgetFree(budget, in->factor);
	BudgetFree(budget, in->mass);
	BudgetFree(budget, in->size);
	BudgetFree(budget, in->norm);
	BudgetFree(budget, in->step);
	BudgetFree(budget, in->item_start);
	BudgetFree(budget, in->source);
	BudgetFree(budget, in->target);
	BudgetFree(budget, in->users);
}

/* Keeps the sums of a row. */
static void
keep_sums(const Count *count, uint32_t item, bool listed, uint32_t touched)
{
	float *row = count->gram + (uint64_t) item * (item - 1) / 2;
	double own = (count->norm ? count->norm[item] : count->whole) / count->unit;
	uint32_t n = listed ? touched : item;

	for (uint32_t t = 0; t < n; t++)
	{
		uint32_t other = listed ? count->touched[t] : t;
		double weight = PairWeight(count->sums[other], count->pairs.scale);

		row[other] = (float) (weight * own * (count->norm ? count->norm[other] : count->whole));
	}
}

/* Offers what a part of a row has to offer. */
static void
offer_part(const Count *count, uint32_t item, const uint32_t *touched, uint32_t first, uint32_t n)
{
	SimilarityLeast least = {count->from.least, count->to.least};
	uint32_t found[SIMILARITY_PART];
	uint32_t many =
		SimilaritySift(&count->table, item, count->sums, touched, first, n, &least, found);

	for (uint32_t f = 0; f < many; f++)
	{
		uint32_t other = found[f];
		uint32_t users = PairUsers(count->sums[other], count->pairs.scale);
		float speaks;
		float spoken;

		SimilarityPair(&count->table, item, other, count->sums[other], &speaks, &spoken);
		CooccurrenceOffer(&count->from, count->lock, item, (Best){other, users, speaks});
		CooccurrenceOffer(&count->to, count->lock, other, (Best){item, users, speaks});
		CooccurrenceOffer(&count->from, count->lock, other, (Best){item, users, spoken});
		CooccurrenceOffer(&count->to, count->lock, item, (Best){other, users, spoken});
	}
}

/*
 * Counts one row, offers its pairs, and leaves the sums at zero.  Items of about the same
 * popularity come first: most of the best are among them, and the rest is then passed over.
 */
static void
count_row(const Count *count, uint32_t item)
{
	uint32_t touched;
	bool listed = PairsRow(&count->pairs, item, count->sums, count->touched, &touched);
	uint32_t left = listed ? touched : item;

	if (count->gram)
		keep_sums(count, item, listed, touched);
	while (left > 0)
	{
		uint32_t n = Min(left, SIMILARITY_PART);

		left -= n;
		offer_part(count, item, listed ? count->touched : NULL, left, n);
	}
	if (listed)
		for (uint32_t t = 0; t < touched; t++)
			count->sums[count->touched[t]] = 0;
	else
		memset(count->sums, 0, sizeof(PairSum) * item);
}

void
CooccurrenceSort(CooccurrenceSlots *slots, uint32_t items)
{
	for (uint32_t i = 0; i < items; i++)
	{
		INTERRUPTS();
		BestSort(CooccurrenceSlot(slots, i), slots->count[i]);
	}
}

/* The job as one member sees it. */
static Count
open_job(const TeamMember *member)
{
	const Job *job = member->job;
	void **piece = member->piece;

	return (Count){
		.pairs = {.by_user = {.rows = job->users,
							  .columns = job->items,
							  .start = piece[PIECE_USER_START],
							  .column = piece[PIECE_USER_COLUMN],
							  .value = piece[PIECE_USER_VALUE],
							  .uniform = job->uniform},
				  .by_item = {.columns = job->users,
							  .start = TeamShare(member, PIECE_TURN_START,
												 sizeof(uint64_t) * ((uint64_t) job->items + 1)),
							  .column = TeamShare(member, PIECE_TURN_COLUMN,
												  sizeof(uint32_t) * job->range_most),
							  .value = TeamShare(member, PIECE_TURN_VALUE,
												 sizeof(float) * job->range_most)},
				  .step = piece[PIECE_STEP],
				  .scale = job->scale,
				  .mean_list = job->mean_list},
		.table = {job->rule, job->scale, piece[PIECE_SOURCE], piece[PIECE_TARGET],
				  piece[PIECE_USERS], job->users},
		.norm = piece[PIECE_NORM],
		.whole = job->whole,
		.unit = job->unit,
		.from = {.start = piece[PIECE_FROM_START],
				 .slot = piece[PIECE_FROM_SLOT],
				 .count = piece[PIECE_FROM_COUNT],
				 .least = piece[PIECE_FROM_LEAST]},
		.to = {.start = piece[PIECE_TO_START],
			   .slot = piece[PIECE_TO_SLOT],
			   .count = piece[PIECE_TO_COUNT],
			   .least = piece[PIECE_TO_LEAST]},
		.lock = job->locked ? piece[PIECE_LOCK] : NULL,
		.gram = piece[PIECE_GRAM],
		.sums = TeamShare(member, PIECE_SUMS, sizeof(PairSum) * job->items),
		.touched = TeamShare(member, PIECE_TOUCHED, sizeof(uint32_t) * ((uint64_t) job->items + 1)),
	};
}

/* Takes ranges of items until none is left: turns each, and counts its rows. */
static void
count_ranges(const TeamMember *member)
{
	const Job *job = member->job;
	const uint32_t *range = member->piece[PIECE_RANGE];
	const uint64_t *item_start = member->piece[PIECE_ITEM_START];
	Count count = open_job(member);
	uint32_t taken;

	memset(count.sums, 0, sizeof(PairSum) * job->items);
	while ((taken = TeamNext(member)) < job->ranges)
	{
		/* Popular items first: they then have good neighbours when the many others are offered. */
		uint32_t first = range[taken];
		uint32_t end = range[taken + 1];
		Sparse *by_item = &count.pairs.by_item;

		ProgressDone(item_start[job->items] - item_start[end]);
		by_item->rows = end - first;
		for (uint32_t row = 0; row <= by_item->rows; row++)
			by_item->start[row] = item_start[first + row] - item_start[first];
		SparseTurn(&count.pairs.by_user, first, by_item);
		count.pairs.first = first;
		for (uint32_t i = first; i < end; i++)
		{
			INTERRUPTS();
			count_row(&count, i);
		}
	}
}

/* Where a worker starts. */
extern PGDLLEXPORT void CooccurrenceWorker(dsm_segment *segment, shm_toc *toc);

void
CooccurrenceWorker(dsm_segment *segment, shm_toc *toc)
{
	TeamJoin(toc, count_ranges, sizeof(Job), PIECES);
}

/* Cuts the items into ranges; returns the first of each, and sets how many and how large. */
static uint32_t *
cut_ranges(Job *job, const uint64_t *item_start, Budget *budget)
{
	uint64_t wanted = item_start[job->items] / RANGES;
	uint32_t *range =
		BudgetAllocShared(budget, (uint64_t) Min(job->items, 2 * RANGES) + 2, sizeof(uint32_t));
	uint32_t first = 0;

	for (uint32_t i = 0; i < job->items; i++)
		if (i + 1 == job->items || item_start[i + 1] - item_start[first] > wanted)
		{
			range[job->ranges++] = first;
			job->range_most = Max(job->range_most, item_start[i + 1] - item_start[first]);
			first = i + 1;
		}
	range[job->ranges] = job->items;
	return range;
}

slock_t *
CooccurrenceLocks(uint32_t items, Budget *budget)
{
	slock_t *lock = BudgetAllocShared(budget, items, sizeof(slock_t));

	for (uint32_t i = 0; i < items; i++)
		SpinLockInit(&lock[i]);
	return lock;
}

/* Scratch memory for as many members as there is memory for; returns their number. */
static uint32_t
make_scratch(Job *job, void **piece, Budget *budget)
{
	uint64_t items = job->items;
	uint64_t turned = job->range_most;
	uint64_t value = piece[PIECE_USER_VALUE] ? sizeof(float) : 0;
	uint64_t members = TeamMembers(budget, items * sizeof(PairSum) +
											   (items + 1) * (sizeof(uint32_t) + sizeof(uint64_t)) +
											   turned * (sizeof(uint32_t) + value));

	piece[PIECE_SUMS] = BudgetAllocShared(budget, items * members, sizeof(PairSum));
	piece[PIECE_TOUCHED] = BudgetAllocShared(budget, (items + 1) * members, sizeof(uint32_t));
	piece[PIECE_TURN_START] = BudgetAllocShared(budget, (items + 1) * members, sizeof(uint64_t));
	piece[PIECE_TURN_COLUMN] = BudgetAllocShared(budget, turned * members, sizeof(uint32_t));
	if (value)
		piece[PIECE_TURN_VALUE] = BudgetAllocShared(budget, turned * members, sizeof(float));
	return (uint32_t) members;
}

/* The power of four next above the mean of the diagonal. */
static double
gram_unit(const double *mass, uint32_t items)
{
	double sum = 0;
	int exponent = 0;

	for (uint32_t i = 0; i < items; i++)
		sum += mass[i];
	if (sum > 0)
		frexp(sum / items, &exponent);
	return ldexp(1, exponent + (exponent & 1));
}

void
CooccurrenceRows(const CooccurrenceInput *input, CooccurrenceSlots *from, CooccurrenceSlots *to,
				 Budget *budget)
{
	uint32_t items = input->by_user->columns;
	Inputs in;
	Job job = {.items = items, .users = input->users, .rule = *input->rule};
	void *piece[PIECES] = {0};
	TeamTask task = {.entry = "CooccurrenceWorker",
					 .work = count_ranges,
					 .job = &job,
					 .size = sizeof(job),
					 .piece = piece,
					 .pieces = PIECES};

	job.scale = prepare(&in, input, budget);
	job.mean_list = in.mean_list;
	job.uniform = in.by_user.uniform;
	job.whole = in.whole;
	job.unit = gram_unit(in.mass, items);

	piece[PIECE_USER_START] = in.by_user.start;
	piece[PIECE_USER_COLUMN] = in.by_user.column;
	piece[PIECE_USER_VALUE] = in.by_user.value;
	piece[PIECE_STEP] = in.step;
	piece[PIECE_SOURCE] = in.source;
	piece[PIECE_TARGET] = in.target;
	piece[PIECE_USERS] = in.users;
	piece[PIECE_NORM] = in.norm;
	piece[PIECE_ITEM_START] = in.item_start;
	piece[PIECE_RANGE] = cut_ranges(&job, in.item_start, budget);
	piece[PIECE_LOCK] = CooccurrenceLocks(items, budget);
	piece[PIECE_FROM_START] = from->start;
	piece[PIECE_FROM_SLOT] = from->slot;
	piece[PIECE_FROM_COUNT] = from->count;
	piece[PIECE_FROM_LEAST] = from->least;
	piece[PIECE_TO_START] = to->start;
	piece[PIECE_TO_SLOT] = to->slot;
	piece[PIECE_TO_COUNT] = to->count;
	piece[PIECE_TO_LEAST] = to->least;
	piece[PIECE_GRAM] = input->gram;
	task.members = make_scratch(&job, piece, budget);
	job.locked = task.members > 1;

	TeamRun(&task, budget);
	CooccurrenceSort(from, items);
	CooccurrenceSort(to, items);
	if (input->diagonal)
	{
		*input->unit = job.unit;
		for (uint32_t i = 0; i < items; i++)
			input->diagonal[i] = in.mass[i] / job.unit;
	}

	BudgetFree(budget, piece[PIECE_RANGE]);
	BudgetFree(budget, piece[PIECE_LOCK]);
	for (int p = PIECE_SUMS; p <= PIECE_TURN_VALUE; p++)
		BudgetFree(budget, piece[p]);
	release(&in, budget);
}
