/*
 * fans.h: the users whose events have most of some items.
 */
#ifndef RECO_FANS_H
#define RECO_FANS_H

#include "data/ids.h"
#include "data/model.h"

typedef struct Fan
{
	Datum user;
	double score; /* the sum of what their items weigh, over the root of how many items they have */
	Datum because; /* the item of theirs that weighs most */
	int32 items;   /* of those asked for */
} Fan;

/*
 * The k users with the greatest score, 0 for all, best first, then by id.  The items are numbers in
 * a set of ids, and each has a weight above 0.  Reads all events once, as the caller; SPI is
 * connected, and the answer is in its memory.
 */
extern Fan *FansRead(const Model *model, const IdSet *ids, const uint32 *number,
					 const double *weight, uint32 count, uint32 k, uint64 *found);

#endif
