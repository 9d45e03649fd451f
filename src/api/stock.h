/*
 * stock.h: what the pages of one query have in common.
 *
 * Who asks for one page has what it needs read for it.  Where a query asks for page after page, most of
 * that is the same for all: the model and its catalogue, what rises, what is new, what hardly anybody
 * knows, and the categories of all these.  So after some pages it is read once and held, where
 * maintenance_work_mem has room for it; the pages are the same.
 */
#ifndef RECO_STOCK_H
#define RECO_STOCK_H

#include "api/recommend.h"
#include "data/resuming.h"
#include "data/values.h"

/* An item of a list that is the same for everybody. */
typedef struct StockItem
{
	uint32 number; /* in the ids of what is held */
	const char *source;
} StockItem;

/* An item that hardly anybody knows. */
typedef struct StockUnknown
{
	uint32 number;
	int32 users;
} StockUnknown;

/* The values of an attribute, and which comes first of two. */
typedef struct StockValues
{
	const char *name;
	Values *values;
	uint32 *rank;
} StockValues;

typedef struct Stock
{
	MemoryContext context; /* of all that is here */
	Budget *budget;        /* that it is charged to */

	/* How unfinished things are asked for, once that is known; NULL where none can be. */
	bool knows_unfinished;
	ResumingQuestion *resuming;

	uint64 pages;       /* so far */
	Held *held;         /* NULL while what follows is asked for each time */
	uint32 *item_no;    /* by number in its ids, of what was learned */
	RecommendAsk list;  /* for one list after the other */
	StockItem *popular; /* the list of somebody with no history, all of it */
	uint32 populars;
	StockUnknown *unknown; /* what is new, then the least popular first */
	uint32 unknowns;
	uint32 *new_item; /* what came out by some time, newest first */
	uint32 new_items;
	bool has_new;
	TimestampTz new_by;
	List *values; /* of StockValues */
} Stock;

/* An empty one, that lasts as long as a context. */
extern Stock *StockMake(MemoryContext context);

/* Counts a page, and holds what pages have in common where enough were asked for.  SPI is connected. */
extern void StockNext(Stock *stock, Model *model);

/* How what is unfinished is asked for; NULL where nothing can be. */
extern ResumingQuestion *StockResuming(Stock *stock, const Model *model);

/* The values of an attribute, of everything held. */
extern const StockValues *StockValuesOf(Stock *stock, const char *name);

#endif
