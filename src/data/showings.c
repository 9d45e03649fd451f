#include "data/showings.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "data/columns.h"
#include "data/plan.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* What may be counted: anything that is a number, and what is true or false. */
static const Oid countable[] = {INT8OID,   INT4OID,    INT2OID, FLOAT8OID,
								FLOAT4OID, NUMERICOID, BOOLOID};

/* The base type of a column of the log; InvalidOid where there is none. */
static Oid
type_of(Oid log, const char *column)
{
	AttrNumber number = get_attnum(log, column);

	return number > 0 ? getBaseType(get_atttype(log, number)) : InvalidOid;
}

static void
require(Oid log, const char *column, const char *what)
{
	if (!OidIsValid(type_of(log, column)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("\"%s\" has no column \"%s\"", get_rel_name(log), column),
				 errhint("A log has the columns \"item_id\", \"variant\" and \"chosen\", and "
						 "may have \"shown\" and \"segment\"; %s.",
						 what)));
}

/* A column as SQL that reads it as a number. */
static const char *
as_number(Oid log, const char *column)
{
	Oid type = type_of(log, column);

	for (size_t n = 0; n < lengthof(countable); n++)
		if (type == countable[n])
			return psprintf(type == BOOLOID ? "%s::pg_catalog.int4::pg_catalog.float8"
											: "%s::pg_catalog.float8",
							column);
	ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
					errmsg("column \"%s\" of \"%s\" has type %s", column, get_rel_name(log),
						   format_type_be(type)),
					errhint("It may be a number or boolean: cast it in a view.")));
	return NULL; /* for the compiler */
}

pg_noreturn static void
refuse_missing(Oid log)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE), errmsg("there is no relation with OID %u", log)));
}

/* The log as SQL names it; nobody keeps it from being dropped before it is read. */
static const char *
name_of(Oid log)
{
	const char *schema = get_namespace_name(get_rel_namespace(log));
	const char *name = get_rel_name(log);

	if (schema == NULL || name == NULL)
		refuse_missing(log);
	return quote_qualified_identifier(schema, name);
}

/* Raises an error where the relation is no table or view, or its items are of another kind. */
static void
check_log(Oid log, IdKind kind)
{
	char relkind = get_rel_relkind(log);
	IdKind items;

	if (relkind == '\0')
		refuse_missing(log);
	if (strchr("rvmpf", relkind) == NULL)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" is no table or view", get_rel_name(log))));
	require(log, "item_id", "name them so in a view");
	require(log, "variant", "name them so in a view");
	require(log, "chosen", "name them so in a view");
	if (!IdKindOfType(type_of(log, "item_id"), &items) || items != kind)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("items of \"%s\" have type %s, not %s", get_rel_name(log),
							   format_type_be(type_of(log, "item_id")), IdTypeName(kind)),
						errhint("Cast the item that is asked for.")));
}

/* $1 is the item, $2 the variants, $3 the segment. */
static char *
query(Oid log, IdKind kind, const char *segment)
{
	const char *here = segment ? psprintf("coalesce(%s OPERATOR(pg_catalog.=) $3, false)",
										  ColumnText("segment", type_of(log, "segment")))
							   : "true";
	const char *shown =
		OidIsValid(type_of(log, "shown")) ? as_number(log, "shown") : "1::pg_catalog.float8";

	return psprintf(
		"SELECT v.place, v.here, pg_catalog.sum(v.shown), pg_catalog.sum(v.chosen),"
		" pg_catalog.bool_and(v.shown OPERATOR(pg_catalog.>=) 0 AND v.chosen OPERATOR(pg_catalog.>=) 0"
		" AND v.chosen OPERATOR(pg_catalog.<=) v.shown"
		" AND v.shown OPERATOR(pg_catalog.<) 'Infinity')"
		" FROM (SELECT pg_catalog.array_position($2, %s) AS place, %s AS here,"
		" %s AS shown, coalesce(%s, 0) AS chosen FROM %s"
		" WHERE item_id OPERATOR(pg_catalog.=) $1%s AND %s IS NOT NULL) v"
		" WHERE v.place IS NOT NULL GROUP BY v.place, v.here",
		ColumnText("variant", type_of(log, "variant")), here, shown, as_number(log, "chosen"),
		name_of(log), kind == ID_TEXT ? "::pg_catalog.text" : "", shown);
}

/* The names as an array. */
static Datum
names(char *const *variants, uint32 count)
{
	Datum *name = palloc(sizeof(Datum) * Max(count, 1));

	for (uint32 n = 0; n < count; n++)
		name[n] = CStringGetTextDatum(variants[n]);
	return PlanArray(name, count, TEXTOID);
}

static double
number_at(uint64 row, int column)
{
	bool is_null;
	Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &is_null);

	return is_null ? NAN : DatumGetFloat8(value);
}

static int32
place_at(uint64 row)
{
	bool is_null;

	return DatumGetInt32(
		SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1, &is_null));
}

static bool
flag_at(uint64 row, int column)
{
	bool is_null;
	Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &is_null);

	return !is_null && DatumGetBool(value);
}

Showing *
ShowingsRead(Oid log, IdKind kind, Datum item, char *const *variants, uint32 count,
			 const char *segment)
{
	Oid types[] = {IdType(kind), TEXTARRAYOID, TEXTOID};
	Datum values[] = {item, names(variants, count),
					  segment ? CStringGetTextDatum(segment) : (Datum) 0};
	Showing *showings = palloc0(sizeof(Showing) * Max(count, 1));
	uint64 rows;

	check_log(log, kind);
	if (segment)
		require(log, "segment", "without it there is one segment, and it is not named");
	rows = PlanRun(query(log, kind, segment), segment ? 3 : 2, types, values, NULL);
	for (uint64 row = 0; row < rows; row++)
	{
		Showing *showing = &showings[place_at(row) - 1];
		bool here = flag_at(row, 2);

		if (!flag_at(row, 5))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"%s\" says of variant \"%s\" what cannot be", get_rel_name(log),
							variants[place_at(row) - 1]),
					 errhint("How often it was chosen must be from 0 to how often it was shown.")));
		*(here ? &showing->shown : &showing->shown_elsewhere) = number_at(row, 3);
		*(here ? &showing->chosen : &showing->chosen_elsewhere) = number_at(row, 4);
	}
	SPI_freetuptable(SPI_tuptable);
	return showings;
}
