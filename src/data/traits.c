#include "data/traits.h"

#include "data/columns.h"
#include "data/plan.h"
#include "utils/lsyscache.h"

/* While items are read. */
typedef struct Reading
{
	Traits *traits;
	Budget *budget;
	uint32 *users; /* by number in ids */
	uint32 room;
} Reading;

/* The names of all attributes whose values are names of something. */
static List *
nominal_names(const Model *model)
{
	List *names = NIL;
	ListCell *cell;

	foreach (cell, model->has_items ? ColumnsOf(model, "items") : NIL)
	{
		const ViewColumn *column = lfirst(cell);
		Oid element = get_base_element_type(column->type);

		if (!ColumnSaysNothing(column->name) &&
			ColumnIsNominal(OidIsValid(element) ? element : column->type))
			names = lappend(names, column->name);
	}
	return names;
}

static void
take_item(TupleTableSlot *row, void *with)
{
	Reading *reading = with;
	uint32 item;

	if (row->tts_isnull[0])
		return;
	CHECK_FOR_INTERRUPTS();
	item = IdSetAdd(reading->traits->ids, row->tts_values[0]);
	if (item >= reading->room)
	{
		reading->room = Max(1024, 2 * (item + 1));
		reading->users =
			BudgetResize(reading->budget, reading->users, reading->room, sizeof(uint32));
	}
	reading->users[item] = row->tts_isnull[1] ? 0 : (uint32) DatumGetInt32(row->tts_values[1]);
}

/* Reads which items there are, and puts them in the order of their ids. */
static void
read_items(Traits *traits, const Model *model, Budget *budget)
{
	Reading reading = {traits, budget, NULL, 0};
	const char *type = IdTypeName(model->item_kind);
	uint32 *rank;

	traits->ids = IdSetCreate(model->item_kind, budget);
	PlanStreamOnce(
		psprintf("SELECT i.item_id::%s, l.users::pg_catalog.int4 FROM %s.items i LEFT JOIN %s.learned_item l"
				 " ON l.item_id::%s OPERATOR(pg_catalog.=) i.item_id::%s",
				 type, model->quoted, model->quoted, type, type),
		take_item, &reading);
	ModelNeedsName(model);
	traits->items = IdSetCount(traits->ids);
	rank = IdSetRanks(traits->ids);
	traits->at = BudgetAlloc(budget, Max(traits->items, 1), sizeof(uint32));
	traits->users = BudgetAlloc(budget, Max(traits->items, 1), sizeof(uint32));
	for (uint32 n = 0; n < traits->items; n++)
	{
		traits->at[rank[n]] = n;
		traits->users[rank[n]] = reading.users[n];
	}
	BudgetFree(budget, reading.users);
}

/* Reads one attribute. */
static void
read_attribute(Traits *traits, uint32 attribute, const Model *model, const char *name,
			   Budget *budget)
{
	Values *values = ValuesOpen(model, name, traits->ids, budget);
	uint32 count;

	ValuesReadAll(values);
	count = ValuesCount(values);
	traits->values[attribute] = values;
	traits->rank[attribute] = ValuesRanks(values);
	traits->value[attribute] = BudgetAlloc(budget, Max(count, 1), sizeof(uint32));
	for (uint32 n = 0; n < count; n++)
		traits->value[attribute][traits->rank[attribute][n]] = n;
	traits->first[attribute + 1] = traits->first[attribute] + count;
}

static int
rising(const void *a, const void *b)
{
	uint32 x = *(const uint32 *) a;
	uint32 y = *(const uint32 *) b;

	return x < y ? -1 : x > y;
}

/* Brings what was read of all attributes together, item by item. */
static void
gather(Traits *traits, Budget *budget)
{
	uint64 cells = 0;

	traits->start = BudgetAlloc(budget, (uint64) traits->items + 1, sizeof(uint64));
	for (uint32 item = 0; item < traits->items; item++)
		for (uint32 a = 0; a < traits->attributes; a++)
		{
			uint32 count;

			ValuesOf(traits->values[a], traits->at[item], &count);
			cells += count;
		}
	traits->trait = BudgetAlloc(budget, Max(cells, 1), sizeof(uint32));
	cells = 0;
	for (uint32 item = 0; item < traits->items; item++)
	{
		CHECK_FOR_INTERRUPTS();
		traits->start[item] = cells;
		for (uint32 a = 0; a < traits->attributes; a++)
		{
			uint32 count;
			const uint32 *value = ValuesOf(traits->values[a], traits->at[item], &count);

			for (uint32 n = 0; n < count; n++)
				traits->trait[cells++] = traits->first[a] + traits->rank[a][value[n]];
		}
		qsort(traits->trait + traits->start[item], cells - traits->start[item], sizeof(uint32),
			  rising);
	}
	traits->start[traits->items] = cells;
}

Traits *
TraitsRead(const Model *model, const List *names, Budget *budget)
{
	Traits *traits = BudgetZeroed(budget, 1, sizeof(Traits));
	const List *wanted = names ? names : nominal_names(model);
	ListCell *cell;
	uint32 attribute = 0;

	if (wanted == NIL)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("nothing is known of the items of model \"%s\"", model->name),
						errhint("Give it an items query with columns of text, boolean, enum or "
								"integer type, or arrays of these.")));
	traits->attributes = (uint32) list_length(wanted);
	traits->values = BudgetAlloc(budget, traits->attributes, sizeof(Values *));
	traits->rank = BudgetAlloc(budget, traits->attributes, sizeof(uint32 *));
	traits->value = BudgetAlloc(budget, traits->attributes, sizeof(uint32 *));
	traits->first = BudgetZeroed(budget, traits->attributes + 1, sizeof(uint32));
	read_items(traits, model, budget);
	foreach (cell, wanted)
		read_attribute(traits, attribute++, model, lfirst(cell), budget);
	traits->traits = traits->first[traits->attributes];
	gather(traits, budget);
	return traits;
}

uint32
TraitAttribute(const Traits *traits, uint32 trait)
{
	uint32 attribute = 0;

	while (traits->first[attribute + 1] <= trait)
		attribute++;
	return attribute;
}

Datum
TraitText(const Traits *traits, uint32 trait)
{
	uint32 attribute = TraitAttribute(traits, trait);

	return ValuesDatum(traits->values[attribute],
					  traits->value[attribute][trait - traits->first[attribute]]);
}

uint32
TraitFind(const Traits *traits, uint32 attribute, Datum text)
{
	uint32 value = ValuesFind(traits->values[attribute], text);

	return value == ID_NONE ? ID_NONE : traits->first[attribute] + traits->rank[attribute][value];
}
