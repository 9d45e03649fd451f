#include "learn/splitting.h"

#include "base/interrupts.h"
#include "learn/eventorder.h"

/* A pile is dealt out to so many smaller ones, by so many bits. */
#define DIGIT_BITS 4
#define DIGITS     (1 << DIGIT_BITS)

/* An event as words in the order in which they are compared. */
#define KEY_WORDS  5
#define USER_WORDS 2 /* of them */

/* A word of an event: weights as bits that compare as they do. */
static inline uint32_t
word_of(const Event *event, int word)
{
	uint32_t bits;

	switch (word)
	{
		case 0:
			return event->user_high;
		case 1:
			return event->user_low;
		case 2:
			return event->item;
		case 3:
			return event->age;
		default:
			memcpy(&bits, &event->weight, sizeof(bits));
			return bits & UINT32_C(1) << 31 ? ~bits : bits | UINT32_C(1) << 31;
	}
}

/* What is known of the events of a pile: one of them, and in which bits others differ. */
typedef struct Known
{
	uint64_t count;
	Event first;
	uint32_t differ[KEY_WORDS];
} Known;

static void
know(Known *known, const Event *event)
{
	if (known->count++ == 0)
		known->first = *event;
	for (int w = 0; w < KEY_WORDS; w++)
		known->differ[w] |= word_of(event, w) ^ word_of(&known->first, w);
}

/* Where events are dealt out: the bits from one on, of one word. */
typedef struct Digit
{
	int word;
	int shift;
} Digit;

static inline uint32_t
digit_of(Digit digit, const Event *event)
{
	return word_of(event, digit.word) >> digit.shift & (DIGITS - 1);
}

/* The first bits in which events differ; false where they are all the same. */
static bool
find_digit(const Known *known, Digit *digit)
{
	for (int w = 0; w < KEY_WORDS; w++)
		if (known->differ[w] != 0)
		{
			int highest = 31 - __builtin_clz(known->differ[w]);

			*digit = (Digit){w, Max(highest - (DIGIT_BITS - 1), 0)};
			return true;
		}
	return false;
}

/* Hands over events that fit into memory, the last user first. */
static void
take_sorted(const Splitting *splitting, uint64_t count)
{
	Event *events = splitting->room;

	EventOrderSmall(events, count);
	while (count > 0)
	{
		uint64_t begin = count - 1;

		INTERRUPTS();
		while (begin > 0 && EventUser(&events[begin - 1]) == EventUser(&events[count - 1]))
			begin--;
		splitting->take(events + begin, count - begin, splitting->with);
		count = begin;
	}
}

/* Hands over an event as often as it is there. */
static void
take_same(const Splitting *splitting, const Event *event, uint64_t count)
{
	for (uint64_t e = 0; e < Min(count, splitting->most); e++)
		splitting->room[e] = *event;
	while (count > 0)
	{
		uint64_t part = Min(count, splitting->most);

		INTERRUPTS();
		splitting->take(splitting->room, part, splitting->with);
		count -= part;
	}
}

static void take_pile(const Splitting *splitting, Piles *piles, uint32_t pile, const Known *known);

/* Deals a pile out to smaller ones, and takes these. */
static void
split_pile(const Splitting *splitting, Piles *large, uint32_t pile, Digit digit,
		   SplittingItem number)
{
	Budget *budget = splitting->budget;
	Known *known = BudgetZeroedResult(budget, DIGITS, sizeof(Known));
	Piles *piles = PilesCreate(DIGITS, 1, 0, budget);
	uint64_t count = PilesBytes(large, pile) / sizeof(Event);
	PilesBack *from = PilesBackOpen(large, pile, budget);

	for (uint64_t e = 0; e < count; e++)
	{
		Event event;
		uint32_t to;

		PilesBackRead(from, &event, sizeof(event));
		if (number)
			event.item = number(PilesBackWriter(from), event.item, splitting->with);
		to = digit_of(digit, &event);
		know(&known[to], &event);
		PilesWrite(piles, to, &event, sizeof(event));
	}
	PilesBackClose(from, budget);
	PilesEnd(piles);
	for (uint32_t d = 0; d < DIGITS; d++)
	{
		/* Users fall, all else rises. */
		uint32_t next = digit.word < USER_WORDS ? DIGITS - 1 - d : d;

		if (known[next].count > 0)
			take_pile(splitting, piles, next, &known[next]);
	}
	PilesFree(piles);
	BudgetFree(budget, known);
}

/* Takes a pile of which it is known in what its events differ. */
static void
take_pile(const Splitting *splitting, Piles *piles, uint32_t pile, const Known *known)
{
	Digit digit;

	if (known->count <= splitting->most)
	{
		PilesTake(piles, pile, splitting->room);
		take_sorted(splitting, known->count);
	}
	else if (find_digit(known, &digit))
		split_pile(splitting, piles, pile, digit, NULL);
	else
		take_same(splitting, &known->first, known->count);
}

void
SplittingRun(const Splitting *splitting, Piles *piles, uint32_t pile, uint32_t pile_bits,
			 SplittingItem number)
{
	split_pile(splitting, piles, pile, (Digit){0, 32 - DIGIT_BITS - (int) pile_bits}, number);
}
