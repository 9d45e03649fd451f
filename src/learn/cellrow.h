/*
 * cellrow.h: the cells of a user, as summing leaves them, made into a row of the matrix.
 */
#ifndef RECO_CELLROW_H
#define RECO_CELLROW_H

#include "learn/summing.h"

/*
 * Puts cells, of so many words each, in order of the items' new numbers: in the upper half of each of
 * what is returned the number, in the lower the cell.  It lies in room for twice as many.
 */
extern uint64_t *CellRowSort(const uint32_t *words, uint32_t count, uint32_t size,
							 const uint32_t *item_place, uint64_t *room);

/* Their numbers and, unless that is NULL, values in this order. */
extern void CellRowSplit(const uint32_t *words, uint32_t count, uint32_t size,
						 const uint64_t *sorted, uint32_t *column, float *value);

#endif
