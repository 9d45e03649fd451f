/*
 * fuzz.h: what the programs of this folder share: a check that is never compiled away, and memory.
 */
#ifndef RECO_FUZZ_H
#define RECO_FUZZ_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define must(condition)                                                                            \
	do                                                                                             \
	{                                                                                              \
		if (!(condition))                                                                          \
		{                                                                                          \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
			abort();                                                                               \
		}                                                                                          \
	} while (0)

/* Zeroed memory of exactly so many elements, so that the sanitizer sees one more. */
static inline void *
room_for(size_t count, size_t size)
{
	void *room = calloc(count ? count : 1, size);

	must(room);
	return room;
}

/* libFuzzer calls this with one input after the other. */
extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
