/*
 * learned.h: the table "learned_item", read by every answer.
 */
#ifndef RECO_LEARNED_H
#define RECO_LEARNED_H

#include "base/budget.h"
#include "data/ids.h"
#include "data/model.h"
#include "math/packed.h"

/* An item of a history or basket, with its neighbours; SPI's memory. */
typedef struct LearnedRow
{
	uint32 id; /* its number in the set asked for */
	Packed packed;
} LearnedRow;

/*
 * The learned rows of the ids of a set, in order of item number; of the first their supports may not
 * be read.  They last as long as the current context.  SPI is connected.
 */
extern LearnedRow *LearnedRead(const Model *model, const IdSet *ids, uint32 *count);
extern LearnedRow *LearnedReadWhole(const Model *model, const IdSet *ids, uint32 *count);

/* Every learned item, in order of item number. */
typedef void (*LearnedTakeItem)(Datum item, uint32 item_no, void *with);
extern void LearnedEachItem(const Model *model, LearnedTakeItem take, void *with);

/* Every learned row, in no order; the neighbours last until take() returns. */
typedef void (*LearnedTakeRow)(const Packed *packed, void *with);
extern void LearnedEachRow(const Model *model, LearnedTakeRow take, void *with);

/* Raises the error of a stored row that is not what a refresh writes. */
pg_noreturn extern void LearnedRefuse(const Model *model);

/* The same where it is known of which item: its neighbours are not what was written. */
pg_noreturn extern void LearnedRefuseNeighbors(const Model *model, Datum item);

/* A value of the rows that SPI read, none of which may be NULL. */
extern Datum LearnedValue(const Model *model, uint64 row, int column);

/* The number of one item; false where nothing was learned of it. */
extern bool LearnedNumber(const Model *model, Datum item, uint32 *item_no);

/* How many users chose an item; 0 where nothing was learned of it. */
extern int32 LearnedUsers(const Model *model, Datum item);

/* The number of each id of a set, by its place there; ID_NONE where nothing was learned of it. */
extern uint32 *LearnedPlaces(const Model *model, const IdSet *ids, Budget *budget);

/*
 * Adds the ids of some numbers to a set that is empty.  Returns their numbers by place in the set,
 * of which there are as many as the set then counts.
 */
extern uint32 *LearnedIds(const Model *model, const uint32 *item_no, uint32 count, IdSet *ids);

/* Every learned item, as far as one of them is concerned. */
typedef struct LearnedAll
{
	IdSet *ids;  /* in order of item number; others may be added */
	Packed *row; /* [count]: of each what it says about that item, if anything */
	int32 *users;
	uint32 count;
	uint32 about;
} LearnedAll;

/* Reads them; about is an item number, or ID_NONE for none.  SPI is connected. */
extern LearnedAll *LearnedReadAll(const Model *model, uint32 about, Budget *budget);

/* The numbers of those ids of a set of which something was learned, in no order. */
extern uint32 *LearnedNumbers(const Model *model, const IdSet *ids, uint32 *count);

#endif
