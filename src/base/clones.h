/*
 * clones.h: hot loops compiled for newer processors as well; the right one is chosen on load.
 *
 * Only for loops where it was measured to pay.  Sums may differ in the last digit between
 * machines, never between two runs on one.
 */
#ifndef RECO_CLONES_H
#define RECO_CLONES_H

#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__) && __GNUC__ >= 12
#define CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))

/* What is written for the newest of these alone, and whether this processor is one. */
#define CLONES_WIDEST       __attribute__((target("arch=x86-64-v4")))
#define CLONES_HAS_WIDEST() __builtin_cpu_supports("x86-64-v4")
#else
#define CLONES
#endif

#endif
