/*
 * factor.c: reco_user_factor and reco_user_factors: what a model learned by factors makes of a
 * history.
 *
 * Nothing is stored of users: their factors follow from the items' and from the events as they are
 * now.  One user is read live; all of them in one read of the events, as for reco_top_n_all.
 */
#include "api/door.h"

#include "api/profile.h"
#include "catalog/pg_type.h"
#include "data/histories.h"
#include "utils/array.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_user_factor);
PG_FUNCTION_INFO_V1(reco_user_factors);

/* Raises an error with what to do where the model has no factors. */
static void
need_factors(const Model *model)
{
	if (model->algorithm != MODEL_FACTORS)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("model \"%s\" was not learned by factors", model->name),
						errhint("Run reco_configure with algorithm => 'factors', then "
								"reco_refresh.")));
}

/* The factors of a profile as an array; false where nothing is known of the user. */
static bool
factor_array(const Profile *profile, Datum *array)
{
	const Fold *fold;
	const float *factor = ProfileTaste(profile, &fold);
	Datum *numbers = palloc(sizeof(Datum) * fold->factors);

	if (profile->count == 0)
		return false;
	for (uint32 f = 0; f < fold->factors; f++)
		numbers[f] = Float4GetDatum(factor[f]);
	*array = PointerGetDatum(construct_array(numbers, (int) fold->factors, FLOAT4OID,
											 sizeof(float4), true, TYPALIGN_INT));
	return true;
}

/* reco_user_factor(user_id, model) */
Datum
reco_user_factor(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	Model *model = DoorModel(fcinfo, 1);
	Datum user = DoorUser(fcinfo, 0, model);
	Budget *budget;
	Datum factor = (Datum) 0;
	bool known;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	budget = BudgetCreate(CurrentMemoryContext, "factors", SIZE_MAX);
	DoorEnter(model);
	need_factors(model);
	known = factor_array(
		ProfileRead(model, HistoryRead(model, user, GetCurrentTimestamp(), budget)), &factor);
	if (known)
	{
		MemoryContext spi = MemoryContextSwitchTo(caller);

		factor = PointerGetDatum(DatumGetArrayTypePCopy(factor));
		MemoryContextSwitchTo(spi);
	}
	DoorLeave(model);
	BudgetDestroy(budget);
	if (!known)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(factor);
}

/* A question for the factors of everybody. */
typedef struct Ask
{
	const Model *model;
	Held *held;
	DoorRows rows;
} Ask;

static void
put_user(Datum user, History *history, void *with)
{
	Ask *ask = with;
	Datum values[2];
	bool nulls[2] = {0};

	CHECK_FOR_INTERRUPTS();
	if (!factor_array(ProfileHeld(ask->model, ask->held, history), &values[1]))
		return;
	values[0] = DoorUserOut(&ask->rows, user);
	DoorPut(&ask->rows, values, nulls);
}

static const Oid factors_types[] = {DOOR_USER, FLOAT4ARRAYOID};

/* reco_user_factors(model, as_of) */
Datum
reco_user_factors(PG_FUNCTION_ARGS)
{
	Model *model = DoorModel(fcinfo, 0);
	Ask ask = {.model = model};
	HistoriesWanted wanted = {.part = 0, .parts = 1};
	Budget *budget = BudgetCreate(CurrentMemoryContext,
								  psprintf("reco_user_factors of model \"%s\"", model->name),
								  BudgetMaintenance());

	wanted.as_of = PG_ARGISNULL(1) ? GetCurrentTimestamp() : PG_GETARG_TIMESTAMPTZ(1);
	ask.rows = DoorOpen(fcinfo, model, factors_types, lengthof(factors_types), true);
	DoorEnter(model);
	need_factors(model);
	ask.held = HeldRead(model, false, budget);
	HistoriesRead(model, &wanted, ask.held->ids, budget, put_user, &ask);
	DoorLeave(model);
	BudgetDestroy(budget);
	return (Datum) 0;
}
