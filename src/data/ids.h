/*
 * ids.h: the owner's ids, and the dense numbers that stand for them.
 *
 * Ids are of any integer type, uuid or text (varchar and domains over these count as what they
 * are made of).  Integers of every width are one kind and travel as bigint.
 */
#ifndef RECO_IDS_H
#define RECO_IDS_H

#include "base/budget.h"
#include "catalog/pg_type_d.h"

typedef enum IdKind
{
	ID_INTEGER,
	ID_UUID,
	ID_TEXT,
	ID_KINDS
} IdKind;

/* For messages: the types that can be ids. */
#define ID_TYPES "smallint, integer, bigint, uuid or text"

/* What a type is in the end: a domain what it is over.  Types that come with the server are none. */
extern Oid IdBaseType(Oid type);

/* True and *kind where a type can be an id. */
extern bool IdKindOfType(Oid type, IdKind *kind);

/* The type a kind travels as in parameters: bigint, uuid or text; and its array type. */
extern Oid IdType(IdKind kind);
extern Oid IdArrayType(IdKind kind);

/*
 * That type as SQL names it, for casts: what is read from a view or table is always cast, so that
 * it has the type the code takes it for, whatever became of the view meanwhile.
 */
extern const char *IdTypeName(IdKind kind);

/*
 * A column of ids as SQL that compares and puts in order as C does, by value or by bytes: whatever
 * type of its kind, and whatever collation, the column has.
 */
extern char *IdColumn(IdKind kind, const char *column);

/* What of that is behind the type: a collation, or nothing. */
extern const char *IdCollate(IdKind kind);

/*
 * An id of any type of a kind as its travelling type, and back as a type of that kind that is no
 * domain (integers are range-checked).
 */
extern Datum IdNormalise(Datum id, Oid type);
extern Datum IdAsType(Datum normal, IdKind kind, Oid type);

/* The same for a type that is known to be no domain; cheap enough for every row. */
static inline Datum
IdWiden(Datum id, Oid type)
{
	return type == INT4OID   ? Int64GetDatum(DatumGetInt32(id))
		   : type == INT2OID ? Int64GetDatum(DatumGetInt16(id))
							 : id;
}

/* The hash of a normalised id: no two integers have the same. */
extern uint64 IdHash(IdKind kind, Datum normal);

/* True where two normalised ids are the same. */
extern bool IdEqual(IdKind kind, Datum a, Datum b);

/* A set of ids, each with a number: 0, 1, 2 ... in the order they came. */
typedef struct IdSet IdSet;

#define ID_NONE UINT32_MAX

extern IdSet *IdSetCreate(IdKind kind, Budget *budget);

/* Makes room in an empty set for so many ids. */
extern void IdSetExpect(IdSet *set, uint32 ids);

/* The same as a part of the result. */
extern IdSet *IdSetCreateResult(IdKind kind, Budget *budget);
extern void IdSetFree(IdSet *set);
extern IdKind IdSetKind(const IdSet *set);
extern uint32 IdSetCount(const IdSet *set);

/* The number of a normalised id, which is added if it is new. */
extern uint32 IdSetAdd(IdSet *set, Datum normal);

/* The number of an id, or ID_NONE. */
extern uint32 IdSetFind(const IdSet *set, Datum normal);

/* The id of a number: a normalised datum, made in the current memory context. */
extern Datum IdSetDatum(const IdSet *set, uint32 number);

/* The bytes of an id, little-endian where it is a number; integer ids are put in *room. */
extern const unsigned char *IdSetBytes(const IdSet *set, uint32 number, uint64 *room,
									   uint32 *length);

/* Adds an id by such bytes; their length is right for the kind. */
extern uint32 IdSetAddBytes(IdSet *set, const unsigned char *bytes, uint32 length);

/* All ids, or some by their numbers, as an array of the travelling type: a parameter of a query. */
extern Datum IdSetArray(const IdSet *set);
extern Datum IdSetArrayOf(const IdSet *set, const uint32 *numbers, uint32 count);

/*
 * Says that no more ids will come: what a set takes then depends on the ids in it alone, not on the
 * order they came in.
 */
extern void IdSetSettle(IdSet *set);

/*
 * The place of each number when the ids are sorted (integers by value, others by bytes), in memory
 * that may be shared.
 */
extern uint32 *IdSetRanks(const IdSet *set);

/* How two numbers compare in that order. */
extern int IdSetCompare(const IdSet *set, uint32 a, uint32 b);

#endif
