/*
 * nearest.h: the k nearest of every item, found pair by pair from rows of the kernel.
 *
 * Nearly no pair gets in anywhere.  So what is still to be beaten is kept as the upper half of a sum,
 * and a row's sums are compared with it many at a time before any is looked at.
 */
#ifndef RECO_NEAREST_H
#define RECO_NEAREST_H

#include "math/best.h"
#include "math/pairs.h"

/* The k nearest of every item from a first one on. */
typedef struct Nearest
{
	uint32_t k;
	uint32_t first;
	Best *slot; /* k places each */
	uint32_t *count;
	float *least; /* [items], less than this does not get in; infinite before the first */
} Nearest;

/* Where the nearest of an item begin. */
static inline Best *
NearestOf(const Nearest *nearest, uint32_t item)
{
	return nearest->slot + (uint64_t) (item - nearest->first) * nearest->k;
}

static inline uint32_t
NearestCount(const Nearest *nearest, uint32_t item)
{
	return item < nearest->first ? 0 : nearest->count[item - nearest->first];
}

/* Offers to an item what goes by an index; true where it got in. */
extern bool NearestOffer(Nearest *nearest, uint32_t item, uint32_t index, float value);

/* The upper half of the least sum worth so much, or of a slightly smaller one; at least 1. */
extern uint32_t NearestEnough(float least, double unit, PairScale scale);

/*
 * Lists in found[] the items of a part of a row whose sums have at least an upper half of own, or of
 * enough[] for the item.  The part is at most NEAREST_PART items: those from first on, or listed in
 * touched[] from there on where it is not NULL.  Returns how many are found.
 */
#define NEAREST_PART 256
extern uint32_t NearestSift(const PairSum *sums, const uint32_t *touched, uint32_t first,
							uint32_t count, const uint32_t *enough, uint32_t own, uint32_t *found);

#endif
