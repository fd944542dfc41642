/* SPDX-License-Identifier: MIT */
/* Statistics: from counters to the figures of the Gc module.
 *
 * Conservation (STAT-1). Let P be the pools of a kind and class, n the objects
 * in them and w their words with headers. Then, exactly and at each stop of the world,
 *
 *     live      = sum of w, over pools and large objects
 *     free      = sum of (P * slots - n) * slot size, plus free blocks that hold memory
 *     fragments = sum of n * slot size - w, plus the ends of blocks that hold no slot
 *     heap      = all blocks in use or holding memory = live + free + fragments
 *
 * The heap figures are taken while the world is stopped, at the end of each minor
 * collection and of each cycle: so quick_stat's are true of one instant, and the
 * identity holds for whoever asks. Definitions: stdlib/gc.mli. */
#include "gc/hooks.h"
#include "gc/state.h"

static void sample_add_class(struct heap_sample *s, const struct class_counts *c, unsigned cls)
{
  uint64_t slot = class_slot_words[cls], slots = BLOCK_WORDS / slot;
  s->live_blocks += c->objects;
  s->live_words += c->words;
  s->free_blocks += c->pools * slots - c->objects;
  s->free_words += (c->pools * slots - c->objects) * slot;
  s->fragments += c->objects * slot - c->words + c->pools * (BLOCK_WORDS - slots * slot);
  if ((uint64_t)c->objects < c->pools * slots && s->largest_free < slot) s->largest_free = slot;
}

void stats_from_counts(const struct heap_counts *c, struct heap_sample *out)
{
  *out = (struct heap_sample){0};
  for (unsigned k = 1; k < KINDS; k++) {
    for (unsigned cls = 0; cls < CLASSES; cls++) sample_add_class(out, &c->cls[k][cls], cls);
    out->live_blocks += c->large[k].objects;
    out->live_words += c->large[k].words;
    out->fragments += c->large[k].pools * BLOCK_WORDS - c->large[k].words;
  }
  uint64_t dirty = load_relaxed(&bac_heap.dirty_blocks);
  out->free_words += dirty * BLOCK_WORDS;
  out->heap_words = (load_relaxed(&bac_heap.used_blocks) + dirty) * BLOCK_WORDS;
}

void stats_sum_counts(struct heap_counts *out)
{
  memset(out, 0, sizeof *out);
  for_each_gc_domain(g) {
    allocator_count(&g->alloc);
    heap_sum_counts(out, &g->alloc.counts);
  }
}

/* The tracer's figures of the major heap: pools' words and the words of large objects, live and in all. */
void stats_trace_stw(struct domain *leader)
{
  if (gc_tracer() == NULL) return;
  struct heap_counts counts;
  uint64_t pools = 0, live = 0, blocks = 0, fragments = 0, large = 0, large_blocks = 0;
  stats_sum_counts(&counts);
  for (unsigned k = 1; k < KINDS; k++) {
    for (unsigned cls = 0; cls < CLASSES; cls++) {
      const struct class_counts *c = &counts.cls[k][cls];
      pools += c->pools * BLOCK_WORDS;
      live += c->words;
      blocks += c->objects;
      fragments += c->objects * class_slot_words[cls] - c->words;
    }
    large += counts.large[k].words;
    large_blocks += counts.large[k].objects;
  }
  trace_counter(leader, TRACE_POOL_WORDS, pools);
  trace_counter(leader, TRACE_POOL_LIVE_WORDS, live);
  trace_counter(leader, TRACE_LARGE_WORDS, large);
  trace_counter(leader, TRACE_POOL_FRAGMENTS, fragments);
  trace_counter(leader, TRACE_POOL_LIVE_BLOCKS, blocks);
  trace_counter(leader, TRACE_LARGE_BLOCKS, large_blocks);
}

void stats_sample_stw(void)
{
  struct heap_counts counts;
  stats_sum_counts(&counts);
  stats_from_counts(&counts, &bac_gc.sample);
  struct domain_counters sum = {0, 0, 0};
  for_each_gc_domain(g) {
    g->sampled = g->counters;
    sum.minor_words += g->counters.minor_words;
    sum.promoted_words += g->counters.promoted_words;
    sum.major_words += g->counters.major_words;
  }
  bac_gc.sampled = sum;
}

uint64_t gc_minor_words(struct gc_domain *g)
{
  return g->counters.minor_words + (g->dom.window->young_end - g->dom.window->young_ptr);
}

/* Committed areas and the free ones among them: a walk of the block tables. Other domains
 * may be taking blocks meanwhile; the lock makes it one instant. */
static void stats_areas(struct gc_stats *out)
{
  struct heap *h = &bac_heap;
  uint64_t run = 0, areas = 0;
  bool inside = false;
  lock_acquire(&h->lock);
  for (uint32_t i = 0; i < h->committed; i++) {
    bool is_free = h->kind[i] == KIND_FREE, memory = !is_free || h->block[i].dirty;
    areas += memory && !inside;
    inside = memory;
    run = is_free && memory ? run + 1 : 0;
    if (run == 1) out->free_blocks++;
    if (run * BLOCK_WORDS > out->largest_free) out->largest_free = run * BLOCK_WORDS;
  }
  lock_release(&h->lock);
  out->heap_chunks = areas;
}

static void stats_heap(struct gc_stats *out)
{
  struct heap_sample *s = &bac_gc.sample;
  out->heap_words = s->heap_words;
  out->live_words = s->live_words;
  out->live_blocks = s->live_blocks;
  out->free_words = s->free_words;
  out->fragments = s->fragments;
  out->free_blocks = s->free_blocks;
  out->largest_free = s->largest_free;
  stats_areas(out);
}

/* Of all domains as they were at the last sample, and of the asking domain what it has added since: no
 * counter that another thread may be changing is read. */
static void stats_counters(struct gc_domain *self, struct gc_stats *out)
{
  const struct domain_counters *all = &bac_gc.sampled, *own = &self->sampled;
  out->minor_words = all->minor_words - own->minor_words + gc_minor_words(self);
  out->promoted_words = all->promoted_words - own->promoted_words + self->counters.promoted_words;
  out->major_words = all->major_words - own->major_words + self->counters.major_words;
}

void gc_quick_stat(struct domain *d, struct gc_stats *out)
{
  *out = (struct gc_stats){0};
  stats_counters(gc_domain(d), out);
  stats_heap(out);
  out->top_heap_words = (uint64_t)load_relaxed(&bac_heap.top_blocks) * BLOCK_WORDS;
  out->minor_collections = load_relaxed(&bac_gc.minor_collections);
  out->major_collections = load_relaxed(&bac_gc.major_collections);
  out->forced_major_collections = load_relaxed(&bac_gc.forced_major);
  out->compactions = load_relaxed(&bac_gc.compactions);
}

void gc_counters(struct domain *d, uint64_t *minor_words, uint64_t *promoted, uint64_t *major)
{
  struct gc_domain *g = gc_domain(d);
  *minor_words = gc_minor_words(g);
  *promoted = g->counters.promoted_words;
  *major = g->counters.major_words;
}

size_t gc_minor_free(struct domain *d) { return d->window->young_ptr - d->window->young_start; }

static void stats_sample_leader(struct domain *d, void *arg)
{
  (void)d, (void)arg;
  stats_sample_stw();
}

void gc_stat(struct domain *d, struct gc_stats *out)
{
  gc_full_major(d);
  while (!stw_run(d, stats_sample_leader, NULL)) continue;
  gc_quick_stat(d, out);
}

static void sample_to_stats(const struct heap_sample *s, struct gc_stats *out)
{
  out->heap_words = s->heap_words;
  out->live_words = s->live_words;
  out->live_blocks = s->live_blocks;
  out->free_words = s->free_words;
  out->fragments = s->fragments;
}

struct scan_request { struct gc_stats *scanned, *counted; };

static void stats_scan_leader(struct domain *d, void *arg)
{
  struct scan_request *r = arg;
  struct heap_sample scanned;
  struct heap_counts counts;
  (void)d;
  stats_sample_stw();
  sample_to_stats(&bac_gc.sample, r->counted);
  verify_scan_stw(&scanned, &counts);
  sample_to_stats(&scanned, r->scanned);
}

void gc_scan_heap(struct domain *d, struct gc_stats *out, struct gc_stats *counters_at_same_instant)
{
  struct scan_request r = {out, counters_at_same_instant};
  *out = *counters_at_same_instant = (struct gc_stats){0};
  while (!stw_run(d, stats_scan_leader, &r)) continue;
}
