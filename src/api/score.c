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
#include "api/door.h"
#include "api/profile.h"
#include "catalog/pg_collation.h"
#include "data/learned.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_score);
PG_FUNCTION_INFO_V1(reco_match);

/* Looking up one number costs some microseconds, all ids some milliseconds. */
#define MAP_AT 512

/* The statement a call belongs to, and the name it is asked in. */
typedef struct Statement
{
	Snapshot snapshot;
	TransactionId xmin;
	TransactionId xmax;
	CommandId command;
	uint64 completions;
	SubTransactionId subtransaction;
	TimestampTz since;
	Oid role;
} Statement;

/* What a call site was asked so far. */
typedef struct Site
{
	MemoryContext context; /* of all below */
	Statement statement;
	Model *model;
	Datum model_argument; /* a copy; read where it is not NULL */
	bool model_is_null;
	char *model_default;

	Budget *budget; /* of what follows, about one user */
	IdSet *user;    /* just that one */
	double level;   /* of its scores, once any was read */
	uint64 calls;
	IdSet *numbers; /* of the items with a score; NULL before they are kept, like the next */
	IdSet *items;   /* their ids */
	double *score;  /* by place in numbers; once there are items, in these */
} Site;

/*
 * True where a call site lives no longer than one execution of one statement, and so may remember.
 *
 * An executor holds its snapshot registered until it ends, and the call site dies with it.
 * PL/pgSQL evaluates simple expressions without an executor, through call sites that last for the
 * transaction: it pushes a snapshot of its own, which nobody registers, or, in functions that only
 * read, lets that of the calling query stand; those sites live in a child of the transaction's
 * context.
 */
static bool
may_remember(FunctionCallInfo fcinfo)
{
	return ActiveSnapshotSet() && GetActiveSnapshot()->regd_count > 0 &&
		   MemoryContextGetParent(fcinfo->flinfo->fn_mcxt) != TopTransactionContext;
}

static Statement
this_statement(void)
{
	Snapshot snapshot = GetActiveSnapshot();

	return (Statement){
		.snapshot = snapshot,
		.xmin = snapshot->xmin,
		.xmax = snapshot->xmax,
		.command = snapshot->curcid,
		.completions = snapshot->snapXactCompletionCount,
		.subtransaction = GetCurrentSubTransactionId(),
		.since = GetCurrentStatementStartTimestamp(),
		.role = GetUserId(),
	};
}

static bool
is_same_statement(const Statement *a, const Statement *b)
{
	return a->snapshot == b->snapshot && a->xmin == b->xmin && a->xmax == b->xmax &&
		   a->command == b->command && a->completions == b->completions &&
		   a->subtransaction == b->subtransaction && a->since == b->since && a->role == b->role;
}

/* The memory of this call site, or one for this call alone. */
static Site *
open_site(FunctionCallInfo fcinfo)
{
	bool remember = may_remember(fcinfo);
	Statement statement = remember ? this_statement() : (Statement){0};
	Site *site = fcinfo->flinfo->fn_extra;
	MemoryContext context;

	if (site && remember && is_same_statement(&site->statement, &statement))
		return site;
	fcinfo->flinfo->fn_extra = NULL;
	if (site)
		MemoryContextDelete(site->context);

	context = AllocSetContextCreate(remember ? fcinfo->flinfo->fn_mcxt : CurrentMemoryContext,
									"reco call site", ALLOCSET_SMALL_SIZES);
	site = MemoryContextAllocZero(context, sizeof(Site));
	site->context = context;
	site->statement = statement;
	if (remember)
		fcinfo->flinfo->fn_extra = site;
	return site;
}

/* True where an argument names the model the site knows. */
static bool
is_same_model(const Site *site, FunctionCallInfo fcinfo, int argument)
{
	if (site->model == NULL || site->model_is_null != PG_ARGISNULL(argument))
		return false;
	if (site->model_is_null)
		return strcmp(site->model_default, ModelDefaultName ? ModelDefaultName : "") == 0;
	if (get_fn_expr_argtype(fcinfo->flinfo, argument) == REGCLASSOID)
		return DatumGetObjectId(site->model_argument) == PG_GETARG_OID(argument);
	return DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID, site->model_argument,
												PG_GETARG_DATUM(argument)));
}

/* Forgets the user. */
static void
forget_user(Site *site)
{
	if (site->budget)
		BudgetDestroy(site->budget);
	site->budget = NULL;
	site->user = NULL;
	site->level = 1;
	site->calls = 0;
	site->numbers = NULL;
	site->items = NULL;
	site->score = NULL;
}

/* Makes the model of an argument the site's. */
static void
know_model(Site *site, FunctionCallInfo fcinfo, int argument)
{
	MemoryContext caller;
	Model *model;

	if (is_same_model(site, fcinfo, argument))
		return;
	forget_user(site);
	site->model = NULL;
	caller = MemoryContextSwitchTo(site->context);
	model = DoorModel(fcinfo, argument);
	site->model_is_null = PG_ARGISNULL(argument);
	site->model_default = pstrdup(ModelDefaultName ? ModelDefaultName : "");
	if (!site->model_is_null)
		site->model_argument = get_fn_expr_argtype(fcinfo->flinfo, argument) == REGCLASSOID
								   ? PG_GETARG_DATUM(argument)
								   : PointerGetDatum(PG_GETARG_TEXT_P_COPY(argument));
	MemoryContextSwitchTo(caller);

	/* Ids of another kind are an error, which comes before one about what was learned. */
	DoorUser(fcinfo, 0, model);
	DoorItem(fcinfo, 1, model);
	DoorEnter(model);
	DoorLeave(model);
	site->model = model;
}

/* Makes a user the one the site remembers. */
static void
know_user(Site *site, Datum user)
{
	Budget *budget;

	if (site->user && IdSetFind(site->user, user) != ID_NONE)
		return;
	forget_user(site);
	budget = BudgetCreate(site->context, "score", SIZE_MAX);
	site->user = IdSetCreate(site->model->user_kind, budget);
	site->budget = budget;
	IdSetAdd(site->user, user);
}

/* Keeps every score a profile leads to. */
static void
keep_scores(Site *site, const Profile *profile)
{
	uint32 count;
	uint32 *item_no = ProfileEvidence(profile, &count);
	IdSet *numbers = IdSetCreate(ID_INTEGER, site->budget);

	site->score = BudgetAlloc(site->budget, count, sizeof(double));
	ProfileScores(profile, item_no, count, site->score);
	for (uint32 n = 0; n < count; n++)
		IdSetAdd(numbers, Int64GetDatum(item_no[n]));
	site->numbers = numbers;
}

/* Reads the ids of the items whose scores are kept.  SPI is connected. */
static void
map_scores(Site *site)
{
	uint32 count = IdSetCount(site->numbers);
	uint32 *item_no = palloc_extended(sizeof(uint32) * Max(count, 1), MCXT_ALLOC_HUGE);
	IdSet *items = IdSetCreate(site->model->item_kind, site->budget);
	uint32 *found;
	double *score;

	for (uint32 n = 0; n < count; n++)
		item_no[n] = (uint32) DatumGetInt64(IdSetDatum(site->numbers, n));
	found = LearnedIds(site->model, item_no, count, items);
	score = BudgetAlloc(site->budget, IdSetCount(items), sizeof(double));
	for (uint32 n = 0; n < IdSetCount(items); n++)
		score[n] = site->score[IdSetFind(site->numbers, Int64GetDatum(found[n]))];
	BudgetFree(site->budget, site->score);
	site->score = score;
	site->items = items;
}

/* The kept score of an id among those of a set, 0 where it has none. */
static double
kept_score(const Site *site, const IdSet *set, Datum id)
{
	uint32 place = IdSetFind(set, id);

	return place == ID_NONE ? 0 : site->score[place];
}

/* The score of an item by what the tables say; SPI is connected. */
static double
read_score(Site *site, Datum user, Datum item)
{
	Budget *budget = BudgetCreate(CurrentMemoryContext, "score", SIZE_MAX);
	uint32 item_no;
	Profile *profile;

	if (!LearnedNumber(site->model, item, &item_no))
		return 0;
	if (site->numbers)
		return kept_score(site, site->numbers, Int64GetDatum(item_no));
	profile =
		ProfileRead(site->model, HistoryRead(site->model, user, GetCurrentTimestamp(), budget));
	site->level = profile->level;
	if (site->calls > 1)
		keep_scores(site, profile);
	return ProfileScore(profile, item_no);
}

/* The score of an item for the user the site remembers. */
static double
score_item(Site *site, Datum user, Datum item)
{
	double score;

	site->calls++;
	if (site->items)
		return kept_score(site, site->items, item);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (site->numbers && site->calls >= MAP_AT)
	{
		map_scores(site);
		score = kept_score(site, site->items, item);
	}
	else
		score = read_score(site, user, item);
	DoorLeave(site->model);
	return score;
}

/*
 * The score of (user_id, item_id, model), and who has it; arguments 0 and 1 are not NULL.
 */
static double
answer(FunctionCallInfo fcinfo, const Site **asked)
{
	Site *site = open_site(fcinfo);
	Datum user;

	*asked = site;
	know_model(site, fcinfo, 2);
	user = IdNormalise(PG_GETARG_DATUM(0), get_fn_expr_argtype(fcinfo->flinfo, 0));
	know_user(site, user);
	return score_item(site, user,
					  IdNormalise(PG_GETARG_DATUM(1), get_fn_expr_argtype(fcinfo->flinfo, 1)));
}

/* reco_score(user_id, item_id, model) */
Datum
reco_score(PG_FUNCTION_ARGS)
{
	const Site *site;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(answer(fcinfo, &site));
}

/* reco_match(user_id, item_id, model) */
Datum
reco_match(PG_FUNCTION_ARGS)
{
	const Site *site;
	double score;
	double match;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	score = answer(fcinfo, &site);
	if (!ProfileMatch(site->model, site->level, score, site->model->settings.min_match, &match))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(match);
}
