#include "data/values.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "data/columns.h"
#include "data/plan.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* The values of an item: where they lie. */
typedef struct Place
{
	uint64 begin;
	uint32 count;
	bool known;
} Place;

/* An item and one of its values, as they come. */
typedef struct Pair
{
	uint32 item;
	uint32 value;
} Pair;

struct Values
{
	const Model *model;
	const char *name;
	const char *column; /* its value in a row i, as SQL */
	bool array;
	Budget *budget;
	IdSet *ids;
	IdSet *words; /* the values, as text */
	Place *place; /* by number of item */
	uint32 places;
	uint32 *value;
	uint64 count;
	uint64 room;

	Pair *pair; /* while rows are read */
	uint64 pairs;
	uint64 pair_room;
};

bool
ValuesExist(const Model *model, const char *name)
{
	return model->has_items && strcmp(name, "item_id") != 0 &&
		   OidIsValid(ColumnType(model, "items", name));
}

const char *
ValuesCategory(const Model *model)
{
	const char *name = model->settings.category ? model->settings.category : "category";

	return ValuesExist(model, name) ? name : NULL;
}

/* The names of the attributes there are. */
static List *
attribute_names(const Model *model)
{
	List *names = NIL;
	ListCell *cell;

	foreach (cell, model->has_items ? ColumnsOf(model, "items") : NIL)
	{
		const ViewColumn *column = lfirst(cell);

		if (strcmp(column->name, "item_id") != 0)
			names = lappend(names, column->name);
	}
	return names;
}

void
ValuesCheck(const Model *model, const char *name, const char *option)
{
	List *names;

	if (ValuesExist(model, name))
		return;
	names = attribute_names(model);
	ereport(
		ERROR,
		(errcode(ERRCODE_UNDEFINED_COLUMN),
		 errmsg("model \"%s\" has no attribute \"%s\", which %s names", model->name, name, option),
		 !model->has_items
			 ? errhint(
				   "Attributes are the columns of the items query, which the model does not have.")
		 : names == NIL
			 ? errhint("The items query has no column besides item_id.")
			 : errhint("Attributes of \"%s.items\": %s.", model->name, ColumnsQuoted(names))));
}

Values *
ValuesOpen(const Model *model, const char *name, IdSet *ids, Budget *budget)
{
	Values *values = BudgetZeroed(budget, 1, sizeof(Values));
	Oid type = ColumnNeeded(model, "items", name);
	const char *column = psprintf("i.%s", quote_identifier(name));

	values->model = model;
	values->name = MemoryContextStrdup(BudgetContext(budget), name);
	values->array = OidIsValid(get_base_element_type(type));
	values->column =
		MemoryContextStrdup(BudgetContext(budget),
							values->array ? ColumnTexts(column, type) : ColumnText(column, type));
	values->budget = budget;
	values->ids = ids;
	values->words = IdSetCreate(ID_TEXT, budget);
	return values;
}

const char *
ValuesName(const Values *values)
{
	return values->name;
}

bool
ValuesAreArrays(const Values *values)
{
	return values->array;
}

static void
add_pair(Values *values, uint32 item, Datum text)
{
	if (values->pairs == values->pair_room)
	{
		values->pair_room = Max(64, values->pair_room * 2);
		values->pair = BudgetResize(values->budget, values->pair, values->pair_room, sizeof(Pair));
	}
	values->pair[values->pairs++] = (Pair){item, IdSetAdd(values->words, text)};
}

/* Takes a row: the item, and what is said of it. */
static void
take(TupleTableSlot *row, void *with)
{
	Values *values = with;
	uint32 item;

	if (row->tts_isnull[0] || row->tts_isnull[1])
		return;
	item = IdSetFind(values->ids, row->tts_values[0]);
	if (item == ID_NONE)
		return;
	if (values->array)
	{
		ArrayType *array = DatumGetArrayTypeP(row->tts_values[1]);
		Datum *element;
		bool *isnull;
		int count;

		deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &element, &isnull, &count);
		for (int n = 0; n < count; n++)
			if (!isnull[n])
				add_pair(values, item, element[n]);
		pfree(element);
		pfree(isnull);
		if ((Pointer) array != DatumGetPointer(row->tts_values[1]))
			pfree(array);
	}
	else
		add_pair(values, item, row->tts_values[1]);
}

static int
by_item(const void *a, const void *b)
{
	const Pair *x = a;
	const Pair *y = b;

	if (x->item != y->item)
		return x->item < y->item ? -1 : 1;
	return x->value < y->value ? -1 : x->value > y->value;
}

/* Files the pairs that were read under their items; the same said twice is said once. */
static void
file_pairs(Values *values)
{
	if (values->pairs > 0)
		qsort(values->pair, values->pairs, sizeof(Pair), by_item);
	if (values->count + values->pairs > values->room)
	{
		values->room = Max(values->count + values->pairs, values->room * 2);
		values->value = BudgetResize(values->budget, values->value, values->room, sizeof(uint32));
	}
	for (uint64 p = 0; p < values->pairs; p++)
	{
		const Pair *pair = &values->pair[p];
		Place *place = &values->place[pair->item];

		if (p > 0 && by_item(pair, pair - 1) == 0)
			continue;
		if (place->count == 0)
			place->begin = values->count;
		values->value[values->count++] = pair->value;
		place->count++;
	}
	values->pairs = 0;
}

/* A place for every id there is by now. */
static void
make_places(Values *values)
{
	uint32 places = IdSetCount(values->ids);

	if (places <= values->places)
		return;
	places = Max(places, values->places + values->places / 2);
	values->place = BudgetResize(values->budget, values->place, places, sizeof(Place));
	memset(values->place + values->places, 0, sizeof(Place) * (places - values->places));
	values->places = places;
}

/* What is said of items, as rows of an id and a text or an array of texts. */
static char *
query(const Values *values, const char *condition)
{
	return psprintf("SELECT i.item_id::%s, %s FROM %s.items i%s",
					IdTypeName(values->model->item_kind), values->column, values->model->quoted,
					condition);
}

void
ValuesRead(Values *values, const uint32 *numbers, uint32 count)
{
	Oid type = IdArrayType(values->model->item_kind);
	uint32 *asked = palloc(sizeof(uint32) * Max(count, 1));
	uint32 unknown = 0;

	make_places(values);
	for (uint32 n = 0; n < count; n++)
	{
		Place *place = &values->place[numbers[n]];

		if (!place->known)
			asked[unknown++] = numbers[n];
		place->known = true;
	}
	if (unknown > 0)
	{
		Datum array = IdSetArrayOf(values->ids, asked, unknown);

		PlanStream(query(values, " WHERE i.item_id OPERATOR(pg_catalog.=) ANY ($1)"), 1, &type,
				   &array, take, values);
		ModelNeedsName(values->model);
		file_pairs(values);
	}
	pfree(asked);
}

void
ValuesReadAll(Values *values)
{
	make_places(values);
	PlanStream(query(values, ""), 0, NULL, NULL, take, values);
	ModelNeedsName(values->model);
	for (uint32 n = 0; n < values->places; n++)
		values->place[n].known = true;
	file_pairs(values);
}

const uint32 *
ValuesOf(const Values *values, uint32 number, uint32 *count)
{
	if (number >= values->places)
	{
		*count = 0;
		return NULL;
	}
	*count = values->place[number].count;
	return values->value + values->place[number].begin;
}

uint32
ValuesCount(const Values *values)
{
	return IdSetCount(values->words);
}

uint32
ValuesFind(const Values *values, Datum text)
{
	return IdSetFind(values->words, text);
}

Datum
ValuesDatum(const Values *values, uint32 value)
{
	return IdSetDatum(values->words, value);
}

uint32 *
ValuesRanks(const Values *values)
{
	return IdSetRanks(values->words);
}

static void
take_item(TupleTableSlot *row, void *with)
{
	if (!row->tts_isnull[0])
		IdSetAdd(with, row->tts_values[0]);
}

void
ValuesItems(const Values *values, const text *value, IdSet *items)
{
	Oid type = TEXTOID;
	Datum wanted = PointerGetDatum(value);

	PlanStream(psprintf("SELECT i.item_id::%s FROM %s.items i WHERE $1 OPERATOR(pg_catalog.=) %s",
						IdTypeName(values->model->item_kind), values->model->quoted,
						psprintf(values->array ? "ANY (%s)" : "%s", values->column)),
			   1, &type, &wanted, take_item, items);
	ModelNeedsName(values->model);
}
