#include "math/best.h"

/* Children of an entry: then a heap of a hundred has three levels, and what is compared lies together. */
#define CHILDREN 4

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
		uint64_t first = CHILDREN * (uint64_t) root + 1;
		uint64_t end = first + CHILDREN < count ? first + CHILDREN : count;
		uint64_t child = first;

		if (first >= count)
			break;
		for (uint64_t c = first + 1; c < end; c++)
			child = BestBefore(&heap[child], &heap[c]) ? c : child;
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

	while (place > 0 && BestBefore(&heap[(place - 1) / CHILDREN], &moving))
	{
		heap[place] = heap[(place - 1) / CHILDREN];
		place = (place - 1) / CHILDREN;
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
BestHeap(Best *entries, uint32_t count)
{
	for (uint32_t root = (count + CHILDREN - 2) / CHILDREN; root-- > 0;)
		sink(entries, count, root);
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

/* So few are put in order one after the other. */
#define FEW 16

/* And so many at most by dealing out, in room on the stack. */
#define MANY 1024

/* Eight bits of a number, from one on. */
#define DIGITS       256
#define DIGIT(n, at) ((n) >> (at) & (DIGITS - 1))

static void
insert_by_index(Best *entries, uint32_t count)
{
	for (uint32_t n = 1; n < count; n++)
	{
		Best moving = entries[n];
		uint32_t place = n;

		for (; place > 0 && entries[place - 1].index > moving.index; place--)
			entries[place] = entries[place - 1];
		entries[place] = moving;
	}
}

/* What entries are dealt out by: their index, or their value, which is above 0, the greatest first. */
typedef enum Dealing
{
	BY_INDEX,
	BY_VALUE
} Dealing;

static inline uint32_t
number_of(const Best *entry, Dealing by)
{
	uint32_t bits;

	if (by == BY_INDEX)
		return entry->index;
	memcpy(&bits, &entry->value, sizeof(bits));
	return ~bits;
}

/*
 * Deals entries out by eight bits of a number, those of the same in the order they are in.  False, and
 * nothing is done, where it is the same for all.
 */
static bool
deal(const Best *entries, Best *dealt, uint32_t count, Dealing by, int at)
{
	uint32_t place[DIGITS] = {0};
	uint32_t before = 0;

	for (uint32_t n = 0; n < count; n++)
		place[DIGIT(number_of(&entries[n], by), at)]++;
	if (place[DIGIT(number_of(&entries[0], by), at)] == count)
		return false;
	for (uint32_t digit = 0; digit < DIGITS; digit++)
	{
		uint32_t these = place[digit];

		place[digit] = before;
		before += these;
	}
	for (uint32_t n = 0; n < count; n++)
		dealt[place[DIGIT(number_of(&entries[n], by), at)]++] = entries[n];
	return true;
}

/*
 * Deals some entries out by one byte of a number after the other, the last first, up to that of the most;
 * they are left in either place, which is returned.
 */
static Best *
deal_all(Best *entries, Best *room, uint32_t count, Dealing by, uint32_t most)
{
	for (int at = 0; at < 32 && most >> at > 0; at += 8)
		if (deal(entries, room, count, by, at))
		{
			Best *dealt = room;

			room = entries;
			entries = dealt;
		}
	return entries;
}

void
BestByIndex(Best *entries, Best *room, uint32_t count, uint32_t most)
{
	if (count <= FEW)
		insert_by_index(entries, count);
	else if (deal_all(entries, room, count, BY_INDEX, most) == room)
		memcpy(entries, room, sizeof(Best) * count);
}

/* Puts entries in order, best first, unless one of them is not above 0. */
static bool
sort_by_dealing(Best *entries, uint32_t count)
{
	Best room[MANY];
	uint32_t most = 0;
	Best *at;

	for (uint32_t n = 0; n < count; n++)
	{
		if (!(entries[n].value > 0))
			return false;
		most = most > entries[n].index ? most : entries[n].index;
	}
	at = deal_all(entries, room, count, BY_INDEX, most);
	at = deal_all(at, at == room ? entries : room, count, BY_VALUE, UINT32_MAX);
	if (at == room)
		memcpy(entries, room, sizeof(Best) * count);
	return true;
}

void
BestSort(Best *entries, uint32_t count)
{
	uint32_t in_order = 1;

	while (in_order < count && BestBefore(&entries[in_order - 1], &entries[in_order]))
		in_order++;
	if (in_order >= count || (count > FEW && count <= MANY && sort_by_dealing(entries, count)))
		return;
	/* The worst leaves the top of a heap for the last place, until one is left. */
	BestHeap(entries, count);
	while (count > 1)
	{
		Best worst = entries[0];

		entries[0] = entries[--count];
		sink(entries, count, 0);
		entries[count] = worst;
	}
}
