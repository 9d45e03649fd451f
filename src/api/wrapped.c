/*
 * wrapped.c: reco_wrapped, reco_wrapped_json: a stretch of time as a story, for one user or all.
 */
#include "api/door.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "data/contexts.h"
#include "data/values.h"
#include "data/wrapping.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_wrapped);
PG_FUNCTION_INFO_V1(reco_wrapped_all);
PG_FUNCTION_INFO_V1(reco_wrapped_json);
PG_FUNCTION_INFO_V1(reco_wrapped_json_all);

/* The columns of a row. */
enum
{
	WRAPPED_USER,
	WRAPPED_PART,
	WRAPPED_RANK,
	WRAPPED_ITEM,
	WRAPPED_LABEL,
	WRAPPED_VALUE,
	WRAPPED_BEFORE,
	WRAPPED_CHANGE,
	WRAPPED_SHARE,
	WRAPPED_SHARE_BEFORE,
	WRAPPED_PERCENTILE,
	WRAPPED_BEGAN,
	WRAPPED_ENDED,
	WRAPPED_RULE,
	WRAPPED_COLUMNS
};

static const Oid wrapped_types[WRAPPED_COLUMNS] = {
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

/* How a value has changed; NaN where there was nothing before, or next to nothing. */
static double
change_of(const StoryFact *fact)
{
	double change = fact->before != 0 ? fact->value / fact->before - 1 : NAN;

	return isfinite(change) ? change : NAN;
}

static void
put_number(Datum *values, bool *nulls, int column, double number)
{
	values[column] = Float8GetDatum(number);
	nulls[column] = isnan(number);
}

static void
put_time(Datum *values, bool *nulls, int column, TimestampTz at)
{
	values[column] = TimestampTzGetDatum(at);
	nulls[column] = at == DT_NOBEGIN;
}

static void
put_text(Datum *values, bool *nulls, int column, const char *text)
{
	values[column] = text ? CStringGetTextDatum(text) : (Datum) 0;
	nulls[column] = text == NULL;
}

/* Puts a story out as rows; those of one user do not say whose they are. */
static void
put_rows(Datum user, const IdSet *items, const StoryFact *facts, uint32 count, void *with)
{
	Wrapped *wrapped = with;
	int first = wrapped->ask.everybody ? 0 : WRAPPED_PART;
	Datum values[WRAPPED_COLUMNS];
	bool nulls[WRAPPED_COLUMNS] = {0};

	if (wrapped->ask.everybody)
		values[WRAPPED_USER] = DoorUserOut(&wrapped->rows, user);
	for (uint32 f = 0; f < count; f++)
	{
		const StoryFact *fact = &facts[f];

		put_text(values, nulls, WRAPPED_PART, StoryPartName(fact->part));
		values[WRAPPED_RANK] = Int32GetDatum((int32) fact->rank);
		nulls[WRAPPED_ITEM] = fact->item == ID_NONE;
		if (fact->item != ID_NONE)
			values[WRAPPED_ITEM] = DoorItemOut(&wrapped->rows, IdSetDatum(items, fact->item));
		put_text(values, nulls, WRAPPED_LABEL, fact->label);
		put_number(values, nulls, WRAPPED_VALUE, fact->value);
		put_number(values, nulls, WRAPPED_BEFORE, fact->before);
		put_number(values, nulls, WRAPPED_CHANGE, change_of(fact));
		put_number(values, nulls, WRAPPED_SHARE, fact->share);
		put_number(values, nulls, WRAPPED_SHARE_BEFORE, fact->share_before);
		put_number(values, nulls, WRAPPED_PERCENTILE, fact->percentile);
		put_time(values, nulls, WRAPPED_BEGAN, fact->began);
		put_time(values, nulls, WRAPPED_ENDED, fact->ended);
		put_text(values, nulls, WRAPPED_RULE, fact->rule);
		DoorPut(&wrapped->rows, values + first, nulls + first);
	}
}

/* Begins a member of the object at hand. */
static void
write_key(StringInfo json, const char *key)
{
	char last = json->len > 0 ? json->data[json->len - 1] : '{';

	if (last != '{')
		appendStringInfoChar(json, ',');
	escape_json(json, key);
	appendStringInfoChar(json, ':');
}

static void
write_text(StringInfo json, const char *key, const char *text)
{
	if (text == NULL)
		return;
	write_key(json, key);
	escape_json(json, text);
}

static void
write_number(StringInfo json, const char *key, double number)
{
	if (isnan(number))
		return;
	write_key(json, key);
	appendStringInfoString(json, float8out_internal(number));
}

static void
write_time(StringInfo json, const char *key, TimestampTz at)
{
	char text[MAXDATELEN + 1];

	if (at == DT_NOBEGIN)
		return;
	JsonEncodeDateTime(text, TimestampTzGetDatum(at), TIMESTAMPTZOID, NULL);
	write_text(json, key, text);
}

/* An item, as a number where its id is one. */
static void
write_item(StringInfo json, const IdSet *items, uint32 item)
{
	Datum id;

	if (item == ID_NONE)
		return;
	id = IdSetDatum(items, item);
	switch (IdSetKind(items))
	{
		case ID_INTEGER:
			write_key(json, "item_id");
			appendStringInfo(json, INT64_FORMAT, DatumGetInt64(id));
			break;
		case ID_UUID:
			write_text(json, "item_id", DatumGetCString(DirectFunctionCall1(uuid_out, id)));
			break;
		default:
			write_text(json, "item_id", TextDatumGetCString(id));
	}
}

/* A fact as an object, without what there is not of it. */
static void
write_fact(StringInfo json, const IdSet *items, const StoryFact *fact)
{
	appendStringInfoChar(json, '{');
	write_item(json, items, fact->item);
	write_text(json, "label", fact->label);
	write_number(json, "value", fact->value);
	write_number(json, "before", fact->before);
	write_number(json, "change", change_of(fact));
	write_number(json, "share", fact->share);
	write_number(json, "share_before", fact->share_before);
	write_number(json, "percentile", fact->percentile);
	write_time(json, "began_at", fact->began);
	write_time(json, "ended_at", fact->ended);
	write_text(json, "rule", fact->rule);
	appendStringInfoChar(json, '}');
}

/* A story as one object: lists are arrays in the order of their ranks. */
static Datum
write_document(const Wrapped *wrapped, const IdSet *items, const StoryFact *facts, uint32 count)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	write_time(&json, "since", wrapped->ask.since);
	write_time(&json, "until", wrapped->ask.until);
	write_text(&json, "time_zone", wrapped->ask.zone);
	for (uint32 f = 0; f < count; f++)
	{
		bool list = StoryPartIsList(facts[f].part);

		if (!list || facts[f].rank == 1)
			write_key(&json, StoryPartName(facts[f].part));
		if (list)
			appendStringInfoChar(&json, facts[f].rank == 1 ? '[' : ',');
		write_fact(&json, items, &facts[f]);
		if (list && (f + 1 == count || facts[f + 1].part != facts[f].part))
			appendStringInfoChar(&json, ']');
	}
	appendStringInfoChar(&json, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

static void
put_document(Datum user, const IdSet *items, const StoryFact *facts, uint32 count, void *with)
{
	Wrapped *wrapped = with;
	Datum values[] = {DoorUserOut(&wrapped->rows, user),
					  write_document(wrapped, items, facts, count)};
	bool nulls[lengthof(values)] = {0};

	DoorPut(&wrapped->rows, values, nulls);
}

/* Keeps the document of one user. */
static void
keep_document(Datum user, const IdSet *items, const StoryFact *facts, uint32 count, void *with)
{
	Wrapped *wrapped = with;
	Datum document = write_document(wrapped, items, facts, count);
	MemoryContext old = MemoryContextSwitchTo(wrapped->caller);

	wrapped->document = PointerGetDatum(PG_DETOAST_DATUM_COPY(document));
	MemoryContextSwitchTo(old);
}

/* Answers, with the options from an argument on. */
static void
run(FunctionCallInfo fcinfo, int zone, Wrapped *wrapped, WrappingTake take)
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
	DoorLeave(wrapped->model);
}

/* reco_wrapped(user_id, since, until, model, k, time_zone, category, title) */
Datum
reco_wrapped(PG_FUNCTION_ARGS)
{
	Wrapped wrapped = {.model = DoorModel(fcinfo, 3)};

	wrapped.ask.user = DoorUser(fcinfo, 0, wrapped.model);
	take_bounds(fcinfo, 1, &wrapped.ask);
	wrapped.rows = DoorOpen(fcinfo, wrapped.model, wrapped_types + WRAPPED_PART,
							WRAPPED_COLUMNS - WRAPPED_PART, false);
	if (!PG_ARGISNULL(0))
		run(fcinfo, 5, &wrapped, put_rows);
	return (Datum) 0;
}

/* reco_wrapped_all(since, until, model, k, time_zone, category, title) */
Datum
reco_wrapped_all(PG_FUNCTION_ARGS)
{
	Wrapped wrapped = {.model = DoorModel(fcinfo, 2), .ask = {.everybody = true}};

	take_bounds(fcinfo, 0, &wrapped.ask);
	wrapped.rows = DoorOpen(fcinfo, wrapped.model, wrapped_types, WRAPPED_COLUMNS, true);
	run(fcinfo, 4, &wrapped, put_rows);
	return (Datum) 0;
}

/* reco_wrapped_json(user_id, since, until, model, k, time_zone, category, title) */
Datum
reco_wrapped_json(PG_FUNCTION_ARGS)
{
	Wrapped wrapped = {.model = DoorModel(fcinfo, 3)};

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
	Wrapped wrapped = {.model = DoorModel(fcinfo, 2), .ask = {.everybody = true}};

	take_bounds(fcinfo, 0, &wrapped.ask);
	wrapped.rows = DoorOpen(fcinfo, wrapped.model, document_types, lengthof(document_types), true);
	run(fcinfo, 4, &wrapped, put_document);
	return (Datum) 0;
}
