/*
 * ridge.c: one small linear system a target.
 *
 * Its k x k matrix is gathered in one of two ways.  Where the whole Gram matrix fits into half of
 * the memory that is left, its rows are kept while the candidates are counted, and a system is
 * looked up in them: for catalogues of a few thousand items that costs less than the solution.
 * Otherwise the system is counted anew from the histories of its candidates' users, of which
 * sparse data have few.
 */
#include "learn/ridge.h"

#include <math.h>

#include "base/interrupts.h"
#include "base/progress.h"
#include "base/team.h"
#include "math/cholesky.h"

/* Rows of a system begin at a multiple of so many floats. */
#define ALIGN_FLOATS 16

/* One candidate's cell of one user, while a system is counted from histories. */
typedef struct Visit
{
	uint32_t user;
	uint32_t place; /* of the candidate in the system */
	float value;
} Visit;

/* What members share: the job, and its pieces. */
typedef struct Job
{
	uint32_t items;
	uint32_t users;
	uint32_t candidates;
	uint32_t ld;
	float ridge;     /* lambda * mean(diag G), in units of G, which keep it near lambda */
	float uniform;   /* of the cells, in units as well */
	uint64_t visits; /* of the largest system */
} Job;

enum
{
	PIECE_GRAM,     /* below the diagonal, row after row; NULL where histories are counted */
	PIECE_DIAGONAL, /* G_ii */
	PIECE_START,    /* candidates of every target */
	PIECE_SLOT,
	PIECE_COUNT,
	PIECE_SYSTEM, /* of one target, [(k + 1) * ld]; of each member, like the next */
	PIECE_WEIGHT, /* [k] */
	PIECE_FACTOR, /* h_u^-b, where histories are counted, like all that follow */
	PIECE_ITEM_START,
	PIECE_ITEM_COLUMN,
	PIECE_ITEM_VALUE,
	PIECE_FIRST, /* [users + 1], where a user's visits begin; of each member, as the rest */
	PIECE_MET,   /* [users], of one system */
	PIECE_VISIT, /* of one system, as they come, and those of each user side by side */
	PIECE_SORTED,
	PIECES
};

StaticAssertDecl(PIECES <= TEAM_PIECES, "a job has more pieces than a team may share");

/* The job as one member sees it. */
typedef struct Ridge
{
	const Job *job;
	const float *gram;
	const double *diagonal;
	CooccurrenceSlots to;
	float *system;
	float *weight;
	const float *factor;
	Sparse by_item;
	uint32_t *first; /* 0 between systems */
	uint32_t *met;
	Visit *visit;
	Visit *sorted;
} Ridge;

static int
by_number(const void *a, const void *b)
{
	uint32_t x = ((const Best *) a)->index;
	uint32_t y = ((const Best *) b)->index;

	return x < y ? -1 : x > y;
}

/* Where the Gram matrix keeps two items, the first of them the greater. */
static inline float
gram_at(const Ridge *ridge, uint32_t a, uint32_t b)
{
	return ridge->gram[(uint64_t) a * (a - 1) / 2 + b];
}

/*
 * Looks the system of a target up: the upper triangle of candidates, then the target in column n.
 * Rows of the Gram matrix are read one after the other, each forward.
 */
static void
look_up(const Ridge *ridge, uint32_t target, const Best *candidate, uint32_t n)
{
	for (uint32_t column = 0; column < n; column++)
	{
		uint32_t item = candidate[column].index;
		const float *gram = ridge->gram + (uint64_t) item * (item - 1) / 2;
		float *out = ridge->system + column;

		for (uint32_t row = 0; row < column; row++)
			out[row * ridge->job->ld] = gram[candidate[row].index];
		out[column * ridge->job->ld] = (float) ridge->diagonal[item];
		ridge->weight[column] =
			item > target ? gram_at(ridge, item, target) : gram_at(ridge, target, item);
	}
}

/*
 * Gathers who has which of the candidates and the target (place n), user by user, into sorted[].
 * met[] lists the users, first[u] ends as the place after user u's last visit.
 */
static uint32_t
gather_visits(const Ridge *ridge, uint32_t target, const Best *candidate, uint32_t n)
{
	const Sparse *by_item = &ridge->by_item;
	uint64_t count = 0;
	uint32_t users = 0;
	uint32_t offset = 0;

	for (uint32_t place = 0; place <= n; place++)
	{
		uint32_t item = place < n ? candidate[place].index : target;

		INTERRUPTS();
		for (uint64_t e = by_item->start[item]; e < by_item->start[item + 1]; e++)
		{
			uint32_t user = by_item->column[e];

			if (ridge->first[user]++ == 0)
				ridge->met[users++] = user;
			ridge->visit[count++] = (Visit){user, place, SparseValue(by_item, e)};
		}
	}
	for (uint32_t m = 0; m < users; m++)
	{
		uint32_t mine = ridge->first[ridge->met[m]];

		ridge->first[ridge->met[m]] = offset;
		offset += mine;
	}
	for (uint64_t v = 0; v < count; v++)
	{
		INTERRUPTS_AT(v);
		ridge->sorted[ridge->first[ridge->visit[v].user]++] = ridge->visit[v];
	}
	return users;
}

/* Counts the system of a target from the histories of those who have any of its candidates. */
static void
count_up(const Ridge *ridge, uint32_t target, const Best *candidate, uint32_t n)
{
	uint32_t users = gather_visits(ridge, target, candidate, n);
	uint32_t begin = 0;

	for (uint32_t row = 0; row <= n; row++)
		memset(ridge->system + row * ridge->job->ld, 0, sizeof(float) * ridge->job->ld);

	/* Visits of a user are in order of place, so every pair lands in the upper triangle. */
	for (uint32_t m = 0; m < users; m++)
	{
		uint32_t user = ridge->met[m];
		uint32_t end = ridge->first[user];

		INTERRUPTS();
		for (uint32_t a = begin; a < end; a++)
		{
			float *row = ridge->system + ridge->sorted[a].place * ridge->job->ld;
			float scale = ridge->factor[user] * ridge->sorted[a].value;

			for (uint32_t b = a; b < end; b++)
				row[ridge->sorted[b].place] += scale * ridge->sorted[b].value;
		}
		begin = end;
		ridge->first[user] = 0;
	}
	for (uint32_t row = 0; row < n; row++)
		ridge->weight[row] = ridge->system[row * ridge->job->ld + n];
}

/* Replaces what the counts say of a target's candidates by their weights; drops those without any. */
static void
solve_target(const Ridge *ridge, uint32_t target)
{
	Best *candidate = CooccurrenceSlot(&ridge->to, target);
	uint32_t n = ridge->to.count[target];
	uint32_t left = 0;

	if (n == 0)
		return;
	qsort(candidate, n, sizeof(Best), by_number);
	if (ridge->gram)
		look_up(ridge, target, candidate, n);
	else
		count_up(ridge, target, candidate, n);
	for (uint32_t row = 0; row < n; row++)
		ridge->system[row * ridge->job->ld + row] += ridge->job->ridge;

	if (CholeskySolve(ridge->system, n, ridge->job->ld, ridge->weight))
		for (uint32_t row = 0; row < n; row++)
			if (isfinite(ridge->weight[row]) && ridge->weight[row] != 0)
			{
				candidate[left] = candidate[row];
				candidate[left++].value = ridge->weight[row];
			}
	ridge->to.count[target] = left;
}

static size_t
system_floats(const Job *job)
{
	return (size_t) (job->candidates + 1) * job->ld;
}

/* Takes targets until none is left, and solves each. */
static void
solve_targets(const TeamMember *member)
{
	const Job *job = member->job;
	void **piece = member->piece;
	Ridge ridge = {
		.job = job,
		.gram = piece[PIECE_GRAM],
		.diagonal = piece[PIECE_DIAGONAL],
		.to = {.start = piece[PIECE_START], .slot = piece[PIECE_SLOT], .count = piece[PIECE_COUNT]},
		.system = TeamShare(member, PIECE_SYSTEM, sizeof(float) * system_floats(job)),
		.weight = TeamShare(member, PIECE_WEIGHT, sizeof(float) * job->candidates),
		.factor = piece[PIECE_FACTOR],
		.by_item = {.rows = job->items,
					.columns = job->users,
					.start = piece[PIECE_ITEM_START],
					.column = piece[PIECE_ITEM_COLUMN],
					.value = piece[PIECE_ITEM_VALUE],
					.uniform = job->uniform},
		.first = TeamShare(member, PIECE_FIRST, sizeof(uint32_t) * ((uint64_t) job->users + 1)),
		.met = TeamShare(member, PIECE_MET, sizeof(uint32_t) * (uint64_t) job->users),
		.visit = TeamShare(member, PIECE_VISIT, sizeof(Visit) * job->visits),
		.sorted = TeamShare(member, PIECE_SORTED, sizeof(Visit) * job->visits),
	};
	uint32_t target;

	if (ridge.first)
		memset(ridge.first, 0, sizeof(uint32_t) * ((uint64_t) job->users + 1));
	while ((target = TeamNext(member)) < job->items)
	{
		INTERRUPTS();
		solve_target(&ridge, target);
		ProgressDone((uint64) target + 1);
	}
}

/* Where a worker starts. */
extern PGDLLEXPORT void RidgeWorker(dsm_segment *segment, shm_toc *toc);

void
RidgeWorker(dsm_segment *segment, shm_toc *toc)
{
	TeamJoin(toc, solve_targets, sizeof(Job), PIECES);
}

/* The cells of a target and of its best candidates. */
static uint64_t
count_visits(const RidgeBasis *basis, uint32_t target, uint32_t candidates)
{
	const uint64_t *start = basis->by_item.start;
	const Best *candidate = CooccurrenceSlot(&basis->to, target);
	uint64_t visits = start[target + 1] - start[target];

	for (uint32_t n = 0; n < Min(basis->to.count[target], candidates); n++)
		visits += start[candidate[n].index + 1] - start[candidate[n].index];
	return visits;
}

uint64_t
RidgeVisits(const RidgeBasis *basis, uint32_t candidates)
{
	uint64_t visits = 0;

	for (uint32_t target = 0; basis->gram == NULL && target < basis->input.by_user->columns;
		 target++)
	{
		INTERRUPTS();
		visits += count_visits(basis, target, candidates);
	}
	return visits;
}

/* What counting from histories needs besides. */
static void
turn_histories(RidgeBasis *basis, Budget *budget)
{
	const Sparse *by_user = basis->input.by_user;
	double root = sqrt(basis->unit);
	uint32_t users = basis->input.users;
	uint64_t cells = by_user->start[users];
	Sparse by_item = {
		.rows = by_user->columns, .columns = users, .uniform = (float) (by_user->uniform / root)};

	basis->factor = BudgetAllocShared(budget, users, sizeof(float));
	for (uint32_t u = 0; u < users; u++)
	{
		INTERRUPTS_AT(u);
		basis->factor[u] = (float) SimilarityUserFactor(
			basis->input.rule, (uint32_t) (by_user->start[u + 1] - by_user->start[u]),
			by_user->columns);
	}

	by_item.start = BudgetAllocShared(budget, (uint64_t) by_item.rows + 1, sizeof(uint64_t));
	by_item.column = BudgetAllocShared(budget, cells, sizeof(uint32_t));
	if (by_user->value)
		by_item.value = BudgetAllocShared(budget, cells, sizeof(float));
	SparseCountColumns(by_user, users, by_item.start);
	SparseOffsets(by_item.start, by_item.rows);
	SparseTurn(by_user, 0, &by_item);
	for (uint64_t e = 0; by_item.value && e < cells; e++)
	{
		INTERRUPTS_AT(e);
		by_item.value[e] = (float) (by_item.value[e] / root);
	}
	basis->by_item = by_item;
}

RidgeBasis *
RidgeOpen(const CooccurrenceInput *input, uint32_t from_k, uint32_t candidates, Budget *budget)
{
	RidgeBasis *basis = BudgetZeroed(budget, 1, sizeof(RidgeBasis));
	uint32_t items = input->by_user->columns;
	uint64_t half = (uint64_t) items * (items - Min(items, 1)) / 2;

	basis->input = *input;
	basis->from.k = from_k;
	basis->to.k = Max(1, Min(candidates, items));
	CooccurrenceAlloc(input, &basis->from, &basis->to, budget);
	basis->diagonal = BudgetAllocShared(budget, items, sizeof(double));
	/* The two ways round differently: which is taken may not depend on the number of workers. */
	if (half <= BudgetLeft(budget) / 2 / sizeof(float))
	{
		basis->gram = BudgetAllocShared(budget, half, sizeof(float));
		memset(basis->gram, 0, half * sizeof(float));
	}
	basis->users = BudgetAlloc(budget, (uint64_t) items + 1, sizeof(uint64_t));
	SparseCountColumns(input->by_user, input->users, basis->users);
	basis->input.gram = basis->gram;
	basis->input.diagonal = basis->diagonal;
	basis->input.unit = &basis->unit;
	CooccurrenceRows(&basis->input, &basis->from, &basis->to, budget);
	if (basis->gram == NULL)
		turn_histories(basis, budget);
	return basis;
}

void
RidgeClose(RidgeBasis *basis, Budget *budget)
{
	CooccurrenceFree(&basis->from, budget);
	CooccurrenceFree(&basis->to, budget);
	BudgetFree(budget, basis->gram);
	BudgetFree(budget, basis->diagonal);
	BudgetFree(budget, basis->users);
	BudgetFree(budget, basis->factor);
	BudgetFree(budget, basis->by_item.start);
	BudgetFree(budget, basis->by_item.column);
	BudgetFree(budget, basis->by_item.value);
	BudgetFree(budget, basis);
}

/* Scratch memory for as many members as there is memory for; returns their number. */
static uint32_t
make_scratch(const Job *job, void **piece, Budget *budget)
{
	bool counted = piece[PIECE_GRAM] == NULL;
	uint64_t users = job->users;
	uint64_t system = system_floats(job);
	uint64_t bytes = (system + job->candidates) * sizeof(float);
	uint64_t members;

	if (counted)
		bytes += (2 * users + 1) * sizeof(uint32_t) + 2 * job->visits * sizeof(Visit);
	members = TeamMembers(budget, bytes);
	piece[PIECE_SYSTEM] = BudgetAllocShared(budget, members * system, sizeof(float));
	piece[PIECE_WEIGHT] = BudgetAllocShared(budget, members * job->candidates, sizeof(float));
	if (counted)
	{
		piece[PIECE_FIRST] = BudgetAllocShared(budget, members * (users + 1), sizeof(uint32_t));
		piece[PIECE_MET] = BudgetAllocShared(budget, members * users, sizeof(uint32_t));
		piece[PIECE_VISIT] = BudgetAllocShared(budget, members * job->visits, sizeof(Visit));
		piece[PIECE_SORTED] = BudgetAllocShared(budget, members * job->visits, sizeof(Visit));
	}
	return (uint32_t) members;
}

/* The uniform ridge; 0 only where nobody has anything, and then there are no candidates either. */
static float
uniform_ridge(const double *diagonal, uint32_t items, double lambda)
{
	double sum = 0;

	for (uint32_t i = 0; i < items; i++)
		sum += diagonal[i];
	return (float) (lambda * sum / items);
}

/* The best candidates of every target, to be solved for. */
static CooccurrenceSlots
copy_best(const RidgeBasis *basis, uint32_t candidates, Budget *budget)
{
	uint32_t items = basis->input.by_user->columns;
	CooccurrenceSlots best = {
		.k = Max(1, Min(candidates, basis->to.k)),
		.start = BudgetAllocShared(budget, (uint64_t) items + 1, sizeof(uint64_t)),
		.count = BudgetAllocShared(budget, items, sizeof(uint32_t)),
	};

	for (uint32_t i = 0; i < items; i++)
		best.start[i] = best.count[i] = Min(basis->to.count[i], best.k);
	SparseOffsets(best.start, items);
	best.slot = BudgetAllocSharedResult(budget, best.start[items], sizeof(Best));
	for (uint32_t i = 0; i < items; i++)
		memcpy(CooccurrenceSlot(&best, i), CooccurrenceSlot(&basis->to, i),
			   sizeof(Best) * best.count[i]);
	return best;
}

CooccurrenceSlots
RidgeSolve(const RidgeBasis *basis, double lambda, uint32_t candidates, Budget *budget)
{
	uint32_t items = basis->input.by_user->columns;
	CooccurrenceSlots to = copy_best(basis, candidates, budget);
	void *piece[PIECES] = {0};
	Job job = {
		.items = items,
		.users = basis->input.users,
		.candidates = to.k,
		.ld = (to.k + 1 + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS,
		.ridge = uniform_ridge(basis->diagonal, items, lambda),
		.uniform = basis->by_item.uniform,
	};
	TeamTask task = {.entry = "RidgeWorker",
					 .work = solve_targets,
					 .job = &job,
					 .size = sizeof(job),
					 .piece = piece,
					 .pieces = PIECES};

	piece[PIECE_GRAM] = basis->gram;
	piece[PIECE_DIAGONAL] = basis->diagonal;
	piece[PIECE_START] = to.start;
	piece[PIECE_SLOT] = to.slot;
	piece[PIECE_COUNT] = to.count;
	if (basis->gram == NULL)
	{
		for (uint32_t target = 0; target < items; target++)
		{
			INTERRUPTS();
			job.visits = Max(job.visits, count_visits(basis, target, to.k));
		}
		if (job.visits > UINT32_MAX) /* which number them within a system */
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("a target's candidates have more than %u users", UINT32_MAX),
							errhint("Configure fewer candidates.")));
		piece[PIECE_FACTOR] = basis->factor;
		piece[PIECE_ITEM_START] = basis->by_item.start;
		piece[PIECE_ITEM_COLUMN] = basis->by_item.column;
		piece[PIECE_ITEM_VALUE] = basis->by_item.value;
	}
	task.members = make_scratch(&job, piece, budget);
	ProgressEnter(PROGRESS_SOLVE, items);
	TeamRun(&task, budget);

	BudgetFree(budget, piece[PIECE_SYSTEM]);
	BudgetFree(budget, piece[PIECE_WEIGHT]);
	for (int p = PIECE_FIRST; p < PIECES; p++)
		BudgetFree(budget, piece[p]);
	return to;
}
