#include "math/habit.h"

#include <string.h>

/* The sum of some counts. */
static double
sum_of(const double *count, int length)
{
	double sum = 0;

	for (int n = 0; n < length; n++)
		sum += count[n];
	return sum;
}

/* Counts by the hour of the day. */
static void
fold_days(const double *week, double *day)
{
	memset(day, 0, sizeof(double) * HABIT_DAY);
	for (int h = 0; h < HABIT_HOURS; h++)
		day[h % HABIT_DAY] += week[h];
}

/* The same, half of each at the hours on either side. */
static void
fold_and_spread(const double *week, double *day)
{
	double at[HABIT_DAY];

	fold_days(week, at);
	for (int j = 0; j < HABIT_DAY; j++)
		day[j] = at[j] / 2 + (at[(j + 1) % HABIT_DAY] + at[(j + HABIT_DAY - 1) % HABIT_DAY]) / 4;
}

void
HabitShares(const double *own, const double *everybody, double prior, double *shares)
{
	double all = sum_of(everybody, HABIT_HOURS);
	double mine = sum_of(own, HABIT_HOURS);
	double week_prior = HABIT_WEEK * prior;
	double own_day[HABIT_DAY];
	double day[HABIT_DAY];

	for (int h = 0; h < HABIT_HOURS; h++)
		shares[h] = (everybody[h] + prior / HABIT_HOURS) / (all + prior);
	fold_and_spread(own, own_day);
	fold_days(shares, day);
	for (int h = 0; h < HABIT_HOURS; h++)
	{
		int j = h % HABIT_DAY;
		double of_day = (own_day[j] + prior * day[j]) / (mine + prior);

		shares[h] = (own[h] + week_prior * of_day * shares[h] / day[j]) / (mine + week_prior);
	}
}
