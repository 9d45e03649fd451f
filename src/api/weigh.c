/*
 * weigh.c: reads what the catalogue and the model say of the rows of a list, and lays it out as
 * math/variety wants it.
 */
#include "api/weigh.h"

#include <math.h>

#include "data/learned.h"
#include "utils/memutils.h"

/* What the parts of a history's mix are counted in, so that sums are exact: 2^-30 of the largest. */
#define MIX_BITS 30

/* The values of every row by an attribute. */
static VarietyLists
values_of_rows(const WeighRows *rows, Values *values)
{
	uint32 *number = palloc_extended(sizeof(uint32) * (rows->count + 1), MCXT_ALLOC_HUGE);
	uint32 *start = palloc_extended(sizeof(uint32) * (rows->count + 1), MCXT_ALLOC_HUGE);
	uint64 total = 0;
	uint32 *all;

	for (uint32 r = 0; r < rows->count; r++)
		number[r] = rows->row[r].number;
	ValuesRead(values, number, rows->count);
	for (uint32 r = 0; r < rows->count; r++)
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
	for (uint32 r = 0; r < rows->count; r++)
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
set_caps(Variety *variety, const WeighRows *rows)
{
	if (rows->caps == NULL)
		return;
	variety->most = rows->most;
	variety->values = values_of_rows(rows, rows->caps);
	variety->used = palloc0(sizeof(uint32) * (ValuesCount(rows->caps) + 1));
}

/*
 * The parts of a history by value of an attribute, each item's weight shared among its values; in
 * whole units, so that they sum to the same in any order.  Returns the sum of all.
 */
static double
weigh_values(const WeighRows *rows, double *part)
{
	const History *history = rows->profile->history;
	Weighting weighting = rows->ask->model->settings.weighting;
	double most = 0;
	double total = 0;

	for (uint32 n = 0; n < history->count; n++)
		most = Max(most, WeightingValue(weighting, history->item[n].weight));
	for (uint32 n = 0; n < history->count && most > 0; n++)
	{
		double weight = WeightingValue(weighting, history->item[n].weight);
		uint32 count;
		const uint32 *value = ValuesOf(rows->mix, history->item[n].id, &count);

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
set_wanted(Variety *variety, const WeighRows *rows)
{
	const History *history = rows->profile->history;
	Values *values = rows->mix;
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
	total = weigh_values(rows, part);

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
	BudgetFree(rows->ask->budget, rank);
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
set_mix(Variety *variety, const WeighRows *rows)
{
	uint32 *kind;
	uint32 kinds;
	VarietyLists lists;
	uint32 *start;
	uint32 *number;
	double *share;
	uint32 used = 0;

	if (rows->calibrated == 0)
		return;
	kind = set_wanted(variety, rows);
	if (variety->kind_count == 0)
		return;

	/* Values that are met for the first time now are not the history's. */
	kinds = ValuesCount(rows->mix);
	lists = values_of_rows(rows, rows->mix);
	start = palloc_extended(sizeof(uint32) * (rows->count + 1), MCXT_ALLOC_HUGE);
	number = palloc_extended(sizeof(uint32) * (lists.start[rows->count] + 1), MCXT_ALLOC_HUGE);
	share = palloc_extended(sizeof(double) * (rows->count + 1), MCXT_ALLOC_HUGE);
	for (uint32 r = 0; r < rows->count; r++)
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
	start[rows->count] = used;
	variety->calibrated = rows->calibrated;
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

/*
 * Notes which weighed rows one of them has as neighbours, the nearest it has at all being 1.  place
 * says which they are, counted from 1, by item number.
 */
static uint32
note_near(const Packed *packed, uint32 row, const uint32 *place, Near *near)
{
	uint32 count = 0;

	for (uint32 n = 0; n < packed->scored; n++)
	{
		uint32 other = place[packed->item[n]];

		if (other > 0 && other - 1 != row && packed->similarity[n] > 0)
			near[count++] = (Near){row, other - 1, packed->similarity[n] / packed->most};
	}
	return count;
}

/* The pairs of neighbours among the weighed rows. */
static Near *
find_near(const WeighRows *rows, uint32 weighed, uint32 *count)
{
	const RecommendAsk *ask = rows->ask;
	uint32 *place = palloc_extended(sizeof(uint32) * ((Size) ask->model->item_slots + 1),
									MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	IdSet *ids = IdSetCreate(ask->model->item_kind, ask->budget);
	uint64 most = 0;
	uint32 found = 0;
	LearnedRow *learned = NULL;
	Near *near;

	for (uint32 r = 0; r < weighed; r++)
	{
		place[rows->row[r].item_no] = r + 1;
		IdSetAdd(ids, IdSetDatum(ask->ids, rows->row[r].number));
	}
	if (ask->held == NULL)
		learned = LearnedRead(ask->model, ids, &found);
	else
		found = weighed;
	for (uint32 n = 0; n < found; n++)
		most += learned ? learned[n].packed.scored : ask->held->row[rows->row[n].number].scored;
	near = palloc_extended(sizeof(Near) * Max(most, 1), MCXT_ALLOC_HUGE);
	*count = 0;
	for (uint32 n = 0; n < found; n++)
		*count += learned
					  ? note_near(&learned[n].packed, learned[n].id, place, near + *count)
					  : note_near(&ask->held->row[rows->row[n].number], n, place, near + *count);
	IdSetFree(ids);
	pfree(place);
	return near;
}

/* Files the pairs under both of their rows. */
static void
set_near(Variety *variety, const WeighRows *rows)
{
	uint32 weighed = variety->weighed;
	uint32 count;
	Near *near;
	uint32 *start;
	uint32 *other;
	float *similarity;

	if (rows->diversity == 0)
		return;
	near = find_near(rows, weighed, &count);
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
	variety->diversity = rows->diversity;
	variety->near = (VarietyLists){start, other};
	variety->similarity = similarity;
	variety->nearest = palloc0(sizeof(float) * (weighed + 1));
}

Variety
WeighVariety(const WeighRows *rows, uint32 weighed)
{
	Variety variety = {.count = rows->count, .weighed = weighed, .in_order = rows->count};
	double *worth = palloc(sizeof(double) * (weighed + 1));

	variety.state = MemoryContextAllocHuge(CurrentMemoryContext, (Size) rows->count + 1);
	memset(variety.state, VARIETY_FREE, (Size) rows->count + 1);
	for (uint32 r = 0; r < weighed; r++)
		worth[r] = rows->row[r].score / rows->row[0].score;
	variety.worth = worth;
	set_caps(&variety, rows);
	set_mix(&variety, rows);
	set_near(&variety, rows);
	return variety;
}
