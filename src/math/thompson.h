/*
 * thompson.h: which of several rates is the best, as far as is known.
 *
 * What is known of a rate after a successes and b failures, counted with what was thought before,
 * is the distribution Beta(a, b).  Thompson sampling (1933) takes each arm as often as its rate may
 * be the best; where others draw a rate for every arm and take the greatest, here the chance of
 * that is worked out, so that it can be written down beside the choice.
 */
#ifndef RECO_THOMPSON_H
#define RECO_THOMPSON_H

#include <stdint.h>

/* The most arms at a time. */
#define THOMPSON_MOST 100

/* As many doubles as ThompsonChances needs to work with. */
#define THOMPSON_ROOM(arms) (33 * (arms))

/*
 * chance[] := the chance of each of the arms to have the greatest rate, the rates being independent;
 * they sum to 1.  Successes and failures are above 0 and finite.  Right to some 1e-6; O(arms^2).
 */
extern void ThompsonChances(const double *successes, const double *failures, uint32_t arms,
							double *chance, double *room);

#endif
