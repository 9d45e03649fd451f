/*
 * cost.h: what a refresh will cost, from a few figures of its events.
 *
 * Every constant is in one table in cost.c, with how it was measured.  reco_estimate asks before
 * a refresh, by a sample; a refresh asks while it runs, by what it knows by then, to tell when it
 * will be done.
 */
#ifndef RECO_COST_H
#define RECO_COST_H

#include "math/fold.h"
#include "math/similarity.h"
#include "math/sketch.h"

typedef struct CostInput
{
	SketchFigures figures;
	double row_seconds; /* of the events query itself, for one event */
	double id_bytes;    /* of one item's id */
	bool alike;         /* all cells are worth the same */
	bool ordered;       /* the order of cells is kept */
	double memory;      /* bytes a refresh may use besides its result */
	double readers;     /* processes that read together */
	double encoders;    /* that sum events together */
	double processes;   /* that learn together */
	double held_out;    /* users the match curve is learned on */
	bool twice;         /* whether neighbours are learned again with them */
	double trials;      /* of other options before, each with a part of the candidates */
	const SimilarityOptions *options;
	const SimilarityOptions *picked; /* what trials of these options will pick besides; or NULL */
	const FoldOptions
		*fold; /* factors are learned beside, once more for a quarter where twice; or NULL */
} CostInput;

typedef struct RefreshCost
{
	double met;        /* pairs of items that anybody has, in both orders */
	double kept;       /* neighbours that are stored */
	double candidates; /* of all targets, as ridge has them */
	/* Seconds of each phase. */
	double read;
	double encode;
	double learn;
	double solve;   /* of ridge or factors, after learn */
	double systems; /* of ridge: the part of solve that has all numbers at hand */
	double curve;
	double again; /* learning and solving again, from everybody, and carrying the curve over */
	double write;
	double bytes; /* at most at one time */
} RefreshCost;

extern RefreshCost CostOf(const CostInput *input);

/*
 * Parts of learning in seconds of one process with all the memory it wants, by what is counted: what
 * trials take beside one fit (learn/allowance).  The first two are the parts of a fit: pairs counted,
 * of a kind of rows, and, for ridge, systems solved.
 */
extern double CostCounting(const SketchFigures *figures, const SimilarityOptions *options);
extern double CostFit(const SketchFigures *figures, const SimilarityOptions *options);

/* Systems of so many multiply-adds and numbers together. */
extern double CostSolving(double products, double numbers);

/* Neighbours put into rows, so many of them, and steps taken from neighbours to theirs. */
extern double CostRows(double neighbors, double steps);

/* The lists of so many users out of so many items, by so many neighbours altogether. */
extern double CostLists(double users, double items, double neighbors);

/* Cells mixed from what so many signals say. */
extern double CostMixing(double cells, double signals);

/*
 * The figures of events of which only numbers are known: as many pairs and as long a tail of
 * items as sets of people and wares commonly have.
 */
extern void CostGuess(double events, double users, double items, SketchFigures *figures);

#endif
