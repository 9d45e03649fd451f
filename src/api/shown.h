/*
 * shown.h: lists that were served, made into what a network is trained on.
 *
 * A list is read as it stood when it was shown: neighbours or factors, popularity and ages are those
 * of the events before the first of the lists, learned anew, and the history is that of the moment
 * before the list.  What happened after it counts in nothing but what was chosen.  Of its items those
 * are taken that the history speaks for, by the same code that answers questions.
 *
 * The newest lists, a share of them, are measured on; those train whose time was over when the first
 * of these was shown.
 */
#ifndef RECO_SHOWN_H
#define RECO_SHOWN_H

#include "api/holdout.h"
#include "learn/reranking.h"

typedef struct ShownAsk
{
	Model *model;
	Holdout *holdout; /* k and share are read */
	Interval *within; /* above 0 */
	uint32 first;
	int units;
	Budget *budget;
} ShownAsk;

/*
 * Trains and measures, as the owner; the model is read, and SPI not connected.  Raises an error where
 * there is no log, or not enough in it.
 */
extern void ShownLearn(const ShownAsk *ask, Reranking *learned);

#endif
