#include "math/cholesky.h"

#include <math.h>

#include "base/clones.h"

/* Rows taken together: as many as keep their part of a row in registers and first-level cache. */
#define BLOCK 8

/* The rows p .. end - 1 against each other, each to its full length; false where a pivot is not positive. */
CLONES static bool
factor_block(float *a, uint32_t n, size_t ld, uint32_t p, uint32_t end)
{
	for (uint32_t row = p; row < end; row++)
	{
		float *restrict target = a + row * ld;
		float pivot;

		for (uint32_t above = p; above < row; above++)
		{
			const float *restrict source = a + above * ld;
			float scale = source[row];

			for (uint32_t c = row; c < n; c++)
				target[c] -= scale * source[c];
		}
		/* False for a NaN as well. */
		if (!(target[row] > 0))
			return false;
		pivot = sqrtf(target[row]);
		target[row] = pivot;
		for (uint32_t c = row + 1; c < n; c++)
			target[c] /= pivot;
	}
	return true;
}

/* Takes a block of BLOCK finished rows off every row below it. */
CLONES static void
subtract_block(float *a, uint32_t n, size_t ld, uint32_t p)
{
	const float *restrict s0 = a + p * ld;
	const float *restrict s1 = s0 + ld;
	const float *restrict s2 = s1 + ld;
	const float *restrict s3 = s2 + ld;
	const float *restrict s4 = s3 + ld;
	const float *restrict s5 = s4 + ld;
	const float *restrict s6 = s5 + ld;
	const float *restrict s7 = s6 + ld;

	for (uint32_t row = p + BLOCK; row < n; row++)
	{
		float *restrict target = a + row * ld;
		float f0 = s0[row];
		float f1 = s1[row];
		float f2 = s2[row];
		float f3 = s3[row];
		float f4 = s4[row];
		float f5 = s5[row];
		float f6 = s6[row];
		float f7 = s7[row];

		for (uint32_t c = row; c < n; c++)
			target[c] -= f0 * s0[c] + f1 * s1[c] + f2 * s2[c] + f3 * s3[c] + f4 * s4[c] +
						 f5 * s5[c] + f6 * s6[c] + f7 * s7[c];
	}
}

void
CholeskySubstitute(const float *a, uint32_t n, size_t ld, float *b)
{
	/* U'y = b, then Ux = y. */
	for (uint32_t row = 0; row < n; row++)
	{
		const float *u = a + row * ld;

		b[row] /= u[row];
		for (uint32_t c = row + 1; c < n; c++)
			b[c] -= u[c] * b[row];
	}
	for (uint32_t row = n; row-- > 0;)
	{
		const float *u = a + row * ld;
		float sum = b[row];

		for (uint32_t c = row + 1; c < n; c++)
			sum -= u[c] * b[c];
		b[row] = sum / u[row];
	}
}

bool
CholeskySolve(float *a, uint32_t n, size_t ld, float *b)
{
	for (uint32_t p = 0; p < n; p += BLOCK)
	{
		uint32_t end = p + BLOCK < n ? p + BLOCK : n;

		if (!factor_block(a, n, ld, p, end))
			return false;
		if (end < n)
			subtract_block(a, n, ld, p);
	}
	CholeskySubstitute(a, n, ld, b);
	return true;
}
