#include "data/resuming.h"

#include "catalog/pg_type.h"
#include "data/consent.h"
#include "data/plan.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/timestamp.h"

/*
 * The state of an item or a series at the end of each visit: open, where something waits, and gone
 * where it was removed.  $1 is the share from which an item is finished, $2, $3 and $4 the signals of
 * baskets, $5 the time zone.  Where fewer than min_support users had trials nothing is counted.
 */
static const char *const counting =
	"WITH mine AS MATERIALIZED ("
	"  SELECT e.user_id, e.item_id::{item}{by_bytes} AS item_id, {at} AS at, ({at} AT TIME ZONE $5)::date AS day,"
	"    {progress} AS progress, {signal} AS signal, {weight} AS weight"
	"  FROM {learned_from} e WHERE {counts} AND {at} <= clock_timestamp(){some}),"
	" visit AS MATERIALIZED ("
	"  SELECT d.user_id, d.day, row_number() OVER (PARTITION BY d.user_id ORDER BY d.day) AS visit,"
	"    count(*) OVER (PARTITION BY d.user_id) AS visits"
	"  FROM (SELECT DISTINCT m.user_id, m.day FROM mine m) d),"
	" state AS ("
	"  SELECT 'unfinished' AS kind, s.user_id, s.item_id::text COLLATE \"C\" AS subject, s.day, s.progress, s.gone,"
	"    NOT s.gone AND s.progress > 0 AND s.progress < $1 AS open"
	"  FROM (SELECT DISTINCT ON (m.user_id, m.item_id, m.day) m.user_id, m.item_id, m.day, m.progress,"
	"      coalesce(m.signal = ANY ($4), false) AS gone"
	"    FROM mine m WHERE m.progress IS NOT NULL OR m.signal = ANY ($4)"
	"    ORDER BY m.user_id, m.item_id, m.day, m.at DESC, coalesce(m.signal = ANY ($4), false) DESC,"
	"      m.progress DESC NULLS LAST) s"
	"  UNION ALL"
	"  SELECT 'basket', s.user_id, s.item_id::text COLLATE \"C\", s.day, 0, s.signal = ANY ($4), s.signal = ANY ($2)"
	"  FROM (SELECT DISTINCT ON (m.user_id, m.item_id, m.day) m.user_id, m.item_id, m.day, m.signal"
	"    FROM mine m WHERE m.signal = ANY ($2 || $3 || $4)"
	"    ORDER BY m.user_id, m.item_id, m.day, m.at DESC, m.signal = ANY ($2), m.signal = ANY ($3)) s"
	"  {series_state}),"
	" waited AS ("
	"  SELECT p.kind, p.user_id, p.progress, coalesce(a.visit, v.visits + 1) - v.visit - (a.visit IS NULL)::int AS trials,"
	"    p.again IS NOT NULL AND NOT p.removed AS resumed"
	"  FROM (SELECT s.*, lead(s.day) OVER later AS again, lead(s.gone) OVER later AS removed"
	"    FROM state s WINDOW later AS (PARTITION BY s.kind, s.user_id, s.subject ORDER BY s.day)) p"
	"  JOIN visit v ON v.user_id = p.user_id AND v.day = p.day"
	"  LEFT JOIN visit a ON a.user_id = p.user_id AND a.day = p.again"
	"  WHERE p.open),"
	" counted AS ("
	"  SELECT b.*, coalesce(sum(greatest(0, least(coalesce(w.trials, 0), b.visit_to) - b.visit_from + 1)), 0)::bigint AS trials,"
	"    count(*) FILTER (WHERE w.resumed AND w.trials BETWEEN b.visit_from AND b.visit_to) AS resumed,"
	"    count(DISTINCT w.user_id) FILTER (WHERE w.trials >= b.visit_from) >= {min_support} AS told"
	"  FROM (SELECT k.kind, k.progress_from::float8, k.progress_to::float8, v.visit_from, v.visit_to"
	"    FROM (VALUES ('unfinished', 0, 0.25), ('unfinished', 0.25, 0.5), ('unfinished', 0.5, 0.75),"
	"        ('unfinished', 0.75, 1), ('basket', 0, 1), ('next', 0, 1)) k(kind, progress_from, progress_to),"
	"      (VALUES (1, 1), (2, 2), (3, 4), (5, 8), (9, 2147483647)) v(visit_from, visit_to)) b"
	"  LEFT JOIN waited w ON w.kind = b.kind AND w.progress >= b.progress_from AND w.progress < b.progress_to"
	"  GROUP BY b.kind, b.progress_from, b.progress_to, b.visit_from, b.visit_to),"
	" cell AS ("
	"  SELECT c.kind, c.progress_from, c.progress_to, c.visit_from, c.visit_to,"
	"    CASE WHEN c.told THEN c.trials ELSE 0 END AS trials, CASE WHEN c.told THEN c.resumed ELSE 0 END AS resumed"
	"  FROM counted c),"
	" wider AS ("
	"  SELECT c.*, sum(c.trials) OVER kind AS kind_trials, sum(c.resumed) OVER kind AS kind_resumed,"
	"    sum(c.trials) OVER visit AS visit_trials, sum(c.resumed) OVER visit AS visit_resumed"
	"  FROM cell c WINDOW kind AS (PARTITION BY c.kind), visit AS (PARTITION BY c.kind, c.visit_from))"
	" SELECT w.kind, w.progress_from, w.progress_to, w.visit_from, w.visit_to, w.trials, w.resumed,"
	"  (w.resumed + 20 * ((w.visit_resumed + 20 * ((w.kind_resumed + 1)::float8 / (w.kind_trials + 2)::float8))"
	"    / (w.visit_trials + 20)::float8)) / (w.trials + 20)::float8"
	" FROM wider w WHERE w.kind_trials > 0 ORDER BY w.kind, w.progress_from, w.visit_from";

/* Series at the end of each visit: open once a part that is not the last is finished. */
static const char *const series_state =
	"UNION ALL"
	"  SELECT 'next', s.user_id, s.series COLLATE \"C\", s.day, 0, false,"
	"    coalesce(max(s.done) OVER (PARTITION BY s.user_id, s.series ORDER BY s.day) < s.last, false)"
	"  FROM (SELECT m.user_id, p.series, m.day, p.last, max(p.place) FILTER (WHERE"
	"      CASE WHEN m.progress IS NULL THEN m.weight > 0 ELSE m.progress >= $1 END) AS done"
	"    FROM mine m JOIN (SELECT DISTINCT i.item_id::{item}{by_bytes} AS item_id, {series} AS series, {order} AS place,"
	"        max({order}) OVER (PARTITION BY {series}) AS last"
	"      FROM {model}.items i WHERE {series} IS NOT NULL AND {order} IS NOT NULL) p ON p.item_id = m.item_id"
	"    GROUP BY m.user_id, p.series, m.day, p.last) s";

/*
 * The same for one user, as it is now: $6 is who, $7 the time, $8 how many.  What was done with an item
 * is put together once; it is in a basket where nothing took it out as late as it was put in.
 */
static const char *const asking =
	"WITH mine AS MATERIALIZED ("
	"  SELECT e.item_id, e.at, (e.at AT TIME ZONE $5)::date AS day, e.progress, e.weight,"
	"    coalesce(e.signal = ANY ($2), false) AS put, coalesce(e.signal = ANY ($3), false) AS taken,"
	"    coalesce(e.signal = ANY ($4), false) AS gone"
	"  FROM (SELECT e.item_id::{item}{by_bytes} AS item_id, {at} AS at, {progress} AS progress, {signal} AS signal,"
	"      {weight} AS weight"
	"    FROM {model}.events e WHERE e.user_id = $6 AND {counts} AND coalesce({at} <= $7, true)) e),"
	" visit AS (SELECT d.day, row_number() OVER (ORDER BY d.day DESC) AS number"
	"  FROM (SELECT DISTINCT m.day FROM mine m WHERE m.day IS NOT NULL) d),"
	" known AS MATERIALIZED ("
	"  SELECT m.item_id, max(m.at) AS at, max(m.day) AS day, sum(m.weight) AS weight,"
	"    bool_or(CASE WHEN m.progress IS NULL THEN m.weight > 0 ELSE m.progress >= $1 END) AS done,"
	"    bool_or(m.gone) AS gone, bool_or(m.put) AS put, max(m.at) FILTER (WHERE m.put) AS put_at,"
	"    bool_or(NOT m.put AND (m.taken OR m.gone)) AS out,"
	"    max(m.at) FILTER (WHERE NOT m.put AND (m.taken OR m.gone)) AS out_at"
	"  FROM mine m GROUP BY m.item_id),"
	" begun AS {begun},"
	" waiting AS ("
	"  SELECT 'unfinished' AS kind, b.item_id, b.progress, b.at, b.day, {series_of} AS series, NULL::{item} AS after"
	"  FROM begun b"
	"  UNION ALL"
	"  SELECT 'basket', k.item_id, NULL, k.put_at, (k.put_at AT TIME ZONE $5)::date, NULL, NULL"
	"  FROM known k WHERE k.put AND (NOT k.out OR k.put_at > k.out_at)"
	"  {series_next}),"
	" likely AS ("
	"  SELECT DISTINCT ON (w.item_id) w.*, coalesce(l.probability::float8, 0.5) AS probability"
	"  FROM waiting w LEFT JOIN visit v ON v.day = w.day"
	"  LEFT JOIN ONLY {model}.learned_resume l ON l.kind = w.kind"
	"    AND coalesce(w.progress, 0) >= l.progress_from AND coalesce(w.progress, 0) < l.progress_to"
	"    AND coalesce(v.number, 1) BETWEEN l.visit_from AND l.visit_to"
	"  WHERE w.item_id NOT IN (SELECT k.item_id FROM known k WHERE k.weight < 0)"
	"    {in_catalogue}"
	"  ORDER BY w.item_id, probability DESC, w.kind, w.at DESC NULLS LAST, w.series COLLATE \"C\")"
	" SELECT r.item_id, r.kind, r.probability, r.progress, r.at, r.series, r.after"
	" FROM likely r ORDER BY r.probability DESC, r.at DESC NULLS LAST, r.item_id LIMIT $8";

/* What is under way, by how far somebody came; where nothing says that, the planner leaves it out. */
static const char *const begun =
	"MATERIALIZED ("
	"  SELECT s.item_id, s.progress, s.at, s.day"
	"  FROM (SELECT DISTINCT ON (m.item_id) m.item_id, m.progress, m.at, m.day, m.gone"
	"    FROM mine m WHERE m.progress IS NOT NULL OR m.gone"
	"    ORDER BY m.item_id, m.at DESC, m.gone DESC, m.progress DESC NULLS LAST) s"
	"  WHERE NOT s.gone AND s.progress > 0 AND s.progress < $1)";
static const char *const begun_nothing =
	"NOT MATERIALIZED (SELECT m.item_id, m.progress, m.at, m.day FROM mine m WHERE false)";

/* What comes next in each series of which no part is under way. */
static const char *const series_next =
	"UNION ALL"
	"  SELECT 'next', n.item_id, NULL, s.at, s.day, s.series, s.after"
	"  FROM (SELECT p.series, max(p.at) AS at, max(p.day) AS day, bool_or(b.item_id IS NOT NULL) AS begun,"
	"      max(p.place) FILTER (WHERE p.done) AS place,"
	"      (array_agg(p.item_id ORDER BY p.place DESC, p.item_id DESC) FILTER (WHERE p.done))[1] AS after"
	"    FROM (SELECT k.item_id, k.at, k.day, {series} AS series, {order} AS place, k.done"
	"      FROM known k JOIN {model}.items i ON i.item_id = k.item_id{as_items}"
	"      WHERE {series} IS NOT NULL AND {order} IS NOT NULL) p"
	"    LEFT JOIN begun b ON b.item_id = p.item_id GROUP BY p.series) s"
	"  CROSS JOIN LATERAL (SELECT i.item_id::{item}{by_bytes} AS item_id FROM {model}.items i"
	"    WHERE {series} = s.series AND {order} > s.place AND i.item_id IS NOT NULL"
	"      AND i.item_id NOT IN (SELECT k.item_id{as_items} FROM known k WHERE k.gone)"
	"    ORDER BY {order}, i.item_id{by_bytes} LIMIT 1) n"
	"  WHERE NOT s.begun";

/* What these share, and what comes behind it where one user is asked about. */
#define SHARED 5
enum
{
	ASKED_USER = SHARED,
	ASKED_TIME,
	ASKED_MOST,
	ASKED
};

StaticAssertDecl(ASKED == RESUMING_ARGUMENTS, "a question has room for all its arguments");

static void
shared_arguments(const Model *model, const Unfinished *unfinished, Oid *types, Datum *values)
{
	static const Oid shared[SHARED] = {FLOAT8OID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
									   TEXTOID};

	memcpy(types, shared, sizeof(shared));
	values[0] = Float8GetDatum(unfinished->finished);
	values[1] = unfinished->basket;
	values[2] = unfinished->bought;
	values[3] = unfinished->removed;
	values[4] = CStringGetTextDatum(model->settings.time_zone);
}

/* The condition that a user is one of the share of all that has some million events. */
static const char *
some_users(const Model *model, uint64 events)
{
	static const char *const hash[ID_KINDS] = {
		[ID_INTEGER] = "hashint8extended(e.user_id::int8, 6)",
		[ID_UUID] = "uuid_hash_extended(e.user_id::uuid, 6)",
		[ID_TEXT] = "hashtextextended(e.user_id::text COLLATE \"C\", 6)",
	};
	uint64 parts = events / RESUMING_EVENTS;

	if (parts <= 1)
		return "";
	return psprintf(" AND (%s & 9223372036854775807) %% " UINT64_FORMAT " = 0",
					hash[model->user_kind], parts);
}

Resuming *
ResumingCount(const Model *model, uint64 events, Budget *budget)
{
	Resuming *resuming = BudgetZeroed(budget, 1, sizeof(Resuming));
	Unfinished *unfinished = UnfinishedOf(model, (Datum) 0, true);
	TemplateWord words[UNFINISHED_WORDS + 5] = {{NULL, NULL}};
	Oid types[SHARED];
	Datum values[SHARED];
	MemoryContext caller;
	uint64 rows;

	if (UnfinishedIsNone(unfinished) || !OidIsValid(model->time_type))
		return resuming;
	UnfinishedWords(model, unfinished, words);
	words[UNFINISHED_WORDS] = (TemplateWord){"{some}", some_users(model, events)};
	words[UNFINISHED_WORDS + 1] = (TemplateWord){
		"{series_state}", unfinished->series ? TemplateFill(series_state, words) : ""};
	words[UNFINISHED_WORDS + 2] = (TemplateWord){"{learned_from}", ConsentEvents(model)};
	words[UNFINISHED_WORDS + 3] = (TemplateWord){
		"{min_support}", psprintf("%u", model->settings.similarity.rule.min_support)};
	shared_arguments(model, unfinished, types, values);
	rows = PlanRun(TemplateFill(counting, words), SHARED, types, values, NULL);
	ModelNeedsName(model);
	resuming->share = BudgetAlloc(budget, rows, sizeof(ResumingShare));
	caller = MemoryContextSwitchTo(BudgetContext(budget));
	for (; resuming->count < rows; resuming->count++)
		for (int c = 0; c < RESUMING_SHARE; c++)
		{
			Form_pg_attribute column = TupleDescAttr(SPI_tuptable->tupdesc, c);
			bool isnull;
			Datum value = SPI_getbinval(SPI_tuptable->vals[resuming->count], SPI_tuptable->tupdesc,
										c + 1, &isnull);

			Assert(!isnull);
			resuming->share[resuming->count].value[c] =
				datumCopy(value, column->attbyval, column->attlen);
		}
	MemoryContextSwitchTo(caller);
	SPI_freetuptable(SPI_tuptable);
	return resuming;
}

/* Deletes what is said of kinds that nothing was counted of. */
static void
delete_others(const Model *model, const Resuming *resuming)
{
	Oid type = TEXTARRAYOID;
	Datum *kind = palloc(sizeof(Datum) * Max(resuming->count, 1));
	Datum kinds;

	for (uint32 n = 0; n < resuming->count; n++)
		kind[n] = resuming->share[n].value[0];
	kinds = PointerGetDatum(
		construct_array(kind, (int) resuming->count, TEXTOID, -1, false, TYPALIGN_INT));
	if (SPI_execute_with_args(
			psprintf("DELETE FROM ONLY %s.learned_resume l WHERE l.kind <> ALL ($1)",
					 model->quoted),
			1, &type, &kinds, NULL, false, 0) != SPI_OK_DELETE)
		elog(ERROR, "could not delete the shares of model \"%s\"", model->name);
}

void
ResumingWrite(const Model *model, const Resuming *resuming)
{
	static const Oid types[] = {TEXTOID, FLOAT8OID, FLOAT8OID, INT4OID,
								INT4OID, INT8OID,   INT8OID,   FLOAT8OID};

	delete_others(model, resuming);
	for (uint32 n = 0; n < resuming->count; n++)
		if (SPI_execute_with_args(
				psprintf(
					"INSERT INTO %s.learned_resume AS l (kind, progress_from, progress_to, visit_from, "
					"visit_to, trials, resumed, probability) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
					"ON CONFLICT (kind, progress_from, visit_from) DO UPDATE SET "
					"progress_to = excluded.progress_to, visit_to = excluded.visit_to, "
					"trials = excluded.trials, resumed = excluded.resumed, "
					"probability = excluded.probability "
					"WHERE (l.progress_to, l.visit_to, l.trials, l.resumed, l.probability) <> "
					"(excluded.progress_to, excluded.visit_to, excluded.trials, excluded.resumed, "
					"excluded.probability)",
					model->quoted),
				lengthof(types), (Oid *) types, (Datum *) resuming->share[n].value, NULL, false,
				0) != SPI_OK_INSERT)
			elog(ERROR, "could not write the shares of model \"%s\"", model->name);
}

ResumingQuestion *
ResumingPrepare(const Model *model, const Unfinished *unfinished)
{
	ResumingQuestion *question = palloc0(sizeof(ResumingQuestion));
	TemplateWord words[UNFINISHED_WORDS + 5] = {{NULL, NULL}};

	UnfinishedWords(model, unfinished, words);
	words[UNFINISHED_WORDS + 3] =
		(TemplateWord){"{begun}", unfinished->progress ? begun : begun_nothing};
	words[UNFINISHED_WORDS] = (TemplateWord){
		"{series_of}",
		unfinished->series
			? TemplateFill(
				  "(SELECT {series} FROM {model}.items i WHERE i.item_id = b.item_id{as_items} ORDER BY {series} LIMIT 1)",
				  words)
			: "NULL::text"};
	words[UNFINISHED_WORDS + 1] =
		(TemplateWord){"{series_next}", unfinished->series ? TemplateFill(series_next, words) : ""};
	words[UNFINISHED_WORDS + 2] = (TemplateWord){
		"{in_catalogue}",
		model->has_items
			? TemplateFill("AND EXISTS (SELECT FROM {model}.items i WHERE i.item_id = w.item_id{as_items})",
						   words)
			: ""};
	question->sql = TemplateFill(asking, words);
	shared_arguments(model, unfinished, question->type, question->value);
	question->type[ASKED_USER] = IdType(model->user_kind);
	question->type[ASKED_TIME] = TIMESTAMPTZOID;
	question->type[ASKED_MOST] = INT8OID;
	return question;
}

uint64
ResumingAsk(ResumingQuestion *question, Datum user, TimestampTz as_of, uint32 most)
{
	question->value[ASKED_USER] = user;
	question->value[ASKED_TIME] = TimestampTzGetDatum(as_of);
	question->value[ASKED_MOST] = Int64GetDatum(most > 0 ? (int64) most : PG_INT64_MAX);
	return PlanRun(question->sql, RESUMING_ARGUMENTS, question->type, question->value, NULL);
}
