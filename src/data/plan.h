/*
 * plan.h: prepared plans kept for the session, found by their text.
 *
 * PostgreSQL itself replans or re-checks a kept plan when a table, a view, the search path or a
 * role changes; the text carries the names, so a model that was dropped and made again is
 * found anew.
 *
 * SPI is connected.  SPI leaves its own memory context current, whatever it does; everything here gives
 * back the one that was current at the call, so that who asks for rows allocates where it did.
 */
#ifndef RECO_PLAN_H
#define RECO_PLAN_H

#include "base/compat.h"
#include "executor/spi.h"
#include "executor/tuptable.h"

/* Values as an array, a parameter of a statement. */
extern Datum PlanArray(Datum *values, uint32 count, Oid type);

/*
 * A cursor over a statement, read-only as the next; its kept plan is the one that has the first rows
 * soonest.
 */
extern Portal PlanOpen(const char *sql, int arguments, const Oid *types, const Datum *values);

/* The next rows of a cursor, at most so many: how many there are; they are then in SPI_tuptable. */
extern uint64 PlanFetch(Portal portal, long count);

/* Runs it read-only, in the snapshot of the calling query; rows are then in SPI_tuptable. */
extern uint64 PlanRun(const char *sql, int arguments, const Oid *types, const Datum *values,
					  const char *nulls);

/* How many rows the planner expects of a statement. */
extern uint64 PlanRows(const char *sql);

/*
 * Runs a statement and hands each row to take() as the executor makes it: nothing is copied and
 * nothing is kept, and what take() allocates ends with the statement unless it says where.  Read-only as
 * PlanRun, in the active snapshot; once is for long statements, which are planned each time, and in
 * parallel where that pays.
 */
typedef void (*PlanTake)(TupleTableSlot *row, void *with);

extern void PlanStream(const char *sql, int arguments, const Oid *types, const Datum *values,
					   PlanTake take, void *with);

/*
 * The same by one plan for whatever values: for a statement that is run with one after the other, where
 * planning each time, which PostgreSQL does while that plan looks no cheaper, takes longer than it saves.
 */
extern void PlanStreamMany(const char *sql, int arguments, const Oid *types, const Datum *values,
						   PlanTake take, void *with);
extern void PlanStreamOnce(const char *sql, PlanTake take, void *with);

/* The same as PlanStream, planned each time, but it is for take() to have the slot's columns read. */
extern void PlanStreamLazy(const char *sql, int arguments, const Oid *types, const Datum *values,
						   PlanTake take, void *with);

/*
 * The same in parallel, with at most so many workers, whatever the session allows its queries;
 * false, and nothing is done, where the planner sees no parallel plan.  An aggregate of all rows has
 * one state in every process, partitions or not, and the plan does not show the arguments.
 */
extern bool PlanStreamParallel(const char *sql, int arguments, const Oid *types,
							   const Datum *values, uint32 workers, PlanTake take, void *with);

/* True where the planner sees a parallel plan for that. */
extern bool PlanIsParallel(const char *sql, int arguments, const Oid *types, uint32 workers);

/*
 * The same as PlanStreamOnce, until take() says that it has had enough; by this process alone, so that
 * the clock tells what a row takes.
 */
extern void PlanStreamSome(const char *sql, int arguments, const Oid *types, const Datum *values,
						   PlanTake take, void *with, const bool *enough);

#endif
