#include "api/rating.h"

#include "data/learned.h"

/* True for shelves whose items have what speaks for them already. */
static bool
is_rated(const Shelf *shelf)
{
	return shelf->kind == SHELF_CONTINUE || shelf->kind == SHELF_TOP;
}

/* Puts the numbers under which items were learned beside those of shelves; returns how many have one. */
static uint32
number_items(const ShelfAsk *ask, List *shelves)
{
	const Stock *stock = ask->stock;
	IdSet *ids = stock->held ? NULL : IdSetCreate(ask->model->item_kind, ask->budget);
	const uint32 *item_no = stock->item_no;
	uint32 learned = stock->held ? stock->held->learned : UINT32_MAX;
	uint32 count = 0;
	ListCell *cell;

	foreach (cell, shelves)
	{
		Shelf *shelf = lfirst(cell);

		for (uint32 n = 0; ids && n < shelf->count && !is_rated(shelf); n++)
			shelf->item[n].item_no = IdSetAdd(ids, IdSetDatum(ask->ids, shelf->item[n].number));
	}
	if (ids)
		item_no = LearnedPlaces(ask->model, ids, ask->budget);
	foreach (cell, shelves)
	{
		Shelf *shelf = lfirst(cell);

		for (uint32 n = 0; n < shelf->count && !is_rated(shelf); n++)
		{
			uint32 at = ids ? shelf->item[n].item_no : shelf->item[n].number;

			shelf->item[n].item_no = at < learned ? item_no[at] : ID_NONE;
			count += shelf->item[n].item_no != ID_NONE;
		}
	}
	return count;
}

void
RatingMake(const ShelfAsk *ask, List *shelves)
{
	uint32 count = number_items(ask, shelves);
	uint32 *item_no = palloc(sizeof(uint32) * Max(count, 1));
	double *score = palloc(sizeof(double) * Max(count, 1));
	ListCell *cell;

	if (ask->profile->count == 0 || count == 0)
		return;
	count = 0;
	foreach (cell, shelves)
	{
		Shelf *shelf = lfirst(cell);

		for (uint32 n = 0; n < shelf->count && !is_rated(shelf); n++)
			if (shelf->item[n].item_no != ID_NONE)
				item_no[count++] = shelf->item[n].item_no;
	}
	ProfileScores(ask->profile, item_no, count, score);
	count = 0;
	foreach (cell, shelves)
	{
		Shelf *shelf = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		for (uint32 n = 0; n < shelf->count && !is_rated(shelf); n++)
			if (shelf->item[n].item_no != ID_NONE)
			{
				shelf->item[n].score = Max(score[count], 0);
				count++;
			}
	}
}

void
RatingJudge(const ShelfAsk *ask, ShelfItem *item)
{
	if (!item->judged && item->score > 0)
		item->matched = ProfileMatch(ask->model, ask->profile->level, item->score,
									 ask->model->settings.min_match, &item->match);
	item->judged = true;
}

void
RatingExplain(const ShelfAsk *ask, ShelfItem **items, uint32 count)
{
	uint32 *item_no = palloc(sizeof(uint32) * Max(count, 1));
	int64_t *because = palloc(sizeof(int64_t) * Max(count, 1));

	for (uint32 n = 0; n < count; n++)
		item_no[n] = items[n]->item_no;
	if (count > 0)
		ProfileBecause(ask->profile, item_no, count, because);
	for (uint32 n = 0; n < count; n++)
		if (because[n] >= 0)
			items[n]->because = ask->history->item[ask->profile->place[because[n]]].id;
	pfree(item_no);
	pfree(because);
}
