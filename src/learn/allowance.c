#include "learn/allowance.h"

#include "base/interrupts.h"
#include "math/cost.h"

/* The figures of the first so many rows of a matrix in memory. */
static void
count_rows(const Interactions *matrix, uint32_t rows, SketchFigures *figures, Budget *budget)
{
	const Sparse *by_user = &matrix->by_user;
	Rows first = RowsInMemory(by_user, rows);
	uint32_t *users = RowsCountUsers(&first, budget);

	figures->cells = (double) by_user->start[rows];
	figures->pairs = 0;
	for (uint32_t u = 0; u < rows; u++)
	{
		double count = (double) (by_user->start[u + 1] - by_user->start[u]);

		INTERRUPTS_AT(u);
		figures->pairs += count * count;
	}
	for (uint32_t i = 0; i < matrix->items; i++)
		if (users[i] > 0)
			SketchItemsAdd(&figures->spread, 1, (double) users[i]);
	BudgetFree(budget, users);
}

/* The figures of a matrix, which knows them unless it was mixed. */
static SketchFigures
figures_of(const Interactions *matrix, Budget *budget)
{
	SketchFigures figures = {
		.users = matrix->users,
		.items = matrix->items,
		.cells = (double) matrix->cells,
		.pairs = matrix->pairs,
		.alike = !RowsValued(&matrix->rows),
	};

	if (matrix->whole)
		count_rows(matrix, matrix->by_user.rows, &figures, budget);
	else
		for (uint32_t i = 0; i < matrix->items; i++)
			if (matrix->stat[i].users > 0)
				SketchItemsAdd(&figures.spread, 1, matrix->stat[i].users);
	figures.events = figures.cells;
	return figures;
}

Allowance
AllowanceOf(const Interactions *matrix, const SimilarityOptions *options, Budget *budget)
{
	SketchFigures figures = figures_of(matrix, budget);
	SimilarityOptions dearest = *options;
	Allowance allowance = {0};

	if (dearest.rule.kind == SIMILARITY_AUTO)
		dearest.rule.kind = SIMILARITY_RIDGE;
	allowance.fit = CostFit(&figures, &dearest);
	allowance.counting = CostCounting(&figures, &dearest);
	allowance.most = Max(allowance.fit, ALLOWANCE_LEAST);
	return allowance;
}

void
AllowanceNarrow(Allowance *allowance, double fit)
{
	allowance->most = Min(allowance->most, allowance->spent + Max(fit, ALLOWANCE_LEAST));
}

bool
AllowanceTake(Allowance *allowance, double work, double besides)
{
	if (!(allowance->spent + work + besides <= allowance->most))
		return false;
	allowance->spent += work;
	return true;
}

double
AllowanceSample(const Interactions *matrix, uint32_t users, const SimilarityOptions *options,
				Budget *budget)
{
	SketchFigures figures = {.users = users, .items = matrix->items};

	count_rows(matrix, users, &figures, budget);
	figures.events = figures.cells;
	return CostFit(&figures, options);
}

double
AllowanceShare(const Allowance *allowance)
{
	return allowance->fit > 0 ? allowance->spent / allowance->fit : 0;
}

double
AllowanceLists(const AllowanceUsers *asked, uint32_t items, uint32_t k)
{
	return CostLists(asked->users, items, asked->cells * Min(k, items));
}

AllowanceUsers
AllowanceAsk(const Interactions *matrix, uint32_t k, double work)
{
	AllowanceUsers asked = {0};

	for (uint32_t c = 0; c < matrix->chosen_count; c++)
	{
		uint32_t user = matrix->chosen[c].user;
		AllowanceUsers more = {asked.users + 1, asked.cells + InteractionsRow(matrix, user).count};

		INTERRUPTS_AT(c);
		if (c > 0 && matrix->chosen[c - 1].user == user)
			continue;
		if (more.users > ALLOWANCE_USERS && AllowanceLists(&more, matrix->items, k) > work)
			break;
		asked = more;
	}
	return asked;
}
