/*
 * tune.c: reco_tune: tries settings on events kept from learning, and keeps what is better.
 *
 * Trials go from what served well on many sets to small steps around the best so far, always in the
 * same order; only how many there are depends on the time given.  The people measured on are
 * dealt to two halves.  One half picks the best trial by its mean NDCG; the other, which had no
 * part in that, says whether it is better than the present settings: the best of many trials
 * looks better than it is on those who picked it.  Differences are paired, user by user.
 *
 * Tried is what decides about ranking: similarity, its exponents, shrinkage, lambda, keep, recency,
 * weighting and half_life; of a model learned by factors, factor_lambda and unobserved in place of
 * what neighbours take.  What decides about cost and about what is shown (neighbors, candidates,
 * factors, iterations, min_support, max_history) is the owner's to say and stays.
 */
#include "api/holdout.h"

#include <math.h>

#include "api/arguments.h"
#include "api/said.h"
#include "api/steps.h"
#include "executor/spi.h"
#include "learn/evaluation.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(reco_tune);

#define TRIALS_MOST 200

/* Measured on so many people at most: a difference of 1 % then shows. */
#define USERS_MOST 20000

/* Steps of exponents: first large, then small ones, and no smaller. */
#define STEP_FIRST 0.2
#define STEP_LEAST 0.1

/* A first system of ridge is taken to last so many times as long as counts, until one was timed. */
#define RIDGE_SLOWER 5

/* What takes about as long as each other. */
typedef enum Pace
{
	PACE_COUNTS,
	PACE_RIDGE,
	PACE_FACTORS,
	PACES
} Pace;

typedef struct Trial
{
	Settings settings;
	double picked; /* mean NDCG of the half that picks */
	EvaluationSum ndcg;
	EvaluationSum gain; /* over the present settings, of the half that checks */
	double seconds;
} Trial;

/* The columns of the report. */
enum
{
	REPORT_TRIAL,
	REPORT_SETTINGS,
	REPORT_NDCG,
	REPORT_GAIN,
	REPORT_LOW,
	REPORT_HIGH,
	REPORT_USERS,
	REPORT_SECONDS,
	REPORT_KEPT,
	REPORT_COLUMNS
};

typedef struct Tune
{
	Model *model;
	Holdout holdout;
	double seconds; /* given */
	instr_time began;
	double longest[PACES]; /* trials */
	double reading;        /* events, and building the matrix */
	Budget *budget;        /* of the matrix at hand; what is tried comes and goes within */
	Interactions *matrix;
	Settings built;  /* what the matrix was built by */
	bool weighted;   /* weights differ, so that their form matters */
	uint32 users;    /* measured on */
	double *present; /* NDCG by user, of the first trial */
	double *ndcg;    /* of the one at hand */
	Trial *trial;
	int trials;
	int best;
} Tune;

static double
elapsed(instr_time since)
{
	instr_time now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, since);
	return INSTR_TIME_GET_DOUBLE(now);
}

static Pace
pace_of(const Settings *settings)
{
	return StepsFactors(settings) ? PACE_FACTORS : StepsRidge(settings) ? PACE_RIDGE : PACE_COUNTS;
}

/* Reads the events anew where settings want another matrix.  False where they are not the same people. */
static bool
build(Tune *tune, const Settings *settings)
{
	instr_time since;

	if (tune->matrix && settings->weighting == tune->built.weighting &&
		settings->half_life == tune->built.half_life)
		return true;
	if (tune->matrix)
		BudgetDestroy(tune->budget);
	INSTR_TIME_SET_CURRENT(since);
	tune->budget =
		BudgetCreate(CurrentMemoryContext, psprintf("tuning of model \"%s\"", tune->model->name),
					 BudgetMaintenance());
	tune->matrix = HoldoutRead(&tune->holdout, tune->model, settings, tune->budget);
	tune->built = *settings;
	tune->reading = Max(tune->reading, elapsed(since));
	return tune->trials == 0 || Min(EvaluationUsers(tune->matrix), USERS_MOST) == tune->users;
}

/* True where a trial can be expected to be over in time. */
static bool
has_time(const Tune *tune, const Settings *settings)
{
	Pace pace = pace_of(settings);
	double expected = tune->longest[pace];

	if (tune->trials == 0)
		return true;
	if (expected == 0)
		expected = pace == PACE_RIDGE ? RIDGE_SLOWER * tune->longest[PACE_COUNTS]
									  : tune->longest[PACE_RIDGE];
	if (settings->weighting != tune->built.weighting ||
		settings->half_life != tune->built.half_life)
		expected += tune->reading;
	return elapsed(tune->began) + expected <= tune->seconds;
}

static void
count_user(EvaluationSum *sum, double value)
{
	if (isnan(value))
		return;
	sum->users++;
	sum->sum += value;
	sum->squares += value * value;
}

/* What a trial came to, from the NDCG of every user: one half picks, the other checks. */
static void
count_users(const Tune *tune, Trial *trial)
{
	EvaluationSum pick = {0};

	for (uint32 u = 0; u < tune->users; u++)
	{
		count_user(&trial->ndcg, tune->ndcg[u]);
		if (u % 2 == 0)
			count_user(&pick, tune->ndcg[u]);
		else
			count_user(&trial->gain, tune->ndcg[u] - tune->present[u]);
	}
	trial->picked = EvaluationMean(&pick);
}

/* Room for the numbers of every user, once it is known how many there are. */
static void
take_users(Tune *tune)
{
	Size bytes;

	tune->users = Min(EvaluationUsers(tune->matrix), USERS_MOST);
	tune->weighted = RowsValued(&tune->matrix->rows);
	bytes = sizeof(double) * Max(tune->users, 1);
	tune->present = palloc(bytes);
	tune->ndcg = palloc(bytes);
}

/* Learns by settings, and takes the NDCG of every user by that. */
static void
measure(Tune *tune, const Settings *settings)
{
	const Interactions *matrix = tune->matrix;
	Rows learners = InteractionsRows(matrix, matrix->learners);
	const SimilarityOptions *similarity = settings->similarity.rule.kind == SIMILARITY_AUTO
											  ? &tune->model->picked
											  : &settings->similarity;
	EvaluationInput input = {
		.matrix = matrix,
		.k = tune->holdout.k,
		.users = USERS_MOST,
		.repeats = tune->holdout.repeats,
		.kept_out = tune->holdout.kept_out,
		.ndcg = tune->trials == 0 ? tune->present : tune->ndcg,
		.recency = StepsFactors(settings) ? 1 : SimilarityRecency(similarity),
	};
	Neighbors *neighbors = NULL;
	Factors *factors = NULL;
	Evaluation evaluation;

	if (StepsFactors(settings))
		factors =
			FactorsLearn(&matrix->by_user, matrix->learners, &settings->fold, NULL, tune->budget);
	else
	{
		neighbors = NeighborsLearn(&learners, similarity, tune->budget);
		neighbors = ResembleMixKnown(&tune->holdout.resemblance, matrix, similarity->k, neighbors);
	}
	input.neighbors = neighbors;
	input.factors = factors;
	EvaluationRun(&input, &evaluation, tune->budget);
	if (neighbors)
		NeighborsFree(neighbors, tune->budget);
	if (factors)
		FactorsFree(factors, tune->budget);
}

/* Tries settings that were not tried yet; false once the time is over. */
static bool
try_settings(Tune *tune, const Settings *settings)
{
	Trial *trial = &tune->trial[tune->trials];
	instr_time since;

	for (int t = 0; t < tune->trials; t++)
		if (StepsAlike(settings, &tune->trial[t].settings))
			return true;
	if (tune->trials == TRIALS_MOST || !has_time(tune, settings))
		return false;
	if (!build(tune, settings))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the events of model \"%s\" are not the same when they are read again",
						tune->model->name),
				 errhint("Settings can only be compared where the query gives the same rows each "
						 "time: without random(), for example.")));
	if (tune->trials == 0)
		take_users(tune);
	if (tune->users == 0)
		return false;

	INSTR_TIME_SET_CURRENT(since);
	*trial = (Trial){.settings = *settings};
	measure(tune, settings);
	if (tune->trials == 0)
		memcpy(tune->ndcg, tune->present, sizeof(double) * tune->users);
	count_users(tune, trial);
	trial->seconds = elapsed(since);
	tune->longest[pace_of(settings)] = Max(tune->longest[pace_of(settings)], trial->seconds);
	if (trial->picked > tune->trial[tune->best].picked)
		tune->best = tune->trials;
	tune->trials++;
	return true;
}

/* All trials there is time for: the present, the beginnings, then steps from the best so far. */
static void
try_all(Tune *tune)
{
	double step = STEP_FIRST;
	Settings settings;

	if (!try_settings(tune, &tune->model->settings))
		return;
	for (int n = 0; StepsBeginning(tune->model, n, &settings); n++)
	{
		/* What follows what is only tried where events have times. */
		if (!StepsFactors(&settings) && settings.similarity.rule.kind == SIMILARITY_NEXT &&
			!OidIsValid(tune->model->time_type))
			continue;
		if (!try_settings(tune, &settings))
			return;
	}
	while (step >= STEP_LEAST)
	{
		int from = tune->best;

		for (int move = 0; move < STEPS; move++)
		{
			settings = tune->trial[from].settings;
			if (StepsTake(tune->model, tune->weighted, &settings, move, step) &&
				!try_settings(tune, &settings))
				return;
		}
		if (tune->best == from)
			step /= 2;
	}
}

/* The least that a trial is better than the present settings, as far as can be told. */
static double
surely_gained(const Trial *trial)
{
	return EvaluationMean(&trial->gain) - EvaluationHalfWidth(&trial->gain);
}

static void
put_trial(ReturnSetInfo *out, const Tune *tune, int t, bool kept)
{
	const Trial *trial = &tune->trial[t];
	ModelSetting list[SETTINGS];
	double gain = EvaluationMean(&trial->gain);
	double half = EvaluationHalfWidth(&trial->gain);
	double numbers[] = {EvaluationMean(&trial->ndcg), gain, gain - half, gain + half};
	Datum values[REPORT_COLUMNS];
	bool nulls[REPORT_COLUMNS] = {0};

	values[REPORT_TRIAL] = Int32GetDatum(t);
	values[REPORT_SETTINGS] = CStringGetTextDatum(
		SaidSettings(list, StepsChanges(&trial->settings, &tune->model->settings, list)));
	for (int n = 0; n < 4; n++)
	{
		values[REPORT_NDCG + n] = Float8GetDatum(numbers[n]);
		nulls[REPORT_NDCG + n] = isnan(numbers[n]) || (t == 0 && n > 0);
	}
	values[REPORT_USERS] = Int64GetDatum((int64) trial->ndcg.users);
	values[REPORT_SECONDS] = Float8GetDatum(rint(1000 * trial->seconds) / 1000);
	values[REPORT_KEPT] = BoolGetDatum(kept);
	tuplestore_putvalues(out->setResult, out->setDesc, values, nulls);
}

/* Tries settings as the owner, with the search path of maintenance, as a refresh reads. */
static void
try_as_owner(Tune *tune)
{
	Oid caller;
	int security;
	int nest;

	GetUserIdAndSecContext(&caller, &security);
	SetUserIdAndSecContext(tune->model->owner, security | SECURITY_RESTRICTED_OPERATION);
	nest = NewGUCNestLevel();
	RestrictSearchPath();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	ModelReadSettings(tune->model);
	SPI_finish();
	try_all(tune);
	if (tune->matrix)
		BudgetDestroy(tune->budget);
	AtEOXact_GUC(false, nest);
	SetUserIdAndSecContext(caller, security);
}

/* reco_tune(model, budget, k, split, holdout, new_only) */
Datum
reco_tune(PG_FUNCTION_ARGS)
{
	Tune tune = {.model = DoorModel(fcinfo, 0)};
	ModelSetting list[SETTINGS];
	bool better;

	ModelNeedsOwner(tune.model);
	PreventCommandIfReadOnly("reco_tune()");
	tune.seconds = PG_ARGISNULL(1) ? 0 : SettingSeconds(PG_GETARG_INTERVAL_P(1));
	if (!(tune.seconds > 0))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("budget must be an interval above 0"),
						errhint("It is the time to try settings for, such as '5 minutes'.")));
	tune.holdout = HoldoutArguments(fcinfo, 2, tune.model);
	tune.holdout.ordered = true;
	tune.trial = palloc(sizeof(Trial) * TRIALS_MOST);
	InitMaterializedSRF(fcinfo, 0);

	INSTR_TIME_SET_CURRENT(tune.began);
	try_as_owner(&tune);
	ModelNeedsName(tune.model);
	if (tune.users == 0)
		HoldoutNothing(&tune.holdout, tune.model);

	better = tune.trials > 0 && surely_gained(&tune.trial[tune.best]) > 0;
	for (int t = 0; t < tune.trials; t++)
		put_trial((ReturnSetInfo *) fcinfo->resultinfo, &tune, t, better && t == tune.best);
	if (better)
		ModelConfigure(tune.model, list,
					   StepsChanges(&tune.trial[tune.best].settings, &tune.model->settings, list));
	return (Datum) 0;
}
