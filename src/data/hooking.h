/*
 * hooking.h: who goes on to the end of a series, by the part they came to.
 */
#ifndef RECO_HOOKING_H
#define RECO_HOOKING_H

#include "data/model.h"
#include "data/unfinished.h"

/* What is asked for. */
typedef struct HookingAsk
{
	double least;  /* the share of viewers that must finish */
	int32 viewers; /* fewer than so many say nothing */
	double
		patience; /* seconds before the newest event in which nobody can be expected to have finished */
	bool every; /* all parts, not hooks alone */
} HookingAsk;

/* The columns of an answer. */
enum
{
	HOOKING_SERIES,
	HOOKING_ITEM, /* normalised */
	HOOKING_EPISODE,
	HOOKING_EPISODES,
	HOOKING_VIEWERS,
	HOOKING_FINISHERS,
	HOOKING_SHARE, /* NULL where there are no viewers */
	HOOKING_HOOK,
	HOOKING_COLUMNS
};

/*
 * How many items have a series, and how many of them no place in it.  SPI is connected, with the search
 * path of maintenance, as for the next.
 */
extern void HookingCount(const Model *model, const Unfinished *unfinished, int64 *parts,
						 int64 *unordered);

/* The answer, by series and part: rows in SPI_tuptable. */
extern uint64 HookingRun(const Model *model, const Unfinished *unfinished, const HookingAsk *ask);

#endif
