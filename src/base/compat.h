/*
 * compat.h: PostgreSQL 15 to 19 made one; the only file that asks for PG_VERSION_NUM.
 *
 * Newest signature outward: code is written for the newest server, and a shim here makes it
 * compile on the older ones.
 */
#ifndef RECO_COMPAT_H
#define RECO_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "reco needs PostgreSQL 15 or newer"
#endif

/* A bigint is taken to lie in its Datum, and nothing was ever tried on fewer bits. */
#if SIZEOF_VOID_P < 8
#error "reco needs a 64-bit server: have PG_CONFIG name the pg_config of a PostgreSQL that was built for 64 bits"
#endif

#include "access/genam.h"
#include "catalog/pg_namespace.h"
#include "miscadmin.h"
#include "storage/buffile.h"
#include "utils/acl.h"
#include "utils/backend_status.h"
#include "utils/guc.h"

/*
 * 18 writes pg_noreturn in front of a declaration, where 17 had pg_attribute_noreturn() after it,
 * and lets index scans be counted (commit 0fbceae841cb).
 */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#define index_beginscan(table, index, snapshot, instrument, keys, orders, flags)                   \
	index_beginscan(table, index, snapshot, keys, orders)
#elif PG_VERSION_NUM < 190000
#define index_beginscan(table, index, snapshot, instrument, keys, orders, flags)                   \
	index_beginscan(table, index, snapshot, instrument, keys, orders)
#endif

/*
 * 19 lets who scans an index, as above, or a table say how, by flags.  For those who include
 * access/tableam.h, which takes words such as Block from everybody else.
 */
#if PG_VERSION_NUM < 190000
#define BeginTableScan(table, snapshot) table_beginscan(table, snapshot, 0, NULL)
#else
#define BeginTableScan(table, snapshot) table_beginscan(table, snapshot, 0, NULL, 0)
#endif

/* 18 plans a function of SQL that the planner does not take apart anew for each of its first calls. */
#define SQL_FUNCTION_PLANS_ONCE (PG_VERSION_NUM < 180000)

/* 19 wants a description of rows to be finished before it is used. */
#if PG_VERSION_NUM < 190000
#define TupleDescFinalize(desc) ((void) (desc))
#endif

/* 17 gave core its own RestrictSearchPath (commit 2af07e2f749a); maintenance needs it here too. */
#if PG_VERSION_NUM < 170000
static inline void
RestrictSearchPath(void)
{
	set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
					  GUC_ACTION_SAVE, true, 0, false);
}
#endif

/* 16 folded the checks of each kind of object into one (commits c727f511bd7b, afbfc02983f8). */
#if PG_VERSION_NUM < 160000
static inline AclResult
object_aclcheck(Oid class, Oid object, Oid role, AclMode mode)
{
	Assert(class == NamespaceRelationId);
	return pg_namespace_aclcheck(object, role, mode);
}

static inline bool
object_ownercheck(Oid class, Oid object, Oid role)
{
	Assert(class == NamespaceRelationId);
	return pg_namespace_ownercheck(object, role);
}

/* 16 gave it a name that says what it counts by. */
static inline LocalPgBackendStatus *
pgstat_get_local_beentry_by_index(int index)
{
	return pgstat_fetch_stat_local_beentry(index);
}

/* 16 took rights out of the entries of the range table (commit a61b1f74823c), where they are not given here. */
#define ExecCheckPermissions(table, rights, report) ExecCheckRTPerms(table, report)

/* 16 calls where a relation's file is a locator (commit b0a55e43299c). */
#define RelFileLocator              RelFileNode
#define RelFileLocatorEquals        RelFileNodeEquals
#define rd_locator                  rd_node
#define rd_firstRelfilelocatorSubid rd_firstRelfilenodeSubid

/* 16 gave reading a form that fails where the file ends. */
static inline void
BufFileReadExact(BufFile *file, void *bytes, size_t size)
{
	if (BufFileRead(file, bytes, size) != size)
		ereport(ERROR,
				(errcode_for_file_access(), errmsg("could not read from a temporary file: %m")));
}
#endif

#endif
