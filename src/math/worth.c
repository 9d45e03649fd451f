#include "math/worth.h"

#include <math.h>
#include <stdbool.h>

#include "base/interrupts.h"

/* Loops that may be as long as a list let themselves be cancelled once in so many places. */
#define PLACES_BETWEEN 65536

static inline uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline double
discounted(double gain, uint64_t rank)
{
	return gain / log2((double) rank + 1);
}

double
WorthRecall(const WorthList *list)
{
	return list->relevant > 0 ? (double) list->hits / (double) list->relevant : NAN;
}

double
WorthPrecision(const WorthList *list)
{
	return (double) list->hits / (double) list->k;
}

double
WorthHit(const WorthList *list)
{
	return list->hits > 0;
}

double
WorthReciprocalRank(const WorthList *list)
{
	return list->hits > 0 ? 1 / (double) list->rank[0] : 0;
}

double
WorthAveragePrecision(const WorthList *list)
{
	double sum = 0;

	for (uint64_t n = 0; n < list->hits; n++)
		sum += (double) (n + 1) / (double) list->rank[n];
	return list->relevant > 0 ? sum / (double) least(list->k, list->relevant) : NAN;
}

double
WorthNdcg(const WorthList *list)
{
	uint64_t places = least(list->k, list->relevant);
	double gained = 0;
	double ideal = 0;

	for (uint64_t n = 0; n < list->hits; n++)
		gained += discounted(1, list->rank[n]);
	for (uint64_t rank = 1; rank <= places; rank++)
	{
		if (rank % PLACES_BETWEEN == 0)
			INTERRUPTS();
		ideal += discounted(1, rank);
	}
	return places > 0 ? gained / ideal : NAN;
}

double
WorthGained(const WorthGain *items, size_t count, uint64_t k)
{
	double sum = 0;

	for (size_t n = 0; n < count; n++)
		if (items[n].rank > 0 && items[n].rank <= k)
			sum += discounted(items[n].gain, items[n].rank);
	return sum;
}

double
WorthIdeal(const WorthGain *items, size_t count, uint64_t k)
{
	double sum = 0;

	for (size_t n = 0; n < least(count, k); n++)
		sum += discounted(items[n].gain, n + 1);
	return sum;
}

/* True where two items cannot be told apart by their scores. */
static bool
is_tie(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

double
WorthAuc(const WorthScore *items, size_t count)
{
	uint64_t relevant = 0;
	uint64_t others = 0;
	double twice = 0; /* 2 U, a whole number: exact below 2^53 */

	for (size_t begin = 0, end; begin < count; begin = end)
	{
		uint64_t here = 0;
		uint64_t others_here;

		for (end = begin; end < count && is_tie(items[end].score, items[begin].score); end++)
			here += items[end].relevant != 0;
		others_here = end - begin - here;
		twice += (double) here * (double) (2 * others + others_here);
		relevant += here;
		others += others_here;
	}
	return relevant > 0 && others > 0 ? twice / 2 / ((double) relevant * (double) others) : NAN;
}
