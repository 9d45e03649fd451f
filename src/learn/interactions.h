/*
 * interactions.h: events into the matrix everything is learned from.
 *
 * Repeats of a user and an item are summed with decay, r_ui = sum of weight * 2^(-age /
 * half_life), age counted from the newest event of all, so that time alone changes nothing; what is
 * positive becomes the cell f(r_ui).  Users and items are numbered in an order that follows
 * from the events and ids alone, so a matrix never depends on the order of rows: items by number of
 * users, then by id; users by the hash of their id, those held out last.
 *
 * Of a user with more items than max_history only those with the newest events count: one crawler
 * with a hundred thousand items would otherwise be as much work as all others together.
 *
 * Something is kept back, so that what was learned can be held against it: some users, or of all
 * users what came after a line in time.
 *
 * Held-out users are drawn by hash from those with two cells or more: a tenth of all users, or a
 * hundredth of those eligible where that is 1,000, but 200 at least, 4,000 at most, and never more
 * than half of those eligible, for the others are all there is to learn pairs from.  Of each, the newest fifth of
 * the items (30 at most) are "chosen": what the user went on to choose after the rest of the
 * history.
 *
 * A model is asked about people who come now, and for what they come back to choose.  So of four
 * drawn the one is held out who chose something last: what others chose, who left long ago, belongs
 * to another season.  And what was chosen at one time, a basket, is chosen as a whole or not at
 * all: the rest of a basket says more of it than all visits before.  Where there are no times, a
 * fifth of the items is drawn by lot.
 *
 * A line is the same for everybody, or each user's own.  Then all users are learned from, but only
 * by their events before it, and chosen is what they took up after it.  So the row of a held-out
 * user has the chosen items; that of a learner does not, unless the item was there before.
 *
 * Where their order is wanted, a user's items are put in order by when each was last chosen, by whole
 * seconds: what was chosen at one time has one position.
 *
 * Where signals are told apart, cells keep how much of them is owed to each, and chosen are items that
 * the target chose: of a held-out user those taken up last, by whatever signal, of all that it
 * chose.  What else was taken up since then is not known yet, when that user is asked about.
 */
#ifndef RECO_INTERACTIONS_H
#define RECO_INTERACTIONS_H

#include "learn/rows.h"
#include "math/decay.h"
#include "math/eventlog.h"

typedef enum InteractionSplit
{
	SPLIT_USERS, /* some users are held out */
	SPLIT_TIME,  /* what came after one point in time is kept back */
	SPLIT_LAST,  /* of each user, what was chosen at the newest time: an item, or a whole basket */
	SPLITS
} InteractionSplit;

typedef struct InteractionOptions
{
	Weighting weighting;
	double half_life;         /* seconds, 0 for none, like the next two */
	double popular_half_life; /* of popularity */
	double trend_half_life;   /* of the recent count that trend compares with it */
	uint32_t max_history;     /* items of a user that count at most, the newest */
	InteractionSplit split;
	uint32_t line; /* SPLIT_TIME: events of a smaller age are kept back, and those of the newest */
	bool ordered;  /* the order of each user's items is wanted, where events have times */
	bool repeats;  /* beyond a line, what the user had before may be chosen again */
	bool keep_users; /* rows say whose they are */
	bool tape;       /* rows may go to tape where they do not fit; only where users are held out */
} InteractionOptions;

/* What is known of an item besides its neighbours. */
typedef struct ItemStat
{
	uint64_t events;
	uint32_t users;      /* with r > 0 */
	uint32_t oldest_age; /* seconds */
	uint32_t newest_age;
	/* Decayed weight of positive events as of the log's now, by two half-lives. */
	double popularity;
	double recent;
} ItemStat;

/* Of a basket, in an order drawn by lot. */
typedef struct Chosen
{
	uint32_t user; /* in matrix order */
	uint32_t item;
} Chosen;

typedef struct Interactions
{
	uint32_t users;
	uint32_t items;
	uint64_t cells;         /* f(r_ui) > 0 */
	uint64_t learned_cells; /* of learners */
	double pairs;           /* sum of the square of every user's number of cells */

	Rows rows;          /* of all users, each sorted by item */
	Sparse by_user;     /* of users in memory: all, or where rows are on tape, those held out */
	uint32_t in_memory; /* the first of them */
	/*
	 * Of every cell, how many times of its user's are newer; NULL where order is not wanted, or rows
	 * are on tape.  Beside it, where users are held out, the same of their cells, from the first of
	 * them on, before anything was chosen.
	 */
	uint16_t *position;
	uint16_t *asked;
	uint32_t
		signals;   /* that are told apart, 0 for none; then order is there where there are times */
	float *part;   /* [cells][signals], as math/parts has them */
	float *target; /* [cells], f of the target's part, once parts are mixed; then this is: */
	const struct Interactions *whole; /* what they were mixed from, with what was worth nothing */

	uint32_t learners;    /* users below this number are learned from */
	uint32_t *item_users; /* [items], how many of these have each; NULL where that is not known */
	uint32_t paired;    /* users with two cells or more, the only ones who say anything of pairs */
	uint32_t shortened; /* users who had more than max_history items */
	uint32_t chosen_count;
	Chosen *chosen; /* sorted by user */
	ItemStat *stat; /* [items], in matrix order */
	uint32_t *item; /* matrix order -> number in the log */
	uint64_t *user; /* [users], the hash of each row's user; NULL unless that is to be kept */
} Interactions;

/* Fewer cells than that are learned from sooner than a worker has started. */
#define INTERACTIONS_SHARED 100000

/* One in so many of those who say anything of pairs can be spared. */
#define HOLDOUT_SPARED 100

/* How many are held out of so many users, some of whom have two cells or more. */
extern uint32_t InteractionsHoldout(uint32_t users, uint32_t paired);

/*
 * Builds the matrix and gives the log's piles back to the budget.  O(events * log(events of a
 * user)); memory for 8 bytes a cell twice, 4 where all are worth the same, beside a pile of
 * events.  Where the options allow it and that is more than there is, rows go to tape, with a
 * NOTICE.
 */
extern Interactions *InteractionsBuild(EventLog *log, const InteractionOptions *options,
									   Budget *budget);

/* Gives back what does not go with the budget. */
extern void InteractionsClose(Interactions *matrix);

/* The rows of the first so many users. */
extern Rows InteractionsRows(const Interactions *matrix, uint32_t users);

/* The row of a user by the hash that was kept, or the number of rows where there is none; none is held out. */
extern uint32_t InteractionsUser(const Interactions *matrix, uint64_t hash);

/* Where the items chosen by a user end that begin there. */
extern uint32_t InteractionsChosenEnd(const Interactions *matrix, uint32_t begin);

/* The matrix with all that users did something with, whatever it is worth. */
static inline const Interactions *
InteractionsWhole(const Interactions *matrix)
{
	return matrix->whole ? matrix->whole : matrix;
}

/* In place of asked, of what a held-out user took up later than what was chosen. */
#define INTERACTIONS_LATER UINT16_MAX

/* The row of a user that is in memory: of anybody, or where rows are on tape, who is held out. */
static inline Row
InteractionsRow(const Interactions *matrix, uint32_t user)
{
	return RowOf(&matrix->by_user, user - matrix->in_memory);
}

/* True for a cell of a held-out user, by its place in the row, that was not there yet. */
static inline bool
InteractionsLater(const Interactions *matrix, uint32_t user, uint32_t cell)
{
	const uint64_t *start = matrix->by_user.start;

	return matrix->signals > 0 && matrix->asked && user >= matrix->learners &&
		   matrix->asked[start[user] - start[matrix->learners] + cell] == INTERACTIONS_LATER;
}

/*
 * True for a cell of such a row whose item the user had before choosing, where chosen[] is not 0 for what
 * was chosen.  The rows of learners never had that, those of users held out still do.
 */
static inline bool
InteractionsHad(const Interactions *matrix, uint32_t user, const Row *row, uint32_t cell,
				const unsigned char *chosen)
{
	return user < matrix->learners ||
		   (!chosen[row->item[cell]] && !InteractionsLater(matrix, user, cell));
}

/* How many times of the user's are newer than a cell of such a row; 0 where order is not known. */
static inline uint32_t
InteractionsPosition(const Interactions *matrix, uint32_t user, uint32_t cell)
{
	if (matrix->position == NULL)
		return 0;
	if (user < matrix->learners)
		return matrix->position[matrix->by_user.start[user] + cell];
	return matrix
		->asked[matrix->by_user.start[user] - matrix->by_user.start[matrix->learners] + cell];
}

/*
 * What a cell of such a row says in the history of its user, of which recency is left from one time to
 * the next.
 */
static inline double
InteractionsWeight(const Interactions *matrix, uint32_t user, const Row *row, uint32_t cell,
				   double recency)
{
	return RowValue(row, cell) * DecayByPosition(recency, InteractionsPosition(matrix, user, cell));
}

#endif
