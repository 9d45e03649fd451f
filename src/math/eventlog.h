/*
 * eventlog.h: events as they were read, before anything is learned.
 *
 * The shape in which data/ hands events to learn/: twenty bytes an event, on piles by the highest
 * bits of the hash of their user, so that a user's events are all on one pile and the piles follow
 * each other in the order of users.  A user is known by that hash alone: integer ids have each
 * their own; two text or uuid ids among a million share one with a chance of one in 37 million,
 * and would be learned from as one.
 */
#ifndef RECO_EVENTLOG_H
#define RECO_EVENTLOG_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Event
{
	uint32_t user_high; /* of the hash of the user's id */
	uint32_t user_low;
	uint32_t item; /* and above it the signal, where signals are told apart */
	float weight;
	uint32_t age; /* whole seconds before the log's now; the ceiling stands for anything older */
} Event;

/*
 * Sets of piles: the events, by whoever read them, then two that are empty for whoever learns.
 * After all of them comes one more pile, on which readers said what they read.
 */
typedef enum EventLogSet
{
	EVENTLOG_EVENTS,
	EVENTLOG_CELLS,
	EVENTLOG_CHOSEN,
	EVENTLOG_SETS
} EventLogSet;

struct Piles;

typedef struct EventLog
{
	uint64_t count;
	struct Piles *piles;
	uint32_t pile_bits; /* 2^pile_bits piles of each set */
	uint32_t items;
	uint32_t signals; /* that are told apart, as math/parts has them; 0 for none */
	/*
	 * Every reader numbered items by itself: item n of writer w is item_map[map_start[w] + n], or n
	 * itself where map_start[w] is EVENTLOG_SAME.
	 */
	uint32_t *item_map;
	uint64_t *map_start; /* [writers] */
	uint32_t newest_age; /* of all events, 0 where there are none */
	bool timed;          /* events have times; ages are 0 otherwise */
	int64_t now;         /* seconds since 2000-01-01 UTC */
	/* What puts items in one order, whatever order they came in: place of the id among all ids. */
	uint32_t *item_rank; /* [items] */
} EventLog;

#define EVENTLOG_SAME UINT64_MAX

/* When the newest event was, in seconds like now. */
static inline int64_t
EventLogNewest(const EventLog *log)
{
	return log->now - log->newest_age;
}

/* Where signals are told apart, the signal of an event has the highest bits of its item. */
#define EVENTLOG_SIGNAL_SHIFT 29
#define EVENTLOG_SIGNAL_BITS  3

/* The number of a pile of a set, where there are 2^pile_bits of each. */
static inline uint32_t
EventLogPile(uint32_t pile_bits, EventLogSet set, uint32_t pile)
{
	return ((uint32_t) set << pile_bits) + pile;
}

#endif
