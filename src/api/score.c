/*
 * score.c: reco_score and reco_match: one number for any place in a query.
 *
 * A query that asks about many items of one user asks the same thing of the tables each time.
 * So each call site remembers, for as long as its query runs and no longer, what it was asked:
 *
 *   the first call for a user reads history and neighbours, as every question does;
 *   the second keeps every score they lead to, by item number: a call then looks up one number;
 *   call MAP_AT reads the ids of all items that have a score: from then on no call reads anything.
 *
 * Each step costs about as much as the calls before it, so that no query pays more than twice
 * what the best choice for its number of calls would have cost.
 */
#include "api/profile.h"

#include "api/arguments.h"
#include "api/site.h"
#include "data/learned.h"
#include "executor/spi.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_score);
PG_FUNCTION_INFO_V1(reco_match);

/* Looking up one number costs some microseconds, all ids some milliseconds. */
#define MAP_AT 512

/* What a call site was asked so far. */
typedef struct Asked
{
	Site site;

	Budget *budget; /* of what follows, about one user */
	IdSet *user;    /* just that one */
	double level;   /* of its scores, once any was read */
	IdSet *numbers; /* of the items with a score; NULL before they are kept, like the next */
	IdSet *items;   /* their ids */
	double *score;  /* by place in numbers; once there are items, in these */
} Asked;

/* Forgets the user. */
static void
forget_user(Asked *asked)
{
	if (asked->budget)
		BudgetDestroy(asked->budget);
	asked->budget = NULL;
	asked->user = NULL;
	asked->level = 1;
	asked->site.calls = 0;
	asked->numbers = NULL;
	asked->items = NULL;
	asked->score = NULL;
}

/* Makes the model of an argument the site's. */
static void
know_model(Asked *asked, FunctionCallInfo fcinfo, int argument)
{
	Model *model;

	if (SiteKnowsModel(&asked->site, fcinfo, argument))
		return;
	forget_user(asked);
	model = SiteLearnModel(&asked->site, fcinfo, argument);

	/* Ids of another kind are an error, which comes before one about what was learned. */
	DoorUser(fcinfo, 0, model);
	DoorItem(fcinfo, 1, model);
	DoorEnter(model);
	DoorLeave(model);
	asked->site.model = model;
}

/* Makes a user the one the site remembers. */
static void
know_user(Asked *asked, Datum user)
{
	Budget *budget;

	if (asked->user && IdSetFind(asked->user, user) != ID_NONE)
		return;
	forget_user(asked);
	budget = BudgetCreate(asked->site.context, "score", SIZE_MAX);
	asked->user = IdSetCreate(asked->site.model->user_kind, budget);
	asked->budget = budget;
	IdSetAdd(asked->user, user);
}

/* Keeps every score a profile leads to. */
static void
keep_scores(Asked *asked, const Profile *profile)
{
	uint32 count;
	uint32 *item_no = ProfileEvidence(profile, &count);
	IdSet *numbers = IdSetCreate(ID_INTEGER, asked->budget);

	asked->score = BudgetAlloc(asked->budget, count, sizeof(double));
	ProfileScores(profile, item_no, count, asked->score);
	for (uint32 n = 0; n < count; n++)
		IdSetAdd(numbers, Int64GetDatum(item_no[n]));
	asked->numbers = numbers;
}

/* Reads the ids of the items whose scores are kept.  SPI is connected. */
static void
map_scores(Asked *asked)
{
	uint32 count = IdSetCount(asked->numbers);
	uint32 *item_no = palloc_extended(sizeof(uint32) * Max(count, 1), MCXT_ALLOC_HUGE);
	IdSet *items = IdSetCreate(asked->site.model->item_kind, asked->budget);
	uint32 *found;
	double *score;

	for (uint32 n = 0; n < count; n++)
		item_no[n] = (uint32) DatumGetInt64(IdSetDatum(asked->numbers, n));
	found = LearnedIds(asked->site.model, item_no, count, items);
	score = BudgetAlloc(asked->budget, IdSetCount(items), sizeof(double));
	for (uint32 n = 0; n < IdSetCount(items); n++)
		score[n] = asked->score[IdSetFind(asked->numbers, Int64GetDatum(found[n]))];
	BudgetFree(asked->budget, asked->score);
	asked->score = score;
	asked->items = items;
}

/* The kept score of an id among those of a set, 0 where it has none. */
static double
kept_score(const Asked *asked, const IdSet *set, Datum id)
{
	uint32 place = IdSetFind(set, id);

	return place == ID_NONE ? 0 : asked->score[place];
}

/* The score of an item by what the tables say; SPI is connected. */
static double
read_score(Asked *asked, Datum user, Datum item)
{
	Budget *budget = BudgetCreate(CurrentMemoryContext, "score", SIZE_MAX);
	uint32 item_no;
	Profile *profile;

	if (!LearnedNumber(asked->site.model, item, &item_no))
		return 0;
	if (asked->numbers)
		return kept_score(asked, asked->numbers, Int64GetDatum(item_no));
	profile = ProfileRead(asked->site.model,
						  HistoryRead(asked->site.model, user, GetCurrentTimestamp(), budget));
	asked->level = profile->level;
	if (asked->site.calls > 1)
		keep_scores(asked, profile);
	return ProfileScore(profile, item_no);
}

/* The score of an item for the user the site remembers. */
static double
score_item(Asked *asked, Datum user, Datum item)
{
	double score;

	asked->site.calls++;
	if (asked->items)
		return kept_score(asked, asked->items, item);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (asked->numbers && asked->site.calls >= MAP_AT)
	{
		map_scores(asked);
		score = kept_score(asked, asked->items, item);
	}
	else
		score = read_score(asked, user, item);
	DoorLeave(asked->site.model);
	return score;
}

/*
 * The score of (user_id, item_id, model), and who has it; arguments 0 and 1 are not NULL.
 */
static double
answer(FunctionCallInfo fcinfo, const Asked **known)
{
	Asked *asked = SiteOpen(fcinfo, sizeof(Asked));
	Datum user;

	*known = asked;
	know_model(asked, fcinfo, 2);
	user = IdNormalise(PG_GETARG_DATUM(0), get_fn_expr_argtype(fcinfo->flinfo, 0));
	know_user(asked, user);
	return score_item(asked, user,
					  IdNormalise(PG_GETARG_DATUM(1), get_fn_expr_argtype(fcinfo->flinfo, 1)));
}

/* reco_score(user_id, item_id, model) */
Datum
reco_score(PG_FUNCTION_ARGS)
{
	const Asked *asked;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(answer(fcinfo, &asked));
}

/* reco_match(user_id, item_id, model) */
Datum
reco_match(PG_FUNCTION_ARGS)
{
	const Asked *asked;
	double score;
	double match;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	score = answer(fcinfo, &asked);
	if (!ProfileMatch(asked->site.model, asked->level, score, asked->site.model->settings.min_match,
					  &match))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(match);
}
