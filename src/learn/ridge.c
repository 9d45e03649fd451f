/*
 * ridge.c: one small linear system a target.
 *
 * Its k x k matrix is gathered in one of two ways.  Where the whole Gram matrix fits into half of
 * the memory that is left, its rows are kept while the candidates are counted, and a system is
 * looked up in them: for catalogues of a few thousand items that costs less than the solution.
 * Otherwise the system is counted anew from the histories of its candidates' users, of which
 * sparse data have few.
 */
#include "learn/ridge.h"

#include <math.h>

#include "base/interrupts.h"
#include "math/cholesky.h"

/* Rows of a system begin at a multiple of so many floats. */
#define ALIGN_FLOATS 16

/* One candidate's cell of one user, while a system is counted from histories. */
typedef struct Visit
{
	uint32_t user;
	uint32_t place; /* of the candidate in the system */
	float value;
} Visit;

typedef struct Ridge
{
	const CooccurrenceInput *input;
	uint32_t items;
	float *gram;      /* below the diagonal, row after row; NULL where histories are counted */
	double *diagonal; /* G_ii */
	float *factor;    /* h_u^-b, where histories are counted, like the next */
	Sparse by_item;
	float ridge; /* lambda * mean(diag G) */
	size_t ld;
	float *system; /* of one target, [(k + 1) * ld] */
	float *weight; /* [k] */
	/* Where histories are counted: the visits of one system, and those of each user side by side. */
	uint32_t *first; /* [users + 1], where a user's begin; 0 between systems */
	Visit *visit;
	Visit *sorted;
	uint64_t visit_room;
	uint32_t *met; /* users of one system */
} Ridge;

static int
by_number(const void *a, const void *b)
{
	uint32_t x = ((const Best *) a)->index;
	uint32_t y = ((const Best *) b)->index;

	return x < y ? -1 : x > y;
}

/* Where the Gram matrix keeps two items, the first of them the greater. */
static inline float
gram_at(const Ridge *ridge, uint32_t a, uint32_t b)
{
	return ridge->gram[(uint64_t) a * (a - 1) / 2 + b];
}

/*
 * Looks the system of a target up: the upper triangle of candidates, then the target in column n.
 * Rows of the Gram matrix are read one after the other, each forward.
 */
static void
look_up(const Ridge *ridge, uint32_t target, const Best *candidate, uint32_t n)
{
	for (uint32_t column = 0; column < n; column++)
	{
		uint32_t item = candidate[column].index;
		const float *gram = ridge->gram + (uint64_t) item * (item - 1) / 2;
		float *out = ridge->system + column;

		for (uint32_t row = 0; row < column; row++)
			out[row * ridge->ld] = gram[candidate[row].index];
		out[column * ridge->ld] = (float) ridge->diagonal[item];
		ridge->weight[column] =
			item > target ? gram_at(ridge, item, target) : gram_at(ridge, target, item);
	}
}

/* Room for so many visits in one system. */
static void
need_visits(Ridge *ridge, uint64_t count, Budget *budget)
{
	if (count <= ridge->visit_room)
		return;
	ridge->visit_room = Max(count, 2 * ridge->visit_room);
	BudgetFree(budget, ridge->visit);
	BudgetFree(budget, ridge->sorted);
	ridge->visit = BudgetAlloc(budget, ridge->visit_room, sizeof(Visit));
	ridge->sorted = BudgetAlloc(budget, ridge->visit_room, sizeof(Visit));
}

/*
 * Gathers who has which of the candidates and the target (place n), user by user, into sorted[].
 * met[] lists the users, first[u] ends as the place after user u's last visit.
 */
static uint32_t
gather_visits(Ridge *ridge, uint32_t target, const Best *candidate, uint32_t n, Budget *budget)
{
	const Sparse *by_item = &ridge->by_item;
	uint64_t count = 0;
	uint64_t at = 0;
	uint32_t users = 0;
	uint32_t offset = 0;

	for (uint32_t place = 0; place <= n; place++)
	{
		uint32_t item = place < n ? candidate[place].index : target;

		count += by_item->start[item + 1] - by_item->start[item];
	}
	need_visits(ridge, count, budget);

	for (uint32_t place = 0; place <= n; place++)
	{
		uint32_t item = place < n ? candidate[place].index : target;

		for (uint64_t e = by_item->start[item]; e < by_item->start[item + 1]; e++)
		{
			uint32_t user = by_item->column[e];

			if (ridge->first[user]++ == 0)
				ridge->met[users++] = user;
			ridge->visit[at++] = (Visit){user, place, SparseValue(by_item, e)};
		}
	}
	for (uint32_t m = 0; m < users; m++)
	{
		uint32_t mine = ridge->first[ridge->met[m]];

		ridge->first[ridge->met[m]] = offset;
		offset += mine;
	}
	for (uint64_t v = 0; v < count; v++)
		ridge->sorted[ridge->first[ridge->visit[v].user]++] = ridge->visit[v];
	return users;
}

/* Counts the system of a target from the histories of those who have any of its candidates. */
static void
count_up(Ridge *ridge, uint32_t target, const Best *candidate, uint32_t n, Budget *budget)
{
	uint32_t users = gather_visits(ridge, target, candidate, n, budget);
	uint32_t begin = 0;

	for (uint32_t row = 0; row <= n; row++)
		memset(ridge->system + row * ridge->ld, 0, sizeof(float) * ridge->ld);

	/* Visits of a user are in order of place, so every pair lands in the upper triangle. */
	for (uint32_t m = 0; m < users; m++)
	{
		uint32_t user = ridge->met[m];
		uint32_t end = ridge->first[user];

		for (uint32_t a = begin; a < end; a++)
		{
			float *row = ridge->system + ridge->sorted[a].place * ridge->ld;
			float scale = ridge->factor[user] * ridge->sorted[a].value;

			for (uint32_t b = a; b < end; b++)
				row[ridge->sorted[b].place] += scale * ridge->sorted[b].value;
		}
		begin = end;
		ridge->first[user] = 0;
	}
	for (uint32_t row = 0; row < n; row++)
		ridge->weight[row] = ridge->system[row * ridge->ld + n];
}

/* Replaces what the counts say of a target's candidates by their weights; drops those without any. */
static void
solve_target(Ridge *ridge, uint32_t target, CooccurrenceSlots *to, Budget *budget)
{
	Best *candidate = CooccurrenceSlot(to, target);
	uint32_t n = to->count[target];
	uint32_t left = 0;

	if (n == 0)
		return;
	qsort(candidate, n, sizeof(Best), by_number);
	if (ridge->gram)
		look_up(ridge, target, candidate, n);
	else
		count_up(ridge, target, candidate, n, budget);
	for (uint32_t row = 0; row < n; row++)
		ridge->system[row * ridge->ld + row] += ridge->ridge;

	if (CholeskySolve(ridge->system, n, ridge->ld, ridge->weight))
		for (uint32_t row = 0; row < n; row++)
			if (isfinite(ridge->weight[row]) && ridge->weight[row] != 0)
			{
				candidate[left] = candidate[row];
				candidate[left++].value = ridge->weight[row];
			}
	to->count[target] = left;
}

/* What counting from histories needs besides. */
static void
prepare_histories(Ridge *ridge, Budget *budget)
{
	const Sparse *by_user = ridge->input->by_user;
	uint32_t users = ridge->input->users;

	ridge->factor = BudgetAlloc(budget, users, sizeof(float));
	ridge->first = BudgetZeroed(budget, (uint64_t) users + 1, sizeof(uint32_t));
	ridge->met = BudgetAlloc(budget, users, sizeof(uint32_t));
	for (uint32_t u = 0; u < users; u++)
		ridge->factor[u] = (float) SimilarityUserFactor(
			ridge->input->rule, (uint32_t) (by_user->start[u + 1] - by_user->start[u]),
			ridge->items);

	ridge->by_item = (Sparse){.rows = ridge->items, .columns = users, .uniform = by_user->uniform};
	ridge->by_item.start = BudgetAlloc(budget, (uint64_t) ridge->items + 1, sizeof(uint64_t));
	ridge->by_item.column = BudgetAlloc(budget, by_user->start[users], sizeof(uint32_t));
	if (by_user->value)
		ridge->by_item.value = BudgetAlloc(budget, by_user->start[users], sizeof(float));
	SparseCountColumns(by_user, users, ridge->by_item.start);
	SparseOffsets(ridge->by_item.start, ridge->items);
	SparseTurn(by_user, 0, &ridge->by_item);
}

/* The uniform ridge; 0 only where nobody has anything, and then there are no candidates either. */
static float
uniform_ridge(const Ridge *ridge, double lambda)
{
	double sum = 0;

	for (uint32_t i = 0; i < ridge->items; i++)
		sum += ridge->diagonal[i];
	return (float) (lambda * sum / ridge->items);
}

void
RidgeSolve(const CooccurrenceInput *input, double lambda, CooccurrenceSlots *to, Budget *budget)
{
	Ridge ridge = {.input = input, .items = input->by_user->columns};
	CooccurrenceInput counting = *input;
	CooccurrenceSlots none = CooccurrenceAlloc(ridge.items, 0, budget);
	uint64_t half = (uint64_t) ridge.items * (ridge.items - Min(ridge.items, 1)) / 2;

	ridge.ld = (to->k + 1 + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
	ridge.system = BudgetAlloc(budget, (to->k + 1) * ridge.ld, sizeof(float));
	ridge.weight = BudgetAlloc(budget, to->k, sizeof(float));
	ridge.diagonal = BudgetZeroed(budget, ridge.items, sizeof(double));
	if (half <= BudgetLeft(budget) / 2 / sizeof(float))
		ridge.gram = BudgetZeroed(budget, half, sizeof(float));

	counting.gram = ridge.gram;
	counting.diagonal = ridge.diagonal;
	CooccurrenceRows(&counting, &none, to, budget);
	if (ridge.gram == NULL)
		prepare_histories(&ridge, budget);
	ridge.ridge = uniform_ridge(&ridge, lambda);
	for (uint32_t j = 0; j < ridge.items; j++)
	{
		INTERRUPTS();
		solve_target(&ridge, j, to, budget);
	}

	CooccurrenceFree(&none, budget);
	BudgetFree(budget, ridge.system);
	BudgetFree(budget, ridge.weight);
	BudgetFree(budget, ridge.diagonal);
	BudgetFree(budget, ridge.gram);
	BudgetFree(budget, ridge.factor);
	BudgetFree(budget, ridge.first);
	BudgetFree(budget, ridge.met);
	BudgetFree(budget, ridge.visit);
	BudgetFree(budget, ridge.sorted);
	BudgetFree(budget, ridge.by_item.start);
	BudgetFree(budget, ridge.by_item.column);
	BudgetFree(budget, ridge.by_item.value);
}
