/*
 * sources.h: the tables behind the events query, as far as reading one history goes.
 */
#ifndef RECO_SOURCES_H
#define RECO_SOURCES_H

#include "data/model.h"

/* A table that is read in full for every history, or for the users of any item. */
typedef struct Source
{
	Oid table;        /* the partitioned table, where it is a partition */
	char *expression; /* what of it is compared with the id, as SQL; NULL where it is joined */
	bool is_plain;    /* the expression may stand in an index without further parentheses */
	uint64 pages;
} Source;

/*
 * The tables that no index spares from being read in full, whatever their size: a list of Source.
 * Found in the plan of the very query that reads a history, made with sequential scans ruled out.
 * SPI is connected.
 */
extern List *SourcesReadInFull(const Model *model);

/* The same of the query that finds the users of one item. */
extern List *SourcesReadForItem(const Model *model);

#endif
