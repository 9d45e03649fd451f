/*
 * rare.h: what fewer than min_support users chose is not written down as chosen.
 */
#ifndef RECO_RARE_H
#define RECO_RARE_H

#include "data/learnedwrite.h"

/*
 * Leaves of every item that fewer than min_support users chose what would be known of it if nobody
 * had: its id, and neighbours by attributes.
 */
extern void RareHide(const Model *model, LearnedItem *items, uint32 count);

#endif
