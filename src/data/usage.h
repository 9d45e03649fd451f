/*
 * usage.h: what is known of everybody's visits and of how items are bought again: the tables
 * "learned_habit", of one row, and "learned_repeat".
 */
#ifndef RECO_USAGE_H
#define RECO_USAGE_H

#include "data/clock.h"
#include "data/model.h"
#include "math/bgnbd.h"

/* Of everybody; lengths in seconds, NaN where there are none. */
typedef struct Usage
{
	TimestampTz as_of;
	int64 users;
	int64 visits;
	int64 gaps;
	double visit_gap; /* the mean of people's own mean gaps */
	bool fitted;      /* parameters are known: */
	Bgnbd model;      /* in days */
	double new_items; /* that a visit brings */
	double repeat_gap;
	double repeat_share;
	double hours[CLOCK_HOURS];
	const char *time_zone;
} Usage;

/* Of one item. */
typedef struct Repeat
{
	Datum item; /* normalised */
	int64 visits;
	int64 gaps;
	double gap;   /* typical, in seconds */
	double share; /* of visits that another follows, in the end */
} Repeat;

/* Makes the tables say this, and no more; SPI is connected. */
extern void UsageWrite(const Model *model, const Usage *habits, const Repeat *repeats,
					   uint32 count);

/* True where there is a row; SPI is connected, like for the next. */
extern bool UsageIsThere(const Model *model);

/* What everybody's row says; raises an error with what to do where there is none. */
extern Usage *UsageRead(const Model *model);

/*
 * What is known of some items, an array of normalised ids, by their places in it: those that are not in
 * the live catalogue have a share of NaN, those nothing was learned of what holds for all.
 */
extern Repeat *UsageRepeats(const Model *model, const Usage *habits, Datum items, uint32 count);

/* The same of every item there is, to be asked about often. */
typedef struct UsageAll UsageAll;

/* Reads the catalogue, or where there is none the table, once. */
extern UsageAll *UsageReadAll(const Model *model, const Usage *habits, Budget *budget);

/* The gap and the share of an item, as UsageRepeats has them. */
extern Repeat UsageOf(const UsageAll *all, Datum item);

#endif
