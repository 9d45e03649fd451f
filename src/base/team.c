#include "base/team.h"

#include <dlfcn.h>

#include "access/parallel.h"
#include "access/xact.h"
#include "base/progress.h"
#include "optimizer/optimizer.h"

/* Keys of what workers find. */
#define KEY_TEAM 1
#define KEY_JOB  2

typedef struct Shared
{
	pg_atomic_uint32 next;
	uint32 pieces;
	dsm_handle piece[TEAM_PIECES];
} Shared;

uint32
TeamMost(const Budget *budget)
{
	return 1 + BudgetWorkers(budget);
}

/* This library's file, by which a worker finds the function it starts with. */
static const char *
library_file(void)
{
	Dl_info info;

	if (dladdr((void *) (intptr_t) TeamJoin, &info) == 0)
		elog(ERROR, "could not find the file of this library");
	return info.dli_fname;
}

/* The pieces as handles; false where one of them is this process's own. */
static bool
share_pieces(Shared *shared, void **piece, uint32 pieces, const Budget *budget)
{
	shared->pieces = pieces;
	for (uint32 p = 0; p < pieces; p++)
	{
		shared->piece[p] = DSM_HANDLE_INVALID;
		if (piece[p] && !BudgetHandle(budget, piece[p], &shared->piece[p]))
			return false;
	}
	return true;
}

static void
run_alone(TeamWork work, const void *job, void **piece, const char *why)
{
	pg_atomic_uint32 next;
	TeamMember member = {0, job, piece, &next};

	ereport(DEBUG1, (errmsg_internal("one process does the job: %s", why)));
	pg_atomic_init_u32(&next, 0);
	work(&member);
}

void
TeamRun(const char *entry, TeamWork work, const void *job, Size size, void **piece, uint32 pieces,
		Budget *budget)
{
	uint32 workers = BudgetWorkers(budget);
	Shared handles;
	Shared *shared;
	ParallelContext *context;
	void *copy;
	TeamMember member = {.job = job, .piece = piece};

	Assert(pieces <= TEAM_PIECES);
	if (workers == 0)
	{
		run_alone(work, job, piece, "no workers wanted");
		return;
	}
	if (!share_pieces(&handles, piece, pieces, budget))
	{
		run_alone(work, job, piece, "no shared memory");
		return;
	}

	EnterParallelMode();
	context = CreateParallelContext(library_file(), entry, (int) workers);
	shm_toc_estimate_chunk(&context->estimator, sizeof(Shared));
	shm_toc_estimate_chunk(&context->estimator, size);
	shm_toc_estimate_keys(&context->estimator, 2);
	InitializeParallelDSM(context);

	shared = shm_toc_allocate(context->toc, sizeof(Shared));
	*shared = handles;
	pg_atomic_init_u32(&shared->next, 0);
	shm_toc_insert(context->toc, KEY_TEAM, shared);
	copy = shm_toc_allocate(context->toc, size);
	memcpy(copy, job, size);
	shm_toc_insert(context->toc, KEY_JOB, copy);

	/* Without a segment of its own the context is private, and starts no workers. */
	LaunchParallelWorkers(context);
	ereport(DEBUG1, (errmsg_internal("%d workers started of %u wanted", context->nworkers_launched,
									 workers)));
	ProgressWorkers(context->nworkers_launched);
	member.next = &shared->next;
	work(&member);
	WaitForParallelWorkersToFinish(context);
	ProgressWorkers(0);
	DestroyParallelContext(context);
	ExitParallelMode();
}

void
TeamJoin(shm_toc *toc, TeamWork work)
{
	Shared *shared = shm_toc_lookup(toc, KEY_TEAM, false);
	void *piece[TEAM_PIECES] = {0};
	dsm_segment *segment[TEAM_PIECES] = {0};
	TeamMember member = {
		.number = 1 + (uint32) ParallelWorkerNumber,
		.job = shm_toc_lookup(toc, KEY_JOB, false),
		.piece = piece,
		.next = &shared->next,
	};

	for (uint32 p = 0; p < shared->pieces; p++)
	{
		if (shared->piece[p] == DSM_HANDLE_INVALID)
			continue;
		segment[p] = dsm_attach(shared->piece[p]);
		if (segment[p] == NULL)
			elog(ERROR, "could not attach to the memory of the job");
		piece[p] = dsm_segment_address(segment[p]);
	}
	work(&member);
	for (uint32 p = 0; p < shared->pieces; p++)
		if (segment[p])
			dsm_detach(segment[p]);
}
