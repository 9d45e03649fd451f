/*
 * cells.h: a matrix of users by items as a value of SQL: an expanded object while it grows or is
 * read, flat bytes where it is stored or sent.
 */
#ifndef RECO_CELLS_H
#define RECO_CELLS_H

#include "base/budget.h"
#include "data/ids.h"
#include "utils/expandeddatum.h"

typedef struct Cell
{
	uint32 user;
	uint32 item;
	double weight;
} Cell;

typedef struct Cells
{
	ExpandedObjectHeader header;
	int magic;
	Budget *budget; /* without a limit: an aggregate's memory is its query's */
	IdSet *users;
	IdSet *items;
	Cell *cell;
	uint64 count;
	uint64 room;
	uint64 summed;     /* cells up to here are sorted and differ */
	uint32 *user_rank; /* of ids, while flattening; NULL when out of date */
	uint32 *item_rank;
	Size flat_size; /* 0 when out of date */
} Cells;

/* An empty matrix in a memory context of its own under parent. */
extern Cells *CellsCreate(MemoryContext parent, IdKind user_kind, IdKind item_kind);

/* Adds a cell; its weight is added to what is there. */
extern void CellsAppend(Cells *matrix, Cell cell);

/* Adds every cell of a matrix to another of the same kinds. */
extern void CellsAdd(Cells *into, const Cells *from);

/* A sum that a matrix may hold; an error where it is too large, and would be refused when read again. */
extern double CellsSum(double sum);

/* The matrix of a datum, to read; expanded under parent unless it is already. */
extern Cells *CellsGet(Datum datum, MemoryContext parent);

/* The matrix of a datum, to change: itself where it may be written, else a copy under parent. */
extern Cells *CellsGetWritable(Datum datum, MemoryContext parent);

/* The matrix of an image, every byte of which is checked; texts too where it comes from outside. */
extern Cells *CellsFromImage(const unsigned char *bytes, Size length, MemoryContext parent,
							 bool outside);

/* Sums repeats and sets user_rank and item_rank, which hold until a cell is added. */
extern void CellsArrange(Cells *matrix);

/* The cells in the order of the ids, user and item being ranks; in the current memory context. */
extern Cell *CellsSorted(Cells *matrix);

/* The number of each rank, from the rank of each number. */
extern uint32 *CellsByRank(const uint32 *rank, uint32 count);

/* The matrix as a datum that may be written to. */
extern Datum CellsDatum(Cells *matrix);

/* Raises the error of bytes that are no matrix. */
extern void CellsRefuse(void);

#endif
