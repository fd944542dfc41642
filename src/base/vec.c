/* SPDX-License-Identifier: MIT */
/* Growth of the arrays of vec.h: by half as much again at least, so that
 * pushing n items copies O(n). No state; an array belongs to its owner. */
#include "base/vec.h"

#include "base/bits.h"

enum { VEC_FIRST_CAP = 8 };

static size_t grown_cap(size_t cap, size_t need) { return max_size(max_size(need, VEC_FIRST_CAP), cap + cap / 2); }

void *vec_try_grow(void *at, size_t *cap, size_t need, size_t item_size)
{
  size_t bytes, want = grown_cap(*cap, need);
  void *grown = mul_fits(want, item_size, &bytes) ? mem_resize(at, bytes) : NULL;
  if (grown != NULL) *cap = want;
  return grown;
}

void *vec_grow(void *at, size_t *cap, size_t need, size_t item_size)
{
  void *grown = vec_try_grow(at, cap, need, item_size);
  if (grown == NULL) bac_fatal("out of memory: a table of %zu items of %zu bytes", grown_cap(*cap, need), item_size);
  return grown;
}
