/*
 * wrapping.h: a stretch of time as a story: what somebody did in it, beside the stretch before and
 * beside everybody.
 */
#ifndef RECO_WRAPPING_H
#define RECO_WRAPPING_H

#include "data/model.h"
#include "data/plan.h"

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
	bool document;
} WrappingAsk;

/* The columns of a row; a document has WRAPPING_USER and then the jsonb. */
enum
{
	WRAPPING_USER, /* normalised */
	WRAPPING_PART,
	WRAPPING_RANK,
	WRAPPING_ITEM, /* normalised */
	WRAPPING_LABEL,
	WRAPPING_VALUE,
	WRAPPING_BEFORE,
	WRAPPING_CHANGE,
	WRAPPING_SHARE,
	WRAPPING_SHARE_BEFORE,
	WRAPPING_PERCENTILE,
	WRAPPING_BEGAN,
	WRAPPING_ENDED,
	WRAPPING_RULE,
	WRAPPING_COLUMNS
};

/* Hands the answer on row by row.  SPI is connected, with the search path of maintenance. */
extern void WrappingRun(const Model *model, const WrappingAsk *ask, PlanTake take, void *with);

#endif
