#include "learn/passes.h"

#include "base/interrupts.h"
#include "base/progress.h"

/* Of the memory that is left, shares for the sums of a block and for a part of the users. */
#define BLOCK_SHARE 0.70
#define PART_SHARE  0.25

/* Memory for so many of its largest rows, or of its least parts, makes another member worth while. */
#define MEMBER_ROWS 4

/* Rows whose sums are held at a time. */
typedef struct Block
{
	uint32_t first; /* item; the next block's first is their end */
	double before;  /* bytes of all rows before */
} Block;

/* One member at work. */
typedef struct Passes
{
	const PassesJob *job;
	Weighing in;
	RowsWalk walk;
	bool valued;
	const uint64_t *terms;
	const Block *blocks;

	/* The block at hand. */
	uint32_t first;
	uint32_t end;
	double before;
	double bytes;
	char *room;
	uint64_t *place; /* [items], where the row of each lies in room, in its block */
	uint64_t *count; /* [items], terms so far, where these are listed */

	PairsInput part;
	PairSum *step;

	/* One row of which terms are listed, added up. */
	PairSum *sums; /* [items], zero between rows */
	uint32_t *touched;

	/* The row of a user, where it comes from tape. */
	uint32_t *item;
	float *value;
} Passes;

/* True for a row that is better off with sums than with a list of terms. */
static bool
has_sums(const uint64_t *terms, uint32_t item)
{
	return item * sizeof(PairSum) <= terms[item] * sizeof(PairTerm);
}

static uint64_t
row_bytes(const uint64_t *terms, uint32_t item)
{
	uint64_t bytes =
		has_sums(terms, item) ? item * sizeof(PairSum) : terms[item] * sizeof(PairTerm);

	return TYPEALIGN(sizeof(PairSum), bytes);
}

/* How many terms every row has: an item of a user is paired with those before it. */
static uint64_t *
count_terms(const Weighing *in, Budget *budget)
{
	uint32_t items = in->rows.items;
	uint64_t *terms = BudgetAllocSharedResult(budget, items, sizeof(uint64_t));
	RowsWalk walk = RowsOpen(&in->rows, budget);
	Row row;

	memset(terms, 0, sizeof(uint64_t) * items);
	while (RowsNext(&walk, &row))
		for (uint32_t c = 1; c < row.count; c++)
			terms[row.item[c]] += c;
	RowsClose(&walk);
	return terms;
}

/* Cuts the rows into blocks for which there is room, one row at least. */
static Block *
cut_blocks(PassesJob *job, const uint64_t *terms, Budget *budget)
{
	uint32_t items = job->weighing.rows.items;
	uint64_t bytes = 0;
	double before = 0;
	uint32_t count = 0;
	Block *blocks;

	for (uint32_t i = 0; i < items; i++)
	{
		uint64_t row = row_bytes(terms, i);

		if (i == 0 || bytes + row > job->room_bytes)
		{
			count++;
			bytes = 0;
		}
		bytes += row;
	}
	blocks = BudgetAllocSharedResult(budget, (uint64_t) count + 1, sizeof(Block));
	for (uint32_t i = 0; i < items; i++)
	{
		uint64_t row = row_bytes(terms, i);

		if (i == 0 || bytes + row > job->room_bytes)
		{
			blocks[job->blocks++] = (Block){i, before};
			bytes = 0;
		}
		bytes += row;
		before += (double) row;
	}
	Assert(job->blocks == count);
	blocks[count] = (Block){items, before};
	return blocks;
}

/* Bytes of scratch that a member needs whatever there is: of every item, and of the longest row. */
static uint64_t
scratch_bytes(const Weighing *in)
{
	return in->rows.items * (uint64_t) (4 * sizeof(uint64_t) + sizeof(uint32_t)) +
		   in->longest * (uint64_t) (sizeof(uint32_t) + sizeof(float));
}

/* Memory that each member needs besides its room and its part. */
static void
alloc_scratch(const Weighing *in, uint64_t members, void **piece, Budget *budget)
{
	uint64_t items = in->rows.items;
	uint64_t longest = in->rows.memory ? 0 : in->rows.longest;

	piece[PASSES_PLACE] = BudgetAllocSharedResult(budget, items * members, sizeof(uint64_t));
	piece[PASSES_COUNT] = BudgetAllocSharedResult(budget, items * members, sizeof(uint64_t));
	piece[PASSES_SUMS] = BudgetAllocSharedResult(budget, items * members, sizeof(PairSum));
	piece[PASSES_TOUCHED] =
		BudgetAllocSharedResult(budget, (items + 1) * members, sizeof(uint32_t));
	piece[PASSES_ITEM_START] =
		BudgetAllocSharedResult(budget, (items + 1) * members, sizeof(uint64_t));
	piece[PASSES_ITEM] = BudgetAllocSharedResult(budget, longest * members, sizeof(uint32_t));
	if (WeighingValued(in))
		piece[PASSES_VALUE] = BudgetAllocSharedResult(budget, longest * members, sizeof(float));
}

/* Takes what memory there is for blocks and parts of so many members. */
static void
alloc_room(PassesJob *job, uint64_t longest, uint64_t members, void **piece, Budget *budget)
{
	const Weighing *in = &job->weighing;
	bool valued = WeighingValued(in);
	double left = (double) BudgetLeft(budget) / (double) members;
	uint64_t cells = in->item_start[in->rows.items];
	/* A number, and two turned; a user has two cells at least. */
	double cell_bytes = valued ? 16 + 8 / 2 : 12 + 16 / 2;
	uint64_t most;

	job->room_bytes = (uint64_t) Min(BLOCK_SHARE * left, job->bytes_all);
	job->room_bytes = TYPEALIGN(sizeof(PairSum), Max(job->room_bytes, longest));
	piece[PASSES_ROOM] = BudgetAllocSharedLeast(budget, job->room_bytes * members, 1);

	most = (uint64_t) (PART_SHARE * left / cell_bytes);
	job->most_cells = Max(Min(most, cells), Min(in->rows.items, cells));
	most = job->most_cells * members;
	piece[PASSES_USER_START] =
		BudgetAllocSharedLeast(budget, (job->most_cells / 2 + 2) * members, sizeof(uint64_t));
	piece[PASSES_USER_COLUMN] = BudgetAllocSharedLeast(budget, most, sizeof(uint32_t));
	piece[PASSES_ITEM_COLUMN] = BudgetAllocSharedLeast(budget, most, sizeof(uint32_t));
	piece[PASSES_ITEM_PLACE] = BudgetAllocSharedLeast(budget, most, sizeof(uint32_t));
	if (valued)
		piece[PASSES_USER_VALUE] = BudgetAllocSharedLeast(budget, most, sizeof(float));
	else
		piece[PASSES_STEP] =
			BudgetAllocSharedLeast(budget, (job->most_cells / 2 + 1) * members, sizeof(PairSum));
}

uint32_t
PassesPlan(const Weighing *weighing, uint64_t steps, uint32_t most, PassesJob *job, void **piece,
		   Budget *budget)
{
	uint32_t items = weighing->rows.items;
	uint64_t least = Min(items, weighing->item_start[items]) * (uint64_t) 20;
	uint64_t longest = 0;
	uint64_t *terms = count_terms(weighing, budget);
	uint32_t members;

	*job = (PassesJob){.weighing = *weighing, .steps = steps};
	memset(piece, 0, sizeof(void *) * PASSES_PIECES);
	for (uint32_t i = 0; i < items; i++)
	{
		job->bytes_all += (double) row_bytes(terms, i);
		longest = Max(longest, row_bytes(terms, i));
	}
	if (most > 1)
		piece[PASSES_TAPE] = TapePiece(weighing->rows.tape);
	members = piece[PASSES_TAPE] ? Min(most, TeamMembers(budget, MEMBER_ROWS * (longest + least) +
																	 scratch_bytes(weighing)))
								 : 1;
	piece[PASSES_LENGTH] = weighing->length;
	piece[PASSES_NORM] = weighing->norm;
	piece[PASSES_TERMS] = terms;
	alloc_scratch(weighing, members, piece, budget);
	alloc_room(job, longest, members, piece, budget);
	piece[PASSES_BLOCK] = cut_blocks(job, terms, budget);
	return members;
}

void
PassesFree(void **piece, Budget *budget)
{
	for (int p = PASSES_TERMS; p < PASSES_PIECES; p++)
		BudgetFree(budget, piece[p]);
}

/* Settles a block: where its rows lie. */
static void
open_block(Passes *passes, uint32_t block)
{
	uint64_t bytes = 0;

	passes->first = passes->blocks[block].first;
	passes->end = passes->blocks[block + 1].first;
	passes->before = passes->blocks[block].before;
	for (uint32_t i = passes->first; i < passes->end; i++)
	{
		passes->place[i] = bytes;
		passes->count[i] = 0;
		bytes += row_bytes(passes->terms, i);
	}
	Assert(passes->end > passes->first && bytes <= passes->job->room_bytes);
	passes->bytes = (double) bytes;
	memset(passes->room, 0, bytes);
}

/*
 * Reads users who have to do with the block, as many as there is room for, from a row that is
 * already at hand on; *more tells whether one is again.
 */
static void
read_part(Passes *passes, Row *row, bool *more)
{
	Sparse *part = &passes->part.by_user;
	uint64_t cells = 0;

	part->rows = 0;
	for (; *more; *more = RowsNext(&passes->walk, row))
	{
		uint32_t count = RowFind(row, passes->end);

		if (count < 2 || row->item[count - 1] < passes->first)
			continue;
		if (cells + count > passes->job->most_cells)
			break;
		part->start[part->rows] = cells;
		memcpy(part->column + cells, row->item, sizeof(uint32_t) * count);
		if (passes->valued)
			WeighingCells(&passes->in, row, count, part->value + cells);
		else
			passes->step[part->rows] = WeighingStep(&passes->in, row);
		part->rows++;
		cells += count;
	}
	part->start[part->rows] = cells;
}

/* The block's items with their users in the part. */
static void
turn_part(Passes *passes)
{
	const Sparse *by_user = &passes->part.by_user;
	Sparse *by_item = &passes->part.by_item;

	by_item->rows = passes->end - passes->first;
	by_item->columns = by_user->rows;
	memset(by_item->start, 0, sizeof(uint64_t) * ((uint64_t) by_item->rows + 1));
	for (uint32_t u = 0; u < by_user->rows; u++)
	{
		INTERRUPTS();
		for (uint64_t e = by_user->start[u + 1];
			 e-- > by_user->start[u] && by_user->column[e] >= passes->first;)
			by_item->start[by_user->column[e] - passes->first]++;
	}
	SparseOffsets(by_item->start, by_item->rows);
	SparseTurnPlaces(by_user, passes->first, by_item, passes->part.place);
}

/* Adds what a part says of the block. */
static void
add_part(Passes *passes)
{
	passes->part.first = passes->first;
	for (uint32_t i = passes->first; i < passes->end; i++)
	{
		char *row = passes->room + passes->place[i];

		INTERRUPTS();
		if (has_sums(passes->terms, i))
			PairsAdd(&passes->part, i, (PairSum *) row);
		else
			passes->count[i] += PairsTerms(&passes->part, i, (PairTerm *) row + passes->count[i]);
	}
}

/* Says how far the passes have come: the blocks before, and of this one what was read. */
static void
tell(const Passes *passes)
{
	const PassesJob *job = passes->job;
	double done = passes->before + passes->bytes * passes->walk.next / passes->in.rows.users;

	ProgressDone((uint64) (done / Max(job->bytes_all, 1) * (double) job->steps));
}

/* Reads all users for the block at hand. */
static void
count_block(Passes *passes)
{
	bool more;
	Row row;

	passes->walk = RowsOpenIn(&passes->in.rows, passes->item, passes->value);
	more = RowsNext(&passes->walk, &row);
	while (more)
	{
		read_part(passes, &row, &more);
		turn_part(passes);
		add_part(passes);
		tell(passes);
	}
	RowsClose(&passes->walk);
}

/* Adds up a row's terms, and hands it over. */
static void
take_terms(Passes *passes, uint32_t item, PassesTake take, void *with)
{
	const PairTerm *term = (const PairTerm *) (passes->room + passes->place[item]);
	PairRow row = {.item = item, .touched = passes->touched, .sums = passes->sums};

	Assert(passes->count[item] == passes->terms[item]);
	for (uint64_t t = 0; t < passes->count[item]; t++)
	{
		PairSum *sum = &passes->sums[term[t].other];

		INTERRUPTS_AT(t);
		passes->touched[row.count] = term[t].other;
		row.count += *sum == 0;
		*sum += PairTermSum(&term[t]);
	}
	take(&row, with);
	for (uint32_t t = 0; t < row.count; t++)
		passes->sums[passes->touched[t]] = 0;
}

/* Hands over the rows of the block at hand. */
static void
take_block(Passes *passes, PassesTake take, void *with)
{
	for (uint32_t i = passes->first; i < passes->end; i++)
	{
		INTERRUPTS();
		if (has_sums(passes->terms, i))
			take(&(PairRow){.item = i,
							.count = i,
							.sums = (PairSum *) (passes->room + passes->place[i])},
				 with);
		else
			take_terms(passes, i, take, with);
	}
}

/* A member's share of a piece, by the number of its entries and their size. */
#define SHARE(piece, count, size)                                                                  \
	TeamShare(member, first + (piece), (uint64_t) (count) * (uint64_t) (size))

/* The job as one member sees it. */
static void
open_job(Passes *passes, const TeamMember *member, const PassesJob *job, int first)
{
	uint64_t items = job->weighing.rows.items;
	uint64_t cells = job->most_cells;
	uint32_t longest = job->weighing.rows.longest;

	*passes = (Passes){
		.job = job,
		.in = job->weighing,
		.valued = WeighingValued(&job->weighing),
		.terms = member->piece[first + PASSES_TERMS],
		.blocks = member->piece[first + PASSES_BLOCK],
		.room = SHARE(PASSES_ROOM, job->room_bytes, 1),
		.place = SHARE(PASSES_PLACE, items, sizeof(uint64_t)),
		.count = SHARE(PASSES_COUNT, items, sizeof(uint64_t)),
		.sums = SHARE(PASSES_SUMS, items, sizeof(PairSum)),
		.touched = SHARE(PASSES_TOUCHED, items + 1, sizeof(uint32_t)),
		.item = SHARE(PASSES_ITEM, longest, sizeof(uint32_t)),
		.value = SHARE(PASSES_VALUE, longest, sizeof(float)),
		.step = SHARE(PASSES_STEP, cells / 2 + 1, sizeof(PairSum)),
		.part = {.by_user = {.columns = (uint32_t) items,
							 .start = SHARE(PASSES_USER_START, cells / 2 + 2, sizeof(uint64_t)),
							 .column = SHARE(PASSES_USER_COLUMN, cells, sizeof(uint32_t)),
							 .value = SHARE(PASSES_USER_VALUE, cells, sizeof(float))},
				 .by_item = {.start = SHARE(PASSES_ITEM_START, items + 1, sizeof(uint64_t)),
							 .column = SHARE(PASSES_ITEM_COLUMN, cells, sizeof(uint32_t))},
				 .place = SHARE(PASSES_ITEM_PLACE, cells, sizeof(uint32_t)),
				 .scale = job->weighing.scale},
	};
	passes->part.step = passes->step;
	memset(passes->sums, 0, sizeof(PairSum) * items);
	/* In the process that made the job what it points to is there. */
	if (member->number == 0)
		return;
	passes->in.length = member->piece[first + PASSES_LENGTH];
	passes->in.norm = member->piece[first + PASSES_NORM];
	passes->in.rows.tape = TapeJoin(member->piece[first + PASSES_TAPE]);
}

void
PassesWork(const TeamMember *member, const PassesJob *job, int first, PassesTake take, void *with)
{
	Passes passes;
	uint32_t taken;

	open_job(&passes, member, job, first);
	while ((taken = TeamNext(member)) < job->blocks)
	{
		open_block(&passes, taken);
		count_block(&passes);
		take_block(&passes, take, with);
	}
	if (member->number > 0)
		TapeLeave(passes.in.rows.tape);
}
