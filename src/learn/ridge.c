/*
 * ridge.c: one small linear system a target.
 *
 * Its k x k matrix is gathered in one of two ways.  Where the whole Gram matrix fits into half of
 * the memory that is left, its rows are kept while the candidates are counted, and a system is
 * looked up in them.  Otherwise rows are counted once more when the candidates are known, and each
 * is dealt out to the systems it belongs to, on tape (learn/systems), where solving reads them one after
 * the other.  Sums are exact, so both ways give the same numbers.
 */
#include "learn/ridge.h"

#include <math.h>

#include "base/interrupts.h"
#include "base/progress.h"
#include "base/team.h"
#include "learn/next.h"
#include "learn/systems.h"
#include "math/cholesky.h"
#include "math/gram.h"

/* Rows of a system begin at a multiple of so many floats. */
#define ALIGN_FLOATS 16

/* What members share: the job, and its pieces. */
typedef struct Job
{
	uint32_t items;
	uint32_t candidates;
	uint32_t ld;
	uint64_t largest; /* numbers of a system from tape */
	Tape *tape;       /* of the process that made the job, where others cannot join */
	bool crossed;     /* candidates come with the right side of the system */
	float ridge;      /* lambda * mean(diag G), in units of G, which keep it near lambda */
} Job;

enum
{
	PIECE_GRAM,     /* below the diagonal, row after row; NULL where systems are on tape */
	PIECE_DIAGONAL, /* G_ii */
	PIECE_START,    /* candidates of every target */
	PIECE_SLOT,
	PIECE_COUNT,
	PIECE_SYSTEM,       /* of one target, [(k + 1) * ld]; of each member, like the next */
	PIECE_WEIGHT,       /* [k] */
	PIECE_PLACE,        /* [k], of candidates in the system from tape; or their numbers */
	PIECE_MEMBER_START, /* of systems from tape, as learn/systems has them, like the rest */
	PIECE_MEMBER,
	PIECE_NUMBER_START,
	PIECE_TAPE,
	PIECE_NUMBER, /* of the target at hand; of each member */
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
	uint32_t *place;
	Systems systems;
	Tape *tape;
	float *number;
} Ridge;

#define ST_SORT          sort_by_number
#define ST_ELEMENT_TYPE  Best
#define ST_COMPARE(a, b) ((a)->index < (b)->index ? -1 : (a)->index > (b)->index)
#define ST_SCOPE         static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Looks the system of a target up: the upper triangle of its candidates, and the right side. */
static void
look_up(const Ridge *ridge, uint32_t target, const Best *candidate, uint32_t n)
{
	for (uint32_t c = 0; c < n; c++)
	{
		uint32_t item = candidate[c].index;

		ridge->place[c] = item;
		ridge->weight[c] = ridge->job->crossed
							   ? candidate[c].value
							   : ridge->gram[GramPlace(Max(item, target), Min(item, target))];
	}
	GramSystem(ridge->gram, ridge->diagonal, ridge->place, n, ridge->system, ridge->job->ld);
}

/*
 * The same from a target's system on tape, which may have more candidates.  Both are in
 * order of number.
 */
static void
pick_out(const Ridge *ridge, uint32_t target, const Best *candidate, uint32_t n)
{
	const Systems *systems = &ridge->systems;
	float *number = ridge->number;
	uint32_t own = SystemsPlace(systems, target, target);

	SystemsRead(systems, ridge->tape, target, number);
	for (uint32_t column = 0; column < n; column++)
	{
		uint32_t item = candidate[column].index;
		uint32_t place = SystemsPlace(systems, target, item);
		float *out = ridge->system + column;

		ridge->place[column] = place;
		for (uint32_t row = 0; row < column; row++)
			out[row * ridge->job->ld] = number[GramPlace(place, ridge->place[row])];
		out[column * ridge->job->ld] = (float) ridge->diagonal[item];
		ridge->weight[column] = ridge->job->crossed
									? candidate[column].value
									: number[GramPlace(Max(place, own), Min(place, own))];
	}
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
	sort_by_number(candidate, n);
	if (ridge->gram)
		look_up(ridge, target, candidate, n);
	else
		pick_out(ridge, target, candidate, n);
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
		.place = TeamShare(member, PIECE_PLACE, sizeof(uint32_t) * job->candidates),
		.systems = {.member_start = piece[PIECE_MEMBER_START],
					.member = piece[PIECE_MEMBER],
					.number_start = piece[PIECE_NUMBER_START]},
		.number = TeamShare(member, PIECE_NUMBER, sizeof(float) * job->largest),
		.tape = piece[PIECE_TAPE] ? TapeJoin(piece[PIECE_TAPE]) : job->tape,
	};
	uint32_t target;

	while ((target = TeamNext(member)) < job->items)
	{
		INTERRUPTS();
		solve_target(&ridge, target);
		ProgressDone((uint64) (ridge.gram ? 0 : job->items) + target + 1);
	}
	if (piece[PIECE_TAPE])
		TapeLeave(ridge.tape);
}

/* Where a worker starts. */
extern PGDLLEXPORT void RidgeWorker(dsm_segment *segment, shm_toc *toc);

void
RidgeWorker(dsm_segment *segment, shm_toc *toc)
{
	TeamJoin(toc, solve_targets, sizeof(Job), PIECES);
}

uint64_t
RidgeNumbers(const RidgeBasis *basis, uint32_t candidates)
{
	uint64_t numbers = 0;

	for (uint32_t target = 0; target < basis->input.rows.items; target++)
	{
		uint64_t n = Min(basis->to.count[target], candidates);

		numbers += n * (n + 1) / 2;
	}
	return numbers;
}

double
RidgeProducts(const RidgeBasis *basis, uint32_t candidates)
{
	double products = 0;

	for (uint32_t target = 0; target < basis->input.rows.items; target++)
	{
		double n = Min(basis->to.count[target], candidates);

		products += n * n * n / 6;
	}
	return products;
}

/* How many users have each item. */
static uint64_t *
count_users(const Rows *rows, Budget *budget)
{
	uint64_t *users = BudgetZeroedResult(budget, (uint64_t) rows->items + 1, sizeof(uint64_t));
	RowsWalk walk = RowsOpen(rows, budget);
	Row row;

	while (RowsNext(&walk, &row))
		for (uint32_t c = 0; c < row.count; c++)
			users[row.item[c]]++;
	RowsClose(&walk);
	return users;
}

/* n_i^exponent, in histories or as a target. */
static double *
powers_of(const Rows *rows, bool as_target, double exponent, Budget *budget)
{
	const Sparse *a = rows->memory;
	double *power = BudgetZeroedResult(budget, rows->items, sizeof(double));

	for (uint64_t c = 0; c < a->start[rows->users]; c++)
	{
		double v = as_target ? rows->target[c] : SparseValue(a, c);

		INTERRUPTS_AT(c);
		power[a->column[c]] += v * v;
	}
	for (uint32_t i = 0; i < rows->items; i++)
		power[i] = pow(power[i], exponent);
	return power;
}

/*
 * Counts both ways for the Gram matrix, and one way for candidates, of which it is to be known what
 * sums they came from.
 */
static void
count_crossed(RidgeBasis *basis, Budget *budget)
{
	const SimilarityRule *rule = basis->input.rule;
	uint32_t items = basis->input.rows.items;
	CooccurrenceSlots none = {0};
	CooccurrenceSlots neither = {0};

	CooccurrenceAlloc(&basis->input, &none, &neither, budget);
	CooccurrenceRows(&basis->input, &none, &neither, budget);
	CooccurrenceFree(&none, budget);
	CooccurrenceFree(&neither, budget);
	NextRows(&basis->input, &basis->from, &basis->to, budget);
	basis->source = powers_of(&basis->input.rows, false, rule->source_exponent, budget);
	basis->target = powers_of(&basis->input.rows, true, rule->target_exponent, budget);
	for (uint32_t i = 0; i < items; i++)
		basis->target[i] /= basis->unit;
}

RidgeBasis *
RidgeOpen(const CooccurrenceInput *input, uint32_t from_k, uint32_t candidates, Budget *budget)
{
	RidgeBasis *basis = BudgetZeroed(budget, 1, sizeof(RidgeBasis));
	uint32_t items = input->rows.items;
	uint64_t half = (uint64_t) items * (items - Min(items, 1)) / 2;

	basis->input = *input;
	basis->from.k = from_k;
	basis->to.k = Max(1, Min(candidates, items));
	CooccurrenceAlloc(input, &basis->from, &basis->to, budget);
	basis->diagonal = BudgetAllocSharedResult(budget, items, sizeof(double));
	if (half <= BudgetLeft(budget) / 2 / sizeof(float))
	{
		basis->gram = BudgetAllocShared(budget, half, sizeof(float));
		memset(basis->gram, 0, half * sizeof(float));
	}
	basis->users = count_users(&input->rows, budget);
	basis->input.gram = basis->gram;
	basis->input.diagonal = basis->diagonal;
	basis->input.unit = &basis->unit;
	if (input->rows.target)
		count_crossed(basis, budget);
	else
		CooccurrenceRows(&basis->input, &basis->from, &basis->to, budget);
	if (basis->gram == NULL)
		basis->systems = SystemsOpen(&basis->to, items, budget);
	return basis;
}

void
RidgeClose(RidgeBasis *basis, Budget *budget)
{
	if (basis->systems)
		SystemsClose(basis->systems, budget);
	CooccurrenceFree(&basis->from, budget);
	CooccurrenceFree(&basis->to, budget);
	BudgetFree(budget, basis->gram);
	BudgetFree(budget, basis->diagonal);
	BudgetFree(budget, basis->users);
	BudgetFree(budget, basis->source);
	BudgetFree(budget, basis->target);
	BudgetFree(budget, basis);
}

/* Scratch memory for as many members as there is memory for; returns their number. */
static uint32_t
make_scratch(const Job *job, void **piece, Budget *budget)
{
	uint64_t system = system_floats(job);
	uint64_t members =
		TeamMembers(budget, (system + 2 * job->candidates + job->largest) * sizeof(float));

	piece[PIECE_SYSTEM] = BudgetAllocSharedLeast(budget, members * system, sizeof(float));
	piece[PIECE_WEIGHT] = BudgetAllocSharedLeast(budget, members * job->candidates, sizeof(float));
	piece[PIECE_PLACE] =
		BudgetAllocSharedLeast(budget, members * job->candidates, sizeof(uint32_t));
	if (job->largest > 0)
		piece[PIECE_NUMBER] = BudgetAllocSharedLeast(budget, members * job->largest, sizeof(float));
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
	uint32_t items = basis->input.rows.items;
	CooccurrenceSlots best = {
		.k = Max(1, Min(candidates, basis->to.k)),
		.start = BudgetAllocSharedResult(budget, (uint64_t) items + 1, sizeof(uint64_t)),
		.count = BudgetAllocSharedResult(budget, items, sizeof(uint32_t)),
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

/* Makes what candidates say the sums that it came from. */
static void
undo_similarity(const RidgeBasis *basis, CooccurrenceSlots *to)
{
	double shrinkage = basis->input.rule->shrinkage;

	for (uint32_t target = 0; target < basis->input.rows.items; target++)
		for (uint32_t n = 0; n < to->count[target]; n++)
		{
			Best *candidate = CooccurrenceSlot(to, target) + n;
			double shrunk = candidate->support / (candidate->support + shrinkage);

			candidate->value = (float) (candidate->value / shrunk *
										basis->source[candidate->index] * basis->target[target]);
		}
}

/* Solves what is in memory. */
static void
solve_from_gram(TeamTask *task, Job *job, const RidgeBasis *basis, Budget *budget)
{
	task->piece[PIECE_GRAM] = basis->gram;
	task->members = make_scratch(job, task->piece, budget);
	ProgressEnter(PROGRESS_SOLVE, job->items);
	TeamRun(task, budget);
}

/* Solves what is on tape, from which each member reads by itself. */
static void
solve_from_tape(TeamTask *task, Job *job, const RidgeBasis *basis, Budget *budget)
{
	Systems *systems = basis->systems;

	ProgressEnter(PROGRESS_SOLVE, 2 * (uint64) job->items);
	SystemsGather(systems, &basis->input, budget);
	job->tape = systems->tape;
	job->largest = systems->largest;
	task->piece[PIECE_MEMBER_START] = systems->member_start;
	task->piece[PIECE_MEMBER] = systems->member;
	task->piece[PIECE_NUMBER_START] = systems->number_start;
	task->piece[PIECE_TAPE] = TapePiece(systems->tape);
	task->members = make_scratch(job, task->piece, budget);
	if (task->piece[PIECE_TAPE] == NULL)
		task->members = 1;
	TeamRun(task, budget);
}

CooccurrenceSlots
RidgeSolve(const RidgeBasis *basis, double lambda, uint32_t candidates, Budget *budget)
{
	uint32_t items = basis->input.rows.items;
	CooccurrenceSlots to = copy_best(basis, candidates, budget);
	Job job = {
		.items = items,
		.candidates = to.k,
		.ld = (to.k + 1 + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS,
		.crossed = basis->target != NULL,
		.ridge = uniform_ridge(basis->diagonal, items, lambda),
	};
	void *piece[PIECES] = {
		[PIECE_DIAGONAL] = basis->diagonal,
		[PIECE_START] = to.start,
		[PIECE_SLOT] = to.slot,
		[PIECE_COUNT] = to.count,
	};
	TeamTask task = {.entry = "RidgeWorker",
					 .work = solve_targets,
					 .job = &job,
					 .size = sizeof(job),
					 .piece = piece,
					 .pieces = PIECES};

	if (job.crossed)
		undo_similarity(basis, &to);
	if (basis->gram)
		solve_from_gram(&task, &job, basis, budget);
	else
		solve_from_tape(&task, &job, basis, budget);
	BudgetFree(budget, piece[PIECE_SYSTEM]);
	BudgetFree(budget, piece[PIECE_WEIGHT]);
	BudgetFree(budget, piece[PIECE_PLACE]);
	BudgetFree(budget, piece[PIECE_NUMBER]);
	return to;
}
