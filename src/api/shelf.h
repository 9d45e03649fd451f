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
	Datum item; /* normalised */
	double score;
	double match; /* where there is one */
	bool matched;
	bool has_because;
	Datum because;      /* normalised */
	const char *source; /* as in lists; of what is unfinished its kind */
	double weight;      /* in the lot that says what is shown at a visit; 0 where none is drawn */
	uint32 number;      /* by which rules know it */
} ShelfItem;

typedef struct Shelf
{
	ShelfKind kind;
	bool has_subject;
	Datum subject;     /* the item it is about, normalised */
	const char *label; /* the category, or attribute, it is about; or NULL */
	ShelfItem *item;   /* best first */
	uint32 count;
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
	History *history;
	Profile *profile;
	IdSet *out;     /* what no shelf but the first may have: seen, disliked, or unfinished */
	uint32 waiting; /* of these, unfinished ones that the list of reco_top_n may have */
} ShelfAsk;

/* All shelves there could be, as a list; SPI is connected. */
extern List *ShelfMake(ShelfAsk *ask);

/* The name of a kind. */
extern const char *ShelfName(ShelfKind kind);

/* A number for a kind, and what a shelf of it is about, so that one lot is not another. */
extern uint64 ShelfLot(const ShelfAsk *ask, const Shelf *shelf);

/*
 * The ticket of an item of a weight in a lot: the items with the smallest tickets are a sample without
 * replacement, in proportion to weight (Efraimidis & Spirakis 2006).
 */
extern double ShelfTicket(const ShelfAsk *ask, uint64 lot, Datum item, double weight);

#endif
