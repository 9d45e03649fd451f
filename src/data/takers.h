/*
 * takers.h: the users who did something with any of some items, where an index leads to them.
 */
#ifndef RECO_TAKERS_H
#define RECO_TAKERS_H

#include "data/ids.h"
#include "data/learned.h"
#include "data/model.h"

/*
 * The users with an event of some items, given by their places in what was learned; NULL where they
 * would be so many that to read the events of everybody is as good, or where no index spares reading
 * all of a table to find them, or their histories.  As the caller sees the events, whatever they
 * weigh.  SPI is connected.
 */
extern IdSet *TakersRead(const Model *model, const LearnedAll *learned, const uint32 *place,
						 uint32 count, Budget *budget);

#endif
