/*
 * words.c: any text at all as an attribute of an item, and any numbers as a column of them.
 *
 * No word comes twice and no more come than were asked for; every number falls into a range, and
 * equal numbers into the same.
 */
#include "math/words.h"

#include "fuzz.h"

#define MOST 16

static void
check_words(const char *text, size_t length)
{
	uint64_t *hash = room_for(MOST, sizeof(uint64_t));
	int count = WordsHash(text, length, 7, hash, MOST);

	must(count >= 0 && count <= MOST);
	for (int a = 0; a < count; a++)
		for (int b = a + 1; b < count; b++)
			must(hash[a] != hash[b]);
	free(hash);
}

static void
check_numbers(const uint8_t *data, size_t count)
{
	double *sample = room_for(count, sizeof(double));
	size_t used = 0;
	Ranges ranges;

	for (size_t n = 0; n < count; n++)
	{
		memcpy(&sample[used], data + 8 * n, sizeof(double));
		used += isfinite(sample[used]) != 0;
	}
	ranges = RangesOf(sample, used);
	must(ranges.cuts == 0 || ranges.cuts == RANGES_CUTS);
	for (size_t n = 0; n < used; n++)
	{
		uint64_t first[2];
		uint64_t again[2];
		int hashes = RangesHash(&ranges, sample[n], 7, first);

		must(hashes == (ranges.cuts == 0 ? 1 : 2));
		must(RangesHash(&ranges, sample[n], 7, again) == hashes);
		must(memcmp(first, again, sizeof(uint64_t) * (size_t) hashes) == 0);
	}
	free(sample);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = room_for(size, 1);

	/* Of its own length, without an end that reading could stop at. */
	memcpy(text, data, size);
	check_words(text, size);
	check_numbers(data, size / 8);
	free(text);
	return 0;
}
