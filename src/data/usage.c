#include "data/usage.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "data/plan.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* The columns of learned_repeat, as arrays of parameters. */
enum
{
	REPEAT_ITEM,
	REPEAT_VISITS,
	REPEAT_GAPS,
	REPEAT_GAP,
	REPEAT_SHARE,
	REPEAT_COLUMNS
};

/* The columns of learned_habit. */
enum
{
	HABIT_AS_OF,
	HABIT_USERS,
	HABIT_VISITS,
	HABIT_GAPS,
	HABIT_VISIT_GAP,
	HABIT_R,
	HABIT_ALPHA,
	HABIT_A,
	HABIT_B,
	HABIT_NEW_ITEMS,
	HABIT_REPEAT_GAP,
	HABIT_REPEAT_SHARE,
	HABIT_WEEK,
	HABIT_ZONE,
	HABIT_COLUMNS
};

/* Runs a statement that changes a table. */
static void
change(const Model *model, const char *sql, int arguments, const Oid *types, const Datum *values,
	   const char *nulls)
{
	if (SPI_execute_with_args(sql, arguments, (Oid *) types, (Datum *) values, nulls, false, 0) < 0)
		elog(ERROR, "could not write the habits of model \"%s\"", model->name);
}

/* Rows as an array for each column. */
static void
write_repeats(const Model *model, const Repeat *repeats, uint32 count)
{
	const Oid element[REPEAT_COLUMNS] = {IdType(model->item_kind), INT8OID, INT8OID, FLOAT8OID,
										 FLOAT8OID};
	const Oid types[REPEAT_COLUMNS] = {IdArrayType(model->item_kind), INT8ARRAYOID, INT8ARRAYOID,
									   FLOAT8ARRAYOID, FLOAT8ARRAYOID};
	Datum *column[REPEAT_COLUMNS];
	Datum arrays[REPEAT_COLUMNS];

	for (int c = 0; c < REPEAT_COLUMNS; c++)
		column[c] = palloc_extended(sizeof(Datum) * Max(count, 1), MCXT_ALLOC_HUGE);
	for (uint32 n = 0; n < count; n++)
	{
		column[REPEAT_ITEM][n] = repeats[n].item;
		column[REPEAT_VISITS][n] = Int64GetDatum(repeats[n].visits);
		column[REPEAT_GAPS][n] = Int64GetDatum(repeats[n].gaps);
		column[REPEAT_GAP][n] = Float8GetDatum(repeats[n].gap);
		column[REPEAT_SHARE][n] = Float8GetDatum(repeats[n].share);
	}
	for (int c = 0; c < REPEAT_COLUMNS; c++)
		arrays[c] = PlanArray(column[c], count, element[c]);
	change(model,
		   psprintf("DELETE FROM %s.learned_repeat AS r WHERE NOT EXISTS (SELECT FROM "
					"pg_catalog.unnest($1) AS n(item_id) "
					"WHERE n.item_id OPERATOR(pg_catalog.=) r.item_id)",
					model->quoted),
		   1, types, arrays, NULL);
	change(
		model,
		psprintf("INSERT INTO %s.learned_repeat AS r (item_id, visits, gaps, typical_gap, share) "
				 "SELECT n.item_id, n.visits, n.gaps, pg_catalog.justify_hours("
				 "pg_catalog.make_interval(secs => nullif(n.gap, 'NaN'))), n.share "
				 "FROM unnest($1, $2, $3, $4, $5) AS n(item_id, visits, gaps, gap, share) "
				 "ON CONFLICT (item_id) DO UPDATE SET visits = excluded.visits, "
				 "gaps = excluded.gaps, typical_gap = excluded.typical_gap, "
				 "share = excluded.share WHERE (r.visits, r.gaps, r.typical_gap, r.share) "
				 "IS DISTINCT FROM (excluded.visits, excluded.gaps, excluded.typical_gap, "
				 "excluded.share)",
				 model->quoted),
		REPEAT_COLUMNS, types, arrays, NULL);
}

static void
write_habits(const Model *model, const Usage *habits)
{
	const Oid types[HABIT_COLUMNS] = {
		TIMESTAMPTZOID, INT8OID,   INT8OID,   INT8OID,   FLOAT8OID, FLOAT8OID,      FLOAT8OID,
		FLOAT8OID,      FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8ARRAYOID, TEXTOID};
	char nulls[HABIT_COLUMNS];
	Datum hours[CLOCK_HOURS];
	Datum values[HABIT_COLUMNS];

	for (int h = 0; h < CLOCK_HOURS; h++)
		hours[h] = Float8GetDatum(habits->hours[h]);
	memset(nulls, ' ', sizeof(nulls));
	if (!habits->fitted)
		memset(nulls + HABIT_R, 'n', HABIT_B - HABIT_R + 1);
	if (isnan(habits->new_items))
		nulls[HABIT_NEW_ITEMS] = 'n';
	values[HABIT_AS_OF] = TimestampTzGetDatum(habits->as_of);
	values[HABIT_USERS] = Int64GetDatum(habits->users);
	values[HABIT_VISITS] = Int64GetDatum(habits->visits);
	values[HABIT_GAPS] = Int64GetDatum(habits->gaps);
	values[HABIT_VISIT_GAP] = Float8GetDatum(habits->visit_gap);
	values[HABIT_R] = Float8GetDatum(habits->model.r);
	values[HABIT_ALPHA] = Float8GetDatum(habits->model.alpha);
	values[HABIT_A] = Float8GetDatum(habits->model.a);
	values[HABIT_B] = Float8GetDatum(habits->model.b);
	values[HABIT_NEW_ITEMS] = Float8GetDatum(habits->new_items);
	values[HABIT_REPEAT_GAP] = Float8GetDatum(habits->repeat_gap);
	values[HABIT_REPEAT_SHARE] = Float8GetDatum(habits->repeat_share);
	values[HABIT_WEEK] = PlanArray(hours, CLOCK_HOURS, FLOAT8OID);
	values[HABIT_ZONE] = CStringGetTextDatum(habits->time_zone);
	change(model, psprintf("DELETE FROM %s.learned_habit", model->quoted), 0, NULL, NULL, NULL);
	change(
		model,
		psprintf("INSERT INTO %s.learned_habit (as_of, users, visits, gaps, visit_gap, "
				 "r, alpha, a, b, new_items, repeat_gap, repeat_share, hours, time_zone) "
				 "VALUES ($1, $2, $3, $4, "
				 "pg_catalog.justify_hours(pg_catalog.make_interval(secs => nullif($5, 'NaN'))), "
				 "$6, $7, $8, $9, $10, "
				 "pg_catalog.justify_hours(pg_catalog.make_interval(secs => nullif($11, 'NaN'))), "
				 "$12, $13, $14)",
				 model->quoted),
		HABIT_COLUMNS, types, values, nulls);
}

void
UsageWrite(const Model *model, const Usage *habits, const Repeat *repeats, uint32 count)
{
	ModelNeedsTable(model, "learned_habit");
	ModelNeedsTable(model, "learned_repeat");
	write_repeats(model, repeats, count);
	write_habits(model, habits);
}

/* Raises the error of a row that nobody but we should have written, and did not. */
pg_noreturn static void
refuse(const Model *model)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
					errmsg("the habits of model \"%s\" are damaged", model->name),
					errhint("Run reco_learn_habits to learn them anew.")));
}

/* A number of the row that SPI read, which may be NULL for NaN. */
static double
number_of(int column)
{
	bool isnull;
	Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column + 1, &isnull);

	return isnull ? NAN : DatumGetFloat8(value);
}

/* Everybody's hours of the week. */
static void
take_hours(const Model *model, Usage *habits)
{
	bool isnull;
	Datum value =
		SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, HABIT_WEEK + 1, &isnull);
	ArrayType *array;

	if (isnull)
		refuse(model);
	array = DatumGetArrayTypeP(value);
	if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] != CLOCK_HOURS || ARR_HASNULL(array) ||
		ARR_ELEMTYPE(array) != FLOAT8OID)
		refuse(model);
	memcpy(habits->hours, ARR_DATA_PTR(array), sizeof(habits->hours));
	for (int h = 0; h < CLOCK_HOURS; h++)
		if (!(habits->hours[h] >= 0) || isinf(habits->hours[h]))
			refuse(model);
}

/* True for a length or a share that may stand in the row: NaN is none. */
static bool
is_none_or_above(double value, double most)
{
	return isnan(value) || (value >= 0 && value <= most);
}

bool
UsageIsThere(const Model *model)
{
	return PlanRun(psprintf("SELECT FROM ONLY %s.learned_habit", model->quoted), 0, NULL, NULL,
				   NULL) > 0;
}

Usage *
UsageRead(const Model *model)
{
	Usage *habits = palloc0(sizeof(Usage));
	char *zone;

	ModelNeedsTable(model, "learned_habit");
	if (PlanRun(psprintf("SELECT as_of, users, visits, gaps, "
						 "pg_catalog.date_part('epoch', visit_gap::pg_catalog.interval), "
						 "r::pg_catalog.float8, alpha::pg_catalog.float8, a::pg_catalog.float8, "
						 "b::pg_catalog.float8, new_items::pg_catalog.float8, "
						 "pg_catalog.date_part('epoch', repeat_gap::pg_catalog.interval), "
						 "repeat_share::pg_catalog.float8, hours::pg_catalog.float8[], time_zone "
						 "FROM ONLY %s.learned_habit",
						 model->quoted),
				0, NULL, NULL, NULL) != 1)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("model \"%s\" has not learned anybody's habits", model->name),
						errhint("Run SELECT * FROM reco_learn_habits(%s).",
								quote_literal_cstr(model->name))));
	habits->visit_gap = number_of(HABIT_VISIT_GAP);
	habits->model =
		(Bgnbd){number_of(HABIT_R), number_of(HABIT_ALPHA), number_of(HABIT_A), number_of(HABIT_B)};
	habits->fitted = habits->model.r > 0 && habits->model.alpha > 0 && habits->model.a > 0 &&
					 habits->model.b > 0;
	habits->new_items = number_of(HABIT_NEW_ITEMS);
	habits->repeat_gap = number_of(HABIT_REPEAT_GAP);
	habits->repeat_share = number_of(HABIT_REPEAT_SHARE);
	if (!is_none_or_above(habits->visit_gap, INFINITY) ||
		!is_none_or_above(habits->new_items, INFINITY) ||
		!is_none_or_above(habits->repeat_gap, INFINITY) ||
		!is_none_or_above(habits->repeat_share, 1))
		refuse(model);
	take_hours(model, habits);
	zone = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, HABIT_ZONE + 1);
	if (zone == NULL)
		refuse(model);
	habits->time_zone = zone;
	return habits;
}

/* What a row says of an item in its second and third column: nothing where it is none's. */
static Repeat
repeat_of(const Model *model, const Usage *habits, HeapTuple row)
{
	bool no_gap;
	bool no_share;
	Datum gap = SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &no_gap);
	Datum share = SPI_getbinval(row, SPI_tuptable->tupdesc, 3, &no_share);
	Repeat repeat = {.gap = no_gap ? habits->repeat_gap : DatumGetFloat8(gap),
					 .share = no_share ? habits->repeat_share : DatumGetFloat8(share)};

	if (!is_none_or_above(repeat.gap, INFINITY) || !is_none_or_above(repeat.share, 1))
		refuse(model);
	return repeat;
}

Repeat *
UsageRepeats(const Model *model, const Usage *habits, Datum items, uint32 count)
{
	const Oid type = IdArrayType(model->item_kind);
	Repeat *repeats = palloc(sizeof(Repeat) * Max(count, 1));
	uint64 rows;

	ModelNeedsTable(model, "learned_repeat");
	for (uint32 n = 0; n < count; n++)
		repeats[n].share = NAN;
	/* OFFSET 0 has each row looked up by the key, however few rows the planner takes the table for. */
	rows = PlanRun(
		psprintf("SELECT n.place, r.gap, r.share "
				 "FROM pg_catalog.unnest($1) WITH ORDINALITY AS n(item_id, place) "
				 "LEFT JOIN LATERAL (SELECT "
				 "pg_catalog.date_part('epoch', l.typical_gap::pg_catalog.interval), "
				 "l.share::pg_catalog.float8 "
				 "FROM ONLY %s.learned_repeat l WHERE l.item_id OPERATOR(pg_catalog.=) n.item_id "
				 "OFFSET 0) AS r(gap, share) ON true%s",
				 model->quoted,
				 model->has_items ? psprintf(" WHERE EXISTS (SELECT FROM %s.items i "
											 "WHERE i.item_id OPERATOR(pg_catalog.=) n.item_id)",
											 model->quoted)
								  : ""),
		1, &type, &items, NULL);
	ModelNeedsName(model);
	for (uint64 r = 0; r < rows; r++)
	{
		bool isnull;
		int64 place =
			DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[r], SPI_tuptable->tupdesc, 1, &isnull));

		repeats[place - 1] = repeat_of(model, habits, SPI_tuptable->vals[r]);
	}
	return repeats;
}

struct UsageAll
{
	const Usage *habits;
	bool catalogue; /* what is not among the items may not be shown */
	IdSet *items;
	Repeat *repeat;
};

UsageAll *
UsageReadAll(const Model *model, const Usage *habits, Budget *budget)
{
	UsageAll *all = BudgetZeroed(budget, 1, sizeof(UsageAll));
	const char *type = IdTypeName(model->item_kind);
	const char *of =
		model->has_items
			? psprintf("%s.items n LEFT JOIN ONLY %s.learned_repeat l "
					   "ON l.item_id OPERATOR(pg_catalog.=) n.item_id WHERE n.item_id IS NOT NULL",
					   model->quoted, model->quoted)
			: psprintf("ONLY %s.learned_repeat l", model->quoted);
	uint64 rows;

	ModelNeedsTable(model, "learned_repeat");
	all->habits = habits;
	all->catalogue = model->has_items;
	all->items = IdSetCreate(model->item_kind, budget);
	rows = PlanRun(psprintf("SELECT %s.item_id::%s, "
							"pg_catalog.date_part('epoch', l.typical_gap::pg_catalog.interval), "
							"l.share::pg_catalog.float8 FROM %s",
							model->has_items ? "n" : "l", type, of),
				   0, NULL, NULL, NULL);
	ModelNeedsName(model);
	all->repeat = BudgetAlloc(budget, Max(rows, 1), sizeof(Repeat));
	for (uint64 r = 0; r < rows; r++)
	{
		bool isnull;
		Datum item = SPI_getbinval(SPI_tuptable->vals[r], SPI_tuptable->tupdesc, 1, &isnull);

		CHECK_FOR_INTERRUPTS();
		if (isnull)
			refuse(model);
		all->repeat[IdSetAdd(all->items, item)] = repeat_of(model, habits, SPI_tuptable->vals[r]);
	}
	SPI_freetuptable(SPI_tuptable);
	return all;
}

Repeat
UsageOf(const UsageAll *all, Datum item)
{
	uint32 place = IdSetFind(all->items, item);

	if (place != ID_NONE)
		return all->repeat[place];
	if (all->catalogue)
		return (Repeat){.share = NAN};
	return (Repeat){.gap = all->habits->repeat_gap, .share = all->habits->repeat_share};
}
