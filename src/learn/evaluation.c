#include "learn/evaluation.h"

#include <math.h>

#include "base/interrupts.h"
#include "math/rank.h"
#include "math/worth.h"

/* The 97.5 % point of the normal distribution. */
#define NORMAL_975 1.959964

/* What a user chose at the moment at hand, or at another. */
#define AT_MOMENT  EVALUATION_CHOSEN
#define AT_ANOTHER 2

/* All that an evaluation holds, besides its input. */
typedef struct Run
{
	const EvaluationInput *input;
	Evaluation *result;
	uint32_t *users_of; /* [items], learners with it */
	uint32_t users;     /* learners with any */

	/* What ranks: neighbours as the scorer reads them, or items by popularity. */
	uint32_t *item;
	float *similarity;
	RankEntry *entries;
	uint32_t *position;    /* of each, where somebody asks */
	FactorsScorer *scorer; /* where factors rank */
	void *memory;          /* of the next */
	RankScratch scratch;
	uint32_t *popular; /* items that a learner had, most users first */
	uint32_t popular_count;

	/* Of the user at hand. */
	unsigned char *seen;   /* [items], 1 for the history */
	unsigned char *chosen; /* [items], AT_MOMENT, or AT_ANOTHER */
	unsigned char *listed;
	uint32_t chosen_count;                 /* at the moment at hand */
	EvaluationSum own[EVALUATION_METRICS]; /* over the user's moments */
	RankItem *list;
	uint32_t length;
	uint64_t *hit; /* ranks */

	unsigned char *ever; /* [items], 1 for what anybody's list has had */
} Run;

/* True where lists come from scores, and not from popularity. */
static inline bool
has_scores(const Run *run)
{
	return run->input->neighbors || run->input->factors;
}

static void
count_users(Run *run, Budget *budget)
{
	const Interactions *matrix = run->input->matrix;
	Rows rows = InteractionsRows(matrix, matrix->learners);
	RowsWalk walk;
	Row row;

	run->users_of = RowsUsers(&rows, budget);
	walk = RowsOpen(&rows, budget);
	while (RowsNext(&walk, &row))
		run->users += row.count > 0;
	RowsClose(&walk);
	for (uint32_t i = 0; i < matrix->items; i++)
		run->result->items += run->users_of[i] > 0;
}

/*
 * Items by how many learners have them, then by number: a counting sort from the number of users,
 * stable.
 */
static void
order_popular(Run *run, Budget *budget)
{
	const Interactions *matrix = run->input->matrix;
	uint32_t items = matrix->items;
	uint64_t *start = BudgetZeroed(budget, (uint64_t) matrix->learners + 2, sizeof(uint64_t));

	run->popular = BudgetAlloc(budget, items, sizeof(uint32_t));
	for (uint32_t i = 0; i < items; i++)
		start[matrix->learners - run->users_of[i]]++;
	run->popular_count = items - (uint32_t) start[matrix->learners];
	SparseOffsets(start, matrix->learners + 1);
	for (uint32_t i = 0; i < items; i++)
		run->popular[start[matrix->learners - run->users_of[i]]++] = i;
	BudgetFree(budget, start);
}

static void
split_neighbors(Run *run, Budget *budget)
{
	const Neighbors *neighbors = run->input->neighbors;
	uint64_t total = neighbors->start[neighbors->items];

	run->item = BudgetAllocResult(budget, total, sizeof(uint32_t));
	run->similarity = BudgetAllocResult(budget, total, sizeof(float));
	for (uint64_t e = 0; e < total; e++)
	{
		run->item[e] = neighbors->entry[e].index;
		run->similarity[e] = neighbors->entry[e].value;
	}
}

/* Room for what scores, by neighbours or by factors. */
static void
prepare_scorer(Run *run, Budget *budget)
{
	uint32_t items = run->input->matrix->items;

	if (run->input->neighbors)
		split_neighbors(run, budget);
	else
		run->scorer = FactorsScorerOpen(run->input->factors, budget);
	run->entries = BudgetAllocResult(budget, items, sizeof(RankEntry));
	if (run->input->order)
		run->position = BudgetAllocResult(budget, items, sizeof(uint32_t));
	run->memory = BudgetZeroedResult(budget, RankScratchBytes(items), 1);
	RankScratchInit(&run->scratch, run->memory, items);
}

/* How long lists are before they are cut. */
static uint32_t
depth_of(const Run *run)
{
	uint32_t depth = run->input->k;

	if (run->input->order)
		depth = Max(depth, run->input->order->depth);
	return Min(depth, run->input->matrix->items);
}

static void
prepare(Run *run, Budget *budget)
{
	uint32_t items = run->input->matrix->items;
	uint32_t k = Min(run->input->k, items);

	run->seen = BudgetZeroedResult(budget, items, sizeof(unsigned char));
	run->chosen = BudgetZeroedResult(budget, items, sizeof(unsigned char));
	run->listed = BudgetZeroedResult(budget, items, sizeof(unsigned char));
	run->ever = BudgetZeroedResult(budget, items, sizeof(unsigned char));
	run->list = BudgetAllocResult(budget, depth_of(run), sizeof(RankItem));
	run->hit = BudgetAllocResult(budget, k, sizeof(uint64_t));
	count_users(run, budget);
	if (has_scores(run))
		prepare_scorer(run, budget);
	if (!has_scores(run) || run->input->fill)
		order_popular(run, budget);
}

static void
release(Run *run, Budget *budget)
{
	const Interactions *matrix = run->input->matrix;
	Rows rows = InteractionsRows(matrix, matrix->learners);

	RowsFreeUsers(&rows, run->users_of, budget);
	BudgetFree(budget, run->seen);
	BudgetFree(budget, run->chosen);
	BudgetFree(budget, run->listed);
	BudgetFree(budget, run->ever);
	BudgetFree(budget, run->list);
	BudgetFree(budget, run->hit);
	BudgetFree(budget, run->popular);
	if (has_scores(run))
	{
		BudgetFree(budget, run->item);
		BudgetFree(budget, run->similarity);
		if (run->scorer)
			FactorsScorerClose(run->scorer, budget);
		BudgetFree(budget, run->entries);
		BudgetFree(budget, run->position);
		BudgetFree(budget, run->memory);
	}
}

/* Adds the row of an entry's item, where neighbours rank. */
static void
add_row(const Run *run, RankEntry *entry)
{
	const Neighbors *neighbors = run->input->neighbors;
	uint64_t begin = neighbors->start[entry->source];

	entry->count = neighbors->scored[entry->source];
	entry->most = RankMost(run->similarity + begin, entry->count);
	entry->item = run->item + begin;
	entry->similarity = run->similarity + begin;
}

/* Shows a list to who asked for it, and cuts it. */
static void
show_list(Run *run, uint32_t user, size_t count, double level)
{
	const EvaluationOrder *order = run->input->order;
	EvaluationList list = {
		.user = user,
		.item = run->list,
		.length = run->length,
		.chosen = run->chosen,
		.chosen_count = run->chosen_count,
		.entries = run->entries,
		.position = run->position,
		.count = count,
		.level = level,
		.scratch = &run->scratch,
	};

	order->take(&list, order->with);
	run->length = Min(run->length, run->input->k);
}

/* Ranks by what the user had before choosing, at the moment of a chosen item. */
static void
list_by_scores(Run *run, uint32_t user, uint32_t chosen)
{
	const EvaluationServed *served = run->input->served;
	Row row = InteractionsRow(run->input->matrix, user);
	size_t count = 0;
	double level = 1;

	for (uint32_t c = 0; c < row.count; c++)
	{
		RankEntry *entry = &run->entries[count];

		if (!InteractionsHad(run->input->matrix, user, &row, c, run->chosen) ||
			(run->scorer && !run->input->factors->has[row.item[c]]))
			continue;
		*entry = (RankEntry){
			.weight = InteractionsWeight(run->input->matrix, user, &row, c, run->input->recency),
			.source = row.item[c]};
		if (run->scorer == NULL)
			add_row(run, entry);
		if (run->position)
			run->position[count] = InteractionsPosition(run->input->matrix, user, c);
		count++;
	}
	if (run->scorer)
		level = FactorsScore(run->scorer, run->entries, count, &run->scratch);
	else
	{
		RankScore(&run->scratch, run->entries, count, RankNorm(run->entries, count));
		level = RankLevel(run->entries, count);
	}
	if (served)
		served->multiply(&run->scratch, user, chosen, served->with);
	row = InteractionsRow(InteractionsWhole(run->input->matrix), user);
	for (uint32_t c = 0; c < row.count; c++)
		if (run->seen[row.item[c]])
			RankStrike(&run->scratch, row.item[c]);
	run->length = RankTop(&run->scratch, run->list, depth_of(run));
	if (run->input->order)
		show_list(run, user, count, level);
}

/* Adds the most popular items that are not there yet. */
static void
list_by_popularity(Run *run)
{
	uint32_t before = run->length;

	for (uint32_t n = 0; n < before; n++)
		run->listed[run->list[n].item] = 1;
	for (uint32_t n = 0; n < run->popular_count && run->length < run->input->k; n++)
		if (!run->seen[run->popular[n]] && !run->listed[run->popular[n]])
			run->list[run->length++] =
				(RankItem){run->popular[n], (double) run->users_of[run->popular[n]]};
	for (uint32_t n = 0; n < before; n++)
		run->listed[run->list[n].item] = 0;
}

void
EvaluationCount(EvaluationSum *sum, double value)
{
	if (isnan(value))
		return;
	sum->users++;
	sum->sum += value;
	sum->squares += value * value;
}

/* Counts a metric at one moment of the user at hand. */
static void
count_metric(Run *run, EvaluationMetric metric, double value)
{
	EvaluationCount(&run->own[metric], value);
}

/* The metrics of math/worth. */
static void
count_worth(Run *run)
{
	WorthList worth = {run->hit, 0, run->chosen_count, run->input->k};

	for (uint32_t n = 0; n < run->length; n++)
		if (run->chosen[run->list[n].item] == AT_MOMENT)
			run->hit[worth.hits++] = (uint64_t) n + 1;
	count_metric(run, EVALUATION_RECALL, WorthRecall(&worth));
	count_metric(run, EVALUATION_PRECISION, WorthPrecision(&worth));
	count_metric(run, EVALUATION_NDCG, WorthNdcg(&worth));
	count_metric(run, EVALUATION_AVERAGE_PRECISION, WorthAveragePrecision(&worth));
	count_metric(run, EVALUATION_RECIPROCAL_RANK, WorthReciprocalRank(&worth));
	count_metric(run, EVALUATION_HIT, WorthHit(&worth));
	count_metric(run, EVALUATION_COVERED, run->length > 0);
	count_metric(run, EVALUATION_SHORT, run->length < run->input->k);
}

/* The mean number of users of the items of a history. */
static double
history_popularity(const Run *run, uint32_t user)
{
	Row row = InteractionsRow(run->input->matrix, user);
	double sum = 0;
	uint64_t count = 0;

	for (uint32_t c = 0; c < row.count; c++)
		if (InteractionsHad(run->input->matrix, user, &row, c, run->chosen))
		{
			sum += (double) run->users_of[row.item[c]];
			count++;
		}
	return count > 0 ? sum / (double) count : 0;
}

/* How usual a list is. */
static void
count_popularity(Run *run, uint32_t user)
{
	double before = history_popularity(run, user);
	double bits = 0;
	double sum = 0;

	if (run->length == 0)
		return;
	for (uint32_t n = 0; n < run->length; n++)
	{
		double users = (double) Max(run->users_of[run->list[n].item], 1);

		sum += users;
		bits += log2(run->users / users);
	}
	count_metric(run, EVALUATION_NOVELTY, bits / run->length);
	count_metric(run, EVALUATION_POPULARITY_BIAS, before > 0 ? sum / run->length / before : NAN);
}

/* How different the items of a list are; also notes them as listed once. */
static void
count_diversity(Run *run)
{
	const Neighbors *similar = run->input->similar;
	double sum = 0;

	for (uint32_t n = 0; n < run->length; n++)
	{
		run->listed[run->list[n].item] = 1;
		run->result->items_listed += !run->ever[run->list[n].item];
		run->ever[run->list[n].item] = 1;
	}
	for (uint32_t n = 0; similar && n < run->length; n++)
	{
		uint32_t item = run->list[n].item;

		for (uint64_t e = similar->start[item]; e < similar->start[item] + similar->scored[item];
			 e++)
			if (run->listed[similar->entry[e].index])
				sum += similar->entry[e].value;
	}
	for (uint32_t n = 0; n < run->length; n++)
		run->listed[run->list[n].item] = 0;
	if (similar && run->length > 1)
		count_metric(run, EVALUATION_DIVERSITY,
					 1 - sum / ((double) run->length * (run->length - 1)));
}

/* True where an item of the history, by its cell in the row, is not to be listed. */
static bool
may_not_come(const EvaluationInput *input, uint32_t user, uint32_t cell)
{
	return !input->repeats ||
		   (input->kept_out &&
			input->kept_out[InteractionsWhole(input->matrix)->by_user.start[user] + cell]);
}

/* How much there is of a user to rank by. */
static uint32_t
history_length(const Run *run, uint32_t user)
{
	const Interactions *matrix = run->input->matrix;
	Row row = InteractionsRow(matrix, user);
	uint32_t length = 0;

	for (uint32_t c = 0; c < row.count; c++)
		length += InteractionsHad(matrix, user, &row, c, run->chosen);
	return length;
}

/* Marks a user's chosen items and what the user had before, or takes the marks away. */
static void
mark(Run *run, const Chosen *chosen, uint32_t count, bool as)
{
	const Interactions *whole = InteractionsWhole(run->input->matrix);
	uint32_t user = chosen->user;
	Row row = InteractionsRow(whole, user);

	if (as)
		for (uint32_t c = 0; c < count; c++)
			run->chosen[chosen[c].item] = AT_ANOTHER;
	for (uint32_t c = 0; c < row.count; c++)
		if (InteractionsHad(whole, user, &row, c, run->chosen))
			run->seen[row.item[c]] = as && may_not_come(run->input, user, c);
	if (!as)
		for (uint32_t c = 0; c < count; c++)
			run->chosen[chosen[c].item] = 0;
}

/* The item that was chosen next at the same moment, of a user whose chosen items end somewhere. */
static uint32_t
next_of(const Run *run, uint32_t chosen, uint32_t end)
{
	const EvaluationMoments *moments = run->input->moments;

	if (moments)
		return moments->next[chosen];
	return chosen + 1 < end ? chosen + 1 : EVALUATION_LAST;
}

/* Marks what was chosen at the moment that begins with an item, or has it be of another moment again. */
static void
mark_moment(Run *run, uint32_t first, uint32_t end, unsigned char as)
{
	run->chosen_count = 0;
	for (uint32_t c = first; c != EVALUATION_LAST; c = next_of(run, c, end))
	{
		run->chosen[run->input->matrix->chosen[c].item] = as;
		run->chosen_count++;
	}
}

/* The share of the items chosen at one moment that anybody could have been led to. */
static double
reachable(const Run *run, uint32_t first, uint32_t end)
{
	const Chosen *chosen = run->input->matrix->chosen;
	uint32_t known = 0;

	for (uint32_t c = first; c != EVALUATION_LAST; c = next_of(run, c, end))
		known += run->users_of[chosen[c].item] > 0;
	return known / (double) run->chosen_count;
}

/* Makes the list of the user at hand, as it is at the moment of a chosen item. */
static void
make_list(Run *run, uint32_t user, uint32_t chosen)
{
	run->length = 0;
	if (has_scores(run))
		list_by_scores(run, user, chosen);
	if (!has_scores(run) || run->input->fill)
		list_by_popularity(run);
}

/* One moment of a user: a list, the same as before unless it goes by moments, and what it is worth. */
static void
evaluate_moment(Run *run, uint32_t user, uint32_t first, uint32_t end, bool same)
{
	INTERRUPTS();
	mark_moment(run, first, end, AT_MOMENT);
	if (!same)
		make_list(run, user, first);
	count_worth(run);
	count_metric(run, EVALUATION_REACHABLE, reachable(run, first, end));
	count_popularity(run, user);
	count_diversity(run);
	mark_moment(run, first, end, AT_ANOTHER);
}

/* Counts a user with the means over the moments.  Returns that of NDCG. */
static double
count_user(Run *run)
{
	for (int m = 0; m < EVALUATION_METRICS; m++)
		EvaluationCount(&run->result->of[m], EvaluationMean(&run->own[m]));
	return EvaluationMean(&run->own[EVALUATION_NDCG]);
}

/* One user, with the chosen items from one to another.  Returns the NDCG, NaN for a newcomer. */
static double
evaluate_user(Run *run, uint32_t begin, uint32_t end)
{
	const Chosen *chosen = run->input->matrix->chosen + begin;
	const EvaluationMoments *moments = run->input->moments;
	double ndcg = NAN;

	memset(run->own, 0, sizeof(run->own));
	mark(run, chosen, end - begin, true);
	if (!run->input->fill && history_length(run, chosen->user) == 0)
		run->result->newcomers++;
	else
	{
		for (uint32_t c = begin; c < (moments ? end : begin + 1); c++)
			if (moments == NULL || moments->first[c])
				evaluate_moment(run, chosen->user, c, end, c > begin && !run->input->served);
		ndcg = count_user(run);
	}
	mark(run, chosen, end - begin, false);
	return ndcg;
}

void
EvaluationRun(const EvaluationInput *input, Evaluation *result, Budget *budget)
{
	const Interactions *matrix = input->matrix;
	const EvaluationOrder *order = input->order;
	Run run = {.input = input, .result = result};
	uint32_t users = 0;
	uint32_t asked = 0; /* with those left out */

	memset(result, 0, sizeof(*result));
	prepare(&run, budget);
	for (uint32_t c = 0, end;
		 c < matrix->chosen_count && (input->users == 0 || users < input->users); c = end)
	{
		double ndcg;

		INTERRUPTS();
		end = InteractionsChosenEnd(matrix, c);
		asked++;
		if (order && !order->wants(matrix->chosen[c].user, order->with))
			continue;
		ndcg = evaluate_user(&run, c, end);
		if (input->ndcg)
			input->ndcg[asked - 1] = ndcg;
		users++;
	}
	release(&run, budget);
}

uint32_t
EvaluationUsers(const Interactions *matrix)
{
	uint32_t users = 0;

	for (uint32_t c = 0; c < matrix->chosen_count; c = InteractionsChosenEnd(matrix, c))
		users++;
	return users;
}

bool
EvaluationSurelyBetter(const double *a, const double *b, uint32_t users, double errors)
{
	double n = users;
	double sum = 0;
	double squares = 0;

	for (uint32_t u = 0; u < users; u++)
	{
		double gain = a[u] - b[u];

		sum += gain;
		squares += gain * gain;
	}
	return n > 1 && sum > 0 &&
		   sum * sum > errors * errors * (squares - sum * sum / n) * n / (n - 1);
}

double
EvaluationMean(const EvaluationSum *sum)
{
	return sum->users > 0 ? sum->sum / (double) sum->users : NAN;
}

double
EvaluationHalfWidth(const EvaluationSum *sum)
{
	double n = (double) sum->users;

	if (sum->users < 2)
		return NAN;
	return NORMAL_975 * sqrt(fmax(sum->squares - sum->sum * sum->sum / n, 0) / (n - 1) / n);
}
