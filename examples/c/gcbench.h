/* SPDX-License-Identifier: MIT */
/* What both versions of GCBench share: the amounts, the clock, the report. The benchmark's idea is
 * John Ellis's, Pete Kovac's and Hans Boehm's: trees that die young, built from the leaves and from the root, of
 * many sizes, while one tree and one large array live through it all. */
#ifndef GCBENCH_H
#define GCBENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* From the depth of the first tree, for which the heap grows, follows everything else. */
struct amounts { int stretch_depth, long_lived_depth, depth_max; long array_length; };
enum { DEPTH_MIN = 4, STRETCH_DEPTH = 20 };

static inline struct amounts amounts_of(const char *depth)
{
  int stretch = depth == NULL ? STRETCH_DEPTH : atoi(depth);
  if (stretch < 8 || stretch > 26) stretch = STRETCH_DEPTH;
  return (struct amounts){stretch, stretch - 2, stretch - 2, 1L << stretch};
}

static inline long tree_size(int depth) { return (2L << depth) - 1; }
/* So many trees of a depth that each depth allocates as much. */
static inline long tree_count(const struct amounts *a, int depth) { return 2 * tree_size(a->stretch_depth) / tree_size(depth); }

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
