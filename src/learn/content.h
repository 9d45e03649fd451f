/*
 * content.h: neighbours of items that hardly anybody has, by likeness.
 *
 * What likeness is worth is not assumed but learned.  Items that are well known are asked for their
 * nearest, too, and the scale is the least-squares slope from likeness to the similarity that people's
 * choices gave the same pairs, 0 where they gave none.  So a pair that attributes alone tie counts as
 * much as such pairs do on average, which is a good deal less than one with strong support.
 *
 * Of that a pair of items with n_i and n_j users has the share content / (content + min(n_i, n_j)),
 * in addition to what counts say: all where nobody has one of them, little where both are known.
 */
#ifndef RECO_CONTENT_H
#define RECO_CONTENT_H

#include "learn/likeness.h"
#include "learn/neighbors.h"

/*
 * Sources of a target at most.  To find hidden movies of MovieLens again, 20 were 7 % worse than 50,
 * 100 were 2 % better.
 */
#define CONTENT_K 50

/* Pairs by source, each row in order of target; support is 0. */
typedef struct ContentPairs
{
	uint64_t *start; /* [items + 1] */
	Best *pair;
} ContentPairs;

typedef struct Content
{
	uint32_t items;       /* of the matrix, and those others that have a pair */
	uint32_t *other;      /* [items - known], the places of these in the input */
	uint32_t known;       /* items of the matrix */
	ContentPairs pairs;   /* value is likeness times share */
	ContentPairs sampled; /* of items that are well known: value is likeness */
	double scale;         /* as the last ContentMix learned it */
} Content;

/* Bytes of the budget that ContentLearn takes at most. */
extern uint64_t ContentBytes(const LikenessInput *input, uint32_t k);

/*
 * Finds the pairs of every needy item, at most k sources of each.  O(sum over tokens of their items
 * times those of them that are needy or sampled).
 */
extern Content *ContentLearn(const LikenessInput *input, uint32_t k, Budget *budget);

/*
 * Neighbours with these pairs among what is scored, where one that no user stands behind has a
 * support of 0; those given are freed.  A row has at most k pairs more than it had.
 */
extern Neighbors *ContentMix(Content *content, Neighbors *neighbors, uint32_t k, Budget *budget);

#endif
