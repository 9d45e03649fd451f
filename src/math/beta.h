/*
 * beta.h: the beta distribution: how likely a share is to be below another, and the way back.
 *
 * A share is told by its odds x / (1 - x), so that one close to 1 is told as exactly as one close
 * to 0.  Waiting times come as odds by themselves; see math/gaps.
 */
#ifndef RECO_BETA_H
#define RECO_BETA_H

/*
 * The chance of a share above x = odds / (1 + odds), a and b above 0, odds from 0 to infinity: 1 less
 * the regularised incomplete beta function I_x(a, b), by the continued fraction of DLMF 8.17.22.
 * Right to some 12 digits, also where it is small.
 */
extern double BetaAbove(double a, double b, double odds);

/*
 * The odds at which BetaAbove is chance, above 0 and below 1.  Where they are not within what a
 * double can hold, 0 or infinity.
 */
extern double BetaOdds(double a, double b, double chance);

#endif
