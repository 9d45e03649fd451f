#include "api/profile.h"

#include <math.h>

#include "utils/memutils.h"

/*
 * The scratch of the session: as many slots as the largest model asked so far, kept clean by
 * its users.  An error between filling and clearing it leaves `dirty` set, and the next user
 * starts anew.
 */
static struct
{
	void *memory;
	uint32 slots;
	bool dirty;
	RankScratch rank;
} scratch;

/* More slots than this are given back after use, so that no idle session sits on the memory. */
#define SCRATCH_KEPT 2000000

static RankScratch *
take_scratch(uint32 slots)
{
	if (scratch.memory && (scratch.dirty || scratch.slots < slots))
	{
		void *old = scratch.memory;

		scratch.memory = NULL;
		pfree(old);
	}
	if (scratch.memory == NULL)
	{
		Size bytes = ((Size) slots + 1) * RANK_SLOT_BYTES;
		void *memory = MemoryContextAllocHuge(TopMemoryContext, bytes);

		memset(memory, 0, bytes);
		RankScratchInit(&scratch.rank, memory, slots);
		scratch.memory = memory;
		scratch.slots = slots;
	}
	scratch.dirty = true;
	return &scratch.rank;
}

/* Gives the scratch back, clean. */
static void
return_scratch(void)
{
	scratch.dirty = false;
	if (scratch.slots > SCRATCH_KEPT)
	{
		void *old = scratch.memory;

		scratch.memory = NULL;
		pfree(old);
	}
}

/* A row of the profile, by the newest event of its item. */
typedef struct Dated
{
	TimestampTz newest;
	uint32 entry;
} Dated;

static int
newest_first(const void *a, const void *b)
{
	const Dated *x = a;
	const Dated *y = b;

	if (x->newest != y->newest)
		return x->newest > y->newest ? -1 : 1;
	return x->entry < y->entry ? -1 : x->entry > y->entry;
}

/* Lets only the newest items speak, as many as may count; the others are still known as seen. */
static void
shorten(Profile *profile)
{
	Dated *dated = palloc_extended(sizeof(Dated) * profile->count, MCXT_ALLOC_HUGE);

	for (uint32 e = 0; e < profile->count; e++)
		dated[e] = (Dated){profile->history->item[profile->rows[e].id].newest, e};
	qsort(dated, profile->count, sizeof(Dated), newest_first);
	for (uint32 n = profile->model->settings.max_history; n < profile->count; n++)
	{
		profile->entries[dated[n].entry].weight = 0;
		profile->entries[dated[n].entry].count = 0;
	}
	pfree(dated);
}

Profile *
ProfileRead(const Model *model, History *history)
{
	Profile *profile = palloc0(sizeof(Profile));

	profile->model = model;
	profile->history = history;
	if (IdSetCount(history->ids) == 0)
		return profile;

	profile->rows = LearnedRead(model, history->ids, &profile->count);
	profile->entries = palloc0(sizeof(RankEntry) * Max(profile->count, 1));
	for (uint32 e = 0; e < profile->count; e++)
	{
		const LearnedRow *row = &profile->rows[e];

		profile->entries[e] = (RankEntry){
			.weight = WeightingValue(model->settings.weighting, history->item[row->id].weight),
			.count = row->packed.scored,
			.item = row->packed.item,
			.similarity = row->packed.similarity,
		};
	}
	if (profile->count > model->settings.max_history)
		shorten(profile);
	profile->norm = RankNorm(profile->entries, profile->count);
	return profile;
}

ProfileCandidate *
ProfileCandidates(const Profile *profile, uint32 *count)
{
	RankScratch *rank = take_scratch(profile->model->item_slots);
	ProfileCandidate *candidates;

	RankScore(rank, profile->entries, profile->count, profile->norm);
	candidates =
		palloc_extended(sizeof(ProfileCandidate) * Max(rank->touched_count, 1), MCXT_ALLOC_HUGE);
	*count = 0;
	for (uint32 t = 0; t < rank->touched_count; t++)
	{
		uint32 item_no = rank->touched[t];

		if (rank->score[item_no] > 0 && isfinite(rank->score[item_no]))
			candidates[(*count)++] = (ProfileCandidate){item_no, rank->score[item_no]};
	}
	RankClear(rank);
	return_scratch();
	return candidates;
}

void
ProfileBecause(const Profile *profile, const uint32 *item_no, uint32 count, int64_t *because)
{
	RankScratch *rank = take_scratch(profile->model->item_slots);

	RankBecause(rank, profile->entries, profile->count, profile->norm, item_no, count, because);
	return_scratch();
}

double
ProfileScore(const Profile *profile, uint32 item_no)
{
	double score = 0;

	for (uint32 e = 0; e < profile->count; e++)
		score += RankShare(&profile->entries[e], profile->norm, item_no);
	return isfinite(score) ? score : 0;
}

bool
ProfileMatch(const Model *model, double score, double least, double *match)
{
	const Curve *curve = &model->curve;

	if (curve->knots == 0 || !(score > 0))
		return false;
	*match = rint(1000 * CurveAt(curve->score, curve->chance, curve->knots, score)) / 10;
	return *match >= least;
}
