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
	uint64_t user;
	uint64_t begin; /* of its rows */
	uint32_t length;
	uint32_t relevant; /* chosen items, listed or not */
	RerankingPart part;
} ReadList;

typedef struct RerankingRun
{
	const RerankingInput *input;
	Reranking *result;
	Budget *budget;
	FeatureItem *about; /* [items] */
	ReadList *list;
	uint32_t lists;
	uint32_t full; /* of these, those with rows: at most */
	uint32_t most;
	uint64_t rows;
	float *x; /* [rows][FEATURES] */
	unsigned char *chosen;
	uint32_t *place; /* [rows], where they were shown; NULL for lists that nobody saw */
	Network glance;  /* c, of the one input log2(place) */
	uint32_t missed; /* users of the last part with nothing chosen among the first */
	/* Of the list at hand: */
	Evidence *evidence;
	FeatureItem *item;
	double *lift;
	double *value;
	double *slope;
	double *hidden; /* [first][NETWORK_UNITS_MAX] */
	uint32_t *order;
	uint64_t *hit;
	WorthGain *gain; /* of lists that were shown */
} RerankingRun;

typedef RerankingRun Run;

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
describe(const EvaluationList *list, uint32_t length, const FeatureItem *about, const double *lift,
		 Evidence *evidence, FeatureItem *item, float *x)
{
	FeatureList features = {.item = list->item,
							.evidence = evidence,
							.about = item,
							.lift = lift,
							.count = length,
							.history = (uint32_t) list->count,
							.level = list->level};

	EvidenceOf(list->scratch, list->entries, list->position, list->count, list->item, length,
			   evidence);
	for (uint32_t n = 0; n < length; n++)
		item[n] = about[list->item[n].item];
	FeaturesOf(&features, x);
}

/* The lifts of the first items of a list at the moment it is made for; NULL for none. */
static const double *
lifts_of(const Run *run, const RankItem *item, uint32_t length)
{
	const EvaluationServed *served = run->input->lists.served;

	if (served == NULL || served->lift == NULL)
		return NULL;
	for (uint32_t n = 0; n < length; n++)
		run->lift[n] = served->lift(item[n].item, served->with);
	return run->lift;
}

static bool
wants_list(uint32_t user, void *with)
{
	const Run *run = with;

	return run->full < run->most;
}

/* Keeps a list with something chosen among its first items: no other says how to put them in order. */
static void
take_list(EvaluationList *list, void *with)
{
	Run *run = with;
	uint32_t length = Min(list->length, run->input->first);
	uint32_t hits = 0;
	uint64_t user = run->input->lists.matrix->user[list->user];
	RerankingPart part = RerankingPartOf(user);

	/* A user has several where they go by moments. */
	if (run->full == run->most)
		return;
	for (uint32_t n = 0; n < length; n++)
		hits += run->chosen[run->rows + n] = list->chosen[list->item[n].item] == EVALUATION_CHOSEN;
	if (hits == 0)
	{
		if (part == RERANKING_TEST && run->input->lists.moments == NULL)
			run->missed++;
		else if (part == RERANKING_TEST)
			run->list[run->lists++] =
				(ReadList){user, run->rows, 0, list->chosen_count, RERANKING_TEST};
		return;
	}
	describe(list, length, run->about, lifts_of(run, list->item, length), run->evidence, run->item,
			 run->x + run->rows * FEATURES);
	run->list[run->lists++] = (ReadList){user, run->rows, length, list->chosen_count, part};
	run->full++;
	run->rows += length;
}

/* Room for as many lists as are wanted, or as there may be. */
static void
make_room(Run *run, uint32_t wanted)
{
	uint32_t first = run->input->first;
	Size row = FEATURES * sizeof(float) + sizeof(unsigned char) + sizeof(uint32_t);
	uint64_t fit = BudgetLimit(run->budget) / LIMIT_PART / (row * first);

	run->most = (uint32_t) Min(fit, RERANKING_MOST);
	run->most = Min(run->most, wanted);
	run->list = BudgetAlloc(run->budget, Max(run->input->lists.moments ? wanted : run->most, 1),
							sizeof(ReadList));
	run->x = BudgetAlloc(run->budget, (uint64_t) run->most * first + 1, FEATURES * sizeof(float));
	run->chosen = BudgetAlloc(run->budget, ((uint64_t) run->most + 1) * first, 1);
}

/* Reads the lists, as many as there may be. */
static void
read_lists(Run *run)
{
	EvaluationInput lists = run->input->lists;
	EvaluationOrder order = {run->input->first, wants_list, take_list, run};
	Evaluation evaluation;

	make_room(run, lists.moments ? lists.matrix->chosen_count : EvaluationUsers(lists.matrix));
	lists.order = &order;
	EvaluationRun(&lists, &evaluation, run->budget);
}

/* Room for what is worked on of one list. */
static void
open_run(Run *run)
{
	uint32_t first = run->input->first;

	run->value = BudgetAlloc(run->budget, first, sizeof(double));
	run->slope = BudgetAlloc(run->budget, first, sizeof(double));
	run->hidden = BudgetAlloc(run->budget, (uint64_t) first * NETWORK_UNITS_MAX, sizeof(double));
	run->order = BudgetAlloc(run->budget, first, sizeof(uint32_t));
	run->hit = BudgetAlloc(run->budget, first, sizeof(uint64_t));
}

/* The same for what tells of the items of lists that are made. */
static void
open_items(Run *run)
{
	uint32_t first = run->input->first;

	run->about = RerankingItems(run->input, run->budget);
	run->evidence = BudgetAlloc(run->budget, first, sizeof(Evidence));
	run->item = BudgetAlloc(run->budget, first, sizeof(FeatureItem));
	run->lift = BudgetAlloc(run->budget, first, sizeof(double));
}

static void
close_run(Run *run)
{
	BudgetFree(run->budget, run->about);
	BudgetFree(run->budget, run->evidence);
	BudgetFree(run->budget, run->item);
	BudgetFree(run->budget, run->lift);
	BudgetFree(run->budget, run->value);
	BudgetFree(run->budget, run->slope);
	BudgetFree(run->budget, run->hidden);
	BudgetFree(run->budget, run->order);
	BudgetFree(run->budget, run->hit);
	BudgetFree(run->budget, run->list);
	BudgetFree(run->budget, run->x);
	BudgetFree(run->budget, run->chosen);
	BudgetFree(run->budget, run->place);
	BudgetFree(run->budget, run->gain);
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
	if (run->place)
		reranker->scale[FEATURE_PLACE] = 0;
}

/* What is added to a value for the place that its item was shown at, as an input. */
static float
glance_of(const Run *run, uint64_t row)
{
	return (float) log2(run->place[row]);
}

/* What a list costs; where a gradient is given, adds the list's to it. */
static double
pass_list(Run *run, const Network *network, const ReadList *list, double *gradient)
{
	const float *x = run->x + list->begin * FEATURES;
	double loss;

	for (uint32_t n = 0; n < list->length; n++)
	{
		run->value[n] =
			NetworkValue(network, x + (size_t) n * FEATURES, run->hidden + n * NETWORK_UNITS_MAX);
		if (run->place)
			run->value[n] += run->glance.weight[0] * glance_of(run, list->begin + n);
	}
	loss = NetworkLoss(run->value, run->chosen + list->begin, list->length, run->slope);
	for (uint32_t n = 0; gradient && n < list->length; n++)
		NetworkGradient(network, x + (size_t) n * FEATURES, run->hidden + n * NETWORK_UNITS_MAX,
						run->slope[n], gradient);
	return loss;
}

/* Adds what the list at hand says of c to its gradient. */
static void
pass_places(Run *run, const ReadList *list, double *gradient)
{
	for (uint32_t n = 0; run->place && n < list->length; n++)
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

	for (uint32_t l = 0; l < run->lists; l++)
	{
		if (run->list[l].part != RERANKING_TRAIN)
			continue;
		INTERRUPTS();
		pass_list(run, network, &run->list[l], gradient);
		pass_places(run, &run->list[l], by_place);
		left--;
		if (++in_batch < BATCH && left > 0)
			continue;
		take_step(network, adam, gradient, in_batch);
		if (run->place)
			take_step(&run->glance, of_places, by_place, in_batch);
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
	NetworkAdam of_places = {0};
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
worth_of(Run *run, const ReadList *list)
{
	uint32_t k = run->input->lists.k;
	WorthList worth = {run->hit, 0, list->relevant, k};

	for (uint32_t n = 0; n < Min(list->length, k); n++)
		if (run->chosen[list->begin + run->order[n]])
			run->hit[worth.hits++] = (uint64_t) n + 1;
	return worth;
}

/* What a choice counts as, by the place that it was shown at. */
static double
weight_of(const Run *run, uint64_t row)
{
	double eta = fmax(-run->result->reranker.glance / M_LN2, 0);

	return fmin(pow(run->place[row], eta), RERANKING_WEIGHT);
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
weigh_worth(Run *run, const ReadList *list, double *ndcg, double *recall)
{
	uint32_t k = run->input->lists.k;
	uint32_t count = 0;
	double all = 0;
	double found = 0;
	double gained;

	for (uint32_t n = 0; n < list->length; n++)
	{
		uint64_t row = list->begin + run->order[n];
		double weight;

		if (!run->chosen[row])
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
measure_order(Run *run, const ReadList *list, int order, Worth *worth)
{
	WorthList plain = worth_of(run, list);

	worth->ndcg[order] = WorthNdcg(&plain);
	worth->recall[order] = WorthRecall(&plain);
	if (run->place)
		weigh_worth(run, list, &worth->weighed_ndcg[order], &worth->weighed_recall[order]);
}

/* Measures one list. */
static Worth
measure_list(Run *run, const ReadList *list)
{
	const Reranker *reranker = &run->result->reranker;
	Worth worth = {.user = list->user};

	for (uint32_t n = 0; n < list->length; n++)
		run->order[n] = n;
	measure_order(run, list, 0, &worth);
	for (uint32_t n = 0; n < list->length; n++)
		run->value[n] =
			NetworkValue(&reranker->network, run->x + (list->begin + n) * FEATURES, NULL);
	RerankerSort(run->value, list->length, run->order);
	measure_order(run, list, 1, &worth);
	return worth;
}

/* Measures on those who had no part in training; the rest of a list counts as it does at k. */
static void
measure(Run *run)
{
	static const Worth nothing;

	for (uint32_t l = 0; l < run->lists; l++)
		if (run->list[l].part == RERANKING_TEST)
		{
			Worth worth;

			INTERRUPTS();
			worth = measure_list(run, &run->list[l]);
			count_worth(run->result, &worth);
		}
	for (uint32_t u = 0; u < run->missed; u++)
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
	Worth *worth = BudgetAlloc(run->budget, Max(run->lists, 1), sizeof(Worth));
	uint32_t count = 0;

	for (uint32_t l = 0; l < run->lists; l++)
		if (run->list[l].part == RERANKING_TEST)
		{
			INTERRUPTS();
			worth[count++] = measure_list(run, &run->list[l]);
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
	result->reranker.first = input->first;
	open_run(run);
}

/* Trains on the lists that were read, if there are enough, measures, and ends the run. */
static void
finish_run(Run *run)
{
	Reranking *result = run->result;
	uint32_t stop = 0;

	for (uint32_t l = 0; l < run->lists; l++)
	{
		result->lists += run->list[l].part == RERANKING_TRAIN;
		stop += run->list[l].part == RERANKING_STOP;
	}
	result->trained = result->lists >= RERANKING_LEAST && stop > 0;
	if (result->trained)
	{
		train(run);
		if (run->place || run->input->lists.moments)
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
	open_items(&run);
	read_lists(&run);
	finish_run(&run);
}

RerankingRun *
RerankingOpen(const RerankingInput *input, Reranking *result, Budget *budget)
{
	Run *run = BudgetAlloc(budget, 1, sizeof(Run));

	begin_run(run, input, result, budget);
	result->shown = true;
	make_room(run, RERANKING_MOST);
	run->place = BudgetAlloc(budget, (uint64_t) run->most * input->first + 1, sizeof(uint32_t));
	run->gain = BudgetAlloc(budget, input->first, sizeof(WorthGain));
	return run;
}

bool
RerankingAdd(RerankingRun *run, const RerankingShown *list)
{
	uint32_t hits = 0;

	Assert(list->length >= 1 && list->length <= run->input->first);
	if (run->lists == run->most)
		return false;
	memcpy(run->x + run->rows * FEATURES, list->x, sizeof(float) * FEATURES * list->length);
	memcpy(run->chosen + run->rows, list->chosen, list->length);
	memcpy(run->place + run->rows, list->place, sizeof(uint32_t) * list->length);
	for (uint32_t n = 0; n < list->length; n++)
		hits += list->chosen[n];
	if (hits == 0)
		return true;
	run->list[run->lists++] = (ReadList){list->user, run->rows, list->length, hits, list->part};
	run->rows += list->length;
	return true;
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
	describe(list, length, order->about, NULL, order->evidence, order->item, order->x);
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
