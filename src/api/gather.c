/*
 * gather.c: the aggregate reco_gather, by which reco_refresh has PostgreSQL read the events in
 * parallel.
 *
 * Its state says nothing but how many events there were: they themselves go to the memory that the
 * refresh shares with its workers (data/reader).
 */
#include "api/door.h"

#include "data/reader.h"

PG_FUNCTION_INFO_V1(reco_gather_row);
PG_FUNCTION_INFO_V1(reco_gather_send);
PG_FUNCTION_INFO_V1(reco_gather_recv);
PG_FUNCTION_INFO_V1(reco_gather_merge);
PG_FUNCTION_INFO_V1(reco_gather_count);

typedef struct Gathered
{
	Reader *reader; /* until it has ended; NULL where others did the reading */
	int64 events;
} Gathered;

/* The memory of the aggregate; none of these functions is of use outside of one. */
static MemoryContext
aggregate_memory(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("this is a part of the aggregate reco_gather")));
	return context;
}

static Gathered *
new_gather(FunctionCallInfo fcinfo)
{
	return MemoryContextAllocZero(aggregate_memory(fcinfo), sizeof(Gathered));
}

/* Ends the reading of this process, once there are no more rows. */
static void
end_reading(Gathered *gather)
{
	if (gather->reader == NULL)
		return;
	gather->events += (int64) gather->reader->found.count;
	ReaderEnd(gather->reader);
	gather->reader = NULL;
}

/* reco_gather_row(state, ticket, user_id, item_id, occurred_at, weight, consent, signal) */
Datum
reco_gather_row(PG_FUNCTION_ARGS)
{
	Gathered *gather;

	if (PG_ARGISNULL(0))
	{
		gather = new_gather(fcinfo);
		if (PG_ARGISNULL(1))
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("the ticket of reco_gather may not be NULL")));
		gather->reader =
			ReaderOpen(PG_GETARG_BYTEA_PP(1), get_fn_expr_argtype(fcinfo->flinfo, 2),
					   get_fn_expr_argtype(fcinfo->flinfo, 3), aggregate_memory(fcinfo));
	}
	else
		gather = (Gathered *) PG_GETARG_POINTER(0);
	ReaderTake(gather->reader, Arguments(fcinfo, 2, READER_COLUMNS));
	PG_RETURN_POINTER(gather);
}

/* reco_gather_send(state): the number of events, once this process has read its part. */
Datum
reco_gather_send(PG_FUNCTION_ARGS)
{
	Gathered *gather = (Gathered *) PG_GETARG_POINTER(0);
	bytea *bytes = palloc(VARHDRSZ + sizeof(int64));

	aggregate_memory(fcinfo);
	end_reading(gather);
	SET_VARSIZE(bytes, VARHDRSZ + sizeof(int64));
	memcpy(VARDATA(bytes), &gather->events, sizeof(int64));
	PG_RETURN_BYTEA_P(bytes);
}

/* reco_gather_recv(bytes, internal) */
Datum
reco_gather_recv(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	Gathered *gather = new_gather(fcinfo);

	if (VARSIZE_ANY_EXHDR(bytes) != sizeof(int64))
		elog(ERROR, "this is no state of reco_gather");
	memcpy(&gather->events, VARDATA_ANY(bytes), sizeof(int64));
	PG_RETURN_POINTER(gather);
}

/* reco_gather_merge(state, state) */
Datum
reco_gather_merge(PG_FUNCTION_ARGS)
{
	Gathered *gather = PG_ARGISNULL(0) ? new_gather(fcinfo) : (Gathered *) PG_GETARG_POINTER(0);

	aggregate_memory(fcinfo);
	if (!PG_ARGISNULL(1))
	{
		Gathered *more = (Gathered *) PG_GETARG_POINTER(1);

		end_reading(more);
		gather->events += more->events;
	}
	PG_RETURN_POINTER(gather);
}

/* reco_gather_count(state): the number of events that all have read. */
Datum
reco_gather_count(PG_FUNCTION_ARGS)
{
	Gathered *gather = (Gathered *) PG_GETARG_POINTER(0);

	aggregate_memory(fcinfo);
	end_reading(gather);
	PG_RETURN_INT64(gather->events);
}
