/* SPDX-License-Identifier: MIT */
/* The nurseries: where small objects are born.
 *
 * One region of address space is reserved at start and cut into one slot for
 * each domain; a nursery is the committed top part of its slot. So "is it young" is one
 * subtraction and one compare, and a change of size moves nobody else's nursery.
 *
 * State: struct nurseries, constant after nursery_init. A slot belongs to the domain of
 * that number. Tests: tests/unit/heap_test.c. */
#ifndef BAC_HEAP_NURSERY_H
#define BAC_HEAP_NURSERY_H

#include "heap/value.h"

struct nurseries {
  uintnat base;        /* [const] */
  size_t bytes;        /* [const] of the whole region */
  size_t pairs;        /* [const] half of them */
  size_t slot_bytes;   /* [const] the largest nursery; a power of two */
  unsigned slot_shift; /* [const] its logarithm */
};
extern struct nurseries bac_nurseries;

static inline bool nursery_contains(value v)
{
  return (uintnat)v - bac_nurseries.base < bac_nurseries.bytes;
}
/* A young block: neither an integer nor a major object. The low bit goes to the top, where it makes the distance too large: one
 * branch for both questions. */
static inline bool is_young_block_of(value v, uintnat base, size_t pairs)
{
  uintnat distance = (uintnat)v - base;
  return (distance >> 1 | distance << 63) < pairs;
}
static inline bool is_young_block(value v) { return is_young_block_of(v, bac_nurseries.base, bac_nurseries.pairs); }

/* A region for [slots] nurseries of [words] each or, where address space is free, more. False: no address space. */
bool nursery_init(int slots, size_t words);
/* The region goes back. No domain is left. */
void nursery_fini(void);

/* Commits a nursery of [words] in an empty slot and answers its start and end.
 * False: no memory, nothing is changed. [words] is rounded up to pages. */
bool nursery_commit(int slot, size_t words, value **start, value **end);
/* Memory of the slot goes back. */
void nursery_release(int slot, value *start, value *end);
size_t nursery_max_words(void);    /* what a slot can hold */

#endif
