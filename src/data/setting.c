#include "data/setting.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "data/signals.h"
#include "data/unfinished.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static const char *const algorithms[] = {
	[MODEL_NEIGHBORS] = "neighbors",
	[MODEL_FACTORS] = "factors",
	[MODEL_ALGORITHMS] = NULL,
};

static const char *const similarities[] = {
	[SIMILARITY_COOCCURRENCE] = "cooccurrence",
	[SIMILARITY_COSINE] = "cosine",
	[SIMILARITY_ASYMMETRIC] = "asymmetric",
	[SIMILARITY_CONDITIONAL] = "conditional",
	[SIMILARITY_RP3BETA] = "rp3beta",
	[SIMILARITY_JACCARD] = "jaccard",
	[SIMILARITY_LLR] = "llr",
	[SIMILARITY_LIFT] = "lift",
	[SIMILARITY_TFIDF] = "tfidf",
	[SIMILARITY_BM25] = "bm25",
	[SIMILARITY_NEXT] = "next",
	[SIMILARITY_RIDGE] = "ridge",
	[SIMILARITY_AUTO] = "auto",
	[SIMILARITY_KINDS] = NULL,
};

static const char *const keeps[] = {
	[SIMILARITY_KEEP_SOURCE] = "source",
	[SIMILARITY_KEEP_TARGET] = "target",
	[SIMILARITY_KEEPS] = NULL,
};

static const char *const weightings[] = {
	[WEIGHTING_BINARY] = "binary",
	[WEIGHTING_LOG] = "log",
	[WEIGHTING_LINEAR] = "linear",
	[WEIGHTING_KINDS] = NULL,
};

#define STRING(x)  STRING_(x)
#define STRING_(x) #x

static const struct
{
	const char *name;
	Oid type;
	const char *otherwise; /* the default */
	double least, most;    /* numbers; intervals in seconds */
	const char *const *choice;
} settings[SETTINGS] = {
	[SETTING_ALGORITHM] = {"algorithm", TEXTOID, "'neighbors'", 0, 0, algorithms},
	[SETTING_SIMILARITY] = {"similarity", TEXTOID, "'auto'", 0, 0, similarities},
	[SETTING_USER_EXPONENT] = {"user_exponent", FLOAT8OID, "NULL", 0, SIMILARITY_EXPONENT_MAX,
							   NULL},
	[SETTING_SOURCE_EXPONENT] = {"source_exponent", FLOAT8OID, "NULL", 0, SIMILARITY_EXPONENT_MAX,
								 NULL},
	[SETTING_TARGET_EXPONENT] = {"target_exponent", FLOAT8OID, "NULL", 0, SIMILARITY_EXPONENT_MAX,
								 NULL},
	[SETTING_SHRINKAGE] = {"shrinkage", FLOAT8OID, "0", 0, SIMILARITY_SHRINKAGE_MAX, NULL},
	[SETTING_MIN_SUPPORT] = {"min_support", INT4OID, STRING(SIMILARITY_MIN_SUPPORT_DEFAULT), 1,
							 SIMILARITY_MIN_SUPPORT_MAX, NULL},
	[SETTING_LAMBDA] = {"lambda", FLOAT8OID, STRING(SIMILARITY_LAMBDA_DEFAULT),
						SIMILARITY_LAMBDA_MIN, SIMILARITY_LAMBDA_MAX, NULL},
	[SETTING_CANDIDATES] = {"candidates", INT4OID, STRING(SIMILARITY_CANDIDATES_DEFAULT), 1,
							SIMILARITY_CANDIDATES_MAX, NULL},
	[SETTING_DAMPING] = {"damping", FLOAT8OID, STRING(SIMILARITY_DAMPING_DEFAULT), 0, 1, NULL},
	[SETTING_BLEND] = {"blend", FLOAT8OID, STRING(SIMILARITY_BLEND_DEFAULT), 0, 1, NULL},
	[SETTING_INDIRECT] = {"indirect", FLOAT8OID, STRING(SIMILARITY_INDIRECT_DEFAULT), 0, 1, NULL},
	[SETTING_RECENCY] = {"recency", FLOAT8OID, "NULL", SIMILARITY_RECENCY_MIN, 1, NULL},
	[SETTING_FACTORS] = {"factors", INT4OID, STRING(FOLD_FACTORS_DEFAULT), 1, FOLD_FACTORS_MAX,
						 NULL},
	[SETTING_ITERATIONS] = {"iterations", INT4OID, STRING(FOLD_ITERATIONS_DEFAULT), 1,
							FOLD_ITERATIONS_MAX, NULL},
	[SETTING_FACTOR_LAMBDA] = {"factor_lambda", FLOAT8OID, STRING(FOLD_LAMBDA_DEFAULT),
							   FOLD_LAMBDA_MIN, FOLD_LAMBDA_MAX, NULL},
	[SETTING_UNOBSERVED] = {"unobserved", FLOAT8OID, STRING(FOLD_UNOBSERVED_DEFAULT),
							FOLD_UNOBSERVED_MIN, FOLD_UNOBSERVED_MAX, NULL},
	[SETTING_CONTENT] = {"content", FLOAT8OID, "2", 0, 1000, NULL},
	[SETTING_NEIGHBORS] = {"neighbors", INT4OID, "NULL", 1, SIMILARITY_K_MAX, NULL},
	[SETTING_KEEP] = {"keep", TEXTOID, "'target'", 0, 0, keeps},
	[SETTING_WEIGHTING] = {"weighting", TEXTOID, "'log'", 0, 0, weightings},
	[SETTING_MAX_HISTORY] = {"max_history", INT4OID, "5000", 1, 1e9, NULL},
	[SETTING_HALF_LIFE] = {"half_life", INTERVALOID, "'0'", 0, 1e10, NULL},
	[SETTING_POPULAR_HALF_LIFE] = {"popular_half_life", INTERVALOID, "'90 days'", 1, 1e10, NULL},
	[SETTING_TREND_HALF_LIFE] = {"trend_half_life", INTERVALOID, "'14 days'", 1, 1e10, NULL},
	[SETTING_MIN_MATCH] = {"min_match", FLOAT8OID, "50", 0, 100, NULL},
	[SETTING_TARGET_SIGNAL] = {"target_signal", TEXTOID, "NULL", 0, 0, NULL},
	[SETTING_EXCLUDE_SEEN] = {"exclude_seen", JSONBOID, "NULL", 0, 0, NULL},
	[SETTING_FATIGUE_HALF_LIFE] = {"fatigue_half_life", INTERVALOID, "'1 day'", 0, 1e10, NULL},
	[SETTING_CATEGORY] = {"category", TEXTOID, "NULL", 0, 0, NULL},
	[SETTING_CONTEXTS] = {"contexts", TEXTARRAYOID, "NULL", 0, 0, NULL},
	[SETTING_TIME_ZONE] = {"time_zone", TEXTOID, "'UTC'", 0, 0, NULL},
	[SETTING_UNFINISHED] = {"unfinished", JSONBOID, "NULL", 0, 0, NULL},
	[SETTING_RERANKED] = {"reranked", BOOLOID, "true", 0, 0, NULL},
};

const char *
SettingName(SettingNo setting)
{
	return settings[setting].name;
}

SettingNo
SettingNamed(const char *name)
{
	StringInfoData list;

	for (int s = 0; s < SETTINGS; s++)
		if (strcmp(settings[s].name, name) == 0)
			return s;

	initStringInfo(&list);
	for (int s = 0; s < SETTINGS; s++)
		appendStringInfo(&list, "%s%s", s == 0 ? "" : ", ", settings[s].name);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("models have no setting \"%s\"", name),
			 errhint("Settings: %s.", list.data)));
}

Oid
SettingType(SettingNo setting)
{
	return settings[setting].type;
}

const char *
SettingDefault(SettingNo setting)
{
	return settings[setting].otherwise;
}

double
SettingSeconds(const Interval *interval)
{
	return interval->time / (double) USECS_PER_SEC +
		   SECS_PER_DAY * (interval->day + 30.0 * interval->month);
}

int
SettingChoice(SettingNo setting, const char *word)
{
	const char *const *choice = settings[setting].choice;
	StringInfoData list;

	for (int c = 0; choice[c]; c++)
		if (strcmp(choice[c], word) == 0)
			return c;

	initStringInfo(&list);
	for (int c = 0; choice[c]; c++)
		appendStringInfo(&list, "%s%s", c == 0 ? "" : ", ", choice[c]);
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("invalid value for \"%s\": \"%s\"", settings[setting].name, word),
					errhint("Available values: %s.", list.data)));
}

const char *
SettingWord(SettingNo setting, int choice)
{
	return settings[setting].choice[choice];
}

void
SettingCheck(SettingNo setting, Datum value)
{
	double least = settings[setting].least;
	double most = settings[setting].most;
	double number;

	switch (settings[setting].type)
	{
		case TEXTOID:
			if (settings[setting].choice)
				SettingChoice(setting, TextDatumGetCString(value));
			return;
		case TEXTARRAYOID:
		case BOOLOID:
			return;
		case JSONBOID:
			if (setting == SETTING_UNFINISHED)
				UnfinishedRead(value);
			else
				SignalsRead(value);
			return;
		case INT4OID:
			number = DatumGetInt32(value);
			break;
		case INTERVALOID:
			number = SettingSeconds(DatumGetIntervalP(value));
			if (!(number >= least && number <= most))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("\"%s\" is out of range", settings[setting].name),
						 least > 0
							 ? errhint("Use an interval of at least one second, such as '30 days'.")
							 : errhint("Use an interval such as '30 days', or '0' for no decay.")));
			return;
		default:
			number = DatumGetFloat8(value);
			break;
	}

	/* False for NaN as well. */
	if (!(number >= least && number <= most))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%g is outside the range of \"%s\"", number, settings[setting].name),
						errhint("Use a value from %g to %g.", least, most)));
}
