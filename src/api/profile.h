/*
 * profile.h: a history made ready for the scorer, and the candidates it leads to.
 *
 * What reco_top_n, reco_complete, reco_score, reco_match and reco_why have in common: the same
 * entries in the same order, so that the same question has one answer whoever asks it.
 */
#ifndef RECO_PROFILE_H
#define RECO_PROFILE_H

#include "data/history.h"
#include "data/learned.h"
#include "data/model.h"
#include "math/rank.h"

typedef struct Profile
{
	const Model *model;
	History *history;
	LearnedRow *rows; /* of the history, in order of item number */
	RankEntry *entries;
	uint32 count; /* of rows and entries */
	double norm;
} Profile;

typedef struct ProfileCandidate
{
	uint32 item_no;
	double score;
} ProfileCandidate;

/* Reads what the items of a history speak for.  SPI is connected. */
extern Profile *ProfileRead(const Model *model, History *history);

/* Every item with a score above 0, in no order. */
extern ProfileCandidate *ProfileCandidates(const Profile *profile, uint32 *count);

/* The item of the history that counts most for each of a few items, as a place in rows, or -1. */
extern void ProfileBecause(const Profile *profile, const uint32 *item_no, uint32 count,
						   int64_t *because);

/* The score of one item: the sum of its shares, as ProfileCandidates has it. */
extern double ProfileScore(const Profile *profile, uint32 item_no);

/*
 * match of a score on a scale of 0..100 in steps of .1; false where there is no evidence, or less
 * than least.
 */
extern bool ProfileMatch(const Model *model, double score, double least, double *match);

#endif
