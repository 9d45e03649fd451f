/*
 * indirect.h: what the neighbours of an item's neighbours say.
 *
 * Two items that hardly anybody has both may be tied through a third.  The strongest entries of a
 * row, divided by their sum, are the chances of a step; two steps in a row lead to indirect
 * neighbours, as the random walks of Cooper et al. 2014 (P3) lead over users:
 *
 *   t(i -> l) = sum over j of p_ij p_jl,   p_ij = w_ij / sum over j of |w_ij|,   l not i
 *
 * Where rows are short, on sparse data, they reach what no pair of users speaks of.
 */
#ifndef RECO_INDIRECT_H
#define RECO_INDIRECT_H

#include "learn/neighbors.h"

/*
 * The best sums of two steps from every item, above 0 and with a support of 0: nobody was counted.
 * O(STEPS^2) additions a row, IndirectSteps of all, memory for KEPT entries a row of the result.
 */
extern Neighbors *IndirectRows(const Neighbors *direct, Budget *budget);

/* Steps that are taken at most from rows of so many entries. */
extern double IndirectSteps(uint32_t items, double entries);

/* What it takes beside the result. */
extern uint64_t IndirectBytes(uint32_t items);

#endif
