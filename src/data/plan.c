#include "data/plan.h"

#include "data/straight.h"
#include "math/hash.h"
#include "nodes/params.h"
#include "tcop/dest.h"
#include "utils/array.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/syscache.h"

/*
 * Beyond this many statements a session prepares what it needs at each use: a kept plan may be
 * running.
 */
#define PLANS_KEPT 512

/* The share of its rows that a cursor is planned for: mostly a few dozen are fetched. */
#define FIRST_ROWS "0.01"

typedef struct PlanEntry
{
	uint64 hash; /* of the text; the text itself decides */
	char *sql;
	SPIPlanPtr plan;
	int unfit;      /* which plan of it was not to be run straight */
	uint64 namings; /* how many there had been before the names in it were last looked up */
} PlanEntry;

static HTAB *plans = NULL;

/* How often this session was told that the row of a schema has changed: its name, owner or rights. */
static uint64 namings = 0;

static void
count_naming(Datum arg, int cache, uint32 hash)
{
	namings++;
}

Datum
PlanArray(Datum *values, uint32 count, Oid type)
{
	int16 length;
	bool by_value;
	char align;

	get_typlenbyvalalign(type, &length, &by_value, &align);
	return PointerGetDatum(construct_array(values, (int) count, type, length, by_value, align));
}

static SPIPlanPtr
prepare(const char *sql, int arguments, const Oid *types, int options)
{
	SPIPlanPtr plan = SPI_prepare_cursor(sql, arguments, (Oid *) types, options);

	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", sql, SPI_result_code_string(SPI_result));
	return plan;
}

/*
 * Has the names in a plan looked up anew where a schema may have got another one since that was last
 * begun.  PostgreSQL sees to that itself, but for what it is told while it looks names up: a plan that is
 * being made is none yet that it could find out of date.
 */
static void
look_up_again(PlanEntry *entry)
{
	ListCell *cell;

	if (entry->namings == namings)
		return;
	entry->namings = namings;
	foreach (cell, SPI_plan_get_plan_sources(entry->plan))
	{
		CachedPlanSource *source = lfirst(cell);

		source->is_valid = false;
		if (source->gplan)
			source->gplan->is_valid = false;
	}
}

/* The plan of one statement, made with these options of cursors; *kept_as is where it is kept, or NULL. */
static SPIPlanPtr
find_plan(const char *sql, int arguments, const Oid *types, int options, PlanEntry **kept_as)
{
	uint64 hash = HashBytes((const unsigned char *) sql, strlen(sql));
	uint64 known = namings;
	PlanEntry *entry;
	SPIPlanPtr plan;
	char *kept;

	hash = HashMix(hash + options);
	for (int a = 0; a < arguments; a++)
		hash = HashMix(hash + types[a]);

	if (plans == NULL)
	{
		HASHCTL control = {.keysize = sizeof(uint64), .entrysize = sizeof(PlanEntry)};

		plans = hash_create("reco plans", 64, &control, HASH_ELEM | HASH_BLOBS);
		CacheRegisterSyscacheCallback(NAMESPACEOID, count_naming, (Datum) 0);
	}

	entry = hash_search(plans, &hash, HASH_FIND, NULL);
	*kept_as = entry && strcmp(entry->sql, sql) == 0 ? entry : NULL;
	if (*kept_as)
	{
		look_up_again(entry);
		return entry->plan;
	}

	/* Everything that can fail comes before the entry, so that none is ever half made. */
	plan = prepare(sql, arguments, types, options);
	if (entry || hash_get_num_entries(plans) >= PLANS_KEPT)
		return plan;
	kept = MemoryContextStrdup(TopMemoryContext, sql);
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "could not keep the plan of \"%s\"", sql);
	entry = hash_search(plans, &hash, HASH_ENTER, NULL);
	entry->sql = kept;
	entry->plan = plan;
	entry->unfit = 0;
	entry->namings = known;
	*kept_as = entry;
	return plan;
}

static SPIPlanPtr
get_plan(const char *sql, int arguments, const Oid *types, int options)
{
	PlanEntry *kept_as;

	return find_plan(sql, arguments, types, options, &kept_as);
}

Portal
PlanOpen(const char *sql, int arguments, const Oid *types, const Datum *values)
{
	MemoryContext caller = CurrentMemoryContext;
	SPIPlanPtr plan = get_plan(sql, arguments, types, CURSOR_OPT_FAST_PLAN);
	int nest = NewGUCNestLevel();
	Portal portal;

	/* Where the plan is made, or made anew, it is here. */
	set_config_option("cursor_tuple_fraction", FIRST_ROWS, PGC_USERSET, PGC_S_SESSION,
					  GUC_ACTION_SAVE, true, 0, false);
	portal = SPI_cursor_open(NULL, plan, (Datum *) values, NULL, true);
	AtEOXact_GUC(false, nest);
	MemoryContextSwitchTo(caller);
	return portal;
}

uint64
PlanFetch(Portal portal, long count)
{
	MemoryContext caller = CurrentMemoryContext;

	SPI_cursor_fetch(portal, true, count);
	MemoryContextSwitchTo(caller);
	return SPI_processed;
}

static void
check_select(const char *sql, int code)
{
	if (code != SPI_OK_SELECT)
		elog(ERROR, "unexpected result of \"%s\": %s", sql, SPI_result_code_string(code));
}

uint64
PlanRun(const char *sql, int arguments, const Oid *types, const Datum *values, const char *nulls)
{
	MemoryContext caller = CurrentMemoryContext;
	SPIPlanPtr plan = get_plan(sql, arguments, types, 0);

	check_select(sql, SPI_execute_plan(plan, (Datum *) values, nulls, true, 0));
	MemoryContextSwitchTo(caller);
	return SPI_processed;
}

/* The plan of a statement that is run once. */
static CachedPlan *
plan_once(const char *sql, int arguments, const Oid *types, int options, SPIPlanPtr *prepared)
{
	CachedPlan *plan;

	*prepared = prepare(sql, arguments, types, options);
	plan = SPI_plan_get_cached_plan(*prepared);
	if (plan == NULL)
		elog(ERROR, "could not plan \"%s\"", sql);
	return plan;
}

uint64
PlanRows(const char *sql)
{
	MemoryContext caller = CurrentMemoryContext;
	SPIPlanPtr prepared;
	CachedPlan *plan = plan_once(sql, 0, NULL, 0, &prepared);
	double rows;

	rows = linitial_node(PlannedStmt, plan->stmt_list)->planTree->plan_rows;
	ReleaseCachedPlan(plan, NULL);
	SPI_freeplan(prepared);
	MemoryContextSwitchTo(caller);
	return rows < 1e18 ? (uint64) rows : UINT64_C(1000000000000000000);
}

/*
 * A DestReceiver that hands rows on.  It goes by the name of a tuplestore's, since SPI takes
 * DestNone for "no rows wanted".
 */
typedef struct Receiver
{
	DestReceiver receiver;
	PlanTake take;
	void *with;
	const bool *enough; /* NULL for all rows */
	bool lazy;          /* columns are read by take() */
	MemoryContext caller;
} Receiver;

static bool
receive(TupleTableSlot *row, DestReceiver *self)
{
	Receiver *receiver = (Receiver *) self;

	if (!receiver->lazy)
		slot_getallattrs(row);
	receiver->take(row, receiver->with);
	return receiver->enough == NULL || !*receiver->enough;
}

static void
start_up(DestReceiver *self, int operation, TupleDesc desc)
{
}

static void
shut_down(DestReceiver *self)
{
}

static Receiver
receiver_for(PlanTake take, void *with)
{
	return (Receiver){
		.receiver = {.receiveSlot = receive,
					 .rStartup = start_up,
					 .rShutdown = shut_down,
					 .rDestroy = shut_down,
					 .mydest = DestTuplestore},
		.take = take,
		.with = with,
		.caller = CurrentMemoryContext,
	};
}

/* How SPI is told of a receiver and of the values of arguments, none of which is NULL. */
static SPIExecuteOptions
options_for(Receiver *receiver, int arguments, const Oid *types, const Datum *values)
{
	ParamListInfo parameters = makeParamList(arguments);

	for (int a = 0; a < arguments; a++)
		parameters->params[a] =
			(ParamExternData){.value = values[a], .pflags = PARAM_FLAG_CONST, .ptype = types[a]};
	return (SPIExecuteOptions){
		.params = parameters, .dest = &receiver->receiver, .read_only = true};
}

/* Ends a stream with what SPI said of it. */
static void
end_stream(const char *sql, int code, const Receiver *receiver, const SPIExecuteOptions *options)
{
	check_select(sql, code);
	pfree(options->params);
	MemoryContextSwitchTo(receiver->caller);
}

/* Streams the rows of the kept plan that is made with these options of cursors. */
static void
stream(const char *sql, int arguments, const Oid *types, const Datum *values, Receiver *receiver,
	   int cursor)
{
	PlanEntry *kept;
	SPIPlanPtr plan = find_plan(sql, arguments, types, cursor, &kept);
	SPIExecuteOptions options;

	if (kept)
	{
		StraightCall call = {
			.sql = sql, .plan = plan, .unfit = &kept->unfit, .types = types, .values = values};

		if (StraightStream(&call, receiver->take, receiver->with))
		{
			MemoryContextSwitchTo(receiver->caller);
			return;
		}
	}
	options = options_for(receiver, arguments, types, values);
	end_stream(sql, SPI_execute_plan_extended(plan, &options), receiver, &options);
}

void
PlanStream(const char *sql, int arguments, const Oid *types, const Datum *values, PlanTake take,
		   void *with)
{
	Receiver receiver = receiver_for(take, with);

	stream(sql, arguments, types, values, &receiver, 0);
}

void
PlanStreamMany(const char *sql, int arguments, const Oid *types, const Datum *values, PlanTake take,
			   void *with)
{
	Receiver receiver = receiver_for(take, with);

	stream(sql, arguments, types, values, &receiver, CURSOR_OPT_GENERIC_PLAN);
}

void
PlanStreamOnce(const char *sql, PlanTake take, void *with)
{
	Receiver receiver = receiver_for(take, with);
	SPIExecuteOptions options = options_for(&receiver, 0, NULL, NULL);

	end_stream(sql, SPI_execute_extended(sql, &options), &receiver, &options);
}

/* Lets plans have so many workers, whatever the session allows, until the nest of settings ends. */
static int
allow_workers(uint32 workers)
{
	int nest = NewGUCNestLevel();
	char most[16];

	snprintf(most, sizeof(most), "%u", workers);
	set_config_option("max_parallel_workers_per_gather", most, PGC_USERSET, PGC_S_SESSION,
					  GUC_ACTION_SAVE, true, 0, false);
	set_config_option("enable_partitionwise_aggregate", "off", PGC_USERSET, PGC_S_SESSION,
					  GUC_ACTION_SAVE, true, 0, false);
	return nest;
}

/* Plans a statement; true where the plan is parallel. */
static bool
plan_parallel(const char *sql, int arguments, const Oid *types, SPIPlanPtr *prepared)
{
	CachedPlan *plan = plan_once(sql, arguments, types,
								 CURSOR_OPT_PARALLEL_OK | CURSOR_OPT_GENERIC_PLAN, prepared);
	bool parallel = linitial_node(PlannedStmt, plan->stmt_list)->parallelModeNeeded;

	ReleaseCachedPlan(plan, NULL);
	return parallel;
}

bool
PlanIsParallel(const char *sql, int arguments, const Oid *types, uint32 workers)
{
	MemoryContext caller = CurrentMemoryContext;
	int nest = allow_workers(workers);
	SPIPlanPtr prepared;
	bool parallel = plan_parallel(sql, arguments, types, &prepared);

	SPI_freeplan(prepared);
	AtEOXact_GUC(false, nest);
	MemoryContextSwitchTo(caller);
	return parallel;
}

bool
PlanStreamParallel(const char *sql, int arguments, const Oid *types, const Datum *values,
				   uint32 workers, PlanTake take, void *with)
{
	Receiver receiver = receiver_for(take, with);
	SPIExecuteOptions options = options_for(&receiver, arguments, types, values);
	int nest = allow_workers(workers);
	SPIPlanPtr prepared;
	bool parallel = plan_parallel(sql, arguments, types, &prepared);
	int code = parallel ? SPI_execute_plan_extended(prepared, &options) : SPI_OK_SELECT;

	SPI_freeplan(prepared);
	AtEOXact_GUC(false, nest);
	end_stream(sql, code, &receiver, &options);
	return parallel;
}

void
PlanStreamLazy(const char *sql, int arguments, const Oid *types, const Datum *values, PlanTake take,
			   void *with)
{
	Receiver receiver = receiver_for(take, with);
	SPIExecuteOptions options = options_for(&receiver, arguments, types, values);

	receiver.lazy = true;
	end_stream(sql, SPI_execute_extended(sql, &options), &receiver, &options);
}

void
PlanStreamSome(const char *sql, int arguments, const Oid *types, const Datum *values, PlanTake take,
			   void *with, const bool *enough)
{
	Receiver receiver = receiver_for(take, with);
	SPIExecuteOptions options = options_for(&receiver, arguments, types, values);
	int nest = allow_workers(0);
	int code;

	receiver.enough = enough;
	code = SPI_execute_extended(sql, &options);
	AtEOXact_GUC(false, nest);
	end_stream(sql, code, &receiver, &options);
}
