#include "data/sources.h"

#include "access/table.h"
#include "catalog/partition.h"
#include "data/history.h"
#include "executor/spi.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "storage/bufmgr.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

/* A walk over a plan. */
typedef struct Walk
{
	List *tables; /* the range table of the plan */
	List *found;  /* of Source */
} Walk;

/* True where an expression has the id in it, the one parameter of the query. */
static bool
has_id(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXTERN)
		return true;
	return expression_tree_walker(node, has_id, context);
}

/* True where a condition on an index is one on its first column. */
static bool
has_first_column(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var) && ((Var *) node)->varno == INDEX_VAR && ((Var *) node)->varattno == 1)
		return true;
	return expression_tree_walker(node, has_first_column, context);
}

/* What a list of conditions compares with the id, or NULL. */
static Node *
compared_with_id(List *conditions)
{
	ListCell *cell;

	foreach (cell, conditions)
	{
		OpExpr *condition = lfirst(cell);

		if (!IsA(condition, OpExpr) || list_length(condition->args) != 2)
			continue;
		/* The queries have the id on the right. */
		if (has_id(lsecond(condition->args), NULL))
			return linitial(condition->args);
	}
	return NULL;
}

/* Adds a table that is read in full; partitions count as their table. */
static void
add_source(Walk *walk, Index relation, List *conditions)
{
	Oid scanned = rt_fetch(relation, walk->tables)->relid;
	Oid table =
		get_rel_relispartition(scanned) ? llast_oid(get_partition_ancestors(scanned)) : scanned;
	Node *expression = compared_with_id(conditions);
	Relation opened = table_open(scanned, AccessShareLock);
	uint64 pages = RelationGetNumberOfBlocks(opened);
	Source *source;
	ListCell *cell;

	table_close(opened, AccessShareLock);
	foreach (cell, walk->found)
	{
		source = lfirst(cell);
		if (source->table == table)
		{
			source->pages += pages;
			return;
		}
	}
	source = palloc0(sizeof(Source));
	source->table = table;
	source->pages = pages;
	if (expression)
	{
		expression = copyObject(expression);
		ChangeVarNodes(expression, (int) relation, 1, 0);
		source->expression = deparse_expression(
			expression, deparse_context_for(get_rel_name(scanned), scanned), false, false);
		source->is_plain =
			IsA(strip_implicit_coercions(expression), Var) || IsA(expression, OpExpr);
	}
	walk->found = lappend(walk->found, source);
}

/* Columns of an index as those of its table, of which they are made. */
static Node *
to_table(Node *node, void *of)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Var) && ((Var *) node)->varno == INDEX_VAR)
		return copyObject(
			(Node *) list_nth_node(TargetEntry, (List *) of, ((Var *) node)->varattno - 1)->expr);
	return expression_tree_mutator(node, to_table, of);
}

/* The conditions of a scan, about columns of the table. */
static List *
conditions_of(Plan *plan)
{
	if (IsA(plan, IndexOnlyScan))
	{
		IndexOnlyScan *scan = (IndexOnlyScan *) plan;

		return (List *) to_table((Node *) list_concat_copy(plan->qual, scan->indexqual),
								 scan->indextlist);
	}
	if (IsA(plan, IndexScan))
		return list_concat_copy(plan->qual, ((IndexScan *) plan)->indexqualorig);
	if (IsA(plan, BitmapHeapScan))
		return list_concat_copy(plan->qual, ((BitmapHeapScan *) plan)->bitmapqualorig);
	return plan->qual;
}

static void walk_plan(Walk *walk, Plan *plan);

static void
walk_plans(Walk *walk, List *plans)
{
	ListCell *cell;

	foreach (cell, plans)
		walk_plan(walk, lfirst(cell));
}

/* Looks for scans that read more than an index leads to.  No index helps where a sample is read. */
static void
walk_plan(Walk *walk, Plan *plan)
{
	bool full = false;

	if (plan == NULL)
		return;
	check_stack_depth();
	switch (nodeTag(plan))
	{
		case T_SeqScan:
			full = true;
			break;
		case T_IndexScan:
			full = !has_first_column((Node *) ((IndexScan *) plan)->indexqual, NULL) ||
				   has_id((Node *) plan->qual, NULL);
			break;
		case T_IndexOnlyScan:
			full = !has_first_column((Node *) ((IndexOnlyScan *) plan)->indexqual, NULL) ||
				   has_id((Node *) plan->qual, NULL);
			break;
		case T_BitmapHeapScan:
			full =
				has_id((Node *) plan->qual, NULL) ||
				(IsA(plan->lefttree, BitmapIndexScan) &&
				 !has_first_column((Node *) ((BitmapIndexScan *) plan->lefttree)->indexqual, NULL));
			break;
		case T_Append:
			walk_plans(walk, ((Append *) plan)->appendplans);
			break;
		case T_MergeAppend:
			walk_plans(walk, ((MergeAppend *) plan)->mergeplans);
			break;
		case T_SubqueryScan:
			walk_plan(walk, ((SubqueryScan *) plan)->subplan);
			break;
		case T_CustomScan:
			walk_plans(walk, ((CustomScan *) plan)->custom_plans);
			break;
		default:
			break;
	}
	if (full)
		add_source(walk, ((Scan *) plan)->scanrelid, conditions_of(plan));
	walk_plan(walk, plan->lefttree);
	walk_plan(walk, plan->righttree);
}

/* Sets a planner setting until the nest level ends. */
static void
set_for_now(const char *name, const char *value)
{
	set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/* The tables that a query by one id reads in full. */
static List *
read_in_full(const char *sql, Oid type)
{
	int nest = NewGUCNestLevel();
	Walk walk = {0};
	SPIPlanPtr plan;
	CachedPlan *cached;
	PlannedStmt *statement;

	set_for_now("enable_seqscan", "off");
	set_for_now("enable_indexscan", "on");
	set_for_now("enable_bitmapscan", "on");
	plan = SPI_prepare(sql, 1, &type);
	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", sql, SPI_result_code_string(SPI_result));
	cached = SPI_plan_get_cached_plan(plan);
	if (cached)
	{
		statement = linitial_node(PlannedStmt, cached->stmt_list);
		walk.tables = statement->rtable;
		walk_plan(&walk, statement->planTree);
		walk_plans(&walk, statement->subplans);
		ReleaseCachedPlan(cached, NULL);
	}
	SPI_freeplan(plan);
	AtEOXact_GUC(false, nest);
	return walk.found;
}

List *
SourcesReadInFull(const Model *model)
{
	return read_in_full(HistoryQuery(model), IdType(model->user_kind));
}

List *
SourcesReadForItem(const Model *model)
{
	return read_in_full(
		psprintf("SELECT user_id FROM %s.events WHERE item_id OPERATOR(pg_catalog.=) $1",
				 model->quoted),
		IdType(model->item_kind));
}
