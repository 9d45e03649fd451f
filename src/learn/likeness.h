/*
 * likeness.h: how alike items are by what the catalogue says of them.
 *
 * The mean over all attributes of the cosine of TF-IDF weighted tokens (Salton & Buckley 1988), idf =
 * ln(items / items with the token): what two items share counts by how much it tells apart, and ten
 * words of a title no more than one category.
 *
 * To weigh attributes by how well they explain what people chose together was tried on MovieLens and
 * found new items less well than the plain mean: words of titles explain sequels, and little else.
 */
#ifndef RECO_LIKENESS_H
#define RECO_LIKENESS_H

#include "learn/interactions.h"
#include "math/pairs.h"

/* Items of more users than so many times "content", whose share is below a quarter, are well known. */
#define LIKENESS_USERS 3

/* Well-known items that others are asked about. */
#define LIKENESS_SAMPLE 500

typedef struct LikenessInput
{
	Sparse *by_token;      /* columns are numbers of items; used up */
	uint16_t *column;      /* [tokens], of which attribute each is; used up */
	uint32_t columns;      /* attributes */
	uint32_t catalogue;    /* items that have attributes */
	const uint32_t *place; /* [by_token->columns]: items of the matrix come first, in its order */
	const ItemStat *stat;  /* of these */
	uint32_t known;        /* how many they are */
	double content;        /* users that attributes count as much as */
} LikenessInput;

/*
 * Tokens by items in an order of their own: what is well known, then a sample of it, then the needy,
 * those of them last that nobody has.
 */
typedef struct Likeness
{
	const LikenessInput *input;
	uint32_t items;
	uint32_t *at;   /* [items], the place of each in this order */
	uint32_t *item; /* the inverse */
	uint32_t first_sample;
	uint32_t first_needy;
	uint32_t first_unused;
	uint64_t *start;  /* [items + 1], cells of the items before each */
	PairsInput pairs; /* for the kernel, whose sums are likeness */
} Likeness;

/* The users of an item, by its place in the input. */
static inline uint32_t
LikenessUsers(const LikenessInput *input, uint32_t item)
{
	return item < input->known ? input->stat[item].users : 0;
}

static inline bool
LikenessNeedy(const LikenessInput *input, uint32_t item)
{
	return LikenessUsers(input, item) <= LIKENESS_USERS * input->content;
}

/* Bytes of the budget that it takes. */
extern uint64_t LikenessBytes(const LikenessInput *input);

/*
 * Makes the matrix.  Tokens that more than half of the items have are left out, and the most frequent
 * where the rows from the sample on would be more than a second's work.  O(cells of the tokens).
 */
extern Likeness *LikenessLearn(const LikenessInput *input, Budget *budget);

/* The transpose of a range of rows, ready for the kernel; and what gives it back. */
extern void LikenessTurn(Likeness *likeness, uint32_t begin, uint32_t end, Budget *budget);
extern void LikenessUnturn(Likeness *likeness, Budget *budget);

extern void LikenessFree(Likeness *likeness, Budget *budget);

#endif
