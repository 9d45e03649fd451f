#include "data/unfinished.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "data/columns.h"
#include "data/model.h"
#include "data/signals.h"
#include "data/values.h"
#include "parser/parse_coerce.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#define PROGRESS_COLUMN "progress"

#define KEYS "progress, finished, basket, bought, removed, series, order"

/* Raises the error of a value that is not what its key wants. */
static void
refuse(const char *key, const char *wants)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("\"%s\" of \"unfinished\" must be %s", key, wants),
					errhint("Such as '{\"progress\": \"watched\", \"finished\": 0.9, \"basket\": "
							"[\"cart\"], \"bought\": [\"buy\"], \"removed\": [\"remove\"], "
							"\"series\": \"show\", \"order\": \"episode\"}'.")));
}

/* The value of a key, or NULL where it is missing or null; counts the keys found. */
static JsonbValue *
find(Jsonb *object, const char *key, uint32 *found)
{
	JsonbValue *value = getKeyJsonValueFromContainer(&object->root, key, (int) strlen(key), NULL);

	if (value)
		(*found)++;
	return value && value->type != jbvNull ? value : NULL;
}

/* A name, or NULL. */
static const char *
find_name(Jsonb *object, const char *key, uint32 *found)
{
	JsonbValue *value = find(object, key, found);

	if (value == NULL)
		return NULL;
	if (value->type != jbvString || value->val.string.len == 0)
		refuse(key, "the name of a column");
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* An array of signals as text[], an empty one where the key is missing. */
static Datum
find_signals(Jsonb *object, const char *key, uint32 *found, int *count)
{
	JsonbValue *value = find(object, key, found);
	Datum *names = NULL;

	*count = 0;
	if (value && value->type != jbvBinary)
		refuse(key, "an array of signals");
	if (value)
	{
		JsonbContainer *array = value->val.binary.data;
		int members = (int) JsonContainerSize(array);

		if (!JsonContainerIsArray(array))
			refuse(key, "an array of signals");
		names = palloc(sizeof(Datum) * Max(members, 1));
		for (; *count < members; (*count)++)
		{
			JsonbValue *name = getIthJsonbValueFromContainer(array, (uint32) *count);

			if (name->type != jbvString)
				refuse(key, "an array of signals");
			names[*count] = PointerGetDatum(
				cstring_to_text_with_len(name->val.string.val, name->val.string.len));
		}
	}
	return PointerGetDatum(construct_array(names, *count, TEXTOID, -1, false, TYPALIGN_INT));
}

static double
find_share(Jsonb *object, const char *key, uint32 *found)
{
	JsonbValue *value = find(object, key, found);
	double share = UNFINISHED_FINISHED;

	if (value && value->type != jbvNumeric)
		refuse(key, "a number above 0 and at most 1");
	if (value)
		share = DatumGetFloat8(
			DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
	if (!(share > 0 && share <= 1))
		refuse(key, "a number above 0 and at most 1");
	return share;
}

Unfinished *
UnfinishedRead(Datum value)
{
	Jsonb *object = DatumGetJsonbP(value);
	Unfinished *unfinished = palloc0(sizeof(Unfinished));
	uint32 found = 0;
	int put;
	int taken;
	int removed;

	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"unfinished\" must be an object"), errhint("Its keys: %s.", KEYS)));
	unfinished->progress = find_name(object, "progress", &found);
	unfinished->finished = find_share(object, "finished", &found);
	unfinished->basket = find_signals(object, "basket", &found, &put);
	unfinished->bought = find_signals(object, "bought", &found, &taken);
	unfinished->removed = find_signals(object, "removed", &found, &removed);
	unfinished->series = find_name(object, "series", &found);
	unfinished->order = find_name(object, "order", &found);
	unfinished->has_basket = put > 0;
	if (found != JB_ROOT_COUNT(object))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"unfinished\" has a key that means nothing"),
						errhint("Its keys: %s.", KEYS)));
	if (put > 0 && taken == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"unfinished\" names signals for \"basket\" and none for \"bought\""),
				 errhint("Say by which signals a basket is bought.")));
	if (unfinished->series && unfinished->order == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"unfinished\" names an attribute for \"series\" and none for \"order\""),
				 errhint("Say by which attribute, a number or a date, the parts of a series follow "
						 "each other.")));
	return unfinished;
}

/* The type of a column of one of the model's views; InvalidOid where there is none. */
static Oid
column_type(const Model *model, const char *view, const char *name)
{
	Oid type = ColumnType(model, view, name);

	return OidIsValid(type) ? getBaseType(type) : InvalidOid;
}

static bool
is_number(Oid type)
{
	return OidIsValid(type) && TypeCategory(type) == TYPCATEGORY_NUMERIC &&
		   get_typtype(type) == TYPTYPE_BASE && type != OIDOID && type != MONEYOID;
}

/* True where values of a type follow each other as people count: texts do not, '10' is before '9'. */
static bool
is_order(Oid type)
{
	return is_number(type) || (OidIsValid(type) && TypeCategory(type) == TYPCATEGORY_DATETIME);
}

void
UnfinishedCheck(const Model *model, const Unfinished *unfinished)
{
	Oid type = InvalidOid;

	if (unfinished->progress)
		type = column_type(model, "events", unfinished->progress);
	if (unfinished->progress && !OidIsValid(type))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("the events query has no column \"%s\", which unfinished names",
							   unfinished->progress),
						errhint("It is to say how far somebody came with an item, 0 to 1.")));
	if (unfinished->progress && !is_number(type))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("column \"%s\" of \"%s.events\" has type %s", unfinished->progress,
							   model->name, format_type_be(type)),
						errhint("It is to be a number, 0 to 1: cast it in the query.")));
	if (unfinished->has_basket && !model->has_signal)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("the events query has no column \"signal\", which unfinished needs "
							   "for baskets"),
						errhint("It is to say of what kind an event is, \"cart\" or \"buy\".")));
	if (unfinished->series == NULL)
		return;
	ValuesCheck(model, unfinished->series, "unfinished");
	ValuesCheck(model, unfinished->order, "unfinished");
	type = column_type(model, "items", unfinished->order);
	if (!is_order(type))
		ereport(
			ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("attribute \"%s\" of \"%s.items\" has type %s, which puts no series in order",
					unfinished->order, model->name, format_type_be(type)),
			 errhint("It may be a number, a date or a time: cast it in the query.")));
}

Unfinished *
UnfinishedNothing(void)
{
	Unfinished *unfinished = palloc0(sizeof(Unfinished));
	Datum none = PointerGetDatum(construct_empty_array(TEXTOID));

	unfinished->finished = UNFINISHED_FINISHED;
	unfinished->basket = unfinished->bought = unfinished->removed = none;
	return unfinished;
}

const char *
UnfinishedGone(const Model *model, const char **view)
{
	const Unfinished *unfinished = model->settings.unfinished;

	if (unfinished == NULL)
		return NULL;
	*view = "events";
	if (unfinished->progress && !is_number(column_type(model, "events", unfinished->progress)))
		return unfinished->progress;
	if (unfinished->has_basket && !model->has_signal)
		return "signal";
	*view = "items";
	if (unfinished->series && !ValuesExist(model, unfinished->series))
		return unfinished->series;
	if (unfinished->series && !is_order(column_type(model, "items", unfinished->order)))
		return unfinished->order;
	return NULL;
}

/* What the setting says of the model as it is now. */
static Unfinished *
of_setting(const Model *model)
{
	Unfinished *unfinished = UnfinishedNothing();

	if (model->settings.unfinished == NULL)
		return unfinished;
	*unfinished = *model->settings.unfinished;
	if (unfinished->progress && !is_number(column_type(model, "events", unfinished->progress)))
		unfinished->progress = NULL;
	unfinished->has_basket &= model->has_signal;
	if (unfinished->series && (!ValuesExist(model, unfinished->series) ||
							   !is_order(column_type(model, "items", unfinished->order))))
		unfinished->series = NULL;
	return unfinished;
}

Unfinished *
UnfinishedOf(const Model *model, Datum value, bool isnull)
{
	Unfinished *unfinished = isnull ? of_setting(model) : UnfinishedRead(value);

	if (!isnull)
		UnfinishedCheck(model, unfinished);
	if (unfinished->progress == NULL && is_number(column_type(model, "events", PROGRESS_COLUMN)))
		unfinished->progress = PROGRESS_COLUMN;
	return unfinished;
}

/* How far an event says somebody came: what is beyond 0 and 1 is 0 and 1, what is no number none. */
static const char *
progress_of(const Unfinished *unfinished)
{
	const char *column;

	if (unfinished->progress == NULL)
		return "NULL::float8";
	column = psprintf("e.%s::float8", quote_identifier(unfinished->progress));
	/* Of NULL and 1 the least were 1. */
	return psprintf("CASE WHEN %s <> 'NaN' THEN greatest(0, least(1, %s)) END", column, column);
}

void
UnfinishedWords(const Model *model, const Unfinished *unfinished, TemplateWord *words)
{
	const char *at =
		OidIsValid(model->time_type) ? "e.occurred_at::timestamptz" : "NULL::timestamptz";
	const char *weight = OidIsValid(model->weight_type) ? "e.weight::float8" : "1::float8";
	const char *as_items = model->has_items ? ColumnCollate(model, "items", "item_id") : "";
	const char *series = "NULL";
	const char *order = "NULL";

	if (unfinished->series)
	{
		series = ColumnText(psprintf("i.%s", quote_identifier(unfinished->series)),
							column_type(model, "items", unfinished->series));
		series = psprintf("%s%s", series, ColumnCollate(model, "items", unfinished->series));
		order = psprintf("i.%s", quote_identifier(unfinished->order));
	}
	*words++ = (TemplateWord){"{model}", model->quoted};
	*words++ = (TemplateWord){"{item}", IdTypeName(model->item_kind)};
	*words++ = (TemplateWord){"{by_bytes}", IdCollate(model->item_kind)};
	*words++ = (TemplateWord){"{as_items}", as_items};
	*words++ = (TemplateWord){"{at}", at};
	*words++ = (TemplateWord){"{weight}", weight};
	*words++ = (TemplateWord){"{signal}", model->has_signal ? "e." SIGNAL_TEXT : "NULL::text"};
	*words++ = (TemplateWord){"{progress}", progress_of(unfinished)};
	*words++ = (TemplateWord){"{series}", series};
	*words++ = (TemplateWord){"{order}", order};
	*words = (TemplateWord){
		"{counts}",
		psprintf("e.user_id IS NOT NULL AND e.item_id IS NOT NULL%s%s",
				 OidIsValid(model->weight_type) ? " AND abs(e.weight::float8) < 1e38" : "",
				 OidIsValid(model->time_type) ? " AND isfinite(e.occurred_at)" : "")};
}
