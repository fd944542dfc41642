/* SPDX-License-Identifier: MIT */
/* A small seeded generator (splitmix64) for tests, torture modes and sampling.
 * Not for secrets. Source: Steele, Lea, Flood, "Fast splittable pseudorandom
 * number generators", OOPSLA 2014. */
#ifndef BAC_BASE_RNG_H
#define BAC_BASE_RNG_H

#include <stdint.h>

struct rng { uint64_t state; };

static inline uint64_t rng_next(struct rng *r)
{
  uint64_t z = (r->state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/* A number in [0, bound); bound > 0. The bias is below bound / 2^64. */
static inline uint64_t rng_below(struct rng *r, uint64_t bound)
{
  return (uint64_t)(((unsigned __int128)rng_next(r) * bound) >> 64);
}

#endif
