#include "math/levels.h"

void
LevelsOrder(Levels *levels, uint8_t *renamed)
{
	Levels old = *levels;
	uint32_t order[LEVELS_MOST];

	for (uint32_t n = 0; n < old.count; n++)
	{
		uint32_t place = n;

		for (; place > 0 && old.first[order[place - 1]] > old.first[n]; place--)
			order[place] = order[place - 1];
		order[place] = n;
	}
	for (uint32_t n = 0; n < old.count; n++)
	{
		levels->value[n] = old.value[order[n]];
		levels->first[n] = old.first[order[n]];
		renamed[order[n]] = (uint8_t) n;
	}
}
