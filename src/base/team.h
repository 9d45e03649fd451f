/*
 * team.h: one job done by several processes, this one among them.
 *
 * All run the same function over the same memory: pieces that BudgetAllocShared made, which every
 * member sees, at addresses of its own.  A job is a struct without pointers; work is taken from one
 * counter.  Members may write nothing but the memory of the job; it is up to the function that
 * the answer does not depend on who did what.
 *
 * Errors and cancels of any member end them all, by PostgreSQL's own parallel mode.
 */
#ifndef RECO_TEAM_H
#define RECO_TEAM_H

#include "base/budget.h"
#include "port/atomics.h"
#include "storage/dsm.h"
#include "storage/shm_toc.h"

/* A job has so many pieces of memory at most. */
#define TEAM_PIECES 24

typedef struct TeamMember
{
	uint32 number;   /* 0 .. members - 1 */
	const void *job; /* as it was given, at this member's address */
	void **piece;    /* as they were given, at this member's addresses; NULL where NULL was given */
	pg_atomic_uint32 *next;
} TeamMember;

typedef void (*TeamWork)(const TeamMember *member);

/* The next piece of work: 0, 1, 2 ... each to one member only. */
static inline uint32
TeamNext(const TeamMember *member)
{
	return pg_atomic_fetch_add_u32(member->next, 1);
}

/* A member's own part of a piece of which each has so many bytes; NULL where there is none. */
static inline void *
TeamShare(const TeamMember *member, int piece, uint64 bytes)
{
	char *all = member->piece[piece];

	return all ? all + bytes * member->number : NULL;
}

/*
 * How many members a job of this budget may have: 1 where it may not be shared; otherwise one
 * more than max_parallel_maintenance_workers.  For scratch memory of each.
 */
extern uint32 TeamMost(const Budget *budget);

/*
 * Runs work() here and in as many workers as there are.  entry names the function of this library
 * that they start with, which calls TeamJoin with the same work().  Without workers, or where a
 * piece is not shared, this process does it all; a DEBUG1 message says how many worked.
 */
extern void TeamRun(const char *entry, TeamWork work, const void *job, Size size, void **piece,
					uint32 pieces, Budget *budget);

/* A worker's part: PGDLLEXPORT void entry(dsm_segment *segment, shm_toc *toc) calls it. */
extern void TeamJoin(shm_toc *toc, TeamWork work);

#endif
