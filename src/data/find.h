/*
 * find.h: finding a model.
 *
 * A model is a schema that holds a table "model" OF the extension's type reco_model.  Nothing
 * is kept outside that schema, so finding one is a look into the catalogs.
 */
#ifndef RECO_FIND_H
#define RECO_FIND_H

#include "data/model.h"

/* The setting reco.model, set up by the front door. */
extern char *FindDefault;

/* The model tables there are, in no order.  reco is the schema of the extension. */
extern List *FindTables(Oid reco);

/* The model table of a name, InvalidOid where the schema is none. */
extern Oid FindTable(Oid reco, const char *name);

/* True where a relation is the table of a model. */
extern bool FindIsTable(Oid reco, Oid table);

/*
 * The model a caller means: the one of that name; else the setting reco.model; else the only
 * one whose schema the caller may use.  Errors list the models there are.
 */
extern Model *FindModel(Oid reco, const char *name);

#endif
