/*
 * arguments.h: the arguments of an SQL function, none of which is read that was not given.
 *
 * Whoever installs a newer library leaves every database with the functions of the older version until
 * ALTER EXTENSION reco UPDATE runs there.  A function that has grown by an argument meanwhile is then
 * called without it, and PostgreSQL's own macros would read whatever lies behind the others.  Here they
 * raise an error that says what to do.  Included by every file with a function for SQL.
 */
#ifndef RECO_ARGUMENTS_H
#define RECO_ARGUMENTS_H

#include "base/compat.h"
#include "fmgr.h"

/* Raises the error. */
pg_noreturn extern void ArgumentsOutdated(FunctionCallInfo fcinfo);

/* One argument, counted from 0, and as many of them from there on. */
static inline NullableDatum *
Arguments(FunctionCallInfo fcinfo, int first, int count)
{
	if (unlikely(fcinfo->nargs < first + count))
		ArgumentsOutdated(fcinfo);
	return &fcinfo->args[first];
}

#undef PG_ARGISNULL
#define PG_ARGISNULL(n) (Arguments(fcinfo, n, 1)->isnull)

#undef PG_GETARG_DATUM
#define PG_GETARG_DATUM(n) (Arguments(fcinfo, n, 1)->value)

#endif
