/*
 * people.h: users in groups, by what the view "users" says of them.
 *
 * A group is everybody with one value of one attribute: of a column of text, boolean, enum or
 * integer type, or an element of an array of those.  What tells single people (names, addresses:
 * a column of more than PEOPLE_VALUES values, a value of more than PEOPLE_LENGTH bytes) makes no
 * groups, nor do fractions, dates and ids.
 */
#ifndef RECO_PEOPLE_H
#define RECO_PEOPLE_H

#include "base/budget.h"
#include "data/model.h"

#define PEOPLE_VALUES 1000
#define PEOPLE_LENGTH 100

typedef struct People
{
	uint32 groups;
	const char *
		*attribute; /* [groups], like the next; in order of column, then of the value's bytes */
	const char **value;
	uint64 *start; /* [groups + 1] */
	uint64 *user;  /* the hashes of each group's users, rising, each once */
} People;

/*
 * Reads the view "users" once, in the active snapshot; SPI is connected.  16 bytes for every
 * attribute of every user, in at most a quarter of what is left of the budget: where they do not
 * fit, or there is no such view, there are no groups.  The same whatever the order of the rows.
 */
extern People *PeopleRead(const Model *model, Budget *budget);

/* Gives back the users; the names of the groups stay. */
extern void PeopleForget(People *people, Budget *budget);

/*
 * The attributes of one user, and their values, as two arrays of text of one length, which is
 * returned.  SPI is connected.
 */
extern uint32 PeopleOf(const Model *model, Datum user, Datum *attributes, Datum *values);

#endif
