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
 * factors, iterations,
 * min_support, max_history) is the owner's to say and stays.
 */
#include "api/holdout.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "learn/evaluation.h"
#include "lib/stringinfo.h"
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

#define DAY 86400.0

/* Half-lives that are tried, from none down. */
static const double half_lives[] = {0, 540 * DAY, 180 * DAY, 60 * DAY, 20 * DAY, 7 * DAY};

/* And recencies, from none down. */
static const double recencies[] = {1, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3};

/* Where to begin: what was best on one public set or another, or on all of them. */
static const struct
{
	SimilarityKind kind;
	double b, p, q; /* below 0 for those of the kind */
	SimilarityKeep keep;
	double lambda;
} beginnings[] = {
	{SIMILARITY_RIDGE, -1, -1, -1, SIMILARITY_KEEP_TARGET, SIMILARITY_LAMBDA_DEFAULT},
	{SIMILARITY_COOCCURRENCE, -1, -1, -1, SIMILARITY_KEEP_TARGET, 0},
	{SIMILARITY_COOCCURRENCE, -1, -1, -1, SIMILARITY_KEEP_SOURCE, 0},
	{SIMILARITY_NEXT, -1, -1, -1, SIMILARITY_KEEP_TARGET, 0}, /* where events have times */
	{SIMILARITY_COOCCURRENCE, 1, 0.8, 0.2, SIMILARITY_KEEP_SOURCE, 0},
	{SIMILARITY_COOCCURRENCE, 0.75, 1, 0.4, SIMILARITY_KEEP_TARGET, 0},
	{SIMILARITY_COOCCURRENCE, 0.35, 0.55, 0.2, SIMILARITY_KEEP_TARGET, 0},
	{SIMILARITY_RIDGE, -1, -1, -1, SIMILARITY_KEEP_TARGET, 1},
	{SIMILARITY_BM25, -1, -1, -1, SIMILARITY_KEEP_TARGET, 0},
	{SIMILARITY_COSINE, -1, -1, -1, SIMILARITY_KEEP_TARGET, 0},
};

/* The same for factors. */
static const struct
{
	double lambda, unobserved;
} factor_beginnings[] = {
	{FOLD_LAMBDA_DEFAULT, FOLD_UNOBSERVED_DEFAULT},
	{4 * FOLD_LAMBDA_DEFAULT, FOLD_UNOBSERVED_DEFAULT},
	{FOLD_LAMBDA_DEFAULT, FOLD_UNOBSERVED_DEFAULT / 4},
	{4 * FOLD_LAMBDA_DEFAULT, FOLD_UNOBSERVED_DEFAULT / 4},
};

/* What takes about as long as each other. */
typedef enum Pace
{
	PACE_COUNTS,
	PACE_RIDGE,
	PACE_FACTORS,
	PACES
} Pace;

/* Steps from a trial to another. */
typedef enum Move
{
	MOVE_LAMBDA_UP,
	MOVE_LAMBDA_DOWN,
	MOVE_UNOBSERVED_UP,
	MOVE_UNOBSERVED_DOWN,
	MOVE_USER_UP,
	MOVE_USER_DOWN,
	MOVE_SOURCE_UP,
	MOVE_SOURCE_DOWN,
	MOVE_TARGET_UP,
	MOVE_TARGET_DOWN,
	MOVE_KEEP,
	MOVE_RECENT_MORE,
	MOVE_RECENT_LESS,
	MOVE_SHRINK_MORE,
	MOVE_SHRINK_LESS,
	MOVE_WEIGHTING_NEXT,
	MOVE_WEIGHTING_LAST,
	MOVE_FORGET_SOONER,
	MOVE_FORGET_LATER,
	MOVES
} Move;

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

static inline bool
is_factors(const Settings *settings)
{
	return settings->algorithm == MODEL_FACTORS;
}

static inline bool
is_ridge(const Settings *settings)
{
	return !is_factors(settings) && settings->similarity.rule.kind == SIMILARITY_RIDGE;
}

static Pace
pace_of(const Settings *settings)
{
	return is_factors(settings) ? PACE_FACTORS : is_ridge(settings) ? PACE_RIDGE : PACE_COUNTS;
}

/* True for kinds that have exponents. */
static bool
has_exponents(const Settings *settings)
{
	return !is_factors(settings) &&
		   (settings->similarity.rule.kind <= SIMILARITY_RP3BETA ||
			settings->similarity.rule.kind == SIMILARITY_NEXT || is_ridge(settings));
}

/* True where two settings learn the same, as far as any of it is tried. */
static bool
learn_alike(const Settings *a, const Settings *b)
{
	const SimilarityRule *x = &a->similarity.rule;
	const SimilarityRule *y = &b->similarity.rule;

	if (is_factors(a))
		return a->fold.lambda == b->fold.lambda && a->fold.unobserved == b->fold.unobserved &&
			   a->weighting == b->weighting && a->half_life == b->half_life;
	return x->kind == y->kind &&
		   (!has_exponents(a) ||
			(x->user_exponent == y->user_exponent && x->source_exponent == y->source_exponent &&
			 x->target_exponent == y->target_exponent)) &&
		   x->shrinkage == y->shrinkage &&
		   SimilarityRecency(&a->similarity) == SimilarityRecency(&b->similarity) &&
		   (is_ridge(a) ? a->similarity.lambda == b->similarity.lambda
						: a->similarity.keep == b->similarity.keep) &&
		   a->weighting == b->weighting && a->half_life == b->half_life;
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
		.recency = is_factors(settings) ? 1 : SimilarityRecency(similarity),
	};
	Neighbors *neighbors = NULL;
	Factors *factors = NULL;
	Evaluation evaluation;

	if (is_factors(settings))
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
		if (learn_alike(settings, &tune->trial[t].settings))
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

/* The present settings, with another similarity to begin from. */
static Settings
beginning(const Tune *tune, size_t n)
{
	Settings settings = tune->model->settings;
	SimilarityRule rule = SimilarityPreset(beginnings[n].kind);

	if (beginnings[n].b >= 0)
	{
		rule.user_exponent = beginnings[n].b;
		rule.source_exponent = beginnings[n].p;
		rule.target_exponent = beginnings[n].q;
	}
	rule.shrinkage = settings.similarity.rule.shrinkage;
	rule.min_support = settings.similarity.rule.min_support;
	settings.similarity.rule = rule;
	if (beginnings[n].kind == SIMILARITY_RIDGE)
		settings.similarity.lambda = beginnings[n].lambda;
	else
		settings.similarity.keep = beginnings[n].keep;
	return settings;
}

/* The present settings, with others of factors to begin from. */
static Settings
factor_beginning(const Tune *tune, size_t n)
{
	Settings settings = tune->model->settings;

	settings.fold.lambda = factor_beginnings[n].lambda;
	settings.fold.unobserved = factor_beginnings[n].unobserved;
	return settings;
}

/* Twice or half a number, within its range. */
static double
scaled(double number, bool up, double least, double most)
{
	return fmin(fmax(up ? 2 * number : number / 2, least), most);
}

/* An exponent moved within its range, as a number of few digits. */
static double
moved(double exponent, double by)
{
	return rint(100 * fmin(fmax(exponent + by, 0), SIMILARITY_EXPONENT_MAX)) / 100;
}

/* The next half-life from one that need not be among those tried. */
static double
next_half_life(double from, bool sooner)
{
	int count = (int) lengthof(half_lives);

	for (int n = 0; sooner && n < count; n++)
		if (half_lives[n] > 0 && (from == 0 || half_lives[n] < from))
			return half_lives[n];
	for (int n = count - 1; !sooner && from > 0 && n > 0; n--)
		if (half_lives[n] > from)
			return half_lives[n];
	return sooner ? from : 0;
}

/* The next recency, too. */
static double
next_recency(double from, bool less)
{
	int count = (int) lengthof(recencies);

	for (int n = 0; less && n < count; n++)
		if (recencies[n] < from)
			return recencies[n];
	for (int n = count - 1; !less && n >= 0; n--)
		if (recencies[n] > from)
			return recencies[n];
	return from;
}

/* Takes a step; false where it leads nowhere. */
static bool
take_step(const Tune *tune, Settings *settings, Move move, double step)
{
	SimilarityOptions *options = &settings->similarity;
	SimilarityRule *rule = &options->rule;
	FoldOptions *fold = &settings->fold;

	switch (move)
	{
		case MOVE_LAMBDA_UP:
		case MOVE_LAMBDA_DOWN:
			if (is_factors(settings))
				fold->lambda =
					scaled(fold->lambda, move == MOVE_LAMBDA_UP, FOLD_LAMBDA_MIN, FOLD_LAMBDA_MAX);
			else
				options->lambda = scaled(options->lambda, move == MOVE_LAMBDA_UP,
										 SIMILARITY_LAMBDA_MIN, SIMILARITY_LAMBDA_MAX);
			return is_factors(settings) || is_ridge(settings);
		case MOVE_UNOBSERVED_UP:
		case MOVE_UNOBSERVED_DOWN:
			fold->unobserved = scaled(fold->unobserved, move == MOVE_UNOBSERVED_UP,
									  FOLD_UNOBSERVED_MIN, FOLD_UNOBSERVED_MAX);
			return is_factors(settings);
		case MOVE_USER_UP:
		case MOVE_USER_DOWN:
			rule->user_exponent = moved(rule->user_exponent, move == MOVE_USER_UP ? step : -step);
			return has_exponents(settings);
		case MOVE_SOURCE_UP:
		case MOVE_SOURCE_DOWN:
			rule->source_exponent =
				moved(rule->source_exponent, move == MOVE_SOURCE_UP ? step : -step);
			return has_exponents(settings);
		case MOVE_TARGET_UP:
		case MOVE_TARGET_DOWN:
			rule->target_exponent =
				moved(rule->target_exponent, move == MOVE_TARGET_UP ? step : -step);
			return has_exponents(settings);
		case MOVE_KEEP:
			options->keep = options->keep == SIMILARITY_KEEP_SOURCE ? SIMILARITY_KEEP_TARGET
																	: SIMILARITY_KEEP_SOURCE;
			return pace_of(settings) == PACE_COUNTS;
		case MOVE_RECENT_MORE:
		case MOVE_RECENT_LESS:
			options->recency = next_recency(SimilarityRecency(options), move == MOVE_RECENT_MORE);
			return !is_factors(settings) && OidIsValid(tune->model->time_type) &&
				   rule->kind != SIMILARITY_AUTO;
		case MOVE_SHRINK_MORE:
			rule->shrinkage =
				fmin(rule->shrinkage > 0 ? 3 * rule->shrinkage : 3, SIMILARITY_SHRINKAGE_MAX);
			return !is_factors(settings);
		case MOVE_SHRINK_LESS:
			rule->shrinkage = rule->shrinkage > 3 ? rule->shrinkage / 3 : 0;
			return !is_factors(settings);
		case MOVE_WEIGHTING_NEXT:
			settings->weighting = (settings->weighting + 1) % WEIGHTING_KINDS;
			return tune->weighted;
		case MOVE_WEIGHTING_LAST:
			settings->weighting = (settings->weighting + WEIGHTING_KINDS - 1) % WEIGHTING_KINDS;
			return tune->weighted;
		case MOVE_FORGET_SOONER:
			settings->half_life = next_half_life(settings->half_life, true);
			return OidIsValid(tune->model->time_type);
		case MOVE_FORGET_LATER:
			settings->half_life = next_half_life(settings->half_life, false);
			return OidIsValid(tune->model->time_type);
		default:
			return false;
	}
}

/* All trials there is time for: the present, the beginnings, then steps from the best so far. */
static void
try_all(Tune *tune)
{
	bool factors = is_factors(&tune->model->settings);
	double step = STEP_FIRST;

	if (!try_settings(tune, &tune->model->settings))
		return;
	for (size_t n = 0; n < (factors ? lengthof(factor_beginnings) : lengthof(beginnings)); n++)
	{
		Settings settings = factors ? factor_beginning(tune, n) : beginning(tune, n);

		if (!factors && beginnings[n].kind == SIMILARITY_NEXT &&
			!OidIsValid(tune->model->time_type))
			continue;
		if (!try_settings(tune, &settings))
			return;
	}
	while (step >= STEP_LEAST)
	{
		int from = tune->best;

		for (int move = 0; move < MOVES; move++)
		{
			Settings settings = tune->trial[from].settings;

			if (take_step(tune, &settings, move, step) && !try_settings(tune, &settings))
				return;
		}
		if (tune->best == from)
			step /= 2;
	}
}

/* The half-life of a setting, in days and what is left of one. */
static Datum
interval_of(double seconds)
{
	Interval *interval = palloc0(sizeof(Interval));

	interval->day = (int32) (seconds / DAY);
	interval->time = (int64) ((seconds - interval->day * DAY) * USECS_PER_SEC);
	return IntervalPGetDatum(interval);
}

/*
 * Adds an exponent, unless it was set by hand to what it is to be.  It is left to the similarity,
 * as NULL, where it is the similarity's own and nobody has set one.  Each of now and then is an
 * exponent, and the similarity's own.
 */
static int
change_exponent(SettingNo setting, const double now[2], const double then[2], ModelSetting *list)
{
	bool own = now[0] == now[1] && then[0] == then[1];

	if (now[0] == then[0] && then[0] != then[1])
		return 0;
	*list = (ModelSetting){setting, Float8GetDatum(now[0]), own};
	return 1;
}

/* What differs from the present settings, as it is to be written.  Returns how many there are. */
static int
changes(const Settings *now, const Settings *then, ModelSetting *list)
{
	const SimilarityRule *rule = &now->similarity.rule;
	const SimilarityRule *before = &then->similarity.rule;
	SimilarityRule own = SimilarityPreset(rule->kind);
	SimilarityRule own_before = SimilarityPreset(before->kind);
	double recency[] = {SimilarityRecency(&now->similarity),
						SimilarityRecency(&(SimilarityOptions){.rule = own})};
	double recency_before[] = {SimilarityRecency(&then->similarity),
							   SimilarityRecency(&(SimilarityOptions){.rule = own_before})};
	int count = 0;

	if (rule->kind != before->kind)
		list[count++] =
			(ModelSetting){SETTING_SIMILARITY,
						   CStringGetTextDatum(SettingWord(SETTING_SIMILARITY, rule->kind)), false};
	count +=
		change_exponent(SETTING_USER_EXPONENT, (double[]){rule->user_exponent, own.user_exponent},
						(double[]){before->user_exponent, own_before.user_exponent}, list + count);
	count += change_exponent(
		SETTING_SOURCE_EXPONENT, (double[]){rule->source_exponent, own.source_exponent},
		(double[]){before->source_exponent, own_before.source_exponent}, list + count);
	count += change_exponent(
		SETTING_TARGET_EXPONENT, (double[]){rule->target_exponent, own.target_exponent},
		(double[]){before->target_exponent, own_before.target_exponent}, list + count);
	if (rule->shrinkage != before->shrinkage)
		list[count++] = (ModelSetting){SETTING_SHRINKAGE, Float8GetDatum(rule->shrinkage), false};
	if (is_ridge(now) && now->similarity.lambda != then->similarity.lambda)
		list[count++] =
			(ModelSetting){SETTING_LAMBDA, Float8GetDatum(now->similarity.lambda), false};
	if (!is_ridge(now) && now->similarity.keep != then->similarity.keep)
		list[count++] = (ModelSetting){
			SETTING_KEEP, CStringGetTextDatum(SettingWord(SETTING_KEEP, now->similarity.keep)),
			false};
	count += change_exponent(SETTING_RECENCY, recency, recency_before, list + count);
	if (now->fold.lambda != then->fold.lambda)
		list[count++] =
			(ModelSetting){SETTING_FACTOR_LAMBDA, Float8GetDatum(now->fold.lambda), false};
	if (now->fold.unobserved != then->fold.unobserved)
		list[count++] =
			(ModelSetting){SETTING_UNOBSERVED, Float8GetDatum(now->fold.unobserved), false};
	if (now->weighting != then->weighting)
		list[count++] = (ModelSetting){
			SETTING_WEIGHTING, CStringGetTextDatum(SettingWord(SETTING_WEIGHTING, now->weighting)),
			false};
	if (now->half_life != then->half_life)
		list[count++] = (ModelSetting){SETTING_HALF_LIFE, interval_of(now->half_life), false};
	return count;
}

/* Changes as the arguments of reco_configure; an exponent of the similarity's own goes unsaid. */
static char *
describe(const ModelSetting *list, int count)
{
	StringInfoData said;

	initStringInfo(&said);
	for (int c = 0; c < count; c++)
	{
		Oid type = SettingType(list[c].setting);

		if (list[c].isnull)
			continue;
		appendStringInfo(&said, "%s%s => ", said.len > 0 ? ", " : "", SettingName(list[c].setting));
		if (type == TEXTOID)
			appendStringInfoString(&said, quote_literal_cstr(TextDatumGetCString(list[c].value)));
		else if (type == INTERVALOID)
			appendStringInfo(&said, "'%d days'", DatumGetIntervalP(list[c].value)->day);
		else
			appendStringInfo(&said, "%g", DatumGetFloat8(list[c].value));
	}
	return said.data;
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
		describe(list, changes(&trial->settings, &tune->model->settings, list)));
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
	if (tune.users == 0)
		HoldoutNothing(&tune.holdout, tune.model);

	better = tune.trials > 0 && surely_gained(&tune.trial[tune.best]) > 0;
	for (int t = 0; t < tune.trials; t++)
		put_trial((ReturnSetInfo *) fcinfo->resultinfo, &tune, t, better && t == tune.best);
	if (better)
		ModelConfigure(tune.model, list,
					   changes(&tune.trial[tune.best].settings, &tune.model->settings, list));
	return (Datum) 0;
}
