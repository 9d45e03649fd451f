#include "math/binomial.h"

#include <math.h>

#include "base/interrupts.h"

/* Terms this much smaller than the sum so far end it. */
#define NOTHING 1e-18

double
BinomialSignTest(uint64_t wins, uint64_t losses)
{
	double few = (double) (wins < losses ? wins : losses);
	double all = (double) wins + (double) losses;
	double term = exp(lgamma(all + 1) - lgamma(few + 1) - lgamma(all - few + 1) - all * M_LN2);
	double sum = 0;

	/* From the middle outward: each term from the one before. */
	for (uint64_t turn = 1; few >= 0 && term > NOTHING * sum; turn++)
	{
		INTERRUPTS_AT(turn);
		sum += term;
		term *= few / (all - few + 1);
		few--;
	}
	return fmin(2 * sum, 1);
}

void
BinomialInterval(double hits, double tries, double *low, double *high)
{
	double square = NORMAL_95 * NORMAL_95;
	double rate = hits / tries;
	double middle = (rate + square / (2 * tries)) / (1 + square / tries);
	double half = NORMAL_95 / (1 + square / tries) *
				  sqrt(rate * (1 - rate) / tries + square / (4 * tries * tries));

	*low = fmax(middle - half, 0);
	*high = fmin(middle + half, 1);
}
