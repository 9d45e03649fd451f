#include "data/hooking.h"

#include "catalog/pg_type.h"
#include "data/plan.h"
#include "executor/spi.h"

/*
 * Who saw which part first when, who of them saw the last one, and of each part the share of these.  $1 is the share from which an item is finished, $2 what is
 * asked for, $3 how many viewers, $4 how long ago in seconds, $5 whether all parts are wanted.
 */
static const char *const query =
	"WITH part AS MATERIALIZED ("
	"  SELECT o.item_id, o.series, row_number() OVER series AS episode,"
	"    count(*) OVER (PARTITION BY o.series) AS episodes"
	"  FROM (SELECT DISTINCT ON (i.item_id) i.item_id::{item}{by_bytes} AS item_id, {series} AS series, {order} AS place"
	"    FROM {model}.items i WHERE i.item_id IS NOT NULL AND {series} IS NOT NULL AND {order} IS NOT NULL"
	"    ORDER BY i.item_id, {series}, {order}) o"
	"  WINDOW series AS (PARTITION BY o.series ORDER BY o.place, o.item_id)),"
	" seen AS ("
	"  SELECT e.user_id, p.series, p.episode, p.episodes, min({at}) AS at"
	"  FROM {model}.events e JOIN part p ON p.item_id = e.item_id::{item}{by_bytes}"
	"  WHERE {counts} AND CASE WHEN {progress} IS NULL THEN {weight} > 0 ELSE {progress} >= $1 END"
	"    AND coalesce({at} <= statement_timestamp(), true)"
	"  GROUP BY e.user_id, p.series, p.episode, p.episodes),"
	" fate AS ("
	"  SELECT s.*, bool_or(s.episode = s.episodes) OVER (PARTITION BY s.user_id, s.series) AS finishes,"
	"    max(s.at) OVER () AS newest FROM seen s),"
	" counted AS ("
	"  SELECT f.series, f.episode, count(*) AS n, count(*) FILTER (WHERE f.finishes) AS finishers"
	"  FROM fate f WHERE coalesce(f.at <= f.newest - make_interval(secs => $4), true)"
	"  GROUP BY f.series, f.episode),"
	" measured AS ("
	"  SELECT p.series, p.item_id, p.episode, p.episodes, coalesce(c.n, 0) AS n,"
	"    coalesce(c.finishers, 0) AS finishers, c.finishers / c.n::float8 AS share"
	"  FROM part p LEFT JOIN counted c ON c.series = p.series AND c.episode = p.episode),"
	" bounded AS ("
	"  SELECT m.*, m.episode < m.episodes AND m.n >= $3 AND m.share >= $2 AS holds FROM measured m),"
	" told AS ("
	"  SELECT b.*, coalesce(b.holds AND b.episode ="
	"    min(b.episode) FILTER (WHERE b.holds) OVER (PARTITION BY b.series), false) AS hook"
	"  FROM bounded b)"
	" SELECT t.series, t.item_id, t.episode::int4, t.episodes::int4, t.n, t.finishers, t.share, t.hook"
	" FROM told t WHERE $5 OR t.hook ORDER BY t.series COLLATE \"C\", t.episode";

void
HookingCount(const Model *model, const Unfinished *unfinished, int64 *parts, int64 *unordered)
{
	TemplateWord words[UNFINISHED_WORDS + 1] = {{NULL, NULL}};
	bool isnull;

	UnfinishedWords(model, unfinished, words);
	PlanRun(
		TemplateFill("SELECT count(*), count(*) FILTER (WHERE {order} IS NULL) "
					 "FROM {model}.items i WHERE i.item_id IS NOT NULL AND {series} IS NOT NULL",
					 words),
		0, NULL, NULL, NULL);
	*parts = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	*unordered =
		DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
	SPI_freetuptable(SPI_tuptable);
}

uint64
HookingRun(const Model *model, const Unfinished *unfinished, const HookingAsk *ask)
{
	static const Oid types[] = {FLOAT8OID, FLOAT8OID, INT4OID, FLOAT8OID, BOOLOID};
	TemplateWord words[UNFINISHED_WORDS + 1] = {{NULL, NULL}};
	Datum values[lengthof(types)] = {Float8GetDatum(unfinished->finished),
									 Float8GetDatum(ask->least), Int32GetDatum(ask->viewers),
									 Float8GetDatum(ask->patience), BoolGetDatum(ask->every)};

	UnfinishedWords(model, unfinished, words);
	return PlanRun(TemplateFill(query, words), lengthof(types), types, values, NULL);
}
