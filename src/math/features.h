/*
 * features.h: a list as a network reads it, the same where it is trained and where it serves.
 *
 * Nearly everything is said in proportion to the list or to a fixed measure, so that what was learned
 * of last month's lists goes on holding as a shop grows: scores by the best of the list, popularity by
 * the mean of it.
 */
#ifndef RECO_FEATURES_H
#define RECO_FEATURES_H

#include "math/evidence.h"
#include "math/network.h"

typedef enum Feature
{
	FEATURE_SCORE,      /* log2 of the score over that of the best of the list */
	FEATURE_PLACE,      /* log2 of the place, from 1 */
	FEATURE_LEVEL,      /* log2 of the score as the match curve reads it (RankLevel) */
	FEATURE_VOICES,     /* log2 of 1 + the items of the history that speak for it */
	FEATURE_STRONGEST,  /* the part of the strongest of them */
	FEATURE_LATELY,     /* how much of it is owed to what was chosen last */
	FEATURE_HISTORY,    /* log2 of 1 + the items of the history */
	FEATURE_POPULARITY, /* log2 of popularity, less its mean over the list */
	FEATURE_TREND,      /* log2 of the recent rate over the long-run one */
	FEATURE_AGE,        /* log2 of 1 + days since the first event with the item */
	FEATURE_IDLE,       /* the same since the last one */
	FEATURE_CONTEXT, /* log2 of the lift of the context that was asked for; the score has it too */
	FEATURES
} Feature;

/* Their names, as the table of weights has them. */
extern const char *const FeatureNames[FEATURES];

/* What is known of an item whoever asks; NaN for what is not. */
typedef struct FeatureItem
{
	double popularity_log2;
	double trend_log2;
	double age; /* days, like the next */
	double idle;
} FeatureItem;

/* What popularity and trend are read with, as math/decay has them. */
typedef struct FeatureRates
{
	double popularity_offset;
	double recent_offset;
	double trend_prior;
	bool timed; /* there are times; without, there is neither trend nor age */
} FeatureRates;

/* The same from sums as they are learned, NaN for none, and days before the newest event of all. */
extern FeatureItem FeaturesOfItem(const FeatureRates *rates, double popularity_log2,
								  double recent_log2, double first, double last);

/* A list whose first items are to be ranked anew. */
typedef struct FeatureList
{
	const RankItem *item;     /* [count], best first */
	const Evidence *evidence; /* [count], like the next */
	const FeatureItem *about;
	const double *lift; /* [count], of the context; NULL where none was asked for */
	uint32_t count;
	uint32_t history; /* items of it that speak */
	double level;
} FeatureList;

/* All of it, [count][FEATURES]; NaN for what is not known.  O(count). */
extern void FeaturesOf(const FeatureList *list, float *x);

/* How many items of a list may be put in order. */
#define RERANKER_FIRST_DEFAULT 100
#define RERANKER_FIRST_MAX     500

/* A network with what its inputs were brought to one measure by. */
typedef struct Reranker
{
	uint32_t first; /* of a list, so many are put in order */
	double mean[FEATURES];
	double scale[FEATURES]; /* 1 / the standard deviation, 0 for what says nothing */
	double glance; /* of lists that were shown, what log2 of the place added: not when it serves */
	Network network;
} Reranker;

/* Brings features to mean 0 and deviation 1, and within 4; 0 for what is not known. */
extern void RerankerScale(const Reranker *reranker, float *x, uint32_t count);

/* The order of items by value, highest first, of equals the one that came first; to order[count]. */
extern void RerankerSort(const double *value, uint32_t count, uint32_t *order);

/* The order a network gives a list; x is scaled on the way.  O(count * weights). */
extern void RerankerOrder(const Reranker *reranker, float *x, uint32_t count, double *value,
						  uint32_t *order);

#endif
