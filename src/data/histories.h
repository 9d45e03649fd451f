/*
 * histories.h: the history of every user, from one read of the events.
 */
#ifndef RECO_HISTORIES_H
#define RECO_HISTORIES_H

#include "data/history.h"

/* Whose histories, and as of when. */
typedef struct HistoriesWanted
{
	TimestampTz as_of;
	bool before_last; /* of each user, as of just before the second of the newest event */
	bool as_given;    /* weights do not decay */
	bool learning;    /* of those only who may be learned from */
	uint32 part;      /* of users shared out by the hash of their ids: 0 .. parts - 1 */
	uint32 parts;
	const IdSet *users; /* of these only; NULL for all */
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

#endif
