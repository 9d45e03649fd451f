/*
 * replay.c: reco_replay: what another policy would have been worth, by the log of one that drew its
 * choices by lot.
 *
 * Each row is weighed by how much more often the policy in question makes the choice that was made:
 * w = chance / propensity (Horvitz & Thompson 1952).  The value is self-normalised, sum(w r) / sum(w)
 * (Swaminathan & Joachims 2015), which a few rare choices cannot blow up; its interval is that of
 * the delta method, sum(w^2 (r - value)^2) / sum(w)^2 being the variance.  Where the policy makes one
 * choice for sure and the log drew evenly, this is the replay of Li et al. (2011).
 */
#include "base/compat.h"

#include <math.h>

#include "access/htup_details.h"
#include "api/arguments.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "math/binomial.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(reco_replay_add);
PG_FUNCTION_INFO_V1(reco_replay_merge);
PG_FUNCTION_INFO_V1(reco_replay_value);

/* The state is one float8[] of sums, w being the weight of a row and r its reward. */
enum
{
	ROWS,
	MATCHED, /* rows with a weight */
	W,
	W2,
	WR,
	W2R,
	W2R2,
	STATE_LENGTH
};

/* Above it, a double does not tell a number from the next. */
#define MOST_ROWS 9007199254740992.0

#define STATE_BYTES (ARR_OVERHEAD_NONULLS(1) + sizeof(float8) * STATE_LENGTH)

static inline double *
sums_of(ArrayType *state)
{
	return (double *) ARR_DATA_PTR(state);
}

static ArrayType *
make_state(void)
{
	ArrayType *state = palloc0(STATE_BYTES);

	SET_VARSIZE(state, STATE_BYTES);
	state->ndim = 1;
	state->elemtype = FLOAT8OID;
	ARR_DIMS(state)[0] = STATE_LENGTH;
	ARR_LBOUND(state)[0] = 1;
	return state;
}

/* Whether a number may be a count of rows; no NaN is. */
static inline bool
is_count(double number)
{
	return number >= 0 && number <= MOST_ROWS;
}

/* The state of an argument, our own to change, or a new one; anybody may call with an array. */
static ArrayType *
state_argument(FunctionCallInfo fcinfo, int argument)
{
	ArrayType *state;

	if (PG_ARGISNULL(argument))
		return make_state();
	state = AggCheckCallContext(fcinfo, NULL) ? PG_GETARG_ARRAYTYPE_P(argument)
											  : PG_GETARG_ARRAYTYPE_P_COPY(argument);
	if (ARR_NDIM(state) != 1 || ARR_HASNULL(state) || ARR_ELEMTYPE(state) != FLOAT8OID ||
		ARR_DIMS(state)[0] != STATE_LENGTH || !is_count(sums_of(state)[ROWS]) ||
		!is_count(sums_of(state)[MATCHED]))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the array is not the state of reco_replay")));
	return state;
}

static void
refuse(const char *what, const char *range, double value)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("%s must be %s, not %g", what, range, value)));
}

/* reco_replay_add(state, reward, propensity, chance): a row with a NULL is none. */
Datum
reco_replay_add(PG_FUNCTION_ARGS)
{
	ArrayType *state = state_argument(fcinfo, 0);
	double *sum = sums_of(state);
	double reward;
	double propensity;
	double chance;
	double weight;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		PG_RETURN_ARRAYTYPE_P(state);
	reward = PG_GETARG_FLOAT8(1);
	propensity = PG_GETARG_FLOAT8(2);
	chance = PG_GETARG_FLOAT8(3);
	if (!isfinite(reward) || fabs(reward) > 1e100)
		refuse("reward", "a number of at most 1e100", reward);
	if (!(propensity >= 1e-9 && propensity <= 1))
		refuse("propensity", "from 1e-9 to 1", propensity);
	if (!(chance >= 0 && chance <= 1))
		refuse("chance", "from 0 to 1", chance);

	weight = chance / propensity;
	sum[ROWS]++;
	sum[MATCHED] += weight > 0;
	sum[W] += weight;
	sum[W2] += weight * weight;
	sum[WR] += weight * reward;
	sum[W2R] += weight * weight * reward;
	sum[W2R2] += weight * reward * weight * reward;
	PG_RETURN_ARRAYTYPE_P(state);
}

/* reco_replay_merge(a, b) */
Datum
reco_replay_merge(PG_FUNCTION_ARGS)
{
	ArrayType *a = state_argument(fcinfo, 0);
	ArrayType *b = state_argument(fcinfo, 1);

	for (int n = 0; n < STATE_LENGTH; n++)
		sums_of(a)[n] += sums_of(b)[n];
	PG_RETURN_ARRAYTYPE_P(a);
}

/* reco_replay_value(state) */
Datum
reco_replay_value(PG_FUNCTION_ARGS)
{
	const double *sum = sums_of(state_argument(fcinfo, 0));
	bool empty = !(sum[W] > 0);
	double value = empty ? 0 : sum[WR] / sum[W];
	double square = sum[W2R2] - 2 * value * sum[W2R] + value * value * sum[W2];
	double error = empty ? 0 : NORMAL_95 * sqrt(fmax(square, 0)) / sum[W];
	bool nulls[] = {false, false, empty, empty, empty, !(sum[ROWS] > 0), false};
	Datum values[] = {Int64GetDatum((int64) sum[ROWS]),
					  Int64GetDatum((int64) sum[MATCHED]),
					  Float8GetDatum(value),
					  Float8GetDatum(value - error),
					  Float8GetDatum(value + error),
					  Float8GetDatum(sum[ROWS] > 0 ? sum[WR] / sum[ROWS] : 0),
					  Float8GetDatum(empty ? 0 : sum[W] * sum[W] / sum[W2])};
	TupleDesc columns;

	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE ||
		columns->natts != lengthof(values))
		elog(ERROR, "reco_replay_value must return reco_policy_value");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls)));
}
