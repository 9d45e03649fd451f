/*
 * fallback.h: the rest of a list, that no evidence ranks.
 */
#ifndef RECO_FALLBACK_H
#define RECO_FALLBACK_H

#include "api/recommend.h"

/* Fills a list after its personal part; every row says in source where it is from. */
extern void FallbackList(RecommendAsk *ask, const History *history);

#endif
