/*
 * rerank.h: the first items of a list in the order that a network gives them.
 *
 * A list keeps its scores, which go to other rows: the item that comes first has the greatest, so that
 * who sorts by them after a join sorts as the network does.  match, because and reco_why are those of
 * the evidence for an item, wherever it stands.
 */
#ifndef RECO_RERANK_H
#define RECO_RERANK_H

#include "api/profile.h"
#include "math/features.h"

/* A network, and what it needs to know of items where many lists are made. */
typedef struct Rerank Rerank;

/* True where the lists that a profile leads to are put in order by a network. */
static inline bool
RerankWanted(const Model *model)
{
	return model->reranked_first > 0;
}

/*
 * Reads the network of a model that has one; where the model is held, also what is known of all its
 * items.  It lasts as long as the budget.  SPI is connected.
 */
extern Rerank *RerankOpen(const Model *model, bool held, Budget *budget);

/* Of how many items, from the first on. */
extern uint32 RerankFirst(const Rerank *rerank);

/*
 * What a network reads of the first items of a profile's list, to x[count][FEATURES]; about and
 * evidence are of each, the second for it to fill; lift is what contexts multiplied scores by, or NULL.
 * SPI is connected, or the model is in memory.
 */
extern void RerankRead(const Profile *profile, const RankItem *items, uint32 count,
					   const FeatureItem *about, const double *lift, Evidence *evidence, float *x);

/*
 * The order of the first items of a profile's list, as places in it, and the scores that go with the
 * new places.  lifts are those that scores were multiplied by.  SPI is connected, unless the model is
 * held.
 */
extern void RerankList(Rerank *rerank, const Profile *profile, const ContextLifts *lifts,
					   const RankItem *items, uint32 count, uint32 *order, double *score);

#endif
