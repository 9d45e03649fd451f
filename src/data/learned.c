#include "data/learned.h"

#include "catalog/pg_type.h"
#include "data/kept.h"
#include "data/lookup.h"
#include "data/plan.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

void
LearnedRefuse(const Model *model)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
					errmsg("a row of \"%s.learned_item\" is damaged", model->name),
					errhint("Delete the rows of that table and run reco_refresh.")));
}

Datum
LearnedValue(const Model *model, uint64 row, int column)
{
	bool isnull;
	Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);

	if (isnull)
		LearnedRefuse(model);
	return value;
}

/* Bytes that scoring may read in place: aligned, and where opening writes, our own. */
static unsigned char *
readable(bytea *packed)
{
	unsigned char *bytes = (unsigned char *) VARDATA_ANY(packed);
	Size length = VARSIZE_ANY_EXHDR(packed);
	unsigned char *copy;

	if (!PACKED_WRITES_ON_OPEN && (uintptr_t) bytes % sizeof(uint32) == 0)
		return bytes;
	copy = palloc(Max(length, 1));
	memcpy(copy, bytes, length);
	return copy;
}

void
LearnedRefuseNeighbors(const Model *model, Datum item)
{
	Oid output;
	bool isvarlena;

	getTypeOutputInfo(IdType(model->item_kind), &output, &isvarlena);
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
					errmsg("the neighbours of item %s in model \"%s\" are damaged",
						   OidOutputFunctionCall(output, item), model->name),
					errhint("Run reco_refresh to learn them anew.")));
}

#define ST_SORT          sort_places
#define ST_ELEMENT_TYPE  uint64
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE         static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Rows in order of item number. */
static LearnedRow *
in_order(const LearnedRow *rows, uint32 count)
{
	uint64 *place = palloc_extended(sizeof(uint64) * Max(count, 1), MCXT_ALLOC_HUGE);
	LearnedRow *sorted = palloc_extended(sizeof(LearnedRow) * Max(count, 1), MCXT_ALLOC_HUGE);

	for (uint32 r = 0; r < count; r++)
		place[r] = (uint64) rows[r].packed.item_no << 32 | r;
	sort_places(place, count);
	for (uint32 r = 0; r < count; r++)
		sorted[r] = rows[(uint32) place[r]];
	pfree(place);
	return sorted;
}

/* A stored row opened, every byte of it checked. */
static Packed
open_row(const Model *model, Datum item, uint32 item_no, Datum neighbors)
{
	bytea *packed = DatumGetByteaPP(neighbors);
	Packed view;

	CHECK_FOR_INTERRUPTS();
	if (!PackedOpen(readable(packed), VARSIZE_ANY_EXHDR(packed), model->item_slots, &view) ||
		view.item_no != item_no)
		LearnedRefuseNeighbors(model, item);
	return view;
}

/* The columns item, item number and neighbours of every row. */
static const char *
select_rows(const Model *model)
{
	return psprintf("SELECT item_id::%s, item_no::pg_catalog.int4, neighbors::pg_catalog.bytea "
					"FROM ONLY %s.learned_item",
					IdTypeName(model->item_kind), model->quoted);
}

/* Memory that rows are copied to, one after the other: for each its own would cost more. */
typedef struct Room
{
	char *at;
	Size left;
} Room;

#define ROOM_PIECE 32768

static unsigned char *
take_room(Room *room, Size bytes)
{
	char *taken;

	bytes = MAXALIGN(bytes);
	if (room->left < bytes)
	{
		room->left = Max(bytes, ROOM_PIECE);
		room->at = palloc_extended(room->left, MCXT_ALLOC_HUGE);
	}
	taken = room->at;
	room->at += bytes;
	room->left -= bytes;
	return (unsigned char *) taken;
}

/* The row that was found for an id, copied and every byte of it checked. */
static LearnedRow
copy_row(const Model *model, uint32 id, const LookupRow *found, Room *room)
{
	bytea *packed = DatumGetByteaPP(found->neighbors);
	Size length = VARSIZE_ANY_EXHDR(packed);
	unsigned char *bytes = take_room(room, length);
	LearnedRow row = {.id = id};

	memcpy(bytes, VARDATA_ANY(packed), length);
	if (!PackedOpen(bytes, length, model->item_slots, &row.packed) ||
		row.packed.item_no != found->item_no)
		LearnedRefuseNeighbors(model, found->item);
	if ((Pointer) packed != DatumGetPointer(found->neighbors))
		pfree(packed);
	return row;
}

/* Rows while they are looked up. */
typedef struct Search
{
	const Model *model;
	Lookup *lookup;
	const IdSet *ids;
	bool kept; /* the session keeps rows */
	Room room;
	LearnedRow *rows;
	uint32 count;
} Search;

/* Looks up the row of an id, from the index. */
static void
look_up_row(Search *search, uint32 id, Datum item)
{
	LookupRow found;
	LearnedRow *row;
	uint32 known;

	if (!LookupFind(search->lookup, item, &found))
		return;
	/* Where a collation finds what is not that id, it is not believed. */
	known = IdSetFind(search->ids, found.item);
	if (known == ID_NONE)
		LearnedRefuse(search->model);
	if (known != id)
		return;
	row = &search->rows[search->count++];
	*row = copy_row(search->model, id, &found, &search->room);
	if (search->kept)
		KeptAdd(search->lookup, item, &found, &row->packed);
}

/* The rows of some ids, from those that the session keeps where it does. */
static void
look_up_some(Search *search, uint32 first, uint32 count)
{
	Datum item[KEPT_TOGETHER];
	const Packed *packed[KEPT_TOGETHER] = {NULL};

	for (uint32 n = 0; n < count; n++)
		item[n] = IdSetDatum(search->ids, first + n);
	if (search->kept)
		KeptFind(search->lookup, item, count, packed);
	for (uint32 n = 0; n < count; n++)
	{
		CHECK_FOR_INTERRUPTS();
		if (packed[n])
			search->rows[search->count++] = (LearnedRow){.id = first + n, .packed = *packed[n]};
		else
			look_up_row(search, first + n, item[n]);
	}
}

/* The rows of the ids of a set, from the index. */
static LearnedRow *
look_up_rows(Lookup *lookup, const Model *model, const IdSet *ids, bool supports, uint32 *count)
{
	uint32 all = IdSetCount(ids);
	Search search = {
		.model = model,
		.lookup = lookup,
		.ids = ids,
		.kept = !supports && KeptBegin(lookup),
		.rows = palloc_extended(sizeof(LearnedRow) * Max(all, 1), MCXT_ALLOC_HUGE),
	};

	for (uint32 first = 0; first < all; first += KEPT_TOGETHER)
		look_up_some(&search, first, Min(KEPT_TOGETHER, all - first));
	*count = search.count;
	return search.rows;
}

/* The same from SQL. */
static LearnedRow *
query_rows(const Model *model, const IdSet *ids, uint32 *count)
{
	Oid type = IdArrayType(model->item_kind);
	Datum array = IdSetArray(ids);
	LearnedRow *rows;

	*count = (uint32) PlanRun(
		psprintf("%s WHERE item_id OPERATOR(pg_catalog.=) ANY ($1)", select_rows(model)), 1, &type,
		&array, NULL);
	rows = palloc_extended(sizeof(LearnedRow) * Max(*count, 1), MCXT_ALLOC_HUGE);
	for (uint32 r = 0; r < *count; r++)
	{
		Datum item = LearnedValue(model, r, 1);

		/* Where a collation or a changed type finds more than was asked for, it is not believed. */
		rows[r].id = IdSetFind(ids, item);
		if (rows[r].id == ID_NONE)
			LearnedRefuse(model);
		rows[r].packed = open_row(model, item, DatumGetInt32(LearnedValue(model, r, 2)),
								  LearnedValue(model, r, 3));
	}
	return rows;
}

/* The rows of the ids of a set, with or without supports, in order of item number. */
static LearnedRow *
read_rows(const Model *model, const IdSet *ids, bool supports, uint32 *count)
{
	Lookup *lookup = LookupOpen(model, LOOKUP_ITEM_ID);
	LearnedRow *rows;

	if (lookup)
	{
		rows = look_up_rows(lookup, model, ids, supports, count);
		LookupClose(lookup);
	}
	else
		rows = query_rows(model, ids, count);
	return in_order(rows, *count);
}

LearnedRow *
LearnedRead(const Model *model, const IdSet *ids, uint32 *count)
{
	return read_rows(model, ids, false, count);
}

LearnedRow *
LearnedReadWhole(const Model *model, const IdSet *ids, uint32 *count)
{
	return read_rows(model, ids, true, count);
}

/* A walk over all rows, and who wants them. */
typedef struct Walk
{
	const Model *model;
	LearnedTakeItem take_item;
	LearnedTakeRow take_row;
	void *with;
	MemoryContext context; /* of one row */
} Walk;

/* Raises an error where one of the columns that come is NULL, which a refresh never writes. */
static void
check_nulls(const Walk *walk, const TupleTableSlot *row, int columns)
{
	for (int c = 0; c < columns; c++)
		if (row->tts_isnull[c])
			LearnedRefuse(walk->model);
}

static void
take_item(TupleTableSlot *row, void *with)
{
	Walk *walk = with;
	uint32 item_no = DatumGetInt32(row->tts_values[1]);

	check_nulls(walk, row, 2);
	if (item_no >= walk->model->item_slots)
		LearnedRefuse(walk->model);
	walk->take_item(row->tts_values[0], item_no, walk->with);
}

void
LearnedEachItem(const Model *model, LearnedTakeItem take, void *with)
{
	Walk walk = {.model = model, .take_item = take, .with = with};

	PlanStream(psprintf("SELECT item_id::%s, item_no::pg_catalog.int4 "
						"FROM ONLY %s.learned_item l ORDER BY l.item_no",
						IdTypeName(model->item_kind), model->quoted),
			   0, NULL, NULL, take_item, &walk);
}

static void
take_row(TupleTableSlot *row, void *with)
{
	Walk *walk = with;
	MemoryContext caller = MemoryContextSwitchTo(walk->context);
	Packed packed;

	check_nulls(walk, row, 3);
	packed = open_row(walk->model, row->tts_values[0], DatumGetInt32(row->tts_values[1]),
					  row->tts_values[2]);
	walk->take_row(&packed, walk->with);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(walk->context);
}

void
LearnedEachRow(const Model *model, LearnedTakeRow take, void *with)
{
	Walk walk = {.model = model, .take_row = take, .with = with};

	walk.context = AllocSetContextCreate(CurrentMemoryContext, "reco row", ALLOCSET_DEFAULT_SIZES);
	PlanStream(select_rows(model), 0, NULL, NULL, take_row, &walk);
	MemoryContextDelete(walk.context);
}

uint32 *
LearnedNumbers(const Model *model, const IdSet *ids, uint32 *count)
{
	Oid type = IdArrayType(model->item_kind);
	Datum array = IdSetArray(ids);
	uint64 found = PlanRun(psprintf("SELECT item_no::pg_catalog.int4 FROM ONLY %s.learned_item "
									"WHERE item_id OPERATOR(pg_catalog.=) ANY ($1)",
									model->quoted),
						   1, &type, &array, NULL);
	uint32 *numbers = palloc(sizeof(uint32) * Max(found, 1));

	*count = 0;
	for (uint64 r = 0; r < found; r++)
	{
		uint32 item_no = DatumGetInt32(LearnedValue(model, r, 1));

		/* What lies beyond the slots nothing can point to. */
		if (item_no < model->item_slots)
			numbers[(*count)++] = item_no;
	}
	SPI_freetuptable(SPI_tuptable);
	return numbers;
}

uint32 *
LearnedPlaces(const Model *model, const IdSet *ids, Budget *budget)
{
	Oid type = IdArrayType(model->item_kind);
	Datum array = IdSetArray(ids);
	uint64 found = PlanRun(psprintf("SELECT item_id::%s, item_no::pg_catalog.int4 "
									"FROM ONLY %s.learned_item "
									"WHERE item_id OPERATOR(pg_catalog.=) ANY ($1)",
									IdTypeName(model->item_kind), model->quoted),
						   1, &type, &array, NULL);
	uint32 *number = BudgetAlloc(budget, IdSetCount(ids), sizeof(uint32));

	memset(number, 0xff, sizeof(uint32) * IdSetCount(ids));
	for (uint64 r = 0; r < found; r++)
	{
		uint32 id = IdSetFind(ids, LearnedValue(model, r, 1));
		uint32 item_no = DatumGetInt32(LearnedValue(model, r, 2));

		if (id == ID_NONE)
			LearnedRefuse(model);
		if (item_no < model->item_slots)
			number[id] = item_no;
	}
	SPI_freetuptable(SPI_tuptable);
	return number;
}

uint32 *
LearnedIds(const Model *model, const uint32 *item_no, uint32 count, IdSet *ids)
{
	Oid type = INT4ARRAYOID;
	Datum *values = palloc_extended(sizeof(Datum) * Max(count, 1), MCXT_ALLOC_HUGE);
	uint32 *numbers;
	Datum array;
	uint64 found;

	for (uint32 n = 0; n < count; n++)
		values[n] = Int32GetDatum((int32) item_no[n]);
	array = PointerGetDatum(construct_array(values, (int) count, INT4OID, 4, true, TYPALIGN_INT));
	found = PlanRun(psprintf("SELECT item_id::%s, item_no::pg_catalog.int4 "
							 "FROM ONLY %s.learned_item "
							 "WHERE item_no OPERATOR(pg_catalog.=) ANY ($1)",
							 IdTypeName(model->item_kind), model->quoted),
					1, &type, &array, NULL);

	numbers = palloc(sizeof(uint32) * Max(found, 1));
	for (uint64 r = 0; r < found; r++)
	{
		uint32 number = DatumGetInt32(LearnedValue(model, r, 2));

		if (number >= model->item_slots || IdSetAdd(ids, LearnedValue(model, r, 1)) != r)
			LearnedRefuse(model);
		numbers[r] = number;
	}
	SPI_freetuptable(SPI_tuptable);
	pfree(values);
	return numbers;
}

/* Every item while it is read. */
typedef struct AllReader
{
	const Model *model;
	uint32 about;
	LearnedAll *all;
	Budget *budget;
	uint32 room;
	uint32 *number; /* in ids, by item_no */
	float *similarity;
} AllReader;

/* Takes one item, in order of item number: id, number, users. */
static void
take_all_item(TupleTableSlot *slot, void *with)
{
	AllReader *reader = with;
	LearnedAll *all = reader->all;
	uint32 item_no = DatumGetInt32(slot->tts_values[1]);

	if (slot->tts_isnull[0] || slot->tts_isnull[1] || slot->tts_isnull[2] ||
		item_no >= reader->model->item_slots)
		LearnedRefuse(reader->model);
	if (all->count == reader->room)
	{
		reader->room = Max(1024, reader->room * 2);
		all->row = BudgetResize(reader->budget, all->row, reader->room, sizeof(Packed));
		all->users = BudgetResize(reader->budget, all->users, reader->room, sizeof(int32));
	}
	all->row[all->count] = (Packed){.item_no = item_no};
	all->users[all->count] = DatumGetInt32(slot->tts_values[2]);
	reader->number[item_no] = all->count;
	if (IdSetAdd(all->ids, slot->tts_values[0]) != all->count++)
		LearnedRefuse(reader->model);
}

/* Takes of a row what it says about the item asked about. */
static void
take_about(const Packed *packed, void *with)
{
	AllReader *reader = with;
	uint32 number = reader->number[packed->item_no];
	Packed *row;

	if (number == ID_NONE)
		LearnedRefuse(reader->model);
	row = &reader->all->row[number];
	row->most = packed->most;
	row->item = &reader->all->about;
	row->similarity = &reader->similarity[number];
	for (uint32 n = 0; n < packed->scored && row->scored == 0; n++)
		if (packed->item[n] == reader->about)
		{
			reader->similarity[number] = packed->similarity[n];
			row->scored = row->count = 1;
			row->content = n < packed->content;
		}
}

LearnedAll *
LearnedReadAll(const Model *model, uint32 about, Budget *budget)
{
	LearnedAll *all = BudgetZeroed(budget, 1, sizeof(LearnedAll));
	AllReader reader = {.model = model, .about = about, .all = all, .budget = budget};

	all->about = about;
	all->ids = IdSetCreate(model->item_kind, budget);
	reader.number = BudgetAlloc(budget, model->item_slots, sizeof(uint32));
	memset(reader.number, 0xff, sizeof(uint32) * model->item_slots);
	PlanStream(psprintf("SELECT item_id::%s, item_no::pg_catalog.int4, users::pg_catalog.int4 "
						"FROM ONLY %s.learned_item ORDER BY 2",
						IdTypeName(model->item_kind), model->quoted),
			   0, NULL, NULL, take_all_item, &reader);
	if (about != ID_NONE)
	{
		reader.similarity = BudgetZeroed(budget, all->count, sizeof(float));
		LearnedEachRow(model, take_about, &reader);
	}
	BudgetFree(budget, reader.number);
	return all;
}

/*
 * One number of one item's row; false where there is none.  Compared with one id and not with an
 * array of one, the statement keeps its plan: that of an array would be made anew each time.
 */
static bool
read_number(const Model *model, Datum item, const char *column, int32 *value)
{
	Oid type = IdType(model->item_kind);
	bool found = PlanRun(psprintf("SELECT %s::pg_catalog.int4 FROM ONLY %s.learned_item "
								  "WHERE item_id OPERATOR(pg_catalog.=) $1",
								  column, model->quoted),
						 1, &type, &item, NULL) > 0;

	if (found)
		*value = DatumGetInt32(LearnedValue(model, 0, 1));
	SPI_freetuptable(SPI_tuptable);
	return found;
}

bool
LearnedNumber(const Model *model, Datum item, uint32 *item_no)
{
	Lookup *lookup = LookupOpen(model, LOOKUP_ITEM_ID);
	LookupRow row;
	int32 number;
	bool found;

	if (lookup)
	{
		found = LookupFind(lookup, item, &row);
		*item_no = found ? row.item_no : 0;
		LookupClose(lookup);
	}
	else
	{
		found = read_number(model, item, "item_no", &number);
		*item_no = found ? (uint32) number : 0;
	}
	if (!found)
		return false;

	/* What lies beyond the slots nothing can point to. */
	return *item_no < model->item_slots;
}

int32
LearnedUsers(const Model *model, Datum item)
{
	int32 users;

	return read_number(model, item, "users", &users) ? users : 0;
}
