/*
 * holdout.h: a model's events, read to be learned from in part and measured on the rest.
 *
 * What reco_evaluate and reco_tune have in common: the arguments that say how lists are to be
 * measured, and the matrix that follows from them.
 */
#ifndef RECO_HOLDOUT_H
#define RECO_HOLDOUT_H

#include "api/door.h"
#include "datatype/timestamp.h"
#include "learn/interactions.h"

typedef struct Holdout
{
	uint32 k; /* length of the lists */
	InteractionSplit split;
	double share; /* SPLIT_TIME: of the events, the newest, kept back */
	bool repeats;
	/* Set when events are read first, so that they are split alike when they are read again. */
	TimestampTz now;
	uint32 line;
} Holdout;

/* The arguments k, split, holdout, new_only, in this order from a number on, for one model. */
extern Holdout HoldoutArguments(FunctionCallInfo fcinfo, int first, const Model *model);

/*
 * Reads the events and builds the matrix as settings have it.  SPI is not connected; errors are
 * those of a refresh.
 */
extern Interactions *HoldoutRead(Holdout *holdout, const Model *model, const Settings *settings,
								 Budget *budget);

/* Says that there is nothing to measure on, and what it takes. */
extern void HoldoutNothing(const Holdout *holdout, const Model *model);

#endif
