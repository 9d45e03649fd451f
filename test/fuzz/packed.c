/*
 * packed.c: any bytes at all as the neighbours of an item.
 *
 * What opens must keep every promise of math/packed.h, and written anew it must open to the same.
 * The first byte says whether the sums are put right first, so that what lies behind them is
 * reached; the second how many items there are.
 */
#include "math/packed.h"

#include "fuzz.h"
#include "math/hash.h"

static uint32_t
word_at(const unsigned char *bytes)
{
	return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t) bytes[3] << 24;
}

static void
put_word(unsigned char *bytes, uint32_t x)
{
	for (int i = 0; i < 4; i++)
		bytes[i] = (unsigned char) (x >> (8 * i));
}

/* Puts the sums right where there is room for them, by the words of packed.h and not by its code. */
static void
mend_sums(unsigned char *bytes, size_t length)
{
	uint64_t sum = 0;
	uint64_t end;

	if (length < PACKED_HEADER)
		return;
	end = PACKED_HEADER + 8 * (uint64_t) word_at(bytes + 16);
	if (end > length)
		return;
	put_word(bytes + 20, (uint32_t) HashBytes(bytes + end, length - end));
	for (uint64_t at = 4; at < end; at += 4)
		sum += word_at(bytes + at);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	bytes[2] = (unsigned char) sum;
	bytes[3] = (unsigned char) (sum >> 8);
}

static void
check_run(const Packed *view, uint32_t from, uint32_t to, uint32_t slots)
{
	for (uint32_t n = from; n < to; n++)
	{
		must(view->item[n] < slots);
		must(isfinite(view->similarity[n]));
		must(n == from || view->similarity[n] <= view->similarity[n - 1]);
		must(n >= view->scored || fabsf(view->similarity[n]) <= view->most);
	}
}

/* The order has every place once, by falling similarity. */
static void
check_order(const Packed *view)
{
	uint32_t *order = room_for(view->count, sizeof(uint32_t));
	bool *seen = room_for(view->count, sizeof(bool));

	PackedOrder(view, order);
	for (uint32_t n = 0; n < view->count; n++)
	{
		must(order[n] < view->count && !seen[order[n]]);
		seen[order[n]] = true;
		must(n == 0 || view->similarity[order[n]] <= view->similarity[order[n - 1]]);
	}
	free(order);
	free(seen);
}

/* What was read, written and read again, is the same. */
static void
check_copy(const Packed *view, const uint32_t *support, uint32_t slots)
{
	Best *best = room_for(view->count, sizeof(Best));
	uint32_t *again = room_for(view->count, sizeof(uint32_t));
	unsigned char *bytes = room_for(PACKED_HEADER + view->count * PACKED_PER_NEIGHBOR, 1);
	Packed copy;
	size_t length;

	for (uint32_t n = 0; n < view->count; n++)
		best[n] = (Best){view->item[n], support[n], view->similarity[n]};
	length = PackedWrite(bytes, view->item_no, best, view->scored, view->count);
	must(PackedOpen(bytes, length, slots, &copy) && PackedSupport(&copy, again));
	must(copy.item_no == view->item_no && copy.content == view->content &&
		 copy.scored == view->scored && copy.count == view->count && copy.most == view->most);
	must(memcmp(copy.item, view->item, sizeof(uint32_t) * view->count) == 0);
	must(memcmp(copy.similarity, view->similarity, sizeof(float) * view->count) == 0);
	must(memcmp(again, support, sizeof(uint32_t) * view->count) == 0);
	free(best);
	free(again);
	free(bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Packed view;
	uint32_t slots;
	uint32_t *support;
	unsigned char *bytes;

	if (size < 2)
		return 0;
	/* A piece of memory of its own, aligned and not a byte longer. */
	bytes = room_for(size - 2, 1);
	memcpy(bytes, data + 2, size - 2);
	slots = data[1] == 255 ? INT32_MAX : data[1];
	if (data[0] & 1)
		mend_sums(bytes, size - 2);

	if (PackedOpen(bytes, size - 2, slots, &view))
	{
		must(view.item_no < slots && view.content <= view.scored && view.scored <= view.count);
		check_run(&view, 0, view.content, slots);
		check_run(&view, view.content, view.scored, slots);
		check_run(&view, view.scored, view.count, slots);
		check_order(&view);
		support = room_for(view.count, sizeof(uint32_t));
		if (PackedSupport(&view, support))
			check_copy(&view, support, slots);
		free(support);
	}
	free(bytes);
	return 0;
}
