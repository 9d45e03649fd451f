/*
 * pairs.h: one row of A'A, the kernel of everything learned from co-occurrence.
 *
 * Gustavson's row-by-row product (1978): for one item, walk its users, and for each of them walk
 * the user's items, adding up.  c_ij is c_ji, so a row stops before its own item: items are
 * numbered by popularity, and a row's sums are those with the more popular ones.
 *
 * A pair has one sum of 64 bits: below, how many users have both; above, their weighted sum in
 * fixed point.  One addition does both, and sums of integers are exact: they do not depend on the
 * order of users, on how rows are shared out, or on how often the data is passed over.
 *
 * Cost: for every user half the square of their number of items.  Learning cosine neighbours, k =
 * 100, from 20 million events (133,000 users, 22,000 items), processor seconds of one process:
 *
 *   whole rows, a float and a count a pair, every pair offered to its row      13.0
 *   half the rows, one sum of 64 bits, offered where it may get in              4.4
 *
 * of which adding up took 8 and 2.9.  Twice in one run, on a machine busy with other work:
 *
 *   32 bits an item, what a user adds looked up by user      9.1   8.3   adding up 6.9   6.1
 *   16 bits where they do, looked up by length of list       6.4   5.9             4.5   4.1
 *   the kernel of bench/                                                           3.4   3.5
 *
 * Lists are short and lie anywhere, so that it is the memory they are spread over that costs.
 * Where cells differ they take six bytes instead of two, and reading took four tenths of the time.  Every
 * eighth of the ranges, on a machine busier still, medians in turns, each line beside the first in its run:
 *
 *                                                            counts   products
 *   16 lines of a list ahead, six lists, to the first cache     1         1
 *   products reckoned several at a time                          -       .92
 *   64 lines, four lists, to the second cache                    -       .84
 *   both                                                      1.05       .76
 *   and items of 16 bits read four at a time                   .95       .78
 *
 * Where every user adds the same, rows that are not listed are counted in 32 bits, which lie in half as much
 * memory.  Learning as above on another machine (Intel), seconds of one process and of two:
 *
 *   sums of 64 bits                                          4.40  2.33
 *   the copy of the lists in large pages also where memory had been used before (base/pages)
 *                                                            3.99  2.33
 *   counts of 32 bits, made sums when a row ends             3.74  2.17
 *   items counted one by one, 16 lines and six lists ahead to the first cache, which this processor
 *   prefers; lists turned on from where they were left       3.37  1.95
 *   counts sifted as such                                    3.14  1.83
 *   the kernel of bench/                                     2.62  1.36
 *
 * The same a day later, medians in turns, not all in one run:
 *
 *   before                                                   3.27  1.82
 *   users of items counted once, lists named by where they begin, and eight lines of each sent for
 *   without asking how long it is                            3.16  1.81
 *   what a row's own item gets foreseen (learn/cooccurrence), and offered all at once
 *                                                            2.86  1.60
 *   ranges shared item by item, four children to an entry of a heap (math/best)
 *                                                            2.77  1.57
 *   the kernel of bench/, in the first run and the last      2.64  1.35   2.78  1.40
 *
 * And after another day, medians of five turns in one run:
 *
 *   before                                                   2.83  1.56
 *   ranges turned once for all and rows dealt out one by one (learn/turning), no look at users for places
 *   that save little memory, what other items hold sent for  2.74  1.51
 *
 * Where cells come in few values (math/levels), a user's list is read in three bytes a cell, and products are
 * looked up: of the same events with their weights, 7.4 and 4.4 seconds before, 5.6 and 3.4 with it.
 */
#ifndef RECO_PAIRS_H
#define RECO_PAIRS_H

#include <stdbool.h>

#include "math/sparse.h"

/* users with both | weighted sum << bits, below 2^63 */
typedef uint64_t PairSum;

/* How a sum is to be read. */
typedef struct PairScale
{
	uint32_t bits; /* that count users */
	double unit;   /* what one in the upper part is worth */
} PairScale;

static inline uint32_t
PairUsers(PairSum sum, PairScale scale)
{
	return (uint32_t) (sum & ((UINT64_C(1) << scale.bits) - 1));
}

static inline double
PairWeight(PairSum sum, PairScale scale)
{
	return (double) (sum >> scale.bits) * scale.unit;
}

/*
 * The scale for sums of fewer than 2^31 users and at most such a weight, with as many bits for the
 * weight as are left; most is 0 or more and finite.
 *
 * Each addition is rounded to whole units.  A unit is at most 2^(bits - 61) of the greatest sum: for
 * a pair of a million users 2^-41, so that a user who counts for a millionth of that sum is off by
 * a millionth or less, and one who counts for less than a unit's half, for nothing.
 */
extern PairScale PairsScale(uint32_t users, double most);

/*
 * The power of two next above the root of a mass, the sum of v_ui^2 over the users of an item.
 * Cells divided by it leave pairs of at most 1, and no digit is lost by it.
 */
extern double PairsRoot(double mass);

/* What a pair's sum grows by for one user with both of them; weight is 0 or more, at most "most". */
static inline PairSum
PairStep(double weight, PairScale scale)
{
	return ((PairSum) (weight / scale.unit + 0.5) << scale.bits) + 1;
}

/*
 * Cells as numbers of few values: a cell is its value times the root of its user's factor, as a float.  code is
 * NULL where cells are kept otherwise.
 */
typedef struct PairLevels
{
	const uint8_t *code;    /* of each cell */
	const double *value;    /* [LEVELS_MOST], in the order of the least item that has each */
	const double *root;     /* by the number of the user's items */
	const uint16_t *needed; /* [items], how many of the values those up to an item have */
} PairLevels;

typedef struct PairsInput
{
	Sparse by_user; /* v_uj, rows sorted by item */
	/* Its columns once more, where 16 bits hold them and there is room: rows are then read here. */
	const uint16_t *narrow;
	/* Its transpose, of a range of items, without values: rows sorted by user. */
	Sparse by_item;
	bool begins;       /* its columns are not users but where their lists begin; only with same */
	uint32_t *place;   /* of each entry, how many entries of its user come before it */
	uint32_t first;    /* the item of by_item's first row */
	PairLevels levels; /* instead of by_user's values, where there are few */
	/*
	 * Where there are neither, what a user adds to a pair: of each, or where that is NULL, by
	 * the number of their items.  Otherwise the product of two values is what they add.
	 */
	const PairSum *step;
	const PairSum *step_of_count;
	PairSum same; /* what every user adds, where that is the same for all; else 0 */
	PairScale scale;
	double mean_list; /* items of the user of a random entry, for a guess at a row's work */
} PairsInput;

/* The sums of an item with those below it. */
typedef struct PairRow
{
	uint32_t item;
	uint32_t count;          /* of those it meets, which are listed; without a list, item */
	const uint32_t *touched; /* NULL where they are not listed */
	const PairSum *sums;     /* [item], 0 for those it does not meet */
	const uint32_t *counts;  /* or users of both, each of whom added the same; else NULL */
	PairSum same;
	bool first; /* of the first users only; the same row of all comes next */
} PairRow;

static inline PairSum
PairRowSum(const PairRow *row, uint32_t other)
{
	return row->counts ? row->counts[other] * row->same : row->sums[other];
}

/*
 * Adds the row of one item to sums[0 .. item - 1], all zero before.  Where few of them are met,
 * lists these in touched[] and returns true; touched has item + 1 places.
 */
extern bool PairsRow(const PairsInput *in, uint32_t item, PairSum *sums, uint32_t *touched,
					 uint32_t *count);

/*
 * Counts the users of each pair of the row instead, in counts[0 .. item - 1], all zero before, where every user
 * adds the same and items are not listed; otherwise returns false, and nothing is done.
 */
extern bool PairsCount(const PairsInput *in, uint32_t item, uint32_t *counts);

/* The same as PairsRow by way of the sums of the users below one, and then those of the rest. */
extern bool PairsRowBefore(const PairsInput *in, uint32_t item, uint32_t user, PairSum *sums,
						   uint32_t *touched, uint32_t *count);
extern bool PairsRowRest(const PairsInput *in, uint32_t item, uint32_t user, PairSum *sums,
						 uint32_t *touched, uint32_t *count);

/* The same to sums that need not be zero, and nothing is listed: for users that come in parts. */
extern void PairsAdd(const PairsInput *in, uint32_t item, PairSum *sums);

/* What one user adds to the sum of a pair. */
typedef struct PairTerm
{
	uint32_t other;
	uint32_t low; /* halves of the term, so that it takes twelve bytes */
	uint32_t high;
} PairTerm;

static inline PairSum
PairTermSum(const PairTerm *term)
{
	return (PairSum) term->high << 32 | term->low;
}

/* Writes the terms of the row of one item instead of adding them up.  Returns how many there are. */
extern uint64_t PairsTerms(const PairsInput *in, uint32_t item, PairTerm *terms);

#endif
