/*
 * turning.c: ranges of items turned once for all members, and rows dealt out.
 *
 * Work is in one order, which all members take it in:
 *
 *   turn 0   turn 1   rows of 0   turn 2   rows of 1   turn 3   rows of 2 ...
 *
 * Whoever takes something waits for nothing but what comes before it, and that somebody is at: so nobody waits
 * for ever.  Any range but the first is there by the time its first row is taken, unless the rows of the one before
 * it took no longer than to turn it.  One process, and where there is memory for one range only, turns each just
 * before its rows.
 *
 * Learning counts of 20 million events by two processes, offers that got in at other items: 2.0 million where each
 * had a range to itself, for an item whose own row is not done yet takes nearly all that less popular ones offer;
 * .20 million where each had every other item of a range; .16 million so, as by one process.
 */
#include "learn/turning.h"

#include "base/interrupts.h"
#include "storage/condition_variable.h"
#include "utils/wait_event.h"

/* Not so many ranges that walking the users for each costs, where there is room for larger ones. */
#define RANGES     64
#define RANGES_FEW 16
#define ROOMY      32 /* so many times a range must be left */

/* Ranges there at a time, where several work: one that ends, one that is counted, one that is turned. */
#define BUFFERS 3

struct TurningState
{
	ConditionVariable changed;
	pg_atomic_uint32 turned;                         /* ranges, in order */
	pg_atomic_uint32 counted[FLEXIBLE_ARRAY_MEMBER]; /* rows of each range */
};

static uint32_t
ranges_for(uint64_t cells, const Budget *budget)
{
	uint64_t largest = cells / RANGES_FEW * (sizeof(uint32_t) + sizeof(uint32_t));

	return largest * ROOMY < BudgetLeft(budget) ? RANGES_FEW : RANGES;
}

/* Cuts the items into ranges, each of at most as many entries as are wanted, or one item; sets how many there are. */
static void
cut_ranges(TurningJob *job, const uint64_t *item_start, void **piece, Budget *budget)
{
	uint64_t wanted = item_start[job->items] / ranges_for(item_start[job->items], budget);
	/* Any two that follow each other have more than is wanted of one. */
	uint64_t most = Min((uint64_t) job->items, 2 * (RANGES + 1));
	uint32_t *range = BudgetAllocShared(budget, most + 1, sizeof(uint32_t));
	uint32_t end;

	for (uint32_t first = 0; first < job->items; first = end)
	{
		for (end = first + 1; end < job->items; end++)
			if (item_start[end + 1] - item_start[first] > wanted)
				break;
		Assert(job->ranges < most);
		range[job->ranges++] = first;
		job->widest = Max(job->widest, end - first);
		job->most = Max(job->most, item_start[end] - item_start[first]);
	}
	range[job->ranges] = job->items;
	piece[TURNING_RANGE] = range;
}

static TurningState *
alloc_state(const TurningJob *job, Budget *budget)
{
	Size size = offsetof(TurningState, counted) + sizeof(pg_atomic_uint32) * job->ranges;
	TurningState *state = BudgetAllocShared(budget, 1, size);

	ConditionVariableInit(&state->changed);
	pg_atomic_init_u32(&state->turned, 0);
	for (uint32_t r = 0; r < job->ranges; r++)
		pg_atomic_init_u32(&state->counted[r], 0);
	return state;
}

/* Bytes of one range. */
static uint64_t
buffer_bytes(const TurningJob *job)
{
	return ((uint64_t) job->widest + 1) * sizeof(uint64_t) + job->most * 2 * sizeof(uint32_t);
}

void
TurningPlan(const Weighing *in, uint64_t besides, TurningJob *job, void **piece, Budget *budget)
{
	*job = (TurningJob){.items = in->rows.items, .users = in->rows.users, .buffers = 1};
	piece[TURNING_ITEM_START] = in->item_start;
	cut_ranges(job, in->item_start, piece, budget);
	piece[TURNING_STATE] = alloc_state(job, budget);
	if (BudgetWorkers(budget) > 0 &&
		BUFFERS * buffer_bytes(job) + Max(besides, BUFFERS * buffer_bytes(job)) <=
			BudgetLeft(budget))
		job->buffers = BUFFERS;
	piece[TURNING_START] =
		BudgetAllocShared(budget, ((uint64_t) job->widest + 1) * job->buffers, sizeof(uint64_t));
	piece[TURNING_COLUMN] = BudgetAllocShared(budget, job->most * job->buffers, sizeof(uint32_t));
	piece[TURNING_PLACE] = BudgetAllocShared(budget, job->most * job->buffers, sizeof(uint32_t));
}

bool
TurningRemember(const TurningJob *job, void **piece, Budget *budget)
{
	if (job->users * sizeof(uint32_t) > BudgetLeft(budget) / 2)
		return false;
	piece[TURNING_REACHED] = BudgetZeroedShared(budget, job->users, sizeof(uint32_t));
	return true;
}

void
TurningFree(void **piece, Budget *budget)
{
	for (int p = TURNING_RANGE; p < TURNING_PIECES; p++)
		BudgetFree(budget, piece[p]);
}

Turning
TurningOpen(const TeamMember *member, const TurningJob *job, int first)
{
	void **piece = member->piece + first;

	return (Turning){
		.member = member,
		.job = job,
		.item_start = piece[TURNING_ITEM_START],
		.range = piece[TURNING_RANGE],
		.state = piece[TURNING_STATE],
		.piece = piece,
	};
}

/* Waits until a number of the state has come that far. */
static void
await(TurningState *state, pg_atomic_uint32 *number, uint32_t wanted)
{
	if (pg_atomic_read_u32(number) < wanted)
	{
		ConditionVariablePrepareToSleep(&state->changed);
		while (pg_atomic_read_u32(number) < wanted)
			ConditionVariableSleep(&state->changed, PG_WAIT_EXTENSION);
		ConditionVariableCancelSleep();
	}
	/* What comes next is neither read nor written before that. */
	pg_memory_barrier();
}

/* Has pairs know the users of the items of a range. */
static void
show_range(Turning *turning, uint32_t range, PairsInput *pairs)
{
	const TurningJob *job = turning->job;
	uint64_t buffer = range % job->buffers;

	turning->shown = range + 1;
	pairs->first = turning->range[range];
	pairs->by_item = (Sparse){
		.rows = turning->range[range + 1] - turning->range[range],
		.columns = job->users,
		.start = (uint64_t *) turning->piece[TURNING_START] + buffer * (job->widest + UINT64_C(1)),
		.column = (uint32_t *) turning->piece[TURNING_COLUMN] + buffer * job->most,
	};
	pairs->place = (uint32_t *) turning->piece[TURNING_PLACE] + buffer * job->most;
}

/* Turns a range, once the ones before it are turned, and the rows of that whose room it takes are counted. */
static void
turn_range(Turning *turning, uint32_t range, PairsInput *pairs)
{
	const TurningJob *job = turning->job;
	TurningState *state = turning->state;
	const uint64_t *item_start = turning->item_start;
	uint32_t first = turning->range[range];
	uint32_t *reached = turning->piece[TURNING_REACHED];

	await(state, &state->turned, range);
	if (range >= job->buffers)
	{
		uint32_t before = range - job->buffers;

		await(state, &state->counted[before], turning->range[before + 1] - turning->range[before]);
	}
	show_range(turning, range, pairs);
	for (uint32_t row = 0; row <= pairs->by_item.rows; row++)
		pairs->by_item.start[row] = item_start[first + row] - item_start[first];
	if (reached)
		SparseTurnNext(&pairs->by_user, pairs->narrow, first, pairs->begins, &pairs->by_item,
					   pairs->place, reached);
	else
		SparseTurnPlaces(&pairs->by_user, first, &pairs->by_item, pairs->place);
	pg_atomic_fetch_add_u32(&state->turned, 1); /* a barrier as well */
	ConditionVariableBroadcast(&state->changed);
}

/* Ranges that are turned before rows of one are dealt out, besides that one. */
static inline uint32_t
ahead(const TurningJob *job)
{
	return job->buffers > 1 ? 1 : 0;
}

/* What comes before a stage, which is to turn a range, and to count the rows of one before it. */
static uint64_t
before_stage(const Turning *turning, uint32_t stage)
{
	const TurningJob *job = turning->job;
	uint32_t counted = stage - Min(stage, ahead(job));

	return (uint64_t) Min(stage, job->ranges) + turning->range[Min(counted, job->ranges)];
}

bool
TurningNext(Turning *turning, PairsInput *pairs, uint32_t *item)
{
	const TurningJob *job = turning->job;

	for (;;)
	{
		uint64_t taken = TeamNext(turning->member);
		uint32_t stage = turning->stage;
		uint32_t range;

		while (stage < job->ranges + ahead(job) && taken >= before_stage(turning, stage + 1))
			stage++;
		if (stage == job->ranges + ahead(job))
			return false;
		turning->stage = stage;
		taken -= before_stage(turning, stage);
		if (stage < job->ranges && taken-- == 0)
		{
			turn_range(turning, stage, pairs);
			continue;
		}
		range = stage - ahead(job);
		if (turning->shown != range + 1)
		{
			await(turning->state, &turning->state->turned, range + 1);
			show_range(turning, range, pairs);
		}
		Assert(pg_atomic_read_u32(&turning->state->turned) > range);
		*item = turning->range[range] + (uint32_t) taken;
		return true;
	}
}

void
TurningDone(Turning *turning, uint32_t item)
{
	uint32_t range = turning->stage - ahead(turning->job);
	uint32_t rows = turning->range[range + 1] - turning->range[range];

	Assert(item >= turning->range[range] && item < turning->range[range + 1]);
	Assert(pg_atomic_read_u32(&turning->state->turned) <= range + turning->job->buffers);
	if (pg_atomic_add_fetch_u32(&turning->state->counted[range], 1) == rows)
		ConditionVariableBroadcast(&turning->state->changed);
}

uint64_t
TurningSteps(const Turning *turning, uint32_t item, uint64_t steps)
{
	double all = Max((double) turning->item_start[turning->job->items], 1);

	return (uint64_t) ((double) turning->item_start[item + 1] / all * (double) steps);
}
