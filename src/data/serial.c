#include "data/serial.h"

#include "data/plan.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* What an item that is a part of a series takes of memory, its id and all, about. */
#define ITEM_BYTES 128

/* The columns of the catalogue; the first alone where nothing is a part of a series. */
enum
{
	COLUMN_ITEM,
	COLUMN_SERIES,
	COLUMN_PLACE,
	COLUMN_BEGINS,
	COLUMNS
};

static const char *const items =
	"SELECT i.item_id::{item} FROM {model}.items i WHERE i.item_id IS NOT NULL";

static const char *const parts =
	"SELECT i.item_id::{item}, {series},"
	"  CASE WHEN {order} IS NOT NULL THEN dense_rank() OVER (PARTITION BY {series} ORDER BY {order}) END,"
	"  row_number() OVER (PARTITION BY {series} ORDER BY {order}, i.item_id{by_bytes}) = 1"
	" FROM {model}.items i WHERE i.item_id IS NOT NULL ORDER BY {series}, {order}, i.item_id{by_bytes}";

/* A catalogue while it is read. */
typedef struct Reader
{
	Serial *serial;
	IdSet *ids;
	Budget *budget;
	uint64 room;
	uint64 part_room;
	uint64 series_room;
	uint64 items;
	bool enough; /* there are too many */
} Reader;

/* A part of a series, behind all that were read. */
static void
add_part(Reader *reader, const TupleTableSlot *row, uint32 item)
{
	Serial *serial = reader->serial;

	if (DatumGetBool(row->tts_values[COLUMN_BEGINS]))
	{
		char *name = TextDatumGetCString(row->tts_values[COLUMN_SERIES]);

		serial->series = BudgetGrow(reader->budget, serial->series, (uint64) serial->count + 1,
									&reader->series_room, sizeof(SerialSeries));
		serial->series[serial->count++] =
			(SerialSeries){.name = MemoryContextStrdup(BudgetContext(reader->budget), name)};
		pfree(name);
	}
	serial->part = BudgetGrow(reader->budget, serial->part, (uint64) serial->parts + 1,
							  &reader->part_room, sizeof(SerialPart));
	serial->part[serial->parts++] = (SerialPart){
		.item = item,
		.series = serial->count - 1,
		.place = row->tts_isnull[COLUMN_PLACE] ? 0 : DatumGetInt64(row->tts_values[COLUMN_PLACE])};
	serial->series[serial->count - 1].end = serial->parts;
}

/* Takes an item, where it is a part of a series with its place there. */
static void
take(TupleTableSlot *row, void *with)
{
	Reader *reader = with;
	Serial *serial = reader->serial;
	uint32 item = IdSetAdd(reader->ids, row->tts_values[COLUMN_ITEM]);
	uint64 before = reader->room;

	CHECK_FOR_INTERRUPTS();
	serial->in_catalogue = BudgetGrow(reader->budget, serial->in_catalogue, (uint64) item + 1,
									  &reader->room, sizeof(bool));
	memset(serial->in_catalogue + before, 0, sizeof(bool) * (reader->room - before));
	serial->in_catalogue[item] = true;
	if (row->tts_tupleDescriptor->natts == COLUMNS && !row->tts_isnull[COLUMN_SERIES])
		add_part(reader, row, item);
	reader->enough = ++reader->items > BudgetMaintenance() / ITEM_BYTES;
}

Serial *
SerialRead(const Model *model, const Unfinished *unfinished, IdSet *ids, Budget *budget)
{
	Serial *serial = BudgetZeroed(budget, 1, sizeof(Serial));
	Reader reader = {.serial = serial, .ids = ids, .budget = budget};
	TemplateWord words[UNFINISHED_WORDS + 1] = {{NULL, NULL}};

	UnfinishedWords(model, unfinished, words);
	if (model->has_items)
		PlanStreamSome(TemplateFill(unfinished->series ? parts : items, words), 0, NULL, NULL, take,
					   &reader, &reader.enough);
	ModelNeedsName(model);
	if (reader.enough)
		return NULL;
	serial->catalogued = (uint32) reader.room;
	serial->first = BudgetAlloc(budget, Max(serial->catalogued, 1), sizeof(uint32));
	memset(serial->first, 0xff, sizeof(uint32) * serial->catalogued);
	for (uint32 p = serial->parts; p-- > 0;)
	{
		SerialPart *part = &serial->part[p];

		part->next = serial->first[part->item];
		serial->first[part->item] = p;
	}
	return serial;
}
