#include "data/visits.h"

#include "data/clock.h"

static inline int
compare_times(const TimestampTz *a, const TimestampTz *b)
{
	return *a < *b ? -1 : *a > *b;
}

#define ST_SORT          sort_times
#define ST_ELEMENT_TYPE  TimestampTz
#define ST_COMPARE(a, b) compare_times(a, b)
#define ST_SCOPE         static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

void
VisitsSort(TimestampTz *time, uint32 count)
{
	sort_times(time, count);
}

/* Leaves of times that rise the first of each day; returns how many. */
static uint32
leave_days(TimestampTz *time, uint32 count, pg_tz *zone)
{
	uint32 kept = 0;
	int32 last = 0;

	for (uint32 t = 0; t < count; t++)
	{
		int32 day;

		if (kept > 0 && time[t] == time[kept - 1])
			continue;
		if (!ClockDay(time[t], zone, &day) || (kept > 0 && day == last))
			continue;
		last = day;
		time[kept++] = time[t];
	}
	return kept;
}

/* The times at which some events chose something. */
static uint32
take_times(const HistoryEvent *event, uint32 events, TimestampTz *time)
{
	uint32 count = 0;

	for (uint32 e = 0; e < events; e++)
		if (event[e].weight > 0)
			time[count++] = event[e].at;
	return count;
}

uint32
VisitsOf(const History *history, pg_tz *zone, TimestampTz *time)
{
	uint32 count = take_times(history->event, history->events, time);

	sort_times(time, count);
	return leave_days(time, count, zone);
}

uint32
VisitsOfItem(const HistoryEvent *event, uint32 events, pg_tz *zone, TimestampTz *time)
{
	return leave_days(time, take_times(event, events, time), zone);
}

void
VisitsHours(const History *history, pg_tz *zone, TimestampTz *time, double *week)
{
	uint32 count = take_times(history->event, history->events, time);
	TimestampTz until = DT_NOBEGIN;

	sort_times(time, count);
	for (uint32 t = 0; t < count; t++)
	{
		uint32 hour;

		if (time[t] >= until && ClockHourUntil(time[t], zone, &hour, &until))
			week[hour]++;
	}
}

double
VisitsWeight(const History *history)
{
	double sum = 0;

	for (uint32 e = 0; e < history->events; e++)
		if (history->event[e].weight > 0)
			sum += history->event[e].weight;
	return sum;
}
