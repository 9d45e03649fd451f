/*
 * lifting.h: what was counted of contexts made into lifts, for a refresh and for what is measured.
 */
#ifndef RECO_LIFTING_H
#define RECO_LIFTING_H

#include "data/contexts.h"
#include "data/events.h"
#include "learn/lifts.h"

/*
 * Learns what is chosen in which context, of items as a log has them, and gives back the counts; lifts[c]
 * is of context c, and all are NULL where nothing was counted.
 */
extern void LiftingLearn(const Model *model, Contexts *contexts, const EventLog *log,
						 Lifts *lifts[CONTEXTS_MOST], Budget *budget);

#endif
