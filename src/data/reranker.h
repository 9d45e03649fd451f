/*
 * reranker.h: the table "learned_ranking": a network that puts the first items of lists in order.
 *
 * The row of "model" says whether there is one, how many items it puts in order, and by what the
 * lists were scored that it was trained on: of lists scored otherwise it knows nothing.
 */
#ifndef RECO_RERANKER_H
#define RECO_RERANKER_H

#include "base/budget.h"
#include "data/model.h"
#include "math/features.h"

/* What lists are scored by, in a word: a similarity, or factors. */
extern const char *RerankerScored(ModelAlgorithm algorithm, SimilarityKind kind);

/* Makes the table say this and no more; NULL for no network.  SPI is connected, as the owner. */
extern void RerankerWrite(const Model *model, const Reranker *reranker, const char *scored);

/*
 * Takes the network away where lists are scored by something else from now on, with a NOTICE, or where
 * that is NULL.  SPI is connected, as the owner.
 */
extern void RerankerFollow(const Model *model, const char *scored);

/* What the last refresh scores lists by.  SPI is connected. */
extern const char *RerankerLearned(const Model *model);

/* The network of a model that has one, in the current context.  SPI is connected. */
extern Reranker *RerankerRead(const Model *model);

/* What is known of some items, by their numbers.  SPI is connected. */
extern void RerankerItems(const Model *model, const RankItem *items, uint32 count,
						  FeatureItem *about);

/* The same of all there are, by number.  SPI is connected. */
extern FeatureItem *RerankerAllItems(const Model *model, Budget *budget);

#endif
