/*
 * splitting.h: a pile of events that is larger than the memory, in order.
 *
 * The pile is dealt out to smaller ones by the next bits in which its events differ, those of the
 * user first, then of the item, the age and the weight, until each fits into memory and can be
 * sorted there.  So even the events of one user, or of one user with one item, need no more.
 */
#ifndef RECO_SPLITTING_H
#define RECO_SPLITTING_H

#include "base/piles.h"
#include "math/eventlog.h"

/*
 * Takes events in order: users by falling hash, each user's events as learn/eventorder has them.  A
 * user's events may come in several parts.
 */
typedef void (*SplittingTake)(const Event *events, uint64_t count, void *with);

typedef struct Splitting
{
	Event *room; /* for so many events */
	uint64_t most;
	SplittingTake take;
	void *with;
	Budget *budget;
} Splitting;

/* Items of the log's numbers, of what one writer put on a pile. */
typedef uint32_t (*SplittingItem)(uint32_t writer, uint32_t item, void *with);

/*
 * Takes a pile, to which events came by so many bits of their user.  O(events) for each time it is
 * dealt out; memory for SPLITTING_BLOCKS blocks beside the room for events.
 */
#define SPLITTING_BLOCKS 20
extern void SplittingRun(const Splitting *splitting, Piles *piles, uint32_t pile,
						 uint32_t pile_bits, SplittingItem number);

#endif
