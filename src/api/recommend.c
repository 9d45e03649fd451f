/*
 * recommend.c: reco_top_n and reco_complete.
 *
 * A list is made in two parts.  First the candidates the profile leads to, best first, checked
 * against the catalogue in batches until the list is full.  Then, where it is not and fallback
 * is on, api/fallback fills it.  Every rule that keeps an item out holds in both parts, and all
 * hold before the cut.
 *
 * Where the model is held in memory (for reco_top_n_all) the catalogue is looked up there instead
 * of asked; nothing else differs.
 */
#include "api/recommend.h"

#include "api/arguments.h"
#include "api/arrange.h"
#include "api/arrangement.h"
#include "api/fallback.h"
#include "api/rerank.h"
#include "catalog/pg_type.h"
#include "data/catalogue.h"
#include "data/learned.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_top_n);
PG_FUNCTION_INFO_V1(reco_complete);

static const Oid list_types[LIST_COLUMNS] = LIST_TYPES;

/*
 * Candidates that are looked for at first, where not all may be in the catalogue: as many as the
 * list has rows and a part more, with room to spare.  Where that was not enough, as many times more.
 */
#define SPARE      4
#define SPARE_PART 4
#define MORE       8

/* Candidates that the catalogue is asked for at a time. */
#define BATCH_MOST 4096

bool
RecommendIsFull(const RecommendAsk *ask)
{
	return ask->k > 0 && ask->listed >= ask->k;
}

void
RecommendMark(RecommendAsk *ask, uint32 number)
{
	if (number >= ask->marks)
	{
		uint32 marks = Max(2 * (number + 1), 64);

		ask->mark = BudgetResize(ask->budget, ask->mark, marks, sizeof(uint32));
		memset(ask->mark + ask->marks, 0, sizeof(uint32) * (marks - ask->marks));
		ask->marks = marks;
	}
	ask->mark[number] = ask->list;
}

bool
RecommendIsMarked(const RecommendAsk *ask, uint32 number)
{
	return number < ask->marks && ask->mark[number] == ask->list;
}

void
RecommendValues(const RecommendAsk *ask, const Profile *profile, const RecommendRow *row,
				Datum *values, bool *nulls)
{
	values[LIST_ITEM] = DoorItemOut(&ask->rows, IdSetDatum(ask->ids, row->number));
	values[LIST_SCORE] = Float8GetDatum(row->score);
	values[LIST_MATCH] = Float8GetDatum(row->match);
	nulls[LIST_MATCH] = !row->matched;
	nulls[LIST_BECAUSE] = row->because < 0;
	if (row->because >= 0)
		values[LIST_BECAUSE] = DoorItemOut(
			&ask->rows,
			IdSetDatum(ask->ids, profile->history->item[profile->place[row->because]].id));
	values[LIST_SOURCE] = row->source;
}

void
RecommendPut(RecommendAsk *ask, const Profile *profile, const RecommendRow *row)
{
	Datum values[LIST_COLUMNS] = {0};
	bool nulls[LIST_COLUMNS] = {0};

	RecommendValues(ask, profile, row, values, nulls);
	ask->listed++;
	if (ask->by_user)
	{
		values[LIST_USER] = ask->user;
		values[LIST_RANK] = Int32GetDatum((int32) ask->listed);
		DoorPut(&ask->rows, values, nulls);
	}
	else
		DoorPut(&ask->rows, values + LIST_ITEM, nulls + LIST_ITEM);
}

/* Counts a row; the one that is sought is the last. */
static void
count_row(RecommendAsk *ask, const RecommendRow *row)
{
	ask->listed++;
	if (row->item_no != ID_NONE)
		ask->known[row->item_no] = 1;
	else
		IdSetAdd(ask->unnumbered, IdSetDatum(ask->ids, row->number));
	if (row->number != ask->sought)
		return;
	ask->k = ask->listed;
	ask->found_as = row->source;
}

/* Puts a row out, or keeps it for later. */
static void
put(RecommendAsk *ask, const Profile *profile, const RecommendRow *row)
{
	RecommendMark(ask, row->number);
	if (ask->seeking)
	{
		count_row(ask, row);
		return;
	}
	if (!ask->gathering)
	{
		RecommendPut(ask, profile, row);
		return;
	}
	if (ask->listed == ask->room)
	{
		ask->room = Max(64, ask->room * 2);
		ask->row = BudgetResize(ask->budget, ask->row, ask->room, sizeof(RecommendRow));
	}
	ask->row[ask->listed++] = *row;
}

/* Candidates with their numbers in the list's ids, ID_NONE for what is not in the catalogue. */
typedef struct Batch
{
	const RankItem *item;
	const uint32 *number;
	const double *score; /* that go with their places; NULL where these are their own */
	uint32 count;
} Batch;

/* True where fatigue or a context has put what matches more after what matches less. */
static bool
is_reordered(const RecommendAsk *ask, const Profile *profile)
{
	return profile->worn || ask->lifts.count > 0;
}

/*
 * True where candidates after one that matches too little may match enough: those that were lowered,
 * which nothing is by more than so much.
 */
static bool
may_match(const RecommendAsk *ask, const Profile *profile, const RankItem *candidate)
{
	double most = (1 + HISTORY_WEAR_MOST) * CONTEXTS_LIFT;
	double match;

	return is_reordered(ask, profile) &&
		   ProfileMatch(ask->model, profile->level, candidate->score * most, ask->least_match,
						&match);
}

/* One row of the personal part; false where it, and so all after it, match too little. */
static bool
put_candidate(RecommendAsk *ask, const Profile *profile, const Batch *batch, uint32 place,
			  int64_t because, Datum source)
{
	const RankItem *candidate = &batch->item[place];
	RecommendRow row = {.number = batch->number[place],
						.item_no = candidate->item,
						.score = batch->score ? batch->score[place] : candidate->score,
						.because = because,
						.source = source};

	row.matched =
		ProfileMatch(ask->model, profile->level, ProfileFresh(profile, &ask->lifts, candidate),
					 Max(ask->least_match, ask->model->settings.min_match), &row.match);
	if (ask->least_match >= 0 && (!row.matched || row.match < ask->least_match))
		return batch->score || may_match(ask, profile, candidate);
	put(ask, profile, &row);
	return true;
}

/* The numbers, in the list's ids, of those candidates that are in the catalogue; or ID_NONE. */
static void
find(RecommendAsk *ask, const RankItem *batch, uint32 count, uint32 *number)
{
	uint32 *item_no;
	uint32 found;
	CatalogueItem *items;

	if (ask->held)
	{
		for (uint32 c = 0; c < count; c++)
			number[c] = ask->held->number[batch[c].item];
		return;
	}
	item_no = palloc(sizeof(uint32) * count);
	for (uint32 c = 0; c < count; c++)
		item_no[c] = batch[c].item;
	items = CatalogueFind(ask->model, item_no, count, &found);
	for (uint32 c = 0; c < count; c++)
	{
		const CatalogueItem *item = CatalogueAt(items, found, item_no[c]);

		number[c] = item ? IdSetAdd(ask->ids, item->item) : ID_NONE;
	}
	pfree(items);
	pfree(item_no);
}

/* Those of a batch of candidates, in their order, that are in the catalogue; false once that is all. */
static bool
put_found(RecommendAsk *ask, const Profile *profile, const Batch *batch)
{
	uint32 count = batch->count;
	uint32 *item_no = palloc(sizeof(uint32) * count);
	uint32 *place = palloc(sizeof(uint32) * count);
	int64_t *because = palloc(sizeof(int64_t) * count);
	double *content = palloc(sizeof(double) * count);
	Datum source = CStringGetTextDatum(ask->source);
	Datum by_content = CStringGetTextDatum(PROFILE_CONTENT);
	/* Where what matches may come after what does not, more are looked at than are put out. */
	bool any =
		ask->k == 0 || (ask->least_match >= 0 && (batch->score || is_reordered(ask, profile)));
	uint32 shown = 0;
	bool more = true;

	CHECK_FOR_INTERRUPTS();
	for (uint32 c = 0; c < count && (any || shown < ask->k - ask->listed); c++)
	{
		if (batch->number[c] == ID_NONE)
			continue;
		place[shown] = c;
		item_no[shown++] = batch->item[c].item;
	}
	if (ask->seeking || (ask->gathering && !ask->explained))
		memset(because, 0xff, sizeof(int64_t) * shown);
	else
		ProfileBecause(profile, item_no, shown, because);
	ProfileContent(profile, item_no, shown, content);
	for (uint32 s = 0; s < shown && more && !RecommendIsFull(ask); s++)
	{
		const RankItem *candidate = &batch->item[place[s]];
		bool by_attributes =
			ProfileIsContent(content[s], ProfileFresh(profile, &ask->lifts, candidate));

		more = put_candidate(ask, profile, batch, place[s], because[s],
							 by_attributes ? by_content : source);
	}

	pfree(content);
	pfree(because);
	pfree(place);
	pfree(item_no);
	return more && !RecommendIsFull(ask);
}

/* The same of candidates that were not looked for in the catalogue yet. */
static bool
put_batch(RecommendAsk *ask, const Profile *profile, const RankItem *items, uint32 count)
{
	uint32 *number = palloc(sizeof(uint32) * count);
	Batch batch = {.item = items, .number = number, .count = count};
	bool more;

	find(ask, items, count, number);
	more = put_found(ask, profile, &batch);
	pfree(number);
	return more;
}

/* The item numbers of a set of ids, once in a list. */
static const uint32 *
numbers_of(const RecommendAsk *ask, const IdSet *ids, uint32 *count)
{
	static const uint32 none = 0;

	*count = 0;
	if (ids == NULL)
		return NULL;
	return IdSetCount(ids) == 0 ? &none : LearnedNumbers(ask->model, ids, count);
}

/* How many candidates to look for at first; all that was learned may be shown where it is held. */
static uint32
first_candidates(const RecommendAsk *ask)
{
	if (ask->k == 0)
		return UINT32_MAX;
	return ask->held || !ask->model->has_items ? ask->k : ask->k + ask->k / SPARE_PART + SPARE;
}

/* True where a network puts the first items of the list in order: it was trained on people's lists. */
static bool
is_reranked(const RecommendAsk *ask, const Profile *profile)
{
	return RerankWanted(ask->model) && !ask->as_scored && profile->count > 0 &&
		   strcmp(ask->source, "personal") == 0;
}

/*
 * The first candidates that are in the catalogue, at most so many, with their numbers.  Returns how
 * many there are; *looked tells how many candidates that took, *all that there are no more.
 */
static uint32
gather_first(RecommendAsk *ask, const Profile *profile, const ProfileRules *rules, Batch *first,
			 uint32 wanted, uint32 *looked, bool *all)
{
	RankItem *item = palloc(sizeof(RankItem) * wanted);
	uint32 *number = palloc(sizeof(uint32) * wanted);
	uint32 most =
		ask->held || !ask->model->has_items ? wanted : wanted + wanted / SPARE_PART + SPARE;

	*first = (Batch){.item = item, .number = number};
	*looked = 0;
	*all = false;
	while (first->count < wanted && !*all)
	{
		uint32 count;
		RankItem *best = ProfileBest(profile, rules, most, &count);

		*all = count < most;
		while (first->count < wanted && *looked < count)
		{
			uint32 batch = Min(count - *looked, BATCH_MOST);
			uint32 *found = palloc(sizeof(uint32) * batch);
			uint32 taken = 0;

			CHECK_FOR_INTERRUPTS();
			find(ask, best + *looked, batch, found);
			for (; taken < batch && first->count < wanted; taken++)
				if (found[taken] != ID_NONE)
				{
					item[first->count] = best[*looked + taken];
					number[first->count++] = found[taken];
				}
			*looked += taken;
			pfree(found);
		}
		*all = *all && *looked == count;
		pfree(best);
		most = most > UINT32_MAX / MORE ? UINT32_MAX : most * MORE;
	}
	return first->count;
}

/* Puts the first rows in the order of the network; false once the list is full, or that was all. */
static bool
list_reranked(RecommendAsk *ask, const Profile *profile, const ProfileRules *rules, uint32 *looked)
{
	Batch first;
	Batch sorted;
	bool all;
	uint32 *order;
	double *score;
	RankItem *item;
	uint32 *number;
	bool more;

	if (ask->rerank == NULL)
		ask->rerank = RerankOpen(ask->model, false, ask->budget);
	gather_first(ask, profile, rules, &first, RerankFirst(ask->rerank), looked, &all);
	order = palloc(sizeof(uint32) * Max(first.count, 1));
	score = palloc(sizeof(double) * Max(first.count, 1));
	item = palloc(sizeof(RankItem) * Max(first.count, 1));
	number = palloc(sizeof(uint32) * Max(first.count, 1));
	RerankList(ask->rerank, profile, &ask->lifts, first.item, first.count, order, score);
	for (uint32 n = 0; n < first.count; n++)
	{
		item[n] = first.item[order[n]];
		number[n] = first.number[order[n]];
	}
	sorted = (Batch){.item = item, .number = number, .score = score, .count = first.count};
	more = put_found(ask, profile, &sorted);
	pfree(order);
	pfree(score);
	pfree(item);
	pfree(number);
	pfree((void *) first.item);
	pfree((void *) first.number);
	return more && !all;
}

/* What the profile leads to, best first: as much of it as the list needs. */
static void
list_personal(RecommendAsk *ask, const Profile *profile)
{
	ProfileRules rules = {.seen = ask->seen, .lifts = &ask->lifts};
	uint32 most = first_candidates(ask);
	uint32 done = 0;
	bool more = true;

	rules.exclude = numbers_of(ask, ask->exclude, &rules.exclude_count);
	rules.among = numbers_of(ask, ask->among, &rules.among_count);
	if (is_reranked(ask, profile))
	{
		more = list_reranked(ask, profile, &rules, &done);
		most = Max(most, done > UINT32_MAX / MORE ? UINT32_MAX : done * MORE);
	}
	while (more)
	{
		uint32 count;
		RankItem *best = ProfileBest(profile, &rules, most, &count);

		while (more && done < count)
		{
			uint32 batch = Min(count - done, BATCH_MOST);

			more = put_batch(ask, profile, best + done, batch);
			done += batch;
		}
		pfree(best);
		more = more && count == most;
		most = most > UINT32_MAX / MORE ? UINT32_MAX : most * MORE;
	}
}

void
RecommendFill(RecommendAsk *ask, uint32 number, Datum source)
{
	RecommendRow row = {.number = number,
						.item_no = ID_NONE,
						.score = -(double) ++ask->ranked,
						.because = -1,
						.source = source};

	put(ask, NULL, &row);
}

const unsigned char *
RecommendKnown(RecommendAsk *ask, const History *history)
{
	uint32 count;
	uint32 *item_no;

	Assert(ask->seeking);
	for (uint32 n = 0; n < history->count; n++)
		if (RecommendIsMarked(ask, history->item[n].id))
			IdSetAdd(ask->unnumbered, IdSetDatum(ask->ids, history->item[n].id));
	item_no = LearnedNumbers(ask->model, ask->unnumbered, &count);
	for (uint32 n = 0; n < count; n++)
		ask->known[item_no[n]] = 1;
	pfree(item_no);
	return ask->known;
}

void
RecommendPass(RecommendAsk *ask, uint32 rows)
{
	Assert(ask->seeking);
	ask->listed += rows;
	ask->ranked += rows;
}

/* Begins a list, with everything before it forgotten. */
static void
begin_list(RecommendAsk *ask, const Profile *profile)
{
	ask->ids = profile->history->ids;
	ask->list++;
	ask->listed = 0;
	ask->ranked = 0;
}

void
RecommendList(RecommendAsk *ask, const Profile *profile)
{
	begin_list(ask, profile);
	if (ask->arrangement && ArrangementBegin(ask))
	{
		ArrangeList(ask, profile);
		return;
	}
	if (profile->count > 0)
		list_personal(ask, profile);
	if (ask->fallback && ask->least_match < 0)
		FallbackList(ask, profile->history);
}

uint32
RecommendGather(RecommendAsk *ask, const Profile *profile, uint32 personal, uint32 rows)
{
	uint32 k = ask->k;
	uint32 spoken_for;

	begin_list(ask, profile);
	ask->gathering = true;
	ask->k = personal;
	if (profile->count > 0)
		list_personal(ask, profile);
	spoken_for = ask->listed;
	ask->k = rows;
	if (ask->fallback && ask->least_match < 0 && !RecommendIsFull(ask))
		FallbackList(ask, profile->history);
	ask->k = k;
	ask->gathering = false;
	return spoken_for;
}

uint32
RecommendGatherSome(RecommendAsk *ask, const Profile *profile, IdSet *some, uint32 personal,
					uint32 rows)
{
	IdSet *among = ask->among;
	uint32 spoken_for;

	/* Those that the question's own among names, too. */
	if (among)
		ask->among = IdSetCreate(ask->model->item_kind, ask->budget);
	for (uint32 n = 0; among && n < IdSetCount(some); n++)
	{
		Datum id = IdSetDatum(some, n);

		if (IdSetFind(among, id) != ID_NONE)
			IdSetAdd(ask->among, id);
	}
	if (among == NULL)
		ask->among = some;
	ask->as_scored = true;
	spoken_for = RecommendGather(ask, profile, personal, rows);
	ask->as_scored = false;
	if (among)
		IdSetFree(ask->among);
	ask->among = among;
	return spoken_for;
}

uint32
RecommendRank(RecommendAsk *ask, const Profile *profile, uint32 number)
{
	begin_list(ask, profile);
	ask->k = 0;
	ask->seeking = true;
	ask->sought = number;
	ask->known = BudgetZeroed(ask->budget, ask->model->item_slots, sizeof(unsigned char));
	ask->unnumbered = IdSetCreate(ask->model->item_kind, ask->budget);
	ask->found_as = (Datum) 0;
	if (profile->count > 0)
		list_personal(ask, profile);
	if (ask->fallback && ask->least_match < 0)
		FallbackList(ask, profile->history);
	ask->seeking = false;
	return ask->found_as ? ask->listed : 0;
}

double
RecommendLeastMatch(FunctionCallInfo fcinfo, int argument)
{
	double least = PG_ARGISNULL(argument) ? -1 : PG_GETARG_FLOAT8(argument);

	if (!PG_ARGISNULL(argument) && !(least >= 0 && least <= 100))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("min_match must be from 0 to 100, not %g", least)));
	return least;
}

bool
RecommendFlag(FunctionCallInfo fcinfo, int argument, bool otherwise)
{
	return PG_ARGISNULL(argument) ? otherwise : PG_GETARG_BOOL(argument);
}

void
RecommendContext(RecommendAsk *ask, FunctionCallInfo fcinfo, int argument)
{
	if (!PG_ARGISNULL(argument))
		ask->lifts = ContextsAsk(ask->model, PG_GETARG_DATUM(argument));
}

/*
 * The options reco_top_n and reco_complete share, and a result ready to be filled.  SPI is then
 * connected.
 */
static void
begin(RecommendAsk *ask, FunctionCallInfo fcinfo, int exclude, int among, int min_match,
	  int arrangement)
{
	ask->budget = BudgetCreate(CurrentMemoryContext, "recommendation", SIZE_MAX);
	ask->exclude = DoorItems(fcinfo, exclude, ask->model, ask->budget);
	ask->among = DoorItems(fcinfo, among, ask->model, ask->budget);
	ask->least_match = RecommendLeastMatch(fcinfo, min_match);
	ask->arrangement = ArrangementOptions(fcinfo, arrangement, ask->model);
	ask->rows = DoorOpen(fcinfo, ask->model, list_types + LIST_ITEM, LIST_RANK - LIST_ITEM, false);

	DoorEnter(ask->model);
}

/*
 * reco_top_n(user_id, k, model, exclude, among, min_match, as_of, seen, fallback, diversity, max_per,
 * max_per_n, calibrated, calibrated_by, context).  A NULL user is a guest with no history.
 */
Datum
reco_top_n(PG_FUNCTION_ARGS)
{
	RecommendAsk ask = {.model = DoorModel(fcinfo, 2), .k = DoorK(fcinfo, 1), .source = "personal"};
	Datum user = DoorUser(fcinfo, 0, ask.model);
	History *history;

	ask.has_asker = !PG_ARGISNULL(0);
	ask.asker = user;
	ask.seen = RecommendFlag(fcinfo, 7, false);
	ask.fallback = RecommendFlag(fcinfo, 8, true);
	begin(&ask, fcinfo, 3, 4, 5, 9);
	ask.as_of = PG_ARGISNULL(6) ? GetCurrentTimestamp() : PG_GETARG_TIMESTAMPTZ(6);
	if (PG_ARGISNULL(0))
		history = HistoryOfItems(ask.model, NULL, 0, ask.budget);
	else
		history = HistoryRead(ask.model, user, ask.as_of, ask.budget);
	RecommendContext(&ask, fcinfo, 14);
	RecommendList(&ask, ProfileRead(ask.model, history));
	DoorLeave(ask.model);
	BudgetDestroy(ask.budget);
	return (Datum) 0;
}

/*
 * reco_complete(items, k, model, exclude, among, min_match, fallback, diversity, max_per, max_per_n,
 * calibrated, calibrated_by, context)
 */
Datum
reco_complete(PG_FUNCTION_ARGS)
{
	RecommendAsk ask = {.model = DoorModel(fcinfo, 2), .k = DoorK(fcinfo, 1), .source = "similar"};
	History *history;
	IdSet *items;
	Datum *values = NULL;
	uint32 count = 0;

	ask.fallback = RecommendFlag(fcinfo, 6, true);
	ask.as_of = GetCurrentTimestamp();
	begin(&ask, fcinfo, 3, 4, 5, 7);
	items = DoorItems(fcinfo, 0, ask.model, ask.budget);
	if (items)
	{
		count = IdSetCount(items);
		values = palloc(sizeof(Datum) * Max(count, 1));
		for (uint32 n = 0; n < count; n++)
			values[n] = IdSetDatum(items, n);
	}
	history = HistoryOfItems(ask.model, values, (int) count, ask.budget);
	RecommendContext(&ask, fcinfo, 12);
	RecommendList(&ask, ProfileRead(ask.model, history));
	DoorLeave(ask.model);
	BudgetDestroy(ask.budget);
	return (Datum) 0;
}
