#include "data/ids.h"

#include "access/transam.h"
#include "base/interrupts.h"
#include "catalog/pg_type.h"
#include "math/hash.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/uuid.h"

/*
 * Open addressing with linear probing, at most half full.  A slot carries 32 bits of the hash,
 * so that a probe rarely looks at the id itself and growing never does.
 */
typedef struct Slot
{
	uint32 number; /* ID_NONE where empty */
	uint32 tag;
} Slot;

struct IdSet
{
	IdKind kind;
	Budget *budget;
	bool result; /* its memory is part of the result */
	uint32 count;
	uint32 room;  /* ids there is memory for */
	uint32 width; /* bytes of an id; 0 for text */
	uint32 slots; /* a power of two */
	Slot *slot;
	uint64 *integer; /* ID_INTEGER: the value */
	uint32 *direct;  /* ID_INTEGER: the numbers of small values found before, else ID_NONE */
	uint64 direct_room;
	unsigned char *bytes; /* ID_UUID: 16 each; ID_TEXT: one after the other */
	uint64 *end;          /* ID_TEXT: where each ends */
	uint64 bytes_room;
};

#define FIRST_SLOTS 64
#define FIRST_ROOM  32
#define FIRST_BYTES 512

/*
 * Integers that are numbered densely, as keys of tables are, are found again in an array by value:
 * 4 bytes in one place, where the table of slots takes a hash and some 24 bytes in two.  Of the
 * time to read and gather 20 million events of 22,000 items, that saved a sixth.  Values may reach
 * as many times as high as there are ids.
 */
#define DIRECT_LEAST  1024 /* ids, before it is worth the trouble */
#define DIRECT_SPREAD 4

/* An id while it is looked up. */
typedef struct Key
{
	uint64 integer;
	const unsigned char *bytes;
	uint32 length;
	uint64 hash;
} Key;

Oid
IdBaseType(Oid type)
{
	return type < FirstGenbkiObjectId ? type : getBaseType(type);
}

bool
IdKindOfType(Oid type, IdKind *kind)
{
	switch (IdBaseType(type))
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			*kind = ID_INTEGER;
			return true;
		case UUIDOID:
			*kind = ID_UUID;
			return true;
		case TEXTOID:
		case VARCHAROID:
			*kind = ID_TEXT;
			return true;
		default:
			return false;
	}
}

Oid
IdType(IdKind kind)
{
	return kind == ID_INTEGER ? INT8OID : kind == ID_UUID ? UUIDOID : TEXTOID;
}

Oid
IdArrayType(IdKind kind)
{
	return kind == ID_INTEGER ? INT8ARRAYOID : kind == ID_UUID ? UUIDARRAYOID : TEXTARRAYOID;
}

Datum
IdNormalise(Datum id, Oid type)
{
	switch (IdBaseType(type))
	{
		case INT2OID:
			return Int64GetDatum(DatumGetInt16(id));
		case INT4OID:
			return Int64GetDatum(DatumGetInt32(id));
		default:
			return id;
	}
}

const char *
IdTypeName(IdKind kind)
{
	return kind == ID_INTEGER ? "pg_catalog.int8"
		   : kind == ID_UUID  ? "pg_catalog.uuid"
							  : "pg_catalog.text";
}

const char *
IdCollate(IdKind kind)
{
	return kind == ID_TEXT ? " COLLATE pg_catalog.\"C\"" : "";
}

char *
IdColumn(IdKind kind, const char *column)
{
	return psprintf("%s::%s%s", column, IdTypeName(kind), IdCollate(kind));
}

/* The error of an id that was learned as bigint and asked for as something narrower. */
static void
check_range(int64 value, int64 low, int64 high, Oid type)
{
	if (value < low || value > high)
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("id " INT64_FORMAT " is out of range for type %s", value,
							   format_type_be(type))));
}

Datum
IdAsType(Datum normal, IdKind kind, Oid type)
{
	if (kind == ID_INTEGER)
	{
		int64 value = DatumGetInt64(normal);
		char digits[MAXINT8LEN + 1];

		switch (type)
		{
			case INT2OID:
				check_range(value, PG_INT16_MIN, PG_INT16_MAX, type);
				return Int16GetDatum((int16) value);
			case INT4OID:
				check_range(value, PG_INT32_MIN, PG_INT32_MAX, type);
				return Int32GetDatum((int32) value);
			case TEXTOID:
				return PointerGetDatum(cstring_to_text_with_len(digits, pg_lltoa(value, digits)));
			default:
				return normal;
		}
	}
	if (kind == ID_UUID && type == TEXTOID)
		return CStringGetTextDatum(DatumGetCString(DirectFunctionCall1(uuid_out, normal)));
	return normal;
}

/* Memory of a set, grown or shrunk. */
static void *
resize(const IdSet *set, void *memory, uint64 count, Size size)
{
	return memory == NULL && set->result ? BudgetAllocResult(set->budget, count, size)
										 : BudgetResize(set->budget, memory, count, size);
}

static IdSet *
create(IdKind kind, bool result, Budget *budget)
{
	IdSet *set = BudgetZeroed(budget, 1, sizeof(IdSet));

	set->result = result;
	set->kind = kind;
	set->budget = budget;
	set->width = kind == ID_INTEGER ? sizeof(uint64) : kind == ID_UUID ? UUID_LEN : 0;
	set->slots = FIRST_SLOTS;
	set->slot = resize(set, NULL, set->slots, sizeof(Slot));
	memset(set->slot, 0xff, sizeof(Slot) * set->slots);
	return set;
}

IdSet *
IdSetCreate(IdKind kind, Budget *budget)
{
	return create(kind, false, budget);
}

IdSet *
IdSetCreateResult(IdKind kind, Budget *budget)
{
	return create(kind, true, budget);
}

void
IdSetExpect(IdSet *set, uint32 ids)
{
	Assert(set->count == 0);
	while (set->slots / 2 < ids)
		set->slots *= 2;
	BudgetFree(set->budget, set->slot);
	set->slot = resize(set, NULL, set->slots, sizeof(Slot));
	memset(set->slot, 0xff, sizeof(Slot) * (Size) set->slots);
	if (set->kind == ID_INTEGER && set->room < ids)
	{
		set->integer = resize(set, set->integer, ids, sizeof(uint64));
		set->room = ids;
	}
}

void
IdSetFree(IdSet *set)
{
	BudgetFree(set->budget, set->slot);
	BudgetFree(set->budget, set->integer);
	BudgetFree(set->budget, set->direct);
	BudgetFree(set->budget, set->bytes);
	BudgetFree(set->budget, set->end);
	BudgetFree(set->budget, set);
}

void
IdSetSettle(IdSet *set)
{
	BudgetFree(set->budget, set->direct);
	set->direct = NULL;
	set->direct_room = 0;
}

IdKind
IdSetKind(const IdSet *set)
{
	return set->kind;
}

uint32
IdSetCount(const IdSet *set)
{
	return set->count;
}

static const unsigned char *
stored_bytes(const IdSet *set, uint32 number, uint32 *length)
{
	uint64 begin;

	if (set->kind == ID_UUID)
	{
		*length = UUID_LEN;
		return set->bytes + (uint64) number * UUID_LEN;
	}
	begin = number == 0 ? 0 : set->end[number - 1];
	*length = (uint32) (set->end[number] - begin);
	return set->bytes + begin;
}

static bool
is_stored(const IdSet *set, uint32 number, const Key *key)
{
	uint32 length;
	const unsigned char *bytes;

	if (set->kind == ID_INTEGER)
		return set->integer[number] == key->integer;
	bytes = stored_bytes(set, number, &length);
	return length == key->length && memcmp(bytes, key->bytes, length) == 0;
}

/* The slot of a key: its own, or the empty one where it belongs. */
static Slot *
probe(const IdSet *set, const Key *key)
{
	uint32 mask = set->slots - 1;

	for (uint32 at = (uint32) key->hash & mask;; at = (at + 1) & mask)
	{
		Slot *slot = &set->slot[at];

		if (slot->number == ID_NONE ||
			(slot->tag == (uint32) (key->hash >> 32) && is_stored(set, slot->number, key)))
			return slot;
	}
}

static uint64
stored_hash(const IdSet *set, uint32 number)
{
	uint32 length;
	const unsigned char *bytes;

	if (set->kind == ID_INTEGER)
		return HashMix(set->integer[number]);
	bytes = stored_bytes(set, number, &length);
	return HashBytes(bytes, length);
}

/* Doubles the slots; the low half of the hash is computed anew, the tag moves along. */
static void
grow_slots(IdSet *set)
{
	Slot *old = set->slot;
	uint32 slots = set->slots * 2;
	uint32 mask = slots - 1;
	Slot *slot = resize(set, NULL, slots, sizeof(Slot));

	memset(slot, 0xff, sizeof(Slot) * (Size) slots);
	for (uint32 s = 0; s < set->slots; s++)
	{
		uint32 at;

		INTERRUPTS_AT(s);
		if (old[s].number == ID_NONE)
			continue;
		at = (uint32) stored_hash(set, old[s].number) & mask;
		while (slot[at].number != ID_NONE)
			at = (at + 1) & mask;
		slot[at] = old[s];
	}
	set->slot = slot;
	set->slots = slots;
	BudgetFree(set->budget, old);
}

static void
store(IdSet *set, const Key *key)
{
	if (set->count == set->room)
	{
		uint32 room = set->room == 0 ? FIRST_ROOM : set->room * 2;

		if (set->kind == ID_INTEGER)
			set->integer = resize(set, set->integer, room, sizeof(uint64));
		else if (set->kind == ID_UUID)
			set->bytes = resize(set, set->bytes, room, UUID_LEN);
		else
			set->end = resize(set, set->end, room, sizeof(uint64));
		set->room = room;
	}

	if (set->kind == ID_INTEGER)
		set->integer[set->count] = key->integer;
	else if (set->kind == ID_UUID)
		memcpy(set->bytes + (uint64) set->count * UUID_LEN, key->bytes, UUID_LEN);
	else
	{
		uint64 begin = set->count == 0 ? 0 : set->end[set->count - 1];

		if (begin + key->length > set->bytes_room)
		{
			/* Doubled only, so that what a set takes does not depend on the order ids came in. */
			uint64 room = Max(set->bytes_room, FIRST_BYTES);

			while (begin + key->length > room)
				room *= 2;
			set->bytes = resize(set, set->bytes, room, 1);
			set->bytes_room = room;
		}
		memcpy(set->bytes + begin, key->bytes, key->length);
		set->end[set->count] = begin + key->length;
	}
	set->count++;
}

static uint32
add(IdSet *set, const Key *key)
{
	Slot *slot = probe(set, key);

	if (slot->number != ID_NONE)
		return slot->number;

	/* Half of 2^31 slots is as many ids as 32 bits can number with room to spare. */
	if (set->count >= UINT32_C(1) << 30)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("more than %u different ids", UINT32_C(1) << 30)));
	if (set->count >= set->slots / 2)
	{
		grow_slots(set);
		slot = probe(set, key);
	}
	store(set, key);
	slot->number = set->count - 1;
	slot->tag = (uint32) (key->hash >> 32);
	return slot->number;
}

static inline Key
integer_key(Datum normal)
{
	uint64 value = (uint64) DatumGetInt64(normal);

	return (Key){.integer = value, .hash = HashMix(value)};
}

/* A key over a datum; *copy is what must be freed afterwards, or NULL. */
static Key
datum_key(IdKind kind, Datum normal, void **copy)
{
	Key key = {0};

	*copy = NULL;
	if (kind == ID_INTEGER)
		return integer_key(normal);
	if (kind == ID_UUID)
	{
		key.bytes = DatumGetUUIDP(normal)->data;
		key.length = UUID_LEN;
	}
	else
	{
		text *id = DatumGetTextPP(normal);

		key.bytes = (const unsigned char *) VARDATA_ANY(id);
		key.length = VARSIZE_ANY_EXHDR(id);
		if ((Pointer) id != DatumGetPointer(normal))
			*copy = id;
	}
	key.hash = HashBytes(key.bytes, key.length);
	return key;
}

uint64
IdHash(IdKind kind, Datum normal)
{
	void *copy;
	Key key;

	if (kind == ID_INTEGER)
		return HashMix((uint64) DatumGetInt64(normal));
	key = datum_key(kind, normal, &copy);

	if (copy)
		pfree(copy);
	return key.hash;
}

bool
IdEqual(IdKind kind, Datum a, Datum b)
{
	void *copy_a;
	void *copy_b;
	Key key_a;
	Key key_b;
	bool equal;

	if (kind == ID_INTEGER)
		return DatumGetInt64(a) == DatumGetInt64(b);
	key_a = datum_key(kind, a, &copy_a);
	key_b = datum_key(kind, b, &copy_b);
	equal = key_a.length == key_b.length && memcmp(key_a.bytes, key_b.bytes, key_a.length) == 0;
	if (copy_a)
		pfree(copy_a);
	if (copy_b)
		pfree(copy_b);
	return equal;
}

/* The number of an integer that was found before; ID_NONE says nothing.  No other kind has room. */
static uint32
recall(const IdSet *set, Datum normal)
{
	uint64 value = (uint64) DatumGetInt64(normal);

	return value < set->direct_room ? set->direct[value] : ID_NONE;
}

/* Makes an integer be recalled next time, if it is small enough and memory allows. */
static void
remember(IdSet *set, uint64 value, uint32 number)
{
	if (value >= set->direct_room)
	{
		uint64 most = (uint64) set->count * DIRECT_SPREAD;

		if (set->count < DIRECT_LEAST || value >= most ||
			BudgetLeft(set->budget) / sizeof(uint32) < 4 * most)
			return;
		set->direct = BudgetResize(set->budget, set->direct, most, sizeof(uint32));
		memset(set->direct + set->direct_room, 0xff, sizeof(uint32) * (most - set->direct_room));
		set->direct_room = most;
	}
	set->direct[value] = number;
}

uint32
IdSetAdd(IdSet *set, Datum normal)
{
	void *copy;
	Key key;
	uint32 number;

	if (set->kind == ID_INTEGER)
	{
		number = recall(set, normal);
		if (number != ID_NONE)
			return number;
		key = integer_key(normal);
		number = add(set, &key);
		remember(set, key.integer, number);
		return number;
	}
	key = datum_key(set->kind, normal, &copy);
	number = add(set, &key);
	if (copy)
		pfree(copy);
	return number;
}

uint32
IdSetFind(const IdSet *set, Datum normal)
{
	void *copy;
	Key key;
	uint32 number;

	if (set->kind == ID_INTEGER)
	{
		number = recall(set, normal);
		if (number != ID_NONE)
			return number;
	}
	key = datum_key(set->kind, normal, &copy);
	number = probe(set, &key)->number;

	if (copy)
		pfree(copy);
	return number;
}

Datum
IdSetDatum(const IdSet *set, uint32 number)
{
	uint32 length;
	const unsigned char *bytes;

	Assert(number < set->count);
	if (set->kind == ID_INTEGER)
		return Int64GetDatum((int64) set->integer[number]);

	bytes = stored_bytes(set, number, &length);
	if (set->kind == ID_UUID)
	{
		pg_uuid_t *id = palloc(sizeof(pg_uuid_t));

		memcpy(id->data, bytes, UUID_LEN);
		return UUIDPGetDatum(id);
	}
	return PointerGetDatum(cstring_to_text_with_len((const char *) bytes, length));
}

const unsigned char *
IdSetBytes(const IdSet *set, uint32 number, uint64 *room, uint32 *length)
{
	if (set->kind != ID_INTEGER)
		return stored_bytes(set, number, length);

	for (int i = 0; i < 8; i++)
		((unsigned char *) room)[i] = (unsigned char) (set->integer[number] >> (8 * i));
	*length = 8;
	return (unsigned char *) room;
}

/* An array of ids; those of all numbers where none are named. */
static Datum
make_array(const IdSet *set, const uint32 *numbers, uint32 count)
{
	Oid type = IdType(set->kind);
	Datum *values = palloc_extended(sizeof(Datum) * (Size) Max(count, 1), MCXT_ALLOC_HUGE);
	Datum array;
	int16 length;
	bool by_value;
	char align;

	for (uint32 n = 0; n < count; n++)
		values[n] = IdSetDatum(set, numbers ? numbers[n] : n);
	get_typlenbyvalalign(type, &length, &by_value, &align);
	array = PointerGetDatum(construct_array(values, (int) count, type, length, by_value, align));
	pfree(values);
	return array;
}

Datum
IdSetArray(const IdSet *set)
{
	return make_array(set, NULL, set->count);
}

Datum
IdSetArrayOf(const IdSet *set, const uint32 *numbers, uint32 count)
{
	return make_array(set, numbers, count);
}

uint32
IdSetAddBytes(IdSet *set, const unsigned char *bytes, uint32 length)
{
	Key key = {.bytes = bytes, .length = length};

	if (set->kind == ID_INTEGER)
	{
		for (int i = 0; i < 8; i++)
			key.integer |= (uint64) bytes[i] << (8 * i);
		key.hash = HashMix(key.integer);
	}
	else
		key.hash = HashBytes(bytes, length);
	return add(set, &key);
}

int
IdSetCompare(const IdSet *set, uint32 a, uint32 b)
{
	uint32 length_a;
	uint32 length_b;
	const unsigned char *bytes_a;
	const unsigned char *bytes_b;
	int order;

	if (set->kind == ID_INTEGER)
	{
		int64 x = (int64) set->integer[a];
		int64 y = (int64) set->integer[b];

		return x < y ? -1 : x > y;
	}
	bytes_a = stored_bytes(set, a, &length_a);
	bytes_b = stored_bytes(set, b, &length_b);
	order = memcmp(bytes_a, bytes_b, Min(length_a, length_b));
	return order != 0 ? order : length_a < length_b ? -1 : length_a > length_b;
}

#define ST_SORT               sort_numbers
#define ST_ELEMENT_TYPE       uint32
#define ST_COMPARE(a, b, set) IdSetCompare(set, *(a), *(b))
#define ST_COMPARE_ARG_TYPE   const IdSet
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

uint32 *
IdSetRanks(const IdSet *set)
{
	uint32 *sorted = BudgetAllocResult(set->budget, set->count, sizeof(uint32));
	uint32 *rank = BudgetAllocSharedResult(set->budget, set->count, sizeof(uint32));

	for (uint32 n = 0; n < set->count; n++)
		sorted[n] = n;
	sort_numbers(sorted, set->count, set);
	for (uint32 n = 0; n < set->count; n++)
	{
		INTERRUPTS_AT(n);
		rank[sorted[n]] = n;
	}
	BudgetFree(set->budget, sorted);
	return rank;
}
