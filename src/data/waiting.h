/*
 * waiting.h: what users left unfinished, worked out in memory: for questions about one after the other.
 *
 * It is what data/resuming asks for with one statement a user, and the same to the last digit.  Here the
 * catalogue, its series and the table `learned_resume` are read once, and of each user the events alone.
 */
#ifndef RECO_WAITING_H
#define RECO_WAITING_H

#include "data/ids.h"
#include "data/model.h"
#include "data/unfinished.h"
#include "executor/tuptable.h"

typedef struct Waiting Waiting;

/* Something that was left. */
typedef struct WaitingItem
{
	uint32 item;      /* a number in the ids */
	const char *kind; /* as data/resuming names them */
	double probability;
	double progress;
	bool has_progress;
	bool has_last;
	TimestampTz last;
	const char *series; /* NULL for none */
	uint32 after;       /* the part before it, or ID_NONE */
} WaitingItem;

/* True where so many users were asked about that the rest are sooner asked in memory. */
extern bool WaitingPays(const Model *model, uint64 asked);

/*
 * Reads what is alike for all users, and adds the catalogue to a set of ids; NULL where that takes
 * more than maintenance_work_mem, and nothing but ids is left behind.  SPI is connected, with the
 * search path of maintenance.
 */
extern Waiting *WaitingHold(const Model *model, const Unfinished *unfinished, IdSet *ids,
							Budget *budget);

/* Begins with a user, and a time up to which events count. */
extern void WaitingBegin(Waiting *waiting, TimestampTz as_of);

/* Columns that it needs behind those of HistoryColumns, each with a comma before it. */
extern const char *WaitingColumns(const Waiting *waiting);

/* Takes an event with all of them; a PlanTake. */
extern void WaitingTake(TupleTableSlot *row, void *waiting);

/* Reads the events of a user.  SPI is connected, with the search path of maintenance. */
extern void WaitingRead(Waiting *waiting, Datum user);

/*
 * What these left unfinished, most likely to be resumed first, at most so many (0 for all); good until
 * the next user.
 */
extern const WaitingItem *WaitingList(Waiting *waiting, uint32 most, uint32 *count);

#endif
