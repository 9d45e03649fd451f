/*
 * straight.h: the plan of a statement run without an executor, where it is no more than the scan of an
 * index.
 *
 * The plan is the one that PostgreSQL keeps and makes anew when anything it depends on changes: it says
 * what views, policies, partitions and rules of the owner make of the statement.  Where they leave
 * nothing but columns of one table by the keys of an index, its rows can be handed on as the index has
 * them, once the rights are checked that the executor would check.  For some dozens of rows the executor
 * takes several times as long.
 *
 * Where any hook of the executor is set, statements go through it: a library like sepgsql or pgaudit has a
 * say in who may read a table, and one like auto_explain or pg_stat_statements sees the statements that
 * a function runs, this one, too.
 */
#ifndef RECO_STRAIGHT_H
#define RECO_STRAIGHT_H

#include "data/plan.h"

/* A statement with its kept plan and arguments, none of them NULL. */
typedef struct StraightCall
{
	const char *sql;
	SPIPlanPtr plan;
	int *unfit; /* which of its generic plans was of another kind; 0 at first */
	const Oid *types;
	const Datum *values;
} StraightCall;

/*
 * Hands the rows to take() as PlanStream does; SPI is connected.  False, and nothing is done, where the
 * plan is of another kind.
 */
extern bool StraightStream(const StraightCall *call, PlanTake take, void *with);

#endif
