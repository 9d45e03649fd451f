/*
 * arrange.c: lists in another order than that of the scores: variety, and the owner's rules.
 *
 * The rows of the plain list are gathered, as many as a list may need, with what rules name besides,
 * and put in the order of their scores times boosts.  Then places are given away one at a time: to
 * what is pinned there, to a share that must have it, and else to what math/variety says is next.
 * Where rows run out before the list is full, more are gathered and it is made anew.
 *
 * Everything is settled by the order of the whole list and never by k, so that a list is always the
 * beginning of a longer one: the best WEIGHED rows are weighed against each other whatever k is,
 * shares are kept at every length, a row pinned further on waits for its place.
 *
 * Scores must go on saying the order, for whoever sorts by them after a join: a row that comes
 * before one with a greater score gets the next greater number.
 */
#include "api/arrange.h"

#include <float.h>
#include <math.h>

#include "api/arrangement.h"
#include "api/weigh.h"
#include "math/variety.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Rows that are weighed; enough for lists that people look at, and read in some milliseconds. */
#define WEIGHED 500

/* Where rows gathered were not enough, as many times more. */
#define MORE 8

/* The parts of the order of rows. */
typedef enum Part
{
	PART_PERSONAL, /* what the history speaks for, as far as no row unknown can come before */
	PART_FALLBACK,
	PART_OTHER /* there for its pin or its share only */
} Part;

/* A row that was gathered. */
typedef struct Entry
{
	RecommendRow row;
	Part part;
	uint32 place; /* among those gathered */
} Entry;

/* A place, from 1, and the row that is pinned there; VARIETY_NONE once it was taken. */
typedef struct Pinned
{
	uint32 place;
	uint32 row;
} Pinned;

/* A list while it is arranged. */
typedef struct Work
{
	RecommendAsk *ask;
	const Profile *profile;
	Arrangement *plan;

	IdSet *known; /* numbers of the rows gathered, in their order */
	Entry *entry;
	uint32 room;
	bool all;          /* the plain list has no more rows, */
	bool personal_all; /* at least none that the history speaks for */
	uint32 growth;     /* as many times as much as at first is gathered */
	bool *fetch;       /* by share: its items are gathered, too, */
	bool *partial;     /* and there may be more of them */

	RecommendRow *row; /* in order */
	uint32 count;
	uint32 personal; /* of them, the first part, */
	uint32 in_order; /* and that with the second */
	Variety variety;
	Pinned *pinned; /* in order of place */
	uint32 pins;
	uint32 next_pin; /* the first that may still wait */
	Quota *quotas;
	uint32 *first_of; /* by share: the first row that may be for it */

	uint32 *order; /* what was taken, as places in row */
	uint32 taken;
} Work;

/* True where rows are weighed, and not just taken in order. */
static bool
weighs(const Arrangement *plan)
{
	return plan->diversity > 0 || plan->calibrated > 0;
}

/* Adds the rows that were gathered last, but for those known. */
static void
add_rows(Work *work, uint32 personal, Part rest)
{
	const RecommendAsk *ask = work->ask;

	for (uint32 r = 0; r < ask->listed; r++)
	{
		uint32 known = IdSetCount(work->known);

		if (IdSetAdd(work->known, Int64GetDatum(ask->row[r].number)) != known)
			continue;
		if (known == work->room)
		{
			work->room = Max(64, work->room * 2);
			work->entry = BudgetResize(ask->budget, work->entry, work->room, sizeof(Entry));
		}
		work->entry[known] = (Entry){
			.row = ask->row[r], .part = r < personal ? PART_PERSONAL : rest, .place = known};
	}
}

/*
 * Gathers rows of the plain list: at least so many if there are, 0 for all.  Returns the score below
 * which there may be others that the history speaks for.
 */
static double
gather_plain(Work *work, uint32 wanted)
{
	RecommendAsk *ask = work->ask;
	uint32 most = wanted == 0 ? 0 : weighs(work->plan) ? Max(wanted, WEIGHED) : wanted;
	uint32 personal = RecommendGather(ask, work->profile, most, wanted);

	work->all = wanted == 0 || ask->listed < wanted;
	work->personal_all = wanted == 0 || personal < most;
	add_rows(work, personal, PART_FALLBACK);
	return work->personal_all ? 0 : ask->row[personal - 1].score;
}

/* The items a share is for. */
static IdSet *
group_of(Work *work, uint32 share)
{
	RecommendAsk *ask = work->ask;
	const Rule *rule = work->plan->shared[share];
	IdSet **group = &work->plan->groups[share];

	if (*group == NULL)
	{
		*group = IdSetCreate(ask->model->item_kind, ask->budget);
		if (rule->item != ID_NONE)
			IdSetAdd(*group, IdSetDatum(ask->ids, rule->item));
		else
			ValuesItems(rule->values, rule->value, *group);
	}
	return *group;
}

/* Gathers what rules name besides: pins, items raised, and items of shares that want some. */
static void
gather_special(Work *work)
{
	RecommendAsk *ask = work->ask;
	Arrangement *plan = work->plan;
	bool fallback = ask->fallback;

	if (IdSetCount(plan->special) > 0)
	{
		/* A pin needs no evidence, and is no fallback. */
		ask->fallback = true;
		add_rows(work, RecommendGatherSome(ask, work->profile, plan->special, 0, 0), PART_OTHER);
		ask->fallback = fallback;
	}
	for (uint32 s = 0; s < plan->shares; s++)
	{
		uint64 wanted = (uint64) QuotaDue(plan->quotas[s].share, ask->k) * work->growth;
		uint32 most = wanted > PG_INT32_MAX ? 0 : (uint32) wanted;

		if (!work->fetch[s])
			continue;
		/* What boosts of values raise may come from far down. */
		add_rows(work,
				 RecommendGatherSome(ask, work->profile, group_of(work, s),
									 plan->boost_most > 1 ? 0 : most, most),
				 PART_OTHER);
		work->partial[s] = most > 0 && ask->listed >= most;
	}
}

/*
 * Multiplies scores by boosts, and sorts out rows that others may come before, who were not
 * gathered: those have a score of at most so much.
 */
static void
boost(Work *work, uint32 plain, double unknown)
{
	const Arrangement *plan = work->plan;
	uint32 count = IdSetCount(work->known);
	uint32 *number = palloc_extended(sizeof(uint32) * ((Size) count + 1), MCXT_ALLOC_HUGE);

	for (uint32 e = 0; e < count; e++)
		number[e] = work->entry[e].row.number;
	RulesKnow(plan->rules, number, count);
	pfree(number);
	unknown *= plan->boost_most;
	for (uint32 e = 0; e < count; e++)
	{
		Entry *entry = &work->entry[e];

		if (entry->part != PART_PERSONAL)
			continue;
		if (plan->boosts)
			entry->row.score =
				Min(entry->row.score * RulesBoost(plan->rules, entry->row.number), DBL_MAX);
		if (!work->personal_all && (plan->boosts ? entry->row.score <= unknown : e >= plain))
			entry->part = PART_OTHER;
	}
}

static int
in_order(const void *a, const void *b)
{
	const Entry *x = a;
	const Entry *y = b;
	bool x_personal = x->row.item_no != ID_NONE;
	bool y_personal = y->row.item_no != ID_NONE;

	if (x->part != y->part)
		return x->part < y->part ? -1 : 1;
	if (x_personal != y_personal)
		return x_personal ? -1 : 1;
	if (x_personal && x->row.score != y->row.score)
		return x->row.score > y->row.score ? -1 : 1;
	if (x_personal && x->row.item_no != y->row.item_no)
		return x->row.item_no < y->row.item_no ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* Gathers everything, and puts it in order. */
static void
gather(Work *work, uint32 wanted)
{
	RecommendAsk *ask = work->ask;
	double unknown;
	uint32 plain;

	work->known = IdSetCreate(ID_INTEGER, ask->budget);
	unknown = gather_plain(work, wanted);
	plain = IdSetCount(work->known);
	if (work->plan->rules)
	{
		gather_special(work);
		boost(work, plain, unknown);
	}
	work->count = IdSetCount(work->known);
	IdSetFree(work->known);
	if (work->plan->rules && work->count > 0)
		qsort(work->entry, work->count, sizeof(Entry), in_order);

	work->row = palloc_extended(sizeof(RecommendRow) * ((Size) work->count + 1), MCXT_ALLOC_HUGE);
	work->personal = 0;
	work->in_order = 0;
	for (uint32 e = 0; e < work->count; e++)
	{
		work->row[e] = work->entry[e].row;
		work->personal += work->entry[e].part == PART_PERSONAL;
		work->in_order += work->entry[e].part != PART_OTHER;
	}
}

/* What waits for a place, or NULL. */
static Pinned *
pinned_at(const Work *work, uint32 place)
{
	uint32 low = 0;
	uint32 high = work->pins;

	while (low < high)
	{
		uint32 middle = low + (high - low) / 2;

		if (work->pinned[middle].place < place)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == work->pins || work->pinned[low].place != place ||
		work->pinned[low].row == VARIETY_NONE)
		return NULL;
	return &work->pinned[low];
}

static bool
is_pinned(uint32 place, const void *work)
{
	return pinned_at(work, place) != NULL;
}

static int
by_pin(const void *a, const void *b)
{
	const Rule *x = *(const Rule *const *) a;
	const Rule *y = *(const Rule *const *) b;

	/* Rules of one array: the earlier is that of the smaller id. */
	if (x->pin != y->pin)
		return x->pin < y->pin ? -1 : 1;
	return x < y ? -1 : x > y;
}

static int
by_place(const void *a, const void *b)
{
	uint32 x = ((const Pinned *) a)->place;
	uint32 y = ((const Pinned *) b)->place;

	return x < y ? -1 : x > y;
}

/* The rows that wishes are about, in order of place, those only that may come; returns how many. */
static uint32
find_pinned(Work *work, const Rule **wishes, uint32 count, Pinned *pinned)
{
	IdSet *numbers = IdSetCreate(ID_INTEGER, work->ask->budget);
	uint32 found = 0;

	for (uint32 r = 0; r < work->count; r++)
		IdSetAdd(numbers, Int64GetDatum(work->row[r].number));
	for (uint32 w = 0; w < count; w++)
	{
		uint32 row = IdSetFind(numbers, Int64GetDatum(wishes[w]->item));

		CHECK_FOR_INTERRUPTS();
		if (row == ID_NONE || !VarietyMay(&work->variety, row))
			continue;
		VarietyKeep(&work->variety, row);
		pinned[found++] = (Pinned){wishes[w]->pin, row};
	}
	IdSetFree(numbers);
	return found;
}

/*
 * Gives pinned rows their places, those that may come at all: each to the first who wants it, the
 * others the next that nobody wants.  An item pinned twice is where it is pinned first.
 */
static void
pin_rows(Work *work)
{
	const Rules *rules = work->plan->rules;
	const Rule **wishes = palloc(sizeof(Rule *) * rules->count);
	Pinned *pinned;
	uint32 count = 0;
	uint32 firsts = 0;
	uint32 late = 0;
	uint32 next = 0;
	Pinned *later;

	for (uint32 r = 0; r < rules->count; r++)
		if (rules->rule[r].pin > 0)
			wishes[count++] = &rules->rule[r];
	qsort(wishes, count, sizeof(Rule *), by_pin);
	pinned = palloc(sizeof(Pinned) * (count + 1));
	later = palloc(sizeof(Pinned) * (count + 1));
	count = find_pinned(work, wishes, count, pinned);
	for (uint32 p = 0; p < count; p++)
		if (firsts > 0 && pinned[firsts - 1].place == pinned[p].place)
			later[late++] = pinned[p];
		else
			pinned[firsts++] = pinned[p];

	/* Both in order of place: what is late goes past the places taken as they come. */
	for (uint32 l = 0, first = 0; l < late; l++)
	{
		next = Max(next, later[l].place);
		for (; first < firsts && pinned[first].place <= next; first++)
			next += pinned[first].place == next;
		later[l].place = next++;
	}
	memcpy(pinned + firsts, later, sizeof(Pinned) * late);
	qsort(pinned, count, sizeof(Pinned), by_place);
	work->pinned = pinned;
	work->pins = count;
}

/* Lays out what was gathered. */
static void
prepare(Work *work)
{
	const Arrangement *plan = work->plan;
	WeighRows rows = {.ask = work->ask,
					  .profile = work->profile,
					  .row = work->row,
					  .count = work->count,
					  .diversity = plan->diversity,
					  .calibrated = plan->calibrated,
					  .mix = plan->mix,
					  .caps = plan->caps,
					  .most = plan->most};

	work->variety = WeighVariety(&rows, weighs(plan) ? Min(work->personal, WEIGHED) : 0);
	work->variety.in_order = work->in_order;
	work->pins = 0;
	work->next_pin = 0;
	work->taken = 0;
	if (plan->rules == NULL)
		return;
	pin_rows(work);
	work->quotas = palloc(sizeof(Quota) * (plan->shares + 1));
	memcpy(work->quotas, plan->quotas, sizeof(Quota) * plan->shares);
	work->first_of = palloc0(sizeof(uint32) * (plan->shares + 1));
}

static void
take(Work *work, uint32 row)
{
	VarietyTake(&work->variety, row);
	work->order[work->taken++] = row;
	for (uint32 s = 0; s < work->plan->shares; s++)
		work->quotas[s].got += RuleHolds(work->plan->shared[s], work->row[row].number);
}

/*
 * The best row of a share that may come, or VARIETY_NONE.  What may not come now never may again, so
 * the search goes on where the last one ended.
 */
static uint32
best_of(Work *work, uint32 share)
{
	uint32 *row = &work->first_of[share];

	while (*row < work->count && !(VarietyMay(&work->variety, *row) &&
								   RuleHolds(work->plan->shared[share], work->row[*row].number)))
		(*row)++;
	return *row < work->count ? *row : VARIETY_NONE;
}

/*
 * The row that must have a place for the sake of a share, or VARIETY_NONE; false where more must be
 * gathered to tell.
 */
static bool
promote(Work *work, uint32 place, uint32 next, uint32 *row)
{
	const Arrangement *plan = work->plan;
	uint32 share;

	*row = VARIETY_NONE;
	while ((share = QuotaAt(work->quotas, plan->shares, place, is_pinned, work)) != QUOTA_NONE)
	{
		if (next != VARIETY_NONE && RuleHolds(plan->shared[share], work->row[next].number))
			return true;
		*row = best_of(work, share);

		/* What is not in the order of the list may not be the best there is. */
		if ((*row == VARIETY_NONE || *row >= work->in_order) && !work->all && !work->fetch[share])
		{
			work->fetch[share] = true;
			return false;
		}
		if (*row == VARIETY_NONE && work->partial[share])
			return false;

		/* Fatigue need not leave them the order among themselves that they have among all. */
		if (work->profile->history->worn && *row != VARIETY_NONE && *row >= work->in_order &&
			!work->all && work->row[*row].item_no == ID_NONE)
			return false;
		if (*row != VARIETY_NONE)
		{
			work->row[*row].source = CStringGetTextDatum("promoted");
			return true;
		}
		work->quotas[share].empty = true;
	}
	return true;
}

/* The first row that still waits for a place; NULL where none does. */
static Pinned *
next_pinned(Work *work)
{
	while (work->next_pin < work->pins && work->pinned[work->next_pin].row == VARIETY_NONE)
		work->next_pin++;
	return work->next_pin < work->pins ? &work->pinned[work->next_pin] : NULL;
}

/* The row for a place, or VARIETY_NONE; false where more must be gathered to tell. */
static bool
find_row(Work *work, uint32 place, uint32 *row)
{
	Pinned *pinned = pinned_at(work, place);
	uint32 promoted = VARIETY_NONE;

	*row = VARIETY_NONE;
	if (pinned == NULL)
	{
		*row = VarietyNext(&work->variety);
		if (*row == VARIETY_NONE && !work->all)
			return false;
		if (work->plan->shares > 0 && !promote(work, place, *row, &promoted))
			return false;
		if (promoted != VARIETY_NONE)
			*row = promoted;

		/* Where a list ends before the place that something is pinned to, that comes last. */
		if (*row == VARIETY_NONE)
			pinned = next_pinned(work);
	}
	if (pinned)
	{
		*row = pinned->row;
		pinned->row = VARIETY_NONE;
		work->row[*row].source = CStringGetTextDatum("pinned");
	}
	return true;
}

/* Gives places away until the list is full or there is nothing left; false where more is wanted. */
static bool
take_rows(Work *work)
{
	uint32 most = work->ask->k == 0 ? work->count : Min(work->ask->k, work->count);
	uint32 row;

	work->order = palloc_extended(sizeof(uint32) * ((Size) most + 1), MCXT_ALLOC_HUGE);
	while (work->taken < most)
	{
		if (!find_row(work, work->taken + 1, &row))
			return false;
		if (row == VARIETY_NONE)
			break;
		take(work, row);
	}
	return work->all || work->taken == work->ask->k;
}

/* Gathers and takes, and gathers more, until the list is full or there is no more. */
static void
choose(Work *work)
{
	uint32 shares = work->plan->shares;
	uint32 wanted = work->ask->k;

	work->growth = 1;
	work->fetch = palloc0(sizeof(bool) * (shares + 1));
	work->partial = palloc0(sizeof(bool) * (shares + 1));
	for (;;)
	{
		gather(work, wanted);
		prepare(work);
		if ((!weighs(work->plan) || work->personal >= WEIGHED || work->personal_all) &&
			take_rows(work))
			break;
		wanted = wanted > PG_INT32_MAX / MORE ? 0 : wanted * MORE;
		work->growth = work->growth > PG_INT32_MAX / MORE ? PG_INT32_MAX : work->growth * MORE;
	}
	BudgetFree(work->ask->budget, work->entry);
}

/* Finds what counted most for each of the rows taken that the history speaks for. */
static void
find_because(Work *work)
{
	uint32 *item_no = palloc_extended(sizeof(uint32) * (work->taken + 1), MCXT_ALLOC_HUGE);
	int64_t *because = palloc_extended(sizeof(int64_t) * (work->taken + 1), MCXT_ALLOC_HUGE);
	uint32 count = 0;

	for (uint32 t = 0; t < work->taken; t++)
		if (work->row[work->order[t]].item_no != ID_NONE)
			item_no[count++] = work->row[work->order[t]].item_no;
	ProfileBecause(work->profile, item_no, count, because);
	count = 0;
	for (uint32 t = 0; t < work->taken; t++)
		if (work->row[work->order[t]].item_no != ID_NONE)
			work->row[work->order[t]].because = because[count++];
	pfree(item_no);
	pfree(because);
}

void
ArrangeScores(RecommendRow *rows, uint32 count)
{
	uint32 fallen = 0;

	for (uint32 r = 0; r < count; r++)
		if (rows[r].item_no == ID_NONE)
			rows[r].score = -(double) ++fallen;
	for (uint32 r = count; r > 1; r--)
	{
		const RecommendRow *after = &rows[r - 1];
		RecommendRow *row = &rows[r - 2];

		/* Equal scores in the order of their numbers are as they are in any list. */
		if (row->score < after->score ||
			(row->score == after->score && row->item_no > after->item_no))
			row->score = nextafter(after->score, INFINITY);
	}
}

RecommendRow *
ArrangeRows(RecommendAsk *ask, const Profile *profile, uint32 *count)
{
	Work work = {.ask = ask, .profile = profile, .plan = ask->arrangement};
	RecommendRow *rows;

	choose(&work);
	if (!ask->unexplained)
		find_because(&work);
	rows = palloc_extended(sizeof(RecommendRow) * ((Size) work.taken + 1), MCXT_ALLOC_HUGE);
	for (uint32 t = 0; t < work.taken; t++)
		rows[t] = work.row[work.order[t]];
	ArrangeScores(rows, work.taken);
	*count = work.taken;
	return rows;
}

void
ArrangeList(RecommendAsk *ask, const Profile *profile)
{
	uint32 count;
	RecommendRow *rows = ArrangeRows(ask, profile, &count);

	ask->listed = 0;
	for (uint32 r = 0; r < count; r++)
	{
		CHECK_FOR_INTERRUPTS();
		RecommendPut(ask, profile, &rows[r]);
	}
}
