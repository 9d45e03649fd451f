#include "math/beta.h"

#include <math.h>
#include <stdbool.h>

/* Turns of the fraction: about the root of the greater of a and b are needed. */
#define TURNS_MOST 100000

/* The fraction has settled. */
#define SETTLED 1e-15

/* What stands for a 0 that would be divided by (Lentz 1976, Thompson & Barnett 1986). */
#define TINY 1e-300

/* Steps towards a root, of which each halves where Newton does not help. */
#define STEPS_MOST 200

/* Logarithms of odds beyond this are not a double's. */
#define LOG_ODDS_MOST 700

static inline double
not_zero(double value)
{
	return fabs(value) < TINY ? TINY : value;
}

/* The continued fraction of I_x(a, b), which settles soon where x < (a + 1) / (a + b + 2). */
static double
fraction(double a, double b, double x)
{
	double c = 1;
	double d = 1 / not_zero(1 - (a + b) * x / (a + 1));
	double value = d;

	for (int m = 1; m <= TURNS_MOST; m++)
	{
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		double turn;

		d = 1 / not_zero(1 + even * d);
		c = not_zero(1 + even / c);
		value *= d * c;
		d = 1 / not_zero(1 + odd * d);
		c = not_zero(1 + odd / c);
		turn = d * c;
		value *= turn;
		if (fabs(turn - 1) < SETTLED)
			break;
	}
	return value;
}

/* ln of x^a (1 - x)^b / B(a, b). */
static double
log_front(double a, double b, double odds)
{
	double log_x = -log1p(1 / odds);
	double log_rest = -log1p(odds);

	return lgamma(a + b) - lgamma(a) - lgamma(b) + a * log_x + b * log_rest;
}

/* True where the fraction of I_x(a, b) settles sooner than that of the other side. */
static inline bool
is_low(double a, double b, double odds)
{
	/* x < (a + 1) / (a + b + 2), by odds */
	return odds < (a + 1) / (b + 1);
}

/* I_x(a, b) where its own fraction settles. */
static double
low(double a, double b, double odds)
{
	return exp(log_front(a, b, odds)) * fraction(a, b, odds / (1 + odds)) / a;
}

double
BetaAbove(double a, double b, double odds)
{
	if (!(odds > 0))
		return 1;
	if (isinf(odds))
		return 0;
	return is_low(a, b, odds) ? 1 - low(a, b, odds) : low(b, a, 1 / odds);
}

/*
 * Newton's steps on the logarithm of the odds, where the slope is the front itself, kept between two
 * bounds that come nearer with every step.
 */
double
BetaOdds(double a, double b, double chance)
{
	double least = -LOG_ODDS_MOST;
	double most = LOG_ODDS_MOST;
	double at = log(a / b);

	for (int step = 0; step < STEPS_MOST; step++)
	{
		double odds = exp(at);
		double excess = BetaAbove(a, b, odds) - chance;
		double next;

		if (excess > 0)
			least = at;
		else
			most = at;
		next = at + excess / exp(log_front(a, b, odds));
		/* False for what is no number as well. */
		if (!(next > least && next < most))
			next = (least + most) / 2;
		if (fabs(next - at) <= 1e-13 * fmax(1, fabs(at)))
		{
			at = next;
			break;
		}
		at = next;
	}
	if (at <= -LOG_ODDS_MOST + 1)
		return 0;
	return at >= LOG_ODDS_MOST - 1 ? INFINITY : exp(at);
}
