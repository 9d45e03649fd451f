/*
 * attributes.h: what the view "items" says of items, as tokens: one for every word, tag or value.
 *
 *   text, varchar, char        each word in lower case, and the text as a whole
 *   arrays of text, enums, ints or uuids    each element
 *   boolean, enum, uuid, and integers of a column named ..._id    the value
 *   numbers, dates, times      the value, where there are few; else two of some twenty ranges
 *
 * All else says nothing, nor do item_id, id, released_at and embedding.  A token of one column is
 * never one of another.
 */
#ifndef RECO_ATTRIBUTES_H
#define RECO_ATTRIBUTES_H

#include "base/budget.h"
#include "data/ids.h"
#include "data/model.h"
#include "math/sparse.h"
#include "nodes/pg_list.h"

typedef enum AttributeKind
{
	ATTRIBUTE_NONE,
	ATTRIBUTE_WORDS,
	ATTRIBUTE_VALUE,
	ATTRIBUTE_TAGS,
	ATTRIBUTE_NUMBER,
	ATTRIBUTE_NUMERIC,
	ATTRIBUTE_DATE,
	ATTRIBUTE_TIME
} AttributeKind;

/* A column of the view, and the expression that reads it, as one type for each kind. */
typedef struct AttributeColumn
{
	char *name;
	char *expression;
	AttributeKind kind;
} AttributeColumn;

/* The columns that say something, in the view's order: a list of AttributeColumn. */
extern List *AttributeColumns(const Model *model);

/* What items have in common; a token of one item alone is none. */
typedef struct Attributes
{
	Sparse by_token;    /* rows are tokens, columns numbers of items in a set of ids, rising */
	uint16 *column;     /* [tokens], of which of the columns each is */
	uint32 columns;     /* how many there are */
	uint32 items;       /* of the catalogue */
	bool out_of_memory; /* nothing else is set: there was not enough memory */
} Attributes;

/*
 * Reads the view "items" once, in the active snapshot; SPI is connected.  Its items are added to
 * ids.  O(tokens); 16 bytes a token, which go to temporary files where a quarter of what is left of
 * the budget does not hold them, then 4.  The same whatever the order of the rows.
 */
extern Attributes *AttributesRead(const Model *model, IdSet *ids, Budget *budget);

extern void AttributesFree(Attributes *attributes, Budget *budget);

#endif
