/*
 * popular.c: reco_popular and reco_trending: walks over the catalogue as lists of their own.
 */
#include "api/door.h"
#include "catalog/pg_type.h"
#include "data/catalogue.h"
#include "executor/spi.h"

PG_FUNCTION_INFO_V1(reco_popular);
PG_FUNCTION_INFO_V1(reco_trending);

static const Oid popular_types[] = {DOOR_ITEM, FLOAT8OID, FLOAT8OID, INT4OID};

/* Rows fetched at a time where everything is asked for. */
#define BATCH 1000

static void
put_row(DoorRows *rows, const Model *model, const CatalogueRow *row)
{
	Datum values[lengthof(popular_types)];
	bool nulls[lengthof(popular_types)] = {0};

	values[0] = DoorItemOut(rows, row->item);
	values[1] = Float8GetDatum(row->popularity);
	values[2] = Float8GetDatum(row->trend);
	values[3] = Int32GetDatum(row->users);
	nulls[2] = !model->timed;
	DoorPut(rows, values, nulls);
}

/* Answers (k, model) with the first k of a walk. */
static Datum
first_of(FunctionCallInfo fcinfo, CatalogueOrder order)
{
	Model *model = DoorModel(fcinfo, 1);
	uint32 k = DoorK(fcinfo, 0);
	DoorRows rows = DoorOpen(fcinfo, model, popular_types, lengthof(popular_types), true);
	Portal walk;

	DoorEnter(model);
	walk = CatalogueOpen(model, order, NULL);
	while (walk && (k == 0 || rows.count < k))
	{
		uint64 count;
		CatalogueRow *row =
			CatalogueNext(model, walk, k == 0 ? BATCH : Min(k - rows.count, BATCH), &count);

		if (count == 0)
			break;
		for (uint64 r = 0; r < count; r++)
			put_row(&rows, model, &row[r]);
		SPI_freetuptable(SPI_tuptable);
		pfree(row);
	}
	if (walk)
		SPI_cursor_close(walk);
	DoorLeave(model);
	return (Datum) 0;
}

/* reco_popular(k, model) */
Datum
reco_popular(PG_FUNCTION_ARGS)
{
	return first_of(fcinfo, CATALOGUE_POPULAR);
}

/* reco_trending(k, model) */
Datum
reco_trending(PG_FUNCTION_ARGS)
{
	return first_of(fcinfo, CATALOGUE_TRENDING);
}
