#include "data/signals.h"

#include "catalog/pg_type.h"
#include "data/model.h"
#include "data/consent.h"
#include "data/plan.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

/* Signals named beside the target. */
#define BESIDE_MOST (PARTS_SIGNALS - 2)

/* What stands for all signals that are not named. */
#define OTHER "*"

/* The longest time: some 300 years, in seconds. */
#define TIME_MOST 1e10

/* Signals that a message lists. */
#define LISTED_MOST 20

static int
hint_values(void)
{
	return errhint("Use \"forever\", \"never\" or an interval such as \"90 days\".");
}

/* Says of an error in a time what it should have been. */
static void
explain_time(void *name)
{
	hint_values();
	errcontext("time of signal \"%s\" in \"exclude_seen\"", (const char *) name);
}

/* How long an event keeps its item out, in microseconds, by the word for it. */
static int64
read_time(const char *name, const char *word)
{
	ErrorContextCallback context = {error_context_stack, explain_time, (void *) name};
	double seconds;

	if (strcmp(word, "forever") == 0)
		return SIGNAL_FOREVER;
	if (strcmp(word, "never") == 0)
		return 0;
	error_context_stack = &context;
	seconds = SettingSeconds(DatumGetIntervalP(DirectFunctionCall3(
		interval_in, CStringGetDatum(word), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1))));
	if (!(seconds >= 0 && seconds <= TIME_MOST))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("interval \"%s\" is out of range", word)));
	error_context_stack = context.previous;
	return (int64) (seconds * USECS_PER_SEC);
}

static void
refuse_value(void)
{
	ereport(
		ERROR,
		(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
		 errmsg("\"exclude_seen\" must be an object of signals and times"),
		 errhint("Such as '{\"buy\": \"90 days\", \"view\": \"never\", \"*\": \"forever\"}'.")));
}

/* Room for so many signals and "*". */
static Signals *
make_signals(uint32 named)
{
	return palloc0(offsetof(Signals, signal) + sizeof(Signal) * (named + 1));
}

Signals *
SignalsRead(Datum value)
{
	Jsonb *object = DatumGetJsonbP(value);
	Signals *signals;
	int64 other = SIGNAL_FOREVER;
	JsonbIterator *walk;
	JsonbIteratorToken token;
	JsonbValue part;
	char *name = NULL;

	if (!JB_ROOT_IS_OBJECT(object))
		refuse_value();
	if (JB_ROOT_COUNT(object) > SIGNALS_MOST)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("\"exclude_seen\" may name %d signals, not %u", SIGNALS_MOST,
							   (unsigned) JB_ROOT_COUNT(object)),
						errhint("Use \"*\" for all that are not named.")));
	signals = make_signals(JB_ROOT_COUNT(object));
	walk = JsonbIteratorInit(&object->root);
	while ((token = JsonbIteratorNext(&walk, &part, true)) != WJB_DONE)
	{
		int64 keeps_out;

		if (token == WJB_KEY)
			name = pnstrdup(part.val.string.val, part.val.string.len);
		if (token != WJB_VALUE)
			continue;
		if (part.type != jbvString)
			refuse_value();
		keeps_out = read_time(name, pnstrdup(part.val.string.val, part.val.string.len));
		if (strcmp(name, OTHER) == 0)
			other = keeps_out;
		else
			signals->signal[signals->named++] = (Signal){
				.name = name, .length = strlen(name), .keeps_out = keeps_out, .ruled = true};
	}
	signals->signal[signals->named] = (Signal){.keeps_out = other};
	return signals->named == 0 && other == SIGNAL_FOREVER ? NULL : signals;
}

/* The place of a name, that of "*" where it is not named. */
static uint32
find_name(const Signals *signals, const char *bytes, Size length)
{
	uint32 s = 0;

	while (s < signals->named && !(signals->signal[s].length == length &&
								   memcmp(signals->signal[s].name, bytes, length) == 0))
		s++;
	return s;
}

uint32
SignalsFind(const Signals *signals, Datum name)
{
	text *packed = DatumGetTextPP(name);

	return find_name(signals, VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed));
}

SignalsTold
SignalsHear(const Model *model, const char *target, MemoryContext context)
{
	SignalsTold told = {.count = 1, .name = {MemoryContextStrdup(context, target)}, .weight = {1}};
	Oid type = TEXTOID;
	Datum value = CStringGetTextDatum(target);
	uint64 rows;

	rows = PlanRun(
		psprintf("SELECT e." SIGNAL_TEXT " FROM %s e "
				 "WHERE e.user_id IS NOT NULL AND e." SIGNAL_TEXT " OPERATOR(pg_catalog.<>) ALL "
				 "(ARRAY[$1, '%s'])%s "
				 "GROUP BY 1 ORDER BY pg_catalog.count(*) DESC, 1 LIMIT %d",
				 ConsentEvents(model), OTHER,
				 OidIsValid(model->weight_type) ? " AND e.weight OPERATOR(pg_catalog.>) 0" : "",
				 BESIDE_MOST),
		1, &type, &value, NULL);
	for (uint64 r = 0; r < rows; r++)
	{
		told.name[told.count] = MemoryContextStrdup(
			context, SPI_getvalue(SPI_tuptable->vals[r], SPI_tuptable->tupdesc, 1));
		told.weight[told.count++] = 1;
	}
	told.weight[told.count++] = 1;
	return told;
}

/* What signals of a name weigh: that of the rest where they are not named. */
static uint32
find_told(const SignalsTold *told, const char *name)
{
	uint32 s = 0;

	while (s + 1 < told->count && !(name && strcmp(told->name[s], name) == 0))
		s++;
	return s;
}

void
SignalsTakeWeights(SignalsTold *told, const SignalsTold *weights)
{
	for (uint32 s = 1; weights->count > 0 && s < told->count; s++)
		told->weight[s] = weights->weight[find_told(weights, told->name[s])];
}

Signals *
SignalsJoin(Signals *policy, const SignalsTold *told)
{
	uint32 ruled = policy ? policy->named : 0;
	Signals *joined;

	if (told->count == 0)
		return policy;
	joined = make_signals(ruled + told->count);
	joined->parts = told->count;
	memcpy(joined->weight, told->weight, sizeof(joined->weight));
	for (uint32 s = 0; s < ruled; s++)
		joined->signal[joined->named++] = policy->signal[s];
	for (uint32 s = 0; s + 1 < told->count; s++)
	{
		Size length = strlen(told->name[s]);

		if (policy == NULL || find_name(policy, told->name[s], length) == policy->named)
			joined->signal[joined->named++] =
				(Signal){.name = told->name[s],
						 .length = length,
						 .keeps_out = policy ? policy->signal[ruled].keeps_out : SIGNAL_FOREVER};
	}
	joined->signal[joined->named].keeps_out =
		policy ? policy->signal[ruled].keeps_out : SIGNAL_FOREVER;
	for (uint32 s = 0; s <= joined->named; s++)
		joined->signal[s].part = find_told(told, joined->signal[s].name);
	return joined;
}

/* Raises the error of a signal that no event has; not where none has any. */
static void
refuse_unknown(const Model *model, const char *name)
{
	StringInfoData list;
	uint64 rows = PlanRun(psprintf("SELECT DISTINCT e." SIGNAL_TEXT " FROM %s.events e "
								   "WHERE e.signal IS NOT NULL ORDER BY 1 LIMIT %d",
								   model->quoted, LISTED_MOST + 1),
						  0, NULL, NULL, NULL);

	if (rows == 0)
		return;
	initStringInfo(&list);
	for (uint64 r = 0; r < Min(rows, LISTED_MOST); r++)
		appendStringInfo(&list, "%s%s", r == 0 ? "" : ", ",
						 SPI_getvalue(SPI_tuptable->vals[r], SPI_tuptable->tupdesc, 1));
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("no event of model \"%s\" has the signal \"%s\"", model->name, name),
					errhint("Signals there are: %s%s.", list.data,
							rows > LISTED_MOST ? " and others" : "")));
}

static void
check_occurs(const Model *model, const char *name)
{
	Oid type = TEXTOID;
	Datum value = CStringGetTextDatum(name);

	if (PlanRun(psprintf("SELECT FROM %s.events e "
						 "WHERE e." SIGNAL_TEXT " OPERATOR(pg_catalog.=) $1 LIMIT 1",
						 model->quoted),
				1, &type, &value, NULL) == 0)
		refuse_unknown(model, name);
}

void
SignalsCheckTarget(const Model *model, const char *target)
{
	if (!model->has_signal)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("the events query has no column \"signal\""),
						errdetail("\"target_signal\" names the signal \"%s\".", target),
						errhint("Name one of its columns so.")));
	check_occurs(model, target);
}

void
SignalsCheck(const Model *model, const Signals *signals)
{
	for (uint32 s = 0; s <= signals->named; s++)
	{
		const Signal *signal = &signals->signal[s];

		if (signal->keeps_out > 0 && signal->keeps_out < SIGNAL_FOREVER &&
			!OidIsValid(model->time_type))
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
							errmsg("the events query has no column \"occurred_at\""),
							errdetail("\"exclude_seen\" keeps items out for a time."),
							errhint("Name one of its columns so, or use \"forever\" or "
									"\"never\".")));
		if (signal->name && !model->has_signal)
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
							errmsg("the events query has no column \"signal\""),
							errdetail("\"exclude_seen\" names the signal \"%s\".", signal->name),
							errhint("Name one of its columns so, or use \"*\" alone.")));
		if (signal->name)
			check_occurs(model, signal->name);
	}
}
