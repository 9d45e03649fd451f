/*
 * serving.h: what lists go by when they are served besides taste, for what is measured: contexts and
 * fatigue, as they could be known before what was kept back.
 *
 * Lifts are learned from the events before a line in time, fatigue is that of the impressions before it.
 * What was chosen after it was chosen at a moment: in some value of each context, those of the event by
 * which the user took it up, the first.
 */
#ifndef RECO_SERVING_H
#define RECO_SERVING_H

#include "data/events.h"
#include "learn/evaluation.h"

typedef struct Serving Serving;

typedef struct ServingOf
{
	const Model *model;
	const Events *events;       /* the log has no piles any more */
	const Interactions *matrix; /* of a split in time, with its users */
	TimestampTz until;          /* the last moment before the line */
	TimestampTz now;            /* later events are in the future */
} ServingOf;

/*
 * Reads the view "events" up to three times; SPI is connected.  Memory for what a refresh takes to learn
 * contexts, for 4 bytes a chosen item and context, and 16 for every item that somebody was shown in vain.
 */
extern Serving *ServingRead(const ServingOf *of, Budget *budget);

/* True where there are contexts to go by, and where somebody was shown something in vain. */
extern bool ServingHasContexts(const Serving *serving);
extern bool ServingHasFatigue(const Serving *serving);

/* The moments of the chosen items; NULL where there are no contexts to tell them apart. */
extern const EvaluationMoments *ServingMoments(const Serving *serving);

/* What multiplies scores: of contexts, of fatigue, or both; it lasts as long as the serving. */
extern EvaluationServed ServingBy(Serving *serving, bool contexts, bool fatigue);

#endif
