/*
 * reader.h: one process's part in reading the events of a model.
 *
 * A reader turns rows into events on piles, in an order and with numbers of items of its own.
 * One may read alone, or several as the workers of a parallel query do: what they have in common
 * is a job in shared memory, which the query names to them by a ticket.
 */
#ifndef RECO_READER_H
#define RECO_READER_H

#include "base/budget.h"
#include "base/piles.h"
#include "data/ids.h"
#include "data/historywords.h"
#include "datatype/timestamp.h"
#include "math/eventlog.h"

/* Why a row was left out; the first reason that holds counts. */
typedef enum EventsSkip
{
	EVENTS_NULL_USER,
	EVENTS_NULL_ITEM,
	EVENTS_NULL_WEIGHT,
	EVENTS_NULL_TIME,
	EVENTS_NOT_FINITE, /* a weight that is NaN, infinite or beyond what single precision holds */
	EVENTS_FUTURE,
	EVENTS_NO_CONSENT, /* the user did not say yes, where users are asked */
	EVENTS_SKIPS
} EventsSkip;

/* How rows are to be understood. */
typedef struct ReaderRules
{
	IdKind user_kind;
	IdKind item_kind;
	bool timed;
	bool weighted;
	bool asked;      /* users may have said yes or no */
	uint32 signals;  /* told apart, 0 for none */
	TimestampTz now; /* what comes later is in the future */
	uint32 pile_bits;
	bool whole; /* events go on piles as data/histories has them, not as a refresh does: */
	HistoryWords history;
	uint32 part; /* of users shared out by the hash of their ids: 0 .. parts - 1 */
	uint32 parts;
} ReaderRules;

/* The columns of a row. */
enum
{
	READER_USER,
	READER_ITEM,
	READER_TIME,
	READER_WEIGHT,
	READER_CONSENT,
	READER_SIGNAL, /* its place, from 1; NULL for the last */
	READER_COLUMNS
};

/* What a reader found. */
typedef struct ReaderFound
{
	bool ended; /* it says so */
	uint64 count;
	uint32 newest_age;
	int64 skipped[EVENTS_SKIPS];
	uint32 items;
	uint64 memory; /* for their ids */
} ReaderFound;

typedef struct ReaderJob ReaderJob;

typedef struct Reader
{
	ReaderRules rules;
	int64 now;     /* in seconds */
	Oid user_type; /* of ids as they come; no domain */
	Oid item_type;
	IdSet *items;
	Budget *budget; /* a worker's own, for them */
	Piles *piles;
	ReaderFound found;
	uint64 told;    /* of the count, to the others */
	uint64 tell_at; /* this count on */
	ReaderJob *job; /* NULL where it reads alone */
	uint32 writer;  /* 0 for the leader */
	bool opened;    /* the leader's, by the query */
	struct Reader *outer;
} Reader;

/* The age of an event in whole seconds; what is too old to count is as old as can be. */
extern uint32 ReaderAge(int64 now, TimestampTz at);

/* A reader of rows with ids that travel normalised, for itself. */
extern Reader ReaderAlone(const ReaderRules *rules, IdSet *items, Piles *piles);

/* Takes one row. */
extern void ReaderTake(Reader *reader, const NullableDatum *row);

/* Says that there are no more rows. */
extern void ReaderEnd(Reader *reader);

/*
 * A job for this process's reader, which is set up as if for itself, and others, as many as the
 * piles have writers; each of these may use so much memory for ids.  False where nothing can be
 * shared.  Until the job is finished, readers of this process and of its workers find it by the
 * ticket; finishing leaves what they found.
 */
extern bool ReaderBegin(Reader *reader, Size memory, Budget *budget);
extern bytea *ReaderTicket(const Reader *reader);
extern void ReaderFinish(Reader *reader);
extern void ReaderFreeJob(Reader *reader, Budget *budget);

/* What the reader with a writer's number found; false where there was none. */
extern bool ReaderResult(const Reader *reader, uint32 writer, ReaderFound *found);

/*
 * The reader of this process in the job that a ticket stands for, of rows with ids of such types.
 * A worker's own lies in a context.
 */
extern Reader *ReaderOpen(const bytea *ticket, Oid user_type, Oid item_type, MemoryContext context);

#endif
