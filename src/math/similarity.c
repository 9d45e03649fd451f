#include "math/similarity.h"

#include <math.h>

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
	[SIMILARITY_RIDGE] = {0.33, 0.65, 0.2},
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

double
SimilarityUserFactor(const SimilarityRule *rule, uint32_t h, uint32_t items)
{
	if (rule->kind == SIMILARITY_TFIDF || rule->kind == SIMILARITY_BM25)
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

uint32_t
SimilarityRow(const SimilarityTable *table, uint32_t item, SimilaritySide side, const PairSum *sums,
			  const uint32_t *touched, uint32_t touched_count, Best *heap, uint32_t k)
{
	const SimilarityRule *rule = &table->rule;
	bool counts = rule->kind == SIMILARITY_JACCARD || rule->kind == SIMILARITY_LLR ||
				  rule->kind == SIMILARITY_LIFT;
	const float *others = side == SIMILARITY_FROM ? table->target : table->source;
	float own = counts ? 0 : side == SIMILARITY_FROM ? table->source[item] : table->target[item];
	float shrinkage = (float) rule->shrinkage;
	uint32_t count = 0;

	for (uint32_t t = 0; t < touched_count; t++)
	{
		uint32_t other = touched[t];
		uint32_t users = sums[other].users;
		Best candidate = {.index = other, .support = users};

		if (users < rule->min_support || other == item)
			continue;

		if (counts)
			candidate.value =
				(float) count_similarity(table, users, table->users[item], table->users[other]);
		else
			candidate.value = sums[other].sum * (own * others[other]);
		if (shrinkage > 0)
			candidate.value *= users / (users + shrinkage);

		/* Neither zero nor NaN gets in. */
		if (candidate.value > 0 && isfinite(candidate.value))
			BestOffer(heap, &count, k, candidate);
	}
	return count;
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
