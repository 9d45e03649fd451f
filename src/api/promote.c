#include "api/promote.h"

#include "api/arrangement.h"

struct Promotion
{
	RecommendAsk list; /* has the rules, and the ids that they go by */
};

/* An item, and the place that it is given. */
typedef struct Moved
{
	ShelfItem item;
	double place;
	uint32 was;
} Moved;

static int
first_place(const void *a, const void *b)
{
	const Moved *x = a;
	const Moved *y = b;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	return x->was < y->was ? -1 : x->was > y->was;
}

/* True for shelves that are in an order of their own already: the user's, and the rules'. */
static bool
is_arranged(const Shelf *shelf)
{
	return shelf->kind == SHELF_CONTINUE || shelf->kind == SHELF_TOP;
}

/* What rules and fatigue multiply the standing of an item by. */
static double
standing(const Promotion *promotion, const ShelfAsk *ask, const ShelfItem *item)
{
	const HistoryItem *known =
		ask->history->worn ? HistoryFindNumber(ask->history, item->number) : NULL;

	return ArrangementBoost(&promotion->list, item->ruled) * (known ? HistoryWear(known) : 1);
}

/* Moves the items of a shelf. */
static void
arrange(const Promotion *promotion, const ShelfAsk *ask, Shelf *shelf)
{
	Moved *moved = palloc(sizeof(Moved) * Max(shelf->count, 1));

	for (uint32 n = 0; n < shelf->count; n++)
	{
		double times = standing(promotion, ask, &shelf->item[n]);

		moved[n] = (Moved){shelf->item[n], (n + 1) / times, n};
		if (shelf->kind == SHELF_DISCOVER)
			moved[n].item.weight *= times;
	}
	qsort(moved, shelf->count, sizeof(Moved), first_place);
	for (uint32 n = 0; n < shelf->count; n++)
	{
		/* Where it is places that weigh, what moves has the weight of its new one. */
		double weight =
			shelf->kind == SHELF_DISCOVER ? moved[n].item.weight : shelf->item[n].weight;

		shelf->item[n] = moved[n].item;
		shelf->item[n].weight = weight;
	}
	pfree(moved);
}

Promotion *
PromotionMake(const ShelfAsk *ask, List *shelves)
{
	Promotion *promotion = palloc0(sizeof(Promotion));
	RecommendAsk *list = &promotion->list;
	uint32 *numbers;
	ListCell *cell;

	list->model = ask->model;
	list->budget = ask->budget;
	list->as_of = ask->as_of;
	list->ids = IdSetCreate(ask->model->item_kind, ask->budget);
	list->arrangement = ArrangementPlain();
	/* Nothing moves anything. */
	if (!ask->model->has_rules && !ask->history->worn)
		return promotion;
	ArrangementBegin(list);
	foreach (cell, shelves)
	{
		Shelf *shelf = lfirst(cell);

		for (uint32 n = 0; n < shelf->count; n++)
			shelf->item[n].ruled = IdSetAdd(list->ids, IdSetDatum(ask->ids, shelf->item[n].number));
	}
	if (list->arrangement->rules)
	{
		numbers = palloc(sizeof(uint32) * Max(IdSetCount(list->ids), 1));
		for (uint32 n = 0; n < IdSetCount(list->ids); n++)
			numbers[n] = n;
		RulesKnow(list->arrangement->rules, numbers, IdSetCount(list->ids));
	}
	foreach (cell, shelves)
		if (!is_arranged(lfirst(cell)))
			arrange(promotion, ask, lfirst(cell));
	return promotion;
}

bool
PromotionShares(const Promotion *promotion)
{
	return promotion->list.arrangement->shares > 0;
}

/* No place of a row is given away before it is picked for. */
static bool
is_taken(uint32_t place, const void *with)
{
	return false;
}

/* The first of some places whose item is of a share; count where none is. */
static uint32
first_of_share(const Rule *rule, const Shelf *shelf, const uint32 *place, uint32 from, uint32 count)
{
	while (from < count && !RuleHolds(rule, shelf->item[place[from]].ruled))
		from++;
	return from;
}

void
PromotionPick(const Promotion *promotion, const Shelf *shelf, uint32 *place, uint32 count,
			  uint32 most, bool *promoted)
{
	const Arrangement *plan = promotion->list.arrangement;
	Quota *quotas = palloc(sizeof(Quota) * (plan->shares + 1));

	memset(promoted, 0, sizeof(bool) * most);
	if (plan->shares > 0)
		memcpy(quotas, plan->quotas, sizeof(Quota) * plan->shares);
	for (uint32 at = 0; plan->shares > 0 && at < Min(most, count); at++)
	{
		uint32 from = at;
		uint32 share;
		uint32 picked;

		CHECK_FOR_INTERRUPTS();
		while ((share = QuotaAt(quotas, plan->shares, at + 1, is_taken, NULL)) != QUOTA_NONE)
		{
			from = first_of_share(plan->shared[share], shelf, place, at, count);
			if (from < count)
				break;
			quotas[share].empty = true;
			from = at;
		}
		picked = place[from];
		memmove(place + at + 1, place + at, sizeof(uint32) * (from - at));
		place[at] = picked;
		promoted[at] = from > at;
		for (uint32 s = 0; s < plan->shares; s++)
			quotas[s].got += RuleHolds(plan->shared[s], shelf->item[picked].ruled);
	}
	pfree(quotas);
}
