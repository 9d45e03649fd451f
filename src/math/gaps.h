/*
 * gaps.h: the gaps between the times of somebody's events, and when the next event will be.
 *
 * Gaps are taken for gamma distributed with a shape c, of which 1 is no rhythm at all (a Poisson
 * process) and more is a steadier one, and a rate of which nothing is known but the n gaps there
 * were, or that and a prior worth so many typical gaps.  Then, with S the sum of those, the next
 * gap G is told by
 *
 *     G / (G + S) ~ Beta(c, c n)
 *
 * which is exact for a known shape (the ratio of two gamma variables of one rate; Aitchison &
 * Dunsmore 1975, chapter 2).  The shape is 1 / cv^2 by moments, cv the coefficient of variation of
 * the gaps, after as much as GAPS_DOUBT gaps without a rhythm:
 *
 *     cv^2 = (GAPS_DOUBT + (n - 1) (sd / mean)^2) / (GAPS_DOUBT + n - 1)
 *
 * Lengths are in any unit, the same throughout.
 */
#ifndef RECO_GAPS_H
#define RECO_GAPS_H

#include <stddef.h>
#include <stdint.h>

/* See above: how many gaps it takes to believe in a rhythm. */
#define GAPS_DOUBT 1.0

/* Shapes are kept within these: steadier than a clock, or rarer than bursts, is not foreseen. */
#define GAPS_SHAPE_LEAST 0.1
#define GAPS_SHAPE_MOST  1000.0

typedef struct Gaps
{
	double count;   /* n; after a prior, not a whole number */
	double sum;     /* of the lengths */
	double squares; /* of their deviations from the mean, summed */
} Gaps;

/* The gaps between times that rise, none twice.  O(times). */
extern Gaps GapsBetween(const int64_t *time, size_t times);

/* Their mean and standard deviation; NaN where there are none, or fewer than two. */
extern double GapsMean(const Gaps *gaps);
extern double GapsSpread(const Gaps *gaps);

/* What is known of the next gap. */
typedef struct GapsNext
{
	double shape;  /* c */
	double weight; /* n */
	double sum;    /* S */
} GapsNext;

/* The next gap after some, at least one. */
extern GapsNext GapsForesee(const Gaps *gaps);

/*
 * The same after a prior that weighs as much as so many gaps, above 0, of a typical length, above 0;
 * there need be no others.  How steady they are these others tell alone.
 */
extern GapsNext GapsForeseeAfter(const Gaps *gaps, double typical, double weight);

/* The chance that the next gap is longer. */
extern double GapsLonger(const GapsNext *next, double length);

/*
 * The length that the next gap exceeds with a chance, above 0 and below 1; where so much of it is
 * over already, the length in all.  May be infinite.
 */
extern double GapsLength(const GapsNext *next, double over, double chance);

/*
 * The chance that a gap that is over already for so long ends within a span, where with a chance of
 * share, 0 to 1, there is an end to it at all: with F the chance of a shorter one,
 * share (F(over + span) - F(over)) / (1 - share F(over)).
 */
extern double GapsEnds(const GapsNext *next, double share, double over, double span);

#endif
