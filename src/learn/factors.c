/*
 * factors.c: half an iteration after the other, each a job for a team.
 *
 * A half folds in the rows of one matrix, users or items, with the factors of the other side,
 * which stay as they are meanwhile.  So rows depend on nothing that another member writes, and the
 * sums of the other side's products are made by one process, in one order.
 */
#include "learn/factors.h"

#include <math.h>

#include "base/interrupts.h"
#include "base/progress.h"
#include "base/team.h"
#include "math/hash.h"

/* The standard deviation of the first factors times sqrt(factors), as in Rendle et al. 2021. */
#define SIGMA 0.1

/* Going on from a start takes one in so many iterations. */
#define START_SHARE 4

/* What members share: half an iteration, and its pieces. */
typedef struct Job
{
	uint32_t rows;
	uint32_t factors;
	uint32_t width;
	float lambda;
	float uniform;    /* of the cells */
	uint64_t longest; /* row of either matrix */
	uint64_t done;    /* rows of earlier halves */
	bool of_items;    /* rows are items, and the other side users */
} Job;

enum
{
	PIECE_START, /* of the matrix whose rows are folded in */
	PIECE_COLUMN,
	PIECE_VALUE,
	PIECE_HAS,  /* [items], 1 for those with factors */
	PIECE_WITH, /* factors of the other side */
	PIECE_TO,   /* factors of the rows */
	PIECE_BASE,
	PIECE_ENTRY, /* of one row; of each member, like the next */
	PIECE_SCRATCH,
	PIECES
};

StaticAssertDecl(PIECES <= TEAM_PIECES, "a job has more pieces than a team may share");

/* Folds in rows until none is left. */
static void
fold_rows(const TeamMember *member)
{
	const Job *job = member->job;
	void **piece = member->piece;
	const Sparse matrix = {.start = piece[PIECE_START],
						   .column = piece[PIECE_COLUMN],
						   .value = piece[PIECE_VALUE],
						   .uniform = job->uniform};
	const unsigned char *has = piece[PIECE_HAS];
	const float *with = piece[PIECE_WITH];
	float *to = piece[PIECE_TO];
	FoldEntry *entry = TeamShare(member, PIECE_ENTRY, sizeof(FoldEntry) * job->longest);
	float *scratch = TeamShare(member, PIECE_SCRATCH, sizeof(float) * FoldScratch(job->width));
	Fold fold = {job->factors, job->width, job->lambda, piece[PIECE_BASE]};
	uint32_t row;

	while ((row = TeamNext(member)) < job->rows)
	{
		size_t count = 0;

		INTERRUPTS();
		for (uint64_t e = matrix.start[row];
			 e < matrix.start[row + 1] && (!job->of_items || has[row]); e++)
			if (job->of_items || has[matrix.column[e]])
				entry[count++] = (FoldEntry){with + (size_t) matrix.column[e] * job->width,
											 SparseValue(&matrix, e)};
		if (count > 0)
			FoldIn(&fold, entry, count, scratch, to + (size_t) row * job->width);
		else
			memset(to + (size_t) row * job->width, 0, sizeof(float) * job->width);
		ProgressDone(job->done + row + 1);
	}
}

/* Where a worker starts. */
extern PGDLLEXPORT void FactorsWorker(dsm_segment *segment, shm_toc *toc);

void
FactorsWorker(dsm_segment *segment, shm_toc *toc)
{
	TeamJoin(toc, fold_rows, sizeof(Job), PIECES);
}

/* One learning: both matrices, the factors of both sides, and what members work in. */
typedef struct Learning
{
	FoldOptions options; /* with alpha0 in place of the share */
	Budget *budget;
	Sparse by_user;
	Sparse by_item;
	float *user;
	Factors *factors;
	double *sums;
	uint32_t members;
	Job job;
	void *piece[PIECES];
} Learning;

/* A number of a normal distribution, nearly: four that are drawn evenly, summed. */
static double
draw(uint32_t item, uint32_t factor)
{
	uint64_t lot = HashMix(((uint64_t) item << 32 | factor) + UINT64_C(0x9e3779b97f4a7c15));
	double sum = 0;

	for (int n = 0; n < 4; n++)
		sum += (double) (lot >> (16 * n) & 0xffff) / 0x10000 - 0.5;
	return sum * sqrt(3);
}

/* The factors that items begin with. */
static void
begin_items(Factors *factors, const Factors *start)
{
	Fold *fold = &factors->fold;

	if (start)
	{
		memcpy(factors->row, start->row, sizeof(float) * (size_t) factors->items * fold->width);
		return;
	}
	memset(factors->row, 0, sizeof(float) * (size_t) factors->items * fold->width);
	for (uint32_t i = 0; i < factors->items; i++)
	{
		INTERRUPTS_AT(i);
		for (uint32_t f = 0; f < fold->factors && factors->has[i]; f++)
			factors->row[(size_t) i * fold->width + f] =
				(float) (SIGMA / sqrt(fold->factors) * draw(i, f));
	}
}

/* The matrix of the users that count, turned; and which items have factors. */
static void
turn(Learning *learning, Budget *budget)
{
	const Sparse *by_user = &learning->by_user;
	Factors *factors = learning->factors;
	uint64_t cells = by_user->start[by_user->rows];
	Sparse by_item = {
		.rows = by_user->columns, .columns = by_user->rows, .uniform = by_user->uniform};

	by_item.start = BudgetAllocShared(budget, (uint64_t) by_item.rows + 1, sizeof(uint64_t));
	by_item.column = BudgetAllocShared(budget, cells, sizeof(uint32_t));
	if (by_user->value)
		by_item.value = BudgetAllocShared(budget, cells, sizeof(float));
	SparseCountColumns(by_user, by_user->rows, by_item.start);
	for (uint32_t i = 0; i < by_item.rows; i++)
		factors->has[i] = by_item.start[i] > 0 && by_item.start[i] >= learning->options.min_support;
	SparseOffsets(by_item.start, by_item.rows);
	SparseTurn(by_user, 0, &by_item);
	learning->by_item = by_item;
}

static uint64_t
longest_row(const Sparse *matrix)
{
	uint64_t longest = 1;

	for (uint32_t r = 0; r < matrix->rows; r++)
		longest = Max(longest, matrix->start[r + 1] - matrix->start[r]);
	return longest;
}

/* Memory for both sides, and for as many members as there is room for. */
static void
make_room(Learning *learning)
{
	Budget *budget = learning->budget;
	uint32_t width = learning->factors->fold.width;
	Job *job = &learning->job;
	uint64_t bytes;

	job->longest = Max(longest_row(&learning->by_user), longest_row(&learning->by_item));
	bytes = job->longest * sizeof(FoldEntry) + FoldScratch(width) * sizeof(float);
	learning->user =
		BudgetAllocShared(budget, (uint64_t) learning->by_user.rows * width, sizeof(float));
	learning->sums = BudgetAlloc(budget, (uint64_t) width * width, sizeof(double));
	learning->members = TeamMembers(budget, bytes);
	learning->piece[PIECE_ENTRY] =
		BudgetAllocShared(budget, learning->members * job->longest, sizeof(FoldEntry));
	learning->piece[PIECE_SCRATCH] =
		BudgetAllocShared(budget, learning->members * FoldScratch(width), sizeof(float));
}

/* Folds in the rows of a matrix with the factors of its columns. */
static void
learn_half(Learning *learning, const Sparse *matrix, float *with, float *to)
{
	Factors *factors = learning->factors;
	Job *job = &learning->job;
	TeamTask task = {.entry = "FactorsWorker",
					 .work = fold_rows,
					 .job = job,
					 .size = sizeof(Job),
					 .piece = learning->piece,
					 .pieces = PIECES,
					 .members = learning->members};

	FoldBase(with, matrix->columns, &learning->options, learning->sums, factors->base);
	learning->piece[PIECE_START] = matrix->start;
	learning->piece[PIECE_COLUMN] = matrix->column;
	learning->piece[PIECE_VALUE] = matrix->value;
	learning->piece[PIECE_HAS] = factors->has;
	learning->piece[PIECE_WITH] = with;
	learning->piece[PIECE_TO] = to;
	learning->piece[PIECE_BASE] = factors->base;
	job->rows = matrix->rows;
	job->factors = factors->fold.factors;
	job->width = factors->fold.width;
	job->lambda = factors->fold.lambda;
	job->uniform = matrix->uniform;
	job->of_items = matrix == &learning->by_item;
	TeamRun(&task, learning->budget);
	job->done += job->rows;
}

static void
learn(Learning *learning, uint32_t iterations)
{
	Factors *factors = learning->factors;
	const Sparse *by_user = &learning->by_user;

	ProgressEnter(PROGRESS_SOLVE, (uint64_t) iterations * (by_user->rows + by_user->columns));
	for (uint32_t n = 0; n < iterations; n++)
	{
		learn_half(learning, by_user, factors->row, learning->user);
		learn_half(learning, &learning->by_item, learning->user, factors->row);
	}
	FoldBase(factors->row, factors->items, &learning->options, learning->sums, factors->base);
}

/*
 * alpha0 for a share of what was observed: so much weight is dealt out to all pairs alike, but none
 * gets more than what was observed has on average.
 */
static double
weight_of_unobserved(const Sparse *matrix, double share)
{
	double cells = (double) matrix->start[matrix->rows];
	double sum = 0;

	for (uint64_t e = 0; e < matrix->start[matrix->rows]; e++)
		sum += SparseValue(matrix, e);
	if (!(sum > 0))
		return share;
	return sum * fmin(share / matrix->rows / matrix->columns, 1 / cells);
}

static Factors *
make_factors(uint32_t items, const FoldOptions *options, Budget *budget)
{
	Factors *factors = BudgetZeroed(budget, 1, sizeof(Factors));
	uint32_t width = FoldWidth(options->factors);

	factors->items = items;
	factors->row = BudgetAllocShared(budget, (uint64_t) items * width, sizeof(float));
	factors->has = BudgetAllocShared(budget, items, sizeof(unsigned char));
	factors->base = BudgetAllocShared(budget, (uint64_t) width * width, sizeof(float));
	factors->fold = (Fold){options->factors, width, (float) options->lambda, factors->base};
	return factors;
}

Factors *
FactorsLearn(const Sparse *by_user, uint32_t users, const FoldOptions *options,
			 const Factors *start, Budget *budget)
{
	Learning learning = {.options = *options, .budget = budget, .by_user = *by_user};
	uint32_t iterations = options->iterations;

	learning.by_user.rows = users;
	learning.options.unobserved = weight_of_unobserved(&learning.by_user, options->unobserved);
	learning.factors = make_factors(by_user->columns, options, budget);
	turn(&learning, budget);
	make_room(&learning);
	begin_items(learning.factors, start);
	learn(&learning, start ? (iterations + START_SHARE - 1) / START_SHARE : iterations);

	BudgetFree(budget, learning.by_item.start);
	BudgetFree(budget, learning.by_item.column);
	BudgetFree(budget, learning.by_item.value);
	BudgetFree(budget, learning.user);
	BudgetFree(budget, learning.sums);
	BudgetFree(budget, learning.piece[PIECE_ENTRY]);
	BudgetFree(budget, learning.piece[PIECE_SCRATCH]);
	return learning.factors;
}

Factors *
FactorsLearnBefore(const Interactions *matrix, const FoldOptions *options, Budget *budget)
{
	Sparse before = matrix->by_user;
	uint64_t cells = SparseCount(&before);
	float *value = BudgetAllocShared(budget, cells, sizeof(float));
	Factors *factors;

	for (uint64_t e = 0; e < cells; e++)
	{
		INTERRUPTS_AT(e);
		value[e] = SparseValue(&before, e);
	}
	for (uint32_t c = 0; c < matrix->chosen_count; c++)
		value[SparseFind(&before, matrix->chosen[c].user, matrix->chosen[c].item)] = 0;
	before.value = value;
	factors = FactorsLearn(&before, before.rows, options, NULL, budget);
	BudgetFree(budget, value);
	return factors;
}

void
FactorsFree(Factors *factors, Budget *budget)
{
	BudgetFree(budget, factors->row);
	BudgetFree(budget, factors->has);
	BudgetFree(budget, factors->base);
	BudgetFree(budget, factors);
}

FactorsScorer *
FactorsScorerOpen(const Factors *factors, Budget *budget)
{
	FactorsScorer *scorer = BudgetAlloc(budget, 1, sizeof(FactorsScorer));

	scorer->factors = factors;
	scorer->entry = BudgetAlloc(budget, factors->items, sizeof(FoldEntry));
	scorer->scratch = BudgetAlloc(budget, FoldScratch(factors->fold.width), sizeof(float));
	scorer->user = BudgetAlloc(budget, factors->fold.width, sizeof(float));
	return scorer;
}

void
FactorsScorerClose(FactorsScorer *scorer, Budget *budget)
{
	BudgetFree(budget, scorer->entry);
	BudgetFree(budget, scorer->scratch);
	BudgetFree(budget, scorer->user);
	BudgetFree(budget, scorer);
}

double
FactorsScore(FactorsScorer *scorer, const RankEntry *entries, size_t count, RankScratch *scratch)
{
	const Factors *factors = scorer->factors;
	const Fold *fold = &factors->fold;
	size_t known = 0;

	for (size_t e = 0; e < count; e++)
		if (factors->has[entries[e].source])
			scorer->entry[known++] = (FoldEntry){
				factors->row + (size_t) entries[e].source * fold->width, (float) entries[e].weight};
	RankReachAll(scratch);
	if (known == 0 || !FoldIn(fold, scorer->entry, known, scorer->scratch, scorer->user))
		return 1;
	FoldScores(scorer->user, factors->row, factors->items, fold->width, scratch->score);
	return FoldLevel(scorer->entry, known);
}
