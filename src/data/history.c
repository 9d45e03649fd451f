#include "data/history.h"

#include <math.h>

#include "data/events.h"
#include "data/plan.h"
#include "utils/timestamp.h"

/* A history while it is read. */
typedef struct HistoryReader
{
	const Model *model;
	Budget *budget;
	History *history;
	uint32 room; /* items there is memory for */
	TimestampTz as_of;
	int64 decay_seconds; /* what decay counts from */
} HistoryReader;

static HistoryReader
begin(const Model *model, Budget *budget)
{
	History *history = BudgetZeroed(budget, 1, sizeof(History));

	history->ids = IdSetCreate(model->item_kind, budget);
	return (HistoryReader){.model = model, .budget = budget, .history = history};
}

static void
add(HistoryReader *reader, Datum item, double weight, TimestampTz at)
{
	History *history = reader->history;
	uint32 known = IdSetCount(history->ids);
	uint32 id = IdSetAdd(history->ids, item);

	if (id >= reader->room)
	{
		reader->room = Max(64, reader->room * 2);
		history->item =
			BudgetResize(reader->budget, history->item, reader->room, sizeof(HistoryItem));
	}
	if (id == known)
		history->item[id] = (HistoryItem){.newest = at};
	history->item[id].weight += weight;
	history->item[id].seen |= weight != 0;
	history->item[id].newest = Max(history->item[id].newest, at);
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
	return reader.history;
}

History *
HistoryOfItems(const Model *model, const Datum *items, int count, Budget *budget)
{
	HistoryReader reader = begin(model, budget);

	for (int i = 0; i < count; i++)
	{
		bool new = IdSetFind(reader.history->ids, items[i]) == ID_NONE;

		/* An item named twice counts once. */
		add(&reader, items[i], new ? 1 : 0, DT_NOBEGIN);
	}
	return reader.history;
}
