/*
 * weigh.h: what the rows of a list are to one another, for math/variety.
 */
#ifndef RECO_WEIGH_H
#define RECO_WEIGH_H

#include "api/recommend.h"
#include "data/values.h"
#include "math/variety.h"

/* Rows, best first, and what they are to be weighed by. */
typedef struct WeighRows
{
	const RecommendAsk *ask;
	const Profile *profile;
	const RecommendRow *row;
	uint32 count;
	double diversity;  /* 0 for none, like the next */
	double calibrated; /* by: */
	Values *mix;
	Values *caps; /* NULL for none */
	uint32 most;  /* of a value */
} WeighRows;

/*
 * Lays it out in a variety of so many candidates, the first of them weighed, all of them free.  In
 * the current context.
 */
extern Variety WeighVariety(const WeighRows *rows, uint32 weighed);

#endif
