/*
 * passes.h: every row of A'A within a given memory, however large A is.
 *
 * Rows are taken in blocks, for whose sums there is memory.  For each block all users are read once
 * more, in parts for which there is memory, and of a part everything is added that belongs to
 * the block.  Sums are exact, so they are the same as those counted row by row.
 *
 * A sum takes 8 bytes, and an item has one with each that is more popular; one that meets few is
 * better off with a list of what its users add, 12 bytes a term.  So 20 million events of 133,000
 * users and 22,000 items take 1.9 GB in all: with 64 MB, about 40 passes over 80 MB.
 *
 * Several processes may share the blocks, with a part of the memory each: there are as many times more
 * passes, and each process reads as many as one alone would.
 */
#ifndef RECO_PASSES_H
#define RECO_PASSES_H

#include "base/team.h"
#include "learn/weighing.h"

/* Takes a row, which lasts until it returns. */
typedef void (*PassesTake)(const PairRow *row, void *with);

/* A part of the job of a team, and of the pieces of that. */
typedef struct PassesJob
{
	Weighing weighing; /* what it points to is in memory of the process that made it */
	uint32_t blocks;
	uint64_t room_bytes; /* of a block */
	uint64_t most_cells; /* of a part of the users */
	uint64_t steps;
	double bytes_all; /* of all rows */
} PassesJob;

enum
{
	PASSES_TAPE,
	PASSES_LENGTH, /* of the weighing, like the next */
	PASSES_NORM,
	PASSES_TERMS, /* [items], of the row of each */
	PASSES_BLOCK,
	PASSES_ROOM, /* of each member, like all that follow */
	PASSES_PLACE,
	PASSES_COUNT,
	PASSES_SUMS,
	PASSES_TOUCHED,
	PASSES_ITEM, /* the row at hand, where it comes from tape, like the next */
	PASSES_VALUE,
	PASSES_USER_START, /* a part of the users, as far as they have to do with the block */
	PASSES_USER_COLUMN,
	PASSES_USER_VALUE,
	PASSES_STEP,
	PASSES_ITEM_START, /* the same turned */
	PASSES_ITEM_COLUMN,
	PASSES_ITEM_PLACE,
	PASSES_PIECES
};

/*
 * Sets up the job and its pieces for as many members as there is memory for, at most so many; returns
 * their number.  Then each works: rows come in any order.  PassesFree gives the pieces back.
 *
 * O(pairs, and cells for each pass); memory for what is left of the budget at most, and 60 bytes an
 * item.  So many steps of progress are reported, from the first on.
 */
extern uint32_t PassesPlan(const Weighing *weighing, uint64_t steps, uint32_t most, PassesJob *job,
						   void **piece, Budget *budget);

/* A member's part in a job whose pieces for passes begin with the given one. */
extern void PassesWork(const TeamMember *member, const PassesJob *job, int first, PassesTake take,
					   void *with);
extern void PassesFree(void **piece, Budget *budget);

#endif
