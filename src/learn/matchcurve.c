#include "learn/matchcurve.h"

#include "base/interrupts.h"
#include "base/progress.h"
#include "math/hash.h"
#include "math/rank.h"

#define DRAWS 16 /* tries to find an item the user never touched, before the pair is given up */

#define HOLDOUT_SPARED 100 /* one user in so many can be spared */

/* Neighbours as the scorer reads them: numbers and similarities apart. */
typedef struct Rows
{
	uint32_t *item;
	float *similarity;
} Rows;

bool
MatchCurveSpares(uint32_t users, uint32_t held_out)
{
	return (uint64_t) held_out * HOLDOUT_SPARED <= users;
}

static Rows
split_rows(const Neighbors *neighbors, Budget *budget)
{
	uint64_t total = neighbors->start[neighbors->items];
	Rows rows;

	rows.item = BudgetAlloc(budget, total, sizeof(uint32_t));
	rows.similarity = BudgetAlloc(budget, total, sizeof(float));
	for (uint64_t e = 0; e < total; e++)
	{
		rows.item[e] = neighbors->entry[e].index;
		rows.similarity[e] = neighbors->entry[e].value;
	}
	return rows;
}

static bool
has_item(const Sparse *by_user, uint32_t user, uint32_t item)
{
	uint64_t at = SparseFind(by_user, user, item);

	return at < by_user->start[user + 1] && by_user->column[at] == item;
}

/* Scores everything by what the user had before choosing.  chosen[] marks what came after. */
static void
score_user(const Interactions *matrix, const Neighbors *neighbors, const Rows *rows, uint32_t user,
		   const unsigned char *chosen, RankEntry *entries, RankScratch *scratch)
{
	const Sparse *by_user = &matrix->by_user;
	size_t count = 0;

	for (uint64_t e = by_user->start[user]; e < by_user->start[user + 1]; e++)
	{
		uint32_t item = by_user->column[e];
		uint64_t begin = neighbors->start[item];

		if (!chosen[item])
			entries[count++] = (RankEntry){
				.weight = SparseValue(by_user, e),
				.most = RankMost(rows->similarity + begin, neighbors->scored[item]),
				.count = neighbors->scored[item],
				.source = item,
				.item = rows->item + begin,
				.similarity = rows->similarity + begin,
			};
	}
	RankScore(scratch, entries, count, RankNorm(entries, count));
}

uint32_t
MatchCurveLearn(const Interactions *matrix, const Neighbors *neighbors, Curve *curve,
				Budget *budget)
{
	uint32_t items = neighbors->items;
	Rows rows = split_rows(neighbors, budget);
	CurveSample *samples =
		BudgetAlloc(budget, 2 * (uint64_t) matrix->chosen_count, sizeof(CurveSample));
	RankEntry *entries = BudgetAlloc(budget, items, sizeof(RankEntry));
	unsigned char *chosen = BudgetZeroed(budget, items, sizeof(unsigned char));
	void *memory = BudgetZeroed(budget, RankScratchBytes(items), 1);
	RankScratch scratch;
	size_t count = 0;

	RankScratchInit(&scratch, memory, items);
	for (uint32_t c = 0, end; c < matrix->chosen_count; c = end)
	{
		uint32_t user = matrix->chosen[c].user;
		uint64_t lot = HashMix(user + UINT64_C(1));

		INTERRUPTS();
		for (end = c; end < matrix->chosen_count && matrix->chosen[end].user == user; end++)
			chosen[matrix->chosen[end].item] = 1;
		score_user(matrix, neighbors, &rows, user, chosen, entries, &scratch);

		for (uint32_t n = c; n < end; n++)
		{
			double score = scratch.score[matrix->chosen[n].item];

			if (score > 0)
				samples[count++] = (CurveSample){score, 1};
			for (int draw = 0; draw < DRAWS; draw++)
			{
				uint32_t item = (uint32_t) (HashNext(&lot) % items);

				if (has_item(&matrix->by_user, user, item))
					continue;
				if (scratch.score[item] > 0)
					samples[count++] = (CurveSample){scratch.score[item], 0};
				break;
			}
		}
		for (uint32_t n = c; n < end; n++)
			chosen[matrix->chosen[n].item] = 0;
		RankClear(&scratch);
		ProgressDone(end);
	}

	if (matrix->chosen_count < MATCHCURVE_LEAST)
		curve->knots = 0;
	else
		CurveFit(samples, count, curve);

	BudgetFree(budget, memory);
	BudgetFree(budget, chosen);
	BudgetFree(budget, entries);
	BudgetFree(budget, samples);
	BudgetFree(budget, rows.item);
	BudgetFree(budget, rows.similarity);
	return matrix->chosen_count;
}
