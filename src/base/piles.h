/*
 * piles.h: very many small records of one size, on numbered piles, in memory or on tape.
 *
 * Records come in any order and each goes on a pile; then each pile is taken once, whole.  While
 * they fit they stay in memory; once they do not, everything moves to logical tapes (temporary
 * files, so temp_file_limit holds) and only the last block of every pile stays.
 */
#ifndef RECO_PILES_H
#define RECO_PILES_H

#include "base/budget.h"

typedef struct Piles Piles;

/*
 * Piles of records of size bytes, a multiple of 4, for which at most so many bytes of memory are
 * used before they go to tape.
 */
extern Piles *PilesCreate(uint32 piles, Size size, Size memory, Budget *budget);

/* Puts one record on a pile. */
extern void PilesAdd(Piles *piles, uint32 pile, const void *record);

extern uint64 PilesCount(const Piles *piles, uint32 pile);
extern uint64 PilesMost(const Piles *piles);
extern bool PilesOnTape(const Piles *piles);

/* Moves a pile's records to an array that holds them, and gives their memory back. */
extern void PilesTake(Piles *piles, uint32 pile, void *records);

extern void PilesFree(Piles *piles);

#endif
