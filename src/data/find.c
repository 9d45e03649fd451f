#include "data/find.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

char *FindDefault = NULL;

/* The type a table must be OF to be a model's. */
static Oid
row_type(Oid reco)
{
	Oid type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("reco_model"),
							   ObjectIdGetDatum(reco));

	if (!OidIsValid(type))
		elog(ERROR, "type reco_model is missing from schema %u", reco);
	return type;
}

static Oid
schema_owner(Oid schema)
{
	HeapTuple tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(schema));
	Oid owner = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
		ReleaseSysCache(tuple);
	}
	return owner;
}

/* True where a relation is a table "model" OF that type. */
static bool
is_model_table(Oid relation, Oid type)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	bool found = false;

	if (HeapTupleIsValid(tuple))
	{
		Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);

		/*
		 * Reading a plain table of the schema's owner runs nobody's code.  A view, a table of
		 * somebody else's or one with policies could, so those make no model.
		 */
		found = form->reloftype == type && strcmp(NameStr(form->relname), "model") == 0 &&
				form->relkind == RELKIND_RELATION && !form->relrowsecurity &&
				form->relpersistence != RELPERSISTENCE_TEMP &&
				form->relowner == schema_owner(form->relnamespace);
		ReleaseSysCache(tuple);
	}
	return found;
}

bool
FindIsTable(Oid reco, Oid table)
{
	return is_model_table(table, row_type(reco));
}

List *
FindTables(Oid reco)
{
	Oid type = row_type(reco);
	List *tables = NIL;
	ScanKeyData key[2];
	SysScanDesc scan;
	HeapTuple tuple;
	Relation depend = table_open(DependRelationId, AccessShareLock);

	/* A table OF a type depends on it; the index finds those without a look at any other table. */
	ScanKeyInit(&key[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(TypeRelationId));
	ScanKeyInit(&key[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(type));
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL, 2, key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);

		if (form->classid == RelationRelationId && form->objsubid == 0 &&
			is_model_table(form->objid, type))
			tables = lappend_oid(tables, form->objid);
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	return tables;
}

Oid
FindTable(Oid reco, const char *name)
{
	Oid schema = get_namespace_oid(name, true);
	Oid table = OidIsValid(schema) ? get_relname_relid("model", schema) : InvalidOid;

	return OidIsValid(table) && is_model_table(table, row_type(reco)) ? table : InvalidOid;
}

/* The model tables whose schema the caller may use. */
static List *
usable_tables(Oid reco)
{
	List *usable = NIL;
	ListCell *cell;

	foreach (cell, FindTables(reco))
	{
		Oid schema = get_rel_namespace(lfirst_oid(cell));

		if (OidIsValid(schema) &&
			object_aclcheck(NamespaceRelationId, schema, GetUserId(), ACL_USAGE) == ACLCHECK_OK)
			usable = lappend_oid(usable, lfirst_oid(cell));
	}
	return usable;
}

static int
by_text(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/* A hint that names the models there are, or how to make one. */
static int
hint_models(List *tables)
{
	StringInfoData names;
	List *sorted = NIL;
	ListCell *cell;

	if (tables == NIL)
		return errhint("Create one with reco_create_model(name, events).");

	initStringInfo(&names);
	foreach (cell, tables)
	{
		char *name = get_namespace_name(get_rel_namespace(lfirst_oid(cell)));

		if (name) /* not dropped meanwhile */
			sorted = lappend(sorted, name);
	}
	list_sort(sorted, by_text);
	foreach (cell, sorted)
		appendStringInfo(&names, "%s\"%s\"", names.len == 0 ? "" : ", ", (char *) lfirst(cell));
	return errhint("Models you may use: %s.", names.data);
}

Model *
FindModel(Oid reco, const char *name)
{
	List *usable;

	if (name == NULL && FindDefault && FindDefault[0] != '\0')
		name = FindDefault;

	if (name)
	{
		Oid table = FindTable(reco, name);

		if (!OidIsValid(table))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("model \"%s\" does not exist", name),
					 hint_models(usable_tables(reco))));
		return ModelOpen(reco, table);
	}

	usable = usable_tables(reco);
	if (usable == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("there is no model"), hint_models(NIL)));
	if (list_length(usable) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_PARAMETER), errmsg("there is more than one model"),
				 errdetail("Name one in the call, or set reco.model."), hint_models(usable)));
	return ModelOpen(reco, linitial_oid(usable));
}
