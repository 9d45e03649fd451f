#include "learn/automatic.h"

#include <math.h>

#include "learn/evaluation.h"
#include "learn/indirect.h"
#include "learn/next.h"

#define TRIAL_CANDIDATES 64 /* of a trial of ridge */
#define TRIAL_K          20 /* of the lists that are compared */

/*
 * Systems of more numbers than this are not tried: those of 100,000 items with 200 candidates each,
 * half a minute's work to solve once, and 8 GB of temporary files where memory is short.
 */
#define MOST_NUMBERS UINT64_C(2000000000)

/* Of thin data: a pair of n users counts n / (n + this). */
#define THIN_SHRINKAGE 5

/*
 * What is tried of an option, and which of it serves most sets: left only for what is better by more
 * than so many standard errors.
 */
typedef struct Choice
{
	const double *value;
	int count;
	int usual;
	double errors;
} Choice;

#define CHOICE(usual, errors, ...)                                                                 \
	{                                                                                              \
		(const double[]){__VA_ARGS__}, (int) (sizeof((double[]){__VA_ARGS__}) / sizeof(double)),   \
			usual, errors                                                                          \
	}

static const Choice lambdas = CHOICE(3, 1, 0.5, 1, 2, 4, 8, 16);
static const Choice dampings = CHOICE(1, 1, 0, 0.1, 0.2);
static const Choice indirects = CHOICE(1, 1, 0, 0.06, 0.12); /* where pairs are few, else none */

/*
 * Of these none costs more than another, and none serves nearly all sets: whatever is better.  Recency
 * is of ridge, where order may matter.
 */
static const Choice blends = CHOICE(2, 0, 0, 0.1, 0.2, 0.4);
static const Choice recencies = CHOICE(2, 0, 0.8, 0.9, 1);

/*
 * Of so many items at most more neighbours are kept though pairs are many: scores of a list still fit
 * into a near cache.
 */
#define SMALL_CATALOGUE 10000

/* Less than one in so many of the candidates asked for is there: pairs are few. */
#define SPARSE_SHARE 2

/* Where users have so many different times on average, what follows what is tried as well. */
#define LEAST_TIMES 3

#define NEXT_SLOWER 0.9 /* the other recency of what follows what */

/*
 * Where histories read by recency are worse by so many standard errors, what came last says nothing
 * of what comes next.
 */
#define ORDER_ERRORS 3

typedef struct Trial
{
	SimilarityOptions options;
	double *ndcg; /* of every held-out user */
	double mean;
} Trial;

typedef struct Search
{
	const Interactions *matrix;
	const RidgeBasis *basis;
	Budget *budget;
	uint32_t users;
	bool ordered;             /* times may tell something, as far as is known */
	Neighbors *mixed;         /* by the options at hand, where these differ in recency only */
	uint32_t candidates;      /* solved for at most */
	CooccurrenceSlots solved; /* their weights, for the lambda at hand */
	Trial best;
} Search;

static void
free_trial(const Search *search, Trial *trial)
{
	BudgetFree(search->budget, trial->ndcg);
	trial->ndcg = NULL;
}

/* Measures neighbours on the held-out users. */
static Trial
measure(const Search *search, const SimilarityOptions *options, const Neighbors *neighbors)
{
	Trial trial = {.options = *options,
				   .ndcg = BudgetZeroedResult(search->budget, search->users, sizeof(double))};
	EvaluationInput input = {.matrix = search->matrix,
							 .neighbors = neighbors,
							 .k = TRIAL_K,
							 .recency = SimilarityRecency(options),
							 .ndcg = trial.ndcg};
	Evaluation result = {0};

	EvaluationRun(&input, &result, search->budget);
	trial.mean = EvaluationMean(&result.of[EVALUATION_NDCG]);
	ereport(
		DEBUG1,
		(errmsg_internal(
			"%s, lambda %g, damping %g, blend %g, indirect %g, %u neighbors, keep %d, recency %g: NDCG %.5f",
			options->rule.kind == SIMILARITY_RIDGE  ? "ridge"
			: options->rule.kind == SIMILARITY_NEXT ? "next"
													: "counts",
			options->lambda, options->damping, options->blend, options->indirect, options->k,
			options->keep, SimilarityRecency(options), trial.mean)));
	return trial;
}

/* The same, and frees them. */
static Trial
measure_once(const Search *search, const SimilarityOptions *options, Neighbors *neighbors)
{
	Trial trial = measure(search, options, neighbors);

	NeighborsFree(neighbors, search->budget);
	return trial;
}

static Trial
try_counts(const Search *search, SimilarityOptions options, SimilarityKeep keep)
{
	options.rule.kind = SIMILARITY_COOCCURRENCE;
	options.keep = keep;
	return measure_once(search, &options,
						NeighborsOfCounts(search->basis, keep, options.k, search->budget));
}

/* With the weights that are solved. */
static Trial
try_mixture(const Search *search, const SimilarityOptions *options)
{
	if (search->mixed)
		return measure(search, options, search->mixed);
	return measure_once(search, options,
						NeighborsOfRidge(search->basis, &search->solved, options, search->budget));
}

static void
solve(Search *search, double lambda)
{
	uint32_t candidates = Min(search->best.options.candidates, search->candidates);

	if (search->solved.slot)
		CooccurrenceFree(&search->solved, search->budget);
	search->solved = RidgeSolve(search->basis, lambda, candidates, search->budget);
}

/* Takes a trial in the place of the best so far. */
static void
take(Search *search, const Trial *trial)
{
	free_trial(search, &search->best);
	search->best = *trial;
}

/* True where a trial is better than another by more than the standard error of the difference. */
static bool
surely_better(const Search *search, const Trial *a, const Trial *b)
{
	return EvaluationSurelyBetter(a->ndcg, b->ndcg, search->users, 1);
}

static inline double
usual_of(const Choice *choice)
{
	return choice->value[choice->usual];
}

/*
 * Tries the values of one option from the usual one down, then up, as long as the mean rises.
 * Takes the best of them only where it is surely better than the usual: what is as good by chance
 * on these users would be worse on others.
 */
static void
choose_value(Search *search, double *option, const Choice *choice)
{
	Trial found = {.mean = search->best.mean};
	bool lambda = option == &search->best.options.lambda;

	for (int way = -1; way <= 1 && found.ndcg == NULL; way += 2)
		for (int n = choice->usual + way; n >= 0 && n < choice->count; n += way)
		{
			Trial trial;

			*option = choice->value[n];
			if (lambda)
				solve(search, *option);
			trial = try_mixture(search, &search->best.options);
			if (!(trial.mean > found.mean))
			{
				free_trial(search, &trial);
				break;
			}
			if (found.ndcg)
				free_trial(search, &found);
			found = trial;
		}
	*option = usual_of(choice);
	if (found.ndcg &&
		EvaluationSurelyBetter(found.ndcg, search->best.ndcg, search->users, choice->errors))
		take(search, &found);
	else if (found.ndcg)
		free_trial(search, &found);
}

/* The counts, the best of each target unless those of each source are surely better. */
static Trial
choose_counts(Search *search, const SimilarityOptions *options)
{
	Trial by_target = try_counts(search, *options, SIMILARITY_KEEP_TARGET);
	Trial by_source = try_counts(search, *options, SIMILARITY_KEEP_SOURCE);
	bool source = surely_better(search, &by_source, &by_target);

	free_trial(search, source ? &by_target : &by_source);
	return source ? by_source : by_target;
}

/* True where a large catalogue has far fewer candidates than are asked for. */
static bool
is_sparse(const Search *search)
{
	uint32_t items = search->basis->input.rows.items;
	uint64_t asked = search->best.options.candidates;
	uint64_t found = 0;

	for (uint32_t i = 0; i < items; i++)
		found += search->basis->to.count[i];
	return items > asked && found * SPARSE_SHARE < items * asked;
}

/* Where pairs are few, what neighbours of neighbours say is usual, if there is memory for it. */
static void
choose_indirect(Search *search)
{
	SimilarityOptions options = search->best.options;

	if (!is_sparse(search) ||
		IndirectBytes(search->basis->input.rows.items) > BudgetLeft(search->budget) / 2)
		return;
	options.indirect = usual_of(&indirects);
	free_trial(search, &search->best);
	search->best = try_mixture(search, &options);
	choose_value(search, &search->best.options.indirect, &indirects);
}

/* How many of its best an item may have among the counts. */
static uint32_t
longest_rows(const SimilarityOptions *options, uint32_t items)
{
	uint32_t most = Max(options->k, items <= SMALL_CATALOGUE ? options->k_most : 0);

	return Max(1, Min(most, items));
}

/*
 * Where the catalogue is small, or has few pairs so that few items have many neighbours, more of
 * them are kept, unless lists are worse for it.
 */
static void
choose_length(Search *search)
{
	uint32_t items = search->basis->input.rows.items;
	SimilarityOptions options = search->best.options;
	Trial longer;

	if (options.k_most <= options.k || items <= options.k ||
		(items > SMALL_CATALOGUE && !is_sparse(search)))
		return;
	options.k = options.k_most;
	longer = try_mixture(search, &options);
	if (longer.mean >= search->best.mean)
		take(search, &longer);
	else
		free_trial(search, &longer);
}

/* How histories are read, and whether their order says anything at all. */
static void
choose_recency(Search *search)
{
	SimilarityOptions *best = &search->best.options;
	SimilarityOptions options = *best;
	Trial recent;

	search->mixed = NeighborsOfRidge(search->basis, &search->solved, best, search->budget);
	best->recency = usual_of(&recencies);
	options.recency = recencies.value[recencies.usual - 1];
	recent = try_mixture(search, &options);
	search->ordered =
		!EvaluationSurelyBetter(search->best.ndcg, recent.ndcg, search->users, ORDER_ERRORS);
	free_trial(search, &recent);
	if (search->ordered)
		choose_value(search, &best->recency, &recencies);
	NeighborsFree(search->mixed, search->budget);
	search->mixed = NULL;
}

/* Ridge with what serves most sets, and from there one option after the other. */
static void
choose_ridge(Search *search, const SimilarityOptions *options, SimilarityKeep keep)
{
	SimilarityOptions *best = &search->best.options;

	*best = *options;
	best->rule.kind = SIMILARITY_RIDGE;
	best->keep = keep;
	best->lambda = usual_of(&lambdas);
	best->damping = usual_of(&dampings);
	best->blend = usual_of(&blends);
	best->indirect = 0;
	solve(search, best->lambda);
	search->best = try_mixture(search, best);

	choose_value(search, &best->damping, &dampings);
	choose_indirect(search);
	if (search->ordered && best->recency == 0)
		choose_recency(search);
	choose_value(search, &best->lambda, &lambdas);
}

/*
 * Solves for all candidates, as the model will have it, and asks of that what few candidates would
 * answer otherwise: how many neighbours are kept, and the share of the counts.
 */
static void
finish_ridge(Search *search)
{
	SimilarityOptions options = search->best.options;

	search->candidates = options.candidates;
	solve(search, options.lambda);
	free_trial(search, &search->best);
	search->best = try_mixture(search, &options);
	choose_length(search);
	choose_value(search, &search->best.options.blend, &blends);
}

/* True where users come back often enough for an order to show. */
static bool
is_ordered(const Interactions *matrix)
{
	const Sparse *by_user = &matrix->by_user;
	uint64_t times = 0;
	uint64_t users = 0;

	for (uint32_t u = 0; matrix->position && u < matrix->learners; u++)
	{
		uint32_t oldest = 0;

		if (by_user->start[u + 1] - by_user->start[u] < 2)
			continue;
		for (uint64_t e = by_user->start[u]; e < by_user->start[u + 1]; e++)
			oldest = Max(oldest, matrix->position[e]);
		times += (uint64_t) oldest + 1;
		users++;
	}
	return users > 0 && times >= LEAST_TIMES * users;
}

/*
 * What follows what, the best of each target or source as it is with the counts; histories are read
 * as fast as it usually is or, unless that is settled, slower.
 */
static Trial
try_next(const Search *search, SimilarityOptions options, SimilarityKeep keep)
{
	Rows learners = InteractionsRows(search->matrix, search->matrix->learners);
	Neighbors *neighbors;
	Trial best;

	options.rule.kind = SIMILARITY_NEXT;
	options.keep = keep;
	neighbors = NeighborsLearn(&learners, &options, search->budget);
	best = measure(search, &options, neighbors);
	if (options.recency == 0)
	{
		Trial slower;
		bool better;

		options.recency = NEXT_SLOWER;
		slower = measure(search, &options, neighbors);
		better = slower.mean > best.mean;
		free_trial(search, better ? &best : &slower);
		if (better)
			best = slower;
	}
	NeighborsFree(neighbors, search->budget);
	return best;
}

/* True where there is memory to look at what follows what. */
static bool
has_room(const Search *search, const SimilarityOptions *options)
{
	uint64_t bytes = search->matrix->learned_cells * NEXT_CELL_BYTES +
					 (uint64_t) search->matrix->items * options->k * 2 * sizeof(Best);

	return bytes <= BudgetLeft(search->budget) / 2;
}

/* Picks from all that is tried; where that is ridge, its weights are solved for all candidates. */
static void
choose(Search *search, const SimilarityOptions *options)
{
	Trial counts = choose_counts(search, options);
	SimilarityKeep keep = counts.options.keep;

	if (RidgeNumbers(search->basis, options->candidates) > MOST_NUMBERS)
		search->best = counts;
	else
	{
		choose_ridge(search, options, counts.options.keep);
		if (surely_better(search, &counts, &search->best))
			take(search, &counts);
		else
			free_trial(search, &counts);
	}
	if (search->best.options.rule.kind == SIMILARITY_RIDGE)
		finish_ridge(search);
	if (search->ordered && has_room(search, options))
	{
		Trial next = try_next(search, *options, keep);

		if (surely_better(search, &next, &search->best))
			take(search, &next);
		else
			free_trial(search, &next);
	}
}

void
AutomaticThin(SimilarityOptions *options)
{
	options->rule.kind = SIMILARITY_COOCCURRENCE;
	options->rule.shrinkage = Max(options->rule.shrinkage, THIN_SHRINKAGE);
	options->keep = SIMILARITY_KEEP_TARGET;
}

Neighbors *
AutomaticLearn(const Interactions *matrix, SimilarityOptions *options, Budget *budget)
{
	CooccurrenceInput input = {.rows = InteractionsRows(matrix, matrix->learners)};
	uint32_t k = longest_rows(options, matrix->items);
	SimilarityRule rule = options->rule;
	RidgeBasis *basis;
	Search search;
	Neighbors *neighbors = NULL;

	input.rule = &rule;
	basis = RidgeOpen(&input, k, Max(options->candidates, k), budget);
	search = (Search){
		.matrix = matrix,
		.basis = basis,
		.budget = budget,
		.users = EvaluationUsers(matrix),
		.ordered = is_ordered(matrix),
		.candidates = TRIAL_CANDIDATES,
	};
	choose(&search, options);
	*options = search.best.options;
	free_trial(&search, &search.best);
	if (options->rule.kind == SIMILARITY_RIDGE)
	{
		neighbors = NeighborsOfRidge(basis, &search.solved, options, budget);
		NeighborsSort(neighbors);
	}
	if (search.solved.slot)
		CooccurrenceFree(&search.solved, budget);
	RidgeClose(basis, budget);
	return neighbors ? neighbors : NeighborsLearn(&input.rows, options, budget);
}
