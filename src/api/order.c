/*
 * order.c: reco_rank: a list that is given, search results or a campaign, in personal order.
 */
#include "api/door.h"
#include "api/profile.h"
#include "api/rerank.h"
#include "catalog/pg_type.h"
#include "data/learned.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_rank);

static const Oid order_types[] = {DOOR_ITEM, FLOAT8OID, FLOAT8OID, DOOR_ITEM, TEXTOID};

/* What is known of an item for a user; the list goes in this order. */
typedef enum Standing
{
	PERSONAL, /* evidence for it */
	GIVEN,    /* none either way */
	AGAINST,  /* evidence against it */
	DISLIKED, /* by the user's own word */
	UNKNOWN   /* nothing was learned of it */
} Standing;

/* What the column source says of each. */
static const char *const sources[] = {"personal", "given", "against", "against", "unknown"};

/* An item of the list. */
typedef struct Place
{
	uint32 given;   /* its place in the list as it came, from 0 */
	uint32 item_no; /* where something was learned of it */
	Standing standing;
	double taste; /* the score before the context */
	double score;
	double content; /* of taste, by attributes alone */
	int64_t because;
} Place;

static int
best_first(const void *a, const void *b)
{
	const Place *x = a;
	const Place *y = b;

	if (x->standing != y->standing)
		return x->standing < y->standing ? -1 : 1;
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return x->given < y->given ? -1 : x->given > y->given;
}

static Standing
standing(const History *history, Datum item, double score)
{
	const HistoryItem *known = HistoryFind(history, item);

	if (known && known->weight < 0)
		return DISLIKED;
	return score > 0 ? PERSONAL : score < 0 ? AGAINST : GIVEN;
}

/* Every item in the order it was given, with what is known of it. */
static Place *
weigh(const Profile *profile, const IdSet *items, const ContextLifts *lifts, Budget *budget)
{
	uint32 count = IdSetCount(items);
	uint32 *number = LearnedPlaces(profile->model, items, budget);
	uint32 *known = BudgetAlloc(budget, count, sizeof(uint32));
	double *score = BudgetAlloc(budget, count, sizeof(double));
	double *content = BudgetAlloc(budget, count, sizeof(double));
	int64_t *because = BudgetAlloc(budget, count, sizeof(int64_t));
	Place *places = BudgetAlloc(budget, count, sizeof(Place));
	uint32 learned = 0;

	for (uint32 n = 0; n < count; n++)
		if (number[n] != ID_NONE)
			known[learned++] = number[n];
	ProfileScores(profile, known, learned, score);
	ProfileBecause(profile, known, learned, because);
	ProfileContent(profile, known, learned, content);

	learned = 0;
	for (uint32 n = 0; n < count; n++)
	{
		places[n] = (Place){.given = n, .standing = UNKNOWN, .because = -1};
		if (number[n] == ID_NONE)
			continue;
		places[n].item_no = number[n];
		places[n].taste = score[learned];
		places[n].score =
			places[n].taste * (places[n].taste > 0 ? ContextsLift(lifts, number[n]) : 1);
		places[n].content = content[learned];
		places[n].because = because[learned++];
		places[n].standing = standing(profile->history, IdSetDatum(items, n), places[n].taste);
	}
	return places;
}

/* Puts the first of those with evidence in the order of the model's network. */
static void
rerank(const Profile *profile, const ContextLifts *lifts, Place *places, uint32 count,
	   Budget *budget)
{
	Rerank *network;
	uint32 personal = 0;
	RankItem *item;
	uint32 *order;
	double *score;
	Place *sorted;

	while (personal < Min(count, profile->model->reranked_first) &&
		   places[personal].standing == PERSONAL)
		personal++;
	if (personal == 0)
		return;
	network = RerankOpen(profile->model, false, budget);
	item = palloc(sizeof(RankItem) * personal);
	order = palloc(sizeof(uint32) * personal);
	score = palloc(sizeof(double) * personal);
	sorted = palloc(sizeof(Place) * personal);
	for (uint32 n = 0; n < personal; n++)
		item[n] = (RankItem){places[n].item_no, places[n].score};
	RerankList(network, profile, lifts, item, personal, order, score);
	for (uint32 n = 0; n < personal; n++)
	{
		sorted[n] = places[order[n]];
		sorted[n].score = score[n];
	}
	memcpy(places, sorted, sizeof(Place) * personal);
}

/* Puts out one item; fallen counts those that nothing speaks for, which go by it alone. */
static void
put_place(DoorRows *rows, const Profile *profile, const IdSet *items, const Place *place,
		  uint32 *fallen)
{
	bool personal = place->standing == PERSONAL;
	Datum values[lengthof(order_types)] = {0};
	bool nulls[lengthof(order_types)] = {0};
	double match = 0;

	nulls[2] = !personal || !ProfileMatch(profile->model, profile->level, place->taste,
										  profile->model->settings.min_match, &match);
	nulls[3] = !personal || place->because < 0;
	values[0] = DoorItemOut(rows, IdSetDatum(items, place->given));
	values[1] = Float8GetDatum(personal ? place->score : -(double) ++*fallen);
	values[2] = Float8GetDatum(match);
	if (!nulls[3])
		values[3] = DoorItemOut(
			rows, IdSetDatum(profile->history->ids,
							 profile->history->item[profile->place[place->because]].id));
	values[4] = CStringGetTextDatum(personal && ProfileIsContent(place->content, place->taste)
										? PROFILE_CONTENT
										: sources[place->standing]);
	DoorPut(rows, values, nulls);
}

/* reco_rank(user_id, items, model, context).  A NULL user is a guest with no history. */
Datum
reco_rank(PG_FUNCTION_ARGS)
{
	Model *model = DoorModel(fcinfo, 2);
	Datum user = DoorUser(fcinfo, 0, model);
	Budget *budget = BudgetCreate(CurrentMemoryContext, "order", SIZE_MAX);
	IdSet *items = DoorItems(fcinfo, 1, model, budget);
	DoorRows rows = DoorOpen(fcinfo, model, order_types, lengthof(order_types), false);
	ContextLifts lifts = {NULL, 0};
	Profile *profile;
	Place *places;
	uint32 fallen = 0;

	DoorEnter(model);
	if (!PG_ARGISNULL(3))
		lifts = ContextsAsk(model, PG_GETARG_DATUM(3));
	if (items && IdSetCount(items) > 0)
	{
		profile = ProfileRead(model, PG_ARGISNULL(0)
										 ? HistoryOfItems(model, NULL, 0, budget)
										 : HistoryRead(model, user, GetCurrentTimestamp(), budget));
		places = weigh(profile, items, &lifts, budget);
		qsort(places, IdSetCount(items), sizeof(Place), best_first);
		if (RerankWanted(model))
			rerank(profile, &lifts, places, IdSetCount(items), budget);
		for (uint32 n = 0; n < IdSetCount(items); n++)
		{
			CHECK_FOR_INTERRUPTS();
			put_place(&rows, profile, items, &places[n], &fallen);
		}
	}
	DoorLeave(model);
	BudgetDestroy(budget);
	return (Datum) 0;
}
