/*
 * hours.c: the aggregates reco_hours: when in the week things happen; and reco_smooth_hours.
 *
 * Their state is what they give: a float8[] of 168 counts, from Monday at midnight on.
 */
#include "base/compat.h"

#include <math.h>

#include "api/arguments.h"
#include "catalog/pg_type.h"
#include "data/clock.h"
#include "fmgr.h"
#include "math/habit.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_hours_add);
PG_FUNCTION_INFO_V1(reco_hours_merge);
PG_FUNCTION_INFO_V1(reco_hours_final);
PG_FUNCTION_INFO_V1(reco_smooth_hours);

StaticAssertDecl(HABIT_HOURS == CLOCK_HOURS, "a habit is one of the hours of a week");

#define STATE_BYTES (ARR_OVERHEAD_NONULLS(1) + sizeof(float8) * HABIT_HOURS)

/* Beyond this, whole numbers are not exact in a float8. */
#define COUNT_MOST 9007199254740992.0

static ArrayType *
make_hours(void)
{
	ArrayType *hours = palloc0(STATE_BYTES);

	SET_VARSIZE(hours, STATE_BYTES);
	hours->ndim = 1;
	hours->elemtype = FLOAT8OID;
	ARR_DIMS(hours)[0] = HABIT_HOURS;
	ARR_LBOUND(hours)[0] = 1;
	return hours;
}

static inline double *
counts_of(ArrayType *hours)
{
	return (double *) ARR_DATA_PTR(hours);
}

/* Raises an error unless an array holds 168 counts. */
static void
check_hours(ArrayType *hours)
{
	bool fine = ARR_NDIM(hours) == 1 && ARR_DIMS(hours)[0] == HABIT_HOURS && !ARR_HASNULL(hours) &&
				ARR_ELEMTYPE(hours) == FLOAT8OID;

	for (int h = 0; h < HABIT_HOURS && fine; h++)
		fine = counts_of(hours)[h] >= 0 && counts_of(hours)[h] <= COUNT_MOST;
	if (!fine)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("hours must be %d counts, not below 0", HABIT_HOURS),
						errhint("Take them from the aggregate reco_hours.")));
}

/* The counts of an argument, to be changed by the aggregate that calls, or a copy. */
static ArrayType *
state_argument(FunctionCallInfo fcinfo, int argument)
{
	ArrayType *state = AggCheckCallContext(fcinfo, NULL) ? PG_GETARG_ARRAYTYPE_P(argument)
														 : PG_GETARG_ARRAYTYPE_P_COPY(argument);

	if (ARR_NDIM(state) != 1 || ARR_DIMS(state)[0] != HABIT_HOURS || ARR_HASNULL(state) ||
		ARR_ELEMTYPE(state) != FLOAT8OID)
		check_hours(state);
	return state;
}

/* The zone of a call, looked up again only where its name changes. */
typedef struct Zone
{
	pg_tz *zone;
	text *name;
} Zone;

static pg_tz *
zone_argument(FunctionCallInfo fcinfo, int argument)
{
	Zone *zone = fcinfo->flinfo->fn_extra;
	text *name = PG_GETARG_TEXT_PP(argument);

	if (zone == NULL)
		zone = fcinfo->flinfo->fn_extra =
			MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Zone));
	if (zone->name == NULL || VARSIZE_ANY_EXHDR(name) != VARSIZE_ANY_EXHDR(zone->name) ||
		memcmp(VARDATA_ANY(name), VARDATA_ANY(zone->name), VARSIZE_ANY_EXHDR(name)) != 0)
	{
		pg_tz *found = ClockZone(text_to_cstring(name));
		text *kept = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, VARSIZE_ANY(name));

		memcpy(kept, name, VARSIZE_ANY(name));
		if (zone->name)
			pfree(zone->name);
		*zone = (Zone){found, kept};
	}
	return zone->zone;
}

/* reco_hours_add(state, occurred_at, time_zone): the counts with one event more. */
Datum
reco_hours_add(PG_FUNCTION_ARGS)
{
	ArrayType *state = PG_ARGISNULL(0) ? make_hours() : state_argument(fcinfo, 0);
	uint32 hour;

	if (PG_ARGISNULL(2))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("the time zone of reco_hours must not be NULL")));
	if (!PG_ARGISNULL(1) && ClockHour(PG_GETARG_TIMESTAMPTZ(1), zone_argument(fcinfo, 2), &hour))
		counts_of(state)[hour]++;
	PG_RETURN_ARRAYTYPE_P(state);
}

/* reco_hours_merge(state, hours): the sum of two weeks of counts. */
Datum
reco_hours_merge(PG_FUNCTION_ARGS)
{
	ArrayType *state = state_argument(fcinfo, 0);
	ArrayType *other = PG_GETARG_ARRAYTYPE_P(1);

	check_hours(other);
	for (int h = 0; h < HABIT_HOURS; h++)
		counts_of(state)[h] += counts_of(other)[h];
	PG_RETURN_ARRAYTYPE_P(state);
}

/* reco_hours_final(state): the counts, all 0 where there were no rows. */
Datum
reco_hours_final(PG_FUNCTION_ARGS)
{
	ArrayType *state;

	if (PG_ARGISNULL(0))
		PG_RETURN_ARRAYTYPE_P(make_hours());
	state = PG_GETARG_ARRAYTYPE_P(0);
	check_hours(state);
	PG_RETURN_ARRAYTYPE_P(state);
}

/* reco_smooth_hours(own, everybody, prior): shares of the week. */
Datum
reco_smooth_hours(PG_FUNCTION_ARGS)
{
	ArrayType *own = PG_ARGISNULL(0) ? make_hours() : PG_GETARG_ARRAYTYPE_P(0);
	ArrayType *everybody = PG_ARGISNULL(1) ? make_hours() : PG_GETARG_ARRAYTYPE_P(1);
	double prior = PG_ARGISNULL(2) ? HABIT_PRIOR : PG_GETARG_FLOAT8(2);
	ArrayType *shares = make_hours();

	check_hours(own);
	check_hours(everybody);
	if (!(prior >= HABIT_PRIOR_LEAST && prior <= HABIT_PRIOR_MOST))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("prior must be from %g to %g events, not %g", HABIT_PRIOR_LEAST,
							   HABIT_PRIOR_MOST, prior)));
	HabitShares(counts_of(own), counts_of(everybody), prior, counts_of(shares));
	PG_RETURN_ARRAYTYPE_P(shares);
}
