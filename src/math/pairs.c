#include "math/pairs.h"

#include <math.h>

#include "base/interrupts.h"

/*
 * Rows that touch much of the catalogue find their items by a scan of all sums, which a
 * processor does at several per cycle; the others list an item when they first meet it.  A
 * quarter is where the two cost the same when tried on sets from 3,000 to 100,000 items.
 */
#define DENSE_SHARE 4

/*
 * A user's list begins somewhere in memory, and waiting for it takes long: where the list begins
 * is sent for first, its items a little later.
 */
#define AHEAD_START  8
#define AHEAD_ITEMS  3
#define PREFETCH_IDS 16 /* ids in a line of the cache */
#define PREFETCH     8  /* lines of one list */

PairScale
PairsScale(uint32_t users, double most)
{
	PairScale scale = {.bits = 1, .unit = 1};
	int exponent;

	while (scale.bits < 32 && users >> scale.bits)
		scale.bits++;
	if (!(most > 0))
		return scale;

	/*
	 * most < 2^exponent, which is 2^(62 - bits) units.  The upper part has 63 - bits bits, so there
	 * is as much room again: for the rounding of each addition, half a unit for fewer than 2^bits
	 * users, while bits <= 31; and for that of most itself.
	 */
	frexp(most, &exponent);
	scale.unit = ldexp(1, exponent - (62 - (int) scale.bits));
	return scale;
}

double
PairsRoot(double mass)
{
	int exponent = 0;

	if (mass > 0)
		frexp(sqrt(mass), &exponent);
	return ldexp(1, exponent);
}

static inline void
send_for(const PairsInput *in, uint64_t entry, uint64_t end)
{
	const Sparse *items_of = &in->by_user;
	const uint32_t *user = in->by_item.column;

	if (entry + AHEAD_START < end)
	{
		__builtin_prefetch(&items_of->start[user[entry + AHEAD_START]]);
		if (in->step)
			__builtin_prefetch(&in->step[user[entry + AHEAD_START]]);
	}
	if (entry + AHEAD_ITEMS < end)
	{
		uint64_t begin = items_of->start[user[entry + AHEAD_ITEMS]];
		uint64_t stop = items_of->start[user[entry + AHEAD_ITEMS] + 1];

		if (stop > begin + PREFETCH_IDS * PREFETCH)
			stop = begin + PREFETCH_IDS * PREFETCH;
		for (uint64_t f = begin; f < stop; f += PREFETCH_IDS)
		{
			__builtin_prefetch(items_of->column + f);
			if (items_of->value)
				__builtin_prefetch(items_of->value + f);
		}
	}
}

/* Adds a user's list as far as an item, which is in it. */
static inline void
add_steps(const uint32_t *other, uint32_t item, PairSum step, PairSum *sums)
{
	for (; *other < item; other++)
		sums[*other] += step;
}

/* What a user adds whose cells are worth so much; own is in units. */
static inline PairSum
product_of(double own, float value, PairScale scale)
{
	return ((PairSum) (int64_t) (own * value) << scale.bits) + 1;
}

static inline void
add_products(const uint32_t *other, const float *value, uint32_t item, double own, PairScale scale,
			 PairSum *sums)
{
	for (; *other < item; other++, value++)
		sums[*other] += product_of(own, *value, scale);
}

/* Lists the items of a list that are met for the first time; returns how many are listed then. */
static inline uint32_t
list_new(const uint32_t *other, uint32_t item, const PairSum *sums, uint32_t *touched,
		 uint32_t count)
{
	for (; *other < item; other++)
	{
		touched[count] = *other;
		count += sums[*other] == 0;
	}
	return count;
}

bool
PairsRow(const PairsInput *in, uint32_t item, PairSum *sums, uint32_t *touched, uint32_t *count)
{
	const Sparse *items_of = &in->by_user;
	const Sparse *users_of = &in->by_item;
	uint64_t begin = users_of->start[item - in->first];
	uint64_t end = users_of->start[item - in->first + 1];
	bool listed = (double) (end - begin) * in->mean_list / 2 < item / DENSE_SHARE;
	double per_unit = 1 / in->scale.unit; /* a power of two, so exact */

	*count = 0;
	for (uint64_t e = begin; e < end; e++)
	{
		uint32_t user = users_of->column[e];
		uint64_t list = items_of->start[user];

		INTERRUPTS_AT(e);
		send_for(in, e, end);
		if (listed)
			*count = list_new(items_of->column + list, item, sums, touched, *count);
		if (in->step)
			add_steps(items_of->column + list, item, in->step[user], sums);
		else
			add_products(items_of->column + list, items_of->value + list, item,
						 users_of->value[e] * per_unit, in->scale, sums);
	}
	return listed;
}

void
PairsAdd(const PairsInput *in, uint32_t item, PairSum *sums)
{
	const Sparse *items_of = &in->by_user;
	const Sparse *users_of = &in->by_item;
	uint64_t end = users_of->start[item - in->first + 1];
	double per_unit = 1 / in->scale.unit;

	for (uint64_t e = users_of->start[item - in->first]; e < end; e++)
	{
		uint32_t user = users_of->column[e];
		uint64_t list = items_of->start[user];

		INTERRUPTS_AT(e);
		send_for(in, e, end);
		if (in->step)
			add_steps(items_of->column + list, item, in->step[user], sums);
		else
			add_products(items_of->column + list, items_of->value + list, item,
						 users_of->value[e] * per_unit, in->scale, sums);
	}
}

uint64_t
PairsTerms(const PairsInput *in, uint32_t item, PairTerm *terms)
{
	const Sparse *items_of = &in->by_user;
	const Sparse *users_of = &in->by_item;
	uint64_t end = users_of->start[item - in->first + 1];
	double per_unit = 1 / in->scale.unit;
	uint64_t count = 0;

	for (uint64_t e = users_of->start[item - in->first]; e < end; e++)
	{
		uint32_t user = users_of->column[e];

		INTERRUPTS_AT(e);
		for (uint64_t c = items_of->start[user]; items_of->column[c] < item; c++)
		{
			PairSum sum =
				in->step ? in->step[user]
						 : product_of(users_of->value[e] * per_unit, items_of->value[c], in->scale);

			terms[count++] =
				(PairTerm){items_of->column[c], (uint32_t) sum, (uint32_t) (sum >> 32)};
		}
	}
	return count;
}
