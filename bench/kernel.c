/*
 * kernel.c: the best we know how to write by hand for the cosine of all pairs of items, outside of
 * PostgreSQL: the measure that reco's own kernel is held against.
 *
 *   kernel FILE K THREADS [huge|plain]      FILE is what "events SET binary" wrote
 *
 * The sums are counts, so integers.  Items are numbered by popularity and only pairs (i, j) with
 * j more popular than i are counted, which is a prefix of every user's sorted list; a pair is then
 * offered to both of its items.  An item's list names those prefixes directly, lists are sent for
 * before they are needed, ids take 16 bits where they can, and memory lies in huge pages where the
 * system lends them.  Threads take rows from an atomic counter.  Of each item the K best are kept.
 * Bitmaps for the most popular items would take another tenth off, and need a newer processor.
 *
 * Prints name=value: seconds to build both lists from the file (one thread), for the rows, and the
 * processor's seconds for accumulating and selecting in all threads; the pairs kept, the sum of
 * their similarities and a checksum of the scores, which is the same for any number of threads.
 */
#define _DEFAULT_SOURCE
#include <inttypes.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#define ROW_BYTES    38 /* of a binary row with two int4, a timestamptz and a float4 */
#define HEADER       19
#define USER_AT      6 /* in a row, after the number of fields and the length of the first */
#define ITEM_AT      14
#define ROWS_TAKEN   8  /* by a thread at a time */
#define BLOCK        64 /* counts looked at together in the search for good ones */
#define AHEAD        6  /* lists sent for before they are needed */
#define LINE         64 /* bytes in a line of the cache */
#define LINES_MOST   16
#define THREADS_MOST 64

/* The items of one user that are more popular than the item whose list holds this. */
typedef struct Prefix
{
	uint32_t start;
	uint32_t length;
} Prefix;

typedef struct Pair
{
	float score;
	uint32_t item;
} Pair;

/* The best of one item so far: 2K places, of which the lower half goes when they are full. */
typedef struct Kept
{
	char lock;
	uint32_t count;
	Pair *pair;
} Kept;

static uint32_t users, items, events, k, threads;
static bool huge = true;
static bool narrow; /* item numbers fit in 16 bits */
static const unsigned char *file;
static void *list; /* every user's items, by popularity, as uint16 or uint32 */
static Prefix *prefix;
static uint64_t *first; /* of an item's prefixes */
static float *norm;     /* 1 / sqrt(users of the item) */
static float *least;    /* what a pair must beat to be among the K best of an item */
static Kept *kept;
static uint32_t next_row;
static pthread_mutex_t spent_lock = PTHREAD_MUTEX_INITIALIZER;
static double spent_accumulate, spent_select; /* seconds of the processor, in all threads */

static double
seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

static void
fail(const char *what)
{
	fprintf(stderr, "kernel: %s\n", what);
	exit(1);
}

/* Zeroed memory, in huge pages if they were asked for. */
static void *
allocate(size_t count, size_t size)
{
	size_t bytes = (count * size + (2 << 20)) & ~(size_t) ((2 << 20) - 1);
	void *memory = NULL;

	if (posix_memalign(&memory, 2 << 20, bytes) != 0)
		fail("out of memory");
	if (huge)
		madvise(memory, bytes, MADV_HUGEPAGE);
	memset(memory, 0, bytes);
	return memory;
}

/* The number at a place of the e-th row of the file; those of users and items begin with 1. */
static inline uint32_t
number(uint64_t e, int place)
{
	const unsigned char *at = file + HEADER + e * ROW_BYTES + place;

	return ((uint32_t) at[0] << 24 | (uint32_t) at[1] << 16 | (uint32_t) at[2] << 8 | at[3]) - 1;
}

/* Maps the file and finds out how many events, users and items are in it. */
static void
open_events(const char *path)
{
	int descriptor = open(path, O_RDONLY);
	struct stat status;

	if (descriptor < 0 || fstat(descriptor, &status) != 0 || status.st_size < HEADER + ROW_BYTES)
		fail("no such file, or no events in it");
	file = mmap(NULL, (size_t) status.st_size, PROT_READ, MAP_SHARED, descriptor, 0);
	if (file == MAP_FAILED || (status.st_size - HEADER - 2) % ROW_BYTES != 0)
		fail("this is not what events wrote");
	events = (uint32_t) ((status.st_size - HEADER - 2) / ROW_BYTES);
	for (uint64_t e = 0; e < events; e++)
	{
		users = number(e, USER_AT) >= users ? number(e, USER_AT) + 1 : users;
		items = number(e, ITEM_AT) >= items ? number(e, ITEM_AT) + 1 : items;
	}
}

static const uint32_t *popularity;

static int
more_popular(const void *a, const void *b)
{
	uint32_t i = *(const uint32_t *) a;
	uint32_t j = *(const uint32_t *) b;

	if (popularity[i] != popularity[j])
		return popularity[i] > popularity[j] ? -1 : 1;
	return i < j ? -1 : 1;
}

/* Numbers items by popularity, and makes the lists of users and the prefixes of items. */
static void
build(void)
{
	uint32_t *count = allocate(items, sizeof(uint32_t));
	uint32_t *order = allocate(items, sizeof(uint32_t));
	uint32_t *rank = allocate(items, sizeof(uint32_t));
	uint64_t *fill = allocate(items, sizeof(uint64_t));
	uint32_t *user_start = allocate(users + 1, sizeof(uint32_t));
	uint32_t *user_fill = allocate(users, sizeof(uint32_t));
	uint32_t *user_of = allocate(events, sizeof(uint32_t));

	for (uint64_t e = 0; e < events; e++)
	{
		user_start[number(e, USER_AT) + 1]++;
		count[number(e, ITEM_AT)]++;
	}
	for (uint32_t u = 0; u < users; u++)
	{
		user_start[u + 1] += user_start[u];
		user_fill[u] = user_start[u];
	}

	for (uint32_t i = 0; i < items; i++)
		order[i] = i;
	popularity = count;
	qsort(order, items, sizeof(uint32_t), more_popular);
	first = allocate(items + 1, sizeof(uint64_t));
	norm = allocate(items, sizeof(float));
	for (uint32_t i = 0; i < items; i++)
	{
		rank[order[i]] = i;
		fill[i] = first[i];
		first[i + 1] = first[i] + count[order[i]];
		norm[i] = count[order[i]] ? (float) (1 / sqrt(count[order[i]])) : 0;
	}
	for (uint64_t e = 0; e < events; e++)
		user_of[fill[rank[number(e, ITEM_AT)]]++] = number(e, USER_AT);

	narrow = items <= 65536;
	list = allocate(events, narrow ? sizeof(uint16_t) : sizeof(uint32_t));
	prefix = allocate(events, sizeof(Prefix));
	for (uint32_t i = 0; i < items; i++)
		for (uint64_t e = first[i]; e < first[i + 1]; e++)
		{
			uint32_t user = user_of[e];
			uint32_t at = user_fill[user]++;

			prefix[e] = (Prefix){user_start[user], at - user_start[user]};
			if (narrow)
				((uint16_t *) list)[at] = (uint16_t) i;
			else
				((uint32_t *) list)[at] = i;
		}
	free(count);
	free(order);
	free(rank);
	free(fill);
	free(user_start);
	free(user_fill);
	free(user_of);
}

/* Counts, for one item, who else its users have; width is that of an id, known when compiled. */
static inline __attribute__((always_inline)) void
accumulate(uint32_t item, uint32_t *restrict count, const size_t width)
{
	for (uint64_t e = first[item]; e < first[item + 1]; e++)
	{
		const char *at = (const char *) list + width * prefix[e].start;
		uint32_t length = prefix[e].length;

		if (e + AHEAD < first[item + 1])
		{
			const char *ahead = (const char *) list + width * prefix[e + AHEAD].start;
			size_t bytes = width * prefix[e + AHEAD].length;

			for (size_t b = 0; b < bytes && b < LINE * LINES_MOST; b += LINE)
				__builtin_prefetch(ahead + b);
		}
		for (uint32_t n = 0; n < length; n++)
			count[width == 2 ? ((const uint16_t *) at)[n] : ((const uint32_t *) at)[n]]++;
	}
}

/* Moves the K best of n pairs to the front (Hoare 1961). */
static void
keep_best(Pair *pair, uint32_t n)
{
	int64_t low = 0;
	int64_t high = (int64_t) n - 1;

	while (low < high)
	{
		float pivot = pair[(low + high) / 2].score;
		int64_t i = low;
		int64_t j = high;

		while (i <= j)
		{
			while (pair[i].score > pivot)
				i++;
			while (pair[j].score < pivot)
				j--;
			if (i <= j)
			{
				Pair swap = pair[i];

				pair[i++] = pair[j];
				pair[j--] = swap;
			}
		}
		if ((int64_t) k <= j)
			high = j;
		else if ((int64_t) k >= i)
			low = i;
		else
			break;
	}
}

/* Offers a pair to one of its items, whichever thread works on it. */
static void
offer(uint32_t item, uint32_t other, float score)
{
	Kept *to = &kept[item];

	while (__atomic_test_and_set(&to->lock, __ATOMIC_ACQUIRE))
		;
	to->pair[to->count++] = (Pair){score, other};
	if (to->count == 2 * k)
	{
		keep_best(to->pair, to->count);
		to->count = k;
		least[item] = to->pair[0].score;
		for (uint32_t n = 1; n < k; n++)
			least[item] = to->pair[n].score < least[item] ? to->pair[n].score : least[item];
	}
	__atomic_clear(&to->lock, __ATOMIC_RELEASE);
}

/*
 * Offers the counts of one item to both ends and clears them.  Another thread may raise a bound
 * while it is read here: one that is too low costs an offer in vain, never a pair.
 */
static void
select_best(uint32_t item, uint32_t *restrict count)
{
	for (uint32_t block = 0; block < item; block += BLOCK)
	{
		uint32_t stop = block + BLOCK < item ? block + BLOCK : item;
		float bound = least[item];
		int good = 0;

		for (uint32_t j = block; j < stop; j++)
		{
			float score = (float) (int32_t) count[j] * norm[j] * norm[item];

			good |= (score > bound) | (score > least[j]);
		}
		for (uint32_t j = block; good && j < stop; j++)
		{
			float score = (float) (int32_t) count[j] * norm[j] * norm[item];

			if (score > least[item])
				offer(item, j, score);
			if (score > least[j])
				offer(j, item, score);
		}
		memset(count + block, 0, (stop - block) * sizeof(uint32_t));
	}
}

static void *
work(void *unused)
{
	uint32_t *count = allocate(items, sizeof(uint32_t));
	double accumulating = 0;
	double selecting = 0;
	uint32_t row;

	while ((row = __atomic_fetch_add(&next_row, ROWS_TAKEN, __ATOMIC_RELAXED)) < items)
		for (uint32_t i = row; i < row + ROWS_TAKEN && i < items; i++)
		{
			double began = seconds(CLOCK_THREAD_CPUTIME_ID);
			double between;

			if (narrow)
				accumulate(i, count, sizeof(uint16_t));
			else
				accumulate(i, count, sizeof(uint32_t));
			between = seconds(CLOCK_THREAD_CPUTIME_ID);
			select_best(i, count);
			accumulating += between - began;
			selecting += seconds(CLOCK_THREAD_CPUTIME_ID) - between;
		}
	pthread_mutex_lock(&spent_lock);
	spent_accumulate += accumulating;
	spent_select += selecting;
	pthread_mutex_unlock(&spent_lock);
	free(count);
	return unused;
}

/* All rows, by all threads, this one among them; then the K best of what each item kept. */
static void
run_rows(void)
{
	pthread_t thread[THREADS_MOST];

	least = allocate(items, sizeof(float));
	kept = allocate(items, sizeof(Kept));
	kept[0].pair = allocate((size_t) items * 2 * k, sizeof(Pair));
	for (uint32_t i = 1; i < items; i++)
		kept[i].pair = kept[i - 1].pair + 2 * k;
	for (uint32_t t = 1; t < threads; t++)
		if (pthread_create(&thread[t], NULL, work, NULL) != 0)
			fail("no thread to be had");
	work(NULL);
	for (uint32_t t = 1; t < threads; t++)
		pthread_join(thread[t], NULL);
	for (uint32_t i = 0; i < items; i++)
		if (kept[i].count > k)
		{
			keep_best(kept[i].pair, kept[i].count);
			kept[i].count = k;
		}
}

int
main(int argc, char **argv)
{
	double began = seconds(CLOCK_MONOTONIC);
	double built;
	double done;
	uint64_t pairs = 0;
	uint64_t checksum = 0;
	double sum = 0;

	if (argc < 4 || argc > 5 || (k = (uint32_t) atoi(argv[2])) < 1 ||
		(threads = (uint32_t) atoi(argv[3])) < 1 || threads > THREADS_MOST)
		fail("usage: kernel FILE K THREADS [huge|plain]");
	huge = argc < 5 || strcmp(argv[4], "plain") != 0;
	open_events(argv[1]);
	build();
	built = seconds(CLOCK_MONOTONIC);
	run_rows();
	done = seconds(CLOCK_MONOTONIC);

	for (uint32_t i = 0; i < items; i++)
		for (uint32_t n = 0; n < kept[i].count; n++)
		{
			pairs++;
			sum += kept[i].pair[n].score;
			checksum += (uint64_t) (kept[i].pair[n].score * (float) (1 << 24));
		}
	printf("build=%.3f rows=%.3f accumulate=%.3f select=%.3f pairs=%" PRIu64
		   " similarity=%.1f checksum=%" PRIu64 "\n",
		   built - began, done - built, spent_accumulate, spent_select, pairs, sum, checksum);
	return 0;
}
