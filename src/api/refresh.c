/*
 * refresh.c: reco_refresh: read, compute, write, strictly in that order.
 *
 * Read: the owner's query streams into an event log.  Compute: no SQL runs; everything is in
 * memory charged to one budget.  Write: changed rows of learned_item, then the row of "model".
 * Habits, where somebody had them learned before, follow by themselves.
 * All of it happens as the owner of the schema, with the search path of maintenance, in the
 * caller's transaction, under a lock that no reader waits for, only maintenance (another refresh,
 * VACUUM, ALTER): readers see the old model until commit, and after an error or a ROLLBACK they
 * never stop.
 */
#include "api/refreshing.h"

#include <math.h>

#include "access/htup_details.h"
#include "api/arguments.h"
#include "api/habits.h"
#include "api/lifting.h"
#include "api/record.h"
#include "api/refresh.h"
#include "api/said.h"
#include "base/progress.h"
#include "data/find.h"
#include "executor/spi.h"
#include "learn/automatic.h"
#include "learn/beside.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_refresh);

/* Ends a phase: the time since the last one ended is its own. */
static void
end_phase(Refresh *refresh, Phase phase)
{
	instr_time now;
	instr_time spent;

	INSTR_TIME_SET_CURRENT(now);
	spent = now;
	INSTR_TIME_SUBTRACT(spent, refresh->since);
	refresh->seconds[phase] += INSTR_TIME_GET_DOUBLE(spent);
	refresh->since = now;
}

static void
connect_spi(void)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

/* Sees to it that the model has its name still, after what takes long and would not have noticed. */
static void
check_name(const Refresh *refresh)
{
	AcceptInvalidationMessages();
	ModelNeedsName(refresh->model);
}

static void
read_events(Refresh *refresh)
{
	uint64 rows;

	connect_spi();
	/* Another refresh may have committed: all is read as it is now, not as the statement saw it. */
	PushActiveSnapshot(GetTransactionSnapshot());
	ModelReadSettings(refresh->model);
	ModelNeedsTimes(refresh->model);
	if (refresh->check)
		refresh->check(refresh->model, refresh->with);
	rows = EventsExpected(refresh->model);
	ProgressEnter(PROGRESS_READ, rows);
	ForecastAsLast(refresh->model, rows);
	refresh->people = PeopleRead(refresh->model, refresh->budget);
	refresh->events = EventsRead(refresh->model, refresh->now, rows, refresh->budget);
	check_name(refresh);
	refresh->contexts =
		ContextsRead(refresh->model, refresh->events->items, DT_NOEND, refresh->budget);
	refresh->event_count = refresh->events->log.count;
	refresh->resuming = ResumingCount(refresh->model, refresh->event_count, refresh->budget);
	ForecastAsLast(refresh->model, refresh->event_count);
	refresh->resemblance = ResembleRead(refresh->model, refresh->events->items, refresh->budget);
	LearnedCheckIds(refresh->model, refresh->events->items);
	PopActiveSnapshot();
	SPI_finish();
	if (refresh->event_count == 0)
		ereport(NOTICE,
				(errmsg("model \"%s\" has no events to learn from", refresh->model->name),
				 errhint("Look at the view %s.events; the report counts rows left out, by reason.",
						 refresh->model->quoted)));
	end_phase(refresh, PHASE_READ);
}

bool
RefreshNeedsCells(const Model *model)
{
	const SimilarityOptions *similarity = &model->settings.similarity;
	bool ordered = OidIsValid(model->time_type) && SimilarityNeedsOrder(similarity);

	if (similarity->rule.kind == SIMILARITY_AUTO)
		ordered = similarity->recency > 0 && SimilarityRecency(similarity) < 1;
	return ordered || model->settings.algorithm == MODEL_FACTORS || ModelTarget(model) != NULL;
}

/* True where the rows of users may go to tape.  What is picked is picked without order, then. */
static bool
may_spill(const Refresh *refresh)
{
	return refresh->people->groups == 0 && !RefreshNeedsCells(refresh->model);
}

static InteractionOptions
interaction_options(const Refresh *refresh)
{
	const Settings *settings = &refresh->model->settings;

	return (InteractionOptions){
		.weighting = settings->weighting,
		.half_life = settings->half_life,
		.popular_half_life = settings->popular_half_life,
		.trend_half_life = settings->trend_half_life,
		.max_history = settings->max_history,
		.keep_users = refresh->people->groups > 0,
		.ordered = SimilarityNeedsOrder(&settings->similarity),
		.tape = may_spill(refresh),
	};
}

/* Learns what groups of users go for, and gives back what that alone needs. */
static void
learn_groups(Refresh *refresh)
{
	const People *people = refresh->people;
	const Popularity *popularity = refresh->popularity;
	GroupMembers members = {people->groups, people->start, people->user};

	/* What people choose now, where that is known: of real orders it foresaw a quarter more. */
	refresh->groups = GroupsLearn(
		refresh->matrix,
		refresh->events->log.timed ? popularity->recent_log2 : popularity->longrun_log2, &members,
		refresh->model->settings.similarity.rule.min_support, refresh->budget);
	PeopleForget(refresh->people, refresh->budget);
	BudgetFree(refresh->budget, refresh->matrix->user);
	refresh->matrix->user = NULL;
}

/* Adds what attributes say to what people's choices say. */
static void
mix_content(Refresh *refresh)
{
	refresh->neighbor_pairs = refresh->neighbors->start[refresh->neighbors->items];
	refresh->neighbors = ResembleMix(&refresh->resemblance, refresh->matrix, refresh->similarity.k,
									 refresh->neighbors);
}

/* Learns factors, and the match curve from those who were held out. */
static void
learn_factors(Refresh *refresh)
{
	const Interactions *matrix = refresh->matrix;
	const FoldOptions *options = &refresh->model->settings.fold;
	const Sparse *by_user = &matrix->by_user;
	Budget *budget = refresh->budget;
	bool spared = MatchCurveSpares(matrix->paired, by_user->rows - matrix->learners);
	Factors *start;

	if (matrix->chosen_count < MATCHCURVE_LEAST)
	{
		refresh->factors = FactorsLearn(by_user, by_user->rows, options, NULL, budget);
		end_phase(refresh, PHASE_LEARN);
		return;
	}
	start = FactorsLearnBefore(matrix, options, budget);
	end_phase(refresh, PHASE_LEARN);
	ProgressEnter(PROGRESS_CURVE, matrix->chosen_count);
	ForecastCurve(&refresh->cost);
	MatchCurveLearn(matrix, &(MatchCurveOf){.factors = start, .recency = 1}, &refresh->match,
					budget);
	end_phase(refresh, PHASE_CURVE);
	refresh->factors = start;
	if (spared)
		return;

	/* They are not far from where what was held out leads, too. */
	refresh->factors = FactorsLearn(by_user, by_user->rows, options, start, budget);
	FactorsFree(start, budget);
	end_phase(refresh, PHASE_CURVE);
}

/*
 * Learns factors for lists, and neighbours to show what is similar: by counts, where nobody says
 * otherwise, so that there are users behind each pair.
 */
static void
compute_factors(Refresh *refresh)
{
	SimilarityOptions *similarity = &refresh->similarity;

	if (similarity->rule.kind == SIMILARITY_AUTO)
	{
		similarity->rule.kind = SIMILARITY_COOCCURRENCE;
		similarity->keep = SIMILARITY_KEEP_SOURCE;
	}
	ProgressEnter(PROGRESS_LEARN, refresh->matrix->cells);
	refresh->neighbors = NeighborsLearn(&refresh->matrix->rows, similarity, refresh->budget);
	mix_content(refresh);
	learn_factors(refresh);
}

/* What a match curve is learned of, where neighbours make lists. */
static MatchCurveOf
of_neighbors(const Refresh *refresh)
{
	return (MatchCurveOf){.neighbors = refresh->neighbors,
						  .recency = SimilarityRecency(&refresh->similarity)};
}

/* What trials of other settings are left after those of signals. */
static double
others_need(const Refresh *refresh)
{
	return refresh->model->settings.similarity.rule.kind == SIMILARITY_AUTO
			   ? refresh->trials.most / 2
			   : 0;
}

/* Learns what signals are worth beside the target, and makes one matrix of them. */
static void
mix_signals(Refresh *refresh)
{
	const Settings *settings = &refresh->model->settings;
	Interactions *whole = refresh->matrix;
	double *w = refresh->events->told.weight;
	uint64 targets = 0;

	for (uint64 cell = 0; cell < whole->cells; cell++)
		targets += whole->part[cell * whole->signals] > 0;
	if (targets == 0 && refresh->event_count > 0)
		ereport(NOTICE,
				(errmsg("nothing in the events of model \"%s\" was chosen by signal \"%s\"",
						refresh->model->name, settings->target_signal),
				 errhint("Set \"target_signal\" to a signal there is, or to '' to learn from "
						 "all signals alike.")));
	if (whole->chosen_count >= MATCHCURVE_LEAST)
	{
		refresh->trials = AllowanceOf(whole, &settings->similarity, refresh->budget);
		refresh->matrix = BesidePick(&(BesideInput){.whole = whole,
													.options = &settings->similarity,
													.weighting = settings->weighting,
													.allowance = &refresh->trials,
													.besides = others_need(refresh),
													.w = w},
									 refresh->budget);
	}
	else
		refresh->matrix = MixingApply(whole, w, settings->weighting, refresh->budget);
	BudgetFree(refresh->budget, whole->part);
}

/* Learns what scores mean, from neighbours that those held out had no part in. */
static void
learn_curve(Refresh *refresh, Phase learned)
{
	MatchCurveOf of;

	mix_content(refresh);
	end_phase(refresh, learned);
	ProgressEnter(PROGRESS_CURVE, refresh->matrix->chosen_count);
	ForecastCurve(&refresh->cost);
	of = of_neighbors(refresh);
	MatchCurveLearn(refresh->matrix, &of, &refresh->match, refresh->budget);
	end_phase(refresh, PHASE_CURVE);
}

/* The same where everybody is learned from in the end: neighbours without them are for nothing else. */
static void
use_up(Neighbors *neighbors, void *with)
{
	Refresh *refresh = with;

	refresh->neighbors = neighbors;
	learn_curve(refresh, PHASE_CURVE);
	NeighborsFree(refresh->neighbors, refresh->budget);
	refresh->neighbors = NULL;
	ProgressEnter(PROGRESS_LEARN, refresh->matrix->cells);
}

/* Takes neighbours learned from everybody, and has the curve follow. */
static void
take_all(Neighbors *neighbors, void *with)
{
	Refresh *refresh = with;
	MatchCurveOf of;

	refresh->neighbors = neighbors;
	mix_content(refresh);
	end_phase(refresh, PHASE_LEARN);
	if (refresh->match.curve.knots == 0)
		return;
	ProgressEnter(PROGRESS_CURVE, refresh->matrix->chosen_count);
	of = of_neighbors(refresh);
	MatchCurveCarry(refresh->matrix, &of, &refresh->match, refresh->budget);
	end_phase(refresh, PHASE_CURVE);
}

/*
 * Picks what to learn by, and learns by that.  Unless there is reason not to, pairs of all users are counted
 * along, for what is learned in the end.
 */
static void
learn_automatic(Refresh *refresh, AutomaticAll *all)
{
	Allowance *allowance = &refresh->trials;
	const Interactions *matrix = refresh->matrix;
	Allowance own = AllowanceOf(matrix, &refresh->similarity, refresh->budget);
	Neighbors *learned;

	/* Without what a signal that was worth nothing has, a fit may take less. */
	if (allowance->fit > 0)
	{
		AllowanceNarrow(allowance, own.fit);
		allowance->counting = own.counting;
	}
	else
		*allowance = own;
	learned = AutomaticLearn(matrix, &refresh->similarity, allowance, all, refresh->budget);
	if (learned) /* else they were taken, and there are others in their place */
		refresh->neighbors = learned;
	ereport(DEBUG1, (errmsg_internal("trials: %.4f s of work, one fit: %.4f s", allowance->spent,
									 allowance->fit)));
}

static void
compute(Refresh *refresh)
{
	InteractionOptions options = interaction_options(refresh);
	SimilarityOptions *similarity = &refresh->similarity;
	bool pick;
	AutomaticAll all = {.take = use_up, .finish = take_all, .with = refresh};
	Budget *budget = refresh->budget;
	Interactions *matrix;
	Neighbors *neighbors = NULL;
	uint32 users;

	ProgressEnter(PROGRESS_ENCODE, refresh->event_count);
	matrix = refresh->matrix = InteractionsBuild(&refresh->events->log, &options, budget);
	users = matrix->users;
	refresh->popularity = PopularityLearn(matrix, &refresh->events->log, &options, budget);
	learn_groups(refresh);
	LiftingLearn(refresh->model, refresh->contexts, &refresh->events->log, refresh->lifts, budget);
	end_phase(refresh, PHASE_ENCODE);
	refresh->cost = ForecastEncoded(refresh->model, matrix, refresh->event_count,
									refresh->seconds[PHASE_ENCODE]);

	*similarity = refresh->model->settings.similarity;
	if (refresh->model->settings.algorithm == MODEL_FACTORS)
	{
		compute_factors(refresh);
		return;
	}
	pick = similarity->rule.kind == SIMILARITY_AUTO;
	if (matrix->signals > 0)
	{
		ProgressEnter(PROGRESS_LEARN, matrix->learned_cells);
		mix_signals(refresh);
		matrix = refresh->matrix;
	}
	if (pick && matrix->chosen_count < MATCHCURVE_LEAST)
		AutomaticThin(similarity);
	if (matrix->chosen_count >= MATCHCURVE_LEAST)
	{
		Rows learners = InteractionsRows(matrix, matrix->learners);
		bool spared = MatchCurveSpares(matrix->paired, users - matrix->learners);

		ProgressEnter(PROGRESS_LEARN, matrix->learned_cells);
		if (pick)
			learn_automatic(refresh, spared ? NULL : &all);
		else
			refresh->neighbors = NeighborsLearn(&learners, similarity, budget);
		if (spared)
		{
			learn_curve(refresh, PHASE_LEARN);
			return;
		}
		if (all.finished)
			return;
		use_up(refresh->neighbors, refresh);
	}
	else
		ProgressEnter(PROGRESS_LEARN, matrix->cells);
	if (all.counted && similarity->rule.kind == SIMILARITY_RIDGE &&
		!NeighborsNeedSources(similarity))
		neighbors = NeighborsOfRidge(all.counted, similarity, budget);
	if (all.counted)
		RidgeClose(all.counted, budget);
	if (neighbors == NULL)
		neighbors = NeighborsLearn(&matrix->rows, similarity, budget);
	take_all(neighbors, refresh);
}

static void
write_learned(Refresh *refresh)
{
	LearnedItem *items = RecordItems(refresh);

	check_name(refresh);
	ProgressEnter(PROGRESS_WRITE, refresh->neighbors->items);
	connect_spi();
	RecordWrite(refresh, items);
	SPI_finish();
	ModelNeedsName(refresh->model);
	InteractionsClose(refresh->matrix);
	end_phase(refresh, PHASE_WRITE);
}

/* Adds to the report what was learned, in the order of reco_refresh's columns. */
static void
report_learned(Refresh *refresh)
{
	Datum *values = refresh->report;
	int n = 0;

	values[n++] = Int64GetDatum((int64) refresh->event_count);
	values[n++] = Int64GetDatum(refresh->matrix->users);
	values[n++] = Int64GetDatum(refresh->events->log.items);
	values[n++] = Int64GetDatum((int64) refresh->neighbor_pairs);
	values[n++] = Int64GetDatum(RefreshContentPairs(refresh));
	for (int s = 0; s < EVENTS_SKIPS; s++)
		values[n++] = Int64GetDatum(refresh->events->skipped[s]);
	values[n++] = Int64GetDatum(refresh->matrix->shortened);
	values[n++] = CStringGetTextDatum(
		SaidLearned(&refresh->similarity, refresh->factors ? &refresh->model->settings.fold : NULL,
					&refresh->events->told));
	values[n++] = Float8GetDatum(rint(AllowanceShare(&refresh->trials) * 1e6) / 1e6);
	values[n++] = Int64GetDatum((int64) refresh->rows_written);
	values[n++] = Int64GetDatum(refresh->match.asked);
	refresh->reported = n;
}

/* The report as a row, with what it took. */
static Datum
report(FunctionCallInfo fcinfo, Refresh *refresh)
{
	bool nulls[REPORT_COLUMNS] = {0};
	Datum *values = refresh->report;
	int n = refresh->reported;
	double total = 0;
	TupleDesc desc;

	for (int p = 0; p < PHASES; p++)
	{
		values[n++] = Float8GetDatum(rint(refresh->seconds[p] * 1e6) / 1e6);
		total += refresh->seconds[p];
	}
	values[n++] = Float8GetDatum(rint(total * 1e6) / 1e6);
	values[n++] = Int64GetDatum((int64) refresh->peak);

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != n)
		elog(ERROR, "reco_refresh was not declared as this library expects");
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* Waits for another refresh of the model to end: two of them take turns. */
static void
take_turn(FunctionCallInfo fcinfo, Refresh *refresh)
{
	Oid table = refresh->model->table;

	LockRelationOid(table, ShareUpdateExclusiveLock);
	/* What we waited for may have dropped the model. */
	if (FindTable(DoorSchema(fcinfo), refresh->model->name) != table)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("model \"%s\" was dropped or renamed while this refresh waited",
							   refresh->model->name)));
	refresh->model = ModelOpen(DoorSchema(fcinfo), table);
	ModelNeedsOwner(refresh->model);
}

/* The whole of a refresh, as the owner of the model. */
static void
learn_anew(Refresh *refresh)
{
	DoorRole role = DoorBecome(refresh->model->owner);

	INSTR_TIME_SET_CURRENT(refresh->since);
	refresh->now = GetCurrentTimestamp();
	refresh->budget = BudgetCreate(CurrentMemoryContext,
								   psprintf("refresh of model \"%s\"", refresh->model->name),
								   BudgetMaintenance());
	read_events(refresh);
	compute(refresh);
	write_learned(refresh);
	DoorReturn(&role);
}

/* Learns habits anew, if there were any, once the memory of the refresh has been given back. */
static void
keep_habits(FunctionCallInfo fcinfo, Refresh *refresh)
{
	Oid table = refresh->model->table;

	report_learned(refresh);
	refresh->peak = BudgetPeak(refresh->budget);
	BudgetDestroy(refresh->budget);
	if (!refresh->habits)
		return;
	refresh->peak = Max(refresh->peak, HabitsAgain(DoorSchema(fcinfo), table, refresh->now));
	end_phase(refresh, PHASE_WRITE);
}

/* A refresh that others can watch. */
static void
run(FunctionCallInfo fcinfo, Refresh *refresh)
{
	Progress progress;

	ProgressStart(&progress, refresh->model->table);
	PG_TRY();
	{
		take_turn(fcinfo, refresh);
		refresh->habits = HabitsLearned(refresh->model);
		learn_anew(refresh);
		keep_habits(fcinfo, refresh);
	}
	PG_FINALLY();
	{
		ProgressEnd(&progress);
	}
	PG_END_TRY();
}

uint64
RefreshAfresh(FunctionCallInfo fcinfo, Model *model, RefreshCheck check, void *with)
{
	Refresh refresh = {.model = model, .check = check, .with = with};

	run(fcinfo, &refresh);
	return refresh.rows_written;
}

/* reco_refresh(model) */
Datum
reco_refresh(PG_FUNCTION_ARGS)
{
	Refresh refresh = {.model = DoorModel(fcinfo, 0)};

	ModelNeedsOwner(refresh.model);
	PreventCommandIfReadOnly("reco_refresh()");
	run(fcinfo, &refresh);
	PG_RETURN_DATUM(report(fcinfo, &refresh));
}
