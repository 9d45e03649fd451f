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
	TimestampTz newest; /* of its events; read where the events have times, like the next */
	TimestampTz chosen; /* of those that weigh more than nothing, the newest */
	TimestampTz until;  /* when its events keep it out of lists no longer; DT_NOBEGIN for none */
	float wear;    /* times it was shown since its last other event, decayed; see HistoryWear */
	uint32 id;     /* its number in ids */
	uint16 signal; /* that keeps it out the longest, where signals are told apart */
	bool seen;     /* until has not come yet */
} HistoryItem;

typedef struct History
{
	IdSet *ids;        /* every item of the history, whatever its weight, and maybe others */
	HistoryItem *item; /* in order of id */
	uint32 count;
	bool worn;                        /* some item has been shown */
	const struct HistoryEvent *event; /* what was summed, in order of id, then of time */
	uint32 events;
} History;

/*
 * What fatigue leaves of an item's standing in a list: 1 / (1 + F), F at most 3, where F is the sum
 * over the times it was shown without a click of 2^(-age / fatigue_half_life).  Discounts that
 * fall with the number of impressions and rise again with time are what Lee, Lakshmanan, Tiwari
 * and Shah (2014) found to hold in three large systems.
 */
#define HISTORY_WEAR_MOST 3

static inline double
HistoryWear(const HistoryItem *item)
{
	return 1 / (1 + Min((double) item->wear, HISTORY_WEAR_MOST));
}

/*
 * Reads the events of a user up to as_of, in the calling query's snapshot; rows that a refresh
 * would skip are skipped.  Decay counts from the newest event the last refresh saw, as it did
 * there, or from as_of where that is earlier.  SPI is connected.
 */
extern History *HistoryRead(const Model *model, Datum user, TimestampTz as_of, Budget *budget);

/* The history of somebody who has just these items, each with weight 1. */
extern History *HistoryOfItems(const Model *model, const Datum *items, int count, Budget *budget);

/* The same two, with their ids added to a set that others are in. */
extern History *HistoryReadIn(const Model *model, Datum user, TimestampTz as_of, IdSet *ids,
							  Budget *budget);
extern History *HistoryOfItemsIn(const Model *model, const Datum *items, int count, IdSet *ids,
								 Budget *budget);

/*
 * The same as HistoryReadIn, with rows that somebody else takes, too, whatever they say: they have columns
 * more, each with a comma before it, behind those of HistoryColumns.
 */
typedef struct HistoryShared
{
	IdSet *ids;
	const char *columns;
	void (*take)(TupleTableSlot *row, void *with);
	void *with;
	bool many; /* one user after the other is asked about */
} HistoryShared;

extern History *HistoryReadShared(const Model *model, Datum user, TimestampTz as_of,
								  const HistoryShared *shared, Budget *budget);

/* An item of a history by its id, or by the number of it, or NULL. */
extern const HistoryItem *HistoryFind(const History *history, Datum item);
extern const HistoryItem *HistoryFindNumber(const History *history, uint32 id);

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
	const Signals *signals;   /* NULL where whatever counts keeps its item out for good */
	double fatigue_half_life; /* 0 for no fatigue, as where events have no times */

	/* The columns of a row, which are cast only where C could not read them as they are. */
	Oid item_type;   /* of the column */
	Oid item_base;   /* what it is over, where it is a domain */
	Oid weight_type; /* float4 or float8 */
	int time;        /* columns after the item, 0 for none, like the next two */
	int weight;
	int signal;
} HistoryRule;

extern HistoryRule HistoryRuleOf(const Model *model, TimestampTz as_of);

typedef struct HistoryEvent
{
	TimestampTz at;
	double weight; /* decayed, where it is summed */
	uint32 id;
	uint16 signal; /* its place among the rule's signals */
	bool shown;    /* of weight 0 before it decayed: it says no more than that */
} HistoryEvent;

/*
 * The columns item, time and weight, as far as there are any, of a query over the view "events", and
 * the signal where the model's settings tell signals apart.
 */
extern const char *HistoryColumns(const Model *model);

/* True where they do. */
extern bool HistoryHasSignals(const Model *model);

/* Raises an error where those columns, from the first on, are not of the rule's types any more. */
extern void HistoryCheck(const HistoryRule *rule, TupleDesc row, int first);

/*
 * What a row says, its weight not decayed, and of which item; false where the row does not count.
 */
extern bool HistoryTake(const HistoryRule *rule, const TupleTableSlot *row, int first,
						HistoryEvent *event, Datum *item);

/* How much of a weight is left. */
extern double HistoryDecay(const HistoryRule *rule, TimestampTz at, double weight);

/*
 * Sums one user's events, which it sorts, to the items of a history, which has room for one an
 * event.
 */
extern void HistorySum(const HistoryRule *rule, HistoryEvent *events, uint32 count,
					   History *history);

#endif
