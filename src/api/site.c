#include "api/site.h"

#include "access/xact.h"
#include "api/arguments.h"
#include "base/compat.h"
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

/*
 * A call site within a function of SQL that is run by an executor of its own, as one is that has WITH
 * ORDINALITY behind it: each call of that function makes its call sites anew, from the same plan, which
 * lasts as long as the call site of the function itself.  18 plans such a function anew for each of its
 * first calls, so that nothing tells there which call is the same as one before.
 */
typedef struct Inner
{
	MemoryContext function; /* with the plan, and the site */
	const Node *call;       /* in the plan */
	Site *site;
	struct Inner *next;
	MemoryContextCallback at_end;
} Inner;

static Inner *inners;

/* The memory of the function of SQL that a call site is in, where it lasts; NULL for none. */
static MemoryContext
function_around(FunctionCallInfo fcinfo)
{
	MemoryContext around = MemoryContextGetParent(fcinfo->flinfo->fn_mcxt);

	return SQL_FUNCTION_PLANS_ONCE && around && fcinfo->flinfo->fn_expr &&
				   strcmp(around->name, "SQL function") == 0
			   ? around
			   : NULL;
}

static void
forget_inner(void *inner)
{
	Inner **at = &inners;

	while (*at != inner)
		at = &(*at)->next;
	*at = (*at)->next;
}

static Site *
find_inner(MemoryContext function, const Node *call)
{
	for (const Inner *inner = inners; inner; inner = inner->next)
		if (inner->function == function && inner->call == call)
			return inner->site;
	return NULL;
}

/* Has later calls of the function find a site, until its memory goes. */
static void
remember_inner(MemoryContext function, const Node *call, Site *site)
{
	Inner *inner = MemoryContextAllocZero(site->context, sizeof(Inner));

	*inner = (Inner){function, call, site, inners, {forget_inner, inner, NULL}};
	MemoryContextRegisterResetCallback(site->context, &inner->at_end);
	inners = inner;
}

void *
SiteOpen(FunctionCallInfo fcinfo, Size size)
{
	FmgrInfo *call = fcinfo->flinfo;
	bool remember = may_remember(fcinfo);
	SiteStatement statement = remember ? this_statement() : (SiteStatement){0};
	MemoryContext function = remember ? function_around(fcinfo) : NULL;
	Site *site = function ? find_inner(function, call->fn_expr) : call->fn_extra;
	MemoryContext context;

	if (site && remember && is_same_statement(&site->statement, &statement))
		return site;
	if (function == NULL)
		call->fn_extra = NULL;
	if (site)
		MemoryContextDelete(site->context);

	context = AllocSetContextCreate(function   ? function
									: remember ? call->fn_mcxt
											   : CurrentMemoryContext,
									"reco call site", ALLOCSET_SMALL_SIZES);
	site = MemoryContextAllocZero(context, size);
	site->context = context;
	site->statement = statement;
	if (function)
		remember_inner(function, call->fn_expr, site);
	else if (remember)
		call->fn_extra = site;
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
	MemoryContext before = site->of_model;
	MemoryContext caller;
	Model *model;

	site->model = NULL;
	site->of_model = NULL;
	if (before)
		MemoryContextDelete(before);
	site->of_model = AllocSetContextCreate(site->context, "reco site", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(site->of_model);
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
