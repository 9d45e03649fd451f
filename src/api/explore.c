/*
 * explore.c: reco_explore: a list some of whose places go to what nobody knows enough of, drawn by
 * lot, each row with the chance it had of being there.
 *
 * Of k places share * k, rounded down or up as the lot has it, are for the drawn; the others for the
 * beginning of the list of reco_top_n, and what is pinned keeps its place.  Drawn from are new items and the least popular, an item of n
 * users with a chance in proportion to 1 / (1 + n).  A result measured over such lists, each row
 * weighed by 1 / propensity, is that of any other way to make lists, which is what propensities are
 * for (Horvitz & Thompson 1952; Li et al. 2011 for lists that were shown).
 */
#include "api/recommend.h"

#include <math.h>

#include "api/arguments.h"
#include "api/arrange.h"
#include "api/arrangement.h"
#include "api/fallback.h"
#include "catalog/pg_type.h"
#include "data/catalogue.h"
#include "data/learned.h"
#include "executor/spi.h"
#include "math/draw.h"
#include "math/hash.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_explore);

/* The columns of a list, and the chance. */
enum
{
	EXPLORE_LIST = LIST_RANK - LIST_ITEM,
	EXPLORE_COLUMNS = EXPLORE_LIST + 1
};

static const Oid explore_types[EXPLORE_COLUMNS] = {DOOR_ITEM, FLOAT8OID, FLOAT8OID,
												   DOOR_ITEM, TEXTOID,   FLOAT8OID};

/* Items that are drawn from: new ones first, then those known least. */
#define POOL_MOST 1000

/* Rows of a walk that the catalogue is asked for at a time. */
#define BATCH 256

#define SHARE_DEFAULT 0.1

/* What a share of places may lack of a whole number. */
#define TINY 1e-9

/* A question, and what is known of its answer. */
typedef struct Explore
{
	RecommendAsk ask;
	Profile *profile;
	double share;
	uint64 lot; /* where all that is drawn comes from: seed and user */

	RecommendRow *row; /* the list without it, but for what is pinned */
	uint32 rows;
	RecommendRow *pinned; /* that, by place, from 0; with no source where nothing is */
	uint32 pins;
	uint32 listed; /* of both */

	uint32 *number; /* of the items drawn from, in the list's ids, */
	double *weight;
	double *chance;
	uint32 pool;
	uint32 *drawn; /* those drawn, as places in number */
	uint32 draws;
	double sum; /* of the chances: how many are drawn, but for rounding */
} Explore;

/* The share and k of the arguments. */
static void
take_places(FunctionCallInfo fcinfo, Explore *explore)
{
	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("k must not be NULL where places are drawn for"),
						errhint("Say how many places there are.")));
	explore->ask.k = DoorK(fcinfo, 1);
	explore->share = PG_ARGISNULL(3) ? SHARE_DEFAULT : PG_GETARG_FLOAT8(3);
	if (!(explore->share >= 0 && explore->share <= 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("explore must be from 0 to 1, not %g", explore->share)));
}

/* Adds an item of the catalogue to what is drawn from, unless something keeps it out. */
static void
add_item(Explore *explore, Datum item, int32 users)
{
	RecommendAsk *ask = &explore->ask;
	uint32 number;

	if (ask->among && IdSetFind(ask->among, item) == ID_NONE)
		return;
	number = IdSetAdd(ask->ids, item);
	if (RecommendIsMarked(ask, number))
		return;
	RecommendMark(ask, number);
	explore->number[explore->pool] = number;
	explore->weight[explore->pool++] = 1.0 / (1.0 + Max(users, 0));
}

static void
add_walk(Explore *explore, CatalogueOrder order)
{
	const Model *model = explore->ask.model;
	Portal portal = CatalogueOpen(model, order, NULL);

	while (portal && explore->pool < POOL_MOST)
	{
		uint64 count;
		CatalogueRow *rows = CatalogueNext(model, portal, BATCH, &count);

		CHECK_FOR_INTERRUPTS();
		if (count == 0)
			break;
		for (uint64 r = 0; r < count && explore->pool < POOL_MOST; r++)
			add_item(explore, rows[r].item, rows[r].users);
		SPI_freetuptable(SPI_tuptable);
		pfree(rows);
	}
	if (portal)
		SPI_cursor_close(portal);
}

/* Finds what may be drawn: nothing that the first so many rows of the list have. */
static void
fill_pool(Explore *explore, uint32 sure)
{
	RecommendAsk *ask = &explore->ask;

	explore->number = palloc(sizeof(uint32) * POOL_MOST);
	explore->weight = palloc(sizeof(double) * POOL_MOST);
	explore->chance = palloc(sizeof(double) * POOL_MOST);
	ask->list++;
	FallbackMark(ask, explore->profile->history);
	for (uint32 r = 0; r < Min(sure, explore->rows); r++)
		RecommendMark(ask, explore->row[r].number);
	for (uint32 p = 0; p < explore->listed; p++)
		if (explore->pinned[p].source != 0)
			RecommendMark(ask, explore->pinned[p].number);
	add_walk(explore, CATALOGUE_NEW);
	add_walk(explore, CATALOGUE_OBSCURE);
}

/* An item and a number that the lot gives it, whatever order items came in. */
typedef struct Ticket
{
	uint64 number;
	uint32 place;
} Ticket;

static int
by_ticket(const void *a, const void *b)
{
	const Ticket *x = a;
	const Ticket *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* Draws items for a number of places, which need not be whole. */
static void
draw(Explore *explore, double places)
{
	const RecommendAsk *ask = &explore->ask;
	Ticket *ticket = palloc(sizeof(Ticket) * (explore->pool + 1));
	uint32 *order = palloc(sizeof(uint32) * (explore->pool + 1));
	double start = (double) (HashNext(&explore->lot) >> 11) * 0x1p-53;

	explore->drawn = palloc(sizeof(uint32) * (explore->pool + 1));
	explore->sum = Min(places, explore->pool);
	DrawChances(explore->weight, explore->pool, explore->sum, explore->chance);
	for (uint32 n = 0; n < explore->pool; n++)
		ticket[n] =
			(Ticket){HashMix(explore->lot ^ IdHash(ask->model->item_kind,
												   IdSetDatum(ask->ids, explore->number[n]))),
					 n};
	qsort(ticket, explore->pool, sizeof(Ticket), by_ticket);
	for (uint32 n = 0; n < explore->pool; n++)
		order[n] = ticket[n].place;
	explore->draws = DrawItems(explore->chance, order, explore->pool, start, explore->drawn);
}

/* Puts what evidence there is for the rows of what was drawn, by their numbers or ID_NONE. */
static void
put_evidence(const Explore *explore, RecommendRow *rows, const uint32 *item_no)
{
	const Model *model = explore->ask.model;
	const Profile *profile = explore->profile;
	uint32 *known = palloc(sizeof(uint32) * (explore->draws + 1));
	double *score = palloc(sizeof(double) * (explore->draws + 1));
	int64_t *because = palloc(sizeof(int64_t) * (explore->draws + 1));
	uint32 learned = 0;
	uint32 count = 0;

	for (uint32 d = 0; d < explore->draws; d++)
		if (item_no[d] != ID_NONE)
			known[learned++] = item_no[d];
	ProfileScores(profile, known, learned, score);
	learned = 0;
	for (uint32 d = 0; d < explore->draws; d++)
	{
		if (item_no[d] == ID_NONE || !(score[learned++] > 0))
			continue;
		rows[d].item_no = known[count++] = item_no[d];
		rows[d].score = score[learned - 1];
		rows[d].matched = ProfileMatch(model, profile->level, rows[d].score,
									   model->settings.min_match, &rows[d].match);
	}
	ProfileBecause(profile, known, count, because);
	count = 0;
	for (uint32 d = 0; d < explore->draws; d++)
		if (rows[d].item_no != ID_NONE)
			rows[d].because = because[count++];
}

/* The rows of what was drawn. */
static RecommendRow *
drawn_rows(const Explore *explore)
{
	const RecommendAsk *ask = &explore->ask;
	IdSet *ids = IdSetCreate(ask->model->item_kind, ask->budget);
	RecommendRow *rows = palloc(sizeof(RecommendRow) * (explore->draws + 1));

	for (uint32 d = 0; d < explore->draws; d++)
	{
		rows[d] = (RecommendRow){.number = explore->number[explore->drawn[d]],
								 .item_no = ID_NONE,
								 .because = -1,
								 .source = CStringGetTextDatum("explored")};
		IdSetAdd(ids, IdSetDatum(ask->ids, rows[d].number));
	}
	put_evidence(explore, rows, LearnedPlaces(ask->model, ids, ask->budget));
	IdSetFree(ids);
	return rows;
}

/* True where a row is pinned to the place that it has. */
static bool
is_pinned(const RecommendRow *row)
{
	text *source = DatumGetTextPP(row->source);

	return VARSIZE_ANY_EXHDR(source) == strlen("pinned") &&
		   memcmp(VARDATA_ANY(source), "pinned", strlen("pinned")) == 0;
}

/* Which of the places, from 0, are for the drawn: none that a row is pinned to. */
static bool *
draw_places(Explore *explore, uint32 places)
{
	uint32 *free = palloc_extended(sizeof(uint32) * ((Size) places + 1), MCXT_ALLOC_HUGE);
	bool *for_drawn = palloc0((Size) places + 1);
	uint32 count = 0;

	for (uint32 p = 0; p < places; p++)
		if (explore->pinned[p].source == 0)
			free[count++] = p;
	for (uint32 drawn = 0; drawn < explore->draws && drawn < count; drawn++)
	{
		uint32 other = drawn + (uint32) (HashNext(&explore->lot) % (count - drawn));

		for_drawn[free[other]] = true;
		free[other] = free[drawn];
	}
	return for_drawn;
}

/* The list: what was drawn at its places, pinned rows at theirs, the others in their order. */
static void
put_list(Explore *explore, uint32 kept, const double *propensity)
{
	RecommendAsk *ask = &explore->ask;
	uint32 places = explore->pins + kept + explore->draws;
	RecommendRow *drawn = drawn_rows(explore);
	RecommendRow *list =
		palloc_extended(sizeof(RecommendRow) * ((Size) places + 1), MCXT_ALLOC_HUGE);
	double *chance = palloc_extended(sizeof(double) * ((Size) places + 1), MCXT_ALLOC_HUGE);
	bool *for_drawn = draw_places(explore, places);
	uint32 next_drawn = 0;
	uint32 next = 0;

	for (uint32 p = 0; p < places; p++)
	{
		chance[p] = 1;
		if (explore->pinned[p].source != 0)
			list[p] = explore->pinned[p];
		else if (for_drawn[p])
		{
			chance[p] = explore->chance[explore->drawn[next_drawn]];
			list[p] = drawn[next_drawn++];
		}
		else
		{
			chance[p] = propensity[next];
			list[p] = explore->row[next++];
		}
	}
	ArrangeScores(list, places);
	for (uint32 p = 0; p < places; p++)
	{
		Datum values[LIST_COLUMNS] = {0};
		bool nulls[LIST_COLUMNS] = {0};

		RecommendValues(ask, explore->profile, &list[p], values, nulls);
		values[LIST_ITEM + EXPLORE_LIST] = Float8GetDatum(chance[p]);
		DoorPut(&ask->rows, values + LIST_ITEM, nulls + LIST_ITEM);
	}
}

/* Makes the list without what is drawn, and sets aside what is pinned. */
static void
make_list(Explore *explore)
{
	RecommendAsk *ask = &explore->ask;
	uint32 count;
	RecommendRow *row = ArrangeRows(ask, explore->profile, &count);

	explore->listed = count;
	explore->row = palloc_extended(sizeof(RecommendRow) * ((Size) count + 1), MCXT_ALLOC_HUGE);
	explore->pinned = palloc_extended(sizeof(RecommendRow) * ((Size) count + POOL_MOST + 1),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 r = 0; r < count; r++)
		if (is_pinned(&row[r]))
		{
			explore->pinned[r] = row[r];
			explore->pins++;
		}
		else
			explore->row[explore->rows++] = row[r];
}

/* Leaves of the list what was not drawn, at most so many rows; returns how many there are. */
static uint32
keep_rows(Explore *explore, uint32 most)
{
	RecommendAsk *ask = &explore->ask;
	uint32 kept = 0;

	ask->list++;
	for (uint32 d = 0; d < explore->draws; d++)
		RecommendMark(ask, explore->number[explore->drawn[d]]);
	for (uint32 r = 0; r < explore->rows && kept < most; r++)
		if (!RecommendIsMarked(ask, explore->row[r].number))
			explore->row[kept++] = explore->row[r];
	return kept;
}

/*
 * Gives the places away.  The beginning of the list that is there whatever the lot says is not drawn
 * from; one more row is there where the number of draws is rounded down.  Where there is too little
 * to draw from, all of it is there, and more of the list.
 */
static void
explore_list(Explore *explore)
{
	RecommendAsk *ask = &explore->ask;
	double places;
	double *propensity;
	uint32 free;
	uint32 kept;

	make_list(explore);
	free = ask->k - explore->pins;
	places = Min(explore->share * (double) ask->k, free);
	if (fabs(places - rint(places)) < TINY)
		places = rint(places);
	fill_pool(explore, free - (uint32) floor(places));
	draw(explore, places);
	kept = keep_rows(explore, free - Min(explore->draws, free));
	propensity = palloc_extended(sizeof(double) * ((Size) kept + 1), MCXT_ALLOC_HUGE);
	for (uint32 r = 0; r < kept; r++)
		propensity[r] = r + 1 + ceil(explore->sum) <= free ? 1 : ceil(explore->sum) - explore->sum;
	put_list(explore, kept, propensity);
}

/*
 * reco_explore(user_id, k, model, explore, seed, exclude, among, as_of, seen, fallback, diversity,
 * max_per, max_per_n, calibrated, calibrated_by, context).  A NULL user is a guest with no history.
 */
Datum
reco_explore(PG_FUNCTION_ARGS)
{
	Explore explore = {.ask = {.model = DoorModel(fcinfo, 2),
							   .source = "personal",
							   .least_match = -1,
							   .has_asker = !PG_ARGISNULL(0)}};
	RecommendAsk *ask = &explore.ask;
	History *history;

	ask->asker = DoorUser(fcinfo, 0, ask->model);
	take_places(fcinfo, &explore);
	explore.lot = HashMix(PG_ARGISNULL(4) ? 0 : (uint64) PG_GETARG_INT64(4));
	if (ask->has_asker)
		explore.lot ^= IdHash(ask->model->user_kind, ask->asker);
	ask->budget = BudgetCreate(CurrentMemoryContext, "exploration", SIZE_MAX);
	ask->exclude = DoorItems(fcinfo, 5, ask->model, ask->budget);
	ask->among = DoorItems(fcinfo, 6, ask->model, ask->budget);
	ask->as_of = PG_ARGISNULL(7) ? GetCurrentTimestamp() : PG_GETARG_TIMESTAMPTZ(7);
	ask->seen = RecommendFlag(fcinfo, 8, false);
	ask->fallback = RecommendFlag(fcinfo, 9, true);
	ask->arrangement = ArrangementOptions(fcinfo, 10, ask->model);
	if (ask->arrangement == NULL)
		ask->arrangement = ArrangementPlain();
	ask->rows = DoorOpen(fcinfo, ask->model, explore_types, EXPLORE_COLUMNS, false);

	DoorEnter(ask->model);
	RecommendContext(ask, fcinfo, 15);
	history = ask->has_asker ? HistoryRead(ask->model, ask->asker, ask->as_of, ask->budget)
							 : HistoryOfItems(ask->model, NULL, 0, ask->budget);
	ask->ids = history->ids;
	explore.profile = ProfileRead(ask->model, history);
	ArrangementBegin(ask);
	explore_list(&explore);
	DoorLeave(ask->model);
	BudgetDestroy(ask->budget);
	return (Datum) 0;
}
