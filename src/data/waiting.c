#include "data/waiting.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "data/history.h"
#include "data/plan.h"
#include "data/serial.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/timestamp.h"

/* Users asked by a statement each, in the time that the catalogue takes to read; and items for one more. */
#define USERS_FIRST  8
#define ITEMS_A_USER 256

#define NONE UINT32_MAX

/* The kinds, in the order of their names: of two that are as likely the first counts. */
typedef enum Kind
{
	KIND_BASKET,
	KIND_NEXT,
	KIND_UNFINISHED,
	KINDS
} Kind;

static const char *const kind_name[KINDS] = {"basket", "next", "unfinished"};

/* What a signal says of an item. */
enum
{
	PUT = 1,
	TAKEN = 2,
	GONE = 4
};

typedef struct SignalName
{
	const char *name;
	Size length;
	int says;
} SignalName;

/* A share of everybody's, see data/resuming. */
typedef struct Share
{
	Kind kind;
	double progress_from;
	double progress_to;
	int64 visit_from;
	int64 visit_to;
	double probability;
} Share;

/* What a user did with an item. */
typedef struct Known
{
	uint32 item;
	uint32 waits; /* its place in the list, or NONE */
	int says;     /* of all its events together */
	bool out;     /* taken or gone by an event that did not put it in */
	bool done;
	double weight;
	TimestampTz last;
	DateADT day;
	TimestampTz put_at;
	DateADT put_day;
	TimestampTz out_at;
	/* Of what tells how far somebody came, or that it is gone, the last. */
	bool has_state;
	bool gone;
	bool has_progress;
	double progress;
	TimestampTz state_at;
	DateADT state_day;
} Known;

/* What a user did with a series. */
typedef struct Touched
{
	uint32 series;
	uint32 done; /* the furthest part that was finished, or NONE */
	bool begun;
	TimestampTz last;
	DateADT day;
} Touched;

struct Waiting
{
	const Model *model;
	Budget *budget;
	IdSet *ids;
	HistoryRule rule; /* where the columns of an event are; nothing else of it */
	char *columns;
	char *sql;
	int signal_column; /* of those behind the history's, from 1; 0 for none */
	int progress_column;
	double finished;
	Datum zone;
	SignalName *signal;
	int signals;

	const Serial *serial;
	uint32 *touched_as; /* of each series, its place among what the user touched, if it is there */
	Share *share;
	uint32 shares;
	uint64 share_room;

	/* The user. */
	TimestampTz as_of;
	TupleDesc checked;
	uint32 *place; /* among what is known, by number of the item, or NONE */
	uint64 places;
	Known *known;
	uint32 count;
	uint64 known_room;
	DateADT *day; /* of visits, each once in a row, then each once, latest first */
	uint32 days;
	uint64 day_room;
	TimestampTz day_at; /* the time whose day was asked for last */
	DateADT day_of;
	bool has_day;
	Touched *touched;
	uint32 touches;
	uint64 touched_room;
	WaitingItem *list;
	uint32 listed;
	uint64 list_room;
};

/* Adds the signals of an array to those that say something. */
static void
name_signals(Waiting *waiting, Datum names, int says)
{
	Datum *name;
	int count;

	deconstruct_array(DatumGetArrayTypeP(names), TEXTOID, -1, false, TYPALIGN_INT, &name, NULL,
					  &count);
	waiting->signal = BudgetResize(waiting->budget, waiting->signal,
								   (uint64) (waiting->signals + count + 1), sizeof(SignalName));
	for (int n = 0; n < count; n++)
	{
		Size length = VARSIZE_ANY_EXHDR(DatumGetPointer(name[n]));
		char *copy = BudgetAlloc(waiting->budget, length + 1, 1);

		memcpy(copy, VARDATA_ANY(DatumGetPointer(name[n])), length);
		waiting->signal[waiting->signals++] = (SignalName){copy, length, says};
	}
}

/* Makes the columns and the statement that a user's events are read by. */
static void
prepare(Waiting *waiting, const Unfinished *unfinished)
{
	const Model *model = waiting->model;
	MemoryContext caller;
	int columns = 0;

	name_signals(waiting, unfinished->basket, PUT);
	name_signals(waiting, unfinished->bought, TAKEN);
	name_signals(waiting, unfinished->removed, GONE);
	caller = MemoryContextSwitchTo(BudgetContext(waiting->budget));
	waiting->columns = pstrdup("");
	if (model->has_signal && waiting->signals > 0)
	{
		waiting->signal_column = ++columns;
		waiting->columns = psprintf("%s, signal::pg_catalog.text", waiting->columns);
	}
	if (unfinished->progress)
	{
		waiting->progress_column = ++columns;
		waiting->columns = psprintf("%s, %s::pg_catalog.float8", waiting->columns,
									quote_identifier(unfinished->progress));
	}
	waiting->sql = psprintf("SELECT %s%s FROM %s.events WHERE user_id OPERATOR(pg_catalog.=) $1",
							HistoryColumns(model), waiting->columns, model->quoted);
	waiting->zone = CStringGetTextDatum(model->settings.time_zone);
	MemoryContextSwitchTo(caller);
}

/* Room by number for whatever ids there are by now. */
static void
make_places(Waiting *waiting, uint32 number)
{
	uint64 before = waiting->places;

	if (number < before)
		return;
	waiting->place = BudgetGrow(waiting->budget, waiting->place, (uint64) number + 1,
								&waiting->places, sizeof(uint32));
	memset(waiting->place + before, 0xff, sizeof(uint32) * (waiting->places - before));
}

/* Takes a row of the table of shares. */
static void
take_share(TupleTableSlot *row, void *with)
{
	Waiting *waiting = with;
	const Datum *value = row->tts_values;
	char *name;

	for (int c = 0; c < row->tts_tupleDescriptor->natts; c++)
		if (row->tts_isnull[c])
			return;
	name = TextDatumGetCString(value[0]);
	for (Kind kind = 0; kind < KINDS; kind++)
	{
		if (strcmp(name, kind_name[kind]) != 0)
			continue;
		waiting->share = BudgetGrow(waiting->budget, waiting->share, (uint64) waiting->shares + 1,
									&waiting->share_room, sizeof(Share));
		waiting->share[waiting->shares++] = (Share){kind,
													DatumGetFloat8(value[1]),
													DatumGetFloat8(value[2]),
													DatumGetInt64(value[3]),
													DatumGetInt64(value[4]),
													DatumGetFloat8(value[5])};
	}
	pfree(name);
}

Waiting *
WaitingHold(const Model *model, const Unfinished *unfinished, IdSet *ids, Budget *budget)
{
	Waiting *waiting = BudgetZeroed(budget, 1, sizeof(Waiting));

	waiting->model = model;
	waiting->budget = budget;
	waiting->ids = ids;
	waiting->rule = HistoryRuleOf(model, DT_NOEND);
	waiting->finished = unfinished->finished;
	prepare(waiting, unfinished);
	waiting->serial = SerialRead(model, unfinished, ids, budget);
	if (waiting->serial == NULL)
		return NULL;
	waiting->touched_as = BudgetZeroed(budget, waiting->serial->count, sizeof(uint32));
	PlanStream(psprintf("SELECT l.kind::text, l.progress_from::float8, l.progress_to::float8, "
						"l.visit_from::int8, l.visit_to::int8, l.probability::float8 "
						"FROM ONLY %s.learned_resume l",
						model->quoted),
			   0, NULL, NULL, take_share, waiting);
	return waiting;
}

bool
WaitingPays(const Model *model, uint64 asked)
{
	return asked >= USERS_FIRST + model->item_slots / ITEMS_A_USER;
}

const char *
WaitingColumns(const Waiting *waiting)
{
	return waiting->columns;
}

void
WaitingBegin(Waiting *waiting, TimestampTz as_of)
{
	for (uint32 n = 0; n < waiting->count; n++)
		waiting->place[waiting->known[n].item] = NONE;
	waiting->as_of = as_of;
	waiting->checked = NULL;
	waiting->count = 0;
	waiting->days = 0;
	waiting->touches = 0;
	waiting->listed = 0;
}

/* What the signal of an event says. */
static int
says(const Waiting *waiting, Datum signal)
{
	text *name = DatumGetTextPP(signal);
	int all = 0;

	for (int n = 0; n < waiting->signals; n++)
		if (waiting->signal[n].length == VARSIZE_ANY_EXHDR(name) &&
			memcmp(waiting->signal[n].name, VARDATA_ANY(name), waiting->signal[n].length) == 0)
			all |= waiting->signal[n].says;
	if ((Pointer) name != DatumGetPointer(signal))
		pfree(name);
	return all;
}

/* The day of a time, in the time zone of the model as SQL has it. */
static DateADT
day_of(Waiting *waiting, TimestampTz at)
{
	if (!waiting->has_day || waiting->day_at != at)
	{
		Datum there = DirectFunctionCall2(timestamptz_zone, waiting->zone, TimestampTzGetDatum(at));

		waiting->day_of = DatumGetDateADT(DirectFunctionCall1(timestamp_date, there));
		waiting->day_at = at;
		waiting->has_day = true;
	}
	return waiting->day_of;
}

/* A day somebody was there. */
static void
add_day(Waiting *waiting, DateADT day)
{
	if (waiting->days > 0 && waiting->day[waiting->days - 1] == day)
		return;
	waiting->day = BudgetGrow(waiting->budget, waiting->day, (uint64) waiting->days + 1,
							  &waiting->day_room, sizeof(DateADT));
	waiting->day[waiting->days++] = day;
}

/* What is known of an item. */
static Known *
know(Waiting *waiting, Datum id)
{
	uint32 item = IdSetAdd(waiting->ids, id);

	make_places(waiting, item);
	if (waiting->place[item] == NONE)
	{
		waiting->known = BudgetGrow(waiting->budget, waiting->known, (uint64) waiting->count + 1,
									&waiting->known_room, sizeof(Known));
		waiting->known[waiting->count] = (Known){.item = item,
												 .waits = NONE,
												 .last = DT_NOBEGIN,
												 .put_at = DT_NOBEGIN,
												 .out_at = DT_NOBEGIN};
		waiting->place[item] = waiting->count++;
	}
	return &waiting->known[waiting->place[item]];
}

/* An event as far as it matters. */
typedef struct Event
{
	TimestampTz at; /* DT_NOBEGIN where events have no times */
	DateADT day;
	double weight;
	int says;
	bool has_progress;
	double progress;
} Event;

/* True where an event tells later, or as late more, of how far somebody came than what is known. */
static bool
tells_more(const Known *known, const Event *event)
{
	bool gone = (event->says & GONE) != 0;

	if (!known->has_state || event->at != known->state_at)
		return !known->has_state || event->at > known->state_at;
	if (gone != known->gone)
		return gone;
	if (event->has_progress != known->has_progress)
		return event->has_progress;
	return event->has_progress && event->progress > known->progress;
}

/* Adds an event to what is known of its item. */
static void
add_event(Waiting *waiting, Known *known, const Event *event)
{
	known->weight += event->weight;
	known->done |= event->has_progress ? event->progress >= waiting->finished : event->weight > 0;
	known->says |= event->says;
	if (event->at > known->last)
	{
		known->last = event->at;
		known->day = event->day;
	}
	if ((event->says & PUT) && event->at > known->put_at)
	{
		known->put_at = event->at;
		known->put_day = event->day;
	}
	if (!(event->says & PUT) && (event->says & (TAKEN | GONE)))
	{
		known->out = true;
		known->out_at = Max(known->out_at, event->at);
	}
	if (waiting->progress_column == 0 || !(event->has_progress || (event->says & GONE)) ||
		!tells_more(known, event))
		return;
	known->has_state = true;
	known->gone = (event->says & GONE) != 0;
	known->has_progress = event->has_progress;
	known->progress = event->progress;
	known->state_at = event->at;
	known->state_day = event->day;
}

void
WaitingTake(TupleTableSlot *row, void *with)
{
	Waiting *waiting = with;
	const HistoryRule *rule = &waiting->rule;
	int behind = Max(Max(rule->time, rule->weight), rule->signal);
	const Datum *value = row->tts_values;
	const bool *isnull = row->tts_isnull;
	Event event = {.at = DT_NOBEGIN, .weight = 1};

	if (row->tts_tupleDescriptor != waiting->checked)
		HistoryCheck(rule, waiting->checked = row->tts_tupleDescriptor, 0);
	if (isnull[0] || (rule->weight && isnull[rule->weight]) || (rule->time && isnull[rule->time]))
		return;
	if (rule->weight)
		event.weight = rule->weight_type == FLOAT4OID ? DatumGetFloat4(value[rule->weight])
													  : DatumGetFloat8(value[rule->weight]);
	if (rule->time)
		event.at = DatumGetTimestampTz(value[rule->time]);
	/* As UnfinishedWords has it. */
	if (!(fabs(event.weight) < 1e38) ||
		(rule->time && (TIMESTAMP_NOT_FINITE(event.at) || event.at > waiting->as_of)))
		return;
	if (waiting->signal_column && !isnull[behind + waiting->signal_column])
		event.says = says(waiting, value[behind + waiting->signal_column]);
	if (waiting->progress_column && !isnull[behind + waiting->progress_column])
	{
		event.progress = DatumGetFloat8(value[behind + waiting->progress_column]);
		event.has_progress = !isnan(event.progress);
		event.progress = Max(0, Min(1, event.progress));
	}
	if (rule->time)
		add_day(waiting, event.day = day_of(waiting, event.at));
	add_event(waiting, know(waiting, IdNormalise(value[0], rule->item_base)), &event);
}

void
WaitingRead(Waiting *waiting, Datum user)
{
	Oid type = IdType(waiting->model->user_kind);

	PlanStreamMany(waiting->sql, 1, &type, &user, WaitingTake, waiting);
}

static int
latest_day(const void *a, const void *b)
{
	DateADT x = *(const DateADT *) a;
	DateADT y = *(const DateADT *) b;

	return x > y ? -1 : x < y;
}

/* Leaves each day once, the latest first. */
static void
sort_days(Waiting *waiting)
{
	uint32 days = 0;

	if (waiting->days > 1)
		qsort(waiting->day, waiting->days, sizeof(DateADT), latest_day);
	for (uint32 d = 0; d < waiting->days; d++)
		if (days == 0 || waiting->day[d] != waiting->day[days - 1])
			waiting->day[days++] = waiting->day[d];
	waiting->days = days;
}

/* Which visit since that day the next one is. */
static int64
visit_of(const Waiting *waiting, DateADT day)
{
	const DateADT *found = waiting->days == 0 ? NULL
											  : bsearch(&day, waiting->day, waiting->days,
														sizeof(DateADT), latest_day);

	return found ? found - waiting->day + 1 : 1;
}

/* How likely something is resumed. */
static double
chance(const Waiting *waiting, Kind kind, double progress, DateADT day)
{
	int64 visit = visit_of(waiting, day);
	double probability = -1;

	for (uint32 n = 0; n < waiting->shares; n++)
	{
		const Share *share = &waiting->share[n];

		if (share->kind == kind && progress >= share->progress_from &&
			progress < share->progress_to && visit >= share->visit_from && visit <= share->visit_to)
			probability = Max(probability, share->probability);
	}
	return probability < 0 ? 0.5 : probability;
}

/* The place of an item among what is known, or NONE. */
static uint32
place_of(const Waiting *waiting, uint32 item)
{
	return item < waiting->places ? waiting->place[item] : NONE;
}

/* True where an item may come: not one that is disliked or out of the catalogue. */
static bool
may_come(const Waiting *waiting, uint32 item)
{
	uint32 place = place_of(waiting, item);

	if (place != NONE && waiting->known[place].weight < 0)
		return false;
	return !waiting->model->has_items ||
		   (item < waiting->serial->catalogued && waiting->serial->in_catalogue[item]);
}

/* The place of an item on the list, or NONE; of what nobody touched only what is a part twice may be. */
static uint32
find_listed(const Waiting *waiting, uint32 item, uint32 place)
{
	uint32 part = SerialFirst(waiting->serial, item);

	if (place != NONE)
		return waiting->known[place].waits;
	for (uint32 n = 0;
		 part != NONE && waiting->serial->part[part].next != NONE && n < waiting->listed; n++)
		if (waiting->list[n].item == item)
			return n;
	return NONE;
}

/* True where of an item that waits twice the one is listed and not the other. */
static bool
counts_before(const WaitingItem *one, const WaitingItem *other)
{
	int kinds = strcmp(one->kind, other->kind);

	if (one->probability != other->probability)
		return one->probability > other->probability;
	if (kinds != 0)
		return kinds < 0;
	if (one->last != other->last)
		return one->last > other->last;
	return one->series && other->series && strcmp(one->series, other->series) < 0;
}

/* Puts something on the list, or, of an item that is there, what is likelier of the two. */
static void
put(Waiting *waiting, Kind kind, WaitingItem item, DateADT day)
{
	uint32 place;
	uint32 at;

	if (!may_come(waiting, item.item))
		return;
	item.kind = kind_name[kind];
	item.probability = chance(waiting, kind, item.has_progress ? item.progress : 0, day);
	item.has_last = !TIMESTAMP_IS_NOBEGIN(item.last);
	place = place_of(waiting, item.item);
	at = find_listed(waiting, item.item, place);
	if (at != NONE)
	{
		if (counts_before(&item, &waiting->list[at]))
			waiting->list[at] = item;
		return;
	}
	waiting->list = BudgetGrow(waiting->budget, waiting->list, (uint64) waiting->listed + 1,
							   &waiting->list_room, sizeof(WaitingItem));
	if (place != NONE)
		waiting->known[place].waits = waiting->listed;
	waiting->list[waiting->listed++] = item;
}

/* True where something is under way. */
static bool
is_begun(const Waiting *waiting, const Known *known)
{
	return known->has_state && !known->gone && known->progress > 0 &&
		   known->progress < waiting->finished;
}

/* Puts what an item alone says on the list. */
static void
put_known(Waiting *waiting, const Known *known)
{
	uint32 part = SerialFirst(waiting->serial, known->item);

	if (is_begun(waiting, known))
		put(waiting, KIND_UNFINISHED,
			(WaitingItem){.item = known->item,
						  .progress = known->progress,
						  .has_progress = true,
						  .last = known->state_at,
						  .series = part == NONE ? NULL : SerialName(waiting->serial, part),
						  .after = ID_NONE},
			known->state_day);
	if ((known->says & PUT) && (!known->out || known->put_at > known->out_at))
		put(waiting, KIND_BASKET,
			(WaitingItem){.item = known->item, .last = known->put_at, .after = ID_NONE},
			known->put_day);
}

/* What the user did with a series, nothing so far where it is new. */
static Touched *
touch(Waiting *waiting, uint32 series)
{
	uint32 at = waiting->touched_as[series];

	if (at < waiting->touches && waiting->touched[at].series == series)
		return &waiting->touched[at];
	waiting->touched = BudgetGrow(waiting->budget, waiting->touched, (uint64) waiting->touches + 1,
								  &waiting->touched_room, sizeof(Touched));
	waiting->touched_as[series] = at = waiting->touches++;
	waiting->touched[at] = (Touched){.series = series, .done = NONE, .last = DT_NOBEGIN};
	return &waiting->touched[at];
}

/* Adds what is known of an item to the series that it is a part of. */
static void
add_to_series(Waiting *waiting, const Known *known)
{
	for (uint32 p = SerialFirst(waiting->serial, known->item); p != NONE;
		 p = waiting->serial->part[p].next)
	{
		const SerialPart *part = &waiting->serial->part[p];
		Touched *touched;

		if (part->place == 0)
			continue;
		touched = touch(waiting, part->series);
		touched->begun |= is_begun(waiting, known);
		if (known->last > touched->last)
		{
			touched->last = known->last;
			touched->day = known->day;
		}
		if (known->done && (touched->done == NONE || p > touched->done))
			touched->done = p;
	}
}

/* Puts what comes next in a series on the list, where no part of it is under way. */
static void
put_next(Waiting *waiting, const Touched *touched)
{
	const Serial *serial = waiting->serial;
	const SerialPart *done = &serial->part[touched->done];
	uint32 end = serial->series[touched->series].end;

	for (uint32 p = touched->done + 1; p < end && serial->part[p].place != 0; p++)
	{
		const SerialPart *part = &serial->part[p];
		uint32 place = place_of(waiting, part->item);

		CHECK_FOR_INTERRUPTS();
		if (part->place == done->place || (place != NONE && (waiting->known[place].says & GONE)))
			continue;
		put(waiting, KIND_NEXT,
			(WaitingItem){.item = part->item,
						  .last = touched->last,
						  .series = serial->series[touched->series].name,
						  .after = done->item},
			touched->day);
		return;
	}
}

static int
likeliest(const void *a, const void *b, void *with)
{
	const Waiting *waiting = with;
	const WaitingItem *x = a;
	const WaitingItem *y = b;

	if (x->probability != y->probability)
		return x->probability > y->probability ? -1 : 1;
	if (x->last != y->last)
		return x->last > y->last ? -1 : 1;
	return IdSetCompare(waiting->ids, x->item, y->item);
}

const WaitingItem *
WaitingList(Waiting *waiting, uint32 most, uint32 *count)
{
	sort_days(waiting);
	for (uint32 n = 0; n < waiting->count; n++)
	{
		CHECK_FOR_INTERRUPTS();
		put_known(waiting, &waiting->known[n]);
		add_to_series(waiting, &waiting->known[n]);
	}
	for (uint32 n = 0; n < waiting->touches; n++)
		if (!waiting->touched[n].begun && waiting->touched[n].done != NONE)
			put_next(waiting, &waiting->touched[n]);
	qsort_arg(waiting->list, waiting->listed, sizeof(WaitingItem), likeliest, waiting);
	*count = most > 0 ? Min(waiting->listed, most) : waiting->listed;
	return waiting->list;
}
