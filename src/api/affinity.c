/*
 * affinity.c: reco_affinity: which attributes somebody goes for, or everybody.
 *
 * For a user, the lift of a trait is the share of the items of the history that have it, over the
 * share of everybody's: of the pairs of user and item that the last refresh counted.  A prior of
 * PRIOR items that are like everybody's keeps what few items say near 1; the bounds are those of
 * the share (Wilson 1927), over everybody's.
 *
 * For everybody it is the mean number of users of the items with it, over that of all items, and the
 * bounds are those of the mean, an item being one observation.
 *
 * The catalogue is read once, however many users a query asks about.
 */
#include "api/site.h"

#include <math.h>

#include "api/arguments.h"
#include "catalog/pg_type.h"
#include "data/history.h"
#include "data/traits.h"
#include "executor/spi.h"
#include "math/binomial.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_affinity);

static const Oid affinity_types[] = {TEXTOID,   TEXTOID,   FLOAT8OID, FLOAT8OID,
									 FLOAT8OID, FLOAT8OID, FLOAT8OID, INT4OID};

/* Items that what is thought before counts as. */
#define PRIOR 5

/* A trait and what is to be said of it. */
typedef struct Affinity
{
	uint32 trait;
	uint32 items; /* with it: of the history, or of the catalogue */
	double share;
	double usual;
	double lift;
	double low;
	double high;
} Affinity;

/* What all items come to. */
typedef struct Whole
{
	double items;
	double users;
	uint32 *having; /* [traits], items with each */
	double *of;     /* [traits], their users */
	double *square; /* the sum of squares of these */
	uint32 *place;  /* of an item, by its number in traits->ids */
} Whole;

/* What a call site keeps: the catalogue, by the attributes it was asked for. */
typedef struct Asked
{
	Site site;
	Budget *budget; /* of what follows */
	List *names;
	Traits *traits; /* NULL before it is read */
	Whole whole;
} Asked;

/* The names of an argument, each once; NIL for all. */
static List *
names_argument(FunctionCallInfo fcinfo, int argument)
{
	List *names = NIL;
	ListCell *cell;

	foreach (cell, DoorTexts(fcinfo, argument))
	{
		char *name = lfirst(cell);
		ListCell *known;

		foreach (known, names)
			if (strcmp(lfirst(known), name) == 0)
				break;
		if (known == NULL)
			names = lappend(names, name);
	}
	return names;
}

static bool
are_same_names(const List *a, const List *b)
{
	if (list_length(a) != list_length(b))
		return false;
	for (int n = 0; n < list_length(a); n++)
		if (strcmp(list_nth(a, n), list_nth(b, n)) != 0)
			return false;
	return true;
}

static Whole
sum_up(const Traits *traits, Budget *budget)
{
	uint64 room = (uint64) traits->traits + 1;
	Whole whole = {.items = traits->items,
				   .having = BudgetZeroed(budget, room, sizeof(uint32)),
				   .of = BudgetZeroed(budget, room, sizeof(double)),
				   .square = BudgetZeroed(budget, room, sizeof(double)),
				   .place = BudgetZeroed(budget, (uint64) traits->items + 1, sizeof(uint32))};

	for (uint32 i = 0; i < traits->items; i++)
	{
		double users = traits->users[i];

		CHECK_FOR_INTERRUPTS();
		whole.place[traits->at[i]] = i;
		whole.users += users;
		for (uint64 c = traits->start[i]; c < traits->start[i + 1]; c++)
		{
			whole.having[traits->trait[c]]++;
			whole.of[traits->trait[c]] += users;
			whole.square[traits->trait[c]] += users * users;
		}
	}
	return whole;
}

/* What a user's history says of a trait. */
static void
weigh_user(Affinity *affinity, const Whole *whole, uint32 had, uint32 all)
{
	double usual = whole->of[affinity->trait] / whole->users;

	affinity->items = had;
	affinity->share = (double) had / all;
	affinity->usual = usual;
	affinity->lift = (had + PRIOR * usual) / (all + PRIOR) / usual;
	BinomialInterval(had, all, &affinity->low, &affinity->high);
	affinity->low /= usual;
	affinity->high /= usual;
}

/* What everybody says of a trait. */
static void
weigh_all(Affinity *affinity, const Whole *whole)
{
	double items = whole->having[affinity->trait];
	double users = whole->of[affinity->trait];
	double mean = whole->users / whole->items;
	double variance = fmax(whole->square[affinity->trait] - users * users / items, 0) / (items - 1);
	double half = NORMAL_95 * sqrt(variance / items) / mean;

	affinity->items = (uint32) items;
	affinity->share = users / whole->users;
	affinity->usual = items / whole->items;
	affinity->lift = (users + PRIOR * mean) / (items + PRIOR) / mean;
	affinity->low = fmax(users / items / mean - half, 0);
	affinity->high = users / items / mean + half;
}

/* What is surest comes first. */
static int
surest_first(const void *a, const void *b)
{
	const Affinity *x = a;
	const Affinity *y = b;

	if (x->low != y->low)
		return x->low > y->low ? -1 : 1;
	if (x->lift != y->lift)
		return x->lift > y->lift ? -1 : 1;
	return x->trait < y->trait ? -1 : x->trait > y->trait;
}

/* How many items of a history have each trait; *all gets how many of the catalogue it has. */
static uint32 *
count_history(const Asked *asked, const History *history, uint32 *all)
{
	const Traits *traits = asked->traits;
	uint32 *had = palloc0(sizeof(uint32) * ((Size) traits->traits + 1));

	*all = 0;
	for (uint32 n = 0; n < history->count; n++)
	{
		uint32 number = IdSetFind(traits->ids, IdSetDatum(history->ids, history->item[n].id));
		uint32 item;

		if (number == ID_NONE || !(history->item[n].weight > 0))
			continue;
		item = asked->whole.place[number];
		++*all;
		for (uint64 c = traits->start[item]; c < traits->start[item + 1]; c++)
			had[traits->trait[c]]++;
	}
	return had;
}

/* Every trait that there is something to say of, surest first; history is NULL for everybody. */
static Affinity *
weigh(const Asked *asked, const History *history, uint32 least, uint32 *count)
{
	const Traits *traits = asked->traits;
	const Whole *whole = &asked->whole;
	Affinity *affinity = palloc(sizeof(Affinity) * ((Size) traits->traits + 1));
	uint32 all = 0;
	uint32 *had = history ? count_history(asked, history, &all) : NULL;

	*count = 0;
	for (uint32 t = 0; t < traits->traits && (had == NULL || all > 0); t++)
	{
		if (whole->having[t] < least || !(whole->of[t] > 0))
			continue;
		affinity[*count].trait = t;
		if (had)
			weigh_user(&affinity[(*count)++], whole, had[t], all);
		else
			weigh_all(&affinity[(*count)++], whole);
	}
	qsort(affinity, *count, sizeof(Affinity), surest_first);
	return affinity;
}

static void
put_affinity(DoorRows *rows, const Traits *traits, const Affinity *affinity)
{
	bool nulls[lengthof(affinity_types)] = {0};
	Datum values[] = {
		CStringGetTextDatum(ValuesName(traits->values[TraitAttribute(traits, affinity->trait)])),
		TraitText(traits, affinity->trait),
		Float8GetDatum(affinity->lift),
		Float8GetDatum(affinity->low),
		Float8GetDatum(affinity->high),
		Float8GetDatum(affinity->share),
		Float8GetDatum(affinity->usual),
		Int32GetDatum((int32) affinity->items)};

	DoorPut(rows, values, nulls);
}

/* Forgets the catalogue. */
static void
forget_catalogue(Asked *asked)
{
	if (asked->budget)
		BudgetDestroy(asked->budget);
	asked->budget = NULL;
	asked->names = NIL;
	asked->traits = NULL;
}

/* Makes the model of an argument the site's. */
static void
know_model(Asked *asked, FunctionCallInfo fcinfo, int argument)
{
	Model *model;

	if (SiteKnowsModel(&asked->site, fcinfo, argument))
		return;
	forget_catalogue(asked);
	model = SiteLearnModel(&asked->site, fcinfo, argument);
	DoorUser(fcinfo, 0, model);
	DoorEnter(model);
	DoorLeave(model);
	asked->site.model = model;
}

/* Reads the catalogue where the site does not have it by these attributes; SPI is connected. */
static void
know_catalogue(Asked *asked, const List *names)
{
	const Model *model = asked->site.model;
	MemoryContext caller;
	ListCell *cell;

	if (asked->traits && are_same_names(asked->names, names))
		return;
	forget_catalogue(asked);
	asked->budget = BudgetCreate(asked->site.context, "affinities", SIZE_MAX);
	foreach (cell, names)
		ValuesCheck(model, lfirst(cell), "attributes");
	caller = MemoryContextSwitchTo(BudgetContext(asked->budget));
	foreach (cell, names)
		asked->names = lappend(asked->names, pstrdup(lfirst(cell)));
	MemoryContextSwitchTo(caller);
	asked->traits = TraitsRead(model, names, asked->budget);
	asked->whole = sum_up(asked->traits, asked->budget);
}

/* reco_affinity(user_id, attributes, k, model, min_items) */
Datum
reco_affinity(PG_FUNCTION_ARGS)
{
	Asked *asked = SiteOpen(fcinfo, sizeof(Asked));
	Model *model;
	Datum user;
	uint32 k;
	int32 least = PG_ARGISNULL(4) ? 2 : PG_GETARG_INT32(4);
	Budget *budget;
	DoorRows rows;
	History *history = NULL;
	Affinity *affinity;
	uint32 count;

	know_model(asked, fcinfo, 3);
	model = asked->site.model;
	user = DoorUser(fcinfo, 0, model);
	k = DoorK(fcinfo, 2);
	budget = BudgetCreate(CurrentMemoryContext, "affinities", SIZE_MAX);
	rows = DoorOpen(fcinfo, model, affinity_types, lengthof(affinity_types), false);
	if (least < 2)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("min_items must be at least 2, not %d", least),
						errdetail("What one item alone has is no taste.")));
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	know_catalogue(asked, names_argument(fcinfo, 1));
	if (!PG_ARGISNULL(0))
		history = HistoryRead(model, user, GetCurrentTimestamp(), budget);
	affinity = weigh(asked, history, (uint32) least, &count);
	for (uint32 n = 0; n < count && (k == 0 || n < k); n++)
		put_affinity(&rows, asked->traits, &affinity[n]);
	DoorLeave(model);
	BudgetDestroy(budget);
	return (Datum) 0;
}
