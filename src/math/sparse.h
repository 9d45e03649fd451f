/*
 * sparse.h: a sparse matrix in compressed rows (CSR), the shape everything here speaks.
 *
 * Row r holds the entries start[r] .. start[r + 1] - 1 of column[] and value[].  The caller
 * owns the memory; nothing here allocates.
 */
#ifndef RECO_SPARSE_H
#define RECO_SPARSE_H

#include <stdint.h>

typedef struct Sparse
{
	uint32_t rows;
	uint32_t columns;
	uint64_t *start; /* [rows + 1], start[0] = 0, never falling */
	uint32_t *column;
	float *value;
} Sparse;

static inline uint64_t
SparseCount(const Sparse *a)
{
	return a->start[a->rows];
}

/*
 * Turns counts[0 .. n - 1] into starting offsets in place; counts has n + 1 places and the
 * last becomes the total.
 */
extern void SparseOffsets(uint64_t *counts, uint32_t n);

/*
 * at := a'.  at has a's columns as rows, and room for as many entries; its rows come out
 * sorted by column.  O(rows + columns + entries), a counting sort.
 */
extern void SparseTranspose(const Sparse *a, Sparse *at);

/* The first entry of a sorted row whose column is at least the given one. */
extern uint64_t SparseFind(const Sparse *a, uint32_t row, uint32_t column);

#endif
