/*
 * acts.h: the events of one user where signals are told apart, item by item.
 *
 * Events come in order of item and, within one, of signal; here an event's item has the signal in its
 * lowest bits.
 */
#ifndef RECO_ACTS_H
#define RECO_ACTS_H

#include "base/compat.h"
#include "math/eventlog.h"
#include "math/parts.h"

typedef struct Acts
{
	const Event *event;
	uint64_t count;
	uint32_t signals;
	uint32_t line;    /* younger events are kept back; 0 for none */
	uint32_t present; /* what the half-life counts from */
	double half_life;
} Acts;

/* The item of an event as it was read, its signal moved from the highest bits to the lowest. */
static inline uint32_t
ActsCode(uint32_t item, uint32_t signal)
{
	return item << EVENTLOG_SIGNAL_BITS | signal;
}

static inline uint32_t
ActsItem(const Acts *acts, uint64_t event)
{
	return acts->event[event].item >> EVENTLOG_SIGNAL_BITS;
}

/* Where the events of an item end that begin at one of them. */
extern uint64_t ActsEnd(const Acts *acts, uint64_t begin);

/* What the events of an item, by its number, come to before the line, settled. */
extern Parts ActsPartsOf(const Acts *acts, uint32_t item);

/*
 * True where an item was chosen beyond the line, by the target, and unless repeats count nothing but
 * being shown came before.
 */
extern bool ActsChosen(const Acts *acts, uint64_t begin, uint64_t end, bool repeats);

/*
 * When the user took up, by whatever signal, what was taken up last of all that was chosen by the
 * target; with repeats, when the target last chose anything.  UINT32_MAX where it chose nothing.
 */
extern uint32_t ActsLast(const Acts *acts, bool repeats);

/* When the user last did something positive with an item before a line, which was so. */
extern uint32_t ActsLatest(const Acts *acts, uint32_t item, uint32_t line);

#endif
