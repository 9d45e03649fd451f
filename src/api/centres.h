/*
 * centres.h: what tells a segment, as an object that its owner keeps, and the numbers of segments
 * that are still there.
 *
 * By shares a centre is the mean root of each value.  By factors it is what the mean member would
 * score some well-known items: factors of their own mean nothing beside those of another refresh,
 * but the point that gives these items the same scores can be found among any (least squares).
 */
#ifndef RECO_CENTRES_H
#define RECO_CENTRES_H

#include "api/crowd.h"

/* Centres as somebody kept them, among the points there are now. */
typedef struct Centres
{
	uint32 count;
	int32 *number;
	double *centre; /* [count][values] */
	double *square; /* [count], of the length of each */
} Centres;

/* Those of an object; what names the argument in errors. */
extern Centres CentresRead(const Crowd *crowd, Datum object, const char *what, Budget *budget);

/* The centre of each group as an object: its shares, or what it would score the items most users have. */
extern Datum *CentresWrite(const Crowd *crowd, const Clusters *clusters, Budget *budget);

/*
 * The number of each segment: of two centres, one now and one kept, that are nearest to each other the
 * one has the other's, and so on; what is new is numbered on from the greatest there ever was, the
 * largest first.
 */
extern int32 *CentresNumber(const Crowd *crowd, const Clusters *clusters, const Centres *kept);

#endif
