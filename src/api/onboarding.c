/*
 * onboarding.c: reco_onboarding: what to show somebody who is to pick favourites at sign-up.
 *
 * A pick says most where the item is well known, or nobody would pick it, and far from what else is
 * shown, or it would say the same again.  So items are taken one after the other, each time the one
 * with the greatest
 *
 *   popularity(i) * (1 - max over those taken of nearness(i, j))
 *
 * where nearness(i, j) is the greater of S[i -> j] and S[j -> i], each as a share of the greatest
 * similarity of its row: a greedy choice as maximal marginal relevance makes it (Carbonell & Goldstein
 * 1998), with the product in place of a weighted difference, since the two have no unit in common.
 */
#include "api/door.h"
#include "catalog/pg_type.h"
#include "data/catalogue.h"
#include "data/learned.h"
#include "executor/spi.h"

PG_FUNCTION_INFO_V1(reco_onboarding);

static const Oid onboarding_types[] = {DOOR_ITEM, INT4OID, FLOAT8OID, INT4OID, FLOAT8OID};

/* Nobody looks through more at sign-up. */
#define K_MOST 100

/* The most popular items, of which those to show are taken: so many, and so many for each. */
#define POOL_LEAST 200
#define POOL_EACH  10

/* An item that may be shown. */
typedef struct Proposal
{
	double popularity;
	int32 users;
	double nearest; /* of those taken, 0..1 */
	bool taken;
	const Packed *row; /* what it speaks for */
} Proposal;

/* The proposals, in order of popularity, as are the ids. */
typedef struct Pool
{
	IdSet *ids;
	Proposal *proposal;
	uint32 count;
} Pool;

static uint32
take_k(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("k must not be NULL"),
						errhint("Say how many items to show at most.")));
	if (PG_GETARG_INT32(0) < 1 || PG_GETARG_INT32(0) > K_MOST)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("k must be from 1 to %d, not %d", K_MOST, PG_GETARG_INT32(0))));
	return (uint32) PG_GETARG_INT32(0);
}

/* The most popular items of the live catalogue, and what each speaks for. */
static Pool
fill_pool(const Model *model, uint32 most, Budget *budget)
{
	Pool pool = {.ids = IdSetCreate(model->item_kind, budget),
				 .proposal = palloc0(sizeof(Proposal) * most)};
	Portal walk = CatalogueOpen(model, CATALOGUE_POPULAR, NULL);
	LearnedRow *rows;
	uint64 count;
	uint32 learned;
	CatalogueRow *row = CatalogueNext(model, walk, most, &count);

	for (uint64 r = 0; r < count; r++)
	{
		Proposal *proposal = &pool.proposal[IdSetAdd(pool.ids, row[r].item)];

		proposal->popularity = row[r].popularity;
		proposal->users = row[r].users;
	}
	pool.count = IdSetCount(pool.ids);
	SPI_freetuptable(SPI_tuptable);
	SPI_cursor_close(walk);

	rows = LearnedRead(model, pool.ids, &learned);
	for (uint32 n = 0; n < learned; n++)
		pool.proposal[rows[n].id].row = &rows[n].packed;
	return pool;
}

/* How much of what a row says at most it says of an item. */
static double
share_of(const Packed *row, uint32 item_no)
{
	for (uint32 n = 0; n < row->scored && row->most > 0; n++)
		if (row->item[n] == item_no)
			return Max(0, row->similarity[n] / row->most);
	return 0;
}

/* The one to take next, or NULL. */
static Proposal *
pick(Pool *pool)
{
	Proposal *best = NULL;
	double most = 0;

	for (uint32 n = 0; n < pool->count; n++)
	{
		Proposal *proposal = &pool->proposal[n];
		double worth = proposal->popularity * (1 - proposal->nearest);

		if (!proposal->taken && (best == NULL || worth > most))
		{
			best = proposal;
			most = worth;
		}
	}
	return best;
}

/* Takes one: what is near it is the less wanted. */
static void
take(Pool *pool, Proposal *taken)
{
	taken->taken = true;
	for (uint32 n = 0; taken->row && n < pool->count; n++)
	{
		Proposal *other = &pool->proposal[n];

		CHECK_FOR_INTERRUPTS();
		if (other->taken || other->row == NULL)
			continue;
		other->nearest = Max(other->nearest, share_of(taken->row, other->row->item_no));
		other->nearest = Max(other->nearest, share_of(other->row, taken->row->item_no));
	}
}

/* reco_onboarding(k, model) */
Datum
reco_onboarding(PG_FUNCTION_ARGS)
{
	Model *model = DoorModel(fcinfo, 1);
	uint32 k = take_k(fcinfo);
	DoorRows rows = DoorOpen(fcinfo, model, onboarding_types, lengthof(onboarding_types), true);
	Budget *budget = BudgetCreate(CurrentMemoryContext, "onboarding", SIZE_MAX);
	Pool pool;
	Proposal *next;

	DoorEnter(model);
	pool = fill_pool(model, Max(POOL_LEAST, k * POOL_EACH), budget);
	while (rows.count < k && (next = pick(&pool)) != NULL)
	{
		Datum values[lengthof(onboarding_types)];
		bool nulls[lengthof(onboarding_types)] = {0};

		values[0] = DoorItemOut(&rows, IdSetDatum(pool.ids, (uint32) (next - pool.proposal)));
		values[1] = Int32GetDatum((int32) rows.count + 1);
		values[2] = Float8GetDatum(next->popularity);
		values[3] = Int32GetDatum(next->users);
		values[4] = Float8GetDatum(next->nearest);
		DoorPut(&rows, values, nulls);
		take(&pool, next);
	}
	DoorLeave(model);
	BudgetDestroy(budget);
	return (Datum) 0;
}
