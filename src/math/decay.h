/*
 * decay.h: how much an event still says after a while, and how much its weight says at all.
 */
#ifndef RECO_DECAY_H
#define RECO_DECAY_H

#include <math.h>
#include <stdint.h>

/* 2^(-age / half_life), both in seconds; a half_life of 0 is no decay. */
static inline double
DecayFactor(double age, double half_life)
{
	return half_life > 0 ? exp2(-age / half_life) : 1.0;
}

/*
 * When sums of decayed events are as of: the first whole number of half-lives since 2000-01-01 that no
 * event is later than.  Unlike the time of asking it is the same until newer events come, so are the
 * roundings of such sums, and to go on by a half-life rounds nothing.
 */
static inline double
DecayPeriods(int64_t newest, double half_life)
{
	return half_life > 0 ? ceil((double) newest / half_life) : 0;
}

/* What is left of an item of a history by how many times of the user's are newer than its own. */
static inline double
DecayByPosition(double recency, uint32_t position)
{
	return recency < 1 ? pow(recency, position) : 1.0;
}

/*
 * A decayed sum is kept as log2 of what it was at a fixed time (forward decay: Cormode,
 * Shkapenyuk, Srivastava, Xu 2009), so that it need not be written again as time passes.  This
 * turns it to a rate, by the offset that stands for the time asked about.
 */
static inline double
DecayedRate(double log2_sum, double offset)
{
	return isnan(log2_sum) ? 0 : exp2(log2_sum - offset);
}

/* The recent rate over the long-run one, each with the same prior: 1 is steady. */
static inline double
DecayedTrend(double recent, double longrun, double prior)
{
	return longrun + prior > 0 ? (recent + prior) / (longrun + prior) : 1;
}

/* The forms f of DESIGN 5: what a summed weight r counts for. */
typedef enum Weighting
{
	WEIGHTING_BINARY, /* sign(r) */
	WEIGHTING_LOG,    /* sign(r) * ln(1 + |r|) */
	WEIGHTING_LINEAR, /* r */
	WEIGHTING_KINDS
} Weighting;

static inline double
WeightingValue(Weighting weighting, double r)
{
	switch (weighting)
	{
		case WEIGHTING_BINARY:
			return (r > 0) - (r < 0);
		case WEIGHTING_LOG:
			return r < 0 ? -log1p(-r) : log1p(r);
		default:
			return r;
	}
}

#endif
