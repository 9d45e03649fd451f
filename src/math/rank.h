/*
 * rank.h: the one scorer.
 *
 *   score(u, i) = sum over j in history(u) of w_uj * S[j -> i]  /  sqrt(sum of w_uj^2)
 *
 * over the items j of the history of which something was learned.
 *
 * top_n, top_n_all, rank, audience, match, why, the match curve and every evaluation go through
 * it, so a number measured is a number served.
 *
 * Each term is rounded to a multiple of one power of two, chosen for the history so that 2^50 of
 * it are as much as any sum of terms can come to.  Sums in double are then exact: the shares of
 * an explanation add up to the score to the last bit, in whatever order they are added, dislikes
 * included, and equal evidence gives equal scores.  (Demmel & Nguyen 2015 make sums reproducible
 * this way, with several such grids; one is enough where the result need not be finer than its
 * largest terms.)  No multiplication is fused into an addition; the Makefile sees to that.
 */
#ifndef RECO_RANK_H
#define RECO_RANK_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One item of the history, with the sparse row it speaks for. */
typedef struct RankEntry
{
	double weight; /* w_uj, decayed; negative for a dislike */
	float most;    /* the greatest |similarity| of the row, also where some of it was left out */
	uint32_t count;
	uint32_t content; /* of them, the first that attributes alone tie to the item */
	uint32_t source;  /* j, the number of the item itself */
	const uint32_t *item;
	const float *similarity;
} RankEntry;

/* The greatest |similarity| of a row in which similarity never rises: it is at one of the ends. */
static inline float
RankMost(const float *similarity, uint32_t count)
{
	if (count == 0)
		return 0;
	return fmaxf(fabsf(similarity[0]), fabsf(similarity[count - 1]));
}

/* An item and its score. */
typedef struct RankItem
{
	uint32_t item;
	double score;
} RankItem;

/* The same rows by target: which items speak for an item, in order of number. */
typedef struct RankColumns
{
	const uint64_t *start; /* [slots + 1] */
	const uint32_t *source;
	const float *similarity;
} RankColumns;

/*
 * Sums by item number; all zero between uses.
 *
 * What is touched is noted by blocks of eight items, a line of the processor's cache: notes for
 * each item would be eight times as many and as far away as the sums themselves.  A note is one
 * byte that is set, whether or not it was before: a list of those touched for the first time took
 * half as long again to add up.  Where the parts to be added outnumber the items, nearly every block
 * is touched, and all are noted at once.
 */
typedef struct RankScratch
{
	uint32_t slots;
	unsigned char *noted;  /* [blocks, up to whole words], 1 where touched */
	double *score;         /* [slots, up to whole blocks] */
	uint32_t *place;       /* [slots], a map that holds where marked says so */
	unsigned char *marked; /* [slots] */
} RankScratch;

/* Bytes of a scratch, and setting one up in as many zeroed bytes. */
extern size_t RankScratchBytes(uint32_t slots);
extern void RankScratchInit(RankScratch *scratch, void *zeroed, uint32_t slots);

/* 1 / sqrt(sum of w^2), 0 for a history that says nothing, or less than 1e-145. */
extern double RankNorm(const RankEntry *entries, size_t count);

/*
 * What makes scores of different users comparable, which the match curve needs: n^-0.2 for a
 * history of n items.  The norm alone leaves the scores of long histories too high, since many items
 * that have nothing to do with an item add up, too.  n is the effective number of items, (sum of
 * |w|)^2 / sum of w^2 (Kish 1965), so that what is all but forgotten does not count.  1 for a history
 * that says nothing.
 *
 * The exponent under which a curve explains held-out choices best was .12 to .25 for co-occurrence,
 * cosine and ridge on MovieLens 1M, Amazon CDs and the retail set, and .06 to .4 for all other
 * similarities; .2 is nearly as good as the best for each.
 */
extern double RankLevel(const RankEntry *entries, size_t count);

/*
 * Adds up every score the entries lead to, in a scratch that is clear; item numbers are below
 * slots.
 */
extern void RankScore(RankScratch *scratch, const RankEntry *entries, size_t count, double norm);

/* Counts every item as reached, for scores that are put to score[] straight away. */
extern void RankReachAll(RankScratch *scratch);

/* As many candidates as there may be, or some more. */
extern uint32_t RankReached(const RankScratch *scratch);

/* The items of a score other than 0, in no order, to items[RankReached]; returns how many. */
extern uint32_t RankScored(const RankScratch *scratch, uint32_t *items);

/* Forgets every score but those of the items, of which none is named twice; saved is their room. */
extern void RankKeep(RankScratch *scratch, const uint32_t *items, uint32_t count, double *saved);

/* Takes an item out of the running. */
static inline void
RankStrike(RankScratch *scratch, uint32_t item)
{
	scratch->score[item] = 0;
}

/* Multiplies an item's score by something above 0. */
static inline void
RankTimes(RankScratch *scratch, uint32_t item, double factor)
{
	scratch->score[item] *= factor;
}

/*
 * The k best of what has a finite score above 0, to best[k]: greater score first, of equals the
 * smaller number.  Returns how many there are, and leaves the scratch clear.  One
 * comparison for what does not get in, O(log k) for what does.
 */
extern uint32_t RankTop(RankScratch *scratch, RankItem *best, uint32_t k);

/* The sum of all finite scores above 0, in the order of numbers; leaves the scratch clear. */
extern double RankSum(RankScratch *scratch);

/*
 * What rounds the terms of a history: adding it to a term and taking it away again leaves a
 * multiple of the power of two.  0, which rounds nothing, where the history says nothing.
 */
extern double RankGrid(const RankEntry *entries, size_t count, double norm);

/* A term of a score, as a whole number of units; who adds some up has no operations fused. */
static inline double
RankTerm(double weight, double similarity, double grid)
{
	return (weight * similarity + grid) - grid;
}

/* The part of one entry in the score of one item: 0 where it says nothing about it. */
extern double RankShare(const RankEntry *entry, double norm, double grid, uint32_t item);

/*
 * For each of a few items, which entry has the greatest part in its score, the first of equals:
 * because[] gets the entry's place, or -1 where no part is above 0.  The scratch is clear before
 * and after.  RankBecause reads every entry's row; RankBecauseColumns, where the columns are at
 * hand, only what speaks for the items.
 */
extern void RankBecause(RankScratch *scratch, const RankEntry *entries, size_t count, double norm,
						const uint32_t *items, uint32_t item_count, int64_t *because);
extern void RankBecauseColumns(RankScratch *scratch, const RankColumns *columns,
							   const RankEntry *entries, size_t count, double norm,
							   const uint32_t *items, uint32_t item_count, int64_t *because);

/*
 * The part of each of a few items' scores that comes from attributes alone, to part[].  The scratch is
 * clear before and after.
 */
extern void RankContent(RankScratch *scratch, const RankEntry *entries, size_t count, double norm,
						const uint32_t *items, uint32_t item_count, double *part);

/* Scores back to zero, at the cost of what was touched. */
extern void RankClear(RankScratch *scratch);

#endif
