/*
 * interrupts.h: lets a long loop be cancelled.
 *
 * Pure code under math/ calls INTERRUPTS() at every row of a long loop.  Built alone, for a
 * fuzzer or a sanitizer (-DRECO_STANDALONE), it costs nothing and needs no server.
 */
#ifndef RECO_INTERRUPTS_H
#define RECO_INTERRUPTS_H

#ifdef RECO_STANDALONE
#define INTERRUPTS() ((void) 0)
#else
#include "base/compat.h"
#define INTERRUPTS() CHECK_FOR_INTERRUPTS()
#endif

/* For a loop of many short turns: once in 4096 of them. */
#define INTERRUPTS_AT(turn)                                                                        \
	do                                                                                             \
	{                                                                                              \
		if ((turn) % 4096 == 0)                                                                    \
			INTERRUPTS();                                                                          \
	} while (0)

#endif
