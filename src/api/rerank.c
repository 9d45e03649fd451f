#include "api/rerank.h"

#include <math.h>

#include "data/reranker.h"

struct Rerank
{
	const Model *model;
	Reranker *reranker;
	FeatureItem *held; /* of all items, by number, where the model is in memory */
	FeatureItem *about;
	Evidence *evidence;
	double *lift;
	float *x;
	double *value;
};

Rerank *
RerankOpen(const Model *model, bool held, Budget *budget)
{
	MemoryContext caller = MemoryContextSwitchTo(BudgetContext(budget));
	Rerank *rerank = palloc0(sizeof(Rerank));
	Size first;

	rerank->model = model;
	rerank->reranker = RerankerRead(model);
	first = rerank->reranker->first;
	if (held)
		rerank->held = RerankerAllItems(model, budget);
	rerank->about = palloc(sizeof(FeatureItem) * first);
	rerank->evidence = palloc(sizeof(Evidence) * first);
	rerank->lift = palloc(sizeof(double) * first);
	rerank->x = palloc(sizeof(float) * FEATURES * first);
	rerank->value = palloc(sizeof(double) * first);
	MemoryContextSwitchTo(caller);
	return rerank;
}

uint32
RerankFirst(const Rerank *rerank)
{
	return rerank->reranker->first;
}

void
RerankRead(const Profile *profile, const RankItem *items, uint32 count, const FeatureItem *about,
		   const double *lift, Evidence *evidence, float *x)
{
	FeatureList list = {.item = items,
						.evidence = evidence,
						.about = about,
						.lift = lift,
						.count = count,
						.level = profile->level};

	for (uint32 e = 0; e < profile->count; e++)
		list.history += profile->entries[e].weight > 0;
	ProfileSpeaking(profile, items, count, evidence);
	FeaturesOf(&list, x);
}

void
RerankList(Rerank *rerank, const Profile *profile, const ContextLifts *lifts, const RankItem *items,
		   uint32 count, uint32 *order, double *score)
{
	if (count == 0)
		return;
	for (uint32 n = 0; rerank->held && n < count; n++)
		rerank->about[n] = rerank->held[items[n].item];
	if (rerank->held == NULL)
		RerankerItems(rerank->model, items, count, rerank->about);
	for (uint32 n = 0; n < count; n++)
		rerank->lift[n] = ContextsLift(lifts, items[n].item);
	RerankRead(profile, items, count, rerank->about, rerank->lift, rerank->evidence, rerank->x);
	RerankerOrder(rerank->reranker, rerank->x, count, rerank->value, order);

	/* From the last up, each above the next, and all above whatever comes after. */
	for (uint32 n = count; n-- > 0;)
		score[n] =
			Max(items[n].score, nextafter(n + 1 < count ? score[n + 1] : items[n].score, INFINITY));
}
