/*
 * evaluate.c: reco_evaluate: what a model is worth on events that were kept from it.
 *
 * Reads the events as a refresh does, but as the caller; learns in memory from a part of them,
 * with the settings of the model; and holds lists from that against the rest.  The model itself is
 * neither read, but for its settings, nor written.
 */
#include "api/holdout.h"

#include <math.h>

#include "api/arguments.h"
#include "catalog/pg_type.h"
#include "data/reranker.h"
#include "executor/spi.h"
#include "learn/reranking.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(reco_evaluate);

/* Plain cosine as the literature has it (ItemKNN): the baseline, and the measure of diversity. */
#define COSINE_NEIGHBORS 200

/* What is ranked by. */
typedef enum Algorithm
{
	ALGORITHM_MODEL,
	ALGORITHM_COSINE,
	ALGORITHM_POPULARITY,
	ALGORITHMS,
	ALGORITHM_RERANKED = ALGORITHMS, /* where the model has a network */
	ALGORITHM_IN_CONTEXT,            /* like the next two, of lists as they are served */
	ALGORITHM_FATIGUE,
	ALGORITHM_SERVED,
} Algorithm;

static const char *const algorithms[] = {"model",      "cosine",  "popularity", "reranked",
										 "in_context", "fatigue", "served"};

/* Metrics that are means over users: their names in SQL, and what they can be at most. */
static const struct
{
	EvaluationMetric metric;
	const char *name;
	double most;
} metrics[] = {
	{EVALUATION_RECALL, "recall", 1},
	{EVALUATION_PRECISION, "precision", 1},
	{EVALUATION_NDCG, "ndcg", 1},
	{EVALUATION_AVERAGE_PRECISION, "map", 1},
	{EVALUATION_RECIPROCAL_RANK, "mrr", 1},
	{EVALUATION_HIT, "hit_rate", 1},
	{EVALUATION_REACHABLE, "reachable", 1},
	{EVALUATION_COVERED, "users_covered", 1},
	{EVALUATION_SHORT, "short_lists", 1},
	{EVALUATION_NOVELTY, "novelty", INFINITY},
	{EVALUATION_POPULARITY_BIAS, "popularity_bias", INFINITY},
	{EVALUATION_DIVERSITY, "diversity", 1},
};

/* The columns of the report. */
enum
{
	REPORT_ALGORITHM,
	REPORT_METRIC,
	REPORT_VALUE,
	REPORT_LOW,
	REPORT_HIGH,
	REPORT_USERS,
	REPORT_COLUMNS
};

typedef struct Ask
{
	Model *model;
	Holdout holdout;
	uint32 users;       /* at most, 0 for all */
	Reranker *reranker; /* of the model, NULL where it puts nothing in order */
	double *plain; /* [asked], the NDCG of each user by the model alone; where lists are served */
	uint32 asked;
	Budget *budget;
	ReturnSetInfo *out;
} Ask;

/* The arguments, in order: model, k, split, holdout, new_only, max_users, as_served. */
static Ask
take_arguments(FunctionCallInfo fcinfo)
{
	Ask ask = {.model = DoorModel(fcinfo, 0)};

	ask.holdout = HoldoutArguments(fcinfo, 1, ask.model);
	if (!PG_ARGISNULL(5))
	{
		if (PG_GETARG_INT32(5) < 1)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("max_users must be at least 1, not %d", PG_GETARG_INT32(5)),
							errhint("NULL measures on all who can be measured on.")));
		ask.users = (uint32) PG_GETARG_INT32(5);
	}
	ask.holdout.serving = !PG_ARGISNULL(6) && PG_GETARG_BOOL(6);
	if (ask.holdout.serving && ask.holdout.split != SPLIT_TIME)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("lists as they are served can only be measured with a split in time"),
				 errhint("Use split => 'time': what they go by is that of one time.")));
	return ask;
}

/* Reads the settings, and the network where lists made by them are put in order by one. */
static void
read_settings(Ask *ask)
{
	Model *model = ask->model;
	const char *scored;
	MemoryContext caller = CurrentMemoryContext;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	ModelReadSettings(model);
	scored = RerankerScored(model->settings.algorithm, model->picked.rule.kind);
	if (model->reranked_first > 0 && model->reranked_of && strcmp(model->reranked_of, scored) == 0)
	{
		ask->reranker = MemoryContextAlloc(caller, sizeof(Reranker));
		*ask->reranker = *RerankerRead(model);
	}
	SPI_finish();
}

/* One row; a value that is not defined is NULL, and so is an interval. */
static void
put_row(const Ask *ask, Algorithm algorithm, const char *metric, const double *numbers,
		uint64 users)
{
	Datum values[REPORT_COLUMNS];
	bool nulls[REPORT_COLUMNS] = {0};

	values[REPORT_ALGORITHM] = CStringGetTextDatum(algorithms[algorithm]);
	values[REPORT_METRIC] = CStringGetTextDatum(metric);
	for (int n = 0; n < 3; n++)
	{
		values[REPORT_VALUE + n] = Float8GetDatum(numbers[n]);
		nulls[REPORT_VALUE + n] = isnan(numbers[n]);
	}
	values[REPORT_USERS] = Int64GetDatum((int64) users);
	tuplestore_putvalues(ask->out->setResult, ask->out->setDesc, values, nulls);
}

/* The rows of one algorithm. */
static void
put_evaluation(const Ask *ask, Algorithm algorithm, const Evaluation *evaluation)
{
	uint64 users = evaluation->of[EVALUATION_COVERED].users;
	double coverage[] = {evaluation->items > 0 && users > 0
							 ? evaluation->items_listed / (double) evaluation->items
							 : NAN,
						 NAN, NAN};
	uint64 asked = users + evaluation->newcomers;
	double newcomers[] = {asked > 0 ? evaluation->newcomers / (double) asked : NAN, NAN, NAN};

	for (size_t m = 0; m < lengthof(metrics); m++)
	{
		const EvaluationSum *sum = &evaluation->of[metrics[m].metric];
		double mean = EvaluationMean(sum);
		double half = EvaluationHalfWidth(sum);
		double numbers[] = {mean, NAN, NAN};

		if (!isnan(half))
		{
			numbers[1] = fmax(mean - half, 0);
			numbers[2] = fmin(mean + half, metrics[m].most);
		}
		put_row(ask, algorithm, metrics[m].name, numbers, sum->users);
	}
	put_row(ask, algorithm, "coverage", coverage, users);
	put_row(ask, algorithm, "newcomers", newcomers, asked);
}

/* Puts what the lists of an algorithm are worth beyond those of the model alone, user by user. */
static void
put_gain(const Ask *ask, Algorithm algorithm, const double *ndcg)
{
	EvaluationSum gain = {0};
	double mean;
	double half;

	for (uint32 u = 0; u < ask->asked; u++)
		EvaluationCount(&gain, ndcg[u] - ask->plain[u]);
	mean = EvaluationMean(&gain);
	half = EvaluationHalfWidth(&gain);
	put_row(ask, algorithm, "ndcg_gain", (double[]){mean, mean - half, mean + half}, gain.users);
}

/* Room for the NDCG of every user, none known yet. */
static double *
room_for_gain(const Ask *ask)
{
	double *ndcg = BudgetAlloc(ask->budget, ask->asked, sizeof(double));

	for (uint32 u = 0; u < ask->asked; u++)
		ndcg[u] = NAN;
	return ndcg;
}

/* Measures the model's lists as something else than scores makes them. */
static void
evaluate_besides(Ask *ask, const EvaluationInput *lists, Algorithm algorithm)
{
	EvaluationInput input = *lists;
	Evaluation evaluation;

	if (ask->plain)
		input.ndcg = room_for_gain(ask);
	EvaluationRun(&input, &evaluation, ask->budget);
	put_evaluation(ask, algorithm, &evaluation);
	if (ask->plain)
		put_gain(ask, algorithm, input.ndcg);
	BudgetFree(ask->budget, input.ndcg);
}

/* The same of lists that the model's network puts in order, of those who had no part in its training. */
static void
evaluate_reranked(Ask *ask, const EvaluationInput *lists, Algorithm algorithm)
{
	LessonsInput input = {
		.lists = *lists,
		.popularity = ask->holdout.popularity,
		.timed = ask->holdout.timed,
		.min_support = ask->model->settings.similarity.rule.min_support,
		.first = ask->reranker->first,
	};
	EvaluationInput ordered = *lists;
	EvaluationOrder order = RerankingOrderOpen(&input, ask->reranker, ask->budget);

	ordered.order = &order;
	evaluate_besides(ask, &ordered, algorithm);
	RerankingOrderClose(&order, ask->budget);
}

/* The same of lists as they are served, by one thing after the other that there is, and by all of them. */
static void
evaluate_served(Ask *ask, const EvaluationInput *lists)
{
	Serving *serving = ask->holdout.served;
	EvaluationInput input = *lists;
	EvaluationServed served;

	if (serving == NULL)
		return;
	input.served = &served;
	if (ServingHasContexts(serving))
	{
		served = ServingBy(serving, true, false);
		evaluate_besides(ask, &input, ALGORITHM_IN_CONTEXT);
	}
	if (ServingHasFatigue(serving))
	{
		served = ServingBy(serving, false, true);
		evaluate_besides(ask, &input, ALGORITHM_FATIGUE);
	}
	served = ServingBy(serving, true, true);
	if (ask->reranker)
		evaluate_reranked(ask, &input, ALGORITHM_SERVED);
	else
		evaluate_besides(ask, &input, ALGORITHM_SERVED);
}

/* Learns as the model does, and measures that. */
static void
evaluate_model(Ask *ask, EvaluationInput input)
{
	const Settings *settings = &ask->model->settings;
	const Interactions *matrix = input.matrix;
	Rows learners = InteractionsRows(matrix, matrix->learners);
	Neighbors *neighbors = NULL;
	Factors *factors = NULL;
	Evaluation evaluation;

	if (settings->algorithm == MODEL_FACTORS)
		factors =
			FactorsLearn(&matrix->by_user, matrix->learners, &settings->fold, NULL, ask->budget);
	else
	{
		neighbors = NeighborsLearn(&learners, &ask->model->picked, ask->budget);
		neighbors =
			ResembleMixKnown(&ask->holdout.resemblance, matrix, ask->model->picked.k, neighbors);
	}
	input.neighbors = neighbors;
	input.factors = factors;
	input.recency = factors ? 1 : SimilarityRecency(&ask->model->picked);
	if (ask->holdout.served)
	{
		ask->asked = EvaluationUsers(matrix);
		ask->plain = room_for_gain(ask);
	}
	input.ndcg = ask->plain;
	EvaluationRun(&input, &evaluation, ask->budget);
	input.ndcg = NULL;
	put_evaluation(ask, ALGORITHM_MODEL, &evaluation);
	if (ask->reranker)
		evaluate_reranked(ask, &input, ALGORITHM_RERANKED);
	evaluate_served(ask, &input);
	if (neighbors)
		NeighborsFree(neighbors, ask->budget);
	if (factors)
		FactorsFree(factors, ask->budget);
}

static void
evaluate(Ask *ask)
{
	Interactions *matrix =
		HoldoutRead(&ask->holdout, ask->model, &ask->model->settings, ask->budget);
	Rows learners = InteractionsRows(matrix, matrix->learners);
	SimilarityOptions cosine = {
		.rule = SimilarityPreset(SIMILARITY_COSINE),
		.k = COSINE_NEIGHBORS,
		.keep = SIMILARITY_KEEP_SOURCE,
	};
	Neighbors *similar;
	EvaluationInput input = {
		.matrix = matrix,
		.k = ask->holdout.k,
		.users = ask->users,
		.repeats = ask->holdout.repeats,
		.kept_out = ask->holdout.kept_out,
		.recency = 1,
		.moments = ask->holdout.served ? ServingMoments(ask->holdout.served) : NULL,
	};

	/* The baseline is what it is, whichever signal is foreseen. */
	learners.target = NULL;
	input.similar = similar = NeighborsLearn(&learners, &cosine, ask->budget);
	if (matrix->chosen_count == 0)
		HoldoutNothing(&ask->holdout, ask->model);
	evaluate_model(ask, input);
	for (int a = ALGORITHM_COSINE; a < ALGORITHMS; a++)
	{
		Evaluation evaluation;

		input.neighbors = a == ALGORITHM_COSINE ? similar : NULL;
		EvaluationRun(&input, &evaluation, ask->budget);
		put_evaluation(ask, a, &evaluation);
	}
}

/* reco_evaluate(model, k, split, holdout, new_only, max_users, as_served) */
Datum
reco_evaluate(PG_FUNCTION_ARGS)
{
	Ask ask = take_arguments(fcinfo);

	read_settings(&ask);
	ask.holdout.ranking = ask.reranker != NULL;
	ask.holdout.ordered = ask.holdout.ordered || ask.reranker;
	ask.budget =
		BudgetCreate(CurrentMemoryContext, psprintf("evaluation of model \"%s\"", ask.model->name),
					 BudgetMaintenance());
	InitMaterializedSRF(fcinfo, 0);
	ask.out = (ReturnSetInfo *) fcinfo->resultinfo;
	evaluate(&ask);
	ModelNeedsName(ask.model);
	BudgetDestroy(ask.budget);
	return (Datum) 0;
}
