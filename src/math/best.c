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
		if (child + 1 < count && BestBefore(&heap[child], &heap[child + 1]))
			child++;
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
