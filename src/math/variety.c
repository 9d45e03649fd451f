#include "math/variety.h"

#include <math.h>

#include "base/interrupts.h"

/* Of the history in the mix of a list, so that no kind is missing from it altogether (Steck 2018). */
#define SMOOTHING 0.01

static uint32_t
list_start(const VarietyLists *lists, uint32_t candidate)
{
	return lists->start ? lists->start[candidate] : 0;
}

static uint32_t
list_end(const VarietyLists *lists, uint32_t candidate)
{
	return lists->start ? lists->start[candidate + 1] : 0;
}

bool
VarietyMay(const Variety *variety, uint32_t candidate)
{
	const VarietyLists *values = &variety->values;

	if (variety->state[candidate] != VARIETY_FREE)
		return false;
	if (variety->most == 0)
		return true;
	for (uint32_t v = list_start(values, candidate); v < list_end(values, candidate); v++)
		if (variety->used[values->number[v]] >= variety->most)
			return false;
	return true;
}

/* What one kind adds to the divergence of a list of so many items. */
static double
divergence_of(const Variety *variety, uint32_t kind, double mass, uint32_t items)
{
	double wanted = variety->wanted[kind];

	return wanted * log(wanted / ((1 - SMOOTHING) * mass / items + SMOOTHING * wanted));
}

/* The divergence of a list one longer, with a candidate that has no kind. */
static double
divergence_without(const Variety *variety)
{
	double sum = 0;

	for (uint32_t kind = 0; kind < variety->kind_count; kind++)
		sum += divergence_of(variety, kind, variety->mass[kind], variety->taken + 1);
	return sum;
}

/* What the kinds of a candidate change about that. */
static double
divergence_change(const Variety *variety, uint32_t candidate)
{
	const VarietyLists *kinds = &variety->kinds;
	double change = 0;

	for (uint32_t n = list_start(kinds, candidate); n < list_end(kinds, candidate); n++)
	{
		uint32_t kind = kinds->number[n];
		double mass = variety->mass[kind];

		change +=
			divergence_of(variety, kind, mass + variety->share[candidate], variety->taken + 1) -
			divergence_of(variety, kind, mass, variety->taken + 1);
	}
	return change;
}

/* The best of the weighed candidates. */
static uint32_t
best_weighed(const Variety *variety)
{
	double without = variety->calibrated > 0 ? divergence_without(variety) : 0;
	uint32_t best = VARIETY_NONE;
	double most = 0;

	for (uint32_t c = 0; c < variety->weighed; c++)
	{
		double value;

		if (!VarietyMay(variety, c))
			continue;
		value = variety->worth[c];
		if (variety->diversity > 0)
			value = (1 - variety->diversity) * value - variety->diversity * variety->nearest[c];
		if (variety->calibrated > 0)
			value = (1 - variety->calibrated) * value -
					variety->calibrated * (without + divergence_change(variety, c));
		if (best == VARIETY_NONE || value > most)
		{
			best = c;
			most = value;
		}
	}
	return best;
}

uint32_t
VarietyNext(Variety *variety)
{
	uint32_t best = VARIETY_NONE;

	INTERRUPTS();
	if (variety->next < variety->weighed)
		best = best_weighed(variety);
	if (best != VARIETY_NONE)
		return best;

	/* What may not be taken now never may again, since caps only fill. */
	if (variety->next < variety->weighed)
		variety->next = variety->weighed;
	while (variety->next < variety->in_order && !VarietyMay(variety, variety->next))
		variety->next++;
	return variety->next < variety->in_order ? variety->next : VARIETY_NONE;
}

/* Counts a candidate against the caps. */
static void
use(Variety *variety, uint32_t candidate)
{
	const VarietyLists *values = &variety->values;

	if (variety->most == 0)
		return;
	for (uint32_t v = list_start(values, candidate); v < list_end(values, candidate); v++)
		variety->used[values->number[v]]++;
}

void
VarietyKeep(Variety *variety, uint32_t candidate)
{
	use(variety, candidate);
	variety->state[candidate] = VARIETY_KEPT;
}

void
VarietyTake(Variety *variety, uint32_t candidate)
{
	const VarietyLists *near = &variety->near;
	const VarietyLists *kinds = &variety->kinds;

	if (variety->state[candidate] == VARIETY_FREE)
		use(variety, candidate);
	variety->state[candidate] = VARIETY_TAKEN;
	variety->taken++;
	if (variety->calibrated > 0)
		for (uint32_t n = list_start(kinds, candidate); n < list_end(kinds, candidate); n++)
			variety->mass[kinds->number[n]] += variety->share[candidate];
	if (variety->diversity > 0 && candidate < variety->weighed)
		for (uint32_t n = list_start(near, candidate); n < list_end(near, candidate); n++)
			variety->nearest[near->number[n]] =
				fmaxf(variety->nearest[near->number[n]], variety->similarity[n]);
}
