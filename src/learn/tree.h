/*
 * tree.h: a shallow tree of yes-or-no questions about columns that explains a target.
 *
 * Regression trees as Breiman, Friedman, Olshen and Stone (1984) grow them: each question is the one
 * that leaves the least variance of the target on both sides.  Values of a nominal column are put in
 * order of their mean target, in which the best of all their subsets is a beginning.  Instead of
 * growing a large tree and cutting it back, a question is asked only where chance alone would not
 * find one as good: its F must be beyond that of one chance in a thousand, for as many questions as
 * could have been asked there (Bonferroni).
 */
#ifndef RECO_TREE_H
#define RECO_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/budget.h"

#define TREE_DEPTH 6   /* questions one after the other, at most */
#define TREE_CODES 100 /* values of a nominal column that are told apart; all others are one more */

typedef struct TreeColumn
{
	double *number; /* [rows], NaN where unknown; NULL for a nominal column */
	uint32_t *code; /* [rows], below codes */
	uint32_t codes; /* at most TREE_CODES + 2 */
} TreeColumn;

typedef struct TreeInput
{
	uint32_t rows;
	uint32_t columns;
	const TreeColumn *column;
	const double *target; /* [rows], finite */
} TreeInput;

typedef struct TreeNode
{
	uint32_t rows;
	double mean;     /* of the target */
	double variance; /* around it */
	uint32_t yes;    /* the nodes below; 0 in a leaf */
	uint32_t no;
	uint32_t column; /* that is asked about */
	double below; /* of a number: yes where it is known and below; INFINITY asks if it is known */
	bool in[TREE_CODES + 2]; /* of a code: yes where this is true */
} TreeNode;

typedef struct Tree
{
	uint32_t nodes;
	TreeNode *node; /* the first is everything */
} Tree;

/*
 * Grows a tree of at most so many questions one after the other, with at least so many rows on each
 * side.  O(depth * columns * rows * log rows).  The same whatever the order of the rows.
 */
extern Tree *TreeLearn(const TreeInput *input, uint32_t depth, uint32_t least, Budget *budget);

#endif
