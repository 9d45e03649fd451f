/*
 * planted.h: functions of the extension's own names that somebody else has put beside them.
 *
 * Where others may create in the extension's schema, a function of theirs with the same name and
 * arguments that fit a call better would be called in its stead, with the rights of whoever calls.
 */
#ifndef RECO_PLANTED_H
#define RECO_PLANTED_H

#include "base/compat.h"

/* Raises an error unless every function of that name in the extension's schema is the extension's. */
extern void PlantedRefuse(Oid reco, const char *name);

#endif
