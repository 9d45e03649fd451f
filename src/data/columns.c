#include "data/columns.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/transam.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

List *
ColumnsOf(const Model *model, const char *view)
{
	Oid oid = get_relname_relid(view, model->schema);
	Relation relation = OidIsValid(oid) ? try_relation_open(oid, AccessShareLock) : NULL;
	List *columns = NIL;

	if (relation == NULL)
		return NIL;
	for (int a = 0; a < RelationGetNumberOfAttributes(relation); a++)
	{
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), a);
		ViewColumn *column;

		if (attribute->attisdropped)
			continue;
		column = palloc(sizeof(ViewColumn));
		*column = (ViewColumn){pstrdup(NameStr(attribute->attname)), attribute->atttypid};
		columns = lappend(columns, column);
	}
	relation_close(relation, AccessShareLock);
	return columns;
}

Oid
ColumnType(const Model *model, const char *view, const char *name)
{
	Oid relation = get_relname_relid(view, model->schema);
	AttrNumber number = OidIsValid(relation) ? get_attnum(relation, name) : InvalidAttrNumber;

	return number > 0 ? get_atttype(relation, number) : InvalidOid;
}

Oid
ColumnNeeded(const Model *model, const char *view, const char *name)
{
	Oid type = ColumnType(model, view, name);

	if (OidIsValid(type))
		return type;
	ModelNeedsName(model);
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("\"%s.%s\" lost column \"%s\" while it was in use", model->name, view, name),
			 errhint("Try again.")));
}

bool
ColumnsAreOwners(const Model *model, const char *view)
{
	Oid oid = get_relname_relid(view, model->schema);
	Relation relation = OidIsValid(oid) ? try_relation_open(oid, AccessShareLock) : NULL;
	bool owners;

	if (relation == NULL)
		return false;
	owners = relation->rd_rel->relkind == RELKIND_VIEW && !RelationHasSecurityInvoker(relation);
	relation_close(relation, AccessShareLock);
	return owners;
}

/* A collation as SQL has it behind COLLATE, with its schema, whatever the search path. */
static char *
collation_name(Oid collation)
{
	HeapTuple tuple = SearchSysCache1(COLLOID, ObjectIdGetDatum(collation));
	Form_pg_collation form;
	char *name;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for collation %u", collation);
	form = (Form_pg_collation) GETSTRUCT(tuple);
	name = quote_qualified_identifier(get_namespace_name(form->collnamespace),
									  NameStr(form->collname));
	ReleaseSysCache(tuple);
	return name;
}

const char *
ColumnCollate(const Model *model, const char *view, const char *name)
{
	Oid relation = get_relname_relid(view, model->schema);
	HeapTuple tuple = OidIsValid(relation) ? SearchSysCacheAttName(relation, name) : NULL;
	Oid collation;

	if (!HeapTupleIsValid(tuple))
		return "";
	collation = ((Form_pg_attribute) GETSTRUCT(tuple))->attcollation;
	ReleaseSysCache(tuple);
	if (!OidIsValid(collation))
		return "";
	if (!get_collation_isdeterministic(collation))
		collation = C_COLLATION_OID;
	return psprintf(" COLLATE %s", collation_name(collation));
}

/*
 * True for a type that anybody may have made, and so may have made casts from: not of the system's,
 * nor of those that only a superuser makes.
 */
static bool
is_anybodys(Oid type)
{
	Oid base = getBaseType(type);
	Oid element = get_element_type(base);

	if (OidIsValid(element))
		return is_anybodys(element);
	return base >= FirstNormalObjectId && get_typtype(base) != TYPTYPE_BASE;
}

char *
ColumnText(const char *value, Oid type)
{
	if (!is_anybodys(type))
		return psprintf("%s::pg_catalog.text", value);
	/* Of all functions this one takes domains, too, and writes a value as its type does. */
	return psprintf("CASE WHEN %s IS NOT NULL THEN pg_catalog.concat(%s) END", value, value);
}

char *
ColumnTexts(const char *value, Oid type)
{
	return is_anybodys(type) ? psprintf("(%s)::pg_catalog.text[]", ColumnText(value, type))
							 : psprintf("%s::pg_catalog.text[]", value);
}

char *
ColumnsForJson(const Model *model, const char *view)
{
	StringInfoData sql;
	ListCell *cell;

	initStringInfo(&sql);
	foreach (cell, ColumnsOf(model, view))
	{
		const ViewColumn *column = lfirst(cell);
		const char *name = quote_identifier(column->name);

		appendStringInfoString(&sql, sql.len == 0 ? "" : ", ");
		if (!is_anybodys(column->type))
			appendStringInfoString(&sql, name);
		else
			appendStringInfo(&sql, "%s AS %s", ColumnText(name, column->type), name);
	}
	return sql.data;
}

bool
ColumnIsNominal(Oid type)
{
	type = getBaseType(type);
	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return true;
		default:
			return get_typtype(type) == TYPTYPE_ENUM;
	}
}

bool
ColumnSaysNothing(const char *name)
{
	static const char *const names[] = {"item_id", "id", "released_at", "embedding"};

	for (size_t n = 0; n < lengthof(names); n++)
		if (strcmp(name, names[n]) == 0)
			return true;
	return false;
}

const char *
ColumnsQuoted(const List *names)
{
	StringInfoData text;
	ListCell *cell;

	initStringInfo(&text);
	foreach (cell, names)
		appendStringInfo(&text, "%s\"%s\"", text.len == 0 ? "" : ", ", (char *) lfirst(cell));
	return text.data;
}
