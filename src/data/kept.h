/*
 * kept.h: rows of neighbours that a session keeps opened, and ids that it keeps by item number.
 *
 * Popular items are in nearly every history, so their rows are asked for again and again.  A kept
 * row saves copying and checking it, and undoing what TOAST did; it is believed only where the very
 * tuple it was made of is still in its place and visible to the snapshot, which is looked up each
 * time.  So whatever a refresh in this or another session, a ROLLBACK, an older snapshot or a hand
 * at the table has done, what is kept is what SQL would find, or it is not used.
 *
 * Who may read the table at all has been asked before: see data/lookup, which only opens it for
 * those whom nothing keeps from any row.
 */
#ifndef RECO_KEPT_H
#define RECO_KEPT_H

#include "data/lookup.h"
#include "math/packed.h"

/* The setting reco.neighbor_cache, in kilobytes: what a session keeps at most; 0 for nothing. */
#define KEPT_DEFAULT 16384
#define KEPT_MOST    (1024 * 1024)
extern int KeptSize;

/* Ids that are looked for together, so that what their rows are made of is sent for in time. */
#define KEPT_TOGETHER 32

/*
 * Gets ready to look for rows of the table of a lookup; false where nothing may be kept.  What is
 * found lasts until the current context is reset.
 */
extern bool KeptBegin(const Lookup *lookup);

/*
 * Looks for the rows of some ids, at most KEPT_TOGETHER, for a lookup by id.  Of those that are kept and still true
 * *found has the opened row, without supports, of the others NULL.
 */
extern void KeptFind(const Lookup *lookup, const Datum *ids, uint32 count, const Packed **found);

/* Keeps an opened row, which the lookup has just found by its id, if there is room. */
extern void KeptAdd(const Lookup *lookup, Datum id, const LookupRow *row, const Packed *packed);

/* The same for a lookup by number, of which the ids are kept. */
extern void KeptFindIds(const Lookup *lookup, const Datum *numbers, uint32 count,
						const Datum **found);
extern void KeptAddId(const Lookup *lookup, Datum number, const LookupRow *row);

#endif
