/*
 * refreshing.h: a refresh under way, as api/refresh and api/record have it between them.
 */
#ifndef RECO_REFRESHING_H
#define RECO_REFRESHING_H

#include "api/forecast.h"
#include "api/refresh.h"
#include "api/resemble.h"
#include "data/contexts.h"
#include "data/events.h"
#include "data/itemfactor.h"
#include "data/people.h"
#include "data/resuming.h"
#include "learn/allowance.h"
#include "learn/groups.h"
#include "learn/lifts.h"
#include "learn/matchcurve.h"
#include "learn/neighbors.h"
#include "learn/popularity.h"
#include "portability/instr_time.h"

typedef enum Phase
{
	PHASE_READ,
	PHASE_ENCODE,
	PHASE_LEARN,
	PHASE_CURVE,
	PHASE_WRITE,
	PHASES
} Phase;

/* At least as many as reco_refresh has columns. */
#define REPORT_COLUMNS 32

/* One refresh, and what it will report. */
typedef struct Refresh
{
	Model *model;
	RefreshCheck check; /* of what is then learned from nothing, or NULL */
	void *with;
	Budget *budget;
	TimestampTz now;
	Events *events;
	People *people;
	Contexts *contexts;
	Resuming *resuming;
	uint64 event_count;
	Interactions *matrix;
	Resemblance resemblance; /* what attributes say */
	Neighbors *neighbors;
	Factors *factors;             /* what makes lists, or NULL where neighbours do */
	uint64 neighbor_pairs;        /* of them, those that people's choices tie */
	SimilarityOptions similarity; /* what they are learned with */
	Allowance trials; /* of what was picked, with what they took; all 0 where nothing was */
	Popularity *popularity;
	Groups *groups;
	Lifts *lifts[CONTEXTS_MOST]; /* of each context */
	MatchCurve match;
	uint32 item_slots;
	uint64 rows_written;
	RefreshCost cost; /* as expected once the matrix was there */
	double seconds[PHASES];
	instr_time since;
	bool habits; /* these are to be learned anew, too */
	Size peak;
	Datum report[REPORT_COLUMNS];
	int reported; /* columns of it that are filled in */
} Refresh;

/* Pairs that attributes alone tie. */
static inline int64
RefreshContentPairs(const Refresh *refresh)
{
	return (int64) (refresh->neighbors->start[refresh->neighbors->items] - refresh->neighbor_pairs);
}

#endif
