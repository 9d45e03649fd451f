/*
 * tape.h: bytes written one after the other, then read any number of times, in a temporary file.
 *
 * It lies where temp_tablespaces says, temp_file_limit holds, and the file is gone with the
 * transaction, however that ends.  A tape has one place, for reading and writing alike, and a buffer
 * of one block.
 */
#ifndef RECO_TAPE_H
#define RECO_TAPE_H

#include "base/budget.h"

typedef struct Tape Tape;

extern Tape *TapeCreate(Budget *budget);

/* Closes and removes it; NULL is nothing. */
extern void TapeFree(Tape *tape);

/*
 * Ends the writing of a tape that was created while the budget had workers, so that other processes
 * may read it, each from a place of its own.  Returns the piece of shared memory that they join by, or
 * NULL where nothing can be shared; they must leave again.
 */
extern void *TapePiece(Tape *tape);
extern Tape *TapeJoin(void *piece);
extern void TapeLeave(Tape *tape);

/*
 * The same to write within the tape, no two processes at the same place; what one has written others
 * read when it has left, and the tape's own process after it has looked at the tape anew.
 */
extern Tape *TapeJoinWriting(void *piece);
extern void TapeLookAnew(Tape *tape);

/* Goes to a place, so many bytes from the beginning: at most where the tape ends. */
extern void TapeSeek(Tape *tape, uint64 place);

/* Makes a new tape so long; places that nobody writes to then read as zeros. */
extern void TapeStretch(Tape *tape, uint64 bytes);

/* Both go on from the place where the last one ended; writing within the tape overwrites. */
extern void TapeWrite(Tape *tape, const void *bytes, Size size);
extern void TapeRead(Tape *tape, void *bytes, Size size);

#endif
