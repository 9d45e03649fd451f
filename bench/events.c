/*
 * events.c: writes a generated set of events, the same one every time.
 *
 *   events SET [binary|csv] >FILE      SET is 1m, 20m or 100m; binary is what COPY reads
 *
 * Columns: user_id int, item_id int, occurred_at timestamptz, weight real.
 *
 * Users are of very different zeal (log-normal), items of very different popularity (Zipf with a
 * flattened head, as Mandelbrot has it), and users have tastes: of a user's draws half come from
 * one slice of the catalogue, a quarter from another, a quarter from all of it.  No user has an
 * item twice, as in MovieLens.  Rows come in the order of time, which is the order in which a
 * table of events grows; user and item numbers say nothing of zeal or popularity.
 *
 * Standard error gets what was achieved and a checksum, so that two machines can tell whether
 * they measured the same set (the last bit of exp() may differ between C libraries, and about
 * one event in 10^12 with it).
 */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The sets.  1m and 20m have the users, items and sum n_u^2 of MovieLens 1M and 20M; spread is
 * the log-normal's sigma that gives that sum.
 */
typedef struct Shape
{
	const char *name;
	uint32_t events;
	uint32_t users;
	uint32_t items;
	double spread;
} Shape;

static const Shape shapes[] = {
	{"1m", 1000000, 6040, 3900, 0.95},
	{"20m", 20000000, 138000, 27000, 1.16},
	{"100m", 100000000, 1000000, 100000, 1.2},
};

#define TASTES       20
#define HEAD_SHARE   100.0 /* the head is flat for a 100th of the catalogue */
#define MOST_ITEMS   5000  /* of a user, and never more than half of the catalogue */
#define DAYS         730
#define SECONDS      ((uint32_t) DAYS * 86400)
#define FIRST_SECOND 757382400 /* 2024-01-01, in PostgreSQL's seconds since 2000-01-01 */
#define FIRST_UNIX   1704067200
#define TIME_BITS    13 /* two passes of a radix sort cover SECONDS */

/* In halves of a star, about as MovieLens has them; which one follows from user and item. */
static const uint8_t weights[16] = {1, 2, 4, 5, 6, 6, 6, 6, 7, 7, 8, 8, 8, 8, 9, 10};

typedef struct Event
{
	uint32_t user;
	uint32_t item;
	uint32_t second;
} Event;

static void
fail(const char *what)
{
	fprintf(stderr, "events: %s\n", what);
	exit(1);
}

static void *
allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (memory == NULL)
		fail("out of memory");
	return memory;
}

/* The finalizer of splitmix64 (Steele, Lea, Flood 2014): every bit of the input moves every other. */
static uint64_t
mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
	x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
	return x ^ (x >> 31);
}

/* The next draw in [0, 1). */
static double
draw(uint64_t *state)
{
	*state += 0x9E3779B97F4A7C15u;
	return (double) (mix(*state) >> 11) * 0x1p-53;
}

/* A normal draw (Box and Muller 1958). */
static double
draw_normal(uint64_t *state)
{
	double radius = sqrt(-2 * log(1 - draw(state)));

	return radius * cos(6.283185307179586 * draw(state));
}

/* Rank r of count with a chance of about (r + head)^-1.5: the inverse of its distribution. */
static uint32_t
draw_rank(uint64_t *state, uint32_t count)
{
	static const double reach = 0.9004962809790011; /* 1 - (1 + HEAD_SHARE)^-0.5 */
	double head = count / HEAD_SHARE;
	double left = 1 - draw(state) * reach;
	uint32_t rank = (uint32_t) (head / (left * left) - head);

	return rank < count ? rank : count - 1;
}

/* A number of 1..count for the n-th of them, one to one, that tells nothing of n. */
static uint32_t
scramble(uint32_t n, uint32_t count)
{
	/* 2^31 - 1 is a prime above every count */
	return (uint32_t) (((uint64_t) n * 2147483647u + count / 3) % count) + 1;
}

static uint32_t
clamp_items(double wanted, uint32_t most)
{
	return wanted < 1 ? 1 : wanted > most ? most : (uint32_t) wanted;
}

/* How many items each user has: log-normal, of exactly the sum that the shape asks for. */
static uint32_t *
draw_zeal(const Shape *shape)
{
	uint32_t *count = allocate(shape->users, sizeof(uint32_t));
	double *zeal = allocate(shape->users, sizeof(double));
	uint32_t most = shape->items / 2 < MOST_ITEMS ? shape->items / 2 : MOST_ITEMS;
	uint64_t state = shape->events;
	double low = 0;
	double high = most;
	uint64_t total = 0;

	for (uint32_t u = 0; u < shape->users; u++)
		zeal[u] = exp(shape->spread * draw_normal(&state));
	for (int step = 0; step < 60; step++)
	{
		double middle = (low + high) / 2;

		total = 0;
		for (uint32_t u = 0; u < shape->users; u++)
			total += clamp_items(middle * zeal[u], most);
		if (total > shape->events)
			high = middle;
		else
			low = middle;
	}
	total = 0;
	for (uint32_t u = 0; u < shape->users; u++)
		total += count[u] = clamp_items(low * zeal[u], most);
	for (uint32_t u = 0; total < shape->events; u = (u + 1) % shape->users)
	{
		total += count[u] < most;
		count[u] += count[u] < most;
	}
	free(zeal);
	return count;
}

/* The items of every user, one user after the other. */
static Event *
draw_events(const Shape *shape, const uint32_t *count)
{
	Event *event = allocate(shape->events, sizeof(Event));
	uint32_t *owner = allocate(shape->items, sizeof(uint32_t)); /* the last user who drew it, + 1 */
	uint32_t slice = shape->items / TASTES;
	uint64_t e = 0;

	for (uint32_t u = 0; u < shape->users; u++)
	{
		uint64_t state = mix(shape->events + (uint64_t) u);
		uint32_t taste = (uint32_t) (draw(&state) * TASTES);
		uint32_t second_taste = (uint32_t) (draw(&state) * TASTES);
		double joined = draw(&state) * 0.9;
		uint32_t number = scramble(u, shape->users);

		for (uint32_t n = 0; n < count[u]; n++)
		{
			double whence = draw(&state);
			uint32_t rank;

			if (whence < 0.75)
				rank = draw_rank(&state, slice) * TASTES + (whence < 0.5 ? taste : second_taste);
			else
				rank = draw_rank(&state, shape->items);
			while (owner[rank] == u + 1)
				rank = draw_rank(&state, shape->items);
			owner[rank] = u + 1;
			event[e++] = (Event){number, scramble(rank, shape->items),
								 (uint32_t) ((joined + (1 - joined) * draw(&state)) * SECONDS)};
		}
	}
	free(owner);
	return event;
}

/* One pass of a radix sort, by TIME_BITS bits of the time. */
static void
sort_pass(const Event *from, Event *to, uint32_t count, int shift)
{
	const uint32_t mask = (1 << TIME_BITS) - 1;
	uint32_t *start = allocate(mask + 2, sizeof(uint32_t));

	for (uint32_t e = 0; e < count; e++)
		start[((from[e].second >> shift) & mask) + 1]++;
	for (uint32_t b = 0; b < mask; b++)
		start[b + 1] += start[b];
	for (uint32_t e = 0; e < count; e++)
		to[start[(from[e].second >> shift) & mask]++] = from[e];
	free(start);
}

static void
sort_by_time(Event **event, uint32_t count)
{
	Event *other = allocate(count, sizeof(Event));

	sort_pass(*event, other, count, 0);
	sort_pass(other, *event, count, TIME_BITS);
	free(other);
}

static uint8_t
half_stars(const Event *event)
{
	return weights[mix((uint64_t) event->user << 32 | event->item) & 15];
}

/* Appends the bytes of a number, highest first, after their length if COPY wants one. */
static char *
put(char *at, uint64_t value, int bytes)
{
	for (int b = bytes - 1; b >= 0; b--)
		*at++ = (char) (value >> (8 * b));
	return at;
}

static char *
put_field(char *at, uint64_t value, int bytes)
{
	return put(put(at, (uint64_t) bytes, 4), value, bytes);
}

/* One row for COPY (FORMAT binary): the number of fields, then each with its length. */
static char *
put_binary(char *at, const Event *event)
{
	float weight = half_stars(event) * 0.5f;
	uint32_t bits;

	memcpy(&bits, &weight, sizeof(bits));
	at = put(at, 4, 2);
	at = put_field(at, event->user, 4);
	at = put_field(at, event->item, 4);
	at = put_field(at, (uint64_t) (FIRST_SECOND + event->second) * 1000000, 8);
	return put_field(at, bits, 4);
}

/* One line; to_timestamp's seconds are written as a date and a time of day. */
static char *
put_csv(char *at, const Event *event)
{
	int64_t days = (FIRST_UNIX + (int64_t) event->second) / 86400;
	uint32_t second = event->second % 86400;
	/* civil_from_days (Hinnant), of which only years of this century are needed */
	uint32_t day = (uint32_t) (days + 719468 - 5 * 146097);
	uint32_t year = (day - day / 1460 + day / 36524) / 365;
	uint32_t yearday = day - (365 * year + year / 4 - year / 100);
	uint32_t march = (5 * yearday + 2) / 153;
	uint32_t month = march < 10 ? march + 3 : march - 9;
	uint8_t halves = half_stars(event);

	return at + sprintf(at, "%" PRIu32 ",%" PRIu32 ",%u-%02u-%02u %02u:%02u:%02u+00,%u.%u\n",
						event->user, event->item, 2000 + year + (month <= 2), month,
						yearday - (153 * march + 2) / 5 + 1, second / 3600, second / 60 % 60,
						second % 60, halves / 2, halves % 2 * 5);
}

static void
write_events(const Event *event, uint32_t count, bool csv)
{
	enum
	{
		ROOM = 1 << 16,
		LONGEST = 80
	};
	static char buffer[ROOM + LONGEST];
	char *at = buffer;

	if (!csv)
	{
		memcpy(at, "PGCOPY\n\377\r\n", 11);
		at = put(at + 11, 0, 8);
	}
	for (uint32_t e = 0; e < count; e++)
	{
		at = csv ? put_csv(at, &event[e]) : put_binary(at, &event[e]);
		if (at >= buffer + ROOM)
		{
			fwrite(buffer, 1, (size_t) (at - buffer), stdout);
			at = buffer;
		}
	}
	if (!csv)
		at = put(at, 0xFFFF, 2);
	fwrite(buffer, 1, (size_t) (at - buffer), stdout);
	if (fflush(stdout) != 0 || ferror(stdout))
		fail("could not write");
}

/* Tells what was made, as name=value, for people and for script/bench. */
static void
tell(const Shape *shape, const uint32_t *count, const Event *event)
{
	uint32_t *popular = allocate(shape->items + 1, sizeof(uint32_t));
	uint64_t checksum = 0;
	uint32_t heaviest = 0;
	uint32_t most_popular = 0;
	uint32_t seen = 0;
	double users2 = 0;
	double items2 = 0;

	for (uint32_t u = 0; u < shape->users; u++)
	{
		users2 += (double) count[u] * count[u];
		heaviest = count[u] > heaviest ? count[u] : heaviest;
	}
	for (uint32_t e = 0; e < shape->events; e++)
	{
		popular[event[e].item]++;
		checksum =
			mix(checksum + ((uint64_t) event[e].user << 32 | event[e].item)) + event[e].second;
	}
	for (uint32_t i = 1; i <= shape->items; i++)
	{
		items2 += (double) popular[i] * popular[i];
		most_popular = popular[i] > most_popular ? popular[i] : most_popular;
		seen += popular[i] > 0;
	}
	fprintf(stderr,
			"events=%" PRIu32 " users=%" PRIu32 " items=%" PRIu32 " sum_users_squared=%.0f"
			" sum_items_squared=%.0f heaviest_user=%" PRIu32 " most_popular_item=%" PRIu32
			" checksum=%016" PRIx64 "\n",
			shape->events, shape->users, seen, users2, items2, heaviest, most_popular, checksum);
	free(popular);
}

int
main(int argc, char **argv)
{
	const Shape *shape = NULL;
	bool csv = argc == 3 && strcmp(argv[2], "csv") == 0;
	uint32_t *count;
	Event *event;

	for (size_t s = 0; argc >= 2 && s < sizeof(shapes) / sizeof(shapes[0]); s++)
		if (strcmp(argv[1], shapes[s].name) == 0)
			shape = &shapes[s];
	if (shape == NULL || argc > 3 || (argc == 3 && !csv && strcmp(argv[2], "binary") != 0))
		fail("usage: events 1m|20m|100m [binary|csv] >FILE");

	count = draw_zeal(shape);
	event = draw_events(shape, count);
	sort_by_time(&event, shape->events);
	tell(shape, count, event);
	write_events(event, shape->events, csv);
	free(event);
	free(count);
	return 0;
}
