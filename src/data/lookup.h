/*
 * lookup.h: rows of the table "learned_item" by key, straight from its index.
 *
 * A question reads some dozens of them, and the executor takes longer over each than it takes to
 * find it.  Where anything could make a difference between this and SQL (rights that are not to
 * the whole table, row-level security, somebody's hook on rights, an index or a column that is not
 * as reco made it), there is no lookup, and SQL is to be asked.
 */
#ifndef RECO_LOOKUP_H
#define RECO_LOOKUP_H

#include "data/model.h"

#include "access/htup.h"
#include "storage/buf.h"
#include "utils/relcache.h"

typedef struct Lookup Lookup;

/* By which of its two keys. */
typedef enum LookupKey
{
	LOOKUP_ITEM_ID,
	LOOKUP_ITEM_NO
} LookupKey;

/* Figures of an item beside its neighbours, any of which may be NULL. */
typedef enum LookupFigure
{
	LOOKUP_POPULARITY,
	LOOKUP_RECENT,
	LOOKUP_FIRST,
	LOOKUP_LAST,
	LOOKUP_FIGURES
} LookupFigure;

/* One row as it was found. */
typedef struct LookupRow
{
	Datum item; /* normalised; lasts until the next row is looked for, like the next */
	Datum neighbors;
	uint32 item_no;
	NullableDatum figure[LOOKUP_FIGURES]; /* read by number, where LookupHasFigures */
	HeapTuple tuple; /* NULL where the table is no heap: its columns are in there, */
	Buffer buffer;   /* and that is in here */
} LookupRow;

/* Opens the table in the active snapshot, in the current context; NULL where SQL must be asked. */
extern Lookup *LookupOpen(const Model *model, LookupKey key);

/* True where rows are found by number, and the columns of the figures are there, of the types that a refresh writes. */
extern bool LookupHasFigures(const Lookup *lookup);

/*
 * Finds the row of a key, a normalised id or an item number; false where there is none.  A row
 * with a NULL that no refresh writes raises an error.
 */
extern bool LookupFind(Lookup *lookup, Datum key, LookupRow *row);

extern void LookupClose(Lookup *lookup);

/*
 * What is looked for, by which key, and of what kind that is; in which table and columns of it; and the
 * hash of a key, by table and index.
 */
extern const Model *LookupModel(const Lookup *lookup);
extern LookupKey LookupBy(const Lookup *lookup);
extern IdKind LookupKind(const Lookup *lookup);
extern Relation LookupTable(const Lookup *lookup);
extern uint64 LookupColumns(const Lookup *lookup);
extern uint64 LookupHash(const Lookup *lookup, Datum key);

#endif
