/*
 * interactions.c: from piles of events to rows of cells.
 *
 * 1. Pile by pile, from the highest hashes down: the events of a pile are sorted by user and item,
 *    those of an item summed to a cell.  Of cells only item and value are kept.
 * 2. Items are put in order by how many users they have, and who is held out is settled.
 * 3. Cells become rows of by_user, each sorted by the items' new numbers.
 */
#include "learn/interactions.h"

#include <float.h>
#include <math.h>

#include "base/interrupts.h"
#include "base/piles.h"
#include "learn/positions.h"
#include "math/hash.h"
#include "base/progress.h"

#define HOLDOUT_SHARE  10 /* one in so many users, within the next two */
#define HOLDOUT_LEAST  200
#define HOLDOUT_MOST   4000
#define HOLDOUT_ENOUGH 1000 /* one in a hundred, where that is enough to go by */
#define HOLDOUT_RECENT 4    /* of so many, the one who chose something last is held out */

#define CHOSEN_SHARE 5  /* one in so many of a held-out user's items is chosen */
#define CHOSEN_MOST  30 /* and at most this many, but for whole baskets */

/* As many as there may be items: numbers and sums have room for twice as many. */
#define USERS_MOST (UINT32_C(1) << 30)

/* Events of a pile are first spread by hash to about so many each, which then sort quickly. */
#define SPREAD_EVENTS 128

/* What a user's events of one item come to. */
typedef struct Cell
{
	uint32_t item;
	float value;
	uint32_t oldest_age; /* of the positive events: when the item was first chosen */
	uint32_t newest_age;
	uint32_t latest_age; /* of the positive events: when it was last chosen */
} Cell;

StaticAssertDecl(sizeof(Cell) <= sizeof(Event), "cells are made where events were");

/* A user who may be held out, and what would be chosen. */
typedef struct Candidate
{
	uint32_t user; /* in the order they came: by falling hash */
	uint32_t count;
	uint64_t begin; /* place in the build's items of candidates */
	uint64_t order; /* and in their positions, of all items of the user */
	uint32_t age;   /* of what was chosen last */
	bool returned;  /* all of it was chosen after the rest of the history */
} Candidate;

/* Cells of one pile, user after user. */
typedef struct Part
{
	uint32_t users;
	uint64_t count;
	uint64_t room;
	uint32_t *item;     /* numbers of the log */
	float *value;       /* NULL while all cells so far are worth the same */
	uint16_t *position; /* NULL where order is not wanted */
	uint16_t *asked;    /* of one user who is held out, or NULL */
} Part;

typedef struct Build
{
	EventLog *log;
	const InteractionOptions *options;
	Budget *budget;
	Interactions *matrix;
	ItemStat *stat; /* by number of the log */
	uint32_t parts;
	Part *part;
	uint32_t users;
	uint32_t users_room;
	uint32_t *cells_of; /* [users], in the order they came */
	uint64_t *user;     /* their hashes; NULL unless those are to be kept */
	uint32_t user_room;
	uint64_t cells;
	uint32_t longest; /* cells of a user */
	uint32_t line;    /* of the user at hand: younger events are kept back; 0 for none */
	uint64_t chosen_room;
	uint32_t candidates;
	uint32_t candidates_room;
	Candidate *candidate;
	uint32_t *candidate_item; /* numbers of the log */
	uint64_t candidate_items;
	uint64_t candidate_room;
	uint16_t *candidate_position;
	uint64_t candidate_positions;
	uint64_t position_room;
	bool ordered;
	const Event *events; /* of the user at hand, like the next two */
	uint64_t event_count;
	Positions positions;
	bool uniform;
	float value; /* of all cells, while uniform */
	double last_sum;
	double last_value; /* f of it: most sums are the same */
} Build;

static inline uint64_t
user_of(const Event *event)
{
	return (uint64_t) event->user_high << 32 | event->user_low;
}

/* By user, then item, then age, then weight: any order that does not depend on arrival will do. */
static inline int
compare_events(const Event *a, const Event *b)
{
	uint64_t x = user_of(a);
	uint64_t y = user_of(b);

	if (x != y)
		return x < y ? -1 : 1;
	if (a->item != b->item)
		return a->item < b->item ? -1 : 1;
	if (a->age != b->age)
		return a->age < b->age ? -1 : 1;
	if (a->weight != b->weight)
		return a->weight < b->weight ? -1 : 1;
	return 0;
}

#define ST_SORT          sort_events
#define ST_ELEMENT_TYPE  Event
#define ST_COMPARE(a, b) compare_events(a, b)
#define ST_SCOPE         static
#define ST_DEFINE
#define ST_CHECK_FOR_INTERRUPTS
#include "lib/sort_template.h"

/* A thing to put in order by a key, then by a second one. */
typedef struct Keyed
{
	uint64_t key;
	uint32_t tie;
	uint32_t index;
} Keyed;

static inline int
compare_keyed(const Keyed *a, const Keyed *b)
{
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return a->tie < b->tie ? -1 : a->tie > b->tie;
}

#define ST_SORT          sort_keyed
#define ST_ELEMENT_TYPE  Keyed
#define ST_COMPARE(a, b) compare_keyed(a, b)
#define ST_SCOPE         static
#define ST_DEFINE
#define ST_CHECK_FOR_INTERRUPTS
#include "lib/sort_template.h"

/* An item or an age in the upper half, a place in the lower. */
#define ST_SORT          sort_row
#define ST_ELEMENT_TYPE  uint64_t
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE         static
#define ST_DEFINE
#define ST_CHECK_FOR_INTERRUPTS
#include "lib/sort_template.h"

/*
 * Sorts the events of a pile: spread by the bits of the hash after the pile's own, then each spot
 * by itself.  Returns where they are then, in events or in spare.
 */
static Event *
sort_pile(Event *events, Event *spare, uint64_t count, uint32_t pile_bits, Budget *budget)
{
	uint32_t bits = 0;
	uint32_t shift;
	uint64_t *start;

	while (bits < 16 && count >> bits > SPREAD_EVENTS)
		bits++;
	if (bits == 0)
	{
		sort_events(events, count);
		return events;
	}

	shift = 64 - pile_bits - bits;
	start = BudgetZeroed(budget, (1 << bits) + 1, sizeof(uint64_t));
	for (uint64_t e = 0; e < count; e++)
		start[user_of(&events[e]) >> shift & ((1 << bits) - 1)]++;
	SparseOffsets(start, 1 << bits);
	for (uint64_t e = 0; e < count; e++)
	{
		INTERRUPTS_AT(e);
		spare[start[user_of(&events[e]) >> shift & ((1 << bits) - 1)]++] = events[e];
	}
	/* start[] ran ahead by one spot. */
	for (uint32_t spot = 0; spot < UINT32_C(1) << bits; spot++)
	{
		uint64_t begin = spot == 0 ? 0 : start[spot - 1];

		INTERRUPTS();
		sort_events(spare + begin, start[spot] - begin);
	}
	BudgetFree(budget, start);
	return spare;
}

static double
value_of(Build *build, double sum)
{
	if (sum != build->last_sum)
	{
		build->last_sum = sum;
		build->last_value = WeightingValue(build->options->weighting, sum);
	}
	return build->last_value;
}

static void
count_event(Build *build, ItemStat *stat, const Event *event)
{
	const InteractionOptions *options = build->options;

	stat->events++;
	stat->oldest_age = Max(stat->oldest_age, event->age);
	stat->newest_age = Min(stat->newest_age, event->age);
	if (event->weight > 0)
	{
		double f = value_of(build, event->weight);

		stat->popularity += f * DecayFactor(event->age, options->popular_half_life);
		stat->recent += f * DecayFactor(event->age, options->trend_half_life);
	}
}

/* The line of one user: beyond the last one is only the newest time at which it chose something. */
static uint32_t
line_of(const Build *build, const Event *events, uint64_t count)
{
	uint32_t newest = UINT32_MAX - 1;

	if (build->options->split == SPLIT_USERS)
		return 0;
	if (build->options->split == SPLIT_TIME)
		return Max(build->options->line, Min(build->log->newest_age, UINT32_MAX - 1) + 1);
	for (uint64_t e = 0; e < count; e++)
		if (events[e].weight > 0)
			newest = Min(newest, events[e].age);
	return newest + 1;
}

/* What half-lives of histories count from: the newest event that anybody may know of. */
static uint32_t
present(const Build *build)
{
	return build->options->split == SPLIT_TIME ? build->line : build->log->newest_age;
}

/* Adds what the user at hand chose beyond the line; users by the order they came, as yet. */
static void
add_chosen(Build *build, uint32_t item)
{
	Interactions *matrix = build->matrix;

	if (matrix->chosen_count == build->chosen_room)
	{
		build->chosen_room = Max(1024, 2 * build->chosen_room);
		matrix->chosen =
			BudgetResize(build->budget, matrix->chosen, build->chosen_room, sizeof(Chosen));
	}
	matrix->chosen[matrix->chosen_count++] = (Chosen){build->users, item};
}

/*
 * Passes over the events of one item beyond the line, which come first as the youngest.  The item
 * is chosen where they come to more than nothing and, unless repeats count, nothing but being shown
 * came before.  Returns how many they are.
 */
static uint64_t
skip_later(Build *build, const Event *events, uint64_t count)
{
	uint32_t item = events[0].item;
	uint64_t later = 0;
	double r = 0;
	bool known = false;

	for (; later < count && events[later].item == item && events[later].age < build->line; later++)
		r += events[later].weight;
	for (uint64_t e = later; e < count && events[e].item == item && !known; e++)
		known = events[e].weight != 0;
	if (r > 0 && (!known || build->options->repeats))
		add_chosen(build, item);
	return later;
}

/*
 * Sums one user's sorted events to cells, and counts them for their items.  Returns the number of
 * positive cells; there is room for as many as there are events.
 */
static uint32_t
sum_cells(Build *build, const Event *events, uint64_t count, Cell *cells)
{
	const InteractionOptions *options = build->options;
	uint32_t n = 0;

	for (uint64_t e = 0; e < count;)
	{
		Cell cell = {.item = events[e].item, .newest_age = UINT32_MAX, .latest_age = UINT32_MAX};
		ItemStat *stat = &build->stat[cell.item];
		double r = 0;

		if (build->line > 0)
			e += skip_later(build, events + e, count - e);
		for (; e < count && events[e].item == cell.item; e++)
		{
			INTERRUPTS_AT(e);
			r += events[e].weight *
				 DecayFactor((double) events[e].age - present(build), options->half_life);
			cell.newest_age = Min(cell.newest_age, events[e].age);
			if (events[e].weight > 0)
			{
				cell.oldest_age = Max(cell.oldest_age, events[e].age);
				cell.latest_age = Min(cell.latest_age, events[e].age);
			}
			count_event(build, stat, &events[e]);
		}

		cell.value = r > 0 ? (float) Min(value_of(build, r), FLT_MAX) : 0;
		if (cell.value > 0)
		{
			stat->users++;
			cells[n++] = cell;
		}
	}
	return n;
}

/* What decides between items of a user that were chosen at the same time. */
typedef struct Lot
{
	const uint32_t *item_rank;
	uint64_t user; /* the hash */
} Lot;

/* By when an item was first chosen, the last first; ties go by lot, different for every user. */
static int
last_chosen_first(const void *a, const void *b, void *with)
{
	const Lot *lot = with;
	const Cell *x = a;
	const Cell *y = b;
	uint64_t drawn_x;
	uint64_t drawn_y;

	if (x->oldest_age != y->oldest_age)
		return x->oldest_age < y->oldest_age ? -1 : 1;
	drawn_x = HashMix(lot->user + lot->item_rank[x->item] + 1);
	drawn_y = HashMix(lot->user + lot->item_rank[y->item] + 1);
	return drawn_x < drawn_y ? -1 : drawn_x > drawn_y;
}

/* By an item's newest event, the newest first; ties go by id. */
static int
newest_first(const void *a, const void *b, void *log)
{
	const uint32_t *rank = ((const EventLog *) log)->item_rank;
	const Cell *x = a;
	const Cell *y = b;

	if (x->newest_age != y->newest_age)
		return x->newest_age < y->newest_age ? -1 : 1;
	return rank[x->item] < rank[y->item] ? -1 : rank[x->item] > rank[y->item];
}

/* Keeps the newest of a user's cells, as many as may count.  Returns how many there are then. */
static uint32_t
shorten(Build *build, Cell *cells, uint32_t count)
{
	uint32_t most = build->options->max_history;

	if (count <= most)
		return count;
	qsort_interruptible(cells, count, sizeof(Cell), newest_first, build->log);
	for (uint32_t c = most; c < count; c++)
		build->stat[cells[c].item].users--;
	build->matrix->shortened++;
	return most;
}

/*
 * How many of the cells, the last chosen first, came after all others: about as many as wanted, but
 * never a part of what was chosen at one time.  All of them, where that is all there was.
 */
static uint32_t
whole_times(const Cell *cells, uint32_t count, uint32_t wanted)
{
	uint32_t whole = wanted;

	while (whole > 0 && cells[whole - 1].oldest_age == cells[whole].oldest_age)
		whole--;
	if (whole == 0)
		for (whole = wanted; whole < count; whole++)
			if (cells[whole - 1].oldest_age != cells[whole].oldest_age)
				break;
	return whole;
}

/* The positions of the cells of the user at hand. */
static void
order_cells(Build *build, const Cell *cells, uint32_t count)
{
	PositionsBegin(&build->positions, count);
	for (uint32_t c = 0; c < count; c++)
		PositionsSet(&build->positions, c, cells[c].latest_age);
	PositionsNumber(&build->positions, count);
}

/* When the user at hand last chose an item before a line, which it did. */
static uint32_t
latest_before(const Build *build, uint32_t item, uint32_t line)
{
	const Event *events = build->events;
	uint64_t low = 0;
	uint64_t high = build->event_count;

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
keep_order(Build *build, Candidate *candidate, const Cell *cells, uint32_t count)
{
	uint32_t line = cells[candidate->count - 1].oldest_age;

	PositionsBegin(&build->positions, count);
	for (uint32_t c = 0; c < count; c++)
	{
		uint32_t age = cells[c].oldest_age;

		if (c >= candidate->count && age > line)
			age = latest_before(build, cells[c].item, line);
		PositionsSet(&build->positions, c, age);
	}
	PositionsNumber(&build->positions, count);

	if (build->position_room - build->candidate_positions < count)
	{
		build->position_room = Max(1024, 2 * (build->candidate_positions + count));
		build->candidate_position = BudgetResize(build->budget, build->candidate_position,
												 build->position_room, sizeof(uint16_t));
	}
	candidate->order = build->candidate_positions;
	memcpy(build->candidate_position + build->candidate_positions, build->positions.position,
		   sizeof(uint16_t) * count);
	build->candidate_positions += count;
}

/* Adds the user at hand as a candidate with so many chosen items. */
static Candidate *
put_candidate(Build *build, const Cell *cells, uint32_t count)
{
	Candidate *candidate;

	if (build->candidates == build->candidates_room)
	{
		build->candidates_room = Max(64, 2 * build->candidates_room);
		build->candidate = BudgetResize(build->budget, build->candidate, build->candidates_room,
										sizeof(Candidate));
	}
	candidate = &build->candidate[build->candidates++];
	*candidate = (Candidate){.user = build->users, .count = count, .begin = build->candidate_items};
	if (build->candidate_room - build->candidate_items < count)
	{
		build->candidate_room = Max(1024, 2 * (build->candidate_items + count));
		build->candidate_item = BudgetResize(build->budget, build->candidate_item,
											 build->candidate_room, sizeof(uint32_t));
	}
	for (uint32_t c = 0; c < count; c++)
		build->candidate_item[build->candidate_items++] = cells[c].item;
	return candidate;
}

/*
 * What the user would be held out with: the newest fifth of the cells, by when they were first
 * chosen.  Where all came at one time, as where there are no times, a fifth is drawn by lot.
 */
static void
consider(Build *build, uint64_t user, Cell *cells, uint32_t count)
{
	Lot lot = {build->log->item_rank, user};
	Candidate *candidate;
	uint32_t wanted = Min((count + CHOSEN_SHARE - 1) / CHOSEN_SHARE, CHOSEN_MOST);
	uint32_t whole;

	if (count < 2 || build->options->split != SPLIT_USERS)
		return;
	build->matrix->paired++;
	if (build->candidates == HOLDOUT_MOST * (build->log->timed ? HOLDOUT_RECENT : 1))
		return;
	qsort_interruptible(cells, count, sizeof(Cell), last_chosen_first, &lot);
	whole = whole_times(cells, count, wanted);
	candidate = put_candidate(build, cells, whole < count ? whole : wanted);
	candidate->age = cells[0].oldest_age;
	candidate->returned = whole < count;
	if (build->ordered)
		keep_order(build, candidate, cells, count);
}

/* Keeps the hash of the user at hand, where that is wanted. */
static void
keep_user(Build *build, uint64_t user)
{
	if (!build->options->keep_users)
		return;
	if (build->users == build->user_room)
	{
		build->user_room = Max(1024, 2 * build->user_room);
		build->user = BudgetResize(build->budget, build->user, build->user_room, sizeof(uint64_t));
	}
	build->user[build->users] = user;
}

/* From the first cell that is worth something else on, every part has values. */
static void
need_values(Build *build)
{
	for (uint32_t p = 0; p < build->parts; p++)
	{
		Part *part = &build->part[p];

		if (part->item == NULL)
			continue;
		/* The cells of the user at hand are not counted yet. */
		part->value = BudgetAlloc(build->budget, part->room, sizeof(float));
		for (uint64_t c = 0; c < part->room; c++)
			part->value[c] = build->value;
	}
	build->uniform = false;
}

/* Adds a user's cells to a part, which has room for them. */
static void
put_cells(Build *build, Part *part, const Cell *cells, uint32_t count)
{
	if (build->cells == 0 && count > 0)
		build->value = cells[0].value;
	for (uint32_t c = 0; c < count; c++)
	{
		if (build->uniform && cells[c].value != build->value)
			need_values(build);
		part->item[part->count + c] = cells[c].item;
		if (part->value)
			part->value[part->count + c] = cells[c].value;
		if (part->position)
			part->position[part->count + c] = build->positions.position[c];
	}
	part->count += count;
	part->users++;
	build->cells += count;
	build->longest = Max(build->longest, count);

	if (build->users == USERS_MOST)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("more than %u different users", USERS_MOST)));
	if (build->users == build->users_room)
	{
		build->users_room = Max(1024, 2 * build->users_room);
		build->cells_of =
			BudgetResize(build->budget, build->cells_of, build->users_room, sizeof(uint32_t));
	}
	build->cells_of[build->users++] = count;
}

/* Sums the users of one pile, from the highest hash down. */
static void
sum_pile(Build *build, uint32_t pile)
{
	Budget *budget = build->budget;
	Part *part = &build->part[pile];
	uint64_t count = PilesCount(build->log->piles, pile);
	Event *taken;
	Event *spare;
	Event *events;
	Cell *cells;

	if (count == 0)
		return;
	taken = BudgetAlloc(budget, count, sizeof(Event));
	spare = BudgetAlloc(budget, count, sizeof(Event));
	PilesTake(build->log->piles, pile, taken);
	events = sort_pile(taken, spare, count, build->log->pile_bits, budget);
	cells = (Cell *) (events == taken ? spare : taken);

	part->room = count;
	part->item = BudgetAlloc(budget, part->room, sizeof(uint32_t));
	if (!build->uniform)
		part->value = BudgetAlloc(budget, part->room, sizeof(float));
	if (build->ordered)
		part->position = BudgetAlloc(budget, part->room, sizeof(uint16_t));
	while (count > 0)
	{
		uint64_t begin = count - 1;
		uint32_t n;

		INTERRUPTS();
		while (begin > 0 && user_of(&events[begin - 1]) == user_of(&events[count - 1]))
			begin--;
		build->events = events + begin;
		build->event_count = count - begin;
		build->line = line_of(build, events + begin, count - begin);
		n = sum_cells(build, events + begin, count - begin, cells);
		n = shorten(build, cells, n);
		consider(build, user_of(&events[begin]), cells, n);
		keep_user(build, user_of(&events[begin]));
		if (build->ordered)
			order_cells(build, cells, n);
		put_cells(build, part, cells, n);
		count = begin;
	}
	BudgetFree(budget, taken);
	BudgetFree(budget, spare);
	part->room = part->count;
	part->item = BudgetResize(budget, part->item, part->room, sizeof(uint32_t));
	if (part->value)
		part->value = BudgetResize(budget, part->value, part->room, sizeof(float));
	if (part->position)
		part->position = BudgetResize(budget, part->position, part->room, sizeof(uint16_t));
}

static void
sum_piles(Build *build)
{
	uint64_t done = 0;

	build->part = BudgetZeroed(build->budget, build->parts, sizeof(Part));
	build->stat = BudgetZeroed(build->budget, build->log->items, sizeof(ItemStat));
	for (uint32_t i = 0; i < build->log->items; i++)
		build->stat[i].newest_age = UINT32_MAX;
	for (uint32_t pile = build->parts; pile-- > 0;)
	{
		done += PilesCount(build->log->piles, pile);
		sum_pile(build, pile);
		ProgressDone(done);
	}
	PilesFree(build->log->piles);
	build->log->piles = NULL;
}

/*
 * Puts items in order, most users first, then by id; stats follow.  Returns the new number of each.
 */
static uint32_t *
order_items(Build *build)
{
	const EventLog *log = build->log;
	Interactions *matrix = build->matrix;
	Keyed *items = BudgetAlloc(build->budget, log->items, sizeof(Keyed));
	uint32_t *place = BudgetAlloc(build->budget, log->items, sizeof(uint32_t));

	for (uint32_t i = 0; i < log->items; i++)
		items[i] =
			(Keyed){.key = UINT32_MAX - build->stat[i].users, .tie = log->item_rank[i], .index = i};
	sort_keyed(items, log->items);

	matrix->stat = BudgetAlloc(build->budget, log->items, sizeof(ItemStat));
	matrix->item = BudgetAlloc(build->budget, log->items, sizeof(uint32_t));
	for (uint32_t n = 0; n < log->items; n++)
	{
		place[items[n].index] = n;
		matrix->item[n] = items[n].index;
		matrix->stat[n] = build->stat[items[n].index];
	}
	BudgetFree(build->budget, items);
	return place;
}

uint32_t
InteractionsHoldout(uint32_t users, uint32_t paired)
{
	uint32_t wanted = Min(Max(users / HOLDOUT_SHARE, HOLDOUT_LEAST), HOLDOUT_MOST);

	/* Of those who say anything of pairs, so that what is learned can do without them. */
	if (paired / HOLDOUT_SPARED >= HOLDOUT_ENOUGH)
		wanted = Min(wanted, paired / HOLDOUT_SPARED);
	return Min(wanted, paired / 2);
}

/*
 * Leaves of the candidates those to hold out, in their order: of the first HOLDOUT_RECENT times as
 * many who came back, those who chose something last.  The others are only taken where hardly
 * anybody came back.
 */
static void
pick_candidates(Build *build, uint32_t most)
{
	Keyed *order = BudgetAlloc(build->budget, build->candidates, sizeof(Keyed));
	uint32_t count = 0;
	uint32_t returned = 0;

	while (count < build->candidates && returned < most * HOLDOUT_RECENT)
	{
		const Candidate *candidate = &build->candidate[count];

		order[count] = (Keyed){candidate->age, count, count};
		if (!candidate->returned)
			order[count].key += UINT64_C(1) << 32;
		returned += candidate->returned;
		count++;
	}
	sort_keyed(order, count);
	most = Min(most, returned >= HOLDOUT_LEAST ? returned : count);
	for (uint32_t n = 0; n < most; n++)
		order[n] = (Keyed){order[n].index, 0, order[n].index};
	sort_keyed(order, most);
	for (uint32_t n = 0; n < most; n++)
		build->candidate[n] = build->candidate[order[n].index];
	build->candidates = most;
	BudgetFree(build->budget, order);
}

/* Settles who is held out.  Their rows come last, by rising hash like all others. */
static void
hold_out(Build *build, const uint32_t *item_place)
{
	Interactions *matrix = build->matrix;
	uint64_t chosen = 0;

	pick_candidates(build, InteractionsHoldout(build->users, matrix->paired));
	for (uint32_t h = 0; h < build->candidates; h++)
		chosen += build->candidate[h].count;
	matrix->learners = build->users - build->candidates;
	matrix->chosen = BudgetAlloc(build->budget, chosen, sizeof(Chosen));
	for (uint32_t h = 0; h < build->candidates; h++)
	{
		const Candidate *candidate = &build->candidate[build->candidates - 1 - h];
		const uint32_t *item = build->candidate_item + candidate->begin;

		for (uint32_t c = 0; c < candidate->count; c++)
			matrix->chosen[matrix->chosen_count++] =
				(Chosen){matrix->learners + h, item_place[item[c]]};
	}
}

/* Settles what was chosen beyond a line: everybody is learned from, by rising hash. */
static void
number_chosen(Build *build, const uint32_t *item_place)
{
	Interactions *matrix = build->matrix;
	uint32_t count = matrix->chosen_count;

	matrix->learners = build->users;
	for (uint32_t c = 0; c < count - c; c++)
	{
		Chosen first = matrix->chosen[c];
		Chosen last = matrix->chosen[count - 1 - c];

		matrix->chosen[c] = (Chosen){build->users - 1 - last.user, item_place[last.item]};
		matrix->chosen[count - 1 - c] =
			(Chosen){build->users - 1 - first.user, item_place[first.item]};
	}
}

/* A row of by_user from a user's cells. */
static void
write_row(const Build *build, uint32_t row, const Part *cells, const uint32_t *item_place,
		  uint64_t *sorted)
{
	Sparse *by_user = &build->matrix->by_user;
	uint64_t begin = by_user->start[row];
	uint64_t count = by_user->start[row + 1] - begin;
	uint64_t held_out = by_user->start[build->matrix->learners];

	for (uint64_t c = 0; c < count; c++)
		sorted[c] = (uint64_t) item_place[cells->item[c]] << 32 | c;
	sort_row(sorted, count);
	for (uint64_t c = 0; c < count; c++)
	{
		uint32_t place = (uint32_t) sorted[c];

		by_user->column[begin + c] = (uint32_t) (sorted[c] >> 32);
		if (cells->value)
			by_user->value[begin + c] = cells->value[place];
		if (cells->position)
			build->matrix->position[begin + c] = cells->position[place];
		if (cells->asked)
			build->matrix->asked[begin + c - held_out] = cells->asked[place];
	}
}

/* The row of every user: learners by rising hash, then those held out. */
static uint32_t *
order_users(const Build *build)
{
	uint32_t *row = BudgetAlloc(build->budget, build->users, sizeof(uint32_t));
	uint32_t held = build->candidates;
	uint32_t learner = 0;

	/* Users came by falling hash, and so did those held out. */
	for (uint32_t user = build->users; user-- > 0;)
		if (held > 0 && build->candidate[held - 1].user == user)
		{
			row[user] = build->matrix->learners + (build->candidates - held);
			held--;
		}
		else
			row[user] = learner++;
	Assert(held == 0 && learner == build->matrix->learners);
	return row;
}

static void
write_rows(Build *build, const uint32_t *item_place)
{
	Budget *budget = build->budget;
	Sparse *by_user = &build->matrix->by_user;
	uint32_t *row = order_users(build);
	uint64_t *sorted = BudgetAlloc(budget, build->longest, sizeof(uint64_t));
	uint32_t user = 0;
	uint32_t held = 0;

	*by_user = (Sparse){.rows = build->users, .columns = build->log->items};
	by_user->start = BudgetAllocShared(budget, (uint64_t) build->users + 1, sizeof(uint64_t));
	by_user->column = BudgetAllocShared(budget, build->cells, sizeof(uint32_t));
	if (build->uniform)
		by_user->uniform = build->value;
	else
		by_user->value = BudgetAllocShared(budget, build->cells, sizeof(float));
	if (build->user)
		build->matrix->user = BudgetAlloc(budget, build->users, sizeof(uint64_t));
	for (uint32_t u = 0; u < build->users; u++)
	{
		by_user->start[row[u]] = build->cells_of[u];
		if (build->user)
			build->matrix->user[row[u]] = build->user[u];
	}
	SparseOffsets(by_user->start, build->users);
	if (build->ordered)
	{
		build->matrix->position = BudgetAlloc(budget, build->cells, sizeof(uint16_t));
		build->matrix->asked = BudgetAlloc(
			budget, build->cells - by_user->start[build->matrix->learners], sizeof(uint16_t));
	}

	for (uint32_t p = build->parts; p-- > 0;)
	{
		Part *part = &build->part[p];
		uint64_t at = 0;

		for (uint32_t u = 0; u < part->users; u++, user++)
		{
			Part cells = {.item = part->item + at,
						  .value = part->value ? part->value + at : NULL,
						  .position = part->position ? part->position + at : NULL};

			INTERRUPTS();
			if (build->ordered && held < build->candidates && build->candidate[held].user == user)
				cells.asked = build->candidate_position + build->candidate[held++].order;
			write_row(build, row[user], &cells, item_place, sorted);
			at += build->cells_of[user];
		}
		BudgetFree(budget, part->item);
		BudgetFree(budget, part->value);
		BudgetFree(budget, part->position);
	}
	BudgetFree(budget, row);
	BudgetFree(budget, sorted);
}

Interactions *
InteractionsBuild(EventLog *log, const InteractionOptions *options, Budget *budget)
{
	Build build = {
		.log = log,
		.options = options,
		.budget = budget,
		.matrix = BudgetZeroed(budget, 1, sizeof(Interactions)),
		.parts = UINT32_C(1) << log->pile_bits,
		.uniform = true,
		.ordered = options->ordered && log->timed,
		.positions = {.budget = budget},
	};
	uint32_t *item_place;

	sum_piles(&build);
	item_place = order_items(&build);
	if (options->split == SPLIT_USERS)
		hold_out(&build, item_place);
	else
		number_chosen(&build, item_place);
	BudgetShare(budget, build.cells >= INTERACTIONS_SHARED);
	write_rows(&build, item_place);

	BudgetFree(budget, build.part);
	BudgetFree(budget, build.candidate);
	BudgetFree(budget, build.candidate_item);
	BudgetFree(budget, build.candidate_position);
	PositionsFree(&build.positions);
	BudgetFree(budget, build.stat);
	BudgetFree(budget, build.cells_of);
	BudgetFree(budget, build.user);
	BudgetFree(budget, item_place);
	return build.matrix;
}
