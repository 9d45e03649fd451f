/*
 * gram.h: what any two items have in common, and small systems looked up in it.
 *
 * A Gram matrix of items is kept below its diagonal, row after row, and its diagonal apart: the
 * number of items a > b is at place a (a - 1) / 2 + b.
 */
#ifndef RECO_GRAM_H
#define RECO_GRAM_H

#include <stddef.h>
#include <stdint.h>

/* Where it keeps two items, the first of them the greater. */
static inline uint64_t
GramPlace(uint32_t a, uint32_t b)
{
	return (uint64_t) a * (a - 1) / 2 + b;
}

/*
 * The upper triangle of the system of n items, in order of number: row after row, ld floats apart.
 * n^2 / 2 numbers, looked up row by row of the Gram matrix, each forward.
 */
extern void GramSystem(const float *gram, const double *diagonal, const uint32_t *item, uint32_t n,
					   float *system, size_t ld);

#endif
