/*
 * curve.h: from a score to a chance, by isotonic regression.
 *
 * Pool adjacent violators (Ayer, Brunk, Ewing, Reid, Silverman 1955) over at most CURVE_KNOTS
 * bins of equal size; between the means of two pooled blocks the curve is straight, beyond the
 * first and last it is flat.  Each bin starts with one chosen and one not chosen, so that no
 * finite sample claims certainty.
 */
#ifndef RECO_CURVE_H
#define RECO_CURVE_H

#include <stdbool.h>
#include <stddef.h>

#define CURVE_KNOTS    64
#define CURVE_BIN_SIZE 16 /* a bin has at least as many samples, where there are as many */

typedef struct CurveSample
{
	double score;
	int chosen; /* 1 or 0 */
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
