/*
 * pace.c: the aggregate reco_sends, and reco_pace: when somebody may be written to again.
 *
 * The state is that of api/times: the times of what was not answered, and before them how much was
 * sent, how much answered, the last time of all and the last that was answered.
 */
#include "api/times.h"

#include <math.h>

#include "access/htup_details.h"
#include "api/arguments.h"
#include "api/rhythm.h"
#include "data/setting.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_sends_add);
PG_FUNCTION_INFO_V1(reco_sends_merge);
PG_FUNCTION_INFO_V1(reco_sends_final);
PG_FUNCTION_INFO_V1(reco_pace);

/* The head of the state. */
enum
{
	HEAD_SENDS,
	HEAD_ANSWERED,
	HEAD_LAST,
	HEAD_LAST_ANSWERED,
	HEAD_LENGTH
};

/* The columns of the type reco_sends. */
enum
{
	SENDS_SENDS,
	SENDS_ANSWERED,
	SENDS_UNANSWERED,
	SENDS_LAST,
	SENDS_COLUMNS
};

static ArrayType *
create_state(void)
{
	ArrayType *state = TimesCreate(HEAD_LENGTH);

	TimesHead(state)[HEAD_LAST] = TimesHead(state)[HEAD_LAST_ANSWERED] = DT_NOBEGIN;
	return state;
}

/* reco_sends_add(state, sent_at, answered): the state with one send more. */
Datum
reco_sends_add(PG_FUNCTION_ARGS)
{
	ArrayType *state = PG_ARGISNULL(0) ? create_state() : TimesArgument(fcinfo, 0, HEAD_LENGTH);
	TimestampTz at;

	if (PG_ARGISNULL(1) || TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(1)))
		PG_RETURN_ARRAYTYPE_P(state);
	at = PG_GETARG_TIMESTAMPTZ(1);
	TimesCount(state, HEAD_SENDS, 1);
	TimesHead(state)[HEAD_LAST] = Max(TimesHead(state)[HEAD_LAST], at);
	if (!PG_ARGISNULL(2) && PG_GETARG_BOOL(2))
	{
		TimesCount(state, HEAD_ANSWERED, 1);
		TimesHead(state)[HEAD_LAST_ANSWERED] = Max(TimesHead(state)[HEAD_LAST_ANSWERED], at);
	}
	else if (at > TimesHead(state)[HEAD_LAST_ANSWERED])
		state = TimesAdd(state, HEAD_LENGTH, at);
	PG_RETURN_ARRAYTYPE_P(state);
}

/* reco_sends_merge(state, state): the sends that two workers saw. */
Datum
reco_sends_merge(PG_FUNCTION_ARGS)
{
	ArrayType *state = TimesArgument(fcinfo, 0, HEAD_LENGTH);
	ArrayType *other = TimesArgument(fcinfo, 1, HEAD_LENGTH);
	int64 *head = TimesHead(state);
	const int64 *more = TimesHead(other);

	TimesCount(state, HEAD_SENDS, more[HEAD_SENDS]);
	TimesCount(state, HEAD_ANSWERED, more[HEAD_ANSWERED]);
	head[HEAD_LAST] = Max(head[HEAD_LAST], more[HEAD_LAST]);
	head[HEAD_LAST_ANSWERED] = Max(head[HEAD_LAST_ANSWERED], more[HEAD_LAST_ANSWERED]);
	PG_RETURN_ARRAYTYPE_P(TimesMerge(state, other, HEAD_LENGTH));
}

/* reco_sends_final(state) */
Datum
reco_sends_final(PG_FUNCTION_ARGS)
{
	Datum values[SENDS_COLUMNS] = {0};
	bool nulls[SENDS_COLUMNS] = {0};
	ArrayType *state = PG_ARGISNULL(0) ? create_state() : TimesArgument(fcinfo, 0, HEAD_LENGTH);
	const int64 *head = TimesHead(state);
	int64 unanswered = 0;
	uint32 count;
	TimestampTz *time = TimesSorted(state, HEAD_LENGTH, &count);
	TupleDesc desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE ||
		desc->natts != SENDS_COLUMNS)
		elog(ERROR, "reco_sends_final does not return reco_sends");
	for (uint32 t = 0; t < count; t++)
		unanswered += time[t] > head[HEAD_LAST_ANSWERED];
	values[SENDS_SENDS] = Int64GetDatum(head[HEAD_SENDS]);
	values[SENDS_ANSWERED] = Int64GetDatum(head[HEAD_ANSWERED]);
	values[SENDS_UNANSWERED] = Int64GetDatum(unanswered);
	values[SENDS_LAST] = TimestampTzGetDatum(head[HEAD_LAST]);
	nulls[SENDS_LAST] = head[HEAD_SENDS] == 0;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* The seconds of an argument that is an interval above 0. */
static double
seconds_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	double seconds = SettingSeconds(PG_GETARG_INTERVAL_P(argument));

	if (!(seconds > 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must be positive", name)));
	return seconds;
}

/* reco_pace(sends, rest, growth, most): the time before which nothing more should be sent. */
Datum
reco_pace(PG_FUNCTION_ARGS)
{
	HeapTupleHeader sends = PG_GETARG_HEAPTUPLEHEADER(0);
	double rest = seconds_argument(fcinfo, 1, "rest");
	double growth = PG_GETARG_FLOAT8(2);
	double most = seconds_argument(fcinfo, 3, "most");
	bool never;
	bool none;
	int64 unanswered = DatumGetInt64(GetAttributeByNum(sends, SENDS_UNANSWERED + 1, &none));
	TimestampTz last = DatumGetTimestampTz(GetAttributeByNum(sends, SENDS_LAST + 1, &never));

	if (!(growth >= 1) || isinf(growth))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("growth must be finite and at least 1, not %g", growth)));
	if (never)
		PG_RETURN_TIMESTAMPTZ(DT_NOBEGIN);
	if (TIMESTAMP_NOT_FINITE(last))
		PG_RETURN_TIMESTAMPTZ(last);
	if (!none && unanswered > 0)
		rest *= pow(growth, (double) unanswered);
	PG_RETURN_TIMESTAMPTZ(RhythmAfter(last, Min(rest, most) * USECS_PER_SEC));
}
