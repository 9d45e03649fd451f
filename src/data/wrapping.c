#include "data/wrapping.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "data/columns.h"
#include "data/template.h"
#include "data/unfinished.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/lsyscache.h"

/*
 * What the rows are made of.  $1 and $2 are the bounds, $3 the time zone, $4 how many of each list, $5
 * when the stretch before begins, $6 who.  Events are read twice, for what was chosen and for when: an hour at a time is all that days and
 * peaks need.  Weights are summed as whole numbers or as numeric, so that no order of rows shows in a sum.
 */
static const char *const gathering =
	"WITH pair AS MATERIALIZED ("
	"  SELECT e.user_id::{user} AS user_id, e.item_id::{item} AS item_id, count(*) FILTER (WHERE {at} >= $1) AS n,"
	"    count(*) FILTER (WHERE {at} < $1 AND {at} >= $5) AS n_before,"
	"    coalesce(sum({exact}) FILTER (WHERE {at} >= $1), 0) AS amount,"
	"    coalesce(sum({exact}) FILTER (WHERE {at} < $1 AND {at} >= $5), 0) AS amount_before,"
	"    min({at}) AS ever, min({at}) FILTER (WHERE {at} >= $1) AS first_at, max({at}) AS last_at"
	"  FROM {model}.events e WHERE {counts} AND {weight} > 0 AND {at} < $2{who}"
	"  GROUP BY e.user_id::{user}, e.item_id::{item}),"
	" person AS MATERIALIZED ("
	"  SELECT p.user_id, sum(p.n)::bigint AS n, sum(p.n_before)::bigint AS n_before,"
	"    sum(p.amount)::numeric AS amount, sum(p.amount_before)::numeric AS amount_before,"
	"    count(*) FILTER (WHERE p.n > 0) AS items, count(*) FILTER (WHERE p.n_before > 0) AS items_before,"
	"    count(*) FILTER (WHERE p.ever >= $1) AS found, min(p.ever) >= $1 AS is_new,"
	"    min(p.first_at) AS first_at, max(p.last_at) AS last_at"
	"  FROM pair p GROUP BY p.user_id HAVING sum(p.n) > 0),"
	" slot AS MATERIALIZED ("
	"  SELECT s.user_id, s.hour::date AS day, extract(hour FROM s.hour)::int AS hour, s.now, s.n"
	"  FROM (SELECT e.user_id::{user} AS user_id, date_trunc('hour', {at} AT TIME ZONE $3) AS hour, {at} >= $1 AS now, count(*) AS n"
	"    FROM {model}.events e WHERE {counts} AND {weight} > 0 AND {at} < $2 AND {at} >= $5{who}"
	"    GROUP BY e.user_id::{user}, date_trunc('hour', {at} AT TIME ZONE $3), {at} >= $1) s),"
	" day AS (SELECT DISTINCT s.user_id, s.day, s.now FROM slot s),"
	" days AS ("
	"  SELECT d.user_id, count(*) FILTER (WHERE d.now) AS days, count(*) FILTER (WHERE NOT d.now) AS days_before"
	"  FROM day d GROUP BY d.user_id),"
	" streak AS ("
	"  SELECT DISTINCT ON (r.user_id) r.* FROM (SELECT d.user_id, count(*) AS days, min(d.day) AS since, max(d.day) AS until"
	"    FROM (SELECT d.user_id, d.day, d.day - (row_number() OVER (PARTITION BY d.user_id ORDER BY d.day))::int AS run"
	"      FROM day d WHERE d.now) d GROUP BY d.user_id, d.run) r"
	"  ORDER BY r.user_id, r.days DESC, r.since),"
	" hour AS ("
	"  SELECT DISTINCT ON (h.user_id) h.* FROM (SELECT s.user_id, s.hour, sum(s.n) AS n FROM slot s WHERE s.now GROUP BY 1, 2) h"
	"  ORDER BY h.user_id, h.n DESC, h.hour),"
	" weekday AS ("
	"  SELECT DISTINCT ON (w.user_id) w.* FROM (SELECT s.user_id, extract(isodow FROM s.day)::int AS weekday, sum(s.n) AS n"
	"    FROM slot s WHERE s.now GROUP BY 1, 2) w"
	"  ORDER BY w.user_id, w.n DESC, w.weekday),"
	" crowd AS ({crowd}),"
	" standing AS ("
	"  SELECT c.user_id, CASE WHEN count(*) OVER () > 1 THEN percent_rank() OVER (ORDER BY c.n) END AS percentile,"
	"    count(*) OVER () AS users FROM crowd c),"
	" fans AS ({fans}),"
	/* What was found is counted in the order of the tops, which is theirs. */
	" liked AS MATERIALIZED ("
	"  SELECT * FROM (SELECT p.user_id, p.item_id, p.n, p.amount, p.amount_before, p.first_at, p.ever >= $1 AS is_new,"
	"      row_number() OVER best AS top, count(*) FILTER (WHERE p.ever >= $1) OVER best AS found"
	"    FROM pair p WHERE p.n > 0"
	"    WINDOW best AS (PARTITION BY p.user_id ORDER BY p.amount DESC, p.n DESC, p.item_id{c} ROWS UNBOUNDED PRECEDING)) l"
	"  WHERE l.top <= $4 OR l.is_new AND l.found <= $4),"
	" rare AS ("
	"  SELECT * FROM (SELECT p.user_id, p.item_id, f.users,"
	"      row_number() OVER (PARTITION BY p.user_id ORDER BY f.users, p.amount DESC, p.item_id{c}) AS rank"
	"    FROM pair p JOIN fans f ON f.item_id = p.item_id WHERE p.n > 0) r WHERE r.rank <= $4),"
	" label AS ({label}),"
	" category AS MATERIALIZED ("
	"  SELECT c.*, row_number() OVER (PARTITION BY c.user_id ORDER BY c.amount DESC, c.category COLLATE \"C\") AS rank"
	"  FROM (SELECT p.user_id, l.category, sum(p.amount / l.labels::numeric) AS amount, sum(p.amount_before / l.labels::numeric) AS amount_before"
	"    FROM pair p JOIN label l ON l.item_id = p.item_id GROUP BY p.user_id, l.category) c WHERE c.amount > 0),"
	" whole AS MATERIALIZED ("
	"  SELECT p.*, s.percentile, s.users, d.days, d.days_before, l.item_id AS top_item, l.amount / p.amount AS top_share,"
	"    p.found / p.items::numeric AS found_share, c.category AS top_category, c.amount / p.amount AS category_share"
	"  FROM person p JOIN standing s ON s.user_id = p.user_id JOIN days d ON d.user_id = p.user_id"
	"  JOIN liked l ON l.user_id = p.user_id AND l.top = 1"
	"  LEFT JOIN category c ON c.user_id = p.user_id AND c.rank = 1),"
	" told(user_id, number, part, rank, item_id, label, value, before, share, share_before, percentile, began_at, ended_at, rule) AS ("
	"  SELECT w.user_id, v.* FROM whole w CROSS JOIN LATERAL (VALUES"
	"    (1, 'events', 1, NULL::{item}, NULL, w.n::float8, w.n_before::float8, NULL::float8, NULL::float8,"
	"      w.percentile, NULL::timestamptz, NULL::timestamptz, NULL),"
	"    (2, 'amount', 1, NULL, NULL, w.amount::float8, w.amount_before::float8, NULL, NULL, NULL, NULL, NULL, NULL),"
	"    (3, 'items', 1, NULL, NULL, w.items, w.items_before, NULL, NULL, NULL, NULL, NULL, NULL),"
	"    (4, 'days', 1, NULL, NULL, w.days, w.days_before, NULL, NULL, NULL, NULL, NULL, NULL),"
	"    (12, 'discovery', 1, NULL, NULL, w.found, NULL, w.found_share::float8, NULL, NULL, NULL, NULL, NULL)) v"
	"  UNION ALL SELECT f.* FROM (SELECT p.user_id, 5, 'first', 1, min(p.item_id{c}), NULL, NULL::float8, NULL::float8,"
	"    NULL::float8, NULL::float8, NULL::float8, p.first_at, NULL::timestamptz, NULL FROM pair p"
	"    JOIN person w ON w.user_id = p.user_id AND w.first_at = p.first_at GROUP BY p.user_id, p.first_at) f"
	"  UNION ALL SELECT l.* FROM (SELECT p.user_id, 6, 'last', 1, min(p.item_id{c}), NULL, NULL::float8, NULL::float8,"
	"    NULL::float8, NULL::float8, NULL::float8, p.last_at, NULL::timestamptz, NULL FROM pair p"
	"    JOIN person w ON w.user_id = p.user_id AND w.last_at = p.last_at GROUP BY p.user_id, p.last_at) l"
	"  UNION ALL SELECT s.user_id, 7, 'streak', 1, NULL, NULL, s.days, NULL, NULL, NULL, NULL,"
	"    s.since::timestamp AT TIME ZONE $3, (s.until + 1)::timestamp AT TIME ZONE $3, NULL FROM streak s"
	"  UNION ALL SELECT h.user_id, 8, 'peak_hour', 1, NULL, NULL, h.hour, NULL, h.n / w.n, NULL, NULL, NULL, NULL, NULL"
	"    FROM hour h JOIN whole w ON w.user_id = h.user_id"
	"  UNION ALL SELECT d.user_id, 9, 'peak_weekday', 1, NULL, (ARRAY['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday',"
	"    'Saturday', 'Sunday'])[d.weekday], d.weekday, NULL, d.n / w.n, NULL, NULL, NULL, NULL, NULL"
	"    FROM weekday d JOIN whole w ON w.user_id = d.user_id"
	"  UNION ALL SELECT l.user_id, 10, 'top_items', l.top, l.item_id, NULL, l.amount, l.amount_before, l.amount / w.amount,"
	"    l.amount_before / nullif(w.amount_before, 0), NULL, l.first_at, NULL, NULL"
	"    FROM liked l JOIN whole w ON w.user_id = l.user_id WHERE l.top <= $4"
	"  UNION ALL SELECT c.user_id, 11, 'top_categories', c.rank, NULL, c.category, c.amount, c.amount_before, c.amount / w.amount,"
	"    c.amount_before / nullif(w.amount_before, 0), NULL, NULL, NULL, NULL"
	"    FROM category c JOIN whole w ON w.user_id = c.user_id WHERE c.rank <= $4"
	"  UNION ALL SELECT l.user_id, 13, 'discoveries', l.found, l.item_id, NULL, l.amount, NULL, l.amount / w.amount,"
	"    NULL, NULL, l.first_at, NULL, NULL"
	"    FROM liked l JOIN whole w ON w.user_id = l.user_id WHERE l.is_new AND l.found <= $4"
	"  UNION ALL SELECT r.user_id, 14, 'rare_items', r.rank, r.item_id, NULL, r.users, NULL, r.users / w.users::float8,"
	"    NULL, NULL, NULL, NULL, NULL"
	"    FROM rare r JOIN whole w ON w.user_id = r.user_id"
	"  UNION ALL SELECT w.user_id, 15, 'type', 1, NULL, t.name, NULL, NULL, NULL, NULL, NULL, NULL, NULL, t.rule"
	"    FROM whole w CROSS JOIN LATERAL (SELECT v.* FROM (VALUES"
	"      (1, 'newcomer', w.is_new, 'nothing was chosen before'),"
	"      (2, 'devotee', w.top_share >= 0.3, round(w.top_share, 2) || ' of the amount is one item, from 0.3 on'),"
	"      (3, 'explorer', w.found_share >= 0.8, round(w.found_share, 2) || ' of the items are new to them, from 0.8 on'),"
	"      (4, 'specialist', w.category_share >= 0.5, round(w.category_share, 2) || ' of the amount is one category, from 0.5 on'),"
	"      (5, 'returner', w.n >= 3 * w.items, round(w.n / w.items::numeric, 2) || ' times each item, from 3 on'),"
	"      (6, 'loyalist', w.found_share <= 0.2, round(w.found_share, 2) || ' of the items are new to them, up to 0.2'),"
	"      (7, 'allrounder', true, 'no other rule holds')) v(number, name, holds, rule)"
	"      WHERE v.holds ORDER BY v.number LIMIT 1) t),"
	" story AS ("
	"  SELECT t.user_id, t.number, t.part, t.rank::int4 AS rank, t.item_id, {title} AS label, t.value, t.before,"
	"    t.value / nullif(t.before, 0) - 1 AS change, t.share, t.share_before, t.percentile, t.began_at, t.ended_at, t.rule"
	"  FROM told t {titles})";

static const char *const as_rows =
	" SELECT r.user_id, r.part, r.rank, r.item_id, r.label, r.value, r.before, r.change, r.share, r.share_before,"
	"  r.percentile, r.began_at, r.ended_at, r.rule"
	" FROM story r ORDER BY r.user_id, r.number, r.rank";

/* Lists are arrays in the order of their ranks, whatever there is one of an object. */
static const char *const as_document =
	" SELECT o.user_id, jsonb_build_object('since', $1, 'until', $2, 'time_zone', $3) || jsonb_object_agg(o.part,"
	"  CASE WHEN o.number IN (10, 11, 13, 14) THEN o.list ELSE o.list -> 0 END)"
	" FROM (SELECT r.user_id, r.number, r.part, jsonb_agg(jsonb_strip_nulls(jsonb_build_object('item_id', r.item_id,"
	"    'label', r.label, 'value', r.value, 'before', r.before, 'change', r.change, 'share', r.share,"
	"    'share_before', r.share_before, 'percentile', r.percentile, 'began_at', r.began_at, 'ended_at', r.ended_at,"
	"    'rule', r.rule)) ORDER BY r.rank) AS list"
	"  FROM story r GROUP BY r.user_id, r.number, r.part) o"
	" GROUP BY o.user_id ORDER BY o.user_id";

/* How many events everybody has, and how many people an item. */
static const char *const crowd_of_all = "SELECT p.user_id, p.n FROM person p";
static const char *const fans_of_all =
	"SELECT p.item_id, count(*) AS users FROM pair p WHERE p.n > 0 GROUP BY p.item_id";

/* The same where the events of one user alone are gathered. */
static const char *const crowd_of_one =
	"SELECT e.user_id::{user} AS user_id, count(*) AS n FROM {model}.events e"
	" WHERE {counts} AND {weight} > 0 AND {at} >= $1 AND {at} < $2 GROUP BY e.user_id";
static const char *const fans_of_one =
	"SELECT e.item_id::{item} AS item_id, count(DISTINCT e.user_id) AS users FROM {model}.events e"
	" WHERE {counts} AND {weight} > 0 AND {at} >= $1 AND {at} < $2"
	"  AND e.item_id::{item} IN (SELECT p.item_id FROM pair p WHERE p.n > 0) GROUP BY e.item_id";

/* The categories of items, each once, with how many there are of the same item. */
static const char *const labels =
	"SELECT d.item_id, d.category, count(*) OVER (PARTITION BY d.item_id) AS labels"
	" FROM (SELECT DISTINCT i.item_id::{item} AS item_id, {values} AS category FROM {model}.items i) d"
	" WHERE d.item_id IS NOT NULL AND d.category IS NOT NULL";
static const char *const no_labels =
	"SELECT NULL::{item} AS item_id, NULL::text AS category, 1 AS labels WHERE false";

/* The values of the category, one a row. */
static const char *
values_of(const Model *model, const WrappingAsk *ask)
{
	const char *column;
	Oid type;

	if (ask->category == NULL)
		return "";
	column = psprintf("i.%s", quote_identifier(ask->category));
	type = ColumnType(model, "items", ask->category);
	return OidIsValid(get_base_element_type(type))
			   ? psprintf("unnest(%s)", ColumnTexts(column, type))
			   : ColumnText(column, type);
}

/* When the stretch before begins: as long before as this one lasts, or as there are times. */
static TimestampTz
begin_before(const WrappingAsk *ask)
{
	TimestampTz length;
	TimestampTz begin;

	if (pg_sub_s64_overflow(ask->until, ask->since, &length) ||
		pg_sub_s64_overflow(ask->since, length, &begin) || !IS_VALID_TIMESTAMP(begin))
		return MIN_TIMESTAMP;
	return begin;
}

/* The weight of an event as a number that sums exactly. */
static const char *
exact_weight(const Model *model)
{
	Oid type = OidIsValid(model->weight_type) ? getBaseType(model->weight_type) : INT4OID;

	if (!OidIsValid(model->weight_type))
		return "1";
	return type == INT2OID || type == INT4OID ? "e.weight::int4" : "e.weight::numeric";
}

/* Settings of the session for as long as a statement runs. */
static void
set_for_now(const char *name, const char *value)
{
	set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/*
 * Plans for what there is: the planner does not know how many rows a WITH has, and takes loops for joins
 * of a hundred thousand to a hundred thousand.
 */
static int
plan_for_many(void)
{
	int nest = NewGUCNestLevel();
	int memory = Max(work_mem, maintenance_work_mem / 4);

	set_for_now("enable_nestloop", "off");
	set_for_now("jit", "off");
	set_for_now("work_mem", psprintf("%d", memory));
	return nest;
}

void
WrappingRun(const Model *model, const WrappingAsk *ask, PlanTake take, void *with)
{
	enum
	{
		OWN_WORDS = 10,
		ARGUMENTS = 6
	};
	TemplateWord words[UNFINISHED_WORDS + OWN_WORDS + 1] = {{NULL, NULL}};
	TemplateWord *own = words + UNFINISHED_WORDS;
	int nest;
	const Oid types[ARGUMENTS] = {TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID,
								  INT4OID,        TIMESTAMPTZOID, IdType(model->user_kind)};
	const Datum values[ARGUMENTS] = {
		TimestampTzGetDatum(ask->since),        TimestampTzGetDatum(ask->until),
		CStringGetTextDatum(ask->zone),         Int32GetDatum(ask->k),
		TimestampTzGetDatum(begin_before(ask)), ask->user};

	UnfinishedWords(model, UnfinishedNothing(), words);
	own[0] = (TemplateWord){"{user}", IdTypeName(model->user_kind)};
	own[1] = (TemplateWord){"{values}", values_of(model, ask)};
	own[2] = (TemplateWord){"{who}", ask->everybody ? "" : " AND e.user_id = $6"};
	own[8] = (TemplateWord){"{exact}", exact_weight(model)};
	own[9] = (TemplateWord){"{c}", model->item_kind == ID_TEXT ? " COLLATE \"C\"" : ""};
	own[3] = (TemplateWord){"{crowd}",
							TemplateFill(ask->everybody ? crowd_of_all : crowd_of_one, words)};
	own[4] =
		(TemplateWord){"{fans}", TemplateFill(ask->everybody ? fans_of_all : fans_of_one, words)};
	own[5] = (TemplateWord){"{label}", TemplateFill(ask->category ? labels : no_labels, words)};
	own[6] = (TemplateWord){"{title}", ask->title ? "coalesce(t.label, n.title)" : "t.label"};
	own[7] = (TemplateWord){
		"{titles}",
		ask->title ? psprintf("LEFT JOIN (SELECT i.item_id::%s AS item_id, min(%s) AS title"
							  " FROM %s.items i GROUP BY i.item_id) n ON n.item_id = t.item_id",
							  IdTypeName(model->item_kind),
							  ColumnText(psprintf("i.%s", quote_identifier(ask->title)),
										 ColumnType(model, "items", ask->title)),
							  model->quoted)
				   : ""};
	nest = plan_for_many();
	PlanStream(
		psprintf("%s%s", TemplateFill(gathering, words), ask->document ? as_document : as_rows),
		ask->everybody ? ARGUMENTS - 1 : ARGUMENTS, types, values, take, with);
	AtEOXact_GUC(false, nest);
	AtEOXact_GUC(false, nest);
}
