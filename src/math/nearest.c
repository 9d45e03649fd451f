#include "math/nearest.h"

#include <math.h>

#include "base/clones.h"
#include "math/marks.h"

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

uint32_t
NearestSift(const PairSum *sums, const uint32_t *touched, uint32_t first, uint32_t count,
			const uint32_t *enough, uint32_t own, uint32_t *found)
{
	unsigned char marks[NEAREST_PART] = {0};
	uint32_t n = 0;

	if (touched == NULL)
	{
		mark(sums + first, enough + first, own, count, marks);
		return MarksList(marks, first, count, found);
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
