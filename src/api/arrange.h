/*
 * arrange.h: lists that are more than the best rows one after the other.
 */
#ifndef RECO_ARRANGE_H
#define RECO_ARRANGE_H

#include "api/recommend.h"

/* The rows of the list of RecommendList, arranged. */
extern RecommendRow *ArrangeRows(RecommendAsk *ask, const Profile *profile, uint32 *count);

/* Makes scores say the order. */
extern void ArrangeScores(RecommendRow *rows, uint32 count);

/* Makes that list. */
extern void ArrangeList(RecommendAsk *ask, const Profile *profile);

#endif
