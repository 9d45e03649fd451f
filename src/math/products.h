/*
 * products.h: the products of a row of few cells with several points at once.
 *
 * One product is a chain of additions, each of which waits for the last.  Several points side by side
 * are as many chains that do not wait for each other, and each of them adds in the order of the cells,
 * as one loop over them would.
 */
#ifndef RECO_PRODUCTS_H
#define RECO_PRODUCTS_H

#include <stddef.h>
#include <stdint.h>

/* Points side by side. */
#define PRODUCTS_LANES 8

/* How many points there is room for where there are so many. */
static inline uint32_t
ProductsRoom(uint32_t points)
{
	return (points + PRODUCTS_LANES - 1) / PRODUCTS_LANES * PRODUCTS_LANES;
}

/*
 * Puts points, the rows of point[points][values], side by side: to beside[ProductsRoom(points) *
 * values], with zeros where there is none.
 */
extern void ProductsTurn(const double *point, uint32_t points, uint32_t values, double *beside);

/* The products of a row with them, to product[ProductsRoom(points)]. */
extern void ProductsOf(const double *beside, uint32_t points, uint32_t values,
					   const uint32_t *value, const float *root, uint64_t cells, double *product);

#endif
