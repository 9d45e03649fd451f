/*
 * arrange.h: lists that are more than the best rows one after the other.
 */
#ifndef RECO_ARRANGE_H
#define RECO_ARRANGE_H

#include "api/recommend.h"

/* The arguments that ArrangeOptions takes. */
#define ARRANGE_ARGUMENTS "diversity, max_per, max_per_n, calibrated, calibrated_by"

/*
 * What these, from one on, ask for; NULL where it is nothing and the model has no rules.  Errors list
 * the attributes there are.  And what asks for nothing.
 */
extern Arrangement *ArrangeOptions(FunctionCallInfo fcinfo, int first, const Model *model);

extern Arrangement *ArrangePlain(void);

/* True where there is something to arrange by; the first list of a question finds out. */
extern bool ArrangeBegin(RecommendAsk *ask);

/* The rows of the list of RecommendList, arranged. */
extern RecommendRow *ArrangeRows(RecommendAsk *ask, const Profile *profile, uint32 *count);

/* Makes scores say the order. */
extern void ArrangeScores(RecommendRow *rows, uint32 count);

/* Makes that list. */
extern void ArrangeList(RecommendAsk *ask, const Profile *profile);

#endif
