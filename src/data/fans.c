#include "data/fans.h"

#include "catalog/pg_type.h"
#include "data/events.h"
#include "data/learned.h"
#include "data/plan.h"
#include "executor/spi.h"
#include "utils/array.h"

/* $1 are the items, $2 what they weigh, $3 how many users. */
static char *
query(const Model *model)
{
	return psprintf(
		"SELECT e.user_id, pg_catalog.sum(a.weight) OPERATOR(pg_catalog./) pg_catalog.sqrt(pg_catalog.count(*)::pg_catalog.float8) AS score,"
		" (pg_catalog.array_agg(e.item_id ORDER BY a.weight DESC, e.item_id) FILTER (WHERE a.weight OPERATOR(pg_catalog.>) 0))[1],"
		" pg_catalog.count(a.item_id)::pg_catalog.int4"
		" FROM (SELECT DISTINCT %s AS user_id, %s AS item_id FROM %s.events v"
		" WHERE v.user_id IS NOT NULL AND v.item_id IS NOT NULL%s) e"
		" LEFT JOIN ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS a(item_id, weight)"
		" ON a.item_id OPERATOR(pg_catalog.=) e.item_id"
		" GROUP BY e.user_id HAVING pg_catalog.count(a.item_id) OPERATOR(pg_catalog.>) 0"
		" ORDER BY score DESC, e.user_id LIMIT $3",
		IdColumn(model->user_kind, "v.user_id"), IdColumn(model->item_kind, "v.item_id"),
		model->quoted, EventsChose(model, "v"));
}

static Datum
weights(const double *weight, uint32 count)
{
	Datum *element = palloc(sizeof(Datum) * (count + 1));

	for (uint32 n = 0; n < count; n++)
		element[n] = Float8GetDatum(weight[n]);
	return PlanArray(element, count, FLOAT8OID);
}

/* A value of a row, none of which is NULL. */
static Datum
column(const Model *model, uint64 row, int number)
{
	bool is_null;
	Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, number, &is_null);

	if (is_null)
		LearnedRefuse(model);
	return value;
}

Fan *
FansRead(const Model *model, const IdSet *ids, const uint32 *number, const double *weight,
		 uint32 count, uint32 k, uint64 *found)
{
	const Oid types[] = {IdArrayType(model->item_kind), FLOAT8ARRAYOID, INT8OID};
	const Datum values[] = {IdSetArrayOf(ids, number, count), weights(weight, count),
							Int64GetDatum(k > 0 ? (int64) k : PG_INT64_MAX)};
	Fan *fans;

	*found = count > 0 ? PlanRun(query(model), lengthof(types), types, values, NULL) : 0;
	fans = palloc(sizeof(Fan) * (*found + 1));
	for (uint64 row = 0; row < *found; row++)
		fans[row] = (Fan){column(model, row, 1), DatumGetFloat8(column(model, row, 2)),
						  column(model, row, 3), DatumGetInt32(column(model, row, 4))};
	return fans;
}
