#include "data/modelrow.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/tableam.h"
#include "catalog/pg_class.h"
#include "data/find.h"
#include "data/plan.h"
#include "executor/executor.h"
#include "lib/stringinfo.h"
#include "utils/acl.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Where each column was last time: no more than a hint, since the name there decides. */
static AttrNumber places[MODEL_ROW_COLUMNS];

pg_noreturn static void
refuse_rows(const Model *model)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
					errmsg("table \"%s.model\" must hold one row", model->name),
					errhint("Drop the model with reco_drop_model and create it anew.")));
}

static bool
is_named(TupleDesc desc, int place, const char *name)
{
	Form_pg_attribute column = TupleDescAttr(desc, place);

	return !column->attisdropped && strcmp(NameStr(column->attname), name) == 0;
}

/* Finds the place of every column; false where one is not there. */
static bool
find_places(TupleDesc desc, const char *const *names, int columns)
{
	for (int c = 0; c < columns; c++)
	{
		int place = places[c];

		if (place < desc->natts && is_named(desc, place, names[c]))
			continue;
		for (place = 0; place < desc->natts && !is_named(desc, place, names[c]);)
			place++;
		if (place == desc->natts)
			return false;
		places[c] = (AttrNumber) place;
	}
	return true;
}

/*
 * True where the caller may read every column of every row, nobody else has a say in it, and the
 * columns are those of the type that the table is of.
 */
static bool
may_read(Relation table)
{
	return table->rd_rel->relkind == RELKIND_RELATION && OidIsValid(table->rd_rel->reloftype) &&
		   table->rd_tableam == GetHeapamTableAmRoutine() && !table->rd_rel->relrowsecurity &&
		   ExecutorCheckPerms_hook == NULL &&
		   pg_class_aclcheck(RelationGetRelid(table), GetUserId(), ACL_SELECT) == ACLCHECK_OK;
}

/* True where there is a row of the table by now, whatever the snapshot of the statement sees. */
static bool
has_row(Relation table)
{
	TableScanDesc scan = table_beginscan(table, SnapshotSelf, 0, NULL);
	bool found = heap_getnext(scan, ForwardScanDirection) != NULL;

	table_endscan(scan);
	return found;
}

/*
 * Raises the error of a table without a row: names are looked up as they are now, and so a model is
 * found, too, that was made after the snapshot was taken.
 */
pg_noreturn static void
refuse_none(const Model *model, Relation table)
{
	if (has_row(table))
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						errmsg("model \"%s\" was created after this statement or transaction began",
							   model->name),
						errhint("Try again.")));
	refuse_rows(model);
}

/* A copy of the one row that the snapshot sees. */
static HeapTuple
copy_row(const Model *model, Relation table)
{
	TableScanDesc scan = table_beginscan(table, GetActiveSnapshot(), 0, NULL);
	HeapTuple tuple = heap_getnext(scan, ForwardScanDirection);
	HeapTuple copy;

	if (tuple == NULL)
		refuse_none(model, table);
	copy = heap_copytuple(tuple);
	if (heap_getnext(scan, ForwardScanDirection) != NULL)
		refuse_rows(model);
	table_endscan(scan);
	return copy;
}

/* Reads the row straight from the table; false where SQL must be asked. */
static bool
read_straight(const Model *model, const char *const *names, int columns, Datum *value, bool *isnull)
{
	Relation table = try_relation_open(model->table, AccessShareLock);
	TupleDesc desc;
	Datum *values;
	bool *nulls;

	/* Whoever dropped it, or made it one of no model with columns of other types, may have been waited for. */
	if (table == NULL || !FindIsTable(model->reco, model->table))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("model \"%s\" does not exist", model->name)));
	desc = RelationGetDescr(table);
	if (!may_read(table) || !find_places(desc, names, columns))
	{
		relation_close(table, NoLock);
		return false;
	}
	values = palloc(sizeof(Datum) * desc->natts);
	nulls = palloc(sizeof(bool) * desc->natts);
	heap_deform_tuple(copy_row(model, table), desc, values, nulls);
	for (int c = 0; c < columns; c++)
	{
		value[c] = values[places[c]];
		isnull[c] = nulls[places[c]];
	}
	pfree(values);
	pfree(nulls);
	/* The lock lasts as long as that of a query. */
	relation_close(table, NoLock);
	return true;
}

static void
query_row(const Model *model, const char *const *names, int columns, Datum *value, bool *isnull)
{
	StringInfoData sql;
	uint64 rows;

	initStringInfo(&sql);
	for (int c = 0; c < columns; c++)
		appendStringInfo(&sql, "%s %s", c == 0 ? "SELECT" : ",", names[c]);
	appendStringInfo(&sql, " FROM ONLY %s.model", model->quoted);
	rows = PlanRun(sql.data, 0, NULL, NULL, NULL);
	/* The table is locked, but not the name of its schema: that may lead to columns of other types. */
	ModelNeedsName(model);
	if (rows != 1)
		refuse_rows(model);
	Assert(SPI_tuptable->tupdesc->natts == columns);
	heap_deform_tuple(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, value, isnull);
}

void
ModelRowRead(const Model *model, const char *const *names, int columns, Datum *value, bool *isnull)
{
	Assert(columns <= MODEL_ROW_COLUMNS);
	if (!read_straight(model, names, columns, value, isnull))
		query_row(model, names, columns, value, isnull);
}
