#include "learn/asking.h"

#include <math.h>

#include "base/interrupts.h"
#include "math/rank.h"
#include "math/worth.h"

/* A cell of a history. */
typedef struct Had
{
	uint32_t item;
	float value;
	uint32_t position; /* how many times of the user's are newer */
} Had;

/* What is laid out, and how far. */
typedef struct Layout
{
	const Interactions *matrix;
	unsigned char *chosen; /* [items], 1 for what the user at hand chose */
	uint64_t *had_start;
	Had *had;
	uint64_t *seen_start;
	uint32_t *seen;
} Layout;

/* Adds a user to what is laid out. */
static void
lay_out(Layout *layout, uint32_t user, uint32_t place)
{
	const Interactions *matrix = layout->matrix;
	const Interactions *whole = InteractionsWhole(matrix);
	Row row = InteractionsRow(matrix, user);
	uint64_t had = layout->had_start[place];
	uint64_t seen = layout->seen_start[place];

	for (uint32_t c = 0; c < row.count; c++)
		if (InteractionsHad(matrix, user, &row, c, layout->chosen))
			layout->had[had++] =
				(Had){row.item[c], RowValue(&row, c), InteractionsPosition(matrix, user, c)};
	row = InteractionsRow(whole, user);
	for (uint32_t c = 0; c < row.count; c++)
		if (InteractionsHad(whole, user, &row, c, layout->chosen))
			layout->seen[seen++] = row.item[c];
	layout->had_start[place + 1] = had;
	layout->seen_start[place + 1] = seen;
}

/* Room for what so many users have at most. */
static void
alloc_layout(Layout *layout, const AskingJob *job, uint32_t chosen, void **piece, Budget *budget)
{
	const Interactions *matrix = layout->matrix;
	uint64_t cells = 0;
	uint64_t whole = 0;
	uint64_t starts = (uint64_t) job->users + 1;

	for (uint32_t c = 0; c < chosen; c = InteractionsChosenEnd(matrix, c))
	{
		cells += InteractionsRow(matrix, matrix->chosen[c].user).count;
		whole += InteractionsRow(InteractionsWhole(matrix), matrix->chosen[c].user).count;
	}
	piece[ASKING_HISTORY_START] = layout->had_start =
		BudgetAllocSharedResult(budget, starts, sizeof(uint64_t));
	piece[ASKING_HISTORY] = layout->had = BudgetAllocSharedResult(budget, cells, sizeof(Had));
	piece[ASKING_SEEN_START] = layout->seen_start =
		BudgetAllocSharedResult(budget, starts, sizeof(uint64_t));
	piece[ASKING_SEEN] = layout->seen = BudgetAllocSharedResult(budget, whole, sizeof(uint32_t));
	piece[ASKING_CHOSEN_START] = BudgetAllocSharedResult(budget, starts, sizeof(uint64_t));
	piece[ASKING_CHOSEN] = BudgetAllocSharedResult(budget, chosen, sizeof(uint32_t));
	piece[ASKING_NDCG] = BudgetAllocSharedResult(budget, job->users, sizeof(double));
	layout->chosen = BudgetZeroedResult(budget, job->items, sizeof(unsigned char));
	layout->had_start[0] = 0;
	layout->seen_start[0] = 0;
}

/* Lays out all who are asked. */
static void
lay_out_all(Layout *layout, AskingJob *job, uint32_t chosen, void **piece, Budget *budget)
{
	const Interactions *matrix = layout->matrix;
	uint64_t *chosen_start;
	uint32_t *items;
	uint32_t place = 0;

	alloc_layout(layout, job, chosen, piece, budget);
	chosen_start = piece[ASKING_CHOSEN_START];
	items = piece[ASKING_CHOSEN];
	for (uint32_t c = 0, end; c < chosen; c = end)
	{
		INTERRUPTS();
		end = InteractionsChosenEnd(matrix, c);
		for (uint32_t n = c; n < end; n++)
			layout->chosen[items[n] = matrix->chosen[n].item] = 1;
		lay_out(layout, matrix->chosen[c].user, place);
		for (uint32_t n = c; n < end; n++)
			layout->chosen[items[n]] = 0;
		job->longest =
			Max(job->longest, (uint32_t) (layout->had_start[place + 1] - layout->had_start[place]));
		chosen_start[place++] = c;
	}
	chosen_start[place] = chosen;
	BudgetFree(budget, layout->chosen);
}

/* How many chosen items the first so many users have. */
static uint32_t
count_chosen(const Interactions *matrix, uint32_t users)
{
	uint32_t end = 0;

	for (uint32_t u = 0; u < users; u++)
		end = InteractionsChosenEnd(matrix, end);
	return end;
}

static size_t
scratch_bytes(const AskingJob *job)
{
	return MAXALIGN(RankScratchBytes(job->items));
}

/* Room for the history of one user. */
static uint64_t
entries(const AskingJob *job)
{
	return Max(job->longest, 1);
}

uint32_t
AskingPlan(const Interactions *matrix, uint32_t users, uint32_t k, AskingJob *job, void **piece,
		   Budget *budget)
{
	Layout layout = {.matrix = matrix};
	uint32_t members;

	*job = (AskingJob){.users = users, .items = matrix->items, .k = k, .recency = 1};
	memset(piece, 0, sizeof(void *) * ASKING_PIECES);
	lay_out_all(&layout, job, count_chosen(matrix, users), piece, budget);
	members = TeamMembers(budget, scratch_bytes(job) + entries(job) * sizeof(RankEntry) +
									  job->items + k * sizeof(RankItem));
	piece[ASKING_SCRATCH] = BudgetAllocSharedResult(budget, members * scratch_bytes(job), 1);
	piece[ASKING_ENTRY] =
		BudgetAllocSharedResult(budget, members * entries(job), sizeof(RankEntry));
	piece[ASKING_MARK] = BudgetAllocSharedResult(budget, members * (uint64_t) job->items, 1);
	piece[ASKING_LIST] = BudgetAllocSharedResult(budget, members * (uint64_t) k, sizeof(RankItem));
	return members;
}

void
AskingFree(void **piece, Budget *budget)
{
	for (int p = 0; p < ASKING_PIECES; p++)
		BudgetFree(budget, piece[p]);
}

/* What a member asks with. */
typedef struct Asker
{
	const AskingJob *job;
	const AskingRows *rows;
	const uint64_t *had_start;
	const Had *had;
	const uint64_t *seen_start;
	const uint32_t *seen;
	const uint64_t *chosen_start;
	const uint32_t *chosen;
	RankScratch scratch;
	RankEntry *entry;
	unsigned char *mark;
	RankItem *list;
} Asker;

/* Scores everything by what a user had.  False where that is nothing. */
static bool
score(Asker *asker, uint32_t user)
{
	const AskingRows *rows = asker->rows;
	uint32_t count = 0;

	for (uint64_t h = asker->had_start[user]; h < asker->had_start[user + 1]; h++)
	{
		const Had *had = &asker->had[h];
		uint64_t begin = rows->start[had->item];
		RankEntry *entry = &asker->entry[count++];

		*entry = (RankEntry){
			.weight = had->value * DecayByPosition(asker->job->recency, had->position),
			.most = RankMost(rows->similarity + begin, rows->count[had->item]),
			.count = rows->count[had->item],
			.source = had->item,
			.item = rows->item + begin,
			.similarity = rows->similarity + begin,
		};
	}
	if (count > 0)
		RankScore(&asker->scratch, asker->entry, count, RankNorm(asker->entry, count));
	return count > 0;
}

/* The NDCG of a user's list. */
static double
ask(Asker *asker, uint32_t user)
{
	uint64_t begin = asker->chosen_start[user];
	uint64_t end = asker->chosen_start[user + 1];
	uint64_t hit[ASKING_MOST];
	WorthList worth = {hit, 0, end - begin, asker->job->k};
	uint32_t length;

	if (!score(asker, user))
		return NAN;
	for (uint64_t s = asker->seen_start[user]; s < asker->seen_start[user + 1]; s++)
		RankStrike(&asker->scratch, asker->seen[s]);
	length = RankTop(&asker->scratch, asker->list, Min(asker->job->k, asker->job->items));
	for (uint64_t c = begin; c < end; c++)
		asker->mark[asker->chosen[c]] = 1;
	for (uint32_t n = 0; n < length; n++)
		if (asker->mark[asker->list[n].item])
			hit[worth.hits++] = (uint64_t) n + 1;
	for (uint64_t c = begin; c < end; c++)
		asker->mark[asker->chosen[c]] = 0;
	return WorthNdcg(&worth);
}

void
AskingWork(const TeamMember *member, const AskingJob *job, int first, const AskingRows *rows)
{
	void **piece = member->piece + first;
	Asker asker = {
		.job = job,
		.rows = rows,
		.had_start = piece[ASKING_HISTORY_START],
		.had = piece[ASKING_HISTORY],
		.seen_start = piece[ASKING_SEEN_START],
		.seen = piece[ASKING_SEEN],
		.chosen_start = piece[ASKING_CHOSEN_START],
		.chosen = piece[ASKING_CHOSEN],
		.entry = TeamShare(member, first + ASKING_ENTRY, entries(job) * sizeof(RankEntry)),
		.mark = TeamShare(member, first + ASKING_MARK, job->items),
		.list = TeamShare(member, first + ASKING_LIST, job->k * sizeof(RankItem)),
	};
	void *scratch = TeamShare(member, first + ASKING_SCRATCH, scratch_bytes(job));
	double *ndcg = piece[ASKING_NDCG];
	uint32_t user;

	memset(scratch, 0, scratch_bytes(job));
	memset(asker.mark, 0, job->items);
	RankScratchInit(&asker.scratch, scratch, job->items);
	while ((user = TeamNext(member)) < job->users)
	{
		INTERRUPTS();
		ndcg[user] = ask(&asker, user);
	}
}
