/*
 * cholesky.h: solves a symmetric positive definite system in single precision.
 *
 * a is n x n, row after row ld floats apart, of which only the upper triangle is read; it is
 * overwritten by U with A = U'U.  b is overwritten by the solution.  False where a is not
 * positive definite, and both are then spoilt.
 *
 * Cost: n^3 / 6 multiply-adds for the factor, n^2 for the solution.  Right-looking, in blocks of
 * rows, so that every inner loop runs along a row and vectorises without reordering a sum.
 *
 * Not LAPACK: the systems are small (n of a few hundred) and many, a library of the
 * distribution may start threads, which a backend must not, and none is part of a server's
 * installation.
 */
#ifndef RECO_CHOLESKY_H
#define RECO_CHOLESKY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern bool CholeskySolve(float *a, uint32_t n, size_t ld, float *b);

/* The solution for another b, by the U that CholeskySolve left in a. */
extern void CholeskySubstitute(const float *a, uint32_t n, size_t ld, float *b);

#endif
