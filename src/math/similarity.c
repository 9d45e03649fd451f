#include "math/similarity.h"

#include <math.h>

#include "base/clones.h"
#include "math/marks.h"

#define BM25_K1 1.2
#define BM25_B  0.75

static const struct
{
	double b, p, q;
} presets[SIMILARITY_KINDS] = {
	[SIMILARITY_COOCCURRENCE] = {0.5, 0.65, 0.2},
	[SIMILARITY_COSINE] = {0, 0.5, 0.5},
	[SIMILARITY_ASYMMETRIC] = {0, 0.75, 0.25},
	[SIMILARITY_CONDITIONAL] = {0, 1, 0},
	[SIMILARITY_RP3BETA] = {1, 1, 0.6},
	[SIMILARITY_TFIDF] = {0, 0.5, 0.5},
	[SIMILARITY_BM25] = {0, 0, 0},
	[SIMILARITY_NEXT] = {0.33, 0.65, 0.2},
	[SIMILARITY_RIDGE] = {0.33, 0.65, 0.2},
	[SIMILARITY_AUTO] = {0.33, 0.65, 0.2},
};

SimilarityRule
SimilarityPreset(SimilarityKind kind)
{
	return (SimilarityRule){
		.kind = kind,
		.user_exponent = presets[kind].b,
		.source_exponent = presets[kind].p,
		.target_exponent = presets[kind].q,
		.min_support = 1,
	};
}

bool
SimilarityHasExponents(SimilarityKind kind)
{
	return kind <= SIMILARITY_RP3BETA || kind == SIMILARITY_NEXT || kind == SIMILARITY_RIDGE;
}

double
SimilarityRecency(const SimilarityOptions *options)
{
	if (options->recency > 0)
		return options->recency;
	return options->rule.kind == SIMILARITY_NEXT ? SIMILARITY_RECENCY_NEXT : 1;
}

bool
SimilarityNeedsOrder(const SimilarityOptions *options)
{
	return options->rule.kind == SIMILARITY_AUTO || SimilarityRecency(options) < 1 ||
		   options->rule.kind == SIMILARITY_NEXT;
}

bool
SimilarityWeighsCells(const SimilarityRule *rule)
{
	return rule->kind == SIMILARITY_TFIDF || rule->kind == SIMILARITY_BM25;
}

double
SimilarityUserFactor(const SimilarityRule *rule, uint32_t h, uint32_t items)
{
	if (SimilarityWeighsCells(rule))
	{
		/* Both cells of a pair carry the logarithm, hence the square. */
		double idf = log((1.0 + items) / (1.0 + h));

		return idf * idf;
	}
	return rule->user_exponent == 0 ? 1.0 : pow(h, -rule->user_exponent);
}

double
SimilarityCell(const SimilarityRule *rule, double f, double n, double mean_n)
{
	if (rule->kind == SIMILARITY_TFIDF)
		return sqrt(f);
	if (rule->kind == SIMILARITY_BM25)
		return f * (BM25_K1 + 1) / (BM25_K1 * (1 - BM25_B + BM25_B * n / mean_n) + f);
	return f;
}

/* s without support and shrinkage, for the kinds that count users alone. */
static double
count_similarity(const SimilarityTable *table, double both, double a, double b)
{
	switch (table->rule.kind)
	{
		case SIMILARITY_JACCARD:
			return SimilarityJaccard(both, a, b);
		case SIMILARITY_LLR:
			/* G2 is as large for items that avoid each other; those have nothing to recommend. */
			if (both * table->users_all <= a * b)
				return 0;
			return SimilarityLlr(both, a, b, table->users_all);
		default:
			return SimilarityLift(both, a, b, table->users_all);
	}
}

static bool
counts_users(const SimilarityRule *rule)
{
	return rule->kind == SIMILARITY_JACCARD || rule->kind == SIMILARITY_LLR ||
		   rule->kind == SIMILARITY_LIFT;
}

/* Neither negative nor NaN nor infinite. */
static float
proper(double value)
{
	float f = (float) value;

	return f > 0 && isfinite(f) ? f : 0;
}

void
SimilarityPair(const SimilarityTable *table, uint32_t a, uint32_t b, PairSum sum, float *ab,
			   float *ba)
{
	const SimilarityRule *rule = &table->rule;
	uint32_t users = PairUsers(sum, table->scale);
	double shrunk = rule->shrinkage > 0 ? users / (users + rule->shrinkage) : 1;

	if (users < rule->min_support)
		*ab = *ba = 0;
	else if (counts_users(rule))
	{
		const uint32_t *of_b = table->target_users ? table->target_users : table->users;

		*ab = *ba = proper(shrunk * count_similarity(table, users, table->users[a], of_b[b]));
	}
	else
	{
		double weight = shrunk * PairWeight(sum, table->scale);

		*ab = proper(weight * ((double) table->source[a] * table->target[b]));
		*ba = proper(weight * ((double) table->source[b] * table->target[a]));
	}
}

/* How a row is looked through: what its sums are compared with. */
typedef struct Sieve
{
	const SimilarityTable *table;
	SimilarityLeast least;
	uint64_t user_mask;
	int32_t min_support;
	/* What the upper half of a sum is worth at most, with the row's own factor: as source, as target. */
	float as_source;
	float as_target;
	/* The least that gets in at the row's own item. */
	float own_from;
	float own_to;
} Sieve;

/*
 * The upper 32 bits of a sum, and one more, are at least what it is worth; with so much added for
 * rounding.  False where single precision cannot hold the factors.
 */
#define ROUNDING 1.00001

static bool
prepare_sieve(Sieve *sieve, const SimilarityTable *table, uint32_t item)
{
	double unit = table->scale.unit * (0x1p32 / (double) (UINT64_C(1) << table->scale.bits));

	unit *= ROUNDING;
	sieve->table = table;
	sieve->user_mask = (UINT64_C(1) << table->scale.bits) - 1;
	sieve->min_support = (int32_t) table->rule.min_support;
	if (counts_users(&table->rule))
		return false;
	sieve->as_source = (float) (unit * table->source[item]);
	sieve->as_target = (float) (unit * table->target[item]);
	return isnormal(sieve->as_source) && isnormal(sieve->as_target);
}

/*
 * True where a pair may get in: its users, the most that the upper half of its sum is worth, and the other
 * item's factors and least values.
 */
static inline bool
may_get_in(const Sieve *sieve, int32_t users, float most, float source, float target, float from,
		   float to)
{
	float speaks_least = sieve->own_from < to ? sieve->own_from : to;
	float spoken_least = sieve->own_to < from ? sieve->own_to : from;

	return (users >= sieve->min_support) & ((most * sieve->as_source * target >= speaks_least) |
											(most * sieve->as_target * source >= spoken_least));
}

/* The same by its sum. */
static inline bool
may_sum_get_in(const Sieve *sieve, PairSum sum, float source, float target, float from, float to)
{
	return may_get_in(sieve, (int32_t) (sum & sieve->user_mask),
					  (float) ((int32_t) (sum >> 32)) + 1.0f, source, target, from, to);
}

/*
 * Marks which of the items from first on may get in: by their sums or, where there are counts of users, by
 * these, each of whom adds so much to the upper half of a sum.  Which of the two is known when this is
 * compiled.
 */
static inline __attribute__((always_inline)) void
mark(const Sieve *all, const PairSum *restrict sums, const uint32_t *restrict counts, float each,
	 bool counted, uint32_t first, uint32_t count, unsigned char *restrict marks)
{
	const Sieve sieve = *all;
	const float *restrict source = sieve.table->source + first;
	const float *restrict target = sieve.table->target + first;
	const float *restrict from = sieve.least.from + first;
	const float *restrict to = sieve.least.to + first;

	for (uint32_t n = 0; n < count; n++)
		if (counted)
		{
			int32_t users = (int32_t) counts[n];

			marks[n] = may_get_in(&sieve, users, (float) users * each, source[n], target[n],
								  from[n], to[n]);
		}
		else
			marks[n] = may_sum_get_in(&sieve, sums[n], source[n], target[n], from[n], to[n]);
}

CLONES static void
mark_sums(const Sieve *sieve, const PairSum *restrict sums, uint32_t first, uint32_t count,
		  unsigned char *restrict marks)
{
	mark(sieve, sums + first, NULL, 0, false, first, count, marks);
}

CLONES static void
mark_counts(const Sieve *sieve, const uint32_t *restrict counts, float each, uint32_t first,
			uint32_t count, unsigned char *restrict marks)
{
	mark(sieve, NULL, counts + first, each, true, first, count, marks);
}

/* What each user of a row adds to the upper half of a sum, where there are counts. */
static inline float
each_of(const PairRow *row)
{
	return (float) ((double) row->same * 0x1p-32);
}

uint32_t
SimilaritySift(const SimilarityTable *table, const PairRow *row, uint32_t first, uint32_t count,
			   const SimilarityLeast *least, uint32_t *found)
{
	Sieve sieve;
	bool sifted = prepare_sieve(&sieve, table, row->item);
	uint32_t n = 0;

	sieve.least = *least;
	sieve.own_from = least->from[row->item];
	sieve.own_to = least->to[row->item];
	if (sifted && row->touched == NULL)
	{
		unsigned char marks[SIMILARITY_PART] = {0};

		if (row->counts)
			mark_counts(&sieve, row->counts, each_of(row), first, count, marks);
		else
			mark_sums(&sieve, row->sums, first, count, marks);
		return MarksList(marks, first, count, found);
	}
	for (uint32_t t = first; t < first + count; t++)
	{
		uint32_t other = row->touched ? row->touched[t] : t;
		PairSum sum = PairRowSum(row, other);
		bool in = sifted ? may_sum_get_in(&sieve, sum, table->source[other], table->target[other],
										  least->from[other], least->to[other])
						 : PairUsers(sum, table->scale) >= table->rule.min_support;

		found[n] = other;
		n += in;
	}
	return n;
}

/* Peaks from here on are not believed: pairs that are worth more than a float holds are none. */
#define PEAK_MOST 1e38f

/*
 * What pairs are worth at the least, as the bits of a float, by their sums or, where there are counts of users, by
 * these; which of the two is known when this is compiled.  Of numbers that are not negative the bits have the same
 * order, and are compared several at once.
 */
static inline __attribute__((always_inline)) void
weigh_part(const Sieve *all, const PairSum *restrict sums, const uint32_t *restrict counts,
		   bool counted, float own, const float *restrict factor, uint32_t count,
		   int32_t *restrict worth)
{
	const uint64_t user_mask = all->user_mask;
	const int32_t min_support = all->min_support;

	for (uint32_t n = 0; n < count; n++)
	{
		int32_t users = (int32_t) (counted ? counts[n] : sums[n] & user_mask);
		float most = (float) (counted ? users : (int32_t) (sums[n] >> 32));
		float value = most * own * factor[n];
		int32_t bits;

		memcpy(&bits, &value, sizeof(bits));
		worth[n] = bits & -(users >= min_support);
	}
}

/* The greatest of each block, as keys, and of all. */
static inline __attribute__((always_inline)) int32_t
greatest_of_blocks(const int32_t *worth, uint32_t first, uint32_t count, uint64_t *peaks)
{
	int32_t of_all = 0;

	for (uint32_t b = 0; b < count; b += SIMILARITY_BLOCK)
	{
		uint32_t block = (first + b) / SIMILARITY_BLOCK;
		int32_t greatest = 0;

		for (uint32_t n = 0; n < SIMILARITY_BLOCK; n++)
			greatest = worth[b + n] > greatest ? worth[b + n] : greatest;
		peaks[block] = (uint64_t) (uint32_t) greatest << 32 | ~block;
		of_all = greatest > of_all ? greatest : of_all;
	}
	return of_all;
}

static inline __attribute__((always_inline)) int32_t
find_peaks(const Sieve *sieve, const PairRow *row, bool counted, float own, const float *factor,
		   uint64_t *peaks)
{
	int32_t greatest = 0;

	for (uint32_t first = 0; first < row->item; first += SIMILARITY_PART)
	{
		uint32_t left = row->item - first;
		uint32_t count = left < SIMILARITY_PART ? left : SIMILARITY_PART;
		int32_t worth[SIMILARITY_PART];
		int32_t of_part;

		if (counted)
			weigh_part(sieve, NULL, row->counts + first, true, own, factor + first, count, worth);
		else
			weigh_part(sieve, row->sums + first, NULL, false, own, factor + first, count, worth);
		for (uint32_t n = count; n % SIMILARITY_BLOCK > 0; n++)
			worth[n] = 0;
		of_part = greatest_of_blocks(worth, first, count, peaks);
		greatest = of_part > greatest ? of_part : greatest;
	}
	return greatest;
}

CLONES static int32_t
peaks_of_sums(const Sieve *sieve, const PairRow *row, float own, const float *factor,
			  uint64_t *peaks)
{
	return find_peaks(sieve, row, false, own, factor, peaks);
}

CLONES static int32_t
peaks_of_counts(const Sieve *sieve, const PairRow *row, float own, const float *factor,
				uint64_t *peaks)
{
	return find_peaks(sieve, row, true, own, factor, peaks);
}

bool
SimilarityPeaks(const SimilarityTable *table, const PairRow *row, bool as_source, uint64_t *peaks)
{
	const float *factor = as_source ? table->target : table->source;
	Sieve sieve;
	int32_t greatest;
	float worth;
	float own;

	if (table->rule.shrinkage > 0 || !prepare_sieve(&sieve, table, row->item))
		return false;
	/* What is rounded up there is rounded down here. */
	own = (as_source ? sieve.as_source : sieve.as_target) / (float) (ROUNDING * ROUNDING);
	if (row->counts)
		greatest = peaks_of_counts(&sieve, row, own * each_of(row), factor, peaks);
	else
		greatest = peaks_of_sums(&sieve, row, own, factor, peaks);
	memcpy(&worth, &greatest, sizeof(worth));
	return worth < PEAK_MOST;
}

double
SimilarityCosine(double both, double a, double b)
{
	return a > 0 && b > 0 ? both / sqrt(a * b) : NAN;
}

double
SimilarityJaccard(double both, double a, double b)
{
	return a + b - both > 0 ? both / (a + b - both) : NAN;
}

/* x ln(x / expected), 0 where x is 0. */
static double
surprise(double x, double expected)
{
	return x > 0 ? x * log(x / expected) : 0;
}

double
SimilarityLlr(double both, double a, double b, double all)
{
	double g;

	if (!(all > 0))
		return NAN;

	/* G2 = 2 * sum over the four cells of observed * ln(observed / expected) */
	g = surprise(both, a * b / all) + surprise(a - both, a * (all - b) / all) +
		surprise(b - both, (all - a) * b / all) +
		surprise(all - a - b + both, (all - a) * (all - b) / all);
	return g > 0 ? 2 * g : 0;
}

double
SimilarityLift(double both, double a, double b, double all)
{
	return a > 0 && b > 0 ? both * all / (a * b) : NAN;
}
