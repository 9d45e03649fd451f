/*
 * explain.c: reco_why and reco_why_not.
 */
#include "api/door.h"

#include <math.h>

#include "api/profile.h"
#include "api/recommend.h"
#include "catalog/pg_type.h"
#include "data/catalogue.h"
#include "data/learned.h"
#include "data/plan.h"
#include "data/planted.h"
#include "data/rules.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_why);
PG_FUNCTION_INFO_V1(reco_why_not);

/* Rows of a list that are looked at first for the rank of an item. */
#define RANKS_FIRST 1000

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

static void
put_share(DoorRows *rows, const Profile *profile, const Share *share, uint32 item_no)
{
	const HistoryItem *item = &profile->history->item[profile->place[share->entry]];
	Datum values[lengthof(why_types)];
	bool nulls[lengthof(why_types)] = {0};

	values[0] = DoorItemOut(rows, IdSetDatum(profile->history->ids, item->id));
	values[1] = Float8GetDatum(share->share);
	values[2] = Float8GetDatum(ProfileSimilarity(profile, share->entry, item_no, share->share));
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
	double *share = palloc(sizeof(double) * Max(profile->count, 1));
	double score = 0;

	*count = 0;
	ProfileShares(profile, item_no, share);
	for (uint32 e = 0; e < profile->count; e++)
	{
		score += share[e];
		if (share[e] != 0)
			shares[(*count)++] = (Share){e, share[e]};
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
	DoorLeave(model);
	BudgetDestroy(budget);
	return (Datum) 0;
}

/* The columns of reco_why_not. */
enum
{
	NOT_CODE,
	NOT_REASON,
	NOT_HINT,
	NOT_RANK,
	NOT_COLUMNS
};

static const Oid why_not_types[NOT_COLUMNS] = {TEXTOID, TEXTOID, TEXTOID, INT8OID};

/* A question why an item does not come, and what is known of it. */
typedef struct WhyNot
{
	Model *model;
	Budget *budget;
	Datum user;
	bool guest; /* nobody: no history */
	Datum item;
	uint32 item_no; /* ID_NONE where nothing was learned of the item */
	bool in_catalogue;
	Profile *profile;
	const HistoryItem *known; /* of the item in the history, or NULL */
	DoorRows rows;
	TimestampTz as_of;
} WhyNot;

/* One row; a rank of 0 is none. */
static void
put_reason(WhyNot *ask, const char *code, const char *reason, const char *hint, int64 rank)
{
	Datum values[NOT_COLUMNS];
	bool nulls[NOT_COLUMNS] = {0};

	values[NOT_CODE] = CStringGetTextDatum(code);
	values[NOT_REASON] = CStringGetTextDatum(reason);
	values[NOT_HINT] = CStringGetTextDatum(hint);
	values[NOT_RANK] = Int64GetDatum(rank);
	nulls[NOT_RANK] = rank == 0;
	DoorPut(&ask->rows, values, nulls);
}

/* Says what of the history keeps the item out, and until when. */
static void
put_seen(WhyNot *ask)
{
	const Signals *signals = ask->model->settings.exclude_seen ? ask->model->signals : NULL;
	const Signal *signal = signals ? &signals->signal[ask->known->signal] : NULL;
	const char *name = signal && signal->ruled ? signal->name : NULL;
	const char *how_long;

	if (signals == NULL)
	{
		put_reason(ask, "seen", "the user's history has the item already",
				   "The option seen => true lets items of the history back in.", 0);
		return;
	}
	how_long =
		ask->known->until == DT_NOEND
			? "for good"
			: psprintf("until %s", DatumGetCString(DirectFunctionCall1(
									   timestamptz_out, TimestampTzGetDatum(ask->known->until))));
	put_reason(ask, "seen",
			   name ? psprintf("an event of signal \"%s\" keeps the item out %s", name, how_long)
					: psprintf("an event of the user's history keeps the item out %s", how_long),
			   "See the setting exclude_seen; the option seen => true lets items of the history "
			   "back in.",
			   0);
}

/* The rules that keep the item out of every list, each with a row. */
static void
put_rules(WhyNot *ask)
{
	const Model *model = ask->model;

	if (!ask->in_catalogue && ask->item_no == ID_NONE)
		put_reason(ask, "unknown_item",
				   model->has_items
					   ? "neither the events of the last refresh nor the catalogue has the item"
					   : "the events of the last refresh do not have the item",
				   psprintf("Check the id. An item gets in by an event and reco_refresh%s.",
							model->has_items
								? psprintf(", or by a row of the view %s.items", model->quoted)
								: ""),
				   0);
	else if (!ask->in_catalogue)
		put_reason(ask, "not_in_catalogue",
				   psprintf("the view %s.items does not have the item", model->quoted),
				   "What the items query leaves out at the moment is not shown.", 0);
	if (ask->known && ask->known->weight < 0)
		put_reason(
			ask, "disliked",
			psprintf("the user disliked the item: its events weigh %g in all", ask->known->weight),
			"What is disliked stays out, until events that weigh more speak for it.", 0);
	else if (ask->known && ask->known->seen)
		put_seen(ask);
}

/* Says why nothing speaks for the item. */
static void
put_no_evidence(WhyNot *ask)
{
	const Model *model = ask->model;
	const SimilarityOptions *similarity = &model->settings.similarity;
	uint32 support = similarity->rule.min_support;
	uint32 events = ask->profile->history->count;
	int32 users = ask->item_no == ID_NONE ? 0 : LearnedUsers(model, ask->item);

	if (events == 0)
		put_reason(ask, "no_evidence", "the user has no history",
				   "The user's first event with an item that others know makes the list personal.",
				   0);
	else if (ask->profile->count == 0)
		put_reason(
			ask, "no_evidence",
			psprintf("nothing was learned of any item of the user's history, %u in all", events),
			"Run reco_refresh if they are new.", 0);
	else if (ask->item_no == ID_NONE)
		put_reason(ask, "no_evidence", "the events of the last refresh do not have the item",
				   model->has_items && model->settings.content > 0
					   ? "Run reco_refresh: it counts once people have touched it, or the items "
						 "query has an attribute that it shares with others."
					   : "Run reco_refresh once people have touched it.",
				   0);
	else if (users < (int64) support && model->has_items && model->settings.content > 0)
		put_reason(
			ask, "no_evidence",
			psprintf("fewer users than min_support, %u, chose the item, and none of the %u learned "
					 "items of the user's history is near to it by attributes",
					 support, ask->profile->count),
			"Attributes that tell more in the items query, and reco_refresh, change that.", 0);
	else if (users < (int64) support)
		put_reason(ask, "no_evidence",
				   psprintf("fewer users than min_support, %u, chose the item", support),
				   "What fewer users did is never shown; more events or a lower min_support and "
				   "reco_refresh change that.",
				   0);
	else if (ask->model->algorithm == MODEL_FACTORS)
		put_reason(ask, "no_evidence", "the model has no factors of the item",
				   "reco_refresh learns those of items that min_support users chose.", 0);
	else
		put_reason(
			ask, "no_evidence",
			psprintf("none of the %u learned items of the user's history speaks for the item",
					 ask->profile->count),
			psprintf("Kept are pairs of at least %u users, about %u of each item: see "
					 "min_support and neighbors.",
					 support, similarity->k),
			0);
}

/* Says what is wrong with the evidence for an item that no rule keeps out. */
static void
put_evidence(WhyNot *ask)
{
	double least = ask->model->settings.min_match;
	double score = ask->item_no == ID_NONE ? 0 : ProfileScore(ask->profile, ask->item_no);
	double match;

	if (score < 0)
		put_reason(ask, "against",
				   psprintf("more speaks against the item than for it: its score is %g", score),
				   "reco_why shows what, with shares below 0.", 0);
	else if (score == 0)
		put_no_evidence(ask);
	else if (ProfileMatch(ask->model, ask->profile->level, score, 0, &match) && match < least)
		put_reason(ask, "below_min_match",
				   psprintf("the item matches %g, less than min_match, %g", match, least),
				   "It is listed without a number, and left out where a min_match is asked for.",
				   0);
}

/* Says by how much fatigue lowers the item. */
static void
put_fatigue(WhyNot *ask)
{
	if (ask->known && ask->known->wear > 0)
		put_reason(ask, "fatigue",
				   psprintf("the item was shown without a click: lists divide its score by %.3g",
							1 / HistoryWear(ask->known)),
				   "That passes with time: see the setting fatigue_half_life.", 0);
}

/* Says what the owner's rules do about an item that nothing keeps out. */
static void
put_wishes(WhyNot *ask)
{
	IdSet *ids = ask->profile->history->ids;
	uint32 number;
	Rules *rules;
	double boost;

	if (!ask->model->has_rules)
		return;
	number = IdSetAdd(ids, ask->item);
	rules = RulesRead(ask->model, GetCurrentTimestamp(), ids, ask->budget);
	RulesKnow(rules, &number, 1);
	boost = RulesBoost(rules, number);
	if (boost != 1)
		put_reason(ask, "boosted",
				   psprintf("rules multiply the item's score in lists by %g", boost),
				   "Where no evidence speaks for it, they multiply what its source goes by. "
				   "reco_score, reco_why and match are those of the evidence alone.",
				   0);
	for (uint32 r = 0; r < rules->count; r++)
	{
		const Rule *rule = &rules->rule[r];

		if (!RuleHolds(rule, number))
			continue;
		if (rule->pin > 0)
			put_reason(ask, "pinned", psprintf("a rule pins the item to place %u", rule->pin),
					   "It is there, or at the next place that no rule gives away.", 0);
		if (rule->share > 0)
			put_reason(ask, "share",
					   psprintf("a rule gives %s a share of %g of the places",
								rule->item != ID_NONE
									? "the item"
									: psprintf("items whose %s is \"%s\"", ValuesName(rule->values),
											   text_to_cstring(rule->value)),
								rule->share),
					   "Of the items of a share the best come first.", 0);
	}
}

/* The rank of the item in the list itself, 0 where it does not have it, and its source. */
static uint32
count_rank(const WhyNot *ask, char **source)
{
	RecommendAsk list = {
		.model = ask->model,
		.budget = ask->budget,
		.least_match = -1,
		.fallback = true,
		.as_of = ask->as_of,
		.source = "personal",
		.has_asker = !ask->guest,
		.asker = ask->user,
	};
	uint32 rank =
		RecommendRank(&list, ask->profile, IdSetAdd(ask->profile->history->ids, ask->item));

	if (rank > 0)
		*source = TextDatumGetCString(list.found_as);
	return rank;
}

/* True where the item is among the first so many rows of the list, 0 for all: SPI has its place. */
static bool
is_listed(const WhyNot *ask, Oid reco, int32 k)
{
	const Model *model = ask->model;
	const char *item_type = IdTypeName(model->item_kind);
	Oid types[] = {IdType(model->user_kind), REGCLASSOID, IdType(model->item_kind), INT4OID};
	Datum values[] = {ask->user, ObjectIdGetDatum(model->table), ask->item, Int32GetDatum(k)};
	char nulls[] = {ask->guest ? 'n' : ' ', ' ', ' ', k == 0 ? 'n' : ' '};
	char *sql = psprintf(
		"SELECT t.n, t.source FROM ROWS FROM (%s.reco_typed_top_n($1, $4, $2, NULL::%s[], "
		"NULL::%s[], NULL, NULL, NULL, NULL) AS (item_id %s, score pg_catalog.float8, "
		"match pg_catalog.float8, because %s, source pg_catalog.text)) WITH ORDINALITY "
		"AS t(item_id, score, match, because, source, n) "
		"WHERE t.item_id OPERATOR(pg_catalog.=) $3",
		quote_identifier(get_namespace_name(reco)), item_type, item_type, item_type, item_type);

	return PlanRun(sql, lengthof(types), types, values, nulls) == 1;
}

/* The same from SQL: a list's beginning, which is soon made, mostly tells. */
static uint32
query_rank(const WhyNot *ask, Oid reco, char **source)
{
	bool isnull;

	PlantedRefuse(reco, "reco_typed_top_n");
	if (!is_listed(ask, reco, RANKS_FIRST) && !is_listed(ask, reco, 0))
		return 0;
	*source = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	return (uint32) DatumGetInt64(
		SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

/*
 * Says at what rank the item comes, from the list itself: whatever rules reco_top_n has, this is
 * what it does.  Where the owner has rules all of it is made; otherwise rows are counted.
 */
static void
put_rank(WhyNot *ask, Oid reco)
{
	char *source = NULL;
	uint32 rank =
		ask->model->has_rules ? query_rank(ask, reco, &source) : count_rank(ask, &source);

	if (rank == 0)
	{
		put_reason(ask, "not_listed", "reco_top_n does not list the item",
				   "No rule keeps it out; look for what changes from call to call in the queries "
				   "of the model.",
				   0);
		return;
	}
	put_reason(ask, "listed",
			   psprintf("reco_top_n lists the item at rank %u, as %s", rank, source),
			   psprintf("Ask for k => %u or more.", rank), rank);
}

/* reco_why_not(user_id, item_id, model).  A NULL user is a guest with no history. */
Datum
reco_why_not(PG_FUNCTION_ARGS)
{
	WhyNot ask = {.model = DoorModel(fcinfo, 2),
				  .guest = PG_ARGISNULL(0),
				  .as_of = GetCurrentTimestamp()};
	History *history;

	ask.user = DoorUser(fcinfo, 0, ask.model);
	ask.item = DoorItem(fcinfo, 1, ask.model);
	ask.budget = BudgetCreate(CurrentMemoryContext, "explanation", SIZE_MAX);
	ask.rows = DoorOpen(fcinfo, ask.model, why_not_types, lengthof(why_not_types), false);
	if (PG_ARGISNULL(1))
		return (Datum) 0;
	DoorEnter(ask.model);

	if (!LearnedNumber(ask.model, ask.item, &ask.item_no))
		ask.item_no = ID_NONE;
	ask.in_catalogue = CatalogueHas(ask.model, ask.item);
	history = ask.guest ? HistoryOfItems(ask.model, NULL, 0, ask.budget)
						: HistoryRead(ask.model, ask.user, ask.as_of, ask.budget);
	ask.known = HistoryFind(history, ask.item);
	ask.profile = ProfileRead(ask.model, history);

	put_rules(&ask);
	if (ask.rows.count == 0)
	{
		put_evidence(&ask);
		put_wishes(&ask);
		put_fatigue(&ask);
		put_rank(&ask, DoorSchema(fcinfo));
	}
	DoorLeave(ask.model);
	BudgetDestroy(ask.budget);
	return (Datum) 0;
}
