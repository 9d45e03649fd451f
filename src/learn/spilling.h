/*
 * spilling.h: rows written to tape, where they are more than fits into memory.
 */
#ifndef RECO_SPILLING_H
#define RECO_SPILLING_H

#include "learn/summing.h"

/* Someone who is held out, by rising hash. */
typedef struct Held
{
	uint32_t user; /* of the part, by falling hash */
	uint32_t row;
	uint32_t cells;
	uint64_t begin; /* of the first of them */
} Held;

typedef struct SpillingInput
{
	EventLog *log;
	const Summed *summed;
	const Held *held; /* those held out, of whom there are so many */
	uint32_t held_count;
	const uint32_t *item_place; /* the new number of each item of the log */
} SpillingInput;

/*
 * Writes the rows of all users, by the figures that the matrix has already: learners by rising hash,
 * then those held out, whose rows are kept in memory as well.  O(cells); memory for a few times the
 * longest row.
 */
extern void SpillingRun(const SpillingInput *input, Interactions *matrix, Budget *budget);

#endif
