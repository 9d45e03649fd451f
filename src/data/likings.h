/*
 * likings.h: the table "learned_group": what groups of users go for, written by a refresh and read
 * for those who have no history.
 */
#ifndef RECO_LIKINGS_H
#define RECO_LIKINGS_H

#include "data/ids.h"
#include "data/model.h"

/* One item of a group as a refresh writes it. */
typedef struct Liking
{
	const char *attribute;
	const char *value;
	uint32 rank;  /* in the group, from 1 */
	uint32 id;    /* of the item, its number in the set of ids */
	uint32 users; /* of the group who have it */
	double lift;
} Liking;

/*
 * Makes the table hold just these rows; those that say the same as before are not written.  SPI is
 * connected, the lock is held.
 */
extern void LikingsWrite(const Model *model, const IdSet *ids, const Liking *likings, uint32 count);

/* An item that people like somebody go for. */
typedef struct LikedItem
{
	Datum item;
	double score; /* log2 of its popularity with them */
} LikedItem;

/*
 * The items of the live catalogue that are popular with people who have all of these attributes, best
 * first: by popularity, recent where events have times, times the lift of every group.  They are normalised, and SPI's memory, gone
 * with SPI_freetuptable.  Attributes and values are arrays of text of one length.  SPI is connected.
 */
extern LikedItem *LikingsRank(const Model *model, Datum attributes, Datum values, uint32 *count);

#endif
