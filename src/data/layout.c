/*
 * layout.c: the schema of a model, as SQL with {words} for what differs between models.
 *
 *   {model}  the schema        {row}   its table "model", as a regclass literal
 *   {reco}   the extension's   {user} {item}  the types of ids, {whose} {which} as arguments
 *
 * Every word is quoted where it is put in, and nothing else is put in.  The owner's queries are
 * not: they were parsed as one SELECT each, and run with the owner's own search path; all else
 * runs with pg_catalog alone, so that nothing on a path can stand in for what is meant.
 */
#include "data/layout.h"

#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "data/doors.h"
#include "data/find.h"
#include "data/ids.h"
#include "data/model.h"
#include "data/planted.h"
#include "data/rules.h"
#include "data/select.h"
#include "data/setting.h"
#include "data/signals.h"
#include "data/template.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

static const char *const tables =
	"CREATE UNIQUE INDEX ON {model}.model ((true));"
	"COMMENT ON TABLE {model}.model IS 'the settings of the model and what the last refresh did: one row';"

	"CREATE TABLE {model}.learned_item ("
	"  item_id {item} PRIMARY KEY,"
	"  item_no int NOT NULL UNIQUE,"
	"  events bigint NOT NULL,"
	"  users int NOT NULL,"
	"  popularity_log2 float8,"
	"  recent_log2 float8,"
	"  trending_rank int,"
	"  first_at timestamptz,"
	"  last_at timestamptz,"
	"  neighbors bytea NOT NULL"
	/* A refresh may rewrite every row: half of each page is left for that, so that the table never grows by it. */
	") WITH (toast_tuple_target = 8160, fillfactor = 50);"
	"ALTER TABLE {model}.learned_item ALTER neighbors SET STORAGE EXTERNAL;"
	"CREATE INDEX ON {model}.learned_item (popularity_log2 DESC NULLS LAST, item_no);"
	"CREATE INDEX ON {model}.learned_item (trending_rank) WHERE trending_rank IS NOT NULL;"
	"CREATE INDEX ON {model}.learned_item (item_id) WHERE events = 0;"
	"COMMENT ON TABLE {model}.learned_item IS 'what was learned of each item: counts, popularity and packed neighbours; of what fewer than min_support users chose, no counts, times and popularity';"

	"CREATE TABLE {model}.learned_group ("
	"  attribute text,"
	"  value text,"
	"  rank int,"
	"  item_id {item} NOT NULL,"
	"  users int NOT NULL,"
	"  lift float8 NOT NULL,"
	"  PRIMARY KEY (attribute, value, rank)"
	");"
	"COMMENT ON TABLE {model}.learned_group IS 'what users with one value of an attribute go for, best first by rank: how many of them have the item, and how much sooner they do than everybody';"

	"CREATE TABLE {model}.learned_context ("
	"  context text,"
	"  value text,"
	"  item_id {item},"
	"  events int NOT NULL,"
	"  lift float8 NOT NULL,"
	"  PRIMARY KEY (context, value, item_id)"
	");"
	"COMMENT ON TABLE {model}.learned_context IS 'what is chosen sooner, or later, in one context than in others: events with the item there (of an hour, with the hours on either side), and how much sooner';";

static const char *const resumes =
	"CREATE TABLE {model}.learned_resume ("
	"  kind text,"
	"  progress_from float8,"
	"  progress_to float8 NOT NULL,"
	"  visit_from int,"
	"  visit_to int NOT NULL,"
	"  trials bigint NOT NULL,"
	"  resumed bigint NOT NULL,"
	"  probability float8 NOT NULL,"
	"  PRIMARY KEY (kind, progress_from, visit_from)"
	");"
	"COMMENT ON TABLE {model}.learned_resume IS 'how likely what was left unfinished is taken up again, by how far it was and at which of the later visits: of so many trials so many did; see reco_continue';";

static const char *const habits =
	"CREATE TABLE {model}.learned_habit ("
	"  as_of timestamptz NOT NULL,"
	"  users bigint NOT NULL,"
	"  visits bigint NOT NULL,"
	"  gaps bigint NOT NULL,"
	"  visit_gap interval,"
	"  r float8,"
	"  alpha float8,"
	"  a float8,"
	"  b float8,"
	"  new_items float8,"
	"  repeat_gap interval,"
	"  repeat_share float8 NOT NULL,"
	"  hours float8[] NOT NULL,"
	"  time_zone text NOT NULL"
	");"
	"CREATE UNIQUE INDEX ON {model}.learned_habit ((true));"
	"COMMENT ON TABLE {model}.learned_habit IS 'how everybody comes and goes, one row: visits are days, r to b the parameters of BG/NBD in days, new_items what a visit brings, repeat_gap and repeat_share when and whether what was chosen is chosen again, hours the hours of the week; see reco_learn_habits';"

	"CREATE TABLE {model}.learned_repeat ("
	"  item_id {item} PRIMARY KEY,"
	"  visits bigint NOT NULL,"
	"  gaps bigint NOT NULL,"
	"  typical_gap interval,"
	"  share float8 NOT NULL"
	");"
	"COMMENT ON TABLE {model}.learned_repeat IS 'how items are chosen again: by days on which somebody chose one, gaps between such days of one person, how long these typically are, and the share of days that another follows in the end; see reco_learn_habits';";

static const char *const rankings =
	"CREATE TABLE {model}.learned_ranking ("
	"  layer text,"
	"  unit int,"
	"  feature text,"
	"  weight float8 NOT NULL,"
	"  PRIMARY KEY (layer, unit, feature)"
	");"
	"COMMENT ON TABLE {model}.learned_ranking IS 'the network that puts the first items of lists in order, one row a weight: of each feature the mean and the scale that bring it to one measure, its weight in the direct way, and in each hidden unit, whose row output is its own weight; layer shown, where lists that were shown were learned from, what log2 of a place added there and does not add to what is served; empty where none is kept, see reco_learn_ranking';";

static const char *const factors =
	"CREATE TABLE {model}.item_factor ("
	"  item_id {item} PRIMARY KEY,"
	"  item_no int NOT NULL,"
	"  factor real[] NOT NULL"
	") WITH (fillfactor = 50);"
	"CREATE INDEX ON {model}.item_factor (item_no);"
	"COMMENT ON TABLE {model}.item_factor IS 'the factors of each item, where algorithm is ''factors'': their dot product with those of a user, see user_factor, is the score; with pgvector, factor::vector';";

static const char *const views =
	"CREATE VIEW {model}.similar WITH (security_invoker = true) AS"
	"  SELECT l.item_id, n.rank, s.item_id AS similar_item_id, n.similarity, n.support"
	"  FROM {model}.learned_item l"
	"  CROSS JOIN LATERAL {reco}.reco_unpack_neighbors(l.neighbors, l.item_no, l.item_id) n"
	"  JOIN {model}.learned_item s ON s.item_no = n.item_no;"
	"COMMENT ON VIEW {model}.similar IS 'the neighbours of each item, best first by rank; support is the number of users behind a pair, 0 where it is by attributes alone';"

	"CREATE VIEW {model}.popular WITH (security_invoker = true) AS"
	"  SELECT p.item_id, p.popularity,"
	"    CASE WHEN p.last_event_at IS NOT NULL THEN"
	"      (p.recent + p.trend_prior) / nullif(p.popularity + p.trend_prior, 0) END AS trend,"
	"    p.users, p.events, p.first_at, p.last_at"
	"  FROM (SELECT l.*, m.trend_prior, m.last_event_at,"
	"      CASE WHEN l.popularity_log2 IS NULL THEN 0 ELSE"
	"        power(2::float8, greatest(l.popularity_log2 - m.popularity_offset, -1000)) END AS popularity,"
	"      CASE WHEN l.recent_log2 IS NULL THEN 0 ELSE"
	"        power(2::float8, greatest(l.recent_log2 - m.recent_offset, -1000)) END AS recent"
	"    FROM {model}.learned_item l CROSS JOIN {model}.model m WHERE l.events > 0) p;"
	"COMMENT ON VIEW {model}.popular IS 'popularity is decayed weight a day at the time of the newest event (the sum of weights where events have no times), trend its recent rate over its long-run rate';";

/* USAGE on the schema is what shares a model; inside it everything may be read. */
static const char *const rights = "GRANT SELECT ON ALL TABLES IN SCHEMA {model} TO PUBLIC;";

/* The log of lists that were served, made where it is asked for. */
static const char *const served_log =
	"CREATE TABLE {model}.served ("
	"  list_id bigint NOT NULL,"
	"  rank int NOT NULL,"
	"  served_at timestamptz NOT NULL DEFAULT pg_catalog.now(),"
	"  user_id {user} NOT NULL,"
	"  item_id {item} NOT NULL,"
	"  score float8,"
	"  match float8,"
	"  source text,"
	"  variant text,"
	"  propensity float8,"
	"  PRIMARY KEY (list_id, rank)"
	");"
	"CREATE INDEX ON {model}.served (user_id, item_id, served_at);"
	"CREATE SEQUENCE {model}.served_list OWNED BY {model}.served.list_id;"
	"COMMENT ON TABLE {model}.served IS 'lists that were shown, one row for each place: written by the function serve, or by the application; variant says which of several ways made it, propensity with what chance';"

	"CREATE FUNCTION {model}.serve(user_id {whose}, k int DEFAULT 10, variant text DEFAULT NULL,"
	"    exclude {which}[] DEFAULT NULL, among {which}[] DEFAULT NULL, min_match float8 DEFAULT NULL,"
	"    diversity float8 DEFAULT NULL, max_per text DEFAULT NULL, max_per_n int DEFAULT NULL,"
	"    context jsonb DEFAULT NULL)"
	"  RETURNS TABLE(list_id bigint, rank int, item_id {item}, score float8, match float8, because {item}, source text)"
	"  LANGUAGE SQL VOLATILE PARALLEL UNSAFE ROWS 10 COST 1000 BEGIN ATOMIC"
	"  WITH list AS MATERIALIZED (SELECT t.* FROM ROWS FROM ({reco}.reco_typed_top_n(serve.user_id, serve.k, {row},"
	"      serve.exclude, serve.among, serve.min_match, NULL, false, true, serve.diversity, serve.max_per,"
	"      serve.max_per_n, NULL, NULL, serve.context)"
	"      AS (item_id {item}, score float8, match float8, because {item}, source text))"
	"      WITH ORDINALITY AS t(item_id, score, match, because, source, rank)),"
	"    id AS MATERIALIZED (SELECT pg_catalog.nextval({lists}) AS list_id),"
	"    logged AS (INSERT INTO {model}.served (list_id, rank, user_id, item_id, score, match, source, variant)"
	"      SELECT id.list_id, l.rank, serve.user_id, l.item_id, l.score, l.match, l.source, serve.variant FROM list l, id)"
	"  SELECT id.list_id, l.rank::int, l.item_id, l.score, l.match, l.because, l.source FROM list l, id ORDER BY l.rank; END;"
	"COMMENT ON FUNCTION {model}.serve IS 'the list of top_n, written down in the table served, now(), under a new list_id';"

	"CREATE FUNCTION {model}.attribute(within interval DEFAULT '1 day'{signal})"
	"  RETURNS TABLE(list_id bigint, rank int, served_at timestamptz, user_id {user}, item_id {item}, source text,"
	"    variant text, propensity float8, chosen_at timestamptz, events bigint, weight float8)"
	"  LANGUAGE SQL STABLE PARALLEL SAFE ROWS 100000 COST 1000000 BEGIN ATOMIC"
	"  SELECT s.list_id, s.rank, s.served_at, s.user_id, s.item_id, s.source, s.variant, s.propensity,"
	"    min(e.occurred_at), count(e.occurred_at), coalesce(sum(e.weight), 0)"
	"  FROM (SELECT s.*, lead(s.served_at) OVER (PARTITION BY s.user_id, s.item_id ORDER BY s.served_at, s.list_id) AS next_at"
	"      FROM {model}.served s) s"
	"  LEFT JOIN (SELECT e.user_id, e.item_id, e.occurred_at::timestamptz AS occurred_at, {weight} AS weight"
	"      FROM {model}.events e WHERE {weight} > 0{of_signal}) e"
	"    ON e.user_id = s.user_id AND e.item_id = s.item_id AND e.occurred_at >= s.served_at"
	"    AND e.occurred_at < least(s.served_at + attribute.within, s.next_at)"
	"  GROUP BY s.list_id, s.rank, s.served_at, s.user_id, s.item_id, s.source, s.variant, s.propensity; END;"
	"COMMENT ON FUNCTION {model}.attribute IS 'what came of each place of the lists served: the first event of the user with the item from when it was shown until it was shown again, within so long, how many there were and their weight; NULL, 0 and 0 for nothing';";

const char *const LayoutLearned[LAYOUT_LEARNED] = {
	"learned_item",   "learned_group", "learned_context", "learned_resume",
	"learned_repeat", "learned_habit", "learned_ranking", "item_factor"};

/* The relations of a model, for taking it down. */
static const char *const relations[] = {
	"served",          "popular",       "similar",        "item_factor",   "learned_resume",
	"learned_context", "learned_ranking", "learned_habit", "learned_repeat", "learned_group", "learned_item",
	"model",           "rules",         "users",          "items",         "events"};

static void
run(const char *sql)
{
	int code = SPI_execute(sql, false, 0);

	if (code < 0)
		elog(ERROR, "could not run \"%s\": %s", sql, SPI_result_code_string(code));
}

/* One of the owner's queries as a view, readable with the reader's own privileges only. */
static void
create_view(const char *schema, const char *word, const char *query, const char *comment)
{
	if (query == NULL)
		return;
	run(psprintf("CREATE VIEW %s.%s WITH (security_invoker = true) AS\n%s",
				 quote_identifier(schema), word, query));
	run(psprintf("COMMENT ON VIEW %s.%s IS %s", quote_identifier(schema), word,
				 quote_literal_cstr(comment)));
}

/* The row of a new model: every setting as its default. */
static char *
first_row(const char *schema)
{
	StringInfoData names;
	StringInfoData values;

	initStringInfo(&names);
	initStringInfo(&values);
	for (int s = 0; s < SETTINGS; s++)
	{
		appendStringInfo(&names, ", %s", SettingName(s));
		appendStringInfo(&values, ", %s", SettingDefault(s));
	}
	return psprintf("INSERT INTO %s.model (format_version, item_slots%s) VALUES (%d, 0%s)",
					quote_identifier(schema), names.data, MODEL_FORMAT, values.data);
}

static void
check_name(Oid reco, const char *name)
{
	if (name[0] == '\0')
		ereport(ERROR, (errcode(ERRCODE_INVALID_NAME), errmsg("the name of a model is empty")));
	if (strlen(name) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("the name of model \"%s\" is too long", name),
				 errdetail("It has %zu bytes and may have %d.", strlen(name), NAMEDATALEN - 1)));
	if (OidIsValid(FindTable(reco, name)))
		ereport(
			ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT), errmsg("model \"%s\" already exists", name),
			 errhint(
				 "Drop it with reco_drop_model, or change a query of it with CREATE OR REPLACE VIEW.")));
	if (OidIsValid(get_namespace_oid(name, true)))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_SCHEMA), errmsg("schema \"%s\" already exists", name),
				 errdetail("A model is a schema of its own."),
				 errhint("Choose another name for the model.")));
}

/*
 * The type of an id column in tables and doors: the model's own, domains and varchar as what they
 * hold.
 */
static const char *
id_type(Oid type, IdKind kind)
{
	return format_type_be_qualified(kind == ID_INTEGER ? getBaseType(type) : IdType(kind));
}

/* That of an argument of a door: what a number is that is written down, which no smallint takes. */
static const char *
argument_type(Oid type, IdKind kind)
{
	return id_type(kind == ID_INTEGER && getBaseType(type) == INT2OID ? INT4OID : type, kind);
}

/* Raises an error where a door could lead to a function that is not the extension's. */
static void
check_doors(Oid reco)
{
	char *names = pstrdup(DOORS);

	PlantedRefuse(reco, "reco_unpack_neighbors");
	for (char *name = strtok(names, ","); name; name = strtok(NULL, ","))
		PlantedRefuse(reco, psprintf("reco_typed_%s", name));
}

void
LayoutCreate(Oid reco, const char *name, const LayoutQueries *queries)
{
	int nest;
	Oid table;
	Model *model;
	const char *row;

	check_name(reco, name);
	SelectText("the events query", queries->events);
	if (queries->items)
		SelectText("the items query", queries->items);
	if (queries->users)
		SelectText("the users query", queries->users);
	if (queries->rules)
		SelectText("the rules query", queries->rules);
	check_doors(reco);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	run(psprintf("CREATE SCHEMA %s", quote_identifier(name)));
	create_view(name, "events", queries->events, "what happened, as the events query has it");
	create_view(name, "items", queries->items,
				"the live catalogue: an item that is not in it is never shown");
	create_view(name, "users", queries->users, "what is known of people besides their events");
	create_view(name, "rules", queries->rules,
				"what lists are to be like, whatever the evidence: boosts, pins and shares");

	nest = NewGUCNestLevel();
	RestrictSearchPath();
	row = psprintf("%s.model", quote_identifier(name));
	{
		TemplateWord words[] = {
			{"{model}", quote_identifier(name)},
			{"{reco}", quote_identifier(get_namespace_name(reco))},
			{"{row}", psprintf("%s::pg_catalog.regclass", quote_literal_cstr(row))},
			{"{user}", ""},
			{"{item}", ""},
			{"{whose}", ""},
			{"{which}", ""},
			{NULL, NULL}};
		TemplateWord early[] = {words[0], words[1], {NULL, NULL}};

		/* The types of ids are known once the table that makes it a model is there. */
		run(TemplateFill("CREATE TABLE {model}.model OF {reco}.reco_model;", early));
		table = FindTable(reco, name);
		model = ModelNew(reco, table);
		if (model->has_rules)
			RulesCheckColumns(model);
		words[3].text = id_type(model->user_type, model->user_kind);
		words[4].text = id_type(model->item_type, model->item_kind);
		words[5].text = argument_type(model->user_type, model->user_kind);
		words[6].text = argument_type(model->item_type, model->item_kind);
		run(TemplateFill(tables, words));
		run(TemplateFill(resumes, words));
		run(TemplateFill(habits, words));
		run(TemplateFill(rankings, words));
		run(TemplateFill(factors, words));
		run(first_row(name));
		run(TemplateFill(views, words));
		run(TemplateFill(DoorsStatements, words));
		run(TemplateFill(rights, words));
	}
	AtEOXact_GUC(false, nest);
	SPI_finish();
}

void
LayoutCreateLog(const Model *model)
{
	TemplateWord words[] = {
		{"{model}", model->quoted},
		{"{reco}", quote_identifier(get_namespace_name(model->reco))},
		{"{row}", psprintf("%s::pg_catalog.regclass",
						   quote_literal_cstr(psprintf("%s.model", model->quoted)))},
		{"{lists}", psprintf("%s::pg_catalog.regclass",
							 quote_literal_cstr(psprintf("%s.served_list", model->quoted)))},
		{"{user}", id_type(model->user_type, model->user_kind)},
		{"{item}", id_type(model->item_type, model->item_kind)},
		{"{whose}", argument_type(model->user_type, model->user_kind)},
		{"{which}", argument_type(model->item_type, model->item_kind)},
		{"{weight}", OidIsValid(model->weight_type) ? "e.weight::float8" : "1::float8"},
		{"{signal}", model->has_signal ? ", signal text DEFAULT NULL" : ""},
		{"{of_signal}", model->has_signal
							? " AND (attribute.signal IS NULL OR e." SIGNAL_TEXT " = attribute.signal)"
							: ""},
		{NULL, NULL}};

	check_doors(model->reco);
	if (OidIsValid(get_relname_relid("served", model->schema)))
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_TABLE),
						errmsg("\"%s.served\" already exists", model->name)));
	if (!OidIsValid(model->time_type))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("the events of model \"%s\" have no times", model->name),
						errdetail("What comes of a list is what happens after it was shown."),
						errhint("Give the events query a column \"occurred_at\".")));
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	run(TemplateFill(served_log, words));
	SPI_finish();
	ModelNeedsName(model);
}

/* Adds the functions of a schema that depend on a model's table, or its log: its doors. */
static void
add_doors(ObjectAddresses *objects, Oid schema, Oid table)
{
	char *sql = psprintf(
		"SELECT DISTINCT p.oid FROM pg_catalog.pg_proc p"
		" JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass"
		" AND d.objid = p.oid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass"
		" WHERE p.pronamespace = %u AND d.refobjid IN (%u, %u) AND p.prolang ="
		" (SELECT oid FROM pg_catalog.pg_language WHERE lanname = 'sql')"
		" AND p.proname = ANY ('{serve,attribute,%s}')",
		schema, table, get_relname_relid("served", schema), DOORS);

	if (SPI_execute(sql, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not list the functions of schema %u", schema);
	for (uint64 r = 0; r < SPI_processed; r++)
	{
		ObjectAddress address;
		bool isnull;

		ObjectAddressSet(address, ProcedureRelationId,
						 DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[r],
														SPI_tuptable->tupdesc, 1, &isnull)));
		add_exact_object_address(&address, objects);
	}
}

/*
 * The table of a model that the caller may drop, locked: a refresh takes the same lock first, so
 * that the two never wait for each other in a circle.
 */
static Oid
owned_table(Oid reco, const char *name)
{
	Oid table = FindTable(reco, name);

	PreventCommandIfReadOnly("reco_drop_model()");
	if (!OidIsValid(table))
		FindModel(reco, name); /* raises the error that lists the models */
	if (!object_ownercheck(NamespaceRelationId, get_rel_namespace(table), GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_SCHEMA, name);
	LockRelationOid(table, AccessExclusiveLock);
	if (FindTable(reco, name) != table)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("model \"%s\" was dropped or renamed meanwhile", name)));
	return table;
}

void
LayoutDrop(Oid reco, const char *name)
{
	Oid table = owned_table(reco, name);
	Oid schema = get_rel_namespace(table);
	ObjectAddresses *objects = new_object_addresses();
	ObjectAddress address;
	int nest = NewGUCNestLevel();

	RestrictSearchPath();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	add_doors(objects, schema, table);
	SPI_finish();
	AtEOXact_GUC(false, nest);
	for (int r = 0; r < (int) lengthof(relations); r++)
	{
		Oid relation = get_relname_relid(relations[r], schema);

		if (OidIsValid(relation))
		{
			ObjectAddressSet(address, RelationRelationId, relation);
			add_exact_object_address(&address, objects);
		}
	}
	ObjectAddressSet(address, NamespaceRelationId, schema);
	add_exact_object_address(&address, objects);

	/* Together they depend on nothing else; what then still hangs on them is not ours to drop. */
	performMultipleDeletions(objects, DROP_RESTRICT, 0);
	free_object_addresses(objects);
}
