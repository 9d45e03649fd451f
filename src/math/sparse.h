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

/*
 * The same, where at has no values: place[] gets where each of its entries is in its row of a.  Unless wanted is
 * NULL, only columns of which it is 1 are, [at->rows]: the others' rows have no entries, and both at->column
 * and place have room for one more.
 */
extern void SparseTurnPlaces(const Sparse *a, uint32_t first, const unsigned char *wanted,
							 Sparse *at, uint32_t *place);

/* A range of columns to turn, one of several that come in order. */
typedef struct SparseRange
{
	uint32_t first;
	const unsigned char *wanted; /* as above */
	bool again;                  /* the same range may come next */
	bool begins; /* entries get where their row of a begins, which 32 bits hold, not which it is */
} SparseRange;

/*
 * The same of ranges that come in order: reached[], [a->rows] and 0 at first, says how many entries of a row
 * need not be looked at any more.  Reads columns where there are narrow ones there.
 */
extern void SparseTurnNext(const Sparse *a, const uint16_t *narrow, const SparseRange *range,
						   Sparse *at, uint32_t *place, uint32_t *reached);

/* The first entry of a sorted row whose column is at least the given one. */
extern uint64_t SparseFind(const Sparse *a, uint32_t row, uint32_t column);

#endif
