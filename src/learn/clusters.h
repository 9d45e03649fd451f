/*
 * clusters.h: users in a few groups by their shares.
 *
 * A user is the square roots of shares that sum to 1, a point on a sphere, so that the distance of
 * two is that of Hellinger.  k-means (Lloyd 1982) from seeds drawn far apart (k-means++, Arthur &
 * Vassilvitskii 2007), the best of a few beginnings.  How well apart the groups are is told by the
 * simplified silhouette (Hruschka et al. 2004): the mean of (b - a) / max(a, b), a and b being the
 * distances to the nearest centre and the next; where nobody says how many groups there are, it is
 * the number with the greatest one.
 */
#ifndef RECO_CLUSTERS_H
#define RECO_CLUSTERS_H

#include <stdint.h>

#include "base/budget.h"

#define CLUSTERS_MOST  20 /* that may be asked for */
#define CLUSTERS_TRIED 10 /* at most, where none are asked for */
#define CLUSTERS_USERS 20 /* of each at least, so that it is nobody's portrait */

/* Users as sparse rows of unit length, in an order that follows from them alone. */
typedef struct ClustersInput
{
	uint32_t users;
	uint32_t values;
	const uint64_t *start; /* [users + 1] */
	const uint32_t *value;
	const float *root; /* of the share of each value */
} ClustersInput;

typedef struct Clusters
{
	uint32_t count;
	double *centre;    /* [count][values] */
	uint32_t *of;      /* [users], the group of each */
	uint32_t *users;   /* [count] */
	double silhouette; /* -1 .. 1; 0 for one group */
} Clusters;

/*
 * Learns of groups, as many as asked for, or 0 to find out; fewer where some would have fewer than
 * CLUSTERS_USERS.  O(cells * groups) a round, some thousand rounds at most.
 */
extern Clusters *ClustersLearn(const ClustersInput *input, uint32_t wanted, Budget *budget);

/* The squares of the lengths of centres, to square[count]. */
extern void ClustersSquares(const double *centre, uint32_t count, uint32_t values, double *square);

/* The squares of the distances of a row to centres, whose squares are known, to distance[count]. */
extern void ClustersDistances(const double *centre, const double *square, uint32_t count,
							  uint32_t values, const uint32_t *value, const float *root,
							  uint32_t cells, double *distance);

/*
 * How much a row belongs to each of count groups, by its distances; they sum to 1 (fuzzy c-means,
 * Bezdek 1981, m = 2).
 */
extern void ClustersMembership(const double *distance, uint32_t count, double *membership);

#endif
