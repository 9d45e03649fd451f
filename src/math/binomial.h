/*
 * binomial.h: what a count of hits says, and what may be chance alone.
 */
#ifndef RECO_BINOMIAL_H
#define RECO_BINOMIAL_H

#include <stdint.h>

/* So many standard deviations to either side are 95 % of a normal distribution. */
#define NORMAL_95 1.959963984540054

/*
 * The exact two-sided sign test: the chance that a fair coin thrown wins + losses times falls at
 * least as unevenly; 1 for no throw.  O(sqrt(throws)), since what lies far out adds nothing.
 */
extern double BinomialSignTest(uint64_t wins, uint64_t losses);

/* The interval of 95 % of a rate, after so many hits in so many tries, at least one (Wilson 1927). */
extern void BinomialInterval(double hits, double tries, double *low, double *high);

#endif
