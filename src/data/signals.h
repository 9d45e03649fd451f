/*
 * signals.h: the kinds of events that settings tell apart, and what they say of each.
 *
 * The setting exclude_seen is an object of signals and times, '{"buy": "90 days", "view": "never"}':
 * for how long an event of the signal keeps its item out of lists.  "*" stands for every signal
 * that is not named, and for events without one.
 *
 * The setting target_signal names the signal whose choices lists are to foresee.  A refresh then tells
 * it and a few others apart, and learns what each is worth beside it.
 */
#ifndef RECO_SIGNALS_H
#define RECO_SIGNALS_H

#include "base/compat.h"
#include "math/parts.h"

struct Model;

#define SIGNAL_FOREVER PG_INT64_MAX

/* The signal of an event as SQL compares it, by its bytes, as names in settings are. */
#define SIGNAL_TEXT "signal::pg_catalog.text COLLATE pg_catalog.\"C\""

/* Signals that may be named. */
#define SIGNALS_MOST 1000

typedef struct Signal
{
	const char *name; /* NULL for "*" */
	uint32 length;
	int64 keeps_out; /* microseconds; SIGNAL_FOREVER for good, 0 not at all */
	bool ruled;      /* exclude_seen names it */
	uint32 part;     /* of a history, where these are told apart */
} Signal;

typedef struct Signals
{
	uint32 named;
	uint32 parts; /* as math/parts has them; 0 where all signals say the same */
	double weight[PARTS_SIGNALS];
	Signal signal[FLEXIBLE_ARRAY_MEMBER]; /* [named + 1]: the last is "*" */
} Signals;

/*
 * The signals of a value of exclude_seen, a jsonb; NULL where it asks for no more than the rule
 * without one: everything stays out for good.  Raises ERRCODE_INVALID_PARAMETER_VALUE where it
 * is no such object.  In the current context.
 */
extern Signals *SignalsRead(Datum value);

/* What a refresh tells apart: the target, others by name, and last, without a name, all the rest. */
typedef struct SignalsTold
{
	uint32 count; /* 0 where there is no target */
	const char *name[PARTS_SIGNALS];
	double weight[PARTS_SIGNALS]; /* of each beside the target, which has 1 */
} SignalsTold;

/*
 * The signals of a model's events beside a target, those with the most events that say more than
 * nothing first; all weigh 1.  Reads the view once; SPI is connected.  Names last as long as a context.
 */
extern SignalsTold SignalsHear(const struct Model *model, const char *target,
							   MemoryContext context);

/* Gives signals the weights that others of their names have. */
extern void SignalsTakeWeights(SignalsTold *told, const SignalsTold *weights);

/*
 * A policy, NULL for none, with what a refresh told apart: what histories go by.  In the current
 * context, with names of the arguments; the policy itself where nothing was told apart.
 */
extern Signals *SignalsJoin(Signals *policy, const SignalsTold *told);

/* Raises an error where the events of a model cannot have a target.  SPI is connected. */
extern void SignalsCheckTarget(const struct Model *model, const char *target);

/* The place of a signal's name, a text; that of "*" where it is not named. */
extern uint32 SignalsFind(const Signals *signals, Datum name);

/*
 * Raises an error where the events of a model do not have what the signals ask for: a column, or a
 * signal while there are others.  SPI is connected.
 */
extern void SignalsCheck(const struct Model *model, const Signals *signals);

#endif
