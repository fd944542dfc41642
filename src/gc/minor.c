/* SPDX-License-Identifier: MIT */
/* The minor collection: what is alive in the nurseries is copied to the major
 * heap ("promoted"), and all nurseries are empty again.
 *
 * The world is stopped. The roots of every domain and pieces of the remembered
 * sets are tasks; any participant takes the next one, copies what it finds and scans the
 * copies, depth first, from a stack of its own: what one object refers to is copied together, then
 * what its last field refers to is scanned. A participant with much work
 * gives the upper half of its stack to those that have none. A domain that is not
 * running holds nobody up: its tasks are taken by others.
 *
 * FORWARDING. The header of a copied object becomes 0 and its first field the
 * new address. With several participants the copier first claims the object by exchanging
 * its header with BUSY.
 *
 * Ephemerons are weak here too: their keys and data are looked at when all
 * that is strongly reachable has been copied (ephe.c); finalise_last likewise.
 *
 * Not here: when (cycle.c, gc.c). Invariants: REM-1, REM-2. Design page: docs/design/minor.md. */
#include "gc/state.h"

#include "os/os.h"

static const header_t FORWARDED = 0, BUSY = 1;

/* Pieces of a remembered set that are one task. */
enum { REMEMBERED_PER_TASK = 4096 };
/* A participant shares when it has this many objects to scan and somebody waits. */
enum { SHARE_LEAST = 64 };
/* Nursery words in use below which waking helpers costs more than they bring. */
enum { PARALLEL_LEAST_WORDS = 64 * 1024 };

struct minor_task { struct gc_domain *g; size_t from, to; };  /* to = 0: the roots of g; g = NULL: the process */

struct minor_job {
  VEC(struct minor_task) tasks;
  size_t next_task;              /* [atomic] */
  struct gc_domain *leader;
  bool parallel;                 /* [const] several may work */
  int busy;                      /* [atomic] participants with work */
  int waiting;                   /* [atomic] participants without */
  struct lock lock;              /* RANK_LEAF */
  VEC(uintnat) shared;           /* [lock] entries of the participants' stacks that anybody may take */
  size_t shared_len;             /* [atomic] shared.len, for a look without the lock */
};

/* How a participant copies: alone, beside others, or alone and noting where the objects were (while ephemerons are decided). */
enum minor_mode { COPY_ALONE, COPY_SHARED, COPY_NOTING };

/* What stands here of the heap and the nurseries would be read again for each object otherwise. */
struct minor_worker {
  struct root_visitor v;
  struct gc_domain *g;
  struct minor_job *job;
  enum minor_mode mode;
  uintnat base;                  /* [const] of the nurseries */
  size_t pairs;                  /* [const] likewise */
  unsigned slot_shift;           /* [const] likewise */
  header_t colour;               /* [const] of what is promoted */
  uint64_t *promoted;            /* [const] of g */
  struct bump *runs;             /* [const] of g's allocator, for values */
};

static void minor_visit(struct root_visitor *v, value *slots, size_t count);

static struct minor_worker minor_worker(struct gc_domain *g, struct minor_job *job, enum minor_mode mode)
{
  return (struct minor_worker){
      .v = {minor_visit, true}, .g = g, .job = job, .mode = mode,
      .base = bac_nurseries.base, .pairs = bac_nurseries.pairs, .slot_shift = bac_nurseries.slot_shift,
      .colour = heap_colour(), .promoted = g->promoted, .runs = g->alloc.bump[KIND_SCAN]};
}

/* ---- What is to be scanned ---- */

/* An entry of the stack is the address of a promoted object, and in the upper bits a mask of those of its fields that refer to a nursery, of the
 * first MASKED_FIELDS. No mask: the object has more of them, or is a continuation. The copying looks at each field anyway; with the mask
 * the scanning need not again, and what refers to no nursery is not on the stack at all. */
enum { MASK_SHIFT = 48, MASKED_FIELDS = 64 - MASK_SHIFT };
_Static_assert((int)EXACT_WORDS_MAX <= (int)MASKED_FIELDS, "the fields of small objects have bits");

static inline value entry_object(uintnat entry) { return (value)(entry << MASKED_FIELDS >> MASKED_FIELDS); }
static inline uintnat entry_mask(uintnat entry) { return entry >> MASK_SHIFT; }

/* The worker's stack while it is in use. */
struct unscanned { uintnat *at, *top, *limit; };

static NOINLINE void unscanned_grow(struct gc_domain *g) { vec_reserve(&g->unscanned, g->unscanned.cap + 1); }

static inline struct unscanned unscanned_open(struct gc_domain *g)
{
  if (unlikely(g->unscanned.cap == 0)) unscanned_grow(g);
  return (struct unscanned){g->unscanned.at, g->unscanned.at + g->unscanned.len, g->unscanned.at + g->unscanned.cap};
}
static inline void unscanned_close(const struct unscanned *u, struct gc_domain *g) { g->unscanned.len = u->top - u->at; }

static inline void unscanned_push(struct unscanned *u, struct gc_domain *g, value v, uintnat mask)
{
  if (unlikely(u->top == u->limit)) {
    unscanned_close(u, g);
    unscanned_grow(g);
    *u = unscanned_open(g);
  }
  *u->top++ = (uintnat)v | mask << MASK_SHIFT;
}

/* ---- Copying ---- */

static unsigned promoted_kind(value v, tag_t tag)
{
  if (tag < No_scan_tag) return tag == Cont_tag ? KIND_CONT : KIND_SCAN;
  if (tag == Custom_tag && bac_gc.client.custom_has_finaliser(v)) return KIND_FINAL;
  return KIND_NOSCAN;
}

/* Whoever is waited for may be without a core. */
static void minor_pause(int spins)
{
  if (spins % 1000 == 999) os_yield(); else os_relax();
}

/* The header of an unforwarded object, claimed if need be; FORWARDED where it has been copied. */
static inline header_t minor_claim(value v, enum minor_mode mode)
{
  header_t hd = load_acquire(Hp_val(v));
  if (mode != COPY_SHARED) return hd;
  for (int spins = 0;; spins++) {
    if (hd == FORWARDED) return hd;
    if (hd == BUSY) {
      minor_pause(spins);
      hd = load_acquire(Hp_val(v));
    } else if (Tag_hd(hd) == Infix_tag || cas_acq_rel(Hp_val(v), &hd, BUSY)) {
      return hd;
    }
  }
}

static _Noreturn COLD void minor_no_memory(void)
{
  bac_fatal("out of memory: the heap cannot grow to take in what survives a minor collection");
}

static NOINLINE header_t *minor_refill(struct minor_worker *w, unsigned cls)
{
  header_t *hp = allocator_refill(&w->g->alloc, KIND_SCAN, cls);
  if (unlikely(hp == NULL)) minor_no_memory();
  return hp;
}

/* The copy is made. */
static inline void minor_forward(struct minor_worker *w, value v, mlsize_t wosize, value copy, enum minor_mode mode)
{
  w->promoted[((uintnat)v - w->base) >> w->slot_shift] += wosize + 1;
  store_relaxed(&Field(v, 0), copy);
  store_release(Hp_val(v), FORWARDED);
  if (mode == COPY_NOTING) *vec_push(&w->g->moved) = v;
}

/* What is large, or not only values. */
static NOINLINE value minor_copy_any(struct minor_worker *w, value v, header_t hd)
{
  struct gc_domain *g = w->g;
  mlsize_t wosize = Wosize_hd(hd);
  tag_t tag = Tag_hd(hd);
  unsigned kind = promoted_kind(v, tag);
  value copy = heap_alloc(&g->alloc, kind, wosize, tag);
  if (unlikely(copy == 0)) minor_no_memory();
  for (mlsize_t i = 0; i < wosize; i++) Field(copy, i) = Field(v, i);
  minor_forward(w, v, wosize, copy, w->mode);
  if (kind == KIND_SCAN || kind == KIND_CONT) *vec_push(&g->unscanned) = (uintnat)copy;
  return copy;
}

static inline bool tag_is_plain(tag_t tag) { return likely(tag < Cont_tag) || (tag >= Lazy_tag && tag <= Object_tag); }

/* Small objects are nearly all; they are copied where they are met. Closures need no care: what is no value in them is odd or the
 * address of code. The objects that fields refer to are fetched ahead: two thirds of the time of copying trees was one load, that of a header, and where
 * headers are claimed nothing goes on beside it. Trees that survive take 0.7 of the processor time with it (docs/design/minor.md). */
static INLINED value minor_copy(struct minor_worker *w, struct unscanned *u, value v, header_t hd, enum minor_mode mode)
{
  mlsize_t wosize = Wosize_hd(hd);
  if (unlikely(wosize >= EXACT_WORDS_MAX || !tag_is_plain(Tag_hd(hd)))) {
    unscanned_close(u, w->g);
    value copy = minor_copy_any(w, v, hd);
    *u = unscanned_open(w->g);
    return copy;
  }
  unsigned cls = class_of_exact(wosize + 1);
  struct bump *run = &w->runs[cls];
  header_t *hp = run->next;
  if (unlikely(hp == run->end)) hp = minor_refill(w, cls);
  run->next = hp + wosize + 1;
  value copy = Val_hp(hp);
  *hp = (hd & ~HEADER_COLOUR_MASK) | w->colour;
  uintnat mask = 0;
  for (mlsize_t i = 0; i < wosize; i++) {
    value field = Field(v, i);
    Field(copy, i) = field;
    bool young = is_young_block_of(field, w->base, w->pairs);
    mask |= (uintnat)young << i;
    if (young) __builtin_prefetch(Hp_val(field), 1);
  }
  minor_forward(w, v, wosize, copy, mode);
  if (mask != 0) unscanned_push(u, w->g, copy, mask);
  return copy;
}

/* What a forwarding block (the result of a forced lazy value) may be replaced by, or 0: the
 * content may need the indirection if it is lazy itself or a float. */
static value minor_shortcut(value forward)
{
  value f = Forward_val(forward);
  if (Is_long(f)) return f;
  header_t hd = load_acquire(Hp_val(f));
  if (is_young_block(f)) {
    if (hd == BUSY) return 0;
    if (hd == FORWARDED) hd = Hd_val(Field(f, 0));
  }
  tag_t tag = Tag_hd(hd);
  return tag == Forward_tag || tag == Lazy_tag || tag == Forcing_tag || tag == Double_tag ? 0 : f;
}

/* The same for one whose header has been claimed: if 0 is answered it still is. */
static NOINLINE value minor_shorten(struct minor_worker *w, value forward, header_t hd)
{
  value f = minor_shortcut(forward);
  if (f != 0 && w->mode == COPY_SHARED) store_release(Hp_val(forward), hd);
  return f;
}

static value minor_promote(struct minor_worker *w, value v);

static NOINLINE value minor_promote_infix(struct minor_worker *w, value v, header_t hd)
{
  size_t offset = Infix_offset_hd(hd);
  return minor_promote(w, v - offset) + offset;
}

static INLINED value minor_promote_inline(struct minor_worker *w, struct unscanned *u, value v, enum minor_mode mode)
{
  for (;;) {
    header_t hd = minor_claim(v, mode);
    if (hd == FORWARDED) return load_relaxed(&Field(v, 0));
    tag_t tag = Tag_hd(hd);
    if (unlikely(tag == Infix_tag)) {
      unscanned_close(u, w->g);
      value copy = minor_promote_infix(w, v, hd);
      *u = unscanned_open(w->g);
      return copy;
    }
    value f = tag == Forward_tag ? minor_shorten(w, v, hd) : 0;
    if (f == 0) return minor_copy(w, u, v, hd, mode);
    if (!is_young_block_of(f, w->base, w->pairs)) return f;
    v = f;
  }
}

static NOINLINE value minor_promote(struct minor_worker *w, value v)
{
  struct unscanned u = unscanned_open(w->g);
  value copy = minor_promote_inline(w, &u, v, w->mode);
  unscanned_close(&u, w->g);
  return copy;
}

/* Fields are read and written atomically: duplicates in two remembered sets are harmless. */
static inline void minor_slot(struct minor_worker *w, value *slot)
{
  value v = load_relaxed(slot);
  if (is_young_block(v)) store_relaxed(slot, minor_promote(w, v));
}

static void minor_visit(struct root_visitor *v, value *slots, size_t count)
{
  struct minor_worker *w = container_of(v, struct minor_worker, v);
  for (size_t i = 0; i < count; i++) minor_slot(w, &slots[i]);
}

/* ---- Sharing ---- */

static NOINLINE void minor_share(struct minor_worker *w)
{
  struct minor_job *job = w->job;
  size_t give = w->g->unscanned.len / 2;
  lock_acquire(&job->lock);
  for (size_t i = 0; i < give; i++) *vec_push(&job->shared) = vec_pop(&w->g->unscanned);
  store_relaxed(&job->shared_len, job->shared.len);
  lock_release(&job->lock);
}

static bool minor_take_shared(struct minor_worker *w)
{
  struct minor_job *job = w->job;
  if (load_relaxed(&job->shared_len) == 0) return false;
  lock_acquire(&job->lock);
  size_t take = min_size(job->shared.len, SHARE_LEAST);
  for (size_t i = 0; i < take; i++) *vec_push(&w->g->unscanned) = vec_pop(&job->shared);
  store_relaxed(&job->shared_len, job->shared.len);
  lock_release(&job->lock);
  return take != 0;
}

/* ---- Scanning ---- */

static NOINLINE void minor_scan_any(struct minor_worker *w, value v)
{
  if (Tag_val(v) == Cont_tag)
    bac_gc.client.scan_continuation(v, &w->v);
  else
    minor_visit(&w->v, &Field(v, 0), Wosize_val(v));
}

/* Remembered fields whose objects are fetched ahead. */
enum { REMEMBERED_AHEAD = 8 };

/* The next of the remembered fields that refers to a nursery, as an entry of the stack; 0: there is none. */
static inline uintnat minor_next_remembered(const struct minor_worker *w, value ***at, value **end)
{
  while (*at < end) {
    value *field = *(*at)++;
    if (end - *at >= REMEMBERED_AHEAD) __builtin_prefetch((*at)[REMEMBERED_AHEAD - 1], 1);
    if (is_young_block_of(load_relaxed(field), w->base, w->pairs)) return (uintnat)field | (uintnat)1 << MASK_SHIFT;
  }
  return 0;
}

/* Scans what is on the stack, and the remembered fields from [at] on: what one of them reaches lands together. Two participants may have the
 * same remembered field. */
static INLINED void minor_drain_as(struct minor_worker *w, value **at, value **end, enum minor_mode mode)
{
  struct unscanned u = unscanned_open(w->g);
  for (;;) {
    uintnat entry = u.top != u.at ? *--u.top : minor_next_remembered(w, &at, end);
    if (entry == 0) break;
    value v = entry_object(entry);
    if (unlikely(entry_mask(entry) == 0)) {
      unscanned_close(&u, w->g);
      minor_scan_any(w, v);
      u = unscanned_open(w->g);
    }
    for (uintnat mask = entry_mask(entry); mask != 0; mask &= mask - 1) {
      value *field = &Field(v, __builtin_ctzll(mask)), old = load_relaxed(field);
      if (mode == COPY_SHARED && !is_young_block_of(old, w->base, w->pairs)) continue;
      store_relaxed(field, minor_promote_inline(w, &u, old, mode));
    }
    if (mode == COPY_SHARED && unlikely(u.top - u.at >= SHARE_LEAST && load_relaxed(&w->job->waiting) != 0)) {
      unscanned_close(&u, w->g);
      minor_share(w);
      u = unscanned_open(w->g);
    }
  }
  unscanned_close(&u, w->g);
}

static NOINLINE void minor_drain_alone(struct minor_worker *w, value **at, value **end) { minor_drain_as(w, at, end, COPY_ALONE); }
static NOINLINE void minor_drain_shared(struct minor_worker *w, value **at, value **end) { minor_drain_as(w, at, end, COPY_SHARED); }
static NOINLINE void minor_drain_noting(struct minor_worker *w, value **at, value **end) { minor_drain_as(w, at, end, COPY_NOTING); }

static void minor_drain(struct minor_worker *w, value **at, value **end)
{
  switch (w->mode) {
  case COPY_ALONE: minor_drain_alone(w, at, end); break;
  case COPY_SHARED: minor_drain_shared(w, at, end); break;
  case COPY_NOTING: minor_drain_noting(w, at, end); break;
  }
}

/* ---- Tasks ---- */

static void minor_run_task(struct minor_worker *w, struct minor_task t)
{
  struct domain *self = &w->g->dom;
  if (t.g == NULL) {
    trace_begin(self, TRACE_MINOR_GLOBAL_ROOTS);
    roots_scan_process(&w->v);
    trace_end(self, TRACE_MINOR_GLOBAL_ROOTS);
  } else if (t.to == 0) {
    trace_begin(self, TRACE_MINOR_LOCAL_ROOTS);
    roots_scan_domain(t.g, &w->v);
    trace_end(self, TRACE_MINOR_LOCAL_ROOTS);
    trace_begin(self, TRACE_MINOR_FINALISERS_ROOTS);
    finalise_visit(t.g, &w->v);
    trace_end(self, TRACE_MINOR_FINALISERS_ROOTS);
  } else {
    trace_begin(self, TRACE_MINOR_REMEMBERED_SET);
    minor_drain(w, t.g->rem.fields.at + t.from, t.g->rem.fields.at + t.to);
    trace_end(self, TRACE_MINOR_REMEMBERED_SET);
  }
}

static bool minor_has_work(struct minor_job *job)
{
  return load_relaxed(&job->next_task) < job->tasks.len || load_relaxed(&job->shared_len) != 0;
}

static void minor_work(struct domain *participant, void *arg)
{
  struct minor_job *job = arg;
  struct minor_worker w = minor_worker(gc_domain(participant), job, job->parallel ? COPY_SHARED : COPY_ALONE);
  bool leads = w.g == job->leader;
  w.g->promotes = true;
  if (!leads) trace_begin(participant, TRACE_MINOR);
  do {
    add_seq(&job->busy, 1);
    for (;;) {
      minor_drain(&w, NULL, NULL);
      if (minor_take_shared(&w)) continue;
      if (load_relaxed(&job->next_task) >= job->tasks.len) break;
      size_t i = add_relaxed(&job->next_task, 1);
      if (i >= job->tasks.len) break;
      minor_run_task(&w, job->tasks.at[i]);
    }
    sub_seq(&job->busy, 1);
    if (!job->parallel) return;
    add_seq(&job->waiting, 1);
    for (int spins = 0; load_seq(&job->busy) != 0 && !minor_has_work(job) && (leads || spins < 20000); spins++)
      minor_pause(spins);
    sub_seq(&job->waiting, 1);
  } while (minor_has_work(job) || (leads && load_seq(&job->busy) != 0));
  if (!leads) trace_end(participant, TRACE_MINOR);
}

static void minor_add_tasks(struct minor_job *job)
{
  *vec_push(&job->tasks) = (struct minor_task){NULL, 0, 0};
  for_each_gc_domain(g) {
    *vec_push(&job->tasks) = (struct minor_task){g, 0, 0};
    for (size_t i = 0; i < g->rem.fields.len; i += REMEMBERED_PER_TASK)
      *vec_push(&job->tasks) = (struct minor_task){g, i, min_size(i + REMEMBERED_PER_TASK, g->rem.fields.len)};
  }
}

/* ---- Weak references to young blocks ---- */

value minor_forwarded(value v)
{
  header_t hd = Hd_val(v);
  if (hd == FORWARDED) return Field(v, 0);
  if (Tag_hd(hd) == Infix_tag) {
    size_t offset = Infix_offset_hd(hd);
    value block = minor_forwarded(v - offset);
    return block == 0 ? 0 : block + offset;
  }
  if (Tag_hd(hd) == Forward_tag) {
    /* It may have been replaced by what it forwards to, in every strong reference. */
    value f = minor_shortcut(v);
    if (f == 0 || Is_long(f)) return 0;
    return is_young_block(f) ? minor_forwarded(f) : 0;
  }
  return 0;
}

value minor_redirected(value v)
{
  value f = minor_shortcut(v);
  return f != 0 && !is_young_block(f) ? f : 0;
}

value minor_awaited(value v)
{
  if (Tag_val(v) == Forward_tag) {
    value f = minor_shortcut(v);
    if (f != 0 && is_young_block(f)) v = f;
  }
  return Tag_val(v) == Infix_tag ? v - (value)Infix_offset_hd(Hd_val(v)) : v;
}

struct gc_domain *minor_promote_now(struct minor_worker *w, value *slot)
{
  minor_slot(w, slot);
  minor_drain(w, NULL, NULL);
  return w->g;
}

static void minor_free_special(struct gc_domain *g)
{
  for (size_t i = 0; i < g->rem.special.len; i++) {
    value v = g->rem.special.at[i].v;
    header_t hd = Hd_val(v);
    if (hd == FORWARDED)
      pacing_custom(g, g->rem.special.at[i].share);
    else if (Tag_hd(hd) == Cont_tag)
      bac_gc.client.free_continuation(v);
    else if (bac_gc.client.custom_has_finaliser(v))
      bac_gc.client.custom_finalise(v);
  }
  if (g->rem.special.len > 0) young_list_renew(g);
  vec_clear(&g->rem.special);
}

/* ---- The collection ---- */

static void minor_empty(struct gc_domain *g)
{
  struct window *w = g->dom.window;
  g->counters.minor_words += w->young_end - w->young_ptr;
  w->young_ptr = w->young_end;
  vec_clear(&g->rem.fields);
  vec_clear(&g->rem.ephes);
  g->custom_minor = 0;
  g->first.young = g->first.entries.len;
  g->last.young = g->last.entries.len;
  g->sample_at = g->slice_at = NULL;
  nursery_arm(g);
  if (gc_observer() != NULL && !domain_is_helper(&g->dom)) gc_observer()->nursery_emptied(&g->dom);
}

static void minor_tell_observer(struct domain *leader)
{
  if (gc_observer() == NULL) return;
  trace_begin(leader, TRACE_MINOR_MEMPROF_CLEAN);
  for_each_domain(d) gc_observer()->update_weak(d, WEAK_AFTER_MINOR, minor_forwarded);
  trace_end(leader, TRACE_MINOR_MEMPROF_CLEAN);
}

/* What is left to do when all that lives has been copied. */
static void minor_finish(struct gc_domain *leader)
{
  trace_begin(&leader->dom, TRACE_MINOR_FINALISERS);
  finalise_minor_stw();
  trace_end(&leader->dom, TRACE_MINOR_FINALISERS);
  minor_tell_observer(&leader->dom);
  roots_after_minor();
  trace_begin(&leader->dom, TRACE_MINOR_CUSTOM);
  for_each_gc_domain(g) minor_free_special(g);
  trace_end(&leader->dom, TRACE_MINOR_CUSTOM);
  trace_begin(&leader->dom, TRACE_MINOR_CLEAR);
  for_each_gc_domain(g) minor_empty(g);
  trace_end(&leader->dom, TRACE_MINOR_CLEAR);
}

static uint64_t minor_count_promoted(void)
{
  uint64_t total = 0;
  for_each_gc_domain(by) {
    if (!by->promotes) continue;
    by->promotes = false;
    for_each_gc_domain(from) {
      uint64_t words = by->promoted[from->dom.slot];
      by->promoted[from->dom.slot] = 0;
      from->counters.promoted_words += words;
      from->counters.major_words += words;
      total += words;
    }
  }
  return total;
}

static size_t minor_words_in_use(size_t *fullest)
{
  size_t words = 0;
  *fullest = 0;
  for_each_gc_domain(g) {
    size_t used = g->dom.window->young_end - g->dom.window->young_ptr;
    *fullest = max_size(*fullest, used);
    words += used;
  }
  return words;
}

void minor_collect_stw(struct gc_domain *leader)
{
  trace_begin(&leader->dom, TRACE_MINOR);
  gc_tell_moment(leader, GC_MINOR_BEGINS);
  gc_message(MESSAGE_MINOR, "<");
  pacing_count_sharers_stw();
  size_t fullest, in_use = minor_words_in_use(&fullest);
  trace_counter(&leader->dom, TRACE_MINOR_ALLOCATED, in_use);
  struct minor_job job = {.leader = leader, .lock = LOCK_INIT(RANK_LEAF), .tasks = VEC_EMPTY, .shared = VEC_EMPTY};
  job.parallel = in_use >= PARALLEL_LEAST_WORDS && stw_has_parked();
  minor_add_tasks(&job);
  bac_heap.collecting = true;
  stw_parallel(job.parallel ? 0 : 1, minor_work, &job);

  job.parallel = false;
  struct minor_worker w = minor_worker(leader, &job, COPY_NOTING);
  ephe_minor_stw(&w);
  bac_heap.collecting = false;
  minor_finish(leader);
  uint64_t promoted = minor_count_promoted();
  pacing_promoted_stw(promoted, fullest);
  trace_counter(&leader->dom, TRACE_MINOR_PROMOTED, promoted);
  vec_free(&job.tasks);
  vec_free(&job.shared);

  store_relaxed(&bac_gc.minor_collections, bac_gc.minor_collections + 1);
  stats_sample_stw();
  if (bac_gc.params.verify >= 2) verify_heap_stw("after a minor collection");
  gc_message(MESSAGE_MINOR, ">");
  gc_tell_moment(leader, GC_MINOR_ENDS);
  trace_end(&leader->dom, TRACE_MINOR);
}
