/*
 * summing.c: from piles of events to piles of cells.
 *
 * The events of a pile are sorted by user and item, those of an item summed to a cell.  Each member
 * counts items in a table of its own; the tables are merged at the end.
 */
#include "learn/summing.h"

#include <float.h>

#include "base/interrupts.h"
#include "base/progress.h"
#include "base/team.h"
#include "learn/choosing.h"
#include "learn/eventorder.h"
#include "learn/positions.h"
#include "learn/splitting.h"

#define CHOSEN_SHARE 5  /* one in so many of a held-out user's items is chosen */
#define CHOSEN_MOST  30 /* and at most this many, but for whole baskets */

/* So many events have room at the least, whatever memory there is. */
#define LARGE_LEAST 4096

/* An item's tally is sent for so many events before it is counted in. */
#define AHEAD 8

StaticAssertDecl(sizeof(Cell) <= sizeof(Event), "cells are made where events were");
StaticAssertDecl(sizeof(Cell) >= sizeof(uint32_t) * CELL_WORDS, "words are made where cells were");

/* What members share: the job, and its pieces. */
typedef struct Job
{
	InteractionOptions options;
	uint32_t pile_bits;
	uint32_t items;
	uint32_t newest_age; /* of the log */
	uint32_t candidates_most;
	uint64_t events_most; /* of a pile */
	uint64_t spread;      /* places where spots begin */
	bool ordered;
} Job;

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

/* One member at work on one pile. */
typedef struct Sum
{
	const Job *job;
	const InteractionOptions *options;
	Piles *piles;
	Part *parts;
	pg_atomic_uint32 *candidates; /* [piles] */
	const uint64_t *map_start;
	const uint32_t *map;
	const uint32_t *item_rank;
	ItemTally *tally;
	Event *events; /* [events_most], like the next */
	Event *spare;
	uint64_t *spread;
	Positions positions; /* for events_most */
	uint16_t *asked;     /* of the cells of the user at hand */

	uint32_t pile;
	Part *part;
	uint32_t user;        /* at hand, by falling hash */
	const Event *history; /* its events */
	uint64_t history_count;
	uint32_t line;       /* of that user: younger events are kept back; 0 for none */
	uint32_t considered; /* candidates of the pile */
	bool enough;         /* there are, on the piles before */
	double last_sum;
	double last_value; /* f of it: most sums are the same */
} Sum;

static double
value_of(Sum *sum, double weight)
{
	if (weight != sum->last_sum)
	{
		sum->last_sum = weight;
		sum->last_value = WeightingValue(sum->options->weighting, weight);
	}
	return sum->last_value;
}

/* Counts an event for its item. */
static inline void
count_event(Sum *sum, const Event *event)
{
	ItemTally *tally = &sum->tally[event->item];
	const InteractionOptions *options = sum->options;

	tally->events++;
	tally->oldest_age = Max(tally->oldest_age, event->age);
	tally->newest_age = Min(tally->newest_age, event->age);
	if (event->weight > 0)
	{
		double f = value_of(sum, event->weight);

		TallyAdd((Tally){tally->popularity, &tally->popularity_place},
				 f * DecayFactor(event->age, options->popular_half_life));
		TallyAdd((Tally){tally->recent, &tally->recent_place},
				 f * DecayFactor(event->age, options->trend_half_life));
	}
}

/* The line of one user: beyond the last one is only the newest time at which it chose something. */
static uint32_t
line_of(const Sum *sum, const Event *events, uint64_t count)
{
	uint32_t newest = UINT32_MAX - 1;

	if (sum->options->split == SPLIT_USERS)
		return 0;
	if (sum->options->split == SPLIT_TIME)
		return Max(sum->options->line, Min(sum->job->newest_age, UINT32_MAX - 1) + 1);
	for (uint64_t e = 0; e < count; e++)
		if (events[e].weight > 0)
			newest = Min(newest, events[e].age);
	return newest + 1;
}

/* What half-lives of histories count from: the newest event that anybody may know of. */
static uint32_t
present(const Sum *sum)
{
	return sum->options->split == SPLIT_TIME ? sum->line : sum->job->newest_age;
}

/* Adds what the user at hand chose beyond the line. */
static void
add_chosen(Sum *sum, uint32_t item)
{
	Chosen *chosen = PilesPlace(
		sum->piles, EventLogPile(sum->job->pile_bits, EVENTLOG_CHOSEN, sum->pile), sizeof(Chosen));

	*chosen = (Chosen){sum->user, item};
}

/*
 * Passes over the events of one item beyond the line, which come first as the youngest.  The item
 * is chosen where they come to more than nothing and, unless repeats count, nothing but being shown
 * came before.  Returns how many they are.
 */
static uint64_t
skip_later(Sum *sum, const Event *events, uint64_t count)
{
	uint32_t item = events[0].item;
	uint64_t later = 0;
	double r = 0;
	bool known = false;

	for (; later < count && events[later].item == item && events[later].age < sum->line; later++)
		r += events[later].weight;
	for (uint64_t e = later; e < count && events[e].item == item && !known; e++)
		known = events[e].weight != 0;
	if (r > 0 && (!known || sum->options->repeats))
		add_chosen(sum, item);
	return later;
}

static inline Cell
new_cell(uint32_t item)
{
	return (Cell){.item = item, .newest_age = UINT32_MAX, .latest_age = UINT32_MAX};
}

/* Adds an event to its cell, and counts it for its item. */
static inline void
add_event(Sum *sum, const Event *event, Cell *cell, double *r)
{
	*r += event->weight * DecayFactor((double) event->age - present(sum), sum->options->half_life);
	cell->newest_age = Min(cell->newest_age, event->age);
	if (event->weight > 0)
	{
		cell->oldest_age = Max(cell->oldest_age, event->age);
		cell->latest_age = Min(cell->latest_age, event->age);
	}
	count_event(sum, event);
}

/* Settles what a cell is worth, and keeps it where that is more than nothing.  Returns how many are kept. */
static inline uint32_t
end_cell(Sum *sum, Cell *cell, double r, Cell *kept)
{
	cell->value = r > 0 ? (float) Min(value_of(sum, r), FLT_MAX) : 0;
	if (!(cell->value > 0))
		return 0;
	sum->tally[cell->item].users++;
	*kept = *cell;
	return 1;
}

/*
 * Sums one user's sorted events to cells, and counts them for their items.  Returns the number of
 * positive cells; there is room for as many as there are events.
 */
static uint32_t
sum_cells(Sum *sum, const Event *events, uint64_t count, Cell *cells)
{
	uint32_t n = 0;

	for (uint64_t e = 0; e < count;)
	{
		Cell cell = new_cell(events[e].item);
		double r = 0;

		if (e + AHEAD < count)
			__builtin_prefetch(&sum->tally[events[e + AHEAD].item], 1);
		if (sum->line > 0)
			e += skip_later(sum, events + e, count - e);
		for (; e < count && events[e].item == cell.item; e++)
		{
			INTERRUPTS_AT(e);
			add_event(sum, &events[e], &cell, &r);
		}
		n += end_cell(sum, &cell, r, cells + n);
	}
	return n;
}

/* Keeps the newest of a user's cells, as many as may count.  Returns how many there are then. */
static uint32_t
shorten(Sum *sum, Cell *cells, uint32_t count)
{
	uint32_t most = sum->options->max_history;

	if (count <= most)
		return count;
	qsort_interruptible(cells, count, sizeof(Cell), ChoosingNewestFirst, (void *) sum->item_rank);
	for (uint32_t c = most; c < count; c++)
		sum->tally[cells[c].item].users--;
	sum->part->shortened++;
	return most;
}

/* The positions of the cells of the user at hand. */
static void
order_cells(Sum *sum, const Cell *cells, uint32_t count)
{
	PositionsBegin(&sum->positions, count);
	for (uint32_t c = 0; c < count; c++)
		PositionsSet(&sum->positions, c, cells[c].latest_age);
	PositionsNumber(&sum->positions, count);
}

/* When the user at hand last chose an item before a line, which it did. */
static uint32_t
latest_before(const Event *events, uint64_t count, uint32_t item, uint32_t line)
{
	uint64_t low = 0;
	uint64_t high = count;

	while (low < high)
	{
		uint64_t middle = low + (high - low) / 2;

		if (events[middle].item < item)
			low = middle + 1;
		else
			high = middle;
	}
	while (events[low].age <= line || !(events[low].weight > 0))
		low++;
	return events[low].age;
}

/*
 * Keeps the positions that the cells of a candidate had before the chosen ones, which come first, were
 * chosen.
 */
static void
keep_order(Sum *sum, uint32_t chosen, const Cell *cells, uint32_t count)
{
	uint32_t line = cells[chosen - 1].oldest_age;

	PositionsBegin(&sum->positions, count);
	for (uint32_t c = 0; c < count; c++)
	{
		uint32_t age = cells[c].oldest_age;

		if (c >= chosen && age > line)
			age = latest_before(sum->history, sum->history_count, cells[c].item, line);
		PositionsSet(&sum->positions, c, age);
	}
	PositionsNumber(&sum->positions, count);
	memcpy(sum->asked, sum->positions.position, sizeof(uint16_t) * count);
}

/* Puts the user at hand, with what would be chosen, among those who may be held out. */
static void
put_candidate(Sum *sum, const Candidate *candidate, const Cell *cells)
{
	uint32_t pile = EventLogPile(sum->job->pile_bits, EVENTLOG_CHOSEN, sum->pile);

	PilesWrite(sum->piles, pile, candidate, sizeof(Candidate));
	for (uint32_t c = 0; c < candidate->count; c++)
		*(uint32_t *) PilesPlace(sum->piles, pile, sizeof(uint32_t)) = cells[c].item;
	sum->considered++;
}

/*
 * What the user would be held out with: the newest fifth of the cells, by when they were first
 * chosen.  Where all came at one time, as where there are no times, a fifth is drawn by lot.
 */
static void
consider(Sum *sum, uint64_t user, Cell *cells, uint32_t count)
{
	ChoosingLot lot = {sum->item_rank, user};
	Candidate candidate = {.user = sum->user, .cells = count};
	uint32_t wanted = Min((count + CHOSEN_SHARE - 1) / CHOSEN_SHARE, CHOSEN_MOST);
	uint32_t whole;

	if (count < 2 || sum->options->split != SPLIT_USERS)
		return;
	sum->part->paired++;
	if (sum->enough || sum->considered == sum->job->candidates_most)
		return;
	qsort_interruptible(cells, count, sizeof(Cell), ChoosingLastFirst, &lot);
	whole = ChoosingWholeTimes(cells, count, wanted);
	candidate.count = whole < count ? whole : wanted;
	candidate.age = cells[0].oldest_age;
	candidate.returned = whole < count;
	put_candidate(sum, &candidate, cells);
	if (sum->job->ordered)
		keep_order(sum, candidate.count, cells, count);
}

/* Puts a user and its cells on their pile; these are no more afterwards. */
static void
put_cells(Sum *sum, uint64_t user, Cell *cells, uint32_t count)
{
	Part *part = sum->part;
	uint32_t pile = EventLogPile(sum->job->pile_bits, EVENTLOG_CELLS, sum->pile);
	bool ordered = sum->job->ordered;
	uint32_t *word = (uint32_t *) cells;
	uint32_t *tail;

	if (ordered)
		order_cells(sum, cells, count);
	if (part->cells == 0 && count > 0)
		part->value = cells[0].value;
	for (uint32_t c = 0; c < count; c++, word += CellWords(ordered))
	{
		Cell cell = cells[c];

		part->uniform = part->uniform && cell.value == part->value;
		word[CELL_ITEM] = cell.item;
		memcpy(&word[CELL_VALUE], &cell.value, sizeof(float));
		if (ordered)
			word[CELL_ORDER] = sum->positions.position[c] | (uint32_t) sum->asked[c]
																<< CELL_ASKED_SHIFT;
	}
	PilesWrite(sum->piles, pile, cells, (Size) ((char *) word - (char *) cells));
	tail = PilesPlace(sum->piles, pile, sizeof(uint32_t) * USER_WORDS);
	tail[USER_HIGH] = (uint32_t) (user >> 32);
	tail[USER_LOW] = (uint32_t) user;
	tail[USER_CELLS] = count;
	part->cells += count;
	part->pairs += (double) count * count;
	part->users++;
	part->longest = Max(part->longest, count);
	sum->user++;
}

/* Takes the events of the pile, with items by the numbers of the log.  Returns how many they are. */
static uint64_t
take_pile(Sum *sum)
{
	uint32_t pile = EventLogPile(sum->job->pile_bits, EVENTLOG_EVENTS, sum->pile);
	Event *event = sum->events;

	for (uint32_t w = 0; w < PilesWriters(sum->piles); w++)
	{
		Event *end = PilesTakeOf(sum->piles, pile, w, event);

		if (sum->map_start && sum->map_start[w] != EVENTLOG_SAME)
			for (; event < end; event++)
				event->item = sum->map[sum->map_start[w] + event->item];
		event = end;
	}
	return (uint64_t) (event - sum->events);
}

/* True where the piles before this one have as many candidates as there can be. */
static bool
have_enough(const Sum *sum)
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

/* Makes what comes of a user of the cells that were summed. */
static void
end_user(Sum *sum, uint64_t user, Cell *cells, uint32_t count)
{
	count = shorten(sum, cells, count);
	consider(sum, user, cells, count);
	put_cells(sum, user, cells, count);
}

/* Begins a pile. */
static void
open_pile(Sum *sum, uint32_t pile)
{
	sum->pile = pile;
	sum->part = &sum->parts[pile];
	sum->user = 0;
	sum->considered = 0;
	sum->enough = have_enough(sum);
}

/* Ends a pile, so that others may take what is on those of cells and of what was chosen. */
static void
close_pile(Sum *sum)
{
	PilesClose(sum->piles, EventLogPile(sum->job->pile_bits, EVENTLOG_CELLS, sum->pile));
	PilesClose(sum->piles, EventLogPile(sum->job->pile_bits, EVENTLOG_CHOSEN, sum->pile));
	pg_atomic_write_u32(&sum->candidates[sum->pile], sum->considered);
}

/* Sums the users of one pile, from the highest hash down. */
static void
sum_pile(Sum *sum, uint32_t pile)
{
	uint64_t count;
	Event *events;
	Cell *cells;

	open_pile(sum, pile);
	count = take_pile(sum);
	events = EventOrderSort(sum->events, sum->spare, count, sum->job->pile_bits, sum->spread);
	cells = (Cell *) (events == sum->events ? sum->spare : sum->events);
	while (count > 0)
	{
		uint64_t begin = count - 1;
		uint32_t n;

		INTERRUPTS();
		while (begin > 0 && EventUser(&events[begin - 1]) == EventUser(&events[count - 1]))
			begin--;
		sum->history = events + begin;
		sum->history_count = count - begin;
		sum->line = line_of(sum, events + begin, count - begin);
		n = sum_cells(sum, events + begin, count - begin, cells);
		end_user(sum, EventUser(&events[begin]), cells, n);
		count = begin;
	}
	close_pile(sum);
}

/* Users whose events come in parts: nothing is kept back from them. */
typedef struct Parted
{
	Sum *sum;
	Cell *cells; /* [items + 1] */
	uint32_t count;
	bool any;
	uint64_t user;
	Cell cell; /* at hand, and its sum */
	double r;
} Parted;

/* Ends the user at hand. */
static void
end_parted(Parted *parted)
{
	if (!parted->any)
		return;
	parted->count += end_cell(parted->sum, &parted->cell, parted->r, parted->cells + parted->count);
	end_user(parted->sum, parted->user, parted->cells, parted->count);
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
		parted->cell = new_cell(events->item);
		parted->r = 0;
	}
	for (uint64_t e = 0; e < count; e++)
	{
		INTERRUPTS_AT(e);
		if (events[e].item != parted->cell.item)
		{
			parted->count +=
				end_cell(parted->sum, &parted->cell, parted->r, parted->cells + parted->count);
			parted->cell = new_cell(events[e].item);
			parted->r = 0;
		}
		add_event(parted->sum, &events[e], &parted->cell, &parted->r);
	}
}

/* An item of a writer by the number of the log. */
static uint32_t
number_item(uint32_t writer, uint32_t item, void *with)
{
	const Sum *sum = ((const Parted *) with)->sum;

	if (sum->map_start == NULL || sum->map_start[writer] == EVENTLOG_SAME)
		return item;
	return sum->map[sum->map_start[writer] + item];
}

/* The same as sum_pile for a pile that does not fit into memory. */
static void
sum_large_pile(Sum *sum, uint32_t pile, Budget *budget)
{
	const Job *job = sum->job;
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
static Sum
open_job(const TeamMember *member)
{
	const Job *job = member->job;
	void **piece = member->piece;

	return (Sum){
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
	const Job *job = member->job;
	uint32_t piles = UINT32_C(1) << job->pile_bits;
	Sum sum = open_job(member);
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
sum_alone(const Job *job, void **piece, Budget *budget)
{
	TeamMember member = {.job = job, .piece = piece};
	Sum sum = open_job(&member);
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
	TeamJoin(toc, sum_piles, sizeof(Job), PIECES);
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
make_parts(EventLog *log, Job *job, Summed *summed, void **piece, Budget *budget)
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

/*
 * Where the largest pile does not fit into memory, as it must twice, has no more events be there at a
 * time than do.  True where that is so.
 */
static bool
cut_down(Job *job, Budget *budget)
{
	uint64_t left = BudgetLeft(budget);
	uint64_t blocks = SPLITTING_BLOCKS * (uint64_t) PILES_TAPE;
	/* With where its spot begins, of which there is one for 64 or more. */
	uint64_t event = 2 * sizeof(Event) + 1;

	left -= Min(left, blocks);
	if (job->events_most * event <= left)
		return false;
	job->events_most = Max(left / event, LARGE_LEAST);
	job->spread = (UINT64_C(1) << EventOrderBits(job->events_most)) + 1;
	return true;
}

/* Scratch memory for as many members as there is memory for; returns their number. */
static uint32_t
make_scratch(const EventLog *log, const Job *job, void **piece, Budget *budget)
{
	uint64_t order = job->ordered ? sizeof(uint64_t) + 2 * sizeof(uint16_t) : 0;
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

void
SummingRun(EventLog *log, const InteractionOptions *options, Summed *summed, Budget *budget)
{
	void *piece[PIECES] = {0};
	Job job = {.options = *options,
			   .pile_bits = log->pile_bits,
			   .items = log->items,
			   .newest_age = log->newest_age,
			   .candidates_most = summed->candidates_most,
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
	if (large)
	{
		/* Nor is there a place for all events of a user, which their order would take. */
		job.ordered = summed->ordered = false;
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
