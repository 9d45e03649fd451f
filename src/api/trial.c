/*
 * trial.c: did it work: who sees which of several lists, and which of them won.
 */
#include "api/door.h"

#include "fmgr.h"
#include "funcapi.h"
#include "math/binomial.h"
#include "math/hash.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(reco_bucket);
PG_FUNCTION_INFO_V1(reco_interleave);
PG_FUNCTION_INFO_V1(reco_sign_test);

#define BUCKETS_MOST 1000000

/*
 * reco_bucket(user_id, experiment, buckets): the high bits of one hash of both, scaled, which is as
 * even as it can be for any number of buckets.
 */
Datum
reco_bucket(PG_FUNCTION_ARGS)
{
	text *experiment = PG_GETARG_TEXT_PP(1);
	int32 buckets = PG_GETARG_INT32(2);
	uint64 hash =
		HashBytes((const unsigned char *) VARDATA_ANY(experiment), VARSIZE_ANY_EXHDR(experiment));
	IdKind kind;
	Datum user = DoorAnyId(fcinfo, 0, &kind);

	if (buckets < 1 || buckets > BUCKETS_MOST)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("buckets must be from 1 to %d, not %d", BUCKETS_MOST, buckets)));
	hash = HashMix(HashMix(hash) ^ IdHash(kind, user));
	PG_RETURN_INT32((int32) (((hash >> 32) * (uint64) buckets) >> 32));
}

/* A list that is drafted from: its items by their numbers, best first, and how far it was read. */
typedef struct Team
{
	uint32 *item;
	uint32 count;
	uint32 at;
	uint32 picked;
} Team;

/* The items of an array in order, each once, numbered by what both lists have. */
static Team
team_argument(FunctionCallInfo fcinfo, int argument, IdSet **ids, Budget *budget)
{
	Team team = {0};
	ArrayType *array;
	Datum *values;
	bool *nulls;
	int16 length;
	bool by_value;
	char align;
	int count;

	if (PG_ARGISNULL(argument))
		return team;
	array = PG_GETARG_ARRAYTYPE_P(argument);
	if (*ids == NULL)
		*ids = IdSetCreate(DoorAnyKind(ARR_ELEMTYPE(array)), budget);
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &align);
	deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, align, &values, &nulls, &count);
	team.item = palloc(sizeof(uint32) * (Size) Max(count, 1));
	for (int n = 0; n < count; n++)
		if (!nulls[n])
			team.item[team.count++] = IdSetAdd(*ids, IdNormalise(values[n], ARR_ELEMTYPE(array)));
	return team;
}

/* Goes on to the first item that is not listed yet; false where there is none. */
static bool
advance(Team *team, const bool *listed)
{
	while (team->at < team->count && listed[team->item[team->at]])
		team->at++;
	return team->at < team->count;
}

/*
 * reco_interleave(a, b, k, seed): team-draft interleaving.  In each round a coin says which list
 * picks first, and each picks its best item that is not listed yet.  Where one list has nothing
 * left, the other goes on without credit.
 */
Datum
reco_interleave(PG_FUNCTION_ARGS)
{
	Budget *budget = BudgetCreate(CurrentMemoryContext, "interleaving", SIZE_MAX);
	Oid type = get_element_type(get_fn_expr_argtype(fcinfo->flinfo, 0));
	uint64 state = PG_ARGISNULL(3) ? 0 : (uint64) PG_GETARG_INT64(3);
	IdSet *ids = NULL;
	Team team[2];
	bool *listed;
	int32 k;
	bool first = false;

	InitMaterializedSRF(fcinfo, 0);
	team[0] = team_argument(fcinfo, 0, &ids, budget);
	team[1] = team_argument(fcinfo, 1, &ids, budget);
	k = PG_ARGISNULL(2) ? (int32) Min(team[0].count + team[1].count, DOOR_K_MAX)
						: PG_GETARG_INT32(2);
	if (k < 0 || k > DOOR_K_MAX || (k == 0 && !PG_ARGISNULL(2)))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("k must be from 1 to %d, not %d", DOOR_K_MAX, k),
						errhint("NULL takes both lists whole.")));
	listed = palloc0(sizeof(bool) * (Size) Max(ids ? IdSetCount(ids) : 0, 1));
	for (int32 rank = 1; rank <= k; rank++)
	{
		bool left[2] = {advance(&team[0], listed), advance(&team[1], listed)};
		bool nulls[3] = {false, false, !left[0] || !left[1]};
		Datum values[3];
		bool turn;

		CHECK_FOR_INTERRUPTS();
		if (!left[0] && !left[1])
			break;
		if (team[0].picked == team[1].picked)
			first = HashNext(&state) >> 63;
		turn = nulls[2]                           ? left[1]
			   : team[0].picked == team[1].picked ? first
												  : team[0].picked > team[1].picked;
		listed[team[turn].item[team[turn].at]] = true;
		team[turn].picked++;
		values[0] = Int32GetDatum(rank);
		values[1] = IdAsType(IdSetDatum(ids, team[turn].item[team[turn].at]), IdSetKind(ids),
							 getBaseType(type));
		values[2] = CStringGetTextDatum(turn ? "b" : "a");
		tuplestore_putvalues(((ReturnSetInfo *) fcinfo->resultinfo)->setResult,
							 ((ReturnSetInfo *) fcinfo->resultinfo)->setDesc, values, nulls);
	}
	BudgetDestroy(budget);
	return (Datum) 0;
}

/* reco_sign_test(wins, losses) */
Datum
reco_sign_test(PG_FUNCTION_ARGS)
{
	int64 wins = PG_GETARG_INT64(0);
	int64 losses = PG_GETARG_INT64(1);

	if (wins < 0 || losses < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("wins and losses must be at least 0, not " INT64_FORMAT
							   " and " INT64_FORMAT,
							   wins, losses)));
	PG_RETURN_FLOAT8(BinomialSignTest((uint64) wins, (uint64) losses));
}
