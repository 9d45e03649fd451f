#include "math/pairs.h"

/*
 * Rows that touch much of the catalogue find their items by a scan of all sums, which a
 * processor does at several per cycle; the others list an item when they first meet it.  A
 * quarter is where the two cost the same when tried on sets from 3,000 to 100,000 items.
 */
#define DENSE_SHARE 4

uint32_t
PairsRow(const PairsInput *in, uint32_t item, PairSum *sums, uint32_t *touched)
{
	const Sparse *users_of = in->by_item;
	const Sparse *items_of = in->by_user;
	uint64_t begin = users_of->start[item];
	uint64_t end = SparseFind(users_of, item, in->users);
	uint64_t work = 0;
	uint32_t count = 0;

	for (uint64_t e = begin; e < end; e++)
	{
		uint32_t user = users_of->column[e];

		work += items_of->start[user + 1] - items_of->start[user];
	}

	if (work >= items_of->columns / DENSE_SHARE)
	{
		for (uint64_t e = begin; e < end; e++)
		{
			uint32_t user = users_of->column[e];
			float scale = in->factor[user] * users_of->value[e];

			for (uint64_t f = items_of->start[user]; f < items_of->start[user + 1]; f++)
			{
				PairSum *sum = &sums[items_of->column[f]];

				sum->sum += scale * items_of->value[f];
				sum->users++;
			}
		}
		for (uint32_t other = 0; other < items_of->columns; other++)
		{
			touched[count] = other;
			count += sums[other].users != 0;
		}
	}
	else
	{
		for (uint64_t e = begin; e < end; e++)
		{
			uint32_t user = users_of->column[e];
			float scale = in->factor[user] * users_of->value[e];

			for (uint64_t f = items_of->start[user]; f < items_of->start[user + 1]; f++)
			{
				uint32_t other = items_of->column[f];
				PairSum *sum = &sums[other];

				touched[count] = other;
				count += sum->users == 0;
				sum->sum += scale * items_of->value[f];
				sum->users++;
			}
		}
	}
	return count;
}

void
PairsClear(PairSum *sums, const uint32_t *touched, uint32_t count)
{
	for (uint32_t t = 0; t < count; t++)
		sums[touched[t]] = (PairSum){0, 0};
}
