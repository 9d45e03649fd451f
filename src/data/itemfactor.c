#include "data/itemfactor.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "data/plan.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* The error of a row that is not what a refresh writes. */
static void
refuse(const Model *model)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
					errmsg("a row of \"%s.item_factor\" is damaged", model->name),
					errhint("Run reco_refresh to learn it anew.")));
}

static SPIPlanPtr
prepare(const char *sql, int arguments, Oid *types)
{
	SPIPlanPtr plan = SPI_prepare(sql, arguments, types);

	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", sql, SPI_result_code_string(SPI_result));
	return plan;
}

/* Runs a statement that writes; returns how many rows it wrote. */
static uint64
execute(const Model *model, SPIPlanPtr plan, Datum *values)
{
	int code = SPI_execute_plan(plan, values, NULL, false, 0);

	if (code != SPI_OK_INSERT && code != SPI_OK_DELETE)
		elog(ERROR, "could not write the factors of model \"%s\": %s", model->name,
			 SPI_result_code_string(code));
	return SPI_processed;
}

/* Deletes the rows of items that are gone, or all. */
static uint64
delete_gone(const Model *model, bool all)
{
	char *gone = psprintf(" f WHERE NOT EXISTS (SELECT FROM ONLY %s.learned_item l "
						  "WHERE l.item_id OPERATOR(pg_catalog.=) f.item_id)",
						  model->quoted);
	SPIPlanPtr plan =
		prepare(psprintf("DELETE FROM %s.item_factor%s", model->quoted, all ? "" : gone), 0, NULL);
	uint64 deleted = execute(model, plan, NULL);

	SPI_freeplan(plan);
	return deleted;
}

static Datum
factor_datum(const float *row, uint32 factors)
{
	Size bytes = ARR_OVERHEAD_NONULLS(1) + sizeof(float) * factors;
	ArrayType *array = palloc0(bytes);

	SET_VARSIZE(array, bytes);
	array->ndim = 1;
	array->elemtype = FLOAT4OID;
	ARR_DIMS(array)[0] = (int) factors;
	ARR_LBOUND(array)[0] = 1;
	memcpy(ARR_DATA_PTR(array), row, sizeof(float) * factors);
	return PointerGetDatum(array);
}

uint64
ItemFactorWrite(const Model *model, const IdSet *ids, const ItemFactorLearned *learned)
{
	Oid types[] = {IdType(model->item_kind), FLOAT4ARRAYOID};
	uint64 written = delete_gone(model, learned == NULL);
	SPIPlanPtr put;
	SPIPlanPtr drop;
	MemoryContext row;

	if (learned == NULL)
		return written;
	put = prepare(
		psprintf("INSERT INTO %s.item_factor AS f (item_id, item_no, factor) "
				 "SELECT l.item_id, l.item_no, $2 FROM ONLY %s.learned_item l "
				 "WHERE l.item_id OPERATOR(pg_catalog.=) $1 "
				 "ON CONFLICT (item_id) DO UPDATE SET item_no = excluded.item_no, "
				 "factor = excluded.factor "
				 "WHERE (f.item_no, f.factor) IS DISTINCT FROM (excluded.item_no, excluded.factor)",
				 model->quoted, model->quoted),
		2, types);
	drop = prepare(psprintf("DELETE FROM %s.item_factor WHERE item_id OPERATOR(pg_catalog.=) $1",
							model->quoted),
				   1, types);
	row = AllocSetContextCreate(CurrentMemoryContext, "reco row", ALLOCSET_SMALL_SIZES);
	for (uint32 i = 0; i < learned->items; i++)
	{
		const float *factor = learned->row + (size_t) i * learned->fold->width;
		MemoryContext caller = MemoryContextSwitchTo(row);
		Datum values[] = {IdSetDatum(ids, learned->id[i]),
						  factor_datum(factor, learned->fold->factors)};

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(caller);
		written += execute(model, learned->has[i] ? put : drop, values);
		MemoryContextReset(row);
	}
	MemoryContextDelete(row);
	SPI_freeplan(put);
	SPI_freeplan(drop);
	return written;
}

Datum
ItemFactorBase(const Fold *fold)
{
	int dims[] = {(int) fold->factors, (int) fold->factors};
	int bounds[] = {1, 1};
	Datum *cells = palloc(sizeof(Datum) * dims[0] * dims[0]);

	for (uint32 r = 0; r < fold->factors; r++)
		for (uint32 c = 0; c < fold->factors; c++)
			cells[r * fold->factors + c] =
				Float4GetDatum(fold->base[(size_t) Min(r, c) * fold->width + Max(r, c)]);
	return PointerGetDatum(construct_md_array(cells, NULL, 2, dims, bounds, FLOAT4OID,
											  sizeof(float4), true, TYPALIGN_INT));
}

/* The numbers of an array of so many dimensions, each of the same length; NULL for any other. */
static const float *
open_array(Datum datum, int dimensions, uint32 *length)
{
	ArrayType *array = DatumGetArrayTypeP(datum);
	const float *number = (const float *) ARR_DATA_PTR(array);
	int count;

	if (ARR_NDIM(array) != dimensions || ARR_ELEMTYPE(array) != FLOAT4OID || ARR_HASNULL(array))
		return NULL;
	count = ArrayGetNItems(dimensions, ARR_DIMS(array));
	for (int d = 1; d < dimensions; d++)
		if (ARR_DIMS(array)[d] != ARR_DIMS(array)[0])
			return NULL;
	for (int n = 0; n < count; n++)
		if (!isfinite(number[n]))
			return NULL;
	*length = (uint32) ARR_DIMS(array)[0];
	return number;
}

/* A value of the rows that SPI read, none of which may be NULL. */
static Datum
spi_value(const Model *model, uint64 row, int column)
{
	bool isnull;
	Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);

	if (isnull)
		refuse(model);
	return value;
}

Fold *
ItemFactorFold(const Model *model)
{
	Fold *fold = palloc0(sizeof(Fold));
	const float *cells = NULL;
	float *base;
	bool no_lambda = true;
	bool no_base = true;
	Datum value;

	if (PlanRun(psprintf("SELECT picked_factor_lambda::pg_catalog.float8, factor_base::real[] "
						 "FROM ONLY %s.model",
						 model->quoted),
				0, NULL, NULL, NULL) == 1)
	{
		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &no_lambda);
		fold->lambda = no_lambda ? 0 : (float) DatumGetFloat8(value);
		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &no_base);
		if (!no_base)
			cells = open_array(value, 2, &fold->factors);
	}
	if (cells == NULL || fold->factors > FOLD_FACTORS_MAX || !(fold->lambda > 0) ||
		!isfinite(fold->lambda))
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("the factors of model \"%s\" are damaged", model->name),
						errhint("Run reco_refresh to learn them anew.")));
	fold->width = FoldWidth(fold->factors);
	base = palloc0(sizeof(float) * fold->width * fold->width);
	for (uint32 r = 0; r < fold->factors; r++)
		memcpy(base + (size_t) r * fold->width, cells + (size_t) r * fold->factors,
			   sizeof(float) * fold->factors);
	fold->base = base;
	SPI_freetuptable(SPI_tuptable);
	return fold;
}

/* Copies the factors of a datum to a row. */
static void
take_factor(const Model *model, const Fold *fold, Datum datum, float *row)
{
	uint32 length;
	const float *factor = open_array(datum, 1, &length);

	if (factor == NULL || length != fold->factors)
		refuse(model);
	memcpy(row, factor, sizeof(float) * length);
	memset(row + length, 0, sizeof(float) * (fold->width - length));
}

/* The number of an item, checked. */
static uint32
take_number(const Model *model, Datum datum)
{
	uint32 item_no = (uint32) DatumGetInt32(datum);

	if (item_no >= model->item_slots)
		refuse(model);
	return item_no;
}

static int
by_item_no(const void *a, const void *b)
{
	uint32 x = ((const ItemFactorRow *) a)->item_no;
	uint32 y = ((const ItemFactorRow *) b)->item_no;

	return x < y ? -1 : x > y;
}

ItemFactorRow *
ItemFactorRead(const Model *model, const Fold *fold, const IdSet *ids, uint32 *count)
{
	Oid type = IdArrayType(model->item_kind);
	Datum array = IdSetArray(ids);
	uint64 found = PlanRun(psprintf("SELECT item_id::%s, item_no::pg_catalog.int4, factor::real[] "
									"FROM ONLY %s.item_factor "
									"WHERE item_id OPERATOR(pg_catalog.=) ANY ($1)",
									IdTypeName(model->item_kind), model->quoted),
						   1, &type, &array, NULL);
	ItemFactorRow *rows = palloc_extended(sizeof(ItemFactorRow) * Max(found, 1), MCXT_ALLOC_HUGE);
	float *factors = palloc_extended(sizeof(float) * fold->width * Max(found, 1), MCXT_ALLOC_HUGE);

	for (uint64 r = 0; r < found; r++)
	{
		float *row = factors + r * fold->width;

		CHECK_FOR_INTERRUPTS();
		rows[r].id = IdSetFind(ids, spi_value(model, r, 1));
		/* Where a collation or a changed type finds more than was asked for, it is not believed. */
		if (rows[r].id == ID_NONE)
			refuse(model);
		rows[r].item_no = take_number(model, spi_value(model, r, 2));
		take_factor(model, fold, spi_value(model, r, 3), row);
		rows[r].row = row;
	}
	SPI_freetuptable(SPI_tuptable);
	qsort(rows, found, sizeof(ItemFactorRow), by_item_no);
	*count = (uint32) found;
	return rows;
}

/* An item asked for by number, and where its row goes. */
typedef struct Wanted
{
	uint32 item_no;
	uint32 place;
} Wanted;

static int
by_number(const void *a, const void *b)
{
	uint32 x = ((const Wanted *) a)->item_no;
	uint32 y = ((const Wanted *) b)->item_no;

	return x < y ? -1 : x > y;
}

void
ItemFactorNumbers(const Model *model, const Fold *fold, const uint32 *item_no, uint32 count,
				  float *rows)
{
	Oid type = INT4ARRAYOID;
	Wanted *wanted = palloc_extended(sizeof(Wanted) * Max(count, 1), MCXT_ALLOC_HUGE);
	Datum *values = palloc_extended(sizeof(Datum) * Max(count, 1), MCXT_ALLOC_HUGE);
	Datum array;
	uint64 found;

	memset(rows, 0, sizeof(float) * fold->width * count);
	for (uint32 n = 0; n < count; n++)
	{
		wanted[n] = (Wanted){item_no[n], n};
		values[n] = Int32GetDatum((int32) item_no[n]);
	}
	qsort(wanted, count, sizeof(Wanted), by_number);
	array = PointerGetDatum(construct_array(values, (int) count, INT4OID, 4, true, TYPALIGN_INT));
	found = PlanRun(psprintf("SELECT item_no::pg_catalog.int4, factor::real[] "
							 "FROM ONLY %s.item_factor "
							 "WHERE item_no OPERATOR(pg_catalog.=) ANY ($1)",
							 model->quoted),
					1, &type, &array, NULL);
	for (uint64 r = 0; r < found; r++)
	{
		Wanted key = {take_number(model, spi_value(model, r, 1)), 0};
		const Wanted *at = bsearch(&key, wanted, count, sizeof(Wanted), by_number);

		CHECK_FOR_INTERRUPTS();
		if (at == NULL)
			refuse(model);
		take_factor(model, fold, spi_value(model, r, 2), rows + (size_t) at->place * fold->width);
	}
	SPI_freetuptable(SPI_tuptable);
	pfree(wanted);
	pfree(values);
}

/* A walk over all rows, and who wants them. */
typedef struct Walk
{
	const Model *model;
	const Fold *fold;
	float *row;
	ItemFactorTake take;
	void *with;
	MemoryContext context; /* of one row */
} Walk;

static void
take_row(TupleTableSlot *slot, void *with)
{
	Walk *walk = with;
	MemoryContext caller = MemoryContextSwitchTo(walk->context);

	CHECK_FOR_INTERRUPTS();
	if (slot->tts_isnull[0] || slot->tts_isnull[1])
		refuse(walk->model);
	take_factor(walk->model, walk->fold, slot->tts_values[1], walk->row);
	walk->take(take_number(walk->model, slot->tts_values[0]), walk->row, walk->with);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(walk->context);
}

void
ItemFactorEach(const Model *model, const Fold *fold, ItemFactorTake take, void *with)
{
	Walk walk = {.model = model, .fold = fold, .take = take, .with = with};

	walk.row = palloc(sizeof(float) * fold->width);
	walk.context = AllocSetContextCreate(CurrentMemoryContext, "reco row", ALLOCSET_DEFAULT_SIZES);
	PlanStream(psprintf("SELECT item_no::pg_catalog.int4, factor::real[] FROM ONLY %s.item_factor",
						model->quoted),
			   0, NULL, NULL, take_row, &walk);
	MemoryContextDelete(walk.context);
	pfree(walk.row);
}

/* Keeps a row by its number. */
static void
hold(uint32 item_no, const float *row, void *with)
{
	ItemFactors *factors = with;
	uint32 width = factors->fold->width;

	memcpy(factors->row + (size_t) item_no * width, row, sizeof(float) * width);
	factors->has[item_no] = true;
}

ItemFactors *
ItemFactorHold(const Model *model, Budget *budget)
{
	ItemFactors *factors = BudgetZeroed(budget, 1, sizeof(ItemFactors));

	factors->fold = ItemFactorFold(model);
	factors->row =
		BudgetZeroed(budget, (uint64) model->item_slots * factors->fold->width, sizeof(float));
	factors->has = BudgetZeroed(budget, model->item_slots, sizeof(bool));
	ItemFactorEach(model, factors->fold, hold, factors);
	return factors;
}
