#include "learn/usersum.h"

#include <float.h>

#include "base/interrupts.h"

#define CHOSEN_SHARE 5  /* one in so many of a held-out user's items is chosen */
#define CHOSEN_MOST  30 /* and at most this many, but for whole baskets */

/* An item's tally is sent for so many events before it is counted in. */
#define AHEAD 8

StaticAssertDecl(sizeof(Cell) >= sizeof(uint32_t) * CELL_WORDS, "words are made where cells were");

static double
value_of(UserSum *sum, double weight)
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
count_event(UserSum *sum, const Event *event)
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
				 f * DecayFactor(event->age + sum->job->popular_after, options->popular_half_life));
		TallyAdd((Tally){tally->recent, &tally->recent_place},
				 f * DecayFactor(event->age + sum->job->recent_after, options->trend_half_life));
	}
}

/* The line of one user: beyond the last one is only the newest time at which it chose something. */
static uint32_t
line_of(const UserSum *sum, const Event *events, uint64_t count)
{
	uint32_t newest = UINT32_MAX - 1;

	if (sum->options->split == SPLIT_USERS)
		return 0;
	if (sum->options->split == SPLIT_TIME)
		return Max(sum->options->line, Min(sum->job->newest_age, UINT32_MAX - 1) + 1);
	if (sum->job->signals > 0)
		return Min(ActsLast(&sum->acts, sum->options->repeats), newest) + 1;
	for (uint64_t e = 0; e < count; e++)
		if (events[e].weight > 0)
			newest = Min(newest, events[e].age);
	return newest + 1;
}

/* What half-lives of histories count from: the newest event that anybody may know of. */
static uint32_t
present(const UserSum *sum)
{
	return sum->options->split == SPLIT_TIME ? sum->line : sum->job->newest_age;
}

/* Adds what the user at hand chose beyond the line. */
static void
add_chosen(UserSum *sum, uint32_t item)
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
skip_later(UserSum *sum, const Event *events, uint64_t count)
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

/* Adds an event to its cell, and counts it for its item. */
static inline void
add_event(UserSum *sum, const Event *event, Cell *cell, double *r)
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

void
UserSumAdd(UserSum *sum, const Event *event, Cell *cell, double *r)
{
	add_event(sum, event, cell, r);
}

uint32_t
UserSumEndCell(UserSum *sum, Cell *cell, double r)
{
	cell->value = r > 0 ? (float) Min(value_of(sum, r), FLT_MAX) : 0;
	if (!(cell->value > 0))
		return 0;
	sum->tally[cell->item].users++;
	return 1;
}

/*
 * Sums one user's sorted events to cells, and counts them for their items.  Returns the number of
 * positive cells; there is room for as many as there are events.
 */
static uint32_t
sum_cells(UserSum *sum, const Event *events, uint64_t count, Cell *cells)
{
	uint32_t n = 0;

	for (uint64_t e = 0; e < count;)
	{
		Cell *cell = &cells[n];
		double r = 0;

		UserSumBegin(cell, events[e].item);
		if (e + AHEAD < count)
			__builtin_prefetch(&sum->tally[events[e + AHEAD].item], 1);
		if (sum->line > 0)
			e += skip_later(sum, events + e, count - e);
		for (; e < count && events[e].item == cell->item; e++)
		{
			INTERRUPTS_AT(e);
			add_event(sum, &events[e], cell, &r);
		}
		n += UserSumEndCell(sum, cell, r);
	}
	return n;
}

/* The same of a user's events where signals are told apart; those beyond the line tell what was chosen. */
static uint32_t
sum_acts(UserSum *sum, Cell *cells)
{
	const Acts *acts = &sum->acts;
	uint32_t n = 0;

	for (uint64_t begin = 0, end; begin < acts->count; begin = end)
	{
		Cell *cell = &cells[n];
		double r = 0;

		UserSumBegin(cell, ActsItem(acts, begin));
		end = ActsEnd(acts, begin);
		if (ActsChosen(acts, begin, end, sum->options->repeats))
			add_chosen(sum, cell->item);
		for (uint64_t e = begin; e < end; e++)
		{
			Event event = acts->event[e];

			INTERRUPTS_AT(e);
			event.item = cell->item;
			if (event.age >= sum->line)
				add_event(sum, &event, cell, &r);
		}
		n += UserSumEndCell(sum, cell, r);
	}
	return n;
}

/* Keeps the newest of a user's cells, as many as may count.  Returns how many there are then. */
static uint32_t
shorten(UserSum *sum, Cell *cells, uint32_t count)
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
order_cells(UserSum *sum, const Cell *cells, uint32_t count)
{
	Positions *positions = &sum->positions;

	Assert(positions->numbered == 0 || positions->numbered == count);
	/* What would be held out is in order by now, but for what was chosen again. */
	for (uint32_t n = 0; n < positions->numbered; n++)
		PositionsSetNth(positions, n, cells[PositionsNth(positions, n)].latest_age);
	for (uint32_t c = positions->numbered; c < count; c++)
		PositionsSet(positions, c, cells[c].latest_age);
	PositionsNumber(positions, count);
	positions->numbered = 0;
}

/* When the user at hand last chose an item before a line, which it did. */
static uint32_t
latest_before(const UserSum *sum, uint32_t item, uint32_t line)
{
	const Event *events = sum->history;
	uint64_t low = 0;
	uint64_t high = sum->history_count;

	if (sum->job->signals > 0)
		return ActsLatest(&sum->acts, item, line);
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

/* True where nobody need look that up: the item was not chosen any more from the line on. */
static inline bool
has_latest(const UserSum *sum, const Cell *cell, uint32_t line)
{
	return sum->job->signals == 0 && cell->latest_age > line;
}

/*
 * Keeps the positions that the cells of a candidate had before the chosen ones, which come first, were
 * chosen; where signals are told apart, some others came later.
 */
static void
keep_order(UserSum *sum, const Candidate *candidate, const Cell *cells, uint32_t count)
{
	uint32_t chosen = candidate->count;
	uint32_t line = cells[chosen - 1].oldest_age;

	for (uint32_t c = 0; c < count; c++)
	{
		uint32_t age = cells[c].oldest_age;

		if (c >= chosen && age > line)
			age = has_latest(sum, &cells[c], line) ? cells[c].latest_age
												   : latest_before(sum, cells[c].item, line);
		PositionsSet(&sum->positions, c, age);
	}
	PositionsNumber(&sum->positions, count);
	sum->positions.numbered = count;
	memcpy(sum->asked, sum->positions.position, sizeof(uint16_t) * count);
	for (uint32_t c = chosen; c < count; c++)
		if (cells[c].oldest_age < line || (candidate->returned && cells[c].oldest_age == line))
			sum->asked[c] = INTERACTIONS_LATER;
}

/* Puts the user at hand, with what would be chosen, among those who may be held out. */
static void
put_candidate(UserSum *sum, const Candidate *candidate, const Cell *cells)
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
consider(UserSum *sum, uint64_t user, Cell *cells, uint32_t count)
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
	ChoosingLastFirst(cells, count, wanted, &lot);
	whole = ChoosingWholeTimes(cells, count, wanted);
	candidate.count = whole < count ? whole : wanted;
	candidate.age = cells[0].oldest_age;
	candidate.returned = whole < count;
	put_candidate(sum, &candidate, cells);
	if (sum->job->ordered)
		keep_order(sum, &candidate, cells, count);
}

/* How many of the cells from one on were there when others were chosen, at a time or just before it. */
static uint32_t
count_before(const Cell *cells, uint32_t first, uint32_t count, uint32_t line, bool at)
{
	uint32_t before = 0;

	for (uint32_t c = first; c < count; c++)
		before += at ? cells[c].oldest_age >= line : cells[c].oldest_age > line;
	return before;
}

/*
 * The same where signals are told apart: of what the target chose, the newest fifth, by when the user
 * took it up, if anything was there before.  Cells of the target come first then.
 */
static void
consider_acts(UserSum *sum, uint64_t user, Cell *cells, uint32_t count)
{
	ChoosingLot lot = {sum->item_rank, user};
	Candidate candidate = {.user = sum->user, .cells = count};
	uint32_t targets = 0;
	uint32_t wanted;

	if (count < 2 || sum->options->split != SPLIT_USERS)
		return;
	for (uint32_t c = 0; c < count; c++)
		if (ActsPartsOf(&sum->acts, cells[c].item).part[0] > 0)
		{
			Cell cell = cells[targets];

			cells[targets++] = cells[c];
			cells[c] = cell;
		}
	sum->part->paired += targets > 0;
	if (targets == 0 || sum->enough || sum->considered == sum->job->candidates_most)
		return;
	wanted = Min((targets + CHOSEN_SHARE - 1) / CHOSEN_SHARE, CHOSEN_MOST);
	ChoosingLastFirst(cells, targets, wanted, &lot);
	candidate.count = wanted < targets ? ChoosingWholeTimes(cells, targets, wanted) : targets;
	candidate.returned = count_before(cells, candidate.count, count,
									  cells[candidate.count - 1].oldest_age, false) > 0;
	if (!candidate.returned)
		candidate.count = wanted;
	if (count_before(cells, candidate.count, count, cells[candidate.count - 1].oldest_age,
					 !candidate.returned) == 0)
		return;
	candidate.age = cells[0].oldest_age;
	put_candidate(sum, &candidate, cells);
	if (sum->job->ordered)
		keep_order(sum, &candidate, cells, count);
}

/* Puts cells on their pile as words, with what is owed to each signal. */
static void
put_acts(UserSum *sum, uint32_t pile, const Cell *cells, uint32_t count)
{
	bool ordered = sum->job->ordered;

	for (uint32_t c = 0; c < count; c++)
	{
		Parts parts = ActsPartsOf(&sum->acts, cells[c].item);
		uint32_t *word =
			PilesPlace(sum->piles, pile, sizeof(uint32_t) * CellWords(ordered, sum->job->signals));

		word[CELL_ITEM] = cells[c].item;
		memcpy(&word[CELL_VALUE], &cells[c].value, sizeof(float));
		if (ordered)
			word[CELL_ORDER] = sum->positions.position[c] | (uint32_t) sum->asked[c]
																<< CELL_ASKED_SHIFT;
		for (uint32_t s = 0; s < sum->job->signals; s++)
		{
			float part = (float) Min(parts.part[s], FLT_MAX);

			memcpy(&word[CellWordsBefore(ordered) + s], &part, sizeof(float));
		}
	}
}

/* Puts a user and its cells on their pile; these are no more afterwards. */
static void
put_cells(UserSum *sum, uint64_t user, Cell *cells, uint32_t count)
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
	for (uint32_t c = 0; c < count; c++)
		part->uniform = part->uniform && cells[c].value == part->value;
	if (sum->job->signals > 0)
		put_acts(sum, pile, cells, count);
	for (uint32_t c = 0; sum->job->signals == 0 && c < count; c++, word += CellWordsBefore(ordered))
	{
		Cell cell = cells[c];

		word[CELL_ITEM] = cell.item;
		memcpy(&word[CELL_VALUE], &cell.value, sizeof(float));
		if (ordered)
			word[CELL_ORDER] = sum->positions.position[c] | (uint32_t) sum->asked[c]
																<< CELL_ASKED_SHIFT;
	}
	PilesWrite(sum->piles, pile, cells,
			   (Size) ((char *) word - (char *) cells)); /* none, of acts */
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

uint32_t
UserSumCells(UserSum *sum, const Event *events, uint64_t count, Cell *cells)
{
	sum->history = events;
	sum->history_count = count;
	sum->acts = (Acts){.event = events,
					   .count = count,
					   .signals = sum->job->signals,
					   .half_life = sum->options->half_life};
	sum->line = line_of(sum, events, count);
	if (sum->job->signals == 0)
		return sum_cells(sum, events, count, cells);
	sum->acts.line = sum->line;
	sum->acts.present = present(sum);
	return sum_acts(sum, cells);
}

void
UserSumEnd(UserSum *sum, uint64_t user, Cell *cells, uint32_t count)
{
	count = shorten(sum, cells, count);
	if (sum->job->signals > 0)
		consider_acts(sum, user, cells, count);
	else
		consider(sum, user, cells, count);
	put_cells(sum, user, cells, count);
}
