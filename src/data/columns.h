/*
 * columns.h: the columns of a model's views.
 */
#ifndef RECO_COLUMNS_H
#define RECO_COLUMNS_H

#include "data/model.h"
#include "nodes/pg_list.h"

/* A column of a view. */
typedef struct ViewColumn
{
	char *name;
	Oid type;
} ViewColumn;

/* Those of the view of a name, in its order, as a list; empty where there is no such view. */
extern List *ColumnsOf(const Model *model, const char *view);

/* True where the values of a type are names of something: text, boolean, enums and integers. */
extern bool ColumnIsNominal(Oid type);

/* A list of names as a message has it: "a", "b". */
extern const char *ColumnsQuoted(const List *names);

#endif
