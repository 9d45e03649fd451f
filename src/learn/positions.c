#include "learn/positions.h"

#include "base/interrupts.h"

#define ST_SORT          sort_times
#define ST_ELEMENT_TYPE  uint64_t
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE         static
#define ST_DEFINE
#define ST_CHECK_FOR_INTERRUPTS
#include "lib/sort_template.h"

void
PositionsNumber(Positions *positions, uint32_t count)
{
	const uint64_t *time = positions->time;
	uint32_t number = 0;

	sort_times(positions->time, count);
	for (uint32_t n = 0; n < count; n++)
	{
		if (n > 0 && time[n] >> 32 != time[n - 1] >> 32 && number < UINT16_MAX)
			number++;
		positions->position[(uint32_t) time[n]] = (uint16_t) number;
	}
}
