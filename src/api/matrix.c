/*
 * matrix.c: the functions of the type reco_matrix, its aggregates, and reco_neighbors.
 */
#include "api/door.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "data/cells.h"
#include "learn/neighbors.h"
#include "libpq/pqformat.h"
#include "math/decay.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/tuplestore.h"
#include "utils/uuid.h"

PG_FUNCTION_INFO_V1(reco_matrix_in);
PG_FUNCTION_INFO_V1(reco_matrix_out);
PG_FUNCTION_INFO_V1(reco_matrix_recv);
PG_FUNCTION_INFO_V1(reco_matrix_send);
PG_FUNCTION_INFO_V1(reco_matrix_add);
PG_FUNCTION_INFO_V1(reco_matrix_merge);
PG_FUNCTION_INFO_V1(reco_neighbors);
PG_FUNCTION_INFO_V1(reco_typed_neighbors);

/* Where a function's result must live: the aggregate's memory, or the caller's. */
static MemoryContext
result_context(FunctionCallInfo fcinfo)
{
	MemoryContext aggregate;

	return AggCheckCallContext(fcinfo, &aggregate) ? aggregate : CurrentMemoryContext;
}

/* The kind of an argument's type. */
static IdKind
argument_kind(FunctionCallInfo fcinfo, int argument, const char *what)
{
	Oid type = get_fn_expr_argtype(fcinfo->flinfo, argument);
	IdKind kind;

	if (!OidIsValid(type) || !IdKindOfType(type, &kind))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("%s of reco_matrix has type %s", what,
							   OidIsValid(type) ? format_type_be(type) : "unknown"),
						errhint("It may be %s: cast it.", ID_TYPES)));
	return kind;
}

/* What the transition function finds out once in a query. */
typedef struct AddState
{
	IdKind user_kind;
	IdKind item_kind;
	Oid user_type;
	Oid item_type;
} AddState;

/* reco_matrix_add(state, user_id, item_id, weight) */
Datum
reco_matrix_add(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	AddState *add = fcinfo->flinfo->fn_extra;
	Cells *matrix;
	double weight;
	Cell cell;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("reco_matrix_add is the transition function of an aggregate"),
						errhint("Use reco_matrix(user_id, item_id, weight).")));
	if (add == NULL)
	{
		add = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(AddState));
		add->user_kind = argument_kind(fcinfo, 1, "user_id");
		add->item_kind = argument_kind(fcinfo, 2, "item_id");
		add->user_type = get_fn_expr_argtype(fcinfo->flinfo, 1);
		add->item_type = get_fn_expr_argtype(fcinfo->flinfo, 2);
		fcinfo->flinfo->fn_extra = add;
	}

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	weight = PG_GETARG_FLOAT8(3);
	if (!isfinite(weight))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("weight of reco_matrix is not a finite number"),
						errhint("Leave such rows out with FILTER (WHERE ...).")));

	matrix = PG_ARGISNULL(0) ? CellsCreate(context, add->user_kind, add->item_kind)
							 : CellsGetWritable(PG_GETARG_DATUM(0), context);
	if (IdSetKind(matrix->users) != add->user_kind || IdSetKind(matrix->items) != add->item_kind)
		CellsRefuse();
	cell.user = IdSetAdd(matrix->users, IdNormalise(PG_GETARG_DATUM(1), add->user_type));
	cell.item = IdSetAdd(matrix->items, IdNormalise(PG_GETARG_DATUM(2), add->item_type));
	cell.weight = weight;
	CellsAppend(matrix, cell);
	PG_RETURN_DATUM(CellsDatum(matrix));
}

/* reco_matrix_merge(a, b): as a function, as a combine function and as a transition function. */
Datum
reco_matrix_merge(PG_FUNCTION_ARGS)
{
	MemoryContext context = result_context(fcinfo);
	Cells *into;
	Cells *from;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));

	from = CellsGet(PG_GETARG_DATUM(1), CurrentMemoryContext);
	into = PG_ARGISNULL(0) ? CellsCreate(context, IdSetKind(from->users), IdSetKind(from->items))
						   : CellsGetWritable(PG_GETARG_DATUM(0), context);
	if (IdSetKind(into->users) != IdSetKind(from->users) ||
		IdSetKind(into->items) != IdSetKind(from->items))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("matrices of different id types cannot be merged")));

	if (into == from)
	{
		for (uint64 c = 0; c < into->count; c++)
			into->cell[c].weight = CellsSum(2 * into->cell[c].weight);
		PG_RETURN_DATUM(CellsDatum(into));
	}
	CellsAdd(into, from);
	PG_RETURN_DATUM(CellsDatum(into));
}

/* Names of the kinds in text form. */
static const char *const kind_names[ID_KINDS] = {"bigint", "uuid", "text"};

static void
put_json_id(StringInfo out, const IdSet *set, uint32 number)
{
	Datum id = IdSetDatum(set, number);

	switch (IdSetKind(set))
	{
		case ID_INTEGER:
			appendStringInfo(out, INT64_FORMAT, DatumGetInt64(id));
			break;
		case ID_UUID:
			escape_json(out, DatumGetCString(DirectFunctionCall1(uuid_out, id)));
			break;
		default:
			escape_json(out, TextDatumGetCString(id));
			break;
	}
}

/* reco_matrix_out(matrix): {"user": kind, "item": kind, "cells": [[user, item, weight], ...]} */
Datum
reco_matrix_out(PG_FUNCTION_ARGS)
{
	Cells *matrix = CellsGet(PG_GETARG_DATUM(0), CurrentMemoryContext);
	StringInfoData out;
	Cell *sorted = CellsSorted(matrix);
	uint32 *user = CellsByRank(matrix->user_rank, IdSetCount(matrix->users));
	uint32 *item = CellsByRank(matrix->item_rank, IdSetCount(matrix->items));

	initStringInfo(&out);
	appendStringInfo(&out, "{\"user\": \"%s\", \"item\": \"%s\", \"cells\": [",
					 kind_names[IdSetKind(matrix->users)], kind_names[IdSetKind(matrix->items)]);
	for (uint64 c = 0; c < matrix->count; c++)
	{
		CHECK_FOR_INTERRUPTS();
		appendStringInfoString(&out, c == 0 ? "[" : ", [");
		put_json_id(&out, matrix->users, user[sorted[c].user]);
		appendStringInfoString(&out, ", ");
		put_json_id(&out, matrix->items, item[sorted[c].item]);
		appendStringInfo(&out, ", %s]", float8out_internal(sorted[c].weight));
	}
	appendStringInfoString(&out, "]}");
	PG_RETURN_CSTRING(out.data);
}

/* Raises the error of text that is JSON but no matrix. */
static void
refuse_text(const char *detail)
{
	ereport(
		ERROR,
		(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
		 errmsg("invalid input syntax for type reco_matrix"), errdetail("%s", detail),
		 errhint(
			 "Write {\"user\": \"bigint\", \"item\": \"text\", \"cells\": [[1, \"a\", 2.5]]}.")));
}

static JsonbValue *
json_key(JsonbContainer *object, const char *key)
{
	return getKeyJsonValueFromContainer(object, key, (int) strlen(key), NULL);
}

static IdKind
json_kind(JsonbContainer *object, const char *key)
{
	JsonbValue *value = json_key(object, key);

	if (value && value->type == jbvString)
		for (int kind = 0; kind < ID_KINDS; kind++)
			if ((int) strlen(kind_names[kind]) == value->val.string.len &&
				strncmp(kind_names[kind], value->val.string.val, value->val.string.len) == 0)
				return kind;
	refuse_text("\"user\" and \"item\" must be \"bigint\", \"uuid\" or \"text\".");
	return ID_TEXT;
}

static Datum
json_id(const JsonbValue *value, IdKind kind)
{
	if (value && kind == ID_INTEGER && value->type == jbvNumeric)
		return DirectFunctionCall1(
			int8in, DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
	if (value && kind != ID_INTEGER && value->type == jbvString)
	{
		char *text = pnstrdup(value->val.string.val, value->val.string.len);

		return kind == ID_UUID ? DirectFunctionCall1(uuid_in, CStringGetDatum(text))
							   : CStringGetTextDatum(text);
	}
	refuse_text("An id is not of the kind the matrix says.");
	return (Datum) 0;
}

/* reco_matrix_in(cstring) */
Datum
reco_matrix_in(PG_FUNCTION_ARGS)
{
	Jsonb *json = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, PG_GETARG_DATUM(0)));
	JsonbValue *list;
	Cells *matrix;
	uint32 count;

	if (!JB_ROOT_IS_OBJECT(json))
		refuse_text("It must be an object.");
	list = json_key(&json->root, "cells");
	if (list == NULL || list->type != jbvBinary || !JsonContainerIsArray(list->val.binary.data))
		refuse_text("\"cells\" must be an array.");
	matrix = CellsCreate(CurrentMemoryContext, json_kind(&json->root, "user"),
						 json_kind(&json->root, "item"));

	count = JsonContainerSize(list->val.binary.data);
	for (uint32 c = 0; c < count; c++)
	{
		JsonbValue *row = getIthJsonbValueFromContainer(list->val.binary.data, c);
		JsonbContainer *triple;
		JsonbValue *weight;
		Cell cell;

		CHECK_FOR_INTERRUPTS();
		if (row->type != jbvBinary || !JsonContainerIsArray(row->val.binary.data) ||
			JsonContainerSize(row->val.binary.data) != 3)
			refuse_text("A cell must be an array of user, item and weight.");
		triple = row->val.binary.data;
		weight = getIthJsonbValueFromContainer(triple, 2);
		if (weight->type != jbvNumeric)
			refuse_text("A weight must be a number.");
		cell.user = IdSetAdd(matrix->users, json_id(getIthJsonbValueFromContainer(triple, 0),
													IdSetKind(matrix->users)));
		cell.item = IdSetAdd(matrix->items, json_id(getIthJsonbValueFromContainer(triple, 1),
													IdSetKind(matrix->items)));
		cell.weight = DatumGetFloat8(
			DirectFunctionCall1(numeric_float8, NumericGetDatum(weight->val.numeric)));
		CellsAppend(matrix, cell);
	}
	PG_RETURN_DATUM(CellsDatum(matrix));
}

/* reco_matrix_send(matrix): the image. */
Datum
reco_matrix_send(PG_FUNCTION_ARGS)
{
	Cells *matrix = CellsGet(PG_GETARG_DATUM(0), CurrentMemoryContext);
	Size size = EOH_get_flat_size(&matrix->header);
	bytea *flat = palloc(size);

	EOH_flatten_into(&matrix->header, flat, size);
	PG_RETURN_BYTEA_P(flat);
}

/* reco_matrix_recv(internal): the image, every byte of it checked. */
Datum
reco_matrix_recv(PG_FUNCTION_ARGS)
{
	StringInfo in = (StringInfo) PG_GETARG_POINTER(0);
	int length = in->len - in->cursor;
	const char *bytes = pq_getmsgbytes(in, length);
	Cells *matrix =
		CellsFromImage((const unsigned char *) bytes, length, CurrentMemoryContext, true);

	PG_RETURN_DATUM(CellsDatum(matrix));
}

static Sparse
alloc_sparse(uint32 rows, uint32 columns, uint64 count, Budget *budget)
{
	return (Sparse){
		.rows = rows,
		.columns = columns,
		.start = BudgetZeroed(budget, (uint64) rows + 1, sizeof(uint64)),
		.column = BudgetAlloc(budget, count, sizeof(uint32)),
		.value = BudgetAlloc(budget, count, sizeof(float)),
	};
}

/* Sorts every row: turned twice, a matrix has its rows in order. */
static void
sort_rows(Sparse *a, Budget *budget)
{
	Sparse turned = alloc_sparse(a->columns, a->rows, SparseCount(a), budget);

	SparseCountColumns(a, a->rows, turned.start);
	SparseOffsets(turned.start, turned.rows);
	SparseTurn(a, 0, &turned);
	SparseTurn(&turned, 0, a);
	BudgetFree(budget, turned.start);
	BudgetFree(budget, turned.column);
	BudgetFree(budget, turned.value);
}

/* The sparse matrix of a matrix's positive cells, items in the order of their ids. */
static Sparse
to_sparse(Cells *matrix, Weighting weighting, Budget *budget)
{
	uint32 users = IdSetCount(matrix->users);
	Sparse by_user;
	uint64 count = 0;

	CellsArrange(matrix);
	for (uint64 c = 0; c < matrix->count; c++)
		count += matrix->cell[c].weight > 0;
	by_user = alloc_sparse(users, IdSetCount(matrix->items), count, budget);

	for (uint64 c = 0; c < matrix->count; c++)
		if (matrix->cell[c].weight > 0)
			by_user.start[matrix->user_rank[matrix->cell[c].user]]++;
	SparseOffsets(by_user.start, users);
	for (uint64 c = 0; c < matrix->count; c++)
	{
		const Cell *cell = &matrix->cell[c];
		uint64 at;

		if (cell->weight <= 0)
			continue;
		at = by_user.start[matrix->user_rank[cell->user]]++;
		by_user.column[at] = matrix->item_rank[cell->item];
		by_user.value[at] = (float) Min(WeightingValue(weighting, cell->weight), FLT_MAX);
	}
	memmove(by_user.start + 1, by_user.start, sizeof(uint64) * users);
	by_user.start[0] = 0;

	sort_rows(&by_user, budget);
	if (SparseIsUniform(&by_user))
	{
		by_user.uniform = by_user.value[0];
		BudgetFree(budget, by_user.value);
		by_user.value = NULL;
	}
	return by_user;
}

/*
 * Raises an error unless an option of reco_neighbors is one its setting may have; NULL is
 * otherwise.
 */
static Datum
option(FunctionCallInfo fcinfo, int argument, SettingNo setting, Datum otherwise)
{
	if (PG_ARGISNULL(argument))
		return otherwise;
	SettingCheck(setting, PG_GETARG_DATUM(argument));
	return PG_GETARG_DATUM(argument);
}

static int
choice(FunctionCallInfo fcinfo, int argument, SettingNo setting, int otherwise)
{
	return PG_ARGISNULL(argument) ? otherwise : SettingChoice(setting, DoorText(fcinfo, argument));
}

/* The columns of reco_neighbors. */
enum
{
	NEIGHBOR_ITEM,
	NEIGHBOR_RANK,
	NEIGHBOR_SIMILAR,
	NEIGHBOR_SIMILARITY,
	NEIGHBOR_SUPPORT,
	NEIGHBOR_COLUMNS
};

/* The rows of the result, item by item, best first. */
static void
put_neighbors(ReturnSetInfo *out, const Cells *matrix, const Neighbors *neighbors,
			  MemoryContext row)
{
	Oid type = TupleDescAttr(out->setDesc, NEIGHBOR_ITEM)->atttypid;
	IdKind kind = IdSetKind(matrix->items);
	uint32 *sorted = CellsByRank(matrix->item_rank, neighbors->items);

	for (uint32 i = 0; i < neighbors->items; i++)
	{
		for (uint64 e = neighbors->start[i]; e < neighbors->start[i] + neighbors->scored[i]; e++)
		{
			const Best *entry = &neighbors->entry[e];
			Datum values[NEIGHBOR_COLUMNS];
			bool nulls[NEIGHBOR_COLUMNS] = {0};
			MemoryContext caller = MemoryContextSwitchTo(row);

			CHECK_FOR_INTERRUPTS();
			values[NEIGHBOR_ITEM] = IdAsType(IdSetDatum(matrix->items, sorted[i]), kind, type);
			values[NEIGHBOR_RANK] = Int32GetDatum((int32) (e - neighbors->start[i]) + 1);
			values[NEIGHBOR_SIMILAR] =
				IdAsType(IdSetDatum(matrix->items, sorted[entry->index]), kind, type);
			values[NEIGHBOR_SIMILARITY] = Float8GetDatum(entry->value);
			values[NEIGHBOR_SUPPORT] = Int32GetDatum((int32) Min(entry->support, PG_INT32_MAX));
			tuplestore_putvalues(out->setResult, out->setDesc, values, nulls);
			MemoryContextSwitchTo(caller);
			MemoryContextReset(row);
		}
	}
}

/* (matrix, k, similarity, min_support, shrinkage, keep, weighting), from argument first on */
static Datum
neighbors_of(FunctionCallInfo fcinfo, int first)
{
	ReturnSetInfo *out = (ReturnSetInfo *) fcinfo->resultinfo;
	SimilarityOptions options;
	Weighting weighting;
	Budget *budget;
	Cells *matrix;
	Sparse by_user;
	Rows rows;
	Oid type;
	IdKind kind;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(first))
		return (Datum) 0;
	options.rule =
		SimilarityPreset(choice(fcinfo, first + 2, SETTING_SIMILARITY, SIMILARITY_COSINE));
	if (options.rule.kind == SIMILARITY_AUTO)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("reco_neighbors cannot pick a similarity"),
				 errhint("Name one, such as 'cosine' or 'ridge'; only a model, which has users "
						 "to try it on, can have 'auto'.")));
	if (options.rule.kind == SIMILARITY_NEXT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("reco_neighbors cannot tell what follows what"),
				 errhint("A matrix has no times; only a model whose events have some can have "
						 "'next'.")));
	options.lambda = SIMILARITY_LAMBDA_DEFAULT;
	options.damping = SIMILARITY_DAMPING_DEFAULT;
	options.blend = SIMILARITY_BLEND_DEFAULT;
	options.indirect = SIMILARITY_INDIRECT_DEFAULT;
	options.candidates = SIMILARITY_CANDIDATES_DEFAULT;
	options.k = DatumGetInt32(option(fcinfo, first + 1, SETTING_NEIGHBORS, Int32GetDatum(20)));
	options.rule.min_support = DatumGetInt32(option(fcinfo, first + 3, SETTING_MIN_SUPPORT,
													Int32GetDatum(SIMILARITY_MIN_SUPPORT_DEFAULT)));
	options.rule.shrinkage =
		DatumGetFloat8(option(fcinfo, first + 4, SETTING_SHRINKAGE, Float8GetDatum(0)));
	options.keep = choice(fcinfo, first + 5, SETTING_KEEP, SIMILARITY_KEEP_SOURCE);
	weighting = choice(fcinfo, first + 6, SETTING_WEIGHTING, WEIGHTING_LINEAR);

	matrix = CellsGet(PG_GETARG_DATUM(first), CurrentMemoryContext);
	type = TupleDescAttr(out->setDesc, NEIGHBOR_ITEM)->atttypid;
	if (getBaseType(type) != type)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("item_type may not be a domain, such as %s", format_type_be(type))));
	if (type != TEXTOID && (!IdKindOfType(type, &kind) || kind != IdSetKind(matrix->items)))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("the matrix has %s items, not %s",
							   kind_names[IdSetKind(matrix->items)], format_type_be(type))));

	budget = BudgetCreate(CurrentMemoryContext, "reco_neighbors", BudgetMaintenance());
	by_user = to_sparse(matrix, weighting, budget);
	rows = RowsInMemory(&by_user, by_user.rows);
	put_neighbors(out, matrix, NeighborsLearn(&rows, &options, budget),
				  AllocSetContextCreate(CurrentMemoryContext, "reco row", ALLOCSET_SMALL_SIZES));
	BudgetDestroy(budget);
	return (Datum) 0;
}

/* reco_neighbors(matrix, ...): ids as text */
Datum
reco_neighbors(PG_FUNCTION_ARGS)
{
	return neighbors_of(fcinfo, 0);
}

/* reco_neighbors(item_type, matrix, ...): ids of the type of the first argument */
Datum
reco_typed_neighbors(PG_FUNCTION_ARGS)
{
	return neighbors_of(fcinfo, 1);
}
