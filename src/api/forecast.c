#include "api/forecast.h"

#include <math.h>
#include <unistd.h>

#include "base/progress.h"
#include "data/events.h"
#include "data/plan.h"
#include "learn/automatic.h"
#include "learn/matchcurve.h"

/*
 * What one event of the query is taken to cost before any was read: as much as one of a plain
 * table.
 */
#define ROW_SECONDS 5e-8

/*
 * An encoding that took so long says how fast this machine is just now, compared with the one the
 * costs were measured on; within bounds, since other reasons may be at work.
 */
#define PACE_SECONDS 0.02
#define PACE_MOST    8.0

/* How many processes work together: no more of them at a time than there are processors. */
static double
processes(void)
{
	int workers = Min(max_parallel_maintenance_workers, max_parallel_workers);
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return Max(Min(1 + workers, processors), 1);
}

double
ForecastReaders(const Model *model)
{
	double readers = processes();

	if (readers < 2 || EventsExpected(model) < EVENTS_SHARED ||
		!EventsParallel(model, (uint32) readers - 1))
		return 1;
	return readers;
}

RefreshCost
ForecastCost(const Model *model, const SketchFigures *figures, const ForecastReading *reading)
{
	const Settings *settings = &model->settings;
	uint32 users = (uint32) Min(figures->users, UINT32_MAX);
	uint32 held_out = InteractionsHoldout(users, users);
	bool decays = settings->half_life > 0 && OidIsValid(model->time_type);
	bool factors = settings->algorithm == MODEL_FACTORS;
	bool automatic = !factors && settings->similarity.rule.kind == SIMILARITY_AUTO;
	SimilarityOptions options = model->picked;
	SimilarityOptions picked = model->picked;

	/*
	 * Trials are those of ridge, which most sets are learned with, too: what the last refresh picked is
	 * what the next one picks.  Nothing is picked by hardly anybody.
	 */
	if (automatic && held_out < MATCHCURVE_LEAST)
		automatic = false;
	if (automatic)
		options.rule.kind = SIMILARITY_RIDGE;

	/* What is only shown is counted, where nobody says otherwise. */
	if (factors && settings->similarity.rule.kind == SIMILARITY_AUTO)
	{
		options.rule.kind = SIMILARITY_COOCCURRENCE;
		options.keep = SIMILARITY_KEEP_SOURCE;
	}

	return CostOf(&(CostInput){
		.figures = *figures,
		.row_seconds = reading->row_seconds,
		.id_bytes = reading->id_bytes,
		.alike = settings->weighting == WEIGHTING_BINARY || (figures->alike && !decays),
		.ordered = OidIsValid(model->time_type) && SimilarityNeedsOrder(&settings->similarity),
		.memory = (double) BudgetMaintenance(),
		.readers = reading->readers,
		.encoders = figures->events < EVENTS_SHARED ? 1 : processes(),
		.processes = figures->cells < INTERACTIONS_SHARED ? 1 : processes(),
		.held_out = held_out,
		.twice = !MatchCurveSpares(users, held_out),
		.trials = automatic ? AUTOMATIC_TRIALS : 0,
		.options = &options,
		.picked =
			automatic && model->has_picked && picked.rule.kind != SIMILARITY_RIDGE ? &picked : NULL,
		.fold = factors ? &settings->fold : NULL,
	});
}

/* The same where so many read, and nothing is known of rows: ids of so many bytes are common. */
static RefreshCost
cost_of(const Model *model, const SketchFigures *figures, double readers)
{
	return ForecastCost(model, figures, &(ForecastReading){readers, ROW_SECONDS, sizeof(uint64)});
}

/* Tells of the phases after encoding, on a machine that takes so many times as long. */
static void
expect_learning(const RefreshCost *cost, double pace)
{
	ProgressExpect(PROGRESS_LEARN, pace * cost->learn);
	ProgressExpect(PROGRESS_SOLVE, pace * cost->solve);
	ProgressExpect(PROGRESS_CURVE, pace * (cost->curve + cost->again));
	ProgressExpect(PROGRESS_WRITE, pace * cost->write);
}

/* Reads what the last refresh found; false where there was none. */
static bool
read_last(const Model *model, double *events, double *users, double *items)
{
	double *figure[] = {events, users, items};
	bool isnull = false;

	PlanRun(psprintf("SELECT events::pg_catalog.float8, users::pg_catalog.float8, "
					 "items::pg_catalog.float8 FROM ONLY %s.model",
					 model->quoted),
			0, NULL, NULL, NULL);
	for (int c = 0; c < (int) lengthof(figure); c++)
	{
		Datum value = SPI_processed == 1 ? SPI_getbinval(SPI_tuptable->vals[0],
														 SPI_tuptable->tupdesc, c + 1, &isnull)
										 : (Datum) 0;

		if (SPI_processed != 1 || isnull)
			return false;
		*figure[c] = DatumGetFloat8(value);
	}
	SPI_freetuptable(SPI_tuptable);
	return *events >= 1;
}

void
ForecastAsLast(const Model *model, uint64 rows)
{
	double events;
	double users;
	double items;
	SketchFigures figures;
	RefreshCost cost;

	if (!read_last(model, &events, &users, &items))
		return;
	CostGuess((double) rows, users * rows / events, items * rows / events, &figures);
	figures.alike = !OidIsValid(model->weight_type);
	cost = cost_of(model, &figures, ForecastReaders(model));
	ProgressExpect(PROGRESS_READ, cost.read);
	ProgressExpect(PROGRESS_ENCODE, cost.encode);
	expect_learning(&cost, 1);
}

/* The figures of a matrix, which says all. */
static SketchFigures
figures_of(const Model *model, const Interactions *matrix, uint64 events)
{
	SketchFigures figures = {
		.events = (double) events,
		.users = matrix->users,
		.items = matrix->items,
		.cells = (double) matrix->cells,
		.pairs = matrix->pairs,
		.alike = !OidIsValid(model->weight_type),
	};

	for (uint32 i = 0; i < matrix->items; i++)
		SketchItemsAdd(&figures.spread, 1, (double) matrix->stat[i].events);
	return figures;
}

RefreshCost
ForecastEncoded(const Model *model, const Interactions *matrix, uint64 events, double seconds)
{
	SketchFigures figures = figures_of(model, matrix, events);
	RefreshCost cost = cost_of(model, &figures, 1);
	double pace = 1;

	if (seconds > PACE_SECONDS)
		pace = Min(Max(seconds / cost.encode, 1 / PACE_MOST), PACE_MOST);
	expect_learning(&cost, pace);
	cost.curve *= pace;
	cost.again *= pace;
	return cost;
}

void
ForecastCurve(const RefreshCost *cost)
{
	ProgressExpect(PROGRESS_CURVE, cost->curve);
	ProgressExpect(PROGRESS_LEARN, cost->again);
}
