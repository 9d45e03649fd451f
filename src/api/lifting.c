#include "api/lifting.h"

void
LiftingLearn(const Model *model, Contexts *contexts, const EventLog *log,
			 Lifts *lifts[CONTEXTS_MOST], Budget *budget)
{
	for (uint32 c = 0; c < contexts->count && !contexts->full; c++)
	{
		const Context *context = &contexts->context[c];
		LiftCounts counts = {.values = context->too_many ? 0 : context->values,
							 .items = log->items,
							 .count = (const uint32 *const *) context->count,
							 .users = (const uint32 *const *) context->users,
							 .words = contexts->words,
							 .min_support = model->settings.similarity.rule.min_support,
							 .rank = log->item_rank};

		lifts[c] = context->hours ? LiftsLearnHours(&counts, budget) : LiftsLearn(&counts, budget);
	}
	ContextsFree(contexts, budget);
}
