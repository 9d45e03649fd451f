/*
 * person.h: what there is of one person: in the owner's views, and in what was learned.
 *
 * What was learned has no users in it, only counts that they are part of.  So what it holds of a
 * person is told by the person's own events: the rows of items, pairs, groups and contexts that these
 * were counted in.  Where events are gone that were counted, it is told by the counts, which are then
 * greater than what is there.  The log of lists served has rows of users, which are theirs.
 *
 * All run as the owner of the model with the search path of maintenance; SPI is connected, and the
 * settings of the model have been read.
 */
#ifndef RECO_PERSON_H
#define RECO_PERSON_H

#include "data/model.h"

/* How many events of a person a refresh would learn from. */
extern int64 PersonEvents(const Model *model, Datum user);

/* One thing that is held: where, about which item, if about one, and what, as jsonb. */
typedef void (*PersonTake)(Datum place, NullableDatum item, Datum detail, void *with);

/* Hands on all that is held of a person, in an order of its own. */
extern void PersonDisclose(const Model *model, Datum user, PersonTake take, void *with);

/* How many things that come of a person's events, in a place; nothing where there are none. */
typedef void (*PersonCount)(Datum place, int64 traces, void *with);

extern void PersonTraces(const Model *model, Datum user, PersonCount count, void *with);

/* Empties what was learned, of everybody. */
extern void PersonForget(const Model *model);

/* Deletes a person's rows of the log of lists that were served, where there is one. */
extern void PersonUnlog(const Model *model, Datum user);

#endif
