#include "math/fold.h"

#include <math.h>
#include <string.h>

#include "base/clones.h"
#include "base/interrupts.h"
#include "math/cholesky.h"

/* Rows of a history that are gathered before they are multiplied: with copies, a first-level cache. */
#define CHUNK 32

/* Rows of the system that one pass over a chunk adds to; a tile of them stays in registers. */
#define TILE 4

/* Rows that are summed in single precision before they are added to sums in double. */
#define BLOCK 1024

/* A row is read as many lanes at a time; the compiler splits them to what the processor has. */
typedef float Lanes __attribute__((vector_size(4 * FOLD_LANES), aligned(4), may_alias));

/* system += sum over rows of scaled * plain', the upper triangle and a little more. */
CLONES static void
add_products(float *restrict system, uint32_t width, const float *restrict plain,
			 const float *restrict scaled, uint32_t count)
{
	for (uint32_t r = 0; r < width; r += TILE)
		for (uint32_t c = r / FOLD_LANES * FOLD_LANES; c < width; c += FOLD_LANES)
		{
			float *at = system + (size_t) r * width + c;
			Lanes s0 = *(Lanes *) at;
			Lanes s1 = *(Lanes *) (at + width);
			Lanes s2 = *(Lanes *) (at + 2 * (size_t) width);
			Lanes s3 = *(Lanes *) (at + 3 * (size_t) width);

			for (uint32_t n = 0; n < count; n++)
			{
				Lanes y = *(const Lanes *) (plain + (size_t) n * width + c);
				const float *a = scaled + (size_t) n * width + r;

				s0 += a[0] * y;
				s1 += a[1] * y;
				s2 += a[2] * y;
				s3 += a[3] * y;
			}
			*(Lanes *) at = s0;
			*(Lanes *) (at + width) = s1;
			*(Lanes *) (at + 2 * (size_t) width) = s2;
			*(Lanes *) (at + 3 * (size_t) width) = s3;
		}
}

/* The scratch: the system, then a chunk of rows as they are, and multiplied by their weights. */
static inline float *
plain_of(float *scratch, uint32_t width)
{
	return scratch + (size_t) width * width;
}

static inline float *
scaled_of(float *scratch, uint32_t width)
{
	return plain_of(scratch, width) + (size_t) CHUNK * width;
}

size_t
FoldScratch(uint32_t width)
{
	return (size_t) width * width + 2 * (size_t) CHUNK * width;
}

void
FoldBase(const float *rows, uint32_t count, const FoldOptions *options, double *sums, float *base)
{
	uint32_t width = FoldWidth(options->factors);
	size_t cells = (size_t) width * width;

	memset(sums, 0, sizeof(double) * cells);
	for (uint32_t first = 0; first < count; first += BLOCK)
	{
		uint32_t end = count - first < BLOCK ? count : first + BLOCK;

		INTERRUPTS();
		memset(base, 0, sizeof(float) * cells);
		for (uint32_t r = first; r < end; r += CHUNK)
		{
			const float *chunk = rows + (size_t) r * width;

			add_products(base, width, chunk, chunk, end - r < CHUNK ? end - r : CHUNK);
		}
		for (size_t c = 0; c < cells; c++)
			sums[c] += base[c];
	}
	for (uint32_t r = 0; r < options->factors; r++)
		sums[(size_t) r * width + r] += options->lambda * count;
	for (size_t c = 0; c < cells; c++)
		base[c] = (float) (options->unobserved * sums[c]);
}

/* Adds every entry to the system and to x; returns the sum of the weights, A_u. */
static double
add_entries(const Fold *fold, const FoldEntry *entries, size_t count, float *scratch, float *x)
{
	uint32_t width = fold->width;
	float *plain = plain_of(scratch, width);
	float *scaled = scaled_of(scratch, width);
	uint32_t gathered = 0;
	double sum = 0;

	for (size_t e = 0; e < count; e++)
	{
		const float *row = entries[e].row;
		float weight = entries[e].weight;
		float much = fabsf(weight);

		sum += much;
		if (weight == 0)
			continue;
		memcpy(plain + (size_t) gathered * width, row, sizeof(float) * width);
		for (uint32_t c = 0; c < width; c++)
		{
			scaled[(size_t) gathered * width + c] = much * row[c];
			x[c] += weight * row[c];
		}
		if (++gathered == CHUNK)
		{
			add_products(scratch, width, plain, scaled, gathered);
			gathered = 0;
		}
	}
	add_products(scratch, width, plain, scaled, gathered);
	return sum;
}

bool
FoldIn(const Fold *fold, const FoldEntry *entries, size_t count, float *scratch, float *x)
{
	uint32_t width = fold->width;
	bool solved;
	float ridge;

	memcpy(scratch, fold->base, sizeof(float) * width * width);
	memset(x, 0, sizeof(float) * width);
	ridge = (float) (fold->lambda * add_entries(fold, entries, count, scratch, x));
	for (uint32_t r = 0; r < fold->factors; r++)
		scratch[(size_t) r * width + r] += ridge;
	solved = CholeskySolve(scratch, fold->factors, width, x);
	for (uint32_t c = 0; solved && c < fold->factors; c++)
		solved = isfinite(x[c]);
	if (!solved)
		memset(x, 0, sizeof(float) * width);
	return solved;
}

double
FoldLevel(const FoldEntry *entries, size_t count)
{
	double sum = 0;
	double squares = 0;

	for (size_t e = 0; e < count; e++)
	{
		sum += fabs(entries[e].weight);
		squares += (double) entries[e].weight * entries[e].weight;
	}
	return squares > 0 ? sqrt(squares) / sum : 1;
}

/* A quarter of the lanes, which all processors add at a time. */
typedef float Quarter __attribute__((vector_size(FOLD_LANES), aligned(4), may_alias));

static inline __attribute__((always_inline)) double
dot(const float *x, const float *y, uint32_t width)
{
	Lanes sum = {0};
	const Quarter *quarter = (const Quarter *) &sum;
	Quarter all;

	for (uint32_t c = 0; c < width; c += FOLD_LANES)
		sum += *(const Lanes *) (x + c) * *(const Lanes *) (y + c);
	all = (quarter[0] + quarter[1]) + (quarter[2] + quarter[3]);
	return ((double) all[0] + all[1]) + ((double) all[2] + all[3]);
}

CLONES double
FoldDot(const float *x, const float *y, uint32_t width)
{
	return dot(x, y, width);
}

/* Rounds what is less than 2^11 to whole units: a double of this size has no finer ones. */
#define GRID 0x1.8p+12

double
FoldScore(const float *x, const float *y, uint32_t width)
{
	return (FoldDot(x, y, width) + GRID) - GRID;
}

CLONES void
FoldScores(const float *x, const float *rows, uint32_t count, uint32_t width, double *score)
{
	for (uint32_t n = 0; n < count; n++)
		score[n] = (dot(x, rows + (size_t) n * width, width) + GRID) - GRID;
}

void
FoldShares(const Fold *fold, const float *scratch, const FoldEntry *entries, size_t count,
		   const float *x, const float *y, float *v, double *share)
{
	double left = FoldScore(x, y, fold->width);
	size_t largest = 0;

	memcpy(v, y, sizeof(float) * fold->width);
	CholeskySubstitute(scratch, fold->factors, fold->width, v);
	for (size_t e = 0; e < count; e++)
	{
		double part = entries[e].weight * FoldDot(v, entries[e].row, fold->width);

		share[e] = (part + GRID) - GRID;
		left -= share[e];
		if (share[e] > share[largest])
			largest = e;
	}
	if (count > 0)
		share[largest] += left;
}
