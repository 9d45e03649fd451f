#include "math/best.h"

/*
 * Moves the entry at the root down to where it is no better than its parent and no worse than its
 * children.
 */
static void
sink(Best *heap, uint32_t count, uint32_t root)
{
	Best moving = heap[root];

	for (;;)
	{
		uint64_t child = 2 * (uint64_t) root + 1;

		if (child >= count)
			break;
		if (child + 1 < count)
			child += BestBefore(&heap[child], &heap[child + 1]);
		if (!BestBefore(&moving, &heap[child]))
			break;
		heap[root] = heap[child];
		root = (uint32_t) child;
	}
	heap[root] = moving;
}

static void
rise(Best *heap, uint32_t place)
{
	Best moving = heap[place];

	while (place > 0 && BestBefore(&heap[(place - 1) / 2], &moving))
	{
		heap[place] = heap[(place - 1) / 2];
		place = (place - 1) / 2;
	}
	heap[place] = moving;
}

void
BestOffer(Best *heap, uint32_t *count, uint32_t k, Best candidate)
{
	if (*count < k)
	{
		heap[*count] = candidate;
		rise(heap, (*count)++);
	}
	else if (BestBefore(&candidate, &heap[0]))
	{
		heap[0] = candidate;
		sink(heap, k, 0);
	}
}

/*
 * Puts what is greater than the number in the middle of keys[low .. high - 1] before it, and the
 * rest behind; returns where it is then.  Without a branch on what is compared.
 */
static uint32_t
part(uint64_t *keys, uint32_t low, uint32_t high)
{
	uint32_t middle = low + (high - low) / 2;
	uint64_t pivot = keys[middle];
	uint32_t place = low;

	keys[middle] = keys[high - 1];
	for (uint32_t i = low; i < high - 1; i++)
	{
		uint64_t key = keys[i];

		keys[i] = keys[place];
		keys[place] = key;
		place += key > pivot;
	}
	keys[high - 1] = keys[place];
	keys[place] = pivot;
	return place;
}

void
BestSelect(uint64_t *keys, uint32_t n, uint32_t k)
{
	uint32_t low = 0;
	uint32_t high = n;

	/* The number that belongs to place k - 1 is in low .. high - 1. */
	while (high - low > 1)
	{
		uint32_t place = part(keys, low, high);

		if (place == k - 1)
			break;
		if (place < k - 1)
			low = place + 1;
		else
			high = place;
	}
}

void
BestSort(Best *heap, uint32_t count)
{
	/* The worst leaves the top for the last place, until one is left. */
	while (count > 1)
	{
		Best worst = heap[0];

		heap[0] = heap[--count];
		sink(heap, count, 0);
		heap[count] = worst;
	}
}
