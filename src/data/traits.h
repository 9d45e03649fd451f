/*
 * traits.h: the whole live catalogue as items by traits, with how many users each item has.
 *
 * A trait is one value of one attribute: of a column of the view "items", or an element of an array.
 * Where no attributes are named they are all columns of text, boolean, enum or integer type, and
 * arrays of these, but for item_id, id and embedding.
 */
#ifndef RECO_TRAITS_H
#define RECO_TRAITS_H

#include "base/budget.h"
#include "data/ids.h"
#include "data/model.h"
#include "data/values.h"
#include "nodes/pg_list.h"

typedef struct Traits
{
	uint32 attributes;
	Values **values; /* [attributes] */
	uint32 *first;   /* [attributes + 1], the first trait of each */
	uint32 traits;
	uint32 **rank;  /* [attributes], the place of each value among those of its attribute */
	uint32 **value; /* the inverse */

	uint32 items;
	IdSet *ids;
	uint32 *at;    /* [items], the number in ids of each, in the order of ids */
	uint32 *users; /* [items], who have it, as the last refresh counted them */
	uint64 *start; /* [items + 1] */
	uint32 *trait; /* of each item, each once, rising */
} Traits;

/*
 * Reads the catalogue, in the active snapshot, once for each attribute and once besides; SPI is
 * connected.  names are those of attributes there are, each once, or NIL.  The same whatever the
 * order of the rows.  O(catalogue).
 */
extern Traits *TraitsRead(const Model *model, const List *names, Budget *budget);

/* The attribute of a trait, and what it says. */
extern uint32 TraitAttribute(const Traits *traits, uint32 trait);
extern Datum TraitText(const Traits *traits, uint32 trait);

/* The trait of a value of an attribute, or ID_NONE where nothing in the catalogue has it. */
extern uint32 TraitFind(const Traits *traits, uint32 attribute, Datum text);

#endif
