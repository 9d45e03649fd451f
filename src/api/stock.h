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
#include "data/waiting.h"

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
	/* Of what is held, places of the list of somebody with no history by value, once they were asked for. */
	uint32 *popular;
	uint64 *popular_end; /* of each value */
} StockValues;

/* What goes with an item. */
typedef struct StockSimilar
{
	StockItem *item;
	uint32 count;
	bool known;
} StockSimilar;

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
	StockUnknown *unknown; /* what is new, then the least popular first, each once */
	uint32 unknowns;
	uint32 *new_item; /* what came out by some time, newest first; of what is held */
	uint32 new_items;
	bool has_new;
	TimestampTz new_by;
	List *values;          /* of StockValues */
	List *sources;         /* of lists, as strings */
	Waiting *waiting;      /* what was left unfinished, in memory; NULL for by question */
	StockSimilar *similar; /* [learned], by number */
	uint64 *hash;          /* of ids, by number, */
	uint32 hashes;         /* so many */

	/* By number in the ids of a page: what was said of it, and by which page. */
	uint64 *mark;
	uint64 marks;
} Stock;

/* What a page says of items. */
typedef enum StockMark
{
	STOCK_OUT = 1, /* it may be on no list but that of what is unfinished */
	STOCK_USED = 2 /* it is on the page */
} StockMark;

#define STOCK_MARKS 2 /* bits */

/* An empty one, that lasts as long as a context. */
extern Stock *StockMake(MemoryContext context);

/* Counts a page, and holds what pages have in common where enough were asked for.  SPI is connected. */
extern void StockNext(Stock *stock, Model *model);

/* How what is unfinished is asked for; NULL where nothing can be. */
extern ResumingQuestion *StockResuming(Stock *stock, const Model *model);

/*
 * What is new in the catalogue at a time, newest first: so many numbers in a set of ids.  SPI is connected.
 */
extern const uint32 *StockNew(Stock *stock, const Model *model, TimestampTz as_of, IdSet **ids,
							  uint32 *count);

/* What goes with an item that was learned, where the model is held. */
extern const StockSimilar *StockSimilarTo(Stock *stock, uint32 number);

/* The places of items of a value in the list of somebody with no history, in its order; where it is held. */
extern const uint32 *StockPopularOf(Stock *stock, const StockValues *values, uint32 value,
									uint32 *count);

/* Marks an item for this page; and whether it is. */
extern void StockSay(Stock *stock, uint32 number, StockMark mark);

static inline bool
StockSaid(const Stock *stock, uint32 number, StockMark mark)
{
	return number < stock->marks && stock->mark[number] >> STOCK_MARKS == stock->pages &&
		   (stock->mark[number] & mark);
}

/* The hash of an id of a page by its number, see IdHash. */
extern uint64 StockHash(const Stock *stock, const IdSet *ids, uint32 number);

/* The values of an attribute, of everything held. */
extern const StockValues *StockValuesOf(Stock *stock, const char *name);

#endif
