#include "learn/counting.h"

#include <math.h>

#include "base/interrupts.h"
#include "base/pages.h"
#include "base/progress.h"
#include "portability/instr_time.h"

/* What is left of memory, and of shared memory, for small things when all else is taken. */
#define SPARE (1024 * 1024)

/* What one member counts from and into. */
typedef struct Counter
{
	const CountingJob *job;
	Turning turning;
	PairsInput pairs;
	PairSum *sums;     /* [items], zero between rows; or counts in the same memory */
	uint32_t *touched; /* [items + 1] */
	PassesTake take;
	void *with;
} Counter;

/* Scratch memory of one member. */
static uint64_t
scratch_bytes(uint64_t items)
{
	return items * sizeof(PairSum) + (items + 1) * sizeof(uint32_t);
}

/* Scratch memory for as many members as there is memory for; returns their number. */
static uint32_t
make_scratch(const CountingJob *job, void **piece, Budget *budget)
{
	uint64_t items = job->items;
	uint64_t members = TeamMembers(budget, scratch_bytes(items));

	piece[COUNTING_SUMS] = BudgetAllocShared(budget, items * members, sizeof(PairSum));
	piece[COUNTING_TOUCHED] = BudgetAllocShared(budget, (items + 1) * members, sizeof(uint32_t));
	return (uint32_t) members;
}

/* Decides whether each member reads users' lists from a copy of its own: where nobody else needs the memory. */
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
	columns = members * cells * (job->narrow ? sizeof(uint16_t) : sizeof(uint32_t));
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
	TurningPlan(in, scratch_bytes(job->items) * (1 + BudgetWorkers(budget)), &job->turning,
				piece + COUNTING_TURNING, budget);
	members = make_scratch(job, piece, budget);
	job->begins = TurningRemember(&job->turning, piece + COUNTING_TURNING, budget) &&
				  job->same > 0 && in->item_start[job->items] <= UINT32_MAX;
	plan_copies(job, in, members, budget);
	BudgetHold(budget, 0, job->copies);
	return members;
}

void
CountingFree(const CountingJob *job, void **piece, Budget *budget)
{
	BudgetHold(budget, job->copies, 0);
	BudgetFree(budget, piece[COUNTING_SUMS]);
	BudgetFree(budget, piece[COUNTING_TOUCHED]);
	TurningFree(piece + COUNTING_TURNING, budget);
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
		pfree(job->narrow ? unconstify(uint16_t *, pairs->narrow) : (void *) pairs->by_user.column);
	if (job->copy_values)
		pfree(pairs->by_user.value ? (void *) pairs->by_user.value
								   : unconstify(uint8_t *, pairs->levels.code));
}

void
CountingSplit(CountingJob *job, uint32_t users)
{
	Assert(job->in_memory);
	job->split = users;
	job->begins = false;
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

/* Says how long rows took: by the leader's clock, from when it had its lists on. */
static void
tell_seconds(instr_time began)
{
	instr_time ended;

	INSTR_TIME_SET_CURRENT(ended);
	INSTR_TIME_SUBTRACT(ended, began);
	ereport(DEBUG2, (errmsg_internal("rows counted in %.3f s", INSTR_TIME_GET_DOUBLE(ended))));
}

/* Counts rows until none is left. */
static void
count_rows(Counter *counter)
{
	const CountingJob *job = counter->job;
	instr_time began;
	uint32_t item;

	copy_lists(job, counter);
	INSTR_TIME_SET_CURRENT(began);
	memset(counter->sums, 0, sizeof(PairSum) * job->items);
	while (TurningNext(&counter->turning, &counter->pairs, &item))
	{
		INTERRUPTS();
		count_row(counter, item);
		TurningDone(&counter->turning, item);
		ProgressDone(TurningSteps(&counter->turning, item, job->steps));
	}
	if (counter->turning.member->number == 0)
		tell_seconds(began);
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
		.turning = TurningOpen(member, &job->turning, first + COUNTING_TURNING),
		.pairs = {.by_user = {.rows = job->users,
							  .columns = job->items,
							  .start = piece[COUNTING_USER_START],
							  .column = piece[COUNTING_USER_COLUMN],
							  .value = piece[COUNTING_USER_VALUE],
							  .uniform = job->uniform},
				  .begins = job->begins,
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
	count_rows(&counter);
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
