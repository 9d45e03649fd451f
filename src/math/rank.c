#include "math/rank.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/clones.h"

/*
 * 2^UNIT_BITS units are more than any sum of terms: three bits less than a double holds, so that
 * neither rounding up nor adding in an order of one's own ever meets the end.
 */
#define UNIT_BITS 50

/* Items of a block: as many scores as a line of the cache holds. */
#define BLOCK 8
#define LINE  64

/* Notes that are looked at together. */
#define WORD 8

/*
 * How many rows ahead one is sent for, and how many of its parts; what comes after, the processor
 * foresees.  The next row but one comes in time more often than the next, which saved a fifth.
 */
#define ROWS_AHEAD 2
#define AHEAD      512

#define LEVEL_EXPONENT 0.2 /* see RankLevel */

static uint32_t
blocks_of(uint32_t slots)
{
	return slots / BLOCK + 1;
}

static uint32_t
words_of(uint32_t slots)
{
	return (blocks_of(slots) + WORD - 1) / WORD;
}

size_t
RankScratchBytes(uint32_t slots)
{
	return LINE + (size_t) blocks_of(slots) * BLOCK * sizeof(double) +
		   (size_t) words_of(slots) * WORD + (size_t) slots * (sizeof(uint32_t) + 1);
}

void
RankScratchInit(RankScratch *scratch, void *zeroed, uint32_t slots)
{
	uintptr_t line = ((uintptr_t) zeroed + LINE - 1) / LINE * LINE;

	scratch->slots = slots;
	scratch->score = (double *) line;
	scratch->noted = (unsigned char *) (scratch->score + (size_t) blocks_of(slots) * BLOCK);
	scratch->place = (uint32_t *) (scratch->noted + (size_t) words_of(slots) * WORD);
	scratch->marked = (unsigned char *) (scratch->place + slots);
}

/* Sums of squares that are less are no longer exact: what was all but forgotten says nothing. */
#define SQUARES_LEAST 1e-290

double
RankNorm(const RankEntry *entries, size_t count)
{
	double squares = 0;

	for (size_t e = 0; e < count; e++)
		squares += entries[e].weight * entries[e].weight;
	return squares > SQUARES_LEAST ? 1 / sqrt(squares) : 0;
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

/* Sends for a row that comes soon: rows lie anywhere in memory. */
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

/* Four numbers that newer processors take at once, and others as two and two. */
typedef double Four __attribute__((vector_size(32), may_alias));
typedef uint64_t FourBits __attribute__((vector_size(32)));
typedef float Floats __attribute__((vector_size(16), may_alias, aligned(4)));

/*
 * Adds the parts of all entries to every score they lead to, products first, four at a time: on the
 * machine it was tried on that took half as long as one by one.  Notes each block, or where note
 * is false, as it is in a copy of the loop, none.
 */
static inline __attribute__((always_inline)) void
add_all(RankScratch *scratch, const RankEntry *entries, size_t count, double norm, double grid,
		bool note)
{
	double *score = scratch->score;
	unsigned char *noted = scratch->noted;
	const Four grids = {grid, grid, grid, grid};

	for (size_t e = 0; e < count; e++)
	{
		const uint32_t *item = entries[e].item;
		const float *similarity = entries[e].similarity;
		double weight = entries[e].weight * norm;
		const Four weights = {weight, weight, weight, weight};
		size_t left = entries[e].count;

		if (e + ROWS_AHEAD < count)
			send_for(&entries[e + ROWS_AHEAD]);
		for (; left >= 4; left -= 4, item += 4, similarity += 4)
		{
			Four part =
				(weights * __builtin_convertvector(*(const Floats *) similarity, Four) + grids) -
				grids;

			for (int n = 0; n < 4; n++)
			{
				score[item[n]] += part[n];
				if (note)
					noted[item[n] / BLOCK] = 1;
			}
		}
		for (size_t n = 0; n < left; n++)
		{
			score[item[n]] += RankTerm(weight, similarity[n], grid);
			if (note)
				noted[item[n] / BLOCK] = 1;
		}
	}
}

CLONES static void
add_noting(RankScratch *scratch, const RankEntry *entries, size_t count, double norm, double grid)
{
	add_all(scratch, entries, count, norm, grid, true);
}

CLONES static void
add_to_all(RankScratch *scratch, const RankEntry *entries, size_t count, double norm, double grid)
{
	add_all(scratch, entries, count, norm, grid, false);
}

void
RankReachAll(RankScratch *scratch)
{
	memset(scratch->noted, 1, blocks_of(scratch->slots));
}

void
RankScore(RankScratch *scratch, const RankEntry *entries, size_t count, double norm)
{
	double grid = RankGrid(entries, count, norm);
	uint64_t parts = 0;

	for (size_t e = 0; e < count; e++)
		parts += entries[e].count;
	if (parts < scratch->slots)
	{
		add_noting(scratch, entries, count, norm, grid);
		return;
	}
	RankReachAll(scratch);
	add_to_all(scratch, entries, count, norm, grid);
}

/*
 * A word of notes: bit 8 * n is set where its nth block was touched.  NOTE_FIRST is the first of
 * those set, and words & (words - 1) what is left without it.
 */
static inline uint64_t
notes_of(const RankScratch *scratch, uint32_t word)
{
	uint64_t notes;

	memcpy(&notes, scratch->noted + (size_t) word * WORD, WORD);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	notes = __builtin_bswap64(notes);
#endif
	return notes;
}

#define NOTE_FIRST(notes) ((uint32_t) __builtin_ctzll(notes) / 8)

uint32_t
RankReached(const RankScratch *scratch)
{
	uint32_t words = words_of(scratch->slots);
	uint32_t blocks = 0;

	for (uint32_t w = 0; w < words; w++)
		blocks += (uint32_t) __builtin_popcountll(notes_of(scratch, w));
	return blocks * BLOCK;
}

uint32_t
RankScored(const RankScratch *scratch, uint32_t *items)
{
	uint32_t words = words_of(scratch->slots);
	uint32_t count = 0;

	for (uint32_t w = 0; w < words; w++)
		for (uint64_t notes = notes_of(scratch, w); notes; notes &= notes - 1)
		{
			uint32_t first = (w * WORD + NOTE_FIRST(notes)) * BLOCK;

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
		scratch->score[items[n]] = saved[n];
		scratch->noted[items[n] / BLOCK] = 1;
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

/*
 * True where any score of a block is no lower than the least: where the signs of the differences
 * are not all minus.  Plain comparisons, which may trap, the compiler takes one by one.
 */
static inline __attribute__((always_inline)) bool
any_at_least(const double *score, double least)
{
	const Four *four = (const Four *) score;
	FourBits below = (FourBits) (four[0] - least) & (FourBits) (four[1] - least);

	return (below[0] & below[1] & below[2] & below[3]) >> 63 == 0;
}

static inline __attribute__((always_inline)) void
clear_block(double *score)
{
	const Four none = {0};

	((Four *) score)[0] = none;
	((Four *) score)[1] = none;
}

static void
offer_block(Heap *heap, uint32_t block, const double *score)
{
	for (uint32_t n = 0; n < BLOCK; n++)
		offer(heap, block * BLOCK + n, score[n]);
}

/* Offers what is touched, and clears it while it is at hand. */
CLONES static void
offer_all(Heap *heap, RankScratch *scratch)
{
	uint32_t words = words_of(scratch->slots);

	for (uint32_t w = 0; w < words; w++)
	{
		uint64_t notes = notes_of(scratch, w);

		if (notes == 0)
			continue;
		memset(scratch->noted + (size_t) w * WORD, 0, WORD);
		for (; notes; notes &= notes - 1)
		{
			uint32_t block = w * WORD + NOTE_FIRST(notes);
			double *score = scratch->score + (size_t) block * BLOCK;

			if (any_at_least(score, heap->least))
				offer_block(heap, block, score);
			clear_block(score);
		}
	}
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
RankSum(RankScratch *scratch)
{
	uint32_t words = words_of(scratch->slots);
	double sum = 0;

	for (uint32_t w = 0; w < words; w++)
	{
		for (uint64_t notes = notes_of(scratch, w); notes; notes &= notes - 1)
		{
			double *score = scratch->score + (size_t) (w * WORD + NOTE_FIRST(notes)) * BLOCK;

			for (uint32_t n = 0; n < BLOCK; n++)
				sum += score[n] > 0 && isfinite(score[n]) ? score[n] : 0;
			memset(score, 0, sizeof(double) * BLOCK);
		}
		memset(scratch->noted + (size_t) w * WORD, 0, WORD);
	}
	return sum;
}

double
RankShare(const RankEntry *entry, double norm, double grid, uint32_t item)
{
	for (uint32_t n = 0; n < entry->count; n++)
		if (entry->item[n] == item)
			return RankTerm(entry->weight * norm, entry->similarity[n], grid);
	return 0;
}

/* Items that are asked about together whether one is marked. */
#define TOGETHER 4

static inline bool
any_marked(const unsigned char *marked, const uint32_t *item)
{
	return marked[item[0]] | marked[item[1]] | marked[item[2]] | marked[item[3]];
}

/* Items for which it pays to know the least of their greatest shares. */
#define FEW 64

/* A share that none of the items has less of: 0 as long as one has none, or where they are many. */
static double
least_share(const RankScratch *scratch, const uint32_t *items, uint32_t count)
{
	double least = count > 0 && count <= FEW ? scratch->score[items[0]] : 0;

	for (uint32_t n = 1; n < count && least > 0; n++)
		least = fmin(least, scratch->score[items[n]]);
	return least;
}

/* How an entry's shares are reckoned, and what they must beat. */
typedef struct ShareRule
{
	int64_t entry; /* its place */
	double weight;
	double grid;
	double least;
} ShareRule;

/*
 * Notes an entry for those marked items of a run of it of which it has a greater share than any
 * before; true where there was one.  In a run similarity never rises, so that the first share that is
 * not above the least ends it.
 */
static bool
note_shares(RankScratch *scratch, const RankEntry *entry, uint32_t begin, uint32_t end,
			const ShareRule *rule, int64_t *because)
{
	const uint32_t *item = entry->item;
	const float *similarity = entry->similarity;
	bool greater = false;

	for (uint32_t n = begin;
		 n < end && RankTerm(rule->weight, similarity[n], rule->grid) > rule->least; n++)
	{
		double share;

		/* Most are not marked: several are passed over at once. */
		while (end - n > TOGETHER && !any_marked(scratch->marked, item + n) &&
			   RankTerm(rule->weight, similarity[n], rule->grid) > rule->least)
			n += TOGETHER;
		if (!scratch->marked[item[n]])
			continue;
		/* While it is marked, score[] holds the greatest share so far. */
		share = RankTerm(rule->weight, similarity[n], rule->grid);
		if (share > scratch->score[item[n]])
		{
			scratch->score[item[n]] = share;
			because[scratch->place[item[n]]] = rule->entry;
			greater = true;
		}
	}
	return greater;
}

void
RankBecause(RankScratch *scratch, const RankEntry *entries, size_t count, double norm,
			const uint32_t *items, uint32_t item_count, int64_t *because)
{
	double grid = RankGrid(entries, count, norm);
	double least = 0;

	for (uint32_t n = 0; n < item_count; n++)
	{
		because[n] = -1;
		scratch->marked[items[n]] = 1;
		scratch->place[items[n]] = n;
	}
	for (size_t e = 0; e < count; e++)
	{
		const RankEntry *entry = &entries[e];
		ShareRule rule = {(int64_t) e, entry->weight * norm, grid, least};
		bool noted;

		if (!(rule.weight > 0))
			continue;
		/* What attributes alone tie, and the rest: two runs, both to be looked through. */
		noted = note_shares(scratch, entry, 0, entry->content, &rule, because);
		noted |= note_shares(scratch, entry, entry->content, entry->count, &rule, because);
		if (noted)
			least = least_share(scratch, items, item_count);
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
		share = RankTerm(entries[entry].weight * norm, columns->similarity[c], grid);
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
RankContent(RankScratch *scratch, const RankEntry *entries, size_t count, double norm,
			const uint32_t *items, uint32_t item_count, double *part)
{
	double grid = RankGrid(entries, count, norm);

	for (uint32_t n = 0; n < item_count; n++)
		scratch->marked[items[n]] = 1;
	for (size_t e = 0; e < count; e++)
		for (uint32_t n = 0; n < entries[e].content; n++)
			if (scratch->marked[entries[e].item[n]])
				scratch->score[entries[e].item[n]] +=
					RankTerm(entries[e].weight * norm, entries[e].similarity[n], grid);
	for (uint32_t n = 0; n < item_count; n++)
		part[n] = scratch->score[items[n]];
	for (uint32_t n = 0; n < item_count; n++)
	{
		scratch->marked[items[n]] = 0;
		scratch->score[items[n]] = 0;
	}
}

void
RankClear(RankScratch *scratch)
{
	uint32_t words = words_of(scratch->slots);

	for (uint32_t w = 0; w < words; w++)
	{
		for (uint64_t notes = notes_of(scratch, w); notes; notes &= notes - 1)
			memset(scratch->score + (size_t) (w * WORD + NOTE_FIRST(notes)) * BLOCK, 0,
				   sizeof(double) * BLOCK);
		memset(scratch->noted + (size_t) w * WORD, 0, WORD);
	}
}
