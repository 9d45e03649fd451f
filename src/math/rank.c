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

/* True where one place comes before another. */
static inline int
comes_before(const RankItem *a, const RankItem *b)
{
	return a->score > b->score || (a->score == b->score && a->item < b->item);
}

/* Puts an entry where it belongs under the root of a heap that has the last place on top. */
static void
sink(RankItem *heap, uint32_t count, uint32_t root, RankItem moving)
{
	for (;;)
	{
		uint64_t child = 2 * (uint64_t) root + 1;

		if (child >= count)
			break;
		if (child + 1 < count && comes_before(&heap[child], &heap[child + 1]))
			child++;
		if (!comes_before(&moving, &heap[child]))
			break;
		heap[root] = heap[child];
		root = (uint32_t) child;
	}
	heap[root] = moving;
}

uint32_t
RankTop(const RankScratch *scratch, const unsigned char *refused, RankItem *list, uint32_t k)
{
	uint32_t count = 0;

	for (uint32_t t = 0; t < scratch->touched_count && k > 0; t++)
	{
		RankItem item = {scratch->touched[t], scratch->score[scratch->touched[t]]};

		if (!(item.score > 0) || !isfinite(item.score) || refused[item.item])
			continue;
		if (count < k)
		{
			list[count++] = item;
			for (uint32_t root = count / 2; count == k && root-- > 0;)
				sink(list, count, root, list[root]);
		}
		else if (comes_before(&item, &list[0]))
			sink(list, count, 0, item);
	}

	/* Fewer than k are no heap yet. */
	for (uint32_t root = count / 2; count < k && root-- > 0;)
		sink(list, count, root, list[root]);
	for (uint32_t left = count; left > 1;)
	{
		RankItem last = list[0];

		left--;
		sink(list, left, 0, list[left]);
		list[left] = last;
	}
	return count;
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
