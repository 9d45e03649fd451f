/*
 * historywords.h: an event of somebody's history as words of 32 bits, as they lie on piles.
 *
 *   user     1, or 2 where users are bigint; a number where users are not integers
 *   item     1
 *   time     2, where events have times
 *   weight   1 as float4 or 2 as float8, where they have weights
 *   signal   1, where signals are told apart
 */
#ifndef RECO_HISTORYWORDS_H
#define RECO_HISTORYWORDS_H

#include "base/compat.h"
#include "datatype/timestamp.h"

typedef struct HistoryWords
{
	bool wide; /* users take two words */
	bool timed;
	bool weighted;
	bool wide_weights;
	bool has_signals;
	uint32 words; /* of an event */
} HistoryWords;

/* The place of the item. */
static inline uint32
HistoryItemWord(const HistoryWords *form)
{
	return form->wide ? 2 : 1;
}

static inline void
HistoryPack(const HistoryWords *form, uint64 user, uint32 item, TimestampTz at, double weight,
			uint32 signal, uint32 *words)
{
	*words++ = (uint32) user;
	if (form->wide)
		*words++ = (uint32) (user >> 32);
	*words++ = item;
	if (form->timed)
	{
		memcpy(words, &at, sizeof(at));
		words += 2;
	}
	if (form->wide_weights)
	{
		memcpy(words, &weight, sizeof(weight));
		words += 2;
	}
	else if (form->weighted)
	{
		float narrow = (float) weight;

		memcpy(words++, &narrow, sizeof(narrow));
	}
	if (form->has_signals)
		*words = signal;
}

#endif
