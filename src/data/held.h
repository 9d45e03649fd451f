/*
 * held.h: a model and its catalogue read once and held in memory, for questions about everybody.
 *
 * What is not in the catalogue can never be recommended, so it is left out of the rows: every
 * candidate there is may then be shown.
 */
#ifndef RECO_HELD_H
#define RECO_HELD_H

#include "data/catalogue.h"
#include "data/ids.h"
#include "data/itemfactor.h"
#include "data/model.h"
#include "math/packed.h"
#include "math/rank.h"
#include "math/shortlist.h"

/* One order of the catalogue, as numbers in ids; no number comes twice. */
typedef struct HeldWalk
{
	CatalogueStep *step;
	uint32 count;
} HeldWalk;

typedef struct Held
{
	IdSet *ids;     /* what was learned, in order of item_no; what is new; whatever else is added */
	uint32 learned; /* how many of the first kind */
	Packed *row;    /* [learned]: what each speaks for, of scored neighbours only */
	uint32 *number; /* in ids, by item_no; ID_NONE where there is no such item */
	uint64 pairs;   /* of all rows, which lie one after the other in two arrays */
	RankColumns columns;
	/* In place of columns, where the model was learned by factors. */
	ItemFactors *factors;
	uint32 *hidden; /* numbers of the items that have factors and may not be recommended */
	uint32 hidden_count;
	RankScratch scratch;
	Shortlist
		shortlist; /* without sums where the memory does not do for it, or there are factors */
	HeldWalk walk[CATALOGUE_ORDERS];
	bool shared; /* the arrays of rows and columns lie in shared memory */
} Held;

/*
 * Reads a model, and the orders of its catalogue where they are wanted, in the calling query's
 * snapshot.  16 bytes a pair, 8 where there are factors of 4 bytes, some 170 an item, and the ids.
 * Of what is left half at most goes to 2 bytes a pair and 4 an item for short lists, and of the rest a
 * quarter to maps of the long columns.  SPI is connected.
 */
extern Held *HeldRead(const Model *model, bool walks, Budget *budget);

/*
 * How other processes see a model of neighbours that is held: what they need lies in pieces of shared
 * memory from then on, one after the other from piece[] on, and is made out by a form.  False, and
 * nothing is changed, where there is no memory for that, or no short list.  They have no ids and no walks.
 */
#define HELD_PIECES 11

typedef struct HeldForm
{
	uint32 slots;
	uint32 learned;
	uint64 pairs;
	Size copies; /* memory of what each process copies; 0 where that is too much */
} HeldForm;

extern bool HeldShare(Held *held, void **piece, HeldForm *form, Budget *budget);
extern Held *HeldJoin(const HeldForm *form, void **piece, Budget *budget);

/* Memory that joining takes. */
extern Size HeldBytes(const HeldForm *form);

/*
 * Has short lists made from copies in large pages, of this process alone, where so many processes that do
 * so leave most of the memory; returns how much each takes, 0 where none is to.  What is not shared goes.
 */
extern Size HeldCopy(Held *held, uint32 processes, Budget *budget);

#endif
