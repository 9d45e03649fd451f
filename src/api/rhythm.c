/*
 * rhythm.c: the aggregate reco_rhythm: how regularly something happens, and when it will again.
 *
 * The state is that of api/times with one number before the times: how many events there were.
 */
#include "api/rhythm.h"

#include <math.h>

#include "access/htup_details.h"
#include "api/arguments.h"
#include "api/times.h"
#include "common/int.h"
#include "data/visits.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_rhythm_add);
PG_FUNCTION_INFO_V1(reco_rhythm_merge);
PG_FUNCTION_INFO_V1(reco_rhythm_final);

/* The head of the state. */
enum
{
	HEAD_EVENTS,
	HEAD_LENGTH
};

/* The columns of the type reco_rhythm. */
enum
{
	RHYTHM_EVENTS,
	RHYTHM_TIMES,
	RHYTHM_FIRST,
	RHYTHM_LAST,
	RHYTHM_MEAN,
	RHYTHM_MEDIAN,
	RHYTHM_SPREAD,
	RHYTHM_NEXT,
	RHYTHM_NEXT_FROM,
	RHYTHM_NEXT_UNTIL,
	RHYTHM_COLUMNS
};

TimestampTz
RhythmAfter(TimestampTz at, double microseconds)
{
	double time = (double) at + microseconds;

	if (!(time < (double) END_TIMESTAMP))
		return DT_NOEND;
	/* Added as integers, so that a whole number of microseconds stays one. */
	return at + (int64) rint(microseconds);
}

Datum
RhythmInterval(double microseconds)
{
	/* All of history and the future is more than a number of microseconds holds. */
	Interval length = {.time =
						   microseconds < 9e18 ? (TimeOffset) rint(microseconds) : PG_INT64_MAX};

	return DirectFunctionCall1(interval_justify_hours, IntervalPGetDatum(&length));
}

void
RhythmNeedsTimes(const Model *model, TimestampTz as_of)
{
	if (!OidIsValid(model->time_type))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("the events of model \"%s\" have no times", model->name),
						errhint("Give its events query a column occurred_at.")));
	if (TIMESTAMP_NOT_FINITE(as_of))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("as_of must be finite")));
}

/* The state of an argument. */
static ArrayType *
state_argument(FunctionCallInfo fcinfo, int argument)
{
	ArrayType *state = TimesArgument(fcinfo, argument, HEAD_LENGTH);

	if (TimesHead(state)[HEAD_EVENTS] < TimesHead(state)[HEAD_LENGTH])
		TimesRefuse();
	return state;
}

/* reco_rhythm_add(state, occurred_at): the state with one event more. */
Datum
reco_rhythm_add(PG_FUNCTION_ARGS)
{
	ArrayType *state = PG_ARGISNULL(0) ? TimesCreate(HEAD_LENGTH) : state_argument(fcinfo, 0);

	if (!PG_ARGISNULL(1) && !TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(1)))
	{
		TimesCount(state, HEAD_EVENTS, 1);
		state = TimesAdd(state, HEAD_LENGTH, PG_GETARG_TIMESTAMPTZ(1));
	}
	PG_RETURN_ARRAYTYPE_P(state);
}

/* reco_rhythm_merge(state, state): the events that two workers saw. */
Datum
reco_rhythm_merge(PG_FUNCTION_ARGS)
{
	ArrayType *state = state_argument(fcinfo, 0);
	ArrayType *other = state_argument(fcinfo, 1);

	TimesCount(state, HEAD_EVENTS, TimesHead(other)[HEAD_EVENTS]);
	PG_RETURN_ARRAYTYPE_P(TimesMerge(state, other, HEAD_LENGTH));
}

/* The median of the gaps between times, which are put in order in their place. */
static double
median_gap(TimestampTz *time, uint32 gaps)
{
	for (uint32 g = 0; g < gaps; g++)
		if (pg_sub_s64_overflow(time[g + 1], time[g], &time[g]))
			time[g] = PG_INT64_MAX;
	VisitsSort(time, gaps);
	return ((double) time[(gaps - 1) / 2] + (double) time[gaps / 2]) / 2;
}

/* What times that rise, none twice, say; changes them. */
static void
describe(TimestampTz *time, uint32 times, Datum *values, bool *nulls)
{
	Gaps gaps = GapsBetween(time, times);
	TimestampTz last;
	GapsNext next;

	if (times == 0)
		return;
	last = time[times - 1];
	values[RHYTHM_FIRST] = TimestampTzGetDatum(time[0]);
	values[RHYTHM_LAST] = TimestampTzGetDatum(last);
	nulls[RHYTHM_FIRST] = nulls[RHYTHM_LAST] = false;
	if (times == 1)
		return;
	next = GapsForesee(&gaps);
	values[RHYTHM_MEAN] = RhythmInterval(GapsMean(&gaps));
	values[RHYTHM_MEDIAN] = RhythmInterval(median_gap(time, times - 1));
	values[RHYTHM_NEXT] = TimestampTzGetDatum(RhythmAfter(last, GapsLength(&next, 0, RHYTHM_HALF)));
	values[RHYTHM_NEXT_FROM] =
		TimestampTzGetDatum(RhythmAfter(last, GapsLength(&next, 0, RHYTHM_SURE)));
	values[RHYTHM_NEXT_UNTIL] =
		TimestampTzGetDatum(RhythmAfter(last, GapsLength(&next, 0, RHYTHM_LATE)));
	memset(nulls + RHYTHM_MEAN, false, sizeof(bool) * (RHYTHM_COLUMNS - RHYTHM_MEAN));
	nulls[RHYTHM_SPREAD] = times == 2;
	if (times > 2)
		values[RHYTHM_SPREAD] = RhythmInterval(GapsSpread(&gaps));
}

/* What rows of the type look like, found out once in a query. */
static TupleDesc
row_type(FunctionCallInfo fcinfo)
{
	MemoryContext caller;
	TupleDesc desc;

	if (fcinfo->flinfo->fn_extra)
		return fcinfo->flinfo->fn_extra;
	caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE ||
		desc->natts != RHYTHM_COLUMNS)
		elog(ERROR, "reco_rhythm_final does not return reco_rhythm");
	fcinfo->flinfo->fn_extra = BlessTupleDesc(desc);
	MemoryContextSwitchTo(caller);
	return fcinfo->flinfo->fn_extra;
}

/* reco_rhythm_final(state): the rhythm, of no events where there is no state. */
Datum
reco_rhythm_final(PG_FUNCTION_ARGS)
{
	Datum values[RHYTHM_COLUMNS] = {0};
	bool nulls[RHYTHM_COLUMNS];
	int64 events = 0;
	uint32 times = 0;

	memset(nulls, true, sizeof(nulls));
	if (!PG_ARGISNULL(0))
	{
		ArrayType *state = state_argument(fcinfo, 0);
		TimestampTz *time = TimesSorted(state, HEAD_LENGTH, &times);

		events = TimesHead(state)[HEAD_EVENTS];
		describe(time, times, values, nulls);
	}
	values[RHYTHM_EVENTS] = Int64GetDatum(events);
	values[RHYTHM_TIMES] = Int64GetDatum(times);
	nulls[RHYTHM_EVENTS] = nulls[RHYTHM_TIMES] = false;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(row_type(fcinfo), values, nulls)));
}

Rhythm
RhythmArgument(FunctionCallInfo fcinfo, int argument)
{
	HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(argument);
	Rhythm rhythm = {0};
	bool isnull[3];

	rhythm.times = DatumGetInt64(GetAttributeByNum(row, RHYTHM_TIMES + 1, &isnull[0]));
	rhythm.first = DatumGetTimestampTz(GetAttributeByNum(row, RHYTHM_FIRST + 1, &isnull[1]));
	rhythm.last = DatumGetTimestampTz(GetAttributeByNum(row, RHYTHM_LAST + 1, &isnull[2]));
	if (isnull[0] || rhythm.times <= 0)
		return (Rhythm){0};
	if (isnull[1] || isnull[2] || TIMESTAMP_NOT_FINITE(rhythm.first) ||
		TIMESTAMP_NOT_FINITE(rhythm.last) || rhythm.last < rhythm.first ||
		(rhythm.times == 1) != (rhythm.last == rhythm.first))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the rhythm has times that do not fit together"),
						errhint("Take it from the aggregate reco_rhythm.")));
	return rhythm;
}
