/*
 * solving.h: systems solved, rows made and lists tried by one team, which stays until all is done.
 *
 * What is tried next depends on what came of the last, so somebody leads: solves for some lambda, makes
 * rows of neighbours, has held-out users asked what their lists are worth, and again.  Each of that is
 * shared out, and takes a few milliseconds, as long as starting a worker does.
 */
#ifndef RECO_SOLVING_H
#define RECO_SOLVING_H

#include "learn/interactions.h"
#include "learn/neighbors.h"

typedef struct Solving Solving;

/* What it needs room for. */
typedef struct SolvingInput
{
	const RidgeBasis *basis;
	const RidgeBasis *other;    /* with a Gram matrix, to go on with later; or NULL */
	uint32_t candidates;        /* solved for at most */
	uint32_t k;                 /* neighbours of a row at most */
	bool counts;                /* rows may have something of the counts */
	bool indirect;              /* what neighbours of neighbours say may be asked for */
	const Interactions *matrix; /* whose held-out users are asked, the first so many, or NULL */
	uint32_t users;
	uint32_t list_k;
} SolvingInput;

extern Solving *SolvingOpen(const SolvingInput *input, Budget *budget);
extern void SolvingClose(Solving *solving, Budget *budget);

/*
 * Has somebody lead a team, as large as there is memory for.  While that goes on no memory is shared and no
 * other team starts.  Where systems are on tape there is no team, for to solve them takes one of its own;
 * nor is there one outside of it, where all that follows works as well.
 */
extern void SolvingRun(Solving *solving, void (*lead)(void *with), void *with, Budget *budget);

/* Goes on with the systems of the other basis. */
extern void SolvingOther(Solving *solving);

/*
 * Solves them as below, while whoever leads does something else first, without systems, rows or lists.
 */
extern void SolvingMeanwhile(Solving *solving, double lambda, uint32_t candidates,
							 const TeamMeanwhile *meanwhile);

/* Solves as below, for others at once if there is room for that: these are there then when they are asked for. */
extern void SolvingAhead(Solving *solving, const double *lambda, uint32_t count,
						 uint32_t candidates, Budget *budget);

/* Solves for the best so many candidates of every target. */
extern void SolvingSolve(Solving *solving, double lambda, uint32_t candidates, Budget *budget);

/* Makes rows by options, of ridge or of the counts; ordered is best first, as they are stored. */
extern void SolvingRows(Solving *solving, const SimilarityOptions *options, bool ordered,
						Budget *budget);

/* NDCG of every user asked, by the rows at hand; stays until the next are asked. */
extern const double *SolvingLists(Solving *solving, double recency);

/* The rows at hand, which are the last. */
extern Neighbors *SolvingNeighbors(Solving *solving, Budget *budget);

/*
 * Gives back what was solved with, and then lets the others go, while whoever leads goes on.  Between the two the
 * bases may be closed; nothing can be solved any more.
 */
extern void SolvingRelease(Solving *solving, Budget *budget);
extern void SolvingDismiss(Solving *solving);

#endif
