/*
 * habits.c: reco_learn_habits: when everybody comes, and how items are chosen again.
 *
 * Once they were learned, every refresh learns them anew.
 *
 * All events are read once, user by user, and summed up to a few numbers a user and an item.  How long
 * ago an item was chosen last, without a next time, is kept by ranges: those for whom that is not long
 * yet say little of whether they ever will again.
 */
#include "api/habits.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "api/arguments.h"
#include "api/rhythm.h"
#include "catalog/pg_type.h"
#include "data/usage.h"
#include "data/histories.h"
#include "data/visits.h"
#include "executor/spi.h"
#include "math/bgnbd.h"
#include "math/repeats.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_learn_habits);

/* Everybody while they are read. */
typedef struct Learning
{
	const Model *model;
	TimestampTz as_of;
	pg_tz *zone;
	Budget *budget;
	IdSet *items;
	RepeatsSum *item; /* by number in items */
	uint32 room;
	BgnbdCustomer *customer;
	uint64 customers;
	uint64 customers_room;
	Usage habits;
	uint64 people[CLOCK_HOURS]; /* who chose something at an hour of the week */
	RepeatsMean visit_gap;
	uint64 new_items;
} Learning;

/* Room for what is known of every item so far. */
static void
reserve_items(Learning *learning)
{
	uint32 count = IdSetCount(learning->items);
	uint32 room = Max(learning->room * 2, 256);

	if (count <= learning->room)
		return;
	room = Max(room, count);
	learning->item = BudgetResize(learning->budget, learning->item, room, sizeof(RepeatsSum));
	memset(learning->item + learning->room, 0, sizeof(RepeatsSum) * (room - learning->room));
	learning->room = room;
}

/* Sums up the days on which a user chose each item. */
static void
take_items(Learning *learning, const History *history, TimestampTz *time)
{
	for (uint32 e = 0, end; e < history->events; e = end)
	{
		uint32 id = history->event[e].id;
		uint32 times;

		for (end = e + 1; end < history->events && history->event[end].id == id; end++)
			;
		times = VisitsOfItem(history->event + e, end - e, learning->zone, time);
		if (times == 0)
			continue;
		learning->new_items++;
		RepeatsAdd(&learning->item[id], times,
				   ((double) time[times - 1] - (double) time[0]) / USECS_PER_SEC,
				   ((double) learning->as_of - (double) time[times - 1]) / USECS_PER_SEC);
	}
}

/* Adds the hours of the week in which a user chose something. */
static void
take_hours(Learning *learning, const History *history, TimestampTz *time)
{
	double own[CLOCK_HOURS] = {0};

	VisitsHours(history, learning->zone, time, own);
	for (int h = 0; h < CLOCK_HOURS; h++)
	{
		learning->habits.hours[h] += own[h];
		learning->people[h] += own[h] > 0;
	}
}

/* Sums up one user. */
static void
take(Datum user, History *history, void *with)
{
	Learning *learning = with;
	TimestampTz *time =
		palloc_extended(sizeof(TimestampTz) * Max(history->events, 1), MCXT_ALLOC_HUGE);
	uint32 times;
	double span;

	reserve_items(learning);
	take_hours(learning, history, time);
	times = VisitsOf(history, learning->zone, time);
	if (times == 0)
		return;
	span = ((double) time[times - 1] - (double) time[0]) / USECS_PER_SEC;
	learning->habits.users++;
	learning->habits.visits += times;
	learning->habits.gaps += times - 1;
	if (times > 1)
		RepeatsMeanAdd(&learning->visit_gap, span / (times - 1));
	if (learning->customers == learning->customers_room)
	{
		learning->customers_room = Max(1024, learning->customers_room * 3 / 2);
		learning->customer = BudgetResize(learning->budget, learning->customer,
										  learning->customers_room, sizeof(BgnbdCustomer));
	}
	learning->customer[learning->customers++] =
		(BgnbdCustomer){times - 1, span / SECS_PER_DAY,
						((double) learning->as_of - (double) time[0]) / USECS_PER_DAY};
	take_items(learning, history, time);
}

#define ST_SORT          sort_customers
#define ST_ELEMENT_TYPE  BgnbdCustomer
#define ST_COMPARE(a, b) BgnbdCompare(a, b)
#define ST_SCOPE         static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* The least number of people of whom something is written down: min_support. */
static uint64
least_people(const Learning *learning)
{
	return (uint64) learning->model->settings.similarity.rule.min_support;
}

/* What all users together say. */
static void
settle(Learning *learning)
{
	Usage *habits = &learning->habits;
	BgnbdFit fit;

	for (int h = 0; h < CLOCK_HOURS; h++)
		if (learning->people[h] < least_people(learning))
			habits->hours[h] = 0;

	sort_customers(learning->customer, learning->customers);
	habits->fitted = BgnbdFind(learning->customer, learning->customers, &fit);
	if (habits->fitted)
		habits->model = fit.model;
	habits->visit_gap = RepeatsMeanValue(&learning->visit_gap);
	habits->new_items =
		habits->visits > 0 ? (double) learning->new_items / (double) habits->visits : NAN;
}

/* What is said of every item that was chosen, and of all of them; returns how many there are. */
static Repeat *
settle_items(Learning *learning, uint32 *count)
{
	Repeat *repeats = BudgetAlloc(learning->budget, IdSetCount(learning->items), sizeof(Repeat));
	Usage *habits = &learning->habits;
	RepeatsSum all = {0};

	*count = 0;
	for (uint32 n = 0; n < IdSetCount(learning->items); n++)
		RepeatsMerge(&all, &learning->item[n]);
	habits->repeat_gap = RepeatsMeanValue(&all.gap);
	habits->repeat_share = RepeatsShareOfAll(&all, habits->repeat_gap);
	for (uint32 n = 0; n < IdSetCount(learning->items); n++)
	{
		const RepeatsSum *sum = &learning->item[n];

		CHECK_FOR_INTERRUPTS();
		if (sum->visits == 0 || (uint64) sum->people < least_people(learning))
			continue;
		repeats[(*count)++] =
			(Repeat){.item = IdSetDatum(learning->items, n),
					 .visits = sum->visits,
					 .gaps = sum->gaps,
					 .gap = RepeatsTypical(sum, habits->repeat_gap),
					 .share = RepeatsShare(sum, habits->repeat_gap, habits->repeat_share)};
	}
	return repeats;
}

/* The report, in the order of the columns of reco_learn_habits. */
static Datum
report(FunctionCallInfo fcinfo, const Learning *learning, uint32 items, double seconds)
{
	const Usage *habits = &learning->habits;
	Datum values[] = {Int64GetDatum(habits->users),
					  Int64GetDatum(habits->visits),
					  Int64GetDatum(items),
					  Float8GetDatum(habits->repeat_share),
					  Float8GetDatum(rint(seconds * 1e6) / 1e6),
					  Int64GetDatum((int64) BudgetPeak(learning->budget))};
	bool nulls[lengthof(values)] = {0};
	TupleDesc desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE ||
		desc->natts != lengthof(values))
		elog(ERROR, "reco_learn_habits was not declared as this library expects");
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* Reads, sums up and writes, as the owner; returns how many items there are. */
static uint32
learn(Learning *learning)
{
	DoorRole role = DoorBecome(learning->model->owner);
	HistoriesWanted wanted = {
		.as_of = learning->as_of, .as_given = true, .learning = true, .parts = 1};
	Repeat *repeats;
	uint32 count;

	DoorEnter((Model *) learning->model);
	learning->zone = ClockZone(learning->model->settings.time_zone);
	learning->habits.as_of = learning->as_of;
	learning->habits.time_zone = learning->model->settings.time_zone;
	learning->items = IdSetCreate(learning->model->item_kind, learning->budget);
	HistoriesRead(learning->model, &wanted, learning->items, learning->budget, take, learning);
	reserve_items(learning);
	settle(learning);
	repeats = settle_items(learning, &count);
	UsageWrite(learning->model, &learning->habits, repeats, count);
	DoorLeave(learning->model);
	DoorReturn(&role);
	return count;
}

/* What is learned of a model as of a time. */
static Learning
begin(const Model *model, TimestampTz as_of)
{
	return (Learning){.model = model,
					  .as_of = as_of,
					  .budget = BudgetCreate(CurrentMemoryContext,
											 psprintf("habits of model \"%s\"", model->name),
											 BudgetMaintenance())};
}

bool
HabitsLearned(const Model *model)
{
	DoorRole role;
	bool learned;

	if (!OidIsValid(model->time_type) ||
		!OidIsValid(get_relname_relid("learned_habit", model->schema)))
		return false;
	role = DoorBecome(model->owner);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	ModelNeedsTable(model, "learned_habit");
	learned = UsageIsThere(model);
	DoorLeave(model);
	DoorReturn(&role);
	return learned;
}

Size
HabitsAgain(Oid reco, Oid table, TimestampTz as_of)
{
	Model *model = ModelOpen(reco, table);
	Learning learning = begin(model, as_of);
	Size peak;

	/* What the refresh has written is to be seen. */
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	learn(&learning);
	PopActiveSnapshot();
	peak = BudgetPeak(learning.budget);
	BudgetDestroy(learning.budget);
	return peak;
}

/* reco_learn_habits(model, as_of) */
Datum
reco_learn_habits(PG_FUNCTION_ARGS)
{
	Model *model = DoorModel(fcinfo, 0);
	Learning learning;
	TimestampTz began = GetCurrentTimestamp();
	uint32 items;

	ModelNeedsOwner(model);
	PreventCommandIfReadOnly("reco_learn_habits()");
	learning = begin(model, PG_ARGISNULL(1) ? GetCurrentTimestamp() : PG_GETARG_TIMESTAMPTZ(1));
	RhythmNeedsTimes(model, learning.as_of);
	/* Refreshes take the same lock, so that all maintenance of a model takes turns. */
	LockRelationOid(model->table, ShareUpdateExclusiveLock);
	items = learn(&learning);
	return report(fcinfo, &learning, items,
				  (double) (GetCurrentTimestamp() - began) / USECS_PER_SEC);
}
