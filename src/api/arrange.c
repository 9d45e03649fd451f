/*
 * arrange.c: lists in another order than that of the scores: variety.
 *
 * The rows of the plain list are gathered, as many as a list may need, and taken one at a time by
 * math/variety, until the list is full.  Where the caps leave it short, more rows are gathered and
 * it is made anew.  What is weighed against what was taken is the best WEIGHED rows that the history
 * speaks for, whatever k is, so that a list is always the beginning of a longer one; the others
 * follow in their order.
 *
 * Scores must go on saying the order, for whoever sorts by them after a join: a row that comes
 * before one with a greater score gets the next greater number.
 */
#include "api/arrange.h"

#include <math.h>

#include "data/learned.h"
#include "data/values.h"
#include "math/variety.h"
#include "utils/memutils.h"

/* Rows that are weighed; enough for lists that people look at, and read in some milliseconds. */
#define WEIGHED 500

/* Where rows gathered were not enough, as many times more. */
#define MORE 8

/* What the parts of a history's mix are counted in, so that sums are exact: 2^-30 of the largest. */
#define MIX_BITS 30

struct Arrangement
{
	double diversity;
	char *capped_by; /* an attribute, or NULL, like the next */
	uint32 most;
	double calibrated;
	char *mixed_by;

	/* For the ids of the lists; opened by the first of them. */
	Values *caps;
	Values *mix;
};

/* A list while it is arranged. */
typedef struct Work
{
	RecommendAsk *ask;
	const Profile *profile;
	Arrangement *plan;
	RecommendRow *row; /* in the order of the plain list */
	uint32 count;
	uint32 personal; /* of them, what the history speaks for; they come first */
	bool all;        /* there are no more */
	Variety variety;
	uint32 *order; /* what was taken, as places in row */
	uint32 taken;
} Work;

/* A number of an argument that must lie in 0..1; 0 where it is NULL. */
static double
take_fraction(FunctionCallInfo fcinfo, int argument, const char *name)
{
	double value = PG_ARGISNULL(argument) ? 0 : PG_GETARG_FLOAT8(argument);

	if (!(value >= 0 && value <= 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be from 0 to 1, not %g", name, value)));
	return value;
}

/* The attribute of an argument, which the model must have; NULL where it is NULL. */
static char *
take_attribute(FunctionCallInfo fcinfo, int argument, const char *name, const Model *model)
{
	char *attribute = DoorText(fcinfo, argument);

	if (attribute)
		ValuesCheck(model, attribute, name);
	return attribute;
}

/* Raises the error of an option that says nothing without another. */
static void
refuse_alone(const char *name, const char *other, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("%s says nothing without %s", name, other), errhint("%s", hint)));
}

Arrangement *
ArrangeOptions(FunctionCallInfo fcinfo, int first, const Model *model)
{
	Arrangement plan = {.most = 1};
	Arrangement *kept;

	plan.diversity = take_fraction(fcinfo, first, "diversity");
	plan.capped_by = take_attribute(fcinfo, first + 1, "max_per", model);
	if (!PG_ARGISNULL(first + 2))
	{
		if (plan.capped_by == NULL)
			refuse_alone("max_per_n", "max_per", "Name the attribute to count by as max_per.");
		if (PG_GETARG_INT32(first + 2) < 1)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("max_per_n must be at least 1, not %d", PG_GETARG_INT32(first + 2))));
		plan.most = PG_GETARG_INT32(first + 2);
	}
	plan.calibrated = take_fraction(fcinfo, first + 3, "calibrated");
	plan.mixed_by = take_attribute(fcinfo, first + 4, "calibrated_by", model);
	if (plan.calibrated > 0 && plan.mixed_by == NULL)
		refuse_alone("calibrated", "calibrated_by",
					 "Name the attribute whose mix is to be kept as calibrated_by.");
	if (PG_ARGISNULL(first + 3) && plan.mixed_by)
		refuse_alone("calibrated_by", "calibrated", "Say how much it is to count, from 0 to 1.");

	if (plan.diversity == 0 && plan.capped_by == NULL && plan.calibrated == 0)
		return NULL;
	kept = palloc(sizeof(Arrangement));
	*kept = plan;
	return kept;
}

/* An attribute for the ids of the lists; where the model is held, read at once. */
static Values *
open_values(const RecommendAsk *ask, const char *attribute)
{
	Values *values = ValuesOpen(ask->model, attribute, ask->ids, ask->budget);

	if (ask->held)
		ValuesReadAll(values);
	return values;
}

/* The values of every row by an attribute. */
static VarietyLists
values_of_rows(const Work *work, Values *values)
{
	uint32 *number = palloc_extended(sizeof(uint32) * (work->count + 1), MCXT_ALLOC_HUGE);
	uint32 *start = palloc_extended(sizeof(uint32) * (work->count + 1), MCXT_ALLOC_HUGE);
	uint64 total = 0;
	uint32 *all;

	for (uint32 r = 0; r < work->count; r++)
		number[r] = work->row[r].number;
	ValuesRead(values, number, work->count);
	for (uint32 r = 0; r < work->count; r++)
	{
		uint32 count;

		ValuesOf(values, number[r], &count);
		total += count;
	}
	if (total > UINT32_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("the items of a list have too many values of an attribute")));
	all = palloc_extended(sizeof(uint32) * (total + 1), MCXT_ALLOC_HUGE);
	start[0] = 0;
	for (uint32 r = 0; r < work->count; r++)
	{
		uint32 count;
		const uint32 *value = ValuesOf(values, number[r], &count);

		if (count > 0)
			memcpy(all + start[r], value, sizeof(uint32) * count);
		start[r + 1] = start[r] + count;
	}
	pfree(number);
	return (VarietyLists){start, all};
}

static void
prepare_caps(Work *work)
{
	Variety *variety = &work->variety;

	if (work->plan->capped_by == NULL)
		return;
	if (work->plan->caps == NULL)
		work->plan->caps = open_values(work->ask, work->plan->capped_by);
	variety->most = work->plan->most;
	variety->values = values_of_rows(work, work->plan->caps);
	variety->used = palloc0(sizeof(uint32) * (ValuesCount(work->plan->caps) + 1));
}

/*
 * The parts of a history by value of an attribute, each item's weight shared among its values; in
 * whole units, so that they sum to the same in any order.  Returns the sum of all.
 */
static double
weigh_values(const Work *work, const Values *values, double *part)
{
	const History *history = work->profile->history;
	Weighting weighting = work->ask->model->settings.weighting;
	double most = 0;
	double total = 0;

	for (uint32 n = 0; n < history->count; n++)
		most = Max(most, WeightingValue(weighting, history->item[n].weight));
	for (uint32 n = 0; n < history->count && most > 0; n++)
	{
		double weight = WeightingValue(weighting, history->item[n].weight);
		uint32 count;
		const uint32 *value = ValuesOf(values, history->item[n].id, &count);

		for (uint32 v = 0; v < count && weight > 0; v++)
		{
			double units = rint(ldexp(weight / most / count, MIX_BITS));

			part[value[v]] += units;
			total += units;
		}
	}
	return total;
}

/* The mix of the history: kinds in the order of their texts, and by value which kind it is. */
static uint32 *
prepare_wanted(Work *work, Values *values)
{
	const History *history = work->profile->history;
	Variety *variety = &work->variety;
	uint32 *number = palloc_extended(sizeof(uint32) * (history->count + 1), MCXT_ALLOC_HUGE);
	uint32 count;
	double *part;
	double total;
	uint32 *rank;
	uint32 *by_rank;
	uint32 *kind;
	double *wanted;

	for (uint32 n = 0; n < history->count; n++)
		number[n] = history->item[n].id;
	ValuesRead(values, number, history->count);
	count = ValuesCount(values);
	part = palloc0(sizeof(double) * (count + 1));
	total = weigh_values(work, values, part);

	rank = ValuesRanks(values);
	by_rank = palloc(sizeof(uint32) * (count + 1));
	kind = palloc(sizeof(uint32) * (count + 1));
	wanted = palloc(sizeof(double) * (count + 1));
	for (uint32 v = 0; v < count; v++)
	{
		by_rank[rank[v]] = v;
		kind[v] = VARIETY_NONE;
	}
	for (uint32 r = 0; r < count; r++)
		if (part[by_rank[r]] > 0)
		{
			wanted[variety->kind_count] = part[by_rank[r]] / total;
			kind[by_rank[r]] = variety->kind_count++;
		}
	BudgetFree(work->ask->budget, rank);
	variety->wanted = wanted;
	variety->mass = palloc0(sizeof(double) * (variety->kind_count + 1));
	return kind;
}

static int
by_number(const void *a, const void *b)
{
	uint32 x = *(const uint32 *) a;
	uint32 y = *(const uint32 *) b;

	return x < y ? -1 : x > y;
}

static void
prepare_mix(Work *work)
{
	Variety *variety = &work->variety;
	uint32 *kind;
	uint32 kinds;
	VarietyLists lists;
	uint32 *start;
	uint32 *number;
	double *share;
	uint32 used = 0;

	if (work->plan->calibrated == 0)
		return;
	if (work->plan->mix == NULL)
		work->plan->mix = open_values(work->ask, work->plan->mixed_by);
	kind = prepare_wanted(work, work->plan->mix);
	if (variety->kind_count == 0)
		return;

	/* Values that are met for the first time now are not the history's. */
	kinds = ValuesCount(work->plan->mix);
	lists = values_of_rows(work, work->plan->mix);
	start = palloc_extended(sizeof(uint32) * (work->count + 1), MCXT_ALLOC_HUGE);
	number = palloc_extended(sizeof(uint32) * (lists.start[work->count] + 1), MCXT_ALLOC_HUGE);
	share = palloc_extended(sizeof(double) * (work->count + 1), MCXT_ALLOC_HUGE);
	for (uint32 r = 0; r < work->count; r++)
	{
		uint32 count = lists.start[r + 1] - lists.start[r];

		start[r] = used;
		share[r] = count > 0 ? 1.0 / count : 0;
		for (uint32 n = lists.start[r]; n < lists.start[r + 1]; n++)
			if (lists.number[n] < kinds && kind[lists.number[n]] != VARIETY_NONE)
				number[used++] = kind[lists.number[n]];
		if (used > start[r])
			qsort(number + start[r], used - start[r], sizeof(uint32), by_number);
	}
	start[work->count] = used;
	variety->calibrated = work->plan->calibrated;
	variety->kinds = (VarietyLists){start, number};
	variety->share = share;
}

/* Two weighed rows and how similar they are. */
typedef struct Near
{
	uint32 a;
	uint32 b;
	float similarity;
} Near;

/* Notes which weighed rows one of them has as neighbours, the nearest it has at all being 1. */
static uint32
note_near(const Packed *packed, uint32 row, const IdSet *weighed, Near *near)
{
	uint32 count = 0;

	for (uint32 n = 0; n < packed->scored && packed->similarity[n] > 0; n++)
	{
		uint32 other = IdSetFind(weighed, Int64GetDatum(packed->item[n]));

		if (other != ID_NONE && other != row)
			near[count++] = (Near){row, other, packed->similarity[n] / packed->most};
	}
	return count;
}

/* The pairs of neighbours among the weighed rows. */
static Near *
find_near(const Work *work, uint32 *count)
{
	RecommendAsk *ask = work->ask;
	uint32 weighed = work->variety.weighed;
	IdSet *numbers = IdSetCreate(ID_INTEGER, ask->budget);
	IdSet *ids = IdSetCreate(ask->model->item_kind, ask->budget);
	uint64 most = 0;
	uint32 found = 0;
	LearnedRow *learned = NULL;
	Near *near;

	for (uint32 r = 0; r < weighed; r++)
	{
		IdSetAdd(numbers, Int64GetDatum(work->row[r].item_no));
		IdSetAdd(ids, IdSetDatum(ask->ids, work->row[r].number));
	}
	if (ask->held == NULL)
		learned = LearnedRead(ask->model, ids, &found);
	else
		found = weighed;
	for (uint32 n = 0; n < found; n++)
		most += learned ? learned[n].packed.scored : ask->held->row[work->row[n].number].scored;
	near = palloc_extended(sizeof(Near) * Max(most, 1), MCXT_ALLOC_HUGE);
	*count = 0;
	for (uint32 n = 0; n < found; n++)
		*count += learned
					  ? note_near(&learned[n].packed, learned[n].id, numbers, near + *count)
					  : note_near(&ask->held->row[work->row[n].number], n, numbers, near + *count);
	IdSetFree(ids);
	IdSetFree(numbers);
	return near;
}

/* Files the pairs under both of their rows. */
static void
prepare_near(Work *work)
{
	Variety *variety = &work->variety;
	uint32 weighed = variety->weighed;
	uint32 count;
	Near *near;
	uint32 *start;
	uint32 *other;
	float *similarity;

	if (work->plan->diversity == 0)
		return;
	near = find_near(work, &count);
	start = palloc0(sizeof(uint32) * (weighed + 2));
	other = palloc_extended(sizeof(uint32) * (2 * (Size) count + 1), MCXT_ALLOC_HUGE);
	similarity = palloc_extended(sizeof(float) * (2 * (Size) count + 1), MCXT_ALLOC_HUGE);
	for (uint32 n = 0; n < count; n++)
	{
		start[near[n].a + 2]++;
		start[near[n].b + 2]++;
	}
	for (uint32 r = 2; r < weighed + 2; r++)
		start[r] += start[r - 1];

	/* start[r + 1] runs from where row r begins to where it ends, which is where the next does. */
	for (uint32 n = 0; n < count; n++)
	{
		uint32 of_a = start[near[n].a + 1]++;
		uint32 of_b = start[near[n].b + 1]++;

		other[of_a] = near[n].b;
		other[of_b] = near[n].a;
		similarity[of_a] = similarity[of_b] = near[n].similarity;
	}
	pfree(near);
	variety->diversity = work->plan->diversity;
	variety->near = (VarietyLists){start, other};
	variety->similarity = similarity;
	variety->nearest = palloc0(sizeof(float) * (weighed + 1));
}

/* Everything that math/variety wants to know of the rows. */
static void
prepare(Work *work)
{
	Variety *variety = &work->variety;
	double *worth;

	*variety = (Variety){.count = work->count, .in_order = work->count};
	variety->state = palloc0(work->count + 1);
	if (work->plan->diversity > 0 || work->plan->calibrated > 0)
		variety->weighed = Min(work->personal, WEIGHED);
	worth = palloc(sizeof(double) * (variety->weighed + 1));
	for (uint32 r = 0; r < variety->weighed; r++)
		worth[r] = work->row[r].score / work->row[0].score;
	variety->worth = worth;
	prepare_caps(work);
	prepare_mix(work);
	prepare_near(work);
}

/* Gathers rows of the plain list: at least so many if there are, 0 for all. */
static void
gather(Work *work, uint32 wanted)
{
	RecommendAsk *ask = work->ask;

	work->personal =
		RecommendGather(ask, work->profile, wanted == 0 ? 0 : Max(wanted, WEIGHED), wanted);
	work->row = ask->row;
	work->count = ask->listed;
	work->all = wanted == 0 || work->count < wanted;
}

/* Takes rows until the list is full. */
static void
take_rows(Work *work)
{
	uint32 most = work->ask->k == 0 ? work->count : Min(work->ask->k, work->count);

	work->order = palloc_extended(sizeof(uint32) * (most + 1), MCXT_ALLOC_HUGE);
	work->taken = 0;
	while (work->taken < most)
	{
		uint32 row = VarietyNext(&work->variety);

		if (row == VARIETY_NONE)
			break;
		VarietyTake(&work->variety, row);
		work->order[work->taken++] = row;
	}
}

/* Gathers and takes, and gathers more, until the list is full or there is no more. */
static void
choose(Work *work)
{
	uint32 wanted = work->ask->k;

	for (;;)
	{
		gather(work, wanted);
		prepare(work);
		take_rows(work);
		if (work->all || work->taken == work->ask->k)
			return;
		wanted = wanted > PG_INT32_MAX / MORE ? 0 : wanted * MORE;
	}
}

/* Finds what counted most for each of the rows taken that the history speaks for. */
static void
find_because(Work *work)
{
	uint32 *item_no = palloc_extended(sizeof(uint32) * (work->taken + 1), MCXT_ALLOC_HUGE);
	int64_t *because = palloc_extended(sizeof(int64_t) * (work->taken + 1), MCXT_ALLOC_HUGE);
	uint32 count = 0;

	for (uint32 t = 0; t < work->taken; t++)
		if (work->row[work->order[t]].item_no != ID_NONE)
			item_no[count++] = work->row[work->order[t]].item_no;
	ProfileBecause(work->profile, item_no, count, because);
	count = 0;
	for (uint32 t = 0; t < work->taken; t++)
		if (work->row[work->order[t]].item_no != ID_NONE)
			work->row[work->order[t]].because = because[count++];
	pfree(item_no);
	pfree(because);
}

/* Makes scores say the order. */
static void
settle_scores(Work *work)
{
	uint32 fallen = 0;

	for (uint32 t = 0; t < work->taken; t++)
		if (work->row[work->order[t]].item_no == ID_NONE)
			work->row[work->order[t]].score = -(double) ++fallen;
	for (uint32 t = work->taken; t > 1; t--)
	{
		const RecommendRow *after = &work->row[work->order[t - 1]];
		RecommendRow *row = &work->row[work->order[t - 2]];

		if (row->score < after->score ||
			(row->score == after->score && work->order[t - 2] > work->order[t - 1]))
			row->score = nextafter(after->score, INFINITY);
	}
}

void
ArrangeList(RecommendAsk *ask, const Profile *profile)
{
	Work work = {.ask = ask, .profile = profile, .plan = ask->arrangement};

	choose(&work);
	find_because(&work);
	settle_scores(&work);
	ask->listed = 0;
	for (uint32 t = 0; t < work.taken; t++)
	{
		CHECK_FOR_INTERRUPTS();
		RecommendPut(ask, profile, &work.row[work.order[t]]);
	}
}
