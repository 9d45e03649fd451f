/*
 * itemfactor.h: the table "item_factor" of a model learned by factors, written by a refresh and
 * read by answers.
 *
 * One row an item: item_id, its item_no as in learned_item, and factor, a real[] of as many
 * numbers as the setting "factors" had.  What users are folded in with lies in the table "model".
 * In memory rows are of the fold's width, filled up with 0.
 */
#ifndef RECO_ITEMFACTOR_H
#define RECO_ITEMFACTOR_H

#include "base/budget.h"
#include "data/ids.h"
#include "data/model.h"
#include "math/fold.h"

/* The factors of every item, as a refresh learned them; arrays go by the items' own order. */
typedef struct ItemFactorLearned
{
	const Fold *fold;
	uint32 items;
	const uint32 *id; /* [items], the number of each in a set of ids */
	const float *row; /* [items * width] */
	const unsigned char *has;
} ItemFactorLearned;

/*
 * Makes the table hold just these items, once learned_item does; NULL for none.  Rows that say the
 * same as before are not written.  Returns how many were written or deleted.  SPI is connected.
 */
extern uint64 ItemFactorWrite(const Model *model, const IdSet *ids,
							  const ItemFactorLearned *learned);

/* What the table "model" holds of a fold: its base, factors * factors, as a real[][]. */
extern Datum ItemFactorBase(const Fold *fold);

/* The fold that the last refresh learned, in the current context.  SPI is connected. */
extern Fold *ItemFactorFold(const Model *model);

/* An item of a history. */
typedef struct ItemFactorRow
{
	uint32 id; /* its number in the set asked for */
	uint32 item_no;
	const float *row;
} ItemFactorRow;

/* The rows of those ids of a set that have factors, in order of item number. */
extern ItemFactorRow *ItemFactorRead(const Model *model, const Fold *fold, const IdSet *ids,
									 uint32 *count);

/* The rows of some items by number, to rows[count * width]: 0 where there are no factors. */
extern void ItemFactorNumbers(const Model *model, const Fold *fold, const uint32 *item_no,
							  uint32 count, float *rows);

/* Every row, in no order; the factors last until take() returns. */
typedef void (*ItemFactorTake)(uint32 item_no, const float *row, void *with);
extern void ItemFactorEach(const Model *model, const Fold *fold, ItemFactorTake take, void *with);

/* All of them in memory. */
typedef struct ItemFactors
{
	const Fold *fold;
	float *row; /* [item_slots * width] */
	bool *has;  /* [item_slots] */
} ItemFactors;

extern ItemFactors *ItemFactorHold(const Model *model, Budget *budget);

#endif
