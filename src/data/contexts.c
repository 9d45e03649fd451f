#include "data/contexts.h"

#include <math.h>

#include "access/detoast.h"
#include "base/scalar.h"
#include "catalog/pg_type.h"
#include "data/clock.h"
#include "data/columns.h"
#include "data/consent.h"
#include "data/events.h"
#include "data/plan.h"
#include "data/signals.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define TIME_COLUMN "occurred_at"
#define ZONE_KEY    "time_zone"

/*
 * Users are told apart by bits, of which there are at least twice as many as min_support, so that of
 * as many users most have one of their own.
 */
#define SET_BITS 32

/* True where a column of the view "events" may be a context. */
static bool
is_context(const Model *model, const char *name, Oid type)
{
	if (strcmp(name, TIME_COLUMN) == 0)
		return OidIsValid(model->time_type);
	return strcmp(name, "user_id") != 0 && strcmp(name, "item_id") != 0 &&
		   strcmp(name, "weight") != 0 && strcmp(name, ZONE_KEY) != 0 && ColumnIsNominal(type);
}

/* The names of the columns that may be contexts. */
static List *
possible_contexts(const Model *model)
{
	List *names = NIL;
	ListCell *cell;

	foreach (cell, ColumnsOf(model, "events"))
	{
		const ViewColumn *column = lfirst(cell);

		if (is_context(model, column->name, column->type))
			names = lappend(names, column->name);
	}
	return names;
}

static bool
has_name(const List *names, const char *name)
{
	ListCell *cell;

	foreach (cell, names)
		if (strcmp(lfirst(cell), name) == 0)
			return true;
	return false;
}

bool
ContextsExist(const Model *model, const char *name)
{
	return has_name(possible_contexts(model), name);
}

/* Raises the error where there are more than there is room for. */
static void
check_count(int count)
{
	if (count > CONTEXTS_MOST)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("\"contexts\" may name %d columns, not %d", CONTEXTS_MOST, count)));
}

void
ContextsCheck(const Model *model, Datum contexts)
{
	List *possible = possible_contexts(model);
	Datum *name;
	bool *isnull;
	int count;

	deconstruct_array(DatumGetArrayTypeP(contexts), TEXTOID, -1, false, TYPALIGN_INT, &name,
					  &isnull, &count);
	check_count(count);
	for (int n = 0; n < count; n++)
	{
		const char *word = isnull[n] ? "NULL" : TextDatumGetCString(name[n]);

		if (isnull[n] || !has_name(possible, word))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("the events query has no column \"%s\" that could be a context", word),
					 possible == NIL
						 ? errhint("Contexts are occurred_at and columns of text, boolean, enum or "
								   "integer type; it has none.")
						 : errhint("Columns that could be: %s.", ColumnsQuoted(possible))));
	}
}

void
ContextsCheckZone(const char *zone)
{
	ClockZone(zone);
}

const char *
ContextsWord(const Context *context, uint32 value)
{
	return context->hours ? ClockWord(value)
						  : TextDatumGetCString(IdSetDatum(context->words, value));
}

/* The events while they are counted. */
typedef struct ContextsReader
{
	Contexts *contexts;
	IdKind user_kind;
	const IdSet *items;
	uint32 item_count;
	pg_tz *zone;
	Size memory_left; /* that counts may still take */
	Budget *budget;
} ContextsReader;

/* Room for the counts of one more value; false where there is none. */
static bool
add_value(ContextsReader *reader, Context *context)
{
	uint64 sets = (uint64) reader->item_count * reader->contexts->words;
	Size bytes = sizeof(uint32) * Max(reader->item_count + sets, 1);

	if (bytes > reader->memory_left)
	{
		reader->contexts->full = true;
		return false;
	}
	reader->memory_left -= bytes;
	context->count[context->values] =
		BudgetZeroed(reader->budget, reader->item_count, sizeof(uint32));
	context->users[context->values++] = BudgetZeroed(reader->budget, sets, sizeof(uint32));
	return true;
}

/* The place of a value among those of a context, a new one for a new value; false for none. */
static bool
find_value(ContextsReader *reader, Context *context, Datum value, uint32 *place)
{
	if (context->hours)
		return ClockHour(DatumGetTimestampTz(value), reader->zone, place);
	if (context->too_many || toast_raw_datum_size(value) - VARHDRSZ > NAMEDATALEN)
		return false;
	*place = IdSetAdd(context->words, value);
	context->too_many = IdSetCount(context->words) > CONTEXTS_VALUES;
	return !context->too_many && (*place < context->values || add_value(reader, context));
}

/* Takes one row: the item, the user, and every context. */
static void
take(TupleTableSlot *row, void *with)
{
	ContextsReader *reader = with;
	uint32 words = reader->contexts->words;
	uint32 item;
	uint32 bit;

	slot_getallattrs(row);
	if (row->tts_isnull[0] || row->tts_isnull[1] || reader->contexts->full)
		return;
	item = IdSetFind(reader->items, row->tts_values[0]);
	if (item >= reader->item_count)
		return;
	bit = (uint32) (IdHash(reader->user_kind, row->tts_values[1]) % (words * SET_BITS));
	for (uint32 c = 0; c < reader->contexts->count; c++)
	{
		Context *context = &reader->contexts->context[c];
		uint32 value;

		if (row->tts_isnull[c + 2] || !find_value(reader, context, row->tts_values[c + 2], &value))
			continue;
		context->count[value][item]++;
		context->users[value][(size_t) item * words + bit / SET_BITS] |= UINT32_C(1)
																		 << bit % SET_BITS;
	}
}

/* When an event was. */
#define EVENT_AT "e.occurred_at::pg_catalog.timestamptz"

/* The query for the contexts of what was chosen, and when, as far as a condition holds. */
static char *
contexts_query(const Model *model, const Contexts *contexts, const char *condition)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT e.item_id::%s, e.user_id::%s", IdTypeName(model->item_kind),
					 IdTypeName(model->user_kind));
	for (uint32 c = 0; c < contexts->count; c++)
	{
		const char *name = contexts->context[c].name;
		const char *column = psprintf("e.%s", quote_identifier(name));

		appendStringInfo(&sql, ", %s",
						 contexts->context[c].hours
							 ? psprintf("%s::pg_catalog.timestamptz", column)
							 : ColumnText(column, ColumnNeeded(model, "events", name)));
	}
	appendStringInfo(&sql, "%s FROM %s e WHERE e.user_id IS NOT NULL%s%s",
					 OidIsValid(model->time_type) ? ", " EVENT_AT : "", ConsentEvents(model),
					 EventsChose(model, "e"), condition);
	return sql.data;
}

/* Counts what was chosen up to a time. */
static void
count_until(const Model *model, ContextsReader *reader, TimestampTz until)
{
	const Oid type = TIMESTAMPTZOID;
	const Datum value = TimestampTzGetDatum(until);

	if (TIMESTAMP_IS_NOEND(until))
		PlanStreamOnce(contexts_query(model, reader->contexts, ""), take, reader);
	else
		PlanStreamLazy(
			contexts_query(model, reader->contexts, " AND " EVENT_AT " OPERATOR(pg_catalog.<=) $1"),
			1, &type, &value, take, reader);
	ModelNeedsName(model);
}

Contexts *
ContextsRead(const Model *model, const IdSet *items, TimestampTz until, Budget *budget)
{
	Contexts *contexts = BudgetZeroed(budget, 1, sizeof(Contexts));
	ContextsReader reader = {
		.contexts = contexts, .user_kind = model->user_kind, .items = items, .budget = budget};
	List *possible;
	ListCell *cell;

	if (model->settings.contexts == NIL)
		return contexts;
	check_count(list_length(model->settings.contexts));
	possible = possible_contexts(model);
	contexts->context =
		BudgetZeroed(budget, list_length(model->settings.contexts), sizeof(Context));
	contexts->words = 1 + (model->settings.similarity.rule.min_support - 1) / (SET_BITS / 2);
	reader.item_count = IdSetCount(items);
	reader.zone = ClockZone(model->settings.time_zone);
	reader.memory_left = BudgetLeft(budget) / 2;
	foreach (cell, model->settings.contexts)
	{
		Context *context = &contexts->context[contexts->count];

		/* One that went since it was set is none. */
		if (!has_name(possible, lfirst(cell)))
			continue;
		context->name = lfirst(cell);
		context->hours = strcmp(context->name, TIME_COLUMN) == 0;
		if (!context->hours)
			context->words = IdSetCreate(ID_TEXT, budget);
		while (context->hours && context->values < CLOCK_HOURS && add_value(&reader, context))
			;
		contexts->count++;
	}
	if (!contexts->full)
		count_until(model, &reader, until);
	if (contexts->full)
		ereport(NOTICE, (errmsg("model \"%s\" learns nothing of contexts", model->name),
						 errdetail("Their counts do not fit in half of maintenance_work_mem."),
						 errhint("Increase maintenance_work_mem, or name fewer contexts.")));
	return contexts;
}

/* The events while each is handed over. */
typedef struct ContextsWalk
{
	const Model *model;
	const Contexts *contexts;
	const IdSet *items;
	pg_tz *zone;
	ContextsTake take;
	void *with;
} ContextsWalk;

/* The place of a value among those that were read before, or CONTEXTS_NONE. */
static uint32
known_value(const ContextsWalk *walk, const Context *context, Datum value)
{
	uint32 place;

	if (context->hours)
		return ClockHour(DatumGetTimestampTz(value), walk->zone, &place) ? place : CONTEXTS_NONE;
	if (context->too_many || toast_raw_datum_size(value) - VARHDRSZ > NAMEDATALEN)
		return CONTEXTS_NONE;
	place = IdSetFind(context->words, value);
	return place == ID_NONE ? CONTEXTS_NONE : place;
}

static void
hand_over(TupleTableSlot *row, void *with)
{
	const ContextsWalk *walk = with;
	uint32 at = walk->contexts->count + 2;
	uint32 value[CONTEXTS_MOST];
	uint32 item;

	slot_getallattrs(row);
	if (row->tts_isnull[0] || row->tts_isnull[1] || row->tts_isnull[at])
		return;
	item = IdSetFind(walk->items, row->tts_values[0]);
	if (item == ID_NONE)
		return;
	for (uint32 c = 0; c < walk->contexts->count; c++)
		value[c] = row->tts_isnull[c + 2]
					   ? CONTEXTS_NONE
					   : known_value(walk, &walk->contexts->context[c], row->tts_values[c + 2]);
	walk->take(IdHash(walk->model->user_kind, row->tts_values[1]), item,
			   DatumGetTimestampTz(row->tts_values[at]), value, walk->with);
}

void
ContextsEach(const Model *model, const Contexts *contexts, const IdSet *items, TimestampTz after,
			 TimestampTz until, ContextsTake take_event, void *with)
{
	const char *target = ModelTarget(model);
	const Oid types[] = {TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID};
	const Datum values[] = {TimestampTzGetDatum(after), TimestampTzGetDatum(until),
							target ? CStringGetTextDatum(target) : (Datum) 0};
	ContextsWalk walk = {.model = model,
						 .contexts = contexts,
						 .items = items,
						 .zone = ClockZone(model->settings.time_zone),
						 .take = take_event,
						 .with = with};
	char *condition = psprintf(" AND " EVENT_AT " OPERATOR(pg_catalog.>) $1 AND " EVENT_AT
							   " OPERATOR(pg_catalog.<=) $2%s",
							   target ? " AND e." SIGNAL_TEXT " OPERATOR(pg_catalog.=) $3" : "");

	PlanStreamLazy(contexts_query(model, contexts, condition), target ? 3 : 2, types, values,
				   hand_over, &walk);
	ModelNeedsName(model);
}

void
ContextsFree(Contexts *contexts, Budget *budget)
{
	for (uint32 c = 0; c < contexts->count; c++)
	{
		Context *context = &contexts->context[c];

		for (uint32 v = 0; v < context->values; v++)
		{
			BudgetFree(budget, context->count[v]);
			BudgetFree(budget, context->users[v]);
		}
		context->values = 0;
	}
}

/* The columns of the table, as arrays of parameters. */
enum
{
	ROW_CONTEXT,
	ROW_VALUE,
	ROW_ITEM,
	ROW_EVENTS,
	ROW_LIFT,
	ROW_COLUMNS
};

/* Of several arrays, unnest is no function but what the parser makes of it: the system's own. */
#define NEW_ROWS "unnest($1, $2, $3, $4, $5) AS n(context, value, item_id, events, lift)"

void
ContextsWrite(const Model *model, const IdSet *ids, const ContextRow *rows, uint32 count)
{
	const Oid types[ROW_COLUMNS] = {TEXTOID, TEXTOID, IdType(model->item_kind), INT4OID, FLOAT8OID};
	Oid array_types[ROW_COLUMNS] = {TEXTARRAYOID, TEXTARRAYOID, IdArrayType(model->item_kind),
									INT4ARRAYOID, FLOAT8ARRAYOID};
	Datum *column[ROW_COLUMNS];
	Datum arrays[ROW_COLUMNS];

	for (int c = 0; c < ROW_COLUMNS; c++)
		column[c] = palloc_extended(sizeof(Datum) * Max(count, 1), MCXT_ALLOC_HUGE);
	for (uint32 n = 0; n < count; n++)
	{
		CHECK_FOR_INTERRUPTS();
		column[ROW_CONTEXT][n] = CStringGetTextDatum(rows[n].context);
		column[ROW_VALUE][n] = CStringGetTextDatum(rows[n].value);
		column[ROW_ITEM][n] = IdSetDatum(ids, rows[n].id);
		column[ROW_EVENTS][n] = Int32GetDatum((int32) Min(rows[n].events, PG_INT32_MAX));
		column[ROW_LIFT][n] = Float8GetDatum(rows[n].lift);
	}
	for (int c = 0; c < ROW_COLUMNS; c++)
		arrays[c] = PlanArray(column[c], count, types[c]);
	if (SPI_execute_with_args(
			psprintf("DELETE FROM %s.learned_context AS c WHERE NOT EXISTS (SELECT FROM " NEW_ROWS
					 " WHERE (n.context, n.value) OPERATOR(pg_catalog.=) (c.context, c.value) "
					 "AND n.item_id OPERATOR(pg_catalog.=) c.item_id "
					 "AND n.events OPERATOR(pg_catalog.=) c.events "
					 "AND n.lift OPERATOR(pg_catalog.=) c.lift)",
					 model->quoted),
			ROW_COLUMNS, array_types, arrays, NULL, false, 0) != SPI_OK_DELETE)
		elog(ERROR, "could not delete contexts of model \"%s\"", model->name);
	if (SPI_execute_with_args(
			psprintf("INSERT INTO %s.learned_context (context, value, item_id, events, lift) "
					 "SELECT n.context, n.value, n.item_id, n.events, n.lift FROM " NEW_ROWS
					 " ON CONFLICT (context, value, item_id) DO NOTHING",
					 model->quoted),
			ROW_COLUMNS, array_types, arrays, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write contexts of model \"%s\"", model->name);
}

/* One column and value that is asked for. */
typedef struct Asked
{
	char *name;
	char *value; /* NULL for a JSON null */
} Asked;

static void
refuse_context(void)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("\"context\" must be an object of columns and values"),
					errhint("Such as '{\"occurred_at\": \"now\", \"device\": \"phone\"}'.")));
}

/* The keys and values of an object, in jsonb's own order. */
static Asked *
read_object(Datum object, uint32 *count)
{
	Jsonb *jsonb = DatumGetJsonbP(object);
	JsonbIterator *walk;
	JsonbIteratorToken token;
	JsonbValue part;
	Asked *asked;

	if (!JB_ROOT_IS_OBJECT(jsonb))
		refuse_context();
	asked = palloc(sizeof(Asked) * Max(JB_ROOT_COUNT(jsonb), 1));
	*count = 0;
	walk = JsonbIteratorInit(&jsonb->root);
	while ((token = JsonbIteratorNext(&walk, &part, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			asked[*count].name = pnstrdup(part.val.string.val, part.val.string.len);
		else if (token == WJB_VALUE && !ScalarText(&part, &asked[(*count)++].value))
			refuse_context();
	}
	return asked;
}

static void
check_known(const Model *model, const char *name)
{
	if (strcmp(name, ZONE_KEY) != 0 && !has_name(model->settings.contexts, name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model \"%s\" has no context \"%s\"", model->name, name),
				 model->settings.contexts == NIL
					 ? errhint("Name columns of the events query with reco_configure(%s, contexts "
							   "=> ...), then run reco_refresh.",
							   quote_literal_cstr(model->name))
					 : errhint("Contexts it has: %s.", ColumnsQuoted(model->settings.contexts))));
}

/* The word for a value of a column; NULL for none. */
static const char *
word_asked(const Asked *asked, pg_tz *zone)
{
	uint32 hour;

	if (asked->value == NULL || strcmp(asked->name, TIME_COLUMN) != 0)
		return asked->value;
	if (!ClockHour(DatumGetTimestampTz(
					   DirectFunctionCall3(timestamptz_in, CStringGetDatum(asked->value),
										   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1))),
				   zone, &hour))
		return NULL;
	return ClockWord(hour);
}

static int
by_item_no(const void *a, const void *b)
{
	uint32 x = ((const ContextLift *) a)->item_no;
	uint32 y = ((const ContextLift *) b)->item_no;

	return x < y ? -1 : x > y;
}

/* Multiplies lifts by those of one more context. */
static ContextLifts
multiply(const ContextLifts *lifts, const ContextLifts *more)
{
	ContextLifts all = {.lift = palloc(sizeof(ContextLift) * (lifts->count + more->count + 1))};
	uint32 a = 0;
	uint32 b = 0;

	qsort(more->lift, more->count, sizeof(ContextLift), by_item_no);
	while (a < lifts->count || b < more->count)
	{
		if (b == more->count ||
			(a < lifts->count && lifts->lift[a].item_no < more->lift[b].item_no))
			all.lift[all.count++] = lifts->lift[a++];
		else if (a == lifts->count || more->lift[b].item_no < lifts->lift[a].item_no)
			all.lift[all.count++] = more->lift[b++];
		else
		{
			all.lift[all.count] = lifts->lift[a++];
			all.lift[all.count++].lift *= more->lift[b++].lift;
		}
	}
	return all;
}

double
ContextsLift(const ContextLifts *lifts, uint32 item_no)
{
	ContextLift wanted = {.item_no = item_no};
	const ContextLift *found = lifts->count == 0 ? NULL
												 : bsearch(&wanted, lifts->lift, lifts->count,
														   sizeof(ContextLift), by_item_no);

	return found ? found->lift : 1;
}

/* What the table says of one context. */
static ContextLifts
read_lifts(const Model *model, const char *name, const char *word)
{
	const Oid types[] = {TEXTOID, TEXTOID};
	const Datum arguments[] = {CStringGetTextDatum(name), CStringGetTextDatum(word)};
	uint64 rows = PlanRun(
		psprintf("SELECT l.item_no::pg_catalog.int4, c.lift::pg_catalog.float8 "
				 "FROM ONLY %s.learned_context c JOIN ONLY %s.learned_item l "
				 "ON l.item_id OPERATOR(pg_catalog.=) c.item_id "
				 "WHERE c.context OPERATOR(pg_catalog.=) $1 AND c.value OPERATOR(pg_catalog.=) $2",
				 model->quoted, model->quoted),
		lengthof(types), types, arguments, NULL);
	ContextLifts lifts = {.lift = palloc(sizeof(ContextLift) * Max(rows, 1))};

	for (uint64 r = 0; r < rows; r++)
	{
		bool isnull[2];
		Datum item_no = SPI_getbinval(SPI_tuptable->vals[r], SPI_tuptable->tupdesc, 1, &isnull[0]);
		Datum lift = SPI_getbinval(SPI_tuptable->vals[r], SPI_tuptable->tupdesc, 2, &isnull[1]);

		/* What is no lift, or of no item that can be scored, a refresh did not write. */
		if (!isnull[0] && !isnull[1] && (uint32) DatumGetInt32(item_no) < model->item_slots &&
			DatumGetFloat8(lift) > 0 && isfinite(DatumGetFloat8(lift)))
			lifts.lift[lifts.count++] =
				(ContextLift){(uint32) DatumGetInt32(item_no), DatumGetFloat8(lift)};
	}
	SPI_freetuptable(SPI_tuptable);
	return lifts;
}

ContextLifts
ContextsAsk(const Model *model, Datum object)
{
	uint32 keys;
	Asked *asked = read_object(object, &keys);
	pg_tz *zone = ClockZone(model->settings.time_zone);
	ContextLifts lifts = {NULL, 0};

	ModelNeedsTable(model, "learned_context");
	for (uint32 k = 0; k < keys; k++)
	{
		check_known(model, asked[k].name);
		if (strcmp(asked[k].name, ZONE_KEY) == 0 && asked[k].value)
			zone = ClockZone(asked[k].value);
	}
	for (uint32 k = 0; k < keys; k++)
	{
		const char *word;
		ContextLifts more;

		if (strcmp(asked[k].name, ZONE_KEY) == 0)
			continue;
		word = word_asked(&asked[k], zone);
		if (word == NULL)
			continue;
		more = read_lifts(model, asked[k].name, word);
		lifts = multiply(&lifts, &more);
	}
	for (uint32 n = 0; n < lifts.count; n++)
		lifts.lift[n].lift = Min(Max(lifts.lift[n].lift, 1 / CONTEXTS_LIFT), CONTEXTS_LIFT);
	return lifts;
}
