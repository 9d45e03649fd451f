#include "data/history.h"

#include <math.h>

#include "data/events.h"
#include "data/plan.h"
#include "utils/timestamp.h"

static History *
empty_history(const Model *model, Budget *budget)
{
	History *history = BudgetZeroed(budget, 1, sizeof(History));

	history->ids = IdSetCreate(model->item_kind, budget);
	return history;
}

/* Adds one event; *room is how many items there is memory for. */
static void
add(History *history, Datum item, double weight, TimestampTz at, uint32 *room, Budget *budget)
{
	uint32 known = IdSetCount(history->ids);
	uint32 id = IdSetAdd(history->ids, item);

	if (id >= *room)
	{
		*room = Max(64, *room * 2);
		history->item = BudgetResize(budget, history->item, *room, sizeof(HistoryItem));
	}
	if (id == known)
		history->item[id] = (HistoryItem){.newest = at};
	history->item[id].weight += weight;
	history->item[id].seen |= weight != 0;
	history->item[id].newest = Max(history->item[id].newest, at);
}

History *
HistoryRead(const Model *model, Datum user, TimestampTz as_of, TimestampTz decay_at, Budget *budget)
{
	bool timed = OidIsValid(model->time_type);
	bool weighted = OidIsValid(model->weight_type);
	double half_life = model->settings.half_life;
	History *history = empty_history(model, budget);
	uint32 room = 0;
	Oid type = IdType(model->user_kind);
	char *sql =
		psprintf("SELECT item_id, %s, %s FROM %s.events "
				 "WHERE user_id OPERATOR(pg_catalog.=) $1",
				 timed ? "occurred_at::pg_catalog.timestamptz" : "NULL",
				 weighted ? "weight::pg_catalog.float8" : "1::pg_catalog.float8", model->quoted);
	uint64 rows = PlanRun(sql, 1, &type, &user, NULL);

	for (uint64 r = 0; r < rows; r++)
	{
		HeapTuple tuple = SPI_tuptable->vals[r];
		TupleDesc desc = SPI_tuptable->tupdesc;
		TimestampTz at = DT_NOBEGIN;
		double age = 0;
		double weight;
		bool isnull;
		Datum item = SPI_getbinval(tuple, desc, 1, &isnull);

		if (isnull)
			continue;
		weight = DatumGetFloat8(SPI_getbinval(tuple, desc, 3, &isnull));
		if (isnull || !isfinite((float) weight))
			continue;
		if (timed)
		{
			at = DatumGetTimestampTz(SPI_getbinval(tuple, desc, 2, &isnull));
			if (isnull || at > as_of)
				continue;
			age = TIMESTAMP_IS_NOBEGIN(at) ? UINT32_MAX
										   : Max(0, EventsSeconds(decay_at) - EventsSeconds(at));
		}
		add(history, IdNormalise(item, model->item_type), weight * DecayFactor(age, half_life), at,
			&room, budget);
	}
	SPI_freetuptable(SPI_tuptable);
	return history;
}

History *
HistoryOfItems(const Model *model, const Datum *items, int count, Budget *budget)
{
	History *history = empty_history(model, budget);
	uint32 room = 0;

	for (int i = 0; i < count; i++)
	{
		bool new = IdSetFind(history->ids, items[i]) == ID_NONE;

		/* An item named twice counts once. */
		add(history, items[i], new ? 1 : 0, DT_NOBEGIN, &room, budget);
	}
	return history;
}
