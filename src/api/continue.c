/*
 * continue.c: reco_continue: what somebody left unfinished, most likely to be resumed first.
 */
#include "api/site.h"
#include "catalog/pg_type.h"
#include "data/resuming.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_continue);

static const Oid continue_types[RESUMING_COLUMNS] = {DOOR_ITEM,      TEXTOID, FLOAT8OID, FLOAT8OID,
													 TIMESTAMPTZOID, TEXTOID, DOOR_ITEM};

/* Raises the error of a model whose events say of nothing that it was left unfinished. */
static void
refuse_model(const Model *model)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("model \"%s\" does not know what is unfinished", model->name),
			 errhint("Add a column progress, 0 to 1, to the events query, or name signals of "
					 "baskets or attributes of series with reco_configure(%s, unfinished => ...).",
					 quote_literal_cstr(model->name))));
}

static void
put_row(DoorRows *rows, uint64 row)
{
	Datum values[RESUMING_COLUMNS];
	bool nulls[RESUMING_COLUMNS];

	for (int c = 0; c < RESUMING_COLUMNS; c++)
		values[c] = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, c + 1, &nulls[c]);
	values[RESUMING_ITEM] = DoorItemOut(rows, values[RESUMING_ITEM]);
	if (!nulls[RESUMING_AFTER])
		values[RESUMING_AFTER] = DoorItemOut(rows, values[RESUMING_AFTER]);
	DoorPut(rows, values, nulls);
}

/* What a call site keeps: what everybody is asked by, where no argument says what is unfinished. */
typedef struct Asked
{
	Site site;
	ResumingQuestion *question;
} Asked;

/* Connects SPI and gets ready to ask; what holds for all calls of a site is read by the first. */
static ResumingQuestion *
enter(Asked *asked, FunctionCallInfo fcinfo, Model *model)
{
	bool of_setting = PG_ARGISNULL(4);
	bool knows = asked->site.model != NULL;
	Unfinished *unfinished;
	ResumingQuestion *question;
	MemoryContext caller;

	if (knows && SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (!knows)
	{
		DoorEnter(model);
		ModelNeedsTable(model, "learned_resume");
	}
	if (of_setting && asked->question)
		return asked->question;

	caller = CurrentMemoryContext;
	if (of_setting)
		MemoryContextSwitchTo(asked->site.context);
	unfinished = UnfinishedOf(model, of_setting ? (Datum) 0 : PG_GETARG_DATUM(4), of_setting);
	if (UnfinishedIsNone(unfinished))
		refuse_model(model);
	question = ResumingPrepare(model, unfinished);
	MemoryContextSwitchTo(caller);
	if (of_setting)
		asked->question = question;
	asked->site.model = model;
	return question;
}

/* The model of an argument, that of the site or another. */
static Model *
find_model(Asked *asked, FunctionCallInfo fcinfo, int argument)
{
	if (SiteKnowsModel(&asked->site, fcinfo, argument))
		return asked->site.model;
	asked->question = NULL;
	return SiteLearnModel(&asked->site, fcinfo, argument);
}

/* reco_continue(user_id, k, model, as_of, unfinished).  A NULL user has begun nothing. */
Datum
reco_continue(PG_FUNCTION_ARGS)
{
	Asked *asked = SiteOpen(fcinfo, sizeof(Asked));
	Model *model = find_model(asked, fcinfo, 2);
	uint32 k = DoorK(fcinfo, 1);
	Datum user = DoorUser(fcinfo, 0, model);
	TimestampTz as_of = PG_ARGISNULL(3) ? GetCurrentTimestamp() : PG_GETARG_TIMESTAMPTZ(3);
	DoorRows rows = DoorOpen(fcinfo, model, continue_types, RESUMING_COLUMNS, false);
	ResumingQuestion *question = enter(asked, fcinfo, model);
	int nest = NewGUCNestLevel();
	uint64 count = 0;

	RestrictSearchPath();
	if (!PG_ARGISNULL(0))
		count = ResumingAsk(question, user, as_of, k);
	for (uint64 r = 0; r < count; r++)
		put_row(&rows, r);
	AtEOXact_GUC(false, nest);
	DoorLeave(model);
	return (Datum) 0;
}
