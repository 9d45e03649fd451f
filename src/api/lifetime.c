/*
 * lifetime.c: the aggregate reco_fit_bgnbd, and what its parameters say of a customer:
 * reco_p_alive, reco_expected_purchases.
 *
 * The state of the aggregate is one float8[]: how many numbers follow, then three of each customer,
 * x, t_x and T, in no order; the rest is room to grow.  It is changed in place and doubled when it
 * is full.  The final function puts customers in order first, so that the sums of the likelihood do
 * not depend on how they came.
 */
#include "base/compat.h"

#include <math.h>

#include "access/htup_details.h"
#include "api/arguments.h"
#include "api/rhythm.h"
#include "catalog/pg_type.h"
#include "data/setting.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "funcapi.h"
#include "math/bgnbd.h"
#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_bgnbd_add);
PG_FUNCTION_INFO_V1(reco_bgnbd_add_rhythm);
PG_FUNCTION_INFO_V1(reco_bgnbd_merge);
PG_FUNCTION_INFO_V1(reco_bgnbd_final);
PG_FUNCTION_INFO_V1(reco_p_alive);
PG_FUNCTION_INFO_V1(reco_p_alive_rhythm);
PG_FUNCTION_INFO_V1(reco_expected_purchases);
PG_FUNCTION_INFO_V1(reco_expected_purchases_rhythm);

/* The unit of times that come as a rhythm: a day, in microseconds. */
#define DAY ((double) USECS_PER_DAY)

enum
{
	STATE_USED,
	STATE_HEADER
};

#define CUSTOMER_NUMBERS 3
#define FIRST_CUSTOMERS  8

#define STATE_BYTES(values) (ARR_OVERHEAD_NONULLS(1) + sizeof(float8) * (Size) (values))
#define STATE_MOST          ((int64) ((MaxAllocSize - ARR_OVERHEAD_NONULLS(1)) / sizeof(float8)))

/* The columns of the type reco_bgnbd. */
enum
{
	FIT_R,
	FIT_ALPHA,
	FIT_A,
	FIT_B,
	FIT_LOG_LIKELIHOOD,
	FIT_CUSTOMERS,
	FIT_CONVERGED,
	FIT_COLUMNS
};

static inline double *
values_of(ArrayType *state)
{
	return (double *) ARR_DATA_PTR(state);
}

static ArrayType *
make_state(int64 length)
{
	ArrayType *state = palloc0(STATE_BYTES(length));

	SET_VARSIZE(state, STATE_BYTES(length));
	state->ndim = 1;
	state->elemtype = FLOAT8OID;
	ARR_DIMS(state)[0] = (int) length;
	ARR_LBOUND(state)[0] = 1;
	return state;
}

/* The state of an argument, ours to change; anybody may call with an array. */
static ArrayType *
state_argument(FunctionCallInfo fcinfo, int argument)
{
	ArrayType *state = AggCheckCallContext(fcinfo, NULL) ? PG_GETARG_ARRAYTYPE_P(argument)
														 : PG_GETARG_ARRAYTYPE_P_COPY(argument);
	double used;

	if (ARR_NDIM(state) == 1 && !ARR_HASNULL(state) && ARR_ELEMTYPE(state) == FLOAT8OID &&
		ARR_DIMS(state)[0] >= STATE_HEADER)
	{
		used = values_of(state)[STATE_USED];
		if (used >= 0 && used <= ARR_DIMS(state)[0] - STATE_HEADER &&
			fmod(used, CUSTOMER_NUMBERS) == 0)
			return state;
	}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("the array is not the state of reco_fit_bgnbd")));
}

static int
used(ArrayType *state)
{
	return (int) values_of(state)[STATE_USED];
}

/* The same state, or a larger one, with numbers added. */
static ArrayType *
append(ArrayType *state, const double *values, int count)
{
	int64 wanted = (int64) STATE_HEADER + used(state) + count;

	if (wanted > STATE_MOST)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("there are too many customers"), errhint("Fit a sample of them.")));
	if (wanted > ARR_DIMS(state)[0])
	{
		ArrayType *larger =
			make_state(Min(Max(wanted, 2 * (int64) ARR_DIMS(state)[0]), STATE_MOST));

		memcpy(values_of(larger), values_of(state),
			   sizeof(float8) * (STATE_HEADER + (Size) used(state)));
		state = larger;
	}
	memcpy(values_of(state) + STATE_HEADER + used(state), values, sizeof(float8) * (Size) count);
	values_of(state)[STATE_USED] += count;
	return state;
}

/* Raises an error unless the three numbers can be those of a customer. */
static void
check_customer(BgnbdCustomer *customer)
{
	if (!(customer->frequency >= 0 && customer->frequency <= BGNBD_FREQUENCY_MOST) ||
		customer->frequency != rint(customer->frequency))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("frequency must be a whole number from 0 to %.0f, not %g",
							   BGNBD_FREQUENCY_MOST, customer->frequency),
						errhint("It is how often a customer came again after the first time.")));
	if (customer->frequency == 0)
		customer->recency = 0;
	if (!(customer->recency >= 0 && customer->recency <= customer->age) || isinf(customer->age))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("recency must be from 0 to age, and age finite, not %g and %g",
						customer->recency, customer->age),
				 errhint("Both are counted from the first time a customer came: recency to the "
						 "last time, age to the day of the question.")));
}

/* The customer of three arguments. */
static BgnbdCustomer
customer_argument(FunctionCallInfo fcinfo, int first)
{
	BgnbdCustomer customer = {.frequency = PG_GETARG_FLOAT8(first),
							  .recency = PG_GETARG_FLOAT8(first + 1),
							  .age = PG_GETARG_FLOAT8(first + 2)};

	check_customer(&customer);
	return customer;
}

/* The customer of a rhythm and a time, in days; false where the rhythm has no events. */
static bool
customer_of_rhythm(FunctionCallInfo fcinfo, int first, BgnbdCustomer *customer)
{
	Rhythm rhythm = RhythmArgument(fcinfo, first);
	TimestampTz as_of = PG_GETARG_TIMESTAMPTZ(first + 1);

	if (TIMESTAMP_NOT_FINITE(as_of))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("as_of must be finite")));
	if (rhythm.times == 0)
		return false;
	if (rhythm.last > as_of)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the rhythm has events after as_of"),
						errhint("Leave them out with FILTER (WHERE occurred_at <= ...).")));
	*customer = (BgnbdCustomer){.frequency = (double) (rhythm.times - 1),
								.recency = ((double) rhythm.last - (double) rhythm.first) / DAY,
								.age = ((double) as_of - (double) rhythm.first) / DAY};
	check_customer(customer);
	return true;
}

/* Adds a customer to the state of argument 0, if there is one. */
static Datum
add_customer(FunctionCallInfo fcinfo, const BgnbdCustomer *customer)
{
	ArrayType *state = PG_ARGISNULL(0)
						   ? make_state(STATE_HEADER + FIRST_CUSTOMERS * CUSTOMER_NUMBERS)
						   : state_argument(fcinfo, 0);
	double numbers[CUSTOMER_NUMBERS];

	if (customer == NULL)
		PG_RETURN_ARRAYTYPE_P(state);
	numbers[0] = customer->frequency;
	numbers[1] = customer->recency;
	numbers[2] = customer->age;
	PG_RETURN_ARRAYTYPE_P(append(state, numbers, CUSTOMER_NUMBERS));
}

/* reco_bgnbd_add(state, frequency, recency, age) */
Datum
reco_bgnbd_add(PG_FUNCTION_ARGS)
{
	BgnbdCustomer customer;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		return add_customer(fcinfo, NULL);
	customer = customer_argument(fcinfo, 1);
	return add_customer(fcinfo, &customer);
}

/* reco_bgnbd_add(state, rhythm, as_of) */
Datum
reco_bgnbd_add_rhythm(PG_FUNCTION_ARGS)
{
	BgnbdCustomer customer;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || !customer_of_rhythm(fcinfo, 1, &customer))
		return add_customer(fcinfo, NULL);
	return add_customer(fcinfo, &customer);
}

/* reco_bgnbd_merge(state, state): the customers that two workers saw. */
Datum
reco_bgnbd_merge(PG_FUNCTION_ARGS)
{
	ArrayType *state = state_argument(fcinfo, 0);
	ArrayType *other = state_argument(fcinfo, 1);

	PG_RETURN_ARRAYTYPE_P(append(state, values_of(other) + STATE_HEADER, used(other)));
}

#define ST_SORT          sort_customers
#define ST_ELEMENT_TYPE  BgnbdCustomer
#define ST_COMPARE(a, b) BgnbdCompare(a, b)
#define ST_SCOPE         static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* The customers of a state, in order, each checked again: the array may be of anybody's making. */
static BgnbdCustomer *
customers_of(ArrayType *state, size_t *count)
{
	const double *value = values_of(state) + STATE_HEADER;
	BgnbdCustomer *customer;

	*count = (size_t) used(state) / CUSTOMER_NUMBERS;
	customer = palloc_extended(sizeof(BgnbdCustomer) * Max(*count, 1), MCXT_ALLOC_HUGE);
	for (size_t c = 0; c < *count; c++, value += CUSTOMER_NUMBERS)
	{
		customer[c] = (BgnbdCustomer){value[0], value[1], value[2]};
		check_customer(&customer[c]);
	}
	sort_customers(customer, *count);
	return customer;
}

/* reco_bgnbd_final(state): the parameters, NULL where nobody came again. */
Datum
reco_bgnbd_final(PG_FUNCTION_ARGS)
{
	Datum values[FIT_COLUMNS] = {0};
	bool nulls[FIT_COLUMNS];
	BgnbdCustomer *customer = NULL;
	size_t count = 0;
	BgnbdFit fit;
	TupleDesc desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE ||
		desc->natts != FIT_COLUMNS)
		elog(ERROR, "reco_bgnbd_final does not return reco_bgnbd");
	memset(nulls, true, sizeof(nulls));
	if (!PG_ARGISNULL(0))
		customer = customers_of(state_argument(fcinfo, 0), &count);
	values[FIT_CUSTOMERS] = Int64GetDatum((int64) count);
	nulls[FIT_CUSTOMERS] = false;
	if (BgnbdFind(customer, count, &fit))
	{
		values[FIT_R] = Float8GetDatum(fit.model.r);
		values[FIT_ALPHA] = Float8GetDatum(fit.model.alpha);
		values[FIT_A] = Float8GetDatum(fit.model.a);
		values[FIT_B] = Float8GetDatum(fit.model.b);
		values[FIT_LOG_LIKELIHOOD] = Float8GetDatum(fit.log_likelihood);
		values[FIT_CONVERGED] = BoolGetDatum(fit.converged);
		memset(nulls, false, sizeof(nulls));
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* The model of an argument; false where a fit found none. */
static bool
model_argument(FunctionCallInfo fcinfo, int argument, Bgnbd *model)
{
	HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(argument);
	double value[FIT_B + 1];

	for (int p = FIT_R; p <= FIT_B; p++)
	{
		bool isnull;
		Datum parameter = GetAttributeByNum(row, (AttrNumber) (p + 1), &isnull);

		if (isnull)
			return false;
		value[p] = DatumGetFloat8(parameter);
		if (!(value[p] > 0) || isinf(value[p]))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("the parameters of BG/NBD must be above 0 and finite, not %g",
								   value[p])));
	}
	*model = (Bgnbd){value[FIT_R], value[FIT_ALPHA], value[FIT_A], value[FIT_B]};
	return true;
}

/* What is expected of a customer, from now on. */
static Datum
expected(const Bgnbd *model, const BgnbdCustomer *customer, double horizon)
{
	double purchases;

	if (!(horizon >= 0) || isinf(horizon))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("horizon must be finite and not below 0")));
	purchases = BgnbdExpected(model, customer, horizon);
	if (isnan(purchases))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("horizon is too long"),
						errdetail("What is expected then is a sum of more than %d terms.",
								  BGNBD_TERMS_MOST)));
	PG_RETURN_FLOAT8(BgnbdAlive(model, customer) * purchases);
}

/* reco_p_alive(fit, frequency, recency, age) */
Datum
reco_p_alive(PG_FUNCTION_ARGS)
{
	BgnbdCustomer customer = customer_argument(fcinfo, 1);
	Bgnbd model;

	if (!model_argument(fcinfo, 0, &model))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(BgnbdAlive(&model, &customer));
}

/* reco_p_alive(fit, rhythm, as_of) */
Datum
reco_p_alive_rhythm(PG_FUNCTION_ARGS)
{
	BgnbdCustomer customer;
	Bgnbd model;

	if (!model_argument(fcinfo, 0, &model) || !customer_of_rhythm(fcinfo, 1, &customer))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(BgnbdAlive(&model, &customer));
}

/* reco_expected_purchases(fit, frequency, recency, age, horizon) */
Datum
reco_expected_purchases(PG_FUNCTION_ARGS)
{
	BgnbdCustomer customer = customer_argument(fcinfo, 1);
	Bgnbd model;

	if (!model_argument(fcinfo, 0, &model))
		PG_RETURN_NULL();
	return expected(&model, &customer, PG_GETARG_FLOAT8(4));
}

/* reco_expected_purchases(fit, rhythm, as_of, horizon) */
Datum
reco_expected_purchases_rhythm(PG_FUNCTION_ARGS)
{
	BgnbdCustomer customer;
	Bgnbd model;

	if (!model_argument(fcinfo, 0, &model) || !customer_of_rhythm(fcinfo, 1, &customer))
		PG_RETURN_NULL();
	return expected(&model, &customer, SettingSeconds(PG_GETARG_INTERVAL_P(3)) / SECS_PER_DAY);
}
