/*
 * levels.h: cells that come in few values, as numbers of these.
 *
 * Stars, numbers of orders and their logarithms come in a few values, even where each is divided by what its
 * item wants.  A number takes one byte where the value takes four, and what is reckoned of values
 * is reckoned once for each instead of for every cell.
 */
#ifndef RECO_LEVELS_H
#define RECO_LEVELS_H

#include <stdint.h>
#include <string.h>

#define LEVELS_MOST  256
#define LEVELS_BITS  10 /* of a place, so that at most a quarter of all are taken */
#define LEVELS_SLOTS (1 << LEVELS_BITS)

typedef struct Levels
{
	uint32_t count;
	double value[LEVELS_MOST];
	uint32_t first[LEVELS_MOST];   /* the least item that has it */
	uint16_t number[LEVELS_SLOTS]; /* by place, and one more; 0 where none is there yet */
} Levels;

static inline uint32_t
LevelsPlace(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return (uint32_t) (bits * UINT64_C(0x9e3779b97f4a7c15) >> (64 - LEVELS_BITS));
}

/*
 * The number of a value that an item has, a new one where it was not there before; -1 where there are
 * LEVELS_MOST others.  Levels begin as zeros.
 */
static inline int
LevelsNumber(Levels *levels, double value, uint32_t item)
{
	uint32_t place = LevelsPlace(value);
	uint32_t number;

	for (; levels->number[place] > 0; place = (place + 1) % LEVELS_SLOTS)
	{
		number = levels->number[place] - 1u;
		if (levels->value[number] == value)
		{
			if (item < levels->first[number])
				levels->first[number] = item;
			return (int) number;
		}
	}
	if (levels->count == LEVELS_MOST)
		return -1;
	number = levels->count++;
	levels->number[place] = (uint16_t) (number + 1);
	levels->value[number] = value;
	levels->first[number] = item;
	return (int) number;
}

/*
 * Numbers levels anew by the least item that has each, so that pairs of an item with those before it need the
 * first few only: renamed[] tells the new number of each.  No value is found by it afterwards.
 */
extern void LevelsOrder(Levels *levels, uint8_t *renamed);

#endif
