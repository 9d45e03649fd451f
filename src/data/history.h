/*
 * history.h: the events of one user, read live, summed by item.
 */
#ifndef RECO_HISTORY_H
#define RECO_HISTORY_H

#include "data/ids.h"
#include "data/model.h"
#include "executor/tuptable.h"

typedef struct HistoryItem
{
	double weight;      /* sum of weight * decay: r_ui, before its form is applied */
	TimestampTz newest; /* of its events; read where the events have times */
	uint32 id;          /* its number in ids */
	bool seen;          /* an event said more than that the item was shown */
} HistoryItem;

typedef struct History
{
	IdSet *ids;        /* every item of the history, whatever its weight, and maybe others */
	HistoryItem *item; /* in order of id */
	uint32 count;
} History;

/*
 * Reads the events of a user up to as_of, in the calling query's snapshot; rows that a refresh
 * would skip are skipped.  Decay counts from the newest event the last refresh saw, as it did
 * there, or from as_of where that is earlier.  SPI is connected.
 */
extern History *HistoryRead(const Model *model, Datum user, TimestampTz as_of, Budget *budget);

/* The history of somebody who has just these items, each with weight 1. */
extern History *HistoryOfItems(const Model *model, const Datum *items, int count, Budget *budget);

/* An item of a history by its id, or NULL. */
extern const HistoryItem *HistoryFind(const History *history, Datum item);

/* The query that HistoryRead runs, with the user as its one parameter. */
extern char *HistoryQuery(const Model *model);

/* What histories are made of, whether one is read or all: */

/* Which events count as of a time, and how much. */
typedef struct HistoryRule
{
	bool timed; /* events have times */
	TimestampTz as_of;
	int64 decay_seconds; /* what decay counts from */
	double half_life;
} HistoryRule;

extern HistoryRule HistoryRuleOf(const Model *model, TimestampTz as_of);

typedef struct HistoryEvent
{
	TimestampTz at;
	double weight; /* decayed, where it is summed */
	uint32 id;
} HistoryEvent;

/* The columns item, time and weight of a query over the view "events". */
extern const char *HistoryColumns(const Model *model);

/*
 * Time and weight, not decayed, of a row with those columns from the first on; false where the
 * row does not count.
 */
extern bool HistoryTake(const HistoryRule *rule, const TupleTableSlot *row, int first,
						HistoryEvent *event);

/* How much of a weight is left. */
extern double HistoryDecay(const HistoryRule *rule, TimestampTz at, double weight);

/* Sums one user's events, which it sorts, to items; returns how many, at most one an event. */
extern uint32 HistorySum(HistoryEvent *events, uint32 count, HistoryItem *items);

#endif
