/*
 * histories.c: events gathered by user on piles, and put in order pile by pile.
 *
 * An event is 8 bytes, 4 more where users are bigint, 8 more with times, 4 or 8 more with weights as they
 * are real or not, and 4 more where signals are told apart, on a pile by the highest bits of its user's
 * hash.  Integer users are known by their id itself; others are looked up, and known by their number in
 * a set.  Once all are read, a pile at a time is taken, its users are numbered, and two counting sorts
 * of the places of events, by item and then by user, leave each user's together and in order of item.
 * Piles that outgrow their memory go to tape, and come back one at a time.
 *
 * Where several processes are to hand users over, the piles are shared; and where they can all read events,
 * too, by data/events, each numbers items by itself, which taking a pile makes good.
 *
 * Of a million events with times and weights, histories were made in .24 s of processor time, in
 * memory or by way of tape, where ORDER BY user_id alone took .38 s.
 */
#include "data/histories.h"

#include "base/interrupts.h"
#include "data/consent.h"
#include "data/events.h"
#include "data/plan.h"
#include "math/eventlog.h"
#include "math/hash.h"
#include "math/sparse.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/*
 * 2^so many piles: of 20 million events each then fits a processor's own cache.  Fewer where
 * half of the memory would not do for the buffers of as many tapes.
 */
#define PILE_BITS_MOST  9
#define PILE_BITS_LEAST 3
#define PILE_MEMORY     (3 * BLCKSZ)

/* What gathering leaves of so many parts of memory to the piles. */
#define PILES_PARTS 5
#define PARTS       8

/*
 * Events lie all over their pile, which whatever is done with a history drives from the caches: so many
 * of the next user are sent for before that, and while they are read, so many ahead.  With lists made in
 * between, reading 20 million events took some 950 million ticks of the clock instead of 1,075, sending for
 * them included; and 820 where nothing that does not decay is asked for its decay.
 */
#define NEXT_AHEAD   1024
#define EVENTS_AHEAD 8

/* The histories while they are read, as one process sees them. */
struct Histories
{
	const Model *model; /* NULL in a process that joined, like all that stands before the rule */
	const HistoriesWanted *wanted;
	IdSet *items;
	IdSet *users; /* NULL where integers stand for themselves */
	Oid user_base;
	TupleDesc checked; /* the rows whose types are as they should be */

	HistoryRule rule;
	Budget *budget;
	HistoryWords form;
	EventLog log; /* its piles, and how the items of each writer are numbered */
	uint32 item_count;
	bool shared; /* users are handed over by number */
	HistoriesTake take;
	void *with;

	/* Of the user at hand. */
	MemoryContext user_context;
	HistoryEvent *event;
	HistoryItem *item;
	uint64 room; /* of both */
};

/* The user of some words; who takes one word is a number, or an integer that may be below 0. */
static inline uint64
user_of(const Histories *reader, const uint32 *words)
{
	return reader->form.wide ? words[0] | (uint64) words[1] << 32
							 : (uint64) (int64) (int32) words[0];
}

static inline uint32
item_of(const Histories *reader, const uint32 *words)
{
	return words[HistoryItemWord(&reader->form)];
}

/*
 * The event of some words, its weight decayed.  It is written where it belongs: to put it together elsewhere
 * and copy it, the processor would wait for each part to be written before it can read them as one.
 */
static inline void
unpack(const Histories *reader, const uint32 *words, HistoryEvent *event)
{
	const uint32 *at = words + HistoryItemWord(&reader->form) + 1;

	event->id = item_of(reader, words);
	event->at = DT_NOBEGIN;
	event->weight = 1;
	event->signal = 0;
	if (reader->rule.timed)
	{
		memcpy(&event->at, at, sizeof(event->at));
		at += 2;
	}
	if (reader->form.wide_weights)
	{
		memcpy(&event->weight, at, sizeof(event->weight));
		at += 2;
	}
	else if (reader->form.weighted)
	{
		float weight;

		memcpy(&weight, at++, sizeof(weight));
		event->weight = weight;
	}
	if (reader->rule.signals)
		event->signal = reader->form.has_signals ? *at : reader->rule.signals->named;
	event->shown = event->weight == 0;
	if (reader->rule.half_life > 0)
		event->weight = HistoryDecay(&reader->rule, event->at, event->weight);
}

/* Raises an error where the columns are not of the types that the model was found with. */
static void
check_types(Histories *reader, TupleDesc row)
{
	HistoryCheck(&reader->rule, row, 1);
	if (TupleDescAttr(row, 0)->atttypid != reader->model->user_type)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("the events of the model changed while they were asked for"),
						errhint("Ask again.")));
	reader->checked = row;
}

/*
 * Takes one row: user, item, time, weight, and the signal where it is told apart.  Of users who are
 * another part's nothing else is looked at.
 */
static void
take(TupleTableSlot *row, void *with)
{
	Histories *reader = with;
	const HistoriesWanted *wanted = reader->wanted;
	HistoryEvent event;
	Datum user;
	Datum item;
	uint64 hash;

	if (row->tts_tupleDescriptor != reader->checked)
		check_types(reader, row->tts_tupleDescriptor);
	slot_getsomeattrs(row, wanted->parts > 1 ? 1 : row->tts_tupleDescriptor->natts);
	if (row->tts_isnull[0])
		return;
	user = IdNormalise(row->tts_values[0], reader->user_base);
	hash = IdHash(reader->model->user_kind, user);
	if (wanted->parts > 1 && hash % wanted->parts != wanted->part)
		return;
	slot_getallattrs(row);
	if (!HistoryTake(&reader->rule, row, 1, &event, &item))
		return;
	event.id = IdSetAdd(reader->items, item);
	HistoryPack(&reader->form,
				reader->users ? IdSetAdd(reader->users, user) : (uint64) DatumGetInt64(user),
				event.id, event.at, event.weight, event.signal,
				PilesPlace(reader->log.piles, (uint32) (hash >> (64 - reader->log.pile_bits)),
						   sizeof(uint32) * reader->form.words));
}

/*
 * Leaves of a user's events those before the second of the newest, and makes the rule one as of then;
 * returns how many.
 */
static uint64
leave_earlier(HistoryRule *rule, HistoryEvent *events, uint64 count)
{
	TimestampTz newest = DT_NOBEGIN;
	uint64 kept = 0;

	for (uint64 e = 0; e < count; e++)
		newest = Max(newest, events[e].at);
	if (TIMESTAMP_NOT_FINITE(newest))
		return 0;
	rule->as_of = EventsSeconds(newest) * USECS_PER_SEC - 1;
	for (uint64 e = 0; e < count; e++)
		if (events[e].at <= rule->as_of)
			events[kept++] = events[e];
	return kept;
}

/* One pile while it is put in order. */
typedef struct Pile
{
	uint64 count;
	uint32 *words;
	IdSet *users;  /* of the pile, as integers */
	uint32 *user;  /* [count], the number of each event's user */
	uint32 *order; /* [count], the places of the events by item, and then by user */
	uint64 *end;   /* [users], where each one's events end */
} Pile;

/* Users found last, by their hash: a pile has few, and each many events. */
#define RECENT 1024

typedef struct Recent
{
	uint64 user;
	uint32 number;
} Recent;

/* Numbers the users of a pile. */
static void
number_users(const Histories *reader, Pile *pile)
{
	Recent recent[RECENT];

	for (int r = 0; r < RECENT; r++)
		recent[r].number = ID_NONE;
	pile->users = IdSetCreate(ID_INTEGER, reader->budget);
	pile->user = BudgetAlloc(reader->budget, pile->count, sizeof(uint32));
	for (uint64 e = 0; e < pile->count; e++)
	{
		uint64 user = user_of(reader, pile->words + e * reader->form.words);
		Recent *last = &recent[HashMix(user) % RECENT];

		CHECK_FOR_INTERRUPTS();
		if (last->number == ID_NONE || last->user != user)
			*last = (Recent){user, IdSetAdd(pile->users, Int64GetDatum((int64) user))};
		pile->user[e] = last->number;
	}
}

/* The places of the events of a pile in order of item. */
static void
order_by_item(const Histories *reader, Pile *pile)
{
	uint32 items = reader->item_count;
	uint64 *start = BudgetZeroed(reader->budget, (uint64) items + 1, sizeof(uint64));

	pile->order = BudgetAlloc(reader->budget, pile->count, sizeof(uint32));
	for (uint64 e = 0; e < pile->count; e++)
	{
		INTERRUPTS_AT(e);
		start[item_of(reader, pile->words + e * reader->form.words)]++;
	}
	SparseOffsets(start, items);
	for (uint64 e = 0; e < pile->count; e++)
	{
		INTERRUPTS_AT(e);
		pile->order[start[item_of(reader, pile->words + e * reader->form.words)]++] = (uint32) e;
	}
	BudgetFree(reader->budget, start);
}

/* The same in order of user, and each user's in order of item. */
static void
order_by_user(const Histories *reader, Pile *pile)
{
	uint32 users = IdSetCount(pile->users);
	uint32 *by_item = pile->order;

	pile->end = BudgetZeroed(reader->budget, (uint64) users + 1, sizeof(uint64));
	pile->order = BudgetAlloc(reader->budget, pile->count, sizeof(uint32));
	for (uint64 e = 0; e < pile->count; e++)
	{
		INTERRUPTS_AT(e);
		pile->end[pile->user[e]]++;
	}
	SparseOffsets(pile->end, users);
	for (uint64 n = 0; n < pile->count; n++)
	{
		INTERRUPTS_AT(n);
		pile->order[pile->end[pile->user[by_item[n]]]++] = by_item[n];
	}
	BudgetFree(reader->budget, by_item);
	BudgetFree(reader->budget, pile->user);
}

/* Makes room for the events of a user. */
static void
make_room(Histories *reader, uint64 count)
{
	if (count > UINT32_MAX / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("a history has too many events")));
	if (count <= reader->room)
		return;
	reader->room = Max(count, reader->room + reader->room / 2);
	reader->event = BudgetResize(reader->budget, reader->event, reader->room, sizeof(HistoryEvent));
	reader->item = BudgetResize(reader->budget, reader->item, reader->room, sizeof(HistoryItem));
}

Datum
HistoriesUser(const Histories *reader, Datum user)
{
	return reader->users ? IdSetDatum(reader->users, (uint32) DatumGetInt64(user)) : user;
}

/*
 * Sends for the events at some places of a pile, as far as a cache has room.  Where it stood by itself, gcc
 * would leave out a function that does nothing else.
 */
static pg_attribute_always_inline void
send_for(const Histories *reader, const Pile *pile, uint64 begin, uint64 end)
{
	end = Min(end, begin + NEXT_AHEAD);
	for (uint64 n = begin; n < end; n++)
		__builtin_prefetch(pile->words + (uint64) pile->order[n] * reader->form.words, 0, 2);
}

/* Hands over one user of a pile, in memory that is then given back. */
static void
hand_over(Histories *reader, uint32 number, const Pile *pile)
{
	uint64 user = (uint64) DatumGetInt64(IdSetDatum(pile->users, number));
	uint64 begin = number > 0 ? pile->end[number - 1] : 0;
	uint64 end = pile->end[number];
	MemoryContext caller = MemoryContextSwitchTo(reader->user_context);
	History history = {.ids = reader->items};
	HistoryRule rule = reader->rule;
	uint64 count = 0;

	CHECK_FOR_INTERRUPTS();
	make_room(reader, end - begin);
	for (uint64 n = begin; n < end; n++)
	{
		INTERRUPTS_AT(n);
		if (n + EVENTS_AHEAD < end)
			__builtin_prefetch(pile->words +
							   (uint64) pile->order[n + EVENTS_AHEAD] * reader->form.words);
		unpack(reader, pile->words + (uint64) pile->order[n] * reader->form.words,
			   &reader->event[count++]);
	}
	if (reader->wanted && reader->wanted->before_last)
		count = leave_earlier(&rule, reader->event, count);
	history.item = reader->item;
	HistorySum(&rule, reader->event, (uint32) count, &history);
	if (number + 1 < IdSetCount(pile->users))
		send_for(reader, pile, end, pile->end[number + 1]);
	reader->take(reader->shared ? Int64GetDatum((int64) user)
								: HistoriesUser(reader, Int64GetDatum((int64) user)),
				 &history, reader->with);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(reader->user_context);
}

/* The events of a pile as each writer left them, with items by the numbers that count. */
static uint32 *
take_pile(Histories *reader, uint32 number, uint64 count)
{
	const EventLog *log = &reader->log;
	uint32 *words = BudgetAlloc(reader->budget, count, sizeof(uint32) * reader->form.words);
	uint32 *at = words;

	for (uint32 w = 0; w < PilesWriters(log->piles); w++)
	{
		uint32 *end = PilesTakeOf(log->piles, number, w, at);
		const uint32 *map = log->map_start && log->map_start[w] != EVENTLOG_SAME
								? log->item_map + log->map_start[w]
								: NULL;

		for (uint32 *event = at; map && event < end; event += reader->form.words)
		{
			uint32 *item = event + HistoryItemWord(&reader->form);

			*item = map[*item];
		}
		at = end;
	}
	return words;
}

static uint64
events_of(const Histories *reader, uint32 number)
{
	return PilesBytes(reader->log.piles, number) / (sizeof(uint32) * reader->form.words);
}

void
HistoriesEach(Histories *reader, uint32 number, HistoriesTake take_history, void *with)
{
	Pile pile = {.count = events_of(reader, number)};

	reader->take = take_history;
	reader->with = with;
	if (pile.count == 0)
		return;
	if (pile.count > UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("there are too many events")));
	pile.words = take_pile(reader, number, pile.count);
	number_users(reader, &pile);
	order_by_item(reader, &pile);
	order_by_user(reader, &pile);
	for (uint32 user = 0; user < IdSetCount(pile.users); user++)
		hand_over(reader, user, &pile);
	BudgetFree(reader->budget, pile.order);
	BudgetFree(reader->budget, pile.words);
	BudgetFree(reader->budget, pile.end);
	IdSetFree(pile.users);
}

/*
 * Of an event on the pile at hand: its words, twice its place and its user's number; what a user of few
 * events takes for its id, as if all had one; and an event and an item while they are handed over, as if
 * they were one user's.  Items are counted besides.
 */
Size
HistoriesBytes(const Histories *reader)
{
	uint64 most = 0;

	for (uint32 pile = 0; pile < HistoriesPiles(reader); pile++)
		most = Max(most, events_of(reader, pile));
	return most *
			   (sizeof(uint32) * (reader->form.words + 3) + 64 + sizeof(HistoryEvent) +
				sizeof(HistoryItem)) *
			   3 / 2 +
		   (Size) reader->item_count * sizeof(uint64) + 65536;
}

/* As many writers as there are processes, as in data/events. */
static uint32
count_writers(const Histories *reader, Size memory)
{
	Size blocks = (Size) PILES_TAPE << reader->log.pile_bits;

	return (uint32) Min(Max(memory / 2 / blocks, 1), (Size) 1 + BudgetWorkers(reader->budget));
}

static void
create_piles(Histories *reader)
{
	EventLog *log = &reader->log;
	HistoryWords *form = &reader->form;
	Size memory = BudgetLeft(reader->budget);
	Size for_piles = memory / PARTS * PILES_PARTS;
	bool shared = reader->wanted->together && BudgetWorkers(reader->budget) > 0;

	form->timed = reader->rule.timed;
	form->weighted = OidIsValid(reader->model->weight_type);
	form->has_signals = HistoryHasSignals(reader->model);
	form->wide = reader->model->user_kind == ID_INTEGER && reader->user_base == INT8OID;
	form->wide_weights = form->weighted && reader->rule.weight_type != FLOAT4OID;
	form->words = 2 + form->wide + (form->timed ? 2 : 0) + form->weighted + form->wide_weights +
				  form->has_signals;
	log->pile_bits = PILE_BITS_MOST;
	while (log->pile_bits > PILE_BITS_LEAST && (Size) PILE_MEMORY << log->pile_bits > memory / 2)
		log->pile_bits--;
	/* Where others help, there are sets for them, and a pile for what they say. */
	log->piles = PilesCreate(
		shared ? ((uint32) EVENTLOG_SETS << log->pile_bits) + 1 : UINT32_C(1) << log->pile_bits,
		shared ? count_writers(reader, for_piles) : 1, for_piles, reader->budget);
}

/* This process reads the events of those wanted. */
static void
read_alone(Histories *reader)
{
	const Model *model = reader->model;
	const IdSet *users = reader->wanted->users;
	const IdSet *only = users ? users : reader->wanted->of_items;
	const char *events =
		reader->wanted->learning ? ConsentEvents(model) : psprintf("%s.events", model->quoted);
	Oid type = IdArrayType(users ? model->user_kind : model->item_kind);
	Datum ids = only ? IdSetArray(only) : (Datum) 0;

	PlanStreamLazy(psprintf("SELECT user_id, %s FROM %s e%s", HistoryColumns(model), events,
							users  ? " WHERE user_id OPERATOR(pg_catalog.=) ANY ($1)"
							: only ? " WHERE item_id OPERATOR(pg_catalog.=) ANY ($1)"
								   : ""),
				   only ? 1 : 0, &type, &ids, take, reader);
	PilesEnd(reader->log.piles);
}

/* Why several processes cannot read the events; NULL where they have. */
static const char *
read_together(Histories *reader, bool *drop)
{
	const HistoriesWanted *wanted = reader->wanted;
	const ReaderRules rules = {.user_kind = reader->model->user_kind,
							   .item_kind = reader->model->item_kind,
							   .timed = reader->form.timed,
							   .weighted = reader->form.weighted,
							   .now = wanted->as_of,
							   .pile_bits = reader->log.pile_bits,
							   .whole = true,
							   .history = reader->form,
							   .part = wanted->part,
							   .parts = wanted->parts};

	*drop = false;
	if (!PilesAreShared(reader->log.piles))
		return "no workers";
	if (reader->users || reader->form.has_signals || wanted->users || wanted->of_items ||
		wanted->learning)
		return "ids or signals have to be looked up";
	return EventsGather(reader->model, &rules, &reader->log, reader->items,
						BudgetLeft(reader->budget) / PARTS / PilesWriters(reader->log.piles),
						reader->budget, drop);
}

static void
read_events(Histories *reader)
{
	bool tried = reader->wanted->together && BudgetWorkers(reader->budget) > 0;
	bool drop;
	const char *why = read_together(reader, &drop);

	if (drop)
	{
		PilesDrop(reader->log.piles);
		BudgetShare(reader->budget, false);
		create_piles(reader);
	}
	if (why)
		read_alone(reader);
	if (why && tried)
		ereport(DEBUG1, (errmsg_internal("one process reads the events: %s", why)));
	if (PilesAreShared(reader->log.piles))
		PilesSettle(reader->log.piles);
	reader->item_count = IdSetCount(reader->items);
	ModelNeedsName(reader->model);
}

Histories *
HistoriesGather(const Model *model, const HistoriesWanted *wanted, IdSet *items, Budget *budget)
{
	Histories *reader = BudgetZeroed(budget, 1, sizeof(Histories));

	reader->model = model;
	reader->wanted = wanted;
	reader->rule = HistoryRuleOf(model, wanted->as_of);
	reader->budget = budget;
	reader->items = items;
	reader->user_base = getBaseType(model->user_type);
	if (wanted->as_given)
		reader->rule.half_life = 0;
	reader->user_context =
		AllocSetContextCreate(CurrentMemoryContext, "reco user", ALLOCSET_DEFAULT_SIZES);
	if (model->user_kind != ID_INTEGER)
		reader->users = IdSetCreate(model->user_kind, budget);
	create_piles(reader);
	read_events(reader);
	if (PilesOnTape(reader->log.piles))
		ereport(DEBUG1, (errmsg_internal("the events of model \"%s\" do not fit in "
										 "maintenance_work_mem: they go through temporary files",
										 model->name)));
	return reader;
}

uint32
HistoriesPiles(const Histories *reader)
{
	return UINT32_C(1) << reader->log.pile_bits;
}

Piles *
HistoriesAll(const Histories *reader)
{
	return reader->log.piles;
}

HistoriesForm
HistoriesShare(Histories *reader, HistoriesPieces *pieces)
{
	const Signals *signals = reader->rule.signals;
	HistoriesForm form = {.words = reader->form,
						  .rule = reader->rule,
						  .pile_bits = reader->log.pile_bits,
						  .items = reader->item_count};

	*pieces = (HistoriesPieces){.piles = PilesPiece(reader->log.piles),
								.map_start = reader->log.map_start,
								.map = reader->log.item_map};
	form.rule.signals = NULL;
	reader->shared = true;
	if (signals)
	{
		Size size = offsetof(Signals, signal) + sizeof(Signal) * ((Size) signals->named + 1);
		Signals *copy = BudgetAllocShared(reader->budget, 1, size);

		memcpy(copy, signals, size);
		for (uint32 s = 0; s <= signals->named; s++)
			copy->signal[s].name = NULL;
		pieces->signals = copy;
	}
	return form;
}

Histories *
HistoriesJoin(const HistoriesForm *form, const HistoriesPieces *pieces, uint32 writer,
			  Budget *budget)
{
	Histories *reader = BudgetZeroed(budget, 1, sizeof(Histories));

	reader->rule = form->rule;
	reader->rule.signals = pieces->signals;
	reader->budget = budget;
	reader->form = form->words;
	reader->log = (EventLog){.piles = PilesJoin(pieces->piles, writer),
							 .pile_bits = form->pile_bits,
							 .map_start = pieces->map_start,
							 .item_map = pieces->map};
	reader->item_count = form->items;
	reader->shared = true;
	reader->user_context =
		AllocSetContextCreate(BudgetContext(budget), "reco user", ALLOCSET_DEFAULT_SIZES);
	return reader;
}

void
HistoriesFree(Histories *reader)
{
	Budget *budget = reader->budget;

	if (reader->model)
		PilesFree(reader->log.piles);
	MemoryContextDelete(reader->user_context);
	BudgetFree(budget, reader->event);
	BudgetFree(budget, reader->item);
	BudgetFree(budget, reader->log.map_start);
	BudgetFree(budget, reader->log.item_map);
	if (reader->users)
		IdSetFree(reader->users);
	BudgetFree(budget, reader);
}

void
HistoriesRead(const Model *model, const HistoriesWanted *wanted, IdSet *items, Budget *budget,
			  HistoriesTake take_history, void *with)
{
	Histories *reader = HistoriesGather(model, wanted, items, budget);

	for (uint32 pile = 0; pile < HistoriesPiles(reader); pile++)
		HistoriesEach(reader, pile, take_history, with);
	HistoriesFree(reader);
}
