/*
 * events.c: rows turned into events as the executor makes them.
 *
 * Nothing is kept of a row but sixteen bytes: no tuple is copied, no table of results is built.
 */
#include "data/events.h"

#include <math.h>

#include "data/plan.h"
#include "utils/timestamp.h"

typedef struct EventsReader
{
	Events *events;
	Budget *budget;
	int time; /* column, 0 where there is none, like the next */
	int weight;
	TimestampTz now;
	uint64 room; /* events the blocks so far hold */
	uint32 blocks_room;
} EventsReader;

int64
EventsSeconds(TimestampTz at)
{
	int64 seconds = at / USECS_PER_SEC;

	return seconds * USECS_PER_SEC > at ? seconds - 1 : seconds;
}

/* The age of an event in whole seconds; what is too old to count is as old as can be. */
static uint32
age_of(const EventsReader *reader, TimestampTz at)
{
	int64 age;

	if (TIMESTAMP_IS_NOBEGIN(at))
		return UINT32_MAX;
	age = reader->events->log.now - EventsSeconds(at);
	return (uint32) Min(Max(age, 0), (int64) UINT32_MAX);
}

static void
append(EventsReader *reader, Event event)
{
	EventLog *log = &reader->events->log;

	if (log->count == reader->room)
	{
		if (log->blocks == reader->blocks_room)
		{
			reader->blocks_room = Max(16, reader->blocks_room * 2);
			log->block =
				BudgetResize(reader->budget, log->block, reader->blocks_room, sizeof(Event *));
		}
		log->block[log->blocks++] = BudgetAlloc(reader->budget, EVENTLOG_BLOCK, sizeof(Event));
		reader->room += EVENTLOG_BLOCK;
	}
	log->block[log->blocks - 1][log->count % EVENTLOG_BLOCK] = event;
	log->count++;
}

/* The value of an optional column; false where it is NULL. */
static bool
column(const TupleTableSlot *row, int number, Datum *value)
{
	*value = row->tts_values[number - 1];
	return !row->tts_isnull[number - 1];
}

/*
 * One row as an event, but for the ids; otherwise why it is left out, and EVENTS_SKIPS for an
 * event.
 */
static EventsSkip
check(const EventsReader *reader, const TupleTableSlot *row, Event *event)
{
	Datum value;

	if (row->tts_isnull[0])
		return EVENTS_NULL_USER;
	if (row->tts_isnull[1])
		return EVENTS_NULL_ITEM;
	if (reader->weight)
	{
		if (!column(row, reader->weight, &value))
			return EVENTS_NULL_WEIGHT;
		event->weight = (float) DatumGetFloat8(value);
		if (!isfinite(event->weight))
			return EVENTS_NOT_FINITE;
	}
	if (reader->time)
	{
		if (!column(row, reader->time, &value))
			return EVENTS_NULL_TIME;
		if (DatumGetTimestampTz(value) > reader->now)
			return EVENTS_FUTURE;
		event->age = age_of(reader, DatumGetTimestampTz(value));
	}
	return EVENTS_SKIPS;
}

/* Takes one row of the query: user, item, and time and weight where there are such columns. */
static void
take(TupleTableSlot *row, void *with)
{
	EventsReader *reader = with;
	Events *events = reader->events;
	Event event = {.weight = 1};
	EventsSkip reason = check(reader, row, &event);

	if (reason != EVENTS_SKIPS)
	{
		events->skipped[reason]++;
		return;
	}
	event.user = IdSetAdd(events->users, row->tts_values[0]);
	event.item = IdSetAdd(events->items, row->tts_values[1]);
	append(reader, event);
}

Events *
EventsRead(const Model *model, TimestampTz now, Budget *budget)
{
	Events *events = BudgetZeroed(budget, 1, sizeof(Events));
	EventsReader reader = {
		.events = events,
		.budget = budget,
		.now = now,
	};
	int columns = 2;
	char *sql = psprintf("SELECT user_id::%s, item_id::%s", IdTypeName(model->user_kind),
						 IdTypeName(model->item_kind));

	events->users = IdSetCreate(model->user_kind, budget);
	events->items = IdSetCreate(model->item_kind, budget);
	events->log.now = EventsSeconds(now);
	events->log.timed = OidIsValid(model->time_type);

	if (OidIsValid(model->time_type))
	{
		reader.time = ++columns;
		sql = psprintf("%s, occurred_at::pg_catalog.timestamptz", sql);
	}
	if (OidIsValid(model->weight_type))
	{
		reader.weight = ++columns;
		sql = psprintf("%s, weight::pg_catalog.float8", sql);
	}
	PlanStreamFresh(psprintf("%s FROM %s.events", sql, model->quoted), take, &reader);

	events->log.users = IdSetCount(events->users);
	events->log.items = IdSetCount(events->items);
	events->log.user_hash = IdSetHashes(events->users);
	events->log.item_rank = IdSetRanks(events->items);
	return events;
}
