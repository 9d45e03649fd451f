#include "api/serving.h"

#include "api/lifting.h"
#include "base/interrupts.h"
#include "data/histories.h"
#include "math/sparse.h"

/* The lifts of a context, by value. */
typedef struct LiftsBy
{
	uint32 values;
	uint64 *start; /* [values + 1] */
	uint32 *item;  /* in matrix order */
	double *lift;
} LiftsBy;

/* What fatigue leaves of an item for a user. */
typedef struct Worn
{
	uint32 user; /* in matrix order, like the item */
	uint32 item;
	double left;
} Worn;

/* Some of what lists go by. */
typedef struct Way
{
	Serving *serving;
	bool contexts;
	bool fatigue;
} Way;

struct Serving
{
	const ServingOf *of;
	uint32 *place; /* of each item of the log, in matrix order */

	uint32 contexts; /* to go by */
	const Contexts *learned;
	LiftsBy by[CONTEXTS_MOST];
	uint32 *value;   /* [chosen_count][contexts], of each chosen item */
	TimestampTz *at; /* [chosen_count], when it was first chosen */
	EvaluationMoments moments;
	double *factor; /* [items], of the last moment; 0 for none */
	uint32 *lifted; /* items that have one, */
	uint32 lifted_count;

	Worn *worn; /* by user, then item */
	uint64 worn_count;
	uint64 worn_room;
	Budget *budget;
	Way way[2][2]; /* by contexts or not, by fatigue or not */
};

/* The lifts of one context by value, with items in matrix order. */
static LiftsBy
by_value(const Serving *serving, const Lifts *lifts)
{
	Budget *budget = serving->budget;
	LiftsBy by = {0};

	for (uint32 l = 0; l < lifts->count; l++)
		by.values = Max(by.values, lifts->lift[l].value + 1);
	by.start = BudgetZeroed(budget, (uint64) by.values + 1, sizeof(uint64));
	by.item = BudgetAlloc(budget, lifts->count, sizeof(uint32));
	by.lift = BudgetAlloc(budget, lifts->count, sizeof(double));
	for (uint32 l = 0; l < lifts->count; l++)
		by.start[lifts->lift[l].value]++;
	SparseOffsets(by.start, by.values);
	for (uint32 l = 0; l < lifts->count; l++)
	{
		uint64 at = by.start[lifts->lift[l].value]++;

		by.item[at] = serving->place[lifts->lift[l].item];
		by.lift[at] = lifts->lift[l].lift;
	}
	/* Every value now begins where the next did. */
	memmove(by.start + 1, by.start, sizeof(uint64) * by.values);
	by.start[0] = 0;
	return by;
}

/* The place of an item among what a user chose; false where it was not chosen. */
static bool
find_chosen(const Interactions *matrix, uint32 user, uint32 item, uint32 *found)
{
	uint32 low = 0;
	uint32 high = matrix->chosen_count;

	while (low < high)
	{
		uint32 middle = low + (high - low) / 2;
		const Chosen *chosen = &matrix->chosen[middle];

		if (chosen->user < user || (chosen->user == user && chosen->item < item))
			low = middle + 1;
		else
			high = middle;
	}
	*found = low;
	return low < matrix->chosen_count && matrix->chosen[low].user == user &&
		   matrix->chosen[low].item == item;
}

/* The order of two moments by what their values are called: numbers follow the order of rows. */
static int
compare_words(const Serving *serving, const uint32 *a, const uint32 *b)
{
	for (uint32 c = 0; c < serving->contexts; c++)
	{
		const Context *context = &serving->learned->context[c];
		int order;

		if (a[c] == b[c])
			continue;
		if (a[c] == CONTEXTS_NONE || b[c] == CONTEXTS_NONE)
			return a[c] == CONTEXTS_NONE ? 1 : -1;
		order = strcmp(ContextsWord(context, a[c]), ContextsWord(context, b[c]));
		if (order != 0)
			return order;
	}
	return 0;
}

/* Takes an event by which something was chosen, if it was the first to. */
static void
take_event(uint64 user, uint32 item, TimestampTz at, const uint32 *value, void *with)
{
	Serving *serving = with;
	const Interactions *matrix = serving->of->matrix;
	uint32 row = InteractionsUser(matrix, user);
	uint32 chosen;
	uint32 *first;

	if (row == matrix->by_user.rows || item >= matrix->by_user.columns ||
		!find_chosen(matrix, row, serving->place[item], &chosen))
		return;
	first = serving->value + (uint64) chosen * serving->contexts;
	if (at > serving->at[chosen] ||
		(at == serving->at[chosen] && compare_words(serving, value, first) >= 0))
		return;
	serving->at[chosen] = at;
	memcpy(first, value, sizeof(uint32) * serving->contexts);
}

/* Chosen items by user, then moment, then item. */
static int
compare_moments(const void *a, const void *b, void *with)
{
	const Serving *serving = with;
	const Chosen *chosen = serving->of->matrix->chosen;
	uint32 x = *(const uint32 *) a;
	uint32 y = *(const uint32 *) b;
	const uint32 *u = serving->value + (uint64) x * serving->contexts;
	const uint32 *v = serving->value + (uint64) y * serving->contexts;

	if (chosen[x].user != chosen[y].user)
		return chosen[x].user < chosen[y].user ? -1 : 1;
	for (uint32 c = 0; c < serving->contexts; c++)
		if (u[c] != v[c])
			return u[c] < v[c] ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* True where two chosen items are of one user and moment. */
static bool
is_same(const Serving *serving, uint32 a, uint32 b)
{
	const Chosen *chosen = serving->of->matrix->chosen;
	uint32 contexts = serving->contexts;

	return chosen[a].user == chosen[b].user &&
		   memcmp(serving->value + (uint64) a * contexts, serving->value + (uint64) b * contexts,
				  sizeof(uint32) * contexts) == 0;
}

/* Tells the moments of what was chosen apart. */
static void
tell_moments(Serving *serving)
{
	uint32 count = serving->of->matrix->chosen_count;
	uint32 *order = BudgetAlloc(serving->budget, count, sizeof(uint32));
	uint32 *next = BudgetAlloc(serving->budget, count, sizeof(uint32));
	unsigned char *first = BudgetZeroed(serving->budget, count, sizeof(unsigned char));

	for (uint32 c = 0; c < count; c++)
		order[c] = c;
	qsort_interruptible(order, count, sizeof(uint32), compare_moments, serving);
	for (uint32 n = 0; n < count; n++)
	{
		first[order[n]] = n == 0 || !is_same(serving, order[n - 1], order[n]);
		next[order[n]] = n + 1 < count && is_same(serving, order[n], order[n + 1])
							 ? order[n + 1]
							 : EVALUATION_LAST;
	}
	BudgetFree(serving->budget, order);
	serving->moments = (EvaluationMoments){.first = first, .next = next};
}

/* Learns the contexts of what came before the line, and reads those of what was chosen after it. */
static void
read_contexts(Serving *serving)
{
	const ServingOf *of = serving->of;
	uint64 count = of->matrix->chosen_count;
	Contexts *contexts = ContextsRead(of->model, of->events->items, of->until, serving->budget);
	Lifts *lifts[CONTEXTS_MOST] = {NULL};

	LiftingLearn(of->model, contexts, &of->events->log, lifts, serving->budget);
	if (contexts->full || contexts->count == 0)
		return;
	serving->contexts = contexts->count;
	serving->learned = contexts;
	for (uint32 c = 0; c < contexts->count; c++)
		serving->by[c] = by_value(serving, lifts[c]);

	serving->value = BudgetAlloc(serving->budget, count * serving->contexts, sizeof(uint32));
	memset(serving->value, 0xff, sizeof(uint32) * count * serving->contexts);
	serving->at = BudgetAlloc(serving->budget, count, sizeof(TimestampTz));
	for (uint64 c = 0; c < count; c++)
		serving->at[c] = DT_NOEND;
	ContextsEach(of->model, contexts, of->events->items, of->until, of->now, take_event, serving);
	BudgetFree(serving->budget, serving->at);

	tell_moments(serving);
	serving->factor = BudgetZeroed(serving->budget, of->matrix->items, sizeof(double));
	serving->lifted = BudgetAlloc(serving->budget, of->matrix->items, sizeof(uint32));
}

/* True for a user, by row, of whom something was kept back. */
static bool
is_asked(const Interactions *matrix, uint32 user)
{
	uint32 chosen;

	find_chosen(matrix, user, 0, &chosen);
	return chosen < matrix->chosen_count && matrix->chosen[chosen].user == user;
}

/* Keeps what somebody was shown in vain. */
static void
take_history(Datum user, History *history, void *with)
{
	Serving *serving = with;
	const Interactions *matrix = serving->of->matrix;
	uint32 row;

	if (!history->worn)
		return;
	row = InteractionsUser(matrix, IdHash(serving->of->model->user_kind, user));
	if (row == matrix->by_user.rows || !is_asked(matrix, row))
		return;
	for (uint32 n = 0; n < history->count; n++)
	{
		const HistoryItem *item = &history->item[n];

		if (item->wear <= 0 || item->id >= matrix->by_user.columns)
			continue;
		serving->worn = BudgetGrow(serving->budget, serving->worn, serving->worn_count + 1,
								   &serving->worn_room, sizeof(Worn));
		serving->worn[serving->worn_count++] =
			(Worn){row, serving->place[item->id], HistoryWear(item)};
	}
}

static inline int
compare_worn(const Worn *a, const Worn *b)
{
	if (a->user != b->user)
		return a->user < b->user ? -1 : 1;
	return a->item < b->item ? -1 : a->item > b->item;
}

#define ST_SORT          sort_worn
#define ST_ELEMENT_TYPE  Worn
#define ST_COMPARE(a, b) compare_worn(a, b)
#define ST_SCOPE         static
#define ST_DEFINE
#define ST_CHECK_FOR_INTERRUPTS
#include "lib/sort_template.h"

/* Reads what people were shown in vain before the line. */
static void
read_fatigue(Serving *serving)
{
	const ServingOf *of = serving->of;

	if (!OidIsValid(of->model->weight_type) || of->model->settings.fatigue_half_life == 0)
		return;
	HistoriesRead(of->model, &(HistoriesWanted){.as_of = of->until, .parts = 1}, of->events->items,
				  serving->budget, take_history, serving);
	if (serving->worn_count > 0)
		sort_worn(serving->worn, serving->worn_count);
}

Serving *
ServingRead(const ServingOf *of, Budget *budget)
{
	Serving *serving = BudgetZeroed(budget, 1, sizeof(Serving));
	const Interactions *matrix = of->matrix;
	ServingOf *kept = BudgetAlloc(budget, 1, sizeof(ServingOf));

	*kept = *of;
	serving->of = kept;
	serving->budget = budget;
	serving->place = BudgetAlloc(budget, matrix->by_user.columns, sizeof(uint32));
	for (uint32 i = 0; i < matrix->by_user.columns; i++)
		serving->place[matrix->item[i]] = i;
	if (matrix->chosen_count > 0)
	{
		read_contexts(serving);
		read_fatigue(serving);
	}
	BudgetFree(budget, serving->place);
	serving->place = NULL;
	return serving;
}

bool
ServingHasContexts(const Serving *serving)
{
	return serving->contexts > 0;
}

bool
ServingHasFatigue(const Serving *serving)
{
	return serving->worn_count > 0;
}

const EvaluationMoments *
ServingMoments(const Serving *serving)
{
	return serving->contexts > 0 ? &serving->moments : NULL;
}

/* Multiplies the scores of what a user was shown in vain. */
static void
wear(const Serving *serving, RankScratch *scratch, uint32 user)
{
	uint64 low = 0;
	uint64 high = serving->worn_count;

	while (low < high)
	{
		uint64 middle = low + (high - low) / 2;

		if (serving->worn[middle].user < user)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < serving->worn_count && serving->worn[low].user == user; low++)
		RankTimes(scratch, serving->worn[low].item, serving->worn[low].left);
}

/* Multiplies scores by the lifts of a moment, which multiply, but no further than lists allow. */
static void
lift(Serving *serving, RankScratch *scratch, const uint32 *value)
{
	uint32 count = 0;

	for (uint32 n = 0; n < serving->lifted_count; n++)
		serving->factor[serving->lifted[n]] = 0;
	for (uint32 c = 0; c < serving->contexts; c++)
	{
		const LiftsBy *by = &serving->by[c];

		if (value[c] >= by->values)
			continue;
		for (uint64 l = by->start[value[c]]; l < by->start[value[c] + 1]; l++)
		{
			double *factor = &serving->factor[by->item[l]];

			if (*factor == 0)
				serving->lifted[count++] = by->item[l];
			*factor = (*factor == 0 ? 1 : *factor) * by->lift[l];
		}
	}
	for (uint32 n = 0; n < count; n++)
	{
		double *factor = &serving->factor[serving->lifted[n]];

		*factor = Min(Max(*factor, 1 / CONTEXTS_LIFT), CONTEXTS_LIFT);
		RankTimes(scratch, serving->lifted[n], *factor);
	}
	serving->lifted_count = count;
}

static void
multiply(RankScratch *scratch, uint32_t user, uint32_t chosen, void *with)
{
	const Way *way = with;
	Serving *serving = way->serving;

	if (way->fatigue)
		wear(serving, scratch, user);
	if (way->contexts && serving->contexts > 0)
		lift(serving, scratch, serving->value + (uint64) chosen * serving->contexts);
}

/* The lift of an item at the moment that scores were multiplied for last. */
static double
lift_of(uint32_t item, void *with)
{
	double factor = ((const Way *) with)->serving->factor[item];

	return factor == 0 ? 1 : factor;
}

EvaluationServed
ServingBy(Serving *serving, bool contexts, bool fatigue)
{
	Way *way = &serving->way[contexts][fatigue];

	*way = (Way){serving, contexts, fatigue};
	return (EvaluationServed){multiply, contexts && serving->contexts > 0 ? lift_of : NULL, way};
}
