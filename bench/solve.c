/*
 * solve.c: what one target of ridge costs, beside the most that the processor can do: its system looked
 * up and solved by src/math/gram.c and src/math/cholesky.c, as learn/ridge does it.
 *
 *   solve ITEMS RUNS [LIBRARY...]      a LIBRARY has LAPACK's sposv_, such as liblapack.so.3; one thread
 *
 * The Gram matrix is of ITEMS items, positive definite and drawn by lot.  The limit is a loop of
 * multiply-adds that stay in registers, compiled for the same processors as the solver.  Everything
 * takes turns in one process, so that a busy machine disturbs all alike.
 *
 * Prints a row of a table for each number of candidates: microseconds a target, medians over the
 * runs, and what share of the limit solving reaches, at n^3 / 3 + 2 n^2 operations.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clones.h"
#include "math/cholesky.h"
#include "math/gram.h"

#define TARGETS        400 /* solved in a run, each with candidates of its own */
#define RUNS_MOST      99
#define LIBRARIES_MOST 4
#define LD(n)          (((size_t) (n) + 1 + 15) / 16 * 16)

/* Chains of multiply-adds in flight: latency times what may start in a cycle, and some more. */
#define CHAINS      12
#define STEPS       2000
#define LIMIT_TURNS 200

typedef float Lanes __attribute__((vector_size(32)));
typedef void (*Sposv)(const char *uplo, const int *n, const int *nrhs, float *a, const int *lda,
					  float *b, const int *ldb, int *info);

typedef struct Work
{
	uint32_t items;
	float *gram;
	double *diagonal;
	uint32_t *candidate;
	float *system;
	float *copy;
	float *b;
} Work;

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

static uint64_t
draw(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

/* Multiplies and adds in registers; the sum is handed back so that nothing can be left out. */
CLONES __attribute__((noinline)) static float
multiply_add(float x)
{
	Lanes chain[CHAINS];
	Lanes y = {x, x, x, x, x, x, x, x};
	float sum = 0;

	for (int c = 0; c < CHAINS; c++)
		chain[c] = y * (float) c;
	for (int n = 0; n < STEPS; n++)
		for (int c = 0; c < CHAINS; c++)
			chain[c] = chain[c] * y + y;
	for (int c = 0; c < CHAINS; c++)
		sum += chain[c][0];
	return sum;
}

/* Operations a second. */
static double
time_limit(void)
{
	double began = seconds();
	float sum = 0;

	for (int n = 0; n < LIMIT_TURNS; n++)
		sum += multiply_add(0.5f);
	if (!isfinite(sum))
		exit(1);
	return 2.0 * LIMIT_TURNS * STEPS * CHAINS * 8 / (seconds() - began);
}

/* Candidates of a target: so many different items, in order of number. */
static void
draw_candidates(const Work *work, uint32_t n, uint64_t seed)
{
	uint32_t taken = 0;

	for (uint32_t i = 0; i < work->items && taken < n; i++)
		if (draw(&seed) % (work->items - i) < n - taken)
			work->candidate[taken++] = i;
}

static void
look_up(const Work *work, uint32_t n, uint64_t seed)
{
	draw_candidates(work, n, seed);
	GramSystem(work->gram, work->diagonal, work->candidate, n, work->system, LD(n));
}

static void
set_right_side(const Work *work, uint32_t n)
{
	for (uint32_t c = 0; c < n; c++)
		work->b[c] = 1 + (float) (c % 7);
}

static void
fail(const char *what)
{
	fprintf(stderr, "solve: %s\n", what);
	exit(1);
}

/* What is done with each of TARGETS targets. */
typedef enum Part
{
	PART_DRAW,    /* candidates drawn */
	PART_LOOK_UP, /* the same, and their system looked up */
	PART_COPY,    /* one system copied */
	PART_SOLVE    /* the same, and solved */
} Part;

/* Seconds for TARGETS targets; solving is ours, or that of LAPACK where it is given. */
static double
time_targets(const Work *work, uint32_t n, int run, Part part, Sposv sposv)
{
	size_t bytes = sizeof(float) * LD(n) * n;
	int size = (int) n;
	int ld = (int) LD(n);
	int one = 1;
	int info = 0;
	double began;

	look_up(work, n, (uint64_t) run + 1);
	memcpy(work->copy, work->system, bytes);
	began = seconds();
	for (int t = 0; t < TARGETS; t++)
	{
		uint64_t seed = (uint64_t) run * TARGETS + (uint64_t) t + 1;

		if (part == PART_DRAW)
			draw_candidates(work, n, seed);
		if (part == PART_LOOK_UP)
			look_up(work, n, seed);
		if (part >= PART_COPY)
			memcpy(work->system, work->copy, bytes);
		if (part != PART_SOLVE)
			continue;
		set_right_side(work, n);
		if (sposv)
			/* Rows of ours are columns of theirs. */
			sposv("L", &size, &one, work->system, &ld, work->b, &ld, &info);
		else if (!CholeskySolve(work->system, n, LD(n), work->b))
			info = 1;
		if (info != 0)
			fail("a system could not be solved");
	}
	return seconds() - began;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return x < y ? -1 : x > y;
}

static double
median(double *values, int count)
{
	qsort(values, (size_t) count, sizeof(double), by_value);
	return values[count / 2];
}

/* How far the solution of one system is from solving it, as a share of its right side. */
static double
residual(const Work *work, uint32_t n)
{
	double worst = 0;
	float *x = malloc(sizeof(float) * LD(n));

	look_up(work, n, 1);
	set_right_side(work, n);
	if (!CholeskySolve(work->system, n, LD(n), work->b))
		fail("a system could not be solved");
	memcpy(x, work->b, sizeof(float) * n);
	look_up(work, n, 1);
	set_right_side(work, n);
	for (uint32_t r = 0; r < n; r++)
	{
		double sum = 0;

		for (uint32_t c = 0; c < n; c++)
			sum += (double) work->system[r <= c ? r * LD(n) + c : c * LD(n) + r] * x[c];
		worst = fmax(worst, fabs(sum - work->b[r]) / work->b[r]);
	}
	free(x);
	return worst;
}

static void
time_size(const Work *work, uint32_t n, int runs, Sposv *sposv, int libraries)
{
	static double gathered[RUNS_MOST];
	static double solved[RUNS_MOST];
	static double limit[RUNS_MOST];
	static double theirs[LIBRARIES_MOST][RUNS_MOST];
	double operations = (double) n * n * n / 3 + 2.0 * n * n;
	double most;
	double ours;

	for (int r = 0; r < runs; r++)
	{
		double copied = time_targets(work, n, r, PART_COPY, NULL);

		gathered[r] = time_targets(work, n, r, PART_LOOK_UP, NULL) -
					  time_targets(work, n, r, PART_DRAW, NULL);
		solved[r] = time_targets(work, n, r, PART_SOLVE, NULL) - copied;
		for (int l = 0; l < libraries; l++)
			theirs[l][r] = time_targets(work, n, r, PART_SOLVE, sposv[l]) - copied;
		limit[r] = time_limit();
	}
	most = median(limit, runs);
	ours = median(solved, runs) / TARGETS;
	printf("| %u | %.1f | %.1f | %.1f | %.1f | %.0f %% |", n,
		   1e6 * median(gathered, runs) / TARGETS, 1e6 * ours, 1e-9 * operations / ours,
		   1e-9 * most, 100 * operations / ours / most);
	for (int l = 0; l < libraries; l++)
		printf(" %.1f |", 1e6 * median(theirs[l], runs) / TARGETS);
	printf(" %.0e |\n", residual(work, n));
}

int
main(int argc, char **argv)
{
	static const uint32_t sizes[] = {50, 100, 200};
	Work work = {.items = argc > 1 ? (uint32_t) atoi(argv[1]) : 0};
	int runs = argc > 2 ? atoi(argv[2]) : 0;
	int libraries = argc - 3;
	Sposv sposv[LIBRARIES_MOST];
	uint64_t half = (uint64_t) work.items * (work.items - 1) / 2;
	uint64_t state = 42;

	if (work.items < 200 || work.items > 50000 || runs < 1 || runs > RUNS_MOST ||
		libraries > LIBRARIES_MOST)
		fail("solve ITEMS RUNS [LIBRARY...], at least 200 items");
	for (int l = 0; l < libraries; l++)
	{
		void *library = dlopen(argv[3 + l], RTLD_NOW | RTLD_LOCAL);

		if (library == NULL || (sposv[l] = (Sposv) dlsym(library, "sposv_")) == NULL)
			fail(dlerror());
	}
	work.gram = malloc(sizeof(float) * half);
	work.diagonal = malloc(sizeof(double) * work.items);
	work.candidate = malloc(sizeof(uint32_t) * 200);
	work.system = aligned_alloc(64, sizeof(float) * LD(200) * LD(200));
	work.copy = malloc(sizeof(float) * LD(200) * LD(200));
	work.b = aligned_alloc(64, sizeof(float) * LD(200));
	if (!work.gram || !work.diagonal || !work.candidate || !work.system || !work.copy || !work.b)
		fail("out of memory");
	for (uint64_t n = 0; n < half; n++)
		work.gram[n] = (float) (draw(&state) % 1024) / 1024;
	for (uint32_t i = 0; i < work.items; i++)
		work.diagonal[i] = 200;
	printf("| candidates | look up, us | solve, us | Gflop/s | limit, Gflop/s | share |");
	for (int l = 0; l < libraries; l++)
		printf(" %s, us |", argv[3 + l]);
	printf(" residual |\n|---|---|---|---|---|---|");
	for (int l = 0; l < libraries; l++)
		printf("---|");
	printf("---|\n");
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
		time_size(&work, sizes[s], runs, sposv, libraries);
	return 0;
}
