/*
 * cooccurrence.c: every row of A'A, and the k best of each.
 *
 * A row stands for pairs of an item with the more popular ones, and each pair is offered to
 * both of its items.  Which k stay does not depend on the order of offers, nor do the sums on the
 * order of users: any number of processes may share the rows, and any number of passes go over
 * the users, with the same answer.
 *
 * Of the 14,000 pairs that a row of 20 million events has on average, 765 got in at the row's own item, most of
 * them before better ones came, and were thrown out again.  So the row is looked through beforehand: of k
 * blocks of pairs the best is worth at least so much (SimilarityPeaks), and what is worth less cannot stay.  220 get
 * in then, those of the most popular items among them, whose rows have no k blocks.
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
	uint64_t *own;  /* what the row's item gets, twice as many as both its slots hold */
	uint64_t *peak; /* [blocks of items] */
} Count;

/* The same of the first users, and of all, where pairs of both are counted at once. */
typedef struct Counts
{
	Count all;
	Count first;
} Counts;

/* So many of a row's offers to other items wait for each other. */
#define WAITING 32

/*
 * What a row has to offer as source, or as target, put aside.
 *
 * What its own item gets, until the row ends: nearly all that gets in anywhere gets in there, and most of that
 * leaves again.  To choose the better half of many at a time costs less than a heap.
 *
 * What other items get, until there is much of it: what an item holds lies anywhere in memory, and is sent for
 * meanwhile.  Learning weighted neighbours of 20 million events, .74 million of which get in, takes .975 of the time.
 */
typedef struct Offers
{
	const CooccurrenceSlots *slots;
	uint64_t *key; /* twice as many as the slots of an item hold */
	uint32_t count;
	uint32_t waiting;
	uint32_t other[WAITING];
	Best pair[WAITING];
} Offers;

/* Whose pairs are offered, and how. */
typedef struct Offering
{
	uint32_t users;
	uint32_t from_k;
	uint32_t to_k;
	CountingUnit unit; /* the norm is a piece */
	SimilarityRule rule;
} Offering;

/* What members share: the job, and its pieces. */
typedef struct Job
{
	uint32_t items;
	bool locked;
	bool both; /* of the first users as well */
	Offering all;
	Offering first;
	CountingJob counting;
} Job;

enum
{
	OFFERING_SOURCE,
	OFFERING_TARGET,
	OFFERING_USERS,
	OFFERING_NORM,
	OFFERING_FROM_START,
	OFFERING_FROM_SLOT,
	OFFERING_FROM_COUNT,
	OFFERING_FROM_LEAST,
	OFFERING_TO_START,
	OFFERING_TO_SLOT,
	OFFERING_TO_COUNT,
	OFFERING_TO_LEAST,
	OFFERING_GRAM,
	OFFERING_PIECES
};

enum
{
	PIECE_ALL,
	PIECE_FIRST = PIECE_ALL + OFFERING_PIECES,
	PIECE_LOCK = PIECE_FIRST + OFFERING_PIECES,
	PIECE_OWN, /* of each member */
	PIECE_COUNTING,
	PIECES = PIECE_COUNTING + COUNTING_PIECES
};

StaticAssertDecl(PIECES <= TEAM_PIECES, "a job has more pieces than a team may share");

/* Items whose best are put in order by one member at a time. */
#define SORTED_AT_ONCE 256

/* Adds up the other cells of each item's users, of the items from one on. */
static uint64_t *
count_others(const CooccurrenceInput *input, uint32_t first, Budget *budget)
{
	uint64_t *others = BudgetZeroedResult(budget, input->rows.items, sizeof(uint64_t));
	RowsWalk walk = RowsOpen(&input->rows, budget);
	Row row;

	while (RowsNext(&walk, &row))
		for (uint32_t c = row.count; c-- > 0 && row.item[c] >= first;)
			others[row.item[c]] += row.count - 1;
	RowsClose(&walk);
	return others;
}

/*
 * How many others an item can be paired with, at most so many: those of its users' other cells, each of which
 * takes as many users as min_support.  Items of many users are given all places without a look, and so are the rest
 * where their places, as sources or as targets, take no more than a byte for each cell that there is.
 */
static uint32_t *
bound_pairs(const CooccurrenceInput *input, uint32_t most, Budget *budget)
{
	const uint32_t *users = input->rows.item_users;
	uint32_t items = input->rows.items;
	uint32_t support = Max(input->rule->min_support, 1);
	uint64_t enough = (uint64_t) most * support;
	uint32_t *bound = BudgetAllocResult(budget, items, sizeof(uint32_t));
	uint64_t *others = NULL;
	uint32_t few = 0; /* the first item of so few users that they may have less than enough */
	uint64_t cells = 0;

	while (few < items && users[few] >= enough)
		few++;
	for (uint32_t i = 0; i < items; i++)
		cells += users[i];
	if ((uint64_t) (items - few) * most * sizeof(Best) > cells)
		others = count_others(input, few, budget);
	for (uint32_t i = 0; i < items; i++)
	{
		uint64_t pairs = i < few || others == NULL ? enough : Min(others[i], enough);

		bound[i] = users[i] < support ? 0 : (uint32_t) (pairs / support);
	}
	BudgetFree(budget, others);
	return bound;
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

static void
open_offers(Offers *offers, const CooccurrenceSlots *slots, uint64_t *key)
{
	offers->slots = slots;
	offers->key = key;
	offers->count = 0;
	offers->waiting = 0;
}

/* Gathers a pair of the row's own item, unless it cannot get in. */
static inline void
gather(const Count *count, Offers *own, uint32_t item, uint32_t other, float value)
{
	const CooccurrenceSlots *slots = own->slots;
	uint32_t places;

	if (!CooccurrenceMayGetIn(slots, item, value))
		return;
	places = CooccurrencePlaces(slots, item);
	own->key[own->count++] = BestKey(other, value);
	if (own->count < 2 * places)
		return;

	BestSelect(own->key, own->count, places);
	own->count = places;
	CooccurrenceRaise(slots, count->lock, item, BestKeyValue(own->key[places - 1]));
}

/*
 * Makes known what a row's own item will get at the least: there are so many blocks of pairs the best of
 * which is worth as much.  Else the first pairs that come would all get in.
 */
static void
foresee(const Count *count, const PairRow *row, const CooccurrenceSlots *slots, bool as_source)
{
	uint32_t places = CooccurrencePlaces(slots, row->item);
	uint32_t blocks = SimilarityBlocks(row->item);

	if (places == 0 || blocks < places || row->touched ||
		!SimilarityPeaks(&count->table, row, as_source, count->peak))
		return;
	BestSelect(count->peak, blocks, places);
	CooccurrenceRaise(slots, count->lock, row->item, BestKeyValue(count->peak[places - 1]));
}

/*
 * Makes room in an item's slot for the best of what its row gathered, as far as they are better than what others
 * have offered before, who are less popular.  Moves those that get in to the front of the keys, perhaps with
 * some of these others; returns how many to look at.
 */
static uint32_t
make_room(const CooccurrenceSlots *slots, uint32_t item, Offers *own, uint32_t places)
{
	Best *slot = CooccurrenceSlot(slots, item);
	uint32_t held = slots->count[item];
	uint32_t all = own->count;
	uint32_t kept = 0;

	if (held + own->count <= places)
		return own->count;
	for (uint32_t n = 0; n < held; n++)
	{
		Assert(slot[n].index > item);
		own->key[all++] = BestKey(slot[n].index, slot[n].value);
	}
	BestSelect(own->key, all, places);
	for (uint32_t n = 0; n < held; n++)
		if (BestKey(slot[n].index, slot[n].value) >= own->key[places - 1])
			slot[kept++] = slot[n];
	slots->count[item] = kept;
	return places;
}

/*
 * Offers what was gathered all at once, at most as many as there are places.  The lock is held for some
 * microseconds, in which nothing can fail or wait, and hardly anybody else wants that of this item.
 */
static void
offer_gathered(const Count *count, Offers *own, const PairRow *row)
{
	const CooccurrenceSlots *slots = own->slots;
	uint32_t item = row->item;
	uint32_t places = CooccurrencePlaces(slots, item);
	Best *slot = CooccurrenceSlot(slots, item);
	uint32_t n;

	if (own->count > places)
		BestSelect(own->key, own->count, places);
	own->count = Min(own->count, places);
	if (own->count == 0)
		return;
	if (count->lock)
		SpinLockAcquire(&count->lock[item]);
	n = make_room(slots, item, own, places);
	for (uint32_t k = 0; k < n; k++)
	{
		uint32_t other = BestKeyIndex(own->key[k]);

		if (other < item)
			slot[slots->count[item]++] =
				(Best){other, PairUsers(PairRowSum(row, other), count->table.scale),
					   BestKeyValue(own->key[k])};
	}
	BestHeap(slot, slots->count[item]);
	if (slots->count[item] == places)
		slots->least[item] = Max(slots->least[item], slot[0].value);
	if (count->lock)
		SpinLockRelease(&count->lock[item]);
}

/* Offers what waits. */
static void
offer_waiting(const Count *count, Offers *offers)
{
	for (uint32_t w = 0; w < offers->waiting; w++)
		CooccurrenceOffer(offers->slots, count->lock, offers->other[w], offers->pair[w]);
	offers->waiting = 0;
}

/* Has a pair wait for another item, unless it cannot get in. */
static inline void
put_aside(const Count *count, Offers *offers, uint32_t other, Best pair)
{
	const CooccurrenceSlots *slots = offers->slots;

	if (!CooccurrenceMayGetIn(slots, other, pair.value))
		return;
	BestSendFor(CooccurrenceSlot(slots, other), CooccurrencePlaces(slots, other));
	offers->other[offers->waiting] = other;
	offers->pair[offers->waiting++] = pair;
	if (offers->waiting == WAITING)
		offer_waiting(count, offers);
}

/* Offers what a part of a row has to offer; what its own item gets is gathered. */
static void
offer_part(const Count *count, const PairRow *row, Offers *from, Offers *to, uint32_t first,
		   uint32_t n)
{
	SimilarityLeast least = {count->from.least, count->to.least};
	uint32_t item = row->item;
	uint32_t found[SIMILARITY_PART];
	uint32_t many = SimilaritySift(&count->table, row, first, n, &least, found);

	for (uint32_t f = 0; f < many; f++)
	{
		uint32_t other = found[f];
		PairSum sum = PairRowSum(row, other);
		uint32_t users = PairUsers(sum, count->table.scale);
		float speaks;
		float spoken;

		SimilarityPair(&count->table, item, other, sum, &speaks, &spoken);
		gather(count, from, item, other, speaks);
		put_aside(count, to, other, (Best){item, users, speaks});
		put_aside(count, from, other, (Best){item, users, spoken});
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
	const Counts *counts = with;
	const Count *count = row->first ? &counts->first : &counts->all;
	Offers from;
	Offers to;
	uint32_t left = row->count;

	open_offers(&from, &count->from, count->own);
	open_offers(&to, &count->to, count->own + 2 * (uint64_t) count->from.k);
	if (count->gram)
		CountingValues(&count->unit, row,
					   count->gram + (uint64_t) row->item * (row->item - Min(row->item, 1)) / 2);
	foresee(count, row, &count->from, true);
	foresee(count, row, &count->to, false);
	while (left > 0)
	{
		uint32_t n = Min(left, SIMILARITY_PART);

		left -= n;
		offer_part(count, row, &from, &to, left, n);
	}
	offer_waiting(count, &from);
	offer_waiting(count, &to);
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
own_places(const Job *job)
{
	uint64_t all = (uint64_t) job->all.from_k + job->all.to_k;
	uint64_t first = (uint64_t) job->first.from_k + job->first.to_k;

	return 2 * Max(all, first);
}

/* Numbers that each member has to itself: these, and one of each block of a row. */
static uint64_t
own_numbers(const Job *job)
{
	return own_places(job) + SimilarityBlocks(job->items);
}

/* One of the offerings as a member sees it. */
static Count
open_offering(const TeamMember *member, const Offering *offering, int first)
{
	const Job *job = member->job;
	void **piece = member->piece + first;
	Count count = {
		.table = {offering->rule, offering->unit.scale, piece[OFFERING_SOURCE],
				  piece[OFFERING_TARGET], piece[OFFERING_USERS], NULL, offering->users},
		.unit = offering->unit,
		.from = {.k = offering->from_k,
				 .start = piece[OFFERING_FROM_START],
				 .slot = piece[OFFERING_FROM_SLOT],
				 .count = piece[OFFERING_FROM_COUNT],
				 .least = piece[OFFERING_FROM_LEAST]},
		.to = {.k = offering->to_k,
			   .start = piece[OFFERING_TO_START],
			   .slot = piece[OFFERING_TO_SLOT],
			   .count = piece[OFFERING_TO_COUNT],
			   .least = piece[OFFERING_TO_LEAST]},
		.lock = job->locked ? member->piece[PIECE_LOCK] : NULL,
		.gram = piece[OFFERING_GRAM],
		.own = TeamShare(member, PIECE_OWN, own_numbers(job) * sizeof(uint64_t)),
	};

	count.peak = count.own + own_places(job);
	count.unit.norm = piece[OFFERING_NORM];
	return count;
}

/* A member's part: counts rows, and once all are counted, puts what is kept in order. */
static void
count_and_sort(const TeamMember *given)
{
	TeamMember member = *given;
	const Job *job = member.job;
	Counts counts = {.all = open_offering(&member, &job->all, PIECE_ALL)};
	uint64_t first;

	if (job->both)
		counts.first = open_offering(&member, &job->first, PIECE_FIRST);
	CountingWork(&member, &job->counting, PIECE_COUNTING, offer_row, &counts);
	TeamMeet(&member);
	while ((first = (uint64_t) TeamNext(&member) * SORTED_AT_ONCE) < job->items)
	{
		uint32_t end = (uint32_t) Min(first + SORTED_AT_ONCE, job->items);

		sort_slots(&counts.all.from, (uint32_t) first, end);
		sort_slots(&counts.all.to, (uint32_t) first, end);
		if (!job->both)
			continue;
		sort_slots(&counts.first.from, (uint32_t) first, end);
		sort_slots(&counts.first.to, (uint32_t) first, end);
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

/* What is to be offered of weighed rows. */
static Offering
plan_offering(const CooccurrenceInput *input, const Weighing *in, const CooccurrenceSlots *from,
			  const CooccurrenceSlots *to, void **piece)
{
	piece[OFFERING_SOURCE] = in->source;
	piece[OFFERING_TARGET] = in->target;
	piece[OFFERING_USERS] = in->users;
	piece[OFFERING_NORM] = in->norm;
	piece[OFFERING_FROM_START] = from->start;
	piece[OFFERING_FROM_SLOT] = from->slot;
	piece[OFFERING_FROM_COUNT] = from->count;
	piece[OFFERING_FROM_LEAST] = from->least;
	piece[OFFERING_TO_START] = to->start;
	piece[OFFERING_TO_SLOT] = to->slot;
	piece[OFFERING_TO_COUNT] = to->count;
	piece[OFFERING_TO_LEAST] = to->least;
	piece[OFFERING_GRAM] = input->gram;
	return (Offering){.users = in->rows.users,
					  .from_k = from->k,
					  .to_k = to->k,
					  .rule = *input->rule,
					  .unit = CountingUnitOf(in)};
}

/* Counts rows, and puts what is kept in order, by a team. */
static void
run(Job *job, const Weighing *in, void **piece, Budget *budget)
{
	TeamTask task = {.entry = "CooccurrenceWorker",
					 .work = count_and_sort,
					 .job = job,
					 .size = sizeof(*job),
					 .piece = piece,
					 .pieces = PIECES};

	job->items = in->rows.items;
	piece[PIECE_LOCK] = CooccurrenceLocks(job->items, budget);
	piece[PIECE_OWN] = BudgetAllocSharedLeast(
		budget, own_numbers(job) * (1 + BudgetWorkers(budget)), sizeof(uint64_t));
	task.members = CountingPlan(in, in->item_start[job->items], &job->counting,
								piece + PIECE_COUNTING, budget);
	if (job->both)
		CountingSplit(&job->counting, job->first.users);
	job->locked = task.members > 1;
	TeamRun(&task, budget);
	CountingFree(&job->counting, piece + PIECE_COUNTING, budget);
	BudgetFree(budget, piece[PIECE_OWN]);
	BudgetFree(budget, piece[PIECE_LOCK]);
}

/* Tells what every item has with itself, where somebody asks. */
static void
tell_diagonal(const CooccurrenceInput *input, const Weighing *in)
{
	if (input->diagonal == NULL)
		return;
	*input->unit = CountingUnitOf(in).unit;
	for (uint32_t i = 0; i < input->rows.items; i++)
		input->diagonal[i] = in->mass[i] / *input->unit;
}

void
CooccurrenceRows(const CooccurrenceInput *input, CooccurrenceSlots *from, CooccurrenceSlots *to,
				 Budget *budget)
{
	Weighing *in = WeighingCreate(&input->rows, input->rule, budget);
	void *piece[PIECES] = {0};
	Job job = {0};

	job.all = plan_offering(input, in, from, to, piece + PIECE_ALL);
	run(&job, in, piece, budget);
	tell_diagonal(input, in);
	WeighingFree(in, budget);
}

void
CooccurrenceBoth(const CooccurrenceBest *first, const CooccurrenceBest *all, Budget *budget)
{
	Weighing *in = WeighingCreate(&all->input->rows, all->input->rule, budget);
	Weighing *in_first = WeighingWithin(in, &first->input->rows, budget);
	void *piece[PIECES] = {0};
	Job job = {.both = true};

	job.all = plan_offering(all->input, in, all->from, all->to, piece + PIECE_ALL);
	job.first = plan_offering(first->input, in_first, first->from, first->to, piece + PIECE_FIRST);
	run(&job, in, piece, budget);
	tell_diagonal(first->input, in_first);
	tell_diagonal(all->input, in);
	WeighingFree(in_first, budget);
	WeighingFree(in, budget);
}
