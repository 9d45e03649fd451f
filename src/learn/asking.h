/*
 * asking.h: what lists are worth to some held-out users, by a team: as learn/evaluation has it, but for
 * NDCG alone, and as fast as many trials want it.
 *
 * What each user had, chose, and is not shown again is laid out once.
 */
#ifndef RECO_ASKING_H
#define RECO_ASKING_H

#include "base/team.h"
#include "learn/interactions.h"

/* So long a list may be. */
#define ASKING_MOST 100

/* A part of a team's job. */
typedef struct AskingJob
{
	uint32_t users;
	uint32_t items;
	uint32_t k;       /* of a list */
	uint32_t longest; /* history */
	double recency;   /* what histories are read with */
} AskingJob;

/* And of its pieces.  Rows are those of learn/mixture. */
enum
{
	ASKING_HISTORY_START, /* [users + 1] */
	ASKING_HISTORY,
	ASKING_SEEN_START, /* items of it that are not listed */
	ASKING_SEEN,
	ASKING_CHOSEN_START,
	ASKING_CHOSEN,
	ASKING_NDCG,    /* [users] */
	ASKING_SCRATCH, /* of each member, like the next */
	ASKING_ENTRY,
	ASKING_MARK, /* [items], 1 for what this user chose */
	ASKING_LIST,
	ASKING_PIECES
};

/* Rows of neighbours as the scorer reads them. */
typedef struct AskingRows
{
	const uint64_t *start;
	const uint32_t *count;
	const uint32_t *item;
	const float *similarity;
} AskingRows;

/*
 * Lays out the first so many of those with chosen items, for lists of k, and sets up the pieces for as many
 * members as there is memory for; returns their number.  Then each works, as often as wanted; NDCG is NaN
 * for a user without a history.
 */
extern uint32_t AskingPlan(const Interactions *matrix, uint32_t users, uint32_t k, AskingJob *job,
						   void **piece, Budget *budget);
extern void AskingWork(const TeamMember *member, const AskingJob *job, int first,
					   const AskingRows *rows);
extern void AskingFree(void **piece, Budget *budget);

#endif
