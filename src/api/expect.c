/*
 * expect.c: how many rows the planner is to expect of a list.
 *
 * ROWS of a function that lists is what it gives where its argument k is 10, the default, and of a
 * page where it has 6 rows of 10; a call with other numbers that the planner can know gives in
 * proportion.  NULL, which asks for everything, says nothing: it is for queries that filter and stop
 * early, whose plans should go on looking up rows one by one as they come, best first.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "api/arguments.h"
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

/* What a list's length goes by, and the number that ROWS is for. */
static const struct
{
	const char *name;
	double usual;
} lengths[] = {{"k", 10}, {"rows", 6}, {"per_row", 10}};

/* What a known argument of this name is worth beside the usual; 0 where it does not tell. */
static double
share_of(PlannerInfo *root, const char *name, Node *argument)
{
	for (size_t n = 0; n < lengthof(lengths); n++)
	{
		Node *value;

		if (strcmp(name, lengths[n].name) != 0)
			continue;
		value = estimate_expression_value(root, argument);
		if (!IsA(value, Const) || ((Const *) value)->constisnull)
			return 0;
		return Max(DatumGetInt32(((Const *) value)->constvalue), 1) / lengths[n].usual;
	}
	return 0;
}

/* reco_expect_rows(internal): the planner's support for functions that list. */
Datum
reco_expect_rows(PG_FUNCTION_ARGS)
{
	SupportRequestRows *request = (SupportRequestRows *) PG_GETARG_POINTER(0);
	HeapTuple tuple;
	List *arguments;
	Oid *types;
	char **names;
	char *modes;
	double share = 0;
	int count;

	if (!IsA(request, SupportRequestRows) || !is_funcclause(request->node))
		PG_RETURN_POINTER(NULL);
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(request->funcid));
	if (!HeapTupleIsValid(tuple))
		PG_RETURN_POINTER(NULL);
	arguments = ((FuncExpr *) request->node)->args;
	count = Min(get_func_arg_info(tuple, &types, &names, &modes), list_length(arguments));
	for (int a = 0; names && a < count; a++)
	{
		double told =
			types[a] == INT4OID ? share_of(request->root, names[a], list_nth(arguments, a)) : 0;

		if (told > 0)
			share = share > 0 ? share * told : told;
	}
	request->rows = ((Form_pg_proc) GETSTRUCT(tuple))->prorows * share;
	ReleaseSysCache(tuple);
	PG_RETURN_POINTER(share > 0 ? request : NULL);
}
