/*
 * audience.c: reco_audience and reco_similar_users: users instead of items.
 *
 * Both read what was learned once, then the history of everyone, one after another, and keep the
 * best in a sort that holds no more than k of them.  That is work for a campaign and not for a
 * page: O(events).  Only who has an item that speaks for the one asked about has a score for it, and
 * only who shares an item is similar: where those are few and indexes lead to them, the histories of
 * no others are read.  What is held is charged to maintenance_work_mem, as for reco_top_n_all.
 */
#include "api/door.h"

#include <math.h>

#include "api/profile.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "data/histories.h"
#include "data/learned.h"
#include "data/plan.h"
#include "data/takers.h"
#include "executor/spi.h"
#include "utils/timestamp.h"
#include "utils/tuplesort.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(reco_audience);
PG_FUNCTION_INFO_V1(reco_similar_users);

/* The columns of a user while they are sorted; ids are normalised. */
enum
{
	BEST_USER,
	BEST_VALUE,
	BEST_MORE, /* the level of an audience's scores, the number of items similar users share */
	BEST_BECAUSE,
	BEST_COLUMNS
};

/* The best users so far. */
typedef struct BestUsers
{
	Tuplesortstate *sort;
	uint64 left;          /* rows that may still come out */
	TupleTableSlot *slot; /* for rows going in */
	TupleTableSlot *row;  /* for rows coming out */
} BestUsers;

/* A sort by value, then by user id, for the k best; 0 is everyone. */
static BestUsers
begin_best(const Model *model, uint32 k)
{
	Oid user = IdType(model->user_kind);
	AttrNumber columns[] = {BEST_VALUE + 1, BEST_USER + 1};
	Oid operators[] = {lookup_type_cache(FLOAT8OID, TYPECACHE_GT_OPR)->gt_opr,
					   lookup_type_cache(user, TYPECACHE_LT_OPR)->lt_opr};
	Oid collations[] = {InvalidOid, user == TEXTOID ? C_COLLATION_OID : InvalidOid};
	bool nulls_first[] = {false, false};
	TupleDesc desc = CreateTemplateTupleDesc(BEST_COLUMNS);
	BestUsers best;

	TupleDescInitEntry(desc, BEST_USER + 1, "user_id", user, -1, 0);
	TupleDescInitEntry(desc, BEST_VALUE + 1, "value", FLOAT8OID, -1, 0);
	TupleDescInitEntry(desc, BEST_MORE + 1, "more", FLOAT8OID, -1, 0);
	TupleDescInitEntry(desc, BEST_BECAUSE + 1, "because", IdType(model->item_kind), -1, 0);
	TupleDescFinalize(desc);
	best.sort =
		tuplesort_begin_heap(desc, lengthof(columns), columns, operators, collations, nulls_first,
							 work_mem, NULL, k > 0 ? TUPLESORT_ALLOWBOUNDED : TUPLESORT_NONE);
	best.left = PG_UINT64_MAX;
	if (k > 0)
	{
		best.left = k;
		tuplesort_set_bound(best.sort, k);
	}
	best.slot = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	best.row = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	return best;
}

static void
add_best(BestUsers *best, Datum user, double value, double more, Datum because)
{
	TupleTableSlot *slot = ExecClearTuple(best->slot);

	slot->tts_values[BEST_USER] = user;
	slot->tts_values[BEST_VALUE] = Float8GetDatum(value);
	slot->tts_values[BEST_MORE] = Float8GetDatum(more);
	slot->tts_values[BEST_BECAUSE] = because;
	memset(slot->tts_isnull, 0, sizeof(bool) * BEST_COLUMNS);
	ExecStoreVirtualTuple(slot);
	tuplesort_puttupleslot(best->sort, slot);
}

/* The next best user, or NULL; call tuplesort_performsort first. */
static Datum *
next_best(BestUsers *best)
{
	CHECK_FOR_INTERRUPTS();
	if (best->left-- == 0 || !tuplesort_gettupleslot(best->sort, true, false, best->row, NULL))
		return NULL;
	slot_getallattrs(best->row);
	return best->row->tts_values;
}

static void
end_best(BestUsers *best)
{
	ExecDropSingleTupleTableSlot(best->slot);
	ExecDropSingleTupleTableSlot(best->row);
	tuplesort_end(best->sort);
}

/* A question for users. */
typedef struct Ask
{
	const Model *model;
	const LearnedAll *learned;
	const ItemFactors *factors; /* of a model learned by them, or NULL */
	BestUsers best;
	/* Of reco_audience. */
	Datum item;
	uint32 item_no;

	/* Of reco_similar_users; arrays go by number in learned. */
	IdSet *user;          /* who asks: just that one */
	const double *taste;  /* of that user, of length 1 */
	const double *rarity; /* of each item */
	const float *factor;  /* the factors of that user, or NULL, and their length */
	double length;
} Ask;

/* The profile of a history, as far as what was read is concerned; its scores are ProfileRead's. */
static Profile *
profile_of(const Ask *ask, History *history)
{
	return ProfileOf(ask->model, history, ask->learned->row, ask->learned->count, ask->factors);
}

/* The id of the item of an entry. */
static Datum
entry_id(const Profile *profile, uint32 entry)
{
	const History *history = profile->history;

	return IdSetDatum(history->ids, history->item[profile->place[entry]].id);
}

/* The place of the greatest of some numbers, the first of equals. */
static uint32
greatest(const double *share, uint32 count)
{
	uint32 at = 0;

	for (uint32 n = 1; n < count; n++)
		if (share[n] > share[at])
			at = n;
	return at;
}

/* Scores one user for the item. */
static void
consider_for_item(Datum user, History *history, void *with)
{
	Ask *ask = with;
	const HistoryItem *known = HistoryFind(history, ask->item);
	Profile *profile;
	double *share;
	double score;

	if (known && ProfileKeepsOut(known, false))
		return;
	profile = profile_of(ask, history);
	score = ProfileScore(profile, ask->item_no);
	if (!(score > 0))
		return;
	share = palloc_extended(sizeof(double) * profile->count, MCXT_ALLOC_HUGE);
	ProfileShares(profile, ask->item_no, share);
	add_best(&ask->best, user, score, profile->level,
			 entry_id(profile, greatest(share, profile->count)));
}

/*
 * Hands on the history of every user who may come, who is one with any of some items, in memory that
 * is charged to maintenance_work_mem.  By factors everybody may.
 */
static void
consider_all(Ask *ask, const uint32 *place, uint32 count, HistoriesTake consider, Budget *budget)
{
	HistoriesWanted wanted = {.as_of = GetCurrentTimestamp(), .part = 0, .parts = 1};

	if (ask->factors == NULL)
		wanted.users = TakersRead(ask->model, ask->learned, place, count, budget);
	HistoriesRead(ask->model, &wanted, ask->learned->ids, budget, consider, ask);
	tuplesort_performsort(ask->best.sort);
}

/* Reads what was learned of all items: factors, or what each says about one of them. */
static void
read_learned(Ask *ask, uint32 about, Budget *budget)
{
	bool factors = ask->model->algorithm == MODEL_FACTORS;

	ask->learned = LearnedReadAll(ask->model, factors ? ID_NONE : about, budget);
	if (factors)
		ask->factors = ItemFactorHold(ask->model, budget);
}

/* The items that speak for the one asked about, or against it. */
static uint32 *
speaking(const LearnedAll *learned, Budget *budget, uint32 *count)
{
	uint32 *place = BudgetAlloc(budget, learned->count, sizeof(uint32));

	*count = 0;
	for (uint32 n = 0; n < learned->count; n++)
		if (learned->row[n].scored > 0)
			place[(*count)++] = n;
	return place;
}

static const Oid audience_types[] = {DOOR_USER, FLOAT8OID, FLOAT8OID, DOOR_ITEM};

/* reco_audience(item_id, k, model) */
Datum
reco_audience(PG_FUNCTION_ARGS)
{
	Model *model = DoorModel(fcinfo, 2);
	Ask ask = {.model = model, .item = DoorItem(fcinfo, 0, model)};
	uint32 k = DoorK(fcinfo, 1);
	Budget *budget = BudgetCreate(CurrentMemoryContext, "reco_audience", BudgetMaintenance());
	DoorRows rows = DoorOpen(fcinfo, model, audience_types, lengthof(audience_types), false);
	Datum *user;

	if (PG_ARGISNULL(0))
		return (Datum) 0;
	DoorEnter(model);
	if (LearnedNumber(model, ask.item, &ask.item_no))
	{
		uint32 *place;
		uint32 count;

		read_learned(&ask, ask.item_no, budget);
		place = speaking(ask.learned, budget, &count);
		ask.best = begin_best(model, k);
		consider_all(&ask, place, count, consider_for_item, budget);
		while ((user = next_best(&ask.best)) != NULL)
		{
			Datum values[lengthof(audience_types)] = {0};
			bool nulls[lengthof(audience_types)] = {0};
			double match = 0;

			nulls[2] =
				!ProfileMatch(model, DatumGetFloat8(user[BEST_MORE]),
							  DatumGetFloat8(user[BEST_VALUE]), model->settings.min_match, &match);
			values[0] = DoorUserOut(&rows, user[BEST_USER]);
			values[1] = user[BEST_VALUE];
			values[2] = Float8GetDatum(match);
			values[3] = DoorItemOut(&rows, user[BEST_BECAUSE]);
			DoorPut(&rows, values, nulls);
		}
		end_best(&ask.best);
	}
	DoorLeave(model);
	BudgetDestroy(budget);
	return (Datum) 0;
}

/*
 * How much an item says about taste: its inverse user frequency, ln(users / users of the item).
 * What everybody has says nothing.
 */
static double *
rarities(const Model *model, const LearnedAll *learned, Budget *budget)
{
	double *rarity = BudgetAlloc(budget, learned->count, sizeof(double));
	double users;
	bool isnull;

	if (PlanRun(psprintf("SELECT users::pg_catalog.float8 FROM ONLY %s.model", model->quoted), 0,
				NULL, NULL, NULL) != 1)
		LearnedRefuse(model);
	users = DatumGetFloat8(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	for (uint32 n = 0; n < learned->count; n++)
		rarity[n] = isnull ? 0 : fmax(log(users / Max(learned->users[n], 1)), 0);
	return rarity;
}

/* What an entry says about taste: f(w) times the rarity of its item, w and f as in a score. */
static double
taste_of(const Ask *ask, const Profile *profile, uint32 entry, uint32 number)
{
	return profile->entries[entry].weight * ask->rarity[number];
}

/*
 * Adds a user by the cosine of factors, because of what in the history has the greatest part in
 * it.
 */
static void
add_by_factors(Ask *ask, Datum user, const Profile *profile, uint32 shared)
{
	const Fold *fold;
	const float *factor = ProfileTaste(profile, &fold);
	double product = FoldDot(factor, ask->factor, fold->width);
	double length = sqrt(FoldDot(factor, factor, fold->width)) * ask->length;
	double *share;

	if (!(product > 0 && length > 0 && isfinite(product / length)))
		return;
	share = palloc_extended(sizeof(double) * profile->count, MCXT_ALLOC_HUGE);
	ProfileTasteShares(profile, ask->factor, share);
	add_best(&ask->best, user, fmin(product / length, 1), shared,
			 entry_id(profile, greatest(share, profile->count)));
}

/* Compares the taste of one user with that of the user who asks. */
static void
consider_taste(Datum user, History *history, void *with)
{
	Ask *ask = with;
	Profile *profile = profile_of(ask, history);
	double product = 0;
	double squares = 0;
	double length;
	double most = 0;
	uint32 because = 0;
	uint32 shared = 0;

	if (IdSetFind(ask->user, user) != ID_NONE)
		return;
	for (uint32 e = 0; e < profile->count; e++)
	{
		uint32 number = history->item[profile->place[e]].id;
		double taste = taste_of(ask, profile, e, number);
		double part = taste * ask->taste[number];

		squares += taste * taste;
		product += part;
		shared += part > 0;
		if (part > most)
		{
			most = part;
			because = e;
		}
	}
	if (ask->factor)
	{
		add_by_factors(ask, user, profile, shared);
		return;
	}
	length = sqrt(squares);

	/* Likes and dislikes that contradict each other can outweigh what is shared. */
	if (product > 0 && length > 0 && isfinite(product / length))
		add_best(&ask->best, user, fmin(product / length, 1), shared, entry_id(profile, because));
}

/* The items that tell the taste of who asks. */
static uint32 *
telling(const Ask *ask, Budget *budget, uint32 *count)
{
	uint32 *place = BudgetAlloc(budget, ask->learned->count, sizeof(uint32));

	*count = 0;
	for (uint32 n = 0; n < ask->learned->count; n++)
		if (ask->taste[n] != 0)
			place[(*count)++] = n;
	return place;
}

/* Makes the taste of who asks ready to be compared. */
static void
know_taste(Ask *ask, History *history, Budget *budget)
{
	Profile *profile = ProfileRead(ask->model, history);
	uint32 *number = BudgetAlloc(budget, profile->count, sizeof(uint32));
	double *taste = BudgetZeroed(budget, ask->learned->count, sizeof(double));
	double squares = 0;
	const Fold *fold;

	ask->factor = ProfileTaste(profile, &fold);
	if (ask->factor)
		ask->length = sqrt(FoldDot(ask->factor, ask->factor, fold->width));
	for (uint32 e = 0; e < profile->count; e++)
	{
		number[e] = IdSetFind(ask->learned->ids, entry_id(profile, e));
		if (number[e] == ID_NONE)
			LearnedRefuse(ask->model);
		taste[number[e]] = taste_of(ask, profile, e, number[e]);
		squares += taste[number[e]] * taste[number[e]];
	}
	for (uint32 e = 0; e < profile->count; e++)
		taste[number[e]] = squares > 0 && isfinite(squares) ? taste[number[e]] / sqrt(squares) : 0;
	ask->taste = taste;
}

static const Oid similar_users_types[] = {DOOR_USER, FLOAT8OID, INT4OID, DOOR_ITEM};

/*
 * reco_similar_users(similar_to, k, model): vector similarity with inverse user frequency (Breese,
 * Heckerman, Kadie 1998): the cosine of f(w) * ln(users / users of the item) over the items of two
 * histories, with w and f as in a score where they have votes.  Of a model learned by factors it
 * is the cosine of the factors of two users, both folded in.
 */
Datum
reco_similar_users(PG_FUNCTION_ARGS)
{
	Model *model = DoorModel(fcinfo, 2);
	Ask ask = {.model = model};
	Datum asker = DoorUser(fcinfo, 0, model);
	uint32 k = DoorK(fcinfo, 1);
	Budget *budget = BudgetCreate(CurrentMemoryContext, "reco_similar_users", BudgetMaintenance());
	DoorRows rows =
		DoorOpen(fcinfo, model, similar_users_types, lengthof(similar_users_types), false);
	uint32 *place;
	uint32 count;
	Datum *user;

	if (PG_ARGISNULL(0))
		return (Datum) 0;
	DoorEnter(model);
	ask.user = IdSetCreate(model->user_kind, budget);
	IdSetAdd(ask.user, asker);
	read_learned(&ask, ID_NONE, budget);
	ask.rarity = rarities(model, ask.learned, budget);
	know_taste(&ask, HistoryRead(model, asker, GetCurrentTimestamp(), budget), budget);
	place = telling(&ask, budget, &count);
	ask.best = begin_best(model, k);
	consider_all(&ask, place, count, consider_taste, budget);
	while ((user = next_best(&ask.best)) != NULL)
	{
		double shared = Min(DatumGetFloat8(user[BEST_MORE]), PG_INT32_MAX);
		Datum values[] = {DoorUserOut(&rows, user[BEST_USER]), user[BEST_VALUE],
						  Int32GetDatum((int32) shared), DoorItemOut(&rows, user[BEST_BECAUSE])};
		bool nulls[lengthof(values)] = {0};

		DoorPut(&rows, values, nulls);
	}
	end_best(&ask.best);
	DoorLeave(model);
	BudgetDestroy(budget);
	return (Datum) 0;
}
