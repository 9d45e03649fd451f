/*
 * mixing.h: cells by several signals made into one matrix, each signal with a weight of its own.
 *
 * A user u has with item i  A_ui = f(sum over s of w_s * part_ui,s), and has chosen it by the target
 * where B_ui = f(part_ui,0) > 0.  What items of a history, had by whatever signal, say of those that
 * the target chooses is learned from A'B (cross-occurrence: Dunning and Friedman 2014, Practical
 * Machine Learning: Innovations in Recommendation), with one row for each item.  A signal of weight 0
 * is as if it were not there, but that its items were touched.
 */
#ifndef RECO_MIXING_H
#define RECO_MIXING_H

#include "learn/interactions.h"

/*
 * The matrix by weights w, of which that of the target is 1; all else is that of the whole, which must
 * stay.  Positions are numbered anew.  O(cells); memory for some 14 bytes a cell.
 */
extern Interactions *MixingApply(const Interactions *whole, const double *w, Weighting weighting,
								 Budget *budget);
extern void MixingFree(Interactions *mixed, Budget *budget);

#endif
