/*
 * page.c: reco_page: rows of lists for one visit.
 *
 * Every row there could be is made first (api/shelf), with more items than it shows.  Then rows are
 * put on the page one after the other: what was left unfinished, if there is any, the top picks, and
 * then each time the row that is worth most with the items that are not on the page yet,
 *
 *   worth = .85 ^ (rows of its kind on the page) * (sum of the chances of its items) / per_row
 *
 * where the chance of an item is its match / 100, and a half, which is none better than chance, where
 * there is no evidence.  Of what a row could show, its first 3 * per_row items, per_row are drawn by
 * the lot of the visit, those further up the sooner, and shown in the order of the list.  Rules and
 * fatigue hold in every row (api/promote).
 */
#include "api/door.h"

#include <math.h>

#include "api/promote.h"
#include "api/shelf.h"
#include "api/site.h"
#include "catalog/pg_type.h"
#include "data/values.h"
#include "executor/spi.h"
#include "math/hash.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_page);

enum
{
	PAGE_ROW,
	PAGE_KIND,
	PAGE_SUBJECT,
	PAGE_LABEL,
	PAGE_RANK,
	PAGE_ITEM,
	PAGE_SCORE,
	PAGE_MATCH,
	PAGE_BECAUSE,
	PAGE_SOURCE,
	PAGE_COLUMNS
};

static const Oid page_types[PAGE_COLUMNS] = {INT4OID,   TEXTOID,   DOOR_ITEM, TEXTOID,   INT4OID,
											 DOOR_ITEM, FLOAT8OID, FLOAT8OID, DOOR_ITEM, TEXTOID};

#define ROWS_DEFAULT   6
#define ROWS_MOST      50
#define PLACES_DEFAULT 10
#define PLACES_MOST    100

/* A row draws from as many times the items that it shows. */
#define DRAWN_FROM 3

/* No row is made with more, however large the page. */
#define DEPTH_MOST 1000

/* What a row is worth after one more of its kind. */
#define AGAIN 0.85

/* The chance of an item that there is no evidence for. */
#define CHANCE_UNKNOWN 0.5

/* A row as it would be put on the page now: places among the items of its shelf. */
typedef struct PageRow
{
	const Shelf *shelf;
	uint32 *place;
	bool *promoted; /* of each, by a share that it has to make up for */
	uint32 count;
	double worth;
} PageRow;

/* A page while it is made. */
typedef struct Visit
{
	ShelfAsk ask;
	uint32 rows;
	List *shelves; /* those not on the page */
	Promotion *promotion;
	IdSet *used; /* items that are on it */
	uint32 kinds[SHELF_KINDS];
	DoorRows out;
	uint32 put;
} Visit;

/* A number of an argument. */
static uint32
take_number(FunctionCallInfo fcinfo, int argument, const char *name, int32 otherwise, int32 most)
{
	int32 number = PG_ARGISNULL(argument) ? otherwise : PG_GETARG_INT32(argument);

	if (number < 1 || number > most)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be from 1 to %d, not %d", name, most, number)));
	return (uint32) number;
}

/* An item that may be drawn, and its ticket. */
typedef struct Ticket
{
	double ticket;
	uint32 place;
	bool promoted;
} Ticket;

static int
by_ticket(const void *a, const void *b)
{
	const Ticket *x = a;
	const Ticket *y = b;

	if (x->ticket != y->ticket)
		return x->ticket < y->ticket ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

static int
by_place(const void *a, const void *b)
{
	const Ticket *x = a;
	const Ticket *y = b;

	return x->place < y->place ? -1 : x->place > y->place;
}

/* Tickets of the items of a shelf that are not on the page, the best first; returns how many. */
static uint32
draw_tickets(const Visit *page, const Shelf *shelf, Ticket *ticket)
{
	const ShelfAsk *ask = &page->ask;
	uint32 most = shelf->kind == SHELF_DISCOVER ? shelf->count : DRAWN_FROM * ask->places;
	uint64 lot = ShelfLot(ask, shelf);
	uint32 free = 0;

	for (uint32 n = 0; n < shelf->count; n++)
	{
		const ShelfItem *item = &shelf->item[n];

		if (IdSetFind(page->used, item->item) != ID_NONE)
			continue;
		ticket[free].place = n;
		if (free >= most)
			ticket[free].ticket = INFINITY;
		else if (item->weight > 0)
			ticket[free].ticket = ShelfTicket(ask, lot, item->item, item->weight);
		else
			ticket[free].ticket = -1;
		free++;
	}
	qsort(ticket, free, sizeof(Ticket), by_ticket);
	return free;
}

/*
 * Draws the items that a row would show now; those without a weight come whatever the lot says, and
 * what is further down only where a share has nothing above.
 */
static PageRow
draw_row(const Visit *page, const Shelf *shelf)
{
	const ShelfAsk *ask = &page->ask;
	Ticket *ticket = palloc(sizeof(Ticket) * Max(shelf->count, 1));
	uint32 *place = palloc(sizeof(uint32) * Max(shelf->count, 1));
	uint32 free = draw_tickets(page, shelf, ticket);
	PageRow row = {.shelf = shelf, .count = Min(free, ask->places)};

	row.promoted = palloc0(sizeof(bool) * Max(row.count, 1));
	for (uint32 n = 0; n < free; n++)
		place[n] = ticket[n].place;
	if (shelf->kind != SHELF_CONTINUE)
		PromotionPick(page->promotion, shelf, place, free, row.count, row.promoted);
	for (uint32 n = 0; n < row.count; n++)
		ticket[n] = (Ticket){.place = place[n], .promoted = row.promoted[n]};
	qsort(ticket, row.count, sizeof(Ticket), by_place);
	row.place = place;
	for (uint32 n = 0; n < row.count; n++)
	{
		const ShelfItem *item = &shelf->item[ticket[n].place];

		row.place[n] = ticket[n].place;
		row.promoted[n] = ticket[n].promoted;
		row.worth += (item->matched ? item->match / 100 : CHANCE_UNKNOWN) / ask->places;
	}
	row.worth *= pow(AGAIN, page->kinds[shelf->kind]);
	pfree(ticket);
	return row;
}

/* True where a row has enough to be one; the user's own and what is new are rows with one item. */
static bool
is_row(const Visit *page, const PageRow *row)
{
	switch (row->shelf->kind)
	{
		case SHELF_CONTINUE:
		case SHELF_TOP:
		case SHELF_NEW:
			return row->count > 0;
		default:
			return row->count >= (page->ask.places + 1) / 2;
	}
}

/* True where a row comes before another: the first two kinds before all, then what is worth more. */
static bool
comes_before(const PageRow *row, const PageRow *other)
{
	ShelfKind kind = Min(row->shelf->kind, SHELF_TOP + 1);
	ShelfKind than = Min(other->shelf->kind, SHELF_TOP + 1);

	return kind != than ? kind < than : row->worth > other->worth;
}

/* Takes the row that comes next off the list of those there could be; false where there is none. */
static bool
take_row(Visit *page, PageRow *best)
{
	ListCell *cell;
	bool found = false;

	foreach (cell, page->shelves)
	{
		PageRow row = draw_row(page, lfirst(cell));

		CHECK_FOR_INTERRUPTS();
		if (is_row(page, &row) && (!found || comes_before(&row, best)))
		{
			*best = row;
			found = true;
		}
	}
	if (found)
		page->shelves = list_delete_ptr(page->shelves, (void *) best->shelf);
	return found;
}

/* Puts a row out; its items are then on the page. */
static void
put_row(Visit *page, const PageRow *row)
{
	const Shelf *shelf = row->shelf;

	page->put++;
	page->kinds[shelf->kind]++;
	for (uint32 n = 0; n < row->count; n++)
	{
		const ShelfItem *item = &shelf->item[row->place[n]];
		Datum values[PAGE_COLUMNS] = {0};
		bool nulls[PAGE_COLUMNS] = {0};

		IdSetAdd(page->used, item->item);
		values[PAGE_ROW] = Int32GetDatum((int32) page->put);
		values[PAGE_KIND] = CStringGetTextDatum(ShelfName(shelf->kind));
		nulls[PAGE_SUBJECT] = !shelf->has_subject;
		if (shelf->has_subject)
			values[PAGE_SUBJECT] = DoorItemOut(&page->out, shelf->subject);
		nulls[PAGE_LABEL] = shelf->label == NULL;
		if (shelf->label)
			values[PAGE_LABEL] = CStringGetTextDatum(shelf->label);
		values[PAGE_RANK] = Int32GetDatum((int32) n + 1);
		values[PAGE_ITEM] = DoorItemOut(&page->out, item->item);
		values[PAGE_SCORE] = Float8GetDatum(item->score);
		nulls[PAGE_SCORE] = !(item->score > 0);
		values[PAGE_MATCH] = Float8GetDatum(item->match);
		nulls[PAGE_MATCH] = !item->matched;
		nulls[PAGE_BECAUSE] = !item->has_because;
		if (item->has_because)
			values[PAGE_BECAUSE] = DoorItemOut(&page->out, item->because);
		values[PAGE_SOURCE] = CStringGetTextDatum(row->promoted[n] ? "promoted" : item->source);
		DoorPut(&page->out, values, nulls);
	}
}

/* The attribute that says what is followed: the one that is named, or that of categories. */
static const char *
take_follows(FunctionCallInfo fcinfo, int argument, const Model *model)
{
	const char *name = DoorText(fcinfo, argument);

	if (name == NULL)
		return ValuesCategory(model);
	ValuesCheck(model, name, "follows");
	return name;
}

/* What a call site keeps: what its pages have in common, and when it was first asked. */
typedef struct Asked
{
	Site site;
	Stock *stock;
	TimestampTz now;
} Asked;

/* The model of an argument, that of the site or another, of which nothing is known yet. */
static Model *
find_model(Asked *asked, FunctionCallInfo fcinfo, int argument)
{
	if (SiteKnowsModel(&asked->site, fcinfo, argument))
		return asked->site.model;
	if (asked->stock && asked->stock->budget)
		BudgetDestroy(asked->stock->budget);
	asked->stock = NULL;
	return SiteLearnModel(&asked->site, fcinfo, argument);
}

/* Connects SPI and reads of the model what the site does not know. */
static Stock *
enter(Asked *asked, Model *model)
{
	if (asked->site.model == NULL)
		DoorEnter(model);
	else if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (asked->stock == NULL)
	{
		asked->stock = StockMake(asked->site.context);
		asked->now = GetCurrentTimestamp();
	}
	StockNext(asked->stock, model);
	asked->site.model = model;
	return asked->stock;
}

/* The history of the user, and what it speaks for. */
static void
read_user(ShelfAsk *ask)
{
	Held *held = ask->stock->held;
	IdSet *ids = held ? held->ids : IdSetCreate(ask->model->item_kind, ask->budget);

	ask->history = ask->has_user
					   ? HistoryReadIn(ask->model, ask->user, ask->as_of, ids, ask->budget)
					   : HistoryOfItemsIn(ask->model, NULL, 0, ids, ask->budget);
	ask->profile =
		held ? ProfileHeld(ask->model, held, ask->history) : ProfileRead(ask->model, ask->history);
}

/*
 * reco_page(user_id, rows, per_row, model, visit, follows, as_of).  A NULL user is a guest with no
 * history.
 */
Datum
reco_page(PG_FUNCTION_ARGS)
{
	Asked *asked = SiteOpen(fcinfo, sizeof(Asked));
	Visit page = {.ask = {.model = find_model(asked, fcinfo, 3), .has_user = !PG_ARGISNULL(0)}};
	ShelfAsk *ask = &page.ask;
	PageRow row = {0};

	ask->user = DoorUser(fcinfo, 0, ask->model);
	page.rows = take_number(fcinfo, 1, "rows", ROWS_DEFAULT, ROWS_MOST);
	ask->places = take_number(fcinfo, 2, "per_row", PLACES_DEFAULT, PLACES_MOST);
	ask->depth = Min(ask->places * (page.rows + DRAWN_FROM - 1), DEPTH_MOST);
	ask->subjects = Max(2, page.rows / 2);
	ask->lot = HashMix(PG_ARGISNULL(4) ? 0 : (uint64) PG_GETARG_INT64(4));
	if (ask->has_user)
		ask->lot ^= IdHash(ask->model->user_kind, ask->user);
	ask->budget = BudgetCreate(CurrentMemoryContext, "page", SIZE_MAX);
	page.out = DoorOpen(fcinfo, ask->model, page_types, PAGE_COLUMNS, false);

	ask->stock = enter(asked, ask->model);
	ask->as_of = PG_ARGISNULL(6) ? asked->now : PG_GETARG_TIMESTAMPTZ(6);
	ask->follows = take_follows(fcinfo, 5, ask->model);
	read_user(ask);
	page.used = IdSetCreate(ask->model->item_kind, ask->budget);
	page.shelves = ShelfMake(ask);
	page.promotion = PromotionMake(ask, page.shelves);
	while (page.put < page.rows && take_row(&page, &row))
		put_row(&page, &row);
	DoorLeave(ask->model);
	BudgetDestroy(ask->budget);
	return (Datum) 0;
}
