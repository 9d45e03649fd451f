#include "data/clock.h"

#include "utils/datetime.h"
#include "utils/timestamp.h"

pg_tz *
ClockZone(const char *name)
{
	pg_tz *found = pg_tzset(name);

	if (found == NULL || !pg_tz_acceptable(found))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("time zone \"%s\" not recognized", name),
						errhint("Use a name of the view pg_timezone_names, such as "
								"'Europe/Riga'.")));
	return found;
}

bool
ClockHourUntil(TimestampTz at, pg_tz *zone, uint32 *hour, TimestampTz *until)
{
	struct pg_tm tm;
	fsec_t fsec;
	int offset;

	if (TIMESTAMP_NOT_FINITE(at) || timestamp2tm(at, &offset, &tm, &fsec, NULL, zone) != 0)
		return false;
	/* j2day counts from Sunday. */
	*hour = (uint32) ((j2day(date2j(tm.tm_year, tm.tm_mon, tm.tm_mday)) + 6) % 7 * 24 + tm.tm_hour);
	*until = at + (SECS_PER_HOUR - tm.tm_min * SECS_PER_MINUTE - tm.tm_sec) * USECS_PER_SEC - fsec;
	return true;
}

bool
ClockHour(TimestampTz at, pg_tz *zone, uint32 *hour)
{
	TimestampTz until;

	return ClockHourUntil(at, zone, hour, &until);
}

bool
ClockDay(TimestampTz at, pg_tz *zone, int32 *day)
{
	struct pg_tm tm;
	fsec_t fsec;
	int offset;

	if (TIMESTAMP_NOT_FINITE(at) || timestamp2tm(at, &offset, &tm, &fsec, NULL, zone) != 0)
		return false;
	*day = date2j(tm.tm_year, tm.tm_mon, tm.tm_mday);
	return true;
}

char *
ClockWord(uint32 hour)
{
	static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

	return psprintf("%s %02u", days[hour / 24], hour % 24);
}
