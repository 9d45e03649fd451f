#include "math/sparse.h"

#include <string.h>

#include "base/interrupts.h"

void
SparseOffsets(uint64_t *counts, uint32_t n)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i <= n; i++)
	{
		uint64_t count = i < n ? counts[i] : 0;

		counts[i] = total;
		total += count;
	}
}

bool
SparseIsUniform(const Sparse *a)
{
	for (uint64_t e = 1; e < SparseCount(a); e++)
		if (a->value[e] != a->value[0])
			return false;
	return SparseCount(a) > 0;
}

void
SparseCountColumns(const Sparse *a, uint32_t rows, uint64_t *counts)
{
	memset(counts, 0, sizeof(uint64_t) * ((uint64_t) a->columns + 1));
	for (uint32_t row = 0; row < rows; row++)
	{
		INTERRUPTS();
		for (uint64_t e = a->start[row]; e < a->start[row + 1]; e++)
			counts[a->column[e]]++;
	}
}

/* The first entry of a part of a row whose column is at least the given one. */
static uint64_t
find_between(const Sparse *a, uint64_t low, uint64_t high, uint32_t column)
{
	while (low < high)
	{
		uint64_t middle = low + (high - low) / 2;

		if (a->column[middle] < column)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The same as SparseFind, from a guess on, which is in the row or its end, in steps that double. */
static uint64_t
find_near(const Sparse *a, uint32_t row, uint32_t column, uint64_t guess)
{
	uint64_t low = a->start[row];
	uint64_t high = a->start[row + 1];
	uint64_t step = 1;

	if (guess < high && a->column[guess] < column)
	{
		low = guess + 1;
		for (; high - low > step && a->column[low + step] < column; step *= 2)
			low += step + 1;
		return find_between(a, low, high - low > step ? low + step : high, column);
	}
	high = guess;
	for (; high - low > step && a->column[high - step] >= column; step *= 2)
		high -= step;
	return find_between(a, high - low > step ? high - step + 1 : low, high, column);
}

/* Rows ahead whose place is sent for: where it is looked for, and where it is known. */
#define AHEAD      8
#define AHEAD_NEXT 16

/* Turns; which of values and places are wanted is known when this is compiled. */
static inline __attribute__((always_inline)) void
turn(const Sparse *a, uint32_t first, Sparse *at, float *value, uint32_t *in_row)
{
	uint32_t last = first + at->rows;
	uint64_t passed = 0; /* entries before the range, in rows so far */
	double share = 0;    /* of a row's entries: a guess at where the range begins */

	/* start[] runs ahead while the rows fill, and is set back by one row afterwards. */
	for (uint32_t row = 0; row < at->columns; row++)
	{
		uint64_t begin = a->start[row];
		uint64_t e = begin;

		INTERRUPTS();
		if (first > 0)
		{
			if (row + AHEAD < at->columns)
				__builtin_prefetch(
					&a->column[a->start[row + AHEAD] +
							   (uint64_t) (share * (double) (a->start[row + AHEAD + 1] -
															 a->start[row + AHEAD]))]);
			e = find_near(a, row, first,
						  begin + (uint64_t) (share * (double) (a->start[row + 1] - begin)));
			passed += e - begin;
			share = (double) passed / (double) (a->start[row + 1] + 1);
		}
		for (; e < a->start[row + 1] && a->column[e] < last; e++)
		{
			uint64_t place = at->start[a->column[e] - first]++;

			at->column[place] = row;
			if (value)
				value[place] = a->value[e];
			if (in_row)
				in_row[place] = (uint32_t) (e - begin);
		}
	}
	memmove(at->start + 1, at->start, sizeof(uint64_t) * at->rows);
	at->start[0] = 0;
}

void
SparseTurn(const Sparse *a, uint32_t first, Sparse *at)
{
	turn(a, first, at, at->value, NULL);
}

void
SparseTurnPlaces(const Sparse *a, uint32_t first, Sparse *at, uint32_t *place)
{
	turn(a, first, at, NULL, place);
}

/* Turns on from where each row was left; which columns are read is known when this is compiled. */
static inline __attribute__((always_inline)) void
turn_on(const Sparse *a, const uint16_t *narrow, uint32_t first, bool begins, Sparse *at,
		uint32_t *place, uint32_t *reached)
{
	uint32_t last = first + at->rows;

	for (uint32_t row = 0; row < at->columns; row++)
	{
		uint64_t begin = a->start[row];
		uint64_t end = a->start[row + 1];
		uint64_t e = begin + reached[row];

		INTERRUPTS();
		if (row + AHEAD_NEXT < at->columns)
		{
			uint64_t next = a->start[row + AHEAD_NEXT] + reached[row + AHEAD_NEXT];

			__builtin_prefetch(narrow ? (const void *) &narrow[next]
									  : (const void *) &a->column[next]);
		}
		for (; e < end; e++)
		{
			uint32_t column = narrow ? narrow[e] : a->column[e];
			uint64_t to;

			if (column >= last)
				break;
			to = at->start[column - first]++;
			at->column[to] = begins ? (uint32_t) begin : row;
			place[to] = (uint32_t) (e - begin);
		}
		reached[row] = (uint32_t) (e - begin);
	}
	memmove(at->start + 1, at->start, sizeof(uint64_t) * at->rows);
	at->start[0] = 0;
}

void
SparseTurnNext(const Sparse *a, const uint16_t *narrow, uint32_t first, bool begins, Sparse *at,
			   uint32_t *place, uint32_t *reached)
{
	if (narrow)
		turn_on(a, narrow, first, begins, at, place, reached);
	else
		turn_on(a, NULL, first, begins, at, place, reached);
}

uint64_t
SparseFind(const Sparse *a, uint32_t row, uint32_t column)
{
	return find_between(a, a->start[row], a->start[row + 1], column);
}
