/*
 * wrapping.h: the stories of a stretch of time, of one user or all, from one read of the events.
 */
#ifndef RECO_WRAPPING_H
#define RECO_WRAPPING_H

#include "data/model.h"
#include "data/story.h"

/* What is asked for. */
typedef struct WrappingAsk
{
	TimestampTz since; /* the first moment, */
	TimestampTz until; /* and the first one after */
	int32 k;           /* of each list, so many */
	const char *zone;
	const char *category; /* the attribute by which items are sorted, or NULL */
	const char *title;    /* the attribute that is their name, or NULL */
	bool everybody;
	Datum user; /* normalised, where it is not everybody */
} WrappingAsk;

/*
 * Takes the story of a user, whose id is normalised; the items of facts are numbers in the set.  All
 * of it lasts until it returns, and so does the context it runs in.
 */
typedef void (*WrappingTake)(Datum user, const IdSet *items, const StoryFact *facts, uint32 count,
							 void *with);

/*
 * Tells the stories in the order of users.  SPI is connected, with the search path of maintenance.
 * Within maintenance_work_mem, beyond which events go through temporary files.
 */
extern void WrappingRun(const Model *model, const WrappingAsk *ask, WrappingTake take, void *with);

#endif
