/*
 * rhythm.h: the type reco_rhythm, as other functions take it.
 */
#ifndef RECO_RHYTHM_H
#define RECO_RHYTHM_H

#include "base/compat.h"
#include "datatype/timestamp.h"
#include "data/model.h"
#include "fmgr.h"
#include "math/gaps.h"

/* What is foreseen is between two times with this chance: between the first and the last tenth. */
#define RHYTHM_SURE 0.9
#define RHYTHM_HALF 0.5
#define RHYTHM_LATE 0.1

/* What a value of the type says, as far as it is needed. */
typedef struct Rhythm
{
	int64 times;
	TimestampTz first; /* where there are times */
	TimestampTz last;
} Rhythm;

/* The rhythm of an argument, checked. */
extern Rhythm RhythmArgument(FunctionCallInfo fcinfo, int argument);

/* A time so many microseconds after another, or infinity where that is beyond what a time can be. */
extern TimestampTz RhythmAfter(TimestampTz at, double microseconds);

/* A length in microseconds as an interval of days and hours, as one time minus another is. */
extern Datum RhythmInterval(double microseconds);

/* Raises an error where a model's events have no times, or a time that is asked about is infinite. */
extern void RhythmNeedsTimes(const Model *model, TimestampTz as_of);

#endif
