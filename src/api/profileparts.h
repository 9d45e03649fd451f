/*
 * profileparts.h: what a profile has inside, for api/profile, which makes it, and api/profilescore, which
 * scores by it.
 */
#ifndef RECO_PROFILEPARTS_H
#define RECO_PROFILEPARTS_H

#include "api/profile.h"

/* What a model learned by factors makes of a history. */
struct ProfileFactors
{
	const Fold *fold;
	const ItemFactors *held; /* those of all items, or NULL where they are asked for */
	FoldEntry *entry;        /* [profile->count] */
	float *taste;            /* the user's */
	float *scratch;          /* the decomposition of the user's system */
	float *room;             /* for the factors of one item */
	double *score;           /* [item_slots], once all were asked for */
};

/* What was found by way of a short list, the best first. */
struct ProfileShort
{
	uint32 count;
	RankItem best[SHORTLIST_MOST];
	int64_t because[SHORTLIST_MOST];
};

/*
 * At how many times the user chose something newer than each item: as learn/interactions counts them,
 * by whole seconds.  A dislike stands with what was chosen about then.
 */
extern uint32 *ProfilePositions(const Profile *profile);

#endif
