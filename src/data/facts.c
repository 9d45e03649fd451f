#include "data/facts.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "data/columns.h"
#include "data/ids.h"
#include "data/plan.h"
#include "data/select.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#define ROWS_FIRST 1024

/* One column while rows are read. */
typedef struct Reading
{
	FactsColumn *column;
	IdSet *words; /* of a nominal one */
} Reading;

typedef struct Reader
{
	Facts *facts;
	Reading *reading;
	Budget *budget;
	uint32 room;
} Reader;

typedef enum Scale
{
	OTHER,
	NUMBER,
	NOMINAL
} Scale;

static Scale
scale_of(Oid type)
{
	type = getBaseType(type);
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return NUMBER;
		case UUIDOID:
			return NOMINAL;
		default:
			return ColumnIsNominal(type) ? NOMINAL : OTHER;
	}
}

/* What the columns of a query are. */
static TupleDesc
columns_of(const char *table)
{
	char *sql = psprintf("SELECT * FROM %s LIMIT 0", table);

	if (SPI_execute(sql, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the columns of a query");
	return SPI_tuptable->tupdesc;
}

static int
find_column(TupleDesc columns, const char *name)
{
	List *names = NIL;

	for (int c = 0; c < columns->natts; c++)
	{
		if (strcmp(NameStr(TupleDescAttr(columns, c)->attname), name) == 0)
			return c;
		names = lappend(names, NameStr(TupleDescAttr(columns, c)->attname));
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN), errmsg("the query has no column \"%s\"", name),
			 errhint("Columns of the query: %s.", ColumnsQuoted(names))));
	return -1; /* for the compiler */
}

static void
refuse_type(const char *name, Oid type, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
					errmsg("column \"%s\" of the query has type %s", name, format_type_be(type)),
					errhint("%s", hint)));
}

/* The target as an expression that is a number. */
static char *
target_sql(TupleDesc columns, const char *name)
{
	Oid type = TupleDescAttr(columns, find_column(columns, name))->atttypid;

	if (getBaseType(type) == BOOLOID)
		return psprintf("%s::pg_catalog.int4::pg_catalog.float8", quote_identifier(name));
	if (scale_of(type) != NUMBER)
		refuse_type(name, type, "What is explained must be a number or boolean.");
	return psprintf("%s::pg_catalog.float8", quote_identifier(name));
}

/* The columns that explain. */
static List *
explaining(TupleDesc columns, const char *target, const List *names)
{
	List *explain = NIL;
	const ListCell *cell;

	foreach (cell, names)
	{
		Oid type = TupleDescAttr(columns, find_column(columns, lfirst(cell)))->atttypid;

		if (scale_of(type) == OTHER)
			refuse_type(lfirst(cell), type,
						"What explains may be a number, text, boolean, enum or uuid: take such a "
						"part of it in the query.");
		if (strcmp(lfirst(cell), target) != 0)
			explain = lappend(explain, lfirst(cell));
	}
	for (int c = 0; names == NIL && c < columns->natts; c++)
		if (scale_of(TupleDescAttr(columns, c)->atttypid) != OTHER &&
			strcmp(NameStr(TupleDescAttr(columns, c)->attname), target) != 0)
			explain = lappend(explain, pstrdup(NameStr(TupleDescAttr(columns, c)->attname)));
	if (explain == NIL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("the query has no column that could explain \"%s\"", target),
						errhint("Columns of number, text, boolean, enum or uuid type can.")));
	return explain;
}

static void
make_room(Reader *reader)
{
	Facts *facts = reader->facts;

	if (facts->rows < reader->room)
		return;
	if (reader->room > PG_UINT32_MAX / 4)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("the query has too many rows"),
				 errhint("A sample of them explains as much.")));
	reader->room = Max(ROWS_FIRST, reader->room * 2);
	facts->target = BudgetResize(reader->budget, facts->target, reader->room, sizeof(double));
	for (uint32 c = 0; c < facts->columns; c++)
		if (reader->reading[c].words)
			facts->column[c].code =
				BudgetResize(reader->budget, facts->column[c].code, reader->room, sizeof(uint32));
		else
			facts->column[c].number =
				BudgetResize(reader->budget, facts->column[c].number, reader->room, sizeof(double));
}

/* A number that numbers can be told from on either side: infinity as the greatest there is. */
static double
bounded(double number)
{
	return isinf(number) ? copysign(DBL_MAX, number) : number;
}

/* Takes one row: the target, then what explains it. */
static void
take_row(TupleTableSlot *row, void *with)
{
	Reader *reader = with;
	Facts *facts = reader->facts;
	double target;

	CHECK_FOR_INTERRUPTS();
	if (row->tts_isnull[0])
		return;
	target = DatumGetFloat8(row->tts_values[0]);
	if (!isfinite(target))
		return;
	make_room(reader);
	facts->choices = facts->choices && (target == 0 || target == 1);
	facts->target[facts->rows] = target;
	for (uint32 c = 0; c < facts->columns; c++)
	{
		bool is_null = row->tts_isnull[c + 1];
		Datum value = row->tts_values[c + 1];
		Reading *reading = &reader->reading[c];

		if (reading->words)
			reading->column->code[facts->rows] = is_null ? 0 : IdSetAdd(reading->words, value) + 1;
		else
			reading->column->number[facts->rows] = is_null ? NAN : bounded(DatumGetFloat8(value));
	}
	facts->rows++;
}

/* A value, how often it occurs, and its place in order of text. */
typedef struct Word
{
	uint32 number;
	uint32 rank;
	uint64 rows;
} Word;

static int
most_frequent_first(const void *a, const void *b)
{
	const Word *x = a;
	const Word *y = b;

	if (x->rows != y->rows)
		return x->rows > y->rows ? -1 : 1;
	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static int
by_rank(const void *a, const void *b)
{
	const Word *x = a;
	const Word *y = b;

	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* Notes which codes there are. */
static void
note_codes(FactsColumn *column, uint32 rows)
{
	column->has = palloc0(sizeof(bool) * Max(column->codes, 1));
	for (uint32 r = 0; r < rows; r++)
		if (!column->number)
			column->has[column->code[r]] = true;
		else if (isnan(column->number[r]))
			column->has[0] = true;
}

/* Gives the most frequent values codes in order of their text, and all others one. */
static void
settle_codes(Reading *reading, uint32 rows, Budget *budget)
{
	FactsColumn *column = reading->column;
	uint32 words = IdSetCount(reading->words);
	uint32 kept = Min(words, FACTS_CODES);
	Word *word = BudgetZeroed(budget, (uint64) words + 1, sizeof(Word));
	uint32 *code = BudgetAlloc(budget, (uint64) words + 1, sizeof(uint32));
	uint32 *rank = IdSetRanks(reading->words);

	for (uint32 w = 0; w < words; w++)
		word[w] = (Word){.number = w, .rank = rank[w]};
	for (uint32 r = 0; r < rows; r++)
		if (column->code[r] > 0)
			word[column->code[r] - 1].rows++;
	qsort(word, words, sizeof(Word), most_frequent_first);
	qsort(word, kept, sizeof(Word), by_rank);
	column->codes = 1 + kept + (words > kept);
	column->word = palloc0(sizeof(char *) * column->codes);
	for (uint32 w = 0; w < words; w++)
	{
		code[word[w].number] = 1 + Min(w, kept);
		if (w < kept)
			column->word[w + 1] = TextDatumGetCString(IdSetDatum(reading->words, word[w].number));
	}
	for (uint32 r = 0; r < rows; r++)
		if (column->code[r] > 0)
			column->code[r] = code[column->code[r] - 1];
	BudgetFree(budget, rank);
	BudgetFree(budget, code);
	BudgetFree(budget, word);
}

Facts *
FactsRead(const char *query, const char *target, const List *names, Budget *budget)
{
	char *table = psprintf("(%s\n) q", SelectText("the query", query));
	TupleDesc columns = columns_of(table);
	List *explain = explaining(columns, target, names);
	Facts *facts = BudgetZeroed(budget, 1, sizeof(Facts));
	Reader reader = {.facts = facts, .budget = budget};
	StringInfoData sql;
	ListCell *cell;

	facts->choices = true;
	facts->columns = (uint32) list_length(explain);
	facts->column = BudgetZeroed(budget, facts->columns, sizeof(FactsColumn));
	reader.reading = BudgetZeroed(budget, facts->columns, sizeof(Reading));
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT %s", target_sql(columns, target));
	foreach (cell, explain)
	{
		char *name = lfirst(cell);
		uint32 c = (uint32) foreach_current_index(cell);
		Oid type = TupleDescAttr(columns, find_column(columns, name))->atttypid;
		Scale scale = scale_of(type);
		const char *column = quote_identifier(name);

		facts->column[c].name = name;
		reader.reading[c].column = &facts->column[c];
		if (scale == NOMINAL)
			reader.reading[c].words = IdSetCreate(ID_TEXT, budget);
		appendStringInfo(&sql, ", %s",
						 scale == NOMINAL ? ColumnText(column, type)
										  : psprintf("%s::pg_catalog.float8", column));
	}
	appendStringInfo(&sql, " FROM %s", table);
	PlanStreamOnce(sql.data, take_row, &reader);
	for (uint32 c = 0; c < facts->columns; c++)
	{
		if (reader.reading[c].words)
			settle_codes(&reader.reading[c], facts->rows, budget);
		note_codes(&facts->column[c], facts->rows);
	}
	return facts;
}
