/*
 * shortlist.h: the k best of a history, by way of a short list.
 *
 * Scores are added up in single precision first, which has half as much to read and to write and
 * rounds nothing to a grid.  How far such a sum can be from the score is known: with u = 2^-24, n
 * entries, and M no less than any sum of absolute parts can come to (math/rank's grid says one),
 *
 *   |sum - score|  <=  (n + 3) u M, and something for numbers too small for single precision
 *
 * (Higham 2002, section 4.2: any order of n additions is off by (n - 1) u of the sum of
 * absolute terms; a term's weight and product are off by u each).  Whatever is as good as the kth
 * best score has therefore a sum no lower than the kth greatest sum less twice that.  Mostly a
 * dozen items have; of these alone the scores are reckoned, exactly as math/rank does, and with
 * them which entry counts most.  So the answer is the very answer of RankScore, RankTop and RankBecause.
 *
 * O(pairs of the rows + slots), like those, in less than half of the time on 20 million events of 138,000
 * users and 27,000 items.  Every twelfth of these, lists of ten, processor milliseconds, least of ten runs,
 * in turns on a machine busy with other work:
 *
 *                                                           adding up   the best
 *   items one by one; a map's bits apart from what comes before   139        130
 *   items four at a time, nothing read anew in between            116        126
 *   a map's words whole, some entries for all candidates          115        119
 *   signs of sums drawn together without leaving the vector       118        105
 *
 * What costs is to come by the rows, not to reach the sums: with all entries of one and the same row adding up
 * took 69 where it took 121, with sums of 2,000 items only as long as with all 27,000.  So who makes many
 * lists has rows, maps and columns in large pages (data/held).  The same twelfth, medians of five in turns,
 * on a machine busier still:
 *
 *                                                           adding up   the best
 *   two rows ahead, to the first cache                            146        103
 *   six rows ahead, to the second cache                           131        106
 *   two rows ahead, to the first cache; large pages               126         95
 *   six rows ahead, to the second cache; large pages              108         97
 *
 * Similarities of 16 bits, which have a third less to read, took longer: they have to be made floats.  So
 * did sums of 16 bits.  An item and a similarity of 16 bits in one number, added up as integers where all
 * weights are the same, took an eighth less than floats in large pages: too little for a second way.
 */
#ifndef RECO_SHORTLIST_H
#define RECO_SHORTLIST_H

#include "math/rank.h"

/* Lists longer than that are not made this way. */
#define SHORTLIST_MOST 64

typedef struct Shortlist
{
	uint32_t slots;
	float *sum;             /* [slots, up to whole groups], zero between uses */
	const uint32_t *item;   /* the items of all rows, in one array */
	const uint16_t *narrow; /* a copy of it where 16 bits do, or NULL */
	RankColumns columns;    /* of the same rows */
	RankScratch *scratch;   /* whose marks are used */
	/*
	 * Columns of more than SHORTLIST_LONG sources as bits, so that a history need not read them: in
	 * word w of a map those of sources 32 w to 32 w + 31, and above them how many came before.
	 */
	const uint32_t *map; /* [slots], which map a column has, from 1 on; NULL where there are none */
	const uint64_t *word;
	uint64_t made; /* lists so far */
} Shortlist;

#define SHORTLIST_LONG 256

/* How many columns are that long, and how many words a map has. */
extern uint32_t ShortlistMaps(const RankColumns *columns, uint32_t slots);

static inline uint32_t
ShortlistWords(uint32_t slots)
{
	return slots / 32 + 1;
}

/* Gives a list maps, of words for as many zeroed ones as there are. */
extern void ShortlistMap(Shortlist *list, uint32_t *map, uint64_t *word);

/* Bytes of the sums, and setting a list up with as many zeroed ones. */
extern size_t ShortlistBytes(uint32_t slots);
extern void ShortlistInit(Shortlist *list, void *zeroed, uint32_t slots);

/* Adds up the sums of a history, whose entries are of the list's rows. */
extern void ShortlistAdd(Shortlist *list, const RankEntry *entries, size_t count, double norm);

/* Takes an item out of the running. */
static inline void
ShortlistStrike(Shortlist *list, uint32_t item)
{
	list->sum[item] = 0;
}

/*
 * The k best of what was added up, best first, as RankTop has them, and for each the place of the entry
 * that counts most, as RankBecause has it.  False where sums do not tell: because fewer than k are above
 * 0, because scores are too close to each other, or too large or too small.  Forgets the sums either way.
 */
extern bool ShortlistBest(Shortlist *list, const RankEntry *entries, size_t count, double norm,
						  double grid, uint32_t k, RankItem *best, int64_t *because);

#endif
