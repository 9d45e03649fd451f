#include "math/cholesky.h"

#include <math.h>

#include "base/clones.h"

/* A tile has as many rows as columns: that many rows of lanes stay in registers. */
#define TILE CHOLESKY_LANES

typedef float Lanes __attribute__((vector_size(4 * CHOLESKY_LANES), aligned(4), may_alias));

/*
 * Factors the tile on the diagonal, of which the rows above have taken their part; false where a
 * pivot is not positive.  A row is taken off those below it before its root is drawn, so that
 * nothing waits for roots.
 */
static inline bool
factor_tile(float *a, size_t ld, uint32_t rows)
{
	for (uint32_t r = 0; r < rows; r++)
	{
		const float *row = a + r * ld;
		float reciprocal;

		/* False for a NaN as well. */
		if (!(row[r] > 0))
			return false;
		reciprocal = 1 / row[r];
		for (uint32_t below = r + 1; below < rows; below++)
		{
			float scale = row[below] * reciprocal;

			for (uint32_t c = 0; c < TILE; c++)
				a[below * ld + c] -= scale * row[c];
		}
	}
	for (uint32_t r = 0; r < rows; r++)
	{
		float *row = a + r * ld;
		float inverse = 1 / sqrtf(row[r]);

		for (uint32_t c = r + 1; c < TILE; c++)
			row[c] *= inverse;
		row[r] = inverse;
	}
	return true;
}

/*
 * Finishes the TILE rows from p on in as many columns from c on as Some has numbers: takes off each what the
 * rows above it do and, right of the tile on the diagonal, the rows of that tile each other.
 */
#define FINISH_COLUMNS(name, Some)                                                                 \
	static inline __attribute__((always_inline)) void name(float *a, size_t ld, uint32_t p,        \
														   uint32_t c)                             \
	{                                                                                              \
		float *tile = a + p * ld + c;                                                              \
		Some t0 = *(Some *) tile;                                                                  \
		Some t1 = *(Some *) (tile + ld);                                                           \
		Some t2 = *(Some *) (tile + 2 * ld);                                                       \
		Some t3 = *(Some *) (tile + 3 * ld);                                                       \
		Some t4 = *(Some *) (tile + 4 * ld);                                                       \
		Some t5 = *(Some *) (tile + 5 * ld);                                                       \
		Some t6 = *(Some *) (tile + 6 * ld);                                                       \
		Some t7 = *(Some *) (tile + 7 * ld);                                                       \
                                                                                                   \
		for (const float *row = a; row < a + p * ld; row += ld)                                    \
		{                                                                                          \
			const Some u = *(const Some *) (row + c);                                              \
			const float *f = row + p;                                                              \
                                                                                                   \
			t0 -= f[0] * u;                                                                        \
			t1 -= f[1] * u;                                                                        \
			t2 -= f[2] * u;                                                                        \
			t3 -= f[3] * u;                                                                        \
			t4 -= f[4] * u;                                                                        \
			t5 -= f[5] * u;                                                                        \
			t6 -= f[6] * u;                                                                        \
			t7 -= f[7] * u;                                                                        \
		}                                                                                          \
		if (c > p)                                                                                 \
		{                                                                                          \
			const float *u0 = a + p * ld + p;                                                      \
			const float *u1 = u0 + ld;                                                             \
			const float *u2 = u1 + ld;                                                             \
			const float *u3 = u2 + ld;                                                             \
			const float *u4 = u3 + ld;                                                             \
			const float *u5 = u4 + ld;                                                             \
			const float *u6 = u5 + ld;                                                             \
			const float *u7 = u6 + ld;                                                             \
                                                                                                   \
			t0 *= u0[0];                                                                           \
			t1 = (t1 - u0[1] * t0) * u1[1];                                                        \
			t2 = (t2 - u0[2] * t0 - u1[2] * t1) * u2[2];                                           \
			t3 = (t3 - u0[3] * t0 - u1[3] * t1 - u2[3] * t2) * u3[3];                              \
			t4 = (t4 - u0[4] * t0 - u1[4] * t1 - u2[4] * t2 - u3[4] * t3) * u4[4];                 \
			t5 = (t5 - u0[5] * t0 - u1[5] * t1 - u2[5] * t2 - u3[5] * t3 - u4[5] * t4) * u5[5];    \
			t6 = (t6 - u0[6] * t0 - u1[6] * t1 - u2[6] * t2 - u3[6] * t3 - u4[6] * t4 -            \
				  u5[6] * t5) *                                                                    \
				 u6[6];                                                                            \
			t7 = (t7 - u0[7] * t0 - u1[7] * t1 - u2[7] * t2 - u3[7] * t3 - u4[7] * t4 -            \
				  u5[7] * t5 - u6[7] * t6) *                                                       \
				 u7[7];                                                                            \
		}                                                                                          \
		*(Some *) tile = t0;                                                                       \
		*(Some *) (tile + ld) = t1;                                                                \
		*(Some *) (tile + 2 * ld) = t2;                                                            \
		*(Some *) (tile + 3 * ld) = t3;                                                            \
		*(Some *) (tile + 4 * ld) = t4;                                                            \
		*(Some *) (tile + 5 * ld) = t5;                                                            \
		*(Some *) (tile + 6 * ld) = t6;                                                            \
		*(Some *) (tile + 7 * ld) = t7;                                                            \
	}

FINISH_COLUMNS(finish_tile, Lanes)

/* Finishes the TILE rows from p on; false where the tile on the diagonal cannot be factored. */
CLONES static bool
finish_rows(float *a, uint32_t n, size_t ld, uint32_t p)
{
	finish_tile(a, ld, p, p);
	if (!factor_tile(a + p * ld + p, ld, TILE))
		return false;
	for (uint32_t c = p + TILE; c < n; c += TILE)
		finish_tile(a, ld, p, c);
	return true;
}

#ifdef CLONES_WIDEST
typedef float Wide __attribute__((vector_size(8 * CHOLESKY_LANES), aligned(4), may_alias));

FINISH_COLUMNS(finish_two_tiles, Wide)

/*
 * The same two tiles at a time, which halves what is read for each multiplication, where as many numbers
 * fit into a register; the numbers are the same.  A system of 200 took 35 us one by one and 30 us so, on a
 * processor with registers of 512 bits; four at a time, which takes two registers each, 59 us.
 */
CLONES_WIDEST static bool
finish_rows_wide(float *a, uint32_t n, size_t ld, uint32_t p)
{
	uint32_t c = p + TILE;

	finish_tile(a, ld, p, p);
	if (!factor_tile(a + p * ld + p, ld, TILE))
		return false;
	for (; n > c + TILE; c += 2 * TILE)
		finish_two_tiles(a, ld, p, c);
	if (c < n)
		finish_tile(a, ld, p, c);
	return true;
}
#endif

/* Finishes the rows from p on that are fewer than a tile has: the last ones. */
static bool
finish_last(float *a, uint32_t n, size_t ld, uint32_t p)
{
	for (uint32_t above = 0; above < p; above++)
		for (uint32_t r = p; r < n; r++)
			for (uint32_t c = r; c < n; c++)
				a[r * ld + c] -= a[above * ld + r] * a[above * ld + c];
	return factor_tile(a + p * ld + p, ld, n - p);
}

/*
 * U'y = b for the rows from p on, so many as a tile has, once those above have taken their part: takes
 * theirs off all below.
 */
CLONES static void
substitute_forward(const float *a, uint32_t n, size_t ld, uint32_t p, float *restrict b)
{
	uint32_t rows = n - p < TILE ? n - p : TILE;
	const float *u = a + p * ld;

	for (uint32_t r = 0; r < rows; r++)
	{
		b[p + r] *= u[r * ld + p + r];
		for (uint32_t c = r + 1; c < rows; c++)
			b[p + c] -= u[r * ld + p + c] * b[p + r];
	}
	if (rows < TILE)
		return;
	for (uint32_t c = p + TILE; c < n; c++)
		b[c] -= u[c] * b[p] + u[ld + c] * b[p + 1] + u[2 * ld + c] * b[p + 2] +
				u[3 * ld + c] * b[p + 3] + u[4 * ld + c] * b[p + 4] + u[5 * ld + c] * b[p + 5] +
				u[6 * ld + c] * b[p + 6] + u[7 * ld + c] * b[p + 7];
}

/* Ux = y for the same rows, once those below are solved. */
CLONES static void
substitute_back(const float *a, uint32_t n, size_t ld, uint32_t p, float *b)
{
	uint32_t rows = n - p < TILE ? n - p : TILE;
	const float *u = a + p * ld;
	Lanes sum[TILE] = {0};
	uint32_t c = p + TILE;

	for (; c + TILE <= n; c += TILE)
		for (uint32_t r = 0; r < TILE; r++)
			sum[r] += *(const Lanes *) (u + r * ld + c) * *(const Lanes *) (b + c);
	for (uint32_t r = rows; r-- > 0;)
	{
		float x = b[p + r];

		for (uint32_t k = 0; k < TILE; k++)
			x -= sum[r][k];
		for (uint32_t rest = c; rest < n; rest++)
			x -= u[r * ld + rest] * b[rest];
		for (uint32_t below = r + 1; below < rows; below++)
			x -= u[r * ld + p + below] * b[p + below];
		b[p + r] = x * u[r * ld + p + r];
	}
}

/* Where the last tile of n rows begins, whole or not; n is at least 1. */
static inline uint32_t
last_tile(uint32_t n)
{
	return (n - 1) / TILE * TILE;
}

void
CholeskySubstitute(const float *a, uint32_t n, size_t ld, float *b)
{
	for (uint32_t p = 0; p < n; p += TILE)
		substitute_forward(a, n, ld, p, b);
	for (uint32_t p = n > 0 ? last_tile(n) + TILE : 0; p > 0; p -= TILE)
		substitute_back(a, n, ld, p - TILE, b);
}

bool
CholeskySolve(float *a, uint32_t n, size_t ld, float *b)
{
	bool (*finish)(float *, uint32_t, size_t, uint32_t) = finish_rows;
	uint32_t p = 0;

#ifdef CLONES_WIDEST
	if (CLONES_HAS_WIDEST())
		finish = finish_rows_wide;
#endif
	for (; p + TILE <= n; p += TILE)
	{
		if (!finish(a, n, ld, p))
			return false;
		substitute_forward(a, n, ld, p, b);
	}
	if (!finish_last(a, n, ld, p))
		return false;
	if (p < n)
		substitute_forward(a, n, ld, p, b);
	for (p = n > 0 ? last_tile(n) + TILE : 0; p > 0; p -= TILE)
		substitute_back(a, n, ld, p - TILE, b);
	return true;
}
