/*
 * ranking.c: reco_learn_ranking: a small network that puts the first items of lists in order.
 *
 * Reads and learns as reco_evaluate does, from the earlier events; trains the network on what some of
 * the people went on to choose, and measures it on others; or on lists that were shown, the later
 * ones.  Kept is only what is better for them by more than chance.  All of it as the owner, in turns
 * with refreshes.
 */
#include "api/shown.h"

#include <math.h>

#include "access/htup_details.h"
#include "api/arguments.h"
#include "catalog/pg_type.h"
#include "data/impressions.h"
#include "data/reranker.h"
#include "executor/spi.h"
#include "learn/reranking.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(reco_learn_ranking);

#define FIRST_LEAST 10

/* What may be learned from. */
#define HOLDOUT     "holdout"
#define IMPRESSIONS "impressions"

/* The columns of the report. */
enum
{
	REPORT_METRIC,
	REPORT_SCORED,
	REPORT_RERANKED,
	REPORT_GAIN,
	REPORT_LOW,
	REPORT_HIGH,
	REPORT_USERS,
	REPORT_LISTS,
	REPORT_UNITS,
	REPORT_ROUNDS,
	REPORT_SECONDS,
	REPORT_KEPT,
	REPORT_COLUMNS
};

typedef struct Ranking
{
	Model *model;
	Holdout holdout;
	uint32 first;
	int units;        /* below 0 for as many as the lists allow */
	bool shown;       /* learned from are lists that were shown, */
	Interval *within; /* and what was chosen from them within so long */
	Budget *budget;
	Reranking learned;
	bool kept;
	double seconds;
} Ranking;

/* How many items of a list are put in order. */
static uint32
first_argument(FunctionCallInfo fcinfo, int argument, uint32 k)
{
	int32 first = PG_ARGISNULL(argument) ? RERANKER_FIRST_DEFAULT : PG_GETARG_INT32(argument);

	if (first < FIRST_LEAST || first > RERANKER_FIRST_MAX)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("first must be from %d to %d, not %d", FIRST_LEAST,
							   RERANKER_FIRST_MAX, first),
						errhint("It is how many items of a list are put in order.")));
	if (k > (uint32) first)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("k must not be more than first, %d", first),
						errhint("Lists are measured at k; only their first items change places.")));
	return (uint32) first;
}

/* Units of the hidden layer; -1 for NULL. */
static int
units_argument(FunctionCallInfo fcinfo, int argument)
{
	int32 units = PG_ARGISNULL(argument) ? -1 : PG_GETARG_INT32(argument);

	if (!PG_ARGISNULL(argument) && (units < 0 || units > NETWORK_UNITS_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("units must be from 0 to %d, not %d", NETWORK_UNITS_MAX, units),
				 errhint("It is the size of the hidden layer; 0 is for a network without one, "
						 "whose weights speak for themselves.")));
	return units;
}

/* What is learned from: what was kept back, or lists that were shown. */
static bool
shown_argument(FunctionCallInfo fcinfo, int argument)
{
	const char *word = PG_ARGISNULL(argument) ? HOLDOUT : DoorText(fcinfo, argument);

	if (strcmp(word, HOLDOUT) != 0 && strcmp(word, IMPRESSIONS) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"learn_from\": \"%s\"", word),
						errhint("Available values: " HOLDOUT ", " IMPRESSIONS ".")));
	return strcmp(word, IMPRESSIONS) == 0;
}

/* How long after it was shown an item may be chosen. */
static Interval *
within_argument(FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument) || !(SettingSeconds(PG_GETARG_INTERVAL_P(argument)) > 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("within must be more than 0"),
				 errhint("It is how long after it was shown something may be chosen.")));
	return PG_GETARG_INTERVAL_P(argument);
}

/* Raises an error where what is asked for does not go with lists that were shown. */
static void
check_shown(FunctionCallInfo fcinfo, const Ranking *ranking)
{
	ImpressionsNeedLog(ranking->model);
	if (!PG_ARGISNULL(2) || ranking->holdout.repeats)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s does not go with learn_from => '" IMPRESSIONS "'",
						PG_ARGISNULL(2) ? "new_only" : "split"),
				 errhint("Lists are taken as they were shown; holdout is the share of them, the "
						 "newest, to measure on.")));
}

/*
 * Raises an error where what is known of items would hold what is to be foreseen: people who are held
 * out are counted among those who chose an item, and its times are theirs.
 */
static void
check_split(const Ranking *ranking)
{
	if (ranking->holdout.split == SPLIT_USERS && OidIsValid(ranking->model->time_type))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("where events have times, lists are only ranked by what came later"),
						errhint("Use split => 'time' or 'leave_last_out'.")));
}

static void
connect_spi(void)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

/* What lists are scored by, now and from the next refresh on, which must be the same. */
static const char *
scored_by(Ranking *ranking)
{
	Model *model = ranking->model;
	const char *learned;
	const char *wanted;

	ModelReadSettings(model);
	learned = RerankerLearned(model);
	if (learned == NULL)
		ModelNeedsRefresh(model);
	wanted = RerankerScored(model->settings.algorithm, model->picked.rule.kind);
	if (strcmp(learned, wanted) != 0)
		ereport(
			ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("lists of model \"%s\" are scored by \"%s\", and from the next refresh on by "
					"\"%s\"",
					model->name, learned, wanted),
			 errhint("Run SELECT * FROM reco_refresh(%s) first.",
					 quote_literal_cstr(model->name))));
	return wanted;
}

/* Learns from what people went on to choose, kept back. */
static void
learn_from_holdout(Ranking *ranking)
{
	Model *model = ranking->model;
	EvaluationServed served;
	RerankingInput input = {.units = ranking->units};
	LessonsInput *lessons = &input.lessons;
	EvaluationInput *lists = &lessons->lists;

	lists->k = ranking->holdout.k;
	lists->repeats = ranking->holdout.repeats;
	lists->matrix = HoldoutRead(&ranking->holdout, model, &model->settings, ranking->budget);
	lists->kept_out = ranking->holdout.kept_out;
	lessons->popularity = ranking->holdout.popularity;
	lessons->timed = ranking->holdout.timed;
	lessons->min_support = model->settings.similarity.rule.min_support;
	lessons->first = ranking->first;
	HoldoutLists(&ranking->holdout, model, lists->matrix, lists, ranking->budget);
	if (ranking->holdout.served && ServingHasContexts(ranking->holdout.served))
	{
		served = ServingBy(ranking->holdout.served, true, false);
		lists->served = &served;
		lists->moments = ServingMoments(ranking->holdout.served);
	}
	RerankingLearn(&input, &ranking->learned, ranking->budget);
}

/* Learns, and keeps what is better. */
static void
learn(Ranking *ranking)
{
	Model *model = ranking->model;
	ShownAsk shown = {model,          &ranking->holdout, ranking->within,
					  ranking->first, ranking->units,    ranking->budget};
	const char *scored;

	connect_spi();
	scored = scored_by(ranking);
	SPI_finish();
	if (ranking->shown)
		ShownLearn(&shown, &ranking->learned);
	else
		learn_from_holdout(ranking);
	ranking->kept = RerankingIsBetter(&ranking->learned);
	connect_spi();
	RerankerWrite(model, ranking->kept ? &ranking->learned.reranker : NULL, scored);
	DoorLeave(model);
}

/* Says why nothing was trained. */
static void
tell_few(const Ranking *ranking)
{
	ereport(
		NOTICE,
		(errmsg("model \"%s\" has too few lists to learn a ranking from", ranking->model->name),
		 errdetail("It takes %d to train on, and others to measure on; there are %u, half of those "
				   "with a later choice among their first %u items.",
				   RERANKING_LEAST, ranking->learned.lists, ranking->first),
		 errhint("More events, or a greater share of them kept back with holdout, make more of "
				 "them.  No network is kept.")));
}

static void
put_metric(const Ranking *ranking, ReturnSetInfo *out, const char *metric,
		   const EvaluationSum *sums)
{
	const Reranking *learned = &ranking->learned;
	double half = EvaluationHalfWidth(&sums[2]);
	double gain = EvaluationMean(&sums[2]);
	double numbers[] = {EvaluationMean(&sums[0]), EvaluationMean(&sums[1]), gain, gain - half,
						gain + half};
	Datum values[REPORT_COLUMNS];
	bool nulls[REPORT_COLUMNS] = {0};

	values[REPORT_METRIC] = CStringGetTextDatum(metric);
	for (size_t n = 0; n < lengthof(numbers); n++)
	{
		values[REPORT_SCORED + n] = Float8GetDatum(numbers[n]);
		nulls[REPORT_SCORED + n] = isnan(numbers[n]);
	}
	values[REPORT_USERS] = Int64GetDatum((int64) sums[0].users);
	values[REPORT_LISTS] = Int64GetDatum(learned->lists);
	values[REPORT_UNITS] = Int32GetDatum((int32) learned->reranker.network.units);
	values[REPORT_ROUNDS] = Int32GetDatum((int32) learned->rounds);
	values[REPORT_SECONDS] = Float8GetDatum(rint(1000 * ranking->seconds) / 1000);
	values[REPORT_KEPT] = BoolGetDatum(ranking->kept);
	tuplestore_putvalues(out->setResult, out->setDesc, values, nulls);
}

/* reco_learn_ranking(model, k, split, holdout, new_only, first, units, learn_from, within) */
Datum
reco_learn_ranking(PG_FUNCTION_ARGS)
{
	Ranking ranking = {.model = DoorModel(fcinfo, 0)};
	TimestampTz began = GetCurrentTimestamp();
	ReturnSetInfo *out;
	DoorRole role;

	ModelNeedsOwner(ranking.model);
	PreventCommandIfReadOnly("reco_learn_ranking()");
	ranking.holdout = HoldoutArguments(fcinfo, 1, ranking.model);
	ranking.holdout.ordered = true;
	ranking.holdout.ranking = true;
	ranking.first = first_argument(fcinfo, 5, ranking.holdout.k);
	ranking.units = units_argument(fcinfo, 6);
	ranking.shown = shown_argument(fcinfo, 7);
	if (ranking.shown)
	{
		ranking.within = within_argument(fcinfo, 8);
		check_shown(fcinfo, &ranking);
	}
	else
	{
		check_split(&ranking);
		ranking.holdout.serving = ranking.holdout.split == SPLIT_TIME;
	}
	InitMaterializedSRF(fcinfo, 0);
	out = (ReturnSetInfo *) fcinfo->resultinfo;
	/* Refreshes take the same lock, so that all maintenance of a model takes turns. */
	LockRelationOid(ranking.model->table, ShareUpdateExclusiveLock);
	ranking.budget = BudgetCreate(
		CurrentMemoryContext, psprintf("reco_learn_ranking of model \"%s\"", ranking.model->name),
		BudgetMaintenance());
	role = DoorBecome(ranking.model->owner);
	learn(&ranking);
	DoorReturn(&role);
	BudgetDestroy(ranking.budget);
	ranking.seconds = (double) (GetCurrentTimestamp() - began) / USECS_PER_SEC;
	if (!ranking.learned.trained)
		tell_few(&ranking);
	put_metric(&ranking, out, "ndcg", ranking.learned.ndcg);
	put_metric(&ranking, out, "recall", ranking.learned.recall);
	if (ranking.shown)
	{
		put_metric(&ranking, out, "weighed_ndcg", ranking.learned.weighed_ndcg);
		put_metric(&ranking, out, "weighed_recall", ranking.learned.weighed_recall);
	}
	return (Datum) 0;
}
