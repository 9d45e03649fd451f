#include "math/curve.h"

#include <math.h>
#include <stdlib.h>

static int
by_score(const void *a, const void *b)
{
	const CurveSample *x = a;
	const CurveSample *y = b;

	if (x->score != y->score)
		return x->score < y->score ? -1 : 1;
	return (int) x->chosen - (int) y->chosen;
}

/* A run of samples pooled into one step. */
typedef struct Block
{
	double weight;
	double chosen; /* weight of those */
	double score;  /* sum, weighted */
} Block;

static double
rate(const Block *block)
{
	return (block->chosen + 1) / (block->weight + 2);
}

/*
 * Cuts the sorted samples into at most CURVE_KNOTS bins of equal weight; equal scores share a bin.
 * Returns how many.
 */
static int
cut_bins(const CurveSample *samples, size_t count, Block *bins)
{
	double total = 0;
	double size;
	int used = 0;

	for (size_t s = 0; s < count; s++)
		total += samples[s].weight;
	size = fmax(total / CURVE_KNOTS, CURVE_BIN_SIZE);
	for (size_t s = 0; s < count;)
	{
		bool last = used == CURVE_KNOTS - 1;
		Block bin = {0};

		while (s < count && (last || bin.weight < size || samples[s].score == samples[s - 1].score))
		{
			bin.weight += samples[s].weight;
			bin.chosen += samples[s].chosen ? samples[s].weight : 0;
			bin.score += samples[s].weight * samples[s].score;
			s++;
		}
		bins[used++] = bin;
	}
	return used;
}

void
CurveFit(CurveSample *samples, size_t count, Curve *curve)
{
	Block blocks[CURVE_KNOTS];
	int bins;
	int top = 0;

	qsort(samples, count, sizeof(CurveSample), by_score);
	bins = cut_bins(samples, count, blocks);

	/* Pool adjacent violators, in place: blocks[0 .. top - 1] rise strictly. */
	for (int b = 0; b < bins; b++)
	{
		Block block = blocks[b];

		while (top > 0 && rate(&blocks[top - 1]) >= rate(&block))
		{
			top--;
			block.weight += blocks[top].weight;
			block.chosen += blocks[top].chosen;
			block.score += blocks[top].score;
		}
		blocks[top++] = block;
	}

	curve->knots = top;
	for (int k = 0; k < top; k++)
	{
		curve->score[k] = blocks[k].score / blocks[k].weight;
		curve->chance[k] = rate(&blocks[k]);
	}
}

bool
CurveRises(const double *values, int count)
{
	for (int k = 0; k < count; k++)
		if (!isfinite(values[k]) || (k > 0 && values[k] < values[k - 1]))
			return false;
	return true;
}

double
CurveAt(const double *score, const double *chance, int knots, double at)
{
	int k = 0;

	if (knots == 1)
		return chance[0];
	if (at >= score[knots - 1])
		return chance[knots - 1];
	while (k + 2 < knots && at >= score[k + 1])
		k++;
	if (!(score[k + 1] > score[k]))
		return chance[k];
	/*
	 * Below the first knot the first line goes on: the knot is the mean of a bin, whose upper half
	 * is raised by it.  The last digit must not lift a point above the knot that ends its line.
	 */
	return fmin(
		fmax(chance[k] + (chance[k + 1] - chance[k]) * (at - score[k]) / (score[k + 1] - score[k]),
			 0),
		chance[k + 1]);
}
