#include "math/draw.h"

#include <stdbool.h>

#include "base/interrupts.h"

void
DrawChances(const double *weight, uint32_t count, double sum, double *chance)
{
	bool again = true;

	for (uint32_t n = 0; n < count; n++)
		chance[n] = 0;
	if (sum > count)
		sum = count;

	/* Whoever would get more than 1 gets 1, and the others share the rest. */
	while (again)
	{
		double rest = sum;
		double weights = 0;

		INTERRUPTS();
		again = false;
		for (uint32_t n = 0; n < count; n++)
		{
			rest -= chance[n] >= 1;
			weights += chance[n] >= 1 ? 0 : weight[n];
		}
		for (uint32_t n = 0; n < count; n++)
		{
			if (chance[n] >= 1)
				continue;
			chance[n] = rest > 0 ? weight[n] / weights * rest : 0;
			if (chance[n] >= 1)
			{
				chance[n] = 1;
				again = true;
			}
		}
	}
}

uint32_t
DrawItems(const double *chance, const uint32_t *order, uint32_t count, double start,
		  uint32_t *drawn)
{
	double end = 0;
	uint32_t found = 0;

	for (uint32_t n = 0; n < count; n++)
	{
		end += chance[order[n]];
		if (start + found < end)
			drawn[found++] = order[n];
	}
	return found;
}
