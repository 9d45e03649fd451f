/*
 * histories.h: the history of every user, from one read of the events.
 */
#ifndef RECO_HISTORIES_H
#define RECO_HISTORIES_H

#include "base/piles.h"
#include "data/history.h"
#include "data/historywords.h"

/* Whose histories, and as of when. */
typedef struct HistoriesWanted
{
	TimestampTz as_of;
	bool before_last; /* of each user, as of just before the second of the newest event */
	bool as_given;    /* weights do not decay */
	bool learning;    /* of those only who may be learned from */
	uint32 part;      /* of users shared out by the hash of their ids: 0 .. parts - 1 */
	uint32 parts;
	const IdSet *users;    /* of these only; NULL for all */
	const IdSet *of_items; /* their events with these only; NULL for all; not with users */
	bool together;      /* gathered for several processes, where the budget has workers */
} HistoriesWanted;

/*
 * Takes one user, as a normalised id, and a history like HistoryRead's, its ids in the set given
 * to HistoriesRead.  Both last until it returns, and so does the context it runs in.
 */
typedef void (*HistoriesTake)(Datum user, History *history, void *with);

/*
 * Reads the view "events" in the calling query's snapshot and hands over every user who has an
 * event that counts, one after the other, in no order that means anything.  Items that are not in
 * the set yet are added.  SPI is connected.
 */
extern void HistoriesRead(const Model *model, const HistoriesWanted *wanted, IdSet *items,
						  Budget *budget, HistoriesTake take, void *with);

/*
 * The same in steps, for what several processes do: the events are gathered on piles, each with all
 * of some users, and whoever takes a pile is handed its users.
 *
 * Where the budget has workers the piles are shared, and the events read in parallel where the planner
 * sees how.  Two more sets of piles, as many in each, are empty for whoever works on them.
 */
typedef struct Histories Histories;

extern Histories *HistoriesGather(const Model *model, const HistoriesWanted *wanted, IdSet *items,
								  Budget *budget);

/* How many piles there are, and they themselves, of which the last two sets are the caller's own. */
extern uint32 HistoriesPiles(const Histories *histories);
extern Piles *HistoriesAll(const Histories *histories);

/* Memory that handing over the largest of them takes. */
extern Size HistoriesBytes(const Histories *histories);

/* Hands over the users of one pile, which is then empty. */
extern void HistoriesEach(Histories *histories, uint32 pile, HistoriesTake take, void *with);

/* The id of a user as it is handed over once histories are shared: see HistoriesShare. */
extern Datum HistoriesUser(const Histories *histories, Datum user);

extern void HistoriesFree(Histories *histories);

/*
 * How another process takes its part: from a form, which the histories are made into without what it
 * could not see, and the pieces of memory that are to be shared with it.  From then on ids of users that
 * are no integers are handed over as numbers, and histories of who joined have no set of ids.
 */
typedef struct HistoriesForm
{
	HistoryWords words;
	HistoryRule rule; /* without signals */
	uint32 pile_bits;
	uint32 items;
} HistoriesForm;

typedef struct HistoriesPieces
{
	void *piles;
	void *map_start; /* how the items of each writer are numbered; NULL where they all are alike */
	void *map;
	void *signals; /* NULL for none */
} HistoriesPieces;

extern HistoriesForm HistoriesShare(Histories *histories, HistoriesPieces *pieces);
extern Histories *HistoriesJoin(const HistoriesForm *form, const HistoriesPieces *pieces,
								uint32 writer, Budget *budget);

#endif
