#include "learn/mixing.h"

#include <float.h>

#include "base/interrupts.h"

/* Positions that may be numbered. */
#define POSITIONS (UINT32_C(1) << 16)

typedef struct Mix
{
	const Interactions *whole;
	const double *w;
	Weighting weighting;
	Interactions *mixed;
	uint16_t *number; /* [POSITIONS], of those that are left of a row */
} Mix;

static float
value_of(const Mix *mix, double r)
{
	return r > 0 ? (float) Min(WeightingValue(mix->weighting, r), FLT_MAX) : 0;
}

/* What a cell of the whole is worth. */
static float
mix_cell(const Mix *mix, uint64_t cell)
{
	uint32_t signals = mix->whole->signals;
	const float *part = mix->whole->part + cell * signals;
	double r = 0;

	for (uint32_t s = 0; s < signals; s++)
		r += mix->w[s] * part[s];
	return value_of(mix, r);
}

/* Numbers the positions of a row anew, without gaps; what was later than what is asked about stays so. */
static void
number_row(const Mix *mix, uint16_t *position, uint64_t count, bool asked)
{
	uint32_t most = 0;
	uint32_t n = 0;

	for (uint64_t c = 0; c < count; c++)
		most = Max(most, position[c]);
	memset(mix->number, 0, sizeof(uint16_t) * ((uint64_t) most + 1));
	for (uint64_t c = 0; c < count; c++)
		mix->number[position[c]] = 1;
	for (uint32_t p = 0; p <= most; p++)
	{
		uint16_t there = mix->number[p];

		mix->number[p] = (uint16_t) n;
		n += there;
	}
	for (uint64_t c = 0; c < count; c++)
		if (!asked || position[c] != INTERACTIONS_LATER)
			position[c] = mix->number[position[c]];
}

/* Mixes the row of a user, and adds it to the matrix. */
static void
mix_row(const Mix *mix, uint32_t user)
{
	const Interactions *whole = mix->whole;
	Interactions *mixed = mix->mixed;
	const uint64_t *from = whole->by_user.start;
	uint64_t *start = mixed->by_user.start;
	uint64_t begin = start[user];
	uint64_t end = begin;
	bool held = user >= whole->learners;

	for (uint64_t cell = from[user]; cell < from[user + 1]; cell++)
	{
		float value = mix_cell(mix, cell);

		if (!(value > 0))
			continue;
		mixed->by_user.column[end] = whole->by_user.column[cell];
		mixed->by_user.value[end] = value;
		mixed->target[end] = value_of(mix, whole->part[cell * whole->signals]);
		if (whole->position)
			mixed->position[end] = whole->position[cell];
		if (whole->asked && held)
			mixed->asked[end - start[whole->learners]] = whole->asked[cell - from[whole->learners]];
		end++;
	}
	start[user + 1] = end;
	mixed->rows.longest = (uint32_t) Max(mixed->rows.longest, end - begin);
	if (whole->position)
		number_row(mix, mixed->position + begin, end - begin, false);
	if (whole->asked && held)
		number_row(mix, mixed->asked + begin - start[whole->learners], end - begin, true);
}

Interactions *
MixingApply(const Interactions *whole, const double *w, Weighting weighting, Budget *budget)
{
	Interactions *mixed = BudgetAllocResult(budget, 1, sizeof(Interactions));
	Mix mix = {whole, w, weighting, mixed, BudgetAlloc(budget, POSITIONS, sizeof(uint16_t))};
	Sparse *by_user = &mixed->by_user;

	*mixed = *whole;
	mixed->item_users = NULL;
	*by_user = (Sparse){.rows = whole->by_user.rows, .columns = whole->by_user.columns};
	by_user->start = BudgetAllocShared(budget, (uint64_t) by_user->rows + 1, sizeof(uint64_t));
	by_user->column = BudgetAllocShared(budget, whole->cells, sizeof(uint32_t));
	by_user->value = BudgetAllocShared(budget, whole->cells, sizeof(float));
	mixed->target = BudgetAlloc(budget, whole->cells, sizeof(float));
	mixed->part = NULL;
	mixed->whole = whole;
	if (whole->position)
		mixed->position = BudgetAllocShared(budget, whole->cells, sizeof(uint16_t));
	if (whole->asked)
		mixed->asked =
			BudgetAllocShared(budget, whole->cells - whole->learned_cells, sizeof(uint16_t));
	mixed->rows.longest = 0;
	by_user->start[0] = 0;
	for (uint32_t user = 0; user < by_user->rows; user++)
	{
		INTERRUPTS();
		mix_row(&mix, user);
	}
	mixed->cells = by_user->start[by_user->rows];
	mixed->learned_cells = by_user->start[whole->learners];
	mixed->rows.valued = true;
	mixed->rows.memory = by_user;
	mixed->rows.position = mixed->position;
	mixed->rows.target = mixed->target;
	BudgetFree(budget, mix.number);
	return mixed;
}

void
MixingFree(Interactions *mixed, Budget *budget)
{
	BudgetFree(budget, mixed->by_user.start);
	BudgetFree(budget, mixed->by_user.column);
	BudgetFree(budget, mixed->by_user.value);
	BudgetFree(budget, mixed->target);
	BudgetFree(budget, mixed->position);
	BudgetFree(budget, mixed->asked);
	BudgetFree(budget, mixed);
}
