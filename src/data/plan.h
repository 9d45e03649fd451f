/*
 * plan.h: prepared plans kept for the session, found by their text.
 *
 * PostgreSQL itself replans or re-checks a kept plan when a table, a view, the search path or a
 * role changes; the text carries the names, so a model that was dropped and made again is
 * found anew.
 */
#ifndef RECO_PLAN_H
#define RECO_PLAN_H

#include "base/compat.h"
#include "executor/spi.h"

/* The plan of one statement; SPI is connected. */
extern SPIPlanPtr PlanGet(const char *sql, int arguments, const Oid *types);

/* Runs it read-only, in the snapshot of the calling query; rows are then in SPI_tuptable. */
extern uint64 PlanRun(const char *sql, int arguments, const Oid *types, const Datum *values,
					  const char *nulls);

#endif
