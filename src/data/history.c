#include "data/history.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/int.h"
#include "data/events.h"
#include "data/plan.h"
#include "utils/timestamp.h"

/* Items that most histories have no more of: there is room for them at once. */
#define MOSTLY 128

/* A history while it is read. */
typedef struct HistoryReader
{
	HistoryRule rule;
	Budget *budget;
	IdSet *ids;
	HistoryEvent *event;
	uint32 count;
	uint32 room;
	TupleDesc checked; /* the rows whose types are as the rule has them */
	const HistoryShared *shared;
} HistoryReader;

/* True for types of weights that C reads as they are. */
static bool
is_float(Oid type)
{
	return type == FLOAT4OID || type == FLOAT8OID;
}

HistoryRule
HistoryRuleOf(const Model *model, TimestampTz as_of)
{
	HistoryRule rule = {
		.timed = OidIsValid(model->time_type),
		.as_of = as_of,
		.decay_seconds = EventsSeconds(model->timed ? Min(model->newest, as_of) : as_of),
		.half_life = model->settings.half_life,
		.signals = model->signals,
		.fatigue_half_life = OidIsValid(model->time_type) ? model->settings.fatigue_half_life : 0,
		.item_type = model->item_type,
		.item_base = IdBaseType(model->item_type),
		.weight_type = is_float(model->weight_type) ? model->weight_type : FLOAT8OID,
	};
	int column = 0;

	if (rule.timed)
		rule.time = ++column;
	if (OidIsValid(model->weight_type))
		rule.weight = ++column;
	if (HistoryHasSignals(model))
		rule.signal = ++column;
	return rule;
}

bool
HistoryHasSignals(const Model *model)
{
	const Signals *signals = model->signals;

	return signals && signals->named > 0 && model->has_signal;
}

const char *
HistoryColumns(const Model *model)
{
	const char *time = model->time_type == TIMESTAMPTZOID ? ", occurred_at"
					   : OidIsValid(model->time_type)     ? ", occurred_at::pg_catalog.timestamptz"
														  : "";
	const char *weight = is_float(model->weight_type)     ? ", weight"
						 : OidIsValid(model->weight_type) ? ", weight::pg_catalog.float8"
														  : "";

	return psprintf("item_id%s%s%s", time, weight,
					HistoryHasSignals(model) ? ", signal::pg_catalog.text" : "");
}

/* True where a column is there no more, or of another type. */
static bool
has_changed(TupleDesc row, int column, Oid type)
{
	return column >= row->natts || TupleDescAttr(row, column)->atttypid != type;
}

void
HistoryCheck(const HistoryRule *rule, TupleDesc row, int first)
{
	if (has_changed(row, first, rule->item_type) ||
		(rule->time && has_changed(row, first + rule->time, TIMESTAMPTZOID)) ||
		(rule->weight && has_changed(row, first + rule->weight, rule->weight_type)) ||
		(rule->signal && has_changed(row, first + rule->signal, TEXTOID)))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("the events of the model changed while they were asked for"),
						errhint("Ask again.")));
}

bool
HistoryTake(const HistoryRule *rule, const TupleTableSlot *row, int first, HistoryEvent *event,
			Datum *item)
{
	const Datum *value = row->tts_values + first;
	const bool *isnull = row->tts_isnull + first;

	if (isnull[0] || (rule->weight && isnull[rule->weight]))
		return false;
	*item = IdNormalise(value[0], rule->item_base);
	event->weight = rule->weight == 0                ? 1
					: rule->weight_type == FLOAT4OID ? DatumGetFloat4(value[rule->weight])
													 : DatumGetFloat8(value[rule->weight]);
	event->at = DT_NOBEGIN;
	event->shown = event->weight == 0;
	event->signal = 0;
	if (!isfinite((float) event->weight))
		return false;
	if (rule->signals)
		event->signal = rule->signal && !isnull[rule->signal]
							? SignalsFind(rule->signals, value[rule->signal])
							: rule->signals->named;
	if (!rule->timed)
		return true;
	if (isnull[rule->time])
		return false;
	event->at = DatumGetTimestampTz(value[rule->time]);
	return event->at <= rule->as_of;
}

double
HistoryDecay(const HistoryRule *rule, TimestampTz at, double weight)
{
	double age = 0;

	if (rule->half_life == 0)
		return weight;
	if (rule->timed)
		age =
			TIMESTAMP_IS_NOBEGIN(at) ? UINT32_MAX : Max(0, rule->decay_seconds - EventsSeconds(at));
	return weight * DecayFactor(age, rule->half_life);
}

static inline int
compare_events(const HistoryEvent *a, const HistoryEvent *b)
{
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if (a->weight != b->weight)
		return a->weight < b->weight ? -1 : 1;
	if (a->signal != b->signal)
		return a->signal < b->signal ? -1 : 1;
	return a->shown != b->shown ? (a->shown ? -1 : 1) : 0;
}

#define ST_SORT          sort_events
#define ST_ELEMENT_TYPE  HistoryEvent
#define ST_COMPARE(a, b) compare_events(a, b)
#define ST_SCOPE         static
#define ST_DEFINE
#define ST_CHECK_FOR_INTERRUPTS
#include "lib/sort_template.h"

static bool
is_in_order(const HistoryEvent *events, uint32 count)
{
	for (uint32 e = 1; e < count; e++)
		if (events[e].id < events[e - 1].id)
			return false;
	return true;
}

/* Until when an event keeps its item out. */
static TimestampTz
kept_until(const HistoryRule *rule, const HistoryEvent *event)
{
	TimestampTz until;
	int64 keeps_out = SIGNAL_FOREVER;

	if (rule->signals)
	{
		const Signal *signal = &rule->signals->signal[event->signal];

		/* What was merely shown keeps nothing out, unless its signal is named for it. */
		if (event->shown && !signal->ruled)
			return DT_NOBEGIN;
		keeps_out = signal->keeps_out;
	}
	else if (event->shown)
		return DT_NOBEGIN;
	if (keeps_out == 0)
		return DT_NOBEGIN;

	/* How long ago it was nobody knows without times: better too long than too short. */
	if (keeps_out == SIGNAL_FOREVER || !rule->timed ||
		pg_add_s64_overflow(event->at, keeps_out, &until))
		return DT_NOEND;
	return until;
}

/* Adds an event to its item, to which all earlier ones were added. */
static inline void
add_to_item(const HistoryRule *rule, const HistoryEvent *event, HistoryItem *item)
{
	TimestampTz until = kept_until(rule, event);

	item->newest = event->at;
	if (event->weight > 0)
		item->chosen = event->at;
	item->weight += event->weight;
	if (until > item->until || (until == item->until && event->signal < item->signal))
	{
		item->until = until;
		item->signal = event->signal;
	}
	/* What is done with an item answers for the times it was shown before. */
	if (!event->shown)
		item->wear = 0;
	else if (rule->fatigue_half_life > 0)
		item->wear += (float) DecayFactor(
			((double) rule->as_of - (double) event->at) / USECS_PER_SEC, rule->fatigue_half_life);
}

/* What the events of one item come to where some signals say more than others. */
static double
weigh_parts(const Signals *signals, const HistoryEvent *events, uint32 count)
{
	Parts parts = {0};

	for (uint32 e = 0; e < count; e++)
		PartsAdd(&parts, signals->signal[events[e].signal].part, events[e].weight);
	PartsSettle(&parts, signals->parts);
	return PartsWeight(&parts, signals->weight, signals->parts);
}

void
HistorySum(const HistoryRule *rule, HistoryEvent *events, uint32 count, History *history)
{
	history->count = 0;
	history->worn = false;
	history->event = events;
	history->events = count;
	if (!is_in_order(events, count))
		sort_events(events, count);
	for (uint32 e = 0, end; e < count; e = end)
	{
		HistoryItem item = {.id = events[e].id, .chosen = DT_NOBEGIN, .until = DT_NOBEGIN};

		for (end = e + 1; end < count && events[end].id == item.id; end++)
			;
		/* Repeats are summed in an order of their own, not that of the rows. */
		if (end > e + 1)
			sort_events(events + e, end - e);
		for (uint32 repeat = e; repeat < end; repeat++)
			add_to_item(rule, &events[repeat], &item);
		if (rule->signals && rule->signals->parts > 0)
			item.weight = weigh_parts(rule->signals, events + e, end - e);
		item.seen = item.until == DT_NOEND || item.until > rule->as_of;
		history->worn |= item.wear > 0;
		history->item[history->count++] = item;
	}
}

static HistoryReader
begin(IdSet *ids, Budget *budget)
{
	if (IdSetCount(ids) == 0)
		IdSetExpect(ids, MOSTLY);
	return (HistoryReader){.budget = budget, .ids = ids};
}

static void
add(HistoryReader *reader, HistoryEvent event)
{
	if (reader->count == reader->room)
	{
		if (reader->room >= UINT32_MAX / 2)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("a history has too many events")));
		reader->room = Max(MOSTLY, reader->room * 2);
		reader->event =
			BudgetResize(reader->budget, reader->event, reader->room, sizeof(HistoryEvent));
	}
	reader->event[reader->count++] = event;
}

/* What was read, summed by item. */
static History *
finish(HistoryReader *reader)
{
	History *history = BudgetAlloc(reader->budget, 1, sizeof(History));

	history->ids = reader->ids;
	history->item = BudgetAlloc(reader->budget, Min(IdSetCount(reader->ids), reader->count),
								sizeof(HistoryItem));
	HistorySum(&reader->rule, reader->event, reader->count, history);
	return history;
}

/* Takes one row of a user; those a refresh would skip are skipped. */
static void
take(TupleTableSlot *row, void *with)
{
	HistoryReader *reader = with;
	HistoryEvent event;
	Datum item;

	if (row->tts_tupleDescriptor != reader->checked)
		HistoryCheck(&reader->rule, reader->checked = row->tts_tupleDescriptor, 0);
	if (reader->shared->take)
		reader->shared->take(row, reader->shared->with);
	if (!HistoryTake(&reader->rule, row, 0, &event, &item))
		return;
	event.weight = HistoryDecay(&reader->rule, event.at, event.weight);
	event.id = IdSetAdd(reader->ids, item);
	add(reader, event);
}

/* The query that a history is read by, with columns behind those it needs. */
static char *
query(const Model *model, const char *columns)
{
	return psprintf("SELECT %s%s FROM %s.events WHERE user_id OPERATOR(pg_catalog.=) $1",
					HistoryColumns(model), columns, model->quoted);
}

char *
HistoryQuery(const Model *model)
{
	return query(model, "");
}

History *
HistoryReadShared(const Model *model, Datum user, TimestampTz as_of, const HistoryShared *shared,
				  Budget *budget)
{
	HistoryReader reader = begin(shared->ids, budget);
	Oid type = IdType(model->user_kind);

	reader.rule = HistoryRuleOf(model, as_of);
	reader.shared = shared;
	(shared->many ? PlanStreamMany : PlanStream)(query(model, shared->columns), 1, &type, &user,
												 take, &reader);
	ModelNeedsName(model);
	return finish(&reader);
}

History *
HistoryReadIn(const Model *model, Datum user, TimestampTz as_of, IdSet *ids, Budget *budget)
{
	HistoryShared alone = {.ids = ids, .columns = ""};

	return HistoryReadShared(model, user, as_of, &alone, budget);
}

History *
HistoryRead(const Model *model, Datum user, TimestampTz as_of, Budget *budget)
{
	return HistoryReadIn(model, user, as_of, IdSetCreate(model->item_kind, budget), budget);
}

History *
HistoryOfItemsIn(const Model *model, const Datum *items, int count, IdSet *ids, Budget *budget)
{
	HistoryReader reader = begin(ids, budget);
	IdSet *named = IdSetCreate(model->item_kind, budget);

	for (int i = 0; i < count; i++)
	{
		bool new = IdSetFind(named, items[i]) == ID_NONE;

		/* An item named twice counts once. */
		IdSetAdd(named, items[i]);
		add(&reader, (HistoryEvent){.at = DT_NOBEGIN,
									.weight = new ? 1 : 0,
									.shown = !new,
									.id = IdSetAdd(reader.ids, items[i])});
	}
	IdSetFree(named);
	return finish(&reader);
}

History *
HistoryOfItems(const Model *model, const Datum *items, int count, Budget *budget)
{
	return HistoryOfItemsIn(model, items, count, IdSetCreate(model->item_kind, budget), budget);
}

static int
by_id(const void *a, const void *b)
{
	uint32 x = ((const HistoryItem *) a)->id;
	uint32 y = ((const HistoryItem *) b)->id;

	return x < y ? -1 : x > y;
}

const HistoryItem *
HistoryFindNumber(const History *history, uint32 id)
{
	HistoryItem wanted = {.id = id};

	return bsearch(&wanted, history->item, history->count, sizeof(HistoryItem), by_id);
}

const HistoryItem *
HistoryFind(const History *history, Datum item)
{
	uint32 id = IdSetFind(history->ids, item);

	return id == ID_NONE ? NULL : HistoryFindNumber(history, id);
}
