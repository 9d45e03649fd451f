/*
 * positions.h: the order of one user's items in time.
 *
 * An item's position is how many of the user's times are newer than its own: those of the newest
 * time, an item or a whole basket, have 0.  Times so far back that they have more than 65,535 before
 * them count as one.
 */
#ifndef RECO_POSITIONS_H
#define RECO_POSITIONS_H

#include "base/compat.h"

/* Of the user at hand, in memory that its owner gives. */
typedef struct Positions
{
	uint64_t *time;     /* an age in the upper half, a place in the lower */
	uint16_t *position; /* by place, once they are numbered */
	uint32_t room;      /* for so many items */
	uint32_t numbered; /* so many, of the user at hand, are in the order of times they had before */
} Positions;

static inline void
PositionsSet(Positions *positions, uint32_t place, uint32_t age)
{
	Assert(place < positions->room);
	positions->time[place] = (uint64_t) age << 32 | place;
}

/* The place that comes n-th in the order of the times that were numbered. */
static inline uint32_t
PositionsNth(const Positions *positions, uint32_t n)
{
	return (uint32_t) positions->time[n];
}

/* Sets its time anew. */
static inline void
PositionsSetNth(Positions *positions, uint32_t n, uint32_t age)
{
	positions->time[n] = (uint64_t) age << 32 | PositionsNth(positions, n);
}

/* Numbers the times of so many items.  O(n log n). */
extern void PositionsNumber(Positions *positions, uint32_t count);

#endif
