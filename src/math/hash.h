/*
 * hash.h: one hash for ids and for everything drawn by lot.
 *
 * The same on every machine and version, because what is drawn by it (who is held out, which
 * item stands for chance) must not change when a model moves to another server.
 */
#ifndef RECO_HASH_H
#define RECO_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The finaliser of splitmix64 (Steele, Lea, Flood 2014): a bijection that mixes every bit. */
static inline uint64_t
HashMix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	x ^= x >> 31;
	return x;
}

/* A little-endian word of take bytes, at most eight. */
static inline uint64_t
HashWord(const unsigned char *bytes, size_t take)
{
	uint64_t word = 0;

	for (size_t i = 0; i < take; i++)
		word |= (uint64_t) bytes[i] << (8 * i);
	return word;
}

/* Bytes read as little-endian words of eight, each mixed into the sum so far. */
static inline uint64_t
HashBytes(const unsigned char *bytes, size_t length)
{
	uint64_t hash = HashMix(length + UINT64_C(0x9e3779b97f4a7c15));

	for (; length >= 8; bytes += 8, length -= 8)
		hash = HashMix(hash ^ HashWord(bytes, 8)) + UINT64_C(0x9e3779b97f4a7c15);
	if (length > 0)
		hash = HashMix(hash ^ HashWord(bytes, length)) + UINT64_C(0x9e3779b97f4a7c15);
	return HashMix(hash);
}

/* The step of splitmix64: the next number of a stream, by its state. */
static inline uint64_t
HashNext(uint64_t *state)
{
	*state += UINT64_C(0x9e3779b97f4a7c15);
	return HashMix(*state);
}

#endif
