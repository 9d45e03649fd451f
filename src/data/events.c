/*
 * events.c: rows turned into events as the executor makes them.
 *
 * Nothing is kept of a row but twenty bytes: no tuple is copied, no table of results is built,
 * and of users nothing is looked up.
 */
#include "data/events.h"

#include <math.h>

#include "base/piles.h"
#include "base/progress.h"
#include "data/plan.h"
#include "utils/timestamp.h"

/*
 * So many piles at most: of 20 million events each is then as large as a processor's own cache.
 * Fewer where so much memory for each would be more than a part of the budget.
 */
#define PILE_BITS_MOST  9
#define PILE_BITS_LEAST 3
#define PILE_MEMORY     65536

typedef struct EventsReader
{
	Events *events;
	IdKind user_kind;
	int time; /* column, 0 where there is none, like the next */
	int weight;
	TimestampTz now;
} EventsReader;

int64
EventsSeconds(TimestampTz at)
{
	int64 seconds = at / USECS_PER_SEC;

	return seconds * USECS_PER_SEC > at ? seconds - 1 : seconds;
}

/* The age of an event in whole seconds; what is too old to count is as old as can be. */
static uint32
age_of(int64 now, TimestampTz at)
{
	int64 age;

	if (TIMESTAMP_IS_NOBEGIN(at))
		return UINT32_MAX;
	age = now - EventsSeconds(at);
	return (uint32) Min(Max(age, 0), (int64) UINT32_MAX);
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
		event->age = age_of(reader->events->log.now, DatumGetTimestampTz(value));
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
	uint64 hash;
	EventsSkip reason = check(reader, row, &event);

	if (reason != EVENTS_SKIPS)
	{
		events->skipped[reason]++;
		return;
	}
	hash = IdHash(reader->user_kind, row->tts_values[0]);
	event.user_high = (uint32) (hash >> 32);
	event.user_low = (uint32) hash;
	event.item = IdSetAdd(events->items, row->tts_values[1]);
	PilesAdd(events->log.piles, event.user_high >> (32 - events->log.pile_bits), &event);
	events->log.newest_age =
		events->log.count++ == 0 ? event.age : Min(events->log.newest_age, event.age);
	ProgressDone(events->log.count);
}

static void
create_piles(EventLog *log, Budget *budget)
{
	Size memory = BudgetLeft(budget);

	log->pile_bits = PILE_BITS_MOST;
	while (log->pile_bits > PILE_BITS_LEAST && (Size) PILE_MEMORY << log->pile_bits > memory / 2)
		log->pile_bits--;
	log->piles = PilesCreate(1 << log->pile_bits, sizeof(Event), memory / 8 * 5, budget);
}

Events *
EventsRead(const Model *model, TimestampTz now, Budget *budget)
{
	Events *events = BudgetZeroed(budget, 1, sizeof(Events));
	EventsReader reader = {
		.events = events,
		.user_kind = model->user_kind,
		.now = now,
	};
	int columns = 2;
	char *sql = psprintf("SELECT user_id::%s, item_id::%s", IdTypeName(model->user_kind),
						 IdTypeName(model->item_kind));

	events->items = IdSetCreate(model->item_kind, budget);
	events->log.now = EventsSeconds(now);
	events->log.timed = OidIsValid(model->time_type);
	create_piles(&events->log, budget);

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
	PlanStreamOnce(psprintf("%s FROM %s.events", sql, model->quoted), take, &reader);

	events->log.items = IdSetCount(events->items);
	events->log.item_rank = IdSetRanks(events->items);
	return events;
}

/* Takes the one row of a query for a time; NULL where there are no events. */
static void
take_time(TupleTableSlot *row, void *with)
{
	TimestampTz *at = with;

	if (!row->tts_isnull[0])
		*at = DatumGetTimestampTz(row->tts_values[0]);
}

uint32
EventsLine(const Model *model, TimestampTz now, double share)
{
	TimestampTz at = now;

	/* The first time up to which there are so many: what comes after it is no more than the share. */
	PlanStreamOnce(
		psprintf("SELECT pg_catalog.percentile_disc(%.17g) WITHIN GROUP (ORDER BY at) FROM "
				 "(SELECT occurred_at::pg_catalog.timestamptz AS at FROM %s.events "
				 "WHERE user_id IS NOT NULL AND item_id IS NOT NULL%s) AS event "
				 "WHERE at OPERATOR(pg_catalog.<=) pg_catalog.clock_timestamp()",
				 1 - share, model->quoted,
				 OidIsValid(model->weight_type) ? " AND weight IS NOT NULL" : ""),
		take_time, &at);
	return age_of(EventsSeconds(now), at);
}
