/*
 * reco.c: the front door: what happens when the library is loaded, and every setting.
 */
#include "base/compat.h"

#include "data/find.h"
#include "data/kept.h"
#include "fmgr.h"

PG_MODULE_MAGIC;

void _PG_init(void);

void
_PG_init(void)
{
	DefineCustomStringVariable("reco.model",
							   "The model that reco's functions use when none is named.",
							   "Empty: the only model whose schema the caller may use.",
							   &FindDefault, "", PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("reco.neighbor_cache",
							"Memory for rows of neighbours that a session keeps at hand.",
							"0 keeps none.", &KeptSize, KEPT_DEFAULT, 0, KEPT_MOST, PGC_USERSET,
							GUC_UNIT_KB, NULL, NULL, NULL);
	MarkGUCPrefixReserved("reco");
}
