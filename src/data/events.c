/*
 * events.c: a DestReceiver that turns rows into events as the executor makes them.
 *
 * It goes by the name of a tuplestore's, since SPI takes DestNone for "no rows wanted".  Nothing
 * is kept of a row but sixteen bytes: no tuple is copied, no table of results is built.
 */
#include "data/events.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "tcop/dest.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

typedef struct EventsReceiver
{
	DestReceiver receiver;
	Events *events;
	Budget *budget;
	Oid user_type;
	Oid item_type;
	int time; /* column, 0 where there is none, like the next */
	int weight;
	TimestampTz now;
	uint64 room; /* events the blocks so far hold */
	uint32 blocks_room;
} EventsReceiver;

int64
EventsSeconds(TimestampTz at)
{
	int64 seconds = at / USECS_PER_SEC;

	return seconds * USECS_PER_SEC > at ? seconds - 1 : seconds;
}

/* The age of an event in whole seconds; what is too old to count is as old as can be. */
static uint32
age_of(const EventsReceiver *reader, TimestampTz at)
{
	int64 age;

	if (TIMESTAMP_IS_NOBEGIN(at))
		return UINT32_MAX;
	age = reader->events->log.now - EventsSeconds(at);
	return (uint32) Min(Max(age, 0), (int64) UINT32_MAX);
}

static void
append(EventsReceiver *reader, Event event)
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

static bool
skip(EventsReceiver *reader, EventsSkip reason)
{
	reader->events->skipped[reason]++;
	return true;
}

/* Takes one row of the query: user, item, and time and weight where there are such columns. */
static bool
receive(TupleTableSlot *slot, DestReceiver *self)
{
	EventsReceiver *reader = (EventsReceiver *) self;
	Events *events = reader->events;
	Event event = {.weight = 1};

	slot_getallattrs(slot);
	if (slot->tts_isnull[0])
		return skip(reader, EVENTS_NULL_USER);
	if (slot->tts_isnull[1])
		return skip(reader, EVENTS_NULL_ITEM);
	if (reader->weight)
	{
		if (slot->tts_isnull[reader->weight - 1])
			return skip(reader, EVENTS_NULL_WEIGHT);
		event.weight = (float) DatumGetFloat8(slot->tts_values[reader->weight - 1]);
		if (!isfinite(event.weight))
			return skip(reader, EVENTS_NOT_FINITE);
	}
	if (reader->time)
	{
		TimestampTz at;

		if (slot->tts_isnull[reader->time - 1])
			return skip(reader, EVENTS_NULL_TIME);
		at = DatumGetTimestampTz(slot->tts_values[reader->time - 1]);
		if (at > reader->now)
			return skip(reader, EVENTS_FUTURE);
		event.age = age_of(reader, at);
	}

	event.user = IdSetAdd(events->users, IdNormalise(slot->tts_values[0], reader->user_type));
	event.item = IdSetAdd(events->items, IdNormalise(slot->tts_values[1], reader->item_type));
	append(reader, event);
	return true;
}

static void
start_up(DestReceiver *self, int operation, TupleDesc desc)
{
}

static void
shut_down(DestReceiver *self)
{
}

Events *
EventsRead(const Model *model, TimestampTz now, Budget *budget)
{
	Events *events = BudgetZeroed(budget, 1, sizeof(Events));
	EventsReceiver reader = {
		.receiver = {.receiveSlot = receive,
					 .rStartup = start_up,
					 .rShutdown = shut_down,
					 .rDestroy = shut_down,
					 .mydest = DestTuplestore},
		.events = events,
		.budget = budget,
		.user_type = model->user_type,
		.item_type = model->item_type,
		.now = now,
	};
	SPIExecuteOptions options = {.dest = (DestReceiver *) &reader, .read_only = false};
	int columns = 2;
	char *sql = "SELECT user_id, item_id";
	int code;

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
	code = SPI_execute_extended(psprintf("%s FROM %s.events", sql, model->quoted), &options);
	if (code != SPI_OK_SELECT)
		elog(ERROR, "could not read the events of model \"%s\": %s", model->name,
			 SPI_result_code_string(code));

	events->log.users = IdSetCount(events->users);
	events->log.items = IdSetCount(events->items);
	events->log.user_hash = IdSetHashes(events->users);
	events->log.item_rank = IdSetRanks(events->items);
	return events;
}
