/*
 * evidence.h: what speaks for each of a few candidates: how many voices, how loud, and how lately.
 */
#ifndef RECO_EVIDENCE_H
#define RECO_EVIDENCE_H

#include "math/rank.h"

typedef struct Evidence
{
	uint32_t voices; /* items of the history that speak for it */
	double
		strongest; /* the greatest part in what they say together; NaN without any, like the next */
	double
		lately; /* the mean of 1 / (1 + position) over what they say: 1 for the last visit alone */
} Evidence;

/*
 * Of some items, of which none is named twice.  position is how many times of the user's are newer, by
 * entry.  The scratch is clear.  O(neighbours of the entries).
 */
extern void EvidenceOf(RankScratch *scratch, const RankEntry *entries, const uint32_t *position,
					   size_t count, const RankItem *items, uint32_t item_count,
					   Evidence *evidence);

#endif
