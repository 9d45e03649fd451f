/*
 * story.h: a stretch of time as a story of one user, from their events.
 *
 * Sums of weights are told to fifteen digits: exact where weights are, as decimals are written.
 */
#ifndef RECO_STORY_H
#define RECO_STORY_H

#include "base/budget.h"
#include "data/clock.h"
#include "data/ids.h"

/* One event; before `until`, and of a weight above 0. */
typedef struct StoryEvent
{
	TimestampTz at;
	double weight;
	uint32 user; /* numbers in sets of ids */
	uint32 item;
} StoryEvent;

/* What is known of the items of all stories. */
typedef struct StoryItems
{
	IdSet *ids;
	uint32 *rank;     /* of each, in the order of ids */
	uint32 *users;    /* who chose it in the stretch */
	char **title;     /* or NULL */
	uint64 *start;    /* [items + 1], of the categories of each; NULL where items have none */
	uint32 *category; /* numbers in: */
	IdSet *categories;
	uint32 *category_rank;
} StoryItems;

/* What all stories are about. */
typedef struct StoryAbout
{
	TimestampTz before; /* when the stretch before begins, */
	TimestampTz since;  /* and the stretch itself */
	pg_tz *zone;
	uint32 k;     /* of each list */
	uint32 users; /* with an event in the stretch */
	bool whole;   /* weights are whole numbers */
	StoryItems items;
} StoryAbout;

/* What a story is made of, in this order. */
typedef enum StoryPart
{
	STORY_EVENTS,
	STORY_AMOUNT,
	STORY_ITEMS,
	STORY_DAYS,
	STORY_FIRST,
	STORY_LAST,
	STORY_STREAK,
	STORY_PEAK_HOUR,
	STORY_PEAK_WEEKDAY,
	STORY_TOP_ITEMS,
	STORY_TOP_CATEGORIES,
	STORY_DISCOVERY,
	STORY_DISCOVERIES,
	STORY_RARE_ITEMS,
	STORY_TYPE,
	STORY_PARTS
} StoryPart;

/* One fact; what there is not of it is ID_NONE, NULL, NaN or DT_NOBEGIN. */
typedef struct StoryFact
{
	StoryPart part;
	uint32 rank;
	uint32 item;
	const char *label;
	double value;
	double before;
	double share;
	double share_before;
	double percentile;
	TimestampTz began;
	TimestampTz ended;
	const char *rule;
} StoryFact;

/* The name of a part, and whether there may be several facts of it. */
extern const char *StoryPartName(StoryPart part);
extern bool StoryPartIsList(StoryPart part);

/* Whether an event is in the stretch. */
static inline bool
StoryIsNow(const StoryAbout *about, const StoryEvent *event)
{
	return event->at >= about->since;
}

/*
 * Tells one user's story, of whom there is an event in the stretch: facts in the order of their parts
 * and ranks, in the current context.  events are all there are of the user, and sorted on the way.
 * percentile is NaN where there is nobody else.
 */
extern StoryFact *StoryTell(const StoryAbout *about, StoryEvent *events, uint32 count,
							double percentile, uint32 *facts);

#endif
