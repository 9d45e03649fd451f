/*
 * recommend.h: the one list maker, for a user at a time or for all.
 */
#ifndef RECO_RECOMMEND_H
#define RECO_RECOMMEND_H

#include "api/door.h"
#include "api/profile.h"

/* The columns of a list; the first and the last where the lists of many users come together. */
enum
{
	LIST_USER,
	LIST_ITEM,
	LIST_SCORE,
	LIST_MATCH,
	LIST_BECAUSE,
	LIST_SOURCE,
	LIST_RANK,
	LIST_COLUMNS
};

#define LIST_TYPES                                                                                 \
	{                                                                                              \
		DOOR_USER, DOOR_ITEM, FLOAT8OID, FLOAT8OID, DOOR_ITEM, TEXTOID, INT4OID                    \
	}

/* A question for lists, and the list being made. */
typedef struct RecommendAsk
{
	Model *model;
	Budget *budget;
	Held *held; /* the model and its catalogue in memory, or NULL to ask them live */
	uint32 k;   /* 0 for everything */
	IdSet *exclude;
	IdSet *among;
	double least_match; /* rows that match less are left out; negative for none */
	bool seen;          /* items of the history may come */
	bool fallback;
	const char *source; /* of the rows the profile leads to */
	DoorRows rows;
	bool by_user; /* rows say whose they are, and their rank */
	Datum user;

	IdSet *ids;    /* that the list's items are numbers in: those of the history */
	uint32 *mark;  /* by number: `list` where the item may not come, or not again */
	uint32 marks;  /* how many there are */
	uint32 list;   /* of how many lists this one is the last */
	uint32 listed; /* rows so far */
	uint32 ranked; /* of them, those of the fallback, for their order */
} RecommendAsk;

/* The option min_match of an argument: 0..100, or -1 for NULL. */
extern double RecommendLeastMatch(FunctionCallInfo fcinfo, int argument);

/* A flag of an argument, or what NULL stands for. */
extern bool RecommendFlag(FunctionCallInfo fcinfo, int argument, bool otherwise);

/* Makes the list that a profile leads to.  SPI is connected, unless the model is held. */
extern void RecommendList(RecommendAsk *ask, const Profile *profile);

#endif
