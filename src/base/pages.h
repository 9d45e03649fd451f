/*
 * pages.h: memory of one process alone, in large pages where the system lends them.
 *
 * What is read here and there, all over much memory, costs a look for its page at nearly every read,
 * unless pages are large.  Shared memory hardly ever has those; so a copy that each process
 * reads for itself may pay: see learn/counting.
 */
#ifndef RECO_PAGES_H
#define RECO_PAGES_H

#include "base/compat.h"

/* Memory in the current context, which no budget knows of; pfree() gives it back. */
extern void *PagesAlloc(uint64 count, Size size);

/* Such memory with a copy of what lies elsewhere. */
extern void *PagesCopy(const void *from, uint64 count, Size size);

#endif
