/*
 * served.c: the log of lists that were served, and what came of them.
 *
 * An event counts for the last showing of its item to its user before it, if that is not too long
 * ago (last touch); see the function attribute of the log in data/layout.c.
 */
#include "api/door.h"
#include "catalog/pg_type.h"
#include "data/impressions.h"
#include "data/layout.h"
#include "data/plan.h"
#include "executor/spi.h"
#include "math/binomial.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(reco_create_log);
PG_FUNCTION_INFO_V1(reco_attribute);

static const Oid attribute_types[] = {TEXTOID, TEXTOID,   INT8OID,   INT8OID,
									  INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID};

/* reco_create_log(model) */
Datum
reco_create_log(PG_FUNCTION_ARGS)
{
	Model *model = DoorModel(fcinfo, 0);
	DoorRole role;

	PreventCommandIfReadOnly("reco_create_log()");
	ModelNeedsOwner(model);
	role = DoorBecome(model->owner);
	LayoutCreateLog(model);
	DoorReturn(&role);
	PG_RETURN_VOID();
}

static void
put_group(DoorRows *rows, HeapTuple group, TupleDesc columns)
{
	Datum values[lengthof(attribute_types)];
	bool nulls[lengthof(attribute_types)] = {0};
	double low;
	double high;

	for (int c = 0; c < 5; c++)
		values[c] = SPI_getbinval(group, columns, c + 1, &nulls[c]);
	BinomialInterval((double) DatumGetInt64(values[4]), (double) DatumGetInt64(values[3]), &low,
					 &high);
	values[5] =
		Float8GetDatum((double) DatumGetInt64(values[4]) / (double) DatumGetInt64(values[3]));
	values[6] = Float8GetDatum(low);
	values[7] = Float8GetDatum(high);
	DoorPut(rows, values, nulls);
}

/* reco_attribute(model, within) */
Datum
reco_attribute(PG_FUNCTION_ARGS)
{
	Model *model = DoorModel(fcinfo, 0);
	DoorRows rows = DoorOpen(fcinfo, model, attribute_types, lengthof(attribute_types), true);
	Oid types[] = {INTERVALOID};
	Datum values[] = {PG_GETARG_DATUM(1)};
	uint64 groups;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("within must not be NULL")));
	ImpressionsNeedLog(model);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	groups = PlanRun(
		psprintf(
			"SELECT a.variant::pg_catalog.text, a.source::pg_catalog.text,"
			" pg_catalog.count(DISTINCT a.list_id), pg_catalog.count(*), pg_catalog.count(a.chosen_at)"
			" FROM %s.attribute($1) a GROUP BY 1, 2 ORDER BY 1, 2",
			model->quoted),
		1, types, values, NULL);
	for (uint64 g = 0; g < groups; g++)
		put_group(&rows, SPI_tuptable->vals[g], SPI_tuptable->tupdesc);
	DoorLeave(model);
	return (Datum) 0;
}
