/*
 * contexts.h: what is chosen when, where and on what: columns of the events query that lists may be
 * asked to go by, and the table "learned_context".
 *
 * The setting contexts names the columns: any of text, boolean, enum or integer type, each value
 * of which is a context; and occurred_at, of which it is the hour of the week, in the zone of the
 * setting time_zone.
 */
#ifndef RECO_CONTEXTS_H
#define RECO_CONTEXTS_H

#include "data/ids.h"
#include "data/model.h"

/* What a column may have; what has more tells places from each other as ids do, and makes none. */
#define CONTEXTS_VALUES 500

/* Columns that may be named. */
#define CONTEXTS_MOST 8

/* A column while it is counted: positive events by value and item. */
typedef struct Context
{
	const char *name;
	bool hours;    /* values are the hours of a week, from Monday at midnight */
	IdSet *words;  /* the values otherwise, as text */
	bool too_many; /* of them */
	uint32 values;
	uint32 *count[CONTEXTS_VALUES + 1]; /* [values], each of [items] */
	uint32 *users[CONTEXTS_VALUES + 1]; /* the same, each of [items][words]: a bit for every user */
} Context;

typedef struct Contexts
{
	uint32 count;
	uint32 words;
	Context *context;
	bool full; /* there is not enough memory: nothing was counted */
} Contexts;

/*
 * Raises an error where the events query does not have a column that a value of contexts names, a
 * text[], or a time zone does not exist.
 */
extern void ContextsCheck(const Model *model, Datum contexts);
extern void ContextsCheckZone(const char *zone);

/* True where the events query has a column of that name that could be one. */
extern bool ContextsExist(const Model *model, const char *name);

/*
 * Reads the view "events" once, in the active snapshot, and counts for those items of a set that it
 * had when it was called; nothing is read where no contexts are set.  Events count up to a time,
 * DT_NOEND for all.  SPI is connected.  8 bytes for every value and item, and 4 more for every 16 of
 * min_support beyond the first, in at most half of what is left of the budget.
 */
extern Contexts *ContextsRead(const Model *model, const IdSet *items, TimestampTz until,
							  Budget *budget);

/* Takes an event that chose something: of whom, what, when, and in which value of each context. */
typedef void (*ContextsTake)(uint64 user, uint32 item, TimestampTz at, const uint32 *value,
							 void *with);

/* Of a context that had no such value before. */
#define CONTEXTS_NONE UINT32_MAX

/*
 * Reads the view once more for what was chosen after a time and up to another, by the model's target
 * where it has one.  Users are known by the hash of their id.  Values are those that were read before,
 * whether or not their counts were given back.
 */
extern void ContextsEach(const Model *model, const Contexts *contexts, const IdSet *items,
						 TimestampTz after, TimestampTz until, ContextsTake take, void *with);

/* The word for a value of a context. */
extern const char *ContextsWord(const Context *context, uint32 value);

extern void ContextsFree(Contexts *contexts, Budget *budget);

/* One item in one context as a refresh writes it. */
typedef struct ContextRow
{
	const char *context;
	const char *value;
	uint32 id; /* of the item, its number in the set of ids */
	uint32 events;
	double lift;
} ContextRow;

/* Makes the table hold just these rows; what says the same as before is not written again. */
extern void ContextsWrite(const Model *model, const IdSet *ids, const ContextRow *rows,
						  uint32 count);

/* An item that is chosen more, or less, in the contexts asked for: its lift is not 1. */
typedef struct ContextLift
{
	uint32 item_no;
	double lift;
} ContextLift;

typedef struct ContextLifts
{
	ContextLift *lift; /* in order of item_no, each item once */
	uint32 count;
} ContextLifts;

/* Lifts of several contexts multiply, but no further than this, either way. */
#define CONTEXTS_LIFT 4.0

/* The lift of an item: 1 where there is none. */
extern double ContextsLift(const ContextLifts *lifts, uint32 item_no);

/*
 * What an object of columns and values says, a jsonb; in the current memory context.
 * Raises an error for a column that is no context; a value that was never seen says nothing.  SPI
 * is connected.
 */
extern ContextLifts ContextsAsk(const Model *model, Datum object);

#endif
