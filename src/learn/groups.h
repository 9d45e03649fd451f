/*
 * groups.h: what groups of users go for more than everybody does.
 *
 * For a group g of users, who may have anything in common, and an item i
 *
 *   lift(g, i) = (n_gi + s) / (n_g * n_i / n + s)
 *
 * where n counts the users of the matrix, n_i those with the item, and n_g and n_gi those of them
 * who are in the group.  s users of prior belief that the group is like everybody keep what few
 * did near 1, after the gamma-Poisson shrinker (DuMouchel 1999), its prior fixed.  Kept of each
 * group are the items with the greatest popularity * lift, by whatever popularity is given.
 */
#ifndef RECO_GROUPS_H
#define RECO_GROUPS_H

#include "learn/interactions.h"

#define GROUPS_PRIOR 10   /* s, in users */
#define GROUPS_USERS 20   /* of a group at least, so that it is nobody's portrait */
#define GROUPS_MOST  1000 /* groups kept, those with the most users */
#define GROUPS_ITEMS 100  /* of a group */

typedef struct GroupItem
{
	uint32_t group;
	uint32_t item;  /* in matrix order */
	uint32_t rank;  /* in its group, from 1 */
	uint32_t users; /* n_gi */
	double lift;
} GroupItem;

typedef struct Groups
{
	uint32_t count;
	GroupItem *item; /* [count], by group, then rank */
} Groups;

/* Groups of users as learn/ gets them: the hashes of each group's users, rising. */
typedef struct GroupMembers
{
	uint32_t groups;
	const uint64_t *start; /* [groups + 1] */
	const uint64_t *user;
} GroupMembers;

/*
 * Learns of a matrix that kept its users.  log2 of the popularity goes by matrix order; items that
 * fewer than min_support users of a group have are none of its.  O(cells of the groups' users).
 */
extern Groups *GroupsLearn(const Interactions *matrix, const double *popularity_log2,
						   const GroupMembers *members, uint32_t min_support, Budget *budget);

#endif
