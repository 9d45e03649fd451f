#include "data/history.h"

#include <math.h>

#include "data/events.h"
#include "data/plan.h"
#include "utils/timestamp.h"

/* One event of a history. */
typedef struct Row
{
	uint32 id;
	TimestampTz at;
	double weight; /* decayed */
} Row;

/* A history while it is read. */
typedef struct HistoryReader
{
	const Model *model;
	Budget *budget;
	IdSet *ids;
	Row *row;
	uint32 count;
	uint32 room;
	TimestampTz as_of;
	int64 decay_seconds; /* what decay counts from */
} HistoryReader;

static HistoryReader
begin(const Model *model, Budget *budget)
{
	return (HistoryReader){
		.model = model, .budget = budget, .ids = IdSetCreate(model->item_kind, budget)};
}

static void
add(HistoryReader *reader, Datum item, double weight, TimestampTz at)
{
	if (reader->count == reader->room)
	{
		if (reader->room >= UINT32_MAX / 2)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("a history has too many events")));
		reader->room = Max(128, reader->room * 2);
		reader->row = BudgetResize(reader->budget, reader->row, reader->room, sizeof(Row));
	}
	reader->row[reader->count++] =
		(Row){.id = IdSetAdd(reader->ids, item), .at = at, .weight = weight};
}

static int
compare_rows(const void *a, const void *b)
{
	const Row *x = a;
	const Row *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->weight < y->weight ? -1 : x->weight > y->weight;
}

/* What was read, summed by item; repeats in an order of their own, not that of the rows. */
static History *
finish(HistoryReader *reader)
{
	History *history = BudgetAlloc(reader->budget, 1, sizeof(History));
	uint32 items = IdSetCount(reader->ids);

	history->ids = reader->ids;
	history->item = BudgetZeroed(reader->budget, items, sizeof(HistoryItem));
	if (items < reader->count)
		qsort(reader->row, reader->count, sizeof(Row), compare_rows);
	for (uint32 r = 0; r < reader->count; r++)
	{
		const Row *row = &reader->row[r];
		HistoryItem *item = &history->item[row->id];

		item->newest = row->at;
		item->weight += row->weight;
		item->seen |= row->weight != 0;
	}
	BudgetFree(reader->budget, reader->row);
	return history;
}

/* Takes one row: item, time, weight; those a refresh would skip are skipped. */
static void
take(TupleTableSlot *row, void *with)
{
	HistoryReader *reader = with;
	const Model *model = reader->model;
	TimestampTz at = DT_NOBEGIN;
	double age = 0;
	double weight;

	if (row->tts_isnull[0] || row->tts_isnull[2])
		return;
	weight = DatumGetFloat8(row->tts_values[2]);
	if (!isfinite((float) weight))
		return;
	if (OidIsValid(model->time_type))
	{
		if (row->tts_isnull[1])
			return;
		at = DatumGetTimestampTz(row->tts_values[1]);
		if (at > reader->as_of)
			return;
		age = TIMESTAMP_IS_NOBEGIN(at) ? UINT32_MAX
									   : Max(0, reader->decay_seconds - EventsSeconds(at));
	}
	add(reader, row->tts_values[0], weight * DecayFactor(age, model->settings.half_life), at);
}

History *
HistoryRead(const Model *model, Datum user, TimestampTz as_of, Budget *budget)
{
	HistoryReader reader = begin(model, budget);
	Oid type = IdType(model->user_kind);

	reader.as_of = as_of;
	reader.decay_seconds = EventsSeconds(model->timed ? Min(model->newest, as_of) : as_of);
	PlanStream(psprintf("SELECT item_id::%s, %s, %s FROM %s.events "
						"WHERE user_id OPERATOR(pg_catalog.=) $1",
						IdTypeName(model->item_kind),
						OidIsValid(model->time_type) ? "occurred_at::pg_catalog.timestamptz"
													 : "NULL::pg_catalog.timestamptz",
						OidIsValid(model->weight_type) ? "weight::pg_catalog.float8"
													   : "1::pg_catalog.float8",
						model->quoted),
			   1, &type, &user, take, &reader);
	return finish(&reader);
}

History *
HistoryOfItems(const Model *model, const Datum *items, int count, Budget *budget)
{
	HistoryReader reader = begin(model, budget);

	for (int i = 0; i < count; i++)
	{
		bool new = IdSetFind(reader.ids, items[i]) == ID_NONE;

		/* An item named twice counts once. */
		add(&reader, items[i], new ? 1 : 0, DT_NOBEGIN);
	}
	return finish(&reader);
}
