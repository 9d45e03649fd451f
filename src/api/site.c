#include "api/site.h"

#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "data/find.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/*
 * True where a call site lives no longer than one execution of one statement, and so may remember.
 *
 * An executor holds its snapshot registered until it ends, and the call site dies with it.
 * PL/pgSQL evaluates simple expressions without an executor, through call sites that last for the
 * transaction: it pushes a snapshot of its own, which nobody registers, or, in functions that only
 * read, lets that of the calling query stand; those sites live in a child of the transaction's
 * context.
 */
static bool
may_remember(FunctionCallInfo fcinfo)
{
	return ActiveSnapshotSet() && GetActiveSnapshot()->regd_count > 0 &&
		   MemoryContextGetParent(fcinfo->flinfo->fn_mcxt) != TopTransactionContext;
}

static SiteStatement
this_statement(void)
{
	Snapshot snapshot = GetActiveSnapshot();

	return (SiteStatement){
		.snapshot = snapshot,
		.xmin = snapshot->xmin,
		.xmax = snapshot->xmax,
		.command = snapshot->curcid,
		.completions = snapshot->snapXactCompletionCount,
		.subtransaction = GetCurrentSubTransactionId(),
		.since = GetCurrentStatementStartTimestamp(),
		.role = GetUserId(),
	};
}

static bool
is_same_statement(const SiteStatement *a, const SiteStatement *b)
{
	return a->snapshot == b->snapshot && a->xmin == b->xmin && a->xmax == b->xmax &&
		   a->command == b->command && a->completions == b->completions &&
		   a->subtransaction == b->subtransaction && a->since == b->since && a->role == b->role;
}

void *
SiteOpen(FunctionCallInfo fcinfo, Size size)
{
	bool remember = may_remember(fcinfo);
	SiteStatement statement = remember ? this_statement() : (SiteStatement){0};
	Site *site = fcinfo->flinfo->fn_extra;
	MemoryContext context;

	if (site && remember && is_same_statement(&site->statement, &statement))
		return site;
	fcinfo->flinfo->fn_extra = NULL;
	if (site)
		MemoryContextDelete(site->context);

	context = AllocSetContextCreate(remember ? fcinfo->flinfo->fn_mcxt : CurrentMemoryContext,
									"reco call site", ALLOCSET_SMALL_SIZES);
	site = MemoryContextAllocZero(context, size);
	site->context = context;
	site->statement = statement;
	if (remember)
		fcinfo->flinfo->fn_extra = site;
	return site;
}

bool
SiteKnowsModel(const Site *site, FunctionCallInfo fcinfo, int argument)
{
	if (site->model == NULL || site->model_is_null != PG_ARGISNULL(argument))
		return false;
	if (site->model_is_null)
		return strcmp(site->model_default, FindDefault ? FindDefault : "") == 0;
	if (get_fn_expr_argtype(fcinfo->flinfo, argument) == REGCLASSOID)
		return DatumGetObjectId(site->model_argument) == PG_GETARG_OID(argument);
	return DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID, site->model_argument,
												PG_GETARG_DATUM(argument)));
}

Model *
SiteLearnModel(Site *site, FunctionCallInfo fcinfo, int argument)
{
	MemoryContext caller = MemoryContextSwitchTo(site->context);
	Model *model;

	site->model = NULL;
	model = DoorModel(fcinfo, argument);
	site->model_is_null = PG_ARGISNULL(argument);
	site->model_default = pstrdup(FindDefault ? FindDefault : "");
	if (!site->model_is_null)
		site->model_argument = get_fn_expr_argtype(fcinfo->flinfo, argument) == REGCLASSOID
								   ? PG_GETARG_DATUM(argument)
								   : PointerGetDatum(PG_GETARG_TEXT_P_COPY(argument));
	MemoryContextSwitchTo(caller);
	return model;
}
