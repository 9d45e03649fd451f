/*
 * estimate.c: reco_estimate: what a refresh will find and cost, before it runs.
 *
 * The events are read as a refresh would read them, as the owner of the model, but nothing is
 * kept of them except a sketch; the rest is arithmetic.
 */
#include "api/door.h"

#include <math.h>

#include "access/htup_details.h"
#include "api/forecast.h"
#include "data/sample.h"
#include "executor/spi.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_estimate);

/*
 * Without a limit of the caller's own, reading may take so much of what a refresh is expected to
 * take, and so many seconds always.
 */
#define SHARE_OF_REFRESH 0.08
#define SECONDS_ALWAYS   0.2

/* What an estimate is made of. */
typedef struct Estimate
{
	Model *model;
	double most_seconds; /* 0 for a share of the refresh */
	double readers;
	EventsSample sample;
	RefreshCost cost;
} Estimate;

/* The limit of an argument. */
static double
seconds_argument(FunctionCallInfo fcinfo, int argument)
{
	double seconds = PG_ARGISNULL(argument) ? 0 : PG_GETARG_FLOAT8(argument);

	if (!PG_ARGISNULL(argument) && !(seconds > 0))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("max_seconds must be more than 0, not %g", seconds),
						errhint("'Infinity' reads all events, however long that takes.")));
	return seconds;
}

static RefreshCost
cost_of(const Estimate *estimate, const EventsSample *sample)
{
	return ForecastCost(
		estimate->model, &sample->figures,
		&(ForecastReading){estimate->readers, sample->row_seconds, sample->id_bytes});
}

static double
cost_seconds(const RefreshCost *cost)
{
	return cost->read + cost->encode + cost->learn + cost->solve + cost->curve + cost->again +
		   cost->write;
}

/* How long the events may be read. */
static double
limit(const EventsSample *so_far, void *with)
{
	const Estimate *estimate = with;
	RefreshCost cost;

	if (estimate->most_seconds > 0)
		return estimate->most_seconds;
	cost = cost_of(estimate, so_far);
	return Max(SECONDS_ALWAYS, SHARE_OF_REFRESH * cost_seconds(&cost));
}

/* Looks at the events as the owner of the model, with the settings as they are now. */
static void
look(Estimate *estimate, Budget *budget)
{
	Model *model = estimate->model;
	DoorRole role = DoorBecome(model->owner);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	ModelReadSettings(model);
	estimate->readers = ForecastReaders(model);
	estimate->sample = SampleEvents(model, GetCurrentTimestamp(), limit, estimate, budget);
	DoorLeave(model);
	DoorReturn(&role);

	if (estimate->sample.figures.events == 0)
		ereport(NOTICE, (errmsg("model \"%s\" has no events to learn from", model->name),
						 errhint("Look at the view %s.events.", model->quoted)));
	estimate->cost = cost_of(estimate, &estimate->sample);
}

/* A figure as a whole number. */
static Datum
whole(double figure)
{
	return Int64GetDatum((int64) rint(Min(figure, 9e18)));
}

static Datum
seconds_datum(double seconds)
{
	return Float8GetDatum(rint(seconds * 1e6) / 1e6);
}

/* The columns of reco_estimate, named as those of reco_refresh. */
static Datum
report(FunctionCallInfo fcinfo, const Estimate *estimate)
{
	const SketchFigures *figures = &estimate->sample.figures;
	const RefreshCost *cost = &estimate->cost;
	Datum values[] = {
		whole(figures->events),
		whole(figures->users),
		whole(figures->items),
		whole(figures->pairs),
		whole(cost->kept),
		seconds_datum(cost->read),
		seconds_datum(cost->encode),
		seconds_datum(cost->learn + cost->solve),
		seconds_datum(cost->curve + cost->again),
		seconds_datum(cost->write),
		seconds_datum(cost_seconds(cost)),
		whole(cost->bytes),
		Float8GetDatum(estimate->sample.share),
	};
	bool nulls[lengthof(values)] = {0};
	TupleDesc desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE ||
		desc->natts != (int) lengthof(values))
		elog(ERROR, "reco_estimate was not declared as this library expects");
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* reco_estimate(model, max_seconds) */
Datum
reco_estimate(PG_FUNCTION_ARGS)
{
	Estimate estimate = {.model = DoorModel(fcinfo, 0),
						 .most_seconds = seconds_argument(fcinfo, 1)};
	Budget *budget;

	ModelNeedsOwner(estimate.model);
	budget = BudgetCreate(CurrentMemoryContext,
						  psprintf("estimate of model \"%s\"", estimate.model->name), SIZE_MAX);
	look(&estimate, budget);
	BudgetDestroy(budget);
	PG_RETURN_DATUM(report(fcinfo, &estimate));
}
