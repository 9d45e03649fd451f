#include "data/columns.h"

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

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
