/*
 * clock.h: the hour of the week that a time has somewhere.
 *
 * Weeks begin on Monday at midnight by the clocks there, whatever these do: of a day of 23 hours one
 * never comes, of a day of 25 one comes twice.
 */
#ifndef RECO_CLOCK_H
#define RECO_CLOCK_H

#include "base/compat.h"
#include "datatype/timestamp.h"
#include "pgtime.h"

#define CLOCK_HOURS 168

/* A time zone by its name; raises the error where there is none. */
extern pg_tz *ClockZone(const char *name);

/* The hour of the week of a time in a zone; false where it has none. */
extern bool ClockHour(TimestampTz at, pg_tz *zone, uint32 *hour);

/* The same, and when by that clock the next hour begins. */
extern bool ClockHourUntil(TimestampTz at, pg_tz *zone, uint32 *hour, TimestampTz *until);

/* The day of a time there, as a number that grows by one a day; false where it has none. */
extern bool ClockDay(TimestampTz at, pg_tz *zone, int32 *day);

/* The word for an hour: "Mon 09". */
extern char *ClockWord(uint32 hour);

#endif
