/*
 * learnedwrite.c: items keep the numbers they had, the neighbours of each are packed under these, and
 * rows are written many at a time.
 */
#include "data/learnedwrite.h"

#include <math.h>

#include "access/toast_internals.h"
#include "base/interrupts.h"
#include "base/progress.h"
#include "catalog/pg_type.h"
#include "data/learned.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* What an index of btrees holds of a text: a third of a page, but for what pages and rows have besides. */
#define INDEXED_MOST 2696

/* As much of an id as a message has room for. */
#define SHOWN_MOST 64

void
LearnedCheckIds(const Model *model, const IdSet *ids)
{
	for (uint32 n = 0; IdSetKind(ids) == ID_TEXT && n < IdSetCount(ids); n++)
	{
		uint64 room;
		uint32 length;
		const char *bytes = (const char *) IdSetBytes(ids, n, &room, &length);
		Datum id;
		Datum packed;
		bool fits;

		INTERRUPTS_AT(n);
		if (length + VARHDRSZ <= INDEXED_MOST)
			continue;

		/* As the index does with what is long. */
		id = IdSetDatum(ids, n);
		packed = toast_compress_datum(id, InvalidCompressionMethod);
		fits = DatumGetPointer(packed) && VARSIZE_ANY(DatumGetPointer(packed)) <= INDEXED_MOST;
		pfree(DatumGetPointer(id));
		if (DatumGetPointer(packed))
			pfree(DatumGetPointer(packed));
		if (fits)
			continue;
		ereport(
			ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("item \"%s\" and so on, %u bytes, is too long an id for model \"%s\"",
					pnstrdup(bytes, pg_mbcliplen(bytes, (int) length, SHOWN_MOST)), length,
					model->name),
			 errhint("An index holds some %d bytes.  Have the queries of the model leave such "
					 "items out, or give all a hash of what is so long: md5(...)::uuid AS item_id.",
					 INDEXED_MOST)));
	}
}

/*
 * The numbers items had before, by their place in ids: ID_NONE for the new.  Those of items that are
 * gone are added to gone.  Returns the first number never used.
 */
static uint32
old_numbers(const Model *model, const IdSet *ids, const bool *kept, uint32 *number, List **gone)
{
	char *sql = psprintf("SELECT item_id::%s, item_no::pg_catalog.int4 FROM ONLY %s.learned_item",
						 IdTypeName(model->item_kind), model->quoted);
	SPIPlanPtr plan = SPI_prepare(sql, 0, NULL);
	Portal portal;
	uint32 next = 0;

	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", sql, SPI_result_code_string(SPI_result));
	memset(number, 0xff, sizeof(uint32) * IdSetCount(ids));
	portal = SPI_cursor_open(NULL, plan, NULL, NULL, false);
	for (;;)
	{
		SPI_cursor_fetch(portal, true, 1000);
		if (SPI_processed == 0)
			break;
		for (uint64 r = 0; r < SPI_processed; r++)
		{
			uint32 item_no = DatumGetInt32(LearnedValue(model, r, 2));
			uint32 id = IdSetFind(ids, LearnedValue(model, r, 1));

			if (id == ID_NONE || !kept[id])
				*gone = lappend_int(*gone, (int) item_no);
			else
			{
				number[id] = item_no;
				next = Max(next, item_no + 1);
			}
		}
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	SPI_freeplan(plan);
	return next;
}

/* Deletes the items of these numbers; returns how many there were. */
static uint64
delete_items(const Model *model, const List *numbers)
{
	const char *sql = psprintf(
		"DELETE FROM %s.learned_item WHERE item_no OPERATOR(pg_catalog.=) ANY ($1)", model->quoted);
	Oid type = INT4ARRAYOID;
	Datum *value;
	Datum array;
	ListCell *cell;
	int n = 0;

	if (numbers == NIL)
		return 0;
	value = palloc(sizeof(Datum) * list_length(numbers));
	foreach (cell, numbers)
		value[n++] = Int32GetDatum(lfirst_int(cell));
	array = PointerGetDatum(construct_array(value, n, INT4OID, 4, true, TYPALIGN_INT));
	if (SPI_execute_with_args(sql, 1, &type, &array, NULL, false, 0) != SPI_OK_DELETE)
		elog(ERROR, "could not delete items of model \"%s\"", model->name);
	return SPI_processed;
}

/* A number for every item to be written: its old one, or the next; *slots is then above all. */
static uint32 *
number_items(const Model *model, const IdSet *ids, const LearnedItem *items, uint32 count,
			 uint32 *slots, uint64 *deleted, Budget *budget)
{
	uint32 *old = BudgetAllocResult(budget, IdSetCount(ids), sizeof(uint32));
	uint32 *number = BudgetAllocResult(budget, count, sizeof(uint32));
	bool *kept = BudgetZeroed(budget, IdSetCount(ids), sizeof(bool));
	List *gone = NIL;
	uint32 next;

	for (uint32 i = 0; i < count; i++)
		kept[items[i].id] = true;
	next = old_numbers(model, ids, kept, old, &gone);
	BudgetFree(budget, kept);
	*deleted = delete_items(model, gone);

	if (next > (uint64) count * (1 + MODEL_GAPS_PER_ITEM))
	{
		/* The unique index would refuse a number that another row still has: start empty. */
		if (SPI_execute(psprintf("DELETE FROM %s.learned_item", model->quoted), false, 0) !=
			SPI_OK_DELETE)
			elog(ERROR, "could not empty the table of model \"%s\"", model->name);
		memset(old, 0xff, sizeof(uint32) * IdSetCount(ids));
		next = 0;
	}
	for (uint32 i = 0; i < count; i++)
	{
		number[i] = old[items[i].id];
		if (number[i] == ID_NONE)
			number[i] = next++;
	}
	if (next > PG_INT32_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("model \"%s\" has more items than can be numbered", model->name)));
	BudgetFree(budget, old);
	*slots = next;
	return number;
}

/*
 * The neighbours of an item under their stored numbers, packed into room: of what is scored those
 * that no user stands behind come first.
 */
static void
pack(bytea *room, uint32 item_no, const LearnedItem *item, const uint32 *number, Best *scratch)
{
	Size length;
	uint32 content = 0;
	uint32 others;

	for (uint32 n = 0; n < item->scored; n++)
		content += item->neighbors[n].support == 0;
	others = content;
	content = 0;
	for (uint32 n = 0; n < item->neighbor_count; n++)
	{
		bool by_content = n < item->scored && item->neighbors[n].support == 0;
		Best *at = &scratch[by_content ? content++ : others++];

		*at = item->neighbors[n];
		at->index = number[item->neighbors[n].index];
	}
	length = PackedWrite((unsigned char *) VARDATA(room), item_no, scratch, item->scored,
						 item->neighbor_count);
	SET_VARSIZE(room, VARHDRSZ + length);
}

/* The columns of the table but item_id, in the order of the parameters. */
static const char *const columns[] = {"item_no",         "events",      "users",
									  "popularity_log2", "recent_log2", "trending_rank",
									  "first_at",        "last_at",     "neighbors"};

#define LEARNED_COLUMNS (lengthof(columns) + 1)

/* Their names with a prefix, between commas. */
static const char *
column_list(const char *prefix)
{
	StringInfoData list;

	initStringInfo(&list);
	for (size_t c = 0; c < lengthof(columns); c++)
		appendStringInfo(&list, "%s%s%s", c == 0 ? "" : ", ", prefix, columns[c]);
	return list.data;
}

/* Rows are written so many at a time, or when their neighbours take so many bytes. */
#define ROWS_AT_ONCE  256
#define BYTES_AT_ONCE 32768

/* Rows that wait to be written together. */
typedef struct Batch
{
	SPIPlanPtr plan;
	MemoryContext context; /* of what lies in the rows */
	Oid type[LEARNED_COLUMNS];
	int count;
	Size bytes;
	Datum value[LEARNED_COLUMNS][ROWS_AT_ONCE];
	bool isnull[LEARNED_COLUMNS][ROWS_AT_ONCE];
	uint64 written;
} Batch;

/* The statement that writes rows, from an array of each column, and leaves those alone that say the same. */
static const char *
write_statement(const Model *model)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql,
					 "INSERT INTO %s.learned_item AS l (item_id, %s) SELECT * FROM ROWS FROM (",
					 model->quoted, column_list(""));
	for (size_t c = 0; c < LEARNED_COLUMNS; c++)
		appendStringInfo(&sql, "%spg_catalog.unnest($%d)", c == 0 ? "" : ", ", (int) c + 1);
	appendStringInfo(&sql,
					 ") ON CONFLICT (item_id) DO UPDATE SET (%s) = (%s) "
					 "WHERE (%s) IS DISTINCT FROM (%s)",
					 column_list(""), column_list("excluded."), column_list("l."),
					 column_list("excluded."));
	return sql.data;
}

static Batch *
open_batch(const Model *model)
{
	const Oid types[LEARNED_COLUMNS] = {
		IdType(model->item_kind), INT4OID,        INT8OID, INT4OID, FLOAT8OID, FLOAT8OID, INT4OID,
		TIMESTAMPTZOID,           TIMESTAMPTZOID, BYTEAOID};
	Batch *batch = palloc0(sizeof(Batch));
	const char *sql = write_statement(model);
	Oid arrays[LEARNED_COLUMNS];

	memcpy(batch->type, types, sizeof(types));
	for (size_t c = 0; c < LEARNED_COLUMNS; c++)
		arrays[c] = get_array_type(types[c]);
	batch->plan = SPI_prepare(sql, lengthof(arrays), arrays);
	if (batch->plan == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", sql, SPI_result_code_string(SPI_result));
	batch->context =
		AllocSetContextCreate(CurrentMemoryContext, "reco rows", ALLOCSET_DEFAULT_SIZES);
	return batch;
}

/* Writes what waits. */
static void
write_batch(const Model *model, Batch *batch)
{
	MemoryContext caller;
	Datum arrays[LEARNED_COLUMNS];
	int least = 1;

	if (batch->count == 0)
		return;
	caller = MemoryContextSwitchTo(batch->context);
	for (size_t c = 0; c < LEARNED_COLUMNS; c++)
	{
		int16 length;
		bool byval;
		char align;

		get_typlenbyvalalign(batch->type[c], &length, &byval, &align);
		arrays[c] =
			PointerGetDatum(construct_md_array(batch->value[c], batch->isnull[c], 1, &batch->count,
											   &least, batch->type[c], length, byval, align));
	}
	MemoryContextSwitchTo(caller);
	if (SPI_execute_plan(batch->plan, arrays, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write items of model \"%s\"", model->name);
	batch->written += SPI_processed;
	batch->count = 0;
	batch->bytes = 0;
	MemoryContextReset(batch->context);
}

static void
close_batch(Batch *batch)
{
	SPI_freeplan(batch->plan);
	MemoryContextDelete(batch->context);
	pfree(batch);
}

static Datum
seconds_datum(int64 seconds)
{
	return TimestampTzGetDatum(seconds == LEARNED_ALWAYS ? DT_NOBEGIN : seconds * USECS_PER_SEC);
}

/* Has the row of an item wait; its neighbours are copied. */
static void
add_row(Batch *batch, const IdSet *ids, const LearnedItem *item, uint32 item_no,
		const bytea *packed, bool timed)
{
	MemoryContext caller = MemoryContextSwitchTo(batch->context);
	int r = batch->count++;
	bool known = timed && item->events > 0;
	const Datum values[LEARNED_COLUMNS] = {
		IdSetDatum(ids, item->id),
		Int32GetDatum((int32) item_no),
		Int64GetDatum(item->events),
		Int32GetDatum(item->users),
		Float8GetDatum(item->popularity_log2),
		Float8GetDatum(item->recent_log2),
		Int32GetDatum(item->trending_rank),
		seconds_datum(item->first_seconds),
		seconds_datum(item->last_seconds),
		PointerGetDatum(memcpy(palloc(VARSIZE(packed)), packed, VARSIZE(packed))),
	};
	const bool nulls[LEARNED_COLUMNS] = {
		[4] = isnan(item->popularity_log2),
		[5] = isnan(item->recent_log2),
		[6] = item->trending_rank == 0,
		[7] = !known,
		[8] = !known,
	};

	for (size_t c = 0; c < LEARNED_COLUMNS; c++)
	{
		batch->value[c][r] = values[c];
		batch->isnull[c][r] = nulls[c];
	}
	batch->bytes += VARSIZE(packed);
	MemoryContextSwitchTo(caller);
}

uint64
LearnedWrite(const Model *model, const IdSet *ids, const LearnedItem *items, uint32 count,
			 bool timed, uint32 *slots, Budget *budget)
{
	uint64 written = 0;
	uint32 *number;
	Batch *batch;
	uint32 longest = 0;
	bytea *room;
	Best *scratch;

	ModelNeedsTable(model, "learned_item");
	number = number_items(model, ids, items, count, slots, &written, budget);
	batch = open_batch(model);
	for (uint32 i = 0; i < count; i++)
		longest = Max(longest, items[i].neighbor_count);
	if (longest > (MaxAllocSize / 2 - VARHDRSZ - PACKED_HEADER) / PACKED_PER_NEIGHBOR)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("an item of model \"%s\" has %u neighbours, too many to store",
							   model->name, longest),
						errhint("Lower the setting \"neighbors\".")));
	room = BudgetAllocResult(budget,
							 (uint64) longest * PACKED_PER_NEIGHBOR + PACKED_HEADER + VARHDRSZ, 1);
	scratch = BudgetAllocResult(budget, longest, sizeof(Best));

	for (uint32 i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		pack(room, number[i], &items[i], number, scratch);
		add_row(batch, ids, &items[i], number[i], room, timed);
		if (batch->count < ROWS_AT_ONCE && batch->bytes < BYTES_AT_ONCE)
			continue;
		write_batch(model, batch);
		ProgressDone((uint64) i + 1);
	}
	write_batch(model, batch);
	ProgressDone(count);

	written += batch->written;
	close_batch(batch);
	BudgetFree(budget, room);
	BudgetFree(budget, scratch);
	BudgetFree(budget, number);
	return written;
}
