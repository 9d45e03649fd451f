/*
 * layout.h: what a model's schema is made of, made and taken down.
 */
#ifndef RECO_LAYOUT_H
#define RECO_LAYOUT_H

#include "base/compat.h"
#include "data/model.h"

typedef struct LayoutQueries
{
	const char *events;
	const char *items; /* NULL where there is none, like the next */
	const char *users;
	const char *rules;
} LayoutQueries;

/* The tables of what a model learned, that of items first. */
#define LAYOUT_LEARNED 8
extern const char *const LayoutLearned[LAYOUT_LEARNED];

/*
 * Creates the schema of a model with everything in it, as the current user. reco is the extension's
 * schema.
 */
extern void LayoutCreate(Oid reco, const char *name, const LayoutQueries *queries);

/*
 * Adds the log of lists served, and what goes with it, as the current user with a restricted search
 * path; SPI is not connected.
 */
extern void LayoutCreateLog(const Model *model);

/* Drops it again; an error where something of somebody else is in it or depends on it. */
extern void LayoutDrop(Oid reco, const char *name);

#endif
