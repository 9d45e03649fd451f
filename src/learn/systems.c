#include "learn/systems.h"

#include "base/interrupts.h"
#include "learn/counting.h"
#include "math/gram.h"

/*
 * Runs are written when so large a share of the memory is full of them, by target: those of items that
 * come one after the other then lie together.  To write each by itself takes nearly half the time of ridge.
 */
#define RUNS_SHARE 4

static int
by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *) a;
	uint32_t y = *(const uint32_t *) b;

	return x < y ? -1 : x > y;
}

Systems *
SystemsOpen(const CooccurrenceSlots *to, uint32_t items, Budget *budget)
{
	Systems *systems = BudgetZeroedResult(budget, 1, sizeof(Systems));
	uint64_t places = (uint64_t) items + 1;

	systems->items = items;
	systems->member_start = BudgetAllocSharedResult(budget, places, sizeof(uint64_t));
	systems->number_start = BudgetAllocSharedResult(budget, places, sizeof(uint64_t));
	for (uint32_t target = 0; target < items; target++)
	{
		uint64_t n = to->count[target];

		systems->member_start[target] = n > 0 ? n + 1 : 0;
		systems->number_start[target] = n * (n + 1) / 2;
		systems->largest = Max(systems->largest, systems->number_start[target]);
	}
	SparseOffsets(systems->member_start, items);
	SparseOffsets(systems->number_start, items);
	systems->member =
		BudgetAllocSharedResult(budget, systems->member_start[items], sizeof(uint32_t));
	for (uint32_t target = 0; target < items; target++)
	{
		uint32_t *member = systems->member + systems->member_start[target];

		INTERRUPTS();
		if (to->count[target] == 0)
			continue;
		for (uint32_t n = 0; n < to->count[target]; n++)
			member[n] = CooccurrenceSlot(to, target)[n].index;
		member[to->count[target]] = target;
		qsort(member, to->count[target] + (size_t) 1, sizeof(uint32_t), by_number);
	}
	return systems;
}

void
SystemsClose(Systems *systems, Budget *budget)
{
	TapeFree(systems->tape);
	BudgetFree(budget, systems->member_start);
	BudgetFree(budget, systems->number_start);
	BudgetFree(budget, systems->member);
	BudgetFree(budget, systems);
}

/* What members share: the job, and its pieces. */
typedef struct Job
{
	uint32_t items;
	uint32_t runs; /* that may wait, like the next */
	uint64_t numbers;
	CountingUnit unit; /* the norm is a piece */
	Tape *tape;        /* of the process that made it, where others cannot join */
	CountingJob counting;
} Job;

enum
{
	PIECE_NORM,
	PIECE_MEMBER_START,
	PIECE_MEMBER,
	PIECE_NUMBER_START,
	PIECE_TAPE,
	PIECE_START,  /* [items + 1], systems of which an item is a member */
	PIECE_TARGET, /* in rising order */
	PIECE_VALUES, /* [items], of a row; of each team member, like the next */
	PIECE_RUN,    /* [runs], what waits to be written */
	PIECE_ORDER,  /* [runs] */
	PIECE_FIRST,  /* [items + 1] */
	PIECE_NUMBER, /* [numbers] */
	PIECE_COUNTING,
	PIECES = PIECE_COUNTING + COUNTING_PIECES
};

StaticAssertDecl(PIECES <= TEAM_PIECES, "a job has more pieces than a team may share");

/* What one member of a system has with those before it. */
typedef struct Run
{
	uint64_t begin; /* in the numbers that wait */
	uint32_t target;
	uint32_t place; /* of the member, and how many numbers these are */
} Run;

/* Dealing out, as one team member does it. */
typedef struct Dealer
{
	Systems systems;
	CountingUnit unit;
	const uint64_t *start;
	const uint32_t *target;
	float *values; /* zero between rows */
	Tape *tape;

	/* Runs that wait to be written. */
	Run *run;
	uint32_t runs;
	uint32_t runs_most;
	float *number;
	uint64_t numbers;
	uint64_t numbers_most;
	uint32_t *order; /* of runs, by target */
	uint32_t *first; /* [items + 1], of each target, in the order */
} Dealer;

/* Lists for every item the systems it is a member of. */
static void
list_systems(const Systems *systems, void **piece, Budget *budget)
{
	Sparse members = {.rows = systems->items,
					  .columns = systems->items,
					  .start = systems->member_start,
					  .column = systems->member};
	Sparse turned = {.rows = systems->items, .columns = systems->items};

	piece[PIECE_START] = turned.start =
		BudgetAllocSharedResult(budget, (uint64_t) systems->items + 1, sizeof(uint64_t));
	piece[PIECE_TARGET] = turned.column =
		BudgetAllocSharedResult(budget, SparseCount(&members), sizeof(uint32_t));
	SparseCountColumns(&members, systems->items, turned.start);
	SparseOffsets(turned.start, systems->items);
	SparseTurn(&members, 0, &turned);
}

/* Puts the runs that wait in order of target; of one target they stay in theirs. */
static void
order_runs(Dealer *dealer)
{
	uint32_t items = dealer->systems.items;

	memset(dealer->first, 0, sizeof(uint32_t) * ((uint64_t) items + 1));
	for (uint32_t r = 0; r < dealer->runs; r++)
		dealer->first[dealer->run[r].target + 1]++;
	for (uint32_t target = 0; target < items; target++)
		dealer->first[target + 1] += dealer->first[target];
	for (uint32_t r = 0; r < dealer->runs; r++)
		dealer->order[dealer->first[dealer->run[r].target]++] = r;
}

/* Writes what waits. */
static void
write_runs(Dealer *dealer)
{
	const uint64_t *number_start = dealer->systems.number_start;
	uint64_t end = UINT64_MAX; /* of what was written last */

	order_runs(dealer);
	for (uint32_t n = 0; n < dealer->runs; n++)
	{
		const Run *run = &dealer->run[dealer->order[n]];
		uint64_t place = number_start[run->target] + GramPlace(run->place, 0);

		INTERRUPTS();
		if (place != end)
			TapeSeek(dealer->tape, place * sizeof(float));
		TapeWrite(dealer->tape, dealer->number + run->begin, sizeof(float) * run->place);
		end = place + run->place;
	}
	dealer->runs = 0;
	dealer->numbers = 0;
}

/* Has an item's numbers with the members before it wait for every system it is a member of. */
static void
deal_values(Dealer *dealer, uint32_t item)
{
	const Systems *systems = &dealer->systems;

	for (uint64_t s = dealer->start[item]; s < dealer->start[item + 1]; s++)
	{
		uint32_t target = dealer->target[s];
		const uint32_t *member = systems->member + systems->member_start[target];
		uint32_t place = SystemsPlace(systems, target, item);
		float *number;

		INTERRUPTS();
		if (place == 0)
			continue;
		if (dealer->runs == dealer->runs_most || dealer->numbers + place > dealer->numbers_most)
			write_runs(dealer);
		number = dealer->number + dealer->numbers;
		for (uint32_t n = 0; n < place; n++)
			number[n] = dealer->values[member[n]];
		dealer->run[dealer->runs++] = (Run){dealer->numbers, target, place};
		dealer->numbers += place;
	}
}

static void
deal_row(const PairRow *row, void *with)
{
	Dealer *dealer = with;

	if (dealer->start[row->item] == dealer->start[row->item + 1])
		return;
	CountingValues(&dealer->unit, row, dealer->values);
	deal_values(dealer, row->item);
	if (row->touched)
		for (uint32_t t = 0; t < row->count; t++)
			dealer->values[row->touched[t]] = 0;
	else
		memset(dealer->values, 0, sizeof(float) * row->count);
}

/* A team member's part: counts rows, and deals them out. */
static void
count_and_deal(const TeamMember *member)
{
	const Job *job = member->job;
	void **piece = member->piece;
	Dealer dealer = {
		.systems = {.items = job->items,
					.member_start = piece[PIECE_MEMBER_START],
					.member = piece[PIECE_MEMBER],
					.number_start = piece[PIECE_NUMBER_START]},
		.unit = job->unit,
		.start = piece[PIECE_START],
		.target = piece[PIECE_TARGET],
		.values = TeamShare(member, PIECE_VALUES, sizeof(float) * job->items),
		.run = TeamShare(member, PIECE_RUN, sizeof(Run) * job->runs),
		.runs_most = job->runs,
		.order = TeamShare(member, PIECE_ORDER, sizeof(uint32_t) * job->runs),
		.first = TeamShare(member, PIECE_FIRST, sizeof(uint32_t) * ((uint64_t) job->items + 1)),
		.number = TeamShare(member, PIECE_NUMBER, sizeof(float) * job->numbers),
		.numbers_most = job->numbers,
		.tape = piece[PIECE_TAPE] ? TapeJoinWriting(piece[PIECE_TAPE]) : job->tape,
	};

	dealer.unit.norm = piece[PIECE_NORM];
	memset(dealer.values, 0, sizeof(float) * job->items);
	CountingWork(member, &job->counting, PIECE_COUNTING, deal_row, &dealer);
	write_runs(&dealer);
	if (piece[PIECE_TAPE])
		TapeLeave(dealer.tape);
}

/* Where a worker starts. */
extern PGDLLEXPORT void SystemsWorker(dsm_segment *segment, shm_toc *toc);

void
SystemsWorker(dsm_segment *segment, shm_toc *toc)
{
	TeamJoin(toc, count_and_deal, sizeof(Job), PIECES);
}

/* Room for what each member of the team works with: for one run at the least. */
static void
make_room(const Systems *systems, Job *job, void **piece, Budget *budget)
{
	uint64_t members = UINT64CONST(1) + BudgetWorkers(budget);
	uint64_t items = systems->items;
	uint64_t numbers = systems->number_start[items];
	uint64_t runs = systems->member_start[items];
	uint64_t mean = sizeof(float) * numbers / Max(runs, 1) + sizeof(Run) + sizeof(uint32_t);
	uint64_t fit = BudgetLeft(budget) / RUNS_SHARE / members / mean;
	uint64_t most = 1;

	for (uint32_t target = 0; target < items; target++)
		most = Max(most, systems->member_start[target + 1] - systems->member_start[target]);
	job->runs = (uint32_t) Max(Min(Min(runs, fit), UINT32_MAX), 1);
	job->numbers = Max(numbers / Max(runs, 1) * job->runs, most);
	piece[PIECE_VALUES] = BudgetAllocSharedResult(budget, members * items, sizeof(float));
	piece[PIECE_FIRST] = BudgetAllocSharedResult(budget, members * (items + 1), sizeof(uint32_t));
	piece[PIECE_RUN] = BudgetAllocSharedLeast(budget, members * job->runs, sizeof(Run));
	piece[PIECE_ORDER] = BudgetAllocSharedLeast(budget, members * job->runs, sizeof(uint32_t));
	piece[PIECE_NUMBER] = BudgetAllocSharedLeast(budget, members * job->numbers, sizeof(float));
}

/* Has a team count what was weighed, and deal it out. */
static void
deal_out(Systems *systems, const Weighing *in, Budget *budget)
{
	Job job = {.items = systems->items, .unit = CountingUnitOf(in), .tape = systems->tape};
	void *piece[PIECES] = {
		[PIECE_NORM] = in->norm,
		[PIECE_MEMBER_START] = systems->member_start,
		[PIECE_MEMBER] = systems->member,
		[PIECE_NUMBER_START] = systems->number_start,
		[PIECE_TAPE] = TapePiece(systems->tape),
	};
	TeamTask task = {.entry = "SystemsWorker",
					 .work = count_and_deal,
					 .job = &job,
					 .size = sizeof(job),
					 .piece = piece,
					 .pieces = PIECES};

	list_systems(systems, piece, budget);
	make_room(systems, &job, piece, budget);
	task.members = CountingPlan(in, systems->items, &job.counting, piece + PIECE_COUNTING, budget);
	if (piece[PIECE_TAPE] == NULL)
		task.members = 1;
	TeamRun(&task, budget);
	TapeLookAnew(systems->tape);
	CountingFree(&job.counting, piece + PIECE_COUNTING, budget);
	for (int p = PIECE_START; p <= PIECE_NUMBER; p++)
		BudgetFree(budget, piece[p]);
}

void
SystemsGather(Systems *systems, const CooccurrenceInput *input, Budget *budget)
{
	Weighing *in;

	if (systems->tape)
		return;
	systems->tape = TapeCreate(budget);
	TapeStretch(systems->tape, systems->number_start[systems->items] * sizeof(float));
	in = WeighingCreate(&input->rows, input->rule, budget);
	deal_out(systems, in, budget);
	WeighingFree(in, budget);
}

void
SystemsRead(const Systems *systems, Tape *tape, uint32_t target, float *number)
{
	const uint64_t *start = systems->number_start;

	TapeSeek(tape, start[target] * sizeof(float));
	TapeRead(tape, number, (start[target + 1] - start[target]) * sizeof(float));
}
