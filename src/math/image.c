#include "math/image.h"

#include <math.h>
#include <string.h>

#include "base/interrupts.h"
#include "math/hash.h"

uint32_t
ImageGet32(const unsigned char *in)
{
	return (uint32_t) in[0] | (uint32_t) in[1] << 8 | (uint32_t) in[2] << 16 |
		   (uint32_t) in[3] << 24;
}

uint64_t
ImageGet64(const unsigned char *in)
{
	return ImageGet32(in) | (uint64_t) ImageGet32(in + 4) << 32;
}

double
ImageGetDouble(const unsigned char *in)
{
	uint64_t bits = ImageGet64(in);
	double x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

unsigned char *
ImagePut32(unsigned char *out, uint32_t x)
{
	for (int i = 0; i < 4; i++)
		*out++ = (unsigned char) (x >> (8 * i));
	return out;
}

unsigned char *
ImagePut64(unsigned char *out, uint64_t x)
{
	return ImagePut32(ImagePut32(out, (uint32_t) x), (uint32_t) (x >> 32));
}

unsigned char *
ImagePutDouble(unsigned char *out, double x)
{
	uint64_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return ImagePut64(out, bits);
}

uint32_t
ImageWidth(unsigned char kind)
{
	static const uint32_t widths[IMAGE_KINDS] = {8, 16, 0};

	return widths[kind];
}

/* Steps over size bytes where there are as many; false where there are not. */
static bool
step(const unsigned char **at, size_t *left, uint64_t size, const unsigned char **piece)
{
	if (size > *left)
		return false;
	*piece = *at;
	*at += size;
	*left -= (size_t) size;
	return true;
}

static bool
open_ids(const unsigned char **at, size_t *left, ImageIds *ids)
{
	uint64_t total = 0;

	ids->lengths = NULL;
	if (ids->width > 0)
		return step(at, left, (uint64_t) ids->count * ids->width, &ids->bytes);

	if (!step(at, left, (uint64_t) ids->count * 4, &ids->lengths))
		return false;
	for (uint32_t n = 0; n < ids->count; n++)
		total += ImageGet32(ids->lengths + 4 * (size_t) n);
	return step(at, left, total, &ids->bytes);
}

/* Every row's items rise and exist, and every weight is a number. */
static bool
check_cells(const Image *image)
{
	uint64_t cell = 0;

	for (uint32_t user = 0; user < image->users.count; user++)
	{
		uint32_t count = ImageGet32(image->counts + 4 * (size_t) user);
		int64_t before = -1;

		INTERRUPTS();
		if (count > image->cells - cell)
			return false;
		for (uint32_t n = 0; n < count; n++, cell++)
		{
			uint32_t column = ImageGet32(image->columns + 4 * cell);

			if (column >= image->items.count || (int64_t) column <= before)
				return false;
			if (!isfinite(ImageGetDouble(image->weights + 8 * cell)))
				return false;
			before = column;
		}
	}
	return cell == image->cells;
}

uint32_t
ImageSum(const unsigned char *bytes, size_t length)
{
	const size_t after = IMAGE_SUM + sizeof(uint32_t);

	return (uint32_t) (HashBytes(bytes, IMAGE_SUM) ^ HashBytes(bytes + after, length - after));
}

bool
ImageOpen(const unsigned char *bytes, size_t length, Image *image)
{
	const unsigned char *at = bytes + IMAGE_HEADER;
	size_t left;

	if (length < IMAGE_HEADER || bytes[0] != 'M' || bytes[1] != IMAGE_VERSION ||
		bytes[2] >= IMAGE_KINDS || bytes[3] >= IMAGE_KINDS ||
		ImageGet32(bytes + IMAGE_SUM) != ImageSum(bytes, length))
		return false;
	left = length - IMAGE_HEADER;
	image->user_kind = bytes[2];
	image->item_kind = bytes[3];
	image->users = (ImageIds){.count = ImageGet32(bytes + 4), .width = ImageWidth(bytes[2])};
	image->items = (ImageIds){.count = ImageGet32(bytes + 8), .width = ImageWidth(bytes[3])};
	image->cells = ImageGet64(bytes + 16);

	return open_ids(&at, &left, &image->users) && open_ids(&at, &left, &image->items) &&
		   step(&at, &left, (uint64_t) image->users.count * 4, &image->counts) &&
		   image->cells <= left / 12 && step(&at, &left, image->cells * 4, &image->columns) &&
		   step(&at, &left, image->cells * 8, &image->weights) && left == 0 && check_cells(image);
}
