#include "math/pairs.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/clones.h"
#include "base/interrupts.h"
#include "math/levels.h"

/*
 * Rows that touch much of the catalogue find their items by a scan of all sums, which a
 * processor does at several per cycle; the others list an item when they first meet it.  A
 * quarter is where the two cost the same when tried on sets from 3,000 to 100,000 items.
 */
#define DENSE_SHARE 4

/*
 * A user's list begins somewhere in memory, and waiting for it takes long: where the list begins
 * is sent for first, its items a little later, as far as they will be read.  Where values are read
 * as well, both go to the second cache only, which can wait for more of them at a time than the first.
 * Else so many lines are sent for whatever the length, the last again where there are fewer: how many there
 * are is different for each list, and to guess it wrong costs more.
 */
#define AHEAD_START       14
#define AHEAD_ITEMS       6
#define AHEAD_CELLS       4
#define LINE              64 /* bytes in a line of the cache */
#define LINES_LEAST       8  /* of the items of one list */
#define LINES_CODES       4  /* and of the numbers of its values, which are half as long */
#define LINES_MOST        16
#define LINES_MOST_VALUED 64

/* Products are reckoned so many at a time, which the processor then does several at once. */
#define TOGETHER 64

/* A number of the upper part is at most so much, see product_of(). */
#define BITS_LEAST 12
#define WHOLE      0x1p52

PairScale
PairsScale(uint32_t users, double most)
{
	PairScale scale = {.bits = BITS_LEAST, .unit = 1};
	int exponent;

	while (scale.bits < 32 && users >> scale.bits)
		scale.bits++;
	if (!(most > 0))
		return scale;

	/*
	 * most < 2^exponent, which is 2^(62 - bits) units.  The upper part has 63 - bits bits, so there
	 * is as much room again: for the rounding of each addition, half a unit for fewer than 2^bits
	 * users, while bits <= 31; and for that of most itself.
	 */
	frexp(most, &exponent);
	scale.unit = ldexp(1, exponent - (62 - (int) scale.bits));
	return scale;
}

double
PairsRoot(double mass)
{
	int exponent = 0;

	if (mass > 0)
		frexp(sqrt(mass), &exponent);
	return ldexp(1, exponent);
}

/* Lists of items of either width; which one is known when a loop over them is compiled. */
typedef struct Lists
{
	const uint64_t *start;
	const uint32_t *wide;
	const uint16_t *narrow;
	const float *value;  /* or NULL */
	const uint8_t *code; /* or NULL */
} Lists;

#define WIDTH_KNOWN inline __attribute__((always_inline))

static WIDTH_KNOWN uint32_t
item_at(const Lists *lists, uint64_t entry, bool narrow)
{
	return narrow ? lists->narrow[entry] : lists->wide[entry];
}

/*
 * Sends for bytes, one at least: to the first cache, so many lines without asking whether there are as many, or
 * where that is none, to the second only.
 */
static WIDTH_KNOWN void
send_bytes(const void *memory, uint64_t bytes, uint64_t unasked)
{
	const char *at = memory;
	uint64_t last = bytes - 1;

	if (unasked > 0)
	{
		for (uint64_t l = 0; l < unasked; l++)
			__builtin_prefetch(at + (l * LINE < last ? l * LINE : last), 0, 3);
		for (uint64_t l = unasked; l < LINES_MOST && l * LINE < bytes; l++)
			__builtin_prefetch(at + l * LINE, 0, 3);
	}
	else
		for (uint64_t l = 0; l < LINES_MOST_VALUED && l * LINE < bytes; l++)
			__builtin_prefetch(at + l * LINE, 0, 2);
}

/* Where the list of an entry's user begins. */
static inline uint64_t
list_of(const PairsInput *in, uint64_t entry)
{
	uint32_t user = in->by_item.column[entry];

	return in->begins ? user : in->by_user.start[user];
}

/* Sends for lists to come. */
static WIDTH_KNOWN void
send_for(const PairsInput *in, const Lists *lists, uint64_t entry, uint64_t end, bool narrow)
{
	bool valued = lists->value != NULL;
	const uint32_t *user = in->by_item.column;
	uint64_t next = entry + (valued ? AHEAD_CELLS : AHEAD_ITEMS);

	if (!in->begins && entry + AHEAD_START < end)
	{
		__builtin_prefetch(&lists->start[user[entry + AHEAD_START]]);
		if (in->step)
			__builtin_prefetch(&in->step[user[entry + AHEAD_START]]);
	}
	if (next < end)
	{
		uint64_t begin = list_of(in, next);
		uint64_t count = (uint64_t) in->place[next] + 1;
		uint64_t unasked = valued ? 0 : LINES_LEAST;

		if (narrow)
			send_bytes(lists->narrow + begin, count * sizeof(uint16_t), unasked);
		else
			send_bytes(lists->wide + begin, count * sizeof(uint32_t), unasked);
		if (valued)
		{
			send_bytes(lists->value + begin, count * sizeof(float), 0);
			__builtin_prefetch(&lists->value[begin + count - 1]);
		}
		if (lists->code)
		{
			send_bytes(lists->code + begin, count, LINES_CODES);
			__builtin_prefetch(&lists->code[begin + count - 1]);
		}
	}
}

/* What the user of an entry adds to a pair, where cells are all worth the same. */
static inline PairSum
step_of(const PairsInput *in, uint64_t entry)
{
	const uint64_t *start = in->by_user.start;
	uint32_t user = in->by_item.column[entry];

	if (in->begins)
		return in->same;
	return in->step ? in->step[user] : in->step_of_count[start[user + 1] - start[user]];
}

/*
 * What a user adds whose cells are worth so much; own is in units.  A number from 2^52 on has no digits
 * below 1: so the sum's last bits are the product, rounded to whole units, and what is above them is
 * shifted out.
 */
static inline PairSum
product_of(double own, float value, PairScale scale)
{
	double rounded = own * value + WHOLE;
	uint64_t bits;

	memcpy(&bits, &rounded, sizeof(bits));
	return (bits << scale.bits) + 1;
}

/* The n-th of four items that were read as one number. */
static inline uint32_t
nth_of(uint64_t four, int n)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return four >> (16 * n) & UINT16_MAX;
#else
	return four >> (48 - 16 * n) & UINT16_MAX;
#endif
}

/*
 * Adds a term to the sum of each of so many items of a list.  Narrow ones are read four at a time, for reading
 * terms and writing sums is work enough.
 */
static WIDTH_KNOWN void
add_terms(const Lists *lists, uint64_t list, uint32_t count, const PairSum *term, PairSum *sums,
		  bool narrow)
{
	uint32_t n = 0;

	if (narrow)
		for (; count - n >= 4; n += 4)
		{
			uint64_t four;

			memcpy(&four, lists->narrow + list + n, sizeof(four));
			sums[nth_of(four, 0)] += term[n];
			sums[nth_of(four, 1)] += term[n + 1];
			sums[nth_of(four, 2)] += term[n + 2];
			sums[nth_of(four, 3)] += term[n + 3];
		}
	for (; n < count; n++)
		sums[item_at(lists, list + n, narrow)] += term[n];
}

/* Adds the same to the sums of all. */
static WIDTH_KNOWN void
add_same(const Lists *lists, uint64_t list, uint32_t count, PairSum same, PairSum *restrict sums,
		 bool narrow)
{
	for (uint32_t n = 0; n < count; n++)
		sums[item_at(lists, list + n, narrow)] += same;
}

/*
 * Reckons what a user adds to the sums of so many items.  Two floats multiply to a double without
 * rounding, so that it is the same number on every processor.
 */
CLONES static void
reckon(const float *restrict value, uint32_t count, double own, PairScale scale,
	   PairSum *restrict product)
{
	for (uint32_t n = 0; n < count; n++)
		product[n] = product_of(own, value[n], scale);
}

/* Adds the first so many items of a user's list, whose cells differ. */
static WIDTH_KNOWN void
add_products(const Lists *lists, uint64_t list, uint32_t count, double own, PairScale scale,
			 PairSum *sums, bool narrow)
{
	PairSum product[TOGETHER];

	while (count > 0)
	{
		uint32_t part = count < TOGETHER ? count : TOGETHER;

		reckon(lists->value + list, part, own, scale, product);
		add_terms(lists, list, part, product, sums, narrow);
		list += part;
		count -= part;
	}
}

/* Reckons what a user adds for each of the first few values of cells, as reckon() does for cells. */
CLONES static void
price(const double *restrict value, uint32_t count, double root, double own, PairScale scale,
	  PairSum *restrict product)
{
	for (uint32_t n = 0; n < count; n++)
		product[n] = product_of(own, (float) (value[n] * root), scale);
}

/*
 * Adds the first so many items of a user's list, whose cells come in few values: of long lists each value is
 * reckoned with once.
 */
static WIDTH_KNOWN void
add_levels(const PairsInput *in, const Lists *lists, uint64_t list, uint32_t count, uint32_t needed,
		   double root, PairSum *restrict sums, bool narrow)
{
	const double *value = in->levels.value;
	const uint8_t *code = lists->code + list;
	double own = (float) (value[code[count]] * root) / in->scale.unit;
	PairSum product[LEVELS_MOST];

	if (count < needed)
		for (uint32_t n = 0; n < count; n++)
			sums[item_at(lists, list + n, narrow)] +=
				product_of(own, (float) (value[code[n]] * root), in->scale);
	else
	{
		price(value, needed, root, own, in->scale, product);
		for (uint32_t n = 0; n < count; n++)
			sums[item_at(lists, list + n, narrow)] += product[code[n]];
	}
}

/* Counts each of so many items of a list. */
static WIDTH_KNOWN void
count_items(const Lists *lists, uint64_t list, uint32_t count, uint32_t *restrict counts,
			bool narrow)
{
	for (uint32_t n = 0; n < count; n++)
		counts[item_at(lists, list + n, narrow)]++;
}

/* Lists the items of a list that are met for the first time; returns how many are listed then. */
static WIDTH_KNOWN uint32_t
list_new(const Lists *lists, uint64_t list, uint32_t count, const PairSum *sums, uint32_t *touched,
		 uint32_t listed, bool narrow)
{
	for (uint64_t entry = list; entry < list + count; entry++)
	{
		uint32_t other = item_at(lists, entry, narrow);

		touched[listed] = other;
		listed += sums[other] == 0;
	}
	return listed;
}

/*
 * Adds the users of an item from one of its entries to another.  Lists those it meets, after so many, unless
 * touched is NULL; returns their number.  Where there are counts, they are counted there instead.
 */
static WIDTH_KNOWN uint32_t
add_users(const PairsInput *in, uint32_t item, uint64_t begin, uint64_t end, PairSum *sums,
		  uint32_t *counts, uint32_t *touched, uint32_t listed, bool narrow)
{
	const Lists lists = {in->by_user.start, in->by_user.column, in->narrow, in->by_user.value,
						 in->levels.code};
	const Sparse *users_of = &in->by_item;
	double per_unit = 1 / in->scale.unit; /* a power of two, so exact */
	uint32_t needed = lists.code ? in->levels.needed[item] : 0;

	for (uint64_t e = begin; e < end; e++)
	{
		uint32_t user = users_of->column[e];
		uint64_t list = list_of(in, e);
		uint32_t count = in->place[e];

		INTERRUPTS_AT(e);
		send_for(in, &lists, e, end, narrow);
		if (touched)
			listed = list_new(&lists, list, count, sums, touched, listed, narrow);
		if (counts)
			count_items(&lists, list, count, counts, narrow);
		else if (lists.value)
			add_products(&lists, list, count, lists.value[list + count] * per_unit, in->scale, sums,
						 narrow);
		else if (lists.code)
			add_levels(in, &lists, list, count, needed,
					   in->levels.root[lists.start[user + 1] - list], sums, narrow);
		else
			add_same(&lists, list, count, step_of(in, e), sums, narrow);
	}
	return listed;
}

/* The same, whatever the width. */
static uint32_t
add_part(const PairsInput *in, uint32_t item, uint64_t begin, uint64_t end, PairSum *sums,
		 uint32_t *touched, uint32_t listed)
{
	return in->narrow ? add_users(in, item, begin, end, sums, NULL, touched, listed, true)
					  : add_users(in, item, begin, end, sums, NULL, touched, listed, false);
}

/* True where those whom an item meets are listed. */
static bool
is_listed(const PairsInput *in, uint32_t item)
{
	const uint64_t *start = in->by_item.start + (item - in->first);

	return (double) (start[1] - start[0]) * in->mean_list / 2 < item / DENSE_SHARE;
}

bool
PairsCount(const PairsInput *in, uint32_t item, uint32_t *counts)
{
	const uint64_t *start = in->by_item.start + (item - in->first);

	if (in->same == 0 || is_listed(in, item))
		return false;
	if (in->narrow)
		add_users(in, item, start[0], start[1], NULL, counts, NULL, 0, true);
	else
		add_users(in, item, start[0], start[1], NULL, counts, NULL, 0, false);
	return true;
}

bool
PairsRow(const PairsInput *in, uint32_t item, PairSum *sums, uint32_t *touched, uint32_t *count)
{
	const uint64_t *start = in->by_item.start + (item - in->first);
	bool listed = is_listed(in, item);

	*count = add_part(in, item, start[0], start[1], sums, listed ? touched : NULL, 0);
	return listed;
}

bool
PairsRowBefore(const PairsInput *in, uint32_t item, uint32_t user, PairSum *sums, uint32_t *touched,
			   uint32_t *count)
{
	uint64_t end = SparseFind(&in->by_item, item - in->first, user);
	bool listed = is_listed(in, item);

	*count = add_part(in, item, in->by_item.start[item - in->first], end, sums,
					  listed ? touched : NULL, 0);
	return listed;
}

bool
PairsRowRest(const PairsInput *in, uint32_t item, uint32_t user, PairSum *sums, uint32_t *touched,
			 uint32_t *count)
{
	uint64_t begin = SparseFind(&in->by_item, item - in->first, user);
	bool listed = is_listed(in, item);

	*count = add_part(in, item, begin, in->by_item.start[item - in->first + 1], sums,
					  listed ? touched : NULL, *count);
	return listed;
}

void
PairsAdd(const PairsInput *in, uint32_t item, PairSum *sums)
{
	const uint64_t *start = in->by_item.start + (item - in->first);

	add_part(in, item, start[0], start[1], sums, NULL, 0);
}

uint64_t
PairsTerms(const PairsInput *in, uint32_t item, PairTerm *terms)
{
	const Sparse *items_of = &in->by_user;
	const Sparse *users_of = &in->by_item;
	uint64_t end = users_of->start[item - in->first + 1];
	double per_unit = 1 / in->scale.unit;
	uint64_t count = 0;

	for (uint64_t e = users_of->start[item - in->first]; e < end; e++)
	{
		uint64_t list = list_of(in, e);
		uint64_t own = list + in->place[e];

		INTERRUPTS_AT(e);
		for (uint64_t c = list; c < own; c++)
		{
			PairSum sum = items_of->value ? product_of(items_of->value[own] * per_unit,
													   items_of->value[c], in->scale)
										  : step_of(in, e);

			terms[count++] =
				(PairTerm){items_of->column[c], (uint32_t) sum, (uint32_t) (sum >> 32)};
		}
	}
	return count;
}
