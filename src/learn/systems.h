/*
 * systems.h: the systems of ridge on tape, gathered from rows of the Gram matrix that is never held
 * whole.
 *
 * A system has as members its target and the target's candidates, in order of number, and keeps
 * the number of every two of them as a Gram matrix does (math/gram): those of member 1 with member 0,
 * of member 2 with 0 and 1, and so on.  Each system has its place on the tape; a row of the Gram matrix is dealt out to all systems
 * of which its item is a member.
 */
#ifndef RECO_SYSTEMS_H
#define RECO_SYSTEMS_H

#include "learn/cooccurrence.h"

typedef struct Systems
{
	uint32_t items;
	uint64_t *member_start; /* [items + 1] */
	uint32_t *member;
	uint64_t *number_start; /* [items + 1] */
	uint64_t largest;       /* numbers of a system */
	Tape *tape;             /* NULL before they are gathered */
} Systems;

/* The systems of these candidates.  Memory for 4 bytes a candidate. */
extern Systems *SystemsOpen(const CooccurrenceSlots *to, uint32_t items, Budget *budget);
extern void SystemsClose(Systems *systems, Budget *budget);

/*
 * Counts the rows and deals them out, by a team, unless that was done before.  Reports as many steps of
 * progress as there are items.  Cost: that of counting, and a seek for every candidate of every
 * target; 4 bytes of temporary file for every number.
 */
extern void SystemsGather(Systems *systems, const CooccurrenceInput *input, Budget *budget);

/* Reads the numbers of a target's system from the tape, or from where another process has joined it. */
extern void SystemsRead(const Systems *systems, Tape *tape, uint32_t target, float *number);

/* The place of a member in the system of a target. */
static inline uint32_t
SystemsPlace(const Systems *systems, uint32_t target, uint32_t item)
{
	const uint32_t *member = systems->member + systems->member_start[target];
	uint32_t low = 0;
	uint32_t high = (uint32_t) (systems->member_start[target + 1] - systems->member_start[target]);

	while (low < high)
	{
		uint32_t middle = low + (high - low) / 2;

		if (member[middle] < item)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

#endif
