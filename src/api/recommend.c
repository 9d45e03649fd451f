/*
 * recommend.c: reco_top_n, reco_complete, reco_score and reco_match.
 *
 * A list is made in two parts.  First the candidates the profile leads to, best first, checked
 * against the catalogue in batches until the list is full.  Then, where it is not and fallback
 * is on, the catalogue is walked by what rises, by what is popular, by what is new.  Every rule
 * that keeps an item out holds in both parts, and all hold before the cut.
 */
#include "api/door.h"
#include "api/profile.h"
#include "catalog/pg_type.h"
#include "data/catalogue.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_top_n);
PG_FUNCTION_INFO_V1(reco_complete);
PG_FUNCTION_INFO_V1(reco_score);
PG_FUNCTION_INFO_V1(reco_match);

/* The columns of a list. */
enum
{
	LIST_ITEM,
	LIST_SCORE,
	LIST_MATCH,
	LIST_BECAUSE,
	LIST_SOURCE,
	LIST_COLUMNS
};

static const Oid list_types[LIST_COLUMNS] = {DOOR_ITEM, FLOAT8OID, FLOAT8OID, DOOR_ITEM, TEXTOID};

/*
 * Batches of candidates checked against the catalogue: the first covers a usual list with room to
 * spare.
 */
#define BATCH_FIRST 32
#define BATCH_MOST  4096

/* A question for a list, and the list so far. */
typedef struct Ask
{
	Model *model;
	Budget *budget;
	uint32 k; /* 0 for everything */
	IdSet *exclude;
	IdSet *among;
	double least_match; /* rows that match less are left out; negative for none */
	bool seen;          /* items of the history may come */
	bool fallback;
	const char *source; /* of the rows the profile leads to */
	DoorRows rows;
	IdSet *listed;
	uint64 ranked; /* rows of the fallback so far, for their order */
} Ask;

static bool
is_full(const Ask *ask)
{
	return ask->k > 0 && ask->rows.count >= ask->k;
}

/*
 * True where the history keeps an item out: it was seen, or disliked, which `seen` does not undo.
 */
static bool
is_kept_out(const Ask *ask, const HistoryItem *item)
{
	return item->weight < 0 || (item->seen && !ask->seen);
}

/* Heap order for candidates: greater score first, then smaller number. */
static bool
comes_before(const ProfileCandidate *a, const ProfileCandidate *b)
{
	return a->score > b->score || (a->score == b->score && a->item_no < b->item_no);
}

static void
sink(ProfileCandidate *heap, uint32 count, uint32 root)
{
	ProfileCandidate moving = heap[root];

	for (;;)
	{
		uint64 child = 2 * (uint64) root + 1;

		if (child >= count)
			break;
		if (child + 1 < count && comes_before(&heap[child + 1], &heap[child]))
			child++;
		if (!comes_before(&heap[child], &moving))
			break;
		heap[root] = heap[child];
		root = (uint32) child;
	}
	heap[root] = moving;
}

/*
 * Drops the candidates that some rule keeps out; what stays keeps its order.  Returns how many
 * stay.
 */
static uint32
apply_rules(const Ask *ask, const Profile *profile, ProfileCandidate *candidates, uint32 count)
{
	enum
	{
		ALLOWED = 1,
		REFUSED = 2
	};
	uint32 slots = ask->model->item_slots;
	unsigned char *rule = MemoryContextAllocExtended(CurrentMemoryContext, (Size) slots + 1,
													 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	uint32 stay = 0;

	for (uint32 e = 0; e < profile->count; e++)
		if (is_kept_out(ask, &profile->history->item[profile->rows[e].id]))
			rule[profile->rows[e].packed.item_no] |= REFUSED;
	for (int list = 0; list < 2; list++)
	{
		IdSet *set = list == 0 ? ask->exclude : ask->among;
		uint32 *item_no;
		uint32 n;

		if (set == NULL || IdSetCount(set) == 0)
			continue;
		item_no = LearnedNumbers(ask->model, set, &n);
		for (uint32 i = 0; i < n; i++)
			rule[item_no[i]] |= list == 0 ? REFUSED : ALLOWED;
	}

	for (uint32 c = 0; c < count; c++)
	{
		unsigned char r = rule[candidates[c].item_no];

		if (!(r & REFUSED) && (ask->among == NULL || (r & ALLOWED)))
			candidates[stay++] = candidates[c];
	}
	pfree(rule);
	return stay;
}

/* One row of the personal part; false where it, and so all after it, match too little. */
static bool
put_candidate(Ask *ask, const Profile *profile, const ProfileCandidate *candidate, Datum item,
			  int64 because)
{
	Datum values[LIST_COLUMNS] = {0};
	bool nulls[LIST_COLUMNS] = {0};
	double match = 0;

	nulls[LIST_MATCH] =
		!ProfileMatch(ask->model, candidate->score,
					  Max(ask->least_match, ask->model->settings.min_match), &match);
	if (ask->least_match >= 0 && (nulls[LIST_MATCH] || match < ask->least_match))
		return false;

	values[LIST_ITEM] = DoorId(&ask->rows, item);
	values[LIST_SCORE] = Float8GetDatum(candidate->score);
	values[LIST_MATCH] = Float8GetDatum(match);
	nulls[LIST_BECAUSE] = because < 0;
	if (because >= 0)
		values[LIST_BECAUSE] =
			DoorId(&ask->rows, IdSetDatum(profile->history->ids, profile->rows[because].id));
	values[LIST_SOURCE] = CStringGetTextDatum(ask->source);
	DoorPut(&ask->rows, values, nulls);
	IdSetAdd(ask->listed, item);
	return true;
}

/*
 * The next batch of candidates, best first, that are in the catalogue; false once nothing more may
 * come.
 */
static bool
put_batch(Ask *ask, const Profile *profile, const ProfileCandidate *batch, uint32 count)
{
	uint32 *item_no = palloc(sizeof(uint32) * count);
	int64_t *because = palloc(sizeof(int64_t) * count);
	CatalogueItem *items;
	uint32 found;
	bool more = true;

	for (uint32 c = 0; c < count; c++)
		item_no[c] = batch[c].item_no;
	ProfileBecause(profile, item_no, count, because);
	items = CatalogueFind(ask->model, item_no, count, &found);

	for (uint32 c = 0; c < count && more && !is_full(ask); c++)
	{
		const CatalogueItem *item = CatalogueAt(items, found, item_no[c]);

		if (item)
			more = put_candidate(ask, profile, &batch[c], item->item, because[c]);
	}
	SPI_freetuptable(SPI_tuptable);
	return more && !is_full(ask);
}

/* What the profile leads to, best first: a heap is emptied only as far as the list needs. */
static void
list_personal(Ask *ask, const Profile *profile)
{
	uint32 count;
	ProfileCandidate *heap = ProfileCandidates(profile, &count);
	ProfileCandidate *batch = palloc(sizeof(ProfileCandidate) * BATCH_MOST);
	uint32 size = Min(Max(ask->k + ask->k / 2, BATCH_FIRST), BATCH_MOST);

	count = apply_rules(ask, profile, heap, count);
	for (uint32 root = count / 2; root-- > 0;)
		sink(heap, count, root);

	while (count > 0)
	{
		uint32 taken = 0;

		CHECK_FOR_INTERRUPTS();
		while (count > 0 && taken < size)
		{
			batch[taken++] = heap[0];
			heap[0] = heap[--count];
			sink(heap, count, 0);
		}
		if (!put_batch(ask, profile, batch, taken))
			break;
		size = Min(size * 2, BATCH_MOST);
	}
}

/*
 * One row that no evidence of this user speaks for: a score below 0 keeps it after those with some,
 * in order.
 */
static void
put_fallback(Ask *ask, Datum item, const char *source)
{
	Datum values[LIST_COLUMNS] = {0};
	bool nulls[LIST_COLUMNS] = {0};

	values[LIST_ITEM] = DoorId(&ask->rows, item);
	values[LIST_SCORE] = Float8GetDatum(-(double) ++ask->ranked);
	nulls[LIST_MATCH] = true;
	nulls[LIST_BECAUSE] = true;
	values[LIST_SOURCE] = CStringGetTextDatum(source);
	DoorPut(&ask->rows, values, nulls);
	IdSetAdd(ask->listed, item);
}

/* True where a rule keeps an item of the catalogue out of the list. */
static bool
is_refused(const Ask *ask, const History *history, Datum item)
{
	uint32 known = IdSetFind(history->ids, item);

	return (known != ID_NONE && is_kept_out(ask, &history->item[known])) ||
		   IdSetFind(ask->listed, item) != ID_NONE ||
		   (ask->exclude && IdSetFind(ask->exclude, item) != ID_NONE) ||
		   (ask->among && IdSetFind(ask->among, item) == ID_NONE);
}

static void
list_fallback(Ask *ask, const History *history)
{
	static const struct
	{
		CatalogueOrder order;
		const char *source;
	} chain[] = {
		{CATALOGUE_TRENDING, "trending"}, {CATALOGUE_POPULAR, "popular"}, {CATALOGUE_NEW, "new"}};

	for (size_t link = 0; link < lengthof(chain) && !is_full(ask); link++)
	{
		Portal walk = CatalogueOpen(ask->model, chain[link].order);
		long size = BATCH_FIRST;

		while (walk && !is_full(ask))
		{
			uint64 count;
			CatalogueRow *rows = CatalogueNext(ask->model, walk, size, &count);

			if (count == 0)
				break;
			for (uint64 r = 0; r < count && !is_full(ask); r++)
				if (!is_refused(ask, history, rows[r].item))
					put_fallback(ask, rows[r].item, chain[link].source);
			SPI_freetuptable(SPI_tuptable);
			pfree(rows);
			size = Min(size * 2, BATCH_MOST);
		}
		if (walk)
			SPI_cursor_close(walk);
	}
}

/* Answers a question from a history. */
static void
list(Ask *ask, History *history)
{
	Profile *profile = ProfileRead(ask->model, history);

	ask->listed = IdSetCreate(ask->model->item_kind, ask->budget);
	if (profile->count > 0)
		list_personal(ask, profile);
	if (ask->fallback && ask->least_match < 0)
		list_fallback(ask, history);
}

/*
 * The options reco_top_n and reco_complete share, and a result ready to be filled.  SPI is then
 * connected.
 */
static void
begin(Ask *ask, FunctionCallInfo fcinfo, int exclude, int among, int min_match)
{
	ask->budget = BudgetCreate(CurrentMemoryContext, "recommendation", SIZE_MAX);
	ask->exclude = DoorItems(fcinfo, exclude, ask->model, ask->budget);
	ask->among = DoorItems(fcinfo, among, ask->model, ask->budget);
	ask->least_match = PG_ARGISNULL(min_match) ? -1 : PG_GETARG_FLOAT8(min_match);
	if (!PG_ARGISNULL(min_match) && !(ask->least_match >= 0 && ask->least_match <= 100))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("min_match must be from 0 to 100, not %g", ask->least_match)));
	ask->rows = DoorOpen(fcinfo, ask->model, list_types, LIST_COLUMNS, false);

	DoorEnter(ask->model);
}

static bool
flag(FunctionCallInfo fcinfo, int argument, bool otherwise)
{
	return PG_ARGISNULL(argument) ? otherwise : PG_GETARG_BOOL(argument);
}

/*
 * reco_top_n(user_id, k, model, exclude, among, min_match, as_of, seen, fallback).  A NULL user
 * is a guest with no history.
 */
Datum
reco_top_n(PG_FUNCTION_ARGS)
{
	Ask ask = {.model = DoorModel(fcinfo, 2), .k = DoorK(fcinfo, 1), .source = "personal"};
	Datum user = DoorUser(fcinfo, 0, ask.model);
	History *history;

	ask.seen = flag(fcinfo, 7, false);
	ask.fallback = flag(fcinfo, 8, true);
	begin(&ask, fcinfo, 3, 4, 5);
	if (PG_ARGISNULL(0))
		history = HistoryOfItems(ask.model, NULL, 0, ask.budget);
	else if (PG_ARGISNULL(6))
		history = HistoryRead(ask.model, user, GetCurrentTimestamp(), ask.budget);
	else
		history = HistoryRead(ask.model, user, PG_GETARG_TIMESTAMPTZ(6), ask.budget);
	list(&ask, history);
	SPI_finish();
	BudgetDestroy(ask.budget);
	return (Datum) 0;
}

/* reco_complete(items, k, model, exclude, among, min_match, fallback) */
Datum
reco_complete(PG_FUNCTION_ARGS)
{
	Ask ask = {.model = DoorModel(fcinfo, 2), .k = DoorK(fcinfo, 1), .source = "similar"};
	IdSet *items;
	Datum *values = NULL;
	uint32 count = 0;

	ask.fallback = flag(fcinfo, 6, true);
	begin(&ask, fcinfo, 3, 4, 5);
	items = DoorItems(fcinfo, 0, ask.model, ask.budget);
	if (items)
	{
		count = IdSetCount(items);
		values = palloc(sizeof(Datum) * Max(count, 1));
		for (uint32 n = 0; n < count; n++)
			values[n] = IdSetDatum(items, n);
	}
	list(&ask, HistoryOfItems(ask.model, values, (int) count, ask.budget));
	SPI_finish();
	BudgetDestroy(ask.budget);
	return (Datum) 0;
}

/* The score of an item for a user, and the model it comes from.  Both arguments are not NULL. */
static double
score_item(FunctionCallInfo fcinfo, Model **model)
{
	double score = 0;
	Budget *budget = BudgetCreate(CurrentMemoryContext, "score", SIZE_MAX);
	Datum user;
	Datum item;
	uint32 item_no;

	*model = DoorModel(fcinfo, 2);
	user = DoorUser(fcinfo, 0, *model);
	item = DoorItem(fcinfo, 1, *model);
	DoorEnter(*model);

	if (LearnedNumber(*model, item, budget, &item_no))
		score = ProfileScore(
			ProfileRead(*model, HistoryRead(*model, user, GetCurrentTimestamp(), budget)), item_no);
	SPI_finish();
	BudgetDestroy(budget);
	return score;
}

/* reco_score(user_id, item_id, model) */
Datum
reco_score(PG_FUNCTION_ARGS)
{
	Model *model;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(score_item(fcinfo, &model));
}

/* reco_match(user_id, item_id, model) */
Datum
reco_match(PG_FUNCTION_ARGS)
{
	Model *model;
	double score;
	double match;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	score = score_item(fcinfo, &model);
	if (!ProfileMatch(model, score, model->settings.min_match, &match))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(match);
}
