#include "base/team.h"

#include <dlfcn.h>

#include "access/parallel.h"
#include "access/xact.h"
#include "base/progress.h"
#include "utils/wait_event.h"

/* Keys of what workers find. */
#define KEY_TEAM 1
#define KEY_JOB  2

/* About what PostgreSQL itself needs for workers: the state of the session, and queues of each. */
#define SESSION_BYTES (256 * 1024)
#define WORKER_BYTES  (32 * 1024)

typedef struct Shared
{
	pg_atomic_uint32 next[TEAM_PHASES];
	Barrier barrier;
	TeamOrders orders;
	uint32 pieces;
	uint32 members; /* at most */
	Size size;
	uint64 build; /* which build of this library the job was made by */
	dsm_handle piece[TEAM_PIECES];
	uint64 bytes[TEAM_PIECES];
} Shared;

uint32
TeamMembers(const Budget *budget, uint64 bytes)
{
	uint64 fit = BudgetLeft(budget) / Max(bytes, 1);

	return (uint32) Min(Max(fit, 1), UINT64CONST(1) + BudgetWorkers(budget));
}

/* Where this library was loaded from. */
static Dl_info
library(void)
{
	Dl_info info;

	if (dladdr((void *) (intptr_t) TeamJoin, &info) == 0)
		elog(ERROR, "could not find the file of this library");
	return info;
}

/*
 * Where a function lies in this library tells two builds apart: a worker loads the file anew,
 * which may have been replaced meanwhile.
 */
static uint64
build_of(TeamWork work)
{
	return (uint64) ((uintptr_t) work - (uintptr_t) library().dli_fbase);
}

/* The pieces as handles; false where one of them is this process's own. */
static bool
share_pieces(Shared *shared, const TeamTask *task, const Budget *budget)
{
	for (uint32 p = 0; p < task->pieces; p++)
	{
		shared->piece[p] = DSM_HANDLE_INVALID;
		if (task->piece[p] && !BudgetHandle(budget, task->piece[p], &shared->piece[p]))
			return false;
		shared->bytes[p] = BudgetSharedBytes(budget, task->piece[p]);
	}
	return true;
}

static void
init_phases(pg_atomic_uint32 *next)
{
	for (int p = 0; p < TEAM_PHASES; p++)
		pg_atomic_init_u32(&next[p], 0);
}

void
TeamMeet(TeamMember *member)
{
	if (member->barrier)
		BarrierArriveAndWait(member->barrier, PG_WAIT_EXTENSION);
	member->next++;
}

/* Does this member's part of the order at hand. */
static void
obey_order(const TeamMember *given, TeamObey obey, TeamOrders *orders)
{
	TeamMember member = *given;

	member.next = &orders->next;
	obey(&member, orders->order);
}

/*
 * The barrier is in an odd phase while an order is carried out, and in an even one while the next is
 * waited for: that is how a worker who comes late knows which it is.
 */
static void
meet(const TeamMember *member)
{
	if (member->barrier)
		BarrierArriveAndWait(member->barrier, PG_WAIT_EXTENSION);
}

void
TeamOrderMeanwhile(const TeamMember *leader, TeamObey obey, const void *order, Size size,
				   const TeamMeanwhile *meanwhile)
{
	TeamOrders alone;
	TeamOrders *orders = leader->orders ? leader->orders : &alone;

	Assert(size <= TEAM_ORDER && leader->number == 0);
	pg_atomic_init_u32(&orders->next, 0);
	orders->given = true;
	memcpy(orders->order, order, size);
	meet(leader);
	if (meanwhile)
		meanwhile->work(meanwhile->with);
	obey_order(leader, obey, orders);
	meet(leader);
}

void
TeamOrder(const TeamMember *leader, TeamObey obey, const void *order, Size size)
{
	TeamOrderMeanwhile(leader, obey, order, size, NULL);
}

void
TeamOver(const TeamMember *leader)
{
	if (leader->orders)
		leader->orders->over = true;
}

void
TeamDismiss(const TeamMember *leader)
{
	if (leader->orders)
		leader->orders->given = false;
	meet(leader);
}

void
TeamFollow(const TeamMember *member, TeamObey obey)
{
	for (;;)
	{
		if (BarrierPhase(member->barrier) % 2 == 0)
			meet(member);
		if (!member->orders->given)
			break;
		obey_order(member, obey, member->orders);
		meet(member);
	}
}

static void
run_alone(const TeamTask *task, const char *why)
{
	pg_atomic_uint32 next[TEAM_PHASES];
	TeamMember member = {.job = task->job, .piece = task->piece, .next = next};

	ereport(DEBUG1, (errmsg_internal("one process does the job: %s", why)));
	init_phases(next);
	task->work(&member);
}

static void
run_together(const TeamTask *task, const Shared *handles, uint32 workers)
{
	TeamMember member = {.job = task->job, .piece = task->piece};
	ParallelContext *context;
	Shared *shared;
	void *copy;

	EnterParallelMode();
	context = CreateParallelContext(library().dli_fname, task->entry, (int) workers);
	shm_toc_estimate_chunk(&context->estimator, sizeof(Shared));
	shm_toc_estimate_chunk(&context->estimator, task->size);
	shm_toc_estimate_keys(&context->estimator, 2);
	InitializeParallelDSM(context);

	shared = shm_toc_allocate(context->toc, sizeof(Shared));
	*shared = *handles;
	init_phases(shared->next);
	BarrierInit(&shared->barrier, 0);
	shared->orders.given = false;
	shared->orders.over = false;
	shm_toc_insert(context->toc, KEY_TEAM, shared);
	copy = shm_toc_allocate(context->toc, task->size);
	memcpy(copy, task->job, task->size);
	shm_toc_insert(context->toc, KEY_JOB, copy);

	BarrierAttach(&shared->barrier);

	/* Without a segment of its own the context is private, and starts no workers. */
	LaunchParallelWorkers(context);
	ereport(DEBUG1, (errmsg_internal("%d workers started of %u wanted", context->nworkers_launched,
									 workers)));
	ProgressWorkers(context->nworkers_launched);
	member.members = shared->members;
	member.bytes = shared->bytes;
	member.next = shared->next;
	member.barrier = &shared->barrier;
	member.orders = &shared->orders;
	task->work(&member);
	BarrierDetach(&shared->barrier);
	WaitForParallelWorkersToFinish(context);
	ProgressWorkers(0);
	DestroyParallelContext(context);
	ExitParallelMode();
}

void
TeamRun(const TeamTask *task, Budget *budget)
{
	Shared handles = {.pieces = task->pieces, .members = task->members, .size = task->size};
	uint32 workers = Min(BudgetWorkers(budget), task->members - 1);

	Assert(task->pieces <= TEAM_PIECES && task->members > 0);
	if (BudgetWorkers(budget) == 0)
		run_alone(task, "no workers");
	else if (workers == 0)
		run_alone(task, "no memory for workers");
	else if (!share_pieces(&handles, task, budget) ||
			 !BudgetCanShare(budget, SESSION_BYTES + (Size) WORKER_BYTES * workers))
		run_alone(task, "no shared memory for workers");
	else
	{
		handles.build = build_of(task->work);
		run_together(task, &handles, workers);
	}
}

static void
detach_pieces(dsm_segment **segment, uint32 pieces)
{
	for (uint32 p = 0; p < pieces; p++)
		if (segment[p])
			dsm_detach(segment[p]);
}

/*
 * Attaches to the pieces; false where these are gone because the job is over.  Whoever says that says so before
 * it lets go of the first of them.
 */
static bool
attach_pieces(const Shared *shared, dsm_segment **segment, void **piece)
{
	for (uint32 p = 0; p < shared->pieces; p++)
	{
		if (shared->piece[p] == DSM_HANDLE_INVALID)
			continue;
		/* One piece may be there in two places. */
		if (dsm_find_mapping(shared->piece[p]) == NULL)
			segment[p] = dsm_attach(shared->piece[p]);
		if (dsm_find_mapping(shared->piece[p]) == NULL)
		{
			if (shared->orders.over)
				return false;
			ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
							errmsg("the process that this one was to help is gone")));
		}
		piece[p] = dsm_segment_address(dsm_find_mapping(shared->piece[p]));
	}
	return true;
}

void
TeamJoin(shm_toc *toc, TeamWork work, Size size, uint32 pieces)
{
	Shared *shared = shm_toc_lookup(toc, KEY_TEAM, false);
	void *piece[TEAM_PIECES] = {0};
	dsm_segment *segment[TEAM_PIECES] = {0};
	TeamMember member = {
		.number = 1 + (uint32) ParallelWorkerNumber,
		.members = shared->members,
		.job = shm_toc_lookup(toc, KEY_JOB, false),
		.piece = piece,
		.bytes = shared->bytes,
		.next = shared->next,
		.barrier = &shared->barrier,
		.orders = &shared->orders,
	};

	if (shared->size != size || shared->pieces != pieces || shared->build != build_of(work))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("the library of reco was replaced while this session used it"),
						errhint("Connect anew.")));
	if (attach_pieces(shared, segment, piece))
	{
		BarrierAttach(&shared->barrier);
		work(&member);
		BarrierDetach(&shared->barrier);
	}
	detach_pieces(segment, pieces);
}
