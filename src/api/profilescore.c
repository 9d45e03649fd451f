/*
 * profilescore.c: what a profile makes of items: the best of all, the scores of some, and why.
 */
#include "api/profileparts.h"

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

/* Candidates that are no matter to have room for. */
#define FEW 1024

/* Of the rows, one part in so many is read to find what counts most. */
#define ROWS_READ 4

/* More slots than this are given back after use, so that no idle session sits on the memory. */
#define SCRATCH_KEPT 2000000

static RankScratch *
take_scratch(const Profile *profile)
{
	uint32 slots = profile->model->item_slots;

	if (profile->held)
		return &profile->held->scratch;
	if (scratch.memory && (scratch.dirty || scratch.slots < slots))
	{
		void *old = scratch.memory;

		scratch.memory = NULL;
		pfree(old);
	}
	if (scratch.memory == NULL)
	{
		Size bytes = RankScratchBytes(slots);
		void *memory = MemoryContextAllocHuge(TopMemoryContext, bytes);

		memset(memory, 0, bytes);
		RankScratchInit(&scratch.rank, memory, slots);
		scratch.memory = memory;
		scratch.slots = slots;
	}
	scratch.dirty = true;
	scratch.rank.slots = slots;
	return &scratch.rank;
}

/* Gives the scratch back, clean. */
static void
return_scratch(const Profile *profile)
{
	if (profile->held)
		return;
	scratch.dirty = false;
	if (scratch.slots > SCRATCH_KEPT)
	{
		void *old = scratch.memory;

		scratch.memory = NULL;
		pfree(old);
	}
}

/* The score of an item by its factors. */
static double
score_of(const ProfileFactors *factors, const float *row)
{
	return FoldScore(factors->taste, row, factors->fold->width);
}

static void
take_score(uint32 item_no, const float *row, void *with)
{
	ProfileFactors *factors = with;

	factors->score[item_no] = score_of(factors, row);
}

/*
 * Asks for the scores of all items by factors, where they are not at hand.  Before the scratch is
 * taken: a policy on the table may ask questions of its own, which take it, too.
 */
static void
know_scores(const Profile *profile)
{
	ProfileFactors *factors = profile->factors;

	if (factors == NULL || factors->held || factors->score)
		return;
	factors->score = palloc_extended(sizeof(double) * Max(profile->model->item_slots, 1),
									 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	ItemFactorEach(profile->model, factors->fold, take_score, factors);
}

/* Scores every item that may be shown, by factors. */
static void
score_factors(const Profile *profile, RankScratch *rank)
{
	ProfileFactors *factors = profile->factors;
	uint32 slots = profile->model->item_slots;
	const Held *held = profile->held;

	RankReachAll(rank);
	if (factors->held)
	{
		FoldScores(factors->taste, factors->held->row, slots, factors->fold->width, rank->score);
		for (uint32 n = 0; held && n < held->hidden_count; n++)
			RankStrike(rank, held->hidden[n]);
		return;
	}
	memcpy(rank->score, factors->score, sizeof(double) * slots);
}

/* Scores every item there is evidence for, in a scratch that is clear. */
static void
score_all(const Profile *profile, RankScratch *rank)
{
	if (profile->factors)
		score_factors(profile, rank);
	else
		RankScore(rank, profile->entries, profile->count, profile->norm);
}

/* The factors of some items, one row after the other; 0 where there are none. */
static float *
factors_of(const Profile *profile, const uint32 *item_no, uint32 count)
{
	const ProfileFactors *factors = profile->factors;
	uint32 width = factors->fold->width;
	float *rows = palloc_extended(sizeof(float) * width * Max(count, 1), MCXT_ALLOC_HUGE);

	if (factors->held == NULL)
		ItemFactorNumbers(profile->model, factors->fold, item_no, count, rows);
	for (uint32 n = 0; factors->held && n < count; n++)
		memcpy(rows + (size_t) n * width, factors->held->row + (size_t) item_no[n] * width,
			   sizeof(float) * width);
	return rows;
}

/* Takes those candidates out of the running that some rule keeps out. */
static void
apply_rules(const Profile *profile, const ProfileRules *rules, RankScratch *rank)
{
	for (uint32 e = 0; e < profile->count; e++)
		if (ProfileKeepsOut(&profile->history->item[profile->place[e]], rules->seen))
			RankStrike(rank, profile->entries[e].source);
	for (uint32 n = 0; n < rules->exclude_count; n++)
		RankStrike(rank, rules->exclude[n]);
	if (rules->among)
	{
		double *saved =
			palloc_extended(sizeof(double) * Max(rules->among_count, 1), MCXT_ALLOC_HUGE);

		RankKeep(rank, rules->among, rules->among_count, saved);
		pfree(saved);
	}
}

/* Lowers what was shown without a click. */
static void
apply_fatigue(const Profile *profile, RankScratch *rank)
{
	for (uint32 e = 0; e < profile->count; e++)
		RankTimes(rank, profile->entries[e].source,
				  HistoryWear(&profile->history->item[profile->place[e]]));
}

/* The scores of all candidates, in a scratch to be cleared and returned. */
static RankScratch *
score_candidates(const Profile *profile, const ProfileRules *rules)
{
	RankScratch *rank;

	know_scores(profile);
	rank = take_scratch(profile);
	score_all(profile, rank);
	if (profile->worn)
		apply_fatigue(profile, rank);
	for (uint32 n = 0; rules->lifts && n < rules->lifts->count; n++)
		RankTimes(rank, rules->lifts->lift[n].item_no, rules->lifts->lift[n].lift);
	apply_rules(profile, rules, rank);
	return rank;
}

double
ProfileSum(const Profile *profile, const ProfileRules *rules)
{
	double sum = RankSum(score_candidates(profile, rules));

	return_scratch(profile);
	return sum;
}

/* True where nothing but the history decides what comes, and a short list may be long enough. */
static bool
can_shorten(const Profile *profile, const ProfileRules *rules, uint32 most)
{
	return profile->shortened && most <= SHORTLIST_MOST && !profile->worn &&
		   rules->exclude_count == 0 && rules->among == NULL &&
		   (rules->lifts == NULL || rules->lifts->count == 0);
}

/* The best by way of a short list, as many as were asked for; NULL where that does not tell. */
static RankItem *
best_by_shortlist(const Profile *profile, const ProfileRules *rules, uint32 most)
{
	Shortlist *list = &profile->held->shortlist;
	ProfileShort *found = profile->shortened;
	RankItem *best;

	ShortlistAdd(list, profile->entries, profile->count, profile->norm);
	for (uint32 e = 0; e < profile->count; e++)
		if (ProfileKeepsOut(&profile->history->item[profile->place[e]], rules->seen))
			ShortlistStrike(list, profile->entries[e].source);
	if (!ShortlistBest(list, profile->entries, profile->count, profile->norm, profile->grid, most,
					   found->best, found->because))
		return NULL;
	found->count = most;
	best = palloc(sizeof(RankItem) * most);
	memcpy(best, found->best, sizeof(RankItem) * most);
	return best;
}

RankItem *
ProfileBest(const Profile *profile, const ProfileRules *rules, uint32 most, uint32 *count)
{
	RankScratch *rank;
	RankItem *best;

	if (can_shorten(profile, rules, most))
	{
		best = best_by_shortlist(profile, rules, most);
		if (best)
		{
			*count = most;
			return best;
		}
	}
	rank = score_candidates(profile, rules);
	/* Room for few is had at once; that for all would be more than there is to put in. */
	if (most > FEW)
		most = Max(Min(most, RankReached(rank)), 1);
	best = palloc_extended(sizeof(RankItem) * most, MCXT_ALLOC_HUGE);
	*count = RankTop(rank, best, most);
	return_scratch(profile);
	return best;
}

/*
 * True where the columns of a few items are less to read than the rows of the entries, of which a
 * part is: a row is left once the rest of it cannot count most.
 */
static bool
are_columns_shorter(const Profile *profile, const uint32 *item_no, uint32 count)
{
	const RankColumns *columns = &profile->held->columns;
	uint64 of_rows = 0;
	uint64 of_columns = 0;

	for (uint32 e = 0; e < profile->count; e++)
		of_rows += profile->entries[e].count;
	for (uint32 n = 0; n < count; n++)
		of_columns += columns->start[item_no[n] + 1] - columns->start[item_no[n]];
	return of_columns < of_rows / ROWS_READ;
}

/* The entry with the greatest part in the score of each of a few items, by factors. */
static void
because_factors(const Profile *profile, const uint32 *item_no, uint32 count, int64_t *because)
{
	float *rows = factors_of(profile, item_no, count);
	double *share = palloc_extended(sizeof(double) * Max(profile->count, 1), MCXT_ALLOC_HUGE);

	for (uint32 n = 0; n < count; n++)
	{
		double greatest = 0;

		CHECK_FOR_INTERRUPTS();
		because[n] = -1;
		ProfileTasteShares(profile, rows + (size_t) n * profile->factors->fold->width, share);
		for (uint32 e = 0; e < profile->count; e++)
			if (share[e] > greatest)
			{
				greatest = share[e];
				because[n] = e;
			}
	}
	pfree(share);
	pfree(rows);
}

/* The same from what came of the last short list; false where it lacks one of them. */
static bool
because_by_shortlist(const Profile *profile, const uint32 *item_no, uint32 count, int64_t *because)
{
	const ProfileShort *found = profile->shortened;
	uint32 at = 0;

	if (found == NULL)
		return false;
	/* Whoever asks goes by the order of the list. */
	for (uint32 n = 0; n < count; n++, at++)
	{
		while (at < found->count && found->best[at].item != item_no[n])
			at++;
		if (at == found->count)
			return false;
		because[n] = found->because[at];
	}
	return true;
}

void
ProfileBecause(const Profile *profile, const uint32 *item_no, uint32 count, int64_t *because)
{
	RankScratch *rank;

	if (profile->factors)
	{
		because_factors(profile, item_no, count, because);
		return;
	}
	if (because_by_shortlist(profile, item_no, count, because))
		return;
	rank = take_scratch(profile);
	if (profile->held && are_columns_shorter(profile, item_no, count))
		RankBecauseColumns(rank, &profile->held->columns, profile->entries, profile->count,
						   profile->norm, item_no, count, because);
	else
		RankBecause(rank, profile->entries, profile->count, profile->norm, item_no, count, because);
	return_scratch(profile);
}

void
ProfileSpeaking(const Profile *profile, const RankItem *items, uint32 count, Evidence *evidence)
{
	uint32 *position = OidIsValid(profile->model->time_type)
						   ? ProfilePositions(profile)
						   : palloc_extended(sizeof(uint32) * Max(profile->count, 1),
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	/* By factors no item of the history has a row: there is no telling. */
	EvidenceOf(take_scratch(profile), profile->entries, position, profile->count, items, count,
			   evidence);
	return_scratch(profile);
	pfree(position);
}

/* True where attributes alone speak for anything. */
static bool
has_content(const Profile *profile)
{
	for (uint32 e = 0; e < profile->count; e++)
		if (profile->entries[e].content > 0)
			return true;
	return false;
}

void
ProfileContent(const Profile *profile, const uint32 *item_no, uint32 count, double *part)
{
	RankScratch *rank;

	memset(part, 0, sizeof(double) * count);
	if (!has_content(profile))
		return;
	rank = take_scratch(profile);
	RankContent(rank, profile->entries, profile->count, profile->norm, item_no, count, part);
	return_scratch(profile);
}

uint32 *
ProfileEvidence(const Profile *profile, uint32 *count)
{
	RankScratch *rank;
	uint32 *item_no;

	know_scores(profile);
	rank = take_scratch(profile);
	score_all(profile, rank);
	item_no = palloc_extended(sizeof(uint32) * (RankReached(rank) + 1), MCXT_ALLOC_HUGE);
	*count = RankScored(rank, item_no);
	RankClear(rank);
	return_scratch(profile);
	return item_no;
}

/* A score as it is shown: one that is no number is none. */
static double
shown(double score)
{
	return isfinite(score) ? score : 0;
}

/* The scores of a list of items by factors, as they are where those of all are known. */
static void
score_by_factors(const Profile *profile, const uint32 *item_no, uint32 count, double *score)
{
	const ProfileFactors *factors = profile->factors;
	float *rows = factors->score ? NULL : factors_of(profile, item_no, count);

	for (uint32 n = 0; n < count; n++)
		score[n] = shown(rows ? score_of(factors, rows + (size_t) n * factors->fold->width)
							  : factors->score[item_no[n]]);
	if (rows)
		pfree(rows);
}

void
ProfileScores(const Profile *profile, const uint32 *item_no, uint32 count, double *score)
{
	RankScratch *rank;

	if (profile->factors)
	{
		score_by_factors(profile, item_no, count, score);
		return;
	}
	rank = take_scratch(profile);
	score_all(profile, rank);
	for (uint32 n = 0; n < count; n++)
		score[n] = shown(rank->score[item_no[n]]);
	RankClear(rank);
	return_scratch(profile);
}

void
ProfileShares(const Profile *profile, uint32 item_no, double *share)
{
	if (profile->factors)
	{
		float *row = factors_of(profile, &item_no, 1);

		ProfileTasteShares(profile, row, share);
		pfree(row);
		return;
	}
	for (uint32 e = 0; e < profile->count; e++)
		share[e] = RankShare(&profile->entries[e], profile->norm, profile->grid, item_no);
}

double
ProfileSimilarity(const Profile *profile, uint32 entry, uint32 item_no, double share)
{
	const RankEntry *of = &profile->entries[entry];

	if (profile->factors)
		return of->weight != 0 ? share / of->weight : 0;
	for (uint32 n = 0; n < of->count; n++)
		if (of->item[n] == item_no)
			return of->similarity[n];
	return 0;
}

double
ProfileScore(const Profile *profile, uint32 item_no)
{
	double score = 0;

	if (profile->factors)
		ProfileScores(profile, &item_no, 1, &score);
	for (uint32 e = 0; e < profile->count && profile->factors == NULL; e++)
		score += RankShare(&profile->entries[e], profile->norm, profile->grid, item_no);
	return shown(score);
}

static int
by_source(const void *a, const void *b)
{
	uint32 x = ((const RankEntry *) a)->source;
	uint32 y = ((const RankEntry *) b)->source;

	return x < y ? -1 : x > y;
}

/* True where an item was shown without a click. */
static bool
is_worn(const Profile *profile, uint32 item_no)
{
	RankEntry wanted = {.source = item_no};
	const RankEntry *entry;

	if (!profile->worn)
		return false;
	entry = bsearch(&wanted, profile->entries, profile->count, sizeof(RankEntry), by_source);
	return entry && profile->history->item[profile->place[entry - profile->entries]].wear > 0;
}

double
ProfileFresh(const Profile *profile, const ContextLifts *lifts, const RankItem *candidate)
{
	if (!is_worn(profile, candidate->item) && ContextsLift(lifts, candidate->item) == 1)
		return candidate->score;
	return ProfileScore(profile, candidate->item);
}
