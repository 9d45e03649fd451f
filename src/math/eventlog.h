/*
 * eventlog.h: events as they were read, users and items by number, before anything is learned.
 *
 * The shape in which data/ hands events to learn/: sixteen bytes an event, in blocks, so that
 * reading never copies what it has.
 */
#ifndef RECO_EVENTLOG_H
#define RECO_EVENTLOG_H

#include <stdbool.h>
#include <stdint.h>

#define EVENTLOG_BLOCK 65536 /* events in a block: 1 MB */

typedef struct Event
{
	uint32_t user;
	uint32_t item;
	float weight;
	uint32_t age; /* whole seconds before the log's now; the ceiling stands for anything older */
} Event;

typedef struct EventLog
{
	uint64_t count;
	uint32_t users;
	uint32_t items;
	bool timed;  /* events have times; ages are 0 otherwise */
	int64_t now; /* seconds since 2000-01-01 UTC */
	Event **block;
	uint32_t blocks;
	/* What puts users and items in one order, whatever order they came in. */
	const uint64_t *user_hash; /* [users] */
	const uint32_t *item_rank; /* [items], place of the id among all ids */
} EventLog;

#endif
