/*
 * everyone.c: reco_top_n_all: the list of every user, from one read of the events.
 *
 * The model is read once and held, the events stream once and are gathered by user, and each
 * user's history goes through the list maker of reco_top_n: the rows are the same, bit for bit.
 * Where nothing but the history decides what comes, that goes by way of a short list
 * (math/shortlist), and by several processes (api/together).  Everything held is charged to
 * maintenance_work_mem.  Rows go to a tuplestore, which spills to disk beyond work_mem; returning them
 * one at a time would save nothing, since the executor would put them into such a store itself.
 */
#include "api/recommend.h"

#include "api/arguments.h"
#include "api/arrangement.h"
#include "api/rerank.h"
#include "api/together.h"
#include "catalog/pg_type.h"
#include "data/events.h"
#include "data/histories.h"
#include "data/learned.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_top_n_all);

static const Oid everyone_types[LIST_COLUMNS] = LIST_TYPES;

/* Shares that users may be dealt out in. */
#define PARTS_MOST 10000

/* The k of an argument: without one every user would get the whole catalogue. */
static uint32
take_k(FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("k must not be NULL where every user is asked for"),
						errhint("Say how many items a list should have at most.")));
	if (PG_GETARG_INT32(argument) < 1 || PG_GETARG_INT32(argument) > DOOR_K_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must be from 1 to %d, not %d", DOOR_K_MAX, PG_GETARG_INT32(argument))));
	return (uint32) PG_GETARG_INT32(argument);
}

/* The share of an argument pair: 1 of 1 where they are NULL. */
static void
take_part(FunctionCallInfo fcinfo, int part, HistoriesWanted *wanted)
{
	int32 number = PG_ARGISNULL(part) ? 1 : PG_GETARG_INT32(part);
	int32 parts = PG_ARGISNULL(part + 1) ? 1 : PG_GETARG_INT32(part + 1);

	if (parts < 1 || parts > PARTS_MOST)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("parts must be from 1 to %d, not %d", PARTS_MOST, parts)));
	if (number < 1 || number > parts)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("part must be from 1 to %d, not %d", parts, number),
						errhint("Parts are counted from 1 to the number given as parts.")));
	wanted->part = (uint32) number - 1;
	wanted->parts = (uint32) parts;
}

/* Makes one user's list. */
static void
list_user(Datum user, History *history, void *with)
{
	RecommendAsk *ask = with;

	CHECK_FOR_INTERRUPTS();
	ask->user = DoorUserOut(&ask->rows, user);
	ask->has_asker = true;
	ask->asker = user;
	RecommendList(ask, ProfileHeld(ask->model, ask->held, history));
}

/*
 * reco_top_n_all(k, model, min_match, as_of, seen, fallback, part, parts, diversity, max_per,
 * max_per_n, calibrated, calibrated_by, context)
 */
Datum
reco_top_n_all(PG_FUNCTION_ARGS)
{
	RecommendAsk ask = {.model = DoorModel(fcinfo, 1),
						.k = take_k(fcinfo, 0),
						.source = "personal",
						.by_user = true};
	HistoriesWanted wanted = {0};
	Histories *histories;

	ask.least_match = RecommendLeastMatch(fcinfo, 2);
	wanted.as_of = PG_ARGISNULL(3) ? GetCurrentTimestamp() : PG_GETARG_TIMESTAMPTZ(3);
	ask.as_of = wanted.as_of;
	ask.seen = RecommendFlag(fcinfo, 4, false);
	ask.fallback = RecommendFlag(fcinfo, 5, true);
	take_part(fcinfo, 6, &wanted);
	ask.arrangement = ArrangementOptions(fcinfo, 8, ask.model);
	ask.budget = BudgetCreate(CurrentMemoryContext,
							  psprintf("reco_top_n_all of model \"%s\"", ask.model->name),
							  BudgetMaintenance());
	ask.rows = DoorOpen(fcinfo, ask.model, everyone_types, LIST_COLUMNS, true);

	DoorEnter(ask.model);
	RecommendContext(&ask, fcinfo, 13);
	/* Rules may want rows from the fallback's orders where the list does not. */
	ask.held = HeldRead(ask.model, (ask.fallback || ask.model->has_rules) && ask.least_match < 0,
						ask.budget);
	if (RerankWanted(ask.model))
		ask.rerank = RerankOpen(ask.model, true, ask.budget);
	wanted.together = TogetherCan(&ask);
	BudgetShare(ask.budget, wanted.together && EventsExpected(ask.model) >= EVENTS_SHARED);
	histories = HistoriesGather(ask.model, &wanted, ask.held->ids, ask.budget);
	if (!TogetherList(&ask, histories))
	{
		HeldCopy(ask.held, 1, ask.budget);
		for (uint32 pile = 0; pile < HistoriesPiles(histories); pile++)
			HistoriesEach(histories, pile, list_user, &ask);
		ereport(DEBUG1, (errmsg_internal(UINT64_FORMAT " of %u lists by way of a short list",
										 ask.held->shortlist.made, ask.list)));
	}
	HistoriesFree(histories);
	DoorLeave(ask.model);
	BudgetDestroy(ask.budget);
	return (Datum) 0;
}
