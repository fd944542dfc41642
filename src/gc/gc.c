/* SPDX-License-Identifier: MIT */
/* The collector's front: start, domains, safepoints and the functions of the Gc
 * module (its parameters: control.c). Here it is decided when something is done; what is
 * done stands in the other files. */
#include "gc/gc.h"

#include "gc/state.h"
#include "os/os.h"

struct gc_state bac_gc;

/* ---- Domains ---- */

void gc_domain_free(struct gc_domain *g)
{
  mem_free(g->promoted);
  mem_free(g->dom.window);
  mem_free(g->marker.packet);
  vec_free(&g->rem.fields);
  vec_free(&g->rem.ephes);
  vec_free(&g->rem.special);
  mem_free(g->marker.ephes);
  vec_free(&g->marker.keys);
  vec_free(&g->marker.woken);
  vec_free(&g->unscanned);
  vec_free(&g->moved);
  mem_free(g);
}

/* Under the world lock, before anybody sees the domain. */
static bool gc_domain_ready(struct domain *d, void *arg)
{
  struct gc_domain *g = gc_domain(d);
  (void)arg;
  if (!control_set_nursery(g, bac_gc.params.minor_words)) return false;
  if (bac_gc.client.domain_init(d)) return true;
  nursery_release(d->slot, d->window->young_start, d->window->young_end);
  return false;
}

struct gc_domain *gc_domain_alloc(size_t state_size)
{
  struct gc_domain *g = mem_calloc(1, sizeof *g);
  if (g == NULL) return NULL;
  allocator_init(&g->alloc);
  g->dom.window = mem_calloc(1, align_up(state_size, 64));
  g->promoted = mem_calloc(bac_domains.slots, sizeof *g->promoted);
  if (g->dom.window != NULL && g->promoted != NULL) return g;
  gc_domain_free(g);
  return NULL;
}

/* So much that malloc maps it, and memory comes as it is touched: growing up to there left a hole of 90 KB in the C heap
 * (bench/native/effects). */
enum { UNSCANNED_FIRST = 32 * 1024 };

static struct gc_domain *gc_domain_new(void)
{
  struct gc_domain *g = gc_domain_alloc(bac_gc.client.state_size);
  if (g == NULL) return NULL;
  g->stress_left = bac_gc.params.stress;
  (void)vec_try_reserve(&g->unscanned, UNSCANNED_FIRST);   /* if not, it grows later */
  young_list_renew(g);
  if (domain_enter(&g->dom, gc_domain_ready, NULL)) return g;
  gc_domain_free(g);
  return NULL;
}

struct domain *gc_domain_create(struct domain *parent)
{
  domain_enter_blocking(parent);
  struct gc_domain *g = gc_domain_new();
  domain_leave_blocking(parent);
  if (g == NULL) return NULL;
  if (gc_observer() != NULL) gc_observer()->domain_created(parent, &g->dom);
  return &g->dom;
}

/* One whose thread waits for the end of this stop, if there is one: what a thread that is in a blocking section inherits may
 * wait for long. */
static struct gc_domain *gc_heir_stw(struct gc_domain *of)
{
  struct gc_domain *heir = NULL;
  for_each_gc_domain(g) {
    if (g == of || g->leaving || domain_is_helper(&g->dom)) continue;
    if (load_relaxed(&g->dom.waiting)) return g;
    if (heir == NULL) heir = g;
  }
  return heir;
}

/* What [gone], whose nursery is empty, leaves goes to another domain (or, for the last one, nowhere)
 * while the world is stopped: so no table is ever without an owner. */
static void gc_adopt_stw(struct gc_domain *heir, struct gc_domain *gone)
{
  allocator_retire(&gone->alloc);
  mark_flush(gone);
  pacing_allocated(gone);
  if (gc_observer() != NULL) gc_observer()->domain_ending(&gone->dom, heir == NULL ? NULL : &heir->dom);
  if (heir == NULL) return;
  finalise_adopt_stw(heir, gone);
  ephe_hand_over_stw(&heir->marker, &gone->marker);
  stats_adopt_stw(heir, gone);
}

static void terminate_leader(struct domain *d, void *arg)
{
  struct gc_domain *g = gc_domain(d);
  (void)arg;
  minor_collect_stw(g);
  g->leaving = true;
  gc_adopt_stw(gc_heir_stw(g), g);
  stats_sample_stw();
}

static void gc_domain_gone(struct domain *d, void *arg)
{
  (void)arg;
  bac_gc.client.domain_fini(d);
  nursery_release(d->slot, d->window->young_start, d->window->young_end);
}

void gc_domain_terminate(struct domain *d)
{
  while (!stw_run(d, terminate_leader, NULL)) continue;
  domain_leave(d, gc_domain_gone, NULL);
  gc_domain_free(gc_domain(d));
}

/* The other domains' threads do not exist in this process, but what they left in the heap does. */
void gc_after_fork_child(struct domain *d)
{
  struct gc_domain *self = gc_domain(d);
  VEC(struct gc_domain *) others = VEC_EMPTY;
  minor_collect_stw(self);
  for_each_gc_domain(g) {
    if (g == self) continue;
    gc_adopt_stw(self, g);
    *vec_push(&others) = g;
  }
  domains_after_fork_child(d);
  for (size_t i = 0; i < others.len; i++) {
    if (!domain_is_helper(&others.at[i]->dom)) gc_domain_gone(&others.at[i]->dom, NULL);
    gc_domain_free(others.at[i]);
  }
  vec_free(&others);
  marker_threads_forked();
}

/* ---- Start ---- */

static void gc_dead_object(value v, unsigned kind)
{
  if (kind == KIND_CONT)
    bac_gc.client.free_continuation(v);
  else if (bac_gc.client.custom_has_finaliser(v))
    bac_gc.client.custom_finalise(v);
}

/* Words of marking or cleaning that are done in a stop; with Xstress few, so that most is done beside the program. */
enum { STOP_WORDS = 100 * 1000, STOP_WORDS_STRESS = 500 };

/* Under a limit of address space there may not be room for the nurseries of all domains. */
static size_t domains_that_fit(const struct gc_params *p)
{
  size_t limit = os_address_space_limit();
  if (limit == SIZE_MAX) return p->max_domains;
  return min_size(p->max_domains, max_size(1, limit / 8 / (p->minor_words * sizeof(value))));
}

struct domain *gc_init(const struct gc_params *params, const struct gc_client *client, const char **why)
{
  bac_gc.params = *params;
  control_normalise(&bac_gc.params);
  bac_gc.client = *client;
  bac_gc.stop_words = bac_gc.params.stress == 0 ? STOP_WORDS : STOP_WORDS_STRESS;
  bac_gc.mark_lock = (struct lock)LOCK_INIT(RANK_MARK_POOL);
  bac_gc.ephe.list_lock = bac_gc.ephe.keys_lock = (struct lock)LOCK_INIT(RANK_EPHEMERONS);
  bac_gc.ephe.clean_lock = (struct lock)LOCK_INIT(RANK_LEAF);
  size_t limit = bac_gc.params.max_domains = domains_that_fit(&bac_gc.params);
  *why = "no memory for the domain table";
  if (!domains_init((int)limit, (int)bac_gc.params.markers)) return NULL;
  *why = "no address space for the nurseries";
  if (!nursery_init(limit, bac_gc.params.minor_words)) return NULL;
  *why = heap_init(bac_nurseries.bytes, limit_heap_most(bac_gc.params.heap_limit), gc_dead_object);
  if (*why != NULL) return NULL;
  limit_init(bac_gc.params.heap_limit);
  bac_heap.huge_pages = bac_gc.params.huge_pages;
  control_started();
  pacing_init();
  ephe_init();
  *why = "no memory for the first domain";
  struct gc_domain *g = gc_domain_new();
  if (g == NULL) return NULL;
  domain_set_self(&g->dom);
  domain_leave_blocking(&g->dom);
  *why = NULL;
  return &g->dom;
}

/* ---- The end ---- */

static bool free_object(value v, uint8_t kind, void *arg)
{
  (void)arg;
  kind &= (uint8_t)~KIND_LARGE;
  if (kind != KIND_FINAL && kind != KIND_CONT) return true;
  gc_dead_object(v, kind);
  if (kind == KIND_CONT) Field(v, 0) = Val_ptr(NULL);
  return true;
}

static void end_leader(struct domain *d, void *arg)
{
  (void)arg;
  minor_collect_stw(gc_domain(d));
  allocator_seal(&gc_domain(d)->alloc);
  for (uint32_t i = 0; i < bac_heap.committed; i++) heap_walk_block(i, free_object, NULL);
}

bool gc_stop(struct domain *d)
{
  if (!domain_is_alone() || load_relaxed(&bac_gc.marker_threads.started) != 0) return false;
  while (!stw_run(d, end_leader, NULL)) continue;
  gc_domain_terminate(d);
  heap_fini();
  nursery_fini();
  domains_fini();
  return true;
}

/* ---- Safepoints ---- */

static void minor_leader(struct domain *d, void *arg)
{
  (void)arg;
  minor_collect_stw(gc_domain(d));
  /* The others owe their part of the major work that this collection brought. */
  if (bac_domains.count > 1)
    for_each_domain(other) if (other != d) domain_request(other, DOMAIN_WANT_SLICE);
}

/* Where one phase ends the next may be due already: a large block, or a minor collection that promoted much, may
 * have used up more than the part of the budget that belongs to a phase. A domain that is behind has its next slice soon. Where slices
 * follow each other that start and end cycles, all minor collections are theirs: so here is where the heap may have passed its limit. */
void gc_slice(struct gc_domain *g, size_t least)
{
  trace_begin(&g->dom, TRACE_MAJOR);
  for (int phases = 0; phases < 3; phases++) {
    enum gc_phase before = load_relaxed(&bac_gc.phase);
    cycle_slice(g, max_size(least, pacing_slice_work(g)));
    if (g->behind || load_relaxed(&bac_gc.phase) == before) break;
  }
  g->lump = -(int64_t)g->coming;
  nursery_plan_slice(g);
  trace_end(&g->dom, TRACE_MAJOR);
  limit_obey(g);
}

void gc_slice_before(struct gc_domain *g, size_t words)
{
  g->coming = words;
  gc_slice(g, 0);
  g->coming = 0;
}

void gc_minor_and_slice(struct gc_domain *g, size_t least)
{
  if (!stw_run(&g->dom, minor_leader, NULL)) return;
  gc_slice(g, least);
}

uint32_t gc_serve(struct gc_domain *g)
{
  domain_safepoint(&g->dom);
  uint32_t wants = domain_take_interrupts(&g->dom);
  if (wants & DOMAIN_WANT_MINOR) {
    /* A section of another leader may have come first that did not collect. */
    uint64_t before = load_relaxed(&bac_gc.minor_collections);
    do gc_minor_and_slice(g, 0);
    while (load_relaxed(&bac_gc.minor_collections) == before);
  } else if (wants & DOMAIN_WANT_SLICE)
    gc_slice(g, 0);
  return wants & ~(uint32_t)(DOMAIN_WANT_MINOR | DOMAIN_WANT_SLICE);
}

bool gc_poll(struct domain *d)
{
  struct gc_domain *g = gc_domain(d);
  uint32_t wants = gc_serve(g) | g->deferred;
  g->deferred = 0;
  return wants != 0;
}

/* ---- The Gc module ---- */

void gc_minor(struct domain *d)
{
  uint64_t before = load_relaxed(&bac_gc.minor_collections);
  while (load_relaxed(&bac_gc.minor_collections) == before) stw_run(d, minor_leader, NULL);
  limit_watch(gc_domain(d));
}

void gc_major_slice(struct domain *d, intnat words)
{
  struct gc_domain *g = gc_domain(d);
  gc_minor(d);
  if (words > 0) {
    cycle_advance(g, (double)words);
  } else {
    /* The next automatic slice comes when this nursery is full again: it is to find nothing to do. */
    gc_slice(g, 0);
    cycle_advance(g, (double)g->nursery_words);
  }
}

void gc_major(struct domain *d)
{
  gc_minor(d);
  cycle_complete(gc_domain(d), load_relaxed(&bac_gc.major_collections) + (load_acquire(&bac_gc.phase) != PHASE_SWEEP), true);
}

/* A cycle that is under way began with what was reachable then; only one that starts now finds all that is garbage. */
static void gc_collect(struct domain *d, bool compact)
{
  struct gc_domain *g = gc_domain(d);
  gc_minor(d);
  enum gc_phase phase = load_acquire(&bac_gc.phase);
  bool marking = phase == PHASE_MARK || phase == PHASE_CLEAN;
  cycle_complete(g, load_relaxed(&bac_gc.major_collections) + 1 + marking, compact);
}

/* Who calls this compacts anyway, or must not. */
void gc_collect_all(struct domain *d) { gc_collect(d, false); }

void gc_full_major(struct domain *d)
{
  gc_collect(d, true);
  add_relaxed(&bac_gc.forced_major, 1);
}

static void compact_leader(struct domain *d, void *arg)
{
  (void)arg;
  compact_stw(gc_domain(d));
}

void gc_compact_now(struct domain *d)
{
  while (!stw_run(d, compact_leader, NULL)) continue;
  cycle_return_memory();
}

static void compact_for_leader(struct domain *d, void *arg)
{
  bac_gc.wanted_blocks = *(uint32_t *)arg;
  compact_stw(gc_domain(d));
  bac_gc.wanted_blocks = 0;
}

void gc_compact_for(struct domain *d, uint32_t blocks)
{
  gc_collect_all(d);
  while (!stw_run(d, compact_for_leader, &blocks)) continue;
  cycle_return_memory();
}

void gc_compact(struct domain *d)
{
  gc_collect_all(d);
  add_relaxed(&bac_gc.forced_major, 1);
  gc_compact_now(d);
}
