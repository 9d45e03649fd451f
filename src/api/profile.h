/*
 * profile.h: a history made ready for the scorer, and the candidates it leads to.
 *
 * What all questions about a user's scores have in common: the same entries in the same order, so
 * that the same question has one answer whoever asks it.
 */
#ifndef RECO_PROFILE_H
#define RECO_PROFILE_H

#include "data/contexts.h"
#include "data/held.h"
#include "data/history.h"
#include "data/itemfactor.h"
#include "data/model.h"
#include "math/evidence.h"
#include "math/rank.h"

/* What a model learned by factors makes of a history. */
typedef struct ProfileFactors ProfileFactors;

/* The best of a list and what counts most for each. */
typedef struct ProfileShort ProfileShort;

typedef struct Profile
{
	const Model *model;
	Held *held; /* the model in memory, or NULL where it is asked row by row */
	History *history;
	uint32 *place;      /* of each entry, in history->item */
	RankEntry *entries; /* in order of item number */
	uint32 count;       /* of both */
	bool worn;          /* some have been shown: fatigue lowers them in lists */
	double norm;
	double grid; /* see math/rank, as for the next */
	double level;
	ProfileShort
		*shortened; /* what came of the last list made that way; NULL for a model not in memory */
	ProfileFactors *factors; /* what scores are made of; NULL where it is neighbours */
} Profile;

/* Reads what the items of a history speak for.  SPI is connected. */
extern Profile *ProfileRead(const Model *model, History *history);

/*
 * The same from rows that were read already: those of the first ids of the history's set, which
 * are in order of item number, of which factors are all there is to know where the model was
 * learned by them.  In the current context.
 */
extern Profile *ProfileOf(const Model *model, History *history, const Packed *row, uint32 learned,
						  const ItemFactors *factors);

/* The same from memory; the ids of the history are those of held.  In the current context. */
extern Profile *ProfileHeld(const Model *model, Held *held, History *history);

/* Which candidates may come: item numbers, each named once. */
typedef struct ProfileRules
{
	bool seen; /* items of the history may; disliked ones never */
	const uint32 *exclude;
	uint32 exclude_count;
	const uint32 *among; /* only these; NULL for all */
	uint32 among_count;
	const ContextLifts *lifts; /* what scores are multiplied by; NULL for nothing */
} ProfileRules;

/* True where the history keeps an item out: it was seen, or disliked, which `seen` does not undo. */
static inline bool
ProfileKeepsOut(const HistoryItem *item, bool seen)
{
	return item->weight < 0 || (item->seen && !seen);
}

/*
 * The best candidates, at most so many, best first; of equal scores the smaller number.  Their
 * scores are those of ProfileScore, lowered by fatigue as HistoryWear says and times the lifts.
 */
extern RankItem *ProfileBest(const Profile *profile, const ProfileRules *rules, uint32 most,
							 uint32 *count);

/* The sum of the scores of all candidates, as ProfileBest has them. */
extern double ProfileSum(const Profile *profile, const ProfileRules *rules);

/* The score of a candidate before fatigue and lifts. */
extern double ProfileFresh(const Profile *profile, const ContextLifts *lifts,
						   const RankItem *candidate);

/* The numbers of all items with a score, whatever its sign, in no order. */
extern uint32 *ProfileEvidence(const Profile *profile, uint32 *count);

/* The scores of a list of items, as ProfileScore has them. */
extern void ProfileScores(const Profile *profile, const uint32 *item_no, uint32 count,
						  double *score);

/* The item of the history that counts most for each of a few items, as a place in entries, or -1. */
extern void ProfileBecause(const Profile *profile, const uint32 *item_no, uint32 count,
						   int64_t *because);

/* The parts of all entries in the score of an item, to share[count]. */
extern void ProfileShares(const Profile *profile, uint32 item_no, double *share);

/* What an entry says of an item before it is weighed, by its part in the score. */
extern double ProfileSimilarity(const Profile *profile, uint32 entry, uint32 item_no, double share);

/* What speaks for each of a few items, of which none is named twice. */
extern void ProfileSpeaking(const Profile *profile, const RankItem *items, uint32 count,
							Evidence *evidence);

/* The part of the score of each of a few items that attributes alone speak for. */
extern void ProfileContent(const Profile *profile, const uint32 *item_no, uint32 count,
						   double *part);

/* The source of what is more than half owed to that part. */
#define PROFILE_CONTENT "content"

static inline bool
ProfileIsContent(double part, double score)
{
	return part > score / 2;
}

/* The score of one item: the sum of its shares, as ProfileBest has it. */
extern double ProfileScore(const Profile *profile, uint32 item_no);

/* The factors of the user, as many as the fold is wide; NULL where the model has none. */
extern const float *ProfileTaste(const Profile *profile, const Fold **fold);

/*
 * The parts of all entries in the product of the user's factors and others, to share[count]; they
 * add up to it in whole units of 2^-40.
 */
extern void ProfileTasteShares(const Profile *profile, const float *other, double *share);

/*
 * match of a score of a profile of that level, on a scale of 0..100 in steps of .1; false where
 * there is no evidence, or less than least.
 */
extern bool ProfileMatch(const Model *model, double level, double score, double least,
						 double *match);

#endif
