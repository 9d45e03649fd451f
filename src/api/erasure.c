/*
 * erasure.c: reco_forget, reco_traces, reco_disclose: what is held of one person, and how it goes.
 *
 * What was learned holds no users, only counts; nothing can be taken out of similarities, curves and
 * factors but by learning them anew.  So that is what is done, from nothing, and only once the events
 * of the person are out of what is learned from: no list of the forgotten is kept, which would be the
 * last trace of them.
 */
#include "api/door.h"

#include "access/htup_details.h"
#include "api/refresh.h"
#include "catalog/pg_type.h"
#include "data/person.h"
#include "executor/spi.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(reco_forget);
PG_FUNCTION_INFO_V1(reco_traces);
PG_FUNCTION_INFO_V1(reco_disclose);

/* A question about a person, as the arguments (user_id, model) have it. */
typedef struct Ask
{
	Model *model;
	Datum user;
	IdKind kind;
	DoorRows rows;
} Ask;

static Ask
take_arguments(FunctionCallInfo fcinfo)
{
	Ask ask = {.model = DoorModel(fcinfo, 1)};

	ask.user = DoorUser(fcinfo, 0, ask.model);
	ask.kind = ask.model->user_kind;
	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("user_id must not be NULL"),
						errhint("Say whom you mean.")));
	ModelNeedsOwner(ask.model);
	return ask;
}

/* Acts as the owner of the model, with SPI connected and the settings read. */
static DoorRole
enter(const Ask *ask)
{
	DoorRole role = DoorBecome(ask->model->owner);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	ModelReadSettings(ask->model);
	return role;
}

static void
leave(const Ask *ask, const DoorRole *role)
{
	DoorLeave(ask->model);
	DoorReturn(role);
}

/* Raises an error where the person would be learned from again. */
static void
check_gone(const Model *model, void *with)
{
	const Ask *ask = with;
	int64 events;

	if (model->user_kind != ask->kind)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("the events of the model changed while they were asked for"),
						errhint("Ask again.")));
	events = PersonEvents(model, ask->user);
	if (events > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" still has events of this user to learn from", model->name),
				 errdetail("The view %s.events has " INT64_FORMAT
						   " of them that a refresh does not leave out.",
						   model->quoted, events),
				 errhint("Delete them, let the events query leave them out, or let the users query "
						 "say that consent is false; then ask again.")));
}

/* reco_forget(user_id, model) */
Datum
reco_forget(PG_FUNCTION_ARGS)
{
	Ask ask = take_arguments(fcinfo);
	instr_time began;
	instr_time spent;
	Datum values[2];
	bool nulls[lengthof(values)] = {0};
	TupleDesc desc;
	DoorRole role;

	PreventCommandIfReadOnly("reco_forget()");
	INSTR_TIME_SET_CURRENT(began);
	values[0] = Int64GetDatum((int64) RefreshAfresh(fcinfo, ask.model, check_gone, &ask));
	role = enter(&ask);
	PersonUnlog(ask.model, ask.user);
	leave(&ask, &role);
	INSTR_TIME_SET_CURRENT(spent);
	INSTR_TIME_SUBTRACT(spent, began);
	values[1] = Float8GetDatum(INSTR_TIME_GET_DOUBLE(spent));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE ||
		desc->natts != lengthof(values))
		elog(ERROR, "reco_forget was not declared as this library expects");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* What to do about traces in a place. */
static const char *
hint_for(const char *place)
{
	if (strcmp(place, "events") == 0)
		return "A refresh learns from these events: delete them, let the events query leave them "
			   "out, or let the users query say that consent is false.";
	if (strcmp(place, "unaccounted") == 0)
		return "These items have counted events that are gone, of this user or of others: run "
			   "reco_forget, or reco_refresh.";
	if (strcmp(place, "served") == 0)
		return "These are rows of the log of lists served: reco_forget deletes them.";
	return "These rows may have counted events of this user: run reco_forget once no refresh learns "
		   "from them.";
}

/* Puts out what there is in one place. */
static void
put_count(Datum place, int64 traces, void *with)
{
	Ask *ask = with;
	Datum values[] = {place, Int64GetDatum(traces),
					  CStringGetTextDatum(hint_for(TextDatumGetCString(place)))};
	bool nulls[lengthof(values)] = {0};

	DoorPut(&ask->rows, values, nulls);
}

static const Oid traces_types[] = {TEXTOID, INT8OID, TEXTOID};

/* reco_traces(user_id, model) */
Datum
reco_traces(PG_FUNCTION_ARGS)
{
	Ask ask = take_arguments(fcinfo);
	DoorRole role;

	ask.rows = DoorOpen(fcinfo, ask.model, traces_types, lengthof(traces_types), false);
	role = enter(&ask);
	PersonTraces(ask.model, ask.user, put_count, &ask);
	leave(&ask, &role);
	return (Datum) 0;
}

/* Puts out one thing that is held. */
static void
put_held(Datum place, NullableDatum item, Datum detail, void *with)
{
	Ask *ask = with;
	Datum values[] = {place, item.isnull ? (Datum) 0 : DoorItemOut(&ask->rows, item.value), detail};
	bool nulls[] = {false, item.isnull, false};

	DoorPut(&ask->rows, values, nulls);
}

static const Oid disclose_types[] = {TEXTOID, DOOR_ITEM, JSONBOID};

/* reco_disclose(user_id, model) */
Datum
reco_disclose(PG_FUNCTION_ARGS)
{
	Ask ask = take_arguments(fcinfo);
	DoorRole role;

	ask.rows = DoorOpen(fcinfo, ask.model, disclose_types, lengthof(disclose_types), false);
	role = enter(&ask);
	PersonDisclose(ask.model, ask.user, put_held, &ask);
	leave(&ask, &role);
	return (Datum) 0;
}
