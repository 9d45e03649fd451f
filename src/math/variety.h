/*
 * variety.h: the order of a list that is to be more than the best rows one after the other.
 *
 * Candidates come best first, and one is taken at a time:
 *
 *   diversity    MMR (Carbonell & Goldstein 1998): of those left the one with the greatest
 *                  (1 - d) * worth - d * (greatest similarity to what was taken)
 *   calibrated   Steck 2018: the mix of a list follows the mix of a history.  p(g) is the share of
 *                kind g in the history, q(g) that in the list, each item counting 1 shared among
 *                its kinds; with q~ = (1 - a) q + a p and a = .01, of those left the one with the
 *                greatest  (1 - l) * worth - l * sum over g of p(g) ln(p(g) / q~(g))  of the list
 *                with it.  Taking the best one by one is the paper's greedy way.
 *   caps         no value of an attribute more often than so many times: a candidate with a value
 *                that is used up is passed over
 *
 * Where the first two are both asked for, MMR's value stands for the worth of the second.  Of equal
 * values the earlier candidate is taken.  A pick costs O(weighed * kinds of each + kinds), and as
 * many similarities as what was taken has; beyond the weighed, candidates come in their order.
 */
#ifndef RECO_VARIETY_H
#define RECO_VARIETY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VARIETY_NONE UINT32_MAX

/* For each candidate a list of numbers: start[c] .. start[c + 1] - 1 of number[]. */
typedef struct VarietyLists
{
	const uint32_t *start; /* NULL where nobody has any */
	const uint32_t *number;
} VarietyLists;

typedef enum VarietyState
{
	VARIETY_FREE,
	VARIETY_KEPT, /* for a place of its own: counted by the caps, but not picked */
	VARIETY_TAKEN
} VarietyState;

typedef struct Variety
{
	uint32_t count;       /* candidates */
	uint32_t weighed;     /* the first of them, of which the best is looked for */
	uint32_t in_order;    /* the first of them, that can be picked; the others only be taken */
	unsigned char *state; /* [count], of VarietyState, FREE at first */
	uint32_t next;        /* the first beyond the weighed that may be free; 0 at first */
	uint32_t taken;

	double diversity;        /* d, 0 for none */
	const double *worth;     /* [weighed], 0..1 */
	VarietyLists near;       /* of each weighed candidate those it is similar to */
	const float *similarity; /* [entries of near], 0..1 */
	float *nearest;          /* [weighed]: the greatest similarity to what was taken, 0 at first */

	double calibrated;    /* l, 0 for none */
	VarietyLists kinds;   /* of each candidate, those the history has; */
	const double *share;  /* [count]: what each of its kinds gets of it */
	const double *wanted; /* [kind_count]: p, above 0, 1 in all */
	double *mass;         /* [kind_count]: of what was taken, 0 at first */
	uint32_t kind_count;

	uint32_t most;       /* of one value, 0 for no caps */
	VarietyLists values; /* of each candidate */
	uint32_t *used;      /* by value: how often it was taken, 0 at first */
} Variety;

/* True where a candidate is free and no cap is in its way. */
extern bool VarietyMay(const Variety *variety, uint32_t candidate);

/* The next candidate, or VARIETY_NONE. */
extern uint32_t VarietyNext(Variety *variety);

/* Keeps a candidate for a place further on. */
extern void VarietyKeep(Variety *variety, uint32_t candidate);

/* Takes one that is free or was kept. */
extern void VarietyTake(Variety *variety, uint32_t candidate);

#endif
