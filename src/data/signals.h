/*
 * signals.h: the kinds of events that settings tell apart, and what they say of each.
 *
 * The setting exclude_seen is an object of signals and times, '{"buy": "90 days", "view": "never"}':
 * for how long an event of the signal keeps its item out of lists.  "*" stands for every signal
 * that is not named, and for events without one.
 */
#ifndef RECO_SIGNALS_H
#define RECO_SIGNALS_H

#include "base/compat.h"

struct Model;

#define SIGNAL_FOREVER PG_INT64_MAX

/* Signals that may be named. */
#define SIGNALS_MOST 1000

typedef struct Signal
{
	const char *name; /* NULL for "*" */
	uint32 length;
	int64 keeps_out; /* microseconds; SIGNAL_FOREVER for good, 0 not at all */
} Signal;

typedef struct Signals
{
	uint32 named;
	Signal signal[FLEXIBLE_ARRAY_MEMBER]; /* [named + 1]: the last is "*" */
} Signals;

/*
 * The signals of a value of exclude_seen, a jsonb; NULL where it asks for no more than the rule
 * without one: everything stays out for good.  Raises ERRCODE_INVALID_PARAMETER_VALUE where it
 * is no such object.  In the current context.
 */
extern Signals *SignalsRead(Datum value);

/* The place of a signal's name, a text; that of "*" where it is not named. */
extern uint32 SignalsFind(const Signals *signals, Datum name);

/*
 * Raises an error where the events of a model do not have what the signals ask for: a column, or a
 * signal while there are others.  SPI is connected.
 */
extern void SignalsCheck(const struct Model *model, const Signals *signals);

#endif
