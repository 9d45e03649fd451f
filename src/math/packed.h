/*
 * packed.h: the neighbours of one item as bytes, as learned_item.neighbors holds them.
 *
 *   0       'R'
 *   1       version, 1
 *   2..3    sum of the words of 4 bytes from here to the supports, in 16 bits   uint16
 *   4..7    item_no of the row itself            uint32
 *   8..11   c, neighbours by attributes alone    uint32
 *   12..15  m, neighbours that are scored        uint32
 *   16..19  n, neighbours in all                 uint32
 *   20..23  sum of the supports                  uint32
 *   24..    item_no of each                      n * uint32
 *   +4n     similarity of each                   n * IEEE float32
 *   +4n     support of each                      n * LEB128, 1 to 5 bytes each
 *
 * The first m neighbours are what the item, in a history, speaks for; the others are only shown
 * as similar.  Of those m the first c are tied to it by attributes alone: no user stands behind them,
 * so their support is 0, and that of the other m - c is not; their similarity is above 0.  Within each
 * of the three runs similarity never rises.  All numbers are little-endian.  The two arrays that scoring reads are aligned to 4 when the bytes are;
 * support, which only people read, comes last.
 */
#ifndef RECO_PACKED_H
#define RECO_PACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "math/best.h"

#define PACKED_VERSION      1
#define PACKED_HEADER       24
#define PACKED_PER_NEIGHBOR 13 /* at most */

/* Where numbers must be swapped, opening writes to the bytes: give it a copy. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define PACKED_WRITES_ON_OPEN 1
#else
#define PACKED_WRITES_ON_OPEN 0
#endif

typedef struct Packed
{
	uint32_t item_no;
	uint32_t content; /* those by attributes alone, which come first */
	uint32_t scored;  /* with them */
	uint32_t count;   /* with those only shown */
	float most;       /* the greatest |similarity| of those scored */
	const uint32_t *item;
	const float *similarity;
	uint32_t sum;                 /* of the supports, as stored */
	const unsigned char *support; /* read by PackedSupport */
	const unsigned char *end;
} Packed;

/*
 * Writes a row of n neighbours to out, which has PACKED_HEADER + n * PACKED_PER_NEIGHBOR bytes; those
 * with a support of 0 come first.  Returns the length.
 */
extern size_t PackedWrite(unsigned char *out, uint32_t item_no, const Best *neighbors,
						  uint32_t scored, uint32_t n);

/*
 * Opens a row: bytes aligned to 4, and all item numbers below slots.  Every byte is checked
 * before it is believed, those of the supports when they are read; false is damage, and *view is
 * then not to be used.
 */
extern bool PackedOpen(unsigned char *bytes, size_t length, uint32_t slots, Packed *view);

/* The places of all neighbours of an opened row by falling similarity, to out[count]. */
extern void PackedOrder(const Packed *view, uint32_t *out);

/* The supports of an opened row, to out[count]; false is damage. */
extern bool PackedSupport(const Packed *view, uint32_t *out);

#endif
