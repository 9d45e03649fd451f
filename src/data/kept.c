/*
 * kept.c: a table of rows by item id, opened, or by number, in buckets of four.
 *
 * A tuple never changes between its birth and its death but for the header, and its place is given
 * away only once nobody can see it.  So what is in a place, of that xmin and visible, is what was
 * there when the row was opened; should the number of a transaction or of a file have come round
 * again, what else the row says of its item tells.  As long as nobody writes anywhere, not even that
 * has to be looked up twice.
 *
 * Rows in use are not freed: what has to go meanwhile waits until the contexts of all questions that
 * may have them are reset.  Where memory is short, the row goes that was not asked for since a hand
 * last came by (the clock of Corbato, 1968).
 */
#include "data/kept.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "math/hash.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/uuid.h"

int KeptSize = KEPT_DEFAULT;

/* What is compared of a tuple: the columns behind its header, counts and times of the item among them. */
#define MARK_MOST 28

/* Rows whose pages are sent for ahead. */
#define AHEAD 8

/* A row that is kept; what it has that is no number comes behind it. */
typedef struct KeptRow
{
	/* The tuple it was made of, together in a line of the processor's cache. */
	RelFileLocator file;
	ItemPointerData place;
	uint16 length;  /* of the tuple */
	uint64 settled; /* what settled_by_now() was when it was last seen there */
	TransactionId xmin;
	Buffer buffer; /* where its page was last: a hint */
	uint16 begin;  /* of the tuple in its page: a hint, too */
	bool asked;    /* for since the hand last came by */
	uint8 marked;
	uint8 by;       /* which key */
	uint8 kind;     /* of the key */
	uint32 slots;   /* its numbers are known to be below */
	uint64 columns; /* of the table, that it was read from */
	Datum key;

	unsigned char mark[MARK_MOST];
	struct KeptRow *next; /* of those to be freed */
	union
	{
		Packed packed; /* by id: the opened row */
		Datum item;    /* by number: the id */
	};
} KeptRow;

/* What there is of a row by number. */
#define BY_NUMBER_BYTES (offsetof(KeptRow, item) + sizeof(Datum))

#define WAYS 4

/* As large as a line of the processor's cache. */
typedef struct Bucket
{
	uint64 hash[WAYS];
	KeptRow *row[WAYS];
} Bucket;

/* There is a bucket for so many bytes: a fourth of what most rows take in them. */
#define BUCKET_BYTES 1024

/* Of the allocator's blocks, the last of which is mostly empty. */
#define BLOCK_MOST (64 * 1024)

/* All that the session keeps. */
static struct
{
	MemoryContext context; /* NULL while nothing is kept */
	Bucket *bucket;
	uint32 buckets; /* a power of two */
	int size;       /* the setting they were made for */
	Size most;      /* bytes */
	Size bytes;     /* of rows, those to be freed among them */
	uint32 hand;
	uint32 users;     /* contexts in which rows may be in use */
	KeptRow *to_free; /* once there is none */
} kept;

static void
free_row(KeptRow *row)
{
	kept.bytes -= GetMemoryChunkSpace(row);
	pfree(row);
}

/* Notes that the context of a question is gone. */
static void
end_use(void *unused)
{
	Assert(kept.users > 0);
	if (--kept.users > 0)
		return;
	while (kept.to_free)
	{
		KeptRow *row = kept.to_free;

		kept.to_free = row->next;
		free_row(row);
	}
}

/* Takes a row out of its bucket, and frees it now or later. */
static void
drop_row(KeptRow **row)
{
	KeptRow *gone = *row;

	*row = NULL;
	if (kept.users == 0)
	{
		free_row(gone);
		return;
	}
	gone->next = kept.to_free;
	kept.to_free = gone;
}

/*
 * True where the memory of rows that have gone is of use for none that come: the allocator keeps it by
 * size.
 */
static bool
is_spread(void)
{
	return kept.context && MemoryContextMemAllocated(kept.context, false) / 5 > kept.most / 4;
}

/* Makes the table as the setting has it, which may have changed; false where nothing is kept. */
static bool
prepare(void)
{
	MemoryContext context = kept.context;

	if (kept.size == KeptSize && !is_spread())
		return context != NULL;
	if (kept.users > 0)
		return context != NULL && KeptSize > 0;
	kept.context = NULL;
	kept.size = 0;
	kept.bytes = 0;
	kept.hand = 0;
	if (context)
		MemoryContextDelete(context);
	if (KeptSize == 0)
		return false;

	context = AllocSetContextCreate(TopMemoryContext, "reco kept rows", 0, ALLOCSET_SMALL_INITSIZE,
									BLOCK_MOST);
	kept.most = (Size) KeptSize * 1024;
	kept.buckets = 1;
	while ((Size) kept.buckets * 2 * BUCKET_BYTES <= kept.most)
		kept.buckets *= 2;
	kept.bucket = MemoryContextAllocZero(context, sizeof(Bucket) * kept.buckets);
	kept.most -= sizeof(Bucket) * kept.buckets;
	kept.size = KeptSize;
	kept.context = context;
	return true;
}

/*
 * True where this transaction has given a table its file: TRUNCATE then empties that in place, and what it
 * writes next may have the place and the xmin of what was there.
 */
static bool
is_file_new(Relation table)
{
	return table->rd_createSubid != InvalidSubTransactionId ||
		   table->rd_firstRelfilelocatorSubid != InvalidSubTransactionId;
}

bool
KeptBegin(const Lookup *lookup)
{
	Relation table = LookupTable(lookup);
	MemoryContextCallback *callback;

	/* A serializable transaction must have every tuple it reads noted, which SQL does. */
	if (table->rd_tableam != GetHeapamTableAmRoutine() || RelationUsesLocalBuffers(table) ||
		is_file_new(table) || IsolationIsSerializable() || !IsMVCCSnapshot(GetActiveSnapshot()) ||
		!prepare())
		return false;
	callback = palloc(sizeof(MemoryContextCallback));
	*callback = (MemoryContextCallback){.func = end_use};
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	kept.users++;
	return true;
}

/*
 * The row of a hash and key, however old; NULL for none.  Anybody can make an id of another kind that
 * has the hash in a table of theirs.
 */
static KeptRow *
find_row(const Lookup *lookup, uint64 hash, Datum key)
{
	Bucket *bucket = &kept.bucket[hash % kept.buckets];
	IdKind kind = LookupKind(lookup);

	for (int w = 0; w < WAYS; w++)
		if (bucket->hash[w] == hash && bucket->row[w] && bucket->row[w]->by == LookupBy(lookup) &&
			bucket->row[w]->kind == kind && IdEqual(kind, bucket->row[w]->key, key))
			return bucket->row[w];
	return NULL;
}

/* Sends for the parts of a page that tell whether its tuple is still the one. */
static void
send_for(const KeptRow *row)
{
	const char *page = BufferBlocks + (Size) (row->buffer - 1) * BLCKSZ;

	__builtin_prefetch(page + SizeOfPageHeaderData +
					   sizeof(ItemIdData) * ItemPointerGetOffsetNumber(&row->place));
	__builtin_prefetch(page + row->begin);
}

/* True where a page still has the tuple in its place, and the snapshot sees it. */
static bool
is_there(const Lookup *lookup, const KeptRow *row, Buffer buffer)
{
	Page page = BufferGetPage(buffer);
	OffsetNumber offset = ItemPointerGetOffsetNumber(&row->place);
	HeapTupleData tuple;
	ItemId line;

	if (offset > PageGetMaxOffsetNumber(page))
		return false;
	line = PageGetItemId(page, offset);
	if (!ItemIdIsNormal(line) || ItemIdGetLength(line) != row->length)
		return false;
	tuple.t_data = (HeapTupleHeader) PageGetItem(page, line);
	tuple.t_len = row->length;
	tuple.t_self = row->place;
	tuple.t_tableOid = RelationGetRelid(LookupTable(lookup));
	return HeapTupleHeaderGetRawXmin(tuple.t_data) == row->xmin &&
		   memcmp((char *) tuple.t_data + tuple.t_data->t_hoff, row->mark, row->marked) == 0 &&
		   HeapTupleSatisfiesVisibility(&tuple, GetActiveSnapshot(), buffer);
}

/* True where the page of a row still has its tuple for the snapshot to see. */
static bool
is_visible(const Lookup *lookup, const KeptRow *row)
{
	bool there;

	if (!ReadRecentBuffer(row->file, MAIN_FORKNUM, ItemPointerGetBlockNumber(&row->place),
						  row->buffer))
		return false;
	LockBuffer(row->buffer, BUFFER_LOCK_SHARE);
	there = is_there(lookup, row, row->buffer);
	UnlockReleaseBuffer(row->buffer);
	return there;
}

/*
 * What stands for all that the snapshot sees: the end of it, where nobody was writing when it was
 * taken.  While that is the same nothing was committed that could have changed a row.  0 where others
 * write, or this transaction has, what its own commands see.
 */
static uint64
settled_by_now(void)
{
	Snapshot snapshot = GetActiveSnapshot();
	uint64 next;

	if (snapshot->xcnt > 0 || snapshot->subxcnt > 0 || snapshot->suboverflowed ||
		TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return 0;
	/* Numbers of transactions come round again; the snapshot's are less than half a round old. */
	next = U64FromFullTransactionId(ReadNextFullTransactionId());
	return next - (uint32) ((uint32) next - snapshot->xmax);
}

/* True where nothing can have changed a row since it was last looked at. */
static inline bool
is_settled(const KeptRow *row, uint64 settled)
{
	return settled != 0 && row->settled == settled;
}

/* True where a row is what the lookup would find now. */
static bool
is_true(const Lookup *lookup, KeptRow *row, uint64 settled)
{
	Relation table = LookupTable(lookup);

	if (!RelFileLocatorEquals(row->file, table->rd_locator) ||
		row->columns != LookupColumns(lookup) || row->slots > LookupModel(lookup)->item_slots)
		return false;
	if (!is_settled(row, settled))
	{
		if (!is_visible(lookup, row))
			return false;
		row->settled = settled;
	}
	pgstat_count_heap_fetch(table);
	return true;
}

/* Looks for the rows of some keys; of those that are not kept, or are true no more, *found has NULL. */
static void
find_rows(const Lookup *lookup, const Datum *keys, uint32 count, KeptRow **found)
{
	uint64 hash[KEPT_TOGETHER];
	uint64 settled = settled_by_now();

	Assert(count <= KEPT_TOGETHER);
	for (uint32 n = 0; n < count; n++)
	{
		hash[n] = LookupHash(lookup, keys[n]);
		__builtin_prefetch(&kept.bucket[hash[n] % kept.buckets]);
	}
	for (uint32 n = 0; n < count; n++)
		found[n] = find_row(lookup, hash[n], keys[n]);
	for (uint32 n = 0; n < count + AHEAD; n++)
	{
		if (n < count && found[n] && !is_settled(found[n], settled))
			send_for(found[n]);
		if (n < AHEAD || found[n - AHEAD] == NULL)
			continue;
		if (is_true(lookup, found[n - AHEAD], settled))
			found[n - AHEAD]->asked = true;
		else
			found[n - AHEAD] = NULL;
	}
}

void
KeptFind(const Lookup *lookup, const Datum *ids, uint32 count, const Packed **found)
{
	KeptRow *row[KEPT_TOGETHER];

	Assert(LookupBy(lookup) == LOOKUP_ITEM_ID);
	find_rows(lookup, ids, count, row);
	for (uint32 n = 0; n < count; n++)
		found[n] = row[n] ? &row[n]->packed : NULL;
}

void
KeptFindIds(const Lookup *lookup, const Datum *numbers, uint32 count, const Datum **found)
{
	KeptRow *row[KEPT_TOGETHER];

	Assert(LookupBy(lookup) == LOOKUP_ITEM_NO);
	find_rows(lookup, numbers, count, row);
	for (uint32 n = 0; n < count; n++)
		found[n] = row[n] ? &row[n]->item : NULL;
}

/* Lets rows go until there is room for another one; false where those are still in use. */
static bool
make_room(Size bytes)
{
	uint32 places = kept.buckets * WAYS;
	Size dropped = 0;

	if (bytes > kept.most)
		return false;
	for (uint32 passed = 0; kept.bytes + bytes > kept.most + dropped && passed < 2 * places;
		 passed++)
	{
		KeptRow **row = &kept.bucket[kept.hand / WAYS].row[kept.hand % WAYS];

		kept.hand = (kept.hand + 1) % places;
		if (*row == NULL)
			continue;
		if ((*row)->asked)
		{
			(*row)->asked = false;
			continue;
		}
		if (kept.users > 0)
			dropped += GetMemoryChunkSpace(*row);
		drop_row(row);
	}
	return kept.bytes + bytes <= kept.most;
}

/* The place for a row in its bucket: that of the same id, a free one, or that of one not asked for. */
static KeptRow **
choose_way(Bucket *bucket, uint64 hash)
{
	KeptRow **chosen = NULL;

	for (int w = 0; w < WAYS; w++)
		if (bucket->row[w] && bucket->hash[w] == hash)
			return &bucket->row[w];
	for (int w = 0; w < WAYS; w++)
		if (bucket->row[w] == NULL)
			return &bucket->row[w];
	for (int w = 0; w < WAYS && chosen == NULL; w++)
	{
		if (!bucket->row[w]->asked)
			chosen = &bucket->row[w];
		bucket->row[w]->asked = false;
	}
	return chosen ? chosen : &bucket->row[0];
}

/* Bytes of an id that is no number, 0 of one that is. */
static Size
id_bytes(IdKind kind, Datum id)
{
	return kind == ID_INTEGER ? 0 : datumGetSize(id, false, kind == ID_UUID ? UUID_LEN : -1);
}

/* An id, an own copy at some place where it is no number. */
static Datum
copy_id(Datum id, Size bytes, char *at)
{
	return bytes > 0 ? PointerGetDatum(memcpy(at, DatumGetPointer(id), bytes)) : id;
}

/* Copies the arrays of an opened row, and the id, behind the row that is to be kept. */
static void
copy_behind(KeptRow *row, const Packed *packed, Datum id, Size id_size)
{
	char *at = (char *) row + MAXALIGN(sizeof(KeptRow));
	Size arrays = sizeof(uint32) * packed->count;

	row->packed = *packed;
	row->packed.item = (uint32 *) at;
	row->packed.similarity = (float *) (at + arrays);
	row->packed.support = row->packed.end = NULL;
	memcpy(at, packed->item, arrays);
	memcpy(at + arrays, packed->similarity, arrays);
	row->key = copy_id(id, id_size, at + MAXALIGN(2 * arrays));
}

/* Notes the tuple that a row was found in. */
static void
copy_tuple(KeptRow *row, const Lookup *lookup, const LookupRow *found)
{
	const HeapTupleData *tuple = found->tuple;
	Size rest = tuple->t_len - tuple->t_data->t_hoff;

	row->file = LookupTable(lookup)->rd_locator;
	row->place = tuple->t_self;
	row->length = (uint16) tuple->t_len;
	row->xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
	row->buffer = found->buffer;
	row->begin = (uint16) ((char *) tuple->t_data - (char *) BufferGetPage(found->buffer));
	row->marked = (uint8) Min(MARK_MOST, rest);
	memcpy(row->mark, (char *) tuple->t_data + tuple->t_data->t_hoff, row->marked);
	row->columns = LookupColumns(lookup);
	row->slots = LookupModel(lookup)->item_slots;
	row->by = (uint8) LookupBy(lookup);
	row->kind = (uint8) LookupKind(lookup);
	row->settled = settled_by_now();
}

/* Memory for a row of so many bytes that was found; NULL where it is not to be kept. */
static KeptRow *
new_row(const Lookup *lookup, const LookupRow *found, Size bytes)
{
	KeptRow *row;

	if (found->tuple == NULL || is_spread() || !make_room(bytes))
		return NULL;
	row = MemoryContextAllocExtended(kept.context, bytes, MCXT_ALLOC_NO_OOM | MCXT_ALLOC_ZERO);
	if (row == NULL)
		return NULL;
	kept.bytes += GetMemoryChunkSpace(row);
	copy_tuple(row, lookup, found);
	return row;
}

/* Puts a row into its bucket, which may cost another its place. */
static void
put_row(const Lookup *lookup, KeptRow *row)
{
	uint64 hash = LookupHash(lookup, row->key);
	Bucket *bucket = &kept.bucket[hash % kept.buckets];
	KeptRow **place = choose_way(bucket, hash);

	if (*place)
		drop_row(place);
	*place = row;
	bucket->hash[place - bucket->row] = hash;
}

void
KeptAdd(const Lookup *lookup, Datum id, const LookupRow *found, const Packed *packed)
{
	Size id_size = id_bytes(LookupKind(lookup), id);
	Size bytes =
		MAXALIGN(sizeof(KeptRow)) + MAXALIGN(2 * sizeof(uint32) * (Size) packed->count) + id_size;
	KeptRow *row = new_row(lookup, found, bytes);

	if (row == NULL)
		return;
	copy_behind(row, packed, id, id_size);
	put_row(lookup, row);
}

void
KeptAddId(const Lookup *lookup, Datum number, const LookupRow *found)
{
	Size id_size = id_bytes(LookupModel(lookup)->item_kind, found->item);
	KeptRow *row = new_row(lookup, found, MAXALIGN(BY_NUMBER_BYTES) + id_size);

	if (row == NULL)
		return;
	row->key = number;
	row->item = copy_id(found->item, id_size, (char *) row + MAXALIGN(BY_NUMBER_BYTES));
	put_row(lookup, row);
}
