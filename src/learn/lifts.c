#include "learn/lifts.h"

#include <math.h>

#include "base/interrupts.h"
#include "math/best.h"
#include "port/pg_bitutils.h"

/* The work of learning one context. */
typedef struct Learning
{
	const LiftCounts *counts;
	uint64 *of_item; /* [items], events of each in any value */
	uint32 *by_rank; /* [items], the item at each rank */
	uint64 all;
	uint32 *users; /* [words], whose the events at hand are */
	Lifts *lifts;
	Best best[LIFTS_ITEMS];
	Budget *budget;
} Learning;

static Learning *
begin(const LiftCounts *counts, Budget *budget)
{
	Learning *learning = BudgetZeroed(budget, 1, sizeof(Learning));

	learning->counts = counts;
	learning->budget = budget;
	learning->of_item = BudgetZeroed(budget, counts->items, sizeof(uint64));
	learning->by_rank = BudgetAlloc(budget, counts->items, sizeof(uint32));
	learning->users = BudgetZeroed(budget, counts->words, sizeof(uint32));
	learning->lifts = BudgetZeroed(budget, 1, sizeof(Lifts));
	for (uint32 i = 0; i < counts->items; i++)
		learning->by_rank[counts->rank[i]] = i;
	for (uint32 v = 0; v < counts->values; v++)
	{
		INTERRUPTS();
		for (uint32 i = 0; i < counts->items; i++)
		{
			learning->of_item[i] += counts->count[v][i];
			learning->all += counts->count[v][i];
		}
	}
	return learning;
}

static Lifts *
finish(Learning *learning)
{
	Lifts *lifts = learning->lifts;

	BudgetFree(learning->budget, learning->of_item);
	BudgetFree(learning->budget, learning->by_rank);
	BudgetFree(learning->budget, learning->users);
	BudgetFree(learning->budget, learning);
	return lifts;
}

/* Adds the users of an item in one value to those at hand. */
static void
add_users(Learning *learning, uint32 value, uint32 item)
{
	const LiftCounts *counts = learning->counts;

	for (uint32 w = 0; w < counts->words; w++)
		learning->users[w] |= counts->users[value][(size_t) item * counts->words + w];
}

/* True where those at hand, of whom none are left, are too few for what they did to be told. */
static bool
were_few(Learning *learning)
{
	uint32 users = 0;

	for (uint32 w = 0; w < learning->counts->words; w++)
	{
		users += (uint32) pg_popcount32(learning->users[w]);
		learning->users[w] = 0;
	}
	return users > 0 && users < learning->counts->min_support;
}

/* What a count says once chance has been allowed for. */
static double
lift_of(double n, double expected)
{
	double margin = LIFTS_Z * sqrt(fmax(n, expected));
	double lift;

	if (n > expected)
		lift = fmax(1, (n - margin + LIFTS_PRIOR) / (expected + LIFTS_PRIOR));
	else
		lift = fmin(1, (n + margin + LIFTS_PRIOR) / (expected + LIFTS_PRIOR));
	return fmin(fmax(lift, 1 / LIFTS_MOST), LIFTS_MOST);
}

/* Offers an item whose lift in the value at hand is not 1. */
static void
offer(Learning *learning, uint32 *count, uint32 item, double lift, double n, double expected)
{
	if (lift != 1)
		BestOffer(learning->best, count, LIFTS_ITEMS,
				  (Best){.index = learning->counts->rank[item],
						 .value = (float) fabs(n - expected),
						 .support = (uint32) n});
}

/* Keeps what was offered of a value, in order of item, with the lifts that a table has by item. */
static void
keep(Learning *learning, uint32 value, uint32 count, const double *lift)
{
	Lifts *lifts = learning->lifts;

	for (uint32 n = 0; n < count; n++)
		learning->best[n].value = -(float) learning->best[n].index;
	BestSort(learning->best, count);
	if (lifts->count + count > lifts->room)
	{
		lifts->room = Max(lifts->count + count, 2 * lifts->room);
		lifts->lift = BudgetResize(learning->budget, lifts->lift, lifts->room, sizeof(Lift));
	}
	for (uint32 n = 0; n < count; n++)
	{
		uint32 item = learning->by_rank[learning->best[n].index];

		lifts->lift[lifts->count++] = (Lift){
			.value = value, .item = item, .events = learning->best[n].support, .lift = lift[item]};
	}
}

Lifts *
LiftsLearn(const LiftCounts *counts, Budget *budget)
{
	Learning *learning = begin(counts, budget);
	double *lift = BudgetAlloc(budget, counts->items, sizeof(double));

	for (uint32 v = 0; v < counts->values; v++)
	{
		uint64 of_value = 0;
		uint32 offered = 0;

		INTERRUPTS();
		for (uint32 i = 0; i < counts->items; i++)
			of_value += counts->count[v][i];
		for (uint32 i = 0; i < counts->items; i++)
		{
			double n = counts->count[v][i];
			double expected =
				(double) of_value * (double) learning->of_item[i] / (double) learning->all;

			add_users(learning, v, i);
			if (were_few(learning))
				continue;
			lift[i] = lift_of(n, expected);
			offer(learning, &offered, i, lift[i], n, expected);
		}
		keep(learning, v, offered, lift);
	}
	BudgetFree(budget, lift);
	return finish(learning);
}

/* The events of an item in an hour of the week and the two beside it. */
static double
around(const LiftCounts *counts, uint32 hour, uint32 item)
{
	return (double) counts->count[hour][item] + counts->count[(hour + 1) % LIFTS_HOURS][item] +
		   counts->count[(hour + LIFTS_HOURS - 1) % LIFTS_HOURS][item];
}

/* Adds the users of an item in an hour of the week and the two beside it. */
static void
add_around(Learning *learning, uint32 hour, uint32 item)
{
	add_users(learning, hour, item);
	add_users(learning, (hour + 1) % LIFTS_HOURS, item);
	add_users(learning, (hour + LIFTS_HOURS - 1) % LIFTS_HOURS, item);
}

/* The lift of the hour of a day for an item, on whatever day. */
static double
daily_lift(Learning *learning, uint32 hour, uint32 item, double expected)
{
	double n = 0;

	for (uint32 h = hour; h < LIFTS_HOURS; h += 24)
	{
		n += around(learning->counts, h, item);
		add_around(learning, h, item);
	}
	return were_few(learning) ? 1 : lift_of(n, expected);
}

/* Lifts of the hour of a day, and of that hour of each day, with the events that may be told. */
static void
learn_hour(Learning *learning, uint32 hour, const double *of_hours, double *lift, double *expected,
		   double *told)
{
	const LiftCounts *counts = learning->counts;
	double of_hour = 0;

	for (uint32 h = hour; h < LIFTS_HOURS; h += 24)
		of_hour += of_hours[h];
	for (uint32 i = 0; i < counts->items; i++)
	{
		double share = (double) learning->of_item[i] / (double) learning->all;
		double daily = daily_lift(learning, hour, i, of_hour * share);

		INTERRUPTS_AT(i);
		for (uint32 h = hour; h < LIFTS_HOURS; h += 24)
		{
			double foreseen = of_hours[h] * share * daily;
			size_t at = (size_t) (h / 24) * counts->items + i;

			expected[at] = of_hours[h] * share;
			told[at] = around(counts, h, i);
			lift[at] = daily;
			add_around(learning, h, i);
			if (were_few(learning))
				told[at] = 0;
			else
				lift[at] *= lift_of(told[at], foreseen);
			lift[at] = fmin(fmax(lift[at], 1 / LIFTS_MOST), LIFTS_MOST);
		}
	}
}

Lifts *
LiftsLearnHours(const LiftCounts *counts, Budget *budget)
{
	Learning *learning = begin(counts, budget);
	double *lift = BudgetAlloc(budget, (uint64) counts->items * 7, sizeof(double));
	double *expected = BudgetAlloc(budget, (uint64) counts->items * 7, sizeof(double));
	double *told = BudgetAlloc(budget, (uint64) counts->items * 7, sizeof(double));
	double of_hours[LIFTS_HOURS] = {0};

	for (uint32 h = 0; h < LIFTS_HOURS; h++)
	{
		INTERRUPTS();
		for (uint32 i = 0; i < counts->items; i++)
			of_hours[h] += around(counts, h, i);
	}
	for (uint32 hour = 0; hour < 24 && learning->all > 0; hour++)
	{
		learn_hour(learning, hour, of_hours, lift, expected, told);
		for (uint32 day = 0; day < 7; day++)
		{
			size_t first = (size_t) day * counts->items;
			uint32 offered = 0;

			for (uint32 i = 0; i < counts->items; i++)
				offer(learning, &offered, i, lift[first + i], told[first + i], expected[first + i]);
			keep(learning, day * 24 + hour, offered, lift + first);
		}
	}
	BudgetFree(budget, lift);
	BudgetFree(budget, expected);
	BudgetFree(budget, told);
	return finish(learning);
}
