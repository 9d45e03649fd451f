/*
 * times.h: times as the state of an aggregate: a bigint[], readable, sent between workers as it is.
 *
 * After a head of whole numbers of the aggregate's own come how many times follow, and these, in
 * microseconds since 2000-01-01 UTC, in no order; the rest of the array is room to grow.  Within
 * an aggregate it is changed in place and doubled when it is full, once times that are there twice
 * have been dropped, as they always may be: it never holds more than twice its different times.
 */
#ifndef RECO_TIMES_H
#define RECO_TIMES_H

#include "base/compat.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "utils/array.h"

/* A state without times, the head all 0. */
extern ArrayType *TimesCreate(int head);

/*
 * The state of an argument, to be changed by the aggregate that calls, or a copy.  Anybody may call
 * with an array, so it is checked to be one; what the head says is for the caller to check.
 */
extern ArrayType *TimesArgument(FunctionCallInfo fcinfo, int argument, int head);

/* Raises the error of an array that is no such state. */
pg_noreturn extern void TimesRefuse(void);

/* Its head, and its times. */
static inline int64 *
TimesHead(ArrayType *state)
{
	return (int64 *) ARR_DATA_PTR(state);
}

/* Counts in the head: refuses the state where more would be than a whole number holds. */
extern void TimesCount(ArrayType *state, int count, int64 more);

/* The same state, or a larger one, with a time added, or those of another. */
extern ArrayType *TimesAdd(ArrayType *state, int head, TimestampTz time);
extern ArrayType *TimesMerge(ArrayType *state, ArrayType *other, int head);

/* A copy of the times, rising, none twice. */
extern TimestampTz *TimesSorted(ArrayType *state, int head, uint32 *count);

#endif
