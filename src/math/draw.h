/*
 * draw.h: items drawn by lot, each with a chance that is known.
 *
 * Sampling with unequal probabilities, without replacement and of a fixed size, by Madow's
 * systematic method (1949): the chances are laid end to end on a line, in any order that does not
 * depend on the start, and of the points start, start + 1, start + 2 ... each draws the item it
 * lies in.  With the start uniform in [0, 1) an item is drawn with just its chance, and as many
 * are drawn as the chances sum to, rounded down or up.
 */
#ifndef RECO_DRAW_H
#define RECO_DRAW_H

#include <stdint.h>

/*
 * chance[] := weight[] times one factor, at most 1, so that they sum to a number (to count, where
 * that is less).  Weights are above 0.  O(count) for each time that some reach 1.
 */
extern void DrawChances(const double *weight, uint32_t count, double sum, double *chance);

/*
 * Draws from items laid in an order; start in [0, 1).  Their numbers go to drawn[], which has room
 * for one more than the sum of the chances; returns how many.
 */
extern uint32_t DrawItems(const double *chance, const uint32_t *order, uint32_t count, double start,
						  uint32_t *drawn);

#endif
