/*
 * values.h: what the live catalogue says of items by one attribute.
 *
 * An attribute is a column of the view "items".  What it says is taken as text: one value of a
 * scalar, each element of an array; NULL is none.  Values are numbered as they are met.
 */
#ifndef RECO_VALUES_H
#define RECO_VALUES_H

#include "data/ids.h"
#include "data/model.h"

typedef struct Values Values;

/* True where the view "items" has such an attribute. */
extern bool ValuesExist(const Model *model, const char *name);

/* The one that says the category of an item: what is set, or one of that name; NULL where it is not there. */
extern const char *ValuesCategory(const Model *model);

/* Raises an error where it has not, which says what option wants it and lists those there are. */
extern void ValuesCheck(const Model *model, const char *name, const char *option);

/* Begins to look at an attribute there is, for items that are numbers in a set of ids. */
extern Values *ValuesOpen(const Model *model, const char *name, IdSet *ids, Budget *budget);

/* Its name, and whether it is an array. */
extern const char *ValuesName(const Values *values);
extern bool ValuesAreArrays(const Values *values);

/* Reads what is said of some items, of each once; of all there are.  SPI is connected. */
extern void ValuesRead(Values *values, const uint32 *numbers, uint32 count);
extern void ValuesReadAll(Values *values);

/* The values of an item that was read, each once, in no order. */
extern const uint32 *ValuesOf(const Values *values, uint32 number, uint32 *count);

/* How many there are so far, and the number of one by its text, or ID_NONE. */
extern uint32 ValuesCount(const Values *values);
extern uint32 ValuesFind(const Values *values, Datum text);

/* The text of one, in the current context. */
extern Datum ValuesDatum(const Values *values, uint32 value);

/* The place of each value when they are sorted: an order that no order of rows decides. */
extern uint32 *ValuesRanks(const Values *values);

/* Adds all items that have a value to another set of ids, whatever was read.  SPI is connected. */
extern void ValuesItems(const Values *values, const text *value, IdSet *items);

#endif
