/*
 * reranking.h: a network that puts the first items of lists in order, trained on what people went on to
 * choose.
 *
 * Learned is from the lists of people of whom something was kept back, made of what was learned
 * without it.  People are dealt to three parts by the hash of their id, and so always to the same:
 * half of them train the network, a fifth say when it is enough (Prechelt 1998), and three tenths,
 * who have no part in either, tell what it is worth.  Nobody's list is learned from and measured on.
 *
 * Training is plain: lists in one fixed order, a step of Adam for every few, by one process, so that
 * the same events give the same bytes.
 */
#ifndef RECO_RERANKING_H
#define RECO_RERANKING_H

#include "learn/evaluation.h"
#include "learn/popularity.h"
#include "math/features.h"

typedef enum RerankingPart
{
	RERANKING_TRAIN,
	RERANKING_STOP,
	RERANKING_TEST
} RerankingPart;

/* The part of a user, by the hash of the id. */
extern RerankingPart RerankingPartOf(uint64_t user);

/* Lists with a choice among them that it takes to train anything, and to have units. */
#define RERANKING_LEAST 50
#define RERANKING_MANY  300

/* Units of the hidden layer, where there are so many. */
#define RERANKING_UNITS 8

/* Lists with a choice among them that are read at most: they are enough, and take so many seconds. */
#define RERANKING_MOST 8000

typedef struct RerankingInput
{
	EvaluationInput lists; /* what makes them; k is what they are measured at */
	const Popularity *popularity;
	bool timed;
	uint32_t min_support; /* of an item of fewer users nothing is known but who speaks for it */
	uint32_t first;       /* items of a list that are put in order */
	int units;            /* of the hidden layer; below 0 for as many as the lists allow */
} RerankingInput;

typedef struct Reranking
{
	bool trained; /* there was enough to train on: */
	Reranker reranker;
	uint32_t lists;  /* that trained it */
	uint32_t rounds; /* after which it was best */
	/* Of the users who had no part in it: as scored, as put in order, and the difference. */
	EvaluationSum ndcg[3];
	EvaluationSum recall[3];
} Reranking;

/*
 * O(users * (history * neighbours + first * features)) to read lists, and O(rounds * lists * first *
 * weights) to train.  Memory for first * features floats a list, of which there are at most a quarter
 * of the budget's limit.
 */
extern void RerankingLearn(const RerankingInput *input, Reranking *result, Budget *budget);

/* True where lists are better than as they are scored by more than chance, 95 % of it. */
extern bool RerankingIsBetter(const Reranking *result);

/* What is known of every item of a matrix. */
extern FeatureItem *RerankingItems(const RerankingInput *input, Budget *budget);

/* Who puts the lists of an evaluation in order; lists of those who trained are left out. */
typedef struct RerankingOrder
{
	const Interactions *matrix;
	const Reranker *reranker;
	const FeatureItem *about;
	Evidence *evidence; /* [first] */
	FeatureItem *item;
	float *x; /* [first][FEATURES] */
	double *value;
	uint32_t *order;
	RankItem *sorted;
} RerankingOrder;

extern EvaluationOrder RerankingOrderOpen(const RerankingInput *input, const Reranker *reranker,
										  Budget *budget);
extern void RerankingOrderClose(EvaluationOrder *order, Budget *budget);

#endif
