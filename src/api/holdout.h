/*
 * holdout.h: a model's events, read to be learned from in part and measured on the rest.
 *
 * What reco_evaluate and reco_tune have in common: the arguments that say how lists are to be
 * measured, and the matrix that follows from them.
 */
#ifndef RECO_HOLDOUT_H
#define RECO_HOLDOUT_H

#include "api/door.h"
#include "api/resemble.h"
#include "api/serving.h"
#include "datatype/timestamp.h"
#include "learn/evaluation.h"
#include "learn/popularity.h"

typedef struct Holdout
{
	uint32 k; /* length of the lists */
	InteractionSplit split;
	double share; /* SPLIT_TIME: of the events, the newest, kept back */
	bool repeats;
	bool ordered; /* the order of items is needed, whatever the settings say */
	bool ranking; /* so are the hashes of users, and how popular items are */
	bool serving; /* so is what lists go by when they are served; SPLIT_TIME */
	/* Set when events are read first, so that they are split alike when they are read again. */
	TimestampTz now;
	uint32 line;
	TimestampTz
		until; /* SPLIT_TIME, where something is known as of then: the last moment before it */
	/*
	 * Of the matrix read last, for each cell: 1 where exclude_seen keeps its item out of the list of
	 * its user, as of when what was kept back begins.  NULL where it keeps out all or, without
	 * repeats, nothing else is asked.
	 */
	const unsigned char *kept_out;
	Serving *served;         /* of that matrix; NULL where it is not wanted, or nobody has a row */
	Resemblance resemblance; /* what attributes say of the items read last */
	Popularity *popularity;  /* of them, where it is needed */
	IdSet *items;            /* the same as ids */
	bool timed; /* whether what happened with an item, and when, is known without hindsight */
} Holdout;

/* The arguments k, split, holdout, new_only, in this order from a number on, for one model. */
extern Holdout HoldoutArguments(FunctionCallInfo fcinfo, int first, const Model *model);

/*
 * Reads the events and builds the matrix as settings have it.  SPI is not connected; errors are
 * those of a refresh.
 */
extern Interactions *HoldoutRead(Holdout *holdout, const Model *model, const Settings *settings,
								 Budget *budget);

/* What makes lists, as the settings have it: neighbours or factors, learned from the matrix read last. */
extern void HoldoutLists(const Holdout *holdout, const Model *model, const Interactions *matrix,
						 EvaluationInput *lists, Budget *budget);

/* Says that there is nothing to measure on, and what it takes. */
extern void HoldoutNothing(const Holdout *holdout, const Model *model);

#endif
