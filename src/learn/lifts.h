/*
 * lifts.h: which items are chosen more, or less, in one context than in others.
 *
 * A context is a column of events (a device, a place) or the hour of the week; n counts events, E
 * what they would be if the context made no difference, n of all events with the item times the
 * share of the context.  What counts is what is left once chance has been allowed for:
 *
 *   lift = max(1, (n - m + s) / (E + s))   where n > E
 *          min(1, (n + m + s) / (E + s))   where n < E,   m = z * sqrt(max(n, E))
 *
 * with s events of prior belief that there is no difference, after the gamma-Poisson shrinker
 * (DuMouchel 1999), and z standard deviations of a Poisson count given away.  So a thin context,
 * and one that makes no difference, change nothing: their lift is 1.  Lifts are kept within 1/4 and
 * 4.
 *
 * An hour of the week is first an hour of the day, on any day, and then that hour of that day, held
 * against what the hour of the day foresees; and it is counted with the hours on either side.  Of an
 * hour that fewer than min_support users chose an item in the hour of the day is all that is said.
 */
#ifndef RECO_LIFTS_H
#define RECO_LIFTS_H

#include "base/budget.h"

#define LIFTS_PRIOR 10.0 /* s */
#define LIFTS_Z     3.0  /* so that of 370 that make no difference one is taken to make some */
#define LIFTS_MOST  4.0
#define LIFTS_ITEMS 1000 /* kept of each value: those that differ by the most events */
#define LIFTS_HOURS 168  /* of a week, from Monday at midnight */

/* One item in one context. */
typedef struct Lift
{
	uint32 value;
	uint32 item;
	uint32 events;
	double lift;
} Lift;

typedef struct Lifts
{
	uint32 count;
	uint32 room;
	Lift *lift; /* value by value, each in order of rank; hours in no order of theirs */
} Lifts;

/*
 * count[value][item] of some values of a context; tie-breaks go by rank[item], from 0.
 *
 * Whose events they are is a set of bits, so many words for every value and item: one bit of each
 * user, which others may have, too.  There are then at least as many users as bits, and what fewer
 * than min_support did, or seem to have done, counts for nothing.
 */
typedef struct LiftCounts
{
	uint32 values;
	uint32 items;
	const uint32 *const *count;
	const uint32 *const *users;
	uint32 words;
	uint32 min_support;
	const uint32 *rank;
} LiftCounts;

/* Learns of a context with values of any kind, or of the hours of a week. */
extern Lifts *LiftsLearn(const LiftCounts *counts, Budget *budget);
extern Lifts *LiftsLearnHours(const LiftCounts *counts, Budget *budget);

#endif
