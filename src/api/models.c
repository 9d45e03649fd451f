/*
 * models.c: reco_create_model, reco_configure, reco_drop_model, reco_models.
 */
#include "api/door.h"

#include "access/relation.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "data/contexts.h"
#include "data/find.h"
#include "data/layout.h"
#include "data/values.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(reco_create_model);
PG_FUNCTION_INFO_V1(reco_configure);
PG_FUNCTION_INFO_V1(reco_drop_model);
PG_FUNCTION_INFO_V1(reco_models);

/* reco_create_model(name, events, items, users, rules) */
Datum
reco_create_model(PG_FUNCTION_ARGS)
{
	LayoutQueries queries = {.events = DoorRequired(fcinfo, 1, "the events query"),
							 .items = DoorText(fcinfo, 2),
							 .users = DoorText(fcinfo, 3),
							 .rules = DoorText(fcinfo, 4)};

	LayoutCreate(DoorSchema(fcinfo), DoorRequired(fcinfo, 0, "the name of a model"), &queries);
	PG_RETURN_VOID();
}

/* Raises an error where a policy asks for what the events, read as their owner does, do not have. */
static void
check_signals(const Model *model, Datum value)
{
	Signals *signals = SignalsRead(value);
	DoorRole role;

	if (signals == NULL)
		return;
	role = DoorBecome(model->owner);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	SignalsCheck(model, signals);
	SPI_finish();
	DoorReturn(&role);
}

/* The same of a target; '' is none. */
static void
check_target(const Model *model, Datum value)
{
	char *target = TextDatumGetCString(value);
	DoorRole role;

	if (target[0] == '\0')
		return;
	role = DoorBecome(model->owner);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	SignalsCheckTarget(model, target);
	SPI_finish();
	DoorReturn(&role);
}

/* Raises an error where a value does not go with what the queries of the model have. */
static void
check_with_model(const Model *model, SettingNo setting, Datum value)
{
	switch (setting)
	{
		case SETTING_EXCLUDE_SEEN:
			check_signals(model, value);
			break;
		case SETTING_TARGET_SIGNAL:
			check_target(model, value);
			break;
		case SETTING_CATEGORY:
			ValuesCheck(model, TextDatumGetCString(value), "category");
			break;
		case SETTING_CONTEXTS:
			ContextsCheck(model, value);
			break;
		case SETTING_UNFINISHED:
			UnfinishedCheck(model, UnfinishedRead(value));
			break;
		case SETTING_TIME_ZONE:
			ContextsCheckZone(TextDatumGetCString(value));
			break;
		default:
			break;
	}
}

/*
 * Marks the settings that reset names, the argument after the last setting: a name of each, or "all" for every one
 * that has no value in this call.
 */
static void
mark_resets(FunctionCallInfo fcinfo, bool *reset)
{
	ListCell *cell;

	foreach (cell, DoorTexts(fcinfo, SETTINGS + 1))
	{
		const char *name = lfirst(cell);
		SettingNo setting;

		if (strcmp(name, "all") == 0)
		{
			for (int s = 0; s < SETTINGS; s++)
				reset[s] = PG_ARGISNULL(s + 1);
			continue;
		}
		setting = SettingNamed(name);
		if (!PG_ARGISNULL(setting + 1))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("setting \"%s\" is given a value and reset as well", name),
							errhint("Leave it out of reset to set it, or give it no value to have "
									"its default.")));
		reset[setting] = true;
	}
}

/* reco_configure(model, settings in the order of SettingNo, reset) */
Datum
reco_configure(PG_FUNCTION_ARGS)
{
	Model *model = DoorModel(fcinfo, 0);
	ModelSetting given[SETTINGS];
	bool reset[SETTINGS] = {0};
	int count = 0;

	ModelNeedsOwner(model);
	mark_resets(fcinfo, reset);
	for (int s = 0; s < SETTINGS; s++)
	{
		if (reset[s])
			given[count++] = (ModelSetting){s, (Datum) 0, true};
		if (PG_ARGISNULL(s + 1))
			continue;
		given[count++] = (ModelSetting){s, PG_GETARG_DATUM(s + 1), false};
		SettingCheck(s, PG_GETARG_DATUM(s + 1));
		check_with_model(model, s, PG_GETARG_DATUM(s + 1));
	}
	ModelConfigure(model, given, count);
	PG_RETURN_VOID();
}

/* reco_drop_model(model) */
Datum
reco_drop_model(PG_FUNCTION_ARGS)
{
	LayoutDrop(DoorSchema(fcinfo), DoorRequired(fcinfo, 0, "the name of a model"));
	PG_RETURN_VOID();
}

/* Columns of reco_models() that come from the model's own table, after the first four; bytes are the last. */
static const char *const model_columns[] = {"similarity", "refreshed_at", "events",
											"users",      "items",        "neighbor_pairs"};

#define FROM_CATALOG 4
#define FROM_TABLE   ((int) lengthof(model_columns))

/* The type of a column of one of a model's views, as text; NULL where it is missing. */
static Datum
column_type(Oid schema, const char *view, const char *name, bool *isnull)
{
	Oid relation = get_relname_relid(view, schema);
	AttrNumber number = OidIsValid(relation) ? get_attnum(relation, name) : InvalidAttrNumber;

	*isnull = number == InvalidAttrNumber;
	if (*isnull)
		return (Datum) 0;
	return CStringGetTextDatum(format_type_be(get_atttype(relation, number)));
}

/* The size of a relation with all that belongs to it; false where there is none. */
static bool
add_bytes(Oid relation, int64 *bytes)
{
	LOCAL_FCINFO(call, 1);
	Datum size;

	if (!OidIsValid(relation))
		return false;
	InitFunctionCallInfoData(*call, NULL, 1, InvalidOid, NULL, NULL);
	call->args[0] = (NullableDatum){ObjectIdGetDatum(relation), false};
	size = pg_total_relation_size(call);
	if (!call->isnull)
		*bytes += DatumGetInt64(size);
	return !call->isnull;
}

/* What the learned tables of a model take; false where that of items is missing. */
static bool
learned_bytes(Oid schema, int64 *bytes)
{
	bool found = false;

	*bytes = 0;
	for (int n = 0; n < LAYOUT_LEARNED; n++)
	{
		bool there = add_bytes(get_relname_relid(LayoutLearned[n], schema), bytes);

		found = n == 0 ? there : found;
	}
	return found;
}

/*
 * Puts out the row of a model's table, the first if there are several.  It is read straight from the table: the
 * planner runs functions that stand in an index of a table, and would here with the rights of whoever
 * lists what models there are.
 */
static void
put_row(ReturnSetInfo *out, Relation table, Datum *values, bool *nulls)
{
	TupleTableSlot *row = table_slot_create(table, NULL);
	TableScanDesc scan = BeginTableScan(table, GetActiveSnapshot());

	if (table_scan_getnextslot(scan, ForwardScanDirection, row))
	{
		for (int c = 0; c < FROM_TABLE; c++)
			values[FROM_CATALOG + c] =
				slot_getattr(row, get_attnum(RelationGetRelid(table), model_columns[c]),
							 &nulls[FROM_CATALOG + c]);
		tuplestore_putvalues(out->setResult, out->setDesc, values, nulls);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(row);
}

/* One row of reco_models(), of a table that is open; a view that went leaves its columns NULL. */
static void
put_model(ReturnSetInfo *out, Relation table)
{
	Oid schema = RelationGetNamespace(table);
	const char *name = get_namespace_name(schema);
	Datum values[FROM_CATALOG + FROM_TABLE + 1];
	bool nulls[FROM_CATALOG + FROM_TABLE + 1] = {0};
	int64 bytes;

	if (name == NULL)
		return;
	values[0] = CStringGetTextDatum(name);
	values[1] = CStringGetTextDatum(GetUserNameFromId(table->rd_rel->relowner, false));
	values[2] = column_type(schema, "events", "user_id", &nulls[2]);
	values[3] = column_type(schema, "events", "item_id", &nulls[3]);
	nulls[FROM_CATALOG + FROM_TABLE] = !learned_bytes(schema, &bytes);
	values[FROM_CATALOG + FROM_TABLE] = Int64GetDatum(bytes);
	put_row(out, table, values, nulls);
}

/* reco_models(): the models whose schema the caller may use and whose table the caller may read. */
Datum
reco_models(PG_FUNCTION_ARGS)
{
	Oid reco = DoorSchema(fcinfo);
	ListCell *cell;

	InitMaterializedSRF(fcinfo, 0);
	foreach (cell, FindTables(reco))
	{
		/* Locked, it is what it was found to be, or gone. */
		Relation table = try_relation_open(lfirst_oid(cell), AccessShareLock);

		if (table == NULL)
			continue;
		if (FindIsTable(reco, RelationGetRelid(table)) &&
			object_aclcheck(NamespaceRelationId, RelationGetNamespace(table), GetUserId(),
							ACL_USAGE) == ACLCHECK_OK &&
			pg_class_aclcheck(RelationGetRelid(table), GetUserId(), ACL_SELECT) == ACLCHECK_OK)
			put_model((ReturnSetInfo *) fcinfo->resultinfo, table);
		relation_close(table, NoLock);
	}
	return (Datum) 0;
}
