/*
 * events.h: the events of a model, streamed from the owner's query into an event log.
 */
#ifndef RECO_EVENTS_H
#define RECO_EVENTS_H

#include "base/budget.h"
#include "data/ids.h"
#include "data/model.h"
#include "data/reader.h"
#include "math/eventlog.h"

typedef struct Events
{
	EventLog log;
	IdSet *items;
	SignalsTold told; /* signals that are told apart, where the model has a target */
	int64 skipped[EVENTS_SKIPS];
} Events;

/* Fewer events than that are read sooner than a worker has started. */
#define EVENTS_SHARED 100000

/* How many events the planner expects; SPI is connected, like for the next. */
extern uint64 EventsExpected(const Model *model);

/* True where the planner sees how to read them with so many workers. */
extern bool EventsParallel(const Model *model, uint32 workers);

/*
 * Reads the view "events" once, in the active snapshot; SPI is connected.  Events later than now are
 * in the future.  Where about so many are expected that it pays, and the planner sees how, by as
 * many processes as max_parallel_maintenance_workers allows beside this one.  O(rows); 20 bytes an
 * event, which go to temporary files where five eighths of the budget do not hold them, and the
 * items' ids.
 */
extern Events *EventsRead(const Model *model, TimestampTz now, uint64 expected, Budget *budget);

/*
 * Reads the view once to shared piles of a log, as data/histories wants them where rules say `whole`,
 * by several processes; items go to a set.  Each worker may use so much memory for ids.  Returns NULL
 * once all is read, with the log's map of items; otherwise why it was not, and what lies on the piles is
 * not to be used: where *drop, they are to be dropped.
 */
extern const char *EventsGather(const Model *model, const ReaderRules *rules, EventLog *log,
								IdSet *items, Size memory, Budget *budget, bool *drop);

/*
 * The age that parts the newest events, a share of all at most, from the others: theirs is smaller.
 * Reads the view once, besides EventsRead, and sorts its times; the model has some.
 */
extern uint32 EventsLine(const Model *model, TimestampTz now, double share);

/*
 * The least weight that is none for a refresh, which keeps weights as float4: as far above the
 * greatest of those as makes it infinity.  NaN is above it, too.
 */
#define EVENTS_BEYOND "3.4028235677973366e38"

/*
 * That an event chose something, as a refresh sees it, as SQL that begins with AND: it weighs more than
 * nothing, and does not lie in the future.  row is the alias of the view "events".
 */
extern char *EventsChose(const Model *model, const char *row);

/* Seconds since 2000-01-01 UTC, rounded down. */
extern int64 EventsSeconds(TimestampTz at);

#endif
