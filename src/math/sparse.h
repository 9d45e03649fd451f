/*
 * sparse.h: a sparse matrix in compressed rows (CSR), the shape everything here speaks.
 *
 * Row r holds the entries start[r] .. start[r + 1] - 1 of column[] and value[].  The caller
 * owns the memory; nothing here allocates.
 */
#ifndef RECO_SPARSE_H
#define RECO_SPARSE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Sparse
{
	uint32_t rows;
	uint32_t columns;
	uint64_t *start; /* [rows + 1], start[0] = 0, never falling */
	uint32_t *column;
	float *value;  /* NULL where all cells are worth the same */
	float uniform; /* what that is then */
} Sparse;

static inline uint64_t
SparseCount(const Sparse *a)
{
	return a->start[a->rows];
}

static inline float
SparseValue(const Sparse *a, uint64_t entry)
{
	return a->value ? a->value[entry] : a->uniform;
}

/* True where there are cells and all have the same value. */
extern bool SparseIsUniform(const Sparse *a);

/*
 * Turns counts[0 .. n - 1] into starting offsets in place; counts has n + 1 places and the
 * last becomes the total.
 */
extern void SparseOffsets(uint64_t *counts, uint32_t n);

/* counts[c] := entries of column c in the rows below a number; counts has columns + 1 places. */
extern void SparseCountColumns(const Sparse *a, uint32_t rows, uint64_t *counts);

/*
 * at := the transpose of the columns from first on, as many as at has rows, of the rows of a below
 * at's number of columns.  at->start holds the offsets of its rows already; its rows come out
 * sorted by column.  O(rows + entries), a counting sort.
 */
extern void SparseTurn(const Sparse *a, uint32_t first, Sparse *at);

/* The same, where at has no values: place[] gets where each of its entries is in its row of a. */
extern void SparseTurnPlaces(const Sparse *a, uint32_t first, Sparse *at, uint32_t *place);

/*
 * The same of ranges of columns that come one after the other, from the first column on: reached[], [a->rows]
 * and 0 before the first range, says how many entries of a row were turned.  Reads columns where there are narrow
 * ones there.  Where begins is set, at->column gets where a row of a begins, which 32 bits hold, not which
 * it is.
 */
extern void SparseTurnNext(const Sparse *a, const uint16_t *narrow, uint32_t first, bool begins,
						   Sparse *at, uint32_t *place, uint32_t *reached);

/* The first entry of a sorted row whose column is at least the given one. */
extern uint64_t SparseFind(const Sparse *a, uint32_t row, uint32_t column);

#endif
