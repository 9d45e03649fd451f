#include "math/words.h"

#include <stdbool.h>
#include <stdlib.h>

#include "math/hash.h"

/* The hash of a text of a column; a text as a whole and a word of it differ by what they are. */
static uint64_t
hash_of(uint64_t seed, uint64_t what, const char *text, size_t length)
{
	return HashMix(HashBytes((const unsigned char *) text, length) ^ HashMix(seed + what));
}

/* Of a text in lower case. */
static bool
is_letter(unsigned char byte)
{
	return byte >= 0x80 || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

static bool
is_digit(unsigned char byte)
{
	return byte >= '0' && byte <= '9';
}

/* Adds a hash to those there are, unless it is there. */
static int
add_once(uint64_t hash, uint64_t *out, int count)
{
	for (int n = 0; n < count; n++)
		if (out[n] == hash)
			return count;
	out[count] = hash;
	return count + 1;
}

int
WordsHash(const char *text, size_t length, uint64_t seed, uint64_t *out, int most)
{
	size_t at = 0;
	int count = 0;

	while (at < length && count < most)
	{
		size_t begin = at;

		while (at < length && is_letter((unsigned char) text[at]))
			at++;
		if (at - begin > 1 || (at - begin == 1 && is_digit((unsigned char) text[begin])))
			count = add_once(hash_of(seed, 0, text + begin, at - begin), out, count);
		while (at < length && !is_letter((unsigned char) text[at]))
			at++;
	}
	if (count > 1 && count < most)
		out[count++] = hash_of(seed, 1, text, length);
	return count;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return x < y ? -1 : x > y;
}

Ranges
RangesOf(double *sample, size_t count)
{
	Ranges ranges = {0};
	size_t values = count > 0;

	qsort(sample, count, sizeof(double), by_value);
	for (size_t n = 1; n < count; n++)
		values += sample[n] != sample[n - 1];
	if (values <= RANGES_VALUES)
		return ranges;
	for (int c = 0; c < RANGES_CUTS; c++)
		ranges.cut[c] = sample[count * (c + 1) / (RANGES_CUTS + 1)];
	ranges.cuts = RANGES_CUTS;
	return ranges;
}

int
RangesHash(const Ranges *ranges, double number, uint64_t seed, uint64_t *out)
{
	uint64_t range = 0;

	if (ranges->cuts == 0)
	{
		number += 0.0; /* there is one zero only */
		out[0] = hash_of(seed, 2, (const char *) &number, sizeof(number));
		return 1;
	}
	while (range < (uint64_t) ranges->cuts && ranges->cut[range] <= number)
		range++;
	out[0] = HashMix(seed ^ HashMix(UINT64_C(1000) + range / 2));
	out[1] = HashMix(seed ^ HashMix(UINT64_C(2000) + (range + 1) / 2));
	return 2;
}
