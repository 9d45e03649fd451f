#include "data/rare.h"

#include <math.h>

void
RareHide(const Model *model, LearnedItem *items, uint32 count)
{
	int64 min_support = model->settings.similarity.rule.min_support;

	for (uint32 i = 0; i < count; i++)
	{
		LearnedItem *item = &items[i];

		if (item->users >= min_support || min_support <= 1)
			continue;
		item->events = 0;
		item->users = 0;
		item->popularity_log2 = NAN;
		item->recent_log2 = NAN;
		item->trending_rank = 0;
	}
}
