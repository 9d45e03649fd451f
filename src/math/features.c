#include "math/features.h"

#include <math.h>
#include <stdlib.h>

#include "math/decay.h"

/* Inputs beyond so many deviations count as these: what was rare in training is no lever. */
#define DEVIATIONS 4

const char *const FeatureNames[FEATURES] = {
	[FEATURE_SCORE] = "score",         [FEATURE_PLACE] = "place",
	[FEATURE_LEVEL] = "level",         [FEATURE_VOICES] = "voices",
	[FEATURE_STRONGEST] = "strongest", [FEATURE_LATELY] = "lately",
	[FEATURE_HISTORY] = "history",     [FEATURE_POPULARITY] = "popularity",
	[FEATURE_TREND] = "trend",         [FEATURE_AGE] = "age",
	[FEATURE_IDLE] = "idle",           [FEATURE_CONTEXT] = "context",
};

FeatureItem
FeaturesOfItem(const FeatureRates *rates, double popularity_log2, double recent_log2, double first,
			   double last)
{
	FeatureItem item = {popularity_log2 - rates->popularity_offset, NAN, NAN, NAN};

	if (!rates->timed || isnan(popularity_log2))
		return item;
	item.trend_log2 = log2(DecayedTrend(DecayedRate(recent_log2, rates->recent_offset),
										DecayedRate(popularity_log2, rates->popularity_offset),
										rates->trend_prior));
	item.age = first;
	item.idle = last;
	return item;
}

/* The mean of log2 of popularity over a list, of those that have one. */
static double
mean_popularity(const FeatureList *list)
{
	double sum = 0;
	uint32_t known = 0;

	for (uint32_t n = 0; n < list->count; n++)
		if (!isnan(list->about[n].popularity_log2))
		{
			sum += list->about[n].popularity_log2;
			known++;
		}
	return known > 0 ? sum / known : 0;
}

void
FeaturesOf(const FeatureList *list, float *x)
{
	double popularity = mean_popularity(list);

	for (uint32_t n = 0; n < list->count; n++, x += FEATURES)
	{
		const Evidence *evidence = &list->evidence[n];
		const FeatureItem *about = &list->about[n];
		double score = list->item[n].score;

		x[FEATURE_SCORE] = (float) log2(score / list->item[0].score);
		x[FEATURE_PLACE] = (float) log2(1.0 + n);
		x[FEATURE_LEVEL] = (float) log2(score * list->level);
		x[FEATURE_VOICES] = (float) log2(1.0 + evidence->voices);
		x[FEATURE_STRONGEST] = (float) evidence->strongest;
		x[FEATURE_LATELY] = (float) evidence->lately;
		x[FEATURE_HISTORY] = (float) log2(1.0 + list->history);
		x[FEATURE_POPULARITY] = (float) (about->popularity_log2 - popularity);
		x[FEATURE_TREND] = (float) about->trend_log2;
		x[FEATURE_AGE] = (float) log2(1.0 + fmax(about->age, 0));
		x[FEATURE_IDLE] = (float) log2(1.0 + fmax(about->idle, 0));
		x[FEATURE_CONTEXT] = list->lift ? (float) log2(list->lift[n]) : 0;
		if (isnan(about->age))
			x[FEATURE_AGE] = NAN;
		if (isnan(about->idle))
			x[FEATURE_IDLE] = NAN;
	}
}

void
RerankerScale(const Reranker *reranker, float *x, uint32_t count)
{
	for (uint32_t n = 0; n < count; n++, x += FEATURES)
		for (int f = 0; f < FEATURES; f++)
		{
			double z = (x[f] - reranker->mean[f]) * reranker->scale[f];

			x[f] = isnan(z) ? 0 : (float) fmin(fmax(z, -DEVIATIONS), DEVIATIONS);
		}
}

/* An item of a list while it is sorted. */
typedef struct Place
{
	double value;
	uint32_t at;
} Place;

static int
best_first(const void *a, const void *b)
{
	const Place *x = a;
	const Place *y = b;

	if (x->value != y->value)
		return x->value > y->value ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

void
RerankerSort(const double *value, uint32_t count, uint32_t *order)
{
	Place place[RERANKER_FIRST_MAX];

	for (uint32_t n = 0; n < count; n++)
		place[n] = (Place){isnan(value[n]) ? -INFINITY : value[n], n};
	qsort(place, count, sizeof(Place), best_first);
	for (uint32_t n = 0; n < count; n++)
		order[n] = place[n].at;
}

void
RerankerOrder(const Reranker *reranker, float *x, uint32_t count, double *value, uint32_t *order)
{
	RerankerScale(reranker, x, count);
	for (uint32_t n = 0; n < count; n++)
		value[n] = NetworkValue(&reranker->network, x + (size_t) n * FEATURES, NULL);
	RerankerSort(value, count, order);
}
