#include "math/shortlist.h"

#include <float.h>
#include <string.h>

#include "base/clones.h"

/* Sums that are looked at together: some lines of the processor's cache. */
#define LINE  64
#define LANES 16
#define LINES 4
#define GROUP (LANES * LINES)

/*
 * Rows are sent for to the second cache, as in math/pairs, which can wait for more of them than the first;
 * and so many of their parts.
 */
#define ROWS_AHEAD 6
#define AHEAD      512

/* Candidates there is room for; once half of it is left after sorting out, scores are too close. */
#define ROOM 512

/* Where sums may be anything from so much to so much, single precision has all the numbers it takes. */
#define LEAST_SUM 1e-20
#define MOST_SUM  1e20

/* Entries that are looked up together. */
#define SOME 256

/* Items that are asked about together whether one is marked. */
#define TOGETHER 4

/* What a loop is compiled for is known where it stands. */
#define KNOWN inline __attribute__((always_inline))

/* The signs of two numbers. */
#define BOTH_SIGNS UINT64_C(0x8000000080000000)

/* Sources in a word of a map. */
#define SOURCES 32

typedef float Line __attribute__((vector_size(LINE), may_alias));
typedef uint32_t LineBits __attribute__((vector_size(LINE)));
typedef uint32_t FourBits __attribute__((vector_size(16)));
typedef float Floats __attribute__((vector_size(16), may_alias, aligned(4)));

/* A candidate for the list. */
typedef struct Candidate
{
	uint32_t item;
	float sum;
	double score;
	double greatest; /* part of an entry */
	int64_t because; /* that entry */
} Candidate;

/* The list while it is made. */
typedef struct Short
{
	uint32_t k;
	uint32_t found;
	float best[SHORTLIST_MOST]; /* sums, the greatest first */
	double margin;              /* from the least of them down */
	float least;                /* lower sums do not get in */
	uint32_t count;
	Candidate candidate[ROOM];
} Short;

size_t
ShortlistBytes(uint32_t slots)
{
	return LINE + ((size_t) slots / GROUP + 1) * GROUP * sizeof(float);
}

void
ShortlistInit(Shortlist *list, void *zeroed, uint32_t slots)
{
	list->slots = slots;
	list->sum = (float *) (((uintptr_t) zeroed + LINE - 1) / LINE * LINE);
}

uint32_t
ShortlistMaps(const RankColumns *columns, uint32_t slots)
{
	uint32_t maps = 0;

	for (uint32_t i = 0; i < slots; i++)
		maps += columns->start[i + 1] - columns->start[i] > SHORTLIST_LONG;
	return maps;
}

void
ShortlistMap(Shortlist *list, uint32_t *map, uint64_t *word)
{
	const RankColumns *columns = &list->columns;
	uint32_t words = ShortlistWords(list->slots);
	uint32_t maps = 0;

	list->map = map;
	list->word = word;
	for (uint32_t i = 0; i < list->slots; i++)
	{
		uint64_t count = 0;

		if (columns->start[i + 1] - columns->start[i] <= SHORTLIST_LONG)
			continue;
		map[i] = ++maps;
		for (uint64_t p = columns->start[i]; p < columns->start[i + 1]; p++)
			word[columns->source[p] / SOURCES] |= UINT64_C(1) << columns->source[p] % SOURCES;
		for (uint32_t w = 0; w < words; w++)
		{
			uint32_t sources = (uint32_t) word[w];

			word[w] |= count << SOURCES;
			count += (uint32_t) __builtin_popcount(sources);
		}
		word += words;
	}
}

/* The numbers of an entry's items in 16 bits. */
static inline const uint16_t *
narrow_of(const Shortlist *list, const RankEntry *entry)
{
	return list->narrow + (entry->item - list->item);
}

/* Four items that are read as one number. */
typedef struct FourItems
{
	uint32_t of[4];
} FourItems;

static KNOWN FourItems
four_narrow(const uint16_t *narrow)
{
	uint64_t four;

	memcpy(&four, narrow, sizeof(four));
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return (FourItems){
		{four >> 48, four >> 32 & UINT16_MAX, four >> 16 & UINT16_MAX, four & UINT16_MAX}};
#else
	return (FourItems){
		{four & UINT16_MAX, four >> 16 & UINT16_MAX, four >> 32 & UINT16_MAX, four >> 48}};
#endif
}

/* Sends for a row that comes soon: items of a size, and similarities. */
static inline void
send_for(const char *items, size_t size, const float *similarity, uint32_t count)
{
	if (count > AHEAD)
		count = AHEAD;
	for (size_t n = 0; n < count * size; n += LINE)
		__builtin_prefetch(items + n, 0, 2);
	for (uint32_t n = 0; n < count; n += LINE / sizeof(float))
		__builtin_prefetch(similarity + n, 0, 2);
}

/*
 * Adds the parts of one entry, four products at a time.  Narrow items are read four at a time, for
 * reading and writing sums is work enough.
 */
static KNOWN void
add_parts(float *restrict sum, const uint32_t *wide, const uint16_t *narrow, const RankEntry *entry,
		  float factor)
{
	const float *similarity = entry->similarity;
	uint32_t count = entry->count;
	uint32_t n = 0;

	for (; count - n >= 4; n += 4)
	{
		Floats part = *(const Floats *) (similarity + n) * factor;
		FourItems item;

		if (narrow)
			item = four_narrow(narrow + n);
		else
			item = (FourItems){{wide[n], wide[n + 1], wide[n + 2], wide[n + 3]}};
		for (int p = 0; p < 4; p++)
			sum[item.of[p]] += part[p];
	}
	for (; n < count; n++)
		sum[narrow ? narrow[n] : wide[n]] += similarity[n] * factor;
}

CLONES static void
add_narrow(const Shortlist *list, const RankEntry *entries, size_t count, double norm)
{
	for (size_t e = 0; e < count; e++)
	{
		float factor = (float) (entries[e].weight * norm);

		if (e + ROWS_AHEAD < count)
		{
			const RankEntry *next = &entries[e + ROWS_AHEAD];

			send_for((const char *) narrow_of(list, next), sizeof(uint16_t), next->similarity,
					 next->count);
		}
		add_parts(list->sum, NULL, narrow_of(list, &entries[e]), &entries[e], factor);
	}
}

CLONES static void
add_wide(const Shortlist *list, const RankEntry *entries, size_t count, double norm)
{
	for (size_t e = 0; e < count; e++)
	{
		float factor = (float) (entries[e].weight * norm);

		if (e + ROWS_AHEAD < count)
		{
			const RankEntry *next = &entries[e + ROWS_AHEAD];

			send_for((const char *) next->item, sizeof(uint32_t), next->similarity, next->count);
		}
		add_parts(list->sum, entries[e].item, NULL, &entries[e], factor);
	}
}

void
ShortlistAdd(Shortlist *list, const RankEntry *entries, size_t count, double norm)
{
	if (list->narrow)
		add_narrow(list, entries, count, norm);
	else
		add_wide(list, entries, count, norm);
}

/* Leaves only the candidates that may still be among the best. */
static void
sort_out(Short *made)
{
	uint32_t kept = 0;

	for (uint32_t c = 0; c < made->count; c++)
		if (made->candidate[c].sum >= made->least)
			made->candidate[kept++] = made->candidate[c];
	made->count = kept;
}

/* Takes a sum that is no lower than the least; false where there is no room for it. */
static bool
take(Short *made, uint32_t item, float sum)
{
	uint32_t place;

	if (made->count == ROOM)
	{
		sort_out(made);
		if (made->count > ROOM / 2)
			return false;
	}
	made->candidate[made->count++] = (Candidate){.item = item, .sum = sum, .because = -1};
	if (made->found == made->k && sum <= made->best[made->k - 1])
		return true;
	place = made->found < made->k ? made->found++ : made->k - 1;
	for (; place > 0 && made->best[place - 1] < sum; place--)
		made->best[place] = made->best[place - 1];
	made->best[place] = sum;
	if (made->found == made->k)
	{
		double least = made->best[made->k - 1] - made->margin;

		made->least = least > FLT_MIN ? (float) least : FLT_MIN;
	}
	return true;
}

/*
 * True where any sum of a group is no lower than the least: where the signs of the differences are
 * not all minus.
 */
static KNOWN bool
any_at_least(const float *sum, float least)
{
	const Line *line = (const Line *) sum;
	LineBits below = (LineBits) (line[0] - least);
	FourBits four[LANES / 4];
	uint64_t two[2];

	for (int n = 1; n < LINES; n++)
		below &= (LineBits) (line[n] - least);
	memcpy(four, &below, sizeof(four));
	for (int n = 1; n < LANES / 4; n++)
		four[0] &= four[n];
	memcpy(two, four, sizeof(two));
	return (two[0] & two[1] & BOTH_SIGNS) != BOTH_SIGNS;
}

static inline __attribute__((always_inline)) void
clear_group(float *sum)
{
	const Line none = {0};

	for (int n = 0; n < LINES; n++)
		((Line *) sum)[n] = none;
}

/* Takes what a group has that may be among the best. */
static bool
take_group(Short *made, uint32_t first, const float *sum)
{
	for (uint32_t n = 0; n < GROUP; n++)
		if (sum[n] >= made->least && !take(made, first + n, sum[n]))
			return false;
	return true;
}

/* Takes all sums, and clears them while they are at hand; false where there was no room. */
CLONES static bool
take_all(const Shortlist *list, Short *made)
{
	bool room = true;

	for (uint32_t first = 0; first < list->slots; first += GROUP)
	{
		float *sum = list->sum + first;

		if (room && any_at_least(sum, made->least))
			room = take_group(made, first, sum);
		clear_group(sum);
	}
	return room;
}

/* Adds one part to the score of a candidate. */
static inline void
add_part(Candidate *candidate, const RankEntry *entry, int64_t place, double part)
{
	candidate->score += part;
	if (part > candidate->greatest && entry->weight > 0)
	{
		candidate->greatest = part;
		candidate->because = place;
	}
}

static inline bool
any_marked(const unsigned char *marked, const uint32_t *item)
{
	return marked[item[0]] | marked[item[1]] | marked[item[2]] | marked[item[3]];
}

/* Reckons the scores of the candidates from the rows of the entries. */
static void
score_by_rows(const Shortlist *list, Short *made, const RankEntry *entries, size_t count,
			  double norm, double grid)
{
	unsigned char *marked = list->scratch->marked;
	uint32_t *place = list->scratch->place;

	for (uint32_t c = 0; c < made->count; c++)
	{
		marked[made->candidate[c].item] = 1;
		place[made->candidate[c].item] = c;
	}
	for (size_t e = 0; e < count; e++)
	{
		const RankEntry *entry = &entries[e];
		const uint32_t *item = entry->item;
		double weight = entry->weight * norm;

		for (uint32_t n = 0; n < entry->count; n++)
		{
			/* Most are not marked: several are passed over at once. */
			while (entry->count - n > TOGETHER && !any_marked(marked, item + n))
				n += TOGETHER;
			if (marked[item[n]])
				add_part(&made->candidate[place[item[n]]], entry, (int64_t) e,
						 RankTerm(weight, entry->similarity[n], grid));
		}
	}
	for (uint32_t c = 0; c < made->count; c++)
		marked[made->candidate[c].item] = 0;
}

/*
 * Adds what an entry says by a place in a column.  A dislike does not speak through what its item
 * speaks against: that is left out of its entry, and so it is here.
 */
static inline void
add_place(Candidate *candidate, const RankEntry *entry, int64_t e, double weight, double similarity,
		  double grid)
{
	if (!(entry->weight < 0 && similarity < 0))
		add_part(candidate, entry, e, RankTerm(weight, similarity, grid));
}

/* Reckons the score of a candidate by its column, whose sources are marked where the history has them. */
static void
score_by_column(const Shortlist *list, Candidate *candidate, const RankEntry *entries, double norm,
				double grid)
{
	const RankColumns *columns = &list->columns;

	for (uint64_t p = columns->start[candidate->item]; p < columns->start[candidate->item + 1]; p++)
	{
		uint32_t source = columns->source[p];

		if (list->scratch->marked[source])
		{
			uint32_t e = list->scratch->place[source];

			add_place(candidate, &entries[e], e, entries[e].weight * norm, columns->similarity[p],
					  grid);
		}
	}
}

static inline bool
has_map(const Shortlist *list, uint32_t item)
{
	return list->map && list->map[item] > 0;
}

/* True where every candidate's column has a map. */
static bool
are_all_mapped(const Shortlist *list, const Short *made)
{
	for (uint32_t c = 0; c < made->count; c++)
		if (!has_map(list, made->candidate[c].item))
			return false;
	return true;
}

/* Some entries of a history, as they are looked up in maps. */
typedef struct Lookup
{
	size_t first;
	uint32_t count;
	uint32_t source[SOME];
	double weight[SOME];
} Lookup;

static void
begin_lookup(Lookup *lookup, const RankEntry *entries, size_t first, size_t count, double norm)
{
	lookup->first = first;
	lookup->count = (uint32_t) (count - first < SOME ? count - first : SOME);
	for (uint32_t n = 0; n < lookup->count; n++)
	{
		lookup->source[n] = entries[first + n].source;
		lookup->weight[n] = entries[first + n].weight * norm;
	}
}

/*
 * Adds to the score of a candidate what some entries say, by the map of its column.  First, without a
 * branch, which of them the map has: no processor foresees that.  Then their places in the column, which
 * are sent for; and then what is there.  What add_place leaves out adds nothing here, and where a
 * weight is not above 0, neither is a part.
 */
CLONES static void
score_by_map(const Shortlist *list, Candidate *candidate, const Lookup *lookup, double grid)
{
	const uint64_t *word =
		list->word + (size_t) (list->map[candidate->item] - 1) * ShortlistWords(list->slots);
	const float *similarity = list->columns.similarity + list->columns.start[candidate->item];
	double score = candidate->score;
	double greatest = candidate->greatest;
	int64_t because = candidate->because;
	uint32_t hit[SOME];
	uint64_t found[SOME];
	uint32_t hits = 0;

	for (uint32_t n = 0; n < lookup->count; n++)
	{
		uint32_t source = lookup->source[n];

		hit[hits] = n;
		found[hits] = word[source / SOURCES];
		hits += found[hits] >> source % SOURCES & 1;
	}
	for (uint32_t h = 0; h < hits; h++)
	{
		uint32_t up_to = (uint32_t) found[h] << (SOURCES - 1 - lookup->source[hit[h]] % SOURCES);

		found[h] = (found[h] >> SOURCES) + (uint64_t) __builtin_popcount(up_to) - 1;
		__builtin_prefetch(similarity + found[h]);
	}
	for (uint32_t h = 0; h < hits; h++)
	{
		double weight = lookup->weight[hit[h]];
		double there = similarity[found[h]];
		double part = weight < 0 && there < 0 ? 0 : RankTerm(weight, there, grid);
		bool more = part > greatest;

		score += part;
		greatest = more ? part : greatest;
		because = more ? (int64_t) (lookup->first + hit[h]) : because;
	}
	candidate->score = score;
	candidate->greatest = greatest;
	candidate->because = because;
}

/* Reckons the scores of the candidates from their columns. */
static void
score_by_columns(const Shortlist *list, Short *made, const RankEntry *entries, size_t count,
				 double norm, double grid)
{
	unsigned char *marked = list->scratch->marked;
	Lookup lookup;

	for (size_t first = 0; list->map && first < count; first += SOME)
	{
		begin_lookup(&lookup, entries, first, count, norm);
		for (uint32_t c = 0; c < made->count; c++)
			if (has_map(list, made->candidate[c].item))
				score_by_map(list, &made->candidate[c], &lookup, grid);
	}
	if (are_all_mapped(list, made))
		return;
	for (size_t e = 0; e < count; e++)
	{
		marked[entries[e].source] = 1;
		list->scratch->place[entries[e].source] = (uint32_t) e;
	}
	for (uint32_t c = 0; c < made->count; c++)
		if (!has_map(list, made->candidate[c].item))
			score_by_column(list, &made->candidate[c], entries, norm, grid);
	for (size_t e = 0; e < count; e++)
		marked[entries[e].source] = 0;
}

/* True where the columns of the candidates are less to read than the rows of the entries. */
static bool
are_columns_shorter(const Shortlist *list, const Short *made, const RankEntry *entries,
					size_t count)
{
	const uint64_t *start = list->columns.start;
	uint64_t of_rows = 0;
	uint64_t of_columns = 0;

	for (size_t e = 0; e < count; e++)
		of_rows += entries[e].count;
	for (uint32_t c = 0; c < made->count; c++)
	{
		uint32_t item = made->candidate[c].item;

		of_columns += has_map(list, item) ? count : start[item + 1] - start[item];
	}
	return of_columns < of_rows;
}

static inline bool
comes_before(const Candidate *a, const Candidate *b)
{
	return a->score > b->score || (a->score == b->score && a->item < b->item);
}

/* Puts the k best candidates out: there are few. */
static void
put_best(const Short *made, RankItem *best, int64_t *because)
{
	const Candidate *order[ROOM];

	for (uint32_t c = 0; c < made->count; c++)
	{
		uint32_t place = c;

		for (; place > 0 && comes_before(&made->candidate[c], order[place - 1]); place--)
			order[place] = order[place - 1];
		order[place] = &made->candidate[c];
	}
	for (uint32_t n = 0; n < made->k; n++)
	{
		best[n] = (RankItem){.item = order[n]->item, .score = order[n]->score};
		because[n] = order[n]->because;
	}
}

bool
ShortlistBest(Shortlist *list, const RankEntry *entries, size_t count, double norm, double grid,
			  uint32_t k, RankItem *best, int64_t *because)
{
	Short made;
	/* The grid is 1.5 * 2^2 times a power of two that no sum of absolute parts comes to. */
	double most = grid / 6;
	/* Twice the bound, and as much again for rounding the margin itself and whatever is tiny. */
	double margin = 4 * ((double) count + 3) * (FLT_EPSILON / 2) * most;
	bool room;

	made.k = k;
	made.found = made.count = 0;
	made.margin = margin;
	made.least = FLT_MIN;
	room = take_all(list, &made);
	if (!room || k == 0 || made.found < k || !(most > LEAST_SUM && most < MOST_SUM) ||
		!(made.best[k - 1] > 2 * margin))
		return false;
	sort_out(&made);
	if (made.count > ROOM / 2)
		return false;
	if (are_columns_shorter(list, &made, entries, count))
		score_by_columns(list, &made, entries, count, norm, grid);
	else
		score_by_rows(list, &made, entries, count, norm, grid);
	put_best(&made, best, because);
	list->made++;
	return true;
}
