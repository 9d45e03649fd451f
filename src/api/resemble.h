/*
 * resemble.h: what attributes of items add to what people's choices say, for a refresh and for
 * what is measured.
 */
#ifndef RECO_RESEMBLE_H
#define RECO_RESEMBLE_H

#include "data/attributes.h"
#include "learn/content.h"

typedef struct Resemblance
{
	const Model *model;
	IdSet *ids; /* those of the events, then the others of the catalogue */
	Budget *budget;
	Attributes *attributes; /* NULL where they do not count, or were learned from */
	Content *content; /* what they say; NULL before that is learned, and where they say nothing */
	uint32 *other;    /* the ids of those others, by place beyond the matrix */
} Resemblance;

/*
 * Reads the attributes, where there are some that count.  The ids are those of the events; SPI is
 * connected.
 */
extern Resemblance ResembleRead(const Model *model, IdSet *ids, Budget *budget);

/*
 * Neighbours with what attributes say, learned the first time they are asked, by a matrix of these
 * events; at most k more a row.  Those given are freed.  Items that nobody has may come after those of
 * the matrix; for what is measured there are no others.
 */
extern Neighbors *ResembleMix(Resemblance *resemblance, const Interactions *matrix, uint32 k,
							  Neighbors *neighbors);
extern Neighbors *ResembleMixKnown(Resemblance *resemblance, const Interactions *matrix, uint32 k,
								   Neighbors *neighbors);

#endif
