/* SPDX-License-Identifier: MIT */
/* The hash table of frame descriptors: see frames.h.
 *
 * Open addressing, at most half full. A slot changes once, from NULL, by a release store under the lock. A table that is to be
 * larger is built beside the old one and published; the old one is kept, since a reader may be in it. */
#include "native/frames.h"

#include "base/bits.h"
#include "base/memory.h"
#include "sync/atomic.h"
#include "sync/lock.h"

#include <stdlib.h>

struct frame_table {
  size_t mask;                         /* slots - 1 */
  unsigned shift;                      /* 64 - log2 of the slots */
  const struct frame_descr *at[];
};

static struct {
  struct lock lock;                    /* RANK_ABI: additions */
  struct frame_table *table;           /* [atomic: release on publication] */
  size_t count;                        /* [lock] */
} frames = {.lock = LOCK_INIT(RANK_ABI)};

static inline size_t slot_of(const struct frame_table *t, uintptr_t address)
{
  return (size_t)(address * 0x9e3779b97f4a7c15u >> t->shift);
}

static void insert(struct frame_table *t, const struct frame_descr *d)
{
  size_t i = slot_of(t, d->return_address);
  while (t->at[i] != NULL) i = (i + 1) & t->mask;
  store_release(&t->at[i], d);
}

static struct frame_table *table_new(size_t slots)
{
  struct frame_table *t = mem_calloc(1, sizeof *t + slots * sizeof t->at[0]);
  if (t == NULL) bac_fatal("out of memory for the table of stack frames");
  t->mask = slots - 1;
  t->shift = 64 - log2_ceil(slots);
  return t;
}

/* Under the lock. */
static void make_room(size_t more)
{
  struct frame_table *old = frames.table;
  if (old && (frames.count + more) * 2 <= old->mask + 1) return;
  struct frame_table *t = table_new((size_t)1 << log2_ceil(max_size((frames.count + more) * 2, 1024)));
  for (size_t i = 0; old && i <= old->mask; i++)
    if (old->at[i] != NULL) insert(t, old->at[i]);
  store_release(&frames.table, t);
}

static const struct frame_descr *next_descr(const struct frame_descr *d)
{
  const char *end = (const char *)&d->live[d->live_count];
  if (d->size != FRAME_CHUNK) {
    size_t infos = 1;
    if (d->size & FRAME_ALLOC) {
      infos = *(const unsigned char *)end;
      end += 1 + infos;
    }
    if (d->size & FRAME_DEBUG) end = (const char *)align_up((uintptr_t)end, 4) + 4 * infos;
  }
  return (const struct frame_descr *)align_up((uintptr_t)end, sizeof(value));
}

static size_t table_count(const void *table) { return (size_t)*(const int64_t *)table; }

static void insert_all(const void *table)
{
  const struct frame_descr *d = (const struct frame_descr *)((const int64_t *)table + 1);
  for (size_t i = table_count(table); i > 0; i--, d = next_descr(d)) insert(frames.table, d);
}

void frames_add_tables(const void *const *tables)
{
  size_t more = 0;
  for (const void *const *t = tables; *t; t++) more += table_count(*t);
  lock_acquire(&frames.lock);
  make_room(more);
  for (const void *const *t = tables; *t; t++) insert_all(*t);
  frames.count += more;
  lock_release(&frames.lock);
}

const struct frame_descr *frames_find(uintptr_t return_address)
{
  const struct frame_table *t = load_acquire(&frames.table);
  for (size_t i = slot_of(t, return_address);; i = (i + 1) & t->mask) {
    const struct frame_descr *d = load_acquire(&t->at[i]);
    if (d == NULL || likely(d->return_address == return_address)) return d;
  }
}

/* ---- Reading one ---- */

static const unsigned char *alloc_part(const struct frame_descr *d)
{
  return (const unsigned char *)&d->live[d->live_count];
}

unsigned frame_alloc_count(const struct frame_descr *d) { return *alloc_part(d); }
const unsigned char *frame_alloc_lengths(const struct frame_descr *d) { return alloc_part(d) + 1; }

size_t frame_alloc_words(const struct frame_descr *d)
{
  size_t words = 0;
  for (unsigned i = 0; i < frame_alloc_count(d); i++) words += frame_alloc_lengths(d)[i] + 2u;
  return words;
}

/* The distances to debugging information, and how many there are. */
static const int32_t *debug_part(const struct frame_descr *d, unsigned *count)
{
  *count = 0;
  if (d->size == FRAME_CHUNK || !(d->size & FRAME_DEBUG)) return NULL;
  const unsigned char *end = alloc_part(d);
  *count = 1;
  if (d->size & FRAME_ALLOC) {
    *count = *end;
    end += 1 + *count;
  }
  return (const int32_t *)align_up((uintptr_t)end, 4);
}

static const uint32_t *at_distance(const int32_t *distance)
{
  return *distance ? (const uint32_t *)((const char *)distance + *distance) : NULL;
}

const uint32_t *frame_debuginfo(const struct frame_descr *d)
{
  unsigned count;
  const int32_t *distance = debug_part(d, &count);
  for (unsigned i = 0; i < count; i++)
    if (distance[i] != 0) return at_distance(&distance[i]);
  return NULL;
}

const uint32_t *frame_alloc_debuginfo(const struct frame_descr *d, unsigned i)
{
  unsigned count;
  const int32_t *distance = debug_part(d, &count);
  return i < count ? at_distance(&distance[i]) : NULL;
}
