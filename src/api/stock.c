#include "api/stock.h"

#include "api/arrangement.h"
#include "api/rerank.h"
#include "base/interrupts.h"
#include "catalog/pg_type.h"
#include "data/catalogue.h"
#include "data/plan.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Pages in the time that it takes to hold a model with a catalogue, as measured; and items without. */
#define PAGES_FIRST  8
#define ITEMS_A_PAGE 512

/* What is held takes so many bytes a pair, see data/held with short lists, and an item at most. */
#define PAIR_BYTES 34
#define ITEM_BYTES 512

/* Rows of a walk that are fetched at a time. */
#define BATCH 4096

/* What came out so lately is new; so many new items are looked at. */
#define NEW_DAYS 60
#define NEW_MOST 2000

/* Items that there is room for marks of at once. */
#define MARKS_FIRST 1024

Stock *
StockMake(MemoryContext context)
{
	Stock *stock = MemoryContextAllocZero(context, sizeof(Stock));

	stock->context = context;
	return stock;
}

/* True where a model can be held, and there is room for all that would be; not one of factors. */
static bool
may_hold(const Model *model)
{
	uint32 pairs = Max(model->settings.similarity.k, model->settings.similarity.k_most);
	double item = ITEM_BYTES + PAIR_BYTES * (double) pairs;

	return model->algorithm == MODEL_NEIGHBORS &&
		   item * model->item_slots <= (double) BudgetMaintenance();
}

/* A source of lists, of which there are few, as a string that stays. */
static const char *
keep_source(Stock *stock, const char *source)
{
	ListCell *cell;
	MemoryContext caller;

	foreach (cell, stock->sources)
		if (strcmp(lfirst(cell), source) == 0)
			return lfirst(cell);
	caller = MemoryContextSwitchTo(stock->context);
	stock->sources = lappend(stock->sources, pstrdup(source));
	MemoryContextSwitchTo(caller);
	return llast(stock->sources);
}

/* The rows of the list that was made, to be kept. */
static StockItem *
keep_rows(Stock *stock)
{
	const RecommendAsk *list = &stock->list;
	StockItem *item = BudgetAlloc(stock->budget, Max(list->listed, 1), sizeof(StockItem));

	for (uint32 r = 0; r < list->listed; r++)
	{
		const RecommendRow *row = &list->row[r];

		CHECK_FOR_INTERRUPTS();
		item[r].number = row->number;
		/* Most rows have the source of the one before. */
		item[r].source = r > 0 && list->row[r - 1].source == row->source
							 ? item[r - 1].source
							 : keep_source(stock, TextDatumGetCString(row->source));
	}
	return item;
}

/* The list of somebody with no history, all of it. */
static void
read_popular(Stock *stock, Model *model)
{
	RecommendAsk *list = &stock->list;
	History *nothing = HistoryOfItemsIn(model, NULL, 0, stock->held->ids, stock->budget);

	list->fallback = true;
	list->source = "popular";
	RecommendGather(list, ProfileHeld(model, stock->held, nothing), 0, 0);
	stock->popular = keep_rows(stock);
	stock->populars = list->listed;
}

/* Puts the places of the list of somebody with no history in order of the values of their items. */
static void
sort_popular(Stock *stock, StockValues *values)
{
	uint32 count = ValuesCount(values->values);
	uint64 *end = BudgetZeroed(stock->budget, (uint64) count + 1, sizeof(uint64));
	uint64 sum = 0;

	for (uint32 r = 0; r < stock->populars; r++)
	{
		uint32 of;
		const uint32 *value = ValuesOf(values->values, stock->popular[r].number, &of);

		for (uint32 v = 0; v < of; v++)
			end[value[v]]++;
	}
	for (uint32 v = 0; v < count; v++)
	{
		uint64 before = sum;

		sum += end[v];
		end[v] = before;
	}
	values->popular = BudgetAlloc(stock->budget, Max(sum, 1), sizeof(uint32));
	for (uint32 r = 0; r < stock->populars; r++)
	{
		uint32 of;
		const uint32 *value = ValuesOf(values->values, stock->popular[r].number, &of);

		INTERRUPTS_AT(r);
		for (uint32 v = 0; v < of; v++)
			values->popular[end[value[v]]++] = r;
	}
	values->popular_end = end;
}

const StockSimilar *
StockSimilarTo(Stock *stock, uint32 number)
{
	StockSimilar *similar = &stock->similar[number];
	RecommendAsk *list = &stock->list;
	Model *model = list->model;
	Budget *budget;
	Datum item;

	if (similar->known)
		return similar;
	budget = BudgetCreate(CurrentMemoryContext, "similar", SIZE_MAX);
	item = IdSetDatum(stock->held->ids, number);
	list->fallback = false;
	list->source = "similar";
	RecommendGather(list,
					ProfileHeld(model, stock->held,
								HistoryOfItemsIn(model, &item, 1, stock->held->ids, budget)),
					0, 0);
	similar->item = keep_rows(stock);
	similar->count = list->listed;
	similar->known = true;
	BudgetDestroy(budget);
	return similar;
}

const uint32 *
StockPopularOf(Stock *stock, const StockValues *values, uint32 value, uint32 *count)
{
	StockValues *kept = (StockValues *) values;
	uint64 begin;

	if (kept->popular_end == NULL)
		sort_popular(stock, kept);
	begin = value == 0 ? 0 : kept->popular_end[value - 1];
	*count = (uint32) (kept->popular_end[value] - begin);
	return kept->popular + begin;
}

/* One order of the catalogue, behind what is unknown so far. */
static void
read_unknown(Stock *stock, const Model *model, CatalogueOrder order, IdSet *known, uint64 *room)
{
	Portal portal = CatalogueOpen(model, order, NULL);

	while (portal)
	{
		uint64 count;
		CatalogueRow *rows = CatalogueNext(model, portal, BATCH, &count);

		CHECK_FOR_INTERRUPTS();
		if (count == 0)
			break;
		stock->unknown = BudgetGrow(stock->budget, stock->unknown, stock->unknowns + count, room,
									sizeof(StockUnknown));
		for (uint64 r = 0; r < count; r++)
		{
			stock->unknown[stock->unknowns] =
				(StockUnknown){IdSetAdd(stock->held->ids, rows[r].item), rows[r].users};
			stock->unknowns += IdSetAdd(known, rows[r].item) == stock->unknowns;
		}
		SPI_freetuptable(SPI_tuptable);
		pfree(rows);
	}
	if (portal)
		SPI_cursor_close(portal);
}

/* What hardly anybody knows. */
static void
read_all_unknown(Stock *stock, const Model *model)
{
	IdSet *known = IdSetCreate(model->item_kind, stock->budget);
	uint64 room = 0;

	read_unknown(stock, model, CATALOGUE_NEW, known, &room);
	read_unknown(stock, model, CATALOGUE_OBSCURE, known, &room);
	IdSetFree(known);
}

/* What it takes to know what users left unfinished. */
static void
hold_waiting(Stock *stock, const Model *model)
{
	int nest;

	if (StockResuming(stock, model) == NULL)
		return;
	nest = NewGUCNestLevel();
	RestrictSearchPath();
	stock->waiting =
		WaitingHold(model, UnfinishedOf(model, (Datum) 0, true), stock->held->ids, stock->budget);
	AtEOXact_GUC(false, nest);
}

/* The hashes of all ids that are known by now. */
static void
hash_ids(Stock *stock)
{
	const IdSet *ids = stock->held->ids;
	uint32 count = IdSetCount(ids);

	stock->hash = BudgetAlloc(stock->budget, count, sizeof(uint64));
	for (; stock->hashes < count; stock->hashes++)
	{
		Datum id = IdSetDatum(ids, stock->hashes);

		CHECK_FOR_INTERRUPTS();
		stock->hash[stock->hashes] = IdHash(IdSetKind(ids), id);
		if (IdSetKind(ids) != ID_INTEGER)
			pfree(DatumGetPointer(id));
	}
}

/* Reads what pages have in common. */
static void
hold(Stock *stock, Model *model)
{
	Held *held;

	stock->budget = BudgetCreate(stock->context, "pages", SIZE_MAX);
	stock->held = held = HeldRead(model, true, stock->budget);
	stock->item_no = BudgetAlloc(stock->budget, held->learned, sizeof(uint32));
	for (uint32 n = 0; n < model->item_slots; n++)
		if (held->number[n] != ID_NONE)
			stock->item_no[held->number[n]] = n;
	stock->similar = BudgetZeroed(stock->budget, held->learned, sizeof(StockSimilar));
	stock->list =
		(RecommendAsk){.model = model,
					   .budget = stock->budget,
					   .held = held,
					   .least_match = -1,
					   .arrangement = MemoryContextAllocZero(stock->context, sizeof(Arrangement))};
	if (RerankWanted(model))
		stock->list.rerank = RerankOpen(model, true, stock->budget);
	read_popular(stock, model);
	read_all_unknown(stock, model);
	hold_waiting(stock, model);
	hash_ids(stock);
}

void
StockNext(Stock *stock, Model *model)
{
	uint64 enough = PAGES_FIRST + (model->has_items ? 0 : model->item_slots / ITEMS_A_PAGE);

	if (stock->held == NULL && stock->pages == enough && may_hold(model))
		hold(stock, model);
	stock->pages++;
}

ResumingQuestion *
StockResuming(Stock *stock, const Model *model)
{
	MemoryContext caller = MemoryContextSwitchTo(stock->context);
	Unfinished *unfinished;

	if (!stock->knows_unfinished)
	{
		unfinished = UnfinishedOf(model, (Datum) 0, true);
		if (!UnfinishedIsNone(unfinished))
			stock->resuming = ResumingPrepare(model, unfinished);
		stock->knows_unfinished = true;
	}
	MemoryContextSwitchTo(caller);
	return stock->resuming;
}

/* What is new, as numbers in a set of ids that is empty. */
static uint32 *
read_new(const Model *model, TimestampTz as_of, IdSet *ids, uint32 *count)
{
	Oid types[] = {TIMESTAMPTZOID, INT8OID};
	Datum values[] = {TimestampTzGetDatum(as_of), Int64GetDatum(NEW_MOST)};
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
	ModelNeedsName(model);
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

const uint32 *
StockNew(Stock *stock, const Model *model, TimestampTz as_of, IdSet **ids, uint32 *count)
{
	Budget *budget;
	uint32 *number;

	*ids = stock->held ? stock->held->ids : NULL;
	*count = stock->new_items;
	if (*ids && stock->has_new && stock->new_by == as_of)
		return stock->new_item;
	budget = BudgetCreate(CurrentMemoryContext, "page", SIZE_MAX);
	*ids = IdSetCreate(model->item_kind, budget);
	number = read_new(model, as_of, *ids, count);
	if (stock->held == NULL)
		return number;
	stock->has_new = false;
	stock->new_item = BudgetResize(stock->budget, stock->new_item, Max(*count, 1), sizeof(uint32));
	for (uint32 n = 0; n < *count; n++)
		stock->new_item[n] = IdSetAdd(stock->held->ids, IdSetDatum(*ids, number[n]));
	BudgetDestroy(budget);
	stock->new_items = *count;
	stock->new_by = as_of;
	stock->has_new = true;
	*ids = stock->held->ids;
	return stock->new_item;
}

void
StockSay(Stock *stock, uint32 number, StockMark mark)
{
	uint64 marks = stock->marks;

	if (number >= marks)
	{
		MemoryContext caller = MemoryContextSwitchTo(stock->context);

		stock->marks = Max(2 * marks, Max((uint64) number + 1, MARKS_FIRST));
		stock->mark = stock->mark ? repalloc_huge(stock->mark, sizeof(uint64) * stock->marks)
								  : palloc_extended(sizeof(uint64) * stock->marks, MCXT_ALLOC_HUGE);
		memset(stock->mark + marks, 0, sizeof(uint64) * (stock->marks - marks));
		MemoryContextSwitchTo(caller);
	}
	if (stock->mark[number] >> STOCK_MARKS != stock->pages)
		stock->mark[number] = stock->pages << STOCK_MARKS;
	stock->mark[number] |= mark;
}

uint64
StockHash(const Stock *stock, const IdSet *ids, uint32 number)
{
	Datum id;
	uint64 hash;

	if (number < stock->hashes)
		return stock->hash[number];
	id = IdSetDatum(ids, number);
	hash = IdHash(IdSetKind(ids), id);
	if (IdSetKind(ids) != ID_INTEGER)
		pfree(DatumGetPointer(id));
	return hash;
}

const StockValues *
StockValuesOf(Stock *stock, const char *name)
{
	MemoryContext caller;
	StockValues *values;
	ListCell *cell;

	foreach (cell, stock->values)
	{
		values = lfirst(cell);
		if (strcmp(values->name, name) == 0)
			return values;
	}
	caller = MemoryContextSwitchTo(stock->context);
	values = palloc0(sizeof(StockValues));
	values->name = pstrdup(name);
	values->values = ValuesOpen(stock->list.model, values->name, stock->held->ids, stock->budget);
	ValuesReadAll(values->values);
	values->rank = ValuesRanks(values->values);
	stock->values = lappend(stock->values, values);
	MemoryContextSwitchTo(caller);
	return values;
}
