#include "data/likings.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "data/catalogue.h"
#include "data/learned.h"
#include "data/plan.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* The columns of the table, as arrays of parameters. */
enum
{
	LIKING_ATTRIBUTE,
	LIKING_VALUE,
	LIKING_RANK,
	LIKING_ITEM,
	LIKING_USERS,
	LIKING_LIFT,
	LIKING_COLUMNS
};

/* Rows as an array for each column. */
static void
make_arrays(const Model *model, const IdSet *ids, const Liking *likings, uint32 count,
			Datum *arrays)
{
	const Oid types[LIKING_COLUMNS] = {TEXTOID, TEXTOID,  INT4OID, IdType(model->item_kind),
									   INT4OID, FLOAT8OID};
	Datum *column[LIKING_COLUMNS];

	for (int c = 0; c < LIKING_COLUMNS; c++)
		column[c] = palloc_extended(sizeof(Datum) * Max(count, 1), MCXT_ALLOC_HUGE);
	for (uint32 n = 0; n < count; n++)
	{
		const Liking *liking = &likings[n];

		CHECK_FOR_INTERRUPTS();
		column[LIKING_ATTRIBUTE][n] = CStringGetTextDatum(liking->attribute);
		column[LIKING_VALUE][n] = CStringGetTextDatum(liking->value);
		column[LIKING_RANK][n] = Int32GetDatum((int32) liking->rank);
		column[LIKING_ITEM][n] = IdSetDatum(ids, liking->id);
		column[LIKING_USERS][n] = Int32GetDatum((int32) liking->users);
		column[LIKING_LIFT][n] = Float8GetDatum(liking->lift);
	}
	for (int c = 0; c < LIKING_COLUMNS; c++)
		arrays[c] = PlanArray(column[c], count, types[c]);
}

/* Of several arrays, unnest is no function but what the parser makes of it: the system's own. */
void
LikingsWrite(const Model *model, const IdSet *ids, const Liking *likings, uint32 count)
{
	const Oid types[LIKING_COLUMNS] = {TEXTARRAYOID, TEXTARRAYOID,
									   INT4ARRAYOID, IdArrayType(model->item_kind),
									   INT4ARRAYOID, FLOAT8ARRAYOID};
	Datum arrays[LIKING_COLUMNS];

	make_arrays(model, ids, likings, count, arrays);
	if (SPI_execute_with_args(
			psprintf("DELETE FROM %s.learned_group AS g WHERE NOT EXISTS (SELECT FROM "
					 "unnest($1, $2, $3, $4, $5, $6) "
					 "AS n(attribute, value, rank, item_id, users, lift) "
					 "WHERE (n.attribute, n.value, n.rank) OPERATOR(pg_catalog.=) "
					 "(g.attribute, g.value, g.rank) "
					 "AND n.item_id OPERATOR(pg_catalog.=) g.item_id "
					 "AND n.users OPERATOR(pg_catalog.=) g.users "
					 "AND n.lift OPERATOR(pg_catalog.=) g.lift)",
					 model->quoted),
			LIKING_COLUMNS, (Oid *) types, arrays, NULL, false, 0) != SPI_OK_DELETE)
		elog(ERROR, "could not delete groups of model \"%s\"", model->name);
	if (SPI_execute_with_args(
			psprintf("INSERT INTO %s.learned_group (attribute, value, rank, item_id, users, lift) "
					 "SELECT n.attribute, n.value, n.rank, n.item_id, n.users, n.lift FROM "
					 "unnest($1, $2, $3, $4, $5, $6) "
					 "AS n(attribute, value, rank, item_id, users, lift) "
					 "ON CONFLICT (attribute, value, rank) DO NOTHING",
					 model->quoted),
			LIKING_COLUMNS, (Oid *) types, arrays, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write groups of model \"%s\"", model->name);
}

/* A row of a group that was read. */
typedef struct Told
{
	uint32 group; /* one of those asked for */
	uint32 item_no;
	Datum item;
	bool in_catalogue;
	double popularity_log2;
	double lift_log2;
} Told;

/* An item that some of the groups name. */
typedef struct Ranked
{
	uint32 item_no;
	Datum item;
	double score;
} Ranked;

static int
by_item_then_group(const void *a, const void *b)
{
	const Told *x = a;
	const Told *y = b;

	if (x->item_no != y->item_no)
		return x->item_no < y->item_no ? -1 : 1;
	return x->group < y->group ? -1 : x->group > y->group;
}

static int
best_first(const void *a, const void *b)
{
	const Ranked *x = a;
	const Ranked *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return x->item_no < y->item_no ? -1 : x->item_no > y->item_no;
}

/* What the rows that were read say, in order of item, then group. */
static Told *
take_told(const Model *model, uint64 rows)
{
	Told *told = palloc(sizeof(Told) * Max(rows, 1));

	for (uint64 r = 0; r < rows; r++)
	{
		Datum value[6];
		bool isnull = false;

		for (int c = 0; c < (int) lengthof(value) && !isnull; c++)
			value[c] = SPI_getbinval(SPI_tuptable->vals[r], SPI_tuptable->tupdesc, c + 1, &isnull);
		if (isnull)
			LearnedRefuse(model);
		told[r] = (Told){.group = (uint32) DatumGetInt64(value[0]),
						 .item_no = (uint32) DatumGetInt32(value[1]),
						 .item = value[2],
						 .in_catalogue = DatumGetBool(value[3]),
						 .popularity_log2 = DatumGetFloat8(value[4]),
						 .lift_log2 = log2(DatumGetFloat8(value[5]))};
	}
	qsort(told, rows, sizeof(Told), by_item_then_group);
	return told;
}

/*
 * The score of an item by the rows about it: log2 of its popularity and of its lift in every group.
 * A group that does not name it values it less than the least it names: that much is known of its
 * lift there, and no lift above 1 is made up.
 */
static double
score_of(const Told *told, uint64 count, const double *least, uint32 groups)
{
	double popularity = told[0].popularity_log2;
	double score = popularity;
	uint64 t = 0;

	for (uint32 g = 1; g <= groups; g++)
	{
		if (t < count && told[t].group == g)
			score += told[t++].lift_log2;
		else if (!isinf(least[g]))
			score += Min(0, least[g] - popularity);
	}
	return score;
}

/* What the groups of some attributes say, in order of item, then group. */
static Told *
read_told(const Model *model, Datum attributes, Datum values, uint64 *rows)
{
	const Oid types[] = {TEXTARRAYOID, TEXTARRAYOID};
	const Datum arguments[] = {attributes, values};

	ModelNeedsTable(model, "learned_group");
	*rows = PlanRun(
		psprintf(
			"SELECT a.n, l.item_no::pg_catalog.int4, l.item_id::%s, %s, "
			"l.%s::pg_catalog.float8, g.lift::pg_catalog.float8 "
			"FROM (SELECT d.attribute, d.value, pg_catalog.row_number() OVER "
			"(ORDER BY d.attribute COLLATE pg_catalog.\"C\", d.value COLLATE pg_catalog.\"C\") "
			"FROM (SELECT DISTINCT u.attribute, u.value FROM unnest($1, $2) "
			"AS u(attribute, value)) d) a(attribute, value, n) "
			"JOIN ONLY %s.learned_group g ON g.attribute OPERATOR(pg_catalog.=) a.attribute "
			"AND g.value OPERATOR(pg_catalog.=) a.value "
			"JOIN ONLY %s.learned_item l ON l.item_id OPERATOR(pg_catalog.=) g.item_id",
			IdTypeName(model->item_kind),
			model->has_items ? psprintf("EXISTS (SELECT FROM %s.items i "
										"WHERE i.item_id OPERATOR(pg_catalog.=) l.item_id)",
										model->quoted)
							 : "true",
			model->timed ? "recent_log2" : "popularity_log2", model->quoted, model->quoted),
		lengthof(types), types, arguments, NULL);
	return take_told(model, *rows);
}

LikedItem *
LikingsRank(const Model *model, Datum attributes, Datum values, uint32 *count)
{
	ArrayType *array = DatumGetArrayTypeP(attributes);
	uint32 groups = (uint32) ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	double *least = palloc(sizeof(double) * (groups + 1));
	uint64 rows;
	Told *told = read_told(model, attributes, values, &rows);
	Ranked *ranked = palloc(sizeof(Ranked) * Max(rows, 1));
	uint32 items = 0;
	LikedItem *item;

	for (uint32 g = 0; g <= groups; g++)
		least[g] = INFINITY;
	for (uint64 r = 0; r < rows; r++)
		least[told[r].group] =
			Min(least[told[r].group], told[r].popularity_log2 + told[r].lift_log2);
	for (uint64 r = 0, end; r < rows; r = end)
	{
		for (end = r + 1; end < rows && told[end].item_no == told[r].item_no; end++)
			;
		if (told[r].in_catalogue)
			ranked[items++] = (Ranked){.item_no = told[r].item_no,
									   .item = told[r].item,
									   .score = score_of(told + r, end - r, least, groups)};
	}
	qsort(ranked, items, sizeof(Ranked), best_first);
	item = palloc(sizeof(LikedItem) * Max(items, 1));
	for (uint32 n = 0; n < items; n++)
		item[n] = (LikedItem){ranked[n].item, ranked[n].score};
	*count = items;
	return item;
}
