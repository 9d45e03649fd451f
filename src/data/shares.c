#include "data/shares.h"

#include <math.h>

#include "data/consent.h"
#include "data/events.h"
#include "data/plan.h"

/* While events are read, in order of user. */
typedef struct Reading
{
	Shares *shares;
	const Traits *traits;
	const uint32 *place; /* of an item, by its number in the ids of traits */
	Budget *budget;
	uint32 user; /* whose events are being read, ID_NONE before the first */
	double *sum; /* [traits], of that user */
	uint64 cells;
	uint64 cell_room;
	uint64 items;
	uint64 item_room;
	uint32 user_room;
} Reading;

/* $1 is the user, where it is one. */
static char *
query(const Model *model, SharesOf of)
{
	return psprintf(
		"SELECT DISTINCT %s AS user_id, %s AS item_id FROM %s e"
		" WHERE e.user_id IS NOT NULL AND e.item_id IS NOT NULL%s%s ORDER BY 1, 2",
		IdColumn(model->user_kind, "e.user_id"), IdColumn(model->item_kind, "e.item_id"),
		of == SHARES_LEARNED ? ConsentEvents(model) : psprintf("%s.events", model->quoted),
		EventsChose(model, "e"),
		of == SHARES_ONE ? " AND e.user_id OPERATOR(pg_catalog.=) $1" : "");
}

/* Turns what was summed of a user into shares; forgets a user of whom nothing was. */
static void
end_user(Reading *reading)
{
	Shares *shares = reading->shares;
	double all = 0;

	if (reading->user == ID_NONE)
		return;
	for (uint32 t = 0; t < reading->traits->traits; t++)
		all += reading->sum[t];
	for (uint32 t = 0; t < reading->traits->traits; t++)
	{
		uint64 room = reading->cell_room;

		if (!(reading->sum[t] > 0))
			continue;
		shares->trait =
			BudgetGrow(reading->budget, shares->trait, reading->cells + 1, &room, sizeof(uint32));
		shares->root = BudgetGrow(reading->budget, shares->root, reading->cells + 1,
								  &reading->cell_room, sizeof(float));
		shares->trait[reading->cells] = t;
		shares->root[reading->cells++] = (float) sqrt(reading->sum[t] / all);
		reading->sum[t] = 0;
	}
	shares->start[reading->user + 1] = reading->cells;
	shares->first[reading->user + 1] = reading->items;
}

/* Begins the user of a row, who comes after the one before. */
static void
begin_user(Reading *reading, Datum user)
{
	Shares *shares = reading->shares;
	uint64 room = reading->user_room;

	end_user(reading);
	reading->user = IdSetAdd(shares->ids, user);
	shares->start = BudgetGrow(reading->budget, shares->start, (uint64) reading->user + 2, &room,
							   sizeof(uint64));
	room = reading->user_room;
	shares->first = BudgetGrow(reading->budget, shares->first, (uint64) reading->user + 2, &room,
							   sizeof(uint64));
	reading->user_room = (uint32) room;
	shares->start[reading->user] = reading->cells;
	shares->first[reading->user] = reading->items;
}

static void
take_row(TupleTableSlot *row, void *with)
{
	Reading *reading = with;
	const Traits *traits = reading->traits;
	uint32 number = IdSetFind(traits->ids, row->tts_values[1]);
	uint32 item;
	uint64 values;

	CHECK_FOR_INTERRUPTS();
	if (number == ID_NONE)
		return;
	item = reading->place[number];
	values = traits->start[item + 1] - traits->start[item];
	if (values == 0)
		return;
	if (reading->user == ID_NONE ||
		IdSetFind(reading->shares->ids, row->tts_values[0]) != reading->user)
		begin_user(reading, row->tts_values[0]);
	reading->shares->item = BudgetGrow(reading->budget, reading->shares->item, reading->items + 1,
									   &reading->item_room, sizeof(uint32));
	reading->shares->item[reading->items++] = item;
	for (uint64 c = traits->start[item]; c < traits->start[item + 1]; c++)
		reading->sum[traits->trait[c]] += 1.0 / (double) values;
}

Shares *
SharesRead(const Model *model, const Traits *traits, SharesOf of, Datum user, Budget *budget)
{
	Shares *shares = BudgetZeroed(budget, 1, sizeof(Shares));
	uint32 *place = BudgetAlloc(budget, (uint64) traits->items + 1, sizeof(uint32));
	Reading reading = {.shares = shares,
					   .traits = traits,
					   .place = place,
					   .budget = budget,
					   .user = ID_NONE,
					   .sum = BudgetZeroed(budget, (uint64) traits->traits + 1, sizeof(double))};
	Oid type = IdType(model->user_kind);

	for (uint32 i = 0; i < traits->items; i++)
		place[traits->at[i]] = i;
	shares->ids = IdSetCreate(model->user_kind, budget);
	if (of == SHARES_ONE)
		PlanStream(query(model, of), 1, &type, &user, take_row, &reading);
	else
		PlanStreamOnce(query(model, of), take_row, &reading);
	end_user(&reading);
	shares->users = IdSetCount(shares->ids);
	BudgetFree(budget, reading.sum);
	BudgetFree(budget, place);
	return shares;
}
