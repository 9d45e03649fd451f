/*
 * hooks.c: reco_hooks: the part of a series after which people stay.
 */
#include "api/door.h"
#include "catalog/pg_type.h"
#include "data/hooking.h"
#include "executor/spi.h"
#include "math/binomial.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_hooks);

/* The columns of an answer: those that are counted, and the interval of 95 % of the share. */
enum
{
	HOOKS_LOW = HOOKING_SHARE + 1,
	HOOKS_HIGH,
	HOOKS_HOOK,
	HOOKS_COLUMNS
};

static const Oid hooks_types[HOOKS_COLUMNS] = {TEXTOID, DOOR_ITEM, INT4OID,   INT4OID,   INT8OID,
											   INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, BOOLOID};

#define LEAST_DEFAULT   0.7
#define VIEWERS_DEFAULT 20
#define PATIENCE_MOST   1e10

/* What the arguments from at_least on ask for. */
static HookingAsk
take_ask(FunctionCallInfo fcinfo, int first)
{
	HookingAsk ask = {.least = LEAST_DEFAULT, .viewers = VIEWERS_DEFAULT};

	if (!PG_ARGISNULL(first))
		ask.least = PG_GETARG_FLOAT8(first);
	if (!(ask.least > 0 && ask.least <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("at_least must be above 0 and at most 1, not %g", ask.least),
				 errhint("It is the share of those who saw a part that must finish the series.")));
	if (!PG_ARGISNULL(first + 1))
		ask.viewers = PG_GETARG_INT32(first + 1);
	if (ask.viewers < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("min_viewers must be at least 1, not %d", ask.viewers)));
	ask.every = !PG_ARGISNULL(first + 2) && PG_GETARG_BOOL(first + 2);
	if (!PG_ARGISNULL(first + 3))
		ask.patience = SettingSeconds(PG_GETARG_INTERVAL_P(first + 3));
	if (!(ask.patience >= 0 && ask.patience <= PATIENCE_MOST))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("patience is out of range"),
				 errhint("Use an interval such as '30 days'.")));
	return ask;
}

/* Raises an error where the model has no series whose parts are in order; says what is passed over. */
static void
check_series(const Model *model, const Unfinished *unfinished)
{
	int64 parts;
	int64 unordered;

	if (unfinished->series == NULL)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("model \"%s\" does not know what series are", model->name),
						errhint("Name attributes of the items query with reco_configure(%s, "
								"unfinished => '{\"series\": \"show\", \"order\": \"episode\"}').",
								quote_literal_cstr(model->name))));
	HookingCount(model, unfinished, &parts, &unordered);
	if (parts > 0 && parts == unordered)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the series of model \"%s\" have no order", model->name),
				 errdetail("Attribute \"%s\" is NULL for all items of series.", unfinished->order),
				 errhint("Give every part of a series a number or a date there.")));
	if (unordered > 0)
		ereport(NOTICE, (errmsg("parts of series without a place are passed over: " INT64_FORMAT,
								unordered),
						 errdetail("Attribute \"%s\" is NULL for them.", unfinished->order)));
}

/* One part of a series, with the interval of its share: anything may be, where nobody saw it. */
static void
put_part(DoorRows *rows, HeapTuple part, TupleDesc desc)
{
	Datum values[HOOKS_COLUMNS];
	bool nulls[HOOKS_COLUMNS];
	double low = 0;
	double high = 1;

	for (int c = 0; c <= HOOKING_SHARE; c++)
		values[c] = SPI_getbinval(part, desc, c + 1, &nulls[c]);
	values[HOOKING_ITEM] = DoorItemOut(rows, values[HOOKING_ITEM]);
	if (!nulls[HOOKING_SHARE])
		BinomialInterval((double) DatumGetInt64(values[HOOKING_FINISHERS]),
						 (double) DatumGetInt64(values[HOOKING_VIEWERS]), &low, &high);
	values[HOOKS_LOW] = Float8GetDatum(low);
	values[HOOKS_HIGH] = Float8GetDatum(high);
	nulls[HOOKS_LOW] = nulls[HOOKS_HIGH] = false;
	values[HOOKS_HOOK] = SPI_getbinval(part, desc, HOOKING_HOOK + 1, &nulls[HOOKS_HOOK]);
	DoorPut(rows, values, nulls);
}

/* reco_hooks(model, at_least, min_viewers, every, patience, unfinished) */
Datum
reco_hooks(PG_FUNCTION_ARGS)
{
	Model *model = DoorModel(fcinfo, 0);
	HookingAsk ask = take_ask(fcinfo, 1);
	DoorRows rows = DoorOpen(fcinfo, model, hooks_types, HOOKS_COLUMNS, true);
	Unfinished *unfinished;
	uint64 count;
	int nest;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	ModelReadSettings(model);
	unfinished =
		UnfinishedOf(model, PG_ARGISNULL(5) ? (Datum) 0 : PG_GETARG_DATUM(5), PG_ARGISNULL(5));
	nest = NewGUCNestLevel();
	RestrictSearchPath();
	check_series(model, unfinished);
	count = HookingRun(model, unfinished, &ask);
	for (uint64 r = 0; r < count; r++)
		put_part(&rows, SPI_tuptable->vals[r], SPI_tuptable->tupdesc);
	AtEOXact_GUC(false, nest);
	DoorLeave(model);
	return (Datum) 0;
}
