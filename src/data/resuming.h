/*
 * resuming.h: what somebody left unfinished, and how likely such things are taken up again: the
 * table `learned_resume`.
 *
 * Three kinds.  An item is "unfinished" where its last progress is above 0 and less than all; in a
 * "basket" where it was put in and neither bought nor removed since; "next" where it comes after the
 * last finished part of a series.  A person's visits are the days, in the model's time zone, on which
 * they have events.  Whatever was left open at the end of a visit has one trial at each later visit,
 * until it is touched again, of a series any part; so the age of what waits is counted in the person's
 * own visits, which is how long ago it was and how often they come in one.  From everybody's trials:
 *
 *   p(kind)                  = (resumed + 1) / (trials + 2)
 *   p(kind, visit)           = (resumed + m p(kind)) / (trials + m)
 *   p(kind, progress, visit) = (resumed + m p(kind, visit)) / (trials + m)       m = 20
 *
 * each over the trials it names, by quarters of progress and by which visit since it is: the first,
 * second, third or fourth, fifth to eighth, any later one.
 */
#ifndef RECO_RESUMING_H
#define RECO_RESUMING_H

#include "data/model.h"
#include "data/unfinished.h"

/* Of more events than so many, the trials of some users are counted, that have about as many. */
#define RESUMING_EVENTS 1000000

/* The columns of the table. */
#define RESUMING_SHARE 8

/* A share of what was left that was taken up again: a row of the table. */
typedef struct ResumingShare
{
	Datum value[RESUMING_SHARE];
} ResumingShare;

typedef struct Resuming
{
	ResumingShare *share;
	uint32 count;
} Resuming;

/*
 * Counts everybody's trials, of so many events, in memory of the budget; SPI is connected, with the
 * search path of maintenance.
 */
extern Resuming *ResumingCount(const Model *model, uint64 events, Budget *budget);

/* Makes the table so. */
extern void ResumingWrite(const Model *model, const Resuming *resuming);

/* The columns of an answer. */
enum
{
	RESUMING_ITEM, /* normalised, as the last */
	RESUMING_KIND,
	RESUMING_PROBABILITY,
	RESUMING_PROGRESS,
	RESUMING_LAST,
	RESUMING_SERIES,
	RESUMING_AFTER, /* of what is next: the last part that was finished */
	RESUMING_COLUMNS
};

/* A question for what users of a model left unfinished: what is alike for all of them. */
#define RESUMING_ARGUMENTS 8

typedef struct ResumingQuestion
{
	char *sql;
	Oid type[RESUMING_ARGUMENTS];
	Datum value[RESUMING_ARGUMENTS];
} ResumingQuestion;

/* Makes it, in the current context; it needs what unfinished holds. */
extern ResumingQuestion *ResumingPrepare(const Model *model, const Unfinished *unfinished);

/*
 * What a user left unfinished at a time, most likely to be resumed first, at most so many (0 for all):
 * rows in SPI_tuptable, of items in the live catalogue that are not disliked.  SPI is connected, with the
 * search path of maintenance.
 */
extern uint64 ResumingAsk(ResumingQuestion *question, Datum user, TimestampTz as_of, uint32 most);

#endif
