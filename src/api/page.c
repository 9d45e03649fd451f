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
#include "api/rating.h"
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
	Shelf *shelf;
	uint32 *place;
	bool *promoted; /* of each, by a share that it has to make up for */
	uint32 count;
	double worth; /* by itself */
	bool drawn;   /* all this is so as long as no item of the shelf is put on the page */
	bool put;
} PageRow;

/* A page while it is made. */
typedef struct Visit
{
	ShelfAsk ask;
	uint32 rows;
	PageRow *row; /* of every shelf */
	uint32 row_count;
	PageRow **shown; /* those on the page, in their order */
	Promotion *promotion;
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

/* The items of a shelf that are drawn from. */
static uint32
drawn_from(const ShelfAsk *ask, const Shelf *shelf)
{
	return shelf->kind == SHELF_DISCOVER ? shelf->count : DRAWN_FROM * ask->places;
}

/* The ticket of the nth item; those without a weight come whatever the lot says. */
static Ticket
ticket_of(const ShelfAsk *ask, const Shelf *shelf, uint32 n)
{
	ShelfItem *item = &shelf->item[n];

	return (Ticket){.ticket = item->weight > 0 ? ShelfTicket(ask, shelf, item) : -1, .place = n};
}

/* Draws the items that a row would show now, by their tickets alone; returns how many. */
static uint32
draw_best(const ShelfAsk *ask, const Shelf *shelf, Ticket *best)
{
	uint32 most = drawn_from(ask, shelf);
	uint32 count = 0;

	for (uint32 n = 0, free = 0; n < shelf->count && free < most; n++)
	{
		Ticket ticket;
		uint32 at;

		if (StockSaid(ask->stock, shelf->item[n].number, STOCK_USED))
			continue;
		free++;
		ticket = ticket_of(ask, shelf, n);
		if (count == ask->places && !(ticket.ticket < best[count - 1].ticket))
			continue;
		count += count < ask->places;
		for (at = count - 1; at > 0 && ticket.ticket < best[at - 1].ticket; at--)
			best[at] = best[at - 1];
		best[at] = ticket;
	}
	return count;
}

/*
 * The same where there are shares to keep: what is further down than what is drawn from comes only where
 * a share has nothing above.
 */
static uint32
draw_shares(const Visit *page, const Shelf *shelf, Ticket *best)
{
	const ShelfAsk *ask = &page->ask;
	Ticket *ticket = palloc(sizeof(Ticket) * Max(shelf->count, 1));
	uint32 *place = palloc(sizeof(uint32) * Max(shelf->count, 1));
	bool *promoted = palloc(sizeof(bool) * ask->places);
	uint32 most = drawn_from(ask, shelf);
	uint32 free = 0;
	uint32 count;

	for (uint32 n = 0; n < shelf->count; n++)
	{
		if (StockSaid(ask->stock, shelf->item[n].number, STOCK_USED))
			continue;
		ticket[free] = free < most ? ticket_of(ask, shelf, n) : (Ticket){.place = n};
		free++;
	}
	qsort(ticket, Min(free, most), sizeof(Ticket), by_ticket);
	for (uint32 n = 0; n < free; n++)
		place[n] = ticket[n].place;
	count = Min(free, ask->places);
	PromotionPick(page->promotion, shelf, place, free, count, promoted);
	for (uint32 n = 0; n < count; n++)
		best[n] = (Ticket){.place = place[n], .promoted = promoted[n]};
	pfree(ticket);
	pfree(place);
	pfree(promoted);
	return count;
}

/* Draws the items that a row would show now, in the order of their shelf. */
static void
draw_row(const Visit *page, PageRow *row)
{
	const ShelfAsk *ask = &page->ask;
	Shelf *shelf = row->shelf;
	Ticket *ticket = palloc(sizeof(Ticket) * ask->places);

	if (row->place == NULL)
	{
		row->place = palloc(sizeof(uint32) * ask->places);
		row->promoted = palloc(sizeof(bool) * ask->places);
	}
	row->count = shelf->kind != SHELF_CONTINUE && PromotionShares(page->promotion)
					 ? draw_shares(page, shelf, ticket)
					 : draw_best(ask, shelf, ticket);
	qsort(ticket, row->count, sizeof(Ticket), by_place);
	row->worth = 0;
	for (uint32 n = 0; n < row->count; n++)
	{
		ShelfItem *item = &shelf->item[ticket[n].place];

		RatingJudge(ask, item);
		row->place[n] = ticket[n].place;
		row->promoted[n] = ticket[n].promoted;
		row->worth += (item->matched ? item->match / 100 : CHANCE_UNKNOWN) / ask->places;
	}
	row->drawn = true;
	pfree(ticket);
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

/* What a row is worth behind those of its kind that are on the page. */
static double
worth_of(const Visit *page, const PageRow *row)
{
	return row->worth * pow(AGAIN, page->kinds[row->shelf->kind]);
}

/* True where a row comes before another: the first two kinds before all, then what is worth more. */
static bool
comes_before(const Visit *page, const PageRow *row, const PageRow *other)
{
	ShelfKind kind = Min(row->shelf->kind, SHELF_TOP + 1);
	ShelfKind than = Min(other->shelf->kind, SHELF_TOP + 1);

	return kind != than ? kind < than : worth_of(page, row) > worth_of(page, other);
}

/* The row that comes next of those there could be, or NULL. */
static PageRow *
next_row(const Visit *page)
{
	PageRow *best = NULL;

	for (uint32 n = 0; n < page->row_count; n++)
	{
		PageRow *row = &page->row[n];

		CHECK_FOR_INTERRUPTS();
		if (row->put)
			continue;
		if (!row->drawn)
			draw_row(page, row);
		if (is_row(page, row) && (best == NULL || comes_before(page, row, best)))
			best = row;
	}
	return best;
}

/* Has a row drawn anew where an item of its shelf is on the page by now. */
static void
check_row(const Visit *page, PageRow *row)
{
	const Shelf *shelf = row->shelf;

	for (uint32 n = 0; n < shelf->count && row->drawn; n++)
		row->drawn = !StockSaid(page->ask.stock, shelf->item[n].number, STOCK_USED);
}

/* Puts a row on the page, and its items, which no other may have then. */
static void
take_row(Visit *page, PageRow *row)
{
	page->shown[page->put++] = row;
	page->kinds[row->shelf->kind]++;
	row->put = true;
	for (uint32 n = 0; n < row->count; n++)
		StockSay(page->ask.stock, row->shelf->item[row->place[n]].number, STOCK_USED);
	for (uint32 n = 0; n < page->row_count; n++)
		if (!page->row[n].put)
			check_row(page, &page->row[n]);
}

/* Makes the rows there could be, and puts those that come first on the page. */
static void
lay_out(Visit *page)
{
	List *shelves = ShelfMake(&page->ask);
	ListCell *cell;
	PageRow *row;

	page->promotion = PromotionMake(&page->ask, shelves);
	page->row = palloc0(sizeof(PageRow) * Max(list_length(shelves), 1));
	page->shown = palloc(sizeof(PageRow *) * page->rows);
	foreach (cell, shelves)
		page->row[page->row_count++].shelf = lfirst(cell);
	while (page->put < page->rows && (row = next_row(page)))
		take_row(page, row);
}

/* Finds out what speaks most for the items on the page that anything speaks for. */
static void
explain(const Visit *page)
{
	ShelfItem **item = palloc(sizeof(ShelfItem *) * page->rows * page->ask.places);
	uint32 count = 0;

	for (uint32 r = 0; r < page->put; r++)
	{
		const PageRow *row = page->shown[r];

		for (uint32 n = 0; n < row->count; n++)
		{
			ShelfItem *shown = &row->shelf->item[row->place[n]];

			if (shown->item_no != ID_NONE && (row->shelf->kind == SHELF_TOP || shown->score > 0))
				item[count++] = shown;
		}
	}
	RatingExplain(&page->ask, item, count);
	pfree(item);
}

/* An item going out, or nothing. */
static void
put_item(const Visit *page, uint32 number, Datum *value, bool *isnull)
{
	*isnull = number == ID_NONE;
	if (number != ID_NONE)
		*value = DoorItemOut(&page->out, IdSetDatum(page->ask.ids, number));
}

/* Puts a row out. */
static void
put_row(Visit *page, uint32 at)
{
	const PageRow *row = page->shown[at];
	const Shelf *shelf = row->shelf;
	Datum values[PAGE_COLUMNS] = {0};
	bool nulls[PAGE_COLUMNS] = {0};

	values[PAGE_ROW] = Int32GetDatum((int32) at + 1);
	values[PAGE_KIND] = CStringGetTextDatum(ShelfName(shelf->kind));
	put_item(page, shelf->subject, &values[PAGE_SUBJECT], &nulls[PAGE_SUBJECT]);
	nulls[PAGE_LABEL] = shelf->label == NULL;
	if (shelf->label)
		values[PAGE_LABEL] = CStringGetTextDatum(shelf->label);
	for (uint32 n = 0; n < row->count; n++)
	{
		const ShelfItem *item = &shelf->item[row->place[n]];

		values[PAGE_RANK] = Int32GetDatum((int32) n + 1);
		put_item(page, item->number, &values[PAGE_ITEM], &nulls[PAGE_ITEM]);
		values[PAGE_SCORE] = Float8GetDatum(item->score);
		nulls[PAGE_SCORE] = !(item->score > 0);
		values[PAGE_MATCH] = Float8GetDatum(item->match);
		nulls[PAGE_MATCH] = !item->matched;
		put_item(page, item->because, &values[PAGE_BECAUSE], &nulls[PAGE_BECAUSE]);
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
		asked->stock = StockMake(asked->site.of_model);
		asked->now = GetCurrentTimestamp();
	}
	StockNext(asked->stock, model);
	asked->site.model = model;
	return asked->stock;
}

/* The history of the user, what it speaks for, and what was left unfinished of it. */
static void
read_user(ShelfAsk *ask)
{
	Held *held = ask->stock->held;
	Waiting *waiting = ask->stock->waiting;
	HistoryShared shared = {.columns = "", .many = held != NULL};

	ask->ids = held ? held->ids : IdSetCreate(ask->model->item_kind, ask->budget);
	shared.ids = ask->ids;
	if (waiting)
	{
		shared.columns = WaitingColumns(waiting);
		shared.take = WaitingTake;
		shared.with = waiting;
		WaitingBegin(waiting, ask->as_of);
	}
	ask->history = ask->has_user
					   ? HistoryReadShared(ask->model, ask->user, ask->as_of, &shared, ask->budget)
					   : HistoryOfItemsIn(ask->model, NULL, 0, ask->ids, ask->budget);
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
	lay_out(&page);
	explain(&page);
	for (uint32 n = 0; n < page.put; n++)
		put_row(&page, n);
	DoorLeave(ask->model);
	BudgetDestroy(ask->budget);
	return (Datum) 0;
}
