#include "learn/turnout.h"

#include <math.h>

#include "base/interrupts.h"
#include "math/hash.h"

#define FOLDS     10
#define PASSES    100
#define SETTLED   1e-9 /* moves below this end a fit */
#define NEARLY    1e-3 /* the same where items are left out */
#define QUANTILE  0.05 /* on either side of an interval */
#define NO_FOLD   FOLDS
#define ERROR_MAX 700 /* exp of more is no number */

/* How many items what is thought before may count as. */
static const double ridges[] = {1, 4, 16, 64};

#define RIDGES (sizeof(ridges) / sizeof(ridges[0]))

/* The same cells by trait, and room for one fit. */
typedef struct Fit
{
	const TurnoutInput *input;
	const double *target; /* [items] */
	const uint8_t *fold;  /* [items] */
	uint64_t *start;      /* [traits + 1] */
	uint32_t *item;
	double *rest; /* [items], what is not explained yet */
	double *weight;
	double base;
} Fit;

/* Puts the cells in order of trait. */
static void
turn(Fit *fit, Budget *budget)
{
	const TurnoutInput *input = fit->input;
	uint64_t cells = input->start[input->items];

	fit->start = BudgetZeroed(budget, (uint64_t) input->traits + 2, sizeof(uint64_t));
	fit->item = BudgetAlloc(budget, cells + 1, sizeof(uint32_t));
	for (uint64_t c = 0; c < cells; c++)
		fit->start[input->trait[c] + 2]++;
	for (uint32_t t = 0; t < input->traits; t++)
		fit->start[t + 2] += fit->start[t + 1];
	for (uint32_t i = 0; i < input->items; i++)
		for (uint64_t c = input->start[i]; c < input->start[i + 1]; c++)
			fit->item[fit->start[input->trait[c] + 1]++] = i;
}

/* What the items that are not in a fold say on average that is not explained. */
static double
mean_rest(const Fit *fit, uint32_t left_out)
{
	double sum = 0;
	uint32_t count = 0;

	for (uint32_t i = 0; i < fit->input->items; i++)
		if (fit->fold[i] != left_out)
		{
			sum += fit->rest[i];
			count++;
		}
	return count > 0 ? sum / count : 0;
}

/* Makes the weight of a trait the best one while all others stay; returns by how much it moved. */
static double
settle(Fit *fit, uint32_t trait, uint32_t left_out, double ridge)
{
	double sum = 0;
	double count = 0;
	double move;

	for (uint64_t c = fit->start[trait]; c < fit->start[trait + 1]; c++)
		if (fit->fold[fit->item[c]] != left_out)
		{
			sum += fit->rest[fit->item[c]];
			count++;
		}
	move = (sum - ridge * fit->weight[trait]) / (count + ridge);
	fit->weight[trait] += move;
	for (uint64_t c = fit->start[trait]; c < fit->start[trait + 1]; c++)
		fit->rest[fit->item[c]] -= move;
	return fabs(move);
}

/* Fits base and weights to all items but those of a fold. */
static void
run(Fit *fit, uint32_t left_out, double ridge)
{
	double settled = left_out == NO_FOLD ? SETTLED : NEARLY;
	double moved = INFINITY;

	for (uint32_t i = 0; i < fit->input->items; i++)
		fit->rest[i] = fit->target[i];
	memset(fit->weight, 0, sizeof(double) * fit->input->traits);
	fit->base = 0;
	for (uint32_t pass = 0; pass < PASSES && moved > settled; pass++)
	{
		double mean = mean_rest(fit, left_out);

		fit->base += mean;
		moved = fabs(mean);
		for (uint32_t i = 0; i < fit->input->items; i++)
			fit->rest[i] -= mean;
		for (uint32_t t = 0; t < fit->input->traits; t++)
		{
			INTERRUPTS_AT(t);
			moved = fmax(moved, settle(fit, t, left_out, ridge));
		}
	}
}

/* What is wrong with each item when it is left out; returns the sum of squares. */
static double
leave_out(Fit *fit, double ridge, double *error)
{
	double sum = 0;

	for (uint32_t fold = 0; fold < FOLDS; fold++)
	{
		run(fit, fold, ridge);
		for (uint32_t i = 0; i < fit->input->items; i++)
			if (fit->fold[i] == fold)
			{
				error[i] = fit->rest[i];
				sum += error[i] * error[i];
			}
	}
	return sum;
}

static int
rising(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* The sum of squares around the mean. */
static double
spread(const double *target, uint32_t count)
{
	double mean = 0;
	double sum = 0;

	for (uint32_t i = 0; i < count; i++)
		mean += target[i] / count;
	for (uint32_t i = 0; i < count; i++)
		sum += (target[i] - mean) * (target[i] - mean);
	return sum;
}

/* Picks the ridge that is least wrong with what was left out. */
static void
pick(Fit *fit, Turnout *turnout, Budget *budget)
{
	uint32_t items = fit->input->items;
	double all = spread(fit->target, items);
	double *error = BudgetAlloc(budget, items, sizeof(double));
	double least = INFINITY;

	turnout->error = BudgetAlloc(budget, items, sizeof(double));
	for (uint32_t r = 0; r < RIDGES; r++)
	{
		double sum = leave_out(fit, ridges[r], error);

		if (sum >= least)
			continue;
		least = sum;
		turnout->ridge = ridges[r];
		memcpy(turnout->error, error, sizeof(double) * items);
	}
	BudgetFree(budget, error);
	turnout->explained = all > 0 ? fmax(1 - least / all, 0) : 0;
	qsort(turnout->error, items, sizeof(double), rising);
}

Turnout *
TurnoutLearn(const TurnoutInput *input, Budget *budget)
{
	Turnout *turnout = BudgetZeroed(budget, 1, sizeof(Turnout));
	double *target = BudgetAlloc(budget, input->items + 1, sizeof(double));
	uint8_t *fold = BudgetAlloc(budget, input->items + 1, sizeof(uint8_t));
	Fit fit = {.input = input, .target = target, .fold = fold};

	for (uint32_t i = 0; i < input->items; i++)
	{
		target[i] = log1p(input->users[i]);
		fold[i] = (uint8_t) (HashMix(i + 1) % FOLDS);
	}
	turn(&fit, budget);
	fit.rest = BudgetAlloc(budget, input->items + 1, sizeof(double));
	fit.weight = BudgetAlloc(budget, input->traits + 1, sizeof(double));
	turnout->ridge = ridges[1];
	if (input->items >= TURNOUT_ITEMS)
		pick(&fit, turnout, budget);
	run(&fit, NO_FOLD, turnout->ridge);
	turnout->base = fit.base;
	turnout->weight = fit.weight;
	BudgetFree(budget, fit.rest);
	BudgetFree(budget, fit.item);
	BudgetFree(budget, fit.start);
	BudgetFree(budget, fold);
	BudgetFree(budget, target);
	return turnout;
}

static double
users_of(double log_users)
{
	return fmax(expm1(fmin(log_users, ERROR_MAX)), 0);
}

TurnoutForecast
TurnoutOf(const Turnout *turnout, const TurnoutInput *input, const uint32_t *trait, uint32_t count)
{
	double sum = turnout->base;
	TurnoutForecast forecast = {0};
	uint32_t aside = (uint32_t) floor(QUANTILE * (input->items + 1));

	for (uint32_t t = 0; t < count; t++)
		sum += turnout->weight[trait[t]];
	if (turnout->error == NULL)
	{
		forecast.expected = users_of(sum);
		return forecast;
	}
	for (uint32_t i = 0; i < input->items; i++)
		forecast.expected += users_of(sum + turnout->error[i]) / input->items;
	if (aside > 0)
		aside--;
	forecast.low = users_of(sum + turnout->error[aside]);
	forecast.high = users_of(sum + turnout->error[input->items - 1 - aside]);
	return forecast;
}
