/*
 * tally.h: sums of positive numbers of any size that are the same in whatever order, and by however
 * many processes, they are added up.
 *
 * A number is cut into digits of 32 bits at fixed places.  A sum has two of them, that of the
 * greatest bit among its numbers and the next, each added up as an integer, and what lies below is
 * left out of every number alike (Demmel & Nguyen 2015 with two bins).  So a sum is right to 2^-32
 * of its greatest number for each of its numbers, of which there are fewer than 2^32.
 */
#ifndef RECO_TALLY_H
#define RECO_TALLY_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define TALLY_DIGIT 32 /* bits */

/* A sum; all zero is none. */
typedef struct Tally
{
	uint64_t *digit; /* [2], the higher first */
	uint16_t *place; /* of the higher one, from 1 on */
} Tally;

/* Adds what stands at two places, the higher one given. */
static inline void
TallyMerge(Tally sum, uint64_t high, uint64_t low, uint16_t place)
{
	if (place == *sum.place)
	{
		sum.digit[0] += high;
		sum.digit[1] += low;
	}
	else if (place > *sum.place)
	{
		sum.digit[1] = place == *sum.place + 1 ? sum.digit[0] + low : low;
		sum.digit[0] = high;
		*sum.place = place;
	}
	else if (place + 1 == *sum.place)
		sum.digit[1] += high;
}

/* Adds a number that is positive and finite; one below 2^-1022 is nothing. */
static inline void
TallyAdd(Tally sum, double number)
{
	uint64_t bits;
	uint64_t mantissa;
	uint32_t top; /* the place of the highest bit, 2^-1023 being at 0 */
	int shift;

	memcpy(&bits, &number, sizeof(bits));
	top = (uint32_t) (bits >> 52);
	if (top == 0)
		return;
	mantissa = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
	shift = (int) (top % TALLY_DIGIT) + TALLY_DIGIT - 52;
	mantissa = shift >= 0 ? mantissa << shift : mantissa >> -shift;
	TallyMerge(sum, mantissa >> TALLY_DIGIT, mantissa & UINT32_MAX,
			   (uint16_t) (top / TALLY_DIGIT + 1));
}

/* What it comes to. */
static inline double
TallyValue(Tally sum)
{
	double digits = ldexp((double) sum.digit[0], TALLY_DIGIT) + (double) sum.digit[1];

	return *sum.place == 0 ? 0 : ldexp(digits, TALLY_DIGIT * (*sum.place - 2) - 1023);
}

#endif
