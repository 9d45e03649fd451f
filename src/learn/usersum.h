/*
 * usersum.h: the events of one user summed to cells, put on the pile of cells.
 *
 * A part of learn/summing, which takes piles apart.
 */
#ifndef RECO_USERSUM_H
#define RECO_USERSUM_H

#include "learn/acts.h"
#include "learn/choosing.h"
#include "learn/positions.h"
#include "learn/summing.h"
#include "port/atomics.h"

/* What is the same for all users. */
typedef struct UserSumJob
{
	InteractionOptions options;
	uint32_t pile_bits;
	uint32_t items;
	uint32_t newest_age; /* of the log */
	double popular_after; /* seconds from the log's now to when popularity is as of, and recent counts */
	double recent_after;
	uint32_t candidates_most;
	uint64_t events_most; /* of a pile */
	uint64_t spread;      /* places where spots begin */
	uint32_t signals;
	bool ordered;
} UserSumJob;

/* One member at work on one pile. */
typedef struct UserSum
{
	const UserSumJob *job;
	const InteractionOptions *options;
	Piles *piles;
	Part *parts;
	pg_atomic_uint32 *candidates; /* [piles] */
	const uint64_t *map_start;
	const uint32_t *map;
	const uint32_t *item_rank;
	ItemTally *tally;
	Event *events; /* [events_most], like the next */
	Event *spare;
	uint64_t *spread;
	Positions positions; /* for events_most */
	uint16_t *asked;     /* of the cells of the user at hand */

	uint32_t pile;
	Part *part;
	uint32_t user;        /* at hand, by falling hash */
	const Event *history; /* its events */
	uint64_t history_count;
	Acts acts;           /* the same, where signals are told apart */
	uint32_t line;       /* of that user: younger events are kept back; 0 for none */
	uint32_t considered; /* candidates of the pile */
	bool enough;         /* there are, on the piles before */
	double last_sum;
	double last_value; /* f of it: most sums are the same */
} UserSum;

static inline void
UserSumBegin(Cell *cell, uint32_t item)
{
	cell->item = item;
	cell->value = 0;
	cell->oldest_age = 0;
	cell->newest_age = UINT32_MAX;
	cell->latest_age = UINT32_MAX;
}

/*
 * Sums one user's sorted events to cells, and counts them for their items.  Returns the number of
 * positive cells; there is room for as many as there are events.
 */
extern uint32_t UserSumCells(UserSum *sum, const Event *events, uint64_t count, Cell *cells);

/* Makes what comes of a user of the cells that were summed, and which are no more afterwards. */
extern void UserSumEnd(UserSum *sum, uint64_t user, Cell *cells, uint32_t count);

/* Where a user's events come in parts: adds one to its cell, whose sum is r, and counts it. */
extern void UserSumAdd(UserSum *sum, const Event *event, Cell *cell, double *r);

/* Settles what a cell is worth.  Returns 1 where that is more than nothing, and 0 where it is not to be kept. */
extern uint32_t UserSumEndCell(UserSum *sum, Cell *cell, double r);

#endif
