/*
 * arrangement.h: what a list is asked to be like besides: the options of variety, and the owner's
 * rules, sorted out.
 */
#ifndef RECO_ARRANGEMENT_H
#define RECO_ARRANGEMENT_H

#include "api/recommend.h"
#include "data/rules.h"
#include "data/values.h"
#include "math/quota.h"

struct Arrangement
{
	double diversity;
	char *capped_by; /* an attribute, or NULL, like the next */
	uint32 most;
	double calibrated;
	char *mixed_by;

	/* For the ids of the lists, made by the first of them: */
	bool begun;
	Values *caps;
	Values *mix;
	Rules *rules;        /* NULL for none */
	bool boosts;         /* one of them does */
	double boost_most;   /* see RulesBoostMost, */
	double boost_all;    /* and that with the rules of items */
	IdSet *special;      /* items that are pinned or raised */
	const Rule **shared; /* rules with a share, */
	Quota *quotas;       /* what they get, */
	IdSet **groups;      /* and their items, where they were looked for */
	uint32 shares;
};

/*
 * What the arguments diversity, max_per, max_per_n, calibrated and calibrated_by, from one on, ask
 * for; NULL where it is nothing and the model has no rules.  Errors list the attributes there are.
 * And what asks for nothing.
 */
extern Arrangement *ArrangementOptions(FunctionCallInfo fcinfo, int first, const Model *model);

extern Arrangement *ArrangementPlain(void);

/* True where there is something to arrange by; the first list of a question finds out. */
extern bool ArrangementBegin(RecommendAsk *ask);

/*
 * What rules multiply the score of an item by, once it is known what they want to know of it, and the
 * most that they can; 1 where they do nothing.
 */
extern void ArrangementKnow(const RecommendAsk *ask, const uint32 *numbers, uint32 count);
extern double ArrangementBoost(const RecommendAsk *ask, uint32 number);
extern double ArrangementBoostMost(const RecommendAsk *ask);

#endif
