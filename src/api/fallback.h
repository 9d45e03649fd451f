/*
 * fallback.h: the rest of a list, that no evidence ranks.
 */
#ifndef RECO_FALLBACK_H
#define RECO_FALLBACK_H

#include "api/recommend.h"

/* Marks what may not come into a fallback: what the history or the question keeps out. */
extern void FallbackMark(RecommendAsk *ask, const History *history);

/* Fills a list after its personal part; every row says in source where it is from. */
extern void FallbackList(RecommendAsk *ask, const History *history);

#endif
