/*
 * summing.h: the events of every user summed to cells, pile by pile.
 *
 * Piles are shared out among as many processes as the budget allows.  What a pile comes to does not
 * depend on who worked on it; sums over piles are exact.
 */
#ifndef RECO_SUMMING_H
#define RECO_SUMMING_H

#include "base/piles.h"
#include "learn/interactions.h"
#include "math/tally.h"

/* A user on the pile of cells, after the cells themselves: words of 32 bits. */
typedef enum UserWord
{
	USER_HIGH, /* of the hash */
	USER_LOW,
	USER_CELLS, /* how many there are */
	USER_WORDS
} UserWord;

/* A cell. */
typedef enum CellWord
{
	CELL_ITEM, /* number of the log */
	CELL_VALUE,
	CELL_ORDER, /* where order is wanted: the position, and above it that before anything was chosen */
	CELL_WORDS
} CellWord;

#define CELL_ASKED_SHIFT 16

/* As many words as a cell has, without its parts by signal, which come after them. */
static inline uint32_t
CellWordsBefore(bool ordered)
{
	return ordered ? CELL_WORDS : CELL_ORDER;
}

/* As many as it has with them. */
static inline uint32_t
CellWords(bool ordered, uint32_t signals)
{
	return CellWordsBefore(ordered) + signals;
}

/*
 * What became of a pile.  Its users, by falling hash, are then on the pile of cells, so that they can
 * be read by rising hash from its end.
 */
typedef struct Part
{
	uint64_t events;
	uint64_t cells;
	double pairs; /* sum of the square of every user's number of cells */
	uint32_t users;
	uint32_t longest; /* cells of a user */
	uint32_t paired;
	uint32_t shortened;
	bool uniform; /* all cells are worth the same */
	float value;  /* that of the first */

	/* Where rows begin: set by who puts the parts in order. */
	uint32_t first_row;
	uint64_t first_cell;
	uint32_t first_held; /* in the list of those held out */
	uint32_t held;
} Part;

/* A user who may be held out, on the pile of what was chosen, followed by the items it chose. */
typedef struct Candidate
{
	uint32_t user; /* of the pile, by falling hash */
	uint32_t cells;
	uint32_t count;    /* of items chosen */
	uint32_t age;      /* of what was chosen last */
	uint32_t returned; /* all of it was chosen after the rest of the history */
} Candidate;

/* What is counted of an item. */
typedef struct ItemTally
{
	uint64_t popularity[2];
	uint64_t recent[2];
	uint64_t events;
	uint32_t users;
	uint32_t oldest_age;
	uint32_t newest_age;
	uint16_t popularity_place;
	uint16_t recent_place;
} ItemTally;

typedef struct Summed
{
	bool ordered;             /* order is wanted: said beforehand, like the next */
	uint32_t candidates_most; /* only so many, by falling hash, can be held out */
	Part *part;               /* [2^pile_bits], shared */
	ItemTally *tally;         /* by number of the log */
} Summed;

/* Sums all piles of the log. */
extern void SummingRun(EventLog *log, const InteractionOptions *options, Summed *summed,
					   Budget *budget);

#endif
