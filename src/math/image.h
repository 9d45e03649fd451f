/*
 * image.h: a matrix of users by items as bytes: what the type reco_matrix stores and sends.
 *
 *   0      'M'
 *   1      version, 1
 *   2, 3   kind of the user ids, of the item ids: 0 integer, 1 uuid, 2 text
 *   4      number of users                          uint32
 *   8      number of items                          uint32
 *   12     sum of all other bytes, see ImageSum     uint32
 *   16     number of cells                          uint64
 *   24     the user ids, in order: integers as 8 bytes, uuids as 16; texts as a uint32 length
 *          each, then the bytes of all
 *          the item ids likewise
 *          cells of each user                       users * uint32
 *          item of each cell, rising within a user  cells * uint32
 *          weight of each cell                      cells * IEEE float64
 *
 * All numbers are little-endian and unaligned.  Two matrices of the same cells have the same
 * bytes.
 */
#ifndef RECO_IMAGE_H
#define RECO_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_VERSION 1
#define IMAGE_HEADER  24
#define IMAGE_SUM     12 /* where it is */
#define IMAGE_KINDS   3

typedef struct ImageIds
{
	uint32_t count;
	uint32_t width;               /* of each id; 0 for text */
	const unsigned char *lengths; /* text only */
	const unsigned char *bytes;
} ImageIds;

typedef struct Image
{
	unsigned char user_kind;
	unsigned char item_kind;
	ImageIds users;
	ImageIds items;
	uint64_t cells;
	const unsigned char *counts;
	const unsigned char *columns;
	const unsigned char *weights;
} Image;

/*
 * Opens bytes after checking every one of them; false is damage.  Whether ids differ is for the
 * caller to see.
 */
extern bool ImageOpen(const unsigned char *bytes, size_t length, Image *image);

/*
 * The sum that belongs into an image, which is at least a header.  No change of one bit leaves it
 * the same.
 */
extern uint32_t ImageSum(const unsigned char *bytes, size_t length);

/* The bytes an id of a kind takes, 0 for text. */
extern uint32_t ImageWidth(unsigned char kind);

/* Numbers, read and written wherever they lie. */
extern uint32_t ImageGet32(const unsigned char *in);
extern uint64_t ImageGet64(const unsigned char *in);
extern double ImageGetDouble(const unsigned char *in);
extern unsigned char *ImagePut32(unsigned char *out, uint32_t x);
extern unsigned char *ImagePut64(unsigned char *out, uint64_t x);
extern unsigned char *ImagePutDouble(unsigned char *out, double x);

#endif
