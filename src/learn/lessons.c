#include "learn/lessons.h"

#include <math.h>

#include "base/interrupts.h"
#include "math/hash.h"

#define DAY 86400.0

/* How people are dealt, in tenths. */
#define TENTHS 10
#define TRAIN  5
#define STOP   2

/* Makes the deal one of its own: who is held out of learning is drawn by the same hashes. */
#define DEAL UINT64_C(0x72616e6b)

/* The part of the budget's limit that lists may take. */
#define LIMIT_PART 4

/* Lists that are being read. */
typedef struct Reading
{
	const LessonsInput *input;
	Lessons *lessons;
	LessonScratch scratch;
	double *lift;
	uint32_t full; /* lists with rows */
} Reading;

LessonPart
LessonsPartOf(uint64_t user)
{
	uint64_t tenth = HashMix(user ^ DEAL) % TENTHS;

	return tenth < TRAIN ? LESSON_TRAIN : tenth < TRAIN + STOP ? LESSON_STOP : LESSON_TEST;
}

/* Days from an age of the log to the newest event of all. */
static double
days_of(const Popularity *popularity, uint32_t age)
{
	return age < popularity->newest_age ? 0 : (age - popularity->newest_age) / DAY;
}

/*
 * How many learners have each item.  Where people are held out they are counted among its users; what
 * they went on to choose must not tell.
 */
static uint32_t *
count_learners(const Interactions *matrix, Budget *budget)
{
	uint32_t *learners = BudgetZeroedResult(budget, Max(matrix->items, 1), sizeof(uint32_t));
	const Sparse *by_user = &matrix->by_user;

	for (uint64_t c = 0; c < by_user->start[matrix->learners]; c++)
	{
		INTERRUPTS_AT(c);
		learners[by_user->column[c]]++;
	}
	return learners;
}

FeatureItem *
LessonsItems(const LessonsInput *input, Budget *budget)
{
	const Interactions *matrix = input->lists.matrix;
	const Popularity *popularity = input->popularity;
	uint32_t *learners = NULL;
	FeatureRates rates = {popularity->popularity_offset, popularity->recent_offset,
						  popularity->trend_prior, input->timed};
	FeatureItem *about = BudgetAllocResult(budget, Max(matrix->items, 1), sizeof(FeatureItem));

	if (matrix->learners < matrix->users)
		learners = count_learners(matrix, budget);
	for (uint32_t i = 0; i < matrix->items; i++)
	{
		const ItemStat *stat = &matrix->stat[i];
		uint32_t users = learners ? learners[i] : stat->users;
		bool rare = users == 0 || (input->min_support > 1 && users < input->min_support);
		/* Those who are left of its users have as much of it each. */
		double longrun = popularity->longrun_log2[i] + log2(users / (double) Max(stat->users, 1));

		INTERRUPTS_AT(i);
		about[i] = FeaturesOfItem(&rates, rare ? NAN : longrun, popularity->recent_log2[i],
								  days_of(popularity, stat->oldest_age),
								  days_of(popularity, stat->newest_age));
	}
	BudgetFree(budget, learners);
	return about;
}

LessonScratch
LessonsScratch(const LessonsInput *input, uint32_t first, Budget *budget)
{
	return (LessonScratch){.about = LessonsItems(input, budget),
						   .evidence = BudgetAlloc(budget, first, sizeof(Evidence)),
						   .item = BudgetAlloc(budget, first, sizeof(FeatureItem))};
}

void
LessonsScratchFree(LessonScratch *scratch, Budget *budget)
{
	BudgetFree(budget, scratch->about);
	BudgetFree(budget, scratch->evidence);
	BudgetFree(budget, scratch->item);
}

void
LessonsDescribe(const LessonScratch *scratch, const EvaluationList *list, uint32_t length,
				const double *lift, float *x)
{
	FeatureList features = {.item = list->item,
							.evidence = scratch->evidence,
							.about = scratch->item,
							.lift = lift,
							.count = length,
							.history = (uint32_t) list->count,
							.level = list->level};

	EvidenceOf(list->scratch, list->entries, list->position, list->count, list->item, length,
			   scratch->evidence);
	for (uint32_t n = 0; n < length; n++)
		scratch->item[n] = scratch->about[list->item[n].item];
	FeaturesOf(&features, x);
}

/* The lifts of the first items of a list at the moment it is made for; NULL for none. */
static const double *
lifts_of(const Reading *reading, const RankItem *item, uint32_t length)
{
	const EvaluationServed *served = reading->input->lists.served;

	if (served == NULL || served->lift == NULL)
		return NULL;
	for (uint32_t n = 0; n < length; n++)
		reading->lift[n] = served->lift(item[n].item, served->with);
	return reading->lift;
}

static bool
wants_list(uint32_t user, void *with)
{
	const Reading *reading = with;

	return reading->full < reading->lessons->most;
}

/* Counts a list that nothing was chosen from: of those to test by, with nothing. */
static void
miss_list(const Reading *reading, uint64_t user, uint32_t relevant)
{
	Lessons *lessons = reading->lessons;

	if (LessonsPartOf(user) != LESSON_TEST)
		return;
	if (reading->input->lists.moments)
		lessons->list[lessons->lists++] = (Lesson){user, lessons->rows, 0, relevant, LESSON_TEST};
	else
		lessons->missed++;
}

/* Keeps a list with something chosen among its first items. */
static void
take_list(EvaluationList *list, void *with)
{
	Reading *reading = with;
	Lessons *lessons = reading->lessons;
	uint32_t length = Min(list->length, lessons->first);
	uint32_t hits = 0;
	uint64_t user = reading->input->lists.matrix->user[list->user];

	/* A user has several where they go by moments. */
	if (reading->full == lessons->most)
		return;
	for (uint32_t n = 0; n < length; n++)
		hits += lessons->chosen[lessons->rows + n] =
			list->chosen[list->item[n].item] == EVALUATION_CHOSEN;
	if (hits == 0)
	{
		miss_list(reading, user, list->chosen_count);
		return;
	}
	LessonsDescribe(&reading->scratch, list, length, lifts_of(reading, list->item, length),
					lessons->x + lessons->rows * FEATURES);
	lessons->list[lessons->lists++] =
		(Lesson){user, lessons->rows, length, list->chosen_count, LessonsPartOf(user)};
	reading->full++;
	lessons->rows += length;
}

/* Room for as many lists with rows as are wanted, or as there may be, and for so many in all. */
static void
make_room(Lessons *lessons, uint32_t first, uint32_t wanted, uint32_t all, Budget *budget)
{
	Size row = FEATURES * sizeof(float) + sizeof(unsigned char) + sizeof(uint32_t);
	uint64_t fit = BudgetLimit(budget) / LIMIT_PART / (row * first);

	memset(lessons, 0, sizeof(*lessons));
	lessons->first = first;
	lessons->most = (uint32_t) Min(fit, LESSONS_MOST);
	lessons->most = Min(lessons->most, wanted);
	lessons->list = BudgetAlloc(budget, Max(Max(all, lessons->most), 1), sizeof(Lesson));
	lessons->x =
		BudgetAlloc(budget, (uint64_t) lessons->most * first + 1, FEATURES * sizeof(float));
	lessons->chosen = BudgetAlloc(budget, ((uint64_t) lessons->most + 1) * first, 1);
}

void
LessonsRead(const LessonsInput *input, Lessons *lessons, Budget *budget)
{
	EvaluationInput lists = input->lists;
	const Interactions *matrix = lists.matrix;
	Reading reading = {input, lessons, LessonsScratch(input, input->first, budget),
					   BudgetAlloc(budget, input->first, sizeof(double)), 0};
	EvaluationOrder order = {input->first, wants_list, take_list, &reading};
	Evaluation evaluation;

	if (lists.moments)
		make_room(lessons, input->first, matrix->chosen_count, matrix->chosen_count, budget);
	else
		make_room(lessons, input->first, EvaluationUsers(matrix), 0, budget);
	lists.order = &order;
	EvaluationRun(&lists, &evaluation, budget);
	LessonsScratchFree(&reading.scratch, budget);
	BudgetFree(budget, reading.lift);
}

void
LessonsOpen(const LessonsInput *input, Lessons *lessons, Budget *budget)
{
	make_room(lessons, input->first, LESSONS_MOST, 0, budget);
	lessons->place =
		BudgetAlloc(budget, (uint64_t) lessons->most * input->first + 1, sizeof(uint32_t));
}

bool
LessonsAdd(Lessons *lessons, const LessonShown *shown)
{
	uint32_t hits = 0;

	Assert(shown->length >= 1 && shown->length <= lessons->first);
	if (lessons->lists == lessons->most)
		return false;
	memcpy(lessons->x + lessons->rows * FEATURES, shown->x,
		   sizeof(float) * FEATURES * shown->length);
	memcpy(lessons->chosen + lessons->rows, shown->chosen, shown->length);
	memcpy(lessons->place + lessons->rows, shown->place, sizeof(uint32_t) * shown->length);
	for (uint32_t n = 0; n < shown->length; n++)
		hits += shown->chosen[n];
	if (hits == 0)
		return true;
	lessons->list[lessons->lists++] =
		(Lesson){shown->user, lessons->rows, shown->length, hits, shown->part};
	lessons->rows += shown->length;
	return true;
}

void
LessonsClose(Lessons *lessons, Budget *budget)
{
	BudgetFree(budget, lessons->list);
	BudgetFree(budget, lessons->x);
	BudgetFree(budget, lessons->chosen);
	BudgetFree(budget, lessons->place);
}
