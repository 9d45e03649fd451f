/*
 * curve.h: from a score to a chance, by isotonic regression.
 *
 * Pool adjacent violators (Ayer, Brunk, Ewing, Reid, Silverman 1955) over at most CURVE_KNOTS
 * bins of equal weight; between the means of two pooled blocks the curve is straight, below the
 * first as well, and beyond the last it is flat.  Each block has one chosen and one not chosen beside its samples
 * (Laplace's rule of succession), so that no finite sample claims certainty.
 */
#ifndef RECO_CURVE_H
#define RECO_CURVE_H

#include <stdbool.h>
#include <stddef.h>

#define CURVE_KNOTS    64
#define CURVE_BIN_SIZE 16 /* a bin has at least this weight, where there is as much */

typedef struct CurveSample
{
	double score;
	float weight; /* above 0; 1 is a sample that counts for one */
	bool chosen;
} CurveSample;

typedef struct Curve
{
	int knots;
	double score[CURVE_KNOTS];  /* rising */
	double chance[CURVE_KNOTS]; /* never falling, 0..1 */
} Curve;

/* Fits samples, which it sorts by score.  No samples, no knots. */
extern void CurveFit(CurveSample *samples, size_t count, Curve *curve);

/* True where values are finite and never fall, as both of a curve's rows do. */
extern bool CurveRises(const double *values, int count);

/* The chance at a score; the curve has at least one knot. */
extern double CurveAt(const double *score, const double *chance, int knots, double at);

#endif
