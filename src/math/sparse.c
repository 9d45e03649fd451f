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

void
SparseTranspose(const Sparse *a, Sparse *at)
{
	memset(at->start, 0, sizeof(uint64_t) * ((uint64_t) at->rows + 1));
	for (uint64_t e = 0; e < SparseCount(a); e++)
		at->start[a->column[e]]++;
	SparseOffsets(at->start, at->rows);

	/* start[] runs ahead while the rows fill, and is set back by one row afterwards. */
	for (uint32_t row = 0; row < a->rows; row++)
	{
		INTERRUPTS();
		for (uint64_t e = a->start[row]; e < a->start[row + 1]; e++)
		{
			uint64_t place = at->start[a->column[e]]++;

			at->column[place] = row;
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
