/*
 * explain.c: reco_why.
 */
#include "api/door.h"

#include <math.h>

#include "api/profile.h"
#include "catalog/pg_type.h"
#include "data/learned.h"
#include "executor/spi.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_why);

static const Oid why_types[] = {DOOR_ITEM, FLOAT8OID, FLOAT8OID, FLOAT8OID, TIMESTAMPTZOID};

/* One item of the history, by its place in the profile, and its part in the score. */
typedef struct Share
{
	uint32 entry;
	double share;
} Share;

static int
largest_first(const void *a, const void *b)
{
	const Share *x = a;
	const Share *y = b;

	if (x->share != y->share)
		return x->share > y->share ? -1 : 1;
	return x->entry < y->entry ? -1 : x->entry > y->entry;
}

/* What an item of the history says of another, before it is weighed. */
static double
similarity_to(const RankEntry *entry, uint32 item_no)
{
	for (uint32 n = 0; n < entry->count; n++)
		if (entry->item[n] == item_no)
			return entry->similarity[n];
	return 0;
}

static void
put_share(DoorRows *rows, const Profile *profile, const Share *share, uint32 item_no)
{
	const HistoryItem *item = &profile->history->item[profile->place[share->entry]];
	Datum values[lengthof(why_types)];
	bool nulls[lengthof(why_types)] = {0};

	values[0] = DoorItemOut(rows, IdSetDatum(profile->history->ids, item->id));
	values[1] = Float8GetDatum(share->share);
	values[2] = Float8GetDatum(similarity_to(&profile->entries[share->entry], item_no));
	values[3] = Float8GetDatum(item->weight);
	values[4] = TimestampTzGetDatum(item->newest);
	nulls[4] = !OidIsValid(profile->model->time_type);
	DoorPut(rows, values, nulls);
}

/*
 * The shares of a score, largest first; as whole units of one grid they add up to it exactly.  None
 * where the score is no number.
 */
static Share *
split_score(const Profile *profile, uint32 item_no, uint32 *count)
{
	Share *shares = palloc(sizeof(Share) * Max(profile->count, 1));
	double score = 0;

	*count = 0;
	for (uint32 e = 0; e < profile->count; e++)
	{
		double share = ProfileShare(profile, e, item_no);

		score += share;
		if (share != 0)
			shares[(*count)++] = (Share){e, share};
	}
	if (!isfinite(score))
		*count = 0;
	qsort(shares, *count, sizeof(Share), largest_first);
	return shares;
}

/* reco_why(user_id, item_id, model): the rows of reco_score's sum. */
Datum
reco_why(PG_FUNCTION_ARGS)
{
	Model *model = DoorModel(fcinfo, 2);
	Datum user = DoorUser(fcinfo, 0, model);
	Datum item = DoorItem(fcinfo, 1, model);
	Budget *budget = BudgetCreate(CurrentMemoryContext, "explanation", SIZE_MAX);
	DoorRows rows = DoorOpen(fcinfo, model, why_types, lengthof(why_types), false);
	uint32 item_no;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	DoorEnter(model);

	if (LearnedNumber(model, item, &item_no))
	{
		Profile *profile =
			ProfileRead(model, HistoryRead(model, user, GetCurrentTimestamp(), budget));
		uint32 count;
		Share *shares = split_score(profile, item_no, &count);

		for (uint32 s = 0; s < count; s++)
			put_share(&rows, profile, &shares[s], item_no);
	}
	SPI_finish();
	BudgetDestroy(budget);
	return (Datum) 0;
}
