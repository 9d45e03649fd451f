/*
 * counting.h: every row of A'A by a team, wherever A is.
 *
 * A matrix in memory is turned by ranges of items and dealt out row by row (learn/turning), and counted from users'
 * lists that each member copies to large pages where there is room; one on tape is counted in passes (learn/passes).
 * Sums are exact, so that neither this nor the number of processes can be told from them.
 */
#ifndef RECO_COUNTING_H
#define RECO_COUNTING_H

#include "learn/passes.h"
#include "learn/turning.h"

/* A part of a team's job. */
typedef struct CountingJob
{
	uint32_t items;
	uint32_t users;
	float uniform;
	bool in_memory;
	bool narrow;    /* 16 bits hold the numbers of items */
	uint32_t split; /* users of whom a row is handed over first; 0 for none */
	bool begins;    /* lists are named by where they begin, not by user */
	bool copy_columns;
	bool copy_values;
	uint64_t copies; /* bytes that all members' copies take */
	double mean_list;
	PairScale scale;
	PairSum same; /* what every user adds; 0 where that differs */
	uint64_t steps;
	TurningJob turning;
	PassesJob passes; /* where rows are on tape */
} CountingJob;

/* And of its pieces. */
enum
{
	COUNTING_USER_START,
	COUNTING_USER_COLUMN,
	COUNTING_USER_VALUE,
	COUNTING_CODE,
	COUNTING_LEVEL_VALUE,
	COUNTING_LEVEL_ROOT,
	COUNTING_LEVEL_NEEDED,
	COUNTING_STEP,
	COUNTING_SUMS, /* of each member, like the next */
	COUNTING_TOUCHED,
	COUNTING_TURNING,
	/* Where rows are on tape, instead of most. */
	COUNTING_PASSES = COUNTING_TURNING + TURNING_PIECES,
	COUNTING_PIECES = COUNTING_PASSES + PASSES_PIECES
};

/*
 * Sets up the job and its pieces for as many members as there is memory for; returns their number.  So many
 * steps of progress are reported in all.  Then each works, and CountingFree gives back what they worked with.
 */
extern uint32_t CountingPlan(const Weighing *in, uint64_t steps, CountingJob *job, void **piece,
							 Budget *budget);

/* Has every row handed over twice, of so many users first, where rows are in memory. */
extern void CountingSplit(CountingJob *job, uint32_t users);
extern void CountingFree(const CountingJob *job, void **piece, Budget *budget);

/*
 * A member's part in a job whose pieces for counting begin with the given one: hands over one row after
 * the other, until none is left.
 */
extern void CountingWork(const TeamMember *member, const CountingJob *job, int first,
						 PassesTake take, void *with);

/* What sums are worth in a unit of which the mean of the diagonal of A'A is about one. */
typedef struct CountingUnit
{
	PairScale scale;
	const double *norm; /* [items], each sum is divided by both of its items'; NULL is whole */
	double whole;
	double unit; /* a power of four */
} CountingUnit;

extern CountingUnit CountingUnitOf(const Weighing *in);

/* A row's values, values[item]; where a sum is 0 they are left alone. */
extern void CountingValues(const CountingUnit *unit, const PairRow *row, float *values);

#endif
