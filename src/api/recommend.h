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

/* One row of a list. */
typedef struct RecommendRow
{
	uint32 number;  /* in the list's ids */
	uint32 item_no; /* ID_NONE where nothing in the history speaks for it */
	double score;
	double match; /* where there is one: */
	bool matched;
	int64_t because; /* the entry of the profile that counted most, or -1 */
	Datum source;
} RecommendRow;

typedef struct Arrangement Arrangement;

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
	TimestampTz as_of;
	const char *source; /* of the rows the profile leads to */
	DoorRows rows;
	bool by_user; /* rows say whose they are, and their rank */
	Datum user;
	Arrangement *arrangement; /* what makes another order of it; NULL where nothing does */
	bool has_asker;           /* somebody with an id asks, who may have attributes */
	Datum asker;              /* that id, normalised */
	ContextLifts lifts;       /* of the context that is asked for */

	IdSet *ids;                  /* that the list's items are numbers in: those of the history */
	uint32 *mark;                /* by number: `list` where the item may not come, or not again */
	uint32 marks;                /* how many there are */
	uint32 list;                 /* of how many lists this one is the last */
	uint32 listed;               /* rows so far */
	uint32 ranked;               /* of them, those of the fallback, for their order */
	struct FallbackAlike *alike; /* what newcomers were shown, where many lists are made */
	struct FallbackCategories
		*categories;              /* of the items; opened by the first list that needs them */
	struct FallbackLifts *lifted; /* the lifts by number, found by the first list likewise */

	struct Rerank *rerank; /* the network that puts first items in order, once a list needed it */
	bool as_scored;        /* not these: a part of a list has no place of its own */

	bool gathering; /* rows are kept, not put out, and without their because unless explained: */
	bool explained;
	bool unexplained; /* what is arranged comes without it, too */
	RecommendRow *row;
	uint32 room;
	bool seeking; /* or only counted, up to that of an item: */
	uint32 sought;
	unsigned char
		*known; /* [item_slots], 1 for items of rows; of others only the ids are known yet: */
	IdSet *unnumbered;
	Datum found_as; /* the source of that row, once there is one */
} RecommendAsk;

/* The option min_match of an argument: 0..100, or -1 for NULL. */
extern double RecommendLeastMatch(FunctionCallInfo fcinfo, int argument);

/* A flag of an argument, or what NULL stands for. */
extern bool RecommendFlag(FunctionCallInfo fcinfo, int argument, bool otherwise);

/* Takes the option context of an argument; SPI is connected, and the model read. */
extern void RecommendContext(RecommendAsk *ask, FunctionCallInfo fcinfo, int argument);

/* Makes the list that a profile leads to.  SPI is connected, unless the model is held. */
extern void RecommendList(RecommendAsk *ask, const Profile *profile);

/*
 * Makes a list and keeps its rows in ask->row, without their because unless ask->explained: at least
 * so many that the history speaks for, and rows in all, if there are; 0 for all there are.  Returns how
 * many of them the history speaks for, which come first; ask->listed counts them all.
 */
extern uint32 RecommendGather(RecommendAsk *ask, const Profile *profile, uint32 personal,
							  uint32 rows);

/* The same of some items only. */
extern uint32 RecommendGatherSome(RecommendAsk *ask, const Profile *profile, IdSet *some,
								  uint32 personal, uint32 rows);

/*
 * The rank of an item, by its number in the history's ids, in the list of all there are, and in
 * ask->found_as its source; 0 where the list does not have it.  No arrangement is looked at.
 */
extern uint32 RecommendRank(RecommendAsk *ask, const Profile *profile, uint32 number);

/* What a list in the making has room for, and what may not come into it, or not again. */
extern bool RecommendIsFull(const RecommendAsk *ask);
extern void RecommendMark(RecommendAsk *ask, uint32 number);
extern bool RecommendIsMarked(const RecommendAsk *ask, uint32 number);

/*
 * Puts in one row that no evidence of this user speaks for: a score below 0 keeps it after those
 * with some, in order.
 */
extern void RecommendFill(RecommendAsk *ask, uint32 number, Datum source);

/*
 * Where the rank of an item is sought: [item_slots], 1 for every learned item that is in the list already
 * or may not come into it.
 */
extern const unsigned char *RecommendKnown(RecommendAsk *ask, const History *history);

/* Counts so many of such rows where only that of an item is sought, none of which it is. */
extern void RecommendPass(RecommendAsk *ask, uint32 rows);

/* The columns of a row from LIST_ITEM to LIST_SOURCE; nulls is all false before. */
extern void RecommendValues(const RecommendAsk *ask, const Profile *profile,
							const RecommendRow *row, Datum *values, bool *nulls);

/* Puts a row out; the profile is needed where it has a because. */
extern void RecommendPut(RecommendAsk *ask, const Profile *profile, const RecommendRow *row);

#endif
