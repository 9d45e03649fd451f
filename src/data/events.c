/*
 * events.c: all events of a model on piles, by one process or several.
 *
 * Read in parallel, the view is the input of an aggregate, so that PostgreSQL itself gives each
 * worker its part of the tables; the aggregate puts rows on shared piles and says how many they
 * were.  A worker numbers items as it meets them; its numbers are mapped to this process's at the
 * end.  Where that fails for want of memory that can be shared, or of the right to call the aggregate,
 * this process reads alone.
 */
#include "data/events.h"

#include <math.h>

#include "access/xact.h"
#include "base/piles.h"
#include "base/progress.h"
#include "catalog/pg_type.h"
#include "data/consent.h"
#include "data/plan.h"
#include "data/planted.h"
#include "data/signals.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

/*
 * So many piles at most: of 20 million events each is then as large as a processor's own cache.
 * Fewer where so much memory for each would be more than a part of the budget.
 */
#define PILE_BITS_MOST  9
#define PILE_BITS_LEAST 3
#define PILE_MEMORY     65536

/* What reading leaves of so many parts of memory to the piles. */
#define PILES_PARTS 5
#define PARTS       8

#define NOT_PARALLEL "the plan of the events is not parallel"

/* One read of the events. */
typedef struct Reading
{
	const Model *model;
	Events *events;
	Budget *budget;
	ReaderRules rules;
	Size memory; /* there is for all */
	Reader reader;
	int64 gathered; /* as the aggregate says */
} Reading;

int64
EventsSeconds(TimestampTz at)
{
	int64 seconds = at / USECS_PER_SEC;

	return seconds * USECS_PER_SEC > at ? seconds - 1 : seconds;
}

char *
EventsChose(const Model *model, const char *row)
{
	char *weighs = "";
	char *past = "";

	if (OidIsValid(model->weight_type))
		weighs = psprintf(" AND %s.weight::pg_catalog.float8 OPERATOR(pg_catalog.>) 0 "
						  "AND %s.weight::pg_catalog.float8 OPERATOR(pg_catalog.<) " EVENTS_BEYOND,
						  row, row);
	if (OidIsValid(model->time_type))
		past = psprintf(" AND %s.occurred_at::pg_catalog.timestamptz "
						"OPERATOR(pg_catalog.<=) pg_catalog.clock_timestamp() "
						"AND %s.occurred_at::pg_catalog.timestamptz "
						"OPERATOR(pg_catalog.>) '-infinity'",
						row, row);
	return psprintf("%s%s", weighs, past);
}

uint64
EventsExpected(const Model *model)
{
	return PlanRows(psprintf("SELECT 1 FROM %s.events", model->quoted));
}

/*
 * As many writers as there are processes, as long as the last blocks of their piles, all that is
 * left of them in memory once they are on tape, take no more than half of what there is for piles.
 */
static uint32
count_writers(const Reading *reading, Size memory)
{
	Size blocks = (Size) PILES_TAPE << reading->rules.pile_bits;
	Size fit = memory / 2 / blocks;

	return (uint32) Min(Max(fit, 1), (Size) 1 + BudgetWorkers(reading->budget));
}

/* Sets up what events are read into. */
static void
create_log(Reading *reading)
{
	EventLog *log = &reading->events->log;
	Size piles = reading->memory / PARTS * PILES_PARTS;

	log->piles = PilesCreate(((uint32) EVENTLOG_SETS << log->pile_bits) + 1,
							 count_writers(reading, piles), piles, reading->budget);
	reading->events->items = IdSetCreateResult(reading->rules.item_kind, reading->budget);
	reading->reader = ReaderAlone(&reading->rules, reading->events->items, log->piles);
}

/* Takes one row of the query. */
static void
take(TupleTableSlot *row, void *with)
{
	Reading *reading = with;
	NullableDatum values[READER_COLUMNS];
	int count = reading->rules.signals > 0 ? READER_COLUMNS : READER_SIGNAL;

	for (int c = 0; c < count; c++)
		values[c] = (NullableDatum){row->tts_values[c], row->tts_isnull[c]};
	ReaderTake(&reading->reader, values);
}

/*
 * Time and weight of events, as the query asks for them, whether they may be learned from, and the signal,
 * where signals are told apart: their names come as an argument of that number.
 */
static char *
other_columns(const Reading *reading, int argument)
{
	const Model *model = reading->model;

	return psprintf("%s::pg_catalog.timestamptz, %s::pg_catalog.float8, %s%s",
					OidIsValid(model->time_type) ? "occurred_at" : "NULL",
					OidIsValid(model->weight_type) ? "weight" : "NULL",
					reading->rules.whole ? "NULL" : ConsentAnswer(model),
					reading->rules.signals > 0
						? psprintf(", pg_catalog.array_position($%d, " SIGNAL_TEXT ")", argument)
						: "");
}

/* The names of the signals that have one, as an array. */
static Datum
names_of(const SignalsTold *told)
{
	Datum name[PARTS_SIGNALS];

	for (uint32 s = 0; s + 1 < told->count; s++)
		name[s] = CStringGetTextDatum(told->name[s]);
	return PointerGetDatum(
		construct_array(name, (int) told->count - 1, TEXTOID, -1, false, TYPALIGN_INT));
}

/* This process reads the events itself. */
static void
read_alone(Reading *reading, const char *why)
{
	const Model *model = reading->model;
	char *sql =
		psprintf("SELECT user_id::%s, item_id::%s, %s FROM %s", IdTypeName(model->user_kind),
				 IdTypeName(model->item_kind), other_columns(reading, 1), ConsentAsked(model));

	ereport(DEBUG1, (errmsg_internal("one process reads the events: %s", why)));
	if (reading->rules.signals > 0)
	{
		const Oid type = TEXTARRAYOID;
		const Datum names = names_of(&reading->events->told);

		PlanStream(sql, 1, &type, &names, take, reading);
	}
	else
		PlanStreamOnce(sql, take, reading);
	ReaderEnd(&reading->reader);
}

/* Takes the one row of the aggregate: NULL where there were no rows at all. */
static void
take_sum(TupleTableSlot *row, void *with)
{
	Reading *reading = with;

	reading->gathered = row->tts_isnull[0] ? 0 : DatumGetInt64(row->tts_values[0]);
}

/* What the aggregate is asked; the ticket comes as an argument, as anybody may see the text. */
static char *
gathering(const Reading *reading)
{
	const Model *model = reading->model;

	return psprintf("SELECT %s.reco_gather($1, user_id, item_id, %s%s) FROM %s",
					quote_identifier(get_namespace_name(model->reco)), other_columns(reading, 2),
					reading->rules.signals > 0 ? "" : ", NULL",
					reading->rules.whole ? psprintf("%s.events", model->quoted)
										 : ConsentAsked(model));
}

bool
EventsParallel(const Model *model, uint32 workers)
{
	const Reading reading = {.model = model};
	const Oid type = BYTEAOID;

	return object_aclcheck(NamespaceRelationId, model->reco, GetUserId(), ACL_USAGE) ==
			   ACLCHECK_OK &&
		   PlanIsParallel(gathering(&reading), 1, &type, workers);
}

/* Why an error comes of sharing, so that reading alone may do without; otherwise NULL. */
static const char *
why_sharing(int code)
{
	int category = ERRCODE_TO_CATEGORY(code);

	/* Whoever owns the model need not be allowed what the view does not ask for. */
	if (code == ERRCODE_INSUFFICIENT_PRIVILEGE)
		return "no right to call reco_gather";
	if (code != ERRCODE_CONFIGURATION_LIMIT_EXCEEDED &&
		(category == ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES) ||
		 category == ERRCODE_TO_CATEGORY(ERRCODE_SYSTEM_ERROR)))
		return "no shared memory";
	return NULL;
}

/* Reads to shared piles, in parallel where the planner sees how.  Returns whether it did. */
static bool
read_to_share(Reading *reading)
{
	uint32 workers = PilesWriters(reading->reader.piles) - 1;
	bool signals = reading->rules.signals > 0;
	const Oid types[] = {BYTEAOID, TEXTARRAYOID};
	const Datum values[] = {PointerGetDatum(ReaderTicket(&reading->reader)),
							signals ? names_of(&reading->events->told) : (Datum) 0};

	PlantedRefuse(reading->model->reco, "reco_gather");
	if (!PlanStreamParallel(gathering(reading), signals ? 2 : 1, types, values, workers, take_sum,
							reading))
	{
		if (!reading->rules.whole)
			read_alone(reading, NOT_PARALLEL);
		return false;
	}
	/* Without a row for this process nobody has said for it that there are no more. */
	if (!reading->reader.found.ended)
		ReaderEnd(&reading->reader);
	return true;
}

/*
 * The same within a subtransaction, as it may fail: why it did where reading alone may do without,
 * otherwise NULL.
 */
static const char *
try_to_share(Reading *reading, bool *parallel)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		*parallel = read_to_share(reading);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData *error;
		const char *why;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
		ReaderFinish(&reading->reader);
		why = why_sharing(error->sqlerrcode);
		if (why == NULL)
			ReThrowError(error);
		ereport(DEBUG1, (errmsg_internal("%s for events: %s", why, error->message)));
		FreeErrorData(error);
		return why;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	ReaderFinish(&reading->reader);
	return NULL;
}

/* Gives the items of one worker numbers of this process's, in the order of its own. */
static void
map_items(Reading *reading, uint32 writer, uint32 *map)
{
	EventLog *log = &reading->events->log;
	uint32 pile = EventLogPile(log->pile_bits, EVENTLOG_SETS, 0);
	unsigned char *bytes =
		BudgetAllocResult(reading->budget, PilesBytesOf(log->piles, pile, writer), 1);
	unsigned char *end = PilesTakeOf(log->piles, pile, writer, bytes);

	for (unsigned char *at = bytes; at < end;)
	{
		uint32 length;

		CHECK_FOR_INTERRUPTS();
		memcpy(&length, at, sizeof(length));
		at += sizeof(length);
		*map++ = IdSetAddBytes(reading->events->items, at, length);
		at += length;
	}
	BudgetFree(reading->budget, bytes);
}

/* Adds up what the workers found. */
static void
add_workers(Reading *reading)
{
	EventLog *log = &reading->events->log;
	uint32 writers = PilesWriters(log->piles);
	ReaderFound *all = &reading->reader.found;
	ReaderFound found;
	uint64 items = 0;
	Size memory = 0;
	uint32 workers = 0;

	log->map_start = BudgetAllocSharedResult(reading->budget, writers, sizeof(uint64));
	for (uint32 w = 1; w < writers; w++)
		if (ReaderResult(&reading->reader, w, &found))
			items += found.items;
	log->item_map = BudgetAllocSharedResult(reading->budget, items, sizeof(uint32));
	items = 0;
	for (uint32 w = 0; w < writers; w++)
	{
		log->map_start[w] = EVENTLOG_SAME;
		if (w == 0 || !ReaderResult(&reading->reader, w, &found))
			continue;
		log->map_start[w] = items;
		map_items(reading, w, log->item_map + items);
		items += found.items;
		memory += found.memory;
		workers++;
		all->count += found.count;
		all->newest_age = Min(all->newest_age, found.newest_age);
		for (int s = 0; s < EVENTS_SKIPS; s++)
			all->skipped[s] += found.skipped[s];
	}
	/* What they held for ids is gone again, and was held all the same. */
	BudgetHold(reading->budget, 0, memory);
	BudgetHold(reading->budget, memory, 0);
	ereport(DEBUG1, (errmsg_internal("%u workers helped to read the events", workers)));
	if ((uint64) reading->gathered != all->count)
		elog(ERROR, "events were lost: " UINT64_FORMAT " of " INT64_FORMAT, all->count,
			 reading->gathered);
}

/* Reads by whatever number of processes there can be. */
static void
read_rows(Reading *reading)
{
	Reader *reader = &reading->reader;
	Size rest = reading->memory / PARTS * (PARTS - PILES_PARTS);
	const char *why;
	bool parallel;

	if (!ReaderBegin(reader, rest / (PilesWriters(reader->piles) + 1), reading->budget))
	{
		read_alone(reading, "no workers");
		return;
	}
	why = try_to_share(reading, &parallel);
	if (why == NULL)
	{
		if (parallel)
			add_workers(reading);
		ReaderFreeJob(reader, reading->budget);
	}
	else
	{
		ReaderFreeJob(reader, reading->budget);
		PilesDrop(reading->events->log.piles);
		IdSetFree(reading->events->items);
		BudgetShare(reading->budget, false);
		create_log(reading);
		read_alone(reading, why);
	}
	ProgressWorkers(0);
}

const char *
EventsGather(const Model *model, const ReaderRules *rules, EventLog *log, IdSet *items, Size memory,
			 Budget *budget, bool *drop)
{
	Events events = {.log = *log, .items = items};
	Reading reading = {.model = model,
					   .events = &events,
					   .budget = budget,
					   .rules = *rules,
					   .reader = ReaderAlone(rules, items, log->piles)};
	bool parallel = false;
	const char *why;

	*drop = false;
	if (!ReaderBegin(&reading.reader, memory, budget))
		return "no workers";
	why = try_to_share(&reading, &parallel);
	*drop = why != NULL;
	if (why == NULL && !parallel)
		why = NOT_PARALLEL;
	if (why == NULL)
		add_workers(&reading);
	ReaderFreeJob(&reading.reader, budget);
	*log = events.log;
	return why;
}

Events *
EventsRead(const Model *model, TimestampTz now, uint64 expected, Budget *budget)
{
	Events *events = BudgetZeroed(budget, 1, sizeof(Events));
	EventLog *log = &events->log;
	Reading reading = {
		.model = model,
		.events = events,
		.budget = budget,
		.memory = BudgetLeft(budget),
		.rules = {.user_kind = model->user_kind,
				  .item_kind = model->item_kind,
				  .timed = OidIsValid(model->time_type),
				  .weighted = OidIsValid(model->weight_type),
				  .asked = model->has_consent,
				  .now = now,
				  .pile_bits = PILE_BITS_MOST},
	};

	if (ModelTarget(model))
		events->told = SignalsHear(model, ModelTarget(model), BudgetContext(budget));
	reading.rules.signals = log->signals = events->told.count;
	while (reading.rules.pile_bits > PILE_BITS_LEAST &&
		   (Size) PILE_MEMORY << reading.rules.pile_bits > reading.memory / 2)
		reading.rules.pile_bits--;
	log->pile_bits = reading.rules.pile_bits;
	log->now = EventsSeconds(now);
	log->timed = reading.rules.timed;
	BudgetShare(budget, expected >= EVENTS_SHARED);
	create_log(&reading);
	read_rows(&reading);
	ModelNeedsName(model);
	PilesSettle(log->piles);

	log->count = reading.reader.found.count;
	log->newest_age = log->count > 0 ? reading.reader.found.newest_age : 0;
	memcpy(events->skipped, reading.reader.found.skipped, sizeof(events->skipped));
	IdSetSettle(events->items);
	log->items = IdSetCount(events->items);
	log->item_rank = IdSetRanks(events->items);
	return events;
}

/* Takes the one row of a query for a time; NULL where there are no events. */
static void
take_time(TupleTableSlot *row, void *with)
{
	TimestampTz *at = with;

	if (!row->tts_isnull[0])
		*at = DatumGetTimestampTz(row->tts_values[0]);
}

uint32
EventsLine(const Model *model, TimestampTz now, double share)
{
	TimestampTz at = now;

	/* The first time up to which there are so many: what comes after it is no more than the share. */
	PlanStreamOnce(
		psprintf("SELECT pg_catalog.percentile_disc(%.17g) WITHIN GROUP (ORDER BY at) FROM "
				 "(SELECT occurred_at::pg_catalog.timestamptz AS at FROM %s AS learned_from "
				 "WHERE user_id IS NOT NULL AND item_id IS NOT NULL%s) AS event "
				 "WHERE at OPERATOR(pg_catalog.<=) pg_catalog.clock_timestamp()",
				 1 - share, ConsentEvents(model),
				 OidIsValid(model->weight_type) ? " AND weight IS NOT NULL" : ""),
		take_time, &at);
	ModelNeedsName(model);
	return ReaderAge(EventsSeconds(now), at);
}
