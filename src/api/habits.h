/*
 * habits.h: what everybody's habits are, kept up by refreshes.
 */
#ifndef RECO_HABITS_H
#define RECO_HABITS_H

#include "api/door.h"

/* True where a model has them, and events with times to learn them from. */
extern bool HabitsLearned(const Model *model);

/*
 * Learns those of a model anew, named by its table, as after a refresh; returns the
 * peak of its memory in bytes.
 */
extern Size HabitsAgain(Oid reco, Oid table, TimestampTz as_of);

#endif
