/*
 * binomial.h: how likely chance alone makes one side win so often.
 */
#ifndef RECO_BINOMIAL_H
#define RECO_BINOMIAL_H

#include <stdint.h>

/*
 * The exact two-sided sign test: the chance that a fair coin thrown wins + losses times falls at
 * least as unevenly; 1 for no throw.  O(sqrt(throws)), since what lies far out adds nothing.
 */
extern double BinomialSignTest(uint64_t wins, uint64_t losses);

#endif
