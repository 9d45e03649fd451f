/*
 * sketch.h: how many users, items and pairs a stream of events has, in memory of a fixed size.
 *
 * Three samples of what is distinct: users, items, and cells (a user with an item).  A sample
 * keeps everything whose hash begins with as many zero bits as its level says, and where it is
 * full its level rises and half of it goes: Wegman's adaptive sampling, with a standard error
 * of 1.2 / sqrt(room) (Flajolet 1990, On adaptive sampling).  What is kept has been kept since
 * it first came, so that what is summed of it is whole (Gibbons 2001, Distinct sampling).
 * Below its room a sample holds all there is, and the figures are exact but for chance
 * collisions of 64-bit hashes.
 *
 * The pairs, sum of h_u^2 over users with h_u positive cells, come from the cells: each is kept
 * with the chance p = 2^-level, so of h cells of a user k are kept with E[k (k - 1)] = p^2 h (h - 1),
 * and the sum of h^2 is estimated by that of k (k - 1) / p^2 + k / p.  The few users with the
 * longest histories, which a sample of users would miss, have all their weight there.
 */
#ifndef RECO_SKETCH_H
#define RECO_SKETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Sketch Sketch;

/* The memory of a sketch, which the caller gives and frees; and a sketch of nothing in it. */
extern size_t SketchBytes(void);
extern Sketch *SketchInit(void *memory);

/* Takes one event, by the hashes of its ids.  O(1). */
extern void SketchAdd(Sketch *sketch, uint64_t user, uint64_t item, float weight);

/* How many items have about so many events, by quarters of a power of two. */
#define SKETCH_BINS 256

typedef struct SketchItems
{
	double items[SKETCH_BINS];
	double events[SKETCH_BINS]; /* of all of them */
} SketchItems;

/* Adds some items, each with a number of events, which is at least 1. */
extern void SketchItemsAdd(SketchItems *all, double items, double events);

typedef struct SketchFigures
{
	double events;
	double users;
	double items;
	double cells; /* positive, and within max_history, like the next */
	double pairs;
	bool alike; /* positive cells have one sum of weights */
	SketchItems spread;
} SketchFigures;

/* The figures so far; the sketch can take more events afterwards.  O(room). */
extern void SketchRead(Sketch *sketch, double max_history, SketchFigures *figures);

#endif
