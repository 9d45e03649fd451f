/*
 * census.c: plain aggregates, run with the search path of maintenance, which names pg_catalog.
 */
#include "data/census.h"

#include "data/events.h"
#include "data/histories.h"
#include "data/plan.h"
#include "data/signals.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* Users are counted in so much memory where maintenance_work_mem is less. */
#define MEMORY_LEAST ((Size) 64 * 1024 * 1024)

/* Runs a statement once; its plan is not worth keeping. */
static uint64
run(const Model *model, const char *sql)
{
	int code = SPI_execute(sql, true, 0);

	if (code != SPI_OK_SELECT)
		elog(ERROR, "unexpected result of \"%s\": %s", sql, SPI_result_code_string(code));
	ModelNeedsName(model);
	return SPI_processed;
}

/* A number of a row; NULL is 0. */
static int64
number(uint64 row, int column)
{
	bool isnull;
	Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

/*
 * The events as a refresh sees them: user_id, item_id, at, weight, signal, and left_out where it
 * passes a row over.
 */
static char *
seen_events(const Model *model)
{
	return psprintf(
		"(SELECT *, coalesce(user_id IS NULL OR item_id IS NULL OR weight IS NULL OR at IS NULL "
		"OR NOT finite OR at > now, true) AS left_out "
		"FROM (SELECT user_id, item_id, %s AS at, %s AS weight, %s AS signal, "
		"abs(%s) < " EVENTS_BEYOND " AS finite, statement_timestamp() AS now "
		"FROM %s.events) e) e",
		OidIsValid(model->time_type) ? "occurred_at::timestamptz" : "'-infinity'::timestamptz",
		OidIsValid(model->weight_type) ? "weight::float8" : "1::float8",
		model->has_signal ? SIGNAL_TEXT : "NULL::text",
		OidIsValid(model->weight_type) ? "weight::float8" : "1::float8", model->quoted);
}

/* Counts of single rows. */
static void
count_rows(const Model *model, CensusEvents *census)
{
	Datum newest = TimestampTzGetDatum(model->newest);
	const char *since =
		model->timed
			? quote_literal_cstr(DatumGetCString(DirectFunctionCall1(timestamptz_out, newest)))
			: "NULL";
	int n = 0;

	run(model,
		psprintf(
			"SELECT count(*), count(*) FILTER (WHERE left_out), "
			"count(*) FILTER (WHERE user_id IS NULL), count(*) FILTER (WHERE item_id IS NULL), "
			"count(*) FILTER (WHERE weight IS NULL), count(*) FILTER (WHERE at IS NULL), "
			"count(*) FILTER (WHERE NOT finite), count(*) FILTER (WHERE at > now), "
			"count(*) FILTER (WHERE NOT left_out AND weight > 0), "
			"count(*) FILTER (WHERE NOT left_out AND at >= %s::timestamptz + interval '1 second'), "
			"min(at) FILTER (WHERE NOT left_out), max(at) FILTER (WHERE NOT left_out), "
			"max(at) FILTER (WHERE at > now) FROM %s",
			since, seen_events(model)));
	census->rows = number(0, ++n);
	census->left_out = number(0, ++n);
	census->null_user = number(0, ++n);
	census->null_item = number(0, ++n);
	census->null_weight = number(0, ++n);
	census->null_time = number(0, ++n);
	census->not_finite = number(0, ++n);
	census->future = number(0, ++n);
	census->positive = number(0, ++n);
	census->since_refresh = number(0, ++n);
	census->oldest = number(0, ++n);
	census->newest = number(0, ++n);
	census->latest = number(0, ++n);
	SPI_freetuptable(SPI_tuptable);
}

/* Takes the history of one user. */
static void
count_history(Datum user, History *history, void *with)
{
	CensusEvents *census = with;

	census->users++;
	census->single_users += history->count == 1;
	census->cells += history->count;
}

/* Takes an item of the catalogue, at most once. */
typedef struct KnownItems
{
	const IdSet *items;
	int64 known;
} KnownItems;

static void
count_known(TupleTableSlot *row, void *with)
{
	KnownItems *known = with;

	if (!row->tts_isnull[0] && IdSetFind(known->items, row->tts_values[0]) != ID_NONE)
		known->known++;
}

/* Counts users, items, and what they have of each other. */
static void
count_ids(const Model *model, CensusEvents *census)
{
	Budget *budget =
		BudgetCreate(CurrentMemoryContext, "census", Max(BudgetMaintenance(), MEMORY_LEAST));
	HistoriesWanted wanted = {.as_of = GetCurrentTimestamp(), .part = 0, .parts = 1};
	IdSet *items = IdSetCreate(model->item_kind, budget);
	KnownItems known = {.items = items};

	HistoriesRead(model, &wanted, items, budget, count_history, census);
	census->items = census->known_items = IdSetCount(items);
	if (model->has_items)
	{
		PlanStream(psprintf("SELECT DISTINCT item_id::%s FROM %s.items",
							IdTypeName(model->item_kind), model->quoted),
				   0, NULL, NULL, count_known, &known);
		ModelNeedsName(model);
		census->known_items = known.known;
	}
	BudgetDestroy(budget);
}

CensusEvents
CensusOfEvents(const Model *model)
{
	CensusEvents census = {0};

	count_rows(model, &census);
	count_ids(model, &census);
	run(model, psprintf("SELECT max(n) FROM (SELECT count(*) AS n FROM %s WHERE NOT left_out "
						"GROUP BY user_id) u",
						seen_events(model)));
	census.most = number(0, 1);
	SPI_freetuptable(SPI_tuptable);
	return census;
}

List *
CensusOfSignals(const Model *model)
{
	List *signals = NIL;
	uint64 rows;

	if (!model->has_signal)
		return NIL;
	rows = run(
		model,
		psprintf("SELECT signal, count(*), count(*) FILTER (WHERE NOT left_out AND weight <> 0) "
				 "FROM %s GROUP BY signal ORDER BY count(*) DESC, signal",
				 seen_events(model)));
	for (uint64 r = 0; r < rows; r++)
	{
		CensusSignal *signal = palloc(sizeof(CensusSignal));

		signal->name = SPI_getvalue(SPI_tuptable->vals[r], SPI_tuptable->tupdesc, 1);
		signal->rows = number(r, 2);
		signal->counting = number(r, 3);
		signals = lappend(signals, signal);
	}
	SPI_freetuptable(SPI_tuptable);
	return signals;
}

CensusItems
CensusOfItems(const Model *model)
{
	CensusItems census = {0};

	if (!model->has_items)
		return census;
	run(model,
		psprintf(
			"SELECT count(*), count(*) FILTER (WHERE item_id IS NULL), count(DISTINCT item_id) "
			"FROM %s.items",
			model->quoted));
	census.rows = number(0, 1);
	census.null_ids = number(0, 2);
	census.distinct = number(0, 3);
	SPI_freetuptable(SPI_tuptable);
	return census;
}

CensusModel
CensusOfModel(const Model *model)
{
	CensusModel census = {0};

	if (run(model, psprintf("SELECT refreshed_at::timestamptz, events::int8, neighbor_pairs::int8 "
							"FROM ONLY %s.model",
							model->quoted)) != 1)
		return census;
	census.refreshed_at = number(0, 1);
	census.events = number(0, 2);
	census.neighbor_pairs = number(0, 3);
	SPI_freetuptable(SPI_tuptable);
	return census;
}
