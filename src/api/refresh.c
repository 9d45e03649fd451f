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
#include "api/refresh.h"

#include <math.h>

#include "access/htup_details.h"
#include "api/forecast.h"
#include "api/habits.h"
#include "api/resemble.h"
#include "api/said.h"
#include "base/interrupts.h"
#include "base/progress.h"
#include "catalog/pg_type.h"
#include "data/contexts.h"
#include "data/events.h"
#include "data/find.h"
#include "data/itemfactor.h"
#include "data/learned.h"
#include "data/likings.h"
#include "data/people.h"
#include "data/person.h"
#include "data/rare.h"
#include "data/reranker.h"
#include "data/resuming.h"
#include "executor/spi.h"
#include "learn/automatic.h"
#include "learn/beside.h"
#include "learn/groups.h"
#include "learn/lifts.h"
#include "learn/matchcurve.h"
#include "learn/neighbors.h"
#include "learn/popularity.h"
#include "portability/instr_time.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(reco_refresh);

typedef enum Phase
{
	PHASE_READ,
	PHASE_ENCODE,
	PHASE_LEARN,
	PHASE_CURVE,
	PHASE_WRITE,
	PHASES
} Phase;

/* At least as many as reco_refresh has columns. */
#define REPORT_COLUMNS 32

/* One refresh, and what it will report. */
typedef struct Refresh
{
	Model *model;
	RefreshCheck check; /* of what is then learned from nothing, or NULL */
	void *with;
	Budget *budget;
	TimestampTz now;
	Events *events;
	People *people;
	Contexts *contexts;
	Resuming *resuming;
	uint64 event_count;
	Interactions *matrix;
	Resemblance resemblance; /* what attributes say */
	Neighbors *neighbors;
	Factors *factors;             /* what makes lists, or NULL where neighbours do */
	uint64 neighbor_pairs;        /* of them, those that people's choices tie */
	SimilarityOptions similarity; /* what they are learned with */
	Allowance trials;             /* of what was picked, with what they took; all 0 where nothing was */
	Popularity *popularity;
	Groups *groups;
	Lifts *lifts[CONTEXTS_MOST]; /* of each context */
	MatchCurve match;
	uint32 item_slots;
	uint64 rows_written;
	RefreshCost cost; /* as expected once the matrix was there */
	double seconds[PHASES];
	instr_time since;
	bool habits; /* these are to be learned anew, too */
	Size peak;
	Datum report[REPORT_COLUMNS];
	int reported; /* columns of it that are filled in */
} Refresh;

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
	refresh->contexts = ContextsRead(refresh->model, refresh->events->items, refresh->budget);
	refresh->event_count = refresh->events->log.count;
	refresh->resuming = ResumingCount(refresh->model, refresh->event_count, refresh->budget);
	ForecastAsLast(refresh->model, refresh->event_count);
	refresh->resemblance = ResembleRead(refresh->model, refresh->events->items, refresh->budget);
	PopActiveSnapshot();
	SPI_finish();
	if (refresh->event_count == 0)
		ereport(NOTICE,
				(errmsg("model \"%s\" has no events to learn from", refresh->model->name),
				 errhint("Look at the view %s.events; the report counts rows left out, by reason.",
						 refresh->model->quoted)));
	end_phase(refresh, PHASE_READ);
}

/*
 * True where the rows of users may go to tape: nothing that is learned needs them in another order, or
 * that of their items in time.  What is picked is picked without, then.
 */
static bool
may_spill(const Refresh *refresh)
{
	const Settings *settings = &refresh->model->settings;
	const SimilarityOptions *similarity = &settings->similarity;
	bool ordered = OidIsValid(refresh->model->time_type) && SimilarityNeedsOrder(similarity);

	if (similarity->rule.kind == SIMILARITY_AUTO)
		ordered = similarity->recency > 0 && SimilarityRecency(similarity) < 1;
	return refresh->people->groups == 0 && settings->algorithm != MODEL_FACTORS && !ordered &&
		   ModelTarget(refresh->model) == NULL;
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

/* Learns what is chosen in which context, and gives back the counts. */
static void
learn_contexts(Refresh *refresh)
{
	Contexts *contexts = refresh->contexts;

	for (uint32 c = 0; c < contexts->count && !contexts->full; c++)
	{
		const Context *context = &contexts->context[c];
		LiftCounts counts = {.values = context->too_many ? 0 : context->values,
							 .items = refresh->events->log.items,
							 .count = (const uint32 *const *) context->count,
							 .users = (const uint32 *const *) context->users,
							 .words = contexts->words,
							 .min_support = refresh->model->settings.similarity.rule.min_support,
							 .rank = refresh->events->log.item_rank};

		refresh->lifts[c] = context->hours ? LiftsLearnHours(&counts, refresh->budget)
										   : LiftsLearn(&counts, refresh->budget);
	}
	ContextsFree(contexts, refresh->budget);
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

/* Picks what to learn by, and learns by that. */
static void
learn_automatic(Refresh *refresh)
{
	Allowance *allowance = &refresh->trials;
	const Interactions *matrix = refresh->matrix;
	Allowance own = AllowanceOf(matrix, &refresh->similarity, refresh->budget);

	/* Without what a signal that was worth nothing has, a fit may take less. */
	if (allowance->fit > 0)
	{
		AllowanceNarrow(allowance, own.fit);
		allowance->counting = own.counting;
	}
	else
		*allowance = own;
	refresh->neighbors =
		AutomaticLearn(matrix, &refresh->similarity, allowance, refresh->budget);
	ereport(DEBUG1, (errmsg_internal("trials: %.4f s of work, one fit: %.4f s", allowance->spent,
									 allowance->fit)));
}

static void
compute(Refresh *refresh)
{
	InteractionOptions options = interaction_options(refresh);
	SimilarityOptions *similarity = &refresh->similarity;
	bool pick;
	Budget *budget = refresh->budget;
	Interactions *matrix;
	MatchCurveOf of;
	uint32 users;

	ProgressEnter(PROGRESS_ENCODE, refresh->event_count);
	matrix = refresh->matrix = InteractionsBuild(&refresh->events->log, &options, budget);
	users = matrix->users;
	refresh->popularity = PopularityLearn(matrix, refresh->events->log.now,
										  refresh->events->log.timed, &options, budget);
	learn_groups(refresh);
	learn_contexts(refresh);
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
			learn_automatic(refresh);
		else
			refresh->neighbors = NeighborsLearn(&learners, similarity, budget);
		mix_content(refresh);
		end_phase(refresh, spared ? PHASE_LEARN : PHASE_CURVE);
		ProgressEnter(PROGRESS_CURVE, matrix->chosen_count);
		ForecastCurve(&refresh->cost);
		of = of_neighbors(refresh);
		MatchCurveLearn(matrix, &of, &refresh->match, budget);
		end_phase(refresh, PHASE_CURVE);
		if (spared)
			return;
		NeighborsFree(refresh->neighbors, budget);
	}
	ProgressEnter(PROGRESS_LEARN, matrix->cells);
	refresh->neighbors = NeighborsLearn(&matrix->rows, similarity, budget);
	mix_content(refresh);
	end_phase(refresh, PHASE_LEARN);
	if (refresh->match.curve.knots == 0)
		return;
	ProgressEnter(PROGRESS_CURVE, matrix->chosen_count);
	of = of_neighbors(refresh);
	MatchCurveCarry(matrix, &of, &refresh->match, budget);
	end_phase(refresh, PHASE_CURVE);
}

/* When an event of an age was; the greatest age stands for anything older. */
static int64
seconds_of(int64 now, uint32 age)
{
	return age == UINT32_MAX ? LEARNED_ALWAYS : now - age;
}

/* Every item as it is to be stored. */
static LearnedItem *
gather_items(const Refresh *refresh)
{
	const Interactions *matrix = refresh->matrix;
	const Neighbors *neighbors = refresh->neighbors;
	const Popularity *popularity = refresh->popularity;
	uint32 count = neighbors->items;
	int64 now = refresh->events->log.now;
	LearnedItem *items = BudgetAllocResult(refresh->budget, count, sizeof(LearnedItem));

	for (uint32 i = 0; i < matrix->by_user.columns; i++)
	{
		const ItemStat *stat = &matrix->stat[i];

		INTERRUPTS_AT(i);
		items[i] = (LearnedItem){
			.id = matrix->item[i],
			.events = (int64) stat->events,
			.users = (int32) Min(stat->users, PG_INT32_MAX),
			.popularity_log2 = popularity->longrun_log2[i],
			.recent_log2 = popularity->recent_log2[i],
			.trending_rank = popularity->trending_rank[i],
			.first_seconds = seconds_of(now, stat->oldest_age),
			.last_seconds = seconds_of(now, stat->newest_age),
		};
	}
	for (uint32 i = matrix->by_user.columns; i < count; i++)
		items[i] = (LearnedItem){
			.id = refresh->resemblance
					  .other[refresh->resemblance.content->other[i - matrix->by_user.columns] -
							 matrix->by_user.columns],
			.popularity_log2 = NAN,
			.recent_log2 = NAN,
		};
	for (uint32 i = 0; i < count; i++)
	{
		items[i].neighbors = neighbors->entry + neighbors->start[i];
		items[i].scored = neighbors->scored[i];
		items[i].neighbor_count = (uint32) (neighbors->start[i + 1] - neighbors->start[i]);
	}
	RareHide(refresh->model, items, count);
	return items;
}

/* What a fold is to be stored as, or none. */
static Datum
base_of(const Factors *factors)
{
	return factors ? ItemFactorBase(&factors->fold) : (Datum) 0;
}

static Datum
float_array(const double *values, int count)
{
	Datum elements[CURVE_KNOTS];

	for (int n = 0; n < count; n++)
		elements[n] = Float8GetDatum(values[n]);
	return PointerGetDatum(construct_array(elements, count, FLOAT8OID, sizeof(float8),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* The names of what was told apart; the rest goes by "*". */
static Datum
names_of(const SignalsTold *told)
{
	Datum name[PARTS_SIGNALS];

	for (uint32 s = 0; s < told->count; s++)
		name[s] = CStringGetTextDatum(told->name[s] ? told->name[s] : "*");
	return PointerGetDatum(
		construct_array(name, (int) told->count, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Pairs that attributes alone tie. */
static int64
content_pairs(const Refresh *refresh)
{
	return (int64) (refresh->neighbors->start[refresh->neighbors->items] - refresh->neighbor_pairs);
}

/* Writes what this refresh did to the row of "model". */
static void
write_model(const Refresh *refresh)
{
	bool timed = refresh->events->log.timed && refresh->event_count > 0;
	const SimilarityOptions *similarity = &refresh->similarity;
	const SignalsTold *told = &refresh->events->told;
	struct
	{
		const char *column;
		Oid type;
		Datum value;
		bool isnull;
	} columns[] = {
		{"refreshed_at", TIMESTAMPTZOID, TimestampTzGetDatum(refresh->now), false},
		{"last_event_at", TIMESTAMPTZOID,
		 TimestampTzGetDatum((refresh->events->log.now - (int64) refresh->popularity->newest_age) *
							 USECS_PER_SEC),
		 !timed},
		{"picked_signals", TEXTARRAYOID, names_of(told), told->count == 0},
		{"picked_weights", FLOAT8ARRAYOID, float_array(told->weight, (int) told->count),
		 told->count == 0},
		{"picked_similarity", TEXTOID,
		 CStringGetTextDatum(SettingWord(SETTING_SIMILARITY, similarity->rule.kind)), false},
		{"picked_keep", TEXTOID, CStringGetTextDatum(SettingWord(SETTING_KEEP, similarity->keep)),
		 false},
		{"picked_lambda", FLOAT8OID, Float8GetDatum(similarity->lambda), false},
		{"picked_damping", FLOAT8OID, Float8GetDatum(similarity->damping), false},
		{"picked_blend", FLOAT8OID, Float8GetDatum(similarity->blend), false},
		{"picked_indirect", FLOAT8OID, Float8GetDatum(similarity->indirect), false},
		{"picked_neighbors", INT4OID, Int32GetDatum((int32) similarity->k), false},
		{"picked_shrinkage", FLOAT8OID, Float8GetDatum(similarity->rule.shrinkage), false},
		{"picked_recency", FLOAT8OID, Float8GetDatum(SimilarityRecency(similarity)), false},
		{"events", INT8OID, Int64GetDatum((int64) refresh->event_count), false},
		{"users", INT8OID, Int64GetDatum(refresh->matrix->users), false},
		{"items", INT8OID, Int64GetDatum(refresh->events->log.items), false},
		{"item_slots", INT4OID, Int32GetDatum((int32) refresh->item_slots), false},
		{"neighbor_pairs", INT8OID, Int64GetDatum((int64) refresh->neighbor_pairs), false},
		{"content_pairs", INT8OID, Int64GetDatum(content_pairs(refresh)), false},
		{"popularity_offset", FLOAT8OID, Float8GetDatum(refresh->popularity->popularity_offset),
		 false},
		{"recent_offset", FLOAT8OID, Float8GetDatum(refresh->popularity->recent_offset), false},
		{"trend_prior", FLOAT8OID, Float8GetDatum(refresh->popularity->trend_prior), false},
		{"curve_pairs", INT8OID, Int64GetDatum(refresh->match.asked), false},
		{"curve_score", FLOAT8ARRAYOID,
		 float_array(refresh->match.curve.score, refresh->match.curve.knots), false},
		{"curve_match", FLOAT8ARRAYOID,
		 float_array(refresh->match.curve.chance, refresh->match.curve.knots), false},
		{"picked_algorithm", TEXTOID,
		 CStringGetTextDatum(
			 SettingWord(SETTING_ALGORITHM, refresh->factors ? MODEL_FACTORS : MODEL_NEIGHBORS)),
		 false},
		{"picked_factor_lambda", FLOAT8OID,
		 Float8GetDatum(refresh->factors ? refresh->factors->fold.lambda : 0),
		 refresh->factors == NULL},
		{"factor_base", FLOAT4ARRAYOID, base_of(refresh->factors), refresh->factors == NULL},
	};
	Oid types[lengthof(columns)];
	Datum values[lengthof(columns)];
	char nulls[lengthof(columns)];
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "UPDATE ONLY %s.model SET ", refresh->model->quoted);
	for (size_t c = 0; c < lengthof(columns); c++)
	{
		types[c] = columns[c].type;
		values[c] = columns[c].value;
		nulls[c] = columns[c].isnull ? 'n' : ' ';
		appendStringInfo(&sql, "%s%s = $%d", c == 0 ? "" : ", ", columns[c].column, (int) c + 1);
	}
	if (SPI_execute_with_args(sql.data, lengthof(columns), types, values, nulls, false, 0) !=
			SPI_OK_UPDATE ||
		SPI_processed != 1)
		elog(ERROR, "could not write the row of model \"%s\"", refresh->model->name);
}

/* Writes the factors of items, or takes away those that were there. */
static uint64
write_factors(const Refresh *refresh)
{
	const Factors *factors = refresh->factors;

	if (factors == NULL)
		return ItemFactorWrite(refresh->model, refresh->events->items, NULL);
	return ItemFactorWrite(refresh->model, refresh->events->items,
						   &(ItemFactorLearned){.fold = &factors->fold,
												.items = factors->items,
												.id = refresh->matrix->item,
												.row = factors->row,
												.has = factors->has});
}

static void
write_groups(const Refresh *refresh)
{
	const Groups *groups = refresh->groups;
	Liking *likings = BudgetAlloc(refresh->budget, groups->count, sizeof(Liking));

	for (uint32 n = 0; n < groups->count; n++)
	{
		const GroupItem *item = &groups->item[n];

		likings[n] = (Liking){.attribute = refresh->people->attribute[item->group],
							  .value = refresh->people->value[item->group],
							  .rank = item->rank,
							  .id = refresh->matrix->item[item->item],
							  .users = item->users,
							  .lift = item->lift};
	}
	LikingsWrite(refresh->model, refresh->events->items, likings, groups->count);
	BudgetFree(refresh->budget, likings);
}

static void
write_contexts(const Refresh *refresh)
{
	const Contexts *contexts = refresh->contexts;
	uint64 count = 0;
	uint64 n = 0;
	ContextRow *rows;

	for (uint32 c = 0; c < contexts->count && refresh->lifts[c]; c++)
		count += refresh->lifts[c]->count;
	rows = BudgetAlloc(refresh->budget, count, sizeof(ContextRow));
	for (uint32 c = 0; c < contexts->count && refresh->lifts[c]; c++)
		for (uint32 l = 0; l < refresh->lifts[c]->count; l++)
		{
			const Lift *lift = &refresh->lifts[c]->lift[l];

			rows[n++] = (ContextRow){.context = contexts->context[c].name,
									 .value = ContextsWord(&contexts->context[c], lift->value),
									 .id = lift->item,
									 .events = lift->events,
									 .lift = lift->lift};
		}
	ContextsWrite(refresh->model, refresh->events->items, rows, (uint32) count);
	BudgetFree(refresh->budget, rows);
}

static void
write_learned(Refresh *refresh)
{
	LearnedItem *items = gather_items(refresh);

	check_name(refresh);
	ProgressEnter(PROGRESS_WRITE, refresh->neighbors->items);
	connect_spi();
	if (refresh->check)
		PersonForget(refresh->model);
	RerankerFollow(refresh->model, refresh->check
									   ? NULL
									   : RerankerScored(refresh->factors ? MODEL_FACTORS
																		 : MODEL_NEIGHBORS,
														refresh->similarity.rule.kind));
	refresh->rows_written =
		LearnedWrite(refresh->model, refresh->events->items, items, refresh->neighbors->items,
					 refresh->events->log.timed, &refresh->item_slots, refresh->budget);
	write_groups(refresh);
	write_contexts(refresh);
	ResumingWrite(refresh->model, refresh->resuming);
	refresh->rows_written += write_factors(refresh);
	write_model(refresh);
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
	values[n++] = Int64GetDatum(content_pairs(refresh));
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
