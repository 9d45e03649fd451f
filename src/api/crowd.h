/*
 * crowd.h: users as the points that segments are made of.
 *
 * A point is of length 1: the roots of a user's shares of the values of an attribute, or the user's
 * factors, over their length, where the model was learned by factors.
 */
#ifndef RECO_CROWD_H
#define RECO_CROWD_H

#include "data/shares.h"
#include "learn/clusters.h"
#include "math/fold.h"

/* What stands for factors in the place of an attribute. */
#define CROWD_FACTORS "factors"

typedef struct Crowd
{
	const Model *model;
	Traits *
		traits; /* the catalogue by the attribute; by factors that of categories, if there is one */
	const Fold *fold; /* NULL where it is shares that points are of */
	IdSet *ids;       /* of users, in the order of their ids */
	ClustersInput input;
	uint64 *first; /* [users + 1] */
	uint32 *item;  /* of each user, of traits, each once */
} Crowd;

/* By which attribute points are, NULL for factors; raises an error where the model has neither. */
extern const char *CrowdBy(const Model *model, const char *asked);

/* Reads the points of users as they are now; SPI is connected. */
extern Crowd *CrowdRead(Model *model, const char *by, SharesOf of, Datum user, Budget *budget);

#endif
