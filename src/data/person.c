#include "data/person.h"

#include "catalog/pg_type.h"
#include "data/columns.h"
#include "data/consent.h"
#include "data/contexts.h"
#include "data/events.h"
#include "data/layout.h"
#include "data/people.h"
#include "data/plan.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* The parameters of a question about a person: the user, attributes, their values. */
#define PARAMETERS 3

typedef struct Question
{
	Oid types[PARAMETERS];
	Datum values[PARAMETERS];
} Question;

static Question
ask_about(const Model *model, Datum user)
{
	Question question = {
		.types = {IdType(model->user_kind), TEXTARRAYOID, TEXTARRAYOID},
		.values = {user, PointerGetDatum(construct_empty_array(TEXTOID)),
				   PointerGetDatum(construct_empty_array(TEXTOID))},
	};

	PeopleOf(model, user, &question.values[1], &question.values[2]);
	return question;
}

/* A condition on the events e that a refresh does not leave out, but for whose they are and when. */
static char *
counted_condition(const Model *model)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "e.user_id IS NOT NULL AND e.item_id IS NOT NULL");
	if (OidIsValid(model->weight_type))
		appendStringInfoString(&sql, " AND abs(e.weight::float8) < " EVENTS_BEYOND);
	if (OidIsValid(model->time_type))
		appendStringInfoString(&sql, " AND e.occurred_at IS NOT NULL");
	return sql.data;
}

/* Takes the one number of a query. */
static void
take_number(TupleTableSlot *row, void *with)
{
	*(int64 *) with = DatumGetInt64(row->tts_values[0]);
}

int64
PersonEvents(const Model *model, Datum user)
{
	Oid type = IdType(model->user_kind);
	int64 events = 0;

	PlanStream(psprintf("SELECT count(*) FROM %s e WHERE e.user_id = $1 AND %s",
						ConsentEvents(model), counted_condition(model)),
			   1, &type, &user, take_number, &events);
	ModelNeedsName(model);
	return events;
}

/* The item of a row, to be compared and put in order whatever collations columns have. */
static char *
item_of(const Model *model, const char *row)
{
	return IdColumn(model->item_kind, psprintf("%s.item_id", row));
}

/* What is held in one place: of some rows, their item and what else they say. */
typedef struct Place
{
	const char *name;
	const char *from; /* with an alias */
	const char *row;  /* that alias, NULL where rows have no item */
	const char *detail;
	const char *condition;
} Place;

static void
add_place(StringInfo sql, const Model *model, int nr, Place place)
{
	appendStringInfo(sql,
					 "%s SELECT %d AS nr, %s AS place, %s AS item_id, %s AS detail FROM %s%s%s",
					 nr == 0 ? "" : " UNION ALL", nr, quote_literal_cstr(place.name),
					 place.row ? item_of(model, place.row) : "NULL", place.detail, place.from,
					 place.condition ? " WHERE " : "", place.condition ? place.condition : "");
}

/* That a row is about an item that has counted the person. */
static char *
is_counted(const Model *model, const char *row)
{
	return psprintf("%s IN (SELECT item_id FROM counted)", item_of(model, row));
}

/* That an event of the person was in a context; an hour goes with those on either side. */
static char *
was_in_context(const Model *model, const char *name)
{
	const char *value =
		strcmp(name, "occurred_at") == 0
			? psprintf("c.value IN (SELECT to_char((e.occurred_at::timestamptz + "
					   "h * interval '1 hour') AT TIME ZONE %s, 'Dy HH24') "
					   "FROM generate_series(-1, 1) h)",
					   quote_literal_cstr(model->settings.time_zone))
			: psprintf("c.value = %s", ColumnText(psprintf("e.%s", quote_identifier(name)),
												  ColumnNeeded(model, "events", name)));

	return psprintf("c.context = %s AND c.events > 0 AND %s AND EXISTS (SELECT FROM act e "
					"WHERE %s = %s AND %s)",
					quote_literal_cstr(name), is_counted(model, "c"), item_of(model, "e"),
					item_of(model, "c"), value);
}

/*
 * Three tables: act, the person's events; there, how many events of each item a refresh would count;
 * and counted, the learned items that have counted the person's: if the person is one of those learned
 * from, all that they have events of, otherwise those that have counted more events than are there.
 */
static char *
preamble(const Model *model)
{
	const char *until =
		OidIsValid(model->time_type)
			? psprintf(" AND e.occurred_at::timestamptz <= (SELECT refreshed_at FROM %s.model)",
					   model->quoted)
			: "";

	return psprintf(
		"WITH act AS MATERIALIZED (SELECT %s FROM %s.events e WHERE e.user_id = $1), "
		"there AS (SELECT %s AS item_id, count(*) AS events FROM %s e WHERE %s%s GROUP BY 1), "
		"counted AS MATERIALIZED (SELECT %s AS item_id, l.events, l.users FROM %s.learned_item l "
		"LEFT JOIN there ON there.item_id = %s WHERE l.events > 0 "
		"AND %s IN (SELECT %s FROM act e) AND (l.events > coalesce(there.events, 0) OR "
		"EXISTS (SELECT FROM %s e WHERE e.user_id = $1)))",
		ColumnsForJson(model, "events"), model->quoted, item_of(model, "e"), ConsentEvents(model),
		counted_condition(model), until, item_of(model, "l"), model->quoted, item_of(model, "l"),
		item_of(model, "l"), item_of(model, "e"), ConsentEvents(model));
}

/* True where the model has a log of the lists served. */
static bool
has_log(const Model *model)
{
	return OidIsValid(get_relname_relid("served", model->schema));
}

/* A query for all that is held of a person: nr, place, item_id, detail. */
static char *
held(const Model *model)
{
	const char *quoted = model->quoted;
	StringInfoData sql;
	ListCell *cell;
	int nr = 0;

	initStringInfo(&sql);
	appendStringInfoString(&sql, preamble(model));
	add_place(&sql, model, nr++,
			  (Place){"events", "act e", "e", "to_jsonb(e) - 'user_id' - 'item_id'", NULL});
	if (model->has_users)
		add_place(
			&sql, model, nr++,
			(Place){"users",
					psprintf("(SELECT %s FROM %s.users) u", ColumnsForJson(model, "users"), quoted),
					NULL, "to_jsonb(u) - 'user_id'", "u.user_id = $1"});
	if (has_log(model))
		add_place(&sql, model, nr++,
				  (Place){"served", psprintf("%s.served s", quoted), "s",
						  "to_jsonb(s) - 'user_id' - 'item_id'", "s.user_id = $1"});
	add_place(&sql, model, nr++,
			  (Place){"learned_item", "counted c", "c", "to_jsonb(c) - 'item_id'", NULL});
	add_place(&sql, model, nr++,
			  (Place){"similar", psprintf("%s.similar s", quoted), "s",
					  "to_jsonb(s) - 'item_id' - 'rank'",
					  psprintf("s.support > 0 AND %s AND s.similar_item_id::%s "
							   "IN (SELECT item_id FROM counted)",
							   is_counted(model, "s"), IdTypeName(model->item_kind))});
	add_place(&sql, model, nr++,
			  (Place){"learned_group", psprintf("%s.learned_group g", quoted), "g",
					  "to_jsonb(g) - 'item_id'",
					  psprintf("(g.attribute, g.value) IN (SELECT * FROM unnest($2, $3)) AND %s",
							   is_counted(model, "g"))});
	foreach (cell, model->settings.contexts)
		if (ContextsExist(model, lfirst(cell)))
			add_place(&sql, model, nr++,
					  (Place){"learned_context", psprintf("%s.learned_context c", quoted), "c",
							  "to_jsonb(c) - 'item_id'", was_in_context(model, lfirst(cell))});
	add_place(&sql, model, nr++,
			  (Place){"learned_repeat", psprintf("%s.learned_repeat r", quoted), "r",
					  "to_jsonb(r) - 'item_id'", is_counted(model, "r")});
	add_place(&sql, model, nr++,
			  (Place){"item_factor", psprintf("%s.item_factor f", quoted), "f",
					  "jsonb_build_object('factor', f.factor)", is_counted(model, "f")});
	return sql.data;
}

/* Who takes what is held. */
typedef struct Taking
{
	PersonTake take;
	PersonCount count;
	void *with;
} Taking;

static void
take_held(TupleTableSlot *row, void *with)
{
	Taking *taking = with;

	CHECK_FOR_INTERRUPTS();
	taking->take(row->tts_values[0], (NullableDatum){row->tts_values[1], row->tts_isnull[1]},
				 row->tts_values[2], taking->with);
}

void
PersonDisclose(const Model *model, Datum user, PersonTake take, void *with)
{
	Question question = ask_about(model, user);
	Taking taking = {.take = take, .with = with};

	PlanStream(
		psprintf("SELECT place, item_id::%s, detail FROM (%s) h ORDER BY nr, item_id, detail",
				 IdTypeName(model->item_kind), held(model)),
		PARAMETERS, question.types, question.values, take_held, &taking);
}

static void
take_count(TupleTableSlot *row, void *with)
{
	Taking *taking = with;

	taking->count(row->tts_values[0], DatumGetInt64(row->tts_values[1]), taking->with);
}

void
PersonTraces(const Model *model, Datum user, PersonCount count, void *with)
{
	Question question = ask_about(model, user);
	Taking taking = {.count = count, .with = with};

	/* Events that no refresh would learn from are the owner's alone, and so is the row of a user. */
	PlanStream(
		psprintf("SELECT place, count(*) FROM (%s UNION ALL SELECT 99, 'unaccounted', %s, NULL "
				 "FROM %s.learned_item l LEFT JOIN there ON there.item_id = %s "
				 "WHERE l.events > coalesce(there.events, 0)) h WHERE place <> 'users'%s "
				 "GROUP BY place ORDER BY min(nr)",
				 held(model), item_of(model, "l"), model->quoted, item_of(model, "l"),
				 PersonEvents(model, user) > 0 ? "" : " AND place <> 'events'"),
		PARAMETERS, question.types, question.values, take_count, &taking);
}

void
PersonForget(const Model *model)
{
	for (int t = 0; t < LAYOUT_LEARNED; t++)
		if (SPI_execute(psprintf("DELETE FROM %s.%s", model->quoted, LayoutLearned[t]), false, 0) !=
			SPI_OK_DELETE)
			elog(ERROR, "could not empty \"%s\" of model \"%s\"", LayoutLearned[t], model->name);
}

void
PersonUnlog(const Model *model, Datum user)
{
	Oid type = IdType(model->user_kind);

	if (has_log(model) &&
		SPI_execute_with_args(psprintf("DELETE FROM %s.served WHERE user_id = $1", model->quoted),
							  1, &type, &user, NULL, false, 0) != SPI_OK_DELETE)
		elog(ERROR, "could not delete from the log of model \"%s\"", model->name);
}
