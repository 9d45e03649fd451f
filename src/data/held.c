#include "data/held.h"

#include "base/pages.h"
#include "data/learned.h"
#include "math/sparse.h"

/* Rows of a walk that are fetched at a time. */
#define BATCH 4096

/* Of what is left, the memory that maps of long columns may take. */
#define MAPS_PART 4

/* The same of copies in large pages, for all processes. */
#define COPIES_PART 4

/* A model while it is read. */
typedef struct HeldReader
{
	const Model *model;
	Budget *budget;
	Held *held;
	bool *in_catalogue; /* by item_no */
	bool *is_new;       /* by number, of what was learned: the walk of the new has it already */
	/* Rows one after the other as they come: where each begins, by number. */
	uint64 *begin;
	uint32 *item;
	float *similarity;
	uint64 pairs;
	uint64 room;
} HeldReader;

static void
take_item(Datum item, uint32 item_no, void *with)
{
	HeldReader *reader = with;
	Held *held = reader->held;
	uint32 number = IdSetAdd(held->ids, item);

	if (number != held->learned)
		LearnedRefuse(reader->model);
	held->number[item_no] = number;
	held->learned++;
}

/* Room for as many pairs more. */
static void
make_room(HeldReader *reader, uint32 more)
{
	if (reader->pairs + more <= reader->room)
		return;
	reader->room = Max(reader->pairs + more, reader->room + reader->room / 2 + 1024);
	reader->item = BudgetResize(reader->budget, reader->item, reader->room, sizeof(uint32));
	reader->similarity =
		BudgetResize(reader->budget, reader->similarity, reader->room, sizeof(float));
}

/* Takes of a row what may be recommended. */
static void
take_row(const Packed *packed, void *with)
{
	HeldReader *reader = with;
	uint32 number = reader->held->number[packed->item_no];
	Packed *row;

	if (number == ID_NONE)
		LearnedRefuse(reader->model);
	row = &reader->held->row[number];
	*row = (Packed){.item_no = packed->item_no, .most = packed->most};
	reader->begin[number] = reader->pairs;
	make_room(reader, packed->scored);
	for (uint32 n = 0; n < packed->scored; n++)
	{
		if (!reader->in_catalogue[packed->item[n]])
			continue;
		reader->item[reader->pairs] = packed->item[n];
		reader->similarity[reader->pairs++] = packed->similarity[n];
		row->content += n < packed->content;
		row->scored++;
	}
	row->count = row->scored;
}

static void
read_rows(HeldReader *reader)
{
	Held *held = reader->held;

	held->row = BudgetZeroed(reader->budget, held->learned, sizeof(Packed));
	reader->begin = BudgetZeroed(reader->budget, held->learned, sizeof(uint64));
	LearnedEachRow(reader->model, take_row, reader);

	/* Once nothing moves any more, rows can point to what they hold. */
	held->pairs = reader->pairs;
	reader->item = BudgetResize(reader->budget, reader->item, reader->pairs, sizeof(uint32));
	reader->similarity =
		BudgetResize(reader->budget, reader->similarity, reader->pairs, sizeof(float));
	for (uint32 n = 0; n < held->learned; n++)
	{
		held->row[n].item = reader->item + reader->begin[n];
		held->row[n].similarity = reader->similarity + reader->begin[n];
	}
	BudgetFree(reader->budget, reader->begin);
}

/* The columns: rows in order of item_no leave every column in that order. */
static void
transpose(HeldReader *reader)
{
	Held *held = reader->held;
	uint32 slots = reader->model->item_slots;
	uint64 *start = BudgetZeroed(reader->budget, (uint64) slots + 1, sizeof(uint64));
	uint32 *source = BudgetAlloc(reader->budget, reader->pairs, sizeof(uint32));
	float *similarity = BudgetAlloc(reader->budget, reader->pairs, sizeof(float));

	for (uint64 p = 0; p < reader->pairs; p++)
		start[reader->item[p]]++;
	SparseOffsets(start, slots);
	for (uint32 n = 0; n < held->learned; n++)
	{
		const Packed *row = &held->row[n];

		CHECK_FOR_INTERRUPTS();
		for (uint32 e = 0; e < row->scored; e++)
		{
			uint64 place = start[row->item[e]]++;

			source[place] = row->item_no;
			similarity[place] = row->similarity[e];
		}
	}
	/* start[] ran ahead by one column. */
	memmove(start + 1, start, sizeof(uint64) * slots);
	start[0] = 0;
	held->columns = (RankColumns){.start = start, .source = source, .similarity = similarity};
}

/* Maps of the long columns, where there is memory to spare for that, too. */
static void
map_columns(HeldReader *reader)
{
	Shortlist *list = &reader->held->shortlist;
	uint32 slots = reader->model->item_slots;
	uint64 words = (uint64) ShortlistMaps(&list->columns, slots) * ShortlistWords(slots);
	uint32 *map;

	if (words * sizeof(uint64) + slots * sizeof(uint32) > BudgetLeft(reader->budget) / MAPS_PART)
		return;
	map = BudgetZeroed(reader->budget, slots, sizeof(uint32));
	ShortlistMap(list, map, BudgetZeroed(reader->budget, words, sizeof(uint64)));
}

/* What lists are made of sooner, where there is memory to spare. */
static void
make_shortlist(HeldReader *reader)
{
	Held *held = reader->held;
	Shortlist *list = &held->shortlist;
	uint32 slots = reader->model->item_slots;
	uint16 *narrow = NULL;
	Size most = BudgetLeft(reader->budget) / 2;

	if (ShortlistBytes(slots) > most ||
		reader->pairs > (most - ShortlistBytes(slots)) / sizeof(uint16))
		return;
	ShortlistInit(list, BudgetZeroed(reader->budget, ShortlistBytes(slots), 1), slots);
	if (slots <= (uint32) UINT16_MAX + 1)
	{
		narrow = BudgetAlloc(reader->budget, reader->pairs, sizeof(uint16));
		for (uint64 p = 0; p < reader->pairs; p++)
			narrow[p] = (uint16) reader->item[p];
	}
	list->item = reader->item;
	list->narrow = narrow;
	list->columns = held->columns;
	list->scratch = &held->scratch;
	map_columns(reader);
}

/* True the first time that a new item comes, however often the catalogue has it. */
static bool
is_first(const HeldReader *reader, uint32 number, uint32 known)
{
	if (number >= reader->held->learned)
		return number == known;
	if (reader->is_new[number])
		return false;
	return reader->is_new[number] = true;
}

static void
read_walk(HeldReader *reader, CatalogueOrder order)
{
	HeldWalk *walk = &reader->held->walk[order];
	Portal portal = CatalogueOpen(reader->model, order, NULL);
	uint64 room = 0;

	while (portal)
	{
		uint64 count;
		CatalogueRow *rows = CatalogueNext(reader->model, portal, BATCH, &count);

		if (count == 0)
			break;
		if (walk->count + count > room)
		{
			room = Max(walk->count + count, room + room / 2);
			walk->step = BudgetResize(reader->budget, walk->step, room, sizeof(CatalogueStep));
		}
		for (uint64 r = 0; r < count; r++)
		{
			uint32 known = IdSetCount(reader->held->ids);
			uint32 number = IdSetAdd(reader->held->ids, rows[r].item);

			if (order != CATALOGUE_NEW || is_first(reader, number, known))
				walk->step[walk->count++] =
					(CatalogueStep){number, CatalogueValue(order, &rows[r])};
		}
		SPI_freetuptable(SPI_tuptable);
		pfree(rows);
	}
	if (portal)
		SPI_cursor_close(portal);
}

/* The factors of all items, and which of them may not be recommended. */
static void
read_factors(HeldReader *reader)
{
	Held *held = reader->held;
	uint32 slots = reader->model->item_slots;

	held->factors = ItemFactorHold(reader->model, reader->budget);
	held->hidden = BudgetAlloc(reader->budget, Max(slots, 1), sizeof(uint32));
	for (uint32 n = 0; n < slots; n++)
		if (held->factors->has[n] && (!reader->in_catalogue[n] || held->number[n] == ID_NONE))
			held->hidden[held->hidden_count++] = n;
}

Held *
HeldRead(const Model *model, bool walks, Budget *budget)
{
	Held *held = BudgetZeroed(budget, 1, sizeof(Held));
	HeldReader reader = {.model = model, .budget = budget, .held = held};
	uint32 slots = model->item_slots;

	held->ids = IdSetCreate(model->item_kind, budget);
	held->number = BudgetAlloc(budget, slots, sizeof(uint32));
	memset(held->number, 0xff, sizeof(uint32) * slots);
	LearnedEachItem(model, take_item, &reader);

	reader.in_catalogue = BudgetZeroed(budget, slots, sizeof(bool));
	CatalogueFindAll(model, reader.in_catalogue);
	read_rows(&reader);
	if (model->algorithm == MODEL_FACTORS)
		read_factors(&reader);
	BudgetFree(budget, reader.in_catalogue);
	RankScratchInit(&held->scratch, BudgetZeroed(budget, RankScratchBytes(slots), 1), slots);
	if (model->algorithm == MODEL_NEIGHBORS)
		transpose(&reader);

	reader.is_new = BudgetZeroed(budget, held->learned, sizeof(bool));
	for (int order = 0; walks && order < CATALOGUE_ORDERS; order++)
		read_walk(&reader, order);
	if (model->algorithm == MODEL_NEIGHBORS)
		make_shortlist(&reader);
	BudgetFree(budget, reader.is_new);
	return held;
}

/* The pieces of a model that is shared. */
enum
{
	PIECE_ROW, /* whose pointers others set anew, by where each begins: */
	PIECE_BEGIN,
	PIECE_ITEM,
	PIECE_SIMILARITY,
	PIECE_NUMBER,
	PIECE_START,
	PIECE_SOURCE,
	PIECE_OF_COLUMNS,
	PIECE_NARROW,
	PIECE_MAP,
	PIECE_WORDS, /* of all maps */
	PIECES
};

StaticAssertDecl(PIECES == HELD_PIECES, "who shares a model makes room for its pieces");

/* Moves an array to shared memory. */
static void *
share(Budget *budget, const void *array, uint64 count, Size size)
{
	void *shared = BudgetAllocShared(budget, count, size);

	memcpy(shared, array, count * size);
	BudgetFree(budget, (void *) array);
	return shared;
}

/* Points rows, columns and the short list to the pieces. */
static void
point(Held *held, void **piece)
{
	Shortlist *list = &held->shortlist;
	const uint64 *begin = piece[PIECE_BEGIN];
	const uint32 *item = piece[PIECE_ITEM];
	const float *similarity = piece[PIECE_SIMILARITY];

	for (uint32 n = 0; n < held->learned; n++)
	{
		held->row[n].item = item + begin[n];
		held->row[n].similarity = similarity + begin[n];
	}
	held->number = piece[PIECE_NUMBER];
	held->columns = (RankColumns){.start = piece[PIECE_START],
								  .source = piece[PIECE_SOURCE],
								  .similarity = piece[PIECE_OF_COLUMNS]};
	list->item = item;
	list->narrow = piece[PIECE_NARROW];
	list->columns = held->columns;
	list->scratch = &held->scratch;
	list->map = piece[PIECE_MAP];
	list->word = piece[PIECE_WORDS];
}

/* Words of all maps. */
static uint64
count_words(const Shortlist *list)
{
	return list->map
			   ? (uint64) ShortlistMaps(&list->columns, list->slots) * ShortlistWords(list->slots)
			   : 0;
}

/* Copies an array; the original goes where no other process has it. */
static const void *
copy_array(const Held *held, Budget *budget, const void *array, uint64 count, Size size)
{
	void *copy = PagesCopy(array, count, size);

	BudgetHold(budget, 0, count * size);
	if (!held->shared)
		BudgetFree(budget, (void *) array);
	return copy;
}

/*
 * Copies the items and similarities of rows, the maps, and the similarities of columns: a list reads some
 * hundred places of each.  Lists of ten for 138,000 users, of 20 million events, by one process on a machine
 * busy with other work took 9.6 s of processor time without copies and with rows sent for later, 8.5 s with,
 * medians of five in turns.
 */
static void
copy_arrays(Held *held, Budget *budget)
{
	MemoryContext caller = MemoryContextSwitchTo(BudgetContext(budget));
	Shortlist *list = &held->shortlist;
	const uint32 *item = list->item;
	const float *similarity = held->row[0].similarity - (held->row[0].item - item);

	similarity = copy_array(held, budget, similarity, held->pairs, sizeof(float));
	held->columns.similarity =
		copy_array(held, budget, held->columns.similarity, held->pairs, sizeof(float));
	list->columns.similarity = held->columns.similarity;
	if (list->map)
		list->word = copy_array(held, budget, list->word, count_words(list), sizeof(uint64));
	for (uint32 n = 0; n < held->learned; n++)
		held->row[n].similarity = similarity + (held->row[n].item - item);
	if (list->narrow)
		list->narrow = copy_array(held, budget, list->narrow, held->pairs, sizeof(uint16));
	else
	{
		uint64 *begin = BudgetAlloc(budget, held->learned, sizeof(uint64));

		for (uint32 n = 0; n < held->learned; n++)
			begin[n] = (uint64) (held->row[n].item - item);
		list->item = copy_array(held, budget, item, held->pairs, sizeof(uint32));
		for (uint32 n = 0; n < held->learned; n++)
			held->row[n].item = list->item + begin[n];
		BudgetFree(budget, begin);
	}
	MemoryContextSwitchTo(caller);
}

Size
HeldCopy(Held *held, uint32 processes, Budget *budget)
{
	const Shortlist *list = &held->shortlist;
	Size bytes;

	if (list->sum == NULL || held->pairs == 0)
		return 0;
	bytes = held->pairs * (2 * sizeof(float) + (list->narrow ? sizeof(uint16) : sizeof(uint32))) +
			count_words(list) * sizeof(uint64);
	if (bytes > BudgetLeft(budget) / COPIES_PART / processes)
		return 0;
	copy_arrays(held, budget);
	return bytes;
}

bool
HeldShare(Held *held, void **piece, HeldForm *form, Budget *budget)
{
	Shortlist *list = &held->shortlist;
	uint32 slots = held->scratch.slots;
	uint64 words = count_words(list);
	uint64 *begin;

	/* The rows stay as they are, and of the arrays one at a time is there twice. */
	if (BudgetWorkers(budget) == 0 || list->sum == NULL || held->pairs == 0 ||
		BudgetLeft(budget) < 2 * (Max(held->pairs * sizeof(uint32), words * sizeof(uint64)) +
								  held->learned * (sizeof(Packed) + sizeof(uint64))))
		return false;
	*form = (HeldForm){.slots = slots, .learned = held->learned, .pairs = held->pairs};
	begin = BudgetAllocShared(budget, held->learned, sizeof(uint64));
	for (uint32 n = 0; n < held->learned; n++)
		begin[n] = (uint64) (held->row[n].item - list->item);
	piece[PIECE_BEGIN] = begin;
	piece[PIECE_ROW] = BudgetAllocShared(budget, held->learned, sizeof(Packed));
	memcpy(piece[PIECE_ROW], held->row, sizeof(Packed) * held->learned);
	piece[PIECE_SIMILARITY] =
		share(budget, held->row[0].similarity - begin[0], held->pairs, sizeof(float));
	piece[PIECE_ITEM] = share(budget, list->item, held->pairs, sizeof(uint32));
	piece[PIECE_NUMBER] = share(budget, held->number, slots, sizeof(uint32));
	if (list->map)
	{
		piece[PIECE_WORDS] = share(budget, list->word, words, sizeof(uint64));
		piece[PIECE_MAP] = share(budget, list->map, slots, sizeof(uint32));
	}
	piece[PIECE_START] = share(budget, held->columns.start, (uint64) slots + 1, sizeof(uint64));
	piece[PIECE_SOURCE] = share(budget, held->columns.source, held->pairs, sizeof(uint32));
	piece[PIECE_OF_COLUMNS] = share(budget, held->columns.similarity, held->pairs, sizeof(float));
	if (list->narrow)
		piece[PIECE_NARROW] = share(budget, list->narrow, held->pairs, sizeof(uint16));
	point(held, piece);
	held->shared = true;
	form->copies = HeldCopy(held, 1 + BudgetWorkers(budget), budget);
	return true;
}

Size
HeldBytes(const HeldForm *form)
{
	return sizeof(Packed) * form->learned + RankScratchBytes(form->slots) +
		   ShortlistBytes(form->slots) + form->copies;
}

Held *
HeldJoin(const HeldForm *form, void **piece, Budget *budget)
{
	Held *held = BudgetZeroed(budget, 1, sizeof(Held));

	held->learned = form->learned;
	held->pairs = form->pairs;
	held->row = BudgetAlloc(budget, form->learned, sizeof(Packed));
	memcpy(held->row, piece[PIECE_ROW], sizeof(Packed) * form->learned);
	RankScratchInit(&held->scratch, BudgetZeroed(budget, RankScratchBytes(form->slots), 1),
					form->slots);
	ShortlistInit(&held->shortlist, BudgetZeroed(budget, ShortlistBytes(form->slots), 1),
				  form->slots);
	point(held, piece);
	held->shared = true;
	if (form->copies > 0)
		copy_arrays(held, budget);
	return held;
}
