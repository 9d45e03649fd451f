/*
 * image.c: any bytes at all as a matrix of users by items, as reco_matrix_recv gets them.
 *
 * What opens is walked as data/cells walks it: nothing may lie outside the bytes, and every cell
 * has a user, an item and a finite weight.  The first byte says whether the sum is put right first,
 * so that what lies behind it is reached.
 */
#include "math/image.h"

#include "fuzz.h"

/* Looks at every id; returns a sum of their bytes, so that they are read. */
static unsigned
read_ids(const ImageIds *ids, const unsigned char *begin, size_t length)
{
	const unsigned char *at = ids->bytes;
	unsigned sum = 0;

	for (uint32_t n = 0; n < ids->count; n++)
	{
		uint32_t width = ids->width > 0 ? ids->width : ImageGet32(ids->lengths + 4 * (size_t) n);

		must(at >= begin && width <= (size_t) (begin + length - at));
		for (uint32_t b = 0; b < width; b++)
			sum += *at++;
	}
	return sum;
}

/* Every cell is where an item is, and they are as many as was said. */
static void
read_cells(const Image *image)
{
	uint64_t cell = 0;

	for (uint32_t user = 0; user < image->users.count; user++)
	{
		uint32_t count = ImageGet32(image->counts + 4 * (size_t) user);

		for (uint32_t n = 0; n < count; n++, cell++)
		{
			uint32_t item = ImageGet32(image->columns + 4 * cell);

			must(cell < image->cells && item < image->items.count);
			must(n == 0 || item > ImageGet32(image->columns + 4 * (cell - 1)));
			must(isfinite(ImageGetDouble(image->weights + 8 * cell)));
		}
	}
	must(cell == image->cells);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t length = size - 1;
	unsigned char *bytes;
	volatile unsigned sum;
	Image image;

	if (size < 1)
		return 0;
	/* Not aligned, as the payload of a message or a tuple is not. */
	bytes = room_for(length + 1, 1);
	memcpy(bytes + 1, data + 1, length);
	if ((data[0] & 1) && length >= IMAGE_HEADER)
		ImagePut32(bytes + 1 + IMAGE_SUM, ImageSum(bytes + 1, length));
	if (ImageOpen(bytes + 1, length, &image))
	{
		sum = read_ids(&image.users, bytes + 1, length);
		sum = read_ids(&image.items, bytes + 1, length);
		(void) sum;
		read_cells(&image);
	}
	free(bytes);
	return 0;
}
