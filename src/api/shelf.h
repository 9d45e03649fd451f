/*
 * shelf.h: the rows that a page may have, each a list of its own kind with more than fits on it.
 */
#ifndef RECO_SHELF_H
#define RECO_SHELF_H

#include "api/stock.h"

typedef enum ShelfKind
{
	SHELF_CONTINUE, /* what was left unfinished */
	SHELF_TOP,      /* the list of reco_top_n */
	SHELF_BECAUSE,  /* what goes with an item that was chosen */
	SHELF_TRENDING, /* what rises in a category */
	SHELF_NEW,      /* what is new in categories that somebody comes back to */
	SHELF_DISCOVER, /* what hardly anybody knows */
	SHELF_KINDS
} ShelfKind;

typedef struct ShelfItem
{
	uint32 number;  /* in the ids of the page */
	uint32 item_no; /* of what there is evidence for, else ID_NONE; see api/rating */
	uint32 ruled;   /* by which rules know it */
	uint32 because; /* a number in the ids, or ID_NONE */
	double score;
	double match; /* where there is one */
	bool matched;
	bool judged;        /* it is known whether there is */
	const char *source; /* as in lists; of what is unfinished its kind */
	double weight;      /* in the lot that says what is shown at a visit; 0 where none is drawn */
	double ticket;      /* in it; NaN before it is asked for */
} ShelfItem;

typedef struct Shelf
{
	ShelfKind kind;
	uint32 subject;    /* the item it is about, a number in the ids, or ID_NONE */
	const char *label; /* the category, or attribute, it is about; or NULL */
	ShelfItem *item;   /* best first */
	uint32 count;
	uint64 lot; /* so that one lot is not another */
} Shelf;

/* Whose page it is, and what is known of them. */
typedef struct ShelfAsk
{
	Model *model;
	Stock *stock;
	Budget *budget;
	bool has_user;
	Datum user; /* normalised */
	TimestampTz as_of;
	const char *follows; /* an attribute of items, or NULL */
	uint32 places;       /* items of a shelf that are shown */
	uint32 depth;        /* and that it should have, so that some may be taken by others */
	uint32 subjects;     /* shelves of one kind that there may be */
	uint64 lot;          /* where all that is drawn comes from: visit and user */
	IdSet *ids;          /* of the page, and of the history */
	History *history;
	Profile *profile;
	uint32 out;     /* items that no shelf but the first may have: seen, disliked, or unfinished */
	uint32 waiting; /* of these, unfinished ones that the list of reco_top_n may have */
} ShelfAsk;

/* All shelves there could be, as a list; SPI is connected. */
extern List *ShelfMake(ShelfAsk *ask);

/* The name of a kind. */
extern const char *ShelfName(ShelfKind kind);

/*
 * The ticket of an item of a shelf: the items with the smallest tickets are a sample without
 * replacement, in proportion to weight (Efraimidis & Spirakis 2006).
 */
extern double ShelfTicket(const ShelfAsk *ask, const Shelf *shelf, ShelfItem *item);

#endif
