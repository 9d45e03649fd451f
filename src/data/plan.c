#include "data/plan.h"

#include "math/hash.h"
#include "nodes/params.h"
#include "tcop/dest.h"
#include "utils/array.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

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
} PlanEntry;

static HTAB *plans = NULL;

Datum
PlanArray(Datum *values, uint32 count, Oid type)
{
	int16 length;
	bool by_value;
	char align;

	get_typlenbyvalalign(type, &length, &by_value, &align);
	return PointerGetDatum(construct_array(values, (int) count, type, length, by_value, align));
}

/* The kept plan of one statement, made with these options of cursors. */
static SPIPlanPtr
get_plan(const char *sql, int arguments, const Oid *types, int options)
{
	uint64 hash = HashBytes((const unsigned char *) sql, strlen(sql));
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
	}

	entry = hash_search(plans, &hash, HASH_FIND, NULL);
	if (entry && strcmp(entry->sql, sql) == 0)
		return entry->plan;

	/* Everything that can fail comes before the entry, so that none is ever half made. */
	plan = SPI_prepare_cursor(sql, arguments, (Oid *) types, options);
	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", sql, SPI_result_code_string(SPI_result));
	if (entry || hash_get_num_entries(plans) >= PLANS_KEPT)
		return plan;
	kept = MemoryContextStrdup(TopMemoryContext, sql);
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "could not keep the plan of \"%s\"", sql);
	entry = hash_search(plans, &hash, HASH_ENTER, NULL);
	entry->sql = kept;
	entry->plan = plan;
	return plan;
}

SPIPlanPtr
PlanGet(const char *sql, int arguments, const Oid *types)
{
	return get_plan(sql, arguments, types, 0);
}

Portal
PlanOpen(const char *sql, int arguments, const Oid *types, const Datum *values)
{
	SPIPlanPtr plan = get_plan(sql, arguments, types, CURSOR_OPT_FAST_PLAN);
	int nest = NewGUCNestLevel();
	Portal portal;

	/* Where the plan is made, or made anew, it is here. */
	set_config_option("cursor_tuple_fraction", FIRST_ROWS, PGC_USERSET, PGC_S_SESSION,
					  GUC_ACTION_SAVE, true, 0, false);
	portal = SPI_cursor_open(NULL, plan, (Datum *) values, NULL, true);
	AtEOXact_GUC(false, nest);
	return portal;
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
	int code = SPI_execute_plan(PlanGet(sql, arguments, types), (Datum *) values, nulls, true, 0);

	check_select(sql, code);
	return SPI_processed;
}

/* The plan of a statement that is run once. */
static CachedPlan *
plan_once(const char *sql, int arguments, const Oid *types, int options, SPIPlanPtr *prepared)
{
	CachedPlan *plan;

	*prepared = SPI_prepare_cursor(sql, arguments, (Oid *) types, options);
	if (*prepared == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", sql, SPI_result_code_string(SPI_result));
	plan = SPI_plan_get_cached_plan(*prepared);
	if (plan == NULL)
		elog(ERROR, "could not plan \"%s\"", sql);
	return plan;
}

uint64
PlanRows(const char *sql)
{
	SPIPlanPtr prepared;
	CachedPlan *plan = plan_once(sql, 0, NULL, 0, &prepared);
	double rows;

	rows = linitial_node(PlannedStmt, plan->stmt_list)->planTree->plan_rows;
	ReleaseCachedPlan(plan, NULL);
	SPI_freeplan(prepared);
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
	};
}

/* Values of arguments, none of them NULL. */
static ParamListInfo
parameters_of(int arguments, const Oid *types, const Datum *values)
{
	ParamListInfo parameters = makeParamList(arguments);

	for (int a = 0; a < arguments; a++)
		parameters->params[a] =
			(ParamExternData){.value = values[a], .pflags = PARAM_FLAG_CONST, .ptype = types[a]};
	return parameters;
}

void
PlanStream(const char *sql, int arguments, const Oid *types, const Datum *values, PlanTake take,
		   void *with)
{
	Receiver receiver = receiver_for(take, with);
	SPIExecuteOptions options = {.params = parameters_of(arguments, types, values),
								 .dest = &receiver.receiver,
								 .read_only = true};

	check_select(sql, SPI_execute_plan_extended(PlanGet(sql, arguments, types), &options));
}

void
PlanStreamOnce(const char *sql, PlanTake take, void *with)
{
	Receiver receiver = receiver_for(take, with);
	SPIExecuteOptions options = {.dest = &receiver.receiver, .read_only = true};

	check_select(sql, SPI_execute_extended(sql, &options));
}

/* Lets plans have so many workers, whatever the session allows, until the nest of settings ends. */
static int
allow_workers(uint32 workers)
{
	int nest = NewGUCNestLevel();

	set_config_option("max_parallel_workers_per_gather", psprintf("%u", workers), PGC_USERSET,
					  PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
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
	int nest = allow_workers(workers);
	SPIPlanPtr prepared;
	bool parallel = plan_parallel(sql, arguments, types, &prepared);

	SPI_freeplan(prepared);
	AtEOXact_GUC(false, nest);
	return parallel;
}

bool
PlanStreamParallel(const char *sql, int arguments, const Oid *types, const Datum *values,
				   uint32 workers, PlanTake take, void *with)
{
	Receiver receiver = receiver_for(take, with);
	SPIExecuteOptions options = {.params = parameters_of(arguments, types, values),
								 .dest = &receiver.receiver,
								 .read_only = true};
	int nest = allow_workers(workers);
	SPIPlanPtr prepared;
	bool parallel = plan_parallel(sql, arguments, types, &prepared);

	if (parallel)
		check_select(sql, SPI_execute_plan_extended(prepared, &options));
	SPI_freeplan(prepared);
	AtEOXact_GUC(false, nest);
	return parallel;
}

void
PlanStreamLazy(const char *sql, int arguments, const Oid *types, const Datum *values, PlanTake take,
			   void *with)
{
	Receiver receiver = receiver_for(take, with);
	SPIExecuteOptions options = {.params = parameters_of(arguments, types, values),
								 .dest = &receiver.receiver,
								 .read_only = true};

	receiver.lazy = true;
	check_select(sql, SPI_execute_extended(sql, &options));
}

void
PlanStreamSome(const char *sql, int arguments, const Oid *types, const Datum *values, PlanTake take,
			   void *with, const bool *enough)
{
	Receiver receiver = receiver_for(take, with);
	SPIExecuteOptions options = {.params = parameters_of(arguments, types, values),
								 .dest = &receiver.receiver,
								 .read_only = true};
	int nest = allow_workers(0);

	receiver.enough = enough;
	check_select(sql, SPI_execute_extended(sql, &options));
	AtEOXact_GUC(false, nest);
}
