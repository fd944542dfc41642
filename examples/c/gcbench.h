/* SPDX-License-Identifier: MIT */
/* What both versions of GCBench share: the amounts, the clock, the report. The benchmark's idea is
 * John Ellis's, Pete Kovac's and Hans Boehm's: trees that die young, built from the leaves and from the root, of
 * many sizes, while one tree and one large array live through it all. */
#ifndef GCBENCH_H
#define GCBENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
  STRETCH_DEPTH = 20,        /* the first tree; the heap grows for it */
  LONG_LIVED_DEPTH = 18,
  ARRAY_LENGTH = 1000000,
  DEPTH_MIN = 4,
  DEPTH_MAX = 18,
};

static inline long tree_size(int depth) { return (2L << depth) - 1; }
/* So many trees of a depth that each depth allocates as much. */
static inline long tree_count(int depth) { return 2 * tree_size(STRETCH_DEPTH) / tree_size(depth); }

static inline double seconds_now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline void check(int right, const char *what)
{
  if (right) return;
  fprintf(stderr, "gcbench: %s is wrong\n", what);
  exit(1);
}

#endif
