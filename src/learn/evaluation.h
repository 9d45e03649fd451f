/*
 * evaluation.h: what lists are worth, measured on what people went on to choose.
 *
 * Every user of whom something was kept back gets the k best of all items not seen before, and the
 * list is held against it.  No item is left out by a draw: metrics over a sample of the items put
 * recommenders in another order (Krichene & Rendle 2020).  Lists come from neighbours through
 * math/rank or from factors through math/fold, as the answers of reco_top_n do, or from
 * popularity, the items with the most users.
 *
 * Beside the metrics of math/worth, for each user:
 *
 *   reachable        the share of the chosen items that a learner had: recall cannot be more
 *   covered          1 where there is a list at all
 *   short            1 where it has fewer than k items
 *   novelty          mean of -log2(n_i / U) over the list, in bits    Zhou et al. 2010
 *   popularity bias  mean n_i of the list / mean n_i of the history   after Abdollahpouri et al. 2019
 *   diversity        1 - mean s(i, j) over the ordered pairs of the list   Smyth & McClave 2001;
 *                    s by neighbours of the caller's choice, 0 where they do not have the pair
 *
 * n_i counts the learners with an item, U those with any.  What is measured on the list itself
 * (novelty, bias, diversity) leaves out users without one; diversity also lists of one item.
 */
#ifndef RECO_EVALUATION_H
#define RECO_EVALUATION_H

#include "learn/factors.h"
#include "learn/interactions.h"
#include "learn/neighbors.h"

typedef enum EvaluationMetric
{
	EVALUATION_RECALL,
	EVALUATION_PRECISION,
	EVALUATION_NDCG,
	EVALUATION_AVERAGE_PRECISION,
	EVALUATION_RECIPROCAL_RANK,
	EVALUATION_HIT,
	EVALUATION_REACHABLE,
	EVALUATION_COVERED,
	EVALUATION_SHORT,
	EVALUATION_NOVELTY,
	EVALUATION_POPULARITY_BIAS,
	EVALUATION_DIVERSITY,
	EVALUATION_METRICS
} EvaluationMetric;

/* Over the users for whom a metric is defined. */
typedef struct EvaluationSum
{
	uint64_t users;
	double sum;
	double squares;
} EvaluationSum;

typedef struct Evaluation
{
	EvaluationSum of[EVALUATION_METRICS];
	uint32_t newcomers; /* users with chosen items and no history: nothing to rank by, left out */
	uint32_t items;     /* that a learner had */
	uint32_t items_listed; /* in the list of anybody */
} Evaluation;

#define EVALUATION_CHOSEN 1

/* A user's list before it is cut to k items, with what it was made from. */
typedef struct EvaluationList
{
	uint32_t user;
	RankItem *item; /* [length], best first; may be put in another order */
	uint32_t length;
	const unsigned char *chosen; /* by item, EVALUATION_CHOSEN for what was chosen at the moment, */
	uint32_t chosen_count;       /* and how many those are */
	const RankEntry *entries;    /* the history; without rows where factors rank */
	const uint32_t *position;    /* of each, how many times of the user's are newer */
	size_t count;
	double level;         /* what scores are brought to one measure by */
	RankScratch *scratch; /* clear */
} EvaluationList;

/* Somebody who is asked about lists on the way. */
typedef struct EvaluationOrder
{
	uint32_t depth;                             /* items of a list that are wanted, if there are */
	bool (*wants)(uint32_t user, void *with);   /* false for users to leave out altogether */
	void (*take)(EvaluationList *, void *with); /* whatever order the items are in then, counts */
	void *with;
} EvaluationOrder;

/* No item was chosen at the same moment any more. */
#define EVALUATION_LAST UINT32_MAX

/*
 * Chosen items by the moment they were chosen at, of which a user may have several: each is held against
 * a list of its own, and what a user counts with is the mean over the moments.
 */
typedef struct EvaluationMoments
{
	const unsigned char *first; /* [chosen_count], 1 for the first of a user's moment */
	const uint32_t *next;       /* [chosen_count], the next of that moment, or EVALUATION_LAST */
} EvaluationMoments;

/* What scores are multiplied by when lists are served: of a user, at the moment of a chosen item. */
typedef struct EvaluationServed
{
	void (*multiply)(RankScratch *scratch, uint32_t user, uint32_t chosen, void *with);
	/* What contexts multiplied the score of an item by the last time; NULL where there are none. */
	double (*lift)(uint32_t item, void *with);
	void *with;
} EvaluationServed;

typedef struct EvaluationInput
{
	const Interactions *matrix;
	const Neighbors *neighbors; /* what ranks, learned from the learners */
	const Factors *factors;     /* the same, in their place; popularity ranks where both are NULL */
	const Neighbors *similar;   /* what tells how alike items are; NULL where nobody asks */
	uint32_t k;
	uint32_t
		users;    /* at most so many, the first in matrix order, which is drawn by lot; 0 for all */
	bool repeats; /* items of the history may be listed, and chosen again, but for: */
	const unsigned char *kept_out; /* [cells], those marked with 1; NULL for none */
	bool fill; /* a list goes on with what is popular, and who has no history gets that alone */
	double recency; /* what histories are read with; 1 where their order does not matter */
	const EvaluationMoments *moments; /* NULL where all that a user chose is of one */
	const EvaluationServed *served;   /* NULL where scores are all there is */
	const EvaluationOrder *order;     /* NULL where lists stay as they are scored */
	/*
	 * Where set, takes the NDCG of each user in order, for paired comparison: NaN of newcomers, nothing
	 * of those who are left out altogether.
	 */
	double *ndcg;
} EvaluationInput;

/*
 * O(users * history * neighbours), and for diversity O(users * k * neighbours); memory for some 60
 * bytes an item, a copy of the neighbours' numbers, and the list.
 */
extern void EvaluationRun(const EvaluationInput *input, Evaluation *result, Budget *budget);

/* How many users have chosen items. */
extern uint32_t EvaluationUsers(const Interactions *matrix);

/*
 * True where the first of two measures of so many users is better than the second by more than so
 * many standard errors of the difference.
 */
extern bool EvaluationSurelyBetter(const double *a, const double *b, uint32_t users, double errors);

/* Adds what a user has of a metric; NaN is nothing. */
extern void EvaluationCount(EvaluationSum *sum, double value);

/* The mean, and half the width of its normal interval of 95 %; NaN where there are too few users. */
extern double EvaluationMean(const EvaluationSum *sum);
extern double EvaluationHalfWidth(const EvaluationSum *sum);

#endif
