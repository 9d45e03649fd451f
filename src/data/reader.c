/*
 * reader.c: rows turned into events as the executor makes them.
 *
 * Nothing is kept of a row but twenty bytes: no tuple is copied, no table of results is built,
 * and of users nothing is looked up.
 *
 * A job is a piece of shared memory with a key drawn at random.  A ticket is the handle of that
 * memory and the key; nobody can have one but by the query that the leader runs, and what is no
 * job, or that of another session, is let go of again unread.
 */
#include "data/reader.h"

#include <math.h>

#include "access/parallel.h"
#include "base/progress.h"
#include "data/events.h"
#include "storage/proc.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#define KEY_BYTES 16

/* How many events there are is told at every 64th part of them, and every so many. */
#define TELL_SHARE  64
#define TELL_EVENTS 4096

struct ReaderJob
{
	unsigned char key[KEY_BYTES];
	int leader; /* the process */
	dsm_handle handle;
	ReaderRules rules;
	Size memory; /* of each worker for ids */
	dsm_handle piles;
	uint32 writers;
	pg_atomic_uint32 next;                    /* writer */
	pg_atomic_uint64 count;                   /* of events so far */
	ReaderFound found[FLEXIBLE_ARRAY_MEMBER]; /* [writers] */
};

typedef struct Ticket
{
	dsm_handle handle;
	unsigned char key[KEY_BYTES];
} Ticket;

/* This process's own reader, of the innermost job that it leads. */
static Reader *leader = NULL;

/* This worker has read its part, or is about to: it lives for one query, which reads once. */
static bool joined = false;

uint32
ReaderAge(int64 now, TimestampTz at)
{
	int64 age;

	if (TIMESTAMP_IS_NOBEGIN(at))
		return UINT32_MAX;
	age = now - EventsSeconds(at);
	return (uint32) Min(Max(age, 0), (int64) UINT32_MAX);
}

/*
 * One row as an event, but for the ids; otherwise why it is left out, and EVENTS_SKIPS for an
 * event.
 */
static inline EventsSkip
check(const Reader *reader, const NullableDatum *row, Event *event)
{
	if (row[READER_USER].isnull)
		return EVENTS_NULL_USER;
	if (row[READER_ITEM].isnull)
		return EVENTS_NULL_ITEM;
	if (reader->rules.weighted)
	{
		if (row[READER_WEIGHT].isnull)
			return EVENTS_NULL_WEIGHT;
		event->weight = (float) DatumGetFloat8(row[READER_WEIGHT].value);
		if (!isfinite(event->weight))
			return EVENTS_NOT_FINITE;
	}
	if (reader->rules.timed)
	{
		TimestampTz at = DatumGetTimestampTz(row[READER_TIME].value);

		if (row[READER_TIME].isnull)
			return EVENTS_NULL_TIME;
		if (at > reader->rules.now)
			return EVENTS_FUTURE;
		event->age = ReaderAge(reader->now, at);
	}
	if (reader->rules.asked &&
		(row[READER_CONSENT].isnull || !DatumGetBool(row[READER_CONSENT].value)))
		return EVENTS_NO_CONSENT;
	return EVENTS_SKIPS;
}

/* The item of an event with its signal above it. */
static uint32
with_signal(const Reader *reader, uint32 item, const NullableDatum *signal)
{
	uint32 place = reader->rules.signals - 1;

	if (item >> EVENTLOG_SIGNAL_SHIFT != 0)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("more than %u items, too many to tell signals apart",
							   UINT32_C(1) << EVENTLOG_SIGNAL_SHIFT),
						errhint("Set \"target_signal\" to '' to learn from all signals alike.")));
	if (!signal->isnull)
		place = Min((uint32) DatumGetInt32(signal->value) - 1, place);
	return item | place << EVENTLOG_SIGNAL_SHIFT;
}

/* Says how many events there are so far, of all readers. */
static void
tell(Reader *reader)
{
	ReaderJob *job = reader->job;
	uint64 more = reader->found.count - reader->told;

	reader->told = reader->found.count;
	reader->tell_at = reader->told + Min(1 + reader->told / TELL_SHARE, (uint64) TELL_EVENTS);
	if (job == NULL)
		return;
	more += pg_atomic_fetch_add_u64(&job->count, (int64) more);
	if (reader->writer == 0)
	{
		ProgressWorkers((int) pg_atomic_read_u32(&job->next) - 1);
		ProgressDone(more);
	}
}

/* Puts an event where data/histories takes it from: users are integers there. */
static void
put_whole(const Reader *reader, const NullableDatum *row, uint32 item, uint32 *words)
{
	Datum user = IdWiden(row[READER_USER].value, reader->user_type);

	HistoryPack(&reader->rules.history, (uint64) DatumGetInt64(user), item,
				reader->rules.timed ? DatumGetTimestampTz(row[READER_TIME].value) : 0,
				reader->rules.weighted ? DatumGetFloat8(row[READER_WEIGHT].value) : 1, 0, words);
}

void
ReaderTake(Reader *reader, const NullableDatum *row)
{
	ReaderFound *found = &reader->found;
	Event event = {.weight = 1};
	EventsSkip reason = check(reader, row, &event);
	uint64 hash;
	Event *place;

	if (reason != EVENTS_SKIPS)
	{
		found->skipped[reason]++;
		return;
	}
	hash = IdHash(reader->rules.user_kind, IdWiden(row[READER_USER].value, reader->user_type));
	if (reader->rules.parts > 1 && hash % reader->rules.parts != reader->rules.part)
		return;
	event.user_high = (uint32) (hash >> 32);
	event.user_low = (uint32) hash;
	event.item = IdSetAdd(reader->items, IdWiden(row[READER_ITEM].value, reader->item_type));
	if (reader->rules.signals > 0)
		event.item = with_signal(reader, event.item, &row[READER_SIGNAL]);
	place = PilesPlace(reader->piles, event.user_high >> (32 - reader->rules.pile_bits),
					   reader->rules.whole ? sizeof(uint32) * reader->rules.history.words
										   : sizeof(Event));
	if (reader->rules.whole)
		put_whole(reader, row, event.item, (uint32 *) place);
	else
		*place = event;
	found->newest_age = Min(found->newest_age, event.age);
	found->count++;
	if (reader->job == NULL)
		ProgressDone(found->count);
	else if (found->count >= reader->tell_at)
		tell(reader);
}

Reader
ReaderAlone(const ReaderRules *rules, IdSet *items, Piles *piles)
{
	return (Reader){
		.rules = *rules,
		.now = EventsSeconds(rules->now),
		.user_type = IdType(rules->user_kind),
		.item_type = IdType(rules->item_kind),
		.items = items,
		.piles = piles,
		.found = {.newest_age = UINT32_MAX},
	};
}

/* Puts the ids of a worker's items, in the order of its numbers, on the pile for them. */
static void
hand_over_ids(const Reader *reader)
{
	uint32 pile = EventLogPile(reader->rules.pile_bits, EVENTLOG_SETS, 0);

	for (uint32 i = 0; i < IdSetCount(reader->items); i++)
	{
		uint64 room;
		uint32 length;
		const unsigned char *bytes = IdSetBytes(reader->items, i, &room, &length);

		CHECK_FOR_INTERRUPTS();
		PilesWrite(reader->piles, pile, &length, sizeof(length));
		PilesWrite(reader->piles, pile, bytes, length);
	}
}

void
ReaderEnd(Reader *reader)
{
	reader->found.ended = true;
	reader->found.items = IdSetCount(reader->items);
	if (reader->writer != 0)
	{
		reader->found.memory = BudgetPeak(reader->budget);
		hand_over_ids(reader);
	}
	PilesEnd(reader->piles);
	tell(reader);
	if (reader->job)
		reader->job->found[reader->writer] = reader->found;
	if (reader->writer != 0)
		PilesLeave(reader->piles);
}

bool
ReaderBegin(Reader *reader, Size memory, Budget *budget)
{
	uint32 writers = PilesWriters(reader->piles);
	Size size = offsetof(ReaderJob, found) + sizeof(ReaderFound) * writers;
	dsm_handle handle;
	dsm_handle piles;
	ReaderJob *job;

	if (!PilesAreShared(reader->piles) || writers < 2)
		return false;
	job = BudgetAllocShared(budget, 1, size);
	if (!BudgetHandle(budget, job, &handle) ||
		!BudgetHandle(budget, PilesPiece(reader->piles), &piles))
	{
		BudgetFree(budget, job);
		return false;
	}
	memset(job, 0, size);
	if (!pg_strong_random(job->key, KEY_BYTES))
		elog(ERROR, "could not draw a random key");
	job->leader = MyProcPid;
	job->handle = handle;
	job->piles = piles;
	job->rules = reader->rules;
	job->memory = memory;
	job->writers = writers;
	pg_atomic_init_u32(&job->next, 1);
	pg_atomic_init_u64(&job->count, 0);
	reader->job = job;
	reader->outer = leader;
	leader = reader;
	return true;
}

bytea *
ReaderTicket(const Reader *reader)
{
	Ticket ticket = {.handle = reader->job->handle};
	bytea *bytes = palloc(VARHDRSZ + sizeof(Ticket));

	memcpy(ticket.key, reader->job->key, KEY_BYTES);
	SET_VARSIZE(bytes, VARHDRSZ + sizeof(Ticket));
	memcpy(VARDATA(bytes), &ticket, sizeof(Ticket));
	return bytes;
}

void
ReaderFinish(Reader *reader)
{
	Assert(leader == reader);
	leader = reader->outer;
}

void
ReaderFreeJob(Reader *reader, Budget *budget)
{
	BudgetFree(budget, reader->job);
	reader->job = NULL;
}

bool
ReaderResult(const Reader *reader, uint32 writer, ReaderFound *found)
{
	*found = reader->job->found[writer];
	return found->ended;
}

pg_noreturn static void
refuse_ticket(void)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("no refresh of this session has such a ticket"),
					errhint("reco_gather is a part of reco_refresh and of no use by itself.")));
}

/* True where a piece of shared memory is the job of a ticket, and one of this worker's leader. */
static bool
is_job(const ReaderJob *job, Size size, const Ticket *ticket)
{
	return size >= sizeof(ReaderJob) && memcmp(job->key, ticket->key, KEY_BYTES) == 0 &&
		   MyProc->lockGroupLeader && MyProc->lockGroupLeader->pid == job->leader;
}

/* Maps a piece of shared memory for as long as this worker lives. */
static void *
map_piece(dsm_handle handle, Size *size)
{
	dsm_segment *segment = dsm_find_mapping(handle);

	if (segment == NULL)
		segment = dsm_attach(handle);
	if (segment == NULL)
		refuse_ticket();
	*size = dsm_segment_map_length(segment);
	return dsm_segment_address(segment);
}

/* The job of a ticket, in a worker. */
static ReaderJob *
find_job(const Ticket *ticket)
{
	Size size;
	ReaderJob *job = map_piece(ticket->handle, &size);

	if (!is_job(job, size, ticket))
		refuse_ticket();
	dsm_pin_mapping(dsm_find_mapping(ticket->handle));
	if (dsm_find_mapping(job->piles) == NULL)
	{
		map_piece(job->piles, &size);
		dsm_pin_mapping(dsm_find_mapping(job->piles));
	}
	return job;
}

/* A worker's reader. */
static Reader *
join(const Ticket *ticket, MemoryContext context)
{
	ReaderJob *job = find_job(ticket);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Reader *reader = palloc(sizeof(Reader));
	Budget *budget = BudgetCreate(context, "reading events", job->memory);
	uint32 writer = pg_atomic_fetch_add_u32(&job->next, 1);
	void *piece = dsm_segment_address(dsm_find_mapping(job->piles));

	if (writer >= job->writers)
		elog(ERROR, "more readers than were expected");
	joined = true;
	*reader = ReaderAlone(&job->rules, IdSetCreate(job->rules.item_kind, budget),
						  PilesJoin(piece, writer));
	reader->budget = budget;
	reader->job = job;
	reader->writer = writer;
	MemoryContextSwitchTo(caller);
	return reader;
}

/* Raises an error unless a type is of a kind; returns what is under a domain. */
static Oid
base_of(Oid type, IdKind kind)
{
	IdKind found;

	if (!OidIsValid(type) || !IdKindOfType(type, &found) || found != kind)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("ids are not of the type that the model was made with")));
	return getBaseType(type);
}

Reader *
ReaderOpen(const bytea *bytes, Oid user_type, Oid item_type, MemoryContext context)
{
	Ticket ticket;
	Reader *reader = NULL;

	if (VARSIZE_ANY_EXHDR(bytes) != sizeof(Ticket))
		refuse_ticket();
	memcpy(&ticket, VARDATA_ANY(bytes), sizeof(Ticket));
	if (IsParallelWorker() && !joined)
		reader = join(&ticket, context);
	else if (leader && leader->job->handle == ticket.handle && !leader->opened &&
			 memcmp(leader->job->key, ticket.key, KEY_BYTES) == 0)
		reader = leader;
	else
		refuse_ticket();
	reader->opened = true;
	reader->user_type = base_of(user_type, reader->rules.user_kind);
	if (reader->rules.whole && !reader->rules.history.wide && reader->user_type == INT8OID)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("the events of the model changed while they were asked for"),
						errhint("Ask again.")));
	reader->item_type = base_of(item_type, reader->rules.item_kind);
	return reader;
}
