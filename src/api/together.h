/*
 * together.h: the lists of everybody, made by several processes.
 */
#ifndef RECO_TOGETHER_H
#define RECO_TOGETHER_H

#include "api/recommend.h"
#include "data/histories.h"

/* True where others can make the lists that are asked for: what leads to them is the history alone. */
extern bool TogetherCan(const RecommendAsk *ask);

/*
 * Makes the lists of all who are in the histories and puts them out, in no order of users; false, and
 * nothing is done, where there is no memory or nobody to share it with.  SPI is connected.
 */
extern bool TogetherList(RecommendAsk *ask, Histories *histories);

#endif
