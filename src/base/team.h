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
#include "storage/barrier.h"
#include "storage/dsm.h"
#include "storage/shm_toc.h"

/* A job has so many pieces of memory at most, and so many phases; an order has so many bytes. */
#define TEAM_PIECES 64
#define TEAM_PHASES 2
#define TEAM_ORDER  256

/* What one member has all do, see TeamOrder. */
typedef struct TeamOrders
{
	pg_atomic_uint32 next;
	bool given; /* false once there are none any more */
	bool over;  /* who comes now need not, and finds no pieces */
	char order[TEAM_ORDER] pg_attribute_aligned(8);
} TeamOrders;

typedef struct TeamMember
{
	uint32 number;   /* 0 .. members - 1 */
	uint32 members;  /* at most; like the bytes, 0 and NULL where one does it all */
	const void *job; /* as it was given, at this member's address */
	void **piece;    /* as they were given, at this member's addresses; NULL where NULL was given */
	const uint64 *bytes;    /* of each piece */
	pg_atomic_uint32 *next; /* of the phase at hand */
	Barrier *barrier;       /* NULL where one does it all, like the next */
	TeamOrders *orders;
} TeamMember;

typedef void (*TeamWork)(const TeamMember *member);

/* What a team is to do. */
typedef struct TeamTask
{
	const char *entry; /* the function of this library that workers start with */
	TeamWork work;     /* and what it has TeamJoin do */
	const void *job;
	Size size; /* of the job */
	void **piece;
	uint32 pieces;
	uint32 members; /* at most */
} TeamTask;

/* The next piece of work: 0, 1, 2 ... each to one member only. */
static inline uint32
TeamNext(const TeamMember *member)
{
	return pg_atomic_fetch_add_u32(member->next, 1);
}

/*
 * Ends a phase of the job for a member: waits until all that have begun it are here, too.  The next piece of
 * work is then 0 again.  One who comes later finds nothing left of the phases that have ended.
 */
extern void TeamMeet(TeamMember *member);

/*
 * A job that member 0 leads: what is to be done turns out on the way, and each thing is so little that to
 * start workers for it would cost more than they help.  So they stay, and follow: they do their part of one
 * order after the other until they are dismissed.  An order is a struct without pointers; it has one phase.
 *
 * The leader is in parallel mode all the time: no memory is shared meanwhile, and no other team starts.
 */
typedef void (*TeamObey)(const TeamMember *member, const void *order);
extern void TeamOrder(const TeamMember *leader, TeamObey obey, const void *order, Size size);

/* The same where the leader has something else to do first, unless NULL: the others have begun by then. */
typedef struct TeamMeanwhile
{
	void (*work)(void *with);
	void *with;
} TeamMeanwhile;

extern void TeamOrderMeanwhile(const TeamMember *leader, TeamObey obey, const void *order,
							   Size size, const TeamMeanwhile *meanwhile);
extern void TeamDismiss(const TeamMember *leader);

/*
 * Lets the leader give pieces back before that: there are no orders to come.  The others still have them, and
 * to give pages back to the system takes its time, which is that of who lets go of them last.
 */
extern void TeamOver(const TeamMember *leader);
extern void TeamFollow(const TeamMember *member, TeamObey obey);

/* A member's own part of a piece of which each has so many bytes; NULL where there is none. */
static inline void *
TeamShare(const TeamMember *member, int piece, uint64 bytes)
{
	char *all = member->piece[piece];

	/* A piece is made of whole parts, of which there is one for everybody: else two would share one. */
	Assert(all == NULL || member->bytes == NULL ||
		   (bytes == 0 ? member->bytes[piece] <= 1
					   : member->bytes[piece] % bytes == 0 &&
							 member->bytes[piece] / bytes >= member->members));
	return all ? all + bytes * member->number : NULL;
}

/*
 * How many members a task of this budget may have that need so many bytes each: no more than fit
 * into what is left, and one at least.
 */
extern uint32 TeamMembers(const Budget *budget, uint64 bytes);

/*
 * Does a task here and in as many workers as there are.  Without workers, or where a piece is not
 * shared, this process does it all; a DEBUG1 message says how many worked.
 */
extern void TeamRun(const TeamTask *task, Budget *budget);

/*
 * A worker's part: PGDLLEXPORT void entry(dsm_segment *segment, shm_toc *toc) calls it, with the
 * work, the size of the job and the number of pieces that the task has.
 */
extern void TeamJoin(shm_toc *toc, TeamWork work, Size size, uint32 pieces);

#endif
