/*
 * reranking.h: a network that puts the first items of lists in order, trained on what people went on to
 * choose.
 *
 * Learned is from the lists of people of whom something was kept back, made of what was learned
 * without it.  People are dealt to three parts by the hash of their id, and so always to the same:
 * half of them train the network, a fifth say when it is enough (Prechelt 1998), and three tenths,
 * who have no part in either, tell what it is worth.  Nobody's list is learned from and measured on.  Where
 * lists go by moments people have one for each, as it is served then, and count with the mean of theirs.
 *
 * Or from lists that were shown, of which it is known at which places: the earlier ones train, and of
 * later ones, person by person, it is told what the network is worth.  What stands further up is
 * looked at sooner, whatever it is.  So a list's loss is that of values
 *
 *   f(x) + c log2(place shown)
 *
 * and c, learned along, is left out when lists are served (a bias by place that is added in training
 * alone: Zhao et al. 2019, section 4.2).  In the loss of a list that makes a choice as likely as
 * e^f(x) * place^-eta, eta = -c / ln 2: an item is looked at, and then chosen (Richardson, Dominowska
 * & Ragno 2007), at the rate that Joachims, Swaminathan & Schnabel 2017 have it looked at.  The place
 * by score says nothing then: nearly always it is the one that was shown.
 *
 * Lists that were shown are judged twice: by what was chosen, as lists are everywhere, and with every
 * choice weighed by what its place takes away, place^eta, at most RERANKING_WEIGHT (propensities
 * clipped as in the same paper).  The first flatters an order like the one shown, the second whatever
 * is unlike it where eta is thought too great; kept is what is better by both.
 *
 * Training is plain: lists in one fixed order, a step of Adam for every few, by one process, so that
 * the same events give the same bytes.
 */
#ifndef RECO_RERANKING_H
#define RECO_RERANKING_H

#include "learn/lessons.h"

/* Lists with a choice among them that it takes to train anything, and to have units. */
#define RERANKING_LEAST 50
#define RERANKING_MANY  300

/* Units of the hidden layer, where there are so many. */
#define RERANKING_UNITS 8

/* What a choice far down a list that was shown counts as at most. */
#define RERANKING_WEIGHT 10

typedef struct RerankingInput
{
	LessonsInput lessons; /* k of the lists is what they are measured at */
	int units;            /* of the hidden layer; below 0 for as many as the lists allow */
} RerankingInput;

typedef struct Reranking
{
	bool shown;   /* lists were shown */
	bool trained; /* there was enough to train on: */
	Reranker reranker;
	uint32_t lists;  /* that trained it */
	uint32_t rounds; /* after which it was best */
	/* Of the users who had no part in it: as scored, as put in order, and the difference. */
	EvaluationSum ndcg[3];
	EvaluationSum recall[3];
	/* The same of choices weighed by their places, where lists were shown. */
	EvaluationSum weighed_ndcg[3];
	EvaluationSum weighed_recall[3];
} Reranking;

/*
 * O(users * (history * neighbours + first * features)) to read lists, and O(rounds * lists * first *
 * weights) to train.  Memory for the lists.
 */
extern void RerankingLearn(const RerankingInput *input, Reranking *result, Budget *budget);

/*
 * The same from lists that were shown, which are added one by one, at most LESSONS_MOST and as many as
 * there is room for: RerankingAdd is false where there is no more.  Of what is input first, units and k
 * are read.  Finishing ends the run, trained or not.
 */
typedef struct RerankingRun RerankingRun;

extern RerankingRun *RerankingOpen(const RerankingInput *input, Reranking *result, Budget *budget);
extern bool RerankingAdd(RerankingRun *run, const LessonShown *list);
extern void RerankingFinish(RerankingRun *run);

/* True where lists are better than as they are scored by more than chance, 95 % of it. */
extern bool RerankingIsBetter(const Reranking *result);

/* Who puts the lists of an evaluation in order; lists of those who trained are left out. */
typedef struct RerankingOrder
{
	const Interactions *matrix;
	const Reranker *reranker;
	LessonScratch scratch;
	float *x; /* [first][FEATURES] */
	double *value;
	uint32_t *order;
	RankItem *sorted;
} RerankingOrder;

extern EvaluationOrder RerankingOrderOpen(const LessonsInput *input, const Reranker *reranker,
										  Budget *budget);
extern void RerankingOrderClose(EvaluationOrder *order, Budget *budget);

#endif
