/*
 * visits.h: when somebody came: the days, by the clocks of a place, on which they chose something.
 */
#ifndef RECO_VISITS_H
#define RECO_VISITS_H

#include "data/history.h"
#include "pgtime.h"

/*
 * The first time of each such day in a history whose events have times, rising, to time[], which has
 * room for one an event; returns how many there are.
 */
extern uint32 VisitsOf(const History *history, pg_tz *zone, TimestampTz *time);

/* The same of the events of one item, its events being in order of time. */
extern uint32 VisitsOfItem(const HistoryEvent *event, uint32 events, pg_tz *zone,
						   TimestampTz *time);

/*
 * Adds one for each hour in which something was chosen to week[CLOCK_HOURS], the hours of the week; time[] is as
 * before.
 */
extern void VisitsHours(const History *history, pg_tz *zone, TimestampTz *time, double *week);

/* Sorts times. */
extern void VisitsSort(TimestampTz *time, uint32 count);

/* The sum of the weights of what was chosen. */
extern double VisitsWeight(const History *history);

#endif
