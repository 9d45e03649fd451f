#include "learn/indirect.h"

#include <math.h>

#include "base/interrupts.h"

/*
 * Steps from an item, and indirect neighbours kept of it.  More of either was no better, and what
 * many weak ones say of an item says little of who will choose it.
 */
#define STEPS 30
#define KEPT  10

/* The strongest entries of every row, as chances of a step; STEPS places a row. */
typedef struct Steps
{
	Best *step;
	uint32_t *count;
} Steps;

/* Where the sums of one row are added up. */
typedef struct Sums
{
	double *sum;       /* [items], 0 between rows */
	bool *met;         /* [items], false between rows */
	uint32_t *touched; /* [STEPS * STEPS] */
	uint32_t count;
} Sums;

/* The strongest entries of a row, whatever their sign, divided by their sum. */
static uint32_t
take_steps(const Best *row, uint32_t count, Best *step)
{
	uint32_t taken = 0;
	double sum = 0;

	/* Heaps go by value: the strength is offered, with the place to find the entry again by. */
	for (uint32_t n = 0; n < count; n++)
		if (row[n].value != 0)
			BestOffer(step, &taken, STEPS, (Best){n, 0, fabsf(row[n].value)});
	BestSort(step, taken);
	for (uint32_t s = 0; s < taken; s++)
		sum += step[s].value;
	for (uint32_t s = 0; s < taken; s++)
	{
		const Best *entry = &row[step[s].index];

		step[s] = (Best){entry->index, 0, (float) (entry->value / sum)};
	}
	return taken;
}

static Steps
gather_steps(const Neighbors *direct, Budget *budget)
{
	Steps steps = {.step = BudgetAlloc(budget, (uint64_t) direct->items * STEPS, sizeof(Best)),
				   .count = BudgetAlloc(budget, direct->items, sizeof(uint32_t))};

	for (uint32_t i = 0; i < direct->items; i++)
	{
		INTERRUPTS();
		steps.count[i] = take_steps(direct->entry + direct->start[i], direct->scored[i],
									steps.step + (uint64_t) i * STEPS);
	}
	return steps;
}

/* Adds up two steps from an item. */
static void
walk(const Steps *steps, uint32_t item, Sums *sums)
{
	const Best *first = steps->step + (uint64_t) item * STEPS;

	sums->count = 0;
	for (uint32_t f = 0; f < steps->count[item]; f++)
	{
		uint32_t through = first[f].index;
		const Best *second = steps->step + (uint64_t) through * STEPS;

		for (uint32_t s = 0; s < steps->count[through]; s++)
		{
			uint32_t end = second[s].index;

			if (!sums->met[end])
				sums->touched[sums->count++] = end;
			sums->met[end] = true;
			sums->sum[end] += (double) first[f].value * second[s].value;
		}
	}
}

/* The best of the sums of an item, to best[KEPT]; all are 0 again then.  Returns their number. */
static uint32_t
take_best(Sums *sums, uint32_t item, Best *best)
{
	uint32_t count = 0;

	for (uint32_t t = 0; t < sums->count; t++)
	{
		uint32_t end = sums->touched[t];

		if (end != item && (float) sums->sum[end] > 0)
			BestOffer(best, &count, KEPT, (Best){end, 0, (float) sums->sum[end]});
		sums->sum[end] = 0;
		sums->met[end] = false;
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
				 .met = BudgetZeroed(budget, items, sizeof(bool)),
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
	BudgetFree(budget, sums.met);
	BudgetFree(budget, sums.touched);
	return result;
}

uint64_t
IndirectBytes(uint32_t items)
{
	return (uint64_t) items *
		   (STEPS * sizeof(Best) + sizeof(uint32_t) + sizeof(double) + sizeof(bool));
}
