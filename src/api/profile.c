#include "api/profileparts.h"

#include <math.h>

#include "data/events.h"
#include "data/learned.h"
#include "utils/memutils.h"

/* Rows of a model in memory that are sent for ahead: they lie anywhere. */
#define ROWS_AHEAD 8

/* An entry, by a time of its item. */
typedef struct Dated
{
	TimestampTz at;
	uint32 entry;
} Dated;

static int
newest_first(const void *a, const void *b)
{
	const Dated *x = a;
	const Dated *y = b;

	if (x->at != y->at)
		return x->at > y->at ? -1 : 1;
	return x->entry < y->entry ? -1 : x->entry > y->entry;
}

/* Lets only the newest items speak, as many as may count; the others are still known as seen. */
static void
shorten(Profile *profile)
{
	Dated *dated = palloc_extended(sizeof(Dated) * profile->count, MCXT_ALLOC_HUGE);

	for (uint32 e = 0; e < profile->count; e++)
		dated[e] = (Dated){profile->history->item[profile->place[e]].newest, e};
	qsort(dated, profile->count, sizeof(Dated), newest_first);
	for (uint32 n = profile->model->settings.max_history; n < profile->count; n++)
	{
		profile->entries[dated[n].entry].weight = 0;
		profile->entries[dated[n].entry].count = 0;
		profile->entries[dated[n].entry].content = 0;
	}
	pfree(dated);
}

uint32 *
ProfilePositions(const Profile *profile)
{
	uint32 *position = palloc_extended(sizeof(uint32) * Max(profile->count, 1), MCXT_ALLOC_HUGE);
	Dated *dated = palloc_extended(sizeof(Dated) * Max(profile->count, 1), MCXT_ALLOC_HUGE);
	TimestampTz last = 0;
	uint32 times = 0; /* so far, from the newest on */

	for (uint32 e = 0; e < profile->count; e++)
	{
		const HistoryItem *item = &profile->history->item[profile->place[e]];

		dated[e] = (Dated){EventsSeconds(item->weight > 0 ? item->chosen : item->newest), e};
	}
	qsort(dated, profile->count, sizeof(Dated), newest_first);
	for (uint32 n = 0; n < profile->count; n++)
	{
		const RankEntry *entry = &profile->entries[dated[n].entry];
		bool known = times > 0 && dated[n].at == last;

		if (entry->weight > 0 && !known)
		{
			last = dated[n].at;
			times++;
			known = true;
		}
		position[dated[n].entry] = times - known;
	}
	pfree(dated);
	return position;
}

/* Lets items speak the less, the more times there are at which the user chose something newer. */
static void
fade(Profile *profile, double recency)
{
	uint32 *position = ProfilePositions(profile);

	for (uint32 e = 0; e < profile->count; e++)
		profile->entries[e].weight *= DecayByPosition(recency, position[e]);
	pfree(position);
}

/* A profile with room for as many entries as may come. */
static Profile *
begin(const Model *model, History *history, uint32 room)
{
	Profile *profile = palloc0(sizeof(Profile));

	profile->model = model;
	profile->history = history;
	profile->place = palloc_extended(sizeof(uint32) * Max(room, 1), MCXT_ALLOC_HUGE);
	profile->entries = palloc_extended(sizeof(RankEntry) * Max(room, 1), MCXT_ALLOC_HUGE);
	return profile;
}

/*
 * Adds an item of the history, with what it speaks for.  A dislike speaks for nothing: what its
 * item speaks against, which comes last in a row, is no better for it.
 */
static void
add(Profile *profile, uint32 place, const Packed *packed)
{
	RankEntry *entry = &profile->entries[profile->count];

	profile->place[profile->count] = place;
	*entry = (RankEntry){
		.weight = WeightingValue(profile->model->settings.weighting,
								 profile->history->item[place].weight),
		.most = packed->most,
		.count = packed->scored,
		.content = packed->content,
		.source = packed->item_no,
		.item = packed->item,
		.similarity = packed->similarity,
	};
	profile->worn |= profile->history->item[place].wear > 0;
	while (entry->weight < 0 && entry->count > 0 && entry->similarity[entry->count - 1] < 0)
		entry->count--;
	profile->count++;
}

/* Makes a profile, still empty, one of factors; with none at hand they are asked for. */
static void
begin_factors(Profile *profile, const Fold *fold, const ItemFactors *held, uint32 room)
{
	ProfileFactors *factors = palloc0(sizeof(ProfileFactors));

	factors->fold = fold;
	factors->held = held;
	factors->entry = palloc_extended(sizeof(FoldEntry) * Max(room, 1), MCXT_ALLOC_HUGE);
	factors->taste = palloc(sizeof(float) * fold->width);
	factors->room = palloc(sizeof(float) * fold->width);
	factors->scratch = palloc(sizeof(float) * FoldScratch(fold->width));
	profile->factors = factors;
}

/* Adds an item of the history, with its factors. */
static void
add_factor(Profile *profile, uint32 place, uint32 item_no, const float *row)
{
	profile->factors->entry[profile->count].row = row;
	add(profile, place, &(Packed){.item_no = item_no});
}

/* Folds the user in. */
static void
fold_in(Profile *profile)
{
	ProfileFactors *factors = profile->factors;

	for (uint32 e = 0; e < profile->count; e++)
		factors->entry[e].weight = (float) profile->entries[e].weight;
	FoldIn(factors->fold, factors->entry, profile->count, factors->scratch, factors->taste);
}

static Profile *
finish(Profile *profile)
{
	double recency = SimilarityRecency(&profile->model->picked);

	if (profile->count > profile->model->settings.max_history)
		shorten(profile);
	if (profile->factors)
	{
		fold_in(profile);
		profile->norm = 1;
		profile->level = FoldLevel(profile->factors->entry, profile->count);
		return profile;
	}
	if (recency < 1 && OidIsValid(profile->model->time_type))
		fade(profile, recency);
	profile->norm = RankNorm(profile->entries, profile->count);
	profile->grid = RankGrid(profile->entries, profile->count, profile->norm);
	profile->level = RankLevel(profile->entries, profile->count);
	return profile;
}

/* A profile of factors, from the rows of the history's items. */
static Profile *
read_factors(const Model *model, History *history)
{
	const Fold *fold = ItemFactorFold(model);
	ItemFactorRow *rows = NULL;
	uint32 count = 0;
	Profile *profile;

	if (history->count > 0)
		rows = ItemFactorRead(model, fold, history->ids, &count);
	profile = begin(model, history, count);
	begin_factors(profile, fold, NULL, count);
	for (uint32 r = 0; r < count; r++)
		add_factor(profile, rows[r].id, rows[r].item_no, rows[r].row);
	return finish(profile);
}

Profile *
ProfileRead(const Model *model, History *history)
{
	Profile *profile;
	LearnedRow *rows = NULL;
	uint32 count = 0;

	if (model->algorithm == MODEL_FACTORS)
		return read_factors(model, history);
	if (history->count > 0)
		rows = LearnedRead(model, history->ids, &count);
	profile = begin(model, history, count);
	for (uint32 r = 0; r < count; r++)
		add(profile, rows[r].id, &rows[r].packed);
	return finish(profile);
}

Profile *
ProfileOf(const Model *model, History *history, const Packed *row, uint32 learned,
		  const ItemFactors *factors)
{
	Profile *profile = begin(model, history, history->count);

	if (factors)
		begin_factors(profile, factors->fold, factors, history->count);
	for (uint32 n = 0; n < history->count && history->item[n].id < learned; n++)
	{
		const Packed *packed = &row[history->item[n].id];

		if (n + ROWS_AHEAD < history->count && history->item[n + ROWS_AHEAD].id < learned)
			__builtin_prefetch(&row[history->item[n + ROWS_AHEAD].id]);
		if (factors == NULL)
			add(profile, n, packed);
		else if (factors->has[packed->item_no])
			add_factor(profile, n, packed->item_no,
					   factors->row + (size_t) packed->item_no * factors->fold->width);
	}
	return finish(profile);
}

Profile *
ProfileHeld(const Model *model, Held *held, History *history)
{
	Profile *profile = ProfileOf(model, history, held->row, held->learned, held->factors);

	profile->held = held;
	if (held->shortlist.sum)
		profile->shortened = palloc0(sizeof(ProfileShort));
	return profile;
}

const float *
ProfileTaste(const Profile *profile, const Fold **fold)
{
	if (profile->factors == NULL)
		return NULL;
	*fold = profile->factors->fold;
	return profile->factors->taste;
}

void
ProfileTasteShares(const Profile *profile, const float *other, double *share)
{
	const ProfileFactors *factors = profile->factors;

	FoldShares(factors->fold, factors->scratch, factors->entry, profile->count, factors->taste,
			   other, factors->room, share);
}

bool
ProfileMatch(const Model *model, double level, double score, double least, double *match)
{
	const Curve *curve = &model->curve;

	if (curve->knots == 0 || !(score > 0))
		return false;
	score *= level;
	*match = rint(1000 * CurveAt(curve->score, curve->chance, curve->knots, score)) / 10;
	return *match >= least;
}
