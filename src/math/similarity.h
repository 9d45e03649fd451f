/*
 * similarity.h: what two items have to do with each other, from counts.
 *
 * Notation of DESIGN 5: c_ij the weighted users with both items, n_i the weighted users of an
 * item, i in the history, j recommended.
 *
 *   family       s(i -> j) = c_ij / (n_i^p * n_j^q), c_ij = sum of h_u^-b * f(r_ui) * f(r_uj),
 *                n_i = sum of f(r_ui)^2, so that unweighted n_i is the number of users
 *     cooccurrence  b=.5 p=.65 q=.2    one setting that serves sparse and dense sets alike
 *     cosine        b=0  p=.5  q=.5
 *     asymmetric    b=0  p=.75 q=.25   Aiolli 2013
 *     conditional   b=0  p=1   q=0     P(j | i); Deshpande & Karypis 2004 with q > 0
 *     rp3beta       b=1  p=1   q=.6    Paudel, Christoffel, Newell, Bernstein 2017
 *     next          b=.33 p=.65 q=.2   c_ij counts what followed what; see learn/next
 *   over plain counts of users
 *     jaccard       both / (a + b - both)
 *     llr           G2 of the 2 x 2 table, Dunning 1993; pairs that meet less than chance are left out
 *     lift          both * all / (a * b)
 *   text weights
 *     tfidf         cosine of sqrt(f) * ln((1 + items) / (1 + h_u))
 *     bm25          dot product of f * (k1 + 1) / (k1 * (1 - B + B * n_i / mean n) + f) * the same
 *                   logarithm; Robertson & Zaragoza 2009, k1 = 1.2, B = .75
 *
 * Each is multiplied by users / (users + shrinkage), and pairs of fewer than min_support users
 * have none.
 */
#ifndef RECO_SIMILARITY_H
#define RECO_SIMILARITY_H

#include "math/best.h"
#include "math/pairs.h"

typedef enum SimilarityKind
{
	SIMILARITY_COOCCURRENCE,
	SIMILARITY_COSINE,
	SIMILARITY_ASYMMETRIC,
	SIMILARITY_CONDITIONAL,
	SIMILARITY_RP3BETA,
	SIMILARITY_JACCARD,
	SIMILARITY_LLR,
	SIMILARITY_LIFT,
	SIMILARITY_TFIDF,
	SIMILARITY_BM25,
	SIMILARITY_NEXT,  /* the family over pairs counted in order of time, by learn/next */
	SIMILARITY_RIDGE, /* no measure of its own: counts choose candidates, learn/ridge weighs them */
	SIMILARITY_AUTO,  /* one of the others, picked by learn/automatic */
	SIMILARITY_KINDS
} SimilarityKind;

typedef struct SimilarityRule
{
	SimilarityKind kind;
	double user_exponent;   /* b */
	double source_exponent; /* p */
	double target_exponent; /* q */
	double shrinkage;
	uint32_t min_support;
} SimilarityRule;

/*
 * Whose k best are kept: each source's (its row has at most k) or each target's (it is in at most k
 * rows).
 */
typedef enum SimilarityKeep
{
	SIMILARITY_KEEP_SOURCE,
	SIMILARITY_KEEP_TARGET,
	SIMILARITY_KEEPS
} SimilarityKeep;

/* All that decides what is learned from a matrix. */
typedef struct SimilarityOptions
{
	SimilarityRule rule;
	uint32_t k;
	uint32_t k_most; /* what auto may raise k to; 0 where somebody said k */
	SimilarityKeep keep;
	double lambda; /* of ridge, like the next four */
	uint32_t candidates;
	double damping;  /* weights are divided by (n_i^3 n_j)^(damping / 2), by numbers of users */
	double blend;    /* the share of the counts among the weights, 0 to 1 */
	double indirect; /* the share of what neighbours of neighbours say, 0 to 1 */
	double recency;  /* how histories are read, not what is learned; 0 for the similarity's own */
} SimilarityOptions;

/* What the options may be; settings, arguments and documentation all take them from here. */
#define SIMILARITY_K_DEFAULT           100
#define SIMILARITY_K_MOST              200
#define SIMILARITY_K_MAX               1000
#define SIMILARITY_EXPONENT_MAX        2.0
#define SIMILARITY_SHRINKAGE_MAX       1e6
#define SIMILARITY_MIN_SUPPORT_DEFAULT 2
#define SIMILARITY_MIN_SUPPORT_MAX     1000000
#define SIMILARITY_LAMBDA_DEFAULT      4
#define SIMILARITY_LAMBDA_MIN          0.001
#define SIMILARITY_LAMBDA_MAX          1000000
#define SIMILARITY_DAMPING_DEFAULT     0
#define SIMILARITY_BLEND_DEFAULT       0
#define SIMILARITY_INDIRECT_DEFAULT    0
#define SIMILARITY_RECENCY_NEXT        0.6
#define SIMILARITY_RECENCY_MIN         0.01
#define SIMILARITY_CANDIDATES_DEFAULT  200
#define SIMILARITY_CANDIDATES_MAX      1000

/* The exponents of a kind as in the table above, no shrinkage, min_support 1. */
extern SimilarityRule SimilarityPreset(SimilarityKind kind);

/* True for kinds that have exponents: the others are measures without. */
extern bool SimilarityHasExponents(SimilarityKind kind);

/*
 * What an item of a history counts for, as a share of what the next newer one does: 1 where the
 * order does not matter.
 */
extern double SimilarityRecency(const SimilarityOptions *options);

/* True where the order of a user's items in time is needed, to learn or to read histories. */
extern bool SimilarityNeedsOrder(const SimilarityOptions *options);

/* d_u, the factor of a user with h items out of all. */
extern double SimilarityUserFactor(const SimilarityRule *rule, uint32_t h, uint32_t items);

/* True for kinds of which cells are not the weights themselves. */
extern bool SimilarityWeighsCells(const SimilarityRule *rule);

/*
 * v_ui, the value of one cell: f its weight, n and mean_n the sums of f of its item and of the mean
 * item.
 */
extern double SimilarityCell(const SimilarityRule *rule, double f, double n, double mean_n);

/* What a pair's similarity needs to know of every item. */
typedef struct SimilarityTable
{
	SimilarityRule rule;
	PairScale scale;
	const float *source;   /* n_i^-p, [items]; family, tfidf, bm25 */
	const float *target;   /* n_j^-q */
	const uint32_t *users; /* [items] */
	const uint32_t
		*target_users; /* of b in s(a -> b), where targets are counted apart; else NULL */
	double users_all;
} SimilarityTable;

/*
 * What two items say of each other: s(a -> b) and s(b -> a), each 0 where there is none.  Neither
 * is ever NaN or infinite.
 */
extern void SimilarityPair(const SimilarityTable *table, uint32_t a, uint32_t b, PairSum sum,
						   float *ab, float *ba);

/* The least value that still gets in among the best of every item: as a source, as a target. */
typedef struct SimilarityLeast
{
	const float *from; /* [items] */
	const float *to;
} SimilarityLeast;

/*
 * Lists in found[] which pairs of a part of a row may get in anywhere: all that do, and few others.
 * The part is at most SIMILARITY_PART items: those from first on, or listed in row->touched[] from there
 * on where it is not NULL.  Returns how many are found.  A few operations an item, several
 * items at a time.
 */
#define SIMILARITY_PART 256
extern uint32_t SimilaritySift(const SimilarityTable *table, const PairRow *row, uint32_t first,
							   uint32_t count, const SimilarityLeast *least, uint32_t *found);

/*
 * Of each so many pairs of a row that is not listed, what the best is worth at the least: to the row's own
 * item as source, or as target.  Writes a key for each (math/best, the index is that of the block).  False where
 * that is not said: with shrinkage, or of measures that count users alone.
 */
#define SIMILARITY_BLOCK 32
extern bool SimilarityPeaks(const SimilarityTable *table, const PairRow *row, bool as_source,
							uint64_t *peaks);

static inline uint32_t
SimilarityBlocks(uint32_t items)
{
	return items / SIMILARITY_BLOCK + (items % SIMILARITY_BLOCK > 0);
}

/* The measures over plain counts; NaN where a count they divide by is 0. */
extern double SimilarityCosine(double both, double a, double b);
extern double SimilarityJaccard(double both, double a, double b);
extern double SimilarityLlr(double both, double a, double b, double all);
extern double SimilarityLift(double both, double a, double b, double all);

#endif
