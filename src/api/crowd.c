#include "api/crowd.h"

#include <math.h>

#include "api/profile.h"
#include "data/histories.h"
#include "data/values.h"
#include "utils/timestamp.h"

/* Users by factors while they are read, in no order. */
typedef struct Reading
{
	Crowd *crowd;
	Budget *budget;
	Held *held; /* NULL where it is one user */
	uint32 factors;
	IdSet *users;
	IdSet *known; /* that items are numbers in */
	float *row;   /* [users * factors] */
	uint64 row_room;
	uint64 *first; /* [users + 1] */
	uint64 first_room;
	uint32 *item;
	uint64 items;
	uint64 item_room;
} Reading;

const char *
CrowdBy(const Model *model, const char *asked)
{
	const char *category =
		model->settings.category ? model->settings.category : ValuesCategory(model);
	bool by_factors = asked ? strcmp(asked, CROWD_FACTORS) == 0 && !ValuesExist(model, asked)
							: category == NULL && model->algorithm == MODEL_FACTORS;

	if (by_factors && model->algorithm != MODEL_FACTORS)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("model \"%s\" was not learned by factors", model->name),
						errhint("Run reco_configure with algorithm => 'factors', then "
								"reco_refresh, or name a column of the items query.")));
	if (by_factors)
		return NULL;
	if (asked == NULL)
		asked = category;
	if (asked == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("nobody said by which attribute segments are to be told"),
						errhint("Name a column of the items query as \"by\", or in the setting "
								"\"category\".")));
	ValuesCheck(model, asked, "by");
	return asked;
}

/* Adds a user, if anything is known of them. */
static void
add_user(Reading *reading, Datum user, const Profile *profile)
{
	const History *history = profile->history;
	const Fold *fold;
	const float *taste = ProfileTaste(profile, &fold);
	double square = 0;
	float *row;
	uint32 number;

	CHECK_FOR_INTERRUPTS();
	for (uint32 f = 0; profile->count > 0 && f < reading->factors; f++)
		square += (double) taste[f] * taste[f];
	if (!(square > 0 && isfinite(square)))
		return;
	number = IdSetAdd(reading->users, user);
	reading->row =
		BudgetGrow(reading->budget, reading->row, ((uint64) number + 1) * reading->factors,
				   &reading->row_room, sizeof(float));
	row = reading->row + (uint64) number * reading->factors;
	for (uint32 f = 0; f < reading->factors; f++)
		row[f] = (float) (taste[f] / sqrt(square));
	reading->first = BudgetGrow(reading->budget, reading->first, (uint64) number + 2,
								&reading->first_room, sizeof(uint64));
	reading->first[number] = reading->items;
	for (uint32 n = 0; n < history->count; n++)
	{
		if (!(history->item[n].weight > 0))
			continue;
		reading->item = BudgetGrow(reading->budget, reading->item, reading->items + 1,
								   &reading->item_room, sizeof(uint32));
		reading->item[reading->items++] =
			IdSetAdd(reading->known, IdSetDatum(history->ids, history->item[n].id));
	}
	reading->first[number + 1] = reading->items;
}

static void
take_user(Datum user, History *history, void *with)
{
	Reading *reading = with;

	add_user(reading, user, ProfileHeld(reading->crowd->model, reading->held, history));
}

/* Items of which nothing is known but their ids. */
static Traits *
bare_traits(IdSet *items, Budget *budget)
{
	Traits *traits = BudgetZeroed(budget, 1, sizeof(Traits));
	uint32 *rank = IdSetRanks(items);

	traits->ids = items;
	traits->items = IdSetCount(items);
	traits->at = BudgetAlloc(budget, (uint64) traits->items + 1, sizeof(uint32));
	traits->start = BudgetZeroed(budget, (uint64) traits->items + 1, sizeof(uint64));
	for (uint32 n = 0; n < traits->items; n++)
		traits->at[rank[n]] = n;
	return traits;
}

/* The place in traits of each item that was met; ID_NONE where the catalogue does not have it. */
static uint32 *
places_of(const Reading *reading, const Traits *traits)
{
	uint32 count = IdSetCount(reading->known);
	uint32 *place = BudgetAlloc(reading->budget, (uint64) count + 1, sizeof(uint32));
	uint32 *at = BudgetAlloc(reading->budget, (uint64) traits->items + 1, sizeof(uint32));

	for (uint32 i = 0; i < traits->items; i++)
		at[traits->at[i]] = i;
	for (uint32 n = 0; n < count; n++)
	{
		uint32 number = IdSetFind(traits->ids, IdSetDatum(reading->known, n));

		place[n] = number == ID_NONE ? ID_NONE : at[number];
	}
	BudgetFree(reading->budget, at);
	return place;
}

/* Puts the users in the order of their ids, as points of a crowd. */
static void
settle(Reading *reading)
{
	Crowd *crowd = reading->crowd;
	Budget *budget = reading->budget;
	uint32 users = IdSetCount(reading->users);
	uint32 factors = reading->factors;
	uint32 *rank = IdSetRanks(reading->users);
	uint32 *sorted = BudgetAlloc(budget, (uint64) users + 1, sizeof(uint32));
	uint32 *place = places_of(reading, crowd->traits);
	uint64 *start = BudgetAlloc(budget, (uint64) users + 1, sizeof(uint64));
	uint32 *value = BudgetAlloc(budget, (uint64) users * factors + 1, sizeof(uint32));
	float *root = BudgetAlloc(budget, (uint64) users * factors + 1, sizeof(float));
	uint64 items = 0;

	for (uint32 u = 0; u < users; u++)
		sorted[rank[u]] = u;
	crowd->first = BudgetZeroed(budget, (uint64) users + 1, sizeof(uint64));
	crowd->item = BudgetAlloc(budget, reading->items + 1, sizeof(uint32));
	for (uint32 u = 0; u < users; u++)
	{
		uint32 from = sorted[u];

		IdSetAdd(crowd->ids, IdSetDatum(reading->users, from));
		start[u] = (uint64) u * factors;
		for (uint32 f = 0; f < factors; f++)
			value[start[u] + f] = f;
		memcpy(root + start[u], reading->row + (uint64) from * factors, sizeof(float) * factors);
		for (uint64 n = reading->first[from]; n < reading->first[from + 1]; n++)
			if (place[reading->item[n]] != ID_NONE)
				crowd->item[items++] = place[reading->item[n]];
		crowd->first[u + 1] = items;
	}
	start[users] = (uint64) users * factors;
	crowd->input = (ClustersInput){users, factors, start, value, root};
	BudgetFree(budget, reading->row);
	BudgetFree(budget, reading->item);
	BudgetFree(budget, place);
	BudgetFree(budget, sorted);
}

/* Reads users by their factors. */
static void
read_factors(Crowd *crowd, Model *model, SharesOf of, Datum user, Budget *budget)
{
	const char *category = ValuesCategory(model);
	Reading reading = {.crowd = crowd, .budget = budget};
	HistoriesWanted wanted = {
		.as_of = GetCurrentTimestamp(), .learning = of == SHARES_LEARNED, .parts = 1};

	crowd->fold = ItemFactorFold(model);
	reading.factors = crowd->fold->factors;
	reading.users = IdSetCreate(model->user_kind, budget);
	reading.known = IdSetCreate(model->item_kind, budget);
	if (of == SHARES_ONE)
		add_user(&reading, user,
				 ProfileRead(model, HistoryRead(model, user, wanted.as_of, budget)));
	else
	{
		reading.held = HeldRead(model, false, budget);
		HistoriesRead(model, &wanted, reading.held->ids, budget, take_user, &reading);
	}
	crowd->traits = category ? TraitsRead(model, list_make1((char *) category), budget)
							 : bare_traits(reading.known, budget);
	settle(&reading);
}

Crowd *
CrowdRead(Model *model, const char *by, SharesOf of, Datum user, Budget *budget)
{
	Crowd *crowd = BudgetZeroed(budget, 1, sizeof(Crowd));
	Shares *shares;

	crowd->model = model;
	crowd->ids = IdSetCreate(model->user_kind, budget);
	if (by == NULL)
	{
		read_factors(crowd, model, of, user, budget);
		return crowd;
	}
	crowd->traits = TraitsRead(model, list_make1((char *) by), budget);
	shares = SharesRead(model, crowd->traits, of, user, budget);
	crowd->ids = shares->ids;
	crowd->input = (ClustersInput){shares->users, crowd->traits->traits, shares->start,
								   shares->trait, shares->root};
	crowd->first = shares->first;
	crowd->item = shares->item;
	return crowd;
}
