/*
 * wrapped.c: reco_wrapped, reco_wrapped_json: a stretch of time as a story, for one user or all.
 */
#include "api/door.h"
#include "catalog/pg_type.h"
#include "data/contexts.h"
#include "data/values.h"
#include "data/wrapping.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_wrapped);
PG_FUNCTION_INFO_V1(reco_wrapped_all);
PG_FUNCTION_INFO_V1(reco_wrapped_json);
PG_FUNCTION_INFO_V1(reco_wrapped_json_all);

static const Oid wrapped_types[WRAPPING_COLUMNS] = {
	DOOR_USER, TEXTOID,   INT4OID,   DOOR_ITEM, TEXTOID,        FLOAT8OID,      FLOAT8OID,
	FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID};

static const Oid document_types[] = {DOOR_USER, JSONBOID};

#define K_DEFAULT 5
#define K_MOST    1000

/* A question, and where its rows go. */
typedef struct Wrapped
{
	Model *model;
	WrappingAsk ask;
	DoorRows rows;
	Datum document; /* of one user */
	MemoryContext caller;
} Wrapped;

/* A bound of the stretch. */
static TimestampTz
take_time(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be NULL", name)));
	if (TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(argument)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must not be infinite", name),
				 errdetail("It is compared with the stretch before, which is as long.")));
	return PG_GETARG_TIMESTAMPTZ(argument);
}

/* The bounds and k of arguments: since, until, the model between, k. */
static void
take_bounds(FunctionCallInfo fcinfo, int since, WrappingAsk *ask)
{
	ask->since = take_time(fcinfo, since, "since");
	ask->until = take_time(fcinfo, since + 1, "until");
	if (ask->since >= ask->until)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("since must be before until"),
				 errhint("The stretch begins with since and ends just before until.")));
	ask->k = PG_ARGISNULL(since + 3) ? K_DEFAULT : PG_GETARG_INT32(since + 3);
	if (ask->k < 1 || ask->k > K_MOST)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("k must be from 1 to %d, not %d", K_MOST, ask->k)));
}

/* The attribute of an argument, or else of a setting, or else the first there is of some names. */
static const char *
take_attribute(FunctionCallInfo fcinfo, int argument, const Model *model, const char *set,
			   const char *const *names)
{
	char *name = DoorText(fcinfo, argument);

	if (name)
		ValuesCheck(model, name, *names);
	if (name == NULL && set && ValuesExist(model, set))
		return set;
	for (; name == NULL && *names; names++)
		if (ValuesExist(model, *names))
			return *names;
	return name;
}

/* The options after k; SPI is connected, and the settings read. */
static void
take_options(FunctionCallInfo fcinfo, int zone, const Model *model, WrappingAsk *ask)
{
	static const char *const categories[] = {"category", NULL};
	static const char *const titles[] = {"title", "name", NULL};

	if (!OidIsValid(model->time_type))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("the events of model \"%s\" have no times", model->name),
						errhint("Add a column occurred_at to the view %s.events.", model->quoted)));
	ask->zone = PG_ARGISNULL(zone) ? model->settings.time_zone : DoorText(fcinfo, zone);
	ContextsCheckZone(ask->zone);
	ask->category = take_attribute(fcinfo, zone + 1, model, model->settings.category, categories);
	ask->title = take_attribute(fcinfo, zone + 2, model, NULL, titles);
}

/* Puts a row out; those of one user do not say whose they are. */
static void
put_row(TupleTableSlot *slot, void *with)
{
	Wrapped *wrapped = with;
	int first = wrapped->ask.everybody ? 0 : WRAPPING_PART;
	Datum values[WRAPPING_COLUMNS];
	bool nulls[WRAPPING_COLUMNS];

	memcpy(values, slot->tts_values, sizeof(values));
	memcpy(nulls, slot->tts_isnull, sizeof(nulls));
	if (wrapped->ask.everybody)
		values[WRAPPING_USER] = DoorUserOut(&wrapped->rows, values[WRAPPING_USER]);
	if (!nulls[WRAPPING_ITEM])
		values[WRAPPING_ITEM] = DoorItemOut(&wrapped->rows, values[WRAPPING_ITEM]);
	DoorPut(&wrapped->rows, values + first, nulls + first);
}

static void
put_document(TupleTableSlot *slot, void *with)
{
	Wrapped *wrapped = with;
	Datum values[] = {DoorUserOut(&wrapped->rows, slot->tts_values[0]), slot->tts_values[1]};
	bool nulls[lengthof(values)] = {0};

	DoorPut(&wrapped->rows, values, nulls);
}

/* Keeps the document of one user. */
static void
keep_document(TupleTableSlot *slot, void *with)
{
	Wrapped *wrapped = with;
	MemoryContext old = MemoryContextSwitchTo(wrapped->caller);

	wrapped->document = PointerGetDatum(PG_DETOAST_DATUM_COPY(slot->tts_values[1]));
	MemoryContextSwitchTo(old);
}

/* Answers, with the options from an argument on. */
static void
run(FunctionCallInfo fcinfo, int zone, Wrapped *wrapped, PlanTake take)
{
	int nest;

	wrapped->caller = CurrentMemoryContext;
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	ModelReadSettings(wrapped->model);
	take_options(fcinfo, zone, wrapped->model, &wrapped->ask);
	nest = NewGUCNestLevel();
	RestrictSearchPath();
	WrappingRun(wrapped->model, &wrapped->ask, take, wrapped);
	AtEOXact_GUC(false, nest);
	SPI_finish();
}

/* reco_wrapped(user_id, since, until, model, k, time_zone, category, title) */
Datum
reco_wrapped(PG_FUNCTION_ARGS)
{
	Wrapped wrapped = {.model = DoorModel(fcinfo, 3)};

	wrapped.ask.user = DoorUser(fcinfo, 0, wrapped.model);
	take_bounds(fcinfo, 1, &wrapped.ask);
	wrapped.rows = DoorOpen(fcinfo, wrapped.model, wrapped_types + WRAPPING_PART,
							WRAPPING_COLUMNS - WRAPPING_PART, false);
	if (!PG_ARGISNULL(0))
		run(fcinfo, 5, &wrapped, put_row);
	return (Datum) 0;
}

/* reco_wrapped_all(since, until, model, k, time_zone, category, title) */
Datum
reco_wrapped_all(PG_FUNCTION_ARGS)
{
	Wrapped wrapped = {.model = DoorModel(fcinfo, 2), .ask = {.everybody = true}};

	take_bounds(fcinfo, 0, &wrapped.ask);
	wrapped.rows = DoorOpen(fcinfo, wrapped.model, wrapped_types, WRAPPING_COLUMNS, true);
	run(fcinfo, 4, &wrapped, put_row);
	return (Datum) 0;
}

/* reco_wrapped_json(user_id, since, until, model, k, time_zone, category, title) */
Datum
reco_wrapped_json(PG_FUNCTION_ARGS)
{
	Wrapped wrapped = {.model = DoorModel(fcinfo, 3), .ask = {.document = true}};

	wrapped.ask.user = DoorUser(fcinfo, 0, wrapped.model);
	take_bounds(fcinfo, 1, &wrapped.ask);
	if (!PG_ARGISNULL(0))
		run(fcinfo, 5, &wrapped, keep_document);
	if (wrapped.document == 0)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(wrapped.document);
}

/* reco_wrapped_json_all(since, until, model, k, time_zone, category, title) */
Datum
reco_wrapped_json_all(PG_FUNCTION_ARGS)
{
	Wrapped wrapped = {.model = DoorModel(fcinfo, 2), .ask = {.everybody = true, .document = true}};

	take_bounds(fcinfo, 0, &wrapped.ask);
	wrapped.rows = DoorOpen(fcinfo, wrapped.model, document_types, lengthof(document_types), true);
	run(fcinfo, 4, &wrapped, put_document);
	return (Datum) 0;
}
