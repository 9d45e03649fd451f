/*
 * census.h: what a model's views hold and what its last refresh left, counted for reco_check.
 */
#ifndef RECO_CENSUS_H
#define RECO_CENSUS_H

#include "data/model.h"

/* Counts of the view "events"; where a column is missing its counts are 0. */
typedef struct CensusEvents
{
	int64 rows;
	int64 left_out; /* by a refresh, for any reason; what is in the future is one */
	int64 null_user;
	int64 null_item;
	int64 null_weight;
	int64 null_time;
	int64 not_finite;
	int64 future;
	int64 positive;      /* weights above 0, of what is not left out */
	int64 since_refresh; /* not left out, and later than the newest event of the last refresh */
	TimestampTz oldest;  /* of what is not left out; valid where there are times */
	TimestampTz newest;
	TimestampTz latest; /* of the future */

	int64 users;
	int64 single_users; /* with one item */
	int64 most;         /* events of the user with most */
	int64 cells;        /* pairs of a user and an item */
	int64 items;
	int64 known_items; /* those that the view "items" has; all, where there is none */
} CensusEvents;

/* A signal and its events. */
typedef struct CensusSignal
{
	char *name; /* NULL for none */
	int64 rows;
	int64 counting; /* not left out, and of a weight other than 0 */
} CensusSignal;

/* Counts of the view "items". */
typedef struct CensusItems
{
	int64 rows;
	int64 null_ids;
	int64 distinct;
} CensusItems;

/* The row of the table "model", as far as a refresh wrote it. */
typedef struct CensusModel
{
	TimestampTz refreshed_at;
	int64 events;
	int64 neighbor_pairs;
} CensusModel;

/* SPI is connected; each reads its view in full, that of the events three times. */
extern CensusEvents CensusOfEvents(const Model *model);
extern List *CensusOfSignals(const Model *model); /* of CensusSignal, most frequent first */
extern CensusItems CensusOfItems(const Model *model);
extern CensusModel CensusOfModel(const Model *model);

#endif
