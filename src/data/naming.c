#include "data/naming.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/indexing.h"
#include "catalog/pg_namespace.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/*
 * The row that a name leads to, as all who look names up find it: they go by this cache, in which a row
 * is only ever followed by a later one.  So two looks that find one row had nothing else between them.
 */
static HeapTuple
find_row(Oid schema, const char *name)
{
	HeapTuple row = SearchSysCache1(NAMESPACENAME, CStringGetDatum(name));

	if (HeapTupleIsValid(row) && ((Form_pg_namespace) GETSTRUCT(row))->oid != schema)
	{
		ReleaseSysCache(row);
		return NULL;
	}
	return row;
}

Naming
NamingOf(Oid schema, const char *name)
{
	Naming naming = {.writer = InvalidTransactionId};
	HeapTuple row = find_row(schema, name);

	/* Whoever renames commits first and says so then: between the two, names may lead elsewhere. */
	if (HeapTupleIsValid(row))
	{
		naming.writer = HeapTupleHeaderGetRawXmin(row->t_data);
		naming.place = row->t_self;
		ReleaseSysCache(row);
	}
	return naming;
}

/*
 * True where a version of the schema's row has another name, and was there at some time since the
 * snapshot of this transaction was taken: no vacuum takes it away before that snapshot ends.
 */
static bool
was_renamed(Oid schema, const char *name)
{
	Relation schemas = table_open(NamespaceRelationId, AccessShareLock);
	bool renamed = false;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple row;

	ScanKeyInit(&key, Anum_pg_namespace_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(schema));
	scan = systable_beginscan(schemas, NamespaceOidIndexId, true, SnapshotAny, 1, &key);
	while (!renamed && HeapTupleIsValid(row = systable_getnext(scan)))
	{
		TransactionId end = row->t_data->t_infomask & HEAP_XMAX_INVALID
								? InvalidTransactionId
								: HeapTupleHeaderGetUpdateXid(row->t_data);
		bool over = TransactionIdIsNormal(end) && TransactionIdPrecedes(end, TransactionXmin);

		renamed =
			!over && strcmp(NameStr(((Form_pg_namespace) GETSTRUCT(row))->nspname), name) != 0;
	}
	systable_endscan(scan);
	table_close(schemas, AccessShareLock);
	return renamed;
}

bool
NamingHolds(const Naming *naming, Oid schema, const char *name)
{
	HeapTuple row = TransactionIdIsValid(naming->writer) ? find_row(schema, name) : NULL;
	bool same;

	if (!HeapTupleIsValid(row))
		return false;
	same = HeapTupleHeaderGetRawXmin(row->t_data) == naming->writer &&
		   ItemPointerEquals(&row->t_self, (ItemPointer) &naming->place);
	ReleaseSysCache(row);
	return same || !was_renamed(schema, name);
}
