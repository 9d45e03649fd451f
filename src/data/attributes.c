/*
 * attributes.c: the catalogue turned into tokens as the executor makes its rows.
 *
 * Words, tags and values are tokens at once.  Numbers are not until all were seen, since only then
 * is it known which of them are close: they wait on piles of their own.  Tokens go on piles by their
 * hash, and each pile is sorted by token and item, which puts a token's items side by side in an
 * order that does not depend on that of the rows.
 */
#include "data/attributes.h"

#include <math.h>

#include "base/piles.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "data/columns.h"
#include "data/plan.h"
#include "math/hash.h"
#include "math/words.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/formatting.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Of one value so many words or tags count, and so many bytes are looked at: a long text says more
 * than its first words, but not more of what is alike. */
#define TOKENS_MOST 64
#define BYTES_MOST  4096

/* Numbers of a column that its ranges are made from. */
#define SAMPLE 4096

/* What an item takes at most while the set of ids grows, and what is left to others. */
#define BYTES_ITEM  96
#define BYTES_SPARE ((Size) 256 * 1024)

/* What a column takes while numbers are drawn. */
#define BYTES_COLUMN (2 * SAMPLE * sizeof(Drawn))

/* As many piles as a sixty-fourth of the memory has room for blocks of. */
#define PILE_BITS_MOST  6
#define PILE_BITS_LEAST 2
#define PILE_MEMORY     16384

/* A token of an item. */
typedef struct Token
{
	uint32 high; /* of its hash */
	uint32 low;
	uint32 item;
	uint32 column;
} Token;

/* A number of an item, until there are ranges. */
typedef struct Number
{
	uint32 item;
	uint32 column;
	uint32 half[2]; /* of a double */
} Number;

/* A number that ranges may be made from, by the lot of its item. */
typedef struct Drawn
{
	uint64 lot;
	double number;
} Drawn;

/* One column while it is read. */
typedef struct Reading
{
	AttributeKind kind;
	uint64 seed;
	Drawn *drawn; /* [2 * SAMPLE]; numbers only */
	uint32 drawn_count;
	uint64 lot_most; /* greater lots are not drawn any more */
	Ranges ranges;
} Reading;

typedef struct AttributesReader
{
	const Model *model;
	IdSet *ids;
	Budget *budget;
	MemoryContext row;
	Reading *reading;
	uint32 columns;
	uint32 pile_bits;
	Piles *tokens;
	Piles *numbers;
	uint64 count; /* tokens so far */
	uint8 *seen;  /* by item, 1 where the catalogue has it */
	uint32 seen_room;
	uint32 items;
	bool enough; /* no memory for more */
} AttributesReader;

/* True where a name ends in _id: its numbers name something, and are not more or less of anything. */
static bool
is_reference(const char *name)
{
	size_t length = strlen(name);

	return length > 3 && strcmp(name + length - 3, "_id") == 0;
}

static char
category_of(Oid type)
{
	char category;
	bool preferred;

	get_type_category_preferred(type, &category, &preferred);
	return category;
}

/* What elements an array may have to be one of tags. */
static bool
is_tag(Oid type)
{
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case UUIDOID:
			return true;
		default:
			return category_of(type) == TYPCATEGORY_STRING || category_of(type) == TYPCATEGORY_ENUM;
	}
}

static AttributeKind
kind_of(const char *name, Oid type)
{
	Oid element = get_base_element_type(type);

	if (ColumnSaysNothing(name))
		return ATTRIBUTE_NONE;
	if (OidIsValid(element))
		return is_tag(getBaseType(element)) ? ATTRIBUTE_TAGS : ATTRIBUTE_NONE;
	switch (getBaseType(type))
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return is_reference(name) ? ATTRIBUTE_VALUE : ATTRIBUTE_NUMBER;
		case FLOAT4OID:
		case FLOAT8OID:
			return ATTRIBUTE_NUMBER;
		case NUMERICOID:
			return ATTRIBUTE_NUMERIC;
		case DATEOID:
			return ATTRIBUTE_DATE;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return ATTRIBUTE_TIME;
		case BOOLOID:
		case UUIDOID:
			return ATTRIBUTE_VALUE;
		default:
			break;
	}
	switch (category_of(getBaseType(type)))
	{
		case TYPCATEGORY_STRING:
			return ATTRIBUTE_WORDS;
		case TYPCATEGORY_ENUM:
			return ATTRIBUTE_VALUE;
		default:
			return ATTRIBUTE_NONE;
	}
}

List *
AttributeColumns(const Model *model)
{
	/* What each kind is cast to; others are read as text. */
	static const char *const type[] = {
		[ATTRIBUTE_WORDS] = NULL,       [ATTRIBUTE_VALUE] = NULL,        [ATTRIBUTE_TAGS] = NULL,
		[ATTRIBUTE_NUMBER] = "float8",  [ATTRIBUTE_NUMERIC] = "numeric", [ATTRIBUTE_DATE] = "date",
		[ATTRIBUTE_TIME] = "timestamp",
	};
	List *columns = NIL;
	ListCell *cell;

	foreach (cell, ColumnsOf(model, "items"))
	{
		const ViewColumn *of = lfirst(cell);
		AttributeKind kind = kind_of(of->name, of->type);
		AttributeColumn *column;

		if (kind == ATTRIBUTE_NONE)
			continue;
		column = palloc(sizeof(AttributeColumn));
		column->name = of->name;
		column->kind = kind;
		column->expression =
			kind == ATTRIBUTE_TAGS ? ColumnTexts(quote_identifier(column->name), of->type)
			: type[kind] == NULL
				? ColumnText(quote_identifier(column->name), of->type)
				: psprintf("%s::pg_catalog.%s", quote_identifier(column->name), type[kind]);

		/* A time with a zone is one in that of Greenwich, whoever reads it. */
		if (getBaseType(of->type) == TIMESTAMPTZOID)
			column->expression = psprintf("pg_catalog.timezone('UTC', %s::pg_catalog.timestamptz)",
										  quote_identifier(column->name));
		columns = lappend(columns, column);
	}
	return columns;
}

/* A text in lower case, as far as it is looked at. */
static char *
lower_text(Datum value)
{
	text *slice = DatumGetTextPSlice(value, 0, BYTES_MOST);
	char *bytes = VARDATA_ANY(slice);
	int length = (int) VARSIZE_ANY_EXHDR(slice);

	/* A character that the end cuts in two is left out. */
	length = pg_mbcliplen(bytes, length, length);
	return str_tolower(bytes, length, DEFAULT_COLLATION_OID);
}

static void
add_token(AttributesReader *reader, uint32 column, uint32 item, uint64 hash)
{
	Token token = {
		.high = (uint32) (hash >> 32), .low = (uint32) hash, .item = item, .column = column};

	PilesWrite(reader->tokens, token.high >> (32 - reader->pile_bits), &token, sizeof(token));
	reader->count++;
}

/* The hash of a value that is one token as a whole. */
static uint64
hash_whole(const Reading *reading, const char *text)
{
	return HashMix(HashBytes((const unsigned char *) text, strlen(text)) ^ HashMix(reading->seed));
}

static void
add_words(AttributesReader *reader, uint32 column, uint32 item, Datum value)
{
	uint64 hash[TOKENS_MOST];
	char *text = lower_text(value);
	int count = WordsHash(text, strlen(text), reader->reading[column].seed, hash, TOKENS_MOST);

	for (int n = 0; n < count; n++)
		add_token(reader, column, item, hash[n]);
}

static void
add_tags(AttributesReader *reader, uint32 column, uint32 item, Datum value)
{
	ArrayIterator tags = array_create_iterator(DatumGetArrayTypeP(value), 0, NULL);
	Datum tag;
	bool isnull;

	for (int n = 0; n < TOKENS_MOST && array_iterate(tags, &tag, &isnull); n++)
		if (!isnull)
			add_token(reader, column, item, hash_whole(&reader->reading[column], lower_text(tag)));
}

static int
by_lot(const void *a, const void *b)
{
	uint64 x = ((const Drawn *) a)->lot;
	uint64 y = ((const Drawn *) b)->lot;

	return x < y ? -1 : x > y;
}

/* Leaves the numbers of the smallest lots. */
static void
trim_drawn(Reading *reading)
{
	qsort(reading->drawn, reading->drawn_count, sizeof(Drawn), by_lot);
	if (reading->drawn_count < SAMPLE)
		return;
	reading->drawn_count = SAMPLE;
	reading->lot_most = reading->drawn[SAMPLE - 1].lot;
}

static void
add_number(AttributesReader *reader, uint32 column, uint32 item, double value)
{
	Reading *reading = &reader->reading[column];
	Number number = {.item = item, .column = column};
	const unsigned char *bytes;
	uint64 room;
	uint32 length;
	uint64 lot;

	if (!isfinite(value))
		return;
	memcpy(number.half, &value, sizeof(value));
	PilesWrite(reader->numbers, item % (1u << reader->pile_bits), &number, sizeof(number));

	/* By the bytes of the id, so that the sample does not depend on the order of the rows. */
	bytes = IdSetBytes(reader->ids, item, &room, &length);
	lot = HashBytes(bytes, length);
	if (lot > reading->lot_most)
		return;
	reading->drawn[reading->drawn_count++] = (Drawn){lot, value};
	if (reading->drawn_count == 2 * SAMPLE)
		trim_drawn(reading);
}

/* One value that is not NULL. */
static void
add_value(AttributesReader *reader, uint32 column, uint32 item, Datum value)
{
	switch (reader->reading[column].kind)
	{
		case ATTRIBUTE_WORDS:
			add_words(reader, column, item, value);
			break;
		case ATTRIBUTE_VALUE:
			add_token(reader, column, item,
					  hash_whole(&reader->reading[column], lower_text(value)));
			break;
		case ATTRIBUTE_TAGS:
			add_tags(reader, column, item, value);
			break;
		case ATTRIBUTE_NUMBER:
			add_number(reader, column, item, DatumGetFloat8(value));
			break;
		case ATTRIBUTE_NUMERIC:
			add_number(reader, column, item,
					   DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value)));
			break;
		case ATTRIBUTE_DATE:
			if (!DATE_NOT_FINITE(DatumGetDateADT(value)))
				add_number(reader, column, item, DatumGetDateADT(value));
			break;
		case ATTRIBUTE_TIME:
			if (!TIMESTAMP_NOT_FINITE(DatumGetTimestamp(value)))
				add_number(reader, column, item, (double) DatumGetTimestamp(value));
			break;
		case ATTRIBUTE_NONE:
			break;
	}
}

/* Notes that the catalogue has an item. */
static void
note_item(AttributesReader *reader, uint32 item)
{
	if (item >= reader->seen_room)
	{
		uint32 room = Max(2 * (item + 1), 1024);

		reader->seen = BudgetResize(reader->budget, reader->seen, room, sizeof(uint8));
		memset(reader->seen + reader->seen_room, 0, room - reader->seen_room);
		reader->seen_room = room;
	}
	reader->items += !reader->seen[item];
	reader->seen[item] = 1;
}

/* Takes one row: the item, then its attributes. */
static void
take_row(TupleTableSlot *row, void *with)
{
	AttributesReader *reader = with;
	MemoryContext caller;
	uint32 item;

	if (row->tts_isnull[0])
		return;
	CHECK_FOR_INTERRUPTS();
	if (BudgetLeft(reader->budget) < (Size) IdSetCount(reader->ids) * BYTES_ITEM + BYTES_SPARE)
	{
		reader->enough = true;
		return;
	}
	caller = MemoryContextSwitchTo(reader->row);
	item = IdSetAdd(reader->ids, row->tts_values[0]);
	note_item(reader, item);
	for (uint32 c = 0; c < reader->columns; c++)
		if (!row->tts_isnull[c + 1])
			add_value(reader, c, item, row->tts_values[c + 1]);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(reader->row);
}

/* Sets up columns and piles. */
static void
prepare(AttributesReader *reader, List *columns)
{
	Size memory = BudgetLeft(reader->budget) / 4;
	ListCell *cell;

	reader->pile_bits = PILE_BITS_MOST;
	while (reader->pile_bits > PILE_BITS_LEAST &&
		   (Size) PILE_MEMORY << reader->pile_bits > memory / 4)
		reader->pile_bits--;
	reader->tokens = PilesCreate(1 << reader->pile_bits, 1, memory / 2, reader->budget);
	reader->numbers = PilesCreate(1 << reader->pile_bits, 1, memory / 2, reader->budget);
	reader->row = AllocSetContextCreate(CurrentMemoryContext, "reco row", ALLOCSET_DEFAULT_SIZES);
	reader->reading = BudgetZeroed(reader->budget, list_length(columns), sizeof(Reading));
	foreach (cell, columns)
	{
		const AttributeColumn *column = lfirst(cell);
		Reading *reading = &reader->reading[reader->columns++];

		reading->kind = column->kind;
		reading->seed = HashBytes((const unsigned char *) column->name, strlen(column->name));
		reading->lot_most = PG_UINT64_MAX;
		if (column->kind >= ATTRIBUTE_NUMBER)
			reading->drawn = BudgetAlloc(reader->budget, 2 * SAMPLE, sizeof(Drawn));
	}
}

/* Makes the ranges of every column of numbers. */
static void
make_ranges(AttributesReader *reader)
{
	double *sample = BudgetAlloc(reader->budget, SAMPLE, sizeof(double));

	for (uint32 c = 0; c < reader->columns; c++)
	{
		Reading *reading = &reader->reading[c];

		if (reading->drawn == NULL)
			continue;
		trim_drawn(reading);
		for (uint32 n = 0; n < reading->drawn_count; n++)
			sample[n] = reading->drawn[n].number;
		reading->ranges = RangesOf(sample, reading->drawn_count);
		BudgetFree(reader->budget, reading->drawn);
	}
	BudgetFree(reader->budget, sample);
}

/* Turns the numbers that waited into tokens. */
static void
add_numbers(AttributesReader *reader)
{
	Number *numbers;

	PilesEnd(reader->numbers);
	numbers = BudgetAlloc(reader->budget, PilesMost(reader->numbers), 1);
	for (uint32 p = 0; p < 1u << reader->pile_bits; p++)
	{
		uint64 count = PilesBytes(reader->numbers, p) / sizeof(Number);

		PilesTake(reader->numbers, p, numbers);
		for (uint64 n = 0; n < count; n++)
		{
			const Reading *reading = &reader->reading[numbers[n].column];
			uint64 hash[2];
			double value;
			int hashes;

			CHECK_FOR_INTERRUPTS();
			memcpy(&value, numbers[n].half, sizeof(value));
			hashes = RangesHash(&reading->ranges, value, reading->seed, hash);
			for (int h = 0; h < hashes; h++)
				add_token(reader, numbers[n].column, numbers[n].item, hash[h]);
		}
	}
	BudgetFree(reader->budget, numbers);
}

static int
by_token(const void *a, const void *b, void *unused)
{
	const Token *x = a;
	const Token *y = b;

	if (x->high != y->high)
		return x->high < y->high ? -1 : 1;
	if (x->low != y->low)
		return x->low < y->low ? -1 : 1;
	return x->item < y->item ? -1 : x->item > y->item;
}

/* Where the items of a token end, which then are each there once, from begin on; *items of them. */
static uint64
end_of_token(Token *tokens, uint64 begin, uint64 count, uint64 *items)
{
	uint64 end = begin + 1;

	*items = 1;
	for (; end < count && tokens[end].high == tokens[begin].high &&
		   tokens[end].low == tokens[begin].low;
		 end++)
		if (tokens[end].item != tokens[begin + *items - 1].item)
			tokens[begin + (*items)++] = tokens[end];
	return end;
}

/* Adds the tokens of a sorted pile that two items share at least. */
static void
add_pile(Attributes *all, Token *tokens, uint64 count, uint64 *room, Budget *budget)
{
	Sparse *by_token = &all->by_token;
	uint64 items;

	for (uint64 begin = 0, end; begin < count; begin = end)
	{
		uint64 cells = by_token->start[by_token->rows];

		CHECK_FOR_INTERRUPTS();
		end = end_of_token(tokens, begin, count, &items);
		if (items < 2)
			continue;
		if (by_token->rows + UINT64_C(2) > *room)
		{
			*room = *room + *room / 2;
			by_token->start = BudgetResize(budget, by_token->start, *room, sizeof(uint64));
			all->column = BudgetResize(budget, all->column, *room, sizeof(uint16));
		}
		for (uint64 n = 0; n < items; n++)
			by_token->column[cells + n] = tokens[begin + n].item;
		all->column[by_token->rows] = (uint16) tokens[begin].column;
		by_token->start[++by_token->rows] = cells + items;
	}
}

/* Gathers the tokens from their piles. */
static void
gather(AttributesReader *reader, Attributes *all)
{
	Budget *budget = reader->budget;
	Token *tokens = BudgetAlloc(budget, PilesMost(reader->tokens), 1);
	uint64 room = 1024;

	all->items = reader->items;
	all->columns = reader->columns;
	all->by_token.columns = IdSetCount(reader->ids);
	all->by_token.start = BudgetZeroed(budget, room, sizeof(uint64));
	all->column = BudgetAlloc(budget, room, sizeof(uint16));
	all->by_token.column = BudgetAlloc(budget, reader->count, sizeof(uint32));
	for (uint32 p = 0; p < 1u << reader->pile_bits; p++)
	{
		uint64 count = PilesBytes(reader->tokens, p) / sizeof(Token);

		PilesTake(reader->tokens, p, tokens);
		qsort_interruptible(tokens, count, sizeof(Token), by_token, NULL);
		add_pile(all, tokens, count, &room, budget);
	}
	all->by_token.column =
		BudgetResize(budget, all->by_token.column, SparseCount(&all->by_token), sizeof(uint32));
	BudgetFree(budget, tokens);
}

/* True where there is memory to gather what was read. */
static bool
can_gather(const AttributesReader *reader)
{
	Size most = PilesMost(reader->tokens);

	return BudgetLeft(reader->budget) / 2 > most + sizeof(uint32) * (Size) reader->count;
}

static void
release(AttributesReader *reader)
{
	PilesFree(reader->tokens);
	PilesFree(reader->numbers);
	MemoryContextDelete(reader->row);
	BudgetFree(reader->budget, reader->reading);
	BudgetFree(reader->budget, reader->seen);
}

Attributes *
AttributesRead(const Model *model, IdSet *ids, Budget *budget)
{
	Attributes *all = BudgetZeroed(budget, 1, sizeof(Attributes));
	AttributesReader reader = {.model = model, .ids = ids, .budget = budget};
	List *columns = AttributeColumns(model);
	StringInfoData sql;
	ListCell *cell;

	if (columns == NIL)
		return all;
	if (BudgetLeft(budget) / 2 < list_length(columns) * BYTES_COLUMN + BYTES_SPARE)
	{
		all->out_of_memory = true;
		return all;
	}
	prepare(&reader, columns);
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT item_id::%s", IdTypeName(model->item_kind));
	foreach (cell, columns)
		appendStringInfo(&sql, ", %s", ((const AttributeColumn *) lfirst(cell))->expression);
	appendStringInfo(&sql, " FROM %s.items", model->quoted);
	PlanStreamSome(sql.data, 0, NULL, NULL, take_row, &reader, &reader.enough);
	if (PilesOnTape(reader.tokens))
		ereport(DEBUG1, (errmsg_internal("the attributes of model \"%s\" do not fit in "
										 "maintenance_work_mem: they go through temporary files",
										 model->name)));
	make_ranges(&reader);
	if (!reader.enough)
		add_numbers(&reader);
	PilesEnd(reader.tokens);
	if (reader.enough || !can_gather(&reader))
		all->out_of_memory = true;
	else
		gather(&reader, all);
	release(&reader);
	return all;
}

void
AttributesFree(Attributes *attributes, Budget *budget)
{
	BudgetFree(budget, attributes->by_token.start);
	BudgetFree(budget, attributes->by_token.column);
	BudgetFree(budget, attributes->column);
	BudgetFree(budget, attributes);
}
