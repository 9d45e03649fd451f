/*
 * worth.h: what one ranked list is worth, from the places at which it hit.
 *
 * Of R relevant items the list has some at the ranks r_1 < r_2 < ..., none beyond place k:
 *
 *   recall             hits / R
 *   precision          hits / k, however short the list is
 *   hit                1 if hits > 0, else 0
 *   reciprocal rank    1 / r_1, 0 without a hit                      Voorhees 1999
 *   average precision  sum of n / r_n over the hits / min(k, R)      Voorhees & Harman 2005
 *   NDCG               DCG / ideal DCG, DCG = sum of gain / log2(rank + 1)
 *                                              Jarvelin & Kekalainen 2002
 *   AUC                the chance that a relevant item scores above one that is not, a tie
 *                      counting one half: U / (R * N)   Mann & Whitney 1947, Hanley & McNeil 1982
 *
 * Where we differ: the discount log2(rank + 1) is that of Burges et al. 2005 and of nearly all who
 * came after; the paper of 2002 leaves the first two places alike.  Average precision divides by
 * min(k, R) and not by R, so that a perfect list has 1; without k it is the original.
 *
 * What a formula does not define (0 / 0) is NaN.  The caller sorts, so that sums run in one order.
 */
#ifndef RECO_WORTH_H
#define RECO_WORTH_H

#include <stddef.h>
#include <stdint.h>

/* The k of a list that counts as a whole. */
#define WORTH_WHOLE UINT64_MAX

typedef struct WorthList
{
	const uint64_t *rank; /* [hits], rising, from 1 to k */
	uint64_t hits;
	uint64_t relevant; /* items there were to find, listed or not */
	uint64_t k;
} WorthList;

/* O(1) but for average precision, O(hits), and NDCG, O(min(k, relevant)). */
extern double WorthRecall(const WorthList *list);
extern double WorthPrecision(const WorthList *list);
extern double WorthHit(const WorthList *list);
extern double WorthReciprocalRank(const WorthList *list);
extern double WorthAveragePrecision(const WorthList *list);
extern double WorthNdcg(const WorthList *list);

/* An item worth more or less than another: its place in the list, 0 for none, and its gain. */
typedef struct WorthGain
{
	uint64_t rank;
	double gain;
} WorthGain;

/* The DCG of items in the order of their ranks, and of the best list, items by falling gain. */
extern double WorthGained(const WorthGain *items, size_t count, uint64_t k);
extern double WorthIdeal(const WorthGain *items, size_t count, uint64_t k);

typedef struct WorthScore
{
	double score;
	int relevant; /* 1 or 0 */
} WorthScore;

/* The AUC of items by rising score, where NaN is no score and comes first. */
extern double WorthAuc(const WorthScore *items, size_t count);

#endif
