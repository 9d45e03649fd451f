/*
 * facts.h: the rows of any query as columns of numbers and of codes, beside one column that is to be
 * explained.
 *
 * Columns of a number type are numbers; those of text, boolean, enum or uuid type are nominal, and
 * codes stand for their values: 0 for NULL, then the FACTS_CODES most frequent values in order of
 * their text, and one more for all others where there are any.
 */
#ifndef RECO_FACTS_H
#define RECO_FACTS_H

#include "base/budget.h"
#include "nodes/pg_list.h"

#define FACTS_CODES 100

typedef struct FactsColumn
{
	const char *name;
	double *number; /* [rows], NaN for NULL; NULL for a nominal column */
	uint32 *code;   /* [rows] */
	uint32 codes;
	bool *has;         /* [codes], whether any row has it; of numbers the first alone, NULL */
	const char **word; /* [codes], NULL for what has none: NULL itself, and all others */
} FactsColumn;

typedef struct Facts
{
	uint32 rows;
	uint32 columns;
	FactsColumn *column;
	double *target; /* [rows] */
	bool choices;   /* the target is 0 or 1 in all rows */
} Facts;

/*
 * Runs a query, read-only and as the caller, in the active snapshot; SPI is connected.  names are
 * those of the columns that explain, NIL for all that can but the target.  Rows whose target is NULL
 * are left out.  Errors say which columns there are.
 */
extern Facts *FactsRead(const char *query, const char *target, const List *names, Budget *budget);

#endif
