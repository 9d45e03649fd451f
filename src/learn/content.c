/*
 * content.c: items by tokens through the kernel that counts users by items.
 *
 * A row of the kernel holds the pairs of an item with those before it.  In the order of likeness.h the
 * rows from the sample on are all that is wanted, and no other is computed.
 */
#include "learn/content.h"

#include <math.h>

#include "base/interrupts.h"
#include "math/nearest.h"

#define SHOWN 20 /* neighbours of an item that needs pairs, as a source */

/* Cells and rows that are turned at a time. */
#define RANGE_CELLS 1000000
#define RANGE_ROWS  65536

/* All that is needed while pairs are looked for. */
typedef struct Search
{
	const LikenessInput *input;
	Budget *budget;
	Likeness *likeness;
	PairSum *sums;
	uint32_t *enough; /* [items], as NearestSift has it, for either kind of nearest */
	uint32_t *touched;
	Nearest to;   /* sources that speak for a target, which is sampled or needy */
	Nearest from; /* targets that a needy source speaks for */
} Search;

uint64_t
ContentBytes(const LikenessInput *input, uint32_t k)
{
	uint64_t items = input->by_token->columns;
	uint64_t cells = SparseCount(input->by_token);
	uint64_t needy = items - input->known;

	for (uint32_t i = 0; i < input->known; i++)
		needy += LikenessNeedy(input, i);
	return LikenessBytes(input) + (needy + LIKENESS_SAMPLE) * (k + SHOWN + 1) * sizeof(Best) +
		   items * (sizeof(PairSum) + 7 * sizeof(uint32_t)) +
		   (Min(cells, RANGE_CELLS) + Min(items, RANGE_ROWS)) * 8;
}

/* Makes known what an item's nearest take after an offer got in. */
static void
set_enough(Search *search, uint32_t place)
{
	float least = Min(search->to.least[place], search->from.least[place]);

	search->enough[place] = NearestEnough(least, 1, search->likeness->pairs.scale);
}

/* Offers the items of a row and one of those before it to each other. */
static void
offer_pair(Search *search, uint32_t row, uint32_t other)
{
	const Likeness *order = search->likeness;
	float likeness = (float) PairWeight(search->sums[other], order->pairs.scale);
	bool needy = row >= order->first_needy;
	bool row_took = NearestOffer(&search->from, row, order->item[other], likeness);
	bool other_took = NearestOffer(&search->from, other, order->item[row], likeness);

	/* What nobody has is in no history; what is sampled is asked about what is well known. */
	if (other < order->first_unused)
		row_took |= NearestOffer(&search->to, row, order->item[other], likeness);
	if (row < order->first_unused && needy == (other >= order->first_needy))
		other_took |= NearestOffer(&search->to, other, order->item[row], likeness);
	if (row_took)
		set_enough(search, row);
	if (other_took)
		set_enough(search, other);
}

/* One row of the kernel, all of whose sums it clears. */
static void
take_row(Search *search, uint32_t row)
{
	PairSum *sums = search->sums;
	uint32_t *touched = search->touched;
	uint32_t found[NEAREST_PART];
	uint32_t listed;
	bool list = PairsRow(&search->likeness->pairs, row, sums, touched, &listed);
	uint32_t count = list ? listed : row;

	for (uint32_t first = 0; first < count; first += NEAREST_PART)
	{
		uint32_t part = Min(count - first, NEAREST_PART);
		uint32_t n = NearestSift(sums, list ? touched : NULL, first, part, search->enough,
								 search->enough[row], found);

		for (uint32_t f = 0; f < n; f++)
			offer_pair(search, row, found[f]);
		for (uint32_t t = first; list && t < first + part; t++)
			sums[touched[t]] = 0;
	}
	if (!list)
		memset(sums, 0, sizeof(PairSum) * row);
}

/* Takes the rows from the sample on, turned a range at a time. */
static void
take_rows(Search *search)
{
	Likeness *likeness = search->likeness;
	const uint64_t *start = likeness->start;
	uint32_t begin = likeness->first_sample;

	while (begin < likeness->items)
	{
		uint32_t end = begin + 1;

		while (end < likeness->items && start[end + 1] - start[begin] <= RANGE_CELLS &&
			   end - begin < RANGE_ROWS)
			end++;
		LikenessTurn(likeness, begin, end, search->budget);
		for (uint32_t row = begin; row < end; row++)
		{
			INTERRUPTS();
			take_row(search, row);
		}
		LikenessUnturn(likeness, search->budget);
		begin = end;
	}
}

/* Room for the k nearest of every item from the first on. */
static Nearest
make_nearest(const Search *search, uint32_t first, uint32_t k)
{
	Budget *budget = search->budget;
	uint64_t items = search->likeness->items - first;
	Nearest nearest = {.k = k, .first = first};

	nearest.slot = BudgetAlloc(budget, items * k, sizeof(Best));
	nearest.count = BudgetZeroed(budget, items, sizeof(uint32_t));
	nearest.least = BudgetZeroed(budget, search->likeness->items, sizeof(float));
	for (uint32_t i = 0; i < first; i++)
		nearest.least[i] = INFINITY;
	return nearest;
}

static void
free_nearest(Nearest *nearest, Budget *budget)
{
	BudgetFree(budget, nearest->slot);
	BudgetFree(budget, nearest->count);
	BudgetFree(budget, nearest->least);
}

/* Makes room for what rows lead to, and takes them. */
static void
find_pairs(Search *search, uint32_t k)
{
	Budget *budget = search->budget;
	const Likeness *likeness = search->likeness;

	search->sums = BudgetZeroed(budget, likeness->items, sizeof(PairSum));
	search->touched = BudgetAlloc(budget, (uint64_t) likeness->items + 1, sizeof(uint32_t));
	search->to = make_nearest(search, likeness->first_sample, k);
	search->from = make_nearest(search, likeness->first_needy, SHOWN);
	search->enough = BudgetAlloc(budget, likeness->items, sizeof(uint32_t));
	for (uint32_t i = 0; i < likeness->items; i++)
		search->enough[i] = i < likeness->first_sample ? UINT32_MAX : 1;
	take_rows(search);
	BudgetFree(budget, search->sums);
	BudgetFree(budget, search->enough);
	BudgetFree(budget, search->touched);
}

/* Numbers the items beyond the matrix that have a pair; the others get none. */
static uint32_t *
number_others(const Search *search, Content *content)
{
	uint32_t known = search->input->known;
	const Likeness *likeness = search->likeness;
	uint32_t others = likeness->items - known;
	uint32_t *number = BudgetZeroed(search->budget, others, sizeof(uint32_t));

	/* Whatever a needy item speaks for, and each of them that has a pair. */
	for (uint32_t row = likeness->first_needy; row < likeness->items; row++)
	{
		const Best *from = NearestOf(&search->from, row);
		uint32_t count = NearestCount(&search->from, row);

		for (uint32_t n = 0; n < count; n++)
			if (from[n].index >= known)
				number[from[n].index - known] = 1;
		if (likeness->item[row] >= known && count > 0)
			number[likeness->item[row] - known] = 1;
	}
	content->known = known;
	content->items = known;
	content->other = BudgetAlloc(search->budget, others, sizeof(uint32_t));
	for (uint32_t i = 0; i < others; i++)
		if (number[i])
		{
			content->other[content->items - known] = known + i;
			number[i] = content->items++;
		}
	return number;
}

/* The share of attributes in what is said of a pair. */
static double
share_of(const LikenessInput *input, uint32_t a, uint32_t b)
{
	uint32_t users = Min(LikenessUsers(input, a), LikenessUsers(input, b));

	return input->content / (input->content + users);
}

/* A pair while rows are gathered: what it is stored under, and what it says. */
typedef struct Gathering
{
	const Search *search;
	const uint32_t *number; /* of the items beyond the matrix */
	ContentPairs *pairs;
	bool shared; /* values are times their share */
	bool filling;
} Gathering;

static uint32_t
number_of(const Gathering *gathering, uint32_t item)
{
	uint32_t known = gathering->search->input->known;

	return item < known ? item : gathering->number[item - known];
}

/* Counts a pair, or puts it in its row. */
static void
gather(Gathering *gathering, uint32_t source, uint32_t target, float likeness)
{
	uint32_t row = number_of(gathering, source);
	double share = gathering->shared ? share_of(gathering->search->input, source, target) : 1;

	if (gathering->filling)
		gathering->pairs->pair[gathering->pairs->start[row]++] =
			(Best){.index = number_of(gathering, target), .value = (float) (share * likeness)};
	else
		gathering->pairs->start[row]++;
}

/* The pairs of the rows from one to another. */
static void
gather_rows(Gathering *gathering, uint32_t begin, uint32_t end)
{
	const Search *search = gathering->search;

	for (uint32_t row = begin; row < end; row++)
	{
		uint32_t to = NearestCount(&search->to, row);
		uint32_t from = NearestCount(&search->from, row);

		INTERRUPTS();
		for (uint32_t n = 0; n < to; n++)
		{
			Best source = NearestOf(&search->to, row)[n];

			gather(gathering, source.index, search->likeness->item[row], source.value);
		}
		for (uint32_t n = 0; n < from; n++)
		{
			Best target = NearestOf(&search->from, row)[n];

			gather(gathering, search->likeness->item[row], target.index, target.value);
		}
	}
}

static int
by_index(const void *a, const void *b)
{
	uint32_t x = ((const Best *) a)->index;
	uint32_t y = ((const Best *) b)->index;

	return x < y ? -1 : x > y;
}

/* Sorts every row by target, and leaves each pair once. */
static void
tidy(ContentPairs *pairs, uint32_t items)
{
	uint64_t kept = 0;
	uint64_t begin = 0;

	for (uint32_t i = 0; i < items; i++)
	{
		uint64_t end = pairs->start[i + 1];
		uint64_t first = kept;

		INTERRUPTS();
		qsort(pairs->pair + begin, end - begin, sizeof(Best), by_index);
		for (uint64_t e = begin; e < end; e++)
			if (kept == first || pairs->pair[kept - 1].index != pairs->pair[e].index)
				pairs->pair[kept++] = pairs->pair[e];
		begin = end;
		pairs->start[i] = first;
	}
	pairs->start[items] = kept;
}

/* The pairs of a range of rows, by source. */
static void
gather_pairs(Gathering *gathering, uint32_t items, uint32_t begin, uint32_t end)
{
	ContentPairs *pairs = gathering->pairs;
	Budget *budget = gathering->search->budget;

	pairs->start = BudgetZeroed(budget, (uint64_t) items + 1, sizeof(uint64_t));
	gather_rows(gathering, begin, end);
	SparseOffsets(pairs->start, items);
	pairs->pair = BudgetAllocResult(budget, pairs->start[items], sizeof(Best));
	gathering->filling = true;
	gather_rows(gathering, begin, end);
	memmove(pairs->start + 1, pairs->start, sizeof(uint64_t) * items);
	pairs->start[0] = 0;
	tidy(pairs, items);
}

Content *
ContentLearn(const LikenessInput *input, uint32_t k, Budget *budget)
{
	Content *content = BudgetZeroed(budget, 1, sizeof(Content));
	Search search = {.input = input, .budget = budget};
	Gathering pairs = {.search = &search, .pairs = &content->pairs, .shared = true};
	Gathering sampled = {.search = &search, .pairs = &content->sampled};
	Likeness *likeness = search.likeness = LikenessLearn(input, budget);
	uint32_t *number;

	find_pairs(&search, k);
	pairs.number = sampled.number = number = number_others(&search, content);
	gather_pairs(&pairs, content->items, likeness->first_needy, likeness->items);
	gather_pairs(&sampled, content->known, likeness->first_sample, likeness->first_needy);
	BudgetFree(budget, number);
	free_nearest(&search.to, budget);
	free_nearest(&search.from, budget);
	LikenessFree(likeness, budget);
	return content;
}

/* The value of an index in a row of pairs, 0 where it is not there. */
static double
value_of(const ContentPairs *pairs, uint32_t row, uint32_t index)
{
	Best wanted = {.index = index};
	const Best *found = bsearch(&wanted, pairs->pair + pairs->start[row],
								pairs->start[row + 1] - pairs->start[row], sizeof(Best), by_index);

	return found ? found->value : 0;
}

static double
mean_of(const Best *entries, uint64_t count)
{
	double sum = 0;

	for (uint64_t e = 0; e < count; e++)
		sum += fabsf(entries[e].value);
	return count > 0 ? sum / (double) count : 0;
}

/*
 * What likeness is worth: the least-squares slope over the sampled pairs.  Where nothing is well
 * known, that which makes pairs of both kinds worth the same on average; and where there is only one
 * kind, 1.
 */
static double
learn_scale(const Content *content, const Neighbors *neighbors)
{
	const ContentPairs *sampled = &content->sampled;
	uint64_t pairs = sampled->start[content->known];
	double products = 0;
	double squares = 0;
	double mean = mean_of(neighbors->entry, neighbors->start[neighbors->items]);
	double likeness = mean_of(content->pairs.pair, content->pairs.start[content->items]);

	if (mean == 0 || likeness == 0)
		return 1;
	if (pairs == 0)
		return mean / likeness;
	for (uint64_t e = 0; e < pairs; e++)
		squares += (double) sampled->pair[e].value * sampled->pair[e].value;
	for (uint32_t i = 0; i < content->known; i++)
	{
		const Best *row = neighbors->entry + neighbors->start[i];

		INTERRUPTS();
		if (sampled->start[i] == sampled->start[i + 1])
			continue;
		for (uint32_t n = 0; n < neighbors->scored[i]; n++)
			products += row[n].value * value_of(sampled, i, row[n].index);
	}
	return products / squares;
}

static int
best_first(const void *a, const void *b)
{
	return BestBefore(a, b) ? -1 : BestBefore(b, a);
}

/* One row as it is mixed. */
typedef struct Mixing
{
	Best *out;
	uint32_t scored;
} Mixing;

/* Takes an index out of a run in no order, where it is there; returns what it was. */
static Best
take_out(Best *run, uint32_t *count, uint32_t index)
{
	for (uint32_t n = 0; n < *count; n++)
		if (run[n].index == index)
		{
			Best found = run[n];

			memmove(run + n, run + n + 1, sizeof(Best) * (*count - n - 1));
			(*count)--;
			return found;
		}
	return (Best){.index = index};
}

/*
 * Adds pairs, in order of index, to a row whose scored part is in that order: to entries of the same
 * index, else as entries of their own behind them.  Returns how many of these there are.
 */
static uint32_t
add_pairs(Best *row, uint32_t scored, const Best *pair, uint32_t pairs, double scale)
{
	uint32_t at = 0;
	uint32_t added = 0;

	for (uint32_t n = 0; n < pairs; n++)
	{
		float value = (float) (scale * pair[n].value);

		while (at < scored && row[at].index < pair[n].index)
			at++;
		if (at < scored && row[at].index == pair[n].index)
			row[at].value += value;
		else if (value > 0)
			row[scored + added++] = (Best){.index = pair[n].index, .value = value};
	}
	return added;
}

/*
 * One row mixed into out, which has room for all of both; returns its length.  Of the pairs that are
 * added the k best stay, and what was only shown is scored where it is one of them.
 */
static uint32_t
mix_row(const Content *content, const Neighbors *neighbors, uint32_t i, uint32_t k, Mixing *mixing)
{
	bool counted = i < neighbors->items;
	const Best *row = counted ? neighbors->entry + neighbors->start[i] : NULL;
	uint32_t scored = counted ? neighbors->scored[i] : 0;
	uint32_t shown =
		counted ? (uint32_t) (neighbors->start[i + 1] - neighbors->start[i]) - scored : 0;
	uint32_t pairs = (uint32_t) (content->pairs.start[i + 1] - content->pairs.start[i]);
	Best *out = mixing->out;
	Best *rest = out + scored + pairs;
	uint32_t added;

	if (counted && pairs == 0)
	{
		memcpy(out, row, sizeof(Best) * (scored + shown));
		mixing->scored = scored;
		return scored + shown;
	}
	if (scored > 0)
		memcpy(out, row, sizeof(Best) * scored);
	if (shown > 0)
		memcpy(rest, row + scored, sizeof(Best) * shown);
	qsort(out, scored, sizeof(Best), by_index);
	added = add_pairs(out, scored, content->pairs.pair + content->pairs.start[i], pairs,
					  content->scale);
	qsort(out + scored, added, sizeof(Best), best_first);
	added = Min(added, k);
	for (uint32_t n = scored; n < scored + added; n++)
		out[n].support = take_out(rest, &shown, out[n].index).support;
	qsort(out, scored + added, sizeof(Best), best_first);
	memmove(out + scored + added, rest, sizeof(Best) * shown);
	mixing->scored = scored + added;
	return scored + added + shown;
}

Neighbors *
ContentMix(Content *content, Neighbors *neighbors, uint32_t k, Budget *budget)
{
	Neighbors *result;
	uint64_t count = 0;

	content->scale = learn_scale(content, neighbors);
	ereport(DEBUG1, (errmsg_internal("content: %llu pairs of %u items, scale %g",
									 (unsigned long long) content->pairs.start[content->items],
									 content->items, content->scale)));
	if (!(content->scale > 0 && isfinite(content->scale)))
		return neighbors;
	result = BudgetAlloc(budget, 1, sizeof(Neighbors));
	result->items = content->items;
	result->start = BudgetAlloc(budget, (uint64_t) content->items + 1, sizeof(uint64_t));
	result->scored = BudgetAlloc(budget, content->items, sizeof(uint32_t));
	result->entry = BudgetAllocResult(
		budget, neighbors->start[neighbors->items] + content->pairs.start[content->items],
		sizeof(Best));
	for (uint32_t i = 0; i < content->items; i++)
	{
		Mixing mixing = {.out = result->entry + count};

		INTERRUPTS();
		result->start[i] = count;
		count += mix_row(content, neighbors, i, k, &mixing);
		result->scored[i] = mixing.scored;
	}
	result->start[content->items] = count;
	NeighborsFree(neighbors, budget);
	return result;
}
