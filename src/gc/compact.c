/* SPDX-License-Identifier: MIT */
/* Compaction: the objects of sparse pools move into the free slots of fuller
 * ones, and the blocks that fall empty go back to the system.
 *
 * The world is stopped, nurseries are empty, everything is swept. Then, with as many
 * participants as there are cores, in three steps with a barrier between:
 *
 *   choose    for each kind and class, the fullest pools that together have room for all
 *             objects are kept; the others are to be evacuated (KIND_EVACUATED)
 *   evacuate  each object of such a pool is copied; its header becomes 0 and its first field the
 *             new address, and it is subtracted from the counters of its pool. No pool is added
 *             (COMPACT-2): so no memory is needed, and none is left half filled that was not
 *   update    every root and every field of every live object that refers to an evacuated block is
 *             redirected
 *
 * The subtraction is where this project began: a dead object met on the way has been
 * subtracted by the sweeping that comes first, a live one here (COMPACT-1: an
 * evacuated block leaves nothing behind in any counter; verify.c compares).
 *
 * At a cycle's end the collector compacts by itself if that would give back more than
 * max_overhead percent of what lives; last section.
 *
 * Large objects move only where an allocation needs it: slide.c. Design page: docs/design/compaction.md. */
#include "gc/state.h"

#include "base/fault.h"

struct compact_job {
  VEC(uint32_t) evacuate;        /* blocks to empty */
  struct lock lock;              /* RANK_LEAF: the next */
  VEC(uint32_t) rest;            /* of these, blocks with objects for which there was no slot */
  struct slid slid;
  size_t next_block;             /* [atomic] in evacuate, then in the whole heap */
  size_t next_root;              /* [atomic] */
  VEC(struct gc_domain *) domains;
};

/* ---- Choosing ---- */

/* The fullest first; ties by address, so that the low end of the heap fills up. */
static int compare_occupancy(const void *a, const void *b)
{
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  int lx = bac_heap.block[x].live, ly = bac_heap.block[y].live;
  return lx != ly ? ly - lx : (x > y) - (x < y);
}

static void compact_choose_class(struct compact_job *job, unsigned kind, unsigned cls)
{
  struct class_pools *p = &bac_heap.pools[kind][cls];
  VEC(uint32_t) pools = VEC_EMPTY;
  size_t live = 0;
  for (int q = 0; q < PARTIAL_LISTS; q++)
    for (uint32_t i; (i = pool_list_pop(&p->partial[q])) != NO_BLOCK;) {
      *vec_push(&pools) = i;
      live += bac_heap.block[i].live;
    }
  if (pools.len == 0) return;
  qsort(pools.at, pools.len, sizeof *pools.at, compare_occupancy);
  size_t room = 0;
  for (size_t n = 0; n < pools.len; n++) {
    uint32_t i = pools.at[n];
    if (room >= live) {
      bac_heap.kind[i] |= KIND_EVACUATED;
      *vec_push(&job->evacuate) = i;
      continue;
    }
    room += bac_heap.block[i].slots;
  }
  /* Pushed emptiest first: so the fullest of the kept ones is taken first. */
  for (size_t n = pools.len; n-- > 0;)
    if (!(bac_heap.kind[pools.at[n]] & KIND_EVACUATED)) pool_list_push(&p->partial[0], pools.at[n]);
  vec_free(&pools);
}

/* ---- Evacuating ---- */

struct evacuation { struct gc_domain *g; unsigned kind; int64_t objects, words; };

/* False: there is no slot for it. */
static bool compact_move(value v, uint8_t kind, void *arg)
{
  struct evacuation *e = arg;
  (void)kind;
  header_t hd = Hd_val(v);
  if (hd == 0) return true;    /* moved when the others found no slot */
  mlsize_t wosize = Wosize_hd(hd);
  value copy = heap_alloc(&e->g->alloc, e->kind, wosize, Tag_hd(hd));
  if (copy == 0) return false;
  for (mlsize_t i = 0; i < wosize; i++) Field(copy, i) = Field(v, i);
  e->objects++;
  e->words += wosize + 1;
  *Hp_val(v) = 0;
  Field(v, 0) = copy;
  return true;
}

/* False: something is left in it. */
static bool compact_empty_block(struct gc_domain *g, uint32_t i)
{
  struct block *b = &bac_heap.block[i];
  unsigned kind = bac_heap.kind[i] & 0xf;
  struct evacuation e = {g, kind, 0, 0};
  bool empty = heap_walk_pool(i, kind, compact_move, &e);
  struct class_counts *c = &g->alloc.counts.cls[kind][b->cls];
  if (!FAULT(no_subtraction)) {
    c->objects -= e.objects;
    c->words -= e.words;
  }
  if (empty) c->pools--;
  counts_tell(&g->alloc, kind, b->cls);
  return empty;
}

static void compact_evacuate(struct domain *participant, void *arg)
{
  struct compact_job *job = arg;
  for (size_t n; (n = add_relaxed(&job->next_block, 1)) < job->evacuate.len;) {
    if (compact_empty_block(gc_domain(participant), job->evacuate.at[n])) continue;
    lock_acquire(&job->lock);
    *vec_push(&job->rest) = job->evacuate.at[n];
    lock_release(&job->lock);
  }
}

/* The pools that are kept have a slot for each object. But each participant is filling one of its own, so the last objects of a class
 * may find none: a few, at most what a pool holds for each participant but one. For them all these pools are put together. */
static void compact_evacuate_rest(struct compact_job *job, struct gc_domain *leader)
{
  if (job->rest.len == 0) return;
  for_each_gc_domain(g) allocator_retire(&g->alloc);
  for (size_t n = 0; n < job->rest.len; n++) CHECK(compact_empty_block(leader, job->rest.at[n]));
  vec_free(&job->rest);
}

/* ---- Updating ---- */

static inline bool compact_has_moved(value v)
{
  return Is_block(v) && heap_contains(v) && (heap_kind(v) & KIND_EVACUATED);
}

/* A closure inside a block of closures has its own header, which the copying left alone. */
static value compact_new_place(value v)
{
  header_t hd = Hd_val(v);
  if (hd == 0) return Field(v, 0);
  DCHECK(Tag_hd(hd) == Infix_tag);
  return Field(v - Infix_offset_hd(hd), 0) + Infix_offset_hd(hd);
}

static value compact_place(value v) { return compact_has_moved(v) ? compact_new_place(v) : v; }

static inline void compact_update_slot(value *slot)
{
  if (compact_has_moved(*slot)) *slot = compact_new_place(*slot);
}

static void compact_visit(struct root_visitor *v, value *slots, size_t count)
{
  (void)v;
  for (size_t i = 0; i < count; i++) compact_update_slot(&slots[i]);
}

static bool compact_update_object(value v, uint8_t block_kind, void *arg)
{
  struct root_visitor *visitor = arg;
  uint8_t kind = block_kind & 0xf;
  tag_t tag = Tag_val(v);
  if (kind == KIND_CONT) {
    bac_gc.client.scan_continuation(v, visitor);
  } else if (kind == KIND_EPHE || (kind == KIND_SCAN && tag < No_scan_tag)) {
    mlsize_t i = tag == Closure_tag ? Start_env_closinfo(Closinfo_val(v)) : 0;
    if (FAULT(stale_field) && tag == Closure_tag) return true;
    compact_visit(visitor, &Field(v, i), Wosize_val(v) - i);
  }
  return true;
}

static void compact_update_root(struct compact_job *job, size_t n, struct root_visitor *visitor)
{
  if (n == job->domains.len) {
    roots_scan_process(visitor);
    return;
  }
  struct gc_domain *g = job->domains.at[n];
  roots_scan_domain(g, visitor);
  finalise_visit(g, visitor);
  /* The weak halves of the finaliser tables are no roots, but they move too. */
  for (size_t i = 0; i < g->first.entries.len; i++) compact_update_slot(&g->first.entries.at[i].arg);
  for (size_t i = 0; i < g->last.entries.len; i++) compact_update_slot(&g->last.entries.at[i].arg);
}

static void compact_update(struct domain *participant, void *arg)
{
  struct compact_job *job = arg;
  struct root_visitor visitor = {compact_visit, false};
  (void)participant;
  for (size_t n; (n = add_relaxed(&job->next_root, 1)) <= job->domains.len;) compact_update_root(job, n, &visitor);
  for (size_t i; (i = add_relaxed(&job->next_block, 1)) < bac_heap.committed;)
    if (!(kind_of_block(i) & KIND_EVACUATED)) heap_walk_block(i, compact_update_object, &visitor);
}

/* ---- The whole ---- */

static void compact_free_blocks(struct compact_job *job)
{
  for (size_t n = 0; n < job->evacuate.len; n++) {
    uint32_t i = job->evacuate.at[n];
    memset(side_byte(block_start(i)), 0, BLOCK_BYTES >> SIDE_SHIFT);
    heap_give_blocks(i, 1);
  }
}

void compact_stw(struct gc_domain *leader)
{
  struct compact_job job = {.lock = LOCK_INIT(RANK_LEAF)};
  trace_begin(&leader->dom, TRACE_COMPACT);
  gc_message(MESSAGE_COMPACTION, "Compacting heap...\n");
  minor_collect_stw(leader);
  cycle_finish_stw(leader);
  cycle_sweep_all_stw(leader);
  for_each_gc_domain(g) {
    allocator_retire(&g->alloc);
    *vec_push(&job.domains) = g;
  }
  trace_begin(&leader->dom, TRACE_COMPACT_EVACUATE);
  for (unsigned k = 1; k < KINDS; k++)
    for (unsigned c = 0; c < CLASSES; c++) compact_choose_class(&job, k, c);
  bool slide = bac_gc.wanted_blocks != 0 && !heap_has_run(bac_gc.wanted_blocks);
  if (job.evacuate.len != 0 || slide) {
    bac_heap.collecting = bac_heap.compacting = true;
    stw_parallel(0, compact_evacuate, &job);
    compact_evacuate_rest(&job, leader);
    if (slide) slide_move_stw(&job.slid);
    bac_heap.collecting = bac_heap.compacting = false;
    for_each_gc_domain(g) {
      allocator_count(&g->alloc);
      allocator_seal(&g->alloc);
    }
  }
  trace_end(&leader->dom, TRACE_COMPACT_EVACUATE);
  trace_begin(&leader->dom, TRACE_COMPACT_FORWARD);
  if (job.evacuate.len != 0 || job.slid.blocks.len != 0) {
    job.next_block = 0;
    stw_parallel(0, compact_update, &job);
    if (gc_observer() != NULL)
      for_each_domain(d) gc_observer()->update_weak(d, WEAK_AFTER_COMPACT, compact_place);
  }
  trace_end(&leader->dom, TRACE_COMPACT_FORWARD);
  trace_begin(&leader->dom, TRACE_COMPACT_RELEASE);
  if (job.evacuate.len != 0) compact_free_blocks(&job);
  if (job.slid.blocks.len != 0) slide_free_stw(&job.slid);
  vec_free(&job.evacuate);
  vec_free(&job.domains);
  heap_plan_return(0);
  trace_end(&leader->dom, TRACE_COMPACT_RELEASE);
  store_relaxed(&bac_gc.compactions, bac_gc.compactions + 1);
  stats_sample_stw();
  if (bac_gc.params.verify >= 1) verify_heap_stw("after a compaction");
  gc_message(MESSAGE_COMPACTION, "done.\n");
  trace_end(&leader->dom, TRACE_COMPACT);
}

/* ---- By itself ---- */

/* Less is not worth a stop of the world; and from what value of max_overhead on there is none (gc.mli). */
enum { COMPACT_LEAST_WORDS = 16 * BLOCK_WORDS, OVERHEAD_NEVER = 1000 * 1000 };
/* The next compaction of a heap that has not changed comes after so many cycles, or more. */
enum { INTERVAL_LEAST = 2, INTERVAL_MOST = 64 };

uint64_t compact_wasted_words(const struct heap_counts *counts)
{
  uint64_t blocks = 0;
  for (unsigned k = 1; k < KINDS; k++)
    for (unsigned c = 0; c < CLASSES; c++) {
      const struct class_counts *n = &counts->cls[k][c];
      blocks += (uint64_t)n->pools - div_up((size_t)n->objects, BLOCK_WORDS / class_slot_words[c]);
    }
  return blocks * BLOCK_WORDS;
}

static size_t overhead_percent(uint64_t wasted, uint64_t live)
{
  return (size_t)((double)wasted * 100 / (double)max_size(1, live));
}

/* A program that fills again what a compaction gave back needs that memory. So after each compaction the next
 * must wait, longer each time that it comes soon after; unless there is twice as much to give back as there ever was meanwhile: that is another heap.
 * (Not: unless what lives has doubled or halved. A cycle that ended half-way through a swing of the heap began the waiting anew.) */
bool compact_is_due(struct auto_compaction *a, size_t max_overhead, uint64_t cycle, uint64_t wasted, uint64_t live)
{
  if (max_overhead == 0) return true;
  if (max_overhead >= OVERHEAD_NEVER) return false;
  if (wasted < COMPACT_LEAST_WORDS || overhead_percent(wasted, live) <= max_overhead) return false;
  bool same = a->cycle != 0 && wasted <= 2 * a->wasted;
  if (same && cycle < a->cycle + a->interval) return false;
  bool soon = same && cycle < a->cycle + 4 * a->interval;
  a->interval = soon ? min_size(2 * a->interval, INTERVAL_MOST) : INTERVAL_LEAST;
  a->wasted = soon ? max_size(a->wasted, wasted) : wasted;
  a->cycle = cycle;
  return true;
}

static void compact_after_cycle_leader(struct domain *d, void *arg)
{
  struct heap_counts counts;
  struct heap_figures now;
  (void)arg;
  if (bac_gc.phase != PHASE_IDLE) return;
  stats_sum_counts(&counts);
  stats_from_counts(&counts, &now);
  uint64_t wasted = compact_wasted_words(&counts);
  gc_message(MESSAGE_OVERHEAD, "Estimated overhead = %zu%%\n", overhead_percent(wasted, now.live_words));
  if (!compact_is_due(&bac_gc.auto_compaction, bac_gc.params.max_overhead, bac_gc.major_collections, wasted,
                      now.live_words))
    return;
  gc_message(MESSAGE_OVERHEAD, "Automatic compaction triggered.\n");
  compact_stw(gc_domain(d));
}

/* From what is known without a stop: at most so much can be wasted. */
static bool compact_may_be_due(void)
{
  uint64_t dead = load_relaxed(&bac_heap.swept_words), found = bac_gc.pacing.finish_live;
  uint64_t live = found > dead ? found - dead : 0, used = (uint64_t)load_relaxed(&bac_heap.used_blocks) * BLOCK_WORDS;
  return used > live && overhead_percent(used - live, live) > bac_gc.params.max_overhead;
}

void compact_after_cycle(struct gc_domain *g)
{
  size_t most = bac_gc.params.max_overhead;
  if (most != 0 && !compact_may_be_due()) return;
  /* False: another domain led meanwhile, and may have begun the next cycle. */
  while (!stw_run(&g->dom, compact_after_cycle_leader, NULL))
    if (load_acquire(&bac_gc.phase) != PHASE_IDLE) break;
}
