/*
 * history.h: the events of one user, read live, summed by item.
 */
#ifndef RECO_HISTORY_H
#define RECO_HISTORY_H

#include "data/ids.h"
#include "data/model.h"

typedef struct HistoryItem
{
	double weight;      /* sum of weight * decay: r_ui, before its form is applied */
	TimestampTz newest; /* of its events; read where the events have times */
	bool seen;          /* an event said more than that the item was shown */
} HistoryItem;

typedef struct History
{
	IdSet *ids;        /* every item of the history, whatever its weight */
	HistoryItem *item; /* by number in ids */
} History;

/*
 * Reads the events of a user up to as_of, in the calling query's snapshot; rows that a refresh
 * would skip are skipped.  Decay counts from the newest event the last refresh saw, as it did
 * there, or from as_of where that is earlier.  SPI is connected.
 */
extern History *HistoryRead(const Model *model, Datum user, TimestampTz as_of, Budget *budget);

/* The history of somebody who has just these items, each with weight 1. */
extern History *HistoryOfItems(const Model *model, const Datum *items, int count, Budget *budget);

#endif
