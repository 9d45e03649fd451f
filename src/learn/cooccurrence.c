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
#include "learn/counting.h"

/* What one member offers pairs by, and to whom. */
typedef struct Count
{
	SimilarityTable table;
	CountingUnit unit;
	CooccurrenceSlots from;
	CooccurrenceSlots to;
	slock_t *lock; /* [items], held while an item's slots change; NULL for one process */
	float *gram;
	uint64_t *own; /* what the row's item gets, twice as many as both its slots hold */
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
	uint32_t from_k;
	uint32_t to_k;
	bool locked;
	CountingUnit unit; /* the norm is a piece */
	SimilarityRule rule;
	CountingJob counting;
} Job;

enum
{
	PIECE_SOURCE,
	PIECE_TARGET,
	PIECE_USERS,
	PIECE_NORM,
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
	PIECE_OWN, /* of each member */
	PIECE_COUNTING,
	PIECES = PIECE_COUNTING + COUNTING_PIECES
};

StaticAssertDecl(PIECES <= TEAM_PIECES, "a job has more pieces than a team may share");

/* Items whose best are put in order by one member at a time. */
#define SORTED_AT_ONCE 256

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
		uint32_t users = PairUsers(row->sums[other], count->table.scale);

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
		uint32_t users = PairUsers(row->sums[other], count->table.scale);
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
		CountingValues(&count->unit, row,
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
	Count count = {
		.table = {job->rule, job->unit.scale, piece[PIECE_SOURCE], piece[PIECE_TARGET],
				  piece[PIECE_USERS], NULL, job->users},
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
		.own = TeamShare(member, PIECE_OWN, own_places(job->from_k, job->to_k) * sizeof(uint64_t)),
	};

	count.unit.norm = piece[PIECE_NORM];
	return count;
}

/* A member's part: counts rows, and once all are counted, puts what is kept in order. */
static void
count_and_sort(const TeamMember *given)
{
	TeamMember member = *given;
	const Job *job = member.job;
	Count count = open_job(&member);
	uint64_t first;

	CountingWork(&member, &job->counting, PIECE_COUNTING, offer_row, &count);
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

slock_t *
CooccurrenceLocks(uint32_t items, Budget *budget)
{
	slock_t *lock = BudgetAllocSharedResult(budget, items, sizeof(slock_t));

	for (uint32_t i = 0; i < items; i++)
		SpinLockInit(&lock[i]);
	return lock;
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
		.unit = CountingUnitOf(in),
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
	uint64_t own = own_places(job.from_k, job.to_k) * (1 + BudgetWorkers(budget));

	piece[PIECE_OWN] = BudgetAllocSharedLeast(budget, own, sizeof(uint64_t));
	task.members =
		CountingPlan(in, in->item_start[job.items], &job.counting, piece + PIECE_COUNTING, budget);
	job.locked = task.members > 1;
	TeamRun(&task, budget);
	CountingFree(&job.counting, piece + PIECE_COUNTING, budget);
	BudgetFree(budget, piece[PIECE_OWN]);
	BudgetFree(budget, piece[PIECE_LOCK]);
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
		*input->unit = CountingUnitOf(in).unit;
		for (uint32_t i = 0; i < items; i++)
			input->diagonal[i] = in->mass[i] / *input->unit;
	}
	WeighingFree(in, budget);
}
