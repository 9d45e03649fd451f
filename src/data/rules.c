#include "data/rules.h"

#include <math.h>

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "data/columns.h"
#include "data/plan.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* The most that boosts come to together; scores stay numbers under it. */
#define BOOST_MOST 1e100

/* The columns a rule is read as. */
enum
{
	COLUMN_ITEM,
	COLUMN_ATTRIBUTE,
	COLUMN_VALUE,
	COLUMN_BOOST,
	COLUMN_PIN,
	COLUMN_SHARE,
	COLUMN_STARTS,
	COLUMN_ENDS,
	COLUMNS
};

/* Their names, and what they may be; no types for any. */
static const struct
{
	const char *name;
	const char *cast;
	Oid types[7];
	const char *words;
} columns[COLUMNS] = {
	[COLUMN_ITEM] = {"item_id", NULL, {InvalidOid}, NULL},
	[COLUMN_ATTRIBUTE] = {"attribute", "pg_catalog.text", {TEXTOID, VARCHAROID}, "text"},
	[COLUMN_VALUE] = {"value", "pg_catalog.text", {InvalidOid}, NULL},
	[COLUMN_BOOST] = {"boost",
					  "pg_catalog.float8",
					  {FLOAT8OID, FLOAT4OID, NUMERICOID, INT8OID, INT4OID, INT2OID},
					  MODEL_WEIGHT_TYPES},
	[COLUMN_PIN] = {"pin",
					"pg_catalog.int8",
					{INT8OID, INT4OID, INT2OID},
					"bigint, integer or smallint"},
	[COLUMN_SHARE] = {"share",
					  "pg_catalog.float8",
					  {FLOAT8OID, FLOAT4OID, NUMERICOID, INT8OID, INT4OID, INT2OID},
					  MODEL_WEIGHT_TYPES},
	[COLUMN_STARTS] = {"starts_at",
					   "pg_catalog.timestamptz",
					   {TIMESTAMPTZOID, TIMESTAMPOID, DATEOID},
					   MODEL_TIME_TYPES},
	[COLUMN_ENDS] = {"ends_at",
					 "pg_catalog.timestamptz",
					 {TIMESTAMPTZOID, TIMESTAMPOID, DATEOID},
					 MODEL_TIME_TYPES},
};

/* The type of a column of the view; InvalidOid where it is missing. */
static Oid
type_of(const Model *model, int column)
{
	return ColumnType(model, "rules", columns[column].name);
}

static void
refuse_type(const Model *model, int column, Oid type, const char *words)
{
	ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
					errmsg("column \"%s\" of \"%s.rules\" has type %s", columns[column].name,
						   model->name, format_type_be(type)),
					errhint("It may be %s: cast it in the query.", words)));
}

/* Raises an error where a column is there and of no type that it may have. */
static void
check_type(const Model *model, int column)
{
	Oid type = type_of(model, column);
	IdKind kind;

	if (!OidIsValid(type))
		return;
	if (column == COLUMN_ITEM && (!IdKindOfType(type, &kind) || kind != model->item_kind))
		refuse_type(model, column, type,
					psprintf("%s as in the events query", format_type_be(model->item_type)));
	if (!OidIsValid(columns[column].types[0]))
		return;
	for (const Oid *may = columns[column].types; OidIsValid(*may); may++)
		if (getBaseType(type) == *may)
			return;
	refuse_type(model, column, type, columns[column].words);
}

static bool
has(const Model *model, int column)
{
	return OidIsValid(type_of(model, column));
}

void
RulesCheckColumns(const Model *model)
{
	for (int column = 0; column < COLUMNS; column++)
		check_type(model, column);
	if (!has(model, COLUMN_ITEM) && !(has(model, COLUMN_ATTRIBUTE) && has(model, COLUMN_VALUE)))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("the rules query does not say what its rules are about"),
						errhint("Give it a column \"item_id\", or the columns \"attribute\" and "
								"\"value\", or all three.")));
	if (!has(model, COLUMN_BOOST) && !has(model, COLUMN_PIN) && !has(model, COLUMN_SHARE))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the rules query does not say what its rules do"),
				 errhint("Give it one or more of the columns \"boost\", \"pin\" and \"share\".")));
}

/* The query that reads rules: all, or those of a time, which is $1. */
static char *
query(const Model *model, bool running)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	for (int column = 0; column < COLUMNS; column++)
	{
		const char *name = columns[column].name;
		const char *cast = columns[column].cast;

		appendStringInfo(&sql, "%s%s", column == 0 ? "" : ", ",
						 column == COLUMN_VALUE && has(model, column)
							 ? ColumnText(name, type_of(model, column))
							 : psprintf("%s::%s", has(model, column) ? name : "NULL",
										cast ? cast : IdTypeName(model->item_kind)));
	}
	appendStringInfo(&sql, " FROM %s.rules WHERE true", model->quoted);
	if (running && has(model, COLUMN_STARTS))
		appendStringInfoString(&sql, " AND (starts_at IS NULL OR starts_at::pg_catalog.timestamptz "
									 "OPERATOR(pg_catalog.<=) $1)");
	if (running && has(model, COLUMN_ENDS))
		appendStringInfoString(&sql, " AND (ends_at IS NULL OR ends_at::pg_catalog.timestamptz "
									 "OPERATOR(pg_catalog.>) $1)");
	return sql.data;
}

/* A row of the view. */
typedef struct RuleRow
{
	Datum value[COLUMNS];
	bool isnull[COLUMNS];
} RuleRow;

static bool
is_share(double share)
{
	return share > 0 && share <= 1;
}

/* What is wrong with a rule. */
static RuleFault
fault_of(const Model *model, const RuleRow *row)
{
	const Datum *value = row->value;
	const bool *isnull = row->isnull;
	bool of_value = !isnull[COLUMN_ATTRIBUTE] || !isnull[COLUMN_VALUE];

	if (isnull[COLUMN_ITEM] && !of_value)
		return RULE_NO_TARGET;
	if (!isnull[COLUMN_ITEM] && of_value)
		return RULE_TWO_TARGETS;
	if (of_value && (isnull[COLUMN_ATTRIBUTE] || isnull[COLUMN_VALUE]))
		return RULE_NO_TARGET;
	if (of_value && !ValuesExist(model, TextDatumGetCString(value[COLUMN_ATTRIBUTE])))
		return RULE_NO_ATTRIBUTE;
	if (isnull[COLUMN_BOOST] && isnull[COLUMN_PIN] && isnull[COLUMN_SHARE])
		return RULE_NO_EFFECT;
	if (!isnull[COLUMN_BOOST] && (!(DatumGetFloat8(value[COLUMN_BOOST]) > 0) ||
								  !isfinite(DatumGetFloat8(value[COLUMN_BOOST]))))
		return RULE_BOOST;
	if (!isnull[COLUMN_PIN] &&
		(DatumGetInt64(value[COLUMN_PIN]) < 1 || DatumGetInt64(value[COLUMN_PIN]) > PG_INT32_MAX))
		return RULE_PIN;
	if (!isnull[COLUMN_PIN] && of_value)
		return RULE_PIN_VALUE;
	if (!isnull[COLUMN_SHARE] && !is_share(DatumGetFloat8(value[COLUMN_SHARE])))
		return RULE_SHARE;
	if (!isnull[COLUMN_STARTS] && !isnull[COLUMN_ENDS] &&
		DatumGetTimestampTz(value[COLUMN_STARTS]) >= DatumGetTimestampTz(value[COLUMN_ENDS]))
		return RULE_TIMES;
	return RULE_FINE;
}

/* Rules while they are read. */
typedef struct Reader
{
	const Model *model;
	IdSet *ids;
	Budget *budget;
	Rules *rules;
	IdSet *attributes;
	uint32 room;
	int64 *faults; /* counted instead, where there is one: */
	TimestampTz now;
} Reader;

/* What is said of items by an attribute, for all rules that name it. */
static Values *
values_of(Reader *reader, Datum attribute)
{
	Rules *rules = reader->rules;
	uint32 number = IdSetAdd(reader->attributes, attribute);

	if (number == rules->attributes)
	{
		rules->values =
			BudgetResize(reader->budget, rules->values, ++rules->attributes, sizeof(Values *));
		rules->values[number] =
			ValuesOpen(reader->model, TextDatumGetCString(attribute), reader->ids, reader->budget);
	}
	return rules->values[number];
}

static void
add_rule(Reader *reader, const RuleRow *row)
{
	Rules *rules = reader->rules;
	Rule rule = {.item = ID_NONE, .number = ID_NONE, .boost = 1};

	if (row->isnull[COLUMN_ITEM])
	{
		const text *value = DatumGetTextPP(row->value[COLUMN_VALUE]);
		Size length = VARSIZE_ANY(value);

		rule.values = values_of(reader, row->value[COLUMN_ATTRIBUTE]);
		rule.value = BudgetAlloc(reader->budget, length, 1);
		memcpy(rule.value, value, length);
	}
	else
		rule.item = IdSetAdd(reader->ids, row->value[COLUMN_ITEM]);
	if (!row->isnull[COLUMN_BOOST])
		rule.boost = DatumGetFloat8(row->value[COLUMN_BOOST]);
	if (!row->isnull[COLUMN_PIN])
		rule.pin = (uint32) DatumGetInt64(row->value[COLUMN_PIN]);
	if (!row->isnull[COLUMN_SHARE])
		rule.share = DatumGetFloat8(row->value[COLUMN_SHARE]);

	if (rules->count == reader->room)
	{
		reader->room = Max(16, reader->room * 2);
		rules->rule = BudgetResize(reader->budget, rules->rule, reader->room, sizeof(Rule));
	}
	rules->rule[rules->count++] = rule;
}

static void
take(TupleTableSlot *slot, void *with)
{
	Reader *reader = with;
	RuleRow row;
	RuleFault fault;

	memcpy(row.value, slot->tts_values, sizeof(row.value));
	memcpy(row.isnull, slot->tts_isnull, sizeof(row.isnull));
	fault = fault_of(reader->model, &row);
	if (reader->faults)
		reader->faults[fault] += fault == RULE_TIMES || row.isnull[COLUMN_ENDS] ||
								 DatumGetTimestampTz(row.value[COLUMN_ENDS]) > reader->now;
	else if (fault == RULE_FINE)
		add_rule(reader, &row);
}

static int
compare_texts(const text *a, const text *b)
{
	Size length_a = VARSIZE_ANY_EXHDR(a);
	Size length_b = VARSIZE_ANY_EXHDR(b);
	int order = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), Min(length_a, length_b));

	return order != 0 ? order : length_a < length_b ? -1 : length_a > length_b;
}

static int
compare_numbers(double a, double b)
{
	return a < b ? -1 : a > b;
}

/* Rules of items by id, then those of values by attribute and value; of one thing by what they do. */
static int
compare_rules(const Rule *a, const Rule *b, const IdSet *ids)
{
	int order = (a->item == ID_NONE) - (b->item == ID_NONE);

	if (order == 0 && a->item != ID_NONE)
		order = IdSetCompare(ids, a->item, b->item);
	else if (order == 0)
	{
		order = strcmp(ValuesName(a->values), ValuesName(b->values));
		if (order == 0)
			order = compare_texts(a->value, b->value);
	}
	if (order == 0)
		order = compare_numbers(a->pin, b->pin);
	if (order == 0)
		order = compare_numbers(a->boost, b->boost);
	if (order == 0)
		order = compare_numbers(a->share, b->share);
	return order;
}

static int
compare(const void *a, const void *b, void *ids)
{
	return compare_rules(a, b, ids);
}

static int
compare_numbers_of(const void *a, const void *b)
{
	const Rule *x = *(const Rule *const *) a;
	const Rule *y = *(const Rule *const *) b;

	if (x->item != y->item)
		return x->item < y->item ? -1 : 1;
	return x < y ? -1 : x > y;
}

Rules *
RulesRead(const Model *model, TimestampTz as_of, IdSet *ids, Budget *budget)
{
	Oid type = TIMESTAMPTZOID;
	Datum time = TimestampTzGetDatum(as_of);
	Rules *rules = BudgetZeroed(budget, 1, sizeof(Rules));
	Reader reader = {.model = model, .ids = ids, .budget = budget, .rules = rules};
	uint32 kept = 0;

	RulesCheckColumns(model);
	reader.attributes = IdSetCreate(ID_TEXT, budget);
	PlanStream(query(model, true), 1, &type, &time, take, &reader);
	IdSetFree(reader.attributes);

	/* The same said twice is said once. */
	qsort_arg(rules->rule, rules->count, sizeof(Rule), compare, ids);
	for (uint32 r = 0; r < rules->count; r++)
		if (r == 0 || compare_rules(&rules->rule[r], &rules->rule[kept - 1], ids) != 0)
			rules->rule[kept++] = rules->rule[r];
	rules->count = kept;
	rules->by_number = BudgetAlloc(budget, kept, sizeof(Rule *));
	while (rules->of_items < kept && rules->rule[rules->of_items].item != ID_NONE)
	{
		rules->by_number[rules->of_items] = &rules->rule[rules->of_items];
		rules->of_items++;
	}
	qsort(rules->by_number, rules->of_items, sizeof(Rule *), compare_numbers_of);
	return rules;
}

void
RulesFaults(const Model *model, int64 faults[RULE_FAULTS])
{
	Reader reader = {.model = model, .faults = faults, .now = GetCurrentTimestamp()};

	memset(faults, 0, sizeof(int64) * RULE_FAULTS);
	RulesCheckColumns(model);
	PlanStream(query(model, false), 0, NULL, NULL, take, &reader);
}

void
RulesKnow(const Rules *rules, const uint32 *numbers, uint32 count)
{
	for (uint32 a = 0; a < rules->attributes; a++)
		ValuesRead(rules->values[a], numbers, count);
	for (uint32 r = rules->of_items; r < rules->count; r++)
		if (rules->rule[r].number == ID_NONE)
			rules->rule[r].number =
				ValuesFind(rules->rule[r].values, PointerGetDatum(rules->rule[r].value));
}

bool
RuleHolds(const Rule *rule, uint32 number)
{
	uint32 count;
	const uint32 *value;

	if (rule->item != ID_NONE)
		return rule->item == number;
	if (rule->number == ID_NONE)
		return false;
	value = ValuesOf(rule->values, number, &count);
	for (uint32 v = 0; v < count; v++)
		if (value[v] == rule->number)
			return true;
	return false;
}

double
RulesBoost(const Rules *rules, uint32 number)
{
	double boost = 1;
	uint32 low = 0;
	uint32 high = rules->of_items;

	/* The first of the item's own. */
	while (low < high)
	{
		uint32 middle = low + (high - low) / 2;

		if (rules->by_number[middle]->item < number)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < rules->of_items && rules->by_number[low]->item == number; low++)
		boost *= rules->by_number[low]->boost;
	for (uint32 r = rules->of_items; r < rules->count; r++)
		if (rules->rule[r].boost != 1 && RuleHolds(&rules->rule[r], number))
			boost *= rules->rule[r].boost;
	return Min(Max(boost, 1 / BOOST_MOST), BOOST_MOST);
}

double
RulesBoostMost(const Rules *rules)
{
	double boost = 1;

	/* Of each attribute: all values of an array may come together, of a scalar only one. */
	for (uint32 a = 0; a < rules->attributes; a++)
	{
		double most = 1;
		double of_value = 1;

		for (uint32 r = 0; r < rules->count; r++)
		{
			const Rule *rule = &rules->rule[r];
			bool same = r > 0 && rule->values == rules->rule[r - 1].values &&
						rule->values != NULL &&
						compare_texts(rule->value, rules->rule[r - 1].value) == 0;

			if (rule->values != rules->values[a])
				continue;
			of_value = (same || ValuesAreArrays(rule->values) ? of_value : 1) * Max(1, rule->boost);
			most = Max(most, of_value);
		}
		boost *= most;
	}
	return Min(boost, BOOST_MOST);
}

double
RulesBoostMostOfItems(const Rules *rules)
{
	double most = 1;
	double boost = 1;

	for (uint32 r = 0; r < rules->of_items; r++)
	{
		bool same = r > 0 && rules->by_number[r]->item == rules->by_number[r - 1]->item;

		boost = (same ? boost : 1) * rules->by_number[r]->boost;
		most = Max(most, boost);
	}
	return Min(most, BOOST_MOST);
}
