#include "learn/matchcurve.h"

#include <math.h>

#include "base/interrupts.h"
#include "base/progress.h"
#include "math/hash.h"
#include "math/rank.h"

/*
 * One in so many of a user's items would be asked about if there were no most (learn/usersum): those
 * who have many more count for as many, since a match is claimed of whatever is chosen.  Without,
 * lists by factors were six points off on films and discs.
 */
#define CHOSEN_SHARE 5

#define TRIES 64 /* to find an item the user never touched, before it is given up */

/* Neighbours as the scorer reads them: numbers and similarities apart. */
typedef struct Split
{
	uint32_t *item;
	float *similarity;
} Split;

bool
MatchCurveSpares(uint32_t users, uint32_t held_out)
{
	return (uint64_t) held_out * HOLDOUT_SPARED <= users;
}

static Split
split_rows(const Neighbors *neighbors, Budget *budget)
{
	uint64_t total = neighbors->start[neighbors->items];
	Split rows;

	rows.item = BudgetAllocResult(budget, total, sizeof(uint32_t));
	rows.similarity = BudgetAllocResult(budget, total, sizeof(float));
	for (uint64_t e = 0; e < total; e++)
	{
		rows.item[e] = neighbors->entry[e].index;
		rows.similarity[e] = neighbors->entry[e].value;
	}
	return rows;
}

/* One learning of a curve. */
typedef struct Run
{
	const Interactions *matrix;
	uint32_t items;             /* that may have a score, with those that nobody has */
	const Neighbors *neighbors; /* what scores; NULL where the next does */
	FactorsScorer *scorer;
	double recency;
	Split rows;
	RankEntry *entries;    /* [items], of one user */
	unsigned char *chosen; /* [items], 1 for what this user chose in the end */
	RankScratch scratch;
	double level; /* of its scores */
	CurveSample *samples;
	size_t count;
	uint32_t asked; /* chosen items */
} Run;

static bool
has_item(const Row *row, uint32_t item)
{
	uint32_t at = RowFind(row, item);

	return at < row->count && row->item[at] == item;
}

/* Scores everything by what the user had before choosing. */
static void
score_user(Run *run, uint32_t user, const Row *row)
{
	const Neighbors *neighbors = run->neighbors;
	size_t count = 0;

	for (uint32_t c = 0; c < row->count; c++)
	{
		uint32_t item = row->item[c];
		RankEntry *entry = &run->entries[count];

		if (run->chosen[item] || InteractionsLater(run->matrix, user, c))
			continue;
		*entry = (RankEntry){.weight = InteractionsWeight(run->matrix, user, row, c, run->recency),
							 .source = item};
		count++;
		if (neighbors == NULL)
			continue;
		entry->count = neighbors->scored[item];
		entry->item = run->rows.item + neighbors->start[item];
		entry->similarity = run->rows.similarity + neighbors->start[item];
		entry->most = RankMost(entry->similarity, entry->count);
	}
	if (run->scorer)
		run->level = FactorsScore(run->scorer, run->entries, count, &run->scratch);
	else
	{
		RankScore(&run->scratch, run->entries, count, RankNorm(run->entries, count));
		run->level = RankLevel(run->entries, count);
	}
}

static void
add_sample(Run *run, uint32_t item, float weight, bool chosen)
{
	double score = run->level * run->scratch.score[item];

	if (score > 0 && isfinite(score))
		run->samples[run->count++] = (CurveSample){score, weight, chosen};
}

/* Adds an item that the user never touched, drawn at random; none where there hardly is one. */
static void
add_drawn(Run *run, const Row *row, float weight, uint64_t *lot)
{
	for (int n = 0; n < TRIES; n++)
	{
		uint32_t item = (uint32_t) (HashNext(lot) % run->items);

		if (!has_item(row, item))
		{
			add_sample(run, item, weight, false);
			return;
		}
	}
}

/* Asks about one user, who has so many chosen items. */
static void
ask_user(Run *run, const Chosen *chosen, uint32_t count)
{
	uint64_t lot = HashMix(chosen->user + UINT64_C(1));
	Row row = InteractionsRow(run->matrix, chosen->user);
	Row whole = InteractionsRow(InteractionsWhole(run->matrix), chosen->user);
	uint32_t asked;
	float weight;

	for (uint32_t c = 0; c < count; c++)
		run->chosen[chosen[c].item] = 1;
	score_user(run, chosen->user, &row);
	asked = Min(count, MATCHCURVE_MOST);
	weight = Max((float) whole.count / CHOSEN_SHARE / asked, 1);
	for (uint32_t c = 0; c < asked; c++)
	{
		run->asked++;
		add_sample(run, chosen[c].item, weight, true);
		for (int n = 0; n < MATCHCURVE_DRAWN; n++)
			add_drawn(run, &whole, weight / MATCHCURVE_DRAWN, &lot);
	}
	for (uint32_t c = 0; c < count; c++)
		run->chosen[chosen[c].item] = 0;
	RankClear(&run->scratch);
}

/* Asks about every held-out user. */
static void
ask_users(Run *run, const MatchCurveOf *of, Budget *budget)
{
	const Interactions *matrix = run->matrix;
	uint32_t items = of->neighbors ? of->neighbors->items : matrix->items;
	void *memory = BudgetZeroedResult(budget, RankScratchBytes(items), 1);
	uint64_t most = 0;

	for (uint32_t c = 0, end; c < matrix->chosen_count; c = end)
	{
		end = InteractionsChosenEnd(matrix, c);
		most += Min(end - c, MATCHCURVE_MOST);
	}
	run->items = items;
	run->neighbors = of->neighbors;
	run->recency = of->recency;
	if (of->neighbors)
		run->rows = split_rows(of->neighbors, budget);
	else
		run->scorer = FactorsScorerOpen(of->factors, budget);
	run->entries = BudgetAllocResult(budget, items, sizeof(RankEntry));
	run->chosen = BudgetZeroedResult(budget, items, sizeof(unsigned char));
	run->samples = BudgetAllocResult(budget, most * (1 + MATCHCURVE_DRAWN), sizeof(CurveSample));
	RankScratchInit(&run->scratch, memory, items);

	for (uint32_t c = 0, end; c < matrix->chosen_count; c = end)
	{
		INTERRUPTS();
		end = InteractionsChosenEnd(matrix, c);
		ask_user(run, &matrix->chosen[c], end - c);
		ProgressDone(end);
	}
	BudgetFree(budget, memory);
	BudgetFree(budget, run->chosen);
	BudgetFree(budget, run->entries);
	BudgetFree(budget, run->rows.item);
	BudgetFree(budget, run->rows.similarity);
	if (run->scorer)
		FactorsScorerClose(run->scorer, budget);
}

/* How high the drawn items score together. */
static double
sum_drawn(const Run *run)
{
	double sum = 0;

	for (size_t s = 0; s < run->count; s++)
		if (!run->samples[s].chosen)
			sum += run->samples[s].score;
	return sum;
}

void
MatchCurveLearn(const Interactions *matrix, const MatchCurveOf *of, MatchCurve *curve,
				Budget *budget)
{
	Run run = {.matrix = matrix};

	ask_users(&run, of, budget);
	curve->asked = run.asked;
	curve->drawn = sum_drawn(&run);
	curve->curve.knots = 0;
	if (run.asked >= MATCHCURVE_LEAST)
		CurveFit(run.samples, run.count, &curve->curve);
	BudgetFree(budget, run.samples);
}

void
MatchCurveCarry(const Interactions *matrix, const MatchCurveOf *of, MatchCurve *curve,
				Budget *budget)
{
	Run run = {.matrix = matrix};
	double by;

	ask_users(&run, of, budget);
	by = sum_drawn(&run) / curve->drawn;
	BudgetFree(budget, run.samples);
	if (!(by > 0 && isfinite(by)))
		return;
	curve->drawn *= by;
	for (int k = 0; k < curve->curve.knots; k++)
		curve->curve.score[k] *= by;
}
