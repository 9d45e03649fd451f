#include "api/shelf.h"

#include <math.h>

#include "api/arrange.h"
#include "api/arrangement.h"
#include "catalog/pg_type.h"
#include "data/catalogue.h"
#include "data/learned.h"
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

/* What came out so lately is new. */
#define NEW_DAYS 60

/* Items that hardly anybody knows, of which some are drawn. */
#define POOL_MOST 200

/* Rising and popular items that shelves of categories are filled from; new items that are looked at. */
#define CATEGORIES_FROM 1000
#define NEW_MOST        2000

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
ShelfTicket(const ShelfAsk *ask, uint64 lot, Datum item, double weight)
{
	return ticket_of(ask->lot ^ lot, IdHash(ask->model->item_kind, item), weight);
}

/* A number for each kind, and subject of it, so that one lot is not another. */
static uint64
lot_of(ShelfKind kind, uint64 about)
{
	return HashMix(HashMix((uint64) kind + 1) + about);
}

uint64
ShelfLot(const ShelfAsk *ask, const Shelf *shelf)
{
	uint64 about =
		shelf->label ? HashBytes((const unsigned char *) shelf->label, strlen(shelf->label)) : 0;

	if (shelf->has_subject)
		about = IdHash(ask->model->item_kind, shelf->subject);
	return lot_of(shelf->kind, about);
}

static Shelf *
add_shelf(List **shelves, ShelfKind kind, uint32 room)
{
	Shelf *shelf = palloc0(sizeof(Shelf));

	shelf->kind = kind;
	shelf->item = palloc0(sizeof(ShelfItem) * Max(room, 1));
	*shelves = lappend(*shelves, shelf);
	return shelf;
}

/* The weight in the lot of the nth item of a shelf, from 0: half as much after every `places`. */
static double
weight_at(const ShelfAsk *ask, uint32 n)
{
	return exp2(-(double) n / ask->places);
}

/* True where an item may come on a shelf that is no list of the user's own. */
static bool
may_come(const ShelfAsk *ask, Datum item)
{
	return IdSetFind(ask->out, item) == ID_NONE;
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

/* Puts what a score and the item that counted most say beside an item. */
static void
rate_item(const ShelfAsk *ask, ShelfItem *item, double score, int64_t because)
{
	if (!(score > 0))
		return;
	item->score = score;
	item->matched = ProfileMatch(ask->model, ask->profile->level, score,
								 ask->model->settings.min_match, &item->match);
	item->has_because = because >= 0;
	if (item->has_because)
		item->because =
			IdSetDatum(ask->history->ids, ask->history->item[ask->profile->place[because]].id);
}

/* The number of each of some items, by its place in a set; ID_NONE where nothing was learned of it. */
static uint32 *
numbers_of(const ShelfAsk *ask, const IdSet *ids)
{
	const Stock *stock = ask->stock;
	uint32 *number;

	if (stock->held == NULL)
		return LearnedPlaces(ask->model, ids, ask->budget);
	number = palloc(sizeof(uint32) * Max(IdSetCount(ids), 1));
	for (uint32 n = 0; n < IdSetCount(ids); n++)
	{
		uint32 at = IdSetFind(stock->held->ids, IdSetDatum(ids, n));

		number[n] = at < stock->held->learned ? stock->item_no[at] : ID_NONE;
	}
	return number;
}

/* True for shelves whose items have what speaks for them already. */
static bool
is_rated(const Shelf *shelf)
{
	return shelf->kind == SHELF_CONTINUE || shelf->kind == SHELF_TOP;
}

/* Puts the evidence there is for items of shelves beside them, of all shelves at once. */
static void
rate(const ShelfAsk *ask, List *shelves)
{
	IdSet *ids = IdSetCreate(ask->model->item_kind, ask->budget);
	uint32 count = 0;
	uint32 *item_no;
	uint32 *place;
	double *score;
	int64_t *because;
	ListCell *cell;

	foreach (cell, shelves)
	{
		Shelf *shelf = lfirst(cell);

		for (uint32 n = 0; n < shelf->count && !is_rated(shelf); n++)
			shelf->item[n].number = IdSetAdd(ids, shelf->item[n].item);
	}
	item_no = numbers_of(ask, ids);
	place = palloc(sizeof(uint32) * Max(IdSetCount(ids), 1));
	for (uint32 n = 0; n < IdSetCount(ids); n++)
	{
		place[n] = item_no[n] == ID_NONE ? ID_NONE : count;
		if (item_no[n] != ID_NONE)
			item_no[count++] = item_no[n];
	}
	if (ask->profile->count == 0 || count == 0)
		return;
	score = palloc(sizeof(double) * count);
	because = palloc(sizeof(int64_t) * count);
	ProfileScores(ask->profile, item_no, count, score);
	ProfileBecause(ask->profile, item_no, count, because);
	foreach (cell, shelves)
	{
		Shelf *shelf = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		for (uint32 n = 0; n < shelf->count && !is_rated(shelf); n++)
		{
			uint32 at = place[shelf->item[n].number];

			if (at != ID_NONE)
				rate_item(ask, &shelf->item[n], score[at], because[at]);
		}
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
	nest = NewGUCNestLevel();
	RestrictSearchPath();
	rows = ResumingAsk(question, ask->user, ask->as_of, 0);
	AtEOXact_GUC(false, nest);
	shelf = add_shelf(shelves, SHELF_CONTINUE, (uint32) Min(rows, ask->depth));
	for (uint64 r = 0; r < rows; r++)
	{
		bool isnull;
		HeapTuple tuple = SPI_tuptable->vals[r];
		Datum item = SPI_getbinval(tuple, SPI_tuptable->tupdesc, RESUMING_ITEM + 1, &isnull);
		uint32 number = IdSetAdd(ask->out, item);
		Datum kind = SPI_getbinval(tuple, SPI_tuptable->tupdesc, RESUMING_KIND + 1, &isnull);
		Datum likely =
			SPI_getbinval(tuple, SPI_tuptable->tupdesc, RESUMING_PROBABILITY + 1, &isnull);

		if (r < ask->depth)
			shelf->item[shelf->count++] = (ShelfItem){.item = IdSetDatum(ask->out, number),
													  .score = DatumGetFloat8(likely),
													  .source = TextDatumGetCString(kind)};
	}
	SPI_freetuptable(SPI_tuptable);
}

/* The list of reco_top_n, with the owner's rules. */
static void
add_top(const ShelfAsk *ask, List **shelves)
{
	Stock none = {0};
	/* Rules may want to know more of the items than is held. */
	Stock *stock = ask->model->has_rules ? &none : ask->stock;
	RecommendAsk *list = list_ask(ask, stock, ask->depth + ask->waiting, "personal");
	RecommendRow *row;
	uint32 count;
	Shelf *shelf;

	list->has_asker = ask->has_user;
	list->asker = ask->user;
	list->ids = ask->history->ids;
	if (list->arrangement == NULL)
		list->arrangement = ArrangementPlain();
	ArrangementBegin(list);
	row = ArrangeRows(list, ask->profile, &count);
	shelf = add_shelf(shelves, SHELF_TOP, count);
	for (uint32 r = 0; r < count && shelf->count < ask->depth; r++)
	{
		ShelfItem *item = &shelf->item[shelf->count];

		*item = (ShelfItem){.item = IdSetDatum(list->ids, row[r].number),
							.score = row[r].score,
							.match = row[r].match,
							.matched = row[r].matched,
							.has_because = row[r].because >= 0,
							.source = TextDatumGetCString(row[r].source)};
		item->weight = strcmp(item->source, "pinned") == 0 ? 0 : weight_at(ask, shelf->count);
		if (item->has_because)
			item->because =
				IdSetDatum(list->ids, ask->history->item[ask->profile->place[row[r].because]].id);
		shelf->count += may_come(ask, item->item);
	}
}

/* Takes an item of a list, if it may come. */
static void
take_item(const ShelfAsk *ask, Datum id, const char *source, Shelf *shelf)
{
	ShelfItem *item = &shelf->item[shelf->count];

	*item = (ShelfItem){.item = id, .source = source, .weight = weight_at(ask, shelf->count)};
	shelf->count += may_come(ask, item->item);
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
		subject[n].ticket =
			ShelfTicket(ask, lot_of(SHELF_BECAUSE, 0), IdSetDatum(history->ids, subject[n].number),
						exp2(-(double) n / SUBJECTS_HALF));
	qsort(subject, count, sizeof(Subject), by_ticket);
	for (uint32 n = 0; n < Min(count, ask->subjects); n++)
	{
		Datum about = IdSetDatum(history->ids, subject[n].number);
		uint32 rows = ask->depth + IdSetCount(ask->out);
		RecommendAsk *list = list_ask(ask, ask->stock, rows, "similar");
		Shelf *shelf = add_shelf(shelves, SHELF_BECAUSE, ask->depth + 1);

		list->fallback = false;
		RecommendGather(list, profile_of(ask, &about, 1), rows, rows);
		shelf->has_subject = true;
		shelf->subject = about;
		for (uint32 r = 0; r < list->listed && shelf->count < ask->depth; r++)
			take_item(ask, IdSetDatum(list->ids, list->row[r].number),
					  TextDatumGetCString(list->row[r].source), shelf);
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
add_category(const ShelfAsk *ask, const Popular *popular, const Values *values, uint32 value,
			 List **shelves)
{
	Shelf *shelf = add_shelf(shelves, SHELF_TRENDING, ask->depth + 1);

	shelf->label = TextDatumGetCString(ValuesDatum(values, value));
	for (uint32 r = 0; r < popular->count && shelf->count < ask->depth; r++)
		if (has_value(values, popular->item[r].number, value))
			take_item(ask, IdSetDatum(popular->ids, popular->item[r].number),
					  popular->item[r].source, shelf);
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
	uint32 *number;

	if (name == NULL)
		return;
	counted = draw_categories(ask, name, &count);
	popular = read_popular(ask, CATEGORIES_FROM + IdSetCount(ask->out));
	number = palloc_extended(sizeof(uint32) * Max(popular.count, 1), MCXT_ALLOC_HUGE);
	for (uint32 r = 0; r < popular.count; r++)
		number[r] = popular.item[r].number;
	values = read_values(ask, name, popular.ids, number, popular.count);
	for (uint32 n = 0; n < Min(count, ask->subjects); n++)
	{
		uint32 value = ValuesFind(values->values, counted[n].text);

		if (value != ID_NONE)
			add_category(ask, &popular, values->values, value, shelves);
	}
}

/* What is new in the catalogue, newest first, as numbers in a set of ids that is empty. */
static uint32 *
read_new(const ShelfAsk *ask, IdSet *ids, uint32 *count)
{
	const Model *model = ask->model;
	Oid types[] = {TIMESTAMPTZOID, INT8OID};
	Datum values[] = {TimestampTzGetDatum(ask->as_of), Int64GetDatum(NEW_MOST)};
	uint32 *number;
	const char *sql;
	uint64 rows;

	if (model->has_released)
		sql = psprintf("SELECT i.item_id::%s FROM %s.items i WHERE i.item_id IS NOT NULL "
					   "AND i.released_at::pg_catalog.timestamptz OPERATOR(pg_catalog.<=) $1 "
					   "AND i.released_at::pg_catalog.timestamptz OPERATOR(pg_catalog.>) "
					   "($1 OPERATOR(pg_catalog.-) pg_catalog.make_interval(days => %d)) "
					   "ORDER BY i.released_at DESC, i.item_id LIMIT $2",
					   IdTypeName(model->item_kind), model->quoted, NEW_DAYS);
	else
		sql = psprintf("SELECT i.item_id::%s FROM %s.items i WHERE i.item_id IS NOT NULL "
					   "AND $1 IS NOT NULL AND NOT EXISTS (SELECT FROM ONLY %s.learned_item l "
					   "WHERE l.item_id OPERATOR(pg_catalog.=) i.item_id "
					   "AND l.events OPERATOR(pg_catalog.>) 0) ORDER BY i.item_id LIMIT $2",
					   IdTypeName(model->item_kind), model->quoted, model->quoted);
	rows = PlanRun(sql, lengthof(types), types, values, NULL);
	number = palloc(sizeof(uint32) * Max(rows, 1));
	*count = 0;
	for (uint64 r = 0; r < rows; r++)
	{
		bool isnull;
		uint32 known = IdSetCount(ids);

		number[*count] =
			IdSetAdd(ids, SPI_getbinval(SPI_tuptable->vals[r], SPI_tuptable->tupdesc, 1, &isnull));
		*count += number[*count] == known;
	}
	SPI_freetuptable(SPI_tuptable);
	return number;
}

/* The same, kept where the model is held: as numbers in the ids that they are then in. */
static uint32 *
new_items(const ShelfAsk *ask, IdSet **ids, uint32 *count)
{
	Stock *stock = ask->stock;
	uint32 *number;

	*ids = stock->held ? stock->held->ids : NULL;
	*count = stock->new_items;
	if (*ids && stock->has_new && stock->new_by == ask->as_of)
		return stock->new_item;
	*ids = IdSetCreate(ask->model->item_kind, ask->budget);
	number = read_new(ask, *ids, count);
	if (stock->held == NULL)
		return number;
	stock->has_new = false;
	stock->new_item = BudgetResize(stock->budget, stock->new_item, Max(*count, 1), sizeof(uint32));
	for (uint32 n = 0; n < *count; n++)
		stock->new_item[n] = IdSetAdd(stock->held->ids, IdSetDatum(*ids, number[n]));
	stock->new_items = *count;
	stock->new_by = ask->as_of;
	stock->has_new = true;
	*ids = stock->held->ids;
	return stock->new_item;
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

/* True where an item has one of some values. */
static bool
has_one(const Values *values, uint32 number, const Counted *value, uint32 count)
{
	for (uint32 v = 0; v < count; v++)
		if (value[v].value != ID_NONE && has_value(values, number, value[v].value))
			return true;
	return false;
}

/* What is new of what the user comes back to. */
static void
add_new(const ShelfAsk *ask, List **shelves)
{
	const StockValues *values;
	Counted *followed;
	Shelf *shelf;
	IdSet *ids;
	uint32 follows;
	uint32 items;
	uint32 *number;

	if (ask->follows == NULL)
		return;
	followed = followed_values(ask, &follows);
	number = new_items(ask, &ids, &items);
	values = read_values(ask, ask->follows, ids, number, items);
	for (uint32 f = 0; f < follows; f++)
		followed[f].value = ValuesFind(values->values, followed[f].text);
	shelf = add_shelf(shelves, SHELF_NEW, ask->depth + 1);
	shelf->label = ask->follows;
	for (uint32 n = 0; n < items && shelf->count < ask->depth; n++)
		if (has_one(values->values, number[n], followed, follows))
			take_item(ask, IdSetDatum(ids, number[n]), "new", shelf);
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
			uint32 number = IdSetAdd(ids, rows[r].item);
			ShelfItem *item = &shelf->item[shelf->count];

			*item = (ShelfItem){.item = IdSetDatum(ids, number),
								.source = "explored",
								.weight = 1.0 / (1.0 + Max(rows[r].users, 0))};
			shelf->count += number == known && may_come(ask, item->item);
		}
		SPI_freetuptable(SPI_tuptable);
		pfree(rows);
	}
	if (portal)
		SPI_cursor_close(portal);
}

/* Adds the same from what is held. */
static void
take_held(const ShelfAsk *ask, Shelf *shelf, IdSet *ids)
{
	const Stock *stock = ask->stock;

	for (uint32 n = 0; n < stock->unknowns && shelf->count < POOL_MOST; n++)
	{
		const StockUnknown *unknown = &stock->unknown[n];
		Datum id = IdSetDatum(stock->held->ids, unknown->number);
		uint32 known = IdSetCount(ids);

		shelf->item[shelf->count] = (ShelfItem){
			.item = id, .source = "explored", .weight = 1.0 / (1.0 + Max(unknown->users, 0))};
		shelf->count += IdSetAdd(ids, id) == known && may_come(ask, id);
	}
}

/* What hardly anybody knows. */
static void
add_discover(const ShelfAsk *ask, List **shelves)
{
	Shelf *shelf = add_shelf(shelves, SHELF_DISCOVER, POOL_MOST + 1);
	IdSet *ids = IdSetCreate(ask->model->item_kind, ask->budget);

	if (ask->stock->held)
	{
		take_held(ask, shelf, ids);
		return;
	}
	take_unknown(ask, CATALOGUE_NEW, shelf, ids);
	take_unknown(ask, CATALOGUE_OBSCURE, shelf, ids);
}

List *
ShelfMake(ShelfAsk *ask)
{
	List *shelves = NIL;
	uint32 seen;

	ask->out = IdSetCreate(ask->model->item_kind, ask->budget);
	for (uint32 n = 0; n < ask->history->count; n++)
		if (ProfileKeepsOut(&ask->history->item[n], false))
			IdSetAdd(ask->out, IdSetDatum(ask->history->ids, ask->history->item[n].id));
	seen = IdSetCount(ask->out);
	add_unfinished(ask, &shelves);
	ask->waiting = IdSetCount(ask->out) - seen;
	add_top(ask, &shelves);
	add_because(ask, &shelves);
	add_trending(ask, &shelves);
	add_new(ask, &shelves);
	add_discover(ask, &shelves);
	rate(ask, shelves);
	return shelves;
}
