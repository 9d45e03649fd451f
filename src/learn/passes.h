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
 */
#ifndef RECO_PASSES_H
#define RECO_PASSES_H

#include "learn/weighing.h"

/* Takes a row, which lasts until it returns. */
typedef void (*PassesTake)(const PairRow *row, void *with);

/*
 * Hands over the row of every item, in order.  Reports so many steps of progress, from the first
 * on.  O(pairs, and cells for each pass); memory for what is left of the budget at most, and 60 bytes
 * an item.
 */
extern void PassesRows(const Weighing *weighing, PassesTake take, void *with, uint64_t steps,
					   Budget *budget);

#endif
