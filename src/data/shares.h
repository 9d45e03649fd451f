/*
 * shares.h: what each user's items are, in shares of the values of attributes.
 *
 * Each item that a user has a positive event with counts 1, in equal parts for its values; a share is
 * the sum of those over that of all values.  Users none of whose items has a value are not there.
 */
#ifndef RECO_SHARES_H
#define RECO_SHARES_H

#include "data/traits.h"

typedef struct Shares
{
	IdSet *ids; /* of users, in the order of their ids */
	uint32 users;
	uint64 *start; /* [users + 1] */
	uint32 *trait; /* rising */
	float *root;   /* of the share of each */
	uint64 *first; /* [users + 1] */
	uint32 *item;  /* of each user, of traits, each once */
} Shares;

/* Whose shares. */
typedef enum SharesOf
{
	SHARES_LEARNED, /* everybody who may be learned from */
	SHARES_ALL,     /* everybody */
	SHARES_ONE      /* one user */
} SharesOf;

/*
 * Reads the view "events" once, in the order of users, in the active snapshot and as the caller; SPI
 * is connected.  O(events), and a sort of them.
 */
extern Shares *SharesRead(const Model *model, const Traits *traits, SharesOf of, Datum user,
						  Budget *budget);

#endif
