/*
 * cooccurrence.c: every row of A'A, and the k best of each.
 *
 * A row stands for pairs of an item with the more popular ones, and each pair is offered to
 * both of its items.  Which k stay does not depend on the order of offers, nor do the sums on the
 * order of users: any number of processes may share the rows, and any number of passes go over
 * the users, with the same answer.
 */
#include "learn/cooccurrence.h"

#include <math.h>

#include "base/interrupts.h"

/* All that the rows of one range of items are counted from and into. */
typedef struct Count
{
	PairsInput pairs;
	SimilarityTable table;
	const float
		*norm; /* [items], what the upper half of a sum is to be multiplied with; NULL is 1 */
	CooccurrenceSlots *from;
	CooccurrenceSlots *to;
	float *gram;
	PairSum *sums;     /* [items], zero between rows */
	uint32_t *touched; /* [items + 1] */
} Count;

/* What is learned of users and items before pairs are counted. */
typedef struct Inputs
{
	Sparse by_user;       /* the matrix's shape, with values of our own where it has some */
	double *factor;       /* d_u, [users] */
	double *mass;         /* sum of d_u * v_ui^2, [items]: what a pair can come to at most */
	float *norm;          /* about its root, where cells are divided by it */
	PairSum *step;        /* [users], where cells are all worth the same */
	uint64_t *item_start; /* [items + 1], offsets in the transpose */
	float *source;
	float *target;
	uint32_t *users;
	double mean_list;
} Inputs;

CooccurrenceSlots
CooccurrenceAlloc(uint32_t items, uint32_t k, Budget *budget)
{
	CooccurrenceSlots slots = {k, BudgetAllocResult(budget, (uint64_t) items * k, sizeof(Best)),
							   BudgetZeroed(budget, items, sizeof(uint32_t)),
							   BudgetAlloc(budget, items, sizeof(float))};

	for (uint32_t i = 0; i < items; i++)
		slots.least[i] = k > 0 ? 0 : INFINITY;
	return slots;
}

void
CooccurrenceFree(CooccurrenceSlots *slots, Budget *budget)
{
	BudgetFreeResult(budget, slots->slot);
	BudgetFree(budget, slots->count);
	BudgetFree(budget, slots->least);
}

/*
 * Cells as the measure wants them.  bm25 needs the length of each item before its cells can be
 * weighed; where cells are all the same and stay so, none are made.
 */
static void
weigh_cells(Inputs *in, const CooccurrenceInput *input, Budget *budget)
{
	const Sparse *a = input->by_user;
	uint64_t count = a->start[input->users];
	double *length;
	double mean = 0;

	if (!SimilarityWeighsCells(input->rule) && a->value == NULL)
		return;
	in->by_user.value = BudgetAlloc(budget, count, sizeof(float));
	length = BudgetZeroed(budget, a->columns, sizeof(double));
	for (uint64_t e = 0; e < count; e++)
	{
		length[a->column[e]] += SparseValue(a, e);
		mean += SparseValue(a, e);
	}
	mean = mean > 0 ? mean / a->columns : 1;
	for (uint64_t e = 0; e < count; e++)
		in->by_user.value[e] =
			(float) SimilarityCell(input->rule, SparseValue(a, e), length[a->column[e]], mean);
	BudgetFree(budget, length);
}

/* d_u, and sums over the users of every item: of d_u * v_ui^2, and n_i as the family has it. */
static void
sum_items(Inputs *in, const CooccurrenceInput *input, Budget *budget)
{
	const Sparse *a = &in->by_user;
	uint32_t items = a->columns;
	bool text = SimilarityWeighsCells(input->rule);
	double *n = BudgetZeroed(budget, items, sizeof(double));
	double entries = 0;

	in->factor = BudgetAlloc(budget, input->users, sizeof(double));
	in->mass = BudgetZeroed(budget, items, sizeof(double));
	for (uint32_t u = 0; u < input->users; u++)
	{
		uint32_t list = (uint32_t) (a->start[u + 1] - a->start[u]);

		INTERRUPTS();
		in->factor[u] = SimilarityUserFactor(input->rule, list, items);
		in->mean_list += (double) list * list;
		entries += list;
		for (uint64_t e = a->start[u]; e < a->start[u + 1]; e++)
		{
			double v = SparseValue(a, e);

			in->mass[a->column[e]] += in->factor[u] * v * v;
			n[a->column[e]] += v * v;
		}
	}
	in->mean_list = entries > 0 ? in->mean_list / entries : 0;

	in->source = BudgetAlloc(budget, items, sizeof(float));
	in->target = BudgetAlloc(budget, items, sizeof(float));
	for (uint32_t i = 0; i < items; i++)
	{
		double mass = text ? in->mass[i] : n[i];

		in->source[i] = mass > 0 ? (float) pow(mass, -input->rule->source_exponent) : 0;
		in->target[i] = mass > 0 ? (float) pow(mass, -input->rule->target_exponent) : 0;
	}
	BudgetFree(budget, n);
}

/* What each user adds to a pair, where cells are all worth the same. */
static PairScale
scale_users(Inputs *in, const CooccurrenceInput *input, uint32_t most_users, Budget *budget)
{
	double most = 0;
	double v = in->by_user.uniform;
	PairScale scale;

	for (uint32_t i = 0; i < in->by_user.columns; i++)
		most = Max(most, in->mass[i]);
	scale = PairsScale(most_users, most);
	in->step = BudgetAlloc(budget, input->users, sizeof(PairSum));
	for (uint32_t u = 0; u < input->users; u++)
		in->step[u] = PairStep(in->factor[u] * v * v, scale);
	return scale;
}

/*
 * Where cells differ, each is divided by about the root of its item's mass, which leaves pairs of
 * at most 1 whatever the weights are; similarities get it back.  A power of two, so that no digit
 * is lost by it.
 */
static PairScale
scale_cells(Inputs *in, const CooccurrenceInput *input, uint32_t most_users, Budget *budget)
{
	Sparse *a = &in->by_user;

	in->norm = BudgetAlloc(budget, a->columns, sizeof(float));
	for (uint32_t i = 0; i < a->columns; i++)
	{
		int exponent = 0;

		if (in->mass[i] > 0)
			frexp(sqrt(in->mass[i]), &exponent);
		in->norm[i] = ldexpf(1, exponent);
		in->source[i] *= in->norm[i];
		in->target[i] *= in->norm[i];
	}
	for (uint32_t u = 0; u < input->users; u++)
	{
		double root = sqrt(in->factor[u]);

		INTERRUPTS();
		for (uint64_t e = a->start[u]; e < a->start[u + 1]; e++)
		{
			a->value[e] = (float) (a->value[e] * root / in->norm[a->column[e]]);
		}
	}
	return PairsScale(most_users, 1);
}

static PairScale
prepare(Inputs *in, const CooccurrenceInput *input, Budget *budget)
{
	uint32_t items = input->by_user->columns;
	uint32_t most_users = 0;

	*in = (Inputs){.by_user = *input->by_user};
	weigh_cells(in, input, budget);
	sum_items(in, input, budget);

	in->item_start = BudgetAlloc(budget, (uint64_t) items + 1, sizeof(uint64_t));
	SparseCountColumns(&in->by_user, input->users, in->item_start);
	in->users = BudgetAlloc(budget, items, sizeof(uint32_t));
	for (uint32_t i = 0; i < items; i++)
	{
		in->users[i] = (uint32_t) in->item_start[i];
		most_users = Max(most_users, in->users[i]);
	}
	SparseOffsets(in->item_start, items);

	return in->by_user.value ? scale_cells(in, input, most_users, budget)
							 : scale_users(in, input, most_users, budget);
}

static void
release(Inputs *in, Budget *budget)
{
	BudgetFree(budget, in->by_user.value);
	BudgetFree(budget, in->factor);
	BudgetFree(budget, in->mass);
	BudgetFree(budget, in->norm);
	BudgetFree(budget, in->step);
	BudgetFree(budget, in->item_start);
	BudgetFree(budget, in->source);
	BudgetFree(budget, in->target);
	BudgetFree(budget, in->users);
}

/* Offers a pair to the best of one of its items. */
static void
offer(CooccurrenceSlots *slots, uint32_t item, uint32_t other, uint32_t users, float value)
{
	Best *slot = CooccurrenceSlot(slots, item);

	if (!(value > 0) || value < slots->least[item])
		return;
	BestOffer(slot, &slots->count[item], slots->k, (Best){other, users, value});
	if (slots->count[item] == slots->k)
		slots->least[item] = slot[0].value;
}

/* Keeps the sums of a row. */
static void
keep_sums(const Count *count, uint32_t item, bool listed, uint32_t touched)
{
	float *row = count->gram + (uint64_t) item * (item - 1) / 2;
	double own = count->norm ? count->norm[item] : 1;
	uint32_t n = listed ? touched : item;

	for (uint32_t t = 0; t < n; t++)
	{
		uint32_t other = listed ? count->touched[t] : t;
		double weight = PairWeight(count->sums[other], count->pairs.scale);

		row[other] = (float) (weight * own * (count->norm ? count->norm[other] : 1));
	}
}

/* Offers what a part of a row has to offer. */
static void
offer_part(const Count *count, uint32_t item, const uint32_t *touched, uint32_t first, uint32_t n)
{
	SimilarityLeast least = {count->from->least, count->to->least};
	uint32_t found[SIMILARITY_PART];
	uint32_t many =
		SimilaritySift(&count->table, item, count->sums, touched, first, n, &least, found);

	for (uint32_t f = 0; f < many; f++)
	{
		uint32_t other = found[f];
		uint32_t users = PairUsers(count->sums[other], count->pairs.scale);
		float speaks;
		float spoken;

		SimilarityPair(&count->table, item, other, count->sums[other], &speaks, &spoken);
		offer(count->from, item, other, users, speaks);
		offer(count->to, other, item, users, speaks);
		offer(count->from, other, item, users, spoken);
		offer(count->to, item, other, users, spoken);
	}
}

/*
 * Counts one row, offers its pairs, and leaves the sums at zero.  Items of about the same
 * popularity come first: most of the best are among them, and the rest is then passed over.
 */
static void
count_row(const Count *count, uint32_t item)
{
	uint32_t touched;
	bool listed = PairsRow(&count->pairs, item, count->sums, count->touched, &touched);
	uint32_t left = listed ? touched : item;

	if (count->gram)
		keep_sums(count, item, listed, touched);
	while (left > 0)
	{
		uint32_t n = Min(left, SIMILARITY_PART);

		left -= n;
		offer_part(count, item, listed ? count->touched : NULL, left, n);
	}
	if (listed)
		for (uint32_t t = 0; t < touched; t++)
			count->sums[count->touched[t]] = 0;
	else
		memset(count->sums, 0, sizeof(PairSum) * item);
}

static void
sort_slots(CooccurrenceSlots *slots, uint32_t items)
{
	for (uint32_t i = 0; i < items; i++)
		BestSort(CooccurrenceSlot(slots, i), slots->count[i]);
}

/* The transpose of a range of items. */
static Sparse
turn(const Inputs *in, uint32_t users, uint32_t first, uint32_t last, Budget *budget)
{
	Sparse by_item = {.rows = last - first, .columns = users, .uniform = in->by_user.uniform};
	uint64_t before = in->item_start[first];
	uint64_t entries = in->item_start[last] - before;

	by_item.start = BudgetAlloc(budget, (uint64_t) by_item.rows + 1, sizeof(uint64_t));
	by_item.column = BudgetAlloc(budget, entries, sizeof(uint32_t));
	if (in->by_user.value)
		by_item.value = BudgetAlloc(budget, entries, sizeof(float));
	for (uint32_t row = 0; row <= by_item.rows; row++)
		by_item.start[row] = in->item_start[first + row] - before;
	SparseTurn(&in->by_user, first, &by_item);
	return by_item;
}

void
CooccurrenceRows(const CooccurrenceInput *input, CooccurrenceSlots *from, CooccurrenceSlots *to,
				 Budget *budget)
{
	uint32_t items = input->by_user->columns;
	Inputs in;
	Count count = {.from = from, .to = to, .gram = input->gram};
	Sparse by_item;

	count.pairs.scale = prepare(&in, input, budget);
	count.norm = in.norm;
	count.table = (SimilarityTable){*input->rule, count.pairs.scale, in.source,
									in.target,    in.users,          input->users};
	count.sums = BudgetZeroed(budget, items, sizeof(PairSum));
	count.touched = BudgetAlloc(budget, (uint64_t) items + 1, sizeof(uint32_t));
	by_item = turn(&in, input->users, 0, items, budget);
	count.pairs.by_user = &in.by_user;
	count.pairs.by_item = &by_item;
	count.pairs.step = in.step;
	count.pairs.mean_list = in.mean_list;

	for (uint32_t i = 0; i < items; i++)
	{
		INTERRUPTS();
		count_row(&count, i);
	}
	sort_slots(from, items);
	sort_slots(to, items);
	if (input->diagonal)
		memcpy(input->diagonal, in.mass, sizeof(double) * items);

	BudgetFree(budget, by_item.start);
	BudgetFree(budget, by_item.column);
	BudgetFree(budget, by_item.value);
	BudgetFree(budget, count.sums);
	BudgetFree(budget, count.touched);
	release(&in, budget);
}
