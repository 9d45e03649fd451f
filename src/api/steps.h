/*
 * steps.h: the settings that reco_tune tries: where it begins, steps from one to another, and what
 * differs between two.
 */
#ifndef RECO_STEPS_H
#define RECO_STEPS_H

#include "data/model.h"

/* Steps there are from any settings. */
#define STEPS 19

/* True for settings of a model learned by factors, and for those of one learned by ridge. */
static inline bool
StepsFactors(const Settings *settings)
{
	return settings->algorithm == MODEL_FACTORS;
}

static inline bool
StepsRidge(const Settings *settings)
{
	return !StepsFactors(settings) && settings->similarity.rule.kind == SIMILARITY_RIDGE;
}

/* True where two settings learn the same, as far as any of it is tried. */
extern bool StepsAlike(const Settings *a, const Settings *b);

/*
 * The nth settings to begin with, from 0: those of the model with what was best on one public set or
 * another, or on all of them.  False where there are no more.
 */
extern bool StepsBeginning(const Model *model, int n, Settings *settings);

/*
 * Takes one of the steps, an exponent by so much; false where it leads nowhere.  The form of weights
 * matters only where they differ.
 */
extern bool StepsTake(const Model *model, bool weighted, Settings *settings, int move, double by);

/* What differs from settings then, as it is to be written.  Returns how many there are. */
extern int StepsChanges(const Settings *now, const Settings *then, ModelSetting *list);

#endif
