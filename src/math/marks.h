/*
 * marks.h: which of many things a loop that compares several at once has marked.
 */
#ifndef RECO_MARKS_H
#define RECO_MARKS_H

#include <stdint.h>
#include <string.h>

/*
 * Lists, from a number on, those marked, whose mark is 1, and returns how many they are.  Marks are looked
 * through eight at a time, most of which are none: there is room for whole eights, 0 beyond the
 * count.
 */
static inline uint32_t
MarksList(const unsigned char *marks, uint32_t first, uint32_t count, uint32_t *found)
{
	uint32_t n = 0;

	for (uint32_t m = 0; m < count; m += 8)
	{
		uint64_t eight;

		memcpy(&eight, marks + m, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		eight = __builtin_bswap64(eight);
#endif
		for (; eight; eight &= eight - 1)
			found[n++] = first + m + (uint32_t) __builtin_ctzll(eight) / 8;
	}
	return n;
}

#endif
