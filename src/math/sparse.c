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

void
SparseTurn(const Sparse *a, uint32_t first, Sparse *at)
{
	uint32_t last = first + at->rows;

	/* start[] runs ahead while the rows fill, and is set back by one row afterwards. */
	for (uint32_t row = 0; row < at->columns; row++)
	{
		uint64_t e = first == 0 ? a->start[row] : SparseFind(a, row, first);

		INTERRUPTS();
		for (; e < a->start[row + 1] && a->column[e] < last; e++)
		{
			uint64_t place = at->start[a->column[e] - first]++;

			at->column[place] = row;
			if (at->value)
				at->value[place] = a->value[e];
		}
	}
	memmove(at->start + 1, at->start, sizeof(uint64_t) * at->rows);
	at->start[0] = 0;
}

uint64_t
SparseFind(const Sparse *a, uint32_t row, uint32_t column)
{
	uint64_t low = a->start[row];
	uint64_t high = a->start[row + 1];

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
