#include "learn/counting.h"

#include <math.h>

#include "base/interrupts.h"
#include "base/pages.h"
#include "base/progress.h"

/*
 * Items are turned and counted by ranges of about equal numbers of entries, not so many that walking the
 * users for each costs; and where several count, of less work towards the end.  These share each range, item by
 * item, so that they are at items of about the same popularity: an item whose own row is not done yet takes much
 * of what less popular ones offer, nearly all in vain.  Learning counts of 20 million events by two processes,
 * offers that got in: 2.0 million where each had a range to itself, .2 million so.
 */
#define RANGES      64
#define RANGES_EACH 16          /* of a process, where there are few */
#define ROOMY       32          /* so many times a range must be left */
#define LITTLE      (1.0 / 256) /* of all the work */
/* Any two that follow each other pass what is wanted of one, or that little. */
#define RANGES_MOST (2 * (RANGES + 256) + 2)

/* What is left of memory, and of shared memory, for small things when all else is taken. */
#define SPARE (1024 * 1024)

/* What one member counts from and into. */
typedef struct Counter
{
	const CountingJob *job;
	const uint64_t *item_start;
	const uint32_t *range;
	PairsInput pairs;
	uint32_t *reached; /* with a copy of the lists: [users], as SparseTurnNext has it */
	PairSum *sums;     /* [items], zero between rows; or counts in the same memory */
	uint32_t *touched; /* [items + 1] */
	PassesTake take;
	void *with;
} Counter;

/* How many ranges: fewer for few processes, where there is room for larger ones. */
static uint32_t
ranges_for(uint64_t cells, const Budget *budget)
{
	uint64_t few = (uint64_t) RANGES_EACH * (1 + BudgetWorkers(budget));
	uint64_t largest = cells / few * (sizeof(uint32_t) + sizeof(float));

	return few < RANGES && largest * ROOMY < BudgetLeft(budget) ? (uint32_t) few : RANGES;
}

/*
 * Where the range that begins with an item ends: it has as many entries as are wanted, and of several
 * processes none takes more than its share of half the work that is left, down to a little, so that none
 * waits long for the last.  A user's entries are added to those before them: so what is counted up to
 * an item goes by the square of the entries up to there.
 */
static uint32_t
range_end(const uint64_t *item_start, uint32_t first, uint32_t items, uint64_t wanted,
		  uint32_t processes)
{
	double all = Max((double) item_start[items], 1);
	double done = (double) item_start[first] / all;
	double work = processes > 1 ? Max((1 - done * done) / 2, LITTLE * processes) : 1;
	uint32_t end = first + 1;

	while (end < items && item_start[end + 1] - item_start[first] <= wanted)
	{
		double then = (double) item_start[end + 1] / all;

		if (then * then - done * done > work)
			break;
		end++;
	}
	return end;
}

/* Entries of the largest share of a range. */
static uint64_t
largest_share(const uint64_t *item_start, uint32_t first, uint32_t end, uint32_t shares)
{
	uint64_t largest = 0;

	for (uint32_t share = 0; share < shares; share++)
	{
		uint64_t entries = 0;

		for (uint64_t i = (uint64_t) first + share; i < end; i += shares)
			entries += item_start[i + 1] - item_start[i];
		largest = Max(largest, entries);
	}
	return largest;
}

/* Cuts the items into ranges; returns the first of each, and sets how many and how large. */
static uint32_t *
cut_ranges(CountingJob *job, const uint64_t *item_start, Budget *budget)
{
	uint32_t shares = job->shares;
	uint64_t wanted = item_start[job->items] / ranges_for(item_start[job->items], budget) * shares;
	uint32_t *range =
		BudgetAllocShared(budget, (uint64_t) Min(job->items, RANGES_MOST) + 1, sizeof(uint32_t));

	for (uint32_t first = 0; first < job->items; first = range[job->ranges])
	{
		uint32_t end = range_end(item_start, first, job->items, wanted, shares);

		range[job->ranges++] = first;
		range[job->ranges] = end;
		job->share_most = Max(job->share_most, largest_share(item_start, first, end, shares));
	}
	return range;
}

/* Scratch memory for as many members as there is memory for; returns their number. */
static uint32_t
make_scratch(const CountingJob *job, void **piece, Budget *budget)
{
	uint64_t items = job->items;
	uint64_t turned = job->share_most + 1;
	uint64_t members = TeamMembers(budget, items * sizeof(PairSum) +
											   (items + 1) * (sizeof(uint32_t) + sizeof(uint64_t)) +
											   turned * 2 * sizeof(uint32_t));

	piece[COUNTING_SUMS] = BudgetAllocShared(budget, items * members, sizeof(PairSum));
	piece[COUNTING_TOUCHED] = BudgetAllocShared(budget, (items + 1) * members, sizeof(uint32_t));
	piece[COUNTING_TURN_START] = BudgetAllocShared(budget, (items + 1) * members, sizeof(uint64_t));
	piece[COUNTING_TURN_COLUMN] = BudgetAllocShared(budget, turned * members, sizeof(uint32_t));
	piece[COUNTING_TURN_PLACE] = BudgetAllocShared(budget, turned * members, sizeof(uint32_t));
	return (uint32_t) members;
}

/*
 * Decides whether each member reads users' lists from a copy of its own, and remembers how far it turned them:
 * where memory is left that nobody else needs.
 */
static void
plan_copies(CountingJob *job, const Weighing *in, uint64_t members, const Budget *budget)
{
	const Sparse *by_user = &in->by_user;
	uint64_t cells = by_user->start[job->users];
	uint64_t left = BudgetLeft(budget) - Min(BudgetLeft(budget), SPARE);
	uint64_t columns;
	uint64_t value = by_user->value ? sizeof(float) : in->levels.code ? sizeof(uint8_t) : 0;
	uint64_t values = cells * members * value;

	job->narrow = by_user->columns <= UINT32_C(1) << 16;
	columns = members * (cells * (job->narrow ? sizeof(uint16_t) : sizeof(uint32_t)) +
						 job->users * sizeof(uint32_t));
	job->copy_columns = columns <= left;
	job->copy_values = values > 0 && columns + values <= left;
	job->copies = (job->copy_columns ? columns : 0) + (job->copy_values ? values : 0);
}

uint32_t
CountingPlan(const Weighing *in, uint64_t steps, CountingJob *job, void **piece, Budget *budget)
{
	uint32_t members;

	*job = (CountingJob){
		.items = in->rows.items,
		.users = in->rows.users,
		.shares = 1 + BudgetWorkers(budget),
		.uniform = in->by_user.uniform,
		.in_memory = in->rows.memory != NULL,
		.mean_list = in->mean_list,
		.scale = in->scale,
		.same = WeighingSame(in),
		.steps = steps,
	};
	memset(piece, 0, sizeof(void *) * COUNTING_PIECES);
	if (!job->in_memory)
		return PassesPlan(in, steps, 1 + BudgetWorkers(budget), &job->passes,
						  piece + COUNTING_PASSES, budget);
	piece[COUNTING_USER_START] = in->by_user.start;
	piece[COUNTING_USER_COLUMN] = in->by_user.column;
	piece[COUNTING_USER_VALUE] = in->by_user.value;
	piece[COUNTING_CODE] = (void *) in->levels.code;
	piece[COUNTING_LEVEL_VALUE] = (void *) in->levels.value;
	piece[COUNTING_LEVEL_ROOT] = (void *) in->levels.root;
	piece[COUNTING_LEVEL_NEEDED] = (void *) in->levels.needed;
	piece[COUNTING_STEP] = in->step_of_count;
	piece[COUNTING_ITEM_START] = in->item_start;
	piece[COUNTING_RANGE] = cut_ranges(job, in->item_start, budget);
	members = make_scratch(job, piece, budget);
	plan_copies(job, in, members, budget);
	BudgetHold(budget, 0, job->copies);
	return members;
}

void
CountingFree(const CountingJob *job, void **piece, Budget *budget)
{
	BudgetHold(budget, job->copies, 0);
	for (int p = COUNTING_RANGE; p <= COUNTING_TURN_PLACE; p++)
		BudgetFree(budget, piece[p]);
	PassesFree(piece + COUNTING_PASSES, budget);
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
copy_lists(const CountingJob *job, Counter *counter)
{
	PairsInput *pairs = &counter->pairs;
	Sparse *lists = &pairs->by_user;
	uint64_t cells = lists->start[job->users];

	if (job->copy_columns)
		counter->reached = palloc_extended(Max(sizeof(uint32_t) * (Size) job->users, 1),
										   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	pairs->begins = job->copy_columns && job->same > 0 && job->split == 0 && cells <= UINT32_MAX;
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
	if (job->copy_values && lists->value)
		lists->value = PagesCopy(lists->value, cells, sizeof(float));
	else if (job->copy_values)
		pairs->levels.code = PagesCopy(pairs->levels.code, cells, sizeof(uint8_t));
}

/* Gives the copies back. */
static void
free_lists(const CountingJob *job, Counter *counter)
{
	PairsInput *pairs = &counter->pairs;

	if (job->copy_columns)
	{
		pfree(counter->reached);
		pfree(job->narrow ? unconstify(uint16_t *, pairs->narrow) : (void *) pairs->by_user.column);
	}
	if (job->copy_values)
		pfree(pairs->by_user.value ? (void *) pairs->by_user.value
								   : unconstify(uint8_t *, pairs->levels.code));
}

void
CountingSplit(CountingJob *job, uint32_t users)
{
	Assert(job->in_memory);
	job->split = users;
}

/* Hands over what is counted of a row. */
static void
hand_over(Counter *counter, PairRow *row, bool listed)
{
	row->touched = listed ? counter->touched : NULL;
	if (!listed)
		row->count = row->item;
	counter->take(row, counter->with);
}

/* Counts one row, hands it over, and leaves the sums at zero. */
static void
count_row(Counter *counter, uint32_t item)
{
	PairRow row = {.item = item, .sums = counter->sums};
	uint32_t split = counter->job->split;
	bool listed;

	if (split == 0 && PairsCount(&counter->pairs, item, (uint32_t *) counter->sums))
	{
		row.counts = (const uint32_t *) counter->sums;
		row.same = counter->job->same;
		hand_over(counter, &row, false);
		memset(counter->sums, 0, sizeof(uint32_t) * item);
		return;
	}
	if (split > 0)
	{
		listed = PairsRowBefore(&counter->pairs, item, split, counter->sums, counter->touched,
								&row.count);
		row.first = true;
		hand_over(counter, &row, listed);
		row.first = false;
		listed =
			PairsRowRest(&counter->pairs, item, split, counter->sums, counter->touched, &row.count);
	}
	else
		listed = PairsRow(&counter->pairs, item, counter->sums, counter->touched, &row.count);
	hand_over(counter, &row, listed);
	if (listed)
		for (uint32_t t = 0; t < row.count; t++)
			counter->sums[row.touched[t]] = 0;
	else
		memset(counter->sums, 0, sizeof(PairSum) * item);
}

/* Marks the items of a share of a range, and puts down where the users of each will be; of others there are none. */
static const unsigned char *
want_share(Counter *counter, uint32_t first, uint32_t end, uint32_t share)
{
	/* Nothing is listed there while a range is turned. */
	unsigned char *wanted = (unsigned char *) counter->touched;
	const uint64_t *item_start = counter->item_start;
	uint64_t *start = counter->pairs.by_item.start;
	uint32_t shares = counter->job->shares;

	start[0] = 0;
	for (uint32_t i = first; i < end; i++)
	{
		uint32_t row = i - first;

		wanted[row] = row % shares == share;
		start[row + 1] = start[row] + (wanted[row] ? item_start[i + 1] - item_start[i] : 0);
	}
	return shares > 1 ? wanted : NULL;
}

/* Turns a share of a range and counts its rows. */
static void
count_share(Counter *counter, uint32_t first, uint32_t end, uint32_t share)
{
	PairsInput *pairs = &counter->pairs;
	uint32_t shares = counter->job->shares;
	SparseRange range = {.first = first, .again = shares > 1, .begins = pairs->begins};

	pairs->first = first;
	pairs->by_item.rows = end - first;
	range.wanted = want_share(counter, first, end, share);
	if (counter->reached)
		SparseTurnNext(&pairs->by_user, pairs->narrow, &range, &pairs->by_item, pairs->place,
					   counter->reached);
	else
		SparseTurnPlaces(&pairs->by_user, first, range.wanted, &pairs->by_item, pairs->place);
	for (uint64_t i = (uint64_t) first + share; i < end; i += shares)
	{
		INTERRUPTS();
		count_row(counter, (uint32_t) i);
	}
}

/* Takes shares of ranges until none is left. */
static void
count_ranges(const TeamMember *member, Counter *counter)
{
	const CountingJob *job = counter->job;
	double cells = Max((double) counter->item_start[job->items], 1);
	uint32_t taken;

	copy_lists(job, counter);
	memset(counter->sums, 0, sizeof(PairSum) * job->items);
	while ((taken = TeamNext(member)) < job->ranges * job->shares)
	{
		/* Popular items first: they then have good neighbours when the many others are offered. */
		const uint32_t *range = &counter->range[taken / job->shares];
		uint32_t share = taken % job->shares;
		double before = (double) counter->item_start[range[0]];
		double after = (double) counter->item_start[range[1]];

		if (range[0] + share < range[1])
			count_share(counter, range[0], range[1], share);
		ProgressDone((uint64) ((before + (after - before) * (share + 1) / job->shares) / cells *
							   (double) job->steps));
	}
	free_lists(job, counter);
}

/* The job in memory as one member sees it. */
static Counter
open_job(const TeamMember *member, const CountingJob *job, int first)
{
	void **piece = member->piece + first;
	uint64_t items = job->items;

	return (Counter){
		.job = job,
		.item_start = piece[COUNTING_ITEM_START],
		.range = piece[COUNTING_RANGE],
		.pairs = {.by_user = {.rows = job->users,
							  .columns = job->items,
							  .start = piece[COUNTING_USER_START],
							  .column = piece[COUNTING_USER_COLUMN],
							  .value = piece[COUNTING_USER_VALUE],
							  .uniform = job->uniform},
				  .by_item = {.columns = job->users,
							  .start = TeamShare(member, first + COUNTING_TURN_START,
												 sizeof(uint64_t) * (items + 1)),
							  .column = TeamShare(member, first + COUNTING_TURN_COLUMN,
												  sizeof(uint32_t) * (job->share_most + 1))},
				  .place = TeamShare(member, first + COUNTING_TURN_PLACE,
									 sizeof(uint32_t) * (job->share_most + 1)),
				  .levels = {piece[COUNTING_CODE], piece[COUNTING_LEVEL_VALUE],
							 piece[COUNTING_LEVEL_ROOT], piece[COUNTING_LEVEL_NEEDED]},
				  .step_of_count = piece[COUNTING_STEP],
				  .same = job->same,
				  .scale = job->scale,
				  .mean_list = job->mean_list},
		.sums = TeamShare(member, first + COUNTING_SUMS, sizeof(PairSum) * items),
		.touched = TeamShare(member, first + COUNTING_TOUCHED, sizeof(uint32_t) * (items + 1)),
	};
}

void
CountingWork(const TeamMember *member, const CountingJob *job, int first, PassesTake take,
			 void *with)
{
	Counter counter;

	if (!job->in_memory)
	{
		PassesWork(member, &job->passes, first + COUNTING_PASSES, take, with);
		return;
	}
	counter = open_job(member, job, first);
	counter.take = take;
	counter.with = with;
	count_ranges(member, &counter);
}

/* The power of four next above the mean of the diagonal. */
static double
unit_of(const double *mass, uint32_t items)
{
	double sum = 0;
	int exponent = 0;

	for (uint32_t i = 0; i < items; i++)
		sum += mass[i];
	if (sum > 0)
		frexp(sum / items, &exponent);
	return ldexp(1, exponent + (exponent & 1));
}

CountingUnit
CountingUnitOf(const Weighing *in)
{
	return (CountingUnit){in->scale, in->norm, in->whole, unit_of(in->mass, in->rows.items)};
}

void
CountingValues(const CountingUnit *unit, const PairRow *row, float *values)
{
	double own = (unit->norm ? unit->norm[row->item] : unit->whole) / unit->unit;

	for (uint32_t t = 0; t < row->count; t++)
	{
		uint32_t other = row->touched ? row->touched[t] : t;
		double weight = PairWeight(PairRowSum(row, other), unit->scale);

		values[other] = (float) (weight * own * (unit->norm ? unit->norm[other] : unit->whole));
	}
}
