/*
 * progress.h: how far a refresh has come, to be seen from other sessions.
 *
 * It is kept where PostgreSQL keeps the progress of its own commands, in the backend's entry of
 * the array behind pg_stat_activity, under a kind of command of our own: no shared memory, no
 * preload, and nothing is left behind by whatever ends the transaction.  Where no refresh runs
 * in this process, and in parallel workers, every call but ProgressStart does nothing, so that
 * learning may report from anywhere.
 */
#ifndef RECO_PROGRESS_H
#define RECO_PROGRESS_H

#include "base/compat.h"
#include "datatype/timestamp.h"

/* What a refresh is at, and what "done" then counts. */
typedef enum ProgressPhase
{
	PROGRESS_WAIT,   /* nothing: another refresh of the model goes first */
	PROGRESS_READ,   /* events */
	PROGRESS_ENCODE, /* events */
	PROGRESS_LEARN,  /* cells: a user with an item */
	PROGRESS_SOLVE,  /* items; of factors users and items, in every iteration */
	PROGRESS_CURVE,  /* items that held-out users chose */
	PROGRESS_WRITE,  /* items */
	PROGRESS_PHASES
} ProgressPhase;

/* One refresh; a refresh within the events query of another one stands before it. */
typedef struct Progress
{
	struct Progress *outer;
	Oid table; /* of the model */
	ProgressPhase phase;
	uint64 done;
	uint64 total; /* 0 where it is not known */
	int workers;
	TimestampTz started;
	TimestampTz entered;              /* the phase */
	double expected[PROGRESS_PHASES]; /* seconds; below 0 where that is not known */
} Progress;

/*
 * Begins and ends.  The caller owns the struct and sees to it that ProgressEnd is reached after
 * an error as well.
 */
extern void ProgressStart(Progress *progress, Oid table);
extern void ProgressEnd(Progress *progress);

/* Enters a phase of so many steps, 0 where that is not known. */
extern void ProgressEnter(ProgressPhase phase, uint64 total);

/* Says how long this phase or one to come will take; one that was left takes none any more. */
extern void ProgressExpect(ProgressPhase phase, double seconds);

/* Says how many processes help. */
extern void ProgressWorkers(int workers);

/* The number of steps from which on it is worth telling others; none where no refresh runs. */
extern uint64 ProgressNext;

extern void ProgressTell(uint64 done);

/* Says how many steps of the phase are done; cheap enough for every row. */
static inline void
ProgressDone(uint64 done)
{
	if (unlikely(done >= ProgressNext))
		ProgressTell(done);
}

/* A refresh as others see it. */
typedef struct ProgressReport
{
	int pid;
	Oid database;
	Oid role;
	Oid table;
	ProgressPhase phase;
	uint64 done;
	uint64 total;
	int workers;
	TimestampTz started;
	bool end_known;
	TimestampTz expected_end;
} ProgressReport;

/*
 * Finds the next refresh that runs on this server; *place begins at 0.  Within a transaction the
 * answer stays what it was at first, as in pg_stat_activity.
 */
extern bool ProgressFind(int *place, TimestampTz now, ProgressReport *report);

#endif
