#include "learn/indirect.h"

#include <math.h>

#include "base/interrupts.h"

/*
 * Steps from an item, and indirect neighbours kept of it.  More of either was no better, and what
 * many weak ones say of an item says little of who will choose it.
 */
#define STEPS 30
#define KEPT  10

/* What speaks for an item, and with which chance of a step. */
typedef struct Step
{
	uint32_t index;
	float value;
} Step;

/* The strongest entries of every row, as chances of a step; STEPS places a row. */
typedef struct Steps
{
	Step *step;
	uint32_t *count;
} Steps;

/* Where the sums of one row are added up. */
typedef struct Sums
{
	double *sum;       /* [items], 0 between rows */
	uint32_t *touched; /* [STEPS * STEPS], what was 0 before: twice where terms cancelled out */
	uint32_t count;
} Sums;

#define ST_SORT          sort_down
#define ST_ELEMENT_TYPE  uint64_t
#define ST_COMPARE(a, b) (*(a) > *(b) ? -1 : *(a) < *(b))
#define ST_SCOPE         static
#define ST_DEFINE
#include "lib/sort_template.h"

/* The strongest entries of a row, whatever their sign, divided by their sum; keys have room for them. */
static uint32_t
take_steps(const Best *row, uint32_t count, uint64_t *keys, Step *step)
{
	uint32_t there = 0;
	uint32_t taken;
	double sum = 0;

	for (uint32_t n = 0; n < count; n++)
		if (row[n].value != 0)
			keys[there++] = BestKey(n, fabsf(row[n].value));
	taken = Min(there, STEPS);
	if (taken > 0)
		BestSelect(keys, there, taken);
	sort_down(keys, taken);
	for (uint32_t s = 0; s < taken; s++)
		sum += BestKeyValue(keys[s]);
	for (uint32_t s = 0; s < taken; s++)
	{
		const Best *entry = &row[BestKeyIndex(keys[s])];

		step[s] = (Step){entry->index, (float) (entry->value / sum)};
	}
	return taken;
}

static Steps
gather_steps(const Neighbors *direct, Budget *budget)
{
	Steps steps = {.step = BudgetAlloc(budget, (uint64_t) direct->items * STEPS, sizeof(Step)),
				   .count = BudgetAlloc(budget, direct->items, sizeof(uint32_t))};
	uint32_t longest = 0;
	uint64_t *keys;

	for (uint32_t i = 0; i < direct->items; i++)
		longest = Max(longest, direct->scored[i]);
	keys = BudgetAllocLeast(budget, longest, sizeof(uint64_t));
	for (uint32_t i = 0; i < direct->items; i++)
	{
		INTERRUPTS();
		steps.count[i] = take_steps(direct->entry + direct->start[i], direct->scored[i], keys,
									steps.step + (uint64_t) i * STEPS);
	}
	BudgetFree(budget, keys);
	return steps;
}

/* Adds up two steps from an item. */
static void
walk(const Steps *steps, uint32_t item, Sums *sums)
{
	const Step *first = steps->step + (uint64_t) item * STEPS;
	double *sum = sums->sum;
	uint32_t touched = 0;

	for (uint32_t f = 0; f < steps->count[item]; f++)
	{
		const Step *second = steps->step + (uint64_t) first[f].index * STEPS;
		uint32_t count = steps->count[first[f].index];

		for (uint32_t s = 0; s < count; s++)
		{
			uint32_t end = second[s].index;

			sums->touched[touched] = end;
			touched += sum[end] == 0;
			sum[end] += (double) first[f].value * second[s].value;
		}
	}
	sums->count = touched;
}

/* The best of the sums of an item, to best[KEPT]; all are 0 again then.  Returns their number. */
static uint32_t
take_best(Sums *sums, uint32_t item, Best *best)
{
	uint32_t count = 0;
	float least = 0;

	for (uint32_t t = 0; t < sums->count; t++)
	{
		uint32_t end = sums->touched[t];
		float sum = (float) sums->sum[end];

		sums->sum[end] = 0;
		if (!(sum > 0) || sum < least || end == item)
			continue;
		BestOffer(best, &count, KEPT, (Best){end, 0, sum});
		if (count == KEPT)
			least = best[0].value;
	}
	BestSort(best, count);
	return count;
}

Neighbors *
IndirectRows(const Neighbors *direct, Budget *budget)
{
	uint32_t items = direct->items;
	uint64_t places = Min(items, KEPT);
	Neighbors *result = BudgetAlloc(budget, 1, sizeof(Neighbors));
	Steps steps = gather_steps(direct, budget);
	Sums sums = {.sum = BudgetZeroed(budget, items, sizeof(double)),
				 .touched = BudgetAlloc(budget, STEPS * STEPS, sizeof(uint32_t))};

	result->items = items;
	result->start = BudgetAlloc(budget, (uint64_t) items + 1, sizeof(uint64_t));
	result->scored = BudgetAlloc(budget, items, sizeof(uint32_t));
	result->entry = BudgetAllocResult(budget, items * places, sizeof(Best));
	result->start[0] = 0;
	for (uint32_t i = 0; i < items; i++)
	{
		INTERRUPTS();
		walk(&steps, i, &sums);
		result->scored[i] = take_best(&sums, i, result->entry + result->start[i]);
		result->start[i + 1] = result->start[i] + result->scored[i];
	}
	BudgetFree(budget, steps.step);
	BudgetFree(budget, steps.count);
	BudgetFree(budget, sums.sum);
	BudgetFree(budget, sums.touched);
	return result;
}

double
IndirectSteps(uint32_t items, double entries)
{
	return STEPS * Min(entries, (double) STEPS * items);
}

uint64_t
IndirectBytes(uint32_t items)
{
	return (uint64_t) items *
		   (STEPS * sizeof(Step) + sizeof(uint32_t) + sizeof(double));
}
