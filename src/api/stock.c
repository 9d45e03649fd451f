#include "api/stock.h"

#include "api/arrangement.h"
#include "api/rerank.h"
#include "data/catalogue.h"
#include "utils/builtins.h"

/* Pages in the time that it takes to hold a model with a catalogue, as measured; and items without. */
#define PAGES_FIRST  8
#define ITEMS_A_PAGE 512

/* What is held takes so many bytes a pair, see data/held with short lists, and an item at most. */
#define PAIR_BYTES 18
#define ITEM_BYTES 400

/* Rows of a walk that are fetched at a time. */
#define BATCH 4096

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

/* The list of somebody with no history, all of it. */
static void
read_popular(Stock *stock, Model *model)
{
	RecommendAsk *list = &stock->list;
	History *nothing = HistoryOfItemsIn(model, NULL, 0, stock->held->ids, stock->budget);

	list->fallback = true;
	list->source = "popular";
	RecommendGather(list, ProfileHeld(model, stock->held, nothing), 0, 0);
	stock->popular = BudgetAlloc(stock->budget, list->listed, sizeof(StockItem));
	for (; stock->populars < list->listed; stock->populars++)
	{
		const RecommendRow *row = &list->row[stock->populars];
		StockItem *item = &stock->popular[stock->populars];
		StockItem *before = stock->populars > 0 ? item - 1 : NULL;
		const char *source = TextDatumGetCString(row->source);

		CHECK_FOR_INTERRUPTS();
		item->number = row->number;
		item->source = before && strcmp(before->source, source) == 0
						   ? before->source
						   : MemoryContextStrdup(stock->context, source);
	}
}

/* One order of the catalogue, behind what is unknown so far. */
static void
read_unknown(Stock *stock, const Model *model, CatalogueOrder order, uint64 *room)
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
			stock->unknown[stock->unknowns++] =
				(StockUnknown){IdSetAdd(stock->held->ids, rows[r].item), rows[r].users};
		SPI_freetuptable(SPI_tuptable);
		pfree(rows);
	}
	if (portal)
		SPI_cursor_close(portal);
}

/* Reads what pages have in common. */
static void
hold(Stock *stock, Model *model)
{
	uint64 room = 0;
	Held *held;

	stock->budget = BudgetCreate(stock->context, "pages", SIZE_MAX);
	stock->held = held = HeldRead(model, true, stock->budget);
	stock->item_no = BudgetAlloc(stock->budget, held->learned, sizeof(uint32));
	for (uint32 n = 0; n < model->item_slots; n++)
		if (held->number[n] != ID_NONE)
			stock->item_no[held->number[n]] = n;
	stock->list =
		(RecommendAsk){.model = model,
					   .budget = stock->budget,
					   .held = held,
					   .least_match = -1,
					   .arrangement = MemoryContextAllocZero(stock->context, sizeof(Arrangement))};
	if (RerankWanted(model))
		stock->list.rerank = RerankOpen(model, true, stock->budget);
	read_popular(stock, model);
	read_unknown(stock, model, CATALOGUE_NEW, &room);
	read_unknown(stock, model, CATALOGUE_OBSCURE, &room);
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
