/*
 * interactions.c: from piles of events to rows of cells.
 *
 * 1. learn/summing makes cells of the events, pile by pile; of cells only item and value are kept.
 * 2. Items are put in order by how many users they have, and who is held out is settled.
 * 3. Cells become rows of by_user, each sorted by the items' new numbers; piles are shared out
 *    among several processes again.
 */
#include "learn/interactions.h"

#include "base/interrupts.h"
#include "base/piles.h"
#include "base/team.h"
#include "learn/cellrow.h"
#include "learn/spilling.h"

#define HOLDOUT_SHARE  10 /* one in so many users, within the next two */
#define HOLDOUT_LEAST  200
#define HOLDOUT_MOST   4000
#define HOLDOUT_ENOUGH 1000 /* one in a hundred, where that is enough to go by */
#define HOLDOUT_RECENT 4    /* of so many, the one who chose something last is held out */

/* As many as there may be items: numbers and sums have room for twice as many. */
#define USERS_MOST (UINT32_C(1) << 30)

/*
 * Of learning in memory: a range of items is at most such a share of the cells, or one item's users;
 * scratch of an item; and what small pieces take.
 */
#define RANGES_LEAST 64
#define ITEM_SCRATCH 20
#define SMALL_PIECES 16384

/* A candidate, with where its items are. */
typedef struct Considered
{
	Candidate candidate;
	uint32_t part;
	uint64_t begin; /* in the build's items */
} Considered;

typedef struct Build
{
	EventLog *log;
	const InteractionOptions *options;
	Budget *budget;
	Interactions *matrix;
	Summed summed;
	uint32_t parts;
	uint32_t users;
	uint64_t cells;
	uint32_t longest; /* cells of a user */
	bool uniform;
	float value;               /* of all cells, while uniform */
	uint32_t considered_count; /* by falling hash, like all of this */
	Considered *considered;
	uint32_t *considered_item; /* numbers of the log */
} Build;

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

/* Adds up what the parts came to. */
static void
add_parts(Build *build)
{
	uint64_t users = 0;

	build->uniform = true;
	for (uint32_t p = 0; p < build->parts; p++)
	{
		const Part *part = &build->summed.part[p];

		if (part->cells > 0 && build->cells == 0)
			build->value = part->value;
		build->uniform =
			build->uniform && part->uniform && (part->cells == 0 || part->value == build->value);
		users += part->users;
		build->cells += part->cells;
		build->longest = Max(build->longest, part->longest);
		build->matrix->paired += part->paired;
		build->matrix->shortened += part->shortened;
	}
	if (users > USERS_MOST)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("more than %u different users", USERS_MOST)));
	build->users = (uint32_t) users;
}

/* What was put on the piles of what was chosen, all of it, from the highest hashes down. */
static char *
take_chosen(Build *build, uint64_t *part_end)
{
	const EventLog *log = build->log;
	uint64_t bytes = 0;
	char *taken;
	char *at;

	for (uint32_t p = 0; p < build->parts; p++)
		bytes += PilesBytes(log->piles, EventLogPile(log->pile_bits, EVENTLOG_CHOSEN, p));
	at = taken = BudgetAllocResult(build->budget, bytes, 1);
	for (uint32_t p = build->parts; p-- > 0;)
	{
		at = PilesTake(log->piles, EventLogPile(log->pile_bits, EVENTLOG_CHOSEN, p), at);
		part_end[p] = (uint64_t) (at - taken);
	}
	return taken;
}

/* The candidates, as many as there can be. */
static void
gather_candidates(Build *build)
{
	uint64_t *end = BudgetAlloc(build->budget, build->parts, sizeof(uint64_t));
	char *taken = take_chosen(build, end);
	uint64_t at = 0;
	uint64_t items = 0;
	uint32_t most = Min(build->summed.candidates_most, build->matrix->paired);

	build->considered = BudgetAllocResult(build->budget, most, sizeof(Considered));
	build->considered_item = (uint32_t *) taken;
	for (uint32_t p = build->parts; p-- > 0;)
		while (at < end[p] && build->considered_count < most)
		{
			Considered *next = &build->considered[build->considered_count++];

			INTERRUPTS_AT(build->considered_count);
			memcpy(&next->candidate, taken + at, sizeof(Candidate));
			next->part = p;
			next->begin = items;
			at += sizeof(Candidate);
			/* Items move to the front, where there were others and more. */
			memmove(build->considered_item + items, taken + at,
					sizeof(uint32_t) * next->candidate.count);
			at += sizeof(uint32_t) * next->candidate.count;
			items += next->candidate.count;
		}
	BudgetFree(build->budget, end);
}

static ItemStat
stat_of(ItemTally *tally)
{
	return (ItemStat){
		.events = tally->events,
		.users = tally->users,
		.oldest_age = tally->oldest_age,
		.newest_age = tally->newest_age,
		.popularity = TallyValue((Tally){tally->popularity, &tally->popularity_place}),
		.recent = TallyValue((Tally){tally->recent, &tally->recent_place}),
	};
}

/*
 * Puts items in order, most users first, then by id; stats follow.  Returns the new number of each.
 */
static uint32_t *
order_items(Build *build)
{
	const EventLog *log = build->log;
	Interactions *matrix = build->matrix;
	Keyed *items = BudgetAllocResult(build->budget, log->items, sizeof(Keyed));
	uint32_t *place = BudgetAllocSharedResult(build->budget, log->items, sizeof(uint32_t));

	for (uint32_t i = 0; i < log->items; i++)
	{
		INTERRUPTS_AT(i);
		items[i] = (Keyed){
			.key = UINT32_MAX - build->summed.tally[i].users, .tie = log->item_rank[i], .index = i};
	}
	sort_keyed(items, log->items);

	matrix->stat = BudgetAllocResult(build->budget, log->items, sizeof(ItemStat));
	matrix->item = BudgetAllocResult(build->budget, log->items, sizeof(uint32_t));
	for (uint32_t n = 0; n < log->items; n++)
	{
		INTERRUPTS_AT(n);
		place[items[n].index] = n;
		matrix->item[n] = items[n].index;
		matrix->stat[n] = stat_of(&build->summed.tally[items[n].index]);
	}
	BudgetFree(build->budget, items);
	BudgetFree(build->budget, build->summed.tally);
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
	Keyed *order = BudgetAllocResult(build->budget, build->considered_count, sizeof(Keyed));
	uint32_t count = 0;
	uint32_t returned = 0;

	while (count < build->considered_count && returned < most * HOLDOUT_RECENT)
	{
		const Candidate *candidate = &build->considered[count].candidate;

		INTERRUPTS_AT(count);
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
		build->considered[n] = build->considered[order[n].index];
	build->considered_count = most;
	BudgetFree(build->budget, order);
}

/* Settles who is held out.  Their rows come last, by rising hash like all others. */
static void
hold_out(Build *build, const uint32_t *item_place)
{
	Interactions *matrix = build->matrix;
	uint64_t chosen = 0;

	gather_candidates(build);
	pick_candidates(build, InteractionsHoldout(build->users, matrix->paired));
	for (uint32_t h = 0; h < build->considered_count; h++)
		chosen += build->considered[h].candidate.count;
	matrix->learners = build->users - build->considered_count;
	matrix->chosen = BudgetAllocResult(build->budget, chosen, sizeof(Chosen));
	for (uint32_t h = 0; h < build->considered_count; h++)
	{
		const Considered *held = &build->considered[build->considered_count - 1 - h];

		for (uint32_t c = 0; c < held->candidate.count; c++)
			matrix->chosen[matrix->chosen_count++] =
				(Chosen){matrix->learners + h, item_place[build->considered_item[held->begin + c]]};
	}
	BudgetFree(build->budget, build->considered_item);
}

static inline int
compare_chosen(const Chosen *a, const Chosen *b)
{
	if (a->user != b->user)
		return a->user < b->user ? -1 : 1;
	return a->item < b->item ? -1 : a->item > b->item;
}

#define ST_SORT          sort_chosen
#define ST_ELEMENT_TYPE  Chosen
#define ST_COMPARE(a, b) compare_chosen(a, b)
#define ST_SCOPE         static
#define ST_DEFINE
#define ST_CHECK_FOR_INTERRUPTS
#include "lib/sort_template.h"

/* Settles what was chosen beyond a line: everybody is learned from, by rising hash. */
static void
number_chosen(Build *build, const uint32_t *item_place)
{
	Interactions *matrix = build->matrix;
	uint64_t *end = BudgetAlloc(build->budget, build->parts, sizeof(uint64_t));
	uint32_t user = build->users;
	uint64_t c = 0;

	matrix->learners = build->users;
	matrix->chosen = (Chosen *) take_chosen(build, end);
	matrix->chosen_count = (uint32_t) (end[0] / sizeof(Chosen));
	for (uint32_t p = build->parts; p-- > 0;)
	{
		for (; c < end[p] / sizeof(Chosen); c++)
		{
			INTERRUPTS_AT(c);
			matrix->chosen[c] =
				(Chosen){user - 1 - matrix->chosen[c].user, item_place[matrix->chosen[c].item]};
		}
		user -= build->summed.part[p].users;
	}
	sort_chosen(matrix->chosen, matrix->chosen_count);
	BudgetFree(build->budget, end);
}

/*
 * Places the rows of every part: learners by rising hash, then those held out, whose first cell is
 * said.
 */
static Held *
place_rows(Build *build, uint64_t *held_cell)
{
	Held *held = BudgetAllocSharedResult(build->budget, build->considered_count, sizeof(Held));
	uint32_t count = 0;
	uint32_t row = 0;
	uint64_t cell = 0;

	for (uint32_t p = 0; p < build->parts; p++)
	{
		Part *part = &build->summed.part[p];
		uint64_t held_cells = 0;

		part->first_row = row;
		part->first_cell = cell;
		part->first_held = count;
		for (; count < build->considered_count; count++)
		{
			const Considered *next = &build->considered[build->considered_count - 1 - count];

			if (next->part != p)
				break;
			held[count] = (Held){.user = next->candidate.user, .cells = next->candidate.cells};
			held_cells += next->candidate.cells;
		}
		part->held = count - part->first_held;
		row += part->users - part->held;
		cell += part->cells - held_cells;
	}
	Assert(count == build->considered_count && row == build->matrix->learners);
	*held_cell = cell;
	for (uint32_t h = 0; h < count; h++)
	{
		held[h].row = row + h;
		held[h].begin = cell;
		cell += held[h].cells;
	}
	Assert(cell == build->cells);
	return held;
}

/* What members share while rows are written: the job, and its pieces. */
typedef struct Job
{
	uint32_t pile_bits;
	uint64_t words_most; /* of a pile of cells */
	uint32_t longest;
	uint64_t held_cell; /* the first cell of those held out */
	uint32_t signals;
	bool ordered;
} Job;

enum
{
	PIECE_PILES,
	PIECE_PART,
	PIECE_HELD,
	PIECE_PLACE,
	PIECE_START,
	PIECE_COLUMN,
	PIECE_VALUE,
	PIECE_USER,     /* the hash of each row's user, where that is wanted */
	PIECE_POSITION, /* of every cell, where order is wanted; that of those held out comes next */
	PIECE_ASKED,
	PIECE_BY_SIGNAL, /* of every cell, where signals are told apart */
	PIECE_WORDS,     /* of each member, like the next */
	PIECE_SORTED,
	PIECES
};

StaticAssertDecl(PIECES <= TEAM_PIECES, "a job has more pieces than a team may share");

/* Writes the cells of one user as a row. */
static void
write_row(const TeamMember *member, const uint32_t *words, uint32_t count, uint64_t begin,
		  uint64_t *room)
{
	const Job *job = member->job;
	uint32_t *column = (uint32_t *) member->piece[PIECE_COLUMN] + begin;
	float *value = member->piece[PIECE_VALUE];
	uint16_t *position = member->piece[PIECE_POSITION];
	uint16_t *asked = member->piece[PIECE_ASKED];
	float *part = member->piece[PIECE_BY_SIGNAL];
	uint32_t size = CellWords(job->ordered, job->signals);
	uint64_t *sorted = CellRowSort(words, count, size, member->piece[PIECE_PLACE], room);

	CellRowSplit(words, count, size, sorted, column, value ? value + begin : NULL);
	for (uint32_t c = 0; position && c < count; c++)
	{
		uint32_t order = words[(uint64_t) (uint32_t) sorted[c] * size + CELL_ORDER];

		position[begin + c] = (uint16_t) order;
		if (begin >= job->held_cell)
			asked[begin + c - job->held_cell] = (uint16_t) (order >> CELL_ASKED_SHIFT);
	}
	for (uint32_t c = 0; part && c < count; c++)
		memcpy(part + (begin + c) * job->signals,
			   words + (uint64_t) (uint32_t) sorted[c] * size + CellWordsBefore(job->ordered),
			   sizeof(float) * job->signals);
}

/* Writes the rows of a part, whose users come by rising hash from the end of its words. */
static void
write_part(const TeamMember *member, const Part *part, const uint32_t *end, uint64_t *room)
{
	uint64_t *start = member->piece[PIECE_START];
	uint64_t *hash = member->piece[PIECE_USER];
	const Job *job = member->job;
	uint32_t size = CellWords(job->ordered, job->signals);
	const Held *held = (const Held *) member->piece[PIECE_HELD] + part->first_held;
	const Held *held_end = held + part->held;
	uint32_t row = part->first_row;
	uint64_t begin = part->first_cell;

	for (uint32_t user = part->users; user-- > 0;)
	{
		const uint32_t *tail = end - USER_WORDS;
		uint32_t count = tail[USER_CELLS];
		bool is_held = held < held_end && held->user == user;
		uint32_t at = is_held ? held->row : row++;

		INTERRUPTS();
		end = tail - (uint64_t) count * size;
		start[at] = is_held ? held->begin : begin;
		if (hash)
			hash[at] = (uint64_t) tail[USER_HIGH] << 32 | tail[USER_LOW];
		write_row(member, end, count, start[at], room);
		if (is_held)
			held++;
		else
			begin += count;
	}
	Assert(held == held_end);
}

/* Takes parts until none is left. */
static void
write_parts(const TeamMember *member)
{
	const Job *job = member->job;
	Piles *piles = PilesJoin(member->piece[PIECE_PILES], member->number);
	const Part *parts = member->piece[PIECE_PART];
	uint32_t *words = TeamShare(member, PIECE_WORDS, sizeof(uint32_t) * job->words_most);
	uint64_t *room = TeamShare(member, PIECE_SORTED, 2 * sizeof(uint64_t) * job->longest);
	uint32_t taken;

	while ((taken = TeamNext(member)) < UINT32_C(1) << job->pile_bits)
	{
		const uint32_t *end =
			PilesTake(piles, EventLogPile(job->pile_bits, EVENTLOG_CELLS, taken), words);

		write_part(member, &parts[taken], end, room);
	}
	PilesLeave(piles);
}

/* Where a worker starts. */
extern PGDLLEXPORT void InteractionsWorker(dsm_segment *segment, shm_toc *toc);

void
InteractionsWorker(dsm_segment *segment, shm_toc *toc)
{
	TeamJoin(toc, write_parts, sizeof(Job), PIECES);
}

/* Room for the matrix. */
static void
alloc_rows(Build *build, uint64_t held_cell)
{
	Sparse *by_user = &build->matrix->by_user;
	Budget *budget = build->budget;

	*by_user = (Sparse){.rows = build->users, .columns = build->log->items};
	by_user->start = BudgetAllocShared(budget, (uint64_t) build->users + 1, sizeof(uint64_t));
	by_user->column = BudgetAllocShared(budget, build->cells, sizeof(uint32_t));
	if (build->uniform)
		by_user->uniform = build->value;
	else
		by_user->value = BudgetAllocShared(budget, build->cells, sizeof(float));
	if (build->options->keep_users)
		build->matrix->user = BudgetAllocShared(budget, build->users, sizeof(uint64_t));
	if (build->summed.ordered)
	{
		build->matrix->position = BudgetAllocShared(budget, build->cells, sizeof(uint16_t));
		build->matrix->asked =
			BudgetAllocShared(budget, build->cells - held_cell, sizeof(uint16_t));
	}
	if (build->log->signals > 0)
		build->matrix->part =
			BudgetAllocShared(budget, build->cells * build->log->signals, sizeof(float));
	by_user->start[build->users] = build->cells;
}

/* Words of the largest pile of cells. */
static uint64_t
most_words(const Build *build)
{
	uint64_t most = 0;

	for (uint32_t p = 0; p < build->parts; p++)
		most = Max(most, (uint64_t) build->summed.part[p].users * USER_WORDS +
							 build->summed.part[p].cells *
								 CellWords(build->summed.ordered, build->log->signals));
	return most;
}

/* Puts the cells of all parts into rows, and gives the piles back. */
static void
write_rows(Build *build, uint32_t *item_place)
{
	Budget *budget = build->budget;
	Sparse *by_user = &build->matrix->by_user;
	Job job = {.pile_bits = build->log->pile_bits,
			   .longest = build->longest,
			   .signals = build->log->signals,
			   .ordered = build->summed.ordered};
	void *piece[PIECES] = {0};
	TeamTask task = {.entry = "InteractionsWorker",
					 .work = write_parts,
					 .job = &job,
					 .size = sizeof(job),
					 .piece = piece,
					 .pieces = PIECES};

	job.words_most = most_words(build);
	piece[PIECE_PILES] = PilesPiece(build->log->piles);
	piece[PIECE_PART] = build->summed.part;
	piece[PIECE_HELD] = place_rows(build, &job.held_cell);
	alloc_rows(build, job.held_cell);
	piece[PIECE_POSITION] = build->matrix->position;
	piece[PIECE_ASKED] = build->matrix->asked;
	piece[PIECE_BY_SIGNAL] = build->matrix->part;
	piece[PIECE_PLACE] = item_place;
	piece[PIECE_START] = by_user->start;
	piece[PIECE_COLUMN] = by_user->column;
	piece[PIECE_VALUE] = by_user->value;
	piece[PIECE_USER] = build->matrix->user;
	task.members =
		TeamMembers(budget, job.words_most * sizeof(uint32_t) + job.longest * 2 * sizeof(uint64_t));
	task.members =
		PilesAreShared(build->log->piles) ? Min(task.members, PilesWriters(build->log->piles)) : 1;
	piece[PIECE_WORDS] = BudgetAllocShared(budget, job.words_most * task.members, sizeof(uint32_t));
	piece[PIECE_SORTED] =
		BudgetAllocShared(budget, 2 * (uint64_t) job.longest * task.members, sizeof(uint64_t));
	TeamRun(&task, budget);

	BudgetFree(budget, piece[PIECE_HELD]);
	BudgetFree(budget, piece[PIECE_WORDS]);
	BudgetFree(budget, piece[PIECE_SORTED]);
}

/* Writes the rows to tape instead. */
static void
spill_rows(Build *build, const uint32_t *item_place)
{
	uint64_t held_cell;
	Held *held = place_rows(build, &held_cell);

	SpillingRun(&(SpillingInput){.log = build->log,
								 .summed = &build->summed,
								 .held = held,
								 .held_count = build->considered_count,
								 .item_place = item_place},
				build->matrix, build->budget);
	BudgetFree(build->budget, held);
}

/* What it takes to have the rows in memory: with what is held now, or later to learn from them. */
static uint64_t
bytes_in_memory(const Build *build)
{
	uint64_t cell = sizeof(uint32_t) + (build->uniform ? 0 : sizeof(float)) +
					(build->summed.ordered ? 2 * sizeof(uint16_t) : 0) +
					build->log->signals * sizeof(float);
	uint64_t user = sizeof(uint64_t) * (build->options->keep_users ? 2 : 1);
	uint64_t rows = build->users * user + build->cells * cell;
	uint64_t held = BudgetLimit(build->budget) - BudgetLeft(build->budget);
	uint64_t writing = most_words(build) * sizeof(uint32_t) + build->longest * 2 * sizeof(uint64_t);
	/* Something for every user, or weighed cells; and a range of items turned. */
	uint64_t learning =
		build->uniform ? build->users * (uint64_t) sizeof(uint64_t) : build->cells * sizeof(float);
	uint64_t range = build->cells / RANGES_LEAST;

	if (build->log->items > 0)
		range += build->matrix->stat[0].users;
	learning += range * 2 * sizeof(uint32_t) + build->log->items * (uint64_t) ITEM_SCRATCH;
	return rows + Max(held + writing, learning) + SMALL_PIECES;
}

/* Says once that memory is short, and what would be enough. */
static void
tell_passes(const Build *build, uint64_t bytes)
{
	uint64_t megabyte = 1024 * 1024;
	uint64_t most = bytes * 5 / 4 / megabyte + 1;

	ereport(
		NOTICE,
		(errmsg("%s goes through temporary files, in passes", BudgetJob(build->budget)),
		 errdetail("To learn from " UINT64_FORMAT
				   " cells of %u users and %u items at once takes " UINT64_FORMAT
				   " MB of maintenance_work_mem, which is %zu MB.",
				   build->cells, build->users, build->log->items, bytes / megabyte + 1,
				   BudgetLimit(build->budget) / megabyte),
		 build->options->ordered
			 ? errhint("Set maintenance_work_mem for this session, for example to " UINT64_FORMAT
					   " MB, to learn in one pass, and to try what follows what.",
					   most)
			 : errhint("Set maintenance_work_mem for this session, for example to " UINT64_FORMAT
					   " MB, to learn in one pass.  What is learned is the same.",
					   most)));
}

/* Figures of the matrix. */
static void
sum_up(Build *build)
{
	Interactions *matrix = build->matrix;

	matrix->users = build->users;
	matrix->items = build->log->items;
	matrix->signals = build->log->signals;
	matrix->cells = matrix->learned_cells = build->cells;
	for (uint32_t p = 0; p < build->parts; p++)
		matrix->pairs += build->summed.part[p].pairs;
	for (uint32_t h = 0; h < build->considered_count; h++)
		matrix->learned_cells -= build->considered[h].candidate.cells;
	matrix->rows = (Rows){
		.users = build->users,
		.items = build->log->items,
		.longest = build->longest,
		.valued = !build->uniform,
		.uniform = build->value,
	};
}

/*
 * Counts learners by item from what is known of items: all who have one, but for those held out.  Where some cells
 * were left out, as of users with too many, there are fewer of them than that would make, and nothing is said.
 */
static void
count_learners(Interactions *matrix, Budget *budget)
{
	uint64_t users = 0;

	for (uint32_t i = 0; i < matrix->items; i++)
		users += matrix->stat[i].users;
	if (users != matrix->cells)
		return;
	matrix->item_users = BudgetAllocSharedResult(budget, matrix->items, sizeof(uint32_t));
	for (uint32_t i = 0; i < matrix->items; i++)
	{
		INTERRUPTS_AT(i);
		matrix->item_users[i] = matrix->stat[i].users;
	}
	for (uint32_t u = matrix->learners; u < matrix->users; u++)
	{
		Row row = InteractionsRow(matrix, u);

		INTERRUPTS();
		for (uint32_t c = 0; c < row.count; c++)
			matrix->item_users[row.item[c]]--;
	}
}

Rows
InteractionsRows(const Interactions *matrix, uint32_t users)
{
	Rows rows = matrix->rows;

	rows.users = users;
	rows.item_users = users == matrix->learners ? matrix->item_users : NULL;
	return rows;
}

uint32_t
InteractionsUser(const Interactions *matrix, uint64_t hash)
{
	uint32_t low = 0;
	uint32_t high = matrix->by_user.rows;

	while (low < high)
	{
		uint32_t middle = low + (high - low) / 2;

		if (matrix->user[middle] < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low < matrix->by_user.rows && matrix->user[low] == hash ? low : matrix->by_user.rows;
}

uint32_t
InteractionsChosenEnd(const Interactions *matrix, uint32_t begin)
{
	uint32_t end = begin;

	while (end < matrix->chosen_count && matrix->chosen[end].user == matrix->chosen[begin].user)
		end++;
	return end;
}

void
InteractionsClose(Interactions *matrix)
{
	TapeFree(matrix->rows.tape);
	matrix->rows.tape = NULL;
}

Interactions *
InteractionsBuild(EventLog *log, const InteractionOptions *options, Budget *budget)
{
	Build build = {
		.log = log,
		.options = options,
		.budget = budget,
		.matrix = BudgetZeroedResult(budget, 1, sizeof(Interactions)),
		.parts = UINT32_C(1) << log->pile_bits,
		.summed = {.candidates_most = HOLDOUT_MOST * (log->timed ? HOLDOUT_RECENT : 1),
				   .ordered = (options->ordered || log->signals > 0) && log->timed},
	};
	uint32_t *item_place;
	uint64_t bytes;

	BudgetShare(budget, log->count >= INTERACTIONS_SHARED);
	SummingRun(log, options, &build.summed, budget);
	add_parts(&build);
	item_place = order_items(&build);
	if (options->split == SPLIT_USERS)
		hold_out(&build, item_place);
	else
		number_chosen(&build, item_place);
	sum_up(&build);
	bytes = bytes_in_memory(&build);
	BudgetShare(budget, build.cells >= INTERACTIONS_SHARED);
	if (options->tape && bytes > BudgetLimit(budget))
	{
		tell_passes(&build, bytes);
		spill_rows(&build, item_place);
	}
	else
	{
		write_rows(&build, item_place);
		build.matrix->rows.memory = &build.matrix->by_user;
		build.matrix->rows.position = build.matrix->position;
	}
	PilesFree(log->piles);
	log->piles = NULL;
	if (options->split == SPLIT_USERS)
		count_learners(build.matrix, budget);

	BudgetFree(budget, build.summed.part);
	BudgetFree(budget, build.considered);
	BudgetFree(budget, item_place);
	return build.matrix;
}
