#include "api/said.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* What signals weigh beside the target; those without a name only where there are some, and weighed. */
static void
say_signals(StringInfo said, const SignalsTold *told)
{
	const char *before = "; ";

	for (uint32 s = 1; s < told->count; s++)
	{
		if (told->name[s] == NULL && told->weight[s] == 1)
			continue;
		appendStringInfo(said, "%s%s %g", before,
						 told->name[s] ? quote_literal_cstr(told->name[s]) : "others",
						 told->weight[s]);
		before = ", ";
	}
}

/* Exponents that are not the similarity's own: auto keeps its own whatever it picks. */
static void
say_exponents(StringInfo said, const SimilarityRule *rule)
{
	const SimilarityRule own = SimilarityPreset(rule->kind);

	if (!SimilarityHasExponents(rule->kind))
		return;
	if (rule->user_exponent != own.user_exponent)
		appendStringInfo(said, ", user_exponent => %g", rule->user_exponent);
	if (rule->source_exponent != own.source_exponent)
		appendStringInfo(said, ", source_exponent => %g", rule->source_exponent);
	if (rule->target_exponent != own.target_exponent)
		appendStringInfo(said, ", target_exponent => %g", rule->target_exponent);
}

char *
SaidLearned(const SimilarityOptions *options, const FoldOptions *fold, const SignalsTold *told)
{
	StringInfoData said;
	bool ridge = options->rule.kind == SIMILARITY_RIDGE;

	initStringInfo(&said);
	if (told->count > 0)
		appendStringInfo(&said, "target_signal => %s, ", quote_literal_cstr(told->name[0]));
	if (fold)
		appendStringInfo(&said,
						 "algorithm => '%s', factors => %u, iterations => %u, factor_lambda => %g, "
						 "unobserved => %g, ",
						 SettingWord(SETTING_ALGORITHM, MODEL_FACTORS), fold->factors,
						 fold->iterations, fold->lambda, fold->unobserved);
	appendStringInfo(&said, "similarity => '%s'",
					 SettingWord(SETTING_SIMILARITY, options->rule.kind));
	say_exponents(&said, &options->rule);
	if (ridge)
		appendStringInfo(&said, ", lambda => %g, damping => %g, blend => %g, indirect => %g",
						 options->lambda, options->damping, options->blend, options->indirect);
	if (options->k_most > 0 && options->k != SIMILARITY_K_DEFAULT)
		appendStringInfo(&said, ", neighbors => %u", options->k);
	if (!ridge || options->blend > 0)
		appendStringInfo(&said, ", keep => '%s'", SettingWord(SETTING_KEEP, options->keep));
	if (options->rule.shrinkage > 0)
		appendStringInfo(&said, ", shrinkage => %g", options->rule.shrinkage);
	if (SimilarityRecency(options) < 1)
		appendStringInfo(&said, ", recency => %g", SimilarityRecency(options));
	say_signals(&said, told);
	return said.data;
}

char *
SaidSettings(const ModelSetting *list, int count)
{
	StringInfoData said;

	initStringInfo(&said);
	for (int c = 0; c < count; c++)
	{
		Oid type = SettingType(list[c].setting);

		if (list[c].reset)
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
