/*
 * sample.c: a sketch of the events, and what it says of those not seen.
 *
 * All rows are read where time allows: what a planner knows of columns was off by more than two
 * on 20 million events, of users and of items, since ANALYZE looks at 30,000 rows; and it knows
 * nothing of pairs.  Reading without learning takes some 80 ns a row, a refresh ten times that.
 *
 * Where time runs out, the figures at the end and at two moments before tell with what power of the
 * number of rows each of them grew, and how that changed: events in order of users have twice the
 * pairs where there are twice the rows, events in order of time up to four times.
 */
#include "data/sample.h"

#include <float.h>
#include <math.h>

#include "access/detoast.h"
#include "data/consent.h"
#include "data/plan.h"
#include "portability/instr_time.h"
#include "utils/timestamp.h"

#define LOOK_EVERY 1024 /* rows between two looks at the clock */
#define MARK_FIRST                                                                                 \
	0.01 /* seconds of reading before the first mark; the next come after twice the time */
#define MARKS     24
#define SKETCH_NS 25 /* what the sketch itself costs a row */

/* An earlier mark must lie so far back, in rows, to say how things grow. */
#define MARK_SHARE 0.7

/* And must have so many pairs to say how these do. */
#define PAIRS_LEAST 1000

/* The figures at one moment. */
typedef struct Mark
{
	double rows;
	SketchFigures figures;
} Mark;

typedef struct Sampler
{
	const Model *model;
	Sketch *sketch;
	int time; /* column, 0 where there is none, like the next */
	int weight;
	TimestampTz now;
	uint64 rows;
	uint64 bytes;    /* of items' ids */
	double expected; /* rows, by the planner */
	SampleLimit limit;
	void *with;
	double most_seconds; /* what limit() said last */
	instr_time began;
	double marking; /* seconds that marks took */
	Mark *mark;
	int marks;
	bool enough;
} Sampler;

static double
seconds_since(instr_time began)
{
	instr_time now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, began);
	return INSTR_TIME_GET_DOUBLE(now);
}

/* The last mark that lies well before so many rows; NULL where there is none. */
static const Mark *
mark_before(const Sampler *sampler, double rows)
{
	const Mark *found = NULL;

	for (int m = 0; m < sampler->marks; m++)
		if (sampler->mark[m].rows <= MARK_SHARE * rows)
			found = &sampler->mark[m];
	return found;
}

/* The power of the number of rows that a figure grew with between two moments. */
static double
power_of(double before, double after, double rows_before, double rows_after)
{
	return before > 0 && after > before ? log(after / before) / log(rows_after / rows_before) : 0;
}

/*
 * A figure of all rows, from one at the end of what was read and two at marks before, the last
 * first.  The power changes with the logarithm of rows as it did between the marks, within 0 and 1:
 * the more users are known, the fewer are still to come.
 */
static double
grown(const double *figure, const double *rows, double all_rows)
{
	double ahead = log(all_rows / rows[0]);
	double power = power_of(figure[1], figure[0], rows[1], rows[0]);
	double change = 0;
	double steps = 64;
	double sum = 0;

	if (rows[2] > 0)
		change = (power - power_of(figure[2], figure[1], rows[2], rows[1])) /
				 (log(rows[0] / rows[2]) / 2);
	/* The power is that of the middle of the last interval. */
	power += change * log(rows[0] / rows[1]) / 2;
	for (int s = 0; s < steps; s++)
		sum += fmin(fmax(power + change * ahead * (s + 0.5) / steps, 0), 1);
	return figure[0] * exp(sum * ahead / steps);
}

/* Pairs of two different items, from which alone it is seen how pairs grow. */
static double
mixed_pairs(const SketchFigures *figures)
{
	return figures->pairs - figures->cells;
}

/*
 * Pairs of different items grow with the square of the rows where these come in no order, each
 * pair being there with the chance that both its halves are; in proportion where they come user
 * by user; and with a power in between that hardly changes otherwise.  One very keen user moves
 * it for a while, so that the longest way back is best.
 */
static double
grown_pairs(const Sampler *sampler, const SketchFigures *figures, double all_rows)
{
	double now = mixed_pairs(figures);
	double power = 1;

	for (int m = 0; m < sampler->marks; m++)
	{
		const Mark *mark = &sampler->mark[m];

		if (mark->rows > MARK_SHARE * sampler->rows || mixed_pairs(&mark->figures) < PAIRS_LEAST)
			continue;
		power = power_of(mixed_pairs(&mark->figures), now, mark->rows, (double) sampler->rows);
		break;
	}
	return now * pow(all_rows / sampler->rows, fmin(fmax(power, 1), 2));
}

/* Turns the figures of the rows read to those of so many rows. */
static void
extrapolate(const Sampler *sampler, double all_rows, SketchFigures *figures)
{
	const SketchFigures seen = *figures;
	const Mark *mark = mark_before(sampler, (double) sampler->rows);
	const Mark *older = mark ? mark_before(sampler, mark->rows) : NULL;
	double times = all_rows / sampler->rows;
	double items;

	if (mark)
	{
		const SketchFigures *then = &mark->figures;
		const SketchFigures *first = older ? &older->figures : then;
		double rows[] = {(double) sampler->rows, mark->rows, older ? older->rows : 0};

#define GROWN(figure) grown((double[]){seen.figure, then->figure, first->figure}, rows, all_rows)
		figures->users = GROWN(users);
		figures->items = GROWN(items);
		figures->cells = GROWN(cells);
#undef GROWN
		figures->pairs = figures->cells + grown_pairs(sampler, &seen, all_rows);
	}
	else
	{
		/* Nothing is known of how they grow: as if events were in order of users. */
		figures->users *= times;
		figures->cells *= times;
		figures->pairs *= times;
	}
	figures->events *= times;
	figures->spread = (SketchItems){0};
	items = figures->items / Max(seen.items, 1);
	for (int b = 0; b < SKETCH_BINS; b++)
		if (seen.spread.items[b] > 0)
			SketchItemsAdd(&figures->spread, seen.spread.items[b] * items,
						   seen.spread.events[b] / seen.spread.items[b] * times / items);
}

/* The sample by what was read so far; all of it tells whether the rows have ended. */
static EventsSample
sample_so_far(const Sampler *sampler, const SketchFigures *figures, bool all)
{
	EventsSample sample = {.figures = *figures, .share = 1};
	double spent = seconds_since(sampler->began) - sampler->marking;

	if (figures->events > 0)
	{
		sample.id_bytes = sampler->bytes / figures->events;
		sample.row_seconds = Max(spent - 1e-9 * SKETCH_NS * sampler->rows, 0) / figures->events;
	}
	if (!all && sampler->expected > sampler->rows)
	{
		sample.share = sampler->rows / sampler->expected;
		extrapolate(sampler, sampler->expected, &sample.figures);
	}
	return sample;
}

/* Marks the figures of this moment, and asks how long reading may take. */
static void
set_mark(Sampler *sampler)
{
	Mark *mark = &sampler->mark[sampler->marks];
	EventsSample so_far;
	instr_time began;

	INSTR_TIME_SET_CURRENT(began);
	mark->rows = (double) sampler->rows;
	SketchRead(sampler->sketch, sampler->model->settings.max_history, &mark->figures);
	so_far = sample_so_far(sampler, &mark->figures, false);
	sampler->marks++;
	sampler->most_seconds = sampler->limit(&so_far, sampler->with);
	sampler->marking += seconds_since(began);
}

static void
look_at_clock(Sampler *sampler)
{
	double spent = seconds_since(sampler->began);

	if (sampler->marks < MARKS && spent >= ldexp(MARK_FIRST, sampler->marks))
		set_mark(sampler);
	sampler->enough = spent >= sampler->most_seconds;
}

/* Whether a refresh would learn from a row, and with what weight. */
static bool
is_event(const Sampler *sampler, const TupleTableSlot *row, float *weight)
{
	for (int c = 0; c < row->tts_tupleDescriptor->natts; c++)
		if (row->tts_isnull[c])
			return false;
	if (sampler->weight)
	{
		*weight = (float) DatumGetFloat8(row->tts_values[sampler->weight - 1]);
		if (!isfinite(*weight))
			return false;
	}
	return sampler->time == 0 ||
		   DatumGetTimestampTz(row->tts_values[sampler->time - 1]) <= sampler->now;
}

static void
take(TupleTableSlot *row, void *with)
{
	Sampler *sampler = with;
	float weight = 1;

	if (is_event(sampler, row, &weight))
	{
		IdKind kind = sampler->model->item_kind;

		SketchAdd(sampler->sketch, IdHash(sampler->model->user_kind, row->tts_values[0]),
				  IdHash(kind, row->tts_values[1]), weight);
		sampler->bytes += kind == ID_TEXT ? toast_raw_datum_size(row->tts_values[1]) : 16;
	}
	if (++sampler->rows % LOOK_EVERY == 0)
		look_at_clock(sampler);
}

EventsSample
SampleEvents(const Model *model, TimestampTz now, SampleLimit limit, void *with, Budget *budget)
{
	Sampler sampler = {
		.model = model,
		.sketch = SketchInit(BudgetAlloc(budget, SketchBytes(), 1)),
		.now = now,
		.limit = limit,
		.with = with,
		.most_seconds = DBL_MAX,
		.mark = BudgetAlloc(budget, MARKS, sizeof(Mark)),
	};
	SketchFigures figures;
	EventsSample sample;
	int columns = 2;
	char *sql = psprintf("SELECT user_id::%s, item_id::%s", IdTypeName(model->user_kind),
						 IdTypeName(model->item_kind));

	if (OidIsValid(model->time_type))
	{
		sampler.time = ++columns;
		sql = psprintf("%s, occurred_at::pg_catalog.timestamptz", sql);
	}
	if (OidIsValid(model->weight_type))
	{
		sampler.weight = ++columns;
		sql = psprintf("%s, weight::pg_catalog.float8", sql);
	}
	sampler.expected = (double) PlanRows(psprintf("SELECT 1 FROM %s e", ConsentEvents(model)));
	INSTR_TIME_SET_CURRENT(sampler.began);
	PlanStreamSome(psprintf("%s FROM %s e", sql, ConsentEvents(model)), 0, NULL, NULL, take,
				   &sampler, &sampler.enough);
	ModelNeedsName(model);

	SketchRead(sampler.sketch, model->settings.max_history, &figures);
	sample = sample_so_far(&sampler, &figures, !sampler.enough);
	BudgetFree(budget, sampler.mark);
	BudgetFree(budget, sampler.sketch);
	return sample;
}
