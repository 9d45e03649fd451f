#include "math/rank.h"

#include <float.h>
#include <math.h>
#include <string.h>

/*
 * 2^UNIT_BITS units are more than any sum of terms: three bits less than a double holds, so that
 * neither rounding up nor adding in an order of one's own ever meets the end.
 */
#define UNIT_BITS 50

/* Items of a block: as many scores as a line of the cache holds. */
#define BLOCK 8
#define LINE  64

/* Parts added in a row before the loop is asked whether it is over. */
#define UNROLL 8

/* Parts of the next row that are sent for ahead; what comes after, the processor foresees. */
#define AHEAD 512

#define LEVEL_EXPONENT 0.2 /* see RankLevel */

static uint32_t
blocks_of(uint32_t slots)
{
	return slots / BLOCK + 1;
}

size_t
RankScratchBytes(uint32_t slots)
{
	size_t blocks = blocks_of(slots);

	return LINE + blocks * (BLOCK * sizeof(double) + sizeof(uint32_t) + 1) + sizeof(uint32_t) +
		   (size_t) slots * (sizeof(uint32_t) + 1);
}

void
RankScratchInit(RankScratch *scratch, void *zeroed, uint32_t slots)
{
	uintptr_t line = ((uintptr_t) zeroed + LINE - 1) / LINE * LINE;
	size_t blocks = blocks_of(slots);

	scratch->slots = slots;
	scratch->dense = false;
	scratch->touched_count = 0;
	scratch->score = (double *) line;
	scratch->place = (uint32_t *) (scratch->score + blocks * BLOCK);
	scratch->touched = scratch->place + slots;
	scratch->noted = (unsigned char *) (scratch->touched + blocks + 1);
	scratch->marked = scratch->noted + blocks;
}

double
RankNorm(const RankEntry *entries, size_t count)
{
	double squares = 0;

	for (size_t e = 0; e < count; e++)
		squares += entries[e].weight * entries[e].weight;
	return squares > 0 ? 1 / sqrt(squares) : 0;
}

double
RankLevel(const RankEntry *entries, size_t count)
{
	double sum = 0;
	double squares = 0;

	for (size_t e = 0; e < count; e++)
	{
		sum += fabs(entries[e].weight);
		squares += entries[e].weight * entries[e].weight;
	}
	return squares > 0 ? pow(sum * sum / squares, -LEVEL_EXPONENT) : 1;
}

double
RankGrid(const RankEntry *entries, size_t count, double norm)
{
	double most = 0;
	int exponent;

	for (size_t e = 0; e < count; e++)
		most += fabs(entries[e].weight * norm) * entries[e].most;
	frexp(most, &exponent);

	/* Where the powers below would not be numbers, neither are scores, or they are as good as 0. */
	if (!(most > 0) || !isfinite(most) || exponent < -900 || exponent > 900)
		return 0;

	/* In 1.5 * 2^52 units a double has no bit to spare: adding to it rounds to whole units. */
	return ldexp(1.5, exponent - UNIT_BITS + 52);
}

/* A term of a score, as a whole number of units. */
static inline double
term(double weight, double similarity, double grid)
{
	return (weight * similarity + grid) - grid;
}

/*
 * Adds one entry's part to every score it leads to, products first, some at a time: on the machine
 * it was tried on that took a tenth to a quarter less than one by one.
 */
static void
add(double *restrict score, const RankEntry *entry, double weight, double grid)
{
	const uint32_t *restrict item = entry->item;
	const float *restrict similarity = entry->similarity;
	uint32_t count = entry->count;
	uint32_t n = 0;

	for (; count - n >= UNROLL; n += UNROLL)
	{
		double part[UNROLL];

		for (uint32_t i = 0; i < UNROLL; i++)
			part[i] = term(weight, similarity[n + i], grid);
		for (uint32_t i = 0; i < UNROLL; i++)
			score[item[n + i]] += part[i];
	}
	for (; n < count; n++)
		score[item[n]] += term(weight, similarity[n], grid);
}

/* The same, and notes each block that is touched for the first time. */
static void
add_noting(RankScratch *scratch, const RankEntry *entry, double weight, double grid)
{
	double *restrict score = scratch->score;
	uint32_t *restrict touched = scratch->touched;
	unsigned char *restrict noted = scratch->noted;
	const uint32_t *restrict item = entry->item;
	const float *restrict similarity = entry->similarity;
	uint32_t count = entry->count;
	uint32_t touched_count = scratch->touched_count;

	for (uint32_t n = 0; n < count; n++)
	{
		uint32_t block = item[n] / BLOCK;

		touched[touched_count] = block;
		touched_count += !noted[block];
		noted[block] = 1;
		score[item[n]] += term(weight, similarity[n], grid);
	}
	scratch->touched_count = touched_count;
}

/* Sends for the row that comes next: rows lie anywhere in memory. */
static inline void
send_for(const RankEntry *entry)
{
	uint32_t count = entry->count < AHEAD ? entry->count : AHEAD;

	for (uint32_t n = 0; n < count; n += LINE / sizeof(uint32_t))
	{
		__builtin_prefetch(entry->item + n);
		__builtin_prefetch(entry->similarity + n);
	}
}

void
RankScore(RankScratch *scratch, const RankEntry *entries, size_t count, double norm)
{
	double grid = RankGrid(entries, count, norm);
	uint64_t parts = 0;

	for (size_t e = 0; e < count; e++)
		parts += entries[e].count;
	scratch->dense = parts > scratch->slots;

	for (size_t e = 0; e < count; e++)
	{
		double weight = entries[e].weight * norm;

		if (e + 1 < count)
			send_for(&entries[e + 1]);
		if (scratch->dense)
			add(scratch->score, &entries[e], weight, grid);
		else
			add_noting(scratch, &entries[e], weight, grid);
	}
}

/* How many blocks there are to look at, and which is the nth of them. */
static uint32_t
touched_blocks(const RankScratch *scratch)
{
	return scratch->dense ? blocks_of(scratch->slots) : scratch->touched_count;
}

static inline uint32_t
touched_block(const RankScratch *scratch, uint32_t n)
{
	return scratch->dense ? n : scratch->touched[n];
}

uint32_t
RankReached(const RankScratch *scratch)
{
	return touched_blocks(scratch) * BLOCK;
}

uint32_t
RankScored(const RankScratch *scratch, uint32_t *items)
{
	uint32_t blocks = touched_blocks(scratch);
	uint32_t count = 0;

	for (uint32_t t = 0; t < blocks; t++)
	{
		uint32_t first = touched_block(scratch, t) * BLOCK;

		/* Beyond the slots every score is 0. */
		for (uint32_t n = first; n < first + BLOCK; n++)
		{
			items[count] = n;
			count += scratch->score[n] != 0;
		}
	}
	return count;
}

void
RankKeep(RankScratch *scratch, const uint32_t *items, uint32_t count, double *saved)
{
	for (uint32_t n = 0; n < count; n++)
		saved[n] = scratch->score[items[n]];
	RankClear(scratch);
	for (uint32_t n = 0; n < count; n++)
	{
		uint32_t block = items[n] / BLOCK;

		scratch->score[items[n]] = saved[n];
		scratch->touched[scratch->touched_count] = block;
		scratch->touched_count += !scratch->noted[block];
		scratch->noted[block] = 1;
	}
}

static inline bool
comes_before(const RankItem *a, const RankItem *b)
{
	return a->score > b->score || (a->score == b->score && a->item < b->item);
}

/* Moves the candidate at the root down to where it is no better than its parent. */
static void
sink(RankItem *heap, uint32_t count, uint32_t root)
{
	RankItem moving = heap[root];

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

static void
rise(RankItem *heap, uint32_t place)
{
	RankItem moving = heap[place];

	while (place > 0 && comes_before(&heap[(place - 1) / 2], &moving))
	{
		heap[place] = heap[(place - 1) / 2];
		place = (place - 1) / 2;
	}
	heap[place] = moving;
}

/* The best so far: a heap with the worst on top. */
typedef struct Heap
{
	RankItem *best;
	uint32_t count;
	uint32_t k;
	double least; /* a lower score does not get in */
} Heap;

static inline void
offer(Heap *heap, uint32_t item, double score)
{
	RankItem candidate = {.score = score, .item = item};

	if (!(score >= heap->least) || !isfinite(score))
		return;
	if (heap->count < heap->k)
	{
		heap->best[heap->count] = candidate;
		rise(heap->best, heap->count++);
	}
	else if (comes_before(&candidate, &heap->best[0]))
	{
		heap->best[0] = candidate;
		sink(heap->best, heap->k, 0);
	}
	if (heap->count == heap->k)
		heap->least = heap->best[0].score;
}

/* Two numbers that one instruction takes, on every processor there is a server for. */
typedef double Pair __attribute__((vector_size(16), may_alias));
typedef uint64_t PairBits __attribute__((vector_size(16)));

/*
 * True where any score of a block is no lower than the least: where the signs of the differences
 * are not all minus.  Plain comparisons, which may trap, the compiler takes one by one.
 */
static inline bool
any_at_least(const double *score, double least)
{
	const Pair *pair = (const Pair *) score;
	PairBits below = (PairBits) (pair[0] - least);

	for (int n = 1; n < BLOCK / 2; n++)
		below &= (PairBits) (pair[n] - least);
	return (below[0] & below[1]) >> 63 == 0;
}

/* Offers what is touched, and clears it while it is at hand. */
static void
offer_all(Heap *heap, RankScratch *scratch)
{
	uint32_t count = touched_blocks(scratch);

	for (uint32_t t = 0; t < count; t++)
	{
		uint32_t block = touched_block(scratch, t);
		double *score = scratch->score + (size_t) block * BLOCK;

		if (any_at_least(score, heap->least))
			for (uint32_t n = 0; n < BLOCK; n++)
				offer(heap, block * BLOCK + n, score[n]);
		memset(score, 0, sizeof(double) * BLOCK);
		scratch->noted[block] = 0;
	}
	scratch->touched_count = 0;
	scratch->dense = false;
}

uint32_t
RankTop(RankScratch *scratch, RankItem *best, uint32_t k)
{
	/* Nothing lies between 0 and the least number there is. */
	Heap heap = {.best = best, .k = k, .least = DBL_TRUE_MIN};

	if (k == 0)
		RankClear(scratch);
	else
		offer_all(&heap, scratch);

	/* The worst leaves the top for the last place, until one is left. */
	for (uint32_t count = heap.count; count > 1;)
	{
		RankItem worst = best[0];

		best[0] = best[--count];
		sink(best, count, 0);
		best[count] = worst;
	}
	return heap.count;
}

double
RankShare(const RankEntry *entry, double norm, double grid, uint32_t item)
{
	for (uint32_t n = 0; n < entry->count; n++)
		if (entry->item[n] == item)
			return term(entry->weight * norm, entry->similarity[n], grid);
	return 0;
}

void
RankBecause(RankScratch *scratch, const RankEntry *entries, size_t count, double norm,
			const uint32_t *items, uint32_t item_count, int64_t *because)
{
	double grid = RankGrid(entries, count, norm);

	for (uint32_t n = 0; n < item_count; n++)
	{
		because[n] = -1;
		scratch->marked[items[n]] = 1;
		scratch->place[items[n]] = n;
	}
	for (size_t e = 0; e < count; e++)
	{
		double weight = entries[e].weight * norm;

		for (uint32_t n = 0; n < entries[e].count; n++)
		{
			uint32_t item = entries[e].item[n];
			double share = term(weight, entries[e].similarity[n], grid);

			/* While it is marked, score[] holds the greatest share so far. */
			if (scratch->marked[item] && share > scratch->score[item])
			{
				scratch->score[item] = share;
				because[scratch->place[item]] = (int64_t) e;
			}
		}
	}
	for (uint32_t n = 0; n < item_count; n++)
	{
		scratch->marked[items[n]] = 0;
		scratch->score[items[n]] = 0;
	}
}

/*
 * Which entry has the greatest part in an item's score, by the item's column.  Entries and
 * columns are both in order of number, so the first of equals is the same one as by rows.
 */
static int64_t
because_of(const RankScratch *scratch, const RankColumns *columns, const RankEntry *entries,
		   double norm, double grid, uint32_t item)
{
	int64_t because = -1;
	double greatest = 0;

	for (uint64_t c = columns->start[item]; c < columns->start[item + 1]; c++)
	{
		uint32_t source = columns->source[c];
		uint32_t entry;
		double share;

		if (!scratch->marked[source])
			continue;
		entry = scratch->place[source];
		share = term(entries[entry].weight * norm, columns->similarity[c], grid);
		if (share > greatest && entries[entry].weight > 0)
		{
			greatest = share;
			because = entry;
		}
	}
	return because;
}

void
RankBecauseColumns(RankScratch *scratch, const RankColumns *columns, const RankEntry *entries,
				   size_t count, double norm, const uint32_t *items, uint32_t item_count,
				   int64_t *because)
{
	double grid = RankGrid(entries, count, norm);

	/* The map is now from sources to places among the entries. */
	for (size_t e = 0; e < count; e++)
	{
		scratch->marked[entries[e].source] = 1;
		scratch->place[entries[e].source] = (uint32_t) e;
	}
	for (uint32_t n = 0; n < item_count; n++)
		because[n] = because_of(scratch, columns, entries, norm, grid, items[n]);
	for (size_t e = 0; e < count; e++)
		scratch->marked[entries[e].source] = 0;
}

void
RankClear(RankScratch *scratch)
{
	uint32_t count = touched_blocks(scratch);

	for (uint32_t t = 0; t < count; t++)
	{
		uint32_t block = touched_block(scratch, t);

		memset(scratch->score + (size_t) block * BLOCK, 0, sizeof(double) * BLOCK);
		scratch->noted[block] = 0;
	}
	scratch->touched_count = 0;
	scratch->dense = false;
}
