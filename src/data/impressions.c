#include "data/impressions.h"

#include "base/interrupts.h"
#include "catalog/pg_type.h"
#include "data/consent.h"
#include "data/plan.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* The columns that are read. */
enum
{
	READ_LIST,
	READ_PLACE,
	READ_AT,
	READ_USER,
	READ_ITEM,
	READ_CHOSEN
};

/* The log while it is read. */
typedef struct Reading
{
	const Model *model;
	Impressions *impressions;
	Budget *budget;
	uint64 room;  /* of impressions */
	uint32 first; /* of a list */
	uint32 most;  /* lists */
	bool enough;
	bool open; /* the list at hand, which is the last, is being read */
	bool chosen_from;
} Reading;

void
ImpressionsNeedLog(const Model *model)
{
	if (!OidIsValid(get_relname_relid("served", model->schema)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("model \"%s\" keeps no log of what was served", model->name),
				 errhint("Its owner can run SELECT reco_create_log(%s), and lists are then asked "
						 "of %s.serve.",
						 quote_literal_cstr(model->name), model->quoted)));
}

/* Ends the list at hand, and keeps it where something was chosen from it. */
static void
end_list(Reading *reading)
{
	Impressions *impressions = reading->impressions;
	const ImpressionList *list = &impressions->list[impressions->count];

	if (!reading->open)
		return;
	reading->open = false;
	impressions->lists++;
	if (!reading->chosen_from)
		return;
	impressions->longest = Max(impressions->longest, list->count);
	reading->enough = ++impressions->count == reading->most;
}

/* Begins the list of a row, unless it is the one at hand. */
static void
begin_list(Reading *reading, TupleTableSlot *row)
{
	Impressions *impressions = reading->impressions;
	ImpressionList *list = &impressions->list[impressions->count];
	int64 id = DatumGetInt64(row->tts_values[READ_LIST]);
	TimestampTz at = DatumGetTimestampTz(row->tts_values[READ_AT]);
	uint32 user = IdSetAdd(impressions->users, row->tts_values[READ_USER]);
	uint64 begin = 0;

	if (reading->open && list->id == id && list->shown_at == at && list->user == user)
		return;
	end_list(reading);
	if (reading->enough)
		return;
	if (impressions->count > 0)
	{
		const ImpressionList *last = &impressions->list[impressions->count - 1];

		begin = last->begin + last->count;
	}
	impressions->list[impressions->count] = (ImpressionList){id, at, user, begin, 0};
	reading->open = true;
	reading->chosen_from = false;
}

/* The impression of an item in the list at hand, where it came before. */
static Impression *
find_item(const Reading *reading, uint32 item)
{
	const ImpressionList *list = &reading->impressions->list[reading->impressions->count];
	Impression *impression = reading->impressions->impression + list->begin;

	for (uint32 n = 0; n < list->count; n++)
		if (impression[n].item == item)
			return &impression[n];
	return NULL;
}

static void
take_row(TupleTableSlot *row, void *with)
{
	Reading *reading = with;
	Impressions *impressions = reading->impressions;
	int32 place = DatumGetInt32(row->tts_values[READ_PLACE]);
	bool chosen = DatumGetBool(row->tts_values[READ_CHOSEN]);
	Impression *known;
	ImpressionList *list;
	uint32 item;

	if (reading->enough)
		return;
	begin_list(reading, row);
	if (reading->enough)
		return;
	list = &impressions->list[impressions->count];
	item = IdSetAdd(impressions->items, row->tts_values[READ_ITEM]);
	known = find_item(reading, item);
	if (known == NULL && list->count == reading->first)
		return;
	reading->chosen_from |= chosen;
	if (known)
	{
		known->chosen |= chosen;
		return;
	}
	impressions->impression =
		BudgetGrow(reading->budget, impressions->impression, list->begin + list->count + 1,
				   &reading->room, sizeof(Impression));
	impressions->impression[list->begin + list->count++] =
		(Impression){item, (uint32) Max(place, 1), chosen};
}

/* Turns the lists round, which were read from the newest on. */
static void
turn(Impressions *impressions)
{
	for (uint32 a = 0, b = impressions->count; a + 1 < b; a++)
	{
		ImpressionList list = impressions->list[a];

		impressions->list[a] = impressions->list[--b];
		impressions->list[b] = list;
	}
}

Impressions *
ImpressionsRead(const Model *model, const Interval *within, uint32 most, uint32 first,
				Budget *budget)
{
	bool of_target = model->has_signal && model->settings.target_signal;
	const Oid types[] = {INTERVALOID, TEXTOID};
	Datum values[] = {IntervalPGetDatum(within),
					  of_target ? CStringGetTextDatum(model->settings.target_signal) : (Datum) 0};
	Reading reading = {.model = model, .budget = budget, .first = first, .most = most};
	Impressions *impressions = BudgetZeroed(budget, 1, sizeof(Impressions));

	ImpressionsNeedLog(model);
	impressions->users = IdSetCreate(model->user_kind, budget);
	impressions->items = IdSetCreate(model->item_kind, budget);
	impressions->list = BudgetAlloc(budget, (uint64) most + 1, sizeof(ImpressionList));
	reading.impressions = impressions;
	/* The owner may have let columns of the table be NULL. */
	PlanStreamSome(psprintf("SELECT u.list_id::pg_catalog.int8, u.rank::pg_catalog.int4,"
							" u.served_at::pg_catalog.timestamptz, %s, %s, u.chosen_at IS NOT NULL"
							" FROM %s.attribute(within => $1%s) u"
							" WHERE pg_catalog.isfinite(u.served_at) AND u.served_at"
							" OPERATOR(pg_catalog.+) $1 OPERATOR(pg_catalog.<=) pg_catalog.now()"
							" AND (u.list_id, u.rank, u.user_id, u.item_id) IS NOT NULL AND %s"
							" ORDER BY 3 DESC, 1 DESC, 4, 2, 5",
							IdColumn(model->user_kind, "u.user_id"),
							IdColumn(model->item_kind, "u.item_id"), model->quoted,
							of_target ? ", signal => $2" : "", ConsentOf(model)),
				   of_target ? 2 : 1, types, values, take_row, &reading, &reading.enough);
	ModelNeedsName(model);
	end_list(&reading);
	turn(impressions);
	return impressions;
}
