/*
 * reasons.c: reco_explain_by: the facts that explain a habit, as a few rules that are SQL.
 *
 * A shallow tree (learn/tree) over the columns of any query; each of its leaves is one rule, with
 * how many rows it holds for and what the target is there.  The interval of its mean is Wilson's
 * (1927) where the target is a choice, else that of a normal distribution.  The same rows were
 * asked which rules to make, so a rule tells what was; for what will be ask other rows.
 */
#include "api/door.h"

#include <math.h>

#include "data/facts.h"
#include "executor/spi.h"
#include "learn/tree.h"
#include "lib/stringinfo.h"
#include "math/binomial.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(reco_explain_by);

/* What the way to a leaf allows of a column. */
typedef struct Allowed
{
	bool asked;
	double from; /* of a number, from here on and below that */
	double below;
	bool unknown;
	bool code[TREE_CODES + 2];
} Allowed;

static int32
number_argument(FunctionCallInfo fcinfo, int argument, const char *what, int32 least, int32 most)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be NULL", what)));
	if (PG_GETARG_INT32(argument) < least || PG_GETARG_INT32(argument) > most)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be from %d to %d, not %d", what, least, most,
							   PG_GETARG_INT32(argument))));
	return PG_GETARG_INT32(argument);
}

/* A number as SQL writes it. */
static const char *
number_text(double number)
{
	return DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(number)));
}

/* What is allowed of a number. */
static void
say_number(StringInfo rule, const char *name, const Allowed *allowed)
{
	bool bounded = !isinf(allowed->from) || !isinf(allowed->below);
	bool either = bounded && allowed->unknown;

	if (!bounded)
	{
		appendStringInfo(rule, allowed->unknown ? "%s is null" : "%s is not null", name);
		return;
	}
	appendStringInfoString(rule, either ? "(" : "");
	if (!isinf(allowed->from))
		appendStringInfo(rule, "%s >= %s", name, number_text(allowed->from));
	if (!isinf(allowed->from) && !isinf(allowed->below))
		appendStringInfoString(rule, " and ");
	if (!isinf(allowed->below))
		appendStringInfo(rule, "%s < %s", name, number_text(allowed->below));
	if (either)
		appendStringInfo(rule, " or %s is null)", name);
}

/* The values that a name may have, or may not have; how many those are. */
static uint32
list_values(StringInfo list, const FactsColumn *column, const Allowed *allowed, bool may)
{
	uint32 count = 0;

	for (uint32 c = 1; c < column->codes; c++)
		if (column->word[c] && column->has[c] && allowed->code[c] == may)
			appendStringInfo(list, "%s%s", count++ > 0 ? ", " : "",
							 quote_literal_cstr(column->word[c]));
	return count;
}

/* What is allowed of a name: the values it may have, or may not, whichever are fewer. */
static void
say_nominal(StringInfo rule, const FactsColumn *column, const Allowed *allowed)
{
	const char *name = quote_identifier(column->name);
	uint32 last = column->codes - 1;
	bool others = last > 0 && column->word[last] == NULL;
	bool null = allowed->code[0];
	StringInfoData may;
	StringInfoData may_not;
	uint32 in;
	uint32 out;
	bool positive;

	initStringInfo(&may);
	initStringInfo(&may_not);
	in = list_values(&may, column, allowed, true);
	out = list_values(&may_not, column, allowed, false);
	positive = others ? !allowed->code[last] : in <= out;
	if (in == 0 && !(others && allowed->code[last]))
		appendStringInfo(rule, "%s is null", name);
	else if (!positive && out == 0)
		appendStringInfo(rule, "%s is not null", name);
	else if (positive)
		appendStringInfo(rule, in == 1 ? "%s%s = %s" : "%s%s in (%s)", null ? "(" : "", name,
						 may.data);
	else
		appendStringInfo(rule, out == 1 ? "%s%s <> %s" : "%s%s not in (%s)", null ? "(" : "", name,
						 may_not.data);
	if (null && in + others > 0 && (positive || out > 0))
		appendStringInfo(rule, " or %s is null)", name);
}

/* The way to a leaf as a condition of SQL. */
static Datum
say(const Facts *facts, const Allowed *allowed)
{
	StringInfoData rule;

	initStringInfo(&rule);
	for (uint32 c = 0; c < facts->columns; c++)
	{
		if (!allowed[c].asked)
			continue;
		appendStringInfoString(&rule, rule.len > 0 ? " and " : "");
		if (facts->column[c].number)
			say_number(&rule, quote_identifier(facts->column[c].name), &allowed[c]);
		else
			say_nominal(&rule, &facts->column[c], &allowed[c]);
	}
	return CStringGetTextDatum(rule.len > 0 ? rule.data : "true");
}

/* What is still allowed of a column once a question was answered. */
static void
narrow(Allowed *allowed, const FactsColumn *column, const TreeNode *node, bool yes)
{
	allowed->asked = true;
	for (uint32 c = 0; !column->number && c < column->codes; c++)
		allowed->code[c] = allowed->code[c] && node->in[c] == yes;
	if (!column->number)
		return;
	if (yes)
	{
		allowed->unknown = false;
		allowed->below = fmin(allowed->below, node->below);
	}
	else if (isinf(node->below))
		allowed->from = INFINITY;
	else
		allowed->from = fmax(allowed->from, node->below);
}

/* One leaf as a row. */
static void
put_leaf(ReturnSetInfo *out, const Facts *facts, const Tree *tree, const TreeNode *leaf,
		 const Allowed *allowed)
{
	double whole = tree->node[0].mean;
	double low;
	double high;
	bool nulls[7] = {[4] = !(whole > 0)};
	Datum values[7];

	if (facts->choices)
		BinomialInterval(leaf->mean * leaf->rows, leaf->rows, &low, &high);
	else
	{
		double half = NORMAL_95 * sqrt(leaf->variance / (leaf->rows > 1 ? leaf->rows - 1 : 1));

		low = leaf->mean - half;
		high = leaf->mean + half;
	}
	values[0] = say(facts, allowed);
	values[1] = Int64GetDatum(leaf->rows);
	values[2] = Float8GetDatum((double) leaf->rows / facts->rows);
	values[3] = Float8GetDatum(leaf->mean);
	values[4] = Float8GetDatum(nulls[4] ? 0 : leaf->mean / whole);
	values[5] = Float8GetDatum(low);
	values[6] = Float8GetDatum(high);
	tuplestore_putvalues(out->setResult, out->setDesc, values, nulls);
}

/* A leaf, and the way to it. */
typedef struct Leaf
{
	const TreeNode *node;
	uint32 place;
	Allowed *allowed;
} Leaf;

/* Goes from a node to all leaves below it. */
static void
walk(const Facts *facts, const Tree *tree, uint32 place, const Allowed *allowed, Leaf *leaves,
	 uint32 *count)
{
	const TreeNode *node = &tree->node[place];

	for (int side = 0; node->yes && side < 2; side++)
	{
		Allowed *below = palloc(sizeof(Allowed) * facts->columns);

		memcpy(below, allowed, sizeof(Allowed) * facts->columns);
		narrow(&below[node->column], &facts->column[node->column], node, side == 0);
		walk(facts, tree, side == 0 ? node->yes : node->no, below, leaves, count);
	}
	if (node->yes)
		return;
	leaves[*count] = (Leaf){node, place, palloc(sizeof(Allowed) * facts->columns)};
	memcpy(leaves[(*count)++].allowed, allowed, sizeof(Allowed) * facts->columns);
}

static int
greatest_first(const void *a, const void *b)
{
	const Leaf *x = a;
	const Leaf *y = b;

	if (x->node->mean != y->node->mean)
		return x->node->mean > y->node->mean ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

static void
put_leaves(ReturnSetInfo *out, const Facts *facts, const Tree *tree)
{
	Allowed *allowed = palloc(sizeof(Allowed) * facts->columns);
	Leaf *leaves = palloc(sizeof(Leaf) * tree->nodes);
	uint32 count = 0;

	for (uint32 c = 0; c < facts->columns; c++)
	{
		const FactsColumn *column = &facts->column[c];

		allowed[c] = (Allowed){.from = -INFINITY, .below = INFINITY, .unknown = column->has[0]};
		if (!column->number)
			memcpy(allowed[c].code, column->has, sizeof(bool) * column->codes);
	}
	walk(facts, tree, 0, allowed, leaves, &count);
	qsort(leaves, count, sizeof(Leaf), greatest_first);
	for (uint32 n = 0; n < count; n++)
		put_leaf(out, facts, tree, leaves[n].node, leaves[n].allowed);
}

/* The facts as learning takes them. */
static TreeInput
input_of(const Facts *facts)
{
	TreeColumn *column = palloc(sizeof(TreeColumn) * facts->columns);

	for (uint32 c = 0; c < facts->columns; c++)
		column[c] =
			(TreeColumn){facts->column[c].number, facts->column[c].code, facts->column[c].codes};
	return (TreeInput){facts->rows, facts->columns, column, facts->target};
}

/* reco_explain_by(query, target, columns, depth, min_rows) */
Datum
reco_explain_by(PG_FUNCTION_ARGS)
{
	char *query = DoorRequired(fcinfo, 0, "the query");
	char *target = DoorRequired(fcinfo, 1, "the target");
	List *names = DoorTexts(fcinfo, 2);
	int32 depth = number_argument(fcinfo, 3, "depth", 1, TREE_DEPTH);
	int32 least = number_argument(fcinfo, 4, "min_rows", 1, PG_INT32_MAX);
	Budget *budget = BudgetCreate(CurrentMemoryContext, "explaining", BudgetMaintenance());
	Facts *facts;
	TreeInput input;

	StaticAssertStmt(FACTS_CODES == TREE_CODES, "a tree has room for the codes of facts");
	InitMaterializedSRF(fcinfo, 0);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	facts = FactsRead(query, target, names, budget);
	if (facts->rows > 0)
	{
		input = input_of(facts);
		put_leaves((ReturnSetInfo *) fcinfo->resultinfo, facts,
				   TreeLearn(&input, (uint32) depth, (uint32) least, budget));
	}
	SPI_finish();
	BudgetDestroy(budget);
	return (Datum) 0;
}
