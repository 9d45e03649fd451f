/*
 * door.h: how the SQL functions get in and out.
 *
 * Every question has two kinds of function with one C function behind them: reco_X, overloaded
 * for bigint, text and uuid, which takes the model's name, and reco_typed_X for any mix of ids,
 * which takes the model's table and is what the doors in a model's schema call.  Here the
 * arguments of both become the same.
 */
#ifndef RECO_DOOR_H
#define RECO_DOOR_H

#include "api/arguments.h"
#include "data/ids.h"
#include "data/model.h"
#include "funcapi.h"

/* The greatest k that makes sense of a list; NULL asks for everything. */
#define DOOR_K_MAX 1000000

/* The schema of the extension: that of the function being called. */
extern Oid DoorSchema(FunctionCallInfo fcinfo);

/* The model of an argument: a name, NULL for the default, or a model's table. */
extern Model *DoorModel(FunctionCallInfo fcinfo, int argument);

/* Ids of arguments as normalised datums; an id of another kind than the model's raises an error. */
extern Datum DoorUser(FunctionCallInfo fcinfo, int argument, const Model *model);
extern Datum DoorItem(FunctionCallInfo fcinfo, int argument, const Model *model);

/* The kind of a type of ids, and an id of any such type as a normalised datum, for what has no model. */
extern IdKind DoorAnyKind(Oid type);
extern Datum DoorAnyId(FunctionCallInfo fcinfo, int argument, IdKind *kind);

/* The items of an array, added to a set; NULLs in it are passed over.  NULL for a NULL array. */
extern IdSet *DoorItems(FunctionCallInfo fcinfo, int argument, const Model *model, Budget *budget);

/* The k of an argument: 1 .. DOOR_K_MAX, or 0 for NULL. */
extern uint32 DoorK(FunctionCallInfo fcinfo, int argument);

/* Text of an argument, NULL for NULL; and of one that must be given, named in the error. */
extern char *DoorText(FunctionCallInfo fcinfo, int argument);
extern char *DoorRequired(FunctionCallInfo fcinfo, int argument, const char *what);

/* The texts of an array, without NULLs; NIL for NULL. */
extern List *DoorTexts(FunctionCallInfo fcinfo, int argument);

/* Who called, while a function acts as somebody else. */
typedef struct DoorRole
{
	Oid caller;
	int security;
	int nest;
} DoorRole;

/*
 * Acts as the owner of a model, as maintenance does: with the search path of maintenance, and
 * nothing that would outlive it allowed.  An error ends it as well.
 */
extern DoorRole DoorBecome(Oid owner);
extern void DoorReturn(const DoorRole *role);

/* Connects SPI and reads what is known of a model, which must have been refreshed. */
extern void DoorEnter(Model *model);

/* Makes sure that all that was read since was of this model, and disconnects SPI. */
extern void DoorLeave(const Model *model);

/* Rows going out. */
typedef struct DoorRows
{
	ReturnSetInfo *out;
	IdKind item_kind;
	IdKind user_kind;
	Oid item_type; /* of the item columns as the caller wants them */
	Oid user_type; /* of the user column */
	uint64 count;
} DoorRows;

/* Columns that hold ids, among the types given to DoorOpen; no type has such an oid. */
#define DOOR_ITEM InvalidOid
#define DOOR_USER ((Oid) 1)

/* An array of items. */
#define DOOR_ITEMS ((Oid) 2)

/*
 * Begins a result with columns of the given types; whatever column definition list the caller
 * wrote must agree.  Call before SPI_connect.  as_text lets ids of any kind go out as text.
 */
extern DoorRows DoorOpen(FunctionCallInfo fcinfo, const Model *model, const Oid *types, int columns,
						 bool as_text);

/* An item's or a user's id as the caller's column wants it. */
extern Datum DoorItemOut(const DoorRows *rows, Datum item);
extern Datum DoorUserOut(const DoorRows *rows, Datum user);

/* Items as the array that the caller's column wants; they are changed on the way. */
extern Datum DoorItemsOut(const DoorRows *rows, Datum *items, uint32 count);

extern void DoorPut(DoorRows *rows, Datum *values, bool *nulls);

#endif
