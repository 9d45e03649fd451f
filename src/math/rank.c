#include "math/rank.h"

#include <math.h>

void
RankScratchInit(RankScratch *scratch, void *zeroed, uint32_t slots)
{
	scratch->slots = slots;
	scratch->touched_count = 0;
	scratch->score = zeroed;
	scratch->touched = (uint32_t *) (scratch->score + slots);
	scratch->marked = (unsigned char *) (scratch->touched + slots + 1);
}

double
RankNorm(const RankEntry *entries, size_t count)
{
	double squares = 0;

	for (size_t e = 0; e < count; e++)
		squares += entries[e].weight * entries[e].weight;
	return squares > 0 ? 1 / sqrt(squares) : 0;
}

void
RankScore(RankScratch *scratch, const RankEntry *entries, size_t count, double norm)
{
	uint32_t touched = scratch->touched_count;

	for (size_t e = 0; e < count; e++)
	{
		const RankEntry *entry = &entries[e];
		double weight = entry->weight * norm;

		for (uint32_t n = 0; n < entry->count; n++)
		{
			uint32_t item = entry->item[n];

			scratch->touched[touched] = item;
			touched += !scratch->marked[item];
			scratch->marked[item] = 1;
			scratch->score[item] += weight * entry->similarity[n];
		}
	}
	scratch->touched_count = touched;
}

double
RankShare(const RankEntry *entry, double norm, uint32_t item)
{
	for (uint32_t n = 0; n < entry->count; n++)
		if (entry->item[n] == item)
			return entry->weight * norm * entry->similarity[n];
	return 0;
}

void
RankBecause(RankScratch *scratch, const RankEntry *entries, size_t count, double norm,
			const uint32_t *items, uint32_t item_count, int64_t *because)
{
	/* The touched list serves as the map from items to places; marked says where it holds. */
	uint32_t *place = scratch->touched;

	for (uint32_t n = 0; n < item_count; n++)
	{
		because[n] = -1;
		scratch->marked[items[n]] = 1;
		place[items[n]] = n;
	}
	for (size_t e = 0; e < count; e++)
	{
		double weight = entries[e].weight * norm;

		for (uint32_t n = 0; n < entries[e].count; n++)
		{
			uint32_t item = entries[e].item[n];
			double share = weight * entries[e].similarity[n];

			/* While it is marked, score[] holds the greatest share so far. */
			if (scratch->marked[item] && share > scratch->score[item])
			{
				scratch->score[item] = share;
				because[place[item]] = (int64_t) e;
			}
		}
	}
	for (uint32_t n = 0; n < item_count; n++)
	{
		scratch->marked[items[n]] = 0;
		scratch->score[items[n]] = 0;
	}
}

void
RankClear(RankScratch *scratch)
{
	for (uint32_t t = 0; t < scratch->touched_count; t++)
	{
		scratch->score[scratch->touched[t]] = 0;
		scratch->marked[scratch->touched[t]] = 0;
	}
	scratch->touched_count = 0;
}
