/*
 * bytes.c: the stored formats byte by byte, on a machine of whatever byte order and width.
 *
 * Rows of neighbours and matrices travel with a dump or a base backup: the bytes below, written by
 * hand from the words of math/packed.h and math/image.h (their sums by another program), must be
 * read and written everywhere.  Not for libFuzzer: a program of its own, see script/fuzzing.sh.
 */
#include "fuzz.h"
#include "math/image.h"
#include "math/packed.h"

/* Item 258 of 4, 1000 and 70000: by attributes at .5, with 3 and 300 users at .75 and -.25 (shown only). */
static const unsigned char packed[] = {
	'R',  1,    0xa9, 0x01, /* letter, version, sum of the words */
	0x02, 0x01, 0,    0,    /* item 258 */
	1,    0,    0,    0,    /* by attributes */
	2,    0,    0,    0,    /* scored */
	3,    0,    0,    0,    /* all */
	0x90, 0x83, 0xf2, 0x2a, /* sum of the supports */
	4,    0,    0,    0,    /* items */
	0xe8, 0x03, 0,    0,    /* 1000 */
	0x70, 0x11, 0x01, 0,    /* 70000 */
	0,    0,    0,    0x3f, /* .5 */
	0,    0,    0x40, 0x3f, /* .75 */
	0,    0,    0x80, 0xbe, /* -.25 */
	0,    3,    0xac, 0x02, /* supports 0, 3, 300 */
};

/* Users 1 and -1, item "ab": weights 2 and .5. */
static const unsigned char image[] = {
	'M',  1,    0,    2,                            /* letter, version, integers by texts */
	2,    0,    0,    0,                            /* users */
	1,    0,    0,    0,                            /* items */
	0xfb, 0xa3, 0x51, 0x47,                         /* sum */
	2,    0,    0,    0,    0,    0,    0,    0,    /* cells */
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* -1 */
	1,    0,    0,    0,    0,    0,    0,    0,    /* 1 */
	2,    0,    0,    0,                            /* length of "ab" */
	'a',  'b',                                      /* "ab" */
	1,    0,    0,    0,    1,    0,    0,    0,    /* a cell each */
	0,    0,    0,    0,    0,    0,    0,    0,    /* of item 0 */
	0,    0,    0,    0,    0,    0,    0,    0x40, /* 2 */
	0,    0,    0,    0,    0,    0,    0xe0, 0x3f, /* .5 */
};

/* Reads the row, and writes it anew from what was read. */
static void
check_packed(void)
{
	unsigned char *bytes = room_for(sizeof(packed), 1);
	unsigned char written[PACKED_HEADER + 3 * PACKED_PER_NEIGHBOR];
	Best best[3];
	uint32_t support[3];
	Packed view;

	memcpy(bytes, packed, sizeof(packed));
	must(PackedOpen(bytes, sizeof(packed), 70001, &view) && PackedSupport(&view, support));
	must(view.item_no == 258 && view.content == 1 && view.scored == 2 && view.count == 3);
	must(view.item[0] == 4 && view.item[1] == 1000 && view.item[2] == 70000);
	must(view.similarity[0] == .5f && view.similarity[1] == .75f && view.similarity[2] == -.25f);
	must(support[0] == 0 && support[1] == 3 && support[2] == 300 && view.most == .75f);
	for (int n = 0; n < 3; n++)
		best[n] = (Best){view.item[n], support[n], view.similarity[n]};
	must(PackedWrite(written, 258, best, 2, 3) == sizeof(packed));
	must(memcmp(written, packed, sizeof(packed)) == 0);
	free(bytes);
}

/* Opens the matrix and looks at every part of it. */
static void
check_image(void)
{
	unsigned char *bytes = room_for(sizeof(image), 1);
	Image view;

	memcpy(bytes, image, sizeof(image));
	must(ImageOpen(bytes, sizeof(image), &view));
	must(view.users.count == 2 && view.items.count == 1 && view.cells == 2);
	must((int64_t) ImageGet64(view.users.bytes) == -1 && ImageGet64(view.users.bytes + 8) == 1);
	must(ImageGet32(view.items.lengths) == 2 && memcmp(view.items.bytes, "ab", 2) == 0);
	must(ImageGetDouble(view.weights) == 2 && ImageGetDouble(view.weights + 8) == .5);
	ImagePutDouble(ImagePut32(bytes, 0x01020304), .5);
	must(memcmp(bytes, "\x04\x03\x02\x01\0\0\0\0\0\0\xe0\x3f", 12) == 0);
	free(bytes);
}

int
main(void)
{
	check_packed();
	check_image();
	printf("the stored formats are read and written, %s byte first, by words of %d bits\n",
		   PACKED_WRITES_ON_OPEN ? "highest" : "lowest", (int) (8 * sizeof(void *)));
	return 0;
}
