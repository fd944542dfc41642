/* SPDX-License-Identifier: MIT */
/* What the heap holds, in figures that are true at any instant.
 *
 * A domain's allocator counts what it allocates and sweeps, for each kind and class, without an
 * atomic instruction. When it changes pools, has swept one, or allocates or frees a large
 * object it tells the heap, under the arena's lock, and begins again from nothing. So
 * whoever takes that lock sees figures of one instant, at most a pool of each class behind what other
 * domains are just allocating, and with its own told first nothing is missing of what it did itself.
 *
 * TALLY-1. Free words are not counted but follow: heap - live - fragments. They cannot be negative, since
 *     - a block is counted in heap_words before anything in it is told, and until all that was in it is taken back;
 *     - what was swept is told before anybody can allocate in its place;
 *     - what was allocated and is not told yet counts as free.
 *
 * State: bac_heap.counts and .tally [lock:arena]. Who checks: verify.c (COUNT-1, STAT-1).
 * Design page: docs/design/heap.md; for users: docs/statistics.md. Tests: tests/unit/heap_test.c, tests/gc. */
#include "heap/heap.h"

#include <string.h>

static void counts_add(struct class_counts *to, const struct class_counts *from)
{
  to->pools += from->pools;
  to->objects += from->objects;
  to->words += from->words;
}

static void tally_add_pools(struct heap_tally *t, const struct class_counts *c, unsigned cls)
{
  int64_t slot = class_slot_words[cls], slots = BLOCK_WORDS / slot;
  t->live_words += c->words;
  t->live_blocks += c->objects;
  t->fragments += c->objects * slot - c->words + c->pools * (BLOCK_WORDS - slots * slot);
  t->free_slots += c->pools * slots - c->objects;
}

static void tally_add_large(struct heap_tally *t, const struct class_counts *c)
{
  t->live_words += c->words;
  t->live_blocks += c->objects;
  t->fragments += c->pools * BLOCK_WORDS - c->words;
}

static bool counts_are_none(const struct class_counts *c) { return (c->pools | c->objects | c->words) == 0; }

/* [lock:arena] */
static void counts_hand_over(struct class_counts *from, unsigned kind, unsigned cls)
{
  struct heap *h = &bac_heap;
  if (counts_are_none(from)) return;
  if (cls < CLASSES) {
    counts_add(&h->counts.cls[kind][cls], from);
    tally_add_pools(&h->tally, from, cls);
  } else {
    counts_add(&h->counts.large[kind], from);
    tally_add_large(&h->tally, from);
  }
  *from = (struct class_counts){0, 0, 0};
}

void counts_tell(struct allocator *a, unsigned kind, unsigned cls)
{
  lock_acquire(&bac_heap.lock);
  counts_hand_over(cls < CLASSES ? &a->counts.cls[kind][cls] : &a->counts.large[kind], kind, cls);
  lock_release(&bac_heap.lock);
}

void counts_tell_all(struct allocator *a)
{
  lock_acquire(&bac_heap.lock);
  for_each_touched_class(a, kind, cls) {
    counts_hand_over(&a->counts.cls[kind][cls], kind, cls);
    if (a->pool[kind][cls] == NO_BLOCK) a->touched[kind] &= ~((uint64_t)1 << cls);
  }
  lock_release(&bac_heap.lock);
}

void heap_sum_counts(struct heap_counts *into, const struct heap_counts *from)
{
  for (unsigned k = 1; k < KINDS; k++) {
    for (unsigned c = 0; c < CLASSES; c++) counts_add(&into->cls[k][c], &from->cls[k][c]);
    counts_add(&into->large[k], &from->large[k]);
  }
}

/* ---- Areas ---- */

struct map_runs { uint64_t runs, longest; };

/* Runs of ones in a map of [len] bits. */
static struct map_runs map_count_runs(const uint64_t *map, uint32_t len)
{
  struct map_runs out = {0, 0};
  uint64_t run = 0;
  for (uint32_t i = 0; i < div_up(len, 64); i++) {
    for (unsigned at = 0; at < 64;) {
      uint64_t rest = map[i] >> at;
      if ((rest & 1) == 0) {
        run = 0;
        if (rest == 0) break;
        at += __builtin_ctzll(rest);
        continue;
      }
      unsigned ones = ~rest == 0 ? 64 : __builtin_ctzll(~rest);
      out.runs += run == 0;
      run += ones;
      at += ones;
      if (run > out.longest) out.longest = run;
    }
  }
  return out;
}

static bool class_has_free_slot(unsigned cls)
{
  int64_t pools = 0, objects = 0;
  for (unsigned k = 1; k < KINDS; k++) {
    pools += bac_heap.counts.cls[k][cls].pools;
    objects += bac_heap.counts.cls[k][cls].objects;
  }
  return pools * (BLOCK_WORDS / class_slot_words[cls]) > objects;
}

/* [lock:arena] */
static void heap_figures_of_areas(struct heap_figures *out)
{
  struct heap *h = &bac_heap;
  struct map_runs free = map_count_runs(h->dirty, h->committed);
  out->areas = map_count_runs(h->memory, h->committed).runs;
  out->free_blocks = (uint64_t)h->tally.free_slots + free.runs;
  out->largest_free = free.longest * BLOCK_WORDS;
  for (unsigned c = CLASSES; out->largest_free == 0 && c-- > 0;)
    if (class_has_free_slot(c)) out->largest_free = class_slot_words[c];
}

void heap_figures(struct heap_figures *out, bool areas)
{
  struct heap *h = &bac_heap;
  *out = (struct heap_figures){0};
  lock_acquire(&h->lock);
  out->heap_words = (uint64_t)(h->used_blocks + h->dirty_blocks) * BLOCK_WORDS;
  out->top_words = (uint64_t)h->top_blocks * BLOCK_WORDS;
  out->live_words = (uint64_t)h->tally.live_words;
  out->live_blocks = (uint64_t)h->tally.live_blocks;
  out->fragments = (uint64_t)h->tally.fragments;
  out->free_words = out->heap_words - out->live_words - out->fragments;
  if (areas) heap_figures_of_areas(out);
  lock_release(&h->lock);
}
