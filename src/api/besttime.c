/*
 * besttime.c: reco_best_time: the hour before long at which somebody is most likely to be about.
 */
#include "api/door.h"

#include <math.h>

#include "api/rhythm.h"
#include "catalog/pg_type.h"
#include "data/usage.h"
#include "data/history.h"
#include "data/visits.h"
#include "executor/spi.h"
#include "math/habit.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_best_time);

/* How far ahead it makes sense to ask, in days: what is known is of a week. */
#define WITHIN_MOST 31

/* The columns of the answer. */
enum
{
	BEST_AT,
	BEST_UNTIL,
	BEST_HOUR,
	BEST_LIFT,
	BEST_COLUMNS
};

static const Oid best_types[BEST_COLUMNS] = {TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, FLOAT8OID};

/* A stretch of one hour of the week, or what is left of it. */
typedef struct Stretch
{
	TimestampTz from;
	TimestampTz until;
	uint32 hour;
} Stretch;

/*
 * The stretch with the greatest share between two times, the first of equals, and its lift: its share
 * over the mean share of all that time.  False where there is none.
 */
static bool
find_best(const double *shares, pg_tz *zone, TimestampTz from, TimestampTz until, Stretch *best,
		  double *lift)
{
	double length = (double) until - (double) from;
	double mean = 0;
	double greatest = -1;
	Stretch stretch = {.until = from};

	while (stretch.until < until)
	{
		CHECK_FOR_INTERRUPTS();
		stretch.from = stretch.until;
		if (!ClockHourUntil(stretch.from, zone, &stretch.hour, &stretch.until))
			return false;
		stretch.until = Min(stretch.until, until);
		mean += shares[stretch.hour] * (double) (stretch.until - stretch.from) / length;
		if (shares[stretch.hour] > greatest)
		{
			greatest = shares[stretch.hour];
			*best = stretch;
		}
	}
	*lift = greatest / mean;
	return true;
}

/* When in the week a user is about, with everybody's habits where little is known of them. */
static void
shares_of(const Model *model, const Usage *habits, const History *history, pg_tz *zone,
		  double *shares)
{
	double own[CLOCK_HOURS] = {0};

	if (history)
		VisitsHours(history, zone,
					palloc_extended(sizeof(TimestampTz) * Max(history->events, 1), MCXT_ALLOC_HUGE),
					own);
	HabitShares(own, habits->hours, HABIT_PRIOR, shares);
}

/* reco_best_time(user_id, model, within, as_of).  A NULL user is anybody. */
Datum
reco_best_time(PG_FUNCTION_ARGS)
{
	Model *model = DoorModel(fcinfo, 1);
	Datum user = DoorUser(fcinfo, 0, model);
	double within = PG_ARGISNULL(2) ? SECS_PER_DAY : SettingSeconds(PG_GETARG_INTERVAL_P(2));
	TimestampTz as_of = PG_ARGISNULL(3) ? GetCurrentTimestamp() : PG_GETARG_TIMESTAMPTZ(3);
	DoorRows rows = DoorOpen(fcinfo, model, best_types, BEST_COLUMNS, false);
	Budget *budget = BudgetCreate(CurrentMemoryContext, "reco_best_time", SIZE_MAX);
	double shares[CLOCK_HOURS];
	Datum values[BEST_COLUMNS];
	bool nulls[BEST_COLUMNS] = {0};
	History *history = NULL;
	Usage *habits;
	Stretch best = {0};
	double lift;
	pg_tz *zone;

	RhythmNeedsTimes(model, as_of);
	if (!(within > 0 && within <= WITHIN_MOST * (double) SECS_PER_DAY))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("within must be above 0 and at most %d days", WITHIN_MOST)));
	DoorEnter(model);
	habits = UsageRead(model);
	zone = ClockZone(habits->time_zone);
	if (!PG_ARGISNULL(0))
		history = HistoryRead(model, user, as_of, budget);
	shares_of(model, habits, history, zone, shares);
	if (find_best(shares, zone, as_of, RhythmAfter(as_of, within * USECS_PER_SEC), &best, &lift))
	{
		values[BEST_AT] = TimestampTzGetDatum(best.from);
		values[BEST_UNTIL] = TimestampTzGetDatum(best.until);
		values[BEST_HOUR] = CStringGetTextDatum(ClockWord(best.hour));
		values[BEST_LIFT] = Float8GetDatum(lift);
		DoorPut(&rows, values, nulls);
	}
	DoorLeave(model);
	BudgetDestroy(budget);
	return (Datum) 0;
}
