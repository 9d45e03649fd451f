/*
 * marks.h: which of many things a loop that compares several at once has marked.
 */
#ifndef RECO_MARKS_H
#define RECO_MARKS_H

#include <stdint.h>
#include <string.h>

/* Marks are looked through so many at a time, of which most are none. */
#define MARKS_TOGETHER 64

/* Eight marks as the bits of a number, the first as the last bit. */
static inline uint64_t
MarksEight(const unsigned char *marks)
{
	uint64_t eight;

	memcpy(&eight, marks, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	eight = __builtin_bswap64(eight);
#endif
	/* Each is moved to a place of its own among the upper eight bits. */
	return eight * UINT64_C(0x0102040810204080) >> 56;
}

/*
 * Lists, from a number on, those marked, whose mark is 1, and returns how many they are.  There is room for whole
 * MARKS_TOGETHER, 0 beyond the count.
 */
static inline uint32_t
MarksList(const unsigned char *marks, uint32_t first, uint32_t count, uint32_t *found)
{
	uint32_t n = 0;

	for (uint32_t m = 0; m < count; m += MARKS_TOGETHER)
	{
		uint64_t bits = 0;

		for (uint32_t e = 0; e < MARKS_TOGETHER; e += 8)
			bits |= MarksEight(marks + m + e) << e;
		for (; bits; bits &= bits - 1)
			found[n++] = first + m + (uint32_t) __builtin_ctzll(bits);
	}
	return n;
}

#endif
