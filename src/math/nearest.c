#include "math/nearest.h"

#include <math.h>
#include <string.h>

#include "base/clones.h"

/* More than the rounding of a value to single precision takes away. */
#define ROUNDING 1e-6

bool
NearestOffer(Nearest *nearest, uint32_t item, uint32_t index, float value)
{
	Best *slot;
	uint32_t *count;

	if (value < nearest->least[item])
		return false;
	slot = NearestOf(nearest, item);
	count = &nearest->count[item - nearest->first];
	BestOffer(slot, count, nearest->k, (Best){.index = index, .value = value});
	if (*count == nearest->k)
		nearest->least[item] = slot[0].value;
	return true;
}

uint32_t
NearestEnough(float least, double unit, PairScale scale)
{
	double sum = (double) least / unit * ldexp(1 - ROUNDING, (int) scale.bits - 32) / scale.unit;

	if (!(sum < UINT32_MAX))
		return UINT32_MAX;
	return sum > 1 ? (uint32_t) sum : 1;
}

/* Marks which of the items from first on may get in. */
CLONES static void
mark(const PairSum *restrict sums, const uint32_t *restrict enough, uint32_t own, uint32_t count,
	 unsigned char *restrict marks)
{
	for (uint32_t n = 0; n < count; n++)
	{
		uint32_t upper = (uint32_t) (sums[n] >> 32);

		marks[n] = (upper >= own) | (upper >= enough[n]);
	}
}

/* Marks are looked through eight at a time, most of which are none. */
static uint32_t
list_marked(const unsigned char *marks, uint32_t first, uint32_t count, uint32_t *found)
{
	uint32_t n = 0;

	for (uint32_t m = 0; m < count; m += 8)
	{
		uint64_t eight;

		memcpy(&eight, marks + m, 8);
		for (uint32_t e = m; eight && e < m + 8; e++)
			if (marks[e])
				found[n++] = first + e;
	}
	return n;
}

uint32_t
NearestSift(const PairSum *sums, const uint32_t *touched, uint32_t first, uint32_t count,
			const uint32_t *enough, uint32_t own, uint32_t *found)
{
	unsigned char marks[NEAREST_PART] = {0};
	uint32_t n = 0;

	if (touched == NULL)
	{
		mark(sums + first, enough + first, own, count, marks);
		return list_marked(marks, first, count, found);
	}
	for (uint32_t t = first; t < first + count; t++)
	{
		uint32_t item = touched[t];
		uint32_t upper = (uint32_t) (sums[item] >> 32);

		found[n] = item;
		n += (upper >= own) | (upper >= enough[item]);
	}
	return n;
}
