/*
 * cells.c: a list of cells that sums its repeats now and then, and its flat form.
 *
 * Repeats are summed when the list has doubled since they last were, so that it never holds more
 * than twice its different cells.  Flat, it is the image of math/image.h, in the order of the ids.
 */
#include "data/cells.h"

#include <math.h>

#include "math/image.h"
#include "mb/pg_wchar.h"
#include "utils/float.h"
#include "utils/memutils.h"

#define CELLS_MAGIC 0x7265636f

/* Cells there may be before repeats are summed for the first time. */
#define FIRST_CELLS 256

static Size flat_size_of(ExpandedObjectHeader *header);
static void flatten(ExpandedObjectHeader *header, void *result, Size size);

static const ExpandedObjectMethods methods = {flat_size_of, flatten};

Cells *
CellsCreate(MemoryContext parent, IdKind user_kind, IdKind item_kind)
{
	MemoryContext context =
		AllocSetContextCreate(parent, "reco matrix", ALLOCSET_START_SMALL_SIZES);
	Cells *matrix = MemoryContextAllocZero(context, sizeof(Cells));

	EOH_init_header(&matrix->header, &methods, context);
	matrix->magic = CELLS_MAGIC;
	matrix->budget = BudgetCreate(context, "reco_matrix", SIZE_MAX);
	matrix->users = IdSetCreate(user_kind, matrix->budget);
	matrix->items = IdSetCreate(item_kind, matrix->budget);
	return matrix;
}

static int
compare_cells(const Cell *a, const Cell *b)
{
	if (a->user != b->user)
		return a->user < b->user ? -1 : 1;
	if (a->item != b->item)
		return a->item < b->item ? -1 : 1;
	return a->weight < b->weight ? -1 : a->weight > b->weight;
}

#define ST_SORT          sort_cells
#define ST_ELEMENT_TYPE  Cell
#define ST_COMPARE(a, b) compare_cells(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

double
CellsSum(double sum)
{
	if (!isfinite(sum))
		float_overflow_error();
	return sum;
}

/*
 * Raises the error of a sum that is out of range.  Whoever catches it may go on with the matrix, so those not summed
 * yet close up with those that are.
 */
static void
refuse_sum(Cells *matrix, uint64 kept, uint64 next)
{
	memmove(matrix->cell + kept, matrix->cell + next, sizeof(Cell) * (matrix->count - next));
	matrix->count -= next - kept;
	matrix->summed = 0;
	float_overflow_error();
}

/* Sorts the cells and sums what is there more than once. */
static void
sum_repeats(Cells *matrix)
{
	uint64 kept = 0;

	if (matrix->summed == matrix->count)
		return;
	sort_cells(matrix->cell, matrix->count);
	for (uint64 c = 0; c < matrix->count; c++)
	{
		Cell *last = kept > 0 ? &matrix->cell[kept - 1] : NULL;

		if (last == NULL || last->user != matrix->cell[c].user ||
			last->item != matrix->cell[c].item)
			matrix->cell[kept++] = matrix->cell[c];
		else if (isfinite(last->weight + matrix->cell[c].weight))
			last->weight += matrix->cell[c].weight;
		else
			refuse_sum(matrix, kept, c);
	}
	matrix->count = matrix->summed = kept;
}

void
CellsAppend(Cells *matrix, Cell cell)
{
	if (matrix->count == matrix->room)
	{
		sum_repeats(matrix);
		if (matrix->count >= matrix->room / 2)
		{
			matrix->room = Max(FIRST_CELLS, matrix->room * 2);
			matrix->cell = BudgetResize(matrix->budget, matrix->cell, matrix->room, sizeof(Cell));
		}
	}
	matrix->cell[matrix->count++] = cell;
	matrix->flat_size = 0;
	if (matrix->user_rank)
	{
		BudgetFree(matrix->budget, matrix->user_rank);
		BudgetFree(matrix->budget, matrix->item_rank);
		matrix->user_rank = matrix->item_rank = NULL;
	}
}

void
CellsRefuse(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED), errmsg("value of type reco_matrix is damaged")));
}

/*
 * Puts the ids of an image into an empty set; place[] gets their numbers.  Texts are checked where
 * they come from outside.
 */
static uint32 *
add_ids(IdSet *set, const ImageIds *ids, bool outside)
{
	uint32 *place = palloc_extended(sizeof(uint32) * Max((Size) ids->count, 1), MCXT_ALLOC_HUGE);
	const unsigned char *at = ids->bytes;

	for (uint32 n = 0; n < ids->count; n++)
	{
		uint32 length = ids->width > 0 ? ids->width : ImageGet32(ids->lengths + 4 * (Size) n);

		if (outside && ids->width == 0)
			pg_verifymbstr((const char *) at, (int) length, false);
		place[n] = IdSetAddBytes(set, at, length);
		at += length;
	}
	if (IdSetCount(set) != ids->count)
		CellsRefuse();
	return place;
}

/* Adds every cell of an image to a matrix of the same kinds. */
static void
add_image(Cells *matrix, const Image *image, bool outside)
{
	uint32 *user = add_ids(matrix->users, &image->users, outside);
	uint32 *item = add_ids(matrix->items, &image->items, outside);
	uint64 cell = 0;

	for (uint32 u = 0; u < image->users.count; u++)
	{
		uint32 count = ImageGet32(image->counts + 4 * (Size) u);

		CHECK_FOR_INTERRUPTS();
		for (uint32 n = 0; n < count; n++, cell++)
			CellsAppend(matrix, (Cell){user[u], item[ImageGet32(image->columns + 4 * cell)],
									   ImageGetDouble(image->weights + 8 * cell)});
	}
	pfree(user);
	pfree(item);
}

Cells *
CellsFromImage(const unsigned char *bytes, Size length, MemoryContext parent, bool outside)
{
	Cells *matrix;
	Image image;

	if (!ImageOpen(bytes, length, &image))
		CellsRefuse();
	matrix = CellsCreate(parent, image.user_kind, image.item_kind);
	add_image(matrix, &image, outside);
	return matrix;
}

Cells *
CellsGet(Datum datum, MemoryContext parent)
{
	struct varlena *flat;

	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum)))
	{
		Cells *matrix = (Cells *) DatumGetEOHP(datum);

		Assert(matrix->magic == CELLS_MAGIC);
		return matrix;
	}
	flat = PG_DETOAST_DATUM_PACKED(datum);
	return CellsFromImage((unsigned char *) VARDATA_ANY(flat), VARSIZE_ANY_EXHDR(flat), parent,
						  false);
}

void
CellsAdd(Cells *into, const Cells *from)
{
	for (uint64 c = 0; c < from->count; c++)
	{
		uint64 room;
		uint32 length;
		const unsigned char *bytes = IdSetBytes(from->users, from->cell[c].user, &room, &length);
		Cell cell = {.user = IdSetAddBytes(into->users, bytes, length),
					 .weight = from->cell[c].weight};

		bytes = IdSetBytes(from->items, from->cell[c].item, &room, &length);
		cell.item = IdSetAddBytes(into->items, bytes, length);
		CellsAppend(into, cell);
	}
}

Cells *
CellsGetWritable(Datum datum, MemoryContext parent)
{
	Cells *from;
	Cells *copy;

	if (VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(datum)))
		return CellsGet(datum, parent);
	if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum)))
		return CellsGet(datum, parent);

	from = CellsGet(datum, parent);
	copy = CellsCreate(parent, IdSetKind(from->users), IdSetKind(from->items));
	CellsAdd(copy, from);
	return copy;
}

uint32 *
CellsByRank(const uint32 *rank, uint32 count)
{
	uint32 *number = palloc_extended(sizeof(uint32) * Max((Size) count, 1), MCXT_ALLOC_HUGE);

	for (uint32 n = 0; n < count; n++)
		number[rank[n]] = n;
	return number;
}

Cell *
CellsSorted(Cells *matrix)
{
	Cell *sorted;

	CellsArrange(matrix);
	sorted = palloc_extended(sizeof(Cell) * Max(matrix->count, 1), MCXT_ALLOC_HUGE);
	for (uint64 c = 0; c < matrix->count; c++)
		sorted[c] = (Cell){matrix->user_rank[matrix->cell[c].user],
						   matrix->item_rank[matrix->cell[c].item], matrix->cell[c].weight};
	sort_cells(sorted, matrix->count);
	return sorted;
}

/* The bytes of all ids of a set in an image. */
static Size
ids_size(const IdSet *set)
{
	uint32 width = ImageWidth(IdSetKind(set));
	Size size = 0;

	if (width > 0)
		return (Size) IdSetCount(set) * width;
	for (uint32 n = 0; n < IdSetCount(set); n++)
	{
		uint64 room;
		uint32 length;

		IdSetBytes(set, n, &room, &length);
		size += sizeof(uint32) + length;
	}
	return size;
}

/* Puts ids in an image in the order of their ranks. */
static unsigned char *
put_ids(unsigned char *out, const IdSet *set, const uint32 *rank)
{
	uint32 count = IdSetCount(set);
	uint32 *sorted = CellsByRank(rank, count);
	uint64 room;
	uint32 length;

	if (ImageWidth(IdSetKind(set)) == 0)
		for (uint32 n = 0; n < count; n++)
		{
			IdSetBytes(set, sorted[n], &room, &length);
			out = ImagePut32(out, length);
		}
	for (uint32 n = 0; n < count; n++)
	{
		const unsigned char *bytes = IdSetBytes(set, sorted[n], &room, &length);

		memcpy(out, bytes, length);
		out += length;
	}
	pfree(sorted);
	return out;
}

/* The first half of flattening: sums repeats and puts ids in order. */
static Size
flat_size_of(ExpandedObjectHeader *header)
{
	Cells *matrix = (Cells *) header;

	Assert(matrix->magic == CELLS_MAGIC);
	if (matrix->flat_size == 0)
	{
		Size size = IMAGE_HEADER;

		sum_repeats(matrix);
		size += ids_size(matrix->users) + ids_size(matrix->items);
		size += sizeof(uint32) * (Size) IdSetCount(matrix->users) + 12 * matrix->count;
		if (size > MaxAllocSize - VARHDRSZ)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("matrix of %zu bytes is too large for a value", size),
							errhint("Use a model, which has no such limit.")));
		matrix->user_rank = IdSetRanks(matrix->users);
		matrix->item_rank = IdSetRanks(matrix->items);
		matrix->flat_size = size + VARHDRSZ;
	}
	return matrix->flat_size;
}

/*
 * The second half: writes the image.  What it needs meanwhile is the matrix's own memory: the
 * caller's may be a sort's, which since 17 cannot free a piece.
 */
static void
flatten(ExpandedObjectHeader *header, void *result, Size size)
{
	Cells *matrix = (Cells *) header;
	uint32 users = IdSetCount(matrix->users);
	unsigned char *image = (unsigned char *) VARDATA(result);
	unsigned char *out = image;
	MemoryContext caller = MemoryContextSwitchTo(matrix->header.eoh_context);
	Cell *sorted = CellsSorted(matrix);
	uint32 *counts =
		palloc_extended(sizeof(uint32) * Max((Size) users, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	Assert(size == matrix->flat_size && matrix->user_rank);
	for (uint64 n = 0; n < matrix->count; n++)
		counts[sorted[n].user]++;

	SET_VARSIZE(result, size);
	*out++ = 'M';
	*out++ = IMAGE_VERSION;
	*out++ = (unsigned char) IdSetKind(matrix->users);
	*out++ = (unsigned char) IdSetKind(matrix->items);
	out = ImagePut32(out, users);
	out = ImagePut32(out, IdSetCount(matrix->items));
	out = ImagePut32(out, 0);
	out = ImagePut64(out, matrix->count);
	out = put_ids(out, matrix->users, matrix->user_rank);
	out = put_ids(out, matrix->items, matrix->item_rank);
	for (uint32 u = 0; u < users; u++)
		out = ImagePut32(out, counts[u]);
	for (uint64 c = 0; c < matrix->count; c++)
		out = ImagePut32(out, sorted[c].item);
	for (uint64 c = 0; c < matrix->count; c++)
		out = ImagePutDouble(out, sorted[c].weight);
	ImagePut32(image + IMAGE_SUM, ImageSum(image, out - image));
	Assert(out == (unsigned char *) result + size);
	pfree(sorted);
	pfree(counts);
	MemoryContextSwitchTo(caller);
}


void
CellsArrange(Cells *matrix)
{
	flat_size_of(&matrix->header);
}

Datum
CellsDatum(Cells *matrix)
{
	return EOHPGetRWDatum(&matrix->header);
}
