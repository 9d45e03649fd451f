/*
 * rating.h: what speaks for the items of the shelves of a page.
 *
 * Of all of them the scores, which say how a page is laid out; of those that are looked at the match, and
 * of those shown what counted most.
 */
#ifndef RECO_RATING_H
#define RECO_RATING_H

#include "api/shelf.h"

/*
 * Puts the scores of items beside them, of all shelves at once but those whose items have them already.
 * SPI is connected.
 */
extern void RatingMake(const ShelfAsk *ask, List *shelves);

/* Makes sure that it is known whether an item has a match, by its score. */
extern void RatingJudge(const ShelfAsk *ask, ShelfItem *item);

/* Finds the item of the history that speaks most for each of some items that were learned. */
extern void RatingExplain(const ShelfAsk *ask, ShelfItem **items, uint32 count);

#endif
