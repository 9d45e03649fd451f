#include "learn/reranking.h"

#include <math.h>

#include "base/interrupts.h"
#include "math/worth.h"

/* Training: lists to a step, and how far. */
#define BATCH    16
#define RATE     0.01
#define DECAY    0.0001
#define ROUNDS   60
#define PATIENCE 6
#define SEED     1

/* What a list begins with: its score, so that it stays as it is until something better is known. */
#define START 1.0

typedef struct RerankingRun
{
	const RerankingInput *input;
	Reranking *result;
	Budget *budget;
	Lessons lessons;
	Network glance; /* c, of the one input log2(place) */
	/* Of the list at hand: */
	double *value;
	double *slope;
	double *hidden; /* [first][NETWORK_UNITS_MAX] */
	uint32_t *order;
	uint64_t *hit;
	WorthGain *gain; /* of lists that were shown */
} RerankingRun;

typedef RerankingRun Run;

/* Room for what is worked on of one list. */
static void
open_run(Run *run)
{
	uint32_t first = run->input->lessons.first;

	run->value = BudgetAlloc(run->budget, first, sizeof(double));
	run->slope = BudgetAlloc(run->budget, first, sizeof(double));
	run->hidden = BudgetAlloc(run->budget, (uint64_t) first * NETWORK_UNITS_MAX, sizeof(double));
	run->order = BudgetAlloc(run->budget, first, sizeof(uint32_t));
	run->hit = BudgetAlloc(run->budget, first, sizeof(uint64_t));
}

static void
close_run(Run *run)
{
	BudgetFree(run->budget, run->value);
	BudgetFree(run->budget, run->slope);
	BudgetFree(run->budget, run->hidden);
	BudgetFree(run->budget, run->order);
	BudgetFree(run->budget, run->hit);
	BudgetFree(run->budget, run->gain);
	LessonsClose(&run->lessons, run->budget);
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
	for (uint32_t l = 0; l < run->lessons.lists; l++)
	{
		const float *x = run->lessons.x + run->lessons.list[l].begin * FEATURES;

		INTERRUPTS();
		if (run->lessons.list[l].part != LESSON_TRAIN)
			continue;
		for (uint32_t v = 0; v < run->lessons.list[l].length * FEATURES; v++)
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
	if (run->lessons.place)
		reranker->scale[FEATURE_PLACE] = 0;
}

/* What is added to a value for the place that its item was shown at, as an input. */
static float
glance_of(const Run *run, uint64_t row)
{
	return (float) log2(run->lessons.place[row]);
}

/* What a list costs; where a gradient is given, adds the list's to it. */
static double
pass_list(Run *run, const Network *network, const Lesson *list, double *gradient)
{
	const float *x = run->lessons.x + list->begin * FEATURES;
	double loss;

	for (uint32_t n = 0; n < list->length; n++)
	{
		run->value[n] =
			NetworkValue(network, x + (size_t) n * FEATURES, run->hidden + n * NETWORK_UNITS_MAX);
		if (run->lessons.place)
			run->value[n] += run->glance.weight[0] * glance_of(run, list->begin + n);
	}
	loss = NetworkLoss(run->value, run->lessons.chosen + list->begin, list->length, run->slope);
	for (uint32_t n = 0; gradient && n < list->length; n++)
		NetworkGradient(network, x + (size_t) n * FEATURES, run->hidden + n * NETWORK_UNITS_MAX,
						run->slope[n], gradient);
	return loss;
}

/* Adds what the list at hand says of c to its gradient. */
static void
pass_places(Run *run, const Lesson *list, double *gradient)
{
	for (uint32_t n = 0; run->lessons.place && n < list->length; n++)
	{
		float glance = glance_of(run, list->begin + n);

		NetworkGradient(&run->glance, &glance, NULL, run->slope[n], gradient);
	}
}

/* One step down the gradient of a batch, which is cleared. */
static void
take_step(Network *network, NetworkAdam *adam, double *gradient, uint32_t lists)
{
	uint32_t weights = NetworkWeights(network);

	for (uint32_t w = 0; w < weights; w++)
		gradient[w] /= lists;
	NetworkStep(network, adam, gradient, RATE, DECAY);
	memset(gradient, 0, sizeof(double) * weights);
}

/* One round over the lists that train. */
static void
train_round(Run *run, Network *network, NetworkAdam *adam, NetworkAdam *of_places)
{
	double gradient[NETWORK_WEIGHTS_MAX] = {0};
	double by_place[1] = {0};
	uint32_t in_batch = 0;
	uint32_t left = run->result->lists;

	for (uint32_t l = 0; l < run->lessons.lists; l++)
	{
		if (run->lessons.list[l].part != LESSON_TRAIN)
			continue;
		INTERRUPTS();
		pass_list(run, network, &run->lessons.list[l], gradient);
		pass_places(run, &run->lessons.list[l], by_place);
		left--;
		if (++in_batch < BATCH && left > 0)
			continue;
		take_step(network, adam, gradient, in_batch);
		if (run->lessons.place)
			take_step(&run->glance, of_places, by_place, in_batch);
		in_batch = 0;
	}
}

/* What the lists cost together by which it is told when it is enough. */
static double
stop_loss(Run *run, const Network *network)
{
	double loss = 0;

	for (uint32_t l = 0; l < run->lessons.lists; l++)
		if (run->lessons.list[l].part == LESSON_STOP)
		{
			INTERRUPTS();
			loss += pass_list(run, network, &run->lessons.list[l], NULL);
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
	NetworkAdam of_places = {0};
	double best;

	learn_scale(run, &result->reranker);
	for (uint32_t l = 0; l < run->lessons.lists; l++)
	{
		INTERRUPTS();
		RerankerScale(&result->reranker, run->lessons.x + run->lessons.list[l].begin * FEATURES,
					  run->lessons.list[l].length);
	}
	NetworkInit(&network, FEATURES, units_of(run), SEED);
	network.weight[FEATURE_SCORE] = START;
	result->reranker.network = network;
	NetworkInit(&run->glance, 1, 0, SEED);
	best = stop_loss(run, &network);
	for (uint32_t round = 1; round <= ROUNDS && round <= result->rounds + PATIENCE; round++)
	{
		double loss;

		train_round(run, &network, &adam, &of_places);
		loss = stop_loss(run, &network);
		if (loss < best)
		{
			best = loss;
			result->rounds = round;
			result->reranker.network = network;
			result->reranker.glance = run->glance.weight[0];
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

/* What a list is worth: as scored, and as it is put in order. */
typedef struct Worth
{
	uint64_t user;
	double ndcg[2];
	double recall[2];
	double weighed_ndcg[2];
	double weighed_recall[2];
} Worth;

static void
count_pair(EvaluationSum *sums, const double *values)
{
	count_value(&sums[0], values[0]);
	count_value(&sums[1], values[1]);
	count_value(&sums[2], values[1] - values[0]);
}

/* Counts what somebody's list is worth. */
static void
count_worth(Reranking *result, const Worth *worth)
{
	count_pair(result->ndcg, worth->ndcg);
	count_pair(result->recall, worth->recall);
	count_pair(result->weighed_ndcg, worth->weighed_ndcg);
	count_pair(result->weighed_recall, worth->weighed_recall);
}

/* What a list is worth in the order at hand. */
static WorthList
worth_of(Run *run, const Lesson *list)
{
	uint32_t k = run->input->lessons.lists.k;
	WorthList worth = {run->hit, 0, list->relevant, k};

	for (uint32_t n = 0; n < Min(list->length, k); n++)
		if (run->lessons.chosen[list->begin + run->order[n]])
			run->hit[worth.hits++] = (uint64_t) n + 1;
	return worth;
}

/* What a choice counts as, by the place that it was shown at. */
static double
weight_of(const Run *run, uint64_t row)
{
	double eta = fmax(-run->result->reranker.glance / M_LN2, 0);

	return fmin(pow(run->lessons.place[row], eta), RERANKING_WEIGHT);
}

static int
most_first(const void *a, const void *b)
{
	double x = ((const WorthGain *) a)->gain;
	double y = ((const WorthGain *) b)->gain;

	return x > y ? -1 : x < y;
}

/* The same with choices weighed by the places that they were shown at. */
static void
weigh_worth(Run *run, const Lesson *list, double *ndcg, double *recall)
{
	uint32_t k = run->input->lessons.lists.k;
	uint32_t count = 0;
	double all = 0;
	double found = 0;
	double gained;

	for (uint32_t n = 0; n < list->length; n++)
	{
		uint64_t row = list->begin + run->order[n];
		double weight;

		if (!run->lessons.chosen[row])
			continue;
		weight = weight_of(run, row);
		all += weight;
		found += n < k ? weight : 0;
		run->gain[count++] = (WorthGain){(uint64_t) n + 1, weight};
	}
	*recall = found / all;
	gained = WorthGained(run->gain, count, k);
	qsort(run->gain, count, sizeof(WorthGain), most_first);
	*ndcg = gained / WorthIdeal(run->gain, count, k);
}

/* Measures the order at hand: as scored, or as it is put. */
static void
measure_order(Run *run, const Lesson *list, int order, Worth *worth)
{
	WorthList plain = worth_of(run, list);

	worth->ndcg[order] = WorthNdcg(&plain);
	worth->recall[order] = WorthRecall(&plain);
	if (run->lessons.place)
		weigh_worth(run, list, &worth->weighed_ndcg[order], &worth->weighed_recall[order]);
}

/* Measures one list. */
static Worth
measure_list(Run *run, const Lesson *list)
{
	const Reranker *reranker = &run->result->reranker;
	Worth worth = {.user = list->user};

	for (uint32_t n = 0; n < list->length; n++)
		run->order[n] = n;
	measure_order(run, list, 0, &worth);
	for (uint32_t n = 0; n < list->length; n++)
		run->value[n] =
			NetworkValue(&reranker->network, run->lessons.x + (list->begin + n) * FEATURES, NULL);
	RerankerSort(run->value, list->length, run->order);
	measure_order(run, list, 1, &worth);
	return worth;
}

/* Measures on those who had no part in training; the rest of a list counts as it does at k. */
static void
measure(Run *run)
{
	static const Worth nothing;

	for (uint32_t l = 0; l < run->lessons.lists; l++)
		if (run->lessons.list[l].part == LESSON_TEST)
		{
			Worth worth;

			INTERRUPTS();
			worth = measure_list(run, &run->lessons.list[l]);
			count_worth(run->result, &worth);
		}
	for (uint32_t u = 0; u < run->lessons.missed; u++)
		count_worth(run->result, &nothing);
}

static int
by_user(const void *a, const void *b)
{
	const Worth *x = a;
	const Worth *y = b;

	return x->user < y->user ? -1 : x->user > y->user;
}

/* Adds what one list is worth to what others are, or with a part of 1 / n makes a mean of it. */
static void
add_worth(Worth *sum, const Worth *worth, double part)
{
	for (int n = 0; n < 2; n++)
	{
		sum->ndcg[n] = (sum->ndcg[n] + worth->ndcg[n]) * part;
		sum->recall[n] = (sum->recall[n] + worth->recall[n]) * part;
		sum->weighed_ndcg[n] = (sum->weighed_ndcg[n] + worth->weighed_ndcg[n]) * part;
		sum->weighed_recall[n] = (sum->weighed_recall[n] + worth->weighed_recall[n]) * part;
	}
}

/* The same where people have several lists, each person's as one: the next list of one says little more. */
static void
measure_people(Run *run)
{
	static const Worth nothing;
	Worth *worth = BudgetAlloc(run->budget, Max(run->lessons.lists, 1), sizeof(Worth));
	uint32_t count = 0;

	for (uint32_t l = 0; l < run->lessons.lists; l++)
		if (run->lessons.list[l].part == LESSON_TEST)
		{
			INTERRUPTS();
			worth[count++] = measure_list(run, &run->lessons.list[l]);
		}
	qsort(worth, count, sizeof(Worth), by_user);
	for (uint32_t begin = 0, end; begin < count; begin = end)
	{
		Worth mean = nothing;

		for (end = begin; end < count && worth[end].user == worth[begin].user; end++)
			add_worth(&mean, &worth[end], 1);
		add_worth(&mean, &nothing, 1.0 / (end - begin));
		count_worth(run->result, &mean);
	}
	BudgetFree(run->budget, worth);
}

/* Begins a run, with nothing known. */
static void
begin_run(Run *run, const RerankingInput *input, Reranking *result, Budget *budget)
{
	*run = (Run){.input = input, .result = result, .budget = budget};
	memset(result, 0, sizeof(*result));
	result->reranker.first = input->lessons.first;
	open_run(run);
}

/* Trains on the lists that were read, if there are enough, measures, and ends the run. */
static void
finish_run(Run *run)
{
	Reranking *result = run->result;
	uint32_t stop = 0;

	for (uint32_t l = 0; l < run->lessons.lists; l++)
	{
		result->lists += run->lessons.list[l].part == LESSON_TRAIN;
		stop += run->lessons.list[l].part == LESSON_STOP;
	}
	result->trained = result->lists >= RERANKING_LEAST && stop > 0;
	if (result->trained)
	{
		train(run);
		if (run->lessons.place || run->input->lessons.lists.moments)
			measure_people(run);
		else
			measure(run);
	}
	close_run(run);
}

void
RerankingLearn(const RerankingInput *input, Reranking *result, Budget *budget)
{
	Run run;

	begin_run(&run, input, result, budget);
	LessonsRead(&input->lessons, &run.lessons, budget);
	finish_run(&run);
}

RerankingRun *
RerankingOpen(const RerankingInput *input, Reranking *result, Budget *budget)
{
	Run *run = BudgetAlloc(budget, 1, sizeof(Run));

	begin_run(run, input, result, budget);
	result->shown = true;
	LessonsOpen(&input->lessons, &run->lessons, budget);
	run->gain = BudgetAlloc(budget, input->lessons.first, sizeof(WorthGain));
	return run;
}

bool
RerankingAdd(RerankingRun *run, const LessonShown *list)
{
	return LessonsAdd(&run->lessons, list);
}

void
RerankingFinish(RerankingRun *run)
{
	Budget *budget = run->budget;

	finish_run(run);
	BudgetFree(budget, run);
}

/* True where a gain is above 0 beyond its interval. */
static bool
is_above_nothing(const EvaluationSum *sums)
{
	return EvaluationMean(&sums[2]) - EvaluationHalfWidth(&sums[2]) > 0;
}

bool
RerankingIsBetter(const Reranking *result)
{
	return result->trained && is_above_nothing(result->ndcg) &&
		   (!result->shown || is_above_nothing(result->weighed_ndcg));
}

static bool
wants_other(uint32_t user, void *with)
{
	const RerankingOrder *order = with;

	return LessonsPartOf(order->matrix->user[user]) == LESSON_TEST;
}

/* Puts the first items of a list in order. */
static void
put_in_order(EvaluationList *list, void *with)
{
	RerankingOrder *order = with;
	uint32_t length = Min(list->length, order->reranker->first);

	if (length == 0)
		return;
	LessonsDescribe(&order->scratch, list, length, NULL, order->x);
	RerankerOrder(order->reranker, order->x, length, order->value, order->order);
	for (uint32_t n = 0; n < length; n++)
		order->sorted[n] = list->item[order->order[n]];
	memcpy(list->item, order->sorted, sizeof(RankItem) * length);
}

EvaluationOrder
RerankingOrderOpen(const LessonsInput *input, const Reranker *reranker, Budget *budget)
{
	RerankingOrder *order = BudgetAlloc(budget, 1, sizeof(RerankingOrder));
	uint32_t first = reranker->first;

	*order = (RerankingOrder){
		.matrix = input->lists.matrix,
		.reranker = reranker,
		.scratch = LessonsScratch(input, first, budget),
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

	LessonsScratchFree(&order->scratch, budget);
	BudgetFree(budget, order->x);
	BudgetFree(budget, order->value);
	BudgetFree(budget, order->order);
	BudgetFree(budget, order->sorted);
	BudgetFree(budget, order);
}
