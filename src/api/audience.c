/*
 * audience.c: reco_audience and reco_similar_users: users instead of items.
 *
 * Both read what was learned once, then the history of everyone, one after another, and keep the
 * best in a sort that holds no more than k of them.  That is work for a campaign and not for a
 * page: O(events).
 *
 * Only who has an item that speaks for the one asked about has a score for it, and only who shares an
 * item is similar.  Where indexes lead to users, these are found first, by a look at no more than which
 * items they have, and the histories of no others are read.  Of an audience that look also tells how
 * much can come of it at the most: histories are read round by round, of whom the most can come first,
 * until nobody is left who could be among the k best.  Of the 27,600 users of 4 million generated
 * events, and of an item that a third of them have, some 500 are then read.  Similar users it does not
 * tell apart: most have some taste in common.  What is held is charged to maintenance_work_mem, as for
 * reco_top_n_all.
 */
#include "api/door.h"

#include <math.h>

#include "api/profile.h"
#include "base/interrupts.h"
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
	double *value;        /* of all that went in, where more histories may be read for it */
	uint64 count;
	uint64 room;
	Budget *budget; /* of the values, or NULL */
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
	BestUsers best = {0};

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
	if (best->budget == NULL)
		return;
	best->value =
		BudgetGrow(best->budget, best->value, best->count + 1, &best->room, sizeof(double));
	best->value[best->count++] = value;
}

static int
greater_first(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return x > y ? -1 : x < y;
}

/* What the kth best has; whoever has less does not come in.  0 while there are fewer. */
static double
least_of_best(BestUsers *best, uint32 k)
{
	if (k == 0 || best->count < k)
		return 0;
	qsort(best->value, best->count, sizeof(double), greater_first);
	best->count = k;
	return best->value[k - 1];
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
	uint32 k;
	BestUsers best;
	IdSet *out; /* who is known not to come, or NULL */
	/* Of reco_audience. */
	Datum item;
	uint32 item_no;
	bool in_rounds; /* histories are read so, however many there may be */

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

/* Notes who is kept out by what was done with the item itself. */
static void
keep_out(Datum user, History *history, void *with)
{
	Ask *ask = with;
	const HistoryItem *known = HistoryFind(history, ask->item);

	if (known && ProfileKeepsOut(known, false))
		IdSetAdd(ask->out, user);
}

/* How much more than by the sum of squares a value may come to: what rounding may add. */
static double
margin_of(const Ask *ask, const double *strength)
{
	double items = Min(ask->model->settings.max_history, ask->learned->count);
	double most = 0;

	for (uint32 n = 0; n < ask->learned->count; n++)
		most = fmax(most, fmax(ask->learned->row[n].most, fabs(strength[n])));
	/* Each term is off by half a unit of 2^-50 of what all can come to, sqrt(items) * most, or twice that. */
	return ldexp(items * sqrt(items) * most, -49);
}

/* In the first round so many histories are read, or several for each place, and then more each time. */
#define ROUND_FIRST  64
#define ROUND_PLACES 4
#define ROUND_GROWTH 8

/*
 * The next users of a round, from *at on in an order by what can come of them; *at is at the end once
 * nothing can.
 */
static IdSet *
next_round(const Ask *ask, const Takers *takers, const uint32 *order, uint32 *at, uint64 round,
		   double least)
{
	IdSet *users = IdSetCreate(ask->model->user_kind, ask->best.budget);
	uint32 count = IdSetCount(takers->users);

	for (; *at < count && IdSetCount(users) < round; (*at)++)
	{
		Datum user = IdSetDatum(takers->users, order[*at]);

		INTERRUPTS_AT(*at);
		if (sqrt(takers->squares[order[*at]]) < least)
		{
			*at = count;
			break;
		}
		if (ask->out == NULL || IdSetFind(ask->out, user) == ID_NONE)
			IdSetAdd(users, user);
	}
	return users;
}

/* Hands on the histories of takers, those of whom the most can come first, as long as anything can. */
static void
consider_takers(Ask *ask, const Takers *takers, double margin, HistoriesTake consider,
				Budget *budget)
{
	HistoriesWanted wanted = {.as_of = GetCurrentTimestamp(), .part = 0, .parts = 1};
	uint32 *order = TakersOrder(takers, budget);
	uint64 round = ask->k == 0 ? UINT64_MAX : Max(ROUND_FIRST, (uint64) ask->k * ROUND_PLACES);
	uint32 at = 0;
	double least = 0;

	for (; at < IdSetCount(takers->users); round *= ROUND_GROWTH)
	{
		IdSet *users = next_round(ask, takers, order, &at, round, least);

		wanted.users = users;
		if (IdSetCount(users) > 0)
			HistoriesRead(ask->model, &wanted, ask->learned->ids, budget, consider, ask);
		IdSetFree(users);
		least = (least_of_best(&ask->best, ask->k) - margin) * (1 - 1e-9);
	}
	BudgetFree(budget, order);
}

/* Finds out who is kept out by what was done with the item asked about. */
static void
read_out(Ask *ask, Budget *budget)
{
	IdSet *item = IdSetCreate(ask->model->item_kind, budget);
	HistoriesWanted wanted = {
		.as_of = GetCurrentTimestamp(), .part = 0, .parts = 1, .of_items = item};

	ask->out = IdSetCreate(ask->model->user_kind, budget);
	IdSetAdd(item, ask->item);
	HistoriesRead(ask->model, &wanted, ask->learned->ids, budget, keep_out, ask);
	IdSetFree(item);
}

/*
 * Hands on the history of every user who may come, who is one with any of the items of some strength, in
 * memory that is charged to maintenance_work_mem.  By factors everybody may.
 */
static void
consider_all(Ask *ask, const double *strength, HistoriesTake consider, Budget *budget)
{
	HistoriesWanted wanted = {.as_of = GetCurrentTimestamp(), .part = 0, .parts = 1};
	Takers *takers = NULL;

	if (ask->factors == NULL)
		takers = TakersRead(ask->model, ask->learned, strength,
							!ask->in_rounds || ask->k == 0 || ask->k > TakersFew(ask->model),
							budget);
	if (takers == NULL)
		HistoriesRead(ask->model, &wanted, ask->learned->ids, budget, consider, ask);
	else
	{
		ask->best.budget = budget;
		if (ask->in_rounds)
			read_out(ask, budget);
		consider_takers(ask, takers, margin_of(ask, strength), consider, budget);
	}
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

/* How much each item speaks for the one asked about, or against it. */
static double *
speaking(const LearnedAll *learned, Budget *budget)
{
	double *strength = BudgetZeroed(budget, learned->count, sizeof(double));

	for (uint32 n = 0; n < learned->count; n++)
		if (learned->row[n].scored > 0)
			strength[n] = learned->row[n].similarity[0];
	return strength;
}

static const Oid audience_types[] = {DOOR_USER, FLOAT8OID, FLOAT8OID, DOOR_ITEM};

/* reco_audience(item_id, k, model) */
Datum
reco_audience(PG_FUNCTION_ARGS)
{
	Model *model = DoorModel(fcinfo, 2);
	Ask ask = {.model = model,
			   .k = DoorK(fcinfo, 1),
			   .item = DoorItem(fcinfo, 0, model),
			   .in_rounds = true};
	Budget *budget = BudgetCreate(CurrentMemoryContext, "reco_audience", BudgetMaintenance());
	DoorRows rows = DoorOpen(fcinfo, model, audience_types, lengthof(audience_types), false);
	Datum *user;

	if (PG_ARGISNULL(0))
		return (Datum) 0;
	DoorEnter(model);
	if (LearnedNumber(model, ask.item, &ask.item_no))
	{
		read_learned(&ask, ask.item_no, budget);
		ask.best = begin_best(model, ask.k);
		consider_all(&ask, speaking(ask.learned, budget), consider_for_item, budget);
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
	Ask ask = {.model = model, .k = DoorK(fcinfo, 1)};
	Datum asker = DoorUser(fcinfo, 0, model);
	Budget *budget = BudgetCreate(CurrentMemoryContext, "reco_similar_users", BudgetMaintenance());
	DoorRows rows =
		DoorOpen(fcinfo, model, similar_users_types, lengthof(similar_users_types), false);
	Datum *user;

	if (PG_ARGISNULL(0))
		return (Datum) 0;
	DoorEnter(model);
	ask.user = IdSetCreate(model->user_kind, budget);
	IdSetAdd(ask.user, asker);
	read_learned(&ask, ID_NONE, budget);
	ask.rarity = rarities(model, ask.learned, budget);
	know_taste(&ask, HistoryRead(model, asker, GetCurrentTimestamp(), budget), budget);
	ask.best = begin_best(model, ask.k);
	consider_all(&ask, ask.taste, consider_taste, budget);
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
