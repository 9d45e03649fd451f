#include "learn/reranking.h"

#include <math.h>

#include "base/interrupts.h"
#include "math/hash.h"
#include "math/worth.h"

#define DAY 86400.0

/* How people are dealt, in tenths. */
#define TENTHS 10
#define TRAIN  5
#define STOP   2

/* Makes the deal one of its own: who is held out of learning is drawn by the same hashes. */
#define DEAL UINT64_C(0x72616e6b)

/* The part of the budget's limit that lists may take. */
#define LIMIT_PART 4

/* Training: lists to a step, and how far. */
#define BATCH    16
#define RATE     0.01
#define DECAY    0.0001
#define ROUNDS   60
#define PATIENCE 6
#define SEED     1

/* What a list begins with: its score, so that it stays as it is until something better is known. */
#define START 1.0

/* A list that was read. */
typedef struct ReadList
{
	uint64_t begin; /* of its rows */
	uint32_t length;
	uint32_t relevant; /* chosen items, listed or not */
	RerankingPart part;
} ReadList;

typedef struct Run
{
	const RerankingInput *input;
	Reranking *result;
	Budget *budget;
	FeatureItem *about; /* [items] */
	ReadList *list;
	uint32_t lists;
	uint32_t most;
	uint64_t rows;
	float *x; /* [rows][FEATURES] */
	unsigned char *chosen;
	uint32_t missed; /* users of the last part with nothing chosen among the first */
	/* Of the list at hand: */
	Evidence *evidence;
	FeatureItem *item;
	double *value;
	double *slope;
	double *hidden; /* [first][NETWORK_UNITS_MAX] */
	uint32_t *order;
	uint64_t *hit;
} Run;

RerankingPart
RerankingPartOf(uint64_t user)
{
	uint64_t tenth = HashMix(user ^ DEAL) % TENTHS;

	return tenth < TRAIN ? RERANKING_TRAIN : tenth < TRAIN + STOP ? RERANKING_STOP : RERANKING_TEST;
}

/* Days from an age of the log to the newest event of all. */
static double
days_of(const Popularity *popularity, uint32_t age)
{
	return age < popularity->newest_age ? 0 : (age - popularity->newest_age) / DAY;
}

/*
 * How many learners have each item.  Where people are held out they are counted among its users; what
 * they went on to choose must not tell.
 */
static uint32_t *
count_learners(const Interactions *matrix, Budget *budget)
{
	uint32_t *learners = BudgetZeroedResult(budget, Max(matrix->items, 1), sizeof(uint32_t));
	const Sparse *by_user = &matrix->by_user;

	for (uint64_t c = 0; c < by_user->start[matrix->learners]; c++)
	{
		INTERRUPTS_AT(c);
		learners[by_user->column[c]]++;
	}
	return learners;
}

FeatureItem *
RerankingItems(const RerankingInput *input, Budget *budget)
{
	const Interactions *matrix = input->lists.matrix;
	const Popularity *popularity = input->popularity;
	uint32_t *learners = NULL;
	FeatureRates rates = {popularity->popularity_offset, popularity->recent_offset,
						  popularity->trend_prior, input->timed};
	FeatureItem *about = BudgetAllocResult(budget, Max(matrix->items, 1), sizeof(FeatureItem));

	if (matrix->learners < matrix->users)
		learners = count_learners(matrix, budget);
	for (uint32_t i = 0; i < matrix->items; i++)
	{
		const ItemStat *stat = &matrix->stat[i];
		uint32_t users = learners ? learners[i] : stat->users;
		bool rare = users == 0 || (input->min_support > 1 && users < input->min_support);
		/* Those who are left of its users have as much of it each. */
		double longrun = popularity->longrun_log2[i] + log2(users / (double) Max(stat->users, 1));

		about[i] = FeaturesOfItem(&rates, rare ? NAN : longrun, popularity->recent_log2[i],
								  days_of(popularity, stat->oldest_age),
								  days_of(popularity, stat->newest_age));
	}
	BudgetFree(budget, learners);
	return about;
}

/* The features of the first items of a list. */
static void
describe(const EvaluationList *list, uint32_t length, const FeatureItem *about, Evidence *evidence,
		 FeatureItem *item, float *x)
{
	FeatureList features = {.item = list->item,
							.evidence = evidence,
							.about = item,
							.count = length,
							.history = (uint32_t) list->count,
							.level = list->level};

	EvidenceOf(list->scratch, list->entries, list->position, list->count, list->item, length,
			   evidence);
	for (uint32_t n = 0; n < length; n++)
		item[n] = about[list->item[n].item];
	FeaturesOf(&features, x);
}

static bool
wants_list(uint32_t user, void *with)
{
	const Run *run = with;

	return run->lists < run->most;
}

/* Keeps a list with something chosen among its first items: no other says how to put them in order. */
static void
take_list(EvaluationList *list, void *with)
{
	Run *run = with;
	uint32_t length = Min(list->length, run->input->first);
	uint32_t hits = 0;
	RerankingPart part = RerankingPartOf(run->input->lists.matrix->user[list->user]);

	for (uint32_t n = 0; n < length; n++)
		hits += run->chosen[run->rows + n] = list->chosen[list->item[n].item];
	if (hits == 0)
	{
		run->missed += part == RERANKING_TEST;
		return;
	}
	describe(list, length, run->about, run->evidence, run->item, run->x + run->rows * FEATURES);
	run->list[run->lists++] = (ReadList){run->rows, length, list->chosen_count, part};
	run->rows += length;
}

/* Reads the lists, as many as there may be. */
static void
read_lists(Run *run)
{
	const RerankingInput *input = run->input;
	EvaluationInput lists = input->lists;
	EvaluationOrder order = {input->first, wants_list, take_list, run};
	Size row = FEATURES * sizeof(float) + sizeof(unsigned char);
	uint64_t fit = BudgetLimit(run->budget) / LIMIT_PART / (row * input->first);
	Evaluation evaluation;

	run->most = (uint32_t) Min(fit, RERANKING_MOST);
	run->most = Min(run->most, EvaluationUsers(lists.matrix));
	run->list = BudgetAlloc(run->budget, Max(run->most, 1), sizeof(ReadList));
	run->x =
		BudgetAlloc(run->budget, (uint64_t) run->most * input->first + 1, FEATURES * sizeof(float));
	run->chosen = BudgetAlloc(run->budget, ((uint64_t) run->most + 1) * input->first, 1);
	lists.order = &order;
	EvaluationRun(&lists, &evaluation, run->budget);
}

/* Room for what is worked on of one list. */
static void
open_run(Run *run)
{
	uint32_t first = run->input->first;

	run->about = RerankingItems(run->input, run->budget);
	run->evidence = BudgetAlloc(run->budget, first, sizeof(Evidence));
	run->item = BudgetAlloc(run->budget, first, sizeof(FeatureItem));
	run->value = BudgetAlloc(run->budget, first, sizeof(double));
	run->slope = BudgetAlloc(run->budget, first, sizeof(double));
	run->hidden = BudgetAlloc(run->budget, (uint64_t) first * NETWORK_UNITS_MAX, sizeof(double));
	run->order = BudgetAlloc(run->budget, first, sizeof(uint32_t));
	run->hit = BudgetAlloc(run->budget, first, sizeof(uint64_t));
}

static void
close_run(Run *run)
{
	BudgetFree(run->budget, run->about);
	BudgetFree(run->budget, run->evidence);
	BudgetFree(run->budget, run->item);
	BudgetFree(run->budget, run->value);
	BudgetFree(run->budget, run->slope);
	BudgetFree(run->budget, run->hidden);
	BudgetFree(run->budget, run->order);
	BudgetFree(run->budget, run->hit);
	BudgetFree(run->budget, run->list);
	BudgetFree(run->budget, run->x);
	BudgetFree(run->budget, run->chosen);
}

/*
 * Sums every feature over the lists that train, of what is known: as it is, or, where there are means,
 * the squares of how far it lies from them.
 */
static void
sum_features(const Run *run, const double *mean, double *sum, double *known)
{
	memset(sum, 0, sizeof(double) * FEATURES);
	memset(known, 0, sizeof(double) * FEATURES);
	for (uint32_t l = 0; l < run->lists; l++)
	{
		const float *x = run->x + run->list[l].begin * FEATURES;

		INTERRUPTS();
		if (run->list[l].part != RERANKING_TRAIN)
			continue;
		for (uint32_t v = 0; v < run->list[l].length * FEATURES; v++)
		{
			double apart = mean ? x[v] - mean[v % FEATURES] : x[v];

			if (!isfinite(x[v]))
				continue;
			sum[v % FEATURES] += mean ? apart * apart : apart;
			known[v % FEATURES]++;
		}
	}
}

/* Mean and deviation of every feature. */
static void
learn_scale(const Run *run, Reranker *reranker)
{
	double sum[FEATURES];
	double known[FEATURES];

	sum_features(run, NULL, sum, known);
	for (int f = 0; f < FEATURES; f++)
		reranker->mean[f] = known[f] > 0 ? sum[f] / known[f] : 0;
	sum_features(run, reranker->mean, sum, known);
	for (int f = 0; f < FEATURES; f++)
	{
		/* What hardly differs says nothing but how numbers were rounded. */
		reranker->scale[f] = known[f] > 1 ? 1 / sqrt(sum[f] / known[f]) : 0;
		if (!(reranker->scale[f] < 1e6))
			reranker->scale[f] = 0;
	}
}

/* What a list costs; where a gradient is given, adds the list's to it. */
static double
pass_list(Run *run, const Network *network, const ReadList *list, double *gradient)
{
	const float *x = run->x + list->begin * FEATURES;
	double loss;

	for (uint32_t n = 0; n < list->length; n++)
		run->value[n] =
			NetworkValue(network, x + (size_t) n * FEATURES, run->hidden + n * NETWORK_UNITS_MAX);
	loss = NetworkLoss(run->value, run->chosen + list->begin, list->length, run->slope);
	for (uint32_t n = 0; gradient && n < list->length; n++)
		NetworkGradient(network, x + (size_t) n * FEATURES, run->hidden + n * NETWORK_UNITS_MAX,
						run->slope[n], gradient);
	return loss;
}

/* One round over the lists that train. */
static void
train_round(Run *run, Network *network, NetworkAdam *adam)
{
	double gradient[NETWORK_WEIGHTS_MAX] = {0};
	uint32_t in_batch = 0;
	uint32_t left = run->result->lists;

	for (uint32_t l = 0; l < run->lists; l++)
	{
		if (run->list[l].part != RERANKING_TRAIN)
			continue;
		INTERRUPTS();
		pass_list(run, network, &run->list[l], gradient);
		left--;
		if (++in_batch < BATCH && left > 0)
			continue;
		for (uint32_t w = 0; w < NetworkWeights(network); w++)
			gradient[w] /= in_batch;
		NetworkStep(network, adam, gradient, RATE, DECAY);
		memset(gradient, 0, sizeof(gradient));
		in_batch = 0;
	}
}

/* What the lists cost together by which it is told when it is enough. */
static double
stop_loss(Run *run, const Network *network)
{
	double loss = 0;

	for (uint32_t l = 0; l < run->lists; l++)
		if (run->list[l].part == RERANKING_STOP)
		{
			INTERRUPTS();
			loss += pass_list(run, network, &run->list[l], NULL);
		}
	return loss;
}

/* Units of the hidden layer. */
static uint32_t
units_of(const Run *run)
{
	if (run->input->units >= 0)
		return Min((uint32_t) run->input->units, NETWORK_UNITS_MAX);
	return run->result->lists < RERANKING_MANY ? 0 : RERANKING_UNITS;
}

/* Trains, and keeps the weights that were best for others. */
static void
train(Run *run)
{
	Reranking *result = run->result;
	Network network;
	NetworkAdam adam = {0};
	double best;

	learn_scale(run, &result->reranker);
	for (uint32_t l = 0; l < run->lists; l++)
	{
		INTERRUPTS();
		RerankerScale(&result->reranker, run->x + run->list[l].begin * FEATURES,
					  run->list[l].length);
	}
	NetworkInit(&network, FEATURES, units_of(run), SEED);
	network.weight[FEATURE_SCORE] = START;
	result->reranker.network = network;
	best = stop_loss(run, &network);
	for (uint32_t round = 1; round <= ROUNDS && round <= result->rounds + PATIENCE; round++)
	{
		double loss;

		train_round(run, &network, &adam);
		loss = stop_loss(run, &network);
		if (loss < best)
		{
			best = loss;
			result->rounds = round;
			result->reranker.network = network;
		}
	}
}

static void
count_value(EvaluationSum *sum, double value)
{
	sum->users++;
	sum->sum += value;
	sum->squares += value * value;
}

/* Counts what somebody's list is worth as it was, and as it is put in order. */
static void
count_worth(Reranking *result, const double *ndcg, const double *recall)
{
	for (int n = 0; n < 2; n++)
	{
		count_value(&result->ndcg[n], ndcg[n]);
		count_value(&result->recall[n], recall[n]);
	}
	count_value(&result->ndcg[2], ndcg[1] - ndcg[0]);
	count_value(&result->recall[2], recall[1] - recall[0]);
}

/* What a list is worth in the order at hand. */
static WorthList
worth_of(Run *run, const ReadList *list)
{
	uint32_t k = run->input->lists.k;
	WorthList worth = {run->hit, 0, list->relevant, k};

	for (uint32_t n = 0; n < Min(list->length, k); n++)
		if (run->chosen[list->begin + run->order[n]])
			run->hit[worth.hits++] = (uint64_t) n + 1;
	return worth;
}

/* Measures on those who had no part in training; the rest of a list counts as it does at k. */
static void
measure(Run *run)
{
	const Reranker *reranker = &run->result->reranker;
	static const double nothing[2] = {0, 0};

	for (uint32_t l = 0; l < run->lists; l++)
	{
		const ReadList *list = &run->list[l];
		WorthList worth;
		double ndcg[2];
		double recall[2];

		if (list->part != RERANKING_TEST)
			continue;
		INTERRUPTS();
		for (uint32_t n = 0; n < list->length; n++)
			run->order[n] = n;
		worth = worth_of(run, list);
		ndcg[0] = WorthNdcg(&worth);
		recall[0] = WorthRecall(&worth);
		for (uint32_t n = 0; n < list->length; n++)
			run->value[n] =
				NetworkValue(&reranker->network, run->x + (list->begin + n) * FEATURES, NULL);
		RerankerSort(run->value, list->length, run->order);
		worth = worth_of(run, list);
		ndcg[1] = WorthNdcg(&worth);
		recall[1] = WorthRecall(&worth);
		count_worth(run->result, ndcg, recall);
	}
	for (uint32_t u = 0; u < run->missed; u++)
		count_worth(run->result, nothing, nothing);
}

void
RerankingLearn(const RerankingInput *input, Reranking *result, Budget *budget)
{
	Run run = {.input = input, .result = result, .budget = budget};
	uint32_t stop = 0;

	memset(result, 0, sizeof(*result));
	result->reranker.first = input->first;
	open_run(&run);
	read_lists(&run);
	for (uint32_t l = 0; l < run.lists; l++)
	{
		result->lists += run.list[l].part == RERANKING_TRAIN;
		stop += run.list[l].part == RERANKING_STOP;
	}
	result->trained = result->lists >= RERANKING_LEAST && stop > 0;
	if (result->trained)
	{
		train(&run);
		measure(&run);
	}
	close_run(&run);
}

bool
RerankingIsBetter(const Reranking *result)
{
	const EvaluationSum *gain = &result->ndcg[2];

	return result->trained && EvaluationMean(gain) - EvaluationHalfWidth(gain) > 0;
}

static bool
wants_other(uint32_t user, void *with)
{
	const RerankingOrder *order = with;

	return RerankingPartOf(order->matrix->user[user]) == RERANKING_TEST;
}

/* Puts the first items of a list in order. */
static void
put_in_order(EvaluationList *list, void *with)
{
	RerankingOrder *order = with;
	uint32_t length = Min(list->length, order->reranker->first);

	if (length == 0)
		return;
	describe(list, length, order->about, order->evidence, order->item, order->x);
	RerankerOrder(order->reranker, order->x, length, order->value, order->order);
	for (uint32_t n = 0; n < length; n++)
		order->sorted[n] = list->item[order->order[n]];
	memcpy(list->item, order->sorted, sizeof(RankItem) * length);
}

EvaluationOrder
RerankingOrderOpen(const RerankingInput *input, const Reranker *reranker, Budget *budget)
{
	RerankingOrder *order = BudgetAlloc(budget, 1, sizeof(RerankingOrder));
	uint32_t first = reranker->first;

	*order = (RerankingOrder){
		.matrix = input->lists.matrix,
		.reranker = reranker,
		.about = RerankingItems(input, budget),
		.evidence = BudgetAlloc(budget, first, sizeof(Evidence)),
		.item = BudgetAlloc(budget, first, sizeof(FeatureItem)),
		.x = BudgetAlloc(budget, first, sizeof(float) * FEATURES),
		.value = BudgetAlloc(budget, first, sizeof(double)),
		.order = BudgetAlloc(budget, first, sizeof(uint32_t)),
		.sorted = BudgetAlloc(budget, first, sizeof(RankItem)),
	};
	return (EvaluationOrder){first, wants_other, put_in_order, order};
}

void
RerankingOrderClose(EvaluationOrder *opened, Budget *budget)
{
	RerankingOrder *order = opened->with;

	BudgetFree(budget, (void *) order->about);
	BudgetFree(budget, order->evidence);
	BudgetFree(budget, order->item);
	BudgetFree(budget, order->x);
	BudgetFree(budget, order->value);
	BudgetFree(budget, order->order);
	BudgetFree(budget, order->sorted);
	BudgetFree(budget, order);
}
