#include "math/packed.h"

#include <math.h>
#include <string.h>

#include "math/hash.h"
#include "math/rank.h"

static uint32_t
little(uint32_t x)
{
#if PACKED_WRITES_ON_OPEN
	return __builtin_bswap32(x);
#else
	return x;
#endif
}

static unsigned char *
put_uint32(unsigned char *out, uint32_t x)
{
	x = little(x);
	memcpy(out, &x, sizeof(x));
	return out + sizeof(x);
}

static uint32_t
get_uint32(const unsigned char *in)
{
	uint32_t x;

	memcpy(&x, in, sizeof(x));
	return little(x);
}

/* Where the words of the first sum begin, and how many they are of n neighbours. */
#define SUMMED_FROM     4
#define SUMMED_WORDS(n) ((PACKED_HEADER - SUMMED_FROM) / 4 + 2 * (size_t) (n))

/*
 * The ones' complement sum of the words of a row in 16 bits, as the Internet has it (RFC 1071):
 * many are added at a time, and no bit can change without it.
 */
static uint16_t
sum_words(const unsigned char *bytes, uint32_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < SUMMED_WORDS(n); i++)
		sum += get_uint32(bytes + SUMMED_FROM + 4 * i);
	sum = (sum & 0xffffffff) + (sum >> 32);
	for (int fold = 0; fold < 3; fold++)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) sum;
}

size_t
PackedWrite(unsigned char *out, uint32_t item_no, const Best *neighbors, uint32_t scored,
			uint32_t n)
{
	unsigned char *at = out;
	const unsigned char *supports;
	uint32_t content = 0;
	uint16_t sum;

	while (content < scored && neighbors[content].support == 0)
		content++;
	*at++ = 'R';
	*at++ = PACKED_VERSION;
	*at++ = 0;
	*at++ = 0;
	at = put_uint32(at, item_no);
	at = put_uint32(at, content);
	at = put_uint32(at, scored);
	at = put_uint32(at, n);
	at = put_uint32(at, 0);
	for (uint32_t i = 0; i < n; i++)
		at = put_uint32(at, neighbors[i].index);
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t bits;

		memcpy(&bits, &neighbors[i].value, sizeof(bits));
		at = put_uint32(at, bits);
	}
	supports = at;
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t rest = neighbors[i].support;

		for (; rest >= 0x80; rest >>= 7)
			*at++ = (unsigned char) (rest | 0x80);
		*at++ = (unsigned char) rest;
	}
	put_uint32(out + 20, (uint32_t) HashBytes(supports, at - supports));
	sum = sum_words(out, n);
	out[2] = (unsigned char) sum;
	out[3] = (unsigned char) (sum >> 8);
	return at - out;
}

/* Reads one LEB128 number of at most 32 bits; NULL where it is cut off or too long. */
static const unsigned char *
get_support(const unsigned char *in, const unsigned char *end, uint32_t *support)
{
	uint64_t x = 0;

	for (int shift = 0; shift < 35; shift += 7)
	{
		if (in == end)
			return NULL;
		x |= (uint64_t) (*in & 0x7f) << shift;
		if ((*in++ & 0x80) == 0)
		{
			*support = (uint32_t) x;
			return x <= UINT32_MAX ? in : NULL;
		}
	}
	return NULL;
}

/*
 * True where every number is below slots, and similarity never rises and is finite.  Without a
 * way out of the loops, the compiler takes several at a time.
 */
static bool
is_run(const uint32_t *item, const float *similarity, uint32_t count, uint32_t slots)
{
	uint32_t bad = 0;

	for (uint32_t i = 0; i < count; i++)
		bad |= item[i] >= slots;
	/* The comparison is false for a NaN. */
	for (uint32_t i = 1; i < count; i++)
		bad |= !(similarity[i] <= similarity[i - 1]);
	return bad == 0 && (count == 0 || (isfinite(similarity[0]) && isfinite(similarity[count - 1])));
}

bool
PackedOpen(unsigned char *bytes, size_t length, uint32_t slots, Packed *view)
{
	uint32_t n;
	uint32_t *item;
	float *similarity;

	if (length < PACKED_HEADER || bytes[0] != 'R' || bytes[1] != PACKED_VERSION)
		return false;

	view->item_no = get_uint32(bytes + 4);
	view->content = get_uint32(bytes + 8);
	view->scored = get_uint32(bytes + 12);
	n = get_uint32(bytes + 16);
	/* Nine bytes is the least a neighbour takes, which also bounds n before it is multiplied. */
	if (view->item_no >= slots || n > (length - PACKED_HEADER) / 9 || view->scored > n ||
		view->content > view->scored || sum_words(bytes, n) != (bytes[2] | bytes[3] << 8))
		return false;

	item = (uint32_t *) (bytes + PACKED_HEADER);
	similarity = (float *) (bytes + PACKED_HEADER + 4 * (size_t) n);
#if PACKED_WRITES_ON_OPEN
	for (size_t i = 0; i < 2 * (size_t) n; i++)
		item[i] = little(item[i]);
#endif
	if (!is_run(item, similarity, view->content, slots) ||
		!is_run(item + view->content, similarity + view->content, view->scored - view->content,
				slots) ||
		!is_run(item + view->scored, similarity + view->scored, n - view->scored, slots) ||
		(view->content > 0 && !(similarity[view->content - 1] > 0)))
		return false;

	view->count = n;
	view->most = fmaxf(RankMost(similarity, view->content),
					   RankMost(similarity + view->content, view->scored - view->content));
	view->item = item;
	view->similarity = similarity;
	view->sum = get_uint32(bytes + 20);
	view->support = bytes + PACKED_HEADER + 8 * (size_t) n;
	view->end = bytes + length;
	return true;
}

void
PackedOrder(const Packed *view, uint32_t *out)
{
	uint32_t at[] = {view->content, view->scored, 0};
	const uint32_t end[] = {view->scored, view->count, view->content};

	/* A merge of the runs; of equals, what more stands behind comes first. */
	for (uint32_t n = 0; n < view->count; n++)
	{
		int best = -1;

		for (int run = 0; run < 3; run++)
			if (at[run] < end[run] &&
				(best < 0 || view->similarity[at[run]] > view->similarity[at[best]]))
				best = run;
		out[n] = at[best]++;
	}
}

bool
PackedSupport(const Packed *view, uint32_t *out)
{
	const unsigned char *at = view->support;

	if ((uint32_t) HashBytes(at, view->end - at) != view->sum)
		return false;
	for (uint32_t i = 0; i < view->count && at; i++)
	{
		at = get_support(at, view->end, &out[i]);
		if (at && i < view->scored && (out[i] == 0) != (i < view->content))
			return false;
	}
	return at == view->end;
}
