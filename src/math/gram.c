#include "math/gram.h"

void
GramSystem(const float *gram, const double *diagonal, const uint32_t *item, uint32_t n,
		   float *system, size_t ld)
{
	for (uint32_t column = 0; column < n; column++)
	{
		const float *from = gram + GramPlace(item[column], 0);
		/* Nearly every number is in another line of the cache: those of the next row are sent for. */
		const float *next = gram + GramPlace(item[column + 1 < n ? column + 1 : column], 0);
		float *to = system + column;

		for (uint32_t row = 0; row < column; row++)
		{
			to[row * ld] = from[item[row]];
			__builtin_prefetch(next + item[row]);
		}
		to[column * ld] = (float) diagonal[item[column]];
	}
}
