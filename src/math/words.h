/*
 * words.h: a text cut into words, and numbers into ranges: what attributes have in common.
 *
 * A word is a run of letters and digits; every byte beyond ASCII counts as a letter, which is right
 * for UTF-8 and harmless for other encodings of a server.  What languages write without spaces is
 * one word.
 */
#ifndef RECO_WORDS_H
#define RECO_WORDS_H

#include <stddef.h>
#include <stdint.h>

/*
 * The hashes of the words of a text in lower case, each once, in the order they come, to
 * out[most]; a letter alone is no word.  Where there are several, the text as a whole is one more.
 * Returns how many.
 */
extern int WordsHash(const char *text, size_t length, uint64_t seed, uint64_t *out, int most);

/* Ranges of numbers: as many cuts as make twenty ranges of about as many numbers each. */
#define RANGES_CUTS 19

/* Of a column with no more different numbers than this each is a word of its own. */
#define RANGES_VALUES 32

typedef struct Ranges
{
	int cuts; /* 0 where each value stands for itself */
	double cut[RANGES_CUTS];
} Ranges;

/* Ranges for numbers like those of a sample, which it sorts. */
extern Ranges RangesOf(double *sample, size_t count);

/*
 * The hashes of a number to out[2]: of the value, or of two ranges that overlap, so that numbers
 * close to each other share one at least.  Returns how many.
 */
extern int RangesHash(const Ranges *ranges, double number, uint64_t seed, uint64_t *out);

#endif
