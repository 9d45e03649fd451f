/*
 * thompson.c: the integral of one density times the distributions of all the others.
 *
 * It runs over the log odds of a rate, where the density of Beta(a, b) has no poles however small
 * a and b are: x^a (1 - x)^b / B(a, b) with x = 1 / (1 + exp(-t)).  It is smooth, has its mode at
 * log(a / b) and the variance trigamma(a) + trigamma(b).  Each arm asks for steps around its own
 * mode as wide as its own spread; all of them together are the grid, on which distributions are
 * summed up and the product integrated by Simpson's rule.
 */
#include "math/thompson.h"

#include <math.h>
#include <stdlib.h>

#include "base/interrupts.h"

/* Where an arm asks for a border between steps: so many standard deviations from its mode. */
static const double borders[] = {-12, -9, -7,  -6, -5,  -4, -3.5, -3, -2.5, -2, -1.5, -1, -0.5, 0,
								 0.5, 1,  1.5, 2,  2.5, 3,  3.5,  4,  5,    6,  7,    9,  12};

#define BORDERS ((uint32_t) (sizeof(borders) / sizeof(borders[0])))
#define STEPS   4 /* between two borders */

/*
 * The trigamma function of a positive number, by recurrence to where the asymptotic series is exact
 * enough (Abramowitz & Stegun 6.4.12).
 */
static double
trigamma(double x)
{
	double sum = 0;
	double y;

	for (; x < 8; x++)
		sum += 1 / (x * x);
	y = 1 / (x * x);
	return sum + 1 / x + y / 2 +
		   y / x * (1. / 6 - y * (1. / 30 - y * (1. / 42 - y * (1. / 30 - y * 5. / 66))));
}

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* All borders, ascending; returns how many. */
static uint32_t
lay_borders(const double *successes, const double *failures, uint32_t arms, double *border)
{
	uint32_t count = 0;

	for (uint32_t arm = 0; arm < arms; arm++)
	{
		double mode = log(successes[arm]) - log(failures[arm]);
		double spread = sqrt(trigamma(successes[arm]) + trigamma(failures[arm]));

		for (uint32_t n = 0; n < BORDERS; n++)
			border[count++] = mode + borders[n] * spread;
	}
	qsort(border, count, sizeof(double), ascending);
	return count;
}

/* The density of log odds t; scale is the logarithm of 1 / B(a, b). */
static double
density(double a, double b, double scale, double t)
{
	double both = t > 0 ? log1p(exp(-t)) : log1p(exp(t)) - t; /* -log of the rate */

	return exp(scale - a * both - b * (both + t));
}

/*
 * chance[] += weight times the density of each arm times the distributions of all the others, of
 * which rest[] gets the products from each arm on.
 */
static void
add_product(const double *at, const double *below, uint32_t arms, double weight, double *chance,
			double *rest)
{
	double before = weight;

	rest[arms - 1] = 1;
	for (uint32_t arm = arms - 1; arm > 0; arm--)
		rest[arm - 1] = rest[arm] * below[arm];
	for (uint32_t arm = 0; arm < arms; arm++)
	{
		chance[arm] += before * rest[arm] * at[arm];
		before *= below[arm];
	}
}

/* below[] goes on by half a step: what lies under the parabola through three densities. */
static void
add_half(double *below, const double *from, const double *middle, const double *beyond,
		 uint32_t arms, double wide)
{
	for (uint32_t arm = 0; arm < arms; arm++)
		below[arm] += fmax(wide / 24 * (5 * from[arm] + 8 * middle[arm] - beyond[arm]), 0);
}

void
ThompsonChances(const double *successes, const double *failures, uint32_t arms, double *chance,
				double *room)
{
	double *border = room;
	double *scale = border + (uint64_t) BORDERS * arms;
	double *left = scale + arms;
	double *right = left + arms;
	double *middle = right + arms;
	double *below = middle + arms;
	double *rest = below + arms;
	uint32_t count = lay_borders(successes, failures, arms, border);
	double sum = 0;

	for (uint32_t arm = 0; arm < arms; arm++)
	{
		scale[arm] =
			lgamma(successes[arm] + failures[arm]) - lgamma(successes[arm]) - lgamma(failures[arm]);
		left[arm] = density(successes[arm], failures[arm], scale[arm], border[0]);
		below[arm] = 0;
		chance[arm] = 0;
	}
	for (uint32_t n = 0; n + 1 < count; n++)
	{
		INTERRUPTS();
		for (uint32_t step = 0; step < STEPS && border[n] < border[n + 1]; step++)
		{
			double wide = (border[n + 1] - border[n]) / STEPS;
			double from = border[n] + wide * step;

			for (uint32_t arm = 0; arm < arms; arm++)
			{
				middle[arm] = density(successes[arm], failures[arm], scale[arm], from + wide / 2);
				right[arm] = density(successes[arm], failures[arm], scale[arm], from + wide);
			}
			add_product(left, below, arms, wide / 6, chance, rest);
			add_half(below, left, middle, right, arms, wide);
			add_product(middle, below, arms, wide * 4 / 6, chance, rest);
			add_half(below, right, middle, left, arms, wide);
			add_product(right, below, arms, wide / 6, chance, rest);
			for (uint32_t arm = 0; arm < arms; arm++)
				left[arm] = right[arm];
		}
	}
	for (uint32_t arm = 0; arm < arms; arm++)
		sum += chance[arm];
	for (uint32_t arm = 0; arm < arms; arm++)
		chance[arm] /= sum;
}
