/*
 * parts.h: what somebody did with one item by several signals, as one weight.
 *
 * The weights of events add up by signal; part 0 is that of the target, the signal whose choices lists
 * foresee.  What is negative, a cancellation, takes back whatever its signal is: from the target
 * first, then from the others alike.  The rest is worth
 *
 *   r = sum over s of w_s * part_s,   w_0 = 1
 *
 * and where more is taken back than there was, r is what is wanting, below 0, whatever w is.
 */
#ifndef RECO_PARTS_H
#define RECO_PARTS_H

#include <stdint.h>

/* Signals told apart: the target, others by name, and last all the rest. */
#define PARTS_SIGNALS 8

typedef struct Parts
{
	double part[PARTS_SIGNALS];
	double taken; /* back: 0 or less */
} Parts;

static inline void
PartsAdd(Parts *parts, uint32_t signal, double weight)
{
	if (weight > 0)
		parts->part[signal] += weight;
	else
		parts->taken += weight;
}

/* Takes back what is to be taken back; taken is then what is wanting, and parts are 0 where it is below 0. */
extern void PartsSettle(Parts *parts, uint32_t count);

/* r of settled parts. */
extern double PartsWeight(const Parts *parts, const double *w, uint32_t count);

#endif
