/*
 * naming.h: whether a schema kept its name while it was used.
 *
 * Statements reach a model by the name of its schema, each when it is planned, while what was opened by
 * number stays the same: where schemas change places meanwhile, a question would be answered out of two.
 * That the name is the schema's at the end does not say that it always was: it may have left and come back.
 */
#ifndef RECO_NAMING_H
#define RECO_NAMING_H

#include "base/compat.h"
#include "storage/itemptr.h"

typedef struct Naming
{
	TransactionId writer;  /* of the row that says so; invalid where the name means another */
	ItemPointerData place; /* of that row in pg_namespace */
} Naming;

/* How a schema has the name that its row says. */
extern Naming NamingOf(Oid schema, const char *name);

/*
 * True where every look at that name since then found this schema.  Costs a look into a cache; where the
 * row was written anew, be it by a GRANT, one into the catalog.  A GRANT and a renaming that was rolled
 * back, both meanwhile, may make it say false.
 */
extern bool NamingHolds(const Naming *naming, Oid schema, const char *name);

#endif
