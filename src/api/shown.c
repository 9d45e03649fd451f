#include "api/shown.h"

#include <math.h>

#include "api/rerank.h"
#include "base/interrupts.h"
#include "data/events.h"
#include "data/impressions.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Where two items were not shown there is no order. */
#define ITEMS_LEAST 2

/* A model as of the first list, in memory. */
typedef struct Past
{
	Model model;
	const Impressions *impressions;
	const Interactions *matrix;
	uint32 *place;        /* in the matrix, of each item of the events */
	IdSet *ids;           /* of these */
	Packed *row;          /* [items], what each speaks for */
	ItemFactors *factors; /* in place of rows, or NULL */
	FeatureItem *about;
} Past;

/* What is made of one list. */
typedef struct Made
{
	FeatureItem *about;
	Evidence *evidence;
	float *x;
	unsigned char *chosen;
	uint32 *place;
} Made;

pg_noreturn static void
refuse(const Model *model, const char *what, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("%s", what),
					errhint("%s", hint)));
}

/* Raises an error where nothing was shown, or chosen. */
static void
check_log(const ShownAsk *ask, const Impressions *impressions)
{
	const Model *model = ask->model;
	const char *within =
		DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(ask->within)));

	if (impressions->lists == 0)
		refuse(model, psprintf("model \"%s\" served no list more than %s ago", model->name, within),
			   psprintf("Ask lists of %s.serve, and look at the table %s.served.", model->quoted,
						model->quoted));
	if (impressions->count == 0)
		refuse(model,
			   psprintf("of " UINT64_FORMAT " lists that model \"%s\" served nothing was chosen "
						"within %s",
						impressions->lists, model->name, within),
			   "A choice is a positive event of the user with the item after it was shown; allow "
			   "more time with within.");
}

/* The age of events that parts those before a time, by whole seconds, from the others. */
static uint32
line_before(TimestampTz now, TimestampTz time)
{
	int64 age = EventsSeconds(now) - EventsSeconds(time) + 1;

	return (uint32) Max(Min(age, (int64) UINT32_MAX), 1);
}

/* What every item speaks for, as the scorer reads it. */
static Packed *
rows_of(const Neighbors *neighbors, Budget *budget)
{
	uint64 total = neighbors->start[neighbors->items];
	uint32 *item = BudgetAllocResult(budget, Max(total, 1), sizeof(uint32));
	float *similarity = BudgetAllocResult(budget, Max(total, 1), sizeof(float));
	Packed *row = BudgetZeroedResult(budget, Max(neighbors->items, 1), sizeof(Packed));

	for (uint64 e = 0; e < total; e++)
	{
		INTERRUPTS_AT(e);
		item[e] = neighbors->entry[e].index;
		similarity[e] = neighbors->entry[e].value;
	}
	for (uint32 i = 0; i < neighbors->items; i++)
	{
		uint64 begin = neighbors->start[i];

		row[i] = (Packed){.item_no = i,
						  .scored = neighbors->scored[i],
						  .count = neighbors->scored[i],
						  .most = RankMost(similarity + begin, neighbors->scored[i]),
						  .item = item + begin,
						  .similarity = similarity + begin};
	}
	return row;
}

/* Factors as answers read them. */
static ItemFactors *
hold_factors(const Factors *factors, Budget *budget)
{
	ItemFactors *held = BudgetZeroed(budget, 1, sizeof(ItemFactors));

	held->fold = &factors->fold;
	held->row = factors->row;
	held->has = BudgetZeroedResult(budget, Max(factors->items, 1), sizeof(bool));
	for (uint32 i = 0; i < factors->items; i++)
		held->has[i] = factors->has[i] != 0;
	return held;
}

/* Rows of items that have factors are known by their numbers alone. */
static Packed *
numbers_of(uint32 items, Budget *budget)
{
	Packed *row = BudgetZeroedResult(budget, Max(items, 1), sizeof(Packed));

	for (uint32 i = 0; i < items; i++)
		row[i].item_no = i;
	return row;
}

/* Learns what was known before the first list. */
static Past
learn_past(const ShownAsk *ask, const Impressions *impressions)
{
	Holdout *holdout = ask->holdout;
	Budget *budget = ask->budget;
	TimestampTz first = impressions->list[0].shown_at;
	LessonsInput input = {.min_support = ask->model->settings.similarity.rule.min_support};
	Past past = {.model = *ask->model, .impressions = impressions};
	const Interactions *matrix;

	holdout->split = SPLIT_TIME;
	holdout->now = GetCurrentTimestamp();
	holdout->line = line_before(holdout->now, first);
	matrix = HoldoutRead(holdout, ask->model, &ask->model->settings, budget);
	if (matrix->learned_cells == 0)
		refuse(ask->model,
			   psprintf("no event of model \"%s\" is older than the first list it served",
						ask->model->name),
			   "What a list was made of is learned from events before it.");
	input.lists.matrix = past.matrix = matrix;
	input.popularity = holdout->popularity;
	input.timed = holdout->timed;
	HoldoutLists(holdout, ask->model, matrix, &input.lists, budget);
	past.about = LessonsItems(&input, budget);
	past.ids = holdout->items;
	past.place = BudgetAllocResult(budget, Max(matrix->items, 1), sizeof(uint32));
	for (uint32 i = 0; i < matrix->items; i++)
		past.place[matrix->item[i]] = i;
	if (input.lists.factors)
		past.factors = hold_factors(input.lists.factors, budget);
	past.row = input.lists.factors ? numbers_of(matrix->items, budget)
								   : rows_of(input.lists.neighbors, budget);
	past.model.item_slots = matrix->items;
	past.model.newest = first - 1;
	past.model.timed = true;
	return past;
}

/* The number of an id in the matrix, or ID_NONE. */
static uint32
number_of(const Past *past, Datum id)
{
	uint32 number = IdSetFind(past->ids, id);

	return number < past->matrix->items ? past->place[number] : ID_NONE;
}

static int
by_id(const void *a, const void *b)
{
	uint32 x = ((const HistoryItem *) a)->id;
	uint32 y = ((const HistoryItem *) b)->id;

	return x < y ? -1 : x > y;
}

/* The history of a list's user from the moment before it, its items by their numbers in the matrix. */
static History *
history_before(const Past *past, const ImpressionList *list, Budget *budget)
{
	History *history = HistoryRead(&past->model, IdSetDatum(past->impressions->users, list->user),
								   list->shown_at - 1, budget);
	uint32 kept = 0;

	for (uint32 n = 0; n < history->count; n++)
	{
		uint32 number = number_of(past, IdSetDatum(history->ids, history->item[n].id));

		if (number == ID_NONE)
			continue;
		history->item[kept] = history->item[n];
		history->item[kept++].id = number;
	}
	history->count = kept;
	qsort(history->item, kept, sizeof(HistoryItem), by_id);
	return history;
}

/* The impression of an item of a list, by its number in the matrix. */
static const Impression *
find_shown(const Impression *shown, const uint32 *number, uint32 count, uint32 item)
{
	uint32 n = 0;

	while (n < count && number[n] != item)
		n++;
	Assert(n < count);
	return &shown[n];
}

/* Makes a list what it was when it was shown; returns how many items the history spoke for. */
static uint32
make_list(const Past *past, const ImpressionList *list, Budget *budget, Made *made)
{
	const Impression *shown = past->impressions->impression + list->begin;
	Profile *profile = ProfileOf(&past->model, history_before(past, list, budget), past->row,
								 past->matrix->items, past->factors);
	uint32 *number = palloc(sizeof(uint32) * list->count);
	uint32 *known = palloc(sizeof(uint32) * list->count);
	ProfileRules rules = {.seen = true, .among = known};
	uint32 count;
	RankItem *item;

	for (uint32 n = 0; n < list->count; n++)
	{
		number[n] = number_of(past, IdSetDatum(past->impressions->items, shown[n].item));
		if (number[n] != ID_NONE)
			known[rules.among_count++] = number[n];
	}
	item = ProfileBest(profile, &rules, list->count, &count);
	if (count < ITEMS_LEAST)
		return 0;
	for (uint32 n = 0; n < count; n++)
	{
		const Impression *impression = find_shown(shown, number, list->count, item[n].item);

		made->about[n] = past->about[item[n].item];
		made->chosen[n] = impression->chosen;
		made->place[n] = impression->place;
	}
	RerankRead(profile, item, count, made->about, NULL, made->evidence, made->x);
	return count;
}

/* When the time of a list is over. */
static TimestampTz
over_at(const ImpressionList *list, const Interval *within)
{
	return DatumGetTimestampTz(DirectFunctionCall2(
		timestamptz_pl_interval, TimestampTzGetDatum(list->shown_at), IntervalPGetDatum(within)));
}

/* The part that a list has, where those from a time on are measured on; false for none. */
static bool
has_part(const ShownAsk *ask, const ImpressionList *list, TimestampTz tested, LessonShown *as)
{
	if (list->shown_at >= tested)
		as->part = LESSON_TEST;
	else if (over_at(list, ask->within) > tested)
		return false;
	else
		as->part = LessonsPartOf(as->user) == LESSON_STOP ? LESSON_STOP : LESSON_TRAIN;
	return true;
}

/* Adds all lists, from the newest on, as long as there is room. */
static void
add_lists(const ShownAsk *ask, const Past *past, uint32 first, RerankingRun *run)
{
	const Impressions *impressions = past->impressions;
	uint32 later = (uint32) ceil(ask->holdout->share * impressions->count);
	TimestampTz tested = impressions->list[impressions->count - later].shown_at;
	Made made = {.about = palloc(sizeof(FeatureItem) * first),
				 .evidence = palloc(sizeof(Evidence) * first),
				 .x = palloc(sizeof(float) * FEATURES * first),
				 .chosen = palloc(first),
				 .place = palloc(sizeof(uint32) * first)};
	MemoryContext of_list = AllocSetContextCreate(CurrentMemoryContext, "a list that was shown",
												  ALLOCSET_DEFAULT_SIZES);
	bool room = true;

	for (uint32 l = impressions->count; l-- > 0 && room;)
	{
		const ImpressionList *list = &impressions->list[l];
		LessonShown shown = {.x = made.x, .chosen = made.chosen, .place = made.place};
		MemoryContext caller = MemoryContextSwitchTo(of_list);
		Budget *budget = BudgetCreate(of_list, "a list that was shown", SIZE_MAX);

		CHECK_FOR_INTERRUPTS();
		shown.user = IdHash(ask->model->user_kind, IdSetDatum(impressions->users, list->user));
		if (has_part(ask, list, tested, &shown))
			shown.length = make_list(past, list, budget, &made);
		MemoryContextSwitchTo(caller);
		if (shown.length > 0)
			room = RerankingAdd(run, &shown);
		BudgetDestroy(budget);
		MemoryContextReset(of_list);
	}
	MemoryContextDelete(of_list);
}

/* Raises an error where there was too little to train on. */
static void
check_trained(const ShownAsk *ask, const Impressions *impressions, const Reranking *learned)
{
	if (!learned->trained)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" has served too few lists to learn a ranking from",
						ask->model->name),
				 errdetail("It takes %d to train on, and others to measure on; of %u lists that "
						   "something was chosen from, %u are early enough and of items that the "
						   "history spoke for.",
						   RERANKING_LEAST, impressions->count, learned->lists)));
}

void
ShownLearn(const ShownAsk *ask, Reranking *learned)
{
	RerankingInput input = {.lessons.lists.k = ask->holdout->k, .units = ask->units};
	Impressions *impressions;
	RerankingRun *run;
	Past past;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	impressions = ImpressionsRead(ask->model, ask->within, LESSONS_MOST, ask->first, ask->budget);
	check_log(ask, impressions);
	SPI_finish();
	past = learn_past(ask, impressions);
	input.lessons.first = impressions->longest;
	run = RerankingOpen(&input, learned, ask->budget);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	add_lists(ask, &past, input.lessons.first, run);
	SPI_finish();
	RerankingFinish(run);
	check_trained(ask, impressions, learned);
}
