/*
 * measure.c: similarities over counts that SQL has already made, and a decayed sum.
 */
#include "base/compat.h"

#include <math.h>

#include "api/arguments.h"
#include "data/setting.h"
#include "fmgr.h"
#include "math/decay.h"
#include "math/similarity.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_cosine);
PG_FUNCTION_INFO_V1(reco_jaccard);
PG_FUNCTION_INFO_V1(reco_llr);
PG_FUNCTION_INFO_V1(reco_lift);
PG_FUNCTION_INFO_V1(reco_decayed_add);

/*
 * Raises an error where counts cannot be those of one table: both above a or b, or a total too
 * small.
 */
static void
check_counts(double both, double a, double b, double all)
{
	if (isfinite(both) && isfinite(a) && isfinite(b) && isfinite(all) && both >= 0 && both <= a &&
		both <= b && a + b - both <= all)
		return;
	ereport(
		ERROR,
		(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("counts do not fit together"),
		 errdetail("users_both is %g, users_a %g, users_b %g.", both, a, b),
		 errhint(
			 "users_both may not exceed the others, and together they may not exceed users_all.")));
}

/* A measure as SQL has it: NULL where it is not defined. */
static Datum
result(FunctionCallInfo fcinfo, double value)
{
	if (isnan(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

/* reco_cosine(users_both, users_a, users_b) */
Datum
reco_cosine(PG_FUNCTION_ARGS)
{
	double both = PG_GETARG_FLOAT8(0);
	double a = PG_GETARG_FLOAT8(1);
	double b = PG_GETARG_FLOAT8(2);

	check_counts(both, a, b, a + b);
	return result(fcinfo, SimilarityCosine(both, a, b));
}

/* reco_jaccard(users_both, users_a, users_b) */
Datum
reco_jaccard(PG_FUNCTION_ARGS)
{
	double both = PG_GETARG_FLOAT8(0);
	double a = PG_GETARG_FLOAT8(1);
	double b = PG_GETARG_FLOAT8(2);

	check_counts(both, a, b, a + b);
	return result(fcinfo, SimilarityJaccard(both, a, b));
}

/* reco_llr(users_both, users_a, users_b, users_all) */
Datum
reco_llr(PG_FUNCTION_ARGS)
{
	double both = PG_GETARG_FLOAT8(0);
	double a = PG_GETARG_FLOAT8(1);
	double b = PG_GETARG_FLOAT8(2);
	double all = PG_GETARG_FLOAT8(3);

	check_counts(both, a, b, all);
	return result(fcinfo, SimilarityLlr(both, a, b, all));
}

/* reco_lift(users_both, users_a, users_b, users_all) */
Datum
reco_lift(PG_FUNCTION_ARGS)
{
	double both = PG_GETARG_FLOAT8(0);
	double a = PG_GETARG_FLOAT8(1);
	double b = PG_GETARG_FLOAT8(2);
	double all = PG_GETARG_FLOAT8(3);

	check_counts(both, a, b, all);
	return result(fcinfo, SimilarityLift(both, a, b, all));
}

/* reco_decayed_add(sum, weight, occurred_at, half_life, as_of): the sum with one row more. */
Datum
reco_decayed_add(PG_FUNCTION_ARGS)
{
	double sum = PG_ARGISNULL(0) ? 0 : PG_GETARG_FLOAT8(0);
	TimestampTz at;
	TimestampTz as_of;
	double half_life;

	for (int argument = 1; argument < 5; argument++)
		if (PG_ARGISNULL(argument))
			goto unchanged;
	at = PG_GETARG_TIMESTAMPTZ(2);
	as_of = PG_GETARG_TIMESTAMPTZ(4);
	half_life = SettingSeconds(PG_GETARG_INTERVAL_P(3));
	if (!(half_life > 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("half_life must be positive")));
	if (TIMESTAMP_NOT_FINITE(as_of))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("as_of must be finite")));
	if (at > as_of)
		goto unchanged;

	/* An event that was always there has decayed to nothing. */
	if (!TIMESTAMP_IS_NOBEGIN(at))
		sum += PG_GETARG_FLOAT8(1) *
			   DecayFactor(((double) as_of - (double) at) / USECS_PER_SEC, half_life);
	PG_RETURN_FLOAT8(sum);

unchanged:
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(sum);
}
