/*
 * takers.h: the users who did something with any of some items, where an index leads to them, and the
 * most that can come of it for each.
 *
 * A sum of w_j * s_j over the items j of a history, divided by the length of w, is no more than the length
 * of s over those items, whatever the weights (Cauchy and Schwarz).  So a look at which items somebody
 * has, of any weight and any time, tells whose history is worth reading.
 */
#ifndef RECO_TAKERS_H
#define RECO_TAKERS_H

#include "data/ids.h"
#include "data/learned.h"
#include "data/model.h"

typedef struct Takers
{
	IdSet *users;
	double *squares; /* of each, by number: the sum of s_j^2 over the events */
} Takers;

/*
 * The users with an event of any item of which strength, s_j by place in what was learned, is not 0; as
 * the caller sees the events.  NULL where no index spares reading all of a table to find them, or their
 * histories; where they are more than fit in memory; and where a few are wanted, and they would be so many
 * that to read the events of everybody is as good.  SPI is connected.
 */
extern Takers *TakersRead(const Model *model, const LearnedAll *learned, const double *strength,
						  bool few, Budget *budget);

/* The numbers of all, those of the greatest sum first. */
extern uint32 *TakersOrder(const Takers *takers, Budget *budget);

/* How many users are a few. */
extern uint64 TakersFew(const Model *model);

#endif
