#include "api/steps.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

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

/* Steps from settings to others. */
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

StaticAssertDecl(STEPS == MOVES, "there are more steps, or fewer, than are told");

/* True for settings by which exponents decide something. */
static bool
has_exponents(const Settings *settings)
{
	return !StepsFactors(settings) && SimilarityHasExponents(settings->similarity.rule.kind);
}

bool
StepsAlike(const Settings *a, const Settings *b)
{
	const SimilarityRule *x = &a->similarity.rule;
	const SimilarityRule *y = &b->similarity.rule;

	if (StepsFactors(a))
		return a->fold.lambda == b->fold.lambda && a->fold.unobserved == b->fold.unobserved &&
			   a->weighting == b->weighting && a->half_life == b->half_life;
	return x->kind == y->kind &&
		   (!has_exponents(a) ||
			(x->user_exponent == y->user_exponent && x->source_exponent == y->source_exponent &&
			 x->target_exponent == y->target_exponent)) &&
		   x->shrinkage == y->shrinkage &&
		   SimilarityRecency(&a->similarity) == SimilarityRecency(&b->similarity) &&
		   (StepsRidge(a) ? a->similarity.lambda == b->similarity.lambda
						  : a->similarity.keep == b->similarity.keep) &&
		   a->weighting == b->weighting && a->half_life == b->half_life;
}

/* The present settings, with another similarity to begin from. */
static Settings
beginning(const Model *model, int n)
{
	Settings settings = model->settings;
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
factor_beginning(const Model *model, int n)
{
	Settings settings = model->settings;

	settings.fold.lambda = factor_beginnings[n].lambda;
	settings.fold.unobserved = factor_beginnings[n].unobserved;
	return settings;
}

bool
StepsBeginning(const Model *model, int n, Settings *settings)
{
	bool factors = StepsFactors(&model->settings);

	if (n >= (int) (factors ? lengthof(factor_beginnings) : lengthof(beginnings)))
		return false;
	*settings = factors ? factor_beginning(model, n) : beginning(model, n);
	return true;
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

bool
StepsTake(const Model *model, bool weighted, Settings *settings, int move, double by)
{
	SimilarityOptions *options = &settings->similarity;
	SimilarityRule *rule = &options->rule;
	FoldOptions *fold = &settings->fold;

	switch ((Move) move)
	{
		case MOVE_LAMBDA_UP:
		case MOVE_LAMBDA_DOWN:
			if (StepsFactors(settings))
				fold->lambda =
					scaled(fold->lambda, move == MOVE_LAMBDA_UP, FOLD_LAMBDA_MIN, FOLD_LAMBDA_MAX);
			else
				options->lambda = scaled(options->lambda, move == MOVE_LAMBDA_UP,
										 SIMILARITY_LAMBDA_MIN, SIMILARITY_LAMBDA_MAX);
			return StepsFactors(settings) || StepsRidge(settings);
		case MOVE_UNOBSERVED_UP:
		case MOVE_UNOBSERVED_DOWN:
			fold->unobserved = scaled(fold->unobserved, move == MOVE_UNOBSERVED_UP,
									  FOLD_UNOBSERVED_MIN, FOLD_UNOBSERVED_MAX);
			return StepsFactors(settings);
		case MOVE_USER_UP:
		case MOVE_USER_DOWN:
			rule->user_exponent = moved(rule->user_exponent, move == MOVE_USER_UP ? by : -by);
			return has_exponents(settings);
		case MOVE_SOURCE_UP:
		case MOVE_SOURCE_DOWN:
			rule->source_exponent = moved(rule->source_exponent, move == MOVE_SOURCE_UP ? by : -by);
			return has_exponents(settings);
		case MOVE_TARGET_UP:
		case MOVE_TARGET_DOWN:
			rule->target_exponent = moved(rule->target_exponent, move == MOVE_TARGET_UP ? by : -by);
			return has_exponents(settings);
		case MOVE_KEEP:
			options->keep = options->keep == SIMILARITY_KEEP_SOURCE ? SIMILARITY_KEEP_TARGET
																	: SIMILARITY_KEEP_SOURCE;
			return !StepsFactors(settings) && !StepsRidge(settings);
		case MOVE_RECENT_MORE:
		case MOVE_RECENT_LESS:
			options->recency = next_recency(SimilarityRecency(options), move == MOVE_RECENT_MORE);
			return !StepsFactors(settings) && OidIsValid(model->time_type) &&
				   rule->kind != SIMILARITY_AUTO;
		case MOVE_SHRINK_MORE:
			rule->shrinkage =
				fmin(rule->shrinkage > 0 ? 3 * rule->shrinkage : 3, SIMILARITY_SHRINKAGE_MAX);
			return !StepsFactors(settings);
		case MOVE_SHRINK_LESS:
			rule->shrinkage = rule->shrinkage > 3 ? rule->shrinkage / 3 : 0;
			return !StepsFactors(settings);
		case MOVE_WEIGHTING_NEXT:
			settings->weighting = (settings->weighting + 1) % WEIGHTING_KINDS;
			return weighted;
		case MOVE_WEIGHTING_LAST:
			settings->weighting = (settings->weighting + WEIGHTING_KINDS - 1) % WEIGHTING_KINDS;
			return weighted;
		case MOVE_FORGET_SOONER:
			settings->half_life = next_half_life(settings->half_life, true);
			return OidIsValid(model->time_type);
		case MOVE_FORGET_LATER:
			settings->half_life = next_half_life(settings->half_life, false);
			return OidIsValid(model->time_type);
		default:
			return false;
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

int
StepsChanges(const Settings *now, const Settings *then, ModelSetting *list)
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
	if (StepsRidge(now) && now->similarity.lambda != then->similarity.lambda)
		list[count++] =
			(ModelSetting){SETTING_LAMBDA, Float8GetDatum(now->similarity.lambda), false};
	if (!StepsRidge(now) && now->similarity.keep != then->similarity.keep)
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
