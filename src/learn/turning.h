/*
 * turning.h: rows of A'A dealt out to a team one by one, each with the users of its item at hand.
 *
 * Items are turned by ranges of about as many entries each, and each range once for all members: where there is
 * memory for it, one turns the next while the others count rows of the one at hand.  Popular items come first: they
 * then have good neighbours when the many others are offered.  And as rows are dealt one by one, members are at items
 * of about the same popularity, and end at the same time.  O(users * ranges + cells) to turn, and two atomic additions
 * a row.
 */
#ifndef RECO_TURNING_H
#define RECO_TURNING_H

#include "base/team.h"
#include "learn/weighing.h"

/* A part of a team's job. */
typedef struct TurningJob
{
	uint32_t items;
	uint32_t users;
	uint32_t ranges;
	uint32_t buffers; /* ranges that are there at a time */
	uint32_t widest;  /* items of the widest range */
	uint64_t most;    /* entries of the largest */
} TurningJob;

/* And of its pieces. */
enum
{
	TURNING_ITEM_START, /* offsets in the transpose */
	TURNING_RANGE,      /* the first item of every range, and an end */
	TURNING_STATE,
	TURNING_REACHED, /* as SparseTurnNext has it, or NULL */
	TURNING_START,   /* the transpose of a range, of each buffer */
	TURNING_COLUMN,
	TURNING_PLACE,
	TURNING_PIECES
};

typedef struct TurningState TurningState;

/* One member's part. */
typedef struct Turning
{
	const TeamMember *member;
	const TurningJob *job;
	const uint64_t *item_start;
	const uint32_t *range;
	TurningState *state;
	void **piece;
	uint32_t stage; /* how far the work has come */
	uint32_t shown; /* the range that pairs knows the users of, and one; 0 for none */
} Turning;

/*
 * Sets up the job and its pieces, and leaves so many bytes besides if there is memory for both.  TurningRemember then
 * makes turning faster where memory is left, and says whether there is.  TurningFree gives it all back.
 */
extern void TurningPlan(const Weighing *in, uint64_t besides, TurningJob *job, void **piece,
						Budget *budget);
extern bool TurningRemember(const TurningJob *job, void **piece, Budget *budget);
extern void TurningFree(void **piece, Budget *budget);

/* A member's part in a job whose pieces for turning begin with the given one. */
extern Turning TurningOpen(const TeamMember *member, const TurningJob *job, int first);

/*
 * Deals out the next row, and has pairs know its item's users; turns ranges on the way, and waits for them.
 * False where none is left.
 */
extern bool TurningNext(Turning *turning, PairsInput *pairs, uint32_t *item);

/* Says that this row is done: what it was counted from may then make room for another range. */
extern void TurningDone(Turning *turning, uint32_t item);

/* How much is done with this row, and all before it, of so much. */
extern uint64_t TurningSteps(const Turning *turning, uint32_t item, uint64_t steps);

#endif
