/*
 * turnout.h: how many users an item has, by its traits.
 *
 * log(1 + users) is a sum of what each trait adds, each drawn toward nothing (ridge regression over
 * indicators, Hoerl & Kennard 1970), solved by coordinate descent.  How strongly is chosen on items
 * left out, in ten parts, and what was wrong there is kept: it says how wide an interval must be
 * (conformal prediction, Vovk et al. 2005, by cross-validation), and turns the mean of logarithms
 * into one of users (smearing, Duan 1983).
 */
#ifndef RECO_TURNOUT_H
#define RECO_TURNOUT_H

#include <stdint.h>

#include "base/budget.h"

/* Items by traits, and the users of each. */
typedef struct TurnoutInput
{
	uint32_t items;
	uint32_t traits;
	const uint64_t *start; /* [items + 1] */
	const uint32_t *trait; /* each of an item once */
	const uint32_t *users; /* [items] */
} TurnoutInput;

typedef struct Turnout
{
	double base;      /* log(1 + users) of an item without traits */
	double *weight;   /* [traits] */
	double ridge;     /* items that what is thought before counts as */
	double *error;    /* [items], of each when it was left out, rising; NULL with too few items */
	double explained; /* the share of the variance that those left out did not have left, 0..1 */
} Turnout;

/* Fewer items than this are not left out in turns. */
#define TURNOUT_ITEMS 20

/* O(passes * cells), some 2,000 passes at most. */
extern Turnout *TurnoutLearn(const TurnoutInput *input, Budget *budget);

/* The users to be expected of an item of some traits, each once, and where they lie with 90 %. */
typedef struct TurnoutForecast
{
	double expected;
	double low;
	double high;
} TurnoutForecast;

extern TurnoutForecast TurnoutOf(const Turnout *turnout, const TurnoutInput *input,
								 const uint32_t *trait, uint32_t count);

#endif
