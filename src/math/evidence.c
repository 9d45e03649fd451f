#include "math/evidence.h"

#include <math.h>

/* Adds what one item of the history says. */
static void
add_entry(const RankScratch *scratch, const RankEntry *entry, uint32_t position, Evidence *evidence)
{
	double part = 1 / (1 + (double) position);

	for (uint32_t n = 0; n < entry->count; n++)
	{
		uint32_t item = entry->item[n];
		double says;
		Evidence *of;

		if (!scratch->marked[item])
			continue;
		says = entry->weight * entry->similarity[n];
		if (!(says > 0))
			continue;
		of = &evidence[scratch->place[item]];
		of->voices++;
		of->strongest = fmax(of->strongest, says);
		of->lately += says * part;
		/* What all say together, until the end. */
		scratch->score[item] += says;
	}
}

void
EvidenceOf(RankScratch *scratch, const RankEntry *entries, const uint32_t *position, size_t count,
		   const RankItem *items, uint32_t item_count, Evidence *evidence)
{
	for (uint32_t n = 0; n < item_count; n++)
	{
		evidence[n] = (Evidence){0};
		scratch->marked[items[n].item] = 1;
		scratch->place[items[n].item] = n;
	}
	for (size_t e = 0; e < count; e++)
		if (entries[e].weight > 0)
			add_entry(scratch, &entries[e], position[e], evidence);
	for (uint32_t n = 0; n < item_count; n++)
	{
		double all = scratch->score[items[n].item];

		evidence[n].strongest = all > 0 ? evidence[n].strongest / all : NAN;
		evidence[n].lately = all > 0 ? evidence[n].lately / all : NAN;
		scratch->marked[items[n].item] = 0;
		scratch->score[items[n].item] = 0;
	}
}
