#include "math/parts.h"

void
PartsSettle(Parts *parts, uint32_t count)
{
	double target = parts->part[0] + parts->taken;
	double others = 0;
	double left;

	parts->taken = 0;
	if (target >= 0)
	{
		parts->part[0] = target;
		return;
	}
	parts->part[0] = 0;
	for (uint32_t s = 1; s < count; s++)
		others += parts->part[s];
	left = others + target;
	if (left < 0)
		parts->taken = left;
	for (uint32_t s = 1; s < count; s++)
		parts->part[s] = left > 0 ? parts->part[s] * (left / others) : 0;
}

double
PartsWeight(const Parts *parts, const double *w, uint32_t count)
{
	double r = parts->taken;

	for (uint32_t s = 0; s < count; s++)
		r += w[s] * parts->part[s];
	return r;
}
