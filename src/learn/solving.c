#include "learn/solving.h"

#include "base/progress.h"
#include "learn/asking.h"
#include "learn/indirect.h"
#include "learn/mixture.h"

enum
{
	PIECE_RIDGE,
	PIECE_MIXTURE = PIECE_RIDGE + RIDGE_PIECES,
	PIECE_ASKING = PIECE_MIXTURE + MIXTURE_PIECES,
	PIECES = PIECE_ASKING + ASKING_PIECES
};

StaticAssertDecl(PIECES <= TEAM_PIECES, "a job has more pieces than a team may share");

struct Solving
{
	const RidgeBasis *basis; /* at hand */
	const RidgeBasis *other; /* that may come after it, or NULL */
	CooccurrenceSlots solved;
	Mixture *mixture;
	RidgeJob ridge;
	double lambda[RIDGE_AT_ONCE]; /* that it was solved for last, of so many candidates */
	uint32_t candidates;
	AskingJob asking;
	uint32_t members;
	void *piece[PIECES];
	void (*lead)(void *with);
	void *with;
	TeamMember alone;
	const TeamMember *leader;
};

/* What members share is pieces and orders; the leader alone knows more. */
typedef struct Job
{
	Solving *solving;
} Job;

typedef enum OrderKind
{
	ORDER_SOLVE,
	ORDER_ROWS,
	ORDER_LISTS
} OrderKind;

typedef struct Order
{
	OrderKind kind;
	union
	{
		RidgeJob ridge;
		MixtureJob rows;
		AskingJob lists;
	} job;
} Order;

StaticAssertDecl(sizeof(Order) <= TEAM_ORDER, "an order is too long");

/* A member's part of an order. */
static void
obey(const TeamMember *member, const void *given)
{
	const Order *order = given;
	void **row = member->piece + PIECE_MIXTURE;
	AskingRows rows = {row[MIXTURE_START], row[MIXTURE_COUNT], row[MIXTURE_ITEM],
					   row[MIXTURE_SIMILARITY]};

	switch (order->kind)
	{
		case ORDER_SOLVE:
			RidgeWork(member, &order->job.ridge, PIECE_RIDGE);
			break;
		case ORDER_ROWS:
			MixtureWork(member, &order->job.rows, PIECE_MIXTURE);
			break;
		case ORDER_LISTS:
			AskingWork(member, &order->job.lists, PIECE_ASKING, &rows);
			break;
	}
}

static void
give_order(const Solving *solving, const Order *order)
{
	TeamOrder(solving->leader, obey, order, sizeof(*order));
}

/* Member 0 leads, the others follow. */
static void
lead_or_follow(const TeamMember *member)
{
	Solving *solving;

	if (member->number > 0)
	{
		TeamFollow(member, obey);
		return;
	}
	solving = ((const Job *) member->job)->solving;
	solving->leader = member;
	solving->lead(solving->with);
	SolvingDismiss(solving);
}

/* Where a worker starts. */
extern PGDLLEXPORT void SolvingWorker(dsm_segment *segment, shm_toc *toc);

void
SolvingWorker(dsm_segment *segment, shm_toc *toc)
{
	TeamJoin(toc, lead_or_follow, sizeof(Job), PIECES);
}

Solving *
SolvingOpen(const SolvingInput *input, Budget *budget)
{
	Solving *solving = BudgetZeroedResult(budget, 1, sizeof(Solving));
	uint32_t members;

	solving->basis = input->basis;
	solving->other = input->other;
	solving->alone.piece = solving->piece;
	solving->leader = &solving->alone;
	solving->mixture =
		MixtureOpen(&(MixtureInput){input->basis, input->other, input->candidates, input->k,
									input->counts, input->indirect, input->basis->gram == NULL},
					solving->piece + PIECE_MIXTURE, &members, budget);
	solving->members = members;
	if (input->matrix)
	{
		members = AskingPlan(input->matrix, input->users, input->list_k, &solving->asking,
							 solving->piece + PIECE_ASKING, budget);
		solving->members = Min(solving->members, members);
	}
	if (input->basis->gram)
	{
		RidgeBases bases = {input->basis, input->other};

		solving->solved = RidgeRoom(&bases, input->candidates, budget);
		members = RidgePlan(&bases, &solving->solved, &solving->ridge, solving->piece + PIECE_RIDGE,
							budget);
		solving->members = Min(solving->members, members);
	}
	return solving;
}

void
SolvingRelease(Solving *solving, Budget *budget)
{
	TeamOver(solving->leader);
	RidgeFree(solving->piece + PIECE_RIDGE, budget);
	if (solving->solved.slot)
		CooccurrenceFree(&solving->solved, budget);
	AskingFree(solving->piece + PIECE_ASKING, budget);
	MixtureClose(solving->mixture, budget);
	solving->mixture = NULL;
}

void
SolvingDismiss(Solving *solving)
{
	if (solving->leader != &solving->alone)
		TeamDismiss(solving->leader);
	solving->leader = &solving->alone;
}

void
SolvingClose(Solving *solving, Budget *budget)
{
	if (solving->mixture)
		SolvingRelease(solving, budget);
	BudgetFree(budget, solving);
}

void
SolvingRun(Solving *solving, void (*lead)(void *with), void *with, Budget *budget)
{
	Job job = {solving};
	TeamTask task = {.entry = "SolvingWorker",
					 .work = lead_or_follow,
					 .job = &job,
					 .size = sizeof(job),
					 .piece = solving->piece,
					 .pieces = PIECES,
					 .members = solving->members};

	solving->lead = lead;
	solving->with = with;
	if (solving->basis->gram)
		TeamRun(&task, budget);
	else
		lead(with);
}

void
SolvingOther(Solving *solving)
{
	Assert(solving->basis->gram && solving->other->gram);
	solving->basis = solving->other;
	solving->ridge.other = true;
	solving->ridge.at_once = 0;
	MixtureOther(solving->mixture, solving->other);
}

/* Begins to solve for a lambda. */
static void
begin(Solving *solving, double lambda, uint32_t candidates)
{
	RidgeBegin(solving->basis, lambda, candidates, &solving->solved, &solving->ridge);
	solving->lambda[0] = lambda;
	solving->candidates = candidates;
}

/* Has everybody solve what was begun. */
static void
solve_begun(Solving *solving, const TeamMeanwhile *meanwhile)
{
	Order order = {.kind = ORDER_SOLVE, .job.ridge = solving->ridge};

	TeamOrderMeanwhile(solving->leader, obey, &order, sizeof(order), meanwhile);
	MixtureTurn(solving->mixture, &solving->solved);
}

void
SolvingMeanwhile(Solving *solving, double lambda, uint32_t candidates,
				 const TeamMeanwhile *meanwhile)
{
	begin(solving, lambda, candidates);
	solve_begun(solving, meanwhile);
}

void
SolvingAhead(Solving *solving, const double *lambda, uint32_t count, uint32_t candidates,
			 Budget *budget)
{
	if (solving->basis->gram == NULL)
	{
		SolvingSolve(solving, lambda[0], candidates, budget);
		return;
	}
	begin(solving, lambda[0], candidates);
	for (uint32_t n = 1; n < count && RidgeAdd(solving->basis, lambda[n], candidates,
											   &solving->solved, &solving->ridge);
		 n++)
		solving->lambda[n] = lambda[n];
	solve_begun(solving, NULL);
}

/* Takes what was solved for already; false where it was not. */
static bool
take_solved(Solving *solving, double lambda, uint32_t candidates)
{
	for (uint32_t n = 0; n < solving->ridge.at_once; n++)
		if (solving->lambda[n] == lambda && solving->candidates == candidates)
		{
			CooccurrenceSlots solved = RidgeSolved(&solving->ridge, &solving->solved, n);

			MixtureTurn(solving->mixture, &solved);
			return true;
		}
	return false;
}

void
SolvingSolve(Solving *solving, double lambda, uint32_t candidates, Budget *budget)
{
	if (solving->basis->gram)
	{
		if (!take_solved(solving, lambda, candidates))
			SolvingMeanwhile(solving, lambda, candidates, NULL);
	}
	else
	{
		CooccurrenceSlots solved = RidgeSolve(solving->basis, lambda, candidates, budget);

		MixtureTurn(solving->mixture, &solved);
		CooccurrenceFree(&solved, budget);
	}
}

static void
make_rows(Solving *solving, const SimilarityOptions *options, uint32_t k, bool ordered)
{
	Order order = {.kind = ORDER_ROWS};

	MixtureBegin(solving->mixture, options, k, ordered, &order.job.rows);
	give_order(solving, &order);
}

/* Adds to all there is of every item what neighbours of neighbours say. */
static void
add_indirect(Solving *solving, const SimilarityOptions *options, bool ordered, Budget *budget)
{
	Neighbors *direct;
	Neighbors *indirect;

	make_rows(solving, options, UINT32_MAX, false);
	direct = MixtureNeighbors(solving->mixture, budget);
	indirect = IndirectRows(direct, budget);
	MixtureAdd(solving->mixture, direct, indirect, options, ordered);
	NeighborsFree(direct, budget);
	NeighborsFree(indirect, budget);
}

void
SolvingRows(Solving *solving, const SimilarityOptions *options, bool ordered, Budget *budget)
{
	if (options->rule.kind == SIMILARITY_RIDGE && options->indirect > 0)
		add_indirect(solving, options, ordered, budget);
	else
		make_rows(solving, options, options->k, ordered);
}

const double *
SolvingLists(Solving *solving, double recency)
{
	Order order = {.kind = ORDER_LISTS, .job.lists = solving->asking};

	order.job.lists.recency = recency;
	give_order(solving, &order);
	return solving->piece[PIECE_ASKING + ASKING_NDCG];
}

Neighbors *
SolvingNeighbors(Solving *solving, Budget *budget)
{
	return MixtureLast(solving->mixture, budget);
}
