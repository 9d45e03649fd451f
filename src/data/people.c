#include "data/people.h"

#include "catalog/pg_type.h"
#include "data/columns.h"
#include "data/consent.h"
#include "data/plan.h"
#include "lib/stringinfo.h"
#include "math/sparse.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* A column that makes groups. */
typedef struct Column
{
	const char *name;
	const char *expression; /* its values, as an array of text */
	IdSet *values;
	bool too_many; /* of them */
	uint32 first;  /* group of the first of its values, in order */
} Column;

/* That a user is in a group. */
typedef struct Member
{
	uint64 user;
	uint32 column;
	uint32 value; /* number in the column's set */
} Member;

/* The view while it is read. */
typedef struct PeopleReader
{
	const Model *model;
	Budget *budget;
	List *columns;
	Member *member;
	uint64 members;
	uint64 room;
	uint64 room_most;
	bool full; /* there is not enough memory */
	MemoryContext row;

	/* Where one user is asked for. */
	ArrayBuildState *attributes;
	ArrayBuildState *found;
} PeopleReader;

/* The columns of the view that make groups, in its order; none where there is no view. */
static List *
find_columns(const Model *model)
{
	List *columns = NIL;
	ListCell *cell;

	foreach (cell, ColumnsOf(model, "users"))
	{
		const ViewColumn *of = lfirst(cell);
		Oid element = get_element_type(getBaseType(of->type));
		Column *column;
		char *value;

		if (strcmp(of->name, "user_id") == 0 || strcmp(of->name, CONSENT_COLUMN) == 0 ||
			!ColumnIsNominal(OidIsValid(element) ? element : of->type))
			continue;
		column = palloc0(sizeof(Column));
		column->name = of->name;
		value = psprintf("u.%s", quote_identifier(of->name));
		column->expression = OidIsValid(element)
								 ? ColumnTexts(value, of->type)
								 : psprintf("ARRAY[%s]", ColumnText(value, of->type));
		columns = lappend(columns, column);
	}
	return columns;
}

/* The query for the columns, after the user. */
static char *
columns_query(const PeopleReader *reader)
{
	StringInfoData sql;
	ListCell *cell;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT u.user_id::%s", IdTypeName(reader->model->user_kind));
	foreach (cell, reader->columns)
		appendStringInfo(&sql, ", %s", ((Column *) lfirst(cell))->expression);
	appendStringInfo(&sql, " FROM %s.users u", reader->model->quoted);
	return sql.data;
}

/* The values of a column of a row that are not NULL. */
static int
take_values(const TupleTableSlot *row, int column, Datum **values)
{
	int count;
	int kept = 0;
	bool *nulls;

	if (row->tts_isnull[column])
		return 0;
	deconstruct_array(DatumGetArrayTypeP(row->tts_values[column]), TEXTOID, -1, false, TYPALIGN_INT,
					  values, &nulls, &count);
	for (int n = 0; n < count; n++)
		if (!nulls[n] && VARSIZE_ANY_EXHDR(DatumGetPointer((*values)[n])) <= PEOPLE_LENGTH)
			(*values)[kept++] = (*values)[n];
	return kept;
}

static void
add_member(PeopleReader *reader, Member member)
{
	if (reader->members == reader->room)
	{
		if (reader->room * 2 > reader->room_most)
		{
			reader->full = true;
			return;
		}
		reader->room = Max(reader->room * 2, 1024);
		reader->member = BudgetResize(reader->budget, reader->member, reader->room, sizeof(Member));
	}
	reader->member[reader->members++] = member;
}

/*
 * Takes one row: the user, and an array for each column.  A column of too many values goes on
 * taking room, so that it is not the order of rows that decides whether there is enough.
 */
static void
take(TupleTableSlot *row, void *with)
{
	PeopleReader *reader = with;
	MemoryContext caller;
	int number = 0;
	ListCell *cell;
	uint64 user;

	if (row->tts_isnull[0] || reader->full)
		return;
	user = IdHash(reader->model->user_kind, row->tts_values[0]);
	caller = MemoryContextSwitchTo(reader->row);
	foreach (cell, reader->columns)
	{
		Column *column = lfirst(cell);
		Datum *values = NULL;
		int count = take_values(row, ++number, &values);

		for (int n = 0; n < count && !reader->full; n++)
		{
			uint32 value = column->too_many ? 0 : IdSetAdd(column->values, values[n]);

			column->too_many |= IdSetCount(column->values) > PEOPLE_VALUES;
			add_member(reader, (Member){user, (uint32) number - 1, value});
		}
	}
	MemoryContextSwitchTo(caller);
	MemoryContextReset(reader->row);
}

static inline int
compare_users(const uint64 *a, const uint64 *b)
{
	return *a < *b ? -1 : *a > *b;
}

#define ST_SORT          sort_users
#define ST_ELEMENT_TYPE  uint64
#define ST_COMPARE(a, b) compare_users(a, b)
#define ST_SCOPE         static
#define ST_DEFINE
#define ST_CHECK_FOR_INTERRUPTS
#include "lib/sort_template.h"

/* Numbers the groups, and names them. */
static void
name_groups(PeopleReader *reader, People *people, uint32 **rank)
{
	MemoryContext keeps = BudgetContext(reader->budget);
	ListCell *cell;
	uint32 c = 0;

	foreach (cell, reader->columns)
	{
		Column *column = lfirst(cell);

		column->first = people->groups;
		people->groups += column->too_many ? 0 : IdSetCount(column->values);
	}
	people->attribute = BudgetAlloc(reader->budget, people->groups, sizeof(char *));
	people->value = BudgetAlloc(reader->budget, people->groups, sizeof(char *));
	foreach (cell, reader->columns)
	{
		const Column *column = lfirst(cell);
		const char *name = MemoryContextStrdup(keeps, column->name);

		rank[c] = IdSetRanks(column->values);
		for (uint32 v = 0; !column->too_many && v < IdSetCount(column->values); v++)
		{
			people->attribute[column->first + rank[c][v]] = name;
			people->value[column->first + rank[c][v]] =
				MemoryContextStrdup(keeps, TextDatumGetCString(IdSetDatum(column->values, v)));
		}
		c++;
	}
}

/* Leaves each group's users once, in order. */
static void
order_members(People *people)
{
	uint64 kept = 0;

	for (uint32 g = 0; g < people->groups; g++)
	{
		uint64 begin = people->start[g];
		uint64 count = people->start[g + 1] - begin;

		sort_users(people->user + begin, count);
		people->start[g] = kept;
		for (uint64 n = begin; n < begin + count; n++)
			if (n == begin || people->user[n] != people->user[n - 1])
				people->user[kept++] = people->user[n];
	}
	people->start[people->groups] = kept;
}

/* The groups of what was read. */
static void
make_groups(PeopleReader *reader, People *people)
{
	uint32 **rank = palloc0(sizeof(uint32 *) * list_length(reader->columns));
	uint64 *place;

	name_groups(reader, people, rank);
	people->start = BudgetZeroed(reader->budget, (uint64) people->groups + 1, sizeof(uint64));
	people->user = BudgetAlloc(reader->budget, reader->members, sizeof(uint64));
	for (int pass = 0; pass < 2; pass++)
	{
		place = people->start;
		for (uint64 m = 0; m < reader->members; m++)
		{
			const Member *member = &reader->member[m];
			const Column *column = list_nth(reader->columns, (int) member->column);
			uint32 group;

			CHECK_FOR_INTERRUPTS();
			if (column->too_many)
				continue;
			group = column->first + rank[member->column][member->value];
			if (pass == 0)
				place[group]++;
			else
				people->user[place[group]++] = member->user;
		}
		if (pass == 0)
			SparseOffsets(place, people->groups);
	}
	/* start[] ran ahead by one group. */
	memmove(people->start + 1, people->start, sizeof(uint64) * people->groups);
	people->start[0] = 0;
	order_members(people);
}

People *
PeopleRead(const Model *model, Budget *budget)
{
	People *people = BudgetZeroed(budget, 1, sizeof(People));
	PeopleReader reader = {.model = model, .budget = budget, .columns = find_columns(model)};
	ListCell *cell;

	if (reader.columns == NIL)
		return people;
	reader.room_most = BudgetLeft(budget) / 4 / sizeof(Member);
	reader.row = AllocSetContextCreate(CurrentMemoryContext, "reco row", ALLOCSET_SMALL_SIZES);
	foreach (cell, reader.columns)
		((Column *) lfirst(cell))->values = IdSetCreate(ID_TEXT, budget);
	PlanStreamOnce(psprintf("%s WHERE %s", columns_query(&reader), ConsentOf(model)), take,
				   &reader);
	ModelNeedsName(model);
	if (reader.full)
		ereport(NOTICE,
				(errmsg("model \"%s\" learns nothing of groups of users", model->name),
				 errdetail("Their attributes do not fit in a quarter of maintenance_work_mem."),
				 errhint("Increase maintenance_work_mem, or give the users query fewer columns.")));
	else
		make_groups(&reader, people);
	MemoryContextDelete(reader.row);
	BudgetFree(budget, reader.member);
	foreach (cell, reader.columns)
		IdSetFree(((Column *) lfirst(cell))->values);
	return people;
}

void
PeopleForget(People *people, Budget *budget)
{
	BudgetFree(budget, people->start);
	BudgetFree(budget, people->user);
	people->start = people->user = NULL;
}

/* Takes one row of the user asked for: every value with its attribute. */
static void
take_one(TupleTableSlot *row, void *with)
{
	PeopleReader *reader = with;
	MemoryContext context = CurrentMemoryContext;
	int number = 0;
	ListCell *cell;

	foreach (cell, reader->columns)
	{
		const Column *column = lfirst(cell);
		Datum *values = NULL;
		int count = take_values(row, ++number, &values);

		for (int n = 0; n < count; n++)
		{
			reader->attributes = accumArrayResult(
				reader->attributes, CStringGetTextDatum(column->name), false, TEXTOID, context);
			reader->found = accumArrayResult(reader->found, values[n], false, TEXTOID, context);
			reader->members++;
		}
	}
}

uint32
PeopleOf(const Model *model, Datum user, Datum *attributes, Datum *values)
{
	PeopleReader reader = {.model = model, .columns = find_columns(model)};
	Oid type = IdType(model->user_kind);

	if (reader.columns == NIL)
		return 0;
	reader.attributes = initArrayResult(TEXTOID, CurrentMemoryContext, false);
	reader.found = initArrayResult(TEXTOID, CurrentMemoryContext, false);
	PlanStream(psprintf("%s WHERE u.user_id OPERATOR(pg_catalog.=) $1", columns_query(&reader)), 1,
			   &type, &user, take_one, &reader);
	ModelNeedsName(model);
	*attributes = makeArrayResult(reader.attributes, CurrentMemoryContext);
	*values = makeArrayResult(reader.found, CurrentMemoryContext);
	return (uint32) reader.members;
}
