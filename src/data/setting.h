/*
 * setting.h: every setting of a model, its default and what it may be, in one table.
 *
 * The table "model" of a model's schema holds them; reco_configure checks new values here, and
 * everything else takes them from a Settings struct.
 */
#ifndef RECO_SETTING_H
#define RECO_SETTING_H

#include "base/compat.h"
#include "math/decay.h"
#include "math/fold.h"
#include "math/similarity.h"

/* What makes the lists of people. */
typedef enum ModelAlgorithm
{
	MODEL_NEIGHBORS,
	MODEL_FACTORS,
	MODEL_ALGORITHMS
} ModelAlgorithm;

/* The settings, in the order of reco_configure's arguments after the model. */
typedef enum SettingNo
{
	SETTING_ALGORITHM,
	SETTING_SIMILARITY,
	SETTING_USER_EXPONENT,
	SETTING_SOURCE_EXPONENT,
	SETTING_TARGET_EXPONENT,
	SETTING_SHRINKAGE,
	SETTING_MIN_SUPPORT,
	SETTING_LAMBDA,
	SETTING_CANDIDATES,
	SETTING_DAMPING,
	SETTING_BLEND,
	SETTING_INDIRECT,
	SETTING_RECENCY,
	SETTING_FACTORS,
	SETTING_ITERATIONS,
	SETTING_FACTOR_LAMBDA,
	SETTING_UNOBSERVED,
	SETTING_CONTENT,
	SETTING_NEIGHBORS,
	SETTING_KEEP,
	SETTING_WEIGHTING,
	SETTING_MAX_HISTORY,
	SETTING_HALF_LIFE,
	SETTING_POPULAR_HALF_LIFE,
	SETTING_TREND_HALF_LIFE,
	SETTING_MIN_MATCH,
	SETTING_TARGET_SIGNAL,
	SETTING_EXCLUDE_SEEN,
	SETTING_FATIGUE_HALF_LIFE,
	SETTING_CATEGORY,
	SETTING_CONTEXTS,
	SETTING_TIME_ZONE,
	SETTING_UNFINISHED,
	SETTING_RERANKED,
	SETTINGS
} SettingNo;

/* Name and type (text, float8, int4, interval, jsonb, text[] or boolean) of a setting's column. */
extern const char *SettingName(SettingNo setting);
extern Oid SettingType(SettingNo setting);

/* The setting of a name; raises ERRCODE_UNDEFINED_OBJECT where there is none. */
extern SettingNo SettingNamed(const char *name);

/* The default of a setting as an SQL literal, "NULL" where there is none. */
extern const char *SettingDefault(SettingNo setting);

/* Raises ERRCODE_INVALID_PARAMETER_VALUE where a value is not one the setting may have. */
extern void SettingCheck(SettingNo setting, Datum value);

/* The place of a word among the values of algorithm, similarity, weighting or keep; raises the same error. */
extern int SettingChoice(SettingNo setting, const char *word);

/* The word at a place, of the same settings. */
extern const char *SettingWord(SettingNo setting, int choice);

/* An interval in seconds, months counted as 30 days. */
extern double SettingSeconds(const Interval *interval);

#endif
