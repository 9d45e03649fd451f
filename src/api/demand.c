/*
 * demand.c: reco_demand and reco_audience_of: an item that does not exist yet, by its attributes.
 *
 * How many users it will have is learned in learn/turnout from those that exist.  Who they are is
 * told by the items that are most like it: the cosine of their traits, weighed by how rare each is,
 * idf = ln(items / items with it) (Salton & Buckley 1988).  A user's score is the sum of the
 * likenesses of their items over the square root of how many items they have.
 */
#include "api/door.h"

#include <math.h>

#include "base/scalar.h"
#include "catalog/pg_type.h"
#include "data/fans.h"
#include "data/traits.h"
#include "executor/spi.h"
#include "learn/turnout.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(reco_demand);
PG_FUNCTION_INFO_V1(reco_audience_of);

static const Oid demand_types[] = {FLOAT8OID, FLOAT8OID, FLOAT8OID, INT4OID, INT4OID, FLOAT8OID};
static const Oid fan_types[] = {DOOR_USER, FLOAT8OID, DOOR_ITEM, INT4OID};

/* So many of the most alike items speak for an item. */
#define ALIKE 50

/* What is said of the item: names of attributes, and with each a list of its values as text. */
typedef struct Wish
{
	List *names;
	List *values;
} Wish;

pg_noreturn static void
refuse_attributes(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("attributes must be an object of attributes and their values"),
			 errhint("Such as '{\"genre\": [\"drama\", \"war\"], \"director\": \"...\"}'.")));
}

/* Adds the value of an attribute, or an element of its values; what is deeper is refused. */
static List *
add_value(List *values, JsonbIteratorToken token, const JsonbValue *part)
{
	char *text;

	if ((token != WJB_VALUE && token != WJB_ELEM) || !ScalarText(part, &text))
		refuse_attributes();
	return text ? lappend(values, cstring_to_text(text)) : values;
}

/* Reads the value of an attribute, which begins with a token, to its end. */
static List *
read_values(JsonbIterator **walk, JsonbIteratorToken token, JsonbValue *part)
{
	List *values = NIL;

	if (token != WJB_BEGIN_ARRAY)
		return add_value(NIL, token, part);
	while ((token = JsonbIteratorNext(walk, part, false)) != WJB_END_ARRAY)
		values = add_value(values, token, part);
	return values;
}

/* Reads an object of scalars and arrays of scalars. */
static Wish
wish_argument(FunctionCallInfo fcinfo, int argument, const Model *model)
{
	Wish wish = {NIL, NIL};
	JsonbIterator *walk;
	JsonbValue part;

	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("attributes must not be NULL")));
	if (!JB_ROOT_IS_OBJECT(PG_GETARG_JSONB_P(argument)))
		refuse_attributes();
	walk = JsonbIteratorInit(&PG_GETARG_JSONB_P(argument)->root);
	JsonbIteratorNext(&walk, &part, false);
	while (JsonbIteratorNext(&walk, &part, false) == WJB_KEY)
	{
		char *name = pnstrdup(part.val.string.val, part.val.string.len);
		JsonbIteratorToken token = JsonbIteratorNext(&walk, &part, false);

		ValuesCheck(model, name, "attributes");
		wish.names = lappend(wish.names, name);
		wish.values = lappend(wish.values, read_values(&walk, token, &part));
	}
	if (wish.names == NIL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("attributes are empty"),
						errhint("Say what the item will be like, by one attribute at least.")));
	return wish;
}

/*
 * The traits of the wish that the catalogue knows, each once; *unknown gets how many it does not
 * know.
 */
static uint32 *
find_traits(const Traits *traits, const Wish *wish, uint32 *count, uint32 *unknown)
{
	bool *known = palloc0(sizeof(bool) * ((Size) traits->traits + 1));
	uint32 *found = palloc(sizeof(uint32) * ((Size) traits->traits + 1));

	*count = 0;
	*unknown = 0;
	for (uint32 a = 0; a < traits->attributes; a++)
	{
		ListCell *cell;

		foreach (cell, (List *) list_nth(wish->values, (int) a))
		{
			uint32 trait = TraitFind(traits, a, PointerGetDatum(lfirst(cell)));

			if (trait == ID_NONE)
				++*unknown;
			else if (!known[trait])
				found[(*count)++] = trait;
			if (trait != ID_NONE)
				known[trait] = true;
		}
	}
	return found;
}

/* The catalogue as learning takes it. */
static TurnoutInput
input_of(const Traits *traits)
{
	return (TurnoutInput){traits->items, traits->traits, traits->start, traits->trait,
						  traits->users};
}

/* reco_demand(attributes, model) */
Datum
reco_demand(PG_FUNCTION_ARGS)
{
	Model *model = DoorModel(fcinfo, 1);
	Wish wish = wish_argument(fcinfo, 0, model);
	Budget *budget = BudgetCreate(CurrentMemoryContext, "demand", SIZE_MAX);
	DoorRows rows = DoorOpen(fcinfo, model, demand_types, lengthof(demand_types), true);
	Traits *traits;
	TurnoutInput input;
	TurnoutForecast forecast;
	Turnout *turnout;
	uint32 *trait;
	uint32 count;
	uint32 unknown;

	DoorEnter(model);
	traits = TraitsRead(model, wish.names, budget);
	input = input_of(traits);
	turnout = TurnoutLearn(&input, budget);
	trait = find_traits(traits, &wish, &count, &unknown);
	forecast = TurnoutOf(turnout, &input, trait, count);
	{
		bool few = turnout->error == NULL;
		bool nulls[] = {false, few, few, false, false, few};
		Datum values[] = {Float8GetDatum(forecast.expected), Float8GetDatum(forecast.low),
						  Float8GetDatum(forecast.high),     Int32GetDatum((int32) traits->items),
						  Int32GetDatum((int32) unknown),    Float8GetDatum(turnout->explained)};

		DoorPut(&rows, values, nulls);
	}
	DoorLeave(model);
	BudgetDestroy(budget);
	return (Datum) 0;
}

/* An item and how much it is like the one that is planned. */
typedef struct Alike
{
	uint32 item;
	double likeness;
} Alike;

static int
most_alike_first(const void *a, const void *b)
{
	const Alike *x = a;
	const Alike *y = b;

	if (x->likeness != y->likeness)
		return x->likeness > y->likeness ? -1 : 1;
	return x->item < y->item ? -1 : x->item > y->item;
}

/* The squares of how rare each trait is. */
static double *
rarities(const Traits *traits)
{
	uint32 *having = palloc0(sizeof(uint32) * ((Size) traits->traits + 1));
	double *rarity = palloc(sizeof(double) * ((Size) traits->traits + 1));

	for (uint64 c = 0; c < traits->start[traits->items]; c++)
		having[traits->trait[c]]++;
	for (uint32 t = 0; t < traits->traits; t++)
	{
		double idf = log((double) traits->items / having[t]);

		rarity[t] = idf * idf;
	}
	return rarity;
}

/* The items most like one of some traits, best first. */
static Alike *
find_alike(const Traits *traits, const uint32 *trait, uint32 traits_asked, uint32 *count)
{
	double *rarity = rarities(traits);
	bool *wanted = palloc0(sizeof(bool) * ((Size) traits->traits + 1));
	Alike *alike = palloc(sizeof(Alike) * ((Size) traits->items + 1));
	double length = 0;

	for (uint32 t = 0; t < traits_asked; t++)
	{
		wanted[trait[t]] = true;
		length += rarity[trait[t]];
	}
	*count = 0;
	for (uint32 i = 0; i < traits->items; i++)
	{
		double shared = 0;
		double all = 0;

		CHECK_FOR_INTERRUPTS();
		for (uint64 c = traits->start[i]; c < traits->start[i + 1]; c++)
		{
			all += rarity[traits->trait[c]];
			if (wanted[traits->trait[c]])
				shared += rarity[traits->trait[c]];
		}
		if (shared > 0)
			alike[(*count)++] = (Alike){i, shared / sqrt(length * all)};
	}
	qsort(alike, *count, sizeof(Alike), most_alike_first);
	*count = Min(*count, ALIKE);
	return alike;
}

static void
put_fans(DoorRows *rows, const Fan *fan, uint64 count)
{
	for (uint64 n = 0; n < count; n++)
	{
		bool nulls[lengthof(fan_types)] = {0};
		Datum values[] = {DoorUserOut(rows, fan[n].user), Float8GetDatum(fan[n].score),
						  DoorItemOut(rows, fan[n].because), Int32GetDatum(fan[n].items)};

		DoorPut(rows, values, nulls);
	}
}

/* reco_audience_of(attributes, k, model) */
Datum
reco_audience_of(PG_FUNCTION_ARGS)
{
	Model *model = DoorModel(fcinfo, 2);
	uint32 k = DoorK(fcinfo, 1);
	Wish wish = wish_argument(fcinfo, 0, model);
	Budget *budget = BudgetCreate(CurrentMemoryContext, "audience", SIZE_MAX);
	DoorRows rows = DoorOpen(fcinfo, model, fan_types, lengthof(fan_types), true);
	Traits *traits;
	uint32 *trait;
	Alike *alike;
	uint32 *number;
	double *likeness;
	Fan *fans;
	uint64 found;
	uint32 count;
	uint32 unknown;

	DoorEnter(model);
	traits = TraitsRead(model, wish.names, budget);
	trait = find_traits(traits, &wish, &count, &unknown);
	alike = find_alike(traits, trait, count, &count);
	number = palloc(sizeof(uint32) * (count + 1));
	likeness = palloc(sizeof(double) * (count + 1));
	for (uint32 n = 0; n < count; n++)
	{
		number[n] = traits->at[alike[n].item];
		likeness[n] = alike[n].likeness;
	}
	fans = FansRead(model, traits->ids, number, likeness, count, k, &found);
	put_fans(&rows, fans, found);
	DoorLeave(model);
	BudgetDestroy(budget);
	return (Datum) 0;
}
