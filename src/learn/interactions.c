/*
 * interactions.c: two counting sorts and small sorts between them.
 *
 * 1. Users are put in order, and their events gathered by a counting sort.
 * 2. Within each user, events are sorted by item and summed; cells overwrite the events.
 * 3. Items are put in order by how many users they have; cells scatter to by_item, whose
 *    transpose is by_user.  Walking users in order leaves every row sorted.
 *
 * Peak memory: 32 bytes an event in step 1, then 16 an event and 24 a cell.
 */
#include "learn/interactions.h"

#include <math.h>

#include "base/interrupts.h"

#define CHOSEN_SHARE 5  /* one in so many of a held-out user's items is chosen */
#define CHOSEN_MOST  10 /* and at most this many, so that no heavy user rules the sample */

/* While summing, an event's place is reused for a cell. */
typedef struct Cell
{
	uint32_t item;
	float value;
	uint32_t oldest_age; /* of the positive events: when the item was first chosen */
	uint32_t newest_age;
} Cell;

StaticAssertDecl(sizeof(Cell) == sizeof(Event), "a cell must fit where an event was");

/* By item, then age, then weight: any order that does not depend on arrival will do. */
static inline int
compare_events(const Event *a, const Event *b)
{
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

/*
 * Orders users by hash.  The last *holdout of those with two events or more move to the end, but
 * never more than half of those: the others are all there is to learn pairs from.  *holdout
 * becomes how many there are.  Returns the new number of each user.
 */
static uint32_t *
order_users(const EventLog *log, const uint64_t *events_of, uint32_t *holdout, Budget *budget)
{
	Keyed *users = BudgetAlloc(budget, log->users, sizeof(Keyed));
	uint32_t *place = BudgetAlloc(budget, log->users, sizeof(uint32_t));
	uint32_t eligible = 0;
	uint32_t held = 0;
	uint32_t next = 0;

	for (uint32_t u = 0; u < log->users; u++)
	{
		users[u] = (Keyed){.key = log->user_hash[u], .index = u};
		eligible += events_of[u] >= 2;
	}
	sort_keyed(users, log->users);
	*holdout = Min(*holdout, eligible / 2);

	/* The tie field marks who is held out, from the greatest hash down. */
	for (uint32_t n = log->users; n-- > 0 && held < *holdout;)
	{
		if (events_of[users[n].index] >= 2)
		{
			users[n].tie = 1;
			held++;
		}
	}
	for (uint32_t mark = 0; mark <= 1; mark++)
		for (uint32_t n = 0; n < log->users; n++)
			if (users[n].tie == mark)
				place[users[n].index] = next++;

	BudgetFree(budget, users);
	*holdout = held;
	return place;
}

/*
 * All events, gathered by user; start[] becomes where each user's begin.  Frees the log's blocks.
 */
static Event *
gather_by_user(EventLog *log, const uint32_t *place, uint64_t *start, Budget *budget)
{
	Event *events = BudgetAlloc(budget, log->count, sizeof(Event));
	uint64_t left = log->count;

	for (uint32_t b = 0; b < log->blocks; b++)
	{
		uint64_t here = Min(left, EVENTLOG_BLOCK);

		INTERRUPTS();
		for (uint64_t e = 0; e < here; e++)
		{
			Event event = log->block[b][e];

			event.user = place[event.user];
			events[start[event.user]++] = event;
		}
		left -= here;
		BudgetFree(budget, log->block[b]);
	}
	log->blocks = 0;

	/* start[] ran ahead by one user. */
	memmove(start + 1, start, sizeof(uint64_t) * log->users);
	start[0] = 0;
	return events;
}

static void
count_event(ItemStat *stat, const Event *event, const InteractionOptions *options)
{
	stat->events++;
	stat->oldest_age = Max(stat->oldest_age, event->age);
	stat->newest_age = Min(stat->newest_age, event->age);
	if (event->weight > 0)
	{
		double f = WeightingValue(options->weighting, event->weight);

		stat->popularity += f * DecayFactor(event->age, options->popular_half_life);
		stat->recent += f * DecayFactor(event->age, options->trend_half_life);
	}
}

/*
 * Sums one user's sorted events to cells, written over them, and counts them for their items.
 * Returns the number of positive cells.
 */
static uint32_t
sum_cells(Event *events, uint64_t count, uint32_t newest_age, ItemStat *stats,
		  const InteractionOptions *options)
{
	uint32_t cells = 0;

	for (uint64_t e = 0; e < count;)
	{
		Cell cell = {.item = events[e].item, .newest_age = UINT32_MAX};
		double r = 0;
		double f;

		for (; e < count && events[e].item == cell.item; e++)
		{
			r += events[e].weight *
				 DecayFactor((double) events[e].age - newest_age, options->half_life);
			cell.newest_age = Min(cell.newest_age, events[e].age);
			if (events[e].weight > 0)
				cell.oldest_age = Max(cell.oldest_age, events[e].age);
			count_event(&stats[cell.item], &events[e], options);
		}

		f = r > 0 ? WeightingValue(options->weighting, r) : 0;
		cell.value = (float) f;
		if (cell.value > 0 && isfinite(cell.value))
		{
			stats[cell.item].users++;
			memcpy(&events[cells++], &cell, sizeof(Cell));
		}
	}
	return cells;
}

/* By when an item was first chosen, the last first; ties go by id. */
static int
last_chosen_first(const void *a, const void *b, void *log)
{
	const uint32_t *rank = ((const EventLog *) log)->item_rank;
	const Cell *x = a;
	const Cell *y = b;

	if (x->oldest_age != y->oldest_age)
		return x->oldest_age < y->oldest_age ? -1 : 1;
	return rank[x->item] < rank[y->item] ? -1 : rank[x->item] > rank[y->item];
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
shorten(Interactions *matrix, Cell *cells, uint32_t count, uint32_t most, EventLog *log,
		ItemStat *stats)
{
	if (count <= most)
		return count;
	qsort_arg(cells, count, sizeof(Cell), newest_first, log);
	for (uint32_t c = most; c < count; c++)
		stats[cells[c].item].users--;
	matrix->shortened++;
	return most;
}

/*
 * Adds what a held-out user chose last: the newest fifth of the cells, by when they were first
 * chosen.  Cells that tie are taken by id, which is no order in time but a fixed one.
 */
static void
choose(Interactions *matrix, uint32_t user, Cell *cells, uint32_t count, EventLog *log)
{
	uint32_t chosen = Min((count + CHOSEN_SHARE - 1) / CHOSEN_SHARE, CHOSEN_MOST);

	if (count < 2)
		return;
	qsort_arg(cells, count, sizeof(Cell), last_chosen_first, log);
	for (uint32_t c = 0; c < chosen; c++)
		matrix->chosen[matrix->chosen_count++] = (Chosen){user, cells[c].item};
}

/*
 * Puts items in order, most users first, then by id; stats follow.  Returns the new number of each.
 */
static uint32_t *
order_items(const EventLog *log, Interactions *matrix, ItemStat *stats, Budget *budget)
{
	Keyed *items = BudgetAlloc(budget, log->items, sizeof(Keyed));
	uint32_t *place = BudgetAlloc(budget, log->items, sizeof(uint32_t));

	for (uint32_t i = 0; i < log->items; i++)
		items[i] =
			(Keyed){.key = UINT32_MAX - stats[i].users, .tie = log->item_rank[i], .index = i};
	sort_keyed(items, log->items);
	for (uint32_t n = 0; n < log->items; n++)
	{
		place[items[n].index] = n;
		matrix->item[n] = items[n].index;
		matrix->stat[n] = stats[items[n].index];
	}
	BudgetFree(budget, items);
	return place;
}

static void
alloc_sparse(Sparse *a, uint32_t rows, uint32_t columns, uint64_t count, Budget *budget)
{
	a->rows = rows;
	a->columns = columns;
	a->start = BudgetZeroed(budget, (uint64_t) rows + 1, sizeof(uint64_t));
	a->column = BudgetAlloc(budget, count, sizeof(uint32_t));
	a->value = BudgetAlloc(budget, count, sizeof(float));
}

Interactions *
InteractionsBuild(EventLog *log, const InteractionOptions *options, Budget *budget)
{
	Interactions *matrix = BudgetZeroed(budget, 1, sizeof(Interactions));
	uint64_t *start = BudgetZeroed(budget, (uint64_t) log->users + 1, sizeof(uint64_t));
	uint64_t *count_of = BudgetZeroed(budget, (uint64_t) log->users + 1, sizeof(uint64_t));
	ItemStat *stats = BudgetZeroed(budget, log->items, sizeof(ItemStat));
	uint32_t holdout = options->holdout;
	uint32_t *user_place;
	Sparse by_item;
	uint32_t *item_place;
	uint32_t *cells_of;
	uint64_t cells = 0;
	uint64_t left = log->count;
	uint32_t newest_age = UINT32_MAX;
	Event *events;

	/* 1. Gather by user. */
	for (uint32_t b = 0; b < log->blocks; b++)
	{
		uint64_t here = Min(left, EVENTLOG_BLOCK);

		INTERRUPTS();
		for (uint64_t e = 0; e < here; e++)
		{
			count_of[log->block[b][e].user]++;
			newest_age = Min(newest_age, log->block[b][e].age);
		}
		left -= here;
	}
	user_place = order_users(log, count_of, &holdout, budget);
	for (uint32_t u = 0; u < log->users; u++)
		start[user_place[u]] = count_of[u];
	BudgetFree(budget, count_of);
	SparseOffsets(start, log->users);
	events = gather_by_user(log, user_place, start, budget);
	BudgetFree(budget, user_place);

	/* 2. Sum within each user. */
	matrix->learners = log->users - holdout;
	matrix->chosen = BudgetAlloc(budget, (uint64_t) holdout * CHOSEN_MOST, sizeof(Chosen));
	cells_of = BudgetZeroed(budget, log->users, sizeof(uint32_t));
	for (uint32_t i = 0; i < log->items; i++)
		stats[i].newest_age = UINT32_MAX;
	for (uint32_t u = 0; u < log->users; u++)
	{
		Event *mine = events + start[u];
		uint64_t count = start[u + 1] - start[u];

		INTERRUPTS();
		sort_events(mine, count);
		cells_of[u] = sum_cells(mine, count, newest_age, stats, options);
		cells_of[u] = shorten(matrix, (Cell *) mine, cells_of[u], options->max_history, log, stats);
		cells += cells_of[u];
		if (u >= matrix->learners)
			choose(matrix, u, (Cell *) mine, cells_of[u], log);
	}

	/* 3. Renumber items, scatter to by_item, transpose to by_user. */
	matrix->stat = BudgetAlloc(budget, log->items, sizeof(ItemStat));
	matrix->item = BudgetAlloc(budget, log->items, sizeof(uint32_t));
	item_place = order_items(log, matrix, stats, budget);
	BudgetFree(budget, stats);
	for (uint32_t c = 0; c < matrix->chosen_count; c++)
		matrix->chosen[c].item = item_place[matrix->chosen[c].item];

	alloc_sparse(&by_item, log->items, log->users, cells, budget);
	for (uint32_t i = 0; i < log->items; i++)
		by_item.start[i] = matrix->stat[i].users;
	SparseOffsets(by_item.start, log->items);
	for (uint32_t u = 0; u < log->users; u++)
	{
		INTERRUPTS();
		for (uint32_t c = 0; c < cells_of[u]; c++)
		{
			Cell cell;
			uint64_t at;

			memcpy(&cell, &events[start[u] + c], sizeof(Cell));
			at = by_item.start[item_place[cell.item]]++;
			by_item.column[at] = u;
			by_item.value[at] = cell.value;
		}
	}
	memmove(by_item.start + 1, by_item.start, sizeof(uint64_t) * log->items);
	by_item.start[0] = 0;
	BudgetFree(budget, events);
	BudgetFree(budget, start);
	BudgetFree(budget, cells_of);
	BudgetFree(budget, item_place);

	alloc_sparse(&matrix->by_user, log->users, log->items, cells, budget);
	SparseCountColumns(&by_item, by_item.rows, matrix->by_user.start);
	SparseOffsets(matrix->by_user.start, log->users);
	SparseTurn(&by_item, 0, &matrix->by_user);
	if (SparseIsUniform(&matrix->by_user))
	{
		matrix->by_user.uniform = matrix->by_user.value[0];
		matrix->by_user.value = NULL;
	}
	return matrix;
}
