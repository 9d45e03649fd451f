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

/* The type of a column of that view; InvalidOid where it is missing. */
extern Oid ColumnType(const Model *model, const char *view, const char *name);

/* The same of a column that was there: where it is missing now, an error says so. */
extern Oid ColumnNeeded(const Model *model, const char *view, const char *name);

/*
 * SQL for a value of a type as text, and for an array as an array of texts.  What is not of the
 * system's types goes by how its values are written: a cast of theirs is a function of whoever owns
 * the type, and would run as whoever asks.
 */
extern char *ColumnText(const char *value, Oid type);
extern char *ColumnTexts(const char *value, Oid type);

/* True where a view is read with the rights of its owner, whoever asks, and not of whoever asks. */
extern bool ColumnsAreOwners(const Model *model, const char *view);

/*
 * What SQL has behind a value to compare it with such a column, whatever collation the value has: the
 * column's own, so that its indexes serve, or bytes where that finds different texts equal; nothing
 * where there is no such column, or none of texts.
 */
extern const char *ColumnCollate(const Model *model, const char *view, const char *name);

/*
 * The columns of a view as SQL has them after SELECT, for to_jsonb, which looks for casts, too: those
 * with values of such types as text.
 */
extern char *ColumnsForJson(const Model *model, const char *view);

/* True for names of the catalogue's columns that say nothing of what an item is like. */
extern bool ColumnSaysNothing(const char *name);

/* A list of names as a message has it: "a", "b". */
extern const char *ColumnsQuoted(const List *names);

#endif
