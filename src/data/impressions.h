/*
 * impressions.h: lists that were shown and chosen from, read from a model's log of what was served.
 *
 * What counts as chosen is what the function attribute of the log says: a positive event of the user
 * with the item, of the target where the model has one, from when it was shown until it was shown
 * again, within so long.  Of users who may not be learned from no list is read, nor is one whose time
 * is not over yet.
 */
#ifndef RECO_IMPRESSIONS_H
#define RECO_IMPRESSIONS_H

#include "data/ids.h"
#include "data/model.h"
#include "utils/timestamp.h"

/* An item of a list. */
typedef struct Impression
{
	uint32 item;  /* its number in items */
	uint32 place; /* where it was shown, from 1 */
	bool chosen;
} Impression;

typedef struct ImpressionList
{
	int64 id;
	TimestampTz shown_at;
	uint32 user;  /* its number in users */
	uint64 begin; /* of its impressions, by place, of which no item comes twice */
	uint32 count;
} ImpressionList;

typedef struct Impressions
{
	IdSet *users;
	IdSet *items;
	Impression *impression;
	ImpressionList *list; /* by time, oldest first */
	uint32 count;
	uint64 lists; /* that were read, chosen from or not */
	uint32 longest;
} Impressions;

/* Raises an error where the model has no log. */
extern void ImpressionsNeedLog(const Model *model);

/*
 * Reads the newest lists that something was chosen from, at most so many, of at most so many items each,
 * the first.  SPI is connected, as the owner.  12 bytes an impression, 32 a list, and the ids.
 */
extern Impressions *ImpressionsRead(const Model *model, const Interval *within, uint32 most,
									uint32 first, Budget *budget);

#endif
