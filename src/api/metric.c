/*
 * metric.c: aggregates that say what one ranked list is worth.
 *
 * The state of all of them is one float8[], readable, sent between workers as it is:
 *
 *   [1] k, 0 for the whole list
 *   [2] relevant rows, listed or not (of ranks only)
 *   [3] how many values follow; the rest of the array is room to grow
 *   [4] ... ranks: of every relevant row within k
 *           gains: rank (0 for not listed) and gain of every row that has one
 *           scores: score (NaN for none) and relevant (0 or 1) of every row
 *
 * Final functions sort a copy, so that a result depends neither on the order of rows nor on how
 * workers share them.  Within an aggregate the state is changed in place and doubled when it is
 * full, as the transition functions of avg() do.  The aggregates over ranks have one transition
 * function, so that several of them over the same arguments cost hardly more than one.
 */
#include "base/compat.h"

#include <math.h>

#include "api/arguments.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "math/worth.h"
#include "utils/array.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(reco_ranking_add);
PG_FUNCTION_INFO_V1(reco_ranking_add_gain);
PG_FUNCTION_INFO_V1(reco_ranking_add_score);
PG_FUNCTION_INFO_V1(reco_ranking_merge);
PG_FUNCTION_INFO_V1(reco_ranking_recall);
PG_FUNCTION_INFO_V1(reco_ranking_precision);
PG_FUNCTION_INFO_V1(reco_ranking_hit);
PG_FUNCTION_INFO_V1(reco_ranking_reciprocal_rank);
PG_FUNCTION_INFO_V1(reco_ranking_average_precision);
PG_FUNCTION_INFO_V1(reco_ranking_ndcg);
PG_FUNCTION_INFO_V1(reco_ranking_ndcg_gain);
PG_FUNCTION_INFO_V1(reco_ranking_auc);

enum
{
	STATE_K,
	STATE_RELEVANT,
	STATE_USED,
	STATE_HEADER
};

#define STATE_BYTES(values) (ARR_OVERHEAD_NONULLS(1) + sizeof(float8) * (Size) (values))
#define STATE_MOST          ((int) ((MaxAllocSize - ARR_OVERHEAD_NONULLS(1)) / sizeof(float8)))
#define STATE_FIRST         (STATE_HEADER + 8)

/* Beyond this, whole numbers are not exact in a float8. */
#define WHOLE_MOST 9007199254740992.0

static inline double *
values_of(ArrayType *state)
{
	return (double *) ARR_DATA_PTR(state);
}

static ArrayType *
make_state(int length)
{
	ArrayType *state = palloc0(STATE_BYTES(length));

	SET_VARSIZE(state, STATE_BYTES(length));
	state->ndim = 1;
	state->elemtype = FLOAT8OID;
	ARR_DIMS(state)[0] = length;
	ARR_LBOUND(state)[0] = 1;
	return state;
}

/*
 * The state of an argument, our own to change.  Anybody may call these functions with an array, so
 * it is checked that its parts are where the header says, each row with as many values.
 */
static ArrayType *
state_argument(FunctionCallInfo fcinfo, int argument, int width)
{
	ArrayType *state = AggCheckCallContext(fcinfo, NULL) ? PG_GETARG_ARRAYTYPE_P(argument)
														 : PG_GETARG_ARRAYTYPE_P_COPY(argument);
	const double *value = values_of(state);

	if (ARR_NDIM(state) != 1 || ARR_HASNULL(state) || ARR_ELEMTYPE(state) != FLOAT8OID ||
		ARR_DIMS(state)[0] < STATE_HEADER || !(value[STATE_K] >= 0) ||
		value[STATE_K] != rint(value[STATE_K]) || !(value[STATE_K] <= PG_INT32_MAX) ||
		!(value[STATE_RELEVANT] >= 0) || !(value[STATE_RELEVANT] <= WHOLE_MOST) ||
		!(value[STATE_USED] >= 0) || !(value[STATE_USED] <= ARR_DIMS(state)[0] - STATE_HEADER) ||
		(int) value[STATE_USED] % width != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the array is not the state of an aggregate over a ranking")));
	return state;
}

static int
used(ArrayType *state)
{
	return (int) values_of(state)[STATE_USED];
}

/* The same state with room for so many values more. */
static ArrayType *
reserve(ArrayType *state, int more)
{
	int64 wanted = (int64) STATE_HEADER + used(state) + more;
	ArrayType *larger;

	if (wanted <= ARR_DIMS(state)[0])
		return state;
	if (wanted > STATE_MOST)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("a list is too long"),
						errhint("Group by the list, so that each is measured alone.")));
	larger = make_state((int) Min(Max(wanted, 2 * (int64) ARR_DIMS(state)[0]), STATE_MOST));
	memcpy(values_of(larger), values_of(state),
		   sizeof(float8) * (STATE_HEADER + (Size) used(state)));
	return larger;
}

static ArrayType *
append(ArrayType *state, const double *values, int count)
{
	state = reserve(state, count);
	memcpy(values_of(state) + STATE_HEADER + used(state), values, sizeof(float8) * (Size) count);
	values_of(state)[STATE_USED] += count;
	return state;
}

static void
refuse_other_k(void)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("k must be the same in all rows of one list")));
}

/* The state so far, or a new one; k must stay as it is. */
static ArrayType *
ranking_state(FunctionCallInfo fcinfo, int k_argument, int width)
{
	int32 k = 0;
	ArrayType *state;

	if (!PG_ARGISNULL(k_argument))
	{
		k = PG_GETARG_INT32(k_argument);
		if (k < 1)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("k must be at least 1, not %d", k),
							errhint("NULL takes the whole list.")));
	}
	if (PG_ARGISNULL(0))
	{
		state = make_state(STATE_FIRST);
		values_of(state)[STATE_K] = k;
		return state;
	}
	state = state_argument(fcinfo, 0, width);
	if (values_of(state)[STATE_K] != k)
		refuse_other_k();
	return state;
}

/* The rank of an argument, 0 for NULL: an item that is not in the list. */
static double
rank_argument(FunctionCallInfo fcinfo, int argument)
{
	int64 rank;

	if (PG_ARGISNULL(argument))
		return 0;
	rank = PG_GETARG_INT64(argument);
	if (rank < 1 || rank > (int64) WHOLE_MOST)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("rank must be from 1 to %.0f, not " INT64_FORMAT, WHOLE_MOST, rank),
						errhint("Ranks count from 1; NULL stands for an item that is not in the "
								"list.")));
	return (double) rank;
}

static bool
flag_argument(FunctionCallInfo fcinfo, int argument)
{
	return !PG_ARGISNULL(argument) && PG_GETARG_BOOL(argument);
}

/* reco_ranking_add(state, rank, relevant, k) */
Datum
reco_ranking_add(PG_FUNCTION_ARGS)
{
	ArrayType *state = ranking_state(fcinfo, 3, 1);
	double rank = rank_argument(fcinfo, 1);
	double k = values_of(state)[STATE_K];

	if (flag_argument(fcinfo, 2))
	{
		values_of(state)[STATE_RELEVANT]++;
		if (rank > 0 && (k == 0 || rank <= k))
			state = append(state, &rank, 1);
	}
	PG_RETURN_ARRAYTYPE_P(state);
}

/* reco_ranking_add(state, rank, gain, k) */
Datum
reco_ranking_add_gain(PG_FUNCTION_ARGS)
{
	ArrayType *state = ranking_state(fcinfo, 3, 2);
	double row[] = {rank_argument(fcinfo, 1), PG_ARGISNULL(2) ? 0 : PG_GETARG_FLOAT8(2)};

	if (!(row[1] >= 0) || isinf(row[1]))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("gain must be finite and not below 0, not %g", row[1])));
	if (row[1] > 0)
		state = append(state, row, lengthof(row));
	PG_RETURN_ARRAYTYPE_P(state);
}

/* reco_ranking_add(state, score, relevant) */
Datum
reco_ranking_add_score(PG_FUNCTION_ARGS)
{
	ArrayType *state = PG_ARGISNULL(0) ? make_state(STATE_FIRST) : state_argument(fcinfo, 0, 2);
	double row[] = {PG_ARGISNULL(1) ? NAN : PG_GETARG_FLOAT8(1), flag_argument(fcinfo, 2)};

	if (!PG_ARGISNULL(1) && isnan(row[0]))
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("score must not be NaN"),
			 errhint("NULL stands for an item without a score, which comes after all others.")));
	PG_RETURN_ARRAYTYPE_P(append(state, row, lengthof(row)));
}

/* reco_ranking_merge(state, state): rows of one list that two workers saw. */
Datum
reco_ranking_merge(PG_FUNCTION_ARGS)
{
	ArrayType *state = state_argument(fcinfo, 0, 1);
	ArrayType *other = state_argument(fcinfo, 1, 1);

	if (values_of(state)[STATE_K] != values_of(other)[STATE_K])
		refuse_other_k();
	values_of(state)[STATE_RELEVANT] += values_of(other)[STATE_RELEVANT];
	PG_RETURN_ARRAYTYPE_P(append(state, values_of(other) + STATE_HEADER, used(other)));
}

static inline int
compare_whole(const uint64 *a, const uint64 *b)
{
	return *a < *b ? -1 : *a > *b;
}

#define ST_SORT          sort_ranks
#define ST_ELEMENT_TYPE  uint64
#define ST_COMPARE(a, b) compare_whole(a, b)
#define ST_SCOPE         static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

static inline int
compare_rank(const WorthGain *a, const WorthGain *b)
{
	return compare_whole(&a->rank, &b->rank);
}

#define ST_SORT          sort_by_rank
#define ST_ELEMENT_TYPE  WorthGain
#define ST_COMPARE(a, b) compare_rank(a, b)
#define ST_SCOPE         static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

static inline int
compare_gain(const WorthGain *a, const WorthGain *b)
{
	return a->gain > b->gain ? -1 : a->gain < b->gain;
}

#define ST_SORT          sort_by_gain
#define ST_ELEMENT_TYPE  WorthGain
#define ST_COMPARE(a, b) compare_gain(a, b)
#define ST_SCOPE         static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* No score comes before every score. */
static inline int
compare_score(const WorthScore *a, const WorthScore *b)
{
	if (isnan(a->score) || isnan(b->score))
		return isnan(b->score) - isnan(a->score);
	return a->score < b->score ? -1 : a->score > b->score;
}

#define ST_SORT          sort_by_score
#define ST_ELEMENT_TYPE  WorthScore
#define ST_COMPARE(a, b) compare_score(a, b)
#define ST_SCOPE         static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* A rank as it was stored; an array of somebody else's making may hold anything. */
static uint64
stored_rank(double value, double least)
{
	if (!(value >= least && value <= WHOLE_MOST))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the array is not the state of an aggregate over a ranking"),
						errdetail("It has the rank %g.", value)));
	return (uint64) value;
}

/* Raises an error where two items claim one place, which would count it twice. */
static void
check_place(uint64 rank, uint64 next)
{
	if (rank == next && rank > 0)
		ereport(ERROR, (errcode(ERRCODE_CARDINALITY_VIOLATION),
						errmsg("rank " UINT64_FORMAT " occurs more than once in one list", rank),
						errhint("Group by the list, and number its rows with row_number().")));
}

static uint64
stored_k(ArrayType *state)
{
	double k = values_of(state)[STATE_K];

	return k > 0 ? (uint64) k : WORTH_WHOLE;
}

/* What a state of ranks says, in order. */
static WorthList
list_argument(FunctionCallInfo fcinfo)
{
	ArrayType *state = state_argument(fcinfo, 0, 1);
	const double *value = values_of(state) + STATE_HEADER;
	int hits = used(state);
	uint64 *rank = palloc(sizeof(uint64) * (Size) Max(hits, 1));

	for (int n = 0; n < hits; n++)
		rank[n] = stored_rank(value[n], 1);
	sort_ranks(rank, hits);
	for (int n = 1; n < hits; n++)
		check_place(rank[n - 1], rank[n]);
	return (WorthList){rank, (uint64) hits, (uint64) values_of(state)[STATE_RELEVANT],
					   stored_k(state)};
}

/* A metric as SQL has it: NULL where it is not defined. */
static Datum
result(FunctionCallInfo fcinfo, double value)
{
	if (isnan(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

/* The final functions over ranks: reco_ranking_X(state). */
Datum
reco_ranking_recall(PG_FUNCTION_ARGS)
{
	WorthList list = list_argument(fcinfo);

	return result(fcinfo, WorthRecall(&list));
}

Datum
reco_ranking_precision(PG_FUNCTION_ARGS)
{
	WorthList list = list_argument(fcinfo);

	if (list.k == WORTH_WHOLE)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("k must not be NULL for reco_precision"),
						errhint("Precision is hits divided by k.")));
	return result(fcinfo, WorthPrecision(&list));
}

Datum
reco_ranking_hit(PG_FUNCTION_ARGS)
{
	WorthList list = list_argument(fcinfo);

	return result(fcinfo, WorthHit(&list));
}

Datum
reco_ranking_reciprocal_rank(PG_FUNCTION_ARGS)
{
	WorthList list = list_argument(fcinfo);

	return result(fcinfo, WorthReciprocalRank(&list));
}

Datum
reco_ranking_average_precision(PG_FUNCTION_ARGS)
{
	WorthList list = list_argument(fcinfo);

	return result(fcinfo, WorthAveragePrecision(&list));
}

Datum
reco_ranking_ndcg(PG_FUNCTION_ARGS)
{
	WorthList list = list_argument(fcinfo);

	return result(fcinfo, WorthNdcg(&list));
}

/* reco_ranking_ndcg_gain(state), of gains */
Datum
reco_ranking_ndcg_gain(PG_FUNCTION_ARGS)
{
	ArrayType *state = state_argument(fcinfo, 0, 2);
	const double *value = values_of(state) + STATE_HEADER;
	size_t count = (size_t) used(state) / 2;
	WorthGain *items = palloc_extended(sizeof(WorthGain) * Max(count, 1), MCXT_ALLOC_HUGE);
	double greatest = 0;
	double gained;

	for (size_t n = 0; n < count; n++)
	{
		items[n] = (WorthGain){stored_rank(value[2 * n], 0), value[2 * n + 1]};
		greatest = fmax(greatest, items[n].gain);
	}
	if (!(greatest > 0) || isinf(greatest))
		PG_RETURN_NULL();

	/* As parts of the greatest, no gains are too great to be summed. */
	for (size_t n = 0; n < count; n++)
		items[n].gain /= greatest;
	sort_by_rank(items, count);
	for (size_t n = 1; n < count; n++)
		check_place(items[n - 1].rank, items[n].rank);
	gained = WorthGained(items, count, stored_k(state));
	sort_by_gain(items, count);
	return result(fcinfo, gained / WorthIdeal(items, count, stored_k(state)));
}

/* reco_ranking_auc(state), of scores */
Datum
reco_ranking_auc(PG_FUNCTION_ARGS)
{
	ArrayType *state = state_argument(fcinfo, 0, 2);
	const double *value = values_of(state) + STATE_HEADER;
	size_t count = (size_t) used(state) / 2;
	WorthScore *items = palloc_extended(sizeof(WorthScore) * Max(count, 1), MCXT_ALLOC_HUGE);

	for (size_t n = 0; n < count; n++)
		items[n] = (WorthScore){value[2 * n], value[2 * n + 1] != 0};
	sort_by_score(items, count);
	return result(fcinfo, WorthAuc(items, count));
}
