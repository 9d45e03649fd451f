#include "learn/beside.h"

#include "learn/evaluation.h"
#include "math/cost.h"

#define TRIAL_K 20 /* of the lists that are compared */

/* What is tried: nothing at all, and steps by four from the weight of the events themselves. */
static const double weights[] = {0, 0.0625, 0.25, 1, 4};
#define USUAL 3

/*
 * A signal has to be better than nothing by so many standard errors: what is as good on these users by
 * chance takes room that others need.
 */
#define WORTH_ERRORS 2

/* Trials of a signal at most. */
#define TRIALS 4

/* The lists of those who are asked may take such a share of the work. */
#define LISTS_SHARE 0.25

typedef struct Search
{
	const BesideInput *input;
	const Interactions *whole;
	uint32_t sample; /* of the learners, the first */
	double work;     /* of a trial at most */
	SimilarityOptions options;
	Budget *budget;
	AllowanceUsers asked; /* held-out users, who make lists by every trial */
	double *w;
} Search;

static bool
may_try(const Search *search, int trials)
{
	return AllowanceTake(search->input->allowance, trials * search->work, search->input->besides);
}

/* Measures the weights at hand: the NDCG of every held-out user. */
static double *
measure(const Search *search)
{
	double *ndcg = BudgetZeroedResult(search->budget, search->asked.users, sizeof(double));
	Interactions *mixed = MixingApply(search->whole, search->w, search->input->weighting, search->budget);
	Rows learners = InteractionsRows(mixed, search->sample);
	Neighbors *neighbors = NeighborsLearn(&learners, &search->options, search->budget);
	EvaluationInput input = {.matrix = mixed,
							 .neighbors = neighbors,
							 .k = TRIAL_K,
							 .users = search->asked.users,
							 .fill = true,
							 .recency = 1,
							 .ndcg = ndcg};
	Evaluation result;

	EvaluationRun(&input, &result, search->budget);
	NeighborsFree(neighbors, search->budget);
	MixingFree(mixed, search->budget);
	return ndcg;
}

static double
mean_of(const Search *search, const double *ndcg)
{
	double sum = 0;

	for (uint32_t u = 0; u < search->asked.users; u++)
		sum += ndcg[u];
	return sum / search->asked.users;
}

/* Tries one weight of a signal. */
static void
try_weight(const Search *search, uint32_t signal, int n, double **tried, double *mean)
{
	search->w[signal] = weights[n];
	tried[n] = measure(search);
	mean[n] = mean_of(search, tried[n]);
	ereport(DEBUG1,
			(errmsg_internal("signal %u, weight %g: NDCG %.5f", signal, weights[n], mean[n])));
}

/* True where a signal has a part in any cell. */
static bool
occurs(const Interactions *whole, uint32_t signal)
{
	for (uint64_t cell = 0; cell < whole->cells; cell++)
		if (whole->part[cell * whole->signals + signal] > 0)
			return true;
	return false;
}

/*
 * Tries the weights of a signal.  That of the events themselves is left where another is surely better,
 * and whatever is best then is left for nothing unless it is worth more than that.  The NDCG of all
 * users is that of the weight at hand before, and of the one taken afterwards.
 */
static void
choose_weight(Search *search, uint32_t signal, double *usual)
{
	double *tried[lengthof(weights)] = {[USUAL] = usual};
	double mean[lengthof(weights)] = {[USUAL] = mean_of(search, usual)};
	int best = USUAL;

	if (!may_try(search, 1))
		return;
	try_weight(search, signal, 0, tried, mean);
	for (int way = -1; way <= 1 && best == USUAL; way += 2)
		for (int n = USUAL + way; n > 0 && n < (int) lengthof(weights); n += way)
		{
			if (!may_try(search, 1))
				break;
			try_weight(search, signal, n, tried, mean);
			if (!(mean[n] > mean[best]))
				break;
			best = n;
		}
	if (best != USUAL && !EvaluationSurelyBetter(tried[best], usual, search->asked.users, 1))
		best = USUAL;
	if (!EvaluationSurelyBetter(tried[best], tried[0], search->asked.users, WORTH_ERRORS))
		best = 0;
	search->w[signal] = weights[best];
	if (best != USUAL)
		memcpy(usual, tried[best], sizeof(double) * search->asked.users);
	for (int n = 0; n < (int) lengthof(weights); n++)
		if (n != USUAL)
			BudgetFree(search->budget, tried[n]);
}

/* All trials there may be. */
static int
count_trials(const Interactions *whole)
{
	int trials = 1;

	for (uint32_t signal = 1; signal < whole->signals; signal++)
		trials += occurs(whole, signal) ? TRIALS : 0;
	return trials;
}

/* Halves the learners that a trial counts until all trials are within what there is. */
static void
size_sample(Search *search)
{
	const BesideInput *input = search->input;
	const Interactions *whole = search->whole;
	double each = (input->allowance->most - input->allowance->spent - input->besides) /
				  count_trials(whole);
	double fixed;

	search->asked = AllowanceAsk(whole, search->options.k, LISTS_SHARE * each);
	fixed = CostMixing((double) whole->cells, whole->signals) +
			AllowanceLists(&search->asked, whole->items, search->options.k);
	search->sample = Max(whole->learners, 1);
	for (;;)
	{
		search->work =
			fixed + AllowanceSample(whole, search->sample, &search->options, search->budget);
		if (search->work <= each || search->sample == 1)
			break;
		search->sample /= 2;
	}
}

Interactions *
BesidePick(const BesideInput *input, Budget *budget)
{
	const Interactions *whole = input->whole;
	Search search = {.input = input,
					 .whole = whole,
					 .options = *input->options,
					 .budget = budget,
					 .w = input->w};

	search.options.rule = SimilarityPreset(SIMILARITY_COOCCURRENCE);
	search.options.rule.min_support = 1;
	search.options.keep = SIMILARITY_KEEP_TARGET;
	size_sample(&search);
	if (may_try(&search, 1))
	{
		double *usual = measure(&search);

		for (uint32_t signal = 1; signal < whole->signals; signal++)
			if (occurs(whole, signal))
				choose_weight(&search, signal, usual);
		BudgetFree(budget, usual);
	}
	return MixingApply(whole, input->w, input->weighting, budget);
}
