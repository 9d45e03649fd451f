/*
 * similar.c: reco_similar_items, and the unpacking of stored neighbours for views.
 */
#include "api/door.h"
#include "catalog/pg_type.h"
#include "data/catalogue.h"
#include "data/learned.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(reco_similar_items);
PG_FUNCTION_INFO_V1(reco_unpack_neighbors);

static const Oid similar_types[] = {DOOR_ITEM, FLOAT8OID, INT4OID};

/* Puts out the k best neighbours of a row that are in the catalogue. */
static void
put_neighbors(DoorRows *rows, const Model *model, Datum similar_to, const Packed *row, uint32 k)
{
	uint32 *support = palloc(sizeof(uint32) * Max(row->count, 1));
	uint32 *order = palloc(sizeof(uint32) * Max(row->count, 1));
	CatalogueItem *items;
	uint32 found;

	if (!PackedSupport(row, support))
		LearnedRefuseNeighbors(model, similar_to);
	PackedOrder(row, order);
	items = CatalogueFind(model, row->item, row->count, &found);
	for (uint32 n = 0; n < row->count && (k == 0 || rows->count < k); n++)
	{
		uint32 at = order[n];
		const CatalogueItem *item = CatalogueAt(items, found, row->item[at]);
		Datum values[lengthof(similar_types)];
		bool nulls[lengthof(similar_types)] = {0};

		/* Below 0 one is chosen instead of the other, which is not what similar means. */
		if (item == NULL || row->similarity[at] <= 0)
			continue;
		values[0] = DoorItemOut(rows, item->item);
		values[1] = Float8GetDatum(row->similarity[at]);
		values[2] = Int32GetDatum((int32) Min(support[at], PG_INT32_MAX));
		DoorPut(rows, values, nulls);
	}
}

/* reco_similar_items(similar_to, k, model) */
Datum
reco_similar_items(PG_FUNCTION_ARGS)
{
	Model *model = DoorModel(fcinfo, 2);
	Datum item = DoorItem(fcinfo, 0, model);
	uint32 k = DoorK(fcinfo, 1);
	Budget *budget = BudgetCreate(CurrentMemoryContext, "similar items", SIZE_MAX);
	DoorRows rows = DoorOpen(fcinfo, model, similar_types, lengthof(similar_types), false);
	IdSet *wanted;
	LearnedRow *learned;
	uint32 found;

	if (PG_ARGISNULL(0))
		return (Datum) 0;
	DoorEnter(model);
	wanted = IdSetCreate(model->item_kind, budget);
	IdSetAdd(wanted, item);
	learned = LearnedReadWhole(model, wanted, &found);
	if (found == 1)
		put_neighbors(&rows, model, item, &learned[0].packed, k);
	DoorLeave(model);
	BudgetDestroy(budget);
	return (Datum) 0;
}

/* The error of bytes that are no packed list, with the item whose they are. */
static void
refuse_packed(FunctionCallInfo fcinfo)
{
	Oid output;
	bool isvarlena;

	getTypeOutputInfo(get_fn_expr_argtype(fcinfo->flinfo, 2), &output, &isvarlena);
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
					errmsg("the neighbours of item %s are damaged",
						   OidOutputFunctionCall(output, PG_GETARG_DATUM(2))),
					errhint("Run reco_refresh to learn them anew.")));
}

/* reco_unpack_neighbors(neighbors, number, item): the rows of the packed list of one item. */
Datum
reco_unpack_neighbors(PG_FUNCTION_ARGS)
{
	bytea *packed = PG_GETARG_BYTEA_P_COPY(0);
	ReturnSetInfo *out = (ReturnSetInfo *) fcinfo->resultinfo;
	uint32 *support;
	uint32 *order;
	Packed view;

	InitMaterializedSRF(fcinfo, 0);
	if (!PackedOpen((unsigned char *) VARDATA(packed), VARSIZE(packed) - VARHDRSZ, PG_INT32_MAX,
					&view) ||
		view.item_no != (uint32) PG_GETARG_INT32(1))
		refuse_packed(fcinfo);
	support = palloc(sizeof(uint32) * Max(view.count, 1));
	if (!PackedSupport(&view, support))
		refuse_packed(fcinfo);
	order = palloc(sizeof(uint32) * Max(view.count, 1));
	PackedOrder(&view, order);
	for (uint32 n = 0; n < view.count; n++)
	{
		Datum values[] = {
			Int32GetDatum((int32) n + 1),
			Int32GetDatum((int32) view.item[order[n]]),
			Float8GetDatum(view.similarity[order[n]]),
			Int32GetDatum((int32) Min(support[order[n]], PG_INT32_MAX)),
		};
		bool nulls[lengthof(values)] = {0};

		tuplestore_putvalues(out->setResult, out->setDesc, values, nulls);
	}
	return (Datum) 0;
}
