/*
 * continue.c: reco_continue: what somebody left unfinished, most likely to be resumed first.
 */
#include "api/site.h"

#include "api/arguments.h"
#include "catalog/pg_type.h"
#include "data/resuming.h"
#include "data/waiting.h"
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

/* Puts out what a statement found. */
static void
put_asked(DoorRows *rows, uint64 count)
{
	for (uint64 r = 0; r < count; r++)
	{
		Datum values[RESUMING_COLUMNS];
		bool nulls[RESUMING_COLUMNS];

		for (int c = 0; c < RESUMING_COLUMNS; c++)
			values[c] =
				SPI_getbinval(SPI_tuptable->vals[r], SPI_tuptable->tupdesc, c + 1, &nulls[c]);
		values[RESUMING_ITEM] = DoorItemOut(rows, values[RESUMING_ITEM]);
		if (!nulls[RESUMING_AFTER])
			values[RESUMING_AFTER] = DoorItemOut(rows, values[RESUMING_AFTER]);
		DoorPut(rows, values, nulls);
	}
}

/* Puts out the same, worked out in memory. */
static void
put_waiting(DoorRows *rows, const IdSet *ids, const WaitingItem *item, uint32 count)
{
	for (const WaitingItem *end = item + count; item < end; item++)
	{
		Datum values[RESUMING_COLUMNS] = {0};
		bool nulls[RESUMING_COLUMNS] = {0};

		values[RESUMING_ITEM] = DoorItemOut(rows, IdSetDatum(ids, item->item));
		values[RESUMING_KIND] = CStringGetTextDatum(item->kind);
		values[RESUMING_PROBABILITY] = Float8GetDatum(item->probability);
		values[RESUMING_PROGRESS] = Float8GetDatum(item->progress);
		nulls[RESUMING_PROGRESS] = !item->has_progress;
		values[RESUMING_LAST] = TimestampTzGetDatum(item->last);
		nulls[RESUMING_LAST] = !item->has_last;
		nulls[RESUMING_SERIES] = item->series == NULL;
		if (item->series)
			values[RESUMING_SERIES] = CStringGetTextDatum(item->series);
		nulls[RESUMING_AFTER] = item->after == ID_NONE;
		if (item->after != ID_NONE)
			values[RESUMING_AFTER] = DoorItemOut(rows, IdSetDatum(ids, item->after));
		DoorPut(rows, values, nulls);
	}
}

/* What a call site keeps: what everybody is asked by, where no argument says what is unfinished. */
typedef struct Asked
{
	Site site;
	ResumingQuestion *question;
	uint64 users;
	Budget *budget; /* of what is held once many were asked about */
	IdSet *ids;
	Waiting *waiting; /* NULL before that, or where there is no room */
} Asked;

/* Holds what is alike for all users, where enough were asked about. */
static void
hold(Asked *asked, Model *model)
{
	MemoryContext caller;

	if (asked->budget || !WaitingPays(model, asked->users++))
		return;
	asked->budget = BudgetCreate(asked->site.context, "continue", SIZE_MAX);
	asked->ids = IdSetCreate(model->item_kind, asked->budget);
	caller = CurrentMemoryContext;
	asked->waiting =
		WaitingHold(model, UnfinishedOf(model, (Datum) 0, true), asked->ids, asked->budget);
	MemoryContextSwitchTo(caller);
}

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
		MemoryContextSwitchTo(asked->site.of_model);
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

/* The model of an argument, that of the site or another, of which nothing is known yet. */
static Model *
find_model(Asked *asked, FunctionCallInfo fcinfo, int argument)
{
	if (SiteKnowsModel(&asked->site, fcinfo, argument))
		return asked->site.model;
	if (asked->budget)
		BudgetDestroy(asked->budget);
	asked->budget = NULL;
	asked->waiting = NULL;
	asked->users = 0;
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
	const WaitingItem *item;
	uint32 count;

	RestrictSearchPath();
	if (PG_ARGISNULL(4))
		hold(asked, model);
	if (!PG_ARGISNULL(0) && PG_ARGISNULL(4) && asked->waiting)
	{
		WaitingBegin(asked->waiting, as_of);
		WaitingRead(asked->waiting, user);
		item = WaitingList(asked->waiting, k, &count);
		put_waiting(&rows, asked->ids, item, count);
	}
	else if (!PG_ARGISNULL(0))
		put_asked(&rows, ResumingAsk(question, user, as_of, k));
	AtEOXact_GUC(false, nest);
	DoorLeave(model);
	return (Datum) 0;
}
