/*
 * piles.h: bytes on very many numbered piles, in memory or on tape.
 *
 * Bytes come in any order and each record goes on a pile; then each pile is taken once, whole.
 * While they fit they stay in memory; once they do not, what a process has written moves to a
 * temporary file of its own (so temp_file_limit holds), and only the last block of every pile stays.
 *
 * Several processes may write to the same piles, each as a writer of its own, and take from them,
 * where there are several and the budget has workers, and the system has memory to share.  What a writer put on a pile
 * comes back in the order it was put there.
 */
#ifndef RECO_PILES_H
#define RECO_PILES_H

#include "base/budget.h"

/* Where this process writes next on a pile, and where the room for it ends. */
typedef struct PileEnd
{
	char *at;
	char *limit;
} PileEnd;

/* Piles as one process sees them. */
typedef struct Piles
{
	PileEnd *end; /* [piles] */
	struct PilesView *view;
} Piles;

/*
 * Piles for so many writers, which use at most so many bytes of memory before they go to tape; then
 * PILES_TAPE bytes for every pile and writer.  What it takes to keep writers apart is not limited, as
 * what is decided by what is left must not depend on their number.  This process is writer 0.
 */
#define PILES_TAPE BLCKSZ
extern Piles *PilesCreate(uint32 piles, uint32 writers, Size memory, Budget *budget);

/* True where other processes can join. */
extern bool PilesAreShared(const Piles *piles);

/*
 * The piece of shared memory that others join by; they must leave again, unless their process ends.
 * For the process that made the piles, joining gives what it has.
 */
extern void *PilesPiece(const Piles *piles);
extern Piles *PilesJoin(void *piece, uint32 writer);
extern void PilesLeave(Piles *piles);

/* Room for a few bytes on a pile, at most 256, a multiple of 4. */
extern void *PilesRoom(Piles *piles, uint32 pile, Size size);

/*
 * The place of the next bytes is sent for: by the time they come, hundreds of other piles have been written to.
 * One process gathered the histories of 20 million events in 1.75 s of processor time instead of 2.16, medians
 * of four in turns.
 */
static inline void *
PilesPlace(Piles *piles, uint32 pile, Size size)
{
	PileEnd *end = &piles->end[pile];
	void *place = end->at;

	if (unlikely((Size) (end->limit - end->at) < size))
		return PilesRoom(piles, pile, size);
	end->at += size;
	__builtin_prefetch(end->at + size, 1, 2);
	return place;
}

/* Puts any number of bytes on a pile. */
extern void PilesWrite(Piles *piles, uint32 pile, const void *bytes, Size size);

/* Ends this process's writing on one pile, or on all: before that nobody may take or count it. */
extern void PilesClose(Piles *piles, uint32 pile);
extern void PilesEnd(Piles *piles);

/*
 * Ends it on one pile for good: another process may take it while this one goes on elsewhere, unless it
 * is on tape, where it can be read once this process has ended all its writing.
 */
extern void PilesHandOver(Piles *piles, uint32 pile);

/*
 * Says that everybody has ended.  Shared piles then make do with the memory they have, so that
 * writing does not fail for want of more: what does not fit goes to tape.  Until something is taken
 * or written they are charged by what lies on them, which does not depend on the number of writers.
 */
extern void PilesSettle(Piles *piles);

/* Has this process write to tape from now on. */
extern void PilesToTape(Piles *piles);

extern uint32 PilesWriters(const Piles *piles);

/* The bytes on a pile, on the largest of all, and those of one writer. */
extern uint64 PilesBytes(const Piles *piles, uint32 pile);
extern uint64 PilesMost(const Piles *piles);
extern uint64 PilesBytesOf(const Piles *piles, uint32 pile, uint32 writer);

/* True where some of it went to tape, and where what is on one pile did. */
extern bool PilesOnTape(const Piles *piles);
extern bool PilesIsOnTape(const Piles *piles, uint32 pile);

/* Moves what one writer or all of them put on a pile to memory that holds it; returns its end. */
extern void *PilesTakeOf(Piles *piles, uint32 pile, uint32 writer, void *to);
extern void *PilesTake(Piles *piles, uint32 pile, void *to);

/*
 * Reads what all writers put on a pile from its end to its beginning, and gives memory back as it goes:
 * each read gets the bytes before those of the last one, in their own order.
 */
typedef struct PilesBack PilesBack;
extern PilesBack *PilesBackOpen(Piles *piles, uint32 pile, Budget *budget);
extern void PilesBackRead(PilesBack *back, void *bytes, Size size);
extern uint32 PilesBackWriter(const PilesBack *back);
extern void PilesBackClose(PilesBack *back, Budget *budget);

/* Frees them; after an error that was caught has closed this process's files, they are dropped. */
extern void PilesFree(Piles *piles);
extern void PilesDrop(Piles *piles);

#endif
