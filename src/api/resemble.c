#include "api/resemble.h"

Resemblance
ResembleRead(const Model *model, IdSet *ids, Budget *budget)
{
	Resemblance resemblance = {.model = model, .ids = ids, .budget = budget};

	if (model->has_items && model->settings.content > 0)
		resemblance.attributes = AttributesRead(model, ids, budget);
	return resemblance;
}

/* Says that new items get no neighbours this time. */
static void
leave_content_out(const Model *model)
{
	ereport(NOTICE,
			(errmsg("attributes of items are left out for want of memory"),
			 errdetail("New items of model \"%s\" have no neighbours until the next refresh.",
					   model->name),
			 errhint("Raise maintenance_work_mem, or set \"content\" to 0.")));
}

/* Puts ids in order by their rank, which says where each one comes in an order of their own. */
#define ST_SORT                sort_by_rank
#define ST_ELEMENT_TYPE        uint32
#define ST_COMPARE(a, b, rank) (rank[*(a)] < rank[*(b)] ? -1 : rank[*(a)] > rank[*(b)])
#define ST_COMPARE_ARG_TYPE    const uint32
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Gives every id a place: items of the matrix in its order, then the others in that of their ids.
 * Returns the places.
 */
static uint32 *
place_items(Resemblance *resemblance, const Interactions *matrix)
{
	Budget *budget = resemblance->budget;
	uint32 count = IdSetCount(resemblance->ids);
	uint32 known = matrix->by_user.columns;
	uint32 others = count - known;
	uint32 *rank = IdSetRanks(resemblance->ids);
	uint32 *place = BudgetAlloc(budget, count, sizeof(uint32));

	resemblance->other = BudgetAlloc(budget, others, sizeof(uint32));
	for (uint32 i = 0; i < known; i++)
		place[matrix->item[i]] = i;
	for (uint32 n = 0; n < others; n++)
		resemblance->other[n] = known + n;
	sort_by_rank(resemblance->other, others, rank);
	for (uint32 n = 0; n < others; n++)
		place[resemblance->other[n]] = known + n;
	BudgetFree(budget, rank);
	return place;
}

/* Finds what the attributes say, and gives them back. */
static void
learn_content(Resemblance *resemblance, const Interactions *matrix, uint32 k)
{
	Attributes *attributes = resemblance->attributes;
	Budget *budget = resemblance->budget;
	LikenessInput input = {.by_token = &attributes->by_token,
						   .column = attributes->column,
						   .columns = attributes->columns,
						   .catalogue = attributes->items,
						   .stat = matrix->stat,
						   .known = matrix->by_user.columns,
						   .content = resemblance->model->settings.content};

	resemblance->attributes = NULL;
	if (!attributes->out_of_memory && attributes->by_token.rows > 0)
	{
		uint32 *place = place_items(resemblance, matrix);

		input.place = place;
		if (ContentBytes(&input, k) > BudgetLeft(budget))
			attributes->out_of_memory = true;
		else
			resemblance->content = ContentLearn(&input, k, budget);
		BudgetFree(budget, place);
	}
	if (attributes->out_of_memory)
		leave_content_out(resemblance->model);
	AttributesFree(attributes, budget);
}

Neighbors *
ResembleMix(Resemblance *resemblance, const Interactions *matrix, uint32 k, Neighbors *neighbors)
{
	if (resemblance->attributes)
		learn_content(resemblance, matrix, Min(k, CONTENT_K));
	if (resemblance->content == NULL)
		return neighbors;
	return ContentMix(resemblance->content, neighbors, k, resemblance->budget);
}

Neighbors *
ResembleMixKnown(Resemblance *resemblance, const Interactions *matrix, uint32 k,
				 Neighbors *neighbors)
{
	neighbors = ResembleMix(resemblance, matrix, k, neighbors);
	NeighborsCut(neighbors, matrix->items);
	return neighbors;
}
