/*
 * purchases.c: reco_next_purchases: what somebody will choose next, and when.
 *
 * Two kinds of rows come together by their chance.  What was chosen before comes again by its own
 * rhythm: the person's own gaps with the item, after a prior of the item's typical one.  What is new
 * comes with the next visits: as many new items as these are expected to bring, shared out by the scores
 * of reco_top_n.
 */
#include "api/recommend.h"
#include "api/rerank.h"

#include <math.h>

#include "api/arguments.h"
#include "api/rhythm.h"
#include "api/site.h"
#include "catalog/pg_type.h"
#include "data/usage.h"
#include "data/history.h"
#include "data/visits.h"
#include "executor/spi.h"
#include "math/gaps.h"
#include "math/repeats.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_next_purchases);

/* The columns of the answer. */
enum
{
	NEXT_ITEM,
	NEXT_CHANCE,
	NEXT_AT,
	NEXT_FROM,
	NEXT_UNTIL,
	NEXT_SOURCE,
	NEXT_TIMES,
	NEXT_COLUMNS
};

static const Oid next_types[NEXT_COLUMNS] = {
	DOOR_ITEM, FLOAT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, INT4OID};

/* One row of the answer. */
typedef struct Next
{
	uint32 number; /* in the ids of the history */
	uint32 place;  /* among those of its kind, best first */
	double chance; /* -1 where nothing is known of it */
	bool foreseen; /* when is known: */
	GapsNext gap;  /* in microseconds, as the next */
	double silence;
	TimestampTz last;
	bool told; /* the three times of the answer are made already */
	Datum when[3];
	Datum source;
	int32 times;
} Next;

/*
 * What a call site keeps: everybody's habits, and when it was asked often enough that reading them
 * of all items costs no more than what was read of some, these.
 */
typedef struct Asked
{
	Site site;
	Budget *budget; /* of what follows */
	Usage *habits;
	UsageAll *repeats;
	struct Rerank *rerank; /* NULL where nothing puts lists in order */
} Asked;

/* Items that are read at once in the time that a question takes to look up those it needs. */
#define ITEMS_A_CALL 128

/* A question. */
typedef struct Question
{
	Model *model;
	Usage *habits;
	const UsageAll *repeats; /* NULL where they are looked up */
	History *history;
	TimestampTz as_of;
	double horizon; /* microseconds */
	pg_tz *zone;
	TimestampTz *time; /* room for one an event */
	Next *next;
	uint32 count;
} Question;

/* Chances fall; of equals, repeats come before what is new, each kind in its order. */
static int
likely_first(const void *a, const void *b)
{
	const Next *x = a;
	const Next *y = b;

	if (x->chance != y->chance)
		return x->chance > y->chance ? -1 : 1;
	if ((x->times > 0) != (y->times > 0))
		return x->times > 0 ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* How an item, or a visit, comes next by some times it came before, at least one. */
static void
foresee(const Question *question, uint32 times, double typical, Next *next)
{
	Gaps gaps = GapsBetween(question->time, times);

	next->last = question->time[times - 1];
	next->silence = (double) question->as_of - (double) next->last;
	next->foreseen = gaps.count > 0 || typical > 0;
	if (typical > 0)
		next->gap = GapsForeseeAfter(&gaps, typical * USECS_PER_SEC, REPEATS_PRIOR);
	else if (gaps.count > 0)
		next->gap = GapsForesee(&gaps);
}

/* The items that were chosen before and not disliked, as numbers of the history's ids. */
static uint32 *
chosen_items(const Question *question, uint32 *count)
{
	const History *history = question->history;
	uint32 *number = palloc_extended(sizeof(uint32) * Max(history->count, 1), MCXT_ALLOC_HUGE);

	*count = 0;
	for (uint32 n = 0; n < history->count; n++)
		if (history->item[n].weight > 0 && !TIMESTAMP_NOT_FINITE(history->item[n].chosen))
			number[(*count)++] = history->item[n].id;
	return number;
}

/* What is known of some items of the history. */
static Repeat *
read_repeats(const Question *question, const uint32 *number, uint32 count)
{
	const History *history = question->history;
	Repeat *repeats;

	if (question->repeats == NULL)
		return UsageRepeats(question->model, question->habits,
							IdSetArrayOf(history->ids, number, count), count);
	repeats = palloc_extended(sizeof(Repeat) * Max(count, 1), MCXT_ALLOC_HUGE);
	for (uint32 n = 0; n < count; n++)
		repeats[n] = UsageOf(question->repeats, IdSetDatum(history->ids, number[n]));
	return repeats;
}

/* Adds what may come again. */
static void
add_repeats(Question *question)
{
	const History *history = question->history;
	uint32 count;
	uint32 *number = chosen_items(question, &count);
	Repeat *repeats = read_repeats(question, number, count);
	Datum source = CStringGetTextDatum("repeat");
	uint32 c = 0;

	for (uint32 e = 0, end; e < history->events && c < count; e = end)
	{
		uint32 id = history->event[e].id;
		Next next = {.number = id, .source = source};
		double share;

		CHECK_FOR_INTERRUPTS();
		for (end = e + 1; end < history->events && history->event[end].id == id; end++)
			;
		if (id != number[c])
			continue;
		share = repeats[c].share;
		next.times =
			(int32) VisitsOfItem(history->event + e, end - e, question->zone, question->time);
		if (next.times > 0 && !isnan(share))
		{
			foresee(question, (uint32) next.times, repeats[c].gap, &next);
			share = (next.times - 1 + REPEATS_SHARE_PRIOR * share) /
					(next.times - 1 + REPEATS_SHARE_PRIOR);
			if (next.foreseen && share > 0)
			{
				next.chance = GapsEnds(&next.gap, share, next.silence, question->horizon);
				next.place = question->count;
				question->next[question->count++] = next;
			}
		}
		c++;
	}
}

/* Makes the times of a row: when with a chance of a half, nine tenths, one tenth it has not come yet. */
static void
tell_when(Next *next)
{
	static const double chances[] = {RHYTHM_HALF, RHYTHM_SURE, RHYTHM_LATE};

	if (next->told)
		return;
	for (int c = 0; c < (int) lengthof(chances); c++)
		next->when[c] = TimestampTzGetDatum(
			RhythmAfter(next->last, GapsLength(&next->gap, Max(next->silence, 0), chances[c])));
	next->told = true;
}

/* How many new items are expected within the horizon: visits times what one brings. */
static double
expect_new(const Question *question, uint32 visits, uint32 chosen)
{
	const Usage *habits = question->habits;
	BgnbdCustomer customer = {0};
	double purchases;
	double brings;

	if (!habits->fitted || isnan(habits->new_items))
		return NAN;
	if (visits > 0)
		customer = (BgnbdCustomer){
			visits - 1,
			((double) question->time[visits - 1] - (double) question->time[0]) / USECS_PER_DAY,
			((double) question->as_of - (double) question->time[0]) / USECS_PER_DAY};
	purchases = BgnbdExpected(&habits->model, &customer, question->horizon / USECS_PER_DAY) *
				BgnbdAlive(&habits->model, &customer);
	/* What holds for all counts as one visit. */
	brings = (chosen + habits->new_items) / (visits + 1.0);
	return purchases * brings;
}

/* True where an item of the list is among those that may come again, which are in order of number. */
static bool
is_repeat(const Question *question, uint32 repeats, uint32 number)
{
	uint32 least = 0;

	for (uint32 most = repeats; least < most;)
	{
		uint32 middle = least + (most - least) / 2;

		if (question->next[middle].number < number)
			least = middle + 1;
		else
			most = middle;
	}
	return least < repeats && question->next[least].number == number;
}

/* Adds what is new, as many rows as there may be at most. */
static void
add_new(Question *question, RecommendAsk *ask, uint32 most)
{
	uint32 repeats = question->count;
	uint32 chosen;
	uint32 visits = VisitsOf(question->history, question->zone, question->time);
	Next visit = {0};
	Profile *profile = ProfileRead(question->model, question->history);
	double expected;
	double sum;

	chosen_items(question, &chosen);
	expected = expect_new(question, visits, chosen);
	if (visits > 0)
		foresee(question, visits, question->habits->visit_gap, &visit);
	if (visit.foreseen)
		tell_when(&visit);
	sum = ProfileSum(profile, &(ProfileRules){0});
	RecommendGather(ask, profile, most, most);
	question->next =
		repalloc_huge(question->next, sizeof(Next) * Max((Size) repeats + ask->listed, 1));
	for (uint32 r = 0; r < ask->listed; r++)
	{
		const RecommendRow *row = &ask->row[r];
		Next next = visit;

		if (is_repeat(question, repeats, row->number))
			continue;
		next.number = row->number;
		next.source = row->source;
		next.place = r;
		next.chance = -1;
		if (row->score > 0 && sum > 0 && !isnan(expected))
			next.chance = -expm1(-expected * fmin(row->score / sum, 1));
		question->next[question->count++] = next;
	}
}

static void
put(const Question *question, DoorRows *rows, Next *next)
{
	Datum values[NEXT_COLUMNS] = {0};
	bool nulls[NEXT_COLUMNS] = {0};

	CHECK_FOR_INTERRUPTS();
	values[NEXT_ITEM] = DoorItemOut(rows, IdSetDatum(question->history->ids, next->number));
	values[NEXT_CHANCE] = Float8GetDatum(next->chance);
	nulls[NEXT_CHANCE] = next->chance < 0;
	nulls[NEXT_AT] = nulls[NEXT_FROM] = nulls[NEXT_UNTIL] = !next->foreseen;
	if (next->foreseen)
	{
		tell_when(next);
		memcpy(values + NEXT_AT, next->when, sizeof(next->when));
	}
	values[NEXT_SOURCE] = next->source;
	values[NEXT_TIMES] = Int32GetDatum(next->times);
	DoorPut(rows, values, nulls);
}

/* The days of an argument, thirty where it is NULL, in microseconds. */
static double
horizon_argument(FunctionCallInfo fcinfo, int argument)
{
	double seconds = PG_ARGISNULL(argument) ? 30.0 * SECS_PER_DAY
											: SettingSeconds(PG_GETARG_INTERVAL_P(argument));

	if (!(seconds > 0 && seconds <= 36525.0 * SECS_PER_DAY))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("horizon must be positive and at most 100 years")));
	return seconds * USECS_PER_SEC;
}

/* Makes the model of an argument the site's. */
static Model *
know_model(Asked *asked, FunctionCallInfo fcinfo, int argument)
{
	if (!SiteKnowsModel(&asked->site, fcinfo, argument))
	{
		if (asked->budget)
			BudgetDestroy(asked->budget);
		asked->budget = NULL;
		asked->habits = NULL;
		asked->repeats = NULL;
		asked->rerank = NULL;
		asked->site.calls = 0;
		return SiteLearnModel(&asked->site, fcinfo, argument);
	}
	return asked->site.model;
}

/* Reads what the site does not know of a model; SPI is connected. */
static void
know_habits(Asked *asked, Model *model)
{
	MemoryContext caller = MemoryContextSwitchTo(asked->site.of_model);

	if (asked->budget == NULL)
		asked->budget = BudgetCreate(asked->site.context, "reco_next_purchases", SIZE_MAX);
	if (asked->habits == NULL)
		asked->habits = UsageRead(model);
	if (asked->repeats == NULL && asked->site.calls > 8 + model->item_slots / ITEMS_A_CALL)
		asked->repeats = UsageReadAll(model, asked->habits, asked->budget);
	if (asked->rerank == NULL && RerankWanted(model))
		asked->rerank = RerankOpen(model, false, asked->budget);
	MemoryContextSwitchTo(caller);
	asked->site.calls++;
	asked->site.model = model;
}

/* reco_next_purchases(user_id, k, model, horizon, as_of).  A NULL user is a guest without a history. */
Datum
reco_next_purchases(PG_FUNCTION_ARGS)
{
	Asked *asked = SiteOpen(fcinfo, sizeof(Asked));
	Question question = {.model = know_model(asked, fcinfo, 2),
						 .as_of =
							 PG_ARGISNULL(4) ? GetCurrentTimestamp() : PG_GETARG_TIMESTAMPTZ(4)};
	Datum user = DoorUser(fcinfo, 0, question.model);
	uint32 k = DoorK(fcinfo, 1);
	DoorRows rows = DoorOpen(fcinfo, question.model, next_types, NEXT_COLUMNS, false);
	RecommendAsk ask = {.model = question.model,
						.k = k,
						.least_match = -1,
						.fallback = true,
						.as_of = question.as_of,
						.source = "personal",
						.rows = rows,
						.has_asker = !PG_ARGISNULL(0),
						.asker = user};
	HistoryShared shared = {.columns = ""};

	question.horizon = horizon_argument(fcinfo, 3);
	RhythmNeedsTimes(question.model, question.as_of);
	ask.budget = BudgetCreate(CurrentMemoryContext, "reco_next_purchases", SIZE_MAX);
	if (asked->site.model == NULL)
		DoorEnter(question.model);
	else if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	know_habits(asked, question.model);
	ask.rerank = asked->rerank;
	question.habits = asked->habits;
	question.repeats = asked->repeats;
	question.zone = ClockZone(question.habits->time_zone);
	shared.ids = IdSetCreate(question.model->item_kind, ask.budget);
	shared.many = asked->repeats != NULL;
	question.history = PG_ARGISNULL(0) ? HistoryOfItems(question.model, NULL, 0, ask.budget)
									   : HistoryReadShared(question.model, user, question.as_of,
														   &shared, ask.budget);
	question.time =
		palloc_extended(sizeof(TimestampTz) * Max(question.history->events, 1), MCXT_ALLOC_HUGE);
	question.next =
		palloc_extended(sizeof(Next) * Max(question.history->count, 1), MCXT_ALLOC_HUGE);
	add_repeats(&question);
	add_new(&question, &ask, k);
	qsort(question.next, question.count, sizeof(Next), likely_first);
	for (uint32 n = 0; n < question.count && (k == 0 || n < k); n++)
		put(&question, &rows, &question.next[n]);
	DoorLeave(question.model);
	BudgetDestroy(ask.budget);
	return (Datum) 0;
}
