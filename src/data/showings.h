/*
 * showings.h: how often each variant of an item was shown and chosen, read live from the owner's
 * own log of it.
 *
 * The log is a table or view of any name with the columns item_id, variant and chosen (boolean, or
 * a number: how often), and may have segment and shown (a number: how often; 1 where there is no
 * such column), so that a log of single showings and a table of counts are read alike.
 */
#ifndef RECO_SHOWINGS_H
#define RECO_SHOWINGS_H

#include "data/ids.h"

/* What is known of one variant. */
typedef struct Showing
{
	double shown; /* in the segment that was asked for, or in all */
	double chosen;
	double shown_elsewhere; /* in all others */
	double chosen_elsewhere;
} Showing;

/*
 * The showings of an item, one for each name: all of them, or those of a segment and of all others.
 * SPI is connected; read as the caller.  Errors say which column is missing or makes no sense.
 */
extern Showing *ShowingsRead(Oid log, IdKind kind, Datum item, char *const *variants, uint32 count,
							 const char *segment);

#endif
