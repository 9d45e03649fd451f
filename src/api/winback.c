/*
 * winback.c: reco_win_back: customers who are silent longer than they are wont to be, and what to offer
 * them.
 *
 * All events are read once, and of each customer the days on which they came are summed up to a few
 * numbers.  From those of everybody BG/NBD learns how often people come and when they stop.  Those
 * whose silence is unusual for themselves are put in order of what is lost with them, and only for
 * those who are listed a list is made, as reco_top_n makes it.
 */
#include "api/recommend.h"
#include "api/rerank.h"

#include <math.h>

#include "api/arguments.h"
#include "api/rhythm.h"
#include "catalog/pg_type.h"
#include "data/clock.h"
#include "data/histories.h"
#include "data/visits.h"
#include "executor/spi.h"
#include "math/bgnbd.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_win_back);

/* Offers that somebody may be given. */
#define OFFERS_MOST 100

/* What is known of a customer. */
typedef struct Customer
{
	uint32 number;        /* in the set of users */
	BgnbdCustomer visits; /* in days */
	Gaps gaps;            /* in microseconds, as the next */
	double silence;
	TimestampTz last;
	double value;  /* of a visit */
	double chance; /* to be silent so long */
	double alive;
	double purchases;
	double loss;
} Customer;

/* Customers while they are read. */
typedef struct Customers
{
	const Model *model;
	TimestampTz as_of;
	pg_tz *zone;
	Budget *budget;
	struct Rerank *rerank; /* what puts everybody's offers in order, NULL for nothing */
	IdSet *users;
	Customer *customer;
	uint32 count;
	uint32 room;
} Customers;

/* The columns of the answer. */
enum
{
	BACK_USER,
	BACK_LOSS,
	BACK_ALIVE,
	BACK_PURCHASES,
	BACK_VALUE,
	BACK_LAST,
	BACK_GAP,
	BACK_CHANCE,
	BACK_ITEMS,
	BACK_COLUMNS
};

static const Oid back_types[BACK_COLUMNS] = {DOOR_USER,   FLOAT8OID, FLOAT8OID,
											 FLOAT8OID,   FLOAT8OID, TIMESTAMPTZOID,
											 INTERVALOID, FLOAT8OID, DOOR_ITEMS};

/* Sums up one customer, if they ever chose something. */
static void
take(Datum user, History *history, void *with)
{
	Customers *all = with;
	TimestampTz *time =
		palloc_extended(sizeof(TimestampTz) * Max(history->events, 1), MCXT_ALLOC_HUGE);
	uint32 times = VisitsOf(history, all->zone, time);
	Customer *customer;

	if (times == 0)
		return;
	if (all->count == all->room)
	{
		all->room = Max(1024, all->room + all->room / 2);
		all->customer = BudgetResize(all->budget, all->customer, all->room, sizeof(Customer));
	}
	customer = &all->customer[all->count++];
	memset(customer, 0, sizeof(*customer));
	customer->number = IdSetAdd(all->users, user);
	customer->gaps = GapsBetween(time, times);
	customer->last = time[times - 1];
	customer->silence = (double) all->as_of - (double) customer->last;
	customer->visits = (BgnbdCustomer){times - 1, customer->gaps.sum / USECS_PER_DAY,
									   ((double) all->as_of - (double) time[0]) / USECS_PER_DAY};
	customer->value = OidIsValid(all->model->weight_type) ? VisitsWeight(history) / times : 1;
}

#define ST_SORT          sort_by_visits
#define ST_ELEMENT_TYPE  Customer
#define ST_COMPARE(a, b) BgnbdCompare(&(a)->visits, &(b)->visits)
#define ST_SCOPE         static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* Greatest loss first; of equals the smaller id. */
static inline int
compare_loss(const Customer *a, const Customer *b, const IdSet *users)
{
	if (a->loss != b->loss)
		return a->loss > b->loss ? -1 : 1;
	return IdSetCompare(users, a->number, b->number);
}

#define ST_SORT               sort_by_loss
#define ST_ELEMENT_TYPE       Customer
#define ST_COMPARE(a, b, arg) compare_loss(a, b, arg)
#define ST_COMPARE_ARG_TYPE   const IdSet
#define ST_SCOPE              static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* How everybody comes and goes; false where nobody came again. */
static bool
fit(Customers *all, Bgnbd *model)
{
	BgnbdCustomer *visits = BudgetAlloc(all->budget, all->count, sizeof(BgnbdCustomer));
	BgnbdFit found;
	bool any;

	sort_by_visits(all->customer, all->count);
	for (uint32 c = 0; c < all->count; c++)
		visits[c] = all->customer[c].visits;
	any = BgnbdFind(visits, all->count, &found);
	if (any)
		*model = found.model;
	BudgetFree(all->budget, visits);
	return any;
}

/*
 * Leaves those whose silence is unusual for them, and says what is lost with each: what would be
 * expected of one who still came, as far as they do not, times the value of a visit.
 */
static void
leave_silent(Customers *all, const Bgnbd *model, double most, double horizon)
{
	uint32 kept = 0;

	for (uint32 c = 0; c < all->count; c++)
	{
		Customer customer = all->customer[c];
		GapsNext next;

		CHECK_FOR_INTERRUPTS();
		if (customer.gaps.count == 0)
			continue;
		next = GapsForesee(&customer.gaps);
		customer.chance = GapsLonger(&next, customer.silence);
		if (!(customer.chance <= most))
			continue;
		customer.alive = BgnbdAlive(model, &customer.visits);
		customer.purchases = BgnbdExpected(model, &customer.visits, horizon);
		customer.loss = (1 - customer.alive) * customer.purchases * customer.value;
		if (isnan(customer.loss) || isinf(customer.loss))
			ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
							errmsg("horizon is too long, or weights are too large")));
		all->customer[kept++] = customer;
	}
	all->count = kept;
	sort_by_loss(all->customer, all->count, all->users);
}

/* The first items of the list that reco_top_n would give a user, as an array. */
static Datum
offers_for(const Customers *all, const DoorRows *rows, Datum user, uint32 count)
{
	RecommendAsk ask = {.model = (Model *) all->model,
						.k = count,
						.least_match = -1,
						.fallback = true,
						.as_of = all->as_of,
						.source = "personal",
						.rows = *rows,
						.rerank = all->rerank,
						.has_asker = true,
						.asker = user};
	Profile *profile;
	Datum *items;

	/* No k at all would ask for everything. */
	if (count == 0)
		return DoorItemsOut(rows, NULL, 0);
	ask.budget = BudgetCreate(CurrentMemoryContext, "reco_win_back", SIZE_MAX);
	profile = ProfileRead(all->model, HistoryRead(all->model, user, all->as_of, ask.budget));
	RecommendGather(&ask, profile, count, count);
	items = palloc(sizeof(Datum) * Max(ask.listed, 1));
	for (uint32 n = 0; n < ask.listed; n++)
		items[n] = IdSetDatum(ask.ids, ask.row[n].number);
	return DoorItemsOut(rows, items, ask.listed);
}

/*
 * Puts one customer out.  Under a connection of its own, so that whatever reading a history and a model
 * takes is given back with it.
 */
static void
put(const Customers *all, DoorRows *rows, const Customer *customer, uint32 offers)
{
	Datum values[BACK_COLUMNS];
	bool nulls[BACK_COLUMNS] = {0};
	Datum user;

	CHECK_FOR_INTERRUPTS();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	user = IdSetDatum(all->users, customer->number);
	values[BACK_USER] = DoorUserOut(rows, user);
	values[BACK_LOSS] = Float8GetDatum(customer->loss);
	values[BACK_ALIVE] = Float8GetDatum(customer->alive);
	values[BACK_PURCHASES] = Float8GetDatum(customer->purchases);
	values[BACK_VALUE] = Float8GetDatum(customer->value);
	values[BACK_LAST] = TimestampTzGetDatum(customer->last);
	values[BACK_GAP] = RhythmInterval(GapsMean(&customer->gaps));
	values[BACK_CHANCE] = Float8GetDatum(customer->chance);
	values[BACK_ITEMS] = offers_for(all, rows, user, offers);
	DoorPut(rows, values, nulls);
	SPI_finish();
}

/* The options of the question, each NULL for what goes without saying. */
typedef struct BackOptions
{
	uint32 offers;
	double horizon; /* in days */
	double most;    /* chance */
} BackOptions;

static BackOptions
options_of(FunctionCallInfo fcinfo, int first)
{
	int32 offers = PG_ARGISNULL(first) ? 3 : PG_GETARG_INT32(first);
	BackOptions options = {.horizon = 90, .most = 0.1};

	if (offers < 0 || offers > OFFERS_MOST)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("offers must be from 0 to %d, not %d", OFFERS_MOST, offers)));
	options.offers = (uint32) offers;
	if (!PG_ARGISNULL(first + 1))
		options.horizon = SettingSeconds(PG_GETARG_INTERVAL_P(first + 1)) / SECS_PER_DAY;
	if (!(options.horizon > 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("horizon must be positive")));
	if (!PG_ARGISNULL(first + 2))
		options.most = PG_GETARG_FLOAT8(first + 2);
	if (!(options.most >= 0 && options.most <= 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("max_chance must be from 0 to 1, not %g", options.most)));
	return options;
}

/* reco_win_back(k, model, offers, horizon, max_chance, as_of) */
Datum
reco_win_back(PG_FUNCTION_ARGS)
{
	Model *model = DoorModel(fcinfo, 1);
	uint32 k = DoorK(fcinfo, 0);
	BackOptions options = options_of(fcinfo, 2);
	Customers all = {.model = model,
					 .as_of = PG_ARGISNULL(5) ? GetCurrentTimestamp() : PG_GETARG_TIMESTAMPTZ(5)};
	HistoriesWanted wanted = {.as_of = all.as_of, .as_given = true, .parts = 1};
	DoorRows rows = DoorOpen(fcinfo, model, back_types, BACK_COLUMNS, true);
	Bgnbd found;

	RhythmNeedsTimes(model, all.as_of);
	all.budget =
		BudgetCreate(CurrentMemoryContext, psprintf("reco_win_back of model \"%s\"", model->name),
					 BudgetMaintenance());
	all.users = IdSetCreate(model->user_kind, all.budget);
	DoorEnter(model);
	all.zone = ClockZone(model->settings.time_zone);
	HistoriesRead(model, &wanted, IdSetCreate(model->item_kind, all.budget), all.budget, take,
				  &all);
	if (fit(&all, &found))
	{
		leave_silent(&all, &found, options.most, options.horizon);
		if (all.count > 0 && options.offers > 0 && RerankWanted(model))
			all.rerank = RerankOpen(model, false, all.budget);
		for (uint32 c = 0; c < all.count && (k == 0 || c < k); c++)
			put(&all, &rows, &all.customer[c], options.offers);
	}
	DoorLeave(model);
	BudgetDestroy(all.budget);
	return (Datum) 0;
}
