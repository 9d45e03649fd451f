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
#include "base/pages.h"
#include "base/progress.h"
#include "base/team.h"
#include "learn/passes.h"
#include "learn/weighing.h"

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
	uint64_t *own;     /* what the row's item gets, twice as many as both its slots hold */
} Count;

/*
 * What a row's own item gets, put aside until the row ends.  Nearly all that gets in anywhere gets in
 * there, and most of that leaves again: to choose the better half of many at a time costs less than
 * a heap.
 */
typedef struct Gathering
{
	const CooccurrenceSlots *slots;
	uint64_t *key; /* twice as many as the slots of an item hold */
	uint32_t count;
} Gathering;

/* What members share: the job, and its pieces. */
typedef struct Job
{
	uint32_t items;
	uint32_t users;
	uint32_t ranges;
	uint64_t range_most; /* entries of the largest range */
	float uniform;
	uint32_t from_k;
	uint32_t to_k;
	bool locked;
	bool narrow; /* 16 bits hold the numbers of items */
	bool copy_columns;
	bool copy_values;
	double mean_list;
	double whole;
	double unit;
	PairScale scale;
	SimilarityRule rule;
	PassesJob passes; /* where rows are on tape */
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
	PIECE_OWN,
	PIECE_TURN_START, /* the transpose of its range */
	PIECE_TURN_COLUMN,
	PIECE_TURN_PLACE,
	PIECE_PASSES, /* where rows are on tape, instead of most */
	PIECES = PIECE_PASSES + PASSES_PIECES
};

StaticAssertDecl(PIECES <= TEAM_PIECES, "a job has more pieces than a team may share");

/*
 * Items are turned and counted by ranges of about equal numbers of entries: enough of them that all
 * members end at about the same time, not so many that walking the users for each costs.
 */
#define RANGES      64
#define RANGES_EACH 16 /* of a process, where there are few */
#define ROOMY       32 /* so many times a range must be left */

/* Items whose best are put in order by one member at a time. */
#define SORTED_AT_ONCE 256

/* What is left of memory, and of shared memory, for small things when all else is taken. */
#define SPARE (1024 * 1024)

/*
 * How many others an item can be paired with: those of its users' other cells, each of which
 * takes as many users as min_support; at most so many.
 */
static uint32_t *
bound_pairs(const CooccurrenceInput *input, uint32_t most, Budget *budget)
{
	uint32_t items = input->rows.items;
	uint32_t support = Max(input->rule->min_support, 1);
	uint64_t enough = (uint64_t) most * support;
	uint32_t *users = BudgetZeroedResult(budget, items, sizeof(uint32_t));
	uint64_t *others = BudgetZeroedResult(budget, items, sizeof(uint64_t));
	RowsWalk walk = RowsOpen(&input->rows, budget);
	Row row;

	while (RowsNext(&walk, &row))
		for (uint32_t c = 0; c < row.count; c++)
		{
			users[row.item[c]]++;
			others[row.item[c]] += row.count - 1;
		}
	RowsClose(&walk);
	for (uint32_t i = 0; i < items; i++)
		users[i] = users[i] < support ? 0 : (uint32_t) (Min(others[i], enough) / support);
	BudgetFree(budget, others);
	return users;
}

static void
alloc_slots(CooccurrenceSlots *slots, const uint32_t *bound, uint32_t items, Budget *budget)
{
	slots->start = BudgetAllocSharedResult(budget, (uint64_t) items + 1, sizeof(uint64_t));
	slots->count = BudgetAllocSharedResult(budget, items, sizeof(uint32_t));
	slots->least = BudgetAllocSharedResult(budget, items, sizeof(float));
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

	alloc_slots(from, bound, input->rows.items, budget);
	alloc_slots(to, bound, input->rows.items, budget);
	BudgetFree(budget, bound);
}

void
CooccurrenceFree(CooccurrenceSlots *slots, Budget *budget)
{
	BudgetFree(budget, slots->slot);
	BudgetFree(budget, slots->start);
	BudgetFree(budget, slots->count);
	BudgetFree(budget, slots->least);
}

/* A row's sums in the unit of the Gram matrix; those that are 0 are left alone. */
static void
write_values(const Count *count, const PairRow *row, float *values)
{
	double own = (count->norm ? count->norm[row->item] : count->whole) / count->unit;

	for (uint32_t t = 0; t < row->count; t++)
	{
		uint32_t other = row->touched ? row->touched[t] : t;
		double weight = PairWeight(row->sums[other], count->pairs.scale);

		values[other] = (float) (weight * own * (count->norm ? count->norm[other] : count->whole));
	}
}

/* Gathers a pair of the row's own item, unless it cannot get in. */
static inline void
gather(const Count *count, Gathering *own, uint32_t item, uint32_t other, float value)
{
	const CooccurrenceSlots *slots = own->slots;
	uint32_t places;

	if (!(value > 0) || value < slots->least[item])
		return;
	places = CooccurrencePlaces(slots, item);
	own->key[own->count++] = BestKey(other, value);
	if (own->count < 2 * places)
		return;

	BestSelect(own->key, own->count, places);
	own->count = places;
	CooccurrenceRaise(slots, count->lock, item, BestKeyValue(own->key[places - 1]));
}

/* Offers what was gathered, at most as many as there are places. */
static void
offer_gathered(const Count *count, Gathering *own, const PairRow *row)
{
	uint32_t places = CooccurrencePlaces(own->slots, row->item);

	if (own->count > places)
		BestSelect(own->key, own->count, places);
	for (uint32_t n = 0; n < Min(own->count, places); n++)
	{
		uint32_t other = BestKeyIndex(own->key[n]);
		uint32_t users = PairUsers(row->sums[other], count->pairs.scale);

		CooccurrenceOffer(own->slots, count->lock, row->item,
						  (Best){other, users, BestKeyValue(own->key[n])});
	}
}

/* Offers what a part of a row has to offer; what its own item gets is gathered. */
static void
offer_part(const Count *count, const PairRow *row, Gathering *from, Gathering *to, uint32_t first,
		   uint32_t n)
{
	SimilarityLeast least = {count->from.least, count->to.least};
	uint32_t item = row->item;
	uint32_t found[SIMILARITY_PART];
	uint32_t many =
		SimilaritySift(&count->table, item, row->sums, row->touched, first, n, &least, found);

	for (uint32_t f = 0; f < many; f++)
	{
		uint32_t other = found[f];
		uint32_t users = PairUsers(row->sums[other], count->pairs.scale);
		float speaks;
		float spoken;

		SimilarityPair(&count->table, item, other, row->sums[other], &speaks, &spoken);
		gather(count, from, item, other, speaks);
		CooccurrenceOffer(&count->to, count->lock, other, (Best){item, users, speaks});
		CooccurrenceOffer(&count->from, count->lock, other, (Best){item, users, spoken});
		gather(count, to, item, other, spoken);
	}
}

/*
 * Offers a row's pairs.  Items of about the same popularity come first: most of the best are among
 * them, and the rest is then passed over.
 */
static void
offer_row(const PairRow *row, void *with)
{
	const Count *count = with;
	Gathering from = {.slots = &count->from, .key = count->own};
	Gathering to = {.slots = &count->to, .key = count->own + 2 * (uint64_t) count->from.k};
	uint32_t left = row->count;

	if (count->gram)
		write_values(count, row,
					 count->gram + (uint64_t) row->item * (row->item - Min(row->item, 1)) / 2);
	while (left > 0)
	{
		uint32_t n = Min(left, SIMILARITY_PART);

		left -= n;
		offer_part(count, row, &from, &to, left, n);
	}
	offer_gathered(count, &from, row);
	offer_gathered(count, &to, row);
}

/* Counts one row, offers its pairs, and leaves the sums at zero. */
static void
count_row(Count *count, uint32_t item)
{
	PairRow row = {.item = item, .touched = count->touched, .sums = count->sums};

	if (!PairsRow(&count->pairs, item, count->sums, count->touched, &row.count))
	{
		row.count = item;
		row.touched = NULL;
	}
	offer_row(&row, count);
	if (row.touched)
		for (uint32_t t = 0; t < row.count; t++)
			count->sums[row.touched[t]] = 0;
	else
		memset(count->sums, 0, sizeof(PairSum) * item);
}

/* Puts the best of some items in order. */
static void
sort_slots(const CooccurrenceSlots *slots, uint32_t first, uint32_t end)
{
	for (uint32_t i = first; i < end; i++)
	{
		INTERRUPTS();
		BestSort(CooccurrenceSlot(slots, i), slots->count[i]);
	}
}

void
CooccurrenceSort(CooccurrenceSlots *slots, uint32_t items)
{
	sort_slots(slots, 0, items);
}

/* Room for what a row's own item gets. */
static uint64_t
own_places(uint32_t from_k, uint32_t to_k)
{
	return 2 * ((uint64_t) from_k + to_k);
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
												  sizeof(uint32_t) * job->range_most)},
				  .place = TeamShare(member, PIECE_TURN_PLACE, sizeof(uint32_t) * job->range_most),
				  .step_of_count = piece[PIECE_STEP],
				  .scale = job->scale,
				  .mean_list = job->mean_list},
		.table = {job->rule, job->scale, piece[PIECE_SOURCE], piece[PIECE_TARGET],
				  piece[PIECE_USERS], NULL, job->users},
		.norm = piece[PIECE_NORM],
		.whole = job->whole,
		.unit = job->unit,
		.from = {.k = job->from_k,
				 .start = piece[PIECE_FROM_START],
				 .slot = piece[PIECE_FROM_SLOT],
				 .count = piece[PIECE_FROM_COUNT],
				 .least = piece[PIECE_FROM_LEAST]},
		.to = {.k = job->to_k,
			   .start = piece[PIECE_TO_START],
			   .slot = piece[PIECE_TO_SLOT],
			   .count = piece[PIECE_TO_COUNT],
			   .least = piece[PIECE_TO_LEAST]},
		.lock = job->locked ? piece[PIECE_LOCK] : NULL,
		.gram = piece[PIECE_GRAM],
		.sums = TeamShare(member, PIECE_SUMS, sizeof(PairSum) * job->items),
		.touched = TeamShare(member, PIECE_TOUCHED, sizeof(uint32_t) * ((uint64_t) job->items + 1)),
		.own = TeamShare(member, PIECE_OWN, own_places(job->from_k, job->to_k) * sizeof(uint64_t)),
	};
}

/*
 * Has this member read users' lists from copies of its own, in 16 bits where these hold them: what is
 * read for a row lies all over the lists, and to look for its page costs as much as to read it.  Every
 * third row of 20 million events, processor seconds in one run on a machine busy with other work:
 *
 *   pages of 4 kB   counts 1.36   products 3.05
 *   of 2 MB                1.14            2.35
 */
static void
copy_lists(const Job *job, PairsInput *pairs)
{
	Sparse *lists = &pairs->by_user;
	uint64_t cells = lists->start[job->users];

	if (job->copy_columns && job->narrow)
	{
		uint16_t *narrow = PagesAlloc(cells, sizeof(uint16_t));

		for (uint64_t e = 0; e < cells; e++)
		{
			INTERRUPTS_AT(e);
			narrow[e] = (uint16_t) lists->column[e];
		}
		pairs->narrow = narrow;
	}
	else if (job->copy_columns)
		lists->column = PagesCopy(lists->column, cells, sizeof(uint32_t));
	if (job->copy_values)
		lists->value = PagesCopy(lists->value, cells, sizeof(float));
}

/* Gives the copies back. */
static void
free_lists(const Job *job, PairsInput *pairs)
{
	if (job->copy_columns)
		pfree(job->narrow ? unconstify(uint16_t *, pairs->narrow) : (void *) pairs->by_user.column);
	if (job->copy_values)
		pfree(pairs->by_user.value);
}

/* Takes ranges of items until none is left: turns each, and counts its rows. */
static void
count_ranges(const TeamMember *member, Count *count)
{
	const Job *job = member->job;
	const uint32_t *range = member->piece[PIECE_RANGE];
	const uint64_t *item_start = member->piece[PIECE_ITEM_START];
	uint32_t taken;

	copy_lists(job, &count->pairs);
	memset(count->sums, 0, sizeof(PairSum) * job->items);
	while ((taken = TeamNext(member)) < job->ranges)
	{
		/* Popular items first: they then have good neighbours when the many others are offered. */
		uint32_t first = range[taken];
		uint32_t end = range[taken + 1];
		Sparse *by_item = &count->pairs.by_item;

		ProgressDone(item_start[job->items] - item_start[end]);
		by_item->rows = end - first;
		for (uint32_t row = 0; row <= by_item->rows; row++)
			by_item->start[row] = item_start[first + row] - item_start[first];
		SparseTurnPlaces(&count->pairs.by_user, first, by_item, count->pairs.place);
		count->pairs.first = first;
		for (uint32_t i = first; i < end; i++)
		{
			INTERRUPTS();
			count_row(count, i);
		}
	}
	free_lists(job, &count->pairs);
}

/* A member's part: counts rows, and once all are counted, puts what is kept in order. */
static void
count_and_sort(const TeamMember *given)
{
	TeamMember member = *given;
	const Job *job = member.job;
	Count count = open_job(&member);
	uint64_t first;

	if (count.sums)
		count_ranges(&member, &count);
	else
		PassesWork(&member, &job->passes, PIECE_PASSES, offer_row, &count);
	TeamMeet(&member);
	while ((first = (uint64_t) TeamNext(&member) * SORTED_AT_ONCE) < job->items)
	{
		uint32_t end = (uint32_t) Min(first + SORTED_AT_ONCE, job->items);

		sort_slots(&count.from, (uint32_t) first, end);
		sort_slots(&count.to, (uint32_t) first, end);
	}
}

/* Where a worker starts. */
extern PGDLLEXPORT void CooccurrenceWorker(dsm_segment *segment, shm_toc *toc);

void
CooccurrenceWorker(dsm_segment *segment, shm_toc *toc)
{
	TeamJoin(toc, count_and_sort, sizeof(Job), PIECES);
}

/* How many ranges: fewer for few processes, where there is room for larger ones. */
static uint32_t
ranges_for(uint64_t cells, const Budget *budget)
{
	uint64_t few = (uint64_t) RANGES_EACH * (1 + BudgetWorkers(budget));
	uint64_t largest = cells / few * (sizeof(uint32_t) + sizeof(float));

	return few < RANGES && largest * ROOMY < BudgetLeft(budget) ? (uint32_t) few : RANGES;
}

/* Cuts the items into ranges; returns the first of each, and sets how many and how large. */
static uint32_t *
cut_ranges(Job *job, const uint64_t *item_start, Budget *budget)
{
	uint64_t wanted = item_start[job->items] / ranges_for(item_start[job->items], budget);
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
	slock_t *lock = BudgetAllocSharedResult(budget, items, sizeof(slock_t));

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
	uint64_t members = TeamMembers(budget, items * sizeof(PairSum) +
											   (items + 1) * (sizeof(uint32_t) + sizeof(uint64_t)) +
											   turned * 2 * sizeof(uint32_t));

	piece[PIECE_SUMS] = BudgetAllocShared(budget, items * members, sizeof(PairSum));
	piece[PIECE_TOUCHED] = BudgetAllocShared(budget, (items + 1) * members, sizeof(uint32_t));
	piece[PIECE_OWN] = BudgetAllocSharedLeast(budget, own_places(job->from_k, job->to_k) * members,
											  sizeof(uint64_t));
	piece[PIECE_TURN_START] = BudgetAllocShared(budget, (items + 1) * members, sizeof(uint64_t));
	piece[PIECE_TURN_COLUMN] = BudgetAllocShared(budget, turned * members, sizeof(uint32_t));
	piece[PIECE_TURN_PLACE] = BudgetAllocShared(budget, turned * members, sizeof(uint32_t));
	return (uint32_t) members;
}

/*
 * Decides whether each member reads users' lists from a copy of its own: where memory is left that nobody
 * else needs.  Returns what the copies of so many members take.
 */
static uint64_t
plan_copies(Job *job, const Sparse *by_user, uint64_t members, const Budget *budget)
{
	uint64_t cells = by_user->start[job->users];
	uint64_t left = BudgetLeft(budget) - Min(BudgetLeft(budget), SPARE);
	uint64_t columns;
	uint64_t values = by_user->value ? cells * members * sizeof(float) : 0;

	job->narrow = by_user->columns <= UINT32_C(1) << 16;
	columns = cells * members * (job->narrow ? sizeof(uint16_t) : sizeof(uint32_t));
	job->copy_columns = columns <= left;
	job->copy_values = values > 0 && columns + values <= left;
	return (job->copy_columns ? columns : 0) + (job->copy_values ? values : 0);
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

/* Has rows that are in memory counted there. */
static uint32_t
plan_in_memory(const Weighing *in, Job *job, void **piece, uint64_t *copies, Budget *budget)
{
	uint32_t members;

	piece[PIECE_USER_START] = in->by_user.start;
	piece[PIECE_USER_COLUMN] = in->by_user.column;
	piece[PIECE_USER_VALUE] = in->by_user.value;
	piece[PIECE_STEP] = in->step_of_count;
	piece[PIECE_ITEM_START] = in->item_start;
	piece[PIECE_RANGE] = cut_ranges(job, in->item_start, budget);
	members = make_scratch(job, piece, budget);
	*copies = plan_copies(job, &in->by_user, members, budget);
	return members;
}

/* Has rows that are on tape counted in passes. */
static uint32_t
plan_passes(const Weighing *in, Job *job, void **piece, Budget *budget)
{
	uint32_t most = 1 + BudgetWorkers(budget);
	uint64_t own = own_places(job->from_k, job->to_k);

	piece[PIECE_OWN] = BudgetAllocSharedLeast(budget, own * most, sizeof(uint64_t));
	return PassesPlan(in, in->item_start[job->items], most, &job->passes, piece + PIECE_PASSES,
					  budget);
}

/* Gives back what members worked with. */
static void
free_pieces(void **piece, Budget *budget)
{
	BudgetFree(budget, piece[PIECE_RANGE]);
	BudgetFree(budget, piece[PIECE_LOCK]);
	for (int p = PIECE_SUMS; p <= PIECE_TURN_PLACE; p++)
		BudgetFree(budget, piece[p]);
	PassesFree(piece + PIECE_PASSES, budget);
}

/* Counts rows, and puts what is kept in order, by a team. */
static void
count_rows(const CooccurrenceInput *input, const Weighing *in, CooccurrenceSlots *from,
		   CooccurrenceSlots *to, Budget *budget)
{
	Job job = {
		.items = input->rows.items,
		.users = input->rows.users,
		.from_k = from->k,
		.to_k = to->k,
		.rule = *input->rule,
		.scale = in->scale,
		.mean_list = in->mean_list,
		.uniform = in->by_user.uniform,
		.whole = in->whole,
		.unit = gram_unit(in->mass, input->rows.items),
	};
	void *piece[PIECES] = {
		[PIECE_SOURCE] = in->source,
		[PIECE_TARGET] = in->target,
		[PIECE_USERS] = in->users,
		[PIECE_NORM] = in->norm,
		[PIECE_LOCK] = CooccurrenceLocks(job.items, budget),
		[PIECE_FROM_START] = from->start,
		[PIECE_FROM_SLOT] = from->slot,
		[PIECE_FROM_COUNT] = from->count,
		[PIECE_FROM_LEAST] = from->least,
		[PIECE_TO_START] = to->start,
		[PIECE_TO_SLOT] = to->slot,
		[PIECE_TO_COUNT] = to->count,
		[PIECE_TO_LEAST] = to->least,
		[PIECE_GRAM] = input->gram,
	};
	TeamTask task = {.entry = "CooccurrenceWorker",
					 .work = count_and_sort,
					 .job = &job,
					 .size = sizeof(job),
					 .piece = piece,
					 .pieces = PIECES};
	uint64_t copies = 0;

	task.members = input->rows.memory ? plan_in_memory(in, &job, piece, &copies, budget)
									  : plan_passes(in, &job, piece, budget);
	job.locked = task.members > 1;
	BudgetHold(budget, 0, copies);
	TeamRun(&task, budget);
	BudgetHold(budget, copies, 0);
	free_pieces(piece, budget);
}

/* What one process needs to use rows that are counted in passes. */
static Count
count_of(const CooccurrenceInput *input, const Weighing *in)
{
	return (Count){
		.pairs = {.scale = in->scale},
		.table = {*input->rule, in->scale, in->source, in->target, in->users, NULL,
				  input->rows.users},
		.norm = in->norm,
		.whole = in->whole,
		.unit = gram_unit(in->mass, input->rows.items),
		.gram = input->gram,
	};
}

void
CooccurrenceRows(const CooccurrenceInput *input, CooccurrenceSlots *from, CooccurrenceSlots *to,
				 Budget *budget)
{
	Weighing *in = WeighingCreate(&input->rows, input->rule, budget);
	uint32_t items = input->rows.items;

	count_rows(input, in, from, to, budget);
	if (input->diagonal)
	{
		*input->unit = gram_unit(in->mass, items);
		for (uint32_t i = 0; i < items; i++)
			input->diagonal[i] = in->mass[i] / *input->unit;
	}
	WeighingFree(in, budget);
}

/* Who takes rows of values. */
typedef struct Taker
{
	Count count;
	float *values; /* [items], zero between rows */
	CooccurrenceTake take;
	void *with;
} Taker;

static void
take_row(const PairRow *row, void *with)
{
	Taker *taker = with;

	write_values(&taker->count, row, taker->values);
	taker->take(row->item, taker->values, taker->with);
	if (row->touched)
		for (uint32_t t = 0; t < row->count; t++)
			taker->values[row->touched[t]] = 0;
	else
		memset(taker->values, 0, sizeof(float) * row->count);
}

void
CooccurrenceEach(const CooccurrenceInput *input, CooccurrenceTake take, void *with, uint64_t steps,
				 Budget *budget)
{
	Weighing *in = WeighingCreate(&input->rows, input->rule, budget);
	Taker taker = {
		.count = count_of(input, in),
		.values = BudgetZeroedResult(budget, input->rows.items, sizeof(float)),
		.take = take,
		.with = with,
	};

	PassesRows(in, take_row, &taker, steps, budget);
	BudgetFree(budget, taker.values);
	WeighingFree(in, budget);
}
