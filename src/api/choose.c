/*
 * choose.c: reco_choose: which variant of an item (a picture, a title) a user should see.
 *
 * Thompson sampling (1933; Chapelle & Li 2011) by segment.  After c choices in n showings the rate
 * of a variant is distributed as Beta(1 + c, 1 + n - c).  In a segment, what was seen in all others
 * counts before it as the rate p they have together, with the strength of at most `prior` showings
 * (a power prior, Ibrahim & Chen 2000): Beta(s p + c, s (1 - p) + n - c), where
 * s = min(prior, 2 + showings elsewhere) and p = (1 + choices elsewhere) / (2 + showings elsewhere).
 *
 * A variant is drawn with the chance that it is the best, evened out by the share `explore`, and
 * that chance is returned: it is the propensity that reco_replay asks for.  The lot is a hash of
 * seed, user and item, so that the same ask has the same answer.
 */
#include "api/door.h"
#include "catalog/pg_type.h"
#include "data/showings.h"
#include "executor/spi.h"
#include "math/hash.h"
#include "math/thompson.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(reco_choose);
PG_FUNCTION_INFO_V1(reco_best_chances);

/* What is chosen among. */
typedef struct Variants
{
	char **name;
	uint32 count;
} Variants;

/* A number of an argument that must lie between two others. */
static double
number_argument(FunctionCallInfo fcinfo, int argument, const char *name, double least, double most)
{
	double value;

	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be NULL", name)));
	value = PG_GETARG_FLOAT8(argument);
	if (!(value >= least && value <= most))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be from %g to %g, not %g", name, least, most, value)));
	return value;
}

static void
refuse_many(int count)
{
	if (count > THOMPSON_MOST)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("there are %d variants, more than %d", count, THOMPSON_MOST)));
}

/* The names of an argument, each once, without NULLs. */
static Variants
variants_argument(FunctionCallInfo fcinfo, int argument)
{
	Variants variants = {.name = palloc(sizeof(char *) * THOMPSON_MOST)};
	ListCell *cell;

	foreach (cell, DoorTexts(fcinfo, argument))
	{
		char *name = lfirst(cell);
		uint32 known = 0;

		while (known < variants.count && strcmp(variants.name[known], name) != 0)
			known++;
		if (known < variants.count)
			continue;
		refuse_many((int) variants.count + 1);
		variants.name[variants.count++] = name;
	}
	return variants;
}

/* The chances of all variants, from what was seen of them; mean[] gets their rates. */
static void
weigh(const Showing *showing, uint32 count, double prior, double explore, double *chance,
	  double *mean)
{
	double *successes = palloc(sizeof(double) * count);
	double *failures = palloc(sizeof(double) * count);

	for (uint32 n = 0; n < count; n++)
	{
		const Showing *seen = &showing[n];
		double elsewhere = 2 + seen->shown_elsewhere;
		double rate = (1 + seen->chosen_elsewhere) / elsewhere;
		double strength = Min(prior, elsewhere);

		successes[n] = strength * rate + seen->chosen;
		failures[n] = strength * (1 - rate) + seen->shown - seen->chosen;
		mean[n] = successes[n] / (successes[n] + failures[n]);
	}
	ThompsonChances(successes, failures, count, chance,
					palloc(sizeof(double) * THOMPSON_ROOM(count)));
	for (uint32 n = 0; n < count; n++)
		chance[n] = (1 - explore) * chance[n] + explore / count;
}

/* The variant that a number from 0 to 1 falls on, the chances being laid end to end. */
static uint32
draw(const double *chance, uint32 count, double at)
{
	uint32 last = 0;

	for (uint32 n = 0; n < count; n++)
	{
		if (chance[n] <= 0)
			continue;
		last = n;
		if (at < chance[n])
			return n;
		at -= chance[n];
	}
	return last;
}

/* A number from 0 to 1 that a seed, a user and an item have. */
static double
lot(uint64 seed, uint64 user, uint64 item)
{
	uint64 hash = HashMix(HashMix(HashMix(seed) ^ user) ^ item);

	return (double) (hash >> 11) * 0x1p-53;
}

/*
 * reco_choose(user_id, item_id, variants, log, segment, seed, explore, prior).  No row where there
 * is no item or no variant; a NULL user is a guest.
 */
Datum
reco_choose(PG_FUNCTION_ARGS)
{
	Variants variants = variants_argument(fcinfo, 2);
	char *segment = DoorText(fcinfo, 4);
	uint64 seed = PG_ARGISNULL(5) ? 0 : (uint64) PG_GETARG_INT64(5);
	double explore = number_argument(fcinfo, 6, "explore", 0, 1);
	double prior = number_argument(fcinfo, 7, "prior", 1, 1e6);
	double chance[THOMPSON_MOST];
	double mean[THOMPSON_MOST];
	Datum values[4] = {0};
	bool nulls[4] = {0};
	Showing *showing;
	IdKind user_kind = ID_INTEGER;
	IdKind item_kind;
	Datum user_id;
	Datum item;
	uint32 chosen;
	uint64 user;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(3))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("log must not be NULL"),
						errhint("Give the table or view of what was shown and chosen.")));
	if (PG_ARGISNULL(1) || variants.count == 0)
		return (Datum) 0;
	item = DoorAnyId(fcinfo, 1, &item_kind);
	user_id = PG_ARGISNULL(0) ? (Datum) 0 : DoorAnyId(fcinfo, 0, &user_kind);
	user = PG_ARGISNULL(0) ? 0 : IdHash(user_kind, user_id);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	showing =
		ShowingsRead(PG_GETARG_OID(3), item_kind, item, variants.name, variants.count, segment);
	weigh(showing, variants.count, prior, explore, chance, mean);
	chosen = draw(chance, variants.count, lot(seed, user, IdHash(item_kind, item)));
	values[2] = Float8GetDatum(mean[chosen]);
	values[3] = Float8GetDatum(showing[chosen].shown);
	SPI_finish();
	values[0] = CStringGetTextDatum(variants.name[chosen]);
	values[1] = Float8GetDatum(chance[chosen]);
	tuplestore_putvalues(((ReturnSetInfo *) fcinfo->resultinfo)->setResult,
						 ((ReturnSetInfo *) fcinfo->resultinfo)->setDesc, values, nulls);
	return (Datum) 0;
}

/* The numbers of an array, of which there are none but those. */
static double *
numbers_argument(FunctionCallInfo fcinfo, int argument, const char *name, int *count)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(argument);
	double *number;

	if (ARR_NDIM(array) > 1 || array_contains_nulls(array))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be a plain array without NULLs", name)));
	*count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	number = (double *) ARR_DATA_PTR(array);
	return number;
}

/* reco_best_chances(chosen, shown) */
Datum
reco_best_chances(PG_FUNCTION_ARGS)
{
	int count;
	int others;
	const double *chosen = numbers_argument(fcinfo, 0, "chosen", &count);
	const double *shown = numbers_argument(fcinfo, 1, "shown", &others);
	Showing showing[THOMPSON_MOST] = {0};
	double chance[THOMPSON_MOST];
	double mean[THOMPSON_MOST];
	Datum out[THOMPSON_MOST];

	if (count != others)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("chosen has %d numbers, and shown has %d", count, others)));
	refuse_many(count);
	for (int n = 0; n < count; n++)
	{
		if (!(chosen[n] >= 0 && chosen[n] <= shown[n] && shown[n] < INFINITY))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("variant %d was chosen %g times of %g", n + 1, chosen[n], shown[n]),
					 errhint("How often it was chosen must be from 0 to how often it was shown.")));
		showing[n].chosen = chosen[n];
		showing[n].shown = shown[n];
	}
	if (count == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(FLOAT8OID));
	weigh(showing, (uint32) count, 2, 0, chance, mean);
	for (int n = 0; n < count; n++)
		out[n] = Float8GetDatum(chance[n]);
	PG_RETURN_ARRAYTYPE_P(
		construct_array(out, count, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
