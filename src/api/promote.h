/*
 * promote.h: what the owner's rules and fatigue make of the shelves of a page.
 *
 * A boost, and what fatigue has left of an item (HistoryWear), move it on its shelf as they do within
 * a source of any list: the place is divided by both.  On a shelf that is drawn from by weights they
 * are factors of these.  Shares are kept by what is shown of a shelf: of the first n items picked at
 * least floor(share * n) are of those it is for, while the shelf has any.  Pins are for the one list
 * that the rules themselves have arranged, the top picks.
 */
#ifndef RECO_PROMOTE_H
#define RECO_PROMOTE_H

#include "api/shelf.h"

typedef struct Promotion Promotion;

/* Reads the rules, and puts the items of all shelves but the user's own in order.  SPI is connected. */
extern Promotion *PromotionMake(const ShelfAsk *ask, List *shelves);

/* True where there are shares to pick by. */
extern bool PromotionShares(const Promotion *promotion);

/*
 * Picks `most` of count places of a shelf, which are in the order in which they would be picked
 * without shares: they come first then, promoted[] saying of each whether a share has moved it there.
 */
extern void PromotionPick(const Promotion *promotion, const Shelf *shelf, uint32 *place,
						  uint32 count, uint32 most, bool *promoted);

#endif
