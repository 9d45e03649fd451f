#include "data/straight.h"

#include "access/itup.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/visibilitymap.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "executor/executor.h"
#include "nodes/plannodes.h"
#include "parser/parsetree.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Where a column of the result comes from. */
typedef struct Source
{
	AttrNumber column; /* of the index or the table, 0 for a constant */
	Datum value;       /* which is this */
	bool isnull;
} Source;

/* A plan that is the scan of an index, while it is run. */
typedef struct Straight
{
	const PlannedStmt *statement;
	const Scan *scan;
	Oid index_id;
	List *quals;     /* what the index is searched by */
	bool index_only; /* columns come from the index */
	TupleDesc result;
	Source *source;  /* [result->natts] */
	AttrNumber last; /* column of the table */

	Relation table;
	Relation index;
	IndexScanDesc reading;
	TupleTableSlot *tuple; /* of the table, NULL until it is needed */
	TupleTableSlot *row;   /* of the result */
	Buffer visible;        /* a page of the visibility map */
	int keys;
	ScanKeyData key[INDEX_MAX_KEYS];
} Straight;

/* The scan that a plan is; false where it is more than that, or another one. */
static bool
take_scan(Straight *straight, const PlannedStmt *statement)
{
	const Plan *plan = statement->planTree;
	ScanDirection direction;

	if (statement->commandType != CMD_SELECT || statement->hasModifyingCTE ||
		statement->rowMarks != NIL || statement->subplans != NIL || statement->parallelModeNeeded ||
		plan->qual != NIL || plan->initPlan != NIL)
		return false;
	if (IsA(plan, IndexOnlyScan))
	{
		const IndexOnlyScan *scan = (const IndexOnlyScan *) plan;

		straight->index_only = true;
		straight->index_id = scan->indexid;
		straight->quals = scan->indexqual;
		direction = scan->indexorderby == NIL ? scan->indexorderdir : NoMovementScanDirection;
	}
	else if (IsA(plan, IndexScan))
	{
		const IndexScan *scan = (const IndexScan *) plan;

		straight->index_id = scan->indexid;
		straight->quals = scan->indexqual;
		direction = scan->indexorderby == NIL ? scan->indexorderdir : NoMovementScanDirection;
	}
	else
		return false;
	straight->statement = statement;
	straight->scan = (const Scan *) plan;
	return ScanDirectionIsForward(direction) && straight->quals != NIL &&
		   list_length(straight->quals) <= INDEX_MAX_KEYS;
}

/* An expression without what changes nothing but the name of its type. */
static const Node *
bare(const Node *expression)
{
	while (expression && IsA(expression, RelabelType))
		expression = (const Node *) ((const RelabelType *) expression)->arg;
	return expression;
}

/* Finds out where every column comes from; false where one is computed. */
static bool
take_columns(Straight *straight)
{
	List *targets = straight->scan->plan.targetlist;
	int varno = straight->index_only ? INDEX_VAR : (int) straight->scan->scanrelid;
	ListCell *cell;

	if (list_length(targets) != straight->result->natts)
		return false;
	straight->source = palloc0(sizeof(Source) * straight->result->natts);
	foreach (cell, targets)
	{
		const TargetEntry *target = lfirst_node(TargetEntry, cell);
		const Node *from = bare((const Node *) target->expr);
		Source *source = &straight->source[foreach_current_index(cell)];

		if (target->resjunk)
			return false;
		if (IsA(from, Const))
		{
			source->value = ((const Const *) from)->constvalue;
			source->isnull = ((const Const *) from)->constisnull;
		}
		else if (IsA(from, Var) && ((const Var *) from)->varno == varno &&
				 ((const Var *) from)->varattno > 0)
		{
			source->column = ((const Var *) from)->varattno;
			straight->last = Max(straight->last, source->column);
		}
		else
			return false;
	}
	return true;
}

/* The value that a column is compared with; false where it must be computed, or is NULL. */
static bool
take_value(const StraightCall *call, const Node *with, Datum *value)
{
	if (IsA(with, Const))
	{
		*value = ((const Const *) with)->constvalue;
		return !((const Const *) with)->constisnull;
	}
	if (!IsA(with, Param) || ((const Param *) with)->paramkind != PARAM_EXTERN)
		return false;
	*value = call->values[((const Param *) with)->paramid - 1];
	return ((const Param *) with)->paramtype == call->types[((const Param *) with)->paramid - 1];
}

/* What the index is searched by; false where that is more than values of columns. */
static bool
take_keys(Straight *straight, const StraightCall *call)
{
	ListCell *cell;

	foreach (cell, straight->quals)
	{
		const OpExpr *qual = lfirst(cell);
		const Var *column;
		Oid left;
		Oid right;
		int strategy;
		Datum value;

		if (!IsA(qual, OpExpr) || list_length(qual->args) != 2)
			return false;
		column = (const Var *) bare(linitial(qual->args));
		if (!IsA(column, Var) || column->varno != INDEX_VAR ||
			!take_value(call, bare(lsecond(qual->args)), &value))
			return false;
		get_op_opfamily_properties(qual->opno, straight->index->rd_opfamily[column->varattno - 1],
								   false, &strategy, &left, &right);
		ScanKeyEntryInitialize(&straight->key[straight->keys++], 0, column->varattno,
							   (StrategyNumber) strategy, right, qual->inputcollid, qual->opfuncid,
							   value);
	}
	return true;
}

/* Where an index is read alone, it has the values of the columns themselves. */
static bool
has_types(const Straight *straight)
{
	TupleDesc desc = RelationGetDescr(straight->index);
	ListCell *cell;

	foreach (cell, straight->index_only ? straight->scan->plan.targetlist : NIL)
	{
		const Var *from = (const Var *) bare((Node *) lfirst_node(TargetEntry, cell)->expr);

		if (IsA(from, Var) && TupleDescAttr(desc, from->varattno - 1)->atttypid != from->vartype)
			return false;
	}
	return true;
}

/* Opens table and index, which the plan has locked, and gets ready to search; false where the plan does not fit. */
static bool
open_relations(Straight *straight, const StraightCall *call)
{
	const RangeTblEntry *entry = rt_fetch(straight->scan->scanrelid, straight->statement->rtable);
	bool fits;

	if (entry->rtekind != RTE_RELATION || entry->relkind != RELKIND_RELATION)
		return false;
	straight->index = index_open(straight->index_id, entry->rellockmode);
	fits = straight->index->rd_rel->relam == BTREE_AM_OID && has_types(straight) &&
		   take_keys(straight, call);
	if (!fits)
	{
		index_close(straight->index, NoLock);
		return false;
	}
	straight->table = table_open(entry->relid, NoLock);
	return true;
}

/* Hands on one row, whose columns are in an index tuple or in the table's slot. */
static void
hand_on(Straight *straight, PlanTake take, void *with)
{
	TupleTableSlot *row = straight->row;
	IndexScanDesc reading = straight->reading;

	for (int c = 0; c < straight->result->natts; c++)
	{
		const Source *source = &straight->source[c];

		if (source->column == 0)
		{
			row->tts_values[c] = source->value;
			row->tts_isnull[c] = source->isnull;
		}
		else if (straight->index_only)
			row->tts_values[c] = index_getattr(reading->xs_itup, source->column,
											   reading->xs_itupdesc, &row->tts_isnull[c]);
		else
		{
			row->tts_values[c] = straight->tuple->tts_values[source->column - 1];
			row->tts_isnull[c] = straight->tuple->tts_isnull[source->column - 1];
		}
	}
	take(row, with);
}

/* True where the snapshot sees the tuple that an entry of the index is of. */
static bool
is_visible(Straight *straight, ItemPointer place)
{
	IndexScanDesc reading = straight->reading;
	bool seen;

	if (VM_ALL_VISIBLE(straight->table, ItemPointerGetBlockNumber(place), &straight->visible))
	{
		PredicateLockPage(straight->table, ItemPointerGetBlockNumber(place), reading->xs_snapshot);
		return true;
	}
	if (straight->tuple == NULL)
		straight->tuple = table_slot_create(straight->table, NULL);
	seen = index_fetch_heap(reading, straight->tuple);
	if (seen)
		ExecClearTuple(straight->tuple);
	return seen;
}

/* Reads the index alone, and the table where the visibility map does not vouch for a page. */
static void
read_index(Straight *straight, PlanTake take, void *with)
{
	ItemPointer place;

	while ((place = index_getnext_tid(straight->reading, ForwardScanDirection)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (is_visible(straight, place))
			hand_on(straight, take, with);
	}
	if (BufferIsValid(straight->visible))
		ReleaseBuffer(straight->visible);
}

/* Reads the table by way of the index. */
static void
read_table(Straight *straight, PlanTake take, void *with)
{
	straight->tuple = table_slot_create(straight->table, NULL);
	while (index_getnext_slot(straight->reading, ForwardScanDirection, straight->tuple))
	{
		CHECK_FOR_INTERRUPTS();
		slot_getsomeattrs(straight->tuple, straight->last);
		hand_on(straight, take, with);
	}
}

/* Runs a plan that fits. */
static void
run(Straight *straight, PlanTake take, void *with)
{
	ereport(DEBUG1, (errmsg_internal("rows straight from index \"%s\"%s",
									 RelationGetRelationName(straight->index),
									 straight->index_only ? "" : " and its table")));
	ExecCheckPermissions(straight->statement->rtable, straight->statement->permInfos, true);
	/* One virtual row, of which every row is made: take() may keep nothing of it. */
	straight->row =
		ExecStoreVirtualTuple(MakeSingleTupleTableSlot(straight->result, &TTSOpsVirtual));
	straight->reading = index_beginscan(straight->table, straight->index, GetActiveSnapshot(), NULL,
										straight->keys, 0, 0);
	straight->reading->xs_want_itup = straight->index_only;
	index_rescan(straight->reading, straight->key, straight->keys, NULL, 0);
	if (straight->index_only)
		read_index(straight, take, with);
	else
		read_table(straight, take, with);
	index_endscan(straight->reading);
	if (straight->tuple)
		ExecDropSingleTupleTableSlot(straight->tuple);
	ExecDropSingleTupleTableSlot(straight->row);
}

/* Says, as SPI does, which statement an error is of. */
static void
name_statement(void *sql)
{
	errcontext("SQL statement \"%s\"", (const char *) sql);
}

/* Runs a plan as the executor would; false, and nothing is done, where it does not fit. */
static bool
try(const StraightCall *call, const CachedPlan *plan, PlanTake take, void *with)
{
	const CachedPlanSource *from = linitial(SPI_plan_get_plan_sources(call->plan));
	Straight straight = {.result = from->resultDesc, .visible = InvalidBuffer};

	if (list_length(plan->stmt_list) != 1 || straight.result == NULL ||
		!take_scan(&straight, linitial_node(PlannedStmt, plan->stmt_list)) ||
		!take_columns(&straight) || !open_relations(&straight, call))
		return false;
	run(&straight, take, with);
	/* Locks last as long as those of a query. */
	index_close(straight.index, NoLock);
	table_close(straight.table, NoLock);
	return true;
}

/*
 * True where somebody wants to be asked or told of what the executor does: extensions that have a say in
 * rights, that keep a record of who reads what, or that watch statements.  They set hooks, which only the
 * executor calls.
 */
static bool
is_watched(void)
{
	return ExecutorCheckPerms_hook != NULL || ExecutorStart_hook != NULL ||
		   ExecutorRun_hook != NULL || ExecutorFinish_hook != NULL || ExecutorEnd_hook != NULL;
}

/* True where the plan may be looked at: it is another one than that which was no scan of an index. */
static bool
may_fit(const StraightCall *call)
{
	const CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(call->plan));

	return !is_watched() && plan_cache_mode != PLAN_CACHE_MODE_FORCE_CUSTOM_PLAN &&
		   (source->gplan == NULL || !source->gplan->is_valid ||
			source->gplan->generation != *call->unfit);
}

bool
StraightStream(const StraightCall *call, PlanTake take, void *with)
{
	MemoryContext caller = CurrentMemoryContext;
	ErrorContextCallback context = {.callback = name_statement, .arg = (void *) call->sql};
	MemoryContext scratch;
	CachedPlan *plan;
	bool done;

	if (!may_fit(call))
		return false;
	plan = SPI_plan_get_cached_plan(call->plan);
	if (plan == NULL)
		return false;
	context.previous = error_context_stack;
	error_context_stack = &context;
	scratch = AllocSetContextCreate(caller, "reco straight scan", ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(scratch);
	done = try(call, plan, take, with);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
	error_context_stack = context.previous;
	if (!done)
		*call->unfit = plan->generation;
	ReleaseCachedPlan(plan, CurrentResourceOwner);
	return done;
}
