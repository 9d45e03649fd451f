#include "api/arguments.h"

#include "utils/lsyscache.h"

void
ArgumentsOutdated(FunctionCallInfo fcinfo)
{
	const char *name = fcinfo->flinfo ? get_func_name(fcinfo->flinfo->fn_oid) : NULL;

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("function \"%s\" is of an older version of reco than the server's library",
					name ? name : "?"),
			 errhint("Run ALTER EXTENSION reco UPDATE in this database.")));
}
