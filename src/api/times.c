#include "api/times.h"

#include "api/arguments.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "data/visits.h"
#include "utils/memutils.h"

/* Times a new state has room for. */
#define FIRST_TIMES 8

#define STATE_BYTES(values) (ARR_OVERHEAD_NONULLS(1) + sizeof(int64) * (Size) (values))
#define STATE_MOST          ((int64) ((MaxAllocSize - ARR_OVERHEAD_NONULLS(1)) / sizeof(int64)))

static ArrayType *
make_state(int64 length)
{
	ArrayType *state = palloc0(STATE_BYTES(length));

	SET_VARSIZE(state, STATE_BYTES(length));
	state->ndim = 1;
	state->elemtype = INT8OID;
	ARR_DIMS(state)[0] = (int) length;
	ARR_LBOUND(state)[0] = 1;
	return state;
}

ArrayType *
TimesCreate(int head)
{
	return make_state(head + 1 + FIRST_TIMES);
}

void
TimesRefuse(void)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("the array is not the state of an aggregate over times")));
}

void
TimesCount(ArrayType *state, int count, int64 more)
{
	int64 sum;

	if (pg_add_s64_overflow(TimesHead(state)[count], more, &sum))
		TimesRefuse();
	TimesHead(state)[count] = sum;
}

/* How many times there are: the place after the head says. */
static inline int64 *
used(ArrayType *state, int head)
{
	return &TimesHead(state)[head];
}

ArrayType *
TimesArgument(FunctionCallInfo fcinfo, int argument, int head)
{
	ArrayType *state = AggCheckCallContext(fcinfo, NULL) ? PG_GETARG_ARRAYTYPE_P(argument)
														 : PG_GETARG_ARRAYTYPE_P_COPY(argument);

	if (ARR_NDIM(state) != 1 || ARR_HASNULL(state) || ARR_ELEMTYPE(state) != INT8OID ||
		ARR_DIMS(state)[0] <= head || *used(state, head) < 0 ||
		*used(state, head) > ARR_DIMS(state)[0] - head - 1)
		TimesRefuse();
	return state;
}

/* Sorts times and drops those that are there twice; returns how many are left. */
static uint32
arrange(TimestampTz *time, uint32 count)
{
	uint32 kept = 0;

	VisitsSort(time, count);
	for (uint32 t = 0; t < count; t++)
		if (kept == 0 || time[kept - 1] != time[t])
			time[kept++] = time[t];
	return kept;
}

/* The same state with room for so many times more, after those that are there twice were dropped. */
static ArrayType *
reserve(ArrayType *state, int head, int64 more)
{
	int64 room = ARR_DIMS(state)[0] - head - 1;
	int64 *count = used(state, head);
	ArrayType *larger;
	int64 wanted;

	if (*count + more <= room)
		return state;
	*count = arrange(count + 1, (uint32) *count);
	if (*count + more <= room / 2)
		return state;
	wanted = head + 1 + *count + more;
	if (wanted > STATE_MOST)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("there are too many different times"),
						errhint("Group by whoever the events are of, or cut times with "
								"date_trunc().")));
	larger = make_state(Min(Max(wanted, 2 * (int64) ARR_DIMS(state)[0]), STATE_MOST));
	memcpy(TimesHead(larger), TimesHead(state), sizeof(int64) * (Size) (head + 1 + *count));
	return larger;
}

ArrayType *
TimesAdd(ArrayType *state, int head, TimestampTz time)
{
	state = reserve(state, head, 1);
	TimesHead(state)[head + 1 + (*used(state, head))++] = time;
	return state;
}

ArrayType *
TimesMerge(ArrayType *state, ArrayType *other, int head)
{
	int64 more = *used(other, head);

	state = reserve(state, head, more);
	memcpy(used(state, head) + 1 + *used(state, head), used(other, head) + 1,
		   sizeof(int64) * (Size) more);
	*used(state, head) += more;
	return state;
}

TimestampTz *
TimesSorted(ArrayType *state, int head, uint32 *count)
{
	int64 times = *used(state, head);
	TimestampTz *time = palloc(sizeof(TimestampTz) * (Size) Max(times, 1));

	memcpy(time, used(state, head) + 1, sizeof(TimestampTz) * (Size) times);
	*count = arrange(time, (uint32) times);
	return time;
}
