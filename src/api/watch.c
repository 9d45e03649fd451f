/*
 * watch.c: reco_progress: the refreshes that run now, in whatever session.
 */
#include <math.h>

#include "api/door.h"
#include "base/progress.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "commands/dbcommands.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(reco_progress);

#define COLUMNS 10

/* The phases as the report of a refresh calls them. */
static const char *const phase_names[PROGRESS_PHASES] = {
	[PROGRESS_WAIT] = "wait",   [PROGRESS_READ] = "read",   [PROGRESS_ENCODE] = "encode",
	[PROGRESS_LEARN] = "learn", [PROGRESS_SOLVE] = "solve", [PROGRESS_CURVE] = "curve",
	[PROGRESS_WRITE] = "write",
};

/* Whether the caller may see more of a session than that it is there, as in pg_stat_activity. */
static bool
may_see(Oid role)
{
	return has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS) ||
		   has_privs_of_role(GetUserId(), role);
}

/* A name as a value; NULL where there is none. */
static Datum
name_datum(const char *name, bool *isnull)
{
	*isnull = name == NULL;
	return name ? CStringGetTextDatum(name) : (Datum) 0;
}

/* The name of a model of this database; one that was made in a transaction still open has none. */
static const char *
model_name(const ProgressReport *report)
{
	Oid schema = report->database == MyDatabaseId ? get_rel_namespace(report->table) : InvalidOid;

	return OidIsValid(schema) ? get_namespace_name(schema) : NULL;
}

/* What only some may see, from the third column on. */
static void
put_details(const ProgressReport *report, TimestampTz now, Datum *values, bool *nulls)
{
	/* Where more was done than the planner expected, nobody knows how much there is. */
	bool known = report->total > 0 && report->done <= report->total;
	int n = 2;

	memset(nulls + n, false, sizeof(bool) * (COLUMNS - n));
	values[n] = name_datum(model_name(report), &nulls[n]);
	n++;
	values[n++] = CStringGetTextDatum(phase_names[report->phase]);
	values[n++] = Int64GetDatum((int64) report->done);
	nulls[n] = !known;
	values[n++] = Int64GetDatum((int64) report->total);
	nulls[n] = !known;
	values[n++] = Float8GetDatum(known ? rint(1000.0 * report->done / report->total) / 10 : 0);
	values[n++] = DirectFunctionCall2(timestamp_mi, TimestampTzGetDatum(Max(now, report->started)),
									  TimestampTzGetDatum(report->started));
	nulls[n] = !report->end_known;
	values[n++] = TimestampTzGetDatum(report->expected_end);
	values[n++] = Int32GetDatum(report->workers);
}

/* reco_progress() */
Datum
reco_progress(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *out = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz now = GetCurrentTimestamp();
	ProgressReport report;
	int place = 0;

	InitMaterializedSRF(fcinfo, 0);
	if (out->setDesc->natts != COLUMNS)
		elog(ERROR, "reco_progress was not declared as this library expects");
	while (ProgressFind(&place, now, &report))
	{
		Datum values[COLUMNS] = {0};
		bool nulls[COLUMNS];

		CHECK_FOR_INTERRUPTS();
		memset(nulls, true, sizeof(nulls));
		values[0] = Int32GetDatum(report.pid);
		nulls[0] = false;
		values[1] = name_datum(get_database_name(report.database), &nulls[1]);
		if (may_see(report.role))
			put_details(&report, now, values, nulls);
		tuplestore_putvalues(out->setResult, out->setDesc, values, nulls);
	}
	return (Datum) 0;
}
