/*
 * fold.h: the factors of a user from those of the items of a history, or the other way round.
 *
 * The objective is that of iALS (Hu, Koren, Volinsky 2008) as Rendle, Krichene, Zhang, Koren 2021
 * write it, with their regularisation, nu = 1, and weights a_ui of what was observed:
 *
 *   sum a_ui (x_u . y_i - 1)^2 + alpha0 sum over all u, i of (x_u . y_i)^2
 *     + lambda (sum over u of (A_u + alpha0 |I|) |x_u|^2 + sum over i of (A_i + alpha0 |U|) |y_i|^2)
 *
 * with A_u, A_i the sums of a user's and an item's weights.  Where all y_i are given, x_u solves
 *
 *   M_u x_u = sum over i in history(u) of a_ui y_i
 *   M_u = sum of |a_ui| y_i y_i' + alpha0 Y'Y + lambda (A_u + alpha0 |I|) I
 *
 * A dislike has a weight below 0 and stands for -1 in place of 1.  What does not depend on u is
 * the base: alpha0 Y'Y + lambda alpha0 |I| I.
 *
 * The score of an item is x_u . y_i, and splits into one part an item j of the history (Hu et al.,
 * section 5): a_uj y_j . M_u^-1 y_i.
 */
#ifndef RECO_FOLD_H
#define RECO_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the options may be; settings, arguments and documentation all take them from here. */
#define FOLD_FACTORS_DEFAULT    64
#define FOLD_FACTORS_MAX        512
#define FOLD_ITERATIONS_DEFAULT 16
#define FOLD_ITERATIONS_MAX     1000
#define FOLD_LAMBDA_DEFAULT     0.004
#define FOLD_LAMBDA_MIN         0.000001
#define FOLD_LAMBDA_MAX         1000
#define FOLD_UNOBSERVED_DEFAULT 16
#define FOLD_UNOBSERVED_MIN     0.000001
#define FOLD_UNOBSERVED_MAX     1000000

/* All that decides what factors are learned from a matrix. */
typedef struct FoldOptions
{
	uint32_t factors;
	uint32_t iterations;
	double lambda;
	double unobserved;    /* what all pairs weigh by alpha0, over all that was observed */
	uint32_t min_support; /* items of fewer users have no factors */
} FoldOptions;

/* Rows of factors lie so many floats apart, a multiple of FOLD_LANES; what is over is 0. */
#define FOLD_LANES 16

static inline uint32_t
FoldWidth(uint32_t factors)
{
	return (factors + FOLD_LANES - 1) / FOLD_LANES * FOLD_LANES;
}

/* What all users are folded in with. */
typedef struct Fold
{
	uint32_t factors;
	uint32_t width;
	float lambda;
	const float *base; /* [width * width], of which the upper triangle is read */
} Fold;

/* One item of a history, of those that have factors. */
typedef struct FoldEntry
{
	const float *row;
	float weight;
} FoldEntry;

/*
 * base := alpha0 Y'Y + lambda alpha0 |I| I, from so many rows; alpha0 is unobserved as it stands in
 * the options.  sums has width * width places.
 */
extern void FoldBase(const float *rows, uint32_t count, const FoldOptions *options, double *sums,
					 float *base);

/* Floats of memory that FoldIn works in. */
extern size_t FoldScratch(uint32_t width);

/*
 * x[width] := the factors of a history.  False where they cannot be had, and x is then 0.  The
 * scratch keeps the decomposition of M_u for FoldShares.  O(entries * factors^2 + factors^3).
 */
extern bool FoldIn(const Fold *fold, const FoldEntry *entries, size_t count, float *scratch,
				   float *x);

/*
 * What makes scores of different users comparable, which the match curve needs: n^-1/2 for a history
 * of n items, by their effective number as RankLevel has it.  Who has chosen many items scores
 * higher with all.  Of exponents from 0 to .8, a half left least unexplained of what was chosen and
 * what was drawn by lot, on MovieLens 1M as on the retail set.
 */
extern double FoldLevel(const FoldEntry *entries, size_t count);

/* x . y, as the score of an item is made of it. */
extern double FoldDot(const float *x, const float *y, uint32_t width);

/*
 * The score of an item, or of several, x . y in whole units of 2^-40, the same bits whoever asks; and the parts of
 * a history's entries in it, which add up to it to the last bit, since the largest takes what
 * rounding leaves.  v[width] is room; x and the scratch are those of the history folded in last.
 */
extern double FoldScore(const float *x, const float *y, uint32_t width);
extern void FoldScores(const float *x, const float *rows, uint32_t count, uint32_t width,
					   double *score);
extern void FoldShares(const Fold *fold, const float *scratch, const FoldEntry *entries,
					   size_t count, const float *x, const float *y, float *v, double *share);

#endif
