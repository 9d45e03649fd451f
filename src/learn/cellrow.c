#include "learn/cellrow.h"

#define ST_SORT          sort_row
#define ST_ELEMENT_TYPE  uint64_t
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE         static
#define ST_DEFINE
#define ST_CHECK_FOR_INTERRUPTS
#include "lib/sort_template.h"

void
CellRowSort(const uint32_t *words, uint32_t count, uint32_t size, const uint32_t *item_place,
			uint64_t *sorted)
{
	for (uint32_t c = 0; c < count; c++)
		sorted[c] = (uint64_t) item_place[words[(uint64_t) c * size + CELL_ITEM]] << 32 | c;
	sort_row(sorted, count);
}

void
CellRowSplit(const uint32_t *words, uint32_t count, uint32_t size, const uint64_t *sorted,
			 uint32_t *column, float *value)
{
	for (uint32_t c = 0; c < count; c++)
	{
		column[c] = (uint32_t) (sorted[c] >> 32);
		if (value)
			memcpy(&value[c], &words[(uint64_t) (uint32_t) sorted[c] * size + CELL_VALUE],
				   sizeof(float));
	}
}
