#include "data/catalogue.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "data/kept.h"
#include "data/learned.h"
#include "data/lookup.h"
#include "data/plan.h"
#include "utils/array.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/uuid.h"

/* " AND the item is in the catalogue", for a query whose learned item is l. */
static const char *
catalogue_condition(const Model *model)
{
	if (!model->has_items)
		return "";
	return psprintf(" AND EXISTS (SELECT FROM %s.items i "
					"WHERE i.item_id OPERATOR(pg_catalog.=) l.item_id)",
					model->quoted);
}

static Datum
value(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

/* A value that is never NULL in what a refresh writes. */
static Datum
needed(const Model *model, uint64 row, int column)
{
	bool isnull;
	Datum datum = value(row, column, &isnull);

	if (isnull)
		LearnedRefuse(model);
	return datum;
}

static int
by_item_no(const void *a, const void *b)
{
	uint32 x = ((const CatalogueItem *) a)->item_no;
	uint32 y = ((const CatalogueItem *) b)->item_no;

	return x < y ? -1 : x > y;
}

/* An id that outlasts the row it was found in. */
static Datum
keep_id(const Model *model, Datum item)
{
	return model->item_kind == ID_INTEGER
			   ? item
			   : datumCopy(item, false, model->item_kind == ID_UUID ? UUID_LEN : -1);
}

/*
 * Those of the numbers that were learned, from the index.  A few, as most lists are of, are looked for
 * among what the session keeps first.
 */
static uint32
look_up_items(Lookup *lookup, const Model *model, const uint32 *item_no, uint32 count,
			  CatalogueItem *items)
{
	bool kept = count <= KEPT_TOGETHER && KeptBegin(lookup);
	const Datum *known[KEPT_TOGETHER] = {NULL};
	Datum number[KEPT_TOGETHER];
	uint32 found = 0;
	LookupRow row;

	for (uint32 n = 0; kept && n < count; n++)
		number[n] = Int64GetDatum(item_no[n]);
	if (kept)
		KeptFindIds(lookup, number, count, known);
	for (uint32 n = 0; n < count; n++)
	{
		Datum item;

		CHECK_FOR_INTERRUPTS();
		if (kept && known[n])
			item = *known[n];
		else if (LookupFind(lookup, Int64GetDatum(item_no[n]), &row))
			item = row.item;
		else
			continue;
		if (kept && known[n] == NULL)
			KeptAddId(lookup, number[n], &row);
		items[found++] = (CatalogueItem){.item_no = item_no[n], .item = keep_id(model, item)};
	}
	return found;
}

/* Those of the numbers that are in the catalogue, from SQL. */
static uint32
query_items(const Model *model, const uint32 *item_no, uint32 count, CatalogueItem *items)
{
	Oid type = INT4ARRAYOID;
	Datum *values = palloc(sizeof(Datum) * Max(count, 1));
	Datum array;
	uint64 rows;

	for (uint32 n = 0; n < count; n++)
		values[n] = Int32GetDatum((int32) item_no[n]);
	array = PointerGetDatum(construct_array(values, (int) count, INT4OID, 4, true, TYPALIGN_INT));
	rows =
		PlanRun(psprintf("SELECT l.item_no::pg_catalog.int4, l.item_id::%s "
						 "FROM ONLY %s.learned_item l "
						 "WHERE l.item_no OPERATOR(pg_catalog.=) ANY ($1)%s",
						 IdTypeName(model->item_kind), model->quoted, catalogue_condition(model)),
				1, &type, &array, NULL);
	ModelNeedsName(model);
	/* Numbers are unique: an index says so. */
	if (rows > count)
		LearnedRefuse(model);
	for (uint64 r = 0; r < rows; r++)
		items[r] = (CatalogueItem){
			.item_no = DatumGetInt32(needed(model, r, 1)),
			.item = keep_id(model, needed(model, r, 2)),
		};
	SPI_freetuptable(SPI_tuptable);
	return (uint32) rows;
}

CatalogueItem *
CatalogueFind(const Model *model, const uint32 *item_no, uint32 count, uint32 *found)
{
	CatalogueItem *items = palloc(sizeof(CatalogueItem) * Max(count, 1));
	Lookup *lookup = model->has_items ? NULL : LookupOpen(model, LOOKUP_ITEM_NO);

	if (lookup)
	{
		*found = look_up_items(lookup, model, item_no, count, items);
		LookupClose(lookup);
	}
	else
		*found = query_items(model, item_no, count, items);
	qsort(items, *found, sizeof(CatalogueItem), by_item_no);
	return items;
}

const CatalogueItem *
CatalogueAt(const CatalogueItem *items, uint32 found, uint32 item_no)
{
	CatalogueItem wanted = {.item_no = item_no};

	return bsearch(&wanted, items, found, sizeof(CatalogueItem), by_item_no);
}

/* What is filled while all of the catalogue goes by. */
typedef struct Filling
{
	const Model *model;
	bool *in_catalogue;
} Filling;

static void
take_number(TupleTableSlot *row, void *with)
{
	Filling *filling = with;
	uint32 item_no = DatumGetInt32(row->tts_values[0]);

	if (row->tts_isnull[0] || item_no >= filling->model->item_slots)
		LearnedRefuse(filling->model);
	filling->in_catalogue[item_no] = true;
}

void
CatalogueFindAll(const Model *model, bool *in_catalogue)
{
	Filling filling = {.model = model, .in_catalogue = in_catalogue};

	PlanStream(psprintf("SELECT l.item_no::pg_catalog.int4 FROM ONLY %s.learned_item l "
						"WHERE true%s",
						model->quoted, catalogue_condition(model)),
			   0, NULL, NULL, take_number, &filling);
	ModelNeedsName(model);
}

bool
CatalogueHas(const Model *model, Datum item)
{
	Oid type = IdType(model->item_kind);
	uint64 found =
		PlanRun(psprintf("SELECT FROM %s c WHERE c.item_id OPERATOR(pg_catalog.=) $1 LIMIT 1",
						 model->has_items ? psprintf("%s.items", model->quoted)
										  : psprintf("ONLY %s.learned_item", model->quoted)),
				1, &type, &item, NULL);

	SPI_freetuptable(SPI_tuptable);
	ModelNeedsName(model);
	return found > 0;
}

Portal
CatalogueOpen(const Model *model, CatalogueOrder order, const IdSet *some)
{
	Oid type = IdArrayType(model->item_kind);
	Datum array = some ? IdSetArray(some) : (Datum) 0;
	const char *learned =
		psprintf("SELECT l.item_id::%s, l.popularity_log2::pg_catalog.float8, "
				 "l.recent_log2::pg_catalog.float8, l.users::pg_catalog.int4 "
				 "FROM ONLY %s.learned_item l WHERE true%s%s",
				 IdTypeName(model->item_kind), model->quoted, catalogue_condition(model),
				 some ? " AND l.item_id OPERATOR(pg_catalog.=) ANY ($1)" : "");
	const char *sql;

	switch (order)
	{
		case CATALOGUE_TRENDING:
			sql = psprintf("%s AND l.trending_rank IS NOT NULL ORDER BY l.trending_rank", learned);
			break;
		case CATALOGUE_POPULAR:
			sql = psprintf("%s AND l.events OPERATOR(pg_catalog.>) 0 "
						   "ORDER BY l.popularity_log2 DESC NULLS LAST, l.item_no",
						   learned);
			break;
		case CATALOGUE_OBSCURE:
			sql = psprintf("%s ORDER BY l.popularity_log2 NULLS FIRST, l.item_no DESC", learned);
			break;
		default:
			if (!model->has_items)
			{
				sql = psprintf("%s AND l.events OPERATOR(pg_catalog.=) 0 ORDER BY l.item_id",
							   learned);
				break;
			}
			sql = psprintf(
				"SELECT i.item_id::%s, NULL::pg_catalog.float8, NULL::pg_catalog.float8, 0 "
				"FROM %s.items i WHERE i.item_id IS NOT NULL AND NOT EXISTS "
				"(SELECT FROM %s.learned_item l "
				"WHERE l.item_id OPERATOR(pg_catalog.=) i.item_id "
				"AND l.events OPERATOR(pg_catalog.>) 0)%s ORDER BY %si.item_id",
				IdTypeName(model->item_kind), model->quoted, model->quoted,
				some ? " AND i.item_id OPERATOR(pg_catalog.=) ANY ($1)" : "",
				model->has_released ? "i.released_at DESC NULLS LAST, " : "");
			break;
	}
	return PlanOpen(sql, some != NULL, &type, &array);
}

/* What comes before an item while it is handed over. */
typedef struct Passing
{
	const Model *model;
	CatalogueTake take;
	void *with;
} Passing;

static void
pass_number(TupleTableSlot *row, void *with)
{
	const Passing *passing = with;
	uint32 item_no = DatumGetInt32(row->tts_values[0]);

	if (row->tts_isnull[0] || item_no >= passing->model->item_slots)
		LearnedRefuse(passing->model);
	passing->take(item_no, passing->with);
}

/* True for an item that is in the order of popularity, with what it goes by there; isnull for none. */
static bool
find_popular(const Model *model, Datum item, Datum *popularity, bool *isnull, Datum *item_no)
{
	Oid type = IdType(model->item_kind);
	uint64 found = PlanRun(psprintf("SELECT l.popularity_log2::pg_catalog.float8, "
									"l.item_no::pg_catalog.int4 FROM ONLY %s.learned_item l "
									"WHERE l.item_id OPERATOR(pg_catalog.=) $1 "
									"AND l.events OPERATOR(pg_catalog.>) 0%s",
									model->quoted, catalogue_condition(model)),
						   1, &type, &item, NULL);

	ModelNeedsName(model);
	if (found > 0)
	{
		*popularity = value(0, 1, isnull);
		*item_no = needed(model, 0, 2);
	}
	SPI_freetuptable(SPI_tuptable);
	return found > 0;
}

/* Hands over those of the catalogue of which a condition holds. */
static void
pass_those(const Passing *passing, const char *condition, const Oid *types, const Datum *values,
		   int arguments)
{
	const Model *model = passing->model;

	PlanStream(psprintf("SELECT l.item_no::pg_catalog.int4 FROM ONLY %s.learned_item l WHERE %s%s",
						model->quoted, condition, catalogue_condition(model)),
			   arguments, types, values, pass_number, (void *) passing);
	ModelNeedsName(model);
}

/*
 * What has a popularity has events, too, as a refresh writes it, so that these need not be asked for:
 * they are not in the index.
 */
bool
CatalogueBefore(const Model *model, Datum item, CatalogueTake take, void *with)
{
	const Oid types[] = {INT4OID, FLOAT8OID};
	Passing passing = {model, take, with};
	Datum values[] = {Int32GetDatum(PG_INT32_MAX), (Datum) 0};
	bool isnull = true;
	bool found = find_popular(model, item, &values[1], &isnull, &values[0]);

	if (found && !isnull)
	{
		pass_those(&passing,
				   "l.popularity_log2 OPERATOR(pg_catalog.>=) $2 AND "
				   "(l.popularity_log2 OPERATOR(pg_catalog.>) $2 "
				   "OR l.item_no OPERATOR(pg_catalog.<) $1)",
				   types, values, 2);
		return true;
	}
	pass_those(&passing, "l.popularity_log2 IS NOT NULL", NULL, NULL, 0);
	pass_those(&passing,
			   "l.popularity_log2 IS NULL AND l.events OPERATOR(pg_catalog.>) 0 "
			   "AND l.item_no OPERATOR(pg_catalog.<) $1",
			   types, values, 1);
	return found;
}

CatalogueRow *
CatalogueNext(const Model *model, Portal walk, long count, uint64 *rows)
{
	CatalogueRow *out;

	*rows = PlanFetch(walk, count);
	ModelNeedsName(model);
	out = palloc(sizeof(CatalogueRow) * Max(*rows, 1));
	for (uint64 r = 0; r < *rows; r++)
	{
		bool isnull;
		double popularity;
		double recent;

		out[r].item = needed(model, r, 1);
		popularity = DatumGetFloat8(value(r, 2, &isnull));
		out[r].popularity = isnull ? 0 : DecayedRate(popularity, model->popularity_offset);
		recent = DatumGetFloat8(value(r, 3, &isnull));
		recent = isnull ? 0 : DecayedRate(recent, model->recent_offset);
		out[r].trend = DecayedTrend(recent, out[r].popularity, model->trend_prior);
		out[r].users = DatumGetInt32(value(r, 4, &isnull));
	}
	return out;
}

double
CatalogueValue(CatalogueOrder order, const CatalogueRow *row)
{
	switch (order)
	{
		case CATALOGUE_TRENDING:
			/* A refresh ranks them in single precision. */
			return log2((float) row->trend);
		case CATALOGUE_POPULAR:
			return log2(row->popularity);
		default:
			return 0;
	}
}
