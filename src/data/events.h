/*
 * events.h: the events of a model, streamed from the owner's query into an event log.
 */
#ifndef RECO_EVENTS_H
#define RECO_EVENTS_H

#include "base/budget.h"
#include "data/ids.h"
#include "data/model.h"
#include "math/eventlog.h"

/* Why a row was left out; the first reason that holds counts. */
typedef enum EventsSkip
{
	EVENTS_NULL_USER,
	EVENTS_NULL_ITEM,
	EVENTS_NULL_WEIGHT,
	EVENTS_NULL_TIME,
	EVENTS_NOT_FINITE, /* a weight that is NaN, infinite or beyond what single precision holds */
	EVENTS_FUTURE,
	EVENTS_SKIPS
} EventsSkip;

typedef struct Events
{
	EventLog log;
	IdSet *items;
	int64 skipped[EVENTS_SKIPS];
} Events;

/*
 * Reads the view "events" once, in the active snapshot; SPI is connected.  Events later than now are
 * in the future.  O(rows); 20 bytes an event, which go to temporary files where five eighths of
 * the budget do not hold them, and the items' ids.
 */
extern Events *EventsRead(const Model *model, TimestampTz now, Budget *budget);

/*
 * The age that parts the newest events, a share of all at most, from the others: theirs is smaller.
 * Reads the view once, besides EventsRead, and sorts its times; the model has some.
 */
extern uint32 EventsLine(const Model *model, TimestampTz now, double share);

/* Seconds since 2000-01-01 UTC, rounded down. */
extern int64 EventsSeconds(TimestampTz at);

#endif
