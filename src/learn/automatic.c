#include "learn/automatic.h"

#include <math.h>

#include "base/progress.h"
#include "learn/evaluation.h"
#include "learn/indirect.h"
#include "learn/next.h"
#include "learn/solving.h"
#include "math/cost.h"

#define TRIAL_CANDIDATES 64 /* of a trial of ridge */
#define TRIAL_K          20 /* of the lists that are compared */

/* Of the work of all trials the lists of those who are asked may take such a share. */
#define LISTS_SHARE 0.5

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

static inline double
usual_of(const Choice *choice)
{
	return choice->value[choice->usual];
}

typedef struct Trial
{
	SimilarityOptions options;
	double *ndcg; /* of every held-out user */
	double mean;
} Trial;

typedef struct Search
{
	const Interactions *matrix;
	const SimilarityOptions *options; /* what was asked for */
	RidgeBasis *basis;                /* NULL once it is closed */
	Solving *solving;
	Budget *budget;
	Allowance *allowance;
	double reserve;       /* of it, for what is asked of all candidates */
	AllowanceUsers asked; /* held-out users, who make lists by every trial */
	bool ordered;         /* times may tell something, as far as is known */
	bool made;            /* the rows are there, as options at hand differ in recency only */
	bool next;            /* what follows what is to be tried, with what is kept of the counts */
	SimilarityKeep keep;
	uint32_t candidates; /* solved for at most */
	Trial best;
	Neighbors *neighbors; /* by what was picked, once that is settled */
	AutomaticAll *all;    /* NULL where the learners are all */
	SimilarityOptions *picked;
} Search;

static void
free_trial(const Search *search, Trial *trial)
{
	BudgetFree(search->budget, trial->ndcg);
	trial->ndcg = NULL;
}

/* Says what came of a trial. */
static void
tell(const Trial *trial)
{
	const SimilarityOptions *options = &trial->options;

	ereport(
		DEBUG1,
		(errmsg_internal(
			"%s, lambda %g, damping %g, blend %g, indirect %g, %u neighbors, keep %d, recency %g: NDCG %.5f",
			options->rule.kind == SIMILARITY_RIDGE  ? "ridge"
			: options->rule.kind == SIMILARITY_NEXT ? "next"
													: "counts",
			options->lambda, options->damping, options->blend, options->indirect, options->k,
			options->keep, SimilarityRecency(options), trial->mean)));
}

/* Measures neighbours on the held-out users. */
static Trial
measure(const Search *search, const SimilarityOptions *options, const Neighbors *neighbors)
{
	Trial trial = {.options = *options,
				   .ndcg = BudgetZeroedResult(search->budget, search->asked.users, sizeof(double))};
	EvaluationInput input = {.matrix = search->matrix,
							 .neighbors = neighbors,
							 .k = TRIAL_K,
							 .users = search->asked.users,
							 .recency = SimilarityRecency(options),
							 .ndcg = trial.ndcg};
	Evaluation result = {0};

	EvaluationRun(&input, &result, search->budget);
	trial.mean = EvaluationMean(&result.of[EVALUATION_NDCG]);
	tell(&trial);
	return trial;
}

/* The same of the rows at hand, by the team. */
static Trial
measure_rows(const Search *search, const SimilarityOptions *options)
{
	uint32_t users = search->asked.users;
	Trial trial = {.options = *options,
				   .ndcg = BudgetAllocResult(search->budget, users, sizeof(double))};
	EvaluationSum sum = {0};

	memcpy(trial.ndcg, SolvingLists(search->solving, SimilarityRecency(options)),
		   sizeof(double) * users);
	for (uint32_t u = 0; u < users; u++)
		EvaluationCount(&sum, trial.ndcg[u]);
	trial.mean = EvaluationMean(&sum);
	tell(&trial);
	return trial;
}

/* The lists of all who are asked. */
static double
lists_work(const Search *search, const SimilarityOptions *options)
{
	return AllowanceLists(&search->asked, search->matrix->items, options->k);
}

static double
counts_entries(const Search *search, const SimilarityOptions *options, SimilarityKeep keep)
{
	const RidgeBasis *basis = search->basis;

	return NeighborsCount(keep == SIMILARITY_KEEP_TARGET ? &basis->to : &basis->from, options->k,
						  basis->input.rows.items);
}

static double
counts_work(const Search *search, const SimilarityOptions *options, SimilarityKeep keep)
{
	return CostRows(counts_entries(search, options, keep), 0) + lists_work(search, options);
}

/* What options take with the weights of so many candidates, which are solved. */
static double
mixture_work(const Search *search, const SimilarityOptions *options, uint32_t candidates)
{
	uint32_t items = search->basis->input.rows.items;
	double entries = NeighborsCount(&search->basis->to, candidates, items);

	if (search->made)
		return lists_work(search, options);
	if (options->blend > 0)
		entries += counts_entries(search, options, options->keep);
	return CostRows(entries, options->indirect > 0 ? IndirectSteps(items, entries) : 0) +
		   lists_work(search, options);
}

static double
solve_work(const Search *search, uint32_t candidates)
{
	return CostSolving(RidgeProducts(search->basis, candidates),
					   (double) RidgeNumbers(search->basis, candidates));
}

static bool
may_try(const Search *search, double work)
{
	return AllowanceTake(search->allowance, work, search->reserve);
}

static Trial
try_counts(const Search *search, SimilarityOptions options, SimilarityKeep keep)
{
	options.rule.kind = SIMILARITY_COOCCURRENCE;
	options.keep = keep;
	SolvingRows(search->solving, &options, false, search->budget);
	return measure_rows(search, &options);
}

/* With the weights that are solved. */
static Trial
try_mixture(const Search *search, const SimilarityOptions *options)
{
	if (!search->made)
		SolvingRows(search->solving, options, false, search->budget);
	return measure_rows(search, options);
}

static void
solve(Search *search, double lambda)
{
	SolvingSolve(search->solving, lambda, Min(search->best.options.candidates, search->candidates),
				 search->budget);
}

/* For the usual lambda and, if there will be work left to try these, for those it is compared with. */
static void
solve_usual(Search *search)
{
	const double lambda[] = {usual_of(&lambdas), lambdas.value[lambdas.usual - 1],
							 lambdas.value[lambdas.usual + 1]};
	const Allowance *allowance = search->allowance;
	double trial = mixture_work(search, &search->best.options, search->candidates) +
				   solve_work(search, search->candidates);
	bool others = allowance->most - allowance->spent - search->reserve > 2 * trial;

	SolvingAhead(search->solving, lambda, others ? lengthof(lambda) : 1,
				 Min(search->best.options.candidates, search->candidates), search->budget);
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
	return EvaluationSurelyBetter(a->ndcg, b->ndcg, search->asked.users, 1);
}

/*
 * Tries the values of one option from the usual one down, then up, as long as the mean rises and there
 * is work left for it.
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
			if (!may_try(search, mixture_work(search, &search->best.options, search->candidates) +
									 (lambda ? solve_work(search, search->candidates) : 0)))
				break;
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
		EvaluationSurelyBetter(found.ndcg, search->best.ndcg, search->asked.users, choice->errors))
		take(search, &found);
	else if (found.ndcg)
		free_trial(search, &found);
}

/* The counts, the best of each target unless those of each source are surely better. */
static Trial
choose_counts(Search *search, const SimilarityOptions *options)
{
	Trial by_target = try_counts(search, *options, SIMILARITY_KEEP_TARGET);
	Trial by_source;
	bool source;

	if (!may_try(search, counts_work(search, options, SIMILARITY_KEEP_SOURCE)))
		return by_target;
	by_source = try_counts(search, *options, SIMILARITY_KEEP_SOURCE);
	source = surely_better(search, &by_source, &by_target);
	free_trial(search, source ? &by_target : &by_source);
	return source ? by_source : by_target;
}

/* True where a large catalogue has far fewer candidates than are asked for. */
static bool
is_sparse(const Search *search, const SimilarityOptions *options)
{
	uint32_t items = search->basis->input.rows.items;
	uint64_t asked = options->candidates;
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

	if (!is_sparse(search, &options) ||
		IndirectBytes(search->basis->input.rows.items) > BudgetLeft(search->budget) / 2)
		return;
	options.indirect = usual_of(&indirects);
	if (!may_try(search, mixture_work(search, &options, search->candidates)))
		return;
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
		(items > SMALL_CATALOGUE && !is_sparse(search, &options)))
		return;
	options.k = options.k_most;
	if (!may_try(search, mixture_work(search, &options, search->candidates)))
		return;
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

	if (!may_try(search, mixture_work(search, best, search->candidates)))
		return;
	SolvingRows(search->solving, best, false, search->budget);
	search->made = true;
	best->recency = usual_of(&recencies);
	options.recency = recencies.value[recencies.usual - 1];
	recent = try_mixture(search, &options);
	search->ordered =
		!EvaluationSurelyBetter(search->best.ndcg, recent.ndcg, search->asked.users, ORDER_ERRORS);
	free_trial(search, &recent);
	if (search->ordered)
		choose_value(search, &best->recency, &recencies);
	search->made = false;
}

/* Ridge with what serves most sets. */
static SimilarityOptions
usual_ridge(const SimilarityOptions *options, SimilarityKeep keep)
{
	SimilarityOptions usual = *options;

	usual.rule.kind = SIMILARITY_RIDGE;
	usual.keep = keep;
	usual.lambda = usual_of(&lambdas);
	usual.damping = usual_of(&dampings);
	usual.blend = usual_of(&blends);
	usual.indirect = 0;
	return usual;
}

/* From there one option after the other. */
static void
choose_ridge(Search *search, const SimilarityOptions *options, SimilarityKeep keep)
{
	SimilarityOptions *best = &search->best.options;

	*best = usual_ridge(options, keep);
	solve_usual(search);
	search->best = try_mixture(search, best);

	choose_indirect(search);
	choose_value(search, &best->damping, &dampings);
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
	search->reserve = 0;
	solve(search, options.lambda);
	if (!may_try(search, mixture_work(search, &options, search->candidates)))
		return;
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

/* What follows what is counted in a window, without a Gram matrix: less than half of a fit's counting. */
static double
next_work(const Search *search, const SimilarityOptions *options)
{
	return search->allowance->counting / 2 + counts_work(search, options, SIMILARITY_KEEP_TARGET) +
		   lists_work(search, options);
}

/*
 * Takes what ridge beside counts is tried for at the least, and reserves what all candidates are asked
 * then: how many neighbours, and whether fewer of the counts, is worth more than any other question.
 * False where there is not so much.
 */
static bool
may_begin(Search *search, const SimilarityOptions *options)
{
	SimilarityOptions usual = usual_ridge(options, SIMILARITY_KEEP_TARGET);
	double least = counts_work(search, options, SIMILARITY_KEEP_TARGET) +
				   solve_work(search, search->candidates) +
				   mixture_work(search, &usual, search->candidates);
	double finish;

	usual.indirect = is_sparse(search, options) ? usual_of(&indirects) : 0;
	finish = mixture_work(search, &usual, usual.candidates);
	usual.k = Max(usual.k, usual.k_most);
	search->reserve = finish + 2 * mixture_work(search, &usual, usual.candidates);
	if (may_try(search, least))
		return true;
	search->reserve = 0;
	return may_try(search, least);
}

/* Picks from all but what follows what; where that is ridge, its weights are solved for all candidates. */
static void
choose(Search *search)
{
	const SimilarityOptions *options = search->options;
	Trial counts = choose_counts(search, options);

	choose_ridge(search, options, counts.options.keep);
	if (surely_better(search, &counts, &search->best))
		take(search, &counts);
	else
		free_trial(search, &counts);
	if (search->best.options.rule.kind == SIMILARITY_RIDGE)
		finish_ridge(search);
	search->keep = counts.options.keep;
	search->next =
		search->ordered && has_room(search, options) && may_try(search, next_work(search, options));
}

/* Picks what follows what, where that is surely better. */
static void
choose_next(Search *search)
{
	Trial next = try_next(search, *search->options, search->keep);

	if (surely_better(search, &next, &search->best))
		take(search, &next);
	else
		free_trial(search, &next);
}

/* The same where systems are too many to be solved: a fit is one of the counts then. */
static void
choose_without(Search *search)
{
	const SimilarityOptions *options = search->options;
	double counting = search->allowance->counting;

	AllowanceNarrow(search->allowance,
					counting +
						CostRows(counts_entries(search, options, SIMILARITY_KEEP_TARGET), 0));
	search->best.options = *options;
	search->best.options.rule.kind = SIMILARITY_COOCCURRENCE;
	search->best.options.keep = SIMILARITY_KEEP_TARGET;
	if (may_try(search, counts_work(search, options, SIMILARITY_KEEP_TARGET)))
		search->best = choose_counts(search, options);
}

void
AutomaticThin(SimilarityOptions *options)
{
	options->rule.kind = SIMILARITY_COOCCURRENCE;
	options->rule.shrinkage = Max(options->rule.shrinkage, THIN_SHRINKAGE);
	options->keep = SIMILARITY_KEEP_TARGET;
}

/* By what was picked of what is counted, if that is settled. */
static void
learn_picked(Search *search)
{
	const SimilarityOptions *options = &search->best.options;

	if (search->next || options->rule.kind != SIMILARITY_RIDGE)
		return;
	SolvingRows(search->solving, options, true, search->budget);
	search->neighbors = SolvingNeighbors(search->solving, search->budget);
}

/* Has the neighbours of the learners taken. */
static void
hand_over(void *with)
{
	Search *search = with;
	Neighbors *neighbors = search->neighbors;

	search->neighbors = NULL;
	search->all->take(neighbors, search->all->with);
	/* What is left to be done is to solve. */
	ProgressEnter(PROGRESS_SOLVE, search->matrix->items);
}

/* By the same from all users, if they were counted along with all that it takes. */
static void
learn_from_all(Search *search)
{
	const SimilarityOptions *options = &search->best.options;
	AutomaticAll *all = search->all;
	Neighbors *neighbors;

	if (search->neighbors == NULL || all == NULL || all->counted == NULL ||
		NeighborsNeedSources(options))
		return;
	*search->picked = *options;
	SolvingOther(search->solving);
	SolvingMeanwhile(search->solving, options->lambda, options->candidates,
					 &(TeamMeanwhile){hand_over, search});
	SolvingRows(search->solving, options, true, search->budget);
	neighbors = SolvingNeighbors(search->solving, search->budget);

	/* By now these have no say in it any more. */
	SolvingRelease(search->solving, search->budget);
	RidgeClose(search->basis, search->budget);
	RidgeClose(all->counted, search->budget);
	search->basis = NULL;
	all->counted = NULL;
	SolvingDismiss(search->solving);
	all->finish(neighbors, all->with);
	all->finished = true;
}

/* All that a team is wanted for. */
static void
lead(void *with)
{
	Search *search = with;

	if (RidgeNumbers(search->basis, search->options->candidates) > MOST_NUMBERS)
		choose_without(search);
	else if (may_begin(search, search->options))
		choose(search);
	else
	{
		search->best.options = usual_ridge(search->options, SIMILARITY_KEEP_TARGET);
		search->candidates = search->options->candidates;
		solve(search, search->best.options.lambda);
	}
	learn_picked(search);
	learn_from_all(search);
}

Neighbors *
AutomaticLearn(const Interactions *matrix, SimilarityOptions *options, Allowance *allowance,
			   AutomaticAll *all, Budget *budget)
{
	CooccurrenceInput input = {.rows = InteractionsRows(matrix, matrix->learners)};
	uint32_t k = longest_rows(options, matrix->items);
	SimilarityOptions wanted = *options;
	RidgeBasis *basis;
	Search search;

	input.rule = &wanted.rule;
	input.rows.scaled = all ? matrix->users : 0;
	basis = all ? RidgeOpenBoth(&input, k, options->candidates, &all->counted, budget)
				: RidgeOpen(&input, k, Max(options->candidates, k), budget);
	search = (Search){
		.matrix = matrix,
		.options = &wanted,
		.basis = basis,
		.budget = budget,
		.allowance = allowance,
		.asked =
			AllowanceAsk(matrix, options->k,
						 LISTS_SHARE * (allowance->most - allowance->spent) / AUTOMATIC_TRIALS),
		.ordered = is_ordered(matrix),
		.candidates = TRIAL_CANDIDATES,
		.all = all,
		.picked = options,
	};
	search.solving = SolvingOpen(&(SolvingInput){.basis = basis,
												 .other = all ? all->counted : NULL,
												 .candidates = options->candidates,
												 .k = Max(options->k, options->k_most),
												 .counts = true,
												 .indirect = is_sparse(&search, options),
												 .matrix = matrix,
												 .users = search.asked.users,
												 .list_k = TRIAL_K},
								 budget);
	SolvingRun(search.solving, lead, &search, budget);
	if (search.next)
	{
		search.next = false;
		choose_next(&search);
		learn_picked(&search);
	}
	*options = search.best.options;
	free_trial(&search, &search.best);
	SolvingClose(search.solving, budget);
	if (options->rule.kind == SIMILARITY_COOCCURRENCE)
		search.neighbors = NeighborsCounted(basis, options, budget);
	if (search.basis)
		RidgeClose(search.basis, budget);
	if (options->rule.kind == SIMILARITY_NEXT)
		search.neighbors = NeighborsLearn(&input.rows, options, budget);
	return search.neighbors;
}
