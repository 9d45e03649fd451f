#include "math/products.h"

#include "base/clones.h"

typedef double Lanes __attribute__((vector_size(8 * PRODUCTS_LANES), aligned(8), may_alias));

void
ProductsTurn(const double *point, uint32_t points, uint32_t values, double *beside)
{
	for (uint32_t first = 0; first < points; first += PRODUCTS_LANES)
		for (uint32_t v = 0; v < values; v++)
			for (uint32_t lane = 0; lane < PRODUCTS_LANES; lane++)
				*beside++ = first + lane < points ? point[(size_t) (first + lane) * values + v] : 0;
}

CLONES void
ProductsOf(const double *beside, uint32_t points, uint32_t values, const uint32_t *value,
		   const float *root, uint64_t cells, double *product)
{
	for (uint32_t first = 0; first < points; first += PRODUCTS_LANES)
	{
		const double *block = beside + (size_t) first * values;
		Lanes sum = {0};

		for (uint64_t n = 0; n < cells; n++)
			sum += *(const Lanes *) (block + (size_t) value[n] * PRODUCTS_LANES) * (double) root[n];
		*(Lanes *) (product + first) = sum;
	}
}
