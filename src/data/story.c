#include "data/story.h"

#include <math.h>

#include "data/visits.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

const char *
StoryPartName(StoryPart part)
{
	static const char *const names[STORY_PARTS] = {
		[STORY_EVENTS] = "events",
		[STORY_AMOUNT] = "amount",
		[STORY_ITEMS] = "items",
		[STORY_DAYS] = "days",
		[STORY_FIRST] = "first",
		[STORY_LAST] = "last",
		[STORY_STREAK] = "streak",
		[STORY_PEAK_HOUR] = "peak_hour",
		[STORY_PEAK_WEEKDAY] = "peak_weekday",
		[STORY_TOP_ITEMS] = "top_items",
		[STORY_TOP_CATEGORIES] = "top_categories",
		[STORY_DISCOVERY] = "discovery",
		[STORY_DISCOVERIES] = "discoveries",
		[STORY_RARE_ITEMS] = "rare_items",
		[STORY_TYPE] = "type",
	};

	return names[part];
}

bool
StoryPartIsList(StoryPart part)
{
	return part == STORY_TOP_ITEMS || part == STORY_TOP_CATEGORIES || part == STORY_DISCOVERIES ||
		   part == STORY_RARE_ITEMS;
}

/* What a user did with one item. */
typedef struct Pair
{
	uint32 item;
	uint32 rank;    /* in the order of ids */
	uint32 n;       /* events in the stretch, */
	uint32 earlier; /* and in the one before */
	double amount;
	double amount_before;
	TimestampTz ever; /* the first event there is */
	TimestampTz first;
	TimestampTz last;
} Pair;

/* What a user did with items of one category. */
typedef struct Category
{
	uint32 category;
	double amount;
	double amount_before;
} Category;

/* When a user was there. */
typedef struct Times
{
	uint32 days;
	uint32 days_before;
	int32 streak_day; /* the first of the longest run */
	uint32 streak;
	uint64 hour[24];
	uint64 weekday[7];
} Times;

/* A story while it is told. */
typedef struct Telling
{
	const StoryAbout *about;
	Pair *pair;
	uint32 pairs;
	Category *category;
	uint32 categories;
	Times times;
	uint64 n;
	uint64 earlier;
	double amount;
	double amount_before;
	uint32 items;
	uint32 items_before;
	uint32 found; /* items that are new to them */
	bool is_new;
	TimestampTz first;
	TimestampTz last;
	StoryFact *fact;
	uint32 facts;
} Telling;

/* A sum that loses nothing of what doubles hold of it (Neumaier 1974). */
typedef struct Sum
{
	double sum;
	double lost;
} Sum;

static inline void
add(Sum *sum, double number)
{
	double all = sum->sum + number;

	sum->lost +=
		fabs(sum->sum) >= fabs(number) ? (sum->sum - all) + number : (number - all) + sum->sum;
	sum->sum = all;
}

/*
 * The decimal of fifteen digits that is nearest, as a double has no more of them to tell: .1 + .2 is
 * .3.  Six places behind the point are the usual ones, and quickly found.
 */
static double
as_decimal(double number)
{
	double millionths = rint(number * 1e6);

	if (fabs(millionths) < 0x1p53 && fabs(millionths / 1e6 - number) <= fabs(number) * 1e-15)
		return millionths / 1e6;
	return strtod(psprintf("%.15g", number), NULL);
}

/* What a sum comes to. */
static double
total(const Telling *telling, const Sum *sum)
{
	double all = sum->sum + sum->lost;

	return telling->about->whole ? all : as_decimal(all);
}

/* Events by item, then by time, and then by weight, so that sums have one order. */
static int
by_item(const void *a, const void *b, void *ranks)
{
	const StoryEvent *x = a;
	const StoryEvent *y = b;
	const uint32 *rank = ranks;

	if (x->item != y->item)
		return rank[x->item] < rank[y->item] ? -1 : 1;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->weight < y->weight ? -1 : x->weight > y->weight;
}

/* Sums up the events of each item, in the order of ids. */
static void
sum_pairs(Telling *telling, const StoryEvent *events, uint32 count)
{
	const StoryAbout *about = telling->about;
	Sum all = {0};
	Sum all_before = {0};

	telling->pair = palloc_extended(sizeof(Pair) * count, MCXT_ALLOC_HUGE);
	for (uint32 e = 0; e < count;)
	{
		Pair *pair = &telling->pair[telling->pairs++];
		Sum amount = {0};
		Sum before = {0};

		*pair = (Pair){.item = events[e].item,
					   .rank = about->items.rank[events[e].item],
					   .ever = events[e].at,
					   .first = DT_NOBEGIN};
		for (; e < count && events[e].item == pair->item; e++)
		{
			if (StoryIsNow(about, &events[e]))
			{
				if (pair->n++ == 0)
					pair->first = events[e].at;
				add(&amount, events[e].weight);
			}
			else if (events[e].at >= about->before)
			{
				pair->earlier++;
				add(&before, events[e].weight);
			}
			pair->last = events[e].at;
		}
		pair->amount = total(telling, &amount);
		pair->amount_before = total(telling, &before);
		add(&all, pair->amount);
		add(&all_before, pair->amount_before);
	}
	telling->amount = total(telling, &all);
	telling->amount_before = total(telling, &all_before);
}

/* Sums up the pairs. */
static void
sum_user(Telling *telling)
{
	TimestampTz ever = DT_NOEND;

	telling->first = DT_NOEND;
	telling->last = DT_NOBEGIN;
	for (uint32 p = 0; p < telling->pairs; p++)
	{
		const Pair *pair = &telling->pair[p];

		ever = Min(ever, pair->ever);
		telling->n += pair->n;
		telling->earlier += pair->earlier;
		telling->items_before += pair->earlier > 0;
		if (pair->n == 0)
			continue;
		telling->items++;
		telling->found += pair->ever >= telling->about->since;
		telling->first = Min(telling->first, pair->first);
		telling->last = Max(telling->last, pair->last);
	}
	telling->is_new = ever >= telling->about->since;
}

static int
most_category(const void *a, const void *b, void *ranks)
{
	const Category *x = a;
	const Category *y = b;
	const uint32 *rank = ranks;

	if (x->amount != y->amount)
		return x->amount > y->amount ? -1 : 1;
	return rank[x->category] < rank[y->category] ? -1 : rank[x->category] > rank[y->category];
}

/* The part of a pair that goes to one category of its item. */
typedef struct Part
{
	uint32 category;
	uint32 pair;
	uint32 of; /* so many categories */
} Part;

static int
by_category(const void *a, const void *b, void *unused)
{
	const Part *x = a;
	const Part *y = b;

	if (x->category != y->category)
		return x->category < y->category ? -1 : 1;
	return x->pair < y->pair ? -1 : x->pair > y->pair;
}

/* The parts of all pairs, by category. */
static Part *
part_pairs(const Telling *telling, uint64 *count)
{
	const StoryItems *items = &telling->about->items;
	Part *part;

	*count = 0;
	for (uint32 p = 0; items->start && p < telling->pairs; p++)
		*count += items->start[telling->pair[p].item + 1] - items->start[telling->pair[p].item];
	part = palloc_extended(sizeof(Part) * (*count + 1), MCXT_ALLOC_HUGE);
	*count = 0;
	for (uint32 p = 0; items->start && p < telling->pairs; p++)
	{
		uint64 begin = items->start[telling->pair[p].item];
		uint64 end = items->start[telling->pair[p].item + 1];

		for (uint64 c = begin; c < end; c++)
			part[(*count)++] = (Part){items->category[c], p, (uint32) (end - begin)};
	}
	qsort_interruptible(part, *count, sizeof(Part), by_category, NULL);
	return part;
}

/* Sums up the pairs by category, an item of several in equal parts; those of the stretch, most first. */
static void
sum_categories(Telling *telling)
{
	uint64 count;
	Part *part = part_pairs(telling, &count);

	telling->category = palloc_extended(sizeof(Category) * (count + 1), MCXT_ALLOC_HUGE);
	for (uint64 n = 0; n < count;)
	{
		Category category = {.category = part[n].category};
		Sum now = {0};
		Sum before = {0};

		for (; n < count && part[n].category == category.category; n++)
		{
			add(&now, telling->pair[part[n].pair].amount / part[n].of);
			add(&before, telling->pair[part[n].pair].amount_before / part[n].of);
		}
		category.amount = as_decimal(now.sum + now.lost);
		category.amount_before = as_decimal(before.sum + before.lost);
		if (category.amount > 0)
			telling->category[telling->categories++] = category;
	}
	qsort_interruptible(telling->category, telling->categories, sizeof(Category), most_category,
						telling->about->items.category_rank);
	pfree(part);
}

/* Counts days, and the hours of the stretch, by the clocks of the zone. */
static void
sum_times(Telling *telling, const StoryEvent *events, uint32 count)
{
	const StoryAbout *about = telling->about;
	Times *times = &telling->times;
	TimestampTz *at = palloc_extended(sizeof(TimestampTz) * count, MCXT_ALLOC_HUGE);
	TimestampTz until = DT_NOBEGIN;
	uint32 hour = 0;
	int32 day = 0;
	int32 last = 0; /* of the days counted */
	bool last_now = false;
	uint32 run = 0;

	for (uint32 e = 0; e < count; e++)
		at[e] = events[e].at;
	VisitsSort(at, count);
	for (uint32 e = 0; e < count; e++)
	{
		bool now = at[e] >= about->since;

		if (at[e] < about->before)
			continue;
		if (at[e] >= until && !(ClockHourUntil(at[e], about->zone, &hour, &until) &&
								ClockDay(at[e], about->zone, &day)))
			continue;
		if (now)
		{
			times->hour[hour % 24]++;
			times->weekday[hour / 24]++;
		}
		if (times->days + times->days_before > 0 && day == last && now == last_now)
			continue;
		if (now)
		{
			run = times->days > 0 && day == last + 1 ? run + 1 : 1;
			times->days++;
			if (run > times->streak)
			{
				times->streak = run;
				times->streak_day = day - (int32) run + 1;
			}
		}
		else
			times->days_before++;
		last = day;
		last_now = now;
	}
	pfree(at);
}

/* A fact with nothing said of it yet. */
static StoryFact *
add_fact(Telling *telling, StoryPart part, uint32 rank)
{
	StoryFact *fact = &telling->fact[telling->facts++];

	*fact = (StoryFact){.part = part,
						.rank = rank,
						.item = ID_NONE,
						.value = NAN,
						.before = NAN,
						.share = NAN,
						.share_before = NAN,
						.percentile = NAN,
						.began = DT_NOBEGIN,
						.ended = DT_NOBEGIN};
	return fact;
}

static StoryFact *
add_total(Telling *telling, StoryPart part, double value, double before)
{
	StoryFact *fact = add_fact(telling, part, 1);

	fact->value = value;
	fact->before = before;
	return fact;
}

/* The midnight at which a day begins, by the clocks of the zone. */
static TimestampTz
midnight(const Telling *telling, int32 day)
{
	struct pg_tm tm = {0};
	TimestampTz at;
	int offset;

	j2date(day, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	offset = DetermineTimeZoneOffset(&tm, telling->about->zone);
	if (tm2timestamp(&tm, 0, &offset, &at) != 0)
		return DT_NOBEGIN;
	return at;
}

/* The first or last moment, with the item of it that is first in the order of ids. */
static void
tell_moment(Telling *telling, StoryPart part)
{
	StoryFact *fact = add_fact(telling, part, 1);

	fact->began = part == STORY_FIRST ? telling->first : telling->last;
	for (uint32 p = 0; p < telling->pairs && fact->item == ID_NONE; p++)
		if ((part == STORY_FIRST ? telling->pair[p].first : telling->pair[p].last) == fact->began)
			fact->item = telling->pair[p].item;
}

/* The place of the greatest number, the first of equals. */
static uint32
place_of_most(const uint64 *number, uint32 count)
{
	uint32 best = 0;

	for (uint32 n = 1; n < count; n++)
		if (number[n] > number[best])
			best = n;
	return best;
}

static void
tell_times(Telling *telling)
{
	static const char *const days[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
									   "Friday", "Saturday", "Sunday"};
	const Times *times = &telling->times;
	uint32 hour = place_of_most(times->hour, 24);
	uint32 weekday = place_of_most(times->weekday, 7);
	StoryFact *fact = add_fact(telling, STORY_STREAK, 1);

	fact->value = times->streak;
	fact->began = midnight(telling, times->streak_day);
	fact->ended = midnight(telling, times->streak_day + (int32) times->streak);
	fact = add_fact(telling, STORY_PEAK_HOUR, 1);
	fact->value = hour;
	fact->share = (double) times->hour[hour] / (double) telling->n;
	fact = add_fact(telling, STORY_PEAK_WEEKDAY, 1);
	fact->label = days[weekday];
	fact->value = weekday + 1;
	fact->share = (double) times->weekday[weekday] / (double) telling->n;
}

/* Items of the stretch first, of the greatest amount. */
static int
most_first(const void *a, const void *b, void *unused)
{
	const Pair *x = a;
	const Pair *y = b;

	if ((x->n > 0) != (y->n > 0))
		return x->n > 0 ? -1 : 1;
	if (x->amount != y->amount)
		return x->amount > y->amount ? -1 : 1;
	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* The best items, or those of them that are new. */
static void
tell_best(Telling *telling, StoryPart part)
{
	uint32 rank = 0;

	for (uint32 p = 0; p < telling->items && rank < telling->about->k; p++)
	{
		const Pair *pair = &telling->pair[p];
		StoryFact *fact;

		if (part == STORY_DISCOVERIES && pair->ever < telling->about->since)
			continue;
		fact = add_fact(telling, part, ++rank);
		fact->item = pair->item;
		fact->value = pair->amount;
		fact->share = pair->amount / telling->amount;
		fact->began = pair->first;
		if (part == STORY_DISCOVERIES)
			continue;
		fact->before = pair->amount_before;
		if (telling->amount_before > 0)
			fact->share_before = pair->amount_before / telling->amount_before;
	}
}

static void
tell_categories(Telling *telling)
{
	const StoryItems *items = &telling->about->items;

	for (uint32 c = 0; c < Min(telling->categories, telling->about->k); c++)
	{
		const Category *category = &telling->category[c];
		StoryFact *fact = add_fact(telling, STORY_TOP_CATEGORIES, c + 1);

		fact->label = TextDatumGetCString(IdSetDatum(items->categories, category->category));
		fact->value = category->amount;
		fact->before = category->amount_before;
		fact->share = category->amount / telling->amount;
		if (telling->amount_before > 0)
			fact->share_before = category->amount_before / telling->amount_before;
	}
}

/* True where an item comes before another as a rare one. */
static bool
is_rarer(const Telling *telling, const Pair *a, const Pair *b)
{
	const uint32 *users = telling->about->items.users;

	if (users[a->item] != users[b->item])
		return users[a->item] < users[b->item];
	return a->amount != b->amount ? a->amount > b->amount : a->rank < b->rank;
}

/* The items of the fewest users: the best k of the pairs, put in their place one by one. */
static void
tell_rare(Telling *telling)
{
	const Pair **best = palloc(sizeof(Pair *) * ((Size) telling->about->k + 1));
	uint32 count = 0;

	for (uint32 p = 0; p < telling->items; p++)
	{
		const Pair *pair = &telling->pair[p];
		uint32 at = count;

		for (; at > 0 && is_rarer(telling, pair, best[at - 1]); at--)
			best[at] = best[at - 1];
		if (at < telling->about->k)
			best[at] = pair;
		count = Min(count + 1, telling->about->k);
	}
	for (uint32 n = 0; n < count; n++)
	{
		StoryFact *fact = add_fact(telling, STORY_RARE_ITEMS, n + 1);

		fact->item = best[n]->item;
		fact->value = telling->about->items.users[fact->item];
		fact->share = fact->value / telling->about->users;
	}
	pfree(best);
}

/* A share as the text of a rule has it. */
static char *
rule_text(double number, const char *what)
{
	return psprintf("%.2f %s", floor(number * 100 + 0.5) / 100, what);
}

/* The first type whose rule holds. */
static void
tell_type(Telling *telling)
{
	StoryFact *fact = add_fact(telling, STORY_TYPE, 1);
	double top = telling->pair[0].amount / telling->amount;
	double found = (double) telling->found / telling->items;
	double category = telling->categories > 0 ? telling->category[0].amount / telling->amount : 0;

	if (telling->is_new)
	{
		fact->label = "newcomer";
		fact->rule = "nothing was chosen before";
	}
	else if (top >= 0.3)
	{
		fact->label = "devotee";
		fact->rule = rule_text(top, "of the amount is one item, from 0.3 on");
	}
	else if (found >= 0.8)
	{
		fact->label = "explorer";
		fact->rule = rule_text(found, "of the items are new to them, from 0.8 on");
	}
	else if (category >= 0.5)
	{
		fact->label = "specialist";
		fact->rule = rule_text(category, "of the amount is one category, from 0.5 on");
	}
	else if (telling->n >= 3 * (uint64) telling->items)
	{
		fact->label = "returner";
		fact->rule = rule_text((double) telling->n / telling->items, "times each item, from 3 on");
	}
	else if (found <= 0.2)
	{
		fact->label = "loyalist";
		fact->rule = rule_text(found, "of the items are new to them, up to 0.2");
	}
	else
	{
		fact->label = "allrounder";
		fact->rule = "no other rule holds";
	}
}

StoryFact *
StoryTell(const StoryAbout *about, StoryEvent *events, uint32 count, double percentile,
		  uint32 *facts)
{
	Telling telling = {.about = about};
	StoryFact *fact;

	telling.fact = palloc_extended(sizeof(StoryFact) * ((Size) STORY_PARTS + 4 * (Size) about->k),
								   MCXT_ALLOC_HUGE);
	qsort_interruptible(events, count, sizeof(StoryEvent), by_item, about->items.rank);
	sum_pairs(&telling, events, count);
	sum_user(&telling);
	sum_categories(&telling);
	sum_times(&telling, events, count);

	add_total(&telling, STORY_EVENTS, (double) telling.n, (double) telling.earlier)->percentile =
		percentile;
	add_total(&telling, STORY_AMOUNT, telling.amount, telling.amount_before);
	add_total(&telling, STORY_ITEMS, telling.items, telling.items_before);
	add_total(&telling, STORY_DAYS, telling.times.days, telling.times.days_before);
	tell_moment(&telling, STORY_FIRST);
	tell_moment(&telling, STORY_LAST);
	tell_times(&telling);
	qsort_interruptible(telling.pair, telling.pairs, sizeof(Pair), most_first, NULL);
	tell_best(&telling, STORY_TOP_ITEMS);
	tell_categories(&telling);
	fact = add_fact(&telling, STORY_DISCOVERY, 1);
	fact->value = telling.found;
	fact->share = (double) telling.found / telling.items;
	tell_best(&telling, STORY_DISCOVERIES);
	tell_rare(&telling);
	tell_type(&telling);
	for (uint32 f = 0; f < telling.facts; f++)
		if (telling.fact[f].item != ID_NONE && about->items.title && telling.fact[f].label == NULL)
			telling.fact[f].label = about->items.title[telling.fact[f].item];
	*facts = telling.facts;
	return telling.fact;
}
