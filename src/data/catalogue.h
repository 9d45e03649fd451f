/*
 * catalogue.h: which items may be shown, and in what order those come that no score ranks.
 */
#ifndef RECO_CATALOGUE_H
#define RECO_CATALOGUE_H

#include "data/ids.h"
#include "data/model.h"
#include "executor/spi.h"

/* A learned item that is in the live catalogue (in the model, where it has no items query). */
typedef struct CatalogueItem
{
	uint32 item_no;
	Datum item; /* normalised */
} CatalogueItem;

/*
 * Those of the numbers that are in the catalogue, in order of number, in the current context.  SPI
 * is connected.
 */
extern CatalogueItem *CatalogueFind(const Model *model, const uint32 *item_no, uint32 count,
									uint32 *found);

/* The one with a number among those found, or NULL. */
extern const CatalogueItem *CatalogueAt(const CatalogueItem *items, uint32 found, uint32 item_no);

/* Sets in_catalogue[item_no] for every learned item that is; [item_slots], zeroed before. */
extern void CatalogueFindAll(const Model *model, bool *in_catalogue);
/* True where an item, learned or not, is in the live catalogue.  SPI is connected. */
extern bool CatalogueHas(const Model *model, Datum item);

/* The orders in which the catalogue can be walked. */
typedef enum CatalogueOrder
{
	CATALOGUE_TRENDING, /* rising items only, fastest first */
	CATALOGUE_POPULAR,  /* everything that min_support users chose, most popular first */
	CATALOGUE_NEW,      /* everything else, newest first where the catalogue says so, then by id */
	CATALOGUE_ORDERS,   /* as many, that fill lists; besides: */
	CATALOGUE_OBSCURE = CATALOGUE_ORDERS /* everything learned, least popular first */
} CatalogueOrder;

/*
 * Opens a walk as a cursor, of the items of a set only where one is given; NULL where the order has
 * nothing to show.
 */
extern Portal CatalogueOpen(const Model *model, CatalogueOrder order, const IdSet *some);

typedef struct CatalogueRow
{
	Datum item;        /* normalised */
	double popularity; /* decayed weight a day */
	double trend;
	int32 users;
} CatalogueRow;

/*
 * log2 of what an order goes by, which falls, or stays the same, from row to row: popularity, or how
 * fast an item rises; 0 throughout where it is nothing of the kind.
 */
extern double CatalogueValue(CatalogueOrder order, const CatalogueRow *row);

/*
 * Hands over, in no order, the number of every item that comes before one in CATALOGUE_POPULAR, or of all
 * that are in it where that one is not: false then.  Where there is no items query the index tells, and
 * no row is looked at.  SPI is connected.
 */
typedef void (*CatalogueTake)(uint32 item_no, void *with);

extern bool CatalogueBefore(const Model *model, Datum item, CatalogueTake take, void *with);

/* An item of a walk: its number in some set of ids, and that value. */
typedef struct CatalogueStep
{
	uint32 number;
	double value;
} CatalogueStep;

/* The next rows of a walk, at most count; SPI's memory, gone with SPI_freetuptable. */
extern CatalogueRow *CatalogueNext(const Model *model, Portal walk, long count, uint64 *rows);

#endif
