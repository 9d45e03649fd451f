/*
 * rank.h: the one scorer.
 *
 *   score(u, i) = sum over j in history(u) of w_uj * S[j -> i]  /  sqrt(sum of w_uj^2)
 *
 * over the items j of the history of which something was learned.
 *
 * top_n, match, why, the match curve and every evaluation go through it, so a number measured
 * is a number served.  Sums run in the order of the entries, in double; callers order entries
 * by item number, so that the order of the history does not show in the score.
 */
#ifndef RECO_RANK_H
#define RECO_RANK_H

#include <stddef.h>
#include <stdint.h>

/* One item of the history, with the sparse row it speaks for. */
typedef struct RankEntry
{
	double weight; /* w_uj, decayed; negative for a dislike */
	uint32_t count;
	const uint32_t *item;
	const float *similarity;
} RankEntry;

/* Sums by item number; all zero between uses. */
typedef struct RankScratch
{
	uint32_t slots;
	uint32_t touched_count;
	double *score;         /* [slots] */
	unsigned char *marked; /* [slots], 1 where touched */
	uint32_t *touched;     /* [slots + 1] */
} RankScratch;

/* Bytes of a scratch per slot, and setting one up in zeroed memory of slots + 1 times that. */
#define RANK_SLOT_BYTES (sizeof(double) + sizeof(uint32_t) + sizeof(unsigned char))
extern void RankScratchInit(RankScratch *scratch, void *zeroed, uint32_t slots);

/* 1 / sqrt(sum of w^2), 0 for a history that says nothing. */
extern double RankNorm(const RankEntry *entries, size_t count);

/* Adds up every score the entries lead to; item numbers are below slots. */
extern void RankScore(RankScratch *scratch, const RankEntry *entries, size_t count, double norm);

/* The part of one entry in the score of one item: 0 where it says nothing about it. */
extern double RankShare(const RankEntry *entry, double norm, uint32_t item);

/*
 * For each of a few items, which entry has the greatest part in its score: because[] gets the
 * entry's place, or -1.  The scratch is clear before and after.
 */
extern void RankBecause(RankScratch *scratch, const RankEntry *entries, size_t count, double norm,
						const uint32_t *items, uint32_t item_count, int64_t *because);

/* One place of a list. */
typedef struct RankItem
{
	uint32_t item;
	double score;
} RankItem;

/*
 * The k best of what was scored, best first, equal scores by item number: only scores above 0 and
 * finite, and no item for which refused[] is not 0.  Returns how many there are.  O(log k) an item
 * that gets in, one comparison for any other.
 */
extern uint32_t RankTop(const RankScratch *scratch, const unsigned char *refused, RankItem *list,
						uint32_t k);

/* Back to zero, at the cost of what was touched. */
extern void RankClear(RankScratch *scratch);

#endif
