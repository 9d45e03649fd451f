/*
 * record.h: what a refresh has learned, put on record: the last of its phases.
 */
#ifndef RECO_RECORD_H
#define RECO_RECORD_H

#include "api/refreshing.h"
#include "data/learnedwrite.h"

/* Every item as it is to be stored. */
extern LearnedItem *RecordItems(const Refresh *refresh);

/*
 * Writes these and all else that was learned, and then the row of the model; the refresh then knows how
 * many rows that were, and what is above all numbers of items.  SPI is connected.
 */
extern void RecordWrite(Refresh *refresh, const LearnedItem *items);

#endif
