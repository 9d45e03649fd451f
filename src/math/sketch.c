#include "math/sketch.h"

#include <math.h>
#include <stdlib.h>

#include "math/hash.h"

/*
 * Places of the samples, half of which may be taken: standard errors of 1.9 % for users and
 * items.  The pairs want more: with 16,384 cells or more kept, their error stayed below 4 % on
 * MovieLens 1M, Amazon CDs and the generated sets of 1 to 20 million events.
 */
#define PLACES      8192
#define CELL_PLACES 65536

typedef struct Kept
{
	uint64_t key;   /* the hash; 0 where the place is free */
	uint64_t owner; /* of a cell: the hash of its user */
	double sum;     /* of a cell: weights; else events */
} Kept;

typedef struct Sample
{
	Kept *place;
	Kept *spare; /* as many, for what is left when the level rises */
	uint32_t places;
	uint32_t count;
	int level;
} Sample;

struct Sketch
{
	uint64_t events;
	Sample users;
	Sample items;
	Sample cells;
};

size_t
SketchBytes(void)
{
	return sizeof(Sketch) + 2 * sizeof(Kept) * (2 * PLACES + CELL_PLACES);
}

/* A sample in the next of the memory; returns what comes after it. */
static Kept *
init_sample(Sample *sample, Kept *memory, uint32_t places)
{
	*sample = (Sample){.place = memory, .spare = memory + places, .places = places};
	memset(memory, 0, sizeof(Kept) * places);
	return memory + 2 * places;
}

Sketch *
SketchInit(void *memory)
{
	Sketch *sketch = memory;
	Kept *next = (Kept *) (sketch + 1);

	sketch->events = 0;
	next = init_sample(&sketch->users, next, PLACES);
	next = init_sample(&sketch->items, next, PLACES);
	init_sample(&sketch->cells, next, CELL_PLACES);
	return sketch;
}

static inline bool
belongs(uint64_t hash, int level)
{
	return level == 0 || hash >> (64 - level) == 0;
}

/* The place of a key: its own, or the free one where it goes. */
static inline Kept *
find(Kept *place, uint32_t places, uint64_t key)
{
	uint32_t at = (uint32_t) key & (places - 1);

	while (place[at].key != 0 && place[at].key != key)
		at = (at + 1) & (places - 1);
	return &place[at];
}

/* Raises the level until no more than half of the places is taken. */
static void
raise_level(Sample *sample)
{
	while (sample->count > sample->places / 2)
	{
		Kept *old = sample->place;

		sample->level++;
		sample->count = 0;
		sample->place = sample->spare;
		sample->spare = old;
		memset(sample->place, 0, sizeof(Kept) * sample->places);
		for (uint32_t p = 0; p < sample->places; p++)
			if (old[p].key != 0 && belongs(old[p].key, sample->level))
			{
				*find(sample->place, sample->places, old[p].key) = old[p];
				sample->count++;
			}
	}
}

static inline void
keep(Sample *sample, uint64_t hash, uint64_t owner, double amount)
{
	Kept *kept;

	if (!belongs(hash, sample->level))
		return;
	hash += hash == 0;
	kept = find(sample->place, sample->places, hash);
	if (kept->key != 0)
	{
		kept->sum += amount;
		return;
	}
	*kept = (Kept){hash, owner, amount};
	if (++sample->count > sample->places / 2)
		raise_level(sample);
}

void
SketchAdd(Sketch *sketch, uint64_t user, uint64_t item, float weight)
{
	sketch->events++;
	keep(&sketch->users, user, 0, 1);
	keep(&sketch->items, item, 0, 1);
	/* The step of HashNext keeps a user and an item of the same id from cancelling out. */
	keep(&sketch->cells, HashMix(user ^ HashMix(item + UINT64_C(0x9e3779b97f4a7c15))), user,
		 weight);
}

void
SketchItemsAdd(SketchItems *all, double items, double events)
{
	double bin = 4 * log2(events);
	int b = bin < 0 ? 0 : bin < SKETCH_BINS ? (int) bin : SKETCH_BINS - 1;

	all->items[b] += items;
	all->events[b] += items * events;
}

static int
by_owner(const void *a, const void *b)
{
	uint64_t x = ((const Kept *) a)->owner;
	uint64_t y = ((const Kept *) b)->owner;

	return x < y ? -1 : x > y;
}

/* Counts cells and pairs: the kept cells are put side by side by user, in the spare places. */
static void
count_pairs(Sample *cells, double max_history, SketchFigures *figures)
{
	double scale = ldexp(1, cells->level);
	uint32_t count = 0;

	for (uint32_t p = 0; p < cells->places; p++)
		if (cells->place[p].key != 0 && cells->place[p].sum > 0)
			cells->spare[count++] = cells->place[p];
	qsort(cells->spare, count, sizeof(Kept), by_owner);
	figures->alike = true;
	for (uint32_t c = 1; c < count; c++)
		figures->alike = figures->alike && cells->spare[c].sum == cells->spare[0].sum;

	for (uint32_t begin = 0, end; begin < count; begin = end)
	{
		double k;

		for (end = begin; end < count && cells->spare[end].owner == cells->spare[begin].owner;)
			end++;
		k = end - begin;
		if (k * scale > max_history)
		{
			figures->cells += max_history;
			figures->pairs += max_history * max_history;
			continue;
		}
		figures->cells += k * scale;
		figures->pairs += k * (k - 1) * scale * scale + k * scale;
	}
}

void
SketchRead(Sketch *sketch, double max_history, SketchFigures *figures)
{
	double scale = ldexp(1, sketch->items.level);

	*figures = (SketchFigures){
		.events = (double) sketch->events,
		.users = ldexp(sketch->users.count, sketch->users.level),
		.items = sketch->items.count * scale,
	};
	count_pairs(&sketch->cells, max_history, figures);
	for (uint32_t p = 0; p < sketch->items.places; p++)
		if (sketch->items.place[p].key != 0)
			SketchItemsAdd(&figures->spread, scale, sketch->items.place[p].sum);
}
