/*
 * expect.c: how many rows the planner is to expect of a list.
 *
 * ROWS of a function that lists is what it gives where its argument k is 10, the default; a call
 * with another k that the planner can know gives in proportion.  NULL, which asks for everything,
 * says nothing: it is for queries that filter and stop early, whose plans should go on looking up
 * rows one by one as they come, best first.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(reco_expect_rows);

/* The k that ROWS is for. */
#define K_DEFAULT 10

/* The place of a function's argument k, and its ROWS; false where it has none. */
static bool
find_k(Oid function, int *place, double *rows)
{
	HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid *types;
	char **names;
	char *modes;
	int count;

	if (!HeapTupleIsValid(tuple))
		return false;
	*rows = ((Form_pg_proc) GETSTRUCT(tuple))->prorows;
	*place = ((Form_pg_proc) GETSTRUCT(tuple))->pronargs;
	count = get_func_arg_info(tuple, &types, &names, &modes);
	for (int a = 0; names && a < Min(count, *place); a++)
		if (strcmp(names[a], "k") == 0 && types[a] == INT4OID)
			*place = a;
	ReleaseSysCache(tuple);
	return *place < count && names && strcmp(names[*place], "k") == 0;
}

/* reco_expect_rows(internal): the planner's support for functions that list k rows. */
Datum
reco_expect_rows(PG_FUNCTION_ARGS)
{
	SupportRequestRows *request = (SupportRequestRows *) PG_GETARG_POINTER(0);
	List *arguments;
	Node *k;
	int place;
	double rows;

	if (!IsA(request, SupportRequestRows) || !is_funcclause(request->node) ||
		!find_k(request->funcid, &place, &rows))
		PG_RETURN_POINTER(NULL);
	arguments = ((FuncExpr *) request->node)->args;
	if (place >= list_length(arguments))
		PG_RETURN_POINTER(NULL);
	k = estimate_expression_value(request->root, list_nth(arguments, place));
	if (!IsA(k, Const) || ((Const *) k)->constisnull)
		PG_RETURN_POINTER(NULL);
	request->rows = rows / K_DEFAULT * Max(DatumGetInt32(((Const *) k)->constvalue), 1);
	PG_RETURN_POINTER(request);
}
