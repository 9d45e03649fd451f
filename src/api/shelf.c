#include "api/shelf.h"

#include <math.h>

#include "api/arrange.h"
#include "api/arrangement.h"
#include "api/rating.h"
#include "catalog/pg_type.h"
#include "data/catalogue.h"
#include "data/plan.h"
#include "data/resuming.h"
#include "data/values.h"
#include "executor/spi.h"
#include "math/hash.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* Of what was chosen, the newest so many may be what a shelf is about; of categories the commonest. */
#define CHOSEN_MOST     20
#define CATEGORIES_MOST 6

/* A half as likely to be drawn after so many places of a shelf, of subjects after so many. */
#define SUBJECTS_HALF 5

/* Chosen items with one value of an attribute that make it one that is followed; values that count. */
#define FOLLOWED_LEAST 2
#define FOLLOWED_MOST  10

/* Items that hardly anybody knows, of which some are drawn. */
#define POOL_MOST 200

/* Rising and popular items that shelves of categories are filled from. */
#define CATEGORIES_FROM 1000

/* Popular items of which those of guests' categories are counted. */
#define GUESTS_ITEMS 100

const char *
ShelfName(ShelfKind kind)
{
	static const char *const names[SHELF_KINDS] = {
		[SHELF_CONTINUE] = "continue", [SHELF_TOP] = "top", [SHELF_BECAUSE] = "because",
		[SHELF_TRENDING] = "trending", [SHELF_NEW] = "new", [SHELF_DISCOVER] = "discover",
	};

	return names[kind];
}

/* The ticket of what has that hash, and a weight. */
static double
ticket_of(uint64 lot, uint64 hash, double weight)
{
	return -log(((double) (HashMix(HashMix(lot) ^ hash) >> 11) + 0.5) * 0x1p-53) / weight;
}

double
ShelfTicket(const ShelfAsk *ask, const Shelf *shelf, ShelfItem *item)
{
	if (isnan(item->ticket))
		item->ticket = ticket_of(ask->lot ^ shelf->lot,
								 StockHash(ask->stock, ask->ids, item->number), item->weight);
	return item->ticket;
}

/* A number for each kind, and subject of it, so that one lot is not another. */
static uint64
lot_of(ShelfKind kind, uint64 about)
{
	return HashMix(HashMix((uint64) kind + 1) + about);
}

static Shelf *
add_shelf(List **shelves, ShelfKind kind, uint32 room)
{
	Shelf *shelf = palloc0(sizeof(Shelf));

	shelf->kind = kind;
	shelf->subject = ID_NONE;
	shelf->lot = lot_of(kind, 0);
	shelf->item = palloc(sizeof(ShelfItem) * Max(room, 1));
	*shelves = lappend(*shelves, shelf);
	return shelf;
}

/* Makes a shelf one about an item. */
static void
set_subject(const ShelfAsk *ask, Shelf *shelf, uint32 subject)
{
	shelf->subject = subject;
	shelf->lot = lot_of(shelf->kind, StockHash(ask->stock, ask->ids, subject));
}

/* Makes it one about what a label says. */
static void
set_label(Shelf *shelf, const char *label)
{
	shelf->label = label;
	shelf->lot = lot_of(shelf->kind, HashBytes((const unsigned char *) label, strlen(label)));
}

/* The weight in the lot of the nth item of a shelf, from 0: half as much after every `places`. */
static double
weight_at(const ShelfAsk *ask, uint32 n)
{
	return exp2(-(double) n / ask->places);
}

/* True where an item may come on a shelf that is no list of the user's own. */
static bool
may_come(const ShelfAsk *ask, uint32 number)
{
	return !StockSaid(ask->stock, number, STOCK_OUT);
}

/* Keeps an item out of all shelves but the first. */
static void
keep_out(ShelfAsk *ask, uint32 number)
{
	ask->out += may_come(ask, number);
	StockSay(ask->stock, number, STOCK_OUT);
}

/* The number on the page of an item of a list or set of its own. */
static uint32
page_number(const ShelfAsk *ask, const IdSet *ids, uint32 number)
{
	return ids == ask->ids ? number : IdSetAdd(ask->ids, IdSetDatum(ids, number));
}

/* An item of which nothing is known yet. */
static ShelfItem
new_item(uint32 number, const char *source, double weight)
{
	return (ShelfItem){.number = number,
					   .item_no = ID_NONE,
					   .because = ID_NONE,
					   .source = source,
					   .weight = weight,
					   .ticket = NAN};
}

/* A question for a list as the user would ask it: one for all pages, where the stock holds the model. */
static RecommendAsk *
list_ask(const ShelfAsk *ask, Stock *stock, uint32 rows, const char *source)
{
	RecommendAsk *list = &stock->list;

	if (stock->held == NULL)
	{
		list = palloc(sizeof(RecommendAsk));
		*list = (RecommendAsk){.model = ask->model, .budget = ask->budget, .least_match = -1};
	}
	list->k = rows;
	list->fallback = true;
	list->as_of = ask->as_of;
	list->source = source;
	list->has_asker = false;
	return list;
}

/* A history of some items, as the lists of the page want it, and what they speak for. */
static Profile *
profile_of(const ShelfAsk *ask, const Datum *items, int count)
{
	Held *held = ask->stock->held;
	IdSet *ids = held ? held->ids : IdSetCreate(ask->model->item_kind, ask->budget);
	History *history = HistoryOfItemsIn(ask->model, items, count, ids, ask->budget);

	return held ? ProfileHeld(ask->model, held, history) : ProfileRead(ask->model, history);
}

/* One that the user began, and how likely it is resumed; it is not drawn, and has no match. */
static ShelfItem
begun_item(uint32 number, const char *kind, double probability)
{
	ShelfItem item = new_item(number, kind, 0);

	item.score = probability;
	item.judged = true;
	return item;
}

/* What was left unfinished, as it was worked out in memory. */
static void
add_waiting(ShelfAsk *ask, List **shelves)
{
	uint32 count;
	const WaitingItem *item = WaitingList(ask->stock->waiting, 0, &count);
	Shelf *shelf = add_shelf(shelves, SHELF_CONTINUE, Min(count, ask->depth));

	for (uint32 n = 0; n < count; n++)
	{
		keep_out(ask, item[n].item);
		if (n >= ask->depth)
			continue;
		shelf->item[shelf->count++] = begun_item(item[n].item, item[n].kind, item[n].probability);
	}
}

/* What was left unfinished, if the model can tell; no other shelf may have it. */
static void
add_unfinished(ShelfAsk *ask, List **shelves)
{
	ResumingQuestion *question = StockResuming(ask->stock, ask->model);
	Shelf *shelf;
	uint64 rows;
	int nest;

	if (!ask->has_user || question == NULL)
		return;
	if (ask->stock->waiting)
	{
		add_waiting(ask, shelves);
		return;
	}
	nest = NewGUCNestLevel();
	RestrictSearchPath();
	rows = ResumingAsk(question, ask->user, ask->as_of, 0);
	AtEOXact_GUC(false, nest);
	ModelNeedsName(ask->model);
	shelf = add_shelf(shelves, SHELF_CONTINUE, (uint32) Min(rows, ask->depth));
	for (uint64 r = 0; r < rows; r++)
	{
		bool isnull;
		HeapTuple tuple = SPI_tuptable->vals[r];
		Datum item = SPI_getbinval(tuple, SPI_tuptable->tupdesc, RESUMING_ITEM + 1, &isnull);
		uint32 number = IdSetAdd(ask->ids, item);
		Datum kind = SPI_getbinval(tuple, SPI_tuptable->tupdesc, RESUMING_KIND + 1, &isnull);
		Datum likely =
			SPI_getbinval(tuple, SPI_tuptable->tupdesc, RESUMING_PROBABILITY + 1, &isnull);

		keep_out(ask, number);
		if (r >= ask->depth)
			continue;
		shelf->item[shelf->count++] =
			begun_item(number, TextDatumGetCString(kind), DatumGetFloat8(likely));
	}
	SPI_freetuptable(SPI_tuptable);
}

/* The source of the row before as a string: most rows of a list have the same. */
typedef struct Sources
{
	Datum datum;
	const char *name;
} Sources;

static const char *
source_of(Sources *before, Datum source)
{
	if (before->name == NULL || before->datum != source)
		*before = (Sources){source, TextDatumGetCString(source)};
	return before->name;
}

/* The list of reco_top_n, with the owner's rules. */
static void
add_top(const ShelfAsk *ask, List **shelves)
{
	Stock none = {0};
	/* Rules may want to know more of the items than is held. */
	Stock *stock = ask->model->has_rules ? &none : ask->stock;
	RecommendAsk *list = list_ask(ask, stock, ask->depth + ask->waiting, "personal");
	Sources sources = {0};
	RecommendRow *row;
	uint32 count;
	Shelf *shelf;

	list->has_asker = ask->has_user;
	list->asker = ask->user;
	list->ids = ask->ids;
	list->unexplained = true;
	if (list->arrangement == NULL)
		list->arrangement = ArrangementPlain();
	ArrangementBegin(list);
	row = ArrangeRows(list, ask->profile, &count);
	shelf = add_shelf(shelves, SHELF_TOP, count);
	for (uint32 r = 0; r < count && shelf->count < ask->depth; r++)
	{
		ShelfItem *item = &shelf->item[shelf->count];

		*item = new_item(row[r].number, source_of(&sources, row[r].source),
						 weight_at(ask, shelf->count));
		item->score = row[r].score;
		item->match = row[r].match;
		item->matched = row[r].matched;
		item->judged = true;
		if (strcmp(item->source, "pinned") == 0)
			item->weight = 0;
		item->item_no = row[r].item_no;
		shelf->count += may_come(ask, item->number);
	}
}

/* Takes an item of a list, if it may come. */
static void
take_item(const ShelfAsk *ask, uint32 number, const char *source, Shelf *shelf)
{
	if (!may_come(ask, number))
		return;
	shelf->item[shelf->count] = new_item(number, source, weight_at(ask, shelf->count));
	shelf->count++;
}

/* A thing that shelves can be about, in a lot. */
typedef struct Subject
{
	uint32 number;
	double ticket;
	TimestampTz chosen;
	double weight;
} Subject;

static int
newest_first(const void *a, const void *b, void *with)
{
	const Subject *x = a;
	const Subject *y = b;

	if (x->chosen != y->chosen)
		return x->chosen > y->chosen ? -1 : 1;
	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return IdSetCompare(with, x->number, y->number);
}

static int
by_ticket(const void *a, const void *b)
{
	const Subject *x = a;
	const Subject *y = b;

	return x->ticket < y->ticket ? -1 : x->ticket > y->ticket;
}

/* Asks for what goes with the item that a shelf is about. */
static void
ask_similar(const ShelfAsk *ask, Shelf *shelf)
{
	Datum about = IdSetDatum(ask->ids, shelf->subject);
	uint32 rows = ask->depth + ask->out;
	RecommendAsk *list = list_ask(ask, ask->stock, rows, "similar");
	Sources sources = {0};

	list->fallback = false;
	RecommendGather(list, profile_of(ask, &about, 1), rows, rows);
	for (uint32 r = 0; r < list->listed && shelf->count < ask->depth; r++)
		take_item(ask, page_number(ask, list->ids, list->row[r].number),
				  source_of(&sources, list->row[r].source), shelf);
}

/* Takes what is known to go with it. */
static void
take_similar(const ShelfAsk *ask, const StockSimilar *similar, Shelf *shelf)
{
	for (uint32 n = 0; n < similar->count && shelf->count < ask->depth; n++)
		take_item(ask, similar->item[n].number, similar->item[n].source, shelf);
}

/* What goes with things that the user chose lately. */
static void
add_because(const ShelfAsk *ask, List **shelves)
{
	const History *history = ask->history;
	Subject *subject = palloc_extended(sizeof(Subject) * Max(history->count, 1), MCXT_ALLOC_HUGE);
	uint32 count = 0;

	for (uint32 n = 0; n < history->count; n++)
		if (history->item[n].weight > 0)
			subject[count++] = (Subject){.number = history->item[n].id,
										 .chosen = history->item[n].chosen,
										 .weight = history->item[n].weight};
	qsort_arg(subject, count, sizeof(Subject), newest_first, history->ids);
	count = Min(count, CHOSEN_MOST);
	for (uint32 n = 0; n < count; n++)
		subject[n].ticket = ticket_of(ask->lot ^ lot_of(SHELF_BECAUSE, 0),
									  StockHash(ask->stock, ask->ids, subject[n].number),
									  exp2(-(double) n / SUBJECTS_HALF));
	qsort(subject, count, sizeof(Subject), by_ticket);
	for (uint32 n = 0; n < Min(count, ask->subjects); n++)
	{
		Shelf *shelf = add_shelf(shelves, SHELF_BECAUSE, ask->depth);

		set_subject(ask, shelf, subject[n].number);
		if (ask->stock->held && subject[n].number < ask->stock->held->learned)
			take_similar(ask, StockSimilarTo(ask->stock, subject[n].number), shelf);
		else
			ask_similar(ask, shelf);
	}
}

/* A value of an attribute, and how many of some items have it. */
typedef struct Counted
{
	uint32 value;
	uint32 items;
	uint32 rank;
	double ticket;
	Datum text; /* where it was asked for */
} Counted;

static int
most_first(const void *a, const void *b)
{
	const Counted *x = a;
	const Counted *y = b;

	if (x->items != y->items)
		return x->items > y->items ? -1 : 1;
	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static int
by_counted_ticket(const void *a, const void *b)
{
	const Counted *x = a;
	const Counted *y = b;

	return x->ticket < y->ticket ? -1 : x->ticket > y->ticket;
}

/* The first items of the list of somebody with no history. */
typedef struct Popular
{
	IdSet *ids;
	const StockItem *item;
	uint32 count;
} Popular;

static Popular
read_popular(const ShelfAsk *ask, uint32 rows)
{
	Stock *stock = ask->stock;
	RecommendAsk *list;
	StockItem *item;

	if (stock->held)
		return (Popular){stock->held->ids, stock->popular, Min(stock->populars, rows)};
	list = list_ask(ask, stock, rows, "popular");
	RecommendGather(list, profile_of(ask, NULL, 0), rows, rows);
	item = palloc_extended(sizeof(StockItem) * Max(list->listed, 1), MCXT_ALLOC_HUGE);
	for (uint32 r = 0; r < list->listed; r++)
		item[r] = (StockItem){list->row[r].number, TextDatumGetCString(list->row[r].source)};
	return (Popular){list->ids, item, list->listed};
}

/* What an attribute says of some items, numbers in a set. */
static const StockValues *
read_values(const ShelfAsk *ask, const char *name, IdSet *ids, const uint32 *number, uint32 count)
{
	StockValues *values;

	if (ask->stock->held)
		return StockValuesOf(ask->stock, name);
	values = palloc(sizeof(StockValues));
	values->name = name;
	values->values = ValuesOpen(ask->model, name, ids, ask->budget);
	ValuesRead(values->values, number, count);
	values->rank = ValuesRanks(values->values);
	return values;
}

/* The numbers of the items of the history that were chosen. */
static uint32 *
chosen_items(const ShelfAsk *ask, uint32 *count)
{
	const History *history = ask->history;
	uint32 *number = palloc_extended(sizeof(uint32) * Max(history->count, 1), MCXT_ALLOC_HUGE);

	*count = 0;
	for (uint32 n = 0; n < history->count; n++)
		if (history->item[n].weight > 0)
			number[(*count)++] = history->item[n].id;
	return number;
}

/* Items that say what somebody's categories are: what they chose, or of a guest what is popular. */
static uint32 *
telling_items(const ShelfAsk *ask, IdSet **ids, uint32 *count)
{
	uint32 *number = chosen_items(ask, count);
	Popular popular;

	*ids = ask->history->ids;
	if (*count > 0)
		return number;
	popular = read_popular(ask, GUESTS_ITEMS);
	number = palloc(sizeof(uint32) * GUESTS_ITEMS);
	*ids = popular.ids;
	for (; *count < popular.count; (*count)++)
		number[*count] = popular.item[*count].number;
	return number;
}

/* The values of an attribute that some items have, commonest first. */
static Counted *
count_values(const StockValues *values, const uint32 *number, uint32 items, uint32 *count)
{
	uint32 all = ValuesCount(values->values);
	uint32 *times =
		palloc_extended(sizeof(uint32) * Max(all, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	Counted *counted;

	*count = 0;
	for (uint32 n = 0; n < items; n++)
	{
		uint32 of;
		const uint32 *value = ValuesOf(values->values, number[n], &of);

		for (uint32 v = 0; v < of; v++)
			*count += times[value[v]]++ == 0;
	}
	counted = palloc_extended(sizeof(Counted) * Max(*count, 1), MCXT_ALLOC_HUGE);
	*count = 0;
	for (uint32 v = 0; v < all; v++)
		if (times[v] > 0)
			counted[(*count)++] = (Counted){.value = v, .items = times[v], .rank = values->rank[v]};
	qsort(counted, *count, sizeof(Counted), most_first);
	return counted;
}

/* True where a value is among those of an item. */
static bool
has_value(const Values *values, uint32 number, uint32 value)
{
	uint32 count;
	const uint32 *of = ValuesOf(values, number, &count);
	bool found = false;

	for (uint32 v = 0; v < count; v++)
		found |= of[v] == value;
	return found;
}

/* What of a list rises, or is popular, in one category. */
static void
add_category(const ShelfAsk *ask, const Popular *popular, const StockValues *values, uint32 value,
			 List **shelves)
{
	const uint32 *place = NULL;
	uint32 places = popular->count;
	Shelf *shelf = add_shelf(shelves, SHELF_TRENDING, ask->depth);

	set_label(shelf, TextDatumGetCString(ValuesDatum(values->values, value)));
	if (ask->stock->held)
		place = StockPopularOf(ask->stock, values, value, &places);
	for (uint32 n = 0; n < places && shelf->count < ask->depth; n++)
	{
		uint32 r = place ? place[n] : n;

		if (r >= popular->count)
			break;
		if (place || has_value(values->values, popular->item[r].number, value))
			take_item(ask, page_number(ask, popular->ids, popular->item[r].number),
					  popular->item[r].source, shelf);
	}
}

/* The categories that shelves are about: of the commonest, drawn by the lot. */
static Counted *
draw_categories(const ShelfAsk *ask, const char *name, uint32 *count)
{
	IdSet *ids;
	uint32 items;
	uint32 *number = telling_items(ask, &ids, &items);
	const StockValues *values = read_values(ask, name, ids, number, items);
	Counted *counted = count_values(values, number, items, count);

	*count = Min(*count, CATEGORIES_MOST);
	for (uint32 n = 0; n < *count; n++)
	{
		counted[n].text = ValuesDatum(values->values, counted[n].value);
		counted[n].ticket = ticket_of(ask->lot, IdHash(ID_TEXT, counted[n].text), counted[n].items);
	}
	qsort(counted, *count, sizeof(Counted), by_counted_ticket);
	return counted;
}

/* What rises in some of the commonest categories. */
static void
add_trending(const ShelfAsk *ask, List **shelves)
{
	const char *name = ValuesCategory(ask->model);
	const StockValues *values;
	Popular popular;
	Counted *counted;
	uint32 count;
	uint32 *number = NULL;

	if (name == NULL)
		return;
	counted = draw_categories(ask, name, &count);
	popular = read_popular(ask, CATEGORIES_FROM + ask->out);
	if (ask->stock->held == NULL)
		number = palloc_extended(sizeof(uint32) * Max(popular.count, 1), MCXT_ALLOC_HUGE);
	for (uint32 r = 0; number && r < popular.count; r++)
		number[r] = popular.item[r].number;
	values = read_values(ask, name, popular.ids, number, popular.count);
	for (uint32 n = 0; n < Min(count, ask->subjects); n++)
	{
		uint32 value = ValuesFind(values->values, counted[n].text);

		if (value != ID_NONE)
			add_category(ask, &popular, values, value, shelves);
	}
}

/* The values that somebody follows: chosen from often, and still among the commonest. */
static Counted *
followed_values(const ShelfAsk *ask, uint32 *count)
{
	uint32 chosen;
	uint32 *number = chosen_items(ask, &chosen);
	const StockValues *values = read_values(ask, ask->follows, ask->history->ids, number, chosen);
	uint32 all;
	Counted *counted = count_values(values, number, chosen, &all);

	for (*count = 0; *count < Min(all, FOLLOWED_MOST); (*count)++)
	{
		if (counted[*count].items < FOLLOWED_LEAST)
			break;
		counted[*count].text = ValuesDatum(values->values, counted[*count].value);
	}
	return counted;
}

/* True where an item has one of the values that are followed. */
static bool
has_one(const Values *values, uint32 number, const bool *follows)
{
	uint32 count;
	const uint32 *of = ValuesOf(values, number, &count);

	for (uint32 v = 0; v < count; v++)
		if (follows[of[v]])
			return true;
	return false;
}

/* What is new of what the user comes back to. */
static void
add_new(const ShelfAsk *ask, List **shelves)
{
	const StockValues *values;
	Counted *followed;
	bool *is_followed;
	Shelf *shelf;
	IdSet *ids;
	uint32 follows;
	uint32 items;
	const uint32 *number;

	if (ask->follows == NULL)
		return;
	followed = followed_values(ask, &follows);
	number = StockNew(ask->stock, ask->model, ask->as_of, &ids, &items);
	values = read_values(ask, ask->follows, ids, number, items);
	is_followed = palloc_extended(sizeof(bool) * Max(ValuesCount(values->values), 1),
								  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 f = 0; f < follows; f++)
	{
		uint32 value = ValuesFind(values->values, followed[f].text);

		if (value != ID_NONE)
			is_followed[value] = true;
	}
	shelf = add_shelf(shelves, SHELF_NEW, ask->depth);
	set_label(shelf, ask->follows);
	for (uint32 n = 0; n < items && shelf->count < ask->depth; n++)
		if (has_one(values->values, number[n], is_followed))
			take_item(ask, page_number(ask, ids, number[n]), "new", shelf);
}

/* Takes an item that so many users know, if it may come. */
static void
take_rare(const ShelfAsk *ask, uint32 number, int32 users, Shelf *shelf)
{
	if (may_come(ask, number))
		shelf->item[shelf->count++] = new_item(number, "explored", 1.0 / (1.0 + Max(users, 0)));
}

/* Adds what hardly anybody knows, in one order of the catalogue. */
static void
take_unknown(const ShelfAsk *ask, CatalogueOrder order, Shelf *shelf, IdSet *ids)
{
	Portal portal = CatalogueOpen(ask->model, order, NULL);

	while (portal && shelf->count < POOL_MOST)
	{
		uint64 count;
		CatalogueRow *rows = CatalogueNext(ask->model, portal, POOL_MOST, &count);

		CHECK_FOR_INTERRUPTS();
		if (count == 0)
			break;
		for (uint64 r = 0; r < count && shelf->count < POOL_MOST; r++)
		{
			uint32 known = IdSetCount(ids);

			if (IdSetAdd(ids, rows[r].item) == known)
				take_rare(ask, IdSetAdd(ask->ids, rows[r].item), rows[r].users, shelf);
		}
		SPI_freetuptable(SPI_tuptable);
		pfree(rows);
	}
	if (portal)
		SPI_cursor_close(portal);
}

/* What hardly anybody knows. */
static void
add_discover(const ShelfAsk *ask, List **shelves)
{
	Shelf *shelf = add_shelf(shelves, SHELF_DISCOVER, POOL_MOST);
	const Stock *stock = ask->stock;
	IdSet *ids;

	if (stock->held)
	{
		for (uint32 n = 0; n < stock->unknowns && shelf->count < POOL_MOST; n++)
			take_rare(ask, stock->unknown[n].number, stock->unknown[n].users, shelf);
		return;
	}
	ids = IdSetCreate(ask->model->item_kind, ask->budget);
	take_unknown(ask, CATALOGUE_NEW, shelf, ids);
	take_unknown(ask, CATALOGUE_OBSCURE, shelf, ids);
}

List *
ShelfMake(ShelfAsk *ask)
{
	List *shelves = NIL;
	uint32 seen;

	for (uint32 n = 0; n < ask->history->count; n++)
		if (ProfileKeepsOut(&ask->history->item[n], false))
			keep_out(ask, ask->history->item[n].id);
	seen = ask->out;
	add_unfinished(ask, &shelves);
	ask->waiting = ask->out - seen;
	add_top(ask, &shelves);
	add_because(ask, &shelves);
	add_trending(ask, &shelves);
	add_new(ask, &shelves);
	add_discover(ask, &shelves);
	RatingMake(ask, shelves);
	return shelves;
}
