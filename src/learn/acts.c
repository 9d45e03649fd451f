#include "learn/acts.h"

#include "math/decay.h"

uint64_t
ActsEnd(const Acts *acts, uint64_t begin)
{
	uint32_t item = ActsItem(acts, begin);
	uint64_t end = begin + 1;

	while (end < acts->count && ActsItem(acts, end) == item)
		end++;
	return end;
}

/* The first event of an item, or of the next there is. */
static uint64_t
find_item(const Acts *acts, uint32_t item)
{
	uint64_t low = 0;
	uint64_t high = acts->count;

	while (low < high)
	{
		uint64_t middle = low + (high - low) / 2;

		if (ActsItem(acts, middle) < item)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
add_event(const Acts *acts, const Event *event, double decay, Parts *parts)
{
	PartsAdd(parts, event->item & ((UINT32_C(1) << EVENTLOG_SIGNAL_BITS) - 1),
			 event->weight * decay);
}

/* What the events from one to another come to before the line, settled. */
static Parts
parts_of(const Acts *acts, uint64_t begin, uint64_t end)
{
	Parts parts = {0};

	for (const Event *event = acts->event + begin; event < acts->event + end; event++)
		if (event->age >= acts->line)
			add_event(acts, event,
					  DecayFactor((double) event->age - acts->present, acts->half_life), &parts);
	PartsSettle(&parts, acts->signals);
	return parts;
}

Parts
ActsPartsOf(const Acts *acts, uint32_t item)
{
	uint64_t begin = find_item(acts, item);

	return parts_of(acts, begin, ActsEnd(acts, begin));
}

bool
ActsChosen(const Acts *acts, uint64_t begin, uint64_t end, bool repeats)
{
	Parts later = {0};

	for (const Event *event = acts->event + begin; event < acts->event + end; event++)
		if (event->age < acts->line)
			add_event(acts, event, 1, &later);
		else if (event->weight != 0 && !repeats)
			return false;
	PartsSettle(&later, acts->signals);
	return later.part[0] > 0;
}

/* When the target chose an item that it chose on the whole: first of all, or with repeats last. */
static uint32_t
taken_up(const Acts *acts, uint64_t begin, uint64_t end, bool repeats)
{
	uint32_t first = 0;
	uint32_t last = UINT32_MAX;

	for (const Event *event = acts->event + begin; event < acts->event + end; event++)
		if (event->weight > 0)
		{
			first = Max(first, event->age);
			if (event->item == ActsCode(ActsItem(acts, begin), 0))
				last = Min(last, event->age);
		}
	if (last == UINT32_MAX)
		return UINT32_MAX;
	return repeats ? last : first;
}

uint32_t
ActsLast(const Acts *acts, bool repeats)
{
	uint32_t last = UINT32_MAX;

	for (uint64_t begin = 0, end; begin < acts->count; begin = end)
	{
		end = ActsEnd(acts, begin);
		last = Min(last, taken_up(acts, begin, end, repeats));
	}
	return last;
}

uint32_t
ActsLatest(const Acts *acts, uint32_t item, uint32_t line)
{
	uint64_t begin = find_item(acts, item);
	uint64_t end = ActsEnd(acts, begin);
	uint32_t latest = UINT32_MAX;

	for (const Event *event = acts->event + begin; event < acts->event + end; event++)
		if (event->weight > 0 && event->age > line)
			latest = Min(latest, event->age);
	return latest;
}
