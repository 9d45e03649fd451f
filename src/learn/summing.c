/*
 * summing.c: from piles of events to piles of cells.
 *
 * The events of a pile are sorted by user and item, those of an item summed to a cell.  Each member
 * counts items in a table of its own; the tables are merged at the end.
 */
#include "learn/summing.h"

#include "base/interrupts.h"
#include "base/progress.h"
#include "base/team.h"
#include "learn/eventorder.h"
#include "learn/splitting.h"
#include "learn/usersum.h"
#include "math/decay.h"

/* So many events have room at the least, whatever memory there is. */
#define LARGE_LEAST 4096

StaticAssertDecl(sizeof(Cell) <= sizeof(Event), "cells are made where events were");

/* What members share beside the job. */
enum
{
	PIECE_PILES,
	PIECE_PART,
	PIECE_CANDIDATES, /* of each pile, once that is known */
	PIECE_MAP_START,
	PIECE_MAP,
	PIECE_RANK,
	PIECE_TALLY, /* of each member, like the next */
	PIECE_EVENTS,
	PIECE_SPARE,
	PIECE_SPREAD,
	PIECE_TIME, /* where order is wanted, like the next two */
	PIECE_POSITION,
	PIECE_ASKED,
	PIECES
};

StaticAssertDecl(PIECES <= TEAM_PIECES, "a job has more pieces than a team may share");

/* The number of candidates of a pile that nobody has finished. */
#define UNKNOWN UINT32_MAX

/* Takes the events of the pile, with items by the numbers of the log.  Returns how many they are. */
static uint64_t
take_pile(UserSum *sum)
{
	uint32_t pile = EventLogPile(sum->job->pile_bits, EVENTLOG_EVENTS, sum->pile);
	Event *event = sum->events;
	uint32_t low = (UINT32_C(1) << EVENTLOG_SIGNAL_SHIFT) - 1;

	for (uint32_t w = 0; w < PilesWriters(sum->piles); w++)
	{
		Event *end = PilesTakeOf(sum->piles, pile, w, event);
		const uint32_t *map = sum->map_start && sum->map_start[w] != EVENTLOG_SAME
								  ? sum->map + sum->map_start[w]
								  : NULL;

		for (; sum->job->signals > 0 && event < end; event++)
		{
			uint32_t item = event->item & low;

			event->item = ActsCode(map ? map[item] : item, event->item >> EVENTLOG_SIGNAL_SHIFT);
		}
		for (; map && event < end; event++)
			event->item = map[event->item];
		event = end;
	}
	return (uint64_t) (event - sum->events);
}

/* True where the piles before this one have as many candidates as there can be. */
static bool
have_enough(const UserSum *sum)
{
	uint64_t known = 0;

	for (uint32_t p = (UINT32_C(1) << sum->job->pile_bits) - 1; p > sum->pile; p--)
	{
		uint32_t candidates = pg_atomic_read_u32(&sum->candidates[p]);

		if (candidates != UNKNOWN)
			known += candidates;
	}
	return known >= sum->job->candidates_most;
}

/* Begins a pile. */
static void
open_pile(UserSum *sum, uint32_t pile)
{
	sum->pile = pile;
	sum->part = &sum->parts[pile];
	sum->user = 0;
	sum->considered = 0;
	sum->enough = have_enough(sum);
}

/* Ends a pile, so that others may take what is on those of cells and of what was chosen. */
static void
close_pile(UserSum *sum)
{
	PilesClose(sum->piles, EventLogPile(sum->job->pile_bits, EVENTLOG_CELLS, sum->pile));
	PilesClose(sum->piles, EventLogPile(sum->job->pile_bits, EVENTLOG_CHOSEN, sum->pile));
	pg_atomic_write_u32(&sum->candidates[sum->pile], sum->considered);
}

/* Sums the users of one pile, from the highest hash down. */
static void
sum_pile(UserSum *sum, uint32_t pile)
{
	uint64_t count;
	Event *events;
	Cell *cells;

	open_pile(sum, pile);
	count = take_pile(sum);
	events = EventOrderSort(sum->events, sum->spare, count,
							&(EventOrderBy){sum->job->pile_bits, sum->job->items}, sum->spread);
	cells = (Cell *) (events == sum->events ? sum->spare : sum->events);
	while (count > 0)
	{
		uint64_t begin = count - 1;
		uint32_t n;

		INTERRUPTS();
		while (begin > 0 && EventUser(&events[begin - 1]) == EventUser(&events[count - 1]))
			begin--;
		n = UserSumCells(sum, events + begin, count - begin, cells);
		UserSumEnd(sum, EventUser(&events[begin]), cells, n);
		count = begin;
	}
	close_pile(sum);
}

/* Users whose events come in parts: nothing is kept back from them. */
typedef struct Parted
{
	UserSum *sum;
	Cell *cells; /* [items + 1], the last one at hand */
	uint32_t count;
	bool any;
	uint64_t user;
	double r; /* sum of the cell at hand */
} Parted;

/* Begins a cell, to be counted once it has ended. */
static void
begin_cell(Parted *parted, uint32_t item)
{
	UserSumBegin(&parted->cells[parted->count], item);
	parted->r = 0;
}

static void
end_cell(Parted *parted)
{
	parted->count += UserSumEndCell(parted->sum, &parted->cells[parted->count], parted->r);
}

/* Ends the user at hand. */
static void
end_parted(Parted *parted)
{
	if (!parted->any)
		return;
	end_cell(parted);
	UserSumEnd(parted->sum, parted->user, parted->cells, parted->count);
	parted->any = false;
}

static void
take_parted(const Event *events, uint64_t count, void *with)
{
	Parted *parted = with;

	if (!parted->any || parted->user != EventUser(events))
	{
		end_parted(parted);
		parted->any = true;
		parted->user = EventUser(events);
		parted->count = 0;
		begin_cell(parted, events->item);
	}
	for (uint64_t e = 0; e < count; e++)
	{
		INTERRUPTS_AT(e);
		if (events[e].item != parted->cells[parted->count].item)
		{
			end_cell(parted);
			begin_cell(parted, events[e].item);
		}
		UserSumAdd(parted->sum, &events[e], &parted->cells[parted->count], &parted->r);
	}
}

/* An item of a writer by the number of the log. */
static uint32_t
number_item(uint32_t writer, uint32_t item, void *with)
{
	const UserSum *sum = ((const Parted *) with)->sum;

	if (sum->map_start == NULL || sum->map_start[writer] == EVENTLOG_SAME)
		return item;
	return sum->map[sum->map_start[writer] + item];
}

/* The same as sum_pile for a pile that does not fit into memory. */
static void
sum_large_pile(UserSum *sum, uint32_t pile, Budget *budget)
{
	const UserSumJob *job = sum->job;
	Parted parted = {
		.sum = sum,
		.cells = BudgetAllocResult(budget, (uint64_t) job->items + 1, sizeof(Cell)),
	};
	Splitting splitting = {sum->events, job->events_most, take_parted, &parted, budget};

	open_pile(sum, pile);
	SplittingRun(&splitting, sum->piles, EventLogPile(job->pile_bits, EVENTLOG_EVENTS, pile),
				 job->pile_bits, number_item);
	end_parted(&parted);
	close_pile(sum);
	BudgetFree(budget, parted.cells);
}

/* The job as one member sees it. */
static UserSum
open_job(const TeamMember *member)
{
	const UserSumJob *job = member->job;
	void **piece = member->piece;

	return (UserSum){
		.job = job,
		.options = &job->options,
		.piles = PilesJoin(piece[PIECE_PILES], member->number),
		.parts = piece[PIECE_PART],
		.candidates = piece[PIECE_CANDIDATES],
		.map_start = piece[PIECE_MAP_START],
		.map = piece[PIECE_MAP],
		.item_rank = piece[PIECE_RANK],
		.tally = TeamShare(member, PIECE_TALLY, sizeof(ItemTally) * (uint64_t) job->items),
		.events = TeamShare(member, PIECE_EVENTS, sizeof(Event) * job->events_most),
		.spare = TeamShare(member, PIECE_SPARE, sizeof(Event) * job->events_most),
		.positions = {.time = TeamShare(member, PIECE_TIME, sizeof(uint64_t) * job->events_most),
					  .position =
						  TeamShare(member, PIECE_POSITION, sizeof(uint16_t) * job->events_most),
					  .room = (uint32_t) Min(job->events_most, UINT32_MAX)},
		.asked = TeamShare(member, PIECE_ASKED, sizeof(uint16_t) * job->events_most),
		.spread = TeamShare(member, PIECE_SPREAD, sizeof(uint64_t) * job->spread),
	};
}

/* Takes piles until none is left, from the highest hashes down. */
static void
sum_piles(const TeamMember *member)
{
	const UserSumJob *job = member->job;
	uint32_t piles = UINT32_C(1) << job->pile_bits;
	UserSum sum = open_job(member);
	uint64_t done = 0;
	uint32_t seen = 0;
	uint32_t taken;

	while ((taken = TeamNext(member)) < piles)
	{
		sum_pile(&sum, piles - 1 - taken);
		for (; seen <= taken; seen++)
			done += sum.parts[piles - 1 - seen].events;
		ProgressDone(done);
	}
	PilesEnd(sum.piles);
	PilesLeave(sum.piles);
}

/* Sums all piles here, some of which do not fit into memory. */
static void
sum_alone(const UserSumJob *job, void **piece, Budget *budget)
{
	TeamMember member = {.job = job, .piece = piece};
	UserSum sum = open_job(&member);
	uint64_t done = 0;

	for (uint32_t pile = UINT32_C(1) << job->pile_bits; pile-- > 0;)
	{
		if (sum.parts[pile].events > job->events_most)
			sum_large_pile(&sum, pile, budget);
		else
			sum_pile(&sum, pile);
		done += sum.parts[pile].events;
		ProgressDone(done);
	}
	PilesEnd(sum.piles);
}

/* Where a worker starts. */
extern PGDLLEXPORT void SummingWorker(dsm_segment *segment, shm_toc *toc);

void
SummingWorker(dsm_segment *segment, shm_toc *toc)
{
	TeamJoin(toc, sum_piles, sizeof(UserSumJob), PIECES);
}

/* Adds what the other members counted to the first one's. */
static void
merge_tallies(ItemTally *tally, uint32_t items, uint32_t members)
{
	for (uint64_t n = items; n < (uint64_t) items * members; n++)
	{
		ItemTally *sum = &tally[n % items];
		const ItemTally *more = &tally[n];

		INTERRUPTS_AT(n);
		TallyMerge((Tally){sum->popularity, &sum->popularity_place}, more->popularity[0],
				   more->popularity[1], more->popularity_place);
		TallyMerge((Tally){sum->recent, &sum->recent_place}, more->recent[0], more->recent[1],
				   more->recent_place);
		sum->events += more->events;
		sum->users += more->users;
		sum->oldest_age = Max(sum->oldest_age, more->oldest_age);
		sum->newest_age = Min(sum->newest_age, more->newest_age);
	}
}

/* The parts as they are before anything is summed. */
static void
make_parts(EventLog *log, UserSumJob *job, Summed *summed, void **piece, Budget *budget)
{
	uint32_t piles = UINT32_C(1) << log->pile_bits;
	pg_atomic_uint32 *candidates = BudgetAllocSharedResult(budget, piles, sizeof(pg_atomic_uint32));

	summed->part = BudgetAllocSharedResult(budget, piles, sizeof(Part));
	for (uint32_t p = 0; p < piles; p++)
	{
		uint64_t bytes = PilesBytes(log->piles, EventLogPile(log->pile_bits, EVENTLOG_EVENTS, p));

		summed->part[p] = (Part){.events = bytes / sizeof(Event), .uniform = true};
		job->events_most = Max(job->events_most, summed->part[p].events);
		pg_atomic_init_u32(&candidates[p], UNKNOWN);
	}
	job->spread = (UINT64_C(1) << EventOrderBits(job->events_most)) + 1;
	piece[PIECE_PART] = summed->part;
	piece[PIECE_CANDIDATES] = candidates;
}

/* What the order of a user's events takes, for each. */
#define ORDER_BYTES (sizeof(uint64_t) + 2 * sizeof(uint16_t))

/*
 * Where the largest pile does not fit into memory, as it must twice, has no more events be there at a
 * time than do.  True where that is so; and where it does but for the order of events, that is left.
 */
static bool
cut_down(UserSumJob *job, Budget *budget)
{
	uint64_t left = BudgetLeft(budget);
	uint64_t blocks = SPLITTING_BLOCKS * (uint64_t) PILES_TAPE;
	/* With where its spot begins, of which there is one for 16 or more. */
	uint64_t event = 2 * sizeof(Event) + 1;

	left -= Min(left, blocks);
	if (job->ordered && job->events_most * (event + ORDER_BYTES) > left)
		job->ordered = false;
	if (job->events_most * event <= left)
		return false;
	job->events_most = Max(left / event, LARGE_LEAST);
	job->spread = (UINT64_C(1) << EventOrderBits(job->events_most)) + 1;
	return true;
}

/* Scratch memory for as many members as there is memory for; returns their number. */
static uint32_t
make_scratch(const EventLog *log, const UserSumJob *job, void **piece, Budget *budget)
{
	uint64_t order = job->ordered ? ORDER_BYTES : 0;
	uint64_t members = TeamMembers(budget, job->items * sizeof(ItemTally) +
											   job->events_most * (2 * sizeof(Event) + order) +
											   job->spread * sizeof(uint64_t));
	ItemTally *tally;

	members = PilesAreShared(log->piles) ? Min(members, PilesWriters(log->piles)) : 1;
	/* One table is part of the result. */
	tally = members > 1 ? BudgetAllocShared(budget, job->items * members, sizeof(ItemTally))
						: BudgetAllocSharedResult(budget, job->items, sizeof(ItemTally));
	/* Those of members who never come are merged, too. */
	for (uint64_t n = 0; n < job->items * members; n++)
		tally[n] = (ItemTally){.newest_age = UINT32_MAX};
	piece[PIECE_TALLY] = tally;
	piece[PIECE_EVENTS] = BudgetAllocSharedLeast(budget, job->events_most * members, sizeof(Event));
	piece[PIECE_SPARE] = BudgetAllocSharedLeast(budget, job->events_most * members, sizeof(Event));
	piece[PIECE_SPREAD] = BudgetAllocSharedLeast(budget, job->spread * members, sizeof(uint64_t));
	if (job->ordered)
	{
		uint64_t count = job->events_most * members;

		piece[PIECE_TIME] = BudgetAllocShared(budget, count, sizeof(uint64_t));
		piece[PIECE_POSITION] = BudgetAllocShared(budget, count, sizeof(uint16_t));
		piece[PIECE_ASKED] = BudgetAllocShared(budget, count, sizeof(uint16_t));
	}
	return (uint32_t) members;
}

/* Seconds from a log's now to when sums that decay are as of. */
static double
seconds_after(const EventLog *log, double half_life)
{
	if (!log->timed || half_life <= 0)
		return 0;
	return DecayPeriods(EventLogNewest(log), half_life) * half_life - (double) log->now;
}

void
SummingRun(EventLog *log, const InteractionOptions *options, Summed *summed, Budget *budget)
{
	void *piece[PIECES] = {0};
	UserSumJob job = {.options = *options,
					  .pile_bits = log->pile_bits,
					  .items = log->items,
					  .newest_age = log->newest_age,
					  .popular_after = seconds_after(log, options->popular_half_life),
					  .recent_after = seconds_after(log, options->trend_half_life),
					  .candidates_most = summed->candidates_most,
					  .signals = log->signals,
					  .ordered = summed->ordered};
	bool large;
	TeamTask task = {.entry = "SummingWorker",
					 .work = sum_piles,
					 .job = &job,
					 .size = sizeof(job),
					 .piece = piece,
					 .pieces = PIECES};

	piece[PIECE_PILES] = PilesPiece(log->piles);
	piece[PIECE_MAP_START] = log->map_start;
	piece[PIECE_MAP] = log->item_map;
	piece[PIECE_RANK] = log->item_rank;
	make_parts(log, &job, summed, piece, budget);
	large = options->tape && cut_down(&job, budget);
	summed->ordered = job.ordered;
	if (large)
	{
		BudgetShare(budget, false);
		PilesToTape(log->piles);
	}
	task.members = make_scratch(log, &job, piece, budget);
	if (large)
		sum_alone(&job, piece, budget);
	else
		TeamRun(&task, budget);

	summed->tally = piece[PIECE_TALLY];
	merge_tallies(summed->tally, log->items, task.members);
	BudgetFree(budget, piece[PIECE_CANDIDATES]);
	for (int p = PIECE_EVENTS; p < PIECES; p++)
		BudgetFree(budget, piece[p]);
	BudgetFree(budget, log->map_start);
	BudgetFree(budget, log->item_map);
	log->map_start = NULL;
	log->item_map = NULL;
}
