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

StaticAssertDecl(RIDGE_PIECES <= TEAM_PIECES, "a job has more pieces than a team may share");

/* The job as one member sees it. */
typedef struct Ridge
{
	const RidgeJob *job;
	const float *gram;
	const double *diagonal;
	const uint64_t *best_start;
	const Best *best;
	CooccurrenceSlots to;
	float *system;
	float *weight;
	uint32_t *place;
	Best *sorted;
	Systems systems;
	Tape *tape;
	float *number;
} Ridge;

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

/*
 * Solves a system that is looked up for one ridge.  Unless it is the last, for a copy of it, which has room after
 * it.
 */
static const float *
solve_for(const Ridge *ridge, uint32_t n, uint32_t nth)
{
	size_t ld = ridge->job->ld;
	float *system = ridge->system;
	float *weight = ridge->weight;

	if (nth > 0)
	{
		system += (n + UINT64_C(1)) * ld;
		weight += n;
		for (uint32_t row = 0; row < n; row++)
			memcpy(system + row * ld + row, ridge->system + row * ld + row,
				   sizeof(float) * (n - row));
		memcpy(weight, ridge->weight, sizeof(float) * n);
	}
	for (uint32_t row = 0; row < n; row++)
		system[row * ld + row] += ridge->job->ridge[nth];
	return CholeskySolve(system, n, ld, weight) ? weight : NULL;
}

/* Puts the candidates that have a weight where one of the solutions goes, which may be where they are. */
static void
put_weights(const Ridge *ridge, uint32_t target, const float *weight, uint32_t n, uint32_t nth)
{
	const Best *candidate = CooccurrenceSlot(&ridge->to, target);
	CooccurrenceSlots solved = RidgeSolved(ridge->job, &ridge->to, nth);
	Best *out = CooccurrenceSlot(&solved, target);
	uint32_t left = 0;

	for (uint32_t row = 0; weight && row < n; row++)
		if (isfinite(weight[row]) && weight[row] != 0)
		{
			out[left] = candidate[row];
			out[left++].value = weight[row];
		}
	solved.count[target] = left;
}

/* Replaces what the counts say of a target's candidates by their weights; drops those without any. */
static void
solve_target(const Ridge *ridge, uint32_t target)
{
	Best *candidate = CooccurrenceSlot(&ridge->to, target);
	uint32_t n = ridge->to.count[target];

	if (n == 0)
		return;
	if (!ridge->job->taken)
		memcpy(candidate, ridge->best + ridge->best_start[target], sizeof(Best) * n);
	BestByIndex(candidate, ridge->sorted, n, ridge->job->items);
	if (ridge->gram)
		look_up(ridge, target, candidate, n);
	else
		pick_out(ridge, target, candidate, n);
	for (uint32_t nth = ridge->job->at_once; nth-- > 0;)
		put_weights(ridge, target, solve_for(ridge, n, nth), n, nth);
}

/* How far apart the rows of a system lie. */
static uint32_t
leading(uint32_t candidates)
{
	return (candidates + 1 + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
}

static size_t
system_floats(const RidgeJob *job)
{
	return (size_t) (job->room + 1) * leading(job->room);
}

/* Takes targets until none is left, and solves each. */
void
RidgeWork(const TeamMember *member, const RidgeJob *job, int first)
{
	void **piece = member->piece + first;
	Ridge ridge = {
		.job = job,
		.gram = piece[job->other ? RIDGE_OTHER_GRAM : RIDGE_GRAM],
		.diagonal = piece[job->other ? RIDGE_OTHER_DIAGONAL : RIDGE_DIAGONAL],
		.best_start = piece[job->other ? RIDGE_OTHER_BEST_START : RIDGE_BEST_START],
		.best = piece[job->other ? RIDGE_OTHER_BEST : RIDGE_BEST],
		.to = {.start = piece[RIDGE_START], .slot = piece[RIDGE_SLOT], .count = piece[RIDGE_COUNT]},
		.system = TeamShare(member, first + RIDGE_SYSTEM, sizeof(float) * system_floats(job)),
		.weight = TeamShare(member, first + RIDGE_WEIGHT, sizeof(float) * job->room),
		.place = TeamShare(member, first + RIDGE_PLACE, sizeof(uint32_t) * job->room),
		.sorted = TeamShare(member, first + RIDGE_SORTED, sizeof(Best) * job->room),
		.systems = {.member_start = piece[RIDGE_MEMBER_START],
					.member = piece[RIDGE_MEMBER],
					.number_start = piece[RIDGE_NUMBER_START]},
		.number = TeamShare(member, first + RIDGE_NUMBER, sizeof(float) * job->largest),
		.tape = piece[RIDGE_TAPE] ? TapeJoin(piece[RIDGE_TAPE]) : job->tape,
	};
	uint32_t target;

	while ((target = TeamNext(member)) < job->items)
	{
		INTERRUPTS();
		solve_target(&ridge, target);
		ProgressDone((uint64) (ridge.gram ? 0 : job->items) + target + 1);
	}
	if (piece[RIDGE_TAPE])
		TapeLeave(ridge.tape);
}

static void
solve_targets(const TeamMember *member)
{
	RidgeWork(member, member->job, 0);
}

/* Where a worker starts. */
extern PGDLLEXPORT void RidgeWorker(dsm_segment *segment, shm_toc *toc);

void
RidgeWorker(dsm_segment *segment, shm_toc *toc)
{
	TeamJoin(toc, solve_targets, sizeof(RidgeJob), RIDGE_PIECES);
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

/* Bytes of a Gram matrix. */
static uint64_t
gram_bytes(uint32_t items)
{
	return (uint64_t) items * (items - Min(items, 1)) / 2 * sizeof(float);
}

static bool
has_room(uint32_t items, const Budget *budget)
{
	return gram_bytes(items) <= BudgetLeft(budget) / 2;
}

/* All that is counted into, with a Gram matrix where there is room. */
static RidgeBasis *
prepare(const CooccurrenceInput *input, uint32_t from_k, uint32_t candidates, Budget *budget)
{
	RidgeBasis *basis = BudgetZeroed(budget, 1, sizeof(RidgeBasis));
	uint32_t items = input->rows.items;

	basis->input = *input;
	basis->rule = *input->rule;
	basis->input.rule = &basis->rule;
	basis->users = RowsUsers(&input->rows, budget);
	basis->counted = input->rows.item_users == NULL;
	basis->input.rows.item_users = basis->users;
	basis->from.k = from_k;
	basis->to.k = Max(1, Min(candidates, items));
	CooccurrenceAlloc(&basis->input, &basis->from, &basis->to, budget);
	basis->diagonal = BudgetAllocSharedResult(budget, items, sizeof(double));
	if (has_room(items, budget))
		basis->gram = BudgetZeroedShared(budget, gram_bytes(items), 1);
	basis->input.gram = basis->gram;
	basis->input.diagonal = basis->diagonal;
	basis->input.unit = &basis->unit;
	return basis;
}

static void
count(RidgeBasis *basis, Budget *budget)
{
	if (basis->input.rows.target)
		count_crossed(basis, budget);
	else
		CooccurrenceRows(&basis->input, &basis->from, &basis->to, budget);
	if (basis->gram == NULL)
		basis->systems = SystemsOpen(&basis->to, basis->input.rows.items, budget);
}

RidgeBasis *
RidgeOpen(const CooccurrenceInput *input, uint32_t from_k, uint32_t candidates, Budget *budget)
{
	RidgeBasis *basis = prepare(input, from_k, candidates, budget);

	count(basis, budget);
	return basis;
}

RidgeBasis *
RidgeOpenBoth(const CooccurrenceInput *input, uint32_t k, uint32_t candidates, RidgeBasis **all,
			  Budget *budget)
{
	RidgeBasis *basis = prepare(input, k, Max(candidates, k), budget);
	CooccurrenceInput more = *input;

	*all = NULL;
	more.rows.users = input->rows.scaled;
	more.rows.scaled = 0;
	more.rows.item_users = NULL;
	if (basis->gram == NULL || input->rows.memory == NULL || input->rows.target ||
		!has_room(input->rows.items, budget))
	{
		count(basis, budget);
		return basis;
	}
	*all = prepare(&more, 0, candidates, budget);
	CooccurrenceBoth(&(CooccurrenceBest){&basis->input, &basis->from, &basis->to},
					 &(CooccurrenceBest){&(*all)->input, &(*all)->from, &(*all)->to}, budget);
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
	if (basis->counted)
		BudgetFree(budget, basis->users);
	BudgetFree(budget, basis->source);
	BudgetFree(budget, basis->target);
	BudgetFree(budget, basis);
}

/* Scratch memory for as many members as there is memory for; returns their number. */
static uint32_t
make_scratch(const RidgeJob *job, void **piece, Budget *budget)
{
	uint64_t system = system_floats(job);
	uint64_t room = job->room;
	uint64_t members = TeamMembers(budget, (system + 2 * room + job->largest) * sizeof(float) +
											   room * sizeof(Best));

	piece[RIDGE_SYSTEM] = BudgetAllocSharedLeast(budget, members * system, sizeof(float));
	piece[RIDGE_WEIGHT] = BudgetAllocSharedLeast(budget, members * room, sizeof(float));
	piece[RIDGE_PLACE] = BudgetAllocSharedLeast(budget, members * room, sizeof(uint32_t));
	piece[RIDGE_SORTED] = BudgetAllocSharedLeast(budget, members * room, sizeof(Best));
	if (job->largest > 0)
		piece[RIDGE_NUMBER] = BudgetAllocSharedLeast(budget, members * job->largest, sizeof(float));
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

/* How many of the best k candidates of every target there are. */
static uint64_t
count_places(const RidgeBasis *basis, uint32_t k)
{
	uint64_t places = 0;

	for (uint32_t i = 0; i < basis->input.rows.items; i++)
		places += Min(basis->to.count[i], k);
	return places;
}

/* The same of whichever has more. */
static uint64_t
most_places(const RidgeBases *bases, uint32_t k)
{
	uint64_t places = count_places(bases->one, k);

	return bases->other ? Max(places, count_places(bases->other, k)) : places;
}

CooccurrenceSlots
RidgeRoom(const RidgeBases *bases, uint32_t candidates, Budget *budget)
{
	uint32_t items = bases->one->input.rows.items;
	CooccurrenceSlots room = {
		.k = Max(1, Min(candidates, bases->one->to.k)),
		.start = BudgetAllocSharedResult(budget, (uint64_t) items + 1, sizeof(uint64_t)),
		.count =
			BudgetAllocSharedResult(budget, (uint64_t) items * RIDGE_AT_ONCE, sizeof(uint32_t)),
	};

	room.slot = BudgetAllocSharedResult(budget, most_places(bases, room.k), sizeof(Best));
	return room;
}

/* How many candidates of every target are to be solved for, and where. */
static void
place_best(const RidgeBasis *basis, uint32_t candidates, CooccurrenceSlots *best)
{
	uint32_t items = basis->input.rows.items;

	for (uint32_t i = 0; i < items; i++)
		best->start[i] = best->count[i] = Min(basis->to.count[i], candidates);
	SparseOffsets(best->start, items);
}

/* The best of them. */
static void
copy_best(const RidgeBasis *basis, CooccurrenceSlots *best)
{
	for (uint32_t i = 0; i < basis->input.rows.items; i++)
	{
		INTERRUPTS();
		memcpy(CooccurrenceSlot(best, i), CooccurrenceSlot(&basis->to, i),
			   sizeof(Best) * best->count[i]);
	}
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

/* The pieces that say what is solved. */
static void
name_pieces(const RidgeBasis *basis, const CooccurrenceSlots *to, void **piece)
{
	memset(piece, 0, sizeof(void *) * RIDGE_PIECES);
	piece[RIDGE_GRAM] = basis->gram;
	piece[RIDGE_DIAGONAL] = basis->diagonal;
	piece[RIDGE_BEST_START] = basis->to.start;
	piece[RIDGE_BEST] = basis->to.slot;
	piece[RIDGE_START] = to->start;
	piece[RIDGE_SLOT] = to->slot;
	piece[RIDGE_COUNT] = to->count;
}

uint32_t
RidgePlan(const RidgeBases *bases, const CooccurrenceSlots *to, RidgeJob *job, void **piece,
		  Budget *budget)
{
	const RidgeBasis *basis = bases->one;

	*job = (RidgeJob){.items = basis->input.rows.items,
					  .room = to->k,
					  .crossed = basis->target != NULL,
					  .places_most = most_places(bases, to->k)};
	name_pieces(basis, to, piece);
	if (bases->other)
	{
		piece[RIDGE_OTHER_GRAM] = bases->other->gram;
		piece[RIDGE_OTHER_DIAGONAL] = bases->other->diagonal;
		piece[RIDGE_OTHER_BEST_START] = bases->other->to.start;
		piece[RIDGE_OTHER_BEST] = bases->other->to.slot;
	}
	return make_scratch(job, piece, budget);
}

void
RidgeBegin(const RidgeBasis *basis, double lambda, uint32_t candidates, CooccurrenceSlots *to,
		   RidgeJob *job)
{
	candidates = Min(candidates, job->room);
	place_best(basis, candidates, to);
	/* Members do that best for themselves, unless more is to be done. */
	job->taken = job->crossed;
	if (job->taken)
	{
		copy_best(basis, to);
		undo_similarity(basis, to);
	}
	job->ld = leading(candidates);
	job->at_once = 1;
	job->ridge[0] = uniform_ridge(basis->diagonal, job->items, lambda);
	job->places = to->start[job->items];
	ProgressEnter(PROGRESS_SOLVE, (basis->gram ? 1 : 2) * (uint64) job->items);
}

bool
RidgeAdd(const RidgeBasis *basis, double lambda, uint32_t candidates, const CooccurrenceSlots *to,
		 RidgeJob *job)
{
	uint32_t nth = job->at_once;

	candidates = Min(candidates, job->room);
	if (nth == RIDGE_AT_ONCE || job->places * (nth + 1) > job->places_most ||
		2 * (candidates + UINT64_C(1)) * job->ld > system_floats(job) ||
		2 * (uint64_t) candidates > job->room)
		return false;
	job->ridge[nth] = uniform_ridge(basis->diagonal, job->items, lambda);
	job->at_once++;
	memset(to->count + (size_t) nth * job->items, 0, sizeof(uint32_t) * job->items);
	return true;
}

CooccurrenceSlots
RidgeSolved(const RidgeJob *job, const CooccurrenceSlots *to, uint32_t nth)
{
	CooccurrenceSlots solved = *to;

	solved.slot += job->places * nth;
	solved.count += (size_t) job->items * nth;
	return solved;
}

void
RidgeFree(void **piece, Budget *budget)
{
	BudgetFree(budget, piece[RIDGE_SYSTEM]);
	BudgetFree(budget, piece[RIDGE_WEIGHT]);
	BudgetFree(budget, piece[RIDGE_PLACE]);
	BudgetFree(budget, piece[RIDGE_SORTED]);
	BudgetFree(budget, piece[RIDGE_NUMBER]);
}

/* Sets up what is on tape, from which each member reads by itself. */
static uint32_t
plan_from_tape(RidgeJob *job, void **piece, const RidgeBasis *basis, Budget *budget)
{
	Systems *systems = basis->systems;
	uint32_t members;

	SystemsGather(systems, &basis->input, budget);
	job->tape = systems->tape;
	job->largest = systems->largest;
	piece[RIDGE_MEMBER_START] = systems->member_start;
	piece[RIDGE_MEMBER] = systems->member;
	piece[RIDGE_NUMBER_START] = systems->number_start;
	piece[RIDGE_TAPE] = TapePiece(systems->tape);
	members = make_scratch(job, piece, budget);
	return piece[RIDGE_TAPE] ? members : 1;
}

CooccurrenceSlots
RidgeSolve(const RidgeBasis *basis, double lambda, uint32_t candidates, Budget *budget)
{
	CooccurrenceSlots to = RidgeRoom(&(RidgeBases){basis, NULL}, candidates, budget);
	RidgeJob job = {
		.items = basis->input.rows.items, .room = to.k, .crossed = basis->target != NULL};
	void *piece[RIDGE_PIECES];
	TeamTask task = {.entry = "RidgeWorker",
					 .work = solve_targets,
					 .job = &job,
					 .size = sizeof(job),
					 .piece = piece,
					 .pieces = RIDGE_PIECES};

	Assert(basis->gram == NULL);
	RidgeBegin(basis, lambda, to.k, &to, &job);
	name_pieces(basis, &to, piece);
	task.members = plan_from_tape(&job, piece, basis, budget);
	TeamRun(&task, budget);
	RidgeFree(piece, budget);
	return to;
}
