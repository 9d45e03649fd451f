#include "data/lookup.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/stratnum.h"
#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "data/learned.h"
#include "executor/executor.h"
#include "math/hash.h"
#include "storage/bufmgr.h"
#include "storage/itemptr.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/*
 * Where rows were found before, for the session.  A place is no more than a hint: whatever is there
 * now must be visible to the snapshot and have the very key, of which the unique index allows one
 * visible row; otherwise the index is asked.  So a hint is never wrong, whoever wrote or vacuumed
 * meanwhile, only of no use.  It saves the way down the index, which is four fifths of finding a row.
 */
typedef struct Hint
{
	uint16 tag; /* of the hash of table and key */
	ItemPointerData place;
} Hint;

/* A power of two; 8 bytes each. */
#define HINTS 65536

static Hint *hints = NULL;

struct Lookup
{
	const Model *model;
	MemoryContext context; /* that it was opened in */
	Relation table;
	Relation index;
	IndexScanDesc scan; /* NULL, like the next, until a row is looked for */
	TupleTableSlot *slot;
	ScanKeyData key;
	Oid key_type;  /* as the index compares it */
	Oid item_type; /* of the column, or what its domain is over */
	AttrNumber item;
	AttrNumber item_no;
	AttrNumber neighbors;
	AttrNumber figure[LOOKUP_FIGURES];
	bool has_figures;
	AttrNumber last; /* of these */
	LookupKey by;
	BlockNumber blocks; /* of the table: a hint beyond them is none */
};

/* A column by name: its number, 0 where there is none. */
static AttrNumber
find_column(Relation table, const char *name, Oid *type)
{
	TupleDesc desc = RelationGetDescr(table);

	for (int a = 0; a < desc->natts; a++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, a);

		if (!column->attisdropped && strcmp(NameStr(column->attname), name) == 0)
		{
			*type = column->atttypid;
			return column->attnum;
		}
	}
	return 0;
}

/* The columns of the figures, where all are there. */
static void
find_figures(Lookup *lookup)
{
	static const char *const names[LOOKUP_FIGURES] = {"popularity_log2", "recent_log2", "first_at",
													  "last_at"};
	static const Oid types[LOOKUP_FIGURES] = {FLOAT8OID, FLOAT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID};

	lookup->has_figures = true;
	for (int f = 0; f < LOOKUP_FIGURES; f++)
	{
		Oid type = InvalidOid;

		lookup->figure[f] = find_column(lookup->table, names[f], &type);
		lookup->has_figures = lookup->has_figures && lookup->figure[f] && type == types[f];
	}
	for (int f = 0; lookup->has_figures && f < LOOKUP_FIGURES; f++)
		lookup->last = Max(lookup->last, lookup->figure[f]);
}

/* True where the columns are there, of the types that a refresh writes. */
static bool
find_columns(Lookup *lookup)
{
	Oid number = InvalidOid;
	Oid neighbors = InvalidOid;
	IdKind kind;

	lookup->item = find_column(lookup->table, "item_id", &lookup->item_type);
	lookup->item_no = find_column(lookup->table, "item_no", &number);
	lookup->neighbors = find_column(lookup->table, "neighbors", &neighbors);
	lookup->last = Max(lookup->item, Max(lookup->item_no, lookup->neighbors));
	/* Who finds items by their ids asks for no figures. */
	if (lookup->by == LOOKUP_ITEM_NO)
		find_figures(lookup);
	lookup->item_type = lookup->item ? IdBaseType(lookup->item_type) : InvalidOid;
	return lookup->item && number == INT4OID && neighbors == BYTEAOID &&
		   IdKindOfType(lookup->item_type, &kind) && kind == lookup->model->item_kind;
}

/* True where the caller may read every column of every row, and nobody else has a say in it. */
static bool
may_read(Relation table)
{
	return table->rd_rel->relkind == RELKIND_RELATION && !table->rd_rel->relrowsecurity &&
		   ExecutorCheckPerms_hook == NULL &&
		   pg_class_aclcheck(RelationGetRelid(table), GetUserId(), ACL_SELECT) == ACLCHECK_OK;
}

/* True where an index finds the row of any one value of a column, as of any snapshot. */
static bool
is_index_on(Relation index, AttrNumber column)
{
	Form_pg_index form = index->rd_index;

	return index->rd_rel->relam == BTREE_AM_OID && form->indisvalid && form->indisunique &&
		   form->indimmediate && !form->indcheckxmin && form->indnkeyatts == 1 &&
		   form->indkey.values[0] == column && RelationGetIndexPredicate(index) == NIL;
}

/* The index on a column, opened; NULL where there is none of that kind. */
static Relation
open_index(Relation table, AttrNumber column)
{
	List *indexes = RelationGetIndexList(table);
	Relation found = NULL;
	ListCell *cell;

	foreach (cell, indexes)
	{
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);

		if (is_index_on(index, column))
		{
			found = index;
			break;
		}
		index_close(index, NoLock);
	}
	list_free(indexes);
	return found;
}

/* Sets up the comparison with a key; false where the index compares what is no such key. */
static bool
prepare_key(Lookup *lookup, LookupKey key)
{
	Relation index = lookup->index;
	Oid type = index->rd_opcintype[0];
	IdKind kind;
	Oid equal;

	if (!IdKindOfType(type, &kind) ||
		kind != (key == LOOKUP_ITEM_NO ? ID_INTEGER : lookup->model->item_kind))
		return false;
	equal = get_opfamily_member(index->rd_opfamily[0], type, type, BTEqualStrategyNumber);
	if (!OidIsValid(equal))
		return false;
	lookup->key_type = type;
	ScanKeyEntryInitialize(&lookup->key, 0, 1, BTEqualStrategyNumber, InvalidOid,
						   index->rd_indcollation[0], get_opcode(equal), (Datum) 0);
	return true;
}

/* Closes what was opened; locks last as long as those of a query. */
static void
close_relations(Lookup *lookup)
{
	if (lookup->index)
		index_close(lookup->index, NoLock);
	relation_close(lookup->table, NoLock);
}

Lookup *
LookupOpen(const Model *model, LookupKey key)
{
	Lookup *lookup = palloc0(sizeof(Lookup));
	Oid table = get_relname_relid("learned_item", model->schema);

	lookup->model = model;
	lookup->context = CurrentMemoryContext;
	lookup->by = key;
	lookup->table = OidIsValid(table) ? try_relation_open(table, AccessShareLock) : NULL;
	if (lookup->table == NULL)
		return NULL;
	if (may_read(lookup->table) && find_columns(lookup))
		lookup->index =
			open_index(lookup->table, key == LOOKUP_ITEM_NO ? lookup->item_no : lookup->item);
	if (lookup->index == NULL || !prepare_key(lookup, key))
	{
		close_relations(lookup);
		return NULL;
	}
	return lookup;
}

/* Gets ready to look for rows: where the session keeps those that are asked for, there is no need. */
static void
begin_scan(Lookup *lookup)
{
	MemoryContext caller = MemoryContextSwitchTo(lookup->context);

	if (hints == NULL)
		hints = MemoryContextAllocZero(TopMemoryContext, sizeof(Hint) * HINTS);
	lookup->slot = table_slot_create(lookup->table, NULL);
	lookup->blocks = RelationGetNumberOfBlocks(lookup->table);
	lookup->scan =
		index_beginscan(lookup->table, lookup->index, GetActiveSnapshot(), NULL, 1, 0, 0);
	MemoryContextSwitchTo(caller);
}

/* A key as the index has it; false where it is out of the range of that type. */
static bool
take_key(Lookup *lookup, Datum key)
{
	int64 value;

	lookup->key.sk_argument = key;
	if (lookup->key_type != INT2OID && lookup->key_type != INT4OID)
		return true;
	value = DatumGetInt64(key);
	lookup->key.sk_argument =
		lookup->key_type == INT2OID ? Int16GetDatum((int16) value) : Int32GetDatum((int32) value);
	return lookup->key_type == INT2OID ? value == (int16) value : value == (int32) value;
}

const Model *
LookupModel(const Lookup *lookup)
{
	return lookup->model;
}

Relation
LookupTable(const Lookup *lookup)
{
	return lookup->table;
}

LookupKey
LookupBy(const Lookup *lookup)
{
	return lookup->by;
}

IdKind
LookupKind(const Lookup *lookup)
{
	return lookup->by == LOOKUP_ITEM_NO ? ID_INTEGER : lookup->model->item_kind;
}

uint64
LookupColumns(const Lookup *lookup)
{
	return (uint64) lookup->item << 32 | (uint64) lookup->item_no << 16 | (uint64) lookup->neighbors;
}

uint64
LookupHash(const Lookup *lookup, Datum key)
{
	return HashMix(IdHash(LookupKind(lookup), key) + RelationGetRelid(lookup->table) + lookup->by);
}

/* What the slot holds; false where a column is NULL. */
static bool
take_row(const Lookup *lookup, LookupRow *row)
{
	TupleTableSlot *slot = lookup->slot;

	slot_getsomeattrs(slot, lookup->last);
	if (slot->tts_isnull[lookup->item - 1] || slot->tts_isnull[lookup->item_no - 1] ||
		slot->tts_isnull[lookup->neighbors - 1])
		return false;
	row->item = IdNormalise(slot->tts_values[lookup->item - 1], lookup->item_type);
	row->item_no = (uint32) DatumGetInt32(slot->tts_values[lookup->item_no - 1]);
	row->neighbors = slot->tts_values[lookup->neighbors - 1];
	for (int f = 0; lookup->has_figures && f < LOOKUP_FIGURES; f++)
		row->figure[f] = (NullableDatum){slot->tts_values[lookup->figure[f] - 1],
										 slot->tts_isnull[lookup->figure[f] - 1]};
	row->tuple = NULL;
	if (TTS_IS_BUFFERTUPLE(slot))
	{
		row->tuple = ((BufferHeapTupleTableSlot *) slot)->base.tuple;
		row->buffer = ((BufferHeapTupleTableSlot *) slot)->buffer;
	}
	return true;
}

/* True where the row is the one of a key. */
static bool
has_key(const Lookup *lookup, const LookupRow *row, Datum key)
{
	return lookup->by == LOOKUP_ITEM_NO ? row->item_no == DatumGetInt64(key)
										: IdEqual(lookup->model->item_kind, row->item, key);
}

/* Finds the row of a key where it was before. */
static bool
find_again(Lookup *lookup, Datum key, const Hint *hint, LookupRow *row)
{
	ItemPointerData place = hint->place;

	if (!ItemPointerIsValid(&place) || ItemPointerGetBlockNumber(&place) >= lookup->blocks)
		return false;
	return table_tuple_fetch_row_version(lookup->table, &place, GetActiveSnapshot(),
										 lookup->slot) &&
		   take_row(lookup, row) && has_key(lookup, row, key);
}

bool
LookupHasFigures(const Lookup *lookup)
{
	return lookup->has_figures;
}

bool
LookupFind(Lookup *lookup, Datum key, LookupRow *row)
{
	uint64 hash = LookupHash(lookup, key);
	uint16 tag = (uint16) (hash >> 32);
	Hint *hint;

	if (lookup->scan == NULL)
		begin_scan(lookup);
	hint = &hints[hash % HINTS];
	if (hint->tag == tag && find_again(lookup, key, hint, row))
		return true;
	if (!take_key(lookup, key))
		return false;
	index_rescan(lookup->scan, &lookup->key, 1, NULL, 0);
	if (!index_getnext_slot(lookup->scan, ForwardScanDirection, lookup->slot))
		return false;
	if (!take_row(lookup, row))
		LearnedRefuse(lookup->model);
	*hint = (Hint){.tag = tag, .place = lookup->slot->tts_tid};
	return true;
}

void
LookupClose(Lookup *lookup)
{
	if (lookup->scan)
	{
		index_endscan(lookup->scan);
		ExecDropSingleTupleTableSlot(lookup->slot);
	}
	close_relations(lookup);
	pfree(lookup);
}
