/*
 * fallback.c: what fills a list once the history has nothing more to say.
 *
 * In this order: for those who have chosen nothing yet, what people with the same attributes go
 * for; what rises in the categories of the history; what rises; what is popular; what is new.
 */
#include "api/fallback.h"

#include <math.h>

#include "api/arrangement.h"
#include "data/catalogue.h"
#include "data/learned.h"
#include "data/likings.h"
#include "data/people.h"
#include "data/values.h"
#include "executor/spi.h"
#include "lib/pairingheap.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Rows of a walk that the catalogue is asked for at a time. */
#define BATCH_FIRST 32
#define BATCH_MOST  4096

/* Among what no evidence ranks a boost counts so much at most, or all of it would be looked at. */
#define BOOST_MOST 100.0

/* Where no more items are asked about, the catalogue is asked for them alone. */
#define AMONG_FEW 1000

/* An item that waits in a walk, since others further on may come before it. */
typedef struct Waiting
{
	pairingheap_node node;
	double value;
	uint64 met; /* how many were before it */
	uint32 number;
} Waiting;

/* An item that fatigue has taken back in a walk, to a place further on. */
typedef struct Tired
{
	double place;
	uint32 number;
} Tired;

/*
 * A walk through an order of the catalogue.
 *
 * The context and rules multiply what the order goes by, which reorders it; fatigue then takes items
 * back to places further on.
 */
typedef struct Walk
{
	const History *history;
	Datum source;
	double most; /* log2 of what anything further on may be multiplied by */
	uint64 met;  /* items so far that no rule keeps out */
	pairingheap *waiting;
	uint64 place; /* of the last of them in the new order */
	Tired *tired; /* those taken back, the next one last */
	uint32 tireds;
	const bool *wanted; /* which categories are meant, of the first so many; NULL for all items */
	uint32 wanteds;
} Walk;

/* The first of those that wait has the greatest value; of equals it is the one met first. */
static int
comes_first(const pairingheap_node *a, const pairingheap_node *b, void *arg)
{
	const Waiting *x = pairingheap_const_container(Waiting, node, a);
	const Waiting *y = pairingheap_const_container(Waiting, node, b);

	if (x->value != y->value)
		return x->value > y->value ? 1 : -1;
	return x->met < y->met ? 1 : x->met > y->met ? -1 : 0;
}

/* The lifts of the context, by the numbers of items in the list's ids. */
struct FallbackLifts
{
	IdSet *numbers;
	double *lift; /* by place in these */
	double most;  /* 1 at least */
};

static void
add_lift(struct FallbackLifts *lifted, uint32 number, double lift)
{
	uint32 place = IdSetCount(lifted->numbers);

	if (IdSetAdd(lifted->numbers, Int64GetDatum(number)) != place)
		return;
	lifted->lift[place] = lift;
	lifted->most = Max(lifted->most, lift);
}

/* Finds the lifts, once for all lists of a question. */
static void
find_lifts(RecommendAsk *ask)
{
	const ContextLifts *lifts = &ask->lifts;
	struct FallbackLifts *lifted;
	uint32 *item_no;
	uint32 *found;
	IdSet *items;

	if (ask->lifted || lifts->count == 0)
		return;
	lifted = ask->lifted = BudgetZeroed(ask->budget, 1, sizeof(struct FallbackLifts));
	lifted->numbers = IdSetCreate(ID_INTEGER, ask->budget);
	lifted->lift = BudgetAlloc(ask->budget, lifts->count, sizeof(double));
	lifted->most = 1;
	for (uint32 n = 0; ask->held && n < lifts->count; n++)
		if (ask->held->number[lifts->lift[n].item_no] != ID_NONE)
			add_lift(lifted, ask->held->number[lifts->lift[n].item_no], lifts->lift[n].lift);
	if (ask->held)
		return;
	item_no = palloc(sizeof(uint32) * lifts->count);
	for (uint32 n = 0; n < lifts->count; n++)
		item_no[n] = lifts->lift[n].item_no;
	items = IdSetCreate(ask->model->item_kind, ask->budget);
	found = LearnedIds(ask->model, item_no, lifts->count, items);
	for (uint32 n = 0; n < IdSetCount(items); n++)
		add_lift(lifted, IdSetAdd(ask->ids, IdSetDatum(items, n)), ContextsLift(lifts, found[n]));
	IdSetFree(items);
	pfree(item_no);
}

/* What the context multiplies an item by. */
static double
lift_of(const RecommendAsk *ask, uint32 number)
{
	uint32 place = ask->lifted ? IdSetFind(ask->lifted->numbers, Int64GetDatum(number)) : ID_NONE;

	return place == ID_NONE ? 1 : ask->lifted->lift[place];
}

static Walk
begin_walk(const RecommendAsk *ask, const History *history, const char *source)
{
	return (Walk){.history = history,
				  .source = CStringGetTextDatum(source),
				  .most = log2((ask->lifted ? ask->lifted->most : 1) *
							   Min(ArrangementBoostMost(ask), BOOST_MOST)),
				  .waiting = pairingheap_allocate(comes_first, NULL),
				  .tired = history->worn
							   ? palloc_extended(sizeof(Tired) * history->count, MCXT_ALLOC_HUGE)
							   : NULL};
}

/* Puts out those taken back whose place has come. */
static void
put_tired(RecommendAsk *ask, Walk *walk, double place)
{
	while (walk->tireds > 0 && walk->tired[walk->tireds - 1].place < place && !RecommendIsFull(ask))
		RecommendFill(ask, walk->tired[--walk->tireds].number, walk->source);
}

/* Takes an item back, where it has been shown: its place counts as often as a score is divided. */
static bool
take_back(Walk *walk, uint32 number)
{
	const HistoryItem *item = walk->tired ? HistoryFindNumber(walk->history, number) : NULL;
	uint32 at = walk->tireds;
	double place;

	if (item == NULL || item->wear <= 0)
		return false;
	place = walk->place / HistoryWear(item);
	for (; at > 0 && walk->tired[at - 1].place <= place; at--)
		walk->tired[at] = walk->tired[at - 1];
	walk->tired[at] = (Tired){place, number};
	walk->tireds++;
	return true;
}

/* Puts out the next item of the new order, or takes it back. */
static void
put_next(RecommendAsk *ask, Walk *walk, uint32 number)
{
	walk->place++;
	if (take_back(walk, number))
	{
		RecommendMark(ask, number);
		return;
	}
	put_tired(ask, walk, walk->place);
	if (!RecommendIsFull(ask))
		RecommendFill(ask, number, walk->source);
}

/* Puts out those that wait and that nothing worth less than so much can come before. */
static void
put_waiting(RecommendAsk *ask, Walk *walk, double least)
{
	while (!pairingheap_is_empty(walk->waiting) && !RecommendIsFull(ask))
	{
		Waiting *first = pairingheap_container(Waiting, node, pairingheap_first(walk->waiting));

		if (first->value < least)
			break;
		pairingheap_remove_first(walk->waiting);
		put_next(ask, walk, first->number);
		pfree(first);
	}
}

/* Puts out all that is left in a walk. */
static void
end_walk(RecommendAsk *ask, Walk *walk)
{
	put_waiting(ask, walk, -INFINITY);
	put_tired(ask, walk, INFINITY);
}

/* Those items of a walk that no rule keeps out and that are not in the list yet. */
static void
put_walk(RecommendAsk *ask, Walk *walk, const CatalogueStep *step, uint64 count)
{
	for (uint64 s = 0; s < count && !RecommendIsFull(ask); s++)
	{
		uint32 number = step[s].number;
		double least = step[s].value + walk->most;
		double value;

		CHECK_FOR_INTERRUPTS();
		if (RecommendIsMarked(ask, number) ||
			(ask->among && IdSetFind(ask->among, IdSetDatum(ask->ids, number)) == ID_NONE))
			continue;
		value = step[s].value +
				log2(lift_of(ask, number) * Min(ArrangementBoost(ask, number), BOOST_MOST));
		walk->met++;
		if (pairingheap_is_empty(walk->waiting) && value >= least)
			put_next(ask, walk, number);
		else
		{
			Waiting *waiting = palloc(sizeof(Waiting));

			waiting->value = value;
			waiting->met = walk->met;
			waiting->number = number;
			pairingheap_add(walk->waiting, &waiting->node);
			RecommendMark(ask, number);
			put_waiting(ask, walk, least);
		}
	}
}

/*
 * The categories that count for a user: of those that most of the items chosen have, so many.
 */
#define CATEGORIES_MOST 3

struct FallbackCategories
{
	Values *values; /* NULL where items have no such attribute */
	uint32 *rank;   /* of each value, to decide between equals; for so many: */
	uint32 ranked;
};

/* The attribute that says the category of an item. */
static struct FallbackCategories *
categories_of(RecommendAsk *ask)
{
	const char *name;

	if (ask->categories)
		return ask->categories;
	ask->categories = BudgetZeroed(ask->budget, 1, sizeof(struct FallbackCategories));
	name = ValuesCategory(ask->model);
	if (name == NULL)
		return ask->categories;
	ask->categories->values = ValuesOpen(ask->model, name, ask->ids, ask->budget);
	/* Where everybody is asked for, once for all; what comes up later is read when it does. */
	if (ask->held)
		ValuesReadAll(ask->categories->values);
	return ask->categories;
}

/* Of values counted, marks those that count most in wanted[]; false where there are none. */
static bool
pick_categories(struct FallbackCategories *categories, const uint32 *times, bool *wanted)
{
	uint32 count = ValuesCount(categories->values);
	uint32 picked = 0;

	if (categories->ranked != count)
		categories->rank = ValuesRanks(categories->values);
	categories->ranked = count;
	while (picked < CATEGORIES_MOST)
	{
		uint32 best = ID_NONE;

		for (uint32 v = 0; v < count; v++)
			if (times[v] > 0 && !wanted[v] &&
				(best == ID_NONE || times[v] > times[best] ||
				 (times[v] == times[best] && categories->rank[v] < categories->rank[best])))
				best = v;
		if (best == ID_NONE)
			break;
		wanted[best] = true;
		picked++;
	}
	return picked > 0;
}

/* The categories of a user, as a flag for each value there is so far; NULL where there are none. */
static bool *
find_categories(RecommendAsk *ask, const History *history, uint32 *count)
{
	struct FallbackCategories *categories = categories_of(ask);
	uint32 *chosen = palloc_extended(sizeof(uint32) * Max(history->count, 1), MCXT_ALLOC_HUGE);
	uint32 items = 0;
	uint32 *times;
	bool *wanted;

	if (categories->values == NULL)
		return NULL;
	for (uint32 n = 0; n < history->count; n++)
		if (history->item[n].weight > 0)
			chosen[items++] = history->item[n].id;
	if (items == 0)
		return NULL;
	ValuesRead(categories->values, chosen, items);
	*count = ValuesCount(categories->values);
	times = palloc0(sizeof(uint32) * Max(*count, 1));
	wanted = palloc0(sizeof(bool) * Max(*count, 1));
	for (uint32 n = 0; n < items; n++)
	{
		uint32 values;
		const uint32 *value = ValuesOf(categories->values, chosen[n], &values);

		for (uint32 v = 0; v < values; v++)
			times[value[v]]++;
	}
	return pick_categories(categories, times, wanted) ? wanted : NULL;
}

/* Leaves of some items those in one of the walk's categories; returns how many. */
static uint64
keep_categories(const RecommendAsk *ask, const Walk *walk, const CatalogueStep *step, uint64 count,
				CatalogueStep *kept)
{
	uint64 keeps = 0;

	for (uint64 s = 0; s < count; s++)
	{
		uint32 of;
		const uint32 *value = ValuesOf(ask->categories->values, step[s].number, &of);
		bool is_wanted = false;

		for (uint32 v = 0; v < of; v++)
			is_wanted |= value[v] < walk->wanteds && walk->wanted[value[v]];
		if (is_wanted)
			kept[keeps++] = step[s];
	}
	return keeps;
}

/* Reads what is said of some items by what the walk goes by: categories, and what rules name. */
static void
know(RecommendAsk *ask, const Walk *walk, const CatalogueStep *step, uint64 count)
{
	uint32 *number;

	/* Where the model is held, so is that. */
	if (ask->held)
		count = 0;
	number = palloc(sizeof(uint32) * Max(count, 1));
	for (uint64 s = 0; s < count; s++)
		number[s] = step[s].number;
	if (walk->wanted)
		ValuesRead(ask->categories->values, number, (uint32) count);
	ArrangementKnow(ask, number, (uint32) count);
	pfree(number);
}

/* The next items of a walk, of which only those in its categories are meant where it has some. */
static void
walk_on(RecommendAsk *ask, Walk *walk, const CatalogueStep *step, uint64 count)
{
	CatalogueStep *kept = NULL;

	know(ask, walk, step, count);
	if (walk->wanted)
	{
		kept = palloc_extended(sizeof(CatalogueStep) * Max(count, 1), MCXT_ALLOC_HUGE);
		count = keep_categories(ask, walk, step, count, kept);
		step = kept;
	}
	put_walk(ask, walk, step, count);
	if (kept)
		pfree(kept);
}

/* A walk over the live catalogue, as far as the list needs. */
static void
walk_live(RecommendAsk *ask, CatalogueOrder order, Walk *walk)
{
	bool few = ask->among && IdSetCount(ask->among) <= AMONG_FEW;
	Portal portal = CatalogueOpen(ask->model, order, few ? ask->among : NULL);
	CatalogueStep *step = palloc(sizeof(CatalogueStep) * BATCH_MOST);
	long size = BATCH_FIRST;

	while (portal && !RecommendIsFull(ask))
	{
		uint64 count;
		CatalogueRow *rows = CatalogueNext(ask->model, portal, size, &count);

		if (count == 0)
			break;
		for (uint64 r = 0; r < count; r++)
			step[r] =
				(CatalogueStep){IdSetAdd(ask->ids, rows[r].item), CatalogueValue(order, &rows[r])};
		SPI_freetuptable(SPI_tuptable);
		pfree(rows);
		walk_on(ask, walk, step, count);
		size = Min(size * 2, BATCH_MOST);
	}
	if (portal)
		SPI_cursor_close(portal);
	pfree(step);
}

/* True where the user has chosen something. */
static bool
has_chosen(const History *history)
{
	for (uint32 n = 0; n < history->count; n++)
		if (history->item[n].weight > 0)
			return true;
	return false;
}

/*
 * What people with the same attributes go for, kept while everybody is asked for: newcomers are
 * many, and those with the same attributes get the same.  For so many sets of attributes.
 */
#define ALIKE_KEPT 1000

typedef struct AlikeList
{
	CatalogueStep *step;
	uint32 count;
} AlikeList;

struct FallbackAlike
{
	IdSet *attributes; /* with their values, as bytes */
	AlikeList list[ALIKE_KEPT];
};

/* Makes the list for some attributes; keeps is the budget that it is to last in, or NULL. */
static AlikeList
make_alike(RecommendAsk *ask, Datum attributes, Datum values, Budget *keeps)
{
	AlikeList list;
	LikedItem *item = LikingsRank(ask->model, attributes, values, &list.count);

	list.step = keeps ? BudgetAlloc(keeps, list.count, sizeof(CatalogueStep))
					  : palloc(sizeof(CatalogueStep) * Max(list.count, 1));
	for (uint32 n = 0; n < list.count; n++)
		list.step[n] = (CatalogueStep){IdSetAdd(ask->ids, item[n].item), item[n].score};
	SPI_freetuptable(SPI_tuptable);
	pfree(item);
	return list;
}

/* The same, from those that were kept where it is one of them. */
static AlikeList
find_alike(RecommendAsk *ask, Datum attributes, Datum values)
{
	struct FallbackAlike *alike = ask->alike;
	StringInfoData bytes;
	Datum key;
	uint32 place;

	if (ask->held == NULL)
		return make_alike(ask, attributes, values, NULL);
	if (alike == NULL)
	{
		alike = ask->alike = BudgetZeroed(ask->budget, 1, sizeof(struct FallbackAlike));
		alike->attributes = IdSetCreate(ID_TEXT, ask->budget);
	}
	initStringInfo(&bytes);
	appendBinaryStringInfo(&bytes, DatumGetPointer(attributes),
						   (int) VARSIZE(DatumGetPointer(attributes)));
	appendBinaryStringInfo(&bytes, DatumGetPointer(values), (int) VARSIZE(DatumGetPointer(values)));
	key = PointerGetDatum(cstring_to_text_with_len(bytes.data, bytes.len));
	place = IdSetFind(alike->attributes, key);
	if (place != ID_NONE)
		return alike->list[place];
	if (IdSetCount(alike->attributes) == ALIKE_KEPT)
		return make_alike(ask, attributes, values, NULL);
	place = IdSetAdd(alike->attributes, key);
	alike->list[place] = make_alike(ask, attributes, values, ask->budget);
	return alike->list[place];
}

/* Of somebody who has chosen nothing yet: what people with the same attributes go for. */
static void
list_alike(RecommendAsk *ask, const History *history)
{
	Walk walk = begin_walk(ask, history, "alike");
	Datum attributes;
	Datum values;
	AlikeList list;

	if (PeopleOf(ask->model, ask->asker, &attributes, &values) == 0)
		return;
	list = find_alike(ask, attributes, values);
	walk_on(ask, &walk, list.step, list.count);
	end_walk(ask, &walk);
}

/* One order of the catalogue. */
static void
list_order(RecommendAsk *ask, CatalogueOrder order, Walk *walk)
{
	if (ask->held)
		walk_on(ask, walk, ask->held->walk[order].step, ask->held->walk[order].count);
	else
		walk_live(ask, order, walk);
	end_walk(ask, walk);
}

/* What rises in the categories of the history. */
static void
list_categories(RecommendAsk *ask, const History *history)
{
	Walk walk = begin_walk(ask, history, "category");

	walk.wanted = find_categories(ask, history, &walk.wanteds);
	if (walk.wanted)
		list_order(ask, CATALOGUE_TRENDING, &walk);
}

/*
 * True where nothing changes the order of what is popular: then a rank in it is known by what comes
 * before, without the order.
 */
static bool
can_count(const RecommendAsk *ask, const History *history)
{
	return ask->seeking && ask->held == NULL && ask->arrangement == NULL && ask->among == NULL &&
		   ask->lifts.count == 0 && !history->worn;
}

/* What is counted of an order of the catalogue. */
typedef struct Count
{
	const unsigned char *known; /* by item number, 1 for what is in the list, or may not be */
	uint32 rows;
} Count;

static void
count_item(uint32 item_no, void *with)
{
	Count *count = with;

	count->rows += !count->known[item_no];
}

/* Counts what is popular, up to the item that is sought. */
static void
count_popular(RecommendAsk *ask, const History *history, const char *source)
{
	Count count = {.known = RecommendKnown(ask, history)};
	bool found = CatalogueBefore(ask->model, IdSetDatum(ask->ids, ask->sought), count_item, &count);

	RecommendPass(ask, count.rows);
	if (found && !RecommendIsMarked(ask, ask->sought))
		RecommendFill(ask, ask->sought, CStringGetTextDatum(source));
}

void
FallbackMark(RecommendAsk *ask, const History *history)
{
	for (uint32 n = 0; n < history->count; n++)
		if (ProfileKeepsOut(&history->item[n], ask->seen))
			RecommendMark(ask, history->item[n].id);
	for (uint32 n = 0; ask->exclude && n < IdSetCount(ask->exclude); n++)
		RecommendMark(ask, IdSetAdd(ask->ids, IdSetDatum(ask->exclude, n)));
}

void
FallbackList(RecommendAsk *ask, const History *history)
{
	static const char *const source[CATALOGUE_ORDERS] = {
		[CATALOGUE_TRENDING] = "trending",
		[CATALOGUE_POPULAR] = "popular",
		[CATALOGUE_NEW] = "new",
	};

	if (RecommendIsFull(ask))
		return;
	FallbackMark(ask, history);
	find_lifts(ask);
	if (ask->has_asker && ask->model->has_users && !has_chosen(history))
		list_alike(ask, history);
	if (!RecommendIsFull(ask))
		list_categories(ask, history);
	for (CatalogueOrder order = 0; order < CATALOGUE_ORDERS && !RecommendIsFull(ask); order++)
	{
		Walk walk;

		if (order == CATALOGUE_POPULAR && can_count(ask, history))
		{
			count_popular(ask, history, source[order]);
			continue;
		}
		walk = begin_walk(ask, history, source[order]);
		list_order(ask, order, &walk);
	}
}
