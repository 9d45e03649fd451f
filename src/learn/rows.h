/*
 * rows.h: the rows of a matrix of users by items, in memory or on tape.
 *
 * What is learned by walking over all users, one after the other and as often as it takes, reads
 * rows here and need not know where they are.  A row's items are in rising order.
 */
#ifndef RECO_ROWS_H
#define RECO_ROWS_H

#include "base/tape.h"
#include "math/sparse.h"

typedef struct Rows
{
	uint32_t users; /* rows that count, the first of the matrix */
	/*
	 * The rows of the matrix by which sums over these are scaled, if they are more: then sums can be handed
	 * over for these on the way to those of all.
	 */
	uint32_t scaled;
	uint32_t items;
	uint32_t
		*item_users; /* [items], how many of these users have each; NULL where nobody counted */
	const Sparse *memory; /* NULL where they are on tape */
	/* In memory, of every cell, how many times of its user's are newer; only for what goes by order. */
	const uint16_t *position;
	/*
	 * In memory, of every cell, what it is worth as a target, 0 for none; NULL where each is worth as
	 * much as in a history.
	 */
	const float *target;
	Tape *tape;
	uint32_t longest; /* of the tape, cells of a row at most; like the next two */
	bool valued;      /* cells differ */
	float uniform;    /* what they are worth otherwise */
} Rows;

typedef struct Row
{
	uint32_t count;
	const uint32_t *item;
	const float *value; /* NULL where all cells are worth the same */
	float uniform;
} Row;

static inline float
RowValue(const Row *row, uint32_t cell)
{
	return row->value ? row->value[cell] : row->uniform;
}

/* How many of a row's items are below a number. */
extern uint32_t RowFind(const Row *row, uint32_t item);

/* How many users have each item, [items], a piece of the result.  O(cells). */
extern uint32_t *RowsCountUsers(const Rows *rows, Budget *budget);

/* The same where that is not known yet, otherwise what is known; and gives back what was counted. */
extern uint32_t *RowsUsers(const Rows *rows, Budget *budget);
extern void RowsFreeUsers(const Rows *rows, uint32_t *users, Budget *budget);

/* The first rows of a matrix in memory. */
extern Rows RowsInMemory(const Sparse *by_user, uint32_t users);

/* True where cells have values of their own. */
extern bool RowsValued(const Rows *rows);

/* A row of a matrix in memory. */
extern Row RowOf(const Sparse *by_user, uint32_t user);

/* Walks over the rows, from the first on.  There may be one walk over a tape at a time. */
typedef struct RowsWalk
{
	const Rows *rows;
	Budget *budget; /* that the next two are of; NULL where they are the caller's */
	uint32_t next;
	uint32_t *item; /* of the row at hand, where it comes from tape, like the next */
	float *value;
} RowsWalk;

extern RowsWalk RowsOpen(const Rows *rows, Budget *budget);

/* The same in room of the caller's for the longest row that is on tape. */
extern RowsWalk RowsOpenIn(const Rows *rows, uint32_t *item, float *value);
extern void RowsClose(RowsWalk *walk);

/* The next row, which stays until the one after it is asked for; false after the last. */
extern bool RowsNext(RowsWalk *walk, Row *row);

/* Adds a row to a tape. */
extern void RowsPut(Tape *tape, const Row *row);

#endif
