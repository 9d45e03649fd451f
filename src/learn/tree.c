#include "learn/tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupts.h"

/* F of one degree of freedom that one chance in a thousand is beyond. */
#define SURE 10.83

/* A row by what is asked about, and the values of a code. */
typedef struct Key
{
	double key;
	double target;
} Key;

typedef struct Group
{
	uint32_t code;
	double rows;
	double sum;
} Group;

/* The best question so far. */
typedef struct Question
{
	double gain; /* of the sum of squares */
	uint32_t column;
	double below;
	bool in[TREE_CODES + 2];
} Question;

typedef struct Growth
{
	const TreeInput *input;
	Tree *tree;
	uint32_t *row; /* in order of leaf */
	uint32_t *aside;
	Key *key;
	uint32_t least;
	double asked; /* log of how many questions there were, by the greatest so far */
} Growth;

/* Numbers rise, and what is none comes last. */
static inline int
compare_numbers(double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) - isnan(b);
	return a < b ? -1 : a > b;
}

#define ST_SORT          sort_keys
#define ST_ELEMENT_TYPE  Key
#define ST_COMPARE(a, b) compare_numbers((a)->key, (b)->key)
#define ST_SCOPE         static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

static int
by_mean(const void *a, const void *b)
{
	const Group *x = a;
	const Group *y = b;
	double left = x->sum / x->rows;
	double right = y->sum / y->rows;

	if (left != right)
		return left < right ? -1 : 1;
	return x->code < y->code ? -1 : x->code > y->code;
}

/* How much less variance, times rows, there is on two sides than in all. */
static double
gain_of(double rows, double sum, double all, double all_sum)
{
	double apart = sum / rows - (all_sum - sum) / (all - rows);

	return rows * (all - rows) / all * apart * apart;
}

/* The log of a sum of two numbers given by their logs. */
static double
log_sum(double a, double b)
{
	return fmax(a, b) + log1p(exp(-fabs(a - b)));
}

/* The number with the fewest digits that is above one number and not above another. */
static double
shortest_between(double above, double most)
{
	for (int digits = 1; digits < 17; digits++)
	{
		char text[32];
		double number;

		snprintf(text, sizeof(text), "%.*g", digits, above + (most - above) / 2);
		number = strtod(text, NULL);
		if (number > above && number <= most)
			return number;
	}
	return most;
}

/* Tries every cut of a column of numbers. */
static void
try_number(Growth *growth, const uint32_t *row, uint32_t rows, double all_sum, uint32_t column,
		   Question *best)
{
	const double *number = growth->input->column[column].number;
	double sum = 0;
	uint32_t cuts = 0;

	for (uint32_t r = 0; r < rows; r++)
	{
		INTERRUPTS_AT(r);
		growth->key[r] = (Key){number[row[r]], growth->input->target[row[r]]};
	}
	sort_keys(growth->key, rows);
	for (uint32_t r = 0; r + 1 < rows && !isnan(growth->key[r].key); r++)
	{
		double here = growth->key[r].key;
		double next = growth->key[r + 1].key;
		double gain;

		INTERRUPTS_AT(r);
		sum += growth->key[r].target;
		if (here == next)
			continue;
		cuts++;
		if (r + 1 < growth->least || rows - r - 1 < growth->least)
			continue;
		gain = gain_of(r + 1, sum, rows, all_sum);
		if (gain <= best->gain)
			continue;
		best->gain = gain;
		best->column = column;
		best->below = isnan(next) ? INFINITY : shortest_between(here, next);
	}
	if (cuts > 0)
		growth->asked = log_sum(growth->asked, log(cuts));
}

/* Tries the beginnings of a nominal column's values in order of their mean. */
static void
try_nominal(Growth *growth, const uint32_t *row, uint32_t rows, double all_sum, uint32_t column,
			Question *best)
{
	const TreeColumn *of = &growth->input->column[column];
	Group group[TREE_CODES + 2] = {{0}};
	uint32_t groups = 0;
	double before = 0;
	double sum = 0;

	for (uint32_t r = 0; r < rows; r++)
	{
		group[of->code[row[r]]].rows++;
		group[of->code[row[r]]].sum += growth->input->target[row[r]];
	}
	for (uint32_t c = 0; c < of->codes; c++)
		if (group[c].rows > 0)
			group[groups++] = (Group){c, group[c].rows, group[c].sum};
	if (groups < 2)
		return;
	qsort(group, groups, sizeof(Group), by_mean);
	growth->asked = log_sum(growth->asked, (groups - 1) * log(2));
	for (uint32_t g = 0; g + 1 < groups; g++)
	{
		double gain;

		before += group[g].rows;
		sum += group[g].sum;
		if (before < growth->least || rows - before < growth->least)
			continue;
		gain = gain_of(before, sum, rows, all_sum);
		if (gain <= best->gain)
			continue;
		best->gain = gain;
		best->column = column;
		memset(best->in, 0, sizeof(best->in));
		for (uint32_t n = 0; n <= g; n++)
			best->in[group[n].code] = true;
	}
}

static bool
answer(const TreeInput *input, const TreeNode *node, uint32_t row)
{
	const TreeColumn *column = &input->column[node->column];

	return column->number ? column->number[row] < node->below ||
								(isinf(node->below) && !isnan(column->number[row]))
						  : node->in[column->code[row]];
}

/* Puts the rows of a node in order: those of yes first; returns how many they are. */
static uint32_t
part(Growth *growth, const TreeNode *node, uint32_t *row)
{
	uint32_t yes = 0;
	uint32_t no = 0;

	for (uint32_t r = 0; r < node->rows; r++)
		if (answer(growth->input, node, row[r]))
			row[yes++] = row[r];
		else
			growth->aside[no++] = row[r];
	memcpy(row + yes, growth->aside, sizeof(uint32_t) * no);
	return yes;
}

/* A node of some rows, a leaf so far; returns its place. */
static uint32_t
add_node(Growth *growth, const uint32_t *row, uint32_t rows)
{
	TreeNode *node = &growth->tree->node[growth->tree->nodes];
	double square = 0;

	memset(node, 0, sizeof(TreeNode));
	node->rows = rows;
	for (uint32_t r = 0; r < rows; r++)
		node->mean += growth->input->target[row[r]];
	node->mean = rows > 0 ? node->mean / rows : 0;
	for (uint32_t r = 0; r < rows; r++)
	{
		double apart = growth->input->target[row[r]] - node->mean;

		square += apart * apart;
	}
	node->variance = rows > 0 ? square / rows : 0;
	return growth->tree->nodes++;
}

/* The best question about the rows of a node; false where chance could have found one as good. */
static bool
find_question(Growth *growth, const TreeNode *node, const uint32_t *row, Question *best)
{
	double squares = node->variance * node->rows;
	double left;

	best->gain = 0;
	growth->asked = -INFINITY;
	for (uint32_t c = 0; c < growth->input->columns; c++)
	{
		INTERRUPTS();
		if (growth->input->column[c].number)
			try_number(growth, row, node->rows, node->mean * node->rows, c, best);
		else
			try_nominal(growth, row, node->rows, node->mean * node->rows, c, best);
	}
	left = fmax(squares - best->gain, 0) / (node->rows - 2);
	return best->gain > squares * 1e-12 && best->gain > left * (SURE + 2 * fmax(growth->asked, 0));
}

/* Asks what is best to ask of the rows of a node, and of its answers in turn. */
static void
grow(Growth *growth, uint32_t place, uint32_t *row, uint32_t depth)
{
	TreeNode *node = &growth->tree->node[place];
	Question best;
	uint32_t yes;

	if (depth == 0 || node->rows < 2 * growth->least || node->rows < 3 || !(node->variance > 0) ||
		!find_question(growth, node, row, &best))
		return;
	node->column = best.column;
	node->below = best.below;
	memcpy(node->in, best.in, sizeof(node->in));
	yes = part(growth, node, row);
	node->yes = add_node(growth, row, yes);
	node->no = add_node(growth, row + yes, node->rows - yes);
	grow(growth, node->yes, row, depth - 1);
	grow(growth, node->no, row + yes, depth - 1);
}

/* An order of rows that does not depend on how they came: those that are alike can change places. */
static int
compare_rows(uint32_t x, uint32_t y, const TreeInput *input)
{
	if (input->target[x] != input->target[y])
		return input->target[x] < input->target[y] ? -1 : 1;
	for (uint32_t c = 0; c < input->columns; c++)
	{
		const TreeColumn *column = &input->column[c];
		int order = column->number ? compare_numbers(column->number[x], column->number[y])
								   : compare_numbers(column->code[x], column->code[y]);

		if (order != 0)
			return order;
	}
	return 0;
}

#define ST_SORT                 sort_rows
#define ST_ELEMENT_TYPE         uint32_t
#define ST_COMPARE(a, b, input) compare_rows(*(a), *(b), input)
#define ST_COMPARE_ARG_TYPE     const TreeInput
#define ST_SCOPE                static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

Tree *
TreeLearn(const TreeInput *input, uint32_t depth, uint32_t least, Budget *budget)
{
	Tree *tree = BudgetZeroed(budget, 1, sizeof(Tree));
	Growth growth = {.input = input,
					 .tree = tree,
					 .row = BudgetAlloc(budget, (uint64_t) input->rows + 1, sizeof(uint32_t)),
					 .aside = BudgetAlloc(budget, (uint64_t) input->rows + 1, sizeof(uint32_t)),
					 .key = BudgetAlloc(budget, (uint64_t) input->rows + 1, sizeof(Key)),
					 .least = least > 0 ? least : 1};

	tree->node = BudgetAlloc(budget, UINT64_C(2) << depth, sizeof(TreeNode));
	for (uint32_t r = 0; r < input->rows; r++)
		growth.row[r] = r;
	sort_rows(growth.row, input->rows, input);
	grow(&growth, add_node(&growth, growth.row, input->rows), growth.row, depth);
	BudgetFree(budget, growth.key);
	BudgetFree(budget, growth.aside);
	BudgetFree(budget, growth.row);
	return tree;
}
