/*
 * said.h: settings in words: as the arguments of reco_configure, to be copied into a call of it.
 */
#ifndef RECO_SAID_H
#define RECO_SAID_H

#include "data/model.h"

/* What neighbours were learned with, factors where there are any, and what signals came to weigh. */
extern char *SaidLearned(const SimilarityOptions *options, const FoldOptions *fold,
						 const SignalsTold *told);

/* Settings that are to be written; an exponent of the similarity's own goes unsaid. */
extern char *SaidSettings(const ModelSetting *list, int count);

#endif
