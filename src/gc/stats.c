/* SPDX-License-Identifier: MIT */
/* Statistics: from counters to the figures of the Gc module.
 *
 * THE HEAP (STAT-1). Let P be the pools of a kind and class, n the objects in them and w their words with
 * headers. Then, exactly and at any instant,
 *
 *     live      = sum of w, over pools and large objects
 *     free      = sum of (P * slots - n) * slot size, plus free blocks that hold memory
 *     fragments = sum of n * slot size - w, plus the ends of blocks that hold no slot
 *     heap      = all blocks in use or holding memory = live + free + fragments
 *
 * heap/counts.c keeps them up to date; whoever asks tells first what its own domain has not told.
 *
 * WORDS AND COLLECTIONS. Each domain counts for itself, and adds what is new to bac_gc.told: when
 * it asks, and for all domains at each minor collection. So bac_gc.told never falls, and who reads it
 * after another has read it sees at least as much. Words are promoted with the world stopped, and there all is told:
 * promoted never gets ahead of minor or major. A domain that ends leaves its counters, and what it told of them, to its heir.
 *
 * Definitions: stdlib/gc.mli, docs/statistics.md. Tests: tests/unit/gc_stat_test.c, tests/gc/stat_*.ml. */
#include "gc/hooks.h"
#include "gc/state.h"

/* ---- Words and collections ---- */

uint64_t gc_minor_words(struct gc_domain *g)
{
  return g->counters.minor_words + (g->dom.window->young_end - g->dom.window->young_ptr);
}

static void counter_tell(uint64_t *all, uint64_t *told, uint64_t now)
{
  if (now == *told) return;
  add_relaxed(all, now - *told);
  *told = now;
}

/* [own or stw] */
static void counters_tell(struct gc_domain *g)
{
  struct domain_counters *all = &bac_gc.told;
  counter_tell(&all->minor_words, &g->told.minor_words, gc_minor_words(g));
  counter_tell(&all->promoted_words, &g->told.promoted_words, g->counters.promoted_words);
  counter_tell(&all->major_words, &g->told.major_words, g->counters.major_words);
}

static void counters_add(struct domain_counters *to, struct domain_counters *from)
{
  to->minor_words += from->minor_words;
  to->promoted_words += from->promoted_words;
  to->major_words += from->major_words;
  *from = (struct domain_counters){0, 0, 0};
}

void stats_adopt_stw(struct gc_domain *heir, struct gc_domain *gone)
{
  counters_add(&heir->counters, &gone->counters);
  counters_add(&heir->told, &gone->told);
}

/* ---- The heap ---- */

static void figures_add_class(struct heap_figures *s, const struct class_counts *c, unsigned cls)
{
  uint64_t slot = class_slot_words[cls], slots = BLOCK_WORDS / slot;
  s->live_blocks += c->objects;
  s->live_words += c->words;
  s->free_words += (c->pools * slots - c->objects) * slot;
  s->fragments += c->objects * slot - c->words + c->pools * (BLOCK_WORDS - slots * slot);
}

void stats_from_counts(const struct heap_counts *c, struct heap_figures *out)
{
  *out = (struct heap_figures){0};
  for (unsigned k = 1; k < KINDS; k++) {
    for (unsigned cls = 0; cls < CLASSES; cls++) figures_add_class(out, &c->cls[k][cls], cls);
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
  *out = bac_heap.counts;
  for_each_gc_domain(g) heap_sum_counts(out, &g->alloc.counts);
}

void stats_sample_stw(void)
{
  for_each_gc_domain(g) {
    allocator_count(&g->alloc);
    counters_tell(g);
  }
  heap_figures(&bac_gc.sample, false);
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

static void figures_to_stats(const struct heap_figures *s, struct gc_stats *out)
{
  out->heap_words = s->heap_words;
  out->live_words = s->live_words;
  out->live_blocks = s->live_blocks;
  out->free_words = s->free_words;
  out->fragments = s->fragments;
  out->free_blocks = s->free_blocks;
  out->largest_free = s->largest_free;
  out->heap_chunks = s->areas;
  out->top_heap_words = s->top_words;
}

/* ---- The functions of the Gc module ---- */

void gc_quick_stat(struct domain *d, struct gc_stats *out)
{
  struct gc_domain *g = gc_domain(d);
  struct heap_figures heap;
  *out = (struct gc_stats){0};
  allocator_count(&g->alloc);
  heap_figures(&heap, true);
  figures_to_stats(&heap, out);
  counters_tell(g);
  out->minor_words = load_relaxed(&bac_gc.told.minor_words);
  out->promoted_words = load_relaxed(&bac_gc.told.promoted_words);
  out->major_words = load_relaxed(&bac_gc.told.major_words);
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

struct scan_request { struct gc_stats *scanned, *counted; };

static void stats_scan_leader(struct domain *d, void *arg)
{
  struct scan_request *r = arg;
  struct heap_figures scanned;
  struct heap_counts counts;
  (void)d;
  stats_sample_stw();
  figures_to_stats(&bac_gc.sample, r->counted);
  verify_scan_stw(&scanned, &counts);
  figures_to_stats(&scanned, r->scanned);
}

void gc_scan_heap(struct domain *d, struct gc_stats *out, struct gc_stats *counters_at_same_instant)
{
  struct scan_request r = {out, counters_at_same_instant};
  *out = *counters_at_same_instant = (struct gc_stats){0};
  while (!stw_run(d, stats_scan_leader, &r)) continue;
}
