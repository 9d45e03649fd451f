/*
 * histories.c: events gathered by user on piles, and put in order pile by pile.
 *
 * An event is 8 bytes, 4 more where users are bigint, 8 more with times, 4 or 8 more with weights as they
 * are real or not, and 4 more where signals are told apart, on a pile by the highest bits of its user's
 * hash.  Integer users are known by their id itself; others are looked up, and known by their number in
 * a set.  Once all are read, a pile at a time is taken, its users are numbered, and two counting sorts
 * of the places of events, by item and then by user, leave each user's together and in order of item.
 *  Piles that outgrow their memory go to tape, and come back one at a time.
 *
 * Of a million events with times and weights, histories were made in .24 s of processor time, in
 * memory or by way of tape, where ORDER BY user_id alone took .38 s.
 */
#include "data/histories.h"

#include "base/interrupts.h"
#include "base/piles.h"
#include "data/consent.h"
#include "data/events.h"
#include "data/plan.h"
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

/* Events of a user that are sent for ahead: they lie all over their pile. */
#define EVENTS_AHEAD 8

/* The histories while they are read. */
typedef struct HistoriesReader
{
	const Model *model;
	const HistoriesWanted *wanted;
	HistoryRule rule;
	Budget *budget;
	IdSet *items;
	IdSet *users; /* NULL where integers stand for themselves */
	Oid user_base;
	TupleDesc checked; /* the rows whose types are as they should be */
	HistoriesTake take;
	void *with;

	Piles *piles;
	uint32 pile_bits;
	bool wide; /* users take two words, and so do weights, where they are not real: */
	bool weighted;
	bool wide_weights;
	bool has_signals;
	uint32 words; /* of an event */

	/* Of the user at hand. */
	MemoryContext user_context;
	HistoryEvent *event;
	HistoryItem *item;
	uint64 room; /* of both */
} HistoriesReader;

/* Packs an event to words. */
static void
pack(const HistoriesReader *reader, uint64 user, const HistoryEvent *event, uint32 *words)
{
	*words++ = (uint32) user;
	if (reader->wide)
		*words++ = (uint32) (user >> 32);
	*words++ = event->id;
	if (reader->rule.timed)
	{
		memcpy(words, &event->at, sizeof(event->at));
		words += 2;
	}
	if (reader->wide_weights)
	{
		memcpy(words, &event->weight, sizeof(event->weight));
		words += 2;
	}
	else if (reader->weighted)
	{
		float weight = (float) event->weight;

		memcpy(words++, &weight, sizeof(weight));
	}
	if (reader->has_signals)
		*words = event->signal;
}

/* The user of some words; who takes one word is a number, or an integer that may be below 0. */
static inline uint64
user_of(const HistoriesReader *reader, const uint32 *words)
{
	return reader->wide ? words[0] | (uint64) words[1] << 32 : (uint64) (int64) (int32) words[0];
}

static inline uint32
item_of(const HistoriesReader *reader, const uint32 *words)
{
	return words[reader->wide ? 2 : 1];
}

/* The event of some words, its weight decayed. */
static HistoryEvent
unpack(const HistoriesReader *reader, const uint32 *words)
{
	HistoryEvent event = {.id = item_of(reader, words), .at = DT_NOBEGIN, .weight = 1};
	const uint32 *at = words + (reader->wide ? 3 : 2);

	if (reader->rule.timed)
	{
		memcpy(&event.at, at, sizeof(event.at));
		at += 2;
	}
	if (reader->wide_weights)
	{
		memcpy(&event.weight, at, sizeof(event.weight));
		at += 2;
	}
	else if (reader->weighted)
	{
		float weight;

		memcpy(&weight, at++, sizeof(weight));
		event.weight = weight;
	}
	if (reader->rule.signals)
		event.signal = reader->has_signals ? *at : reader->rule.signals->named;
	event.shown = event.weight == 0;
	event.weight = HistoryDecay(&reader->rule, event.at, event.weight);
	return event;
}

/* Raises an error where the columns are not of the types that the model was found with. */
static void
check_types(HistoriesReader *reader, TupleDesc row)
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
	HistoriesReader *reader = with;
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
	pack(reader, reader->users ? IdSetAdd(reader->users, user) : (uint64) DatumGetInt64(user),
		 &event,
		 PilesPlace(reader->piles, (uint32) (hash >> (64 - reader->pile_bits)),
					sizeof(uint32) * reader->words));
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
number_users(const HistoriesReader *reader, Pile *pile)
{
	Recent recent[RECENT];

	for (int r = 0; r < RECENT; r++)
		recent[r].number = ID_NONE;
	pile->users = IdSetCreate(ID_INTEGER, reader->budget);
	pile->user = BudgetAlloc(reader->budget, pile->count, sizeof(uint32));
	for (uint64 e = 0; e < pile->count; e++)
	{
		uint64 user = user_of(reader, pile->words + e * reader->words);
		Recent *last = &recent[HashMix(user) % RECENT];

		CHECK_FOR_INTERRUPTS();
		if (last->number == ID_NONE || last->user != user)
			*last = (Recent){user, IdSetAdd(pile->users, Int64GetDatum((int64) user))};
		pile->user[e] = last->number;
	}
}

/* The places of the events of a pile in order of item. */
static void
order_by_item(const HistoriesReader *reader, Pile *pile)
{
	uint32 items = IdSetCount(reader->items);
	uint64 *start = BudgetZeroed(reader->budget, (uint64) items + 1, sizeof(uint64));

	pile->order = BudgetAlloc(reader->budget, pile->count, sizeof(uint32));
	for (uint64 e = 0; e < pile->count; e++)
	{
		INTERRUPTS_AT(e);
		start[item_of(reader, pile->words + e * reader->words)]++;
	}
	SparseOffsets(start, items);
	for (uint64 e = 0; e < pile->count; e++)
	{
		INTERRUPTS_AT(e);
		pile->order[start[item_of(reader, pile->words + e * reader->words)]++] = (uint32) e;
	}
	BudgetFree(reader->budget, start);
}

/* The same in order of user, and each user's in order of item. */
static void
order_by_user(const HistoriesReader *reader, Pile *pile)
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
make_room(HistoriesReader *reader, uint64 count)
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

/* Hands over one user with the events at these places of a pile, in memory that is then given back. */
static void
hand_over(HistoriesReader *reader, uint64 user, const Pile *pile, uint64 begin, uint64 end)
{
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
							   (uint64) pile->order[n + EVENTS_AHEAD] * reader->words);
		reader->event[count++] =
			unpack(reader, pile->words + (uint64) pile->order[n] * reader->words);
	}
	if (reader->wanted->before_last)
		count = leave_earlier(&rule, reader->event, count);
	history.item = reader->item;
	HistorySum(&rule, reader->event, (uint32) count, &history);
	reader->take(reader->users ? IdSetDatum(reader->users, (uint32) user)
							   : Int64GetDatum((int64) user),
				 &history, reader->with);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(reader->user_context);
}

/* Hands over the users of a pile. */
static void
hand_over_pile(HistoriesReader *reader, uint32 number)
{
	Pile pile = {.count = PilesBytes(reader->piles, number) / (sizeof(uint32) * reader->words)};
	uint64 begin = 0;

	if (pile.count == 0)
		return;
	if (pile.count > UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("there are too many events")));
	pile.words = BudgetAlloc(reader->budget, pile.count, sizeof(uint32) * reader->words);
	PilesTake(reader->piles, number, pile.words);
	number_users(reader, &pile);
	order_by_item(reader, &pile);
	order_by_user(reader, &pile);
	for (uint32 user = 0; user < IdSetCount(pile.users); user++)
	{
		hand_over(reader, (uint64) DatumGetInt64(IdSetDatum(pile.users, user)), &pile, begin,
				  pile.end[user]);
		begin = pile.end[user];
	}
	BudgetFree(reader->budget, pile.order);
	BudgetFree(reader->budget, pile.words);
	BudgetFree(reader->budget, pile.end);
	IdSetFree(pile.users);
}

static void
create_piles(HistoriesReader *reader)
{
	Size memory = BudgetLeft(reader->budget);

	reader->weighted = OidIsValid(reader->model->weight_type);
	reader->has_signals = HistoryHasSignals(reader->model);
	reader->wide = reader->model->user_kind == ID_INTEGER && reader->user_base == INT8OID;
	reader->wide_weights = reader->weighted && reader->rule.weight_type != FLOAT4OID;
	reader->words = 2 + reader->wide + (reader->rule.timed ? 2 : 0) + reader->weighted +
					reader->wide_weights + reader->has_signals;
	reader->pile_bits = PILE_BITS_MOST;
	while (reader->pile_bits > PILE_BITS_LEAST &&
		   (Size) PILE_MEMORY << reader->pile_bits > memory / 2)
		reader->pile_bits--;
	reader->piles = PilesCreate(1 << reader->pile_bits, 1, memory / 8 * 5, reader->budget);
}

/* Reads the events of those wanted. */
static void
read_events(HistoriesReader *reader)
{
	const Model *model = reader->model;
	const IdSet *users = reader->wanted->users;
	const char *events =
		reader->wanted->learning ? ConsentEvents(model) : psprintf("%s.events", model->quoted);
	Oid type = IdArrayType(model->user_kind);
	Datum ids = users ? IdSetArray(users) : (Datum) 0;

	PlanStreamLazy(psprintf("SELECT user_id, %s FROM %s e%s", HistoryColumns(model), events,
							users ? " WHERE user_id OPERATOR(pg_catalog.=) ANY ($1)" : ""),
				   users ? 1 : 0, &type, &ids, take, reader);
}

void
HistoriesRead(const Model *model, const HistoriesWanted *wanted, IdSet *items, Budget *budget,
			  HistoriesTake take_history, void *with)
{
	HistoriesReader reader = {.model = model,
							  .wanted = wanted,
							  .rule = HistoryRuleOf(model, wanted->as_of),
							  .budget = budget,
							  .items = items,
							  .user_base = getBaseType(model->user_type),
							  .take = take_history,
							  .with = with};

	if (wanted->as_given)
		reader.rule.half_life = 0;
	reader.user_context =
		AllocSetContextCreate(CurrentMemoryContext, "reco user", ALLOCSET_DEFAULT_SIZES);
	if (model->user_kind != ID_INTEGER)
		reader.users = IdSetCreate(model->user_kind, budget);
	create_piles(&reader);
	read_events(&reader);
	PilesEnd(reader.piles);
	if (PilesOnTape(reader.piles))
		ereport(DEBUG1, (errmsg_internal("the events of model \"%s\" do not fit in "
										 "maintenance_work_mem: they go through temporary files",
										 model->name)));
	for (uint32 pile = 0; pile < UINT32_C(1) << reader.pile_bits; pile++)
		hand_over_pile(&reader, pile);
	PilesFree(reader.piles);
	MemoryContextDelete(reader.user_context);
	BudgetFree(budget, reader.event);
	BudgetFree(budget, reader.item);
}
