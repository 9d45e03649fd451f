/*
 * cholesky.h: solves a symmetric positive definite system in single precision.
 *
 * a is n x n, row after row ld floats apart, of which only the upper triangle is read; it is
 * overwritten by U with A = U'U, of which the diagonal holds reciprocals.  b is overwritten by the
 * solution.  False where a is not positive definite, and both are then spoilt.  Rows are worked on
 * in whole lanes: ld is at least n rounded up to a multiple of CHOLESKY_LANES, and what lies below
 * the diagonal or beyond n is spoilt, too.
 *
 * Cost: n^3 / 6 multiply-adds for the factor, n^2 for the solution.  A row of tiles after the other,
 * each reduced by all rows above it while it stays in registers (left-looking; Golub & Van Loan
 * 2013, section 4.2.9); no sum is reordered by the compiler.
 *
 * Not LAPACK: the systems are small (n of a few hundred) and many, a library of the distribution may
 * start threads, which a backend must not, and none is part of a server's installation.  Nor would it
 * be faster: of n = 200 this takes 36 us a system on a Zen 4 core, 65 % of the multiply-adds that it
 * can do at all; sposv of OpenBLAS 0.3.21 in one thread 114 us, that of LAPACK's own library 664 us
 * (bench/solve.c).
 */
#ifndef RECO_CHOLESKY_H
#define RECO_CHOLESKY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHOLESKY_LANES 8

extern bool CholeskySolve(float *a, uint32_t n, size_t ld, float *b);

/* The solution for another b, by the U that CholeskySolve left in a. */
extern void CholeskySubstitute(const float *a, uint32_t n, size_t ld, float *b);

#endif
