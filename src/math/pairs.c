#include "math/pairs.h"

#include <stdbool.h>

/*
 * Rows that touch much of the catalogue find their items by a scan of all sums, which a
 * processor does at several per cycle; the others list an item when they first meet it.  A
 * quarter is where the two cost the same when tried on sets from 3,000 to 100,000 items.
 */
#define DENSE_SHARE 4

/*
 * A user's list begins somewhere in memory, and waiting for it takes long: the list after the next
 * is sent for.  Together with not reading values that are all the same this took .63 of the time
 * on MovieLens 1M, and alone .81 on 20 million weighted events.
 */
#define AHEAD         2
#define PREFETCH_IDS  16 /* ids in a line of the cache */
#define PREFETCH_MOST 8  /* lines of one list */

static inline void
send_for(const PairsInput *in, uint64_t entry, uint64_t end)
{
	const Sparse *items_of = in->by_user;
	uint32_t user;
	uint64_t begin;
	uint64_t stop;

	if (entry >= end)
		return;
	user = in->by_item->column[entry];
	begin = items_of->start[user];
	stop = items_of->start[user + 1];
	if (stop > begin + PREFETCH_IDS * PREFETCH_MOST)
		stop = begin + PREFETCH_IDS * PREFETCH_MOST;
	for (uint64_t f = begin; f < stop; f += PREFETCH_IDS)
	{
		__builtin_prefetch(items_of->column + f);
		if (in->uniform == 0)
			__builtin_prefetch(items_of->value + f);
	}
}

/* Adds one user's list where all cells are worth the same: the values need not be read. */
static inline void
add_uniform(const Sparse *items_of, uint32_t user, float worth, PairSum *sums)
{
	const uint32_t *restrict item = items_of->column + items_of->start[user];
	const uint32_t *stop = items_of->column + items_of->start[user + 1];

	for (; item < stop; item++)
	{
		sums[*item].sum += worth;
		sums[*item].users++;
	}
}

static inline void
add_weighted(const Sparse *items_of, uint32_t user, float scale, PairSum *sums)
{
	for (uint64_t f = items_of->start[user]; f < items_of->start[user + 1]; f++)
	{
		PairSum *sum = &sums[items_of->column[f]];

		sum->sum += scale * items_of->value[f];
		sum->users++;
	}
}

/* Lists the items of a list that are met for the first time; returns how many are listed then. */
static inline uint32_t
list_new(const Sparse *items_of, uint32_t user, const PairSum *sums, uint32_t *touched,
		 uint32_t count)
{
	for (uint64_t f = items_of->start[user]; f < items_of->start[user + 1]; f++)
	{
		touched[count] = items_of->column[f];
		count += sums[items_of->column[f]].users == 0;
	}
	return count;
}

uint32_t
PairsRow(const PairsInput *in, uint32_t item, PairSum *sums, uint32_t *touched)
{
	const Sparse *users_of = in->by_item;
	const Sparse *items_of = in->by_user;
	uint64_t begin = users_of->start[item];
	uint64_t end = SparseFind(users_of, item, in->users);
	uint64_t work = 0;
	uint32_t count = 0;
	bool dense;

	for (uint64_t e = begin; e < end; e++)
	{
		uint32_t user = users_of->column[e];

		work += items_of->start[user + 1] - items_of->start[user];
	}
	dense = work >= items_of->columns / DENSE_SHARE;

	for (uint64_t e = begin; e < end; e++)
	{
		uint32_t user = users_of->column[e];
		float scale = in->factor[user] * users_of->value[e];

		send_for(in, e + AHEAD, end);
		if (!dense)
			count = list_new(items_of, user, sums, touched, count);
		if (in->uniform != 0)
			add_uniform(items_of, user, scale * in->uniform, sums);
		else
			add_weighted(items_of, user, scale, sums);
	}
	for (uint32_t other = 0; dense && other < items_of->columns; other++)
	{
		touched[count] = other;
		count += sums[other].users != 0;
	}
	return count;
}

void
PairsClear(PairSum *sums, const uint32_t *touched, uint32_t count)
{
	for (uint32_t t = 0; t < count; t++)
		sums[touched[t]] = (PairSum){0, 0};
}
