/*
 * refresh.h: learning anew from within another function.
 */
#ifndef RECO_REFRESH_H
#define RECO_REFRESH_H

#include "api/door.h"

/* What must hold of a model and its events, as the owner sees them; SPI is connected. */
typedef void (*RefreshCheck)(const Model *model, void *with);

/*
 * Does what reco_refresh does, as if the model had never learned anything: every row is written anew,
 * and items are numbered anew.  The check is made in the snapshot that events are then read in, and
 * before anything is done.  Returns how many rows of what was learned were written.
 */
extern uint64 RefreshAfresh(FunctionCallInfo fcinfo, Model *model, RefreshCheck check, void *with);

/*
 * True where the cells must fit in memory, of users who are in no groups: something that is learned
 * needs them in another order, or that of their items in time.  Settings are read.
 */
extern bool RefreshNeedsCells(const Model *model);

#endif
