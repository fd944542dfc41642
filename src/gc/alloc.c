/* SPDX-License-Identifier: MIT */
/* Allocation, and the write barrier.
 *
 * A store of a value into a block owes the collector two things. While marking, the
 * overwritten value is shaded, so that the snapshot stays whole (MARK-1). When a
 * major block gets a young value, the field is remembered, once: a field whose
 * old value is young is in the set already (REM-2).
 *
 * Nothing here decides when to collect: it counts, and asks for a slice. */
#include "gc/state.h"

#include "base/fault.h"

/* ---- Fields ---- */

/* A program that stores without allocating would fill the remembered set for ever. It may grow with the nursery: one for each eight words, as
 * in stock. With 64k entries for each nursery, one of 32M words over an array of lists was emptied every 400k words. */
enum { REMEMBERED_LEAST = 64 * 1024, WORDS_PER_REMEMBERED = 8 };

bool remembered_wants_minor(const struct gc_domain *g, size_t len)
{
  return unlikely(len % REMEMBERED_LEAST == 0) && len >= g->nursery_words / WORDS_PER_REMEMBERED;
}

static inline void remember_field(struct gc_domain *g, value *field)
{
  if (FAULT(no_remembering) && g->rem.fields.len == 7) return;
  *vec_push(&g->rem.fields) = field;
  if (likely(!remembered_wants_minor(g, g->rem.fields.len))) return;
  gc_message(MESSAGE_TABLES, "ref_table threshold crossed\n");
  domain_request(&g->dom, DOMAIN_WANT_MINOR);
}

void gc_init_field(struct domain *d, value *field, value v)
{
  if (is_young_block(v) && !nursery_contains((value)field)) remember_field(gc_domain(d), field);
  *field = v;
}

/* What a store owes before it happens; [old] is what it overwrites. */
static inline void barrier_before(struct gc_domain *g, value *field, value old, value v)
{
  if (Is_block(old)) {
    if (nursery_contains(old)) return;
    if (unlikely(gc_is_marking()) && !FAULT(no_shading)) mark_value(&g->marker, old);
  }
  if (is_young_block(v)) remember_field(g, field);
}

/* Apart, so that a store that owes nothing saves no registers. */
static NOINLINE void write_while_marking(struct gc_domain *g, value *field, value old, value v)
{
  barrier_before(g, field, old, v);
  store_release(field, v);
}

static NOINLINE void write_remembered(struct gc_domain *g, value *field, value v)
{
  remember_field(g, field);
  store_release(field, v);
}

void gc_write_field(struct domain *d, value *field, value v)
{
  /* OCaml's memory model: loads before this store must not be reordered after it. */
  fence_acquire();
  if (!nursery_contains((value)field)) {
    value old = load_dependent(field);
    if (unlikely(gc_is_marking())) return write_while_marking(gc_domain(d), field, old, v);
    if (is_young_block(v) && !is_young_block(old)) return write_remembered(gc_domain(d), field, v);
  }
  store_release(field, v);
}

void gc_init_fields(struct domain *d, value *fields, const value *from, size_t n)
{
  struct gc_domain *g = gc_domain(d);
  if (!nursery_contains((value)fields)) {
    for (size_t i = 0; i < n; i++) {
      value v = load_relaxed(&from[i]);
      if (is_young_block(v)) remember_field(g, &fields[i]);
      fields[i] = v;
    }
  } else if (domain_is_alone()) {   /* nobody sees the fields meanwhile: the order of the stores is free */
    memcpy(fields, from, n * sizeof *fields);
  } else {
    for (size_t i = 0; i < n; i++) fields[i] = load_relaxed(&from[i]);
  }
}

static inline void copy_old_field(struct gc_domain *g, value *field, const value *from)
{
  value v = load_relaxed(from);
  barrier_before(g, field, load_dependent(field), v);
  store_release(field, v);
}

static void copy_old_fields(struct gc_domain *g, value *fields, const value *from, size_t n)
{
  if (from < fields)
    while (n-- > 0) copy_old_field(g, &fields[n], &from[n]);
  else
    for (size_t i = 0; i < n; i++) copy_old_field(g, &fields[i], &from[i]);
}

static void copy_young_fields(value *fields, const value *from, size_t n)
{
  if (from < fields)
    while (n-- > 0) store_release(&fields[n], load_relaxed(&from[n]));
  else
    for (size_t i = 0; i < n; i++) store_release(&fields[i], load_relaxed(&from[i]));
}

void gc_copy_fields(struct domain *d, value *fields, const value *from, size_t n)
{
  fence_acquire();
  if (!nursery_contains((value)fields))
    copy_old_fields(gc_domain(d), fields, from, n);
  else if (domain_is_alone())
    memmove(fields, from, n * sizeof *fields);
  else
    copy_young_fields(fields, from, n);
}

/* The value really exchanged is known only afterwards; no safepoint lies in between. */
static inline void barrier_after(struct gc_domain *g, value *field, value old, value v)
{
  if (nursery_contains((value)field)) return;
  if (unlikely(gc_is_marking())) mark_value(&g->marker, old);
  if (is_young_block(v) && !is_young_block(old)) remember_field(g, field);
}

value gc_exchange_field(struct domain *d, value *field, value v)
{
  value old = exchange_seq(field, v);
  fence_release();
  barrier_after(gc_domain(d), field, old, v);
  return old;
}

bool gc_cas_field(struct domain *d, value *field, value expected, value desired)
{
  value seen = expected;
  if (!cas_seq(field, &seen, desired)) return false;
  fence_release();
  barrier_after(gc_domain(d), field, expected, desired);
  return true;
}

void gc_keep(struct domain *d, value v)
{
  if (gc_is_marking()) mark_value(&gc_domain(d)->marker, v);
}

bool gc_is_young(value v) { return is_young_block(v); }
bool gc_in_major_heap(value v) { return Is_block(v) && heap_contains(v); }

/* ---- Nursery ---- */

void nursery_arm(struct gc_domain *g)
{
  struct window *w = g->dom.window;
  value *trigger = w->young_start;
  if (bac_gc.params.stress != 0)
    trigger = w->young_end;   /* every allocation is to come by gc_nursery_alloc */
  else if (g->sample_at != NULL)
    trigger = g->sample_at + 1;
  if (g->slice_at > trigger) trigger = g->slice_at;
  domain_set_trigger(&g->dom, trigger);
}

void nursery_plan_slice(struct gc_domain *g)
{
  const struct window *w = g->dom.window;
  size_t words = pacing_next_slice(g);
  g->slice_at = (size_t)(w->young_ptr - w->young_start) > words ? w->young_ptr - words : NULL;
  nursery_arm(g);
}

void gc_sample_at(struct domain *d, value *at)
{
  gc_domain(d)->sample_at = at;
  nursery_arm(gc_domain(d));
}

/* Cuts whsize words off the nursery, which has them. */
static void nursery_cut(struct gc_domain *g, size_t whsize)
{
  struct window *w = g->dom.window;
  w->young_ptr -= whsize;
  if (unlikely(g->sample_at != NULL && w->young_ptr <= g->sample_at)) {
    g->sample_at = NULL;
    nursery_arm(g);
    gc_observer()->nursery_sampled(&g->dom, whsize);
  }
}

/* Xstress: a minor collection and a slice at each Nth allocation. */
static void gc_stress(struct gc_domain *g)
{
  if (--g->stress_left != 0) return;
  g->stress_left = bac_gc.params.stress;
  gc_minor_and_slice(g, STRESS_SLICE_WORDS);
}

/* The next whsize words need no collection. */
static void make_room(struct gc_domain *g, size_t whsize)
{
  struct domain *d = &g->dom;
  struct window *w = d->window;
  if (bac_gc.params.stress != 0) gc_stress(g);
  for (;;) {
    if (domain_has_interrupts(d)) g->deferred |= gc_serve(g);
    if ((size_t)(w->young_ptr - w->young_start) < whsize)
      gc_minor_and_slice(g, 0);
    else if (unlikely(g->slice_at != NULL && w->young_ptr - whsize < g->slice_at))
      gc_slice(g, 0);
    else
      break;
  }
}

/* What could not be served there stays pending: the interrupt is set again for the next safepoint that can. */
static void request_deferred(struct gc_domain *g)
{
  if (g->deferred == 0) return;
  domain_request(&g->dom, g->deferred);
  g->deferred = 0;
}

void gc_nursery_reserve(struct domain *d, size_t whsize)
{
  make_room(gc_domain(d), whsize);
  request_deferred(gc_domain(d));
}

void gc_nursery_alloc(struct domain *d, size_t whsize)
{
  struct gc_domain *g = gc_domain(d);
  make_room(g, whsize);
  nursery_cut(g, whsize);
  request_deferred(g);
}

/* ---- Major heap ---- */

static inline value tell_allocated(struct gc_domain *g, value v)
{
  const struct gc_observer *o = gc_observer();
  if (unlikely(o != NULL) && v != 0) o->major_allocated(&g->dom, v);
  return v;
}

static inline void count_direct(struct gc_domain *g, size_t words)
{
  g->counters.major_words += words;
  g->direct_words += words;
  if (likely(g->direct_words <= DIRECT_WORDS_TOLD)) return;
  pacing_allocated(g);
  domain_request(&g->dom, DOMAIN_WANT_SLICE);
  limit_watch(g);
}

static value alloc_major_kind(struct gc_domain *g, mlsize_t wosize, tag_t tag, unsigned kind)
{
  value v = heap_alloc(&g->alloc, kind, wosize, tag);
  if (likely(v != 0)) count_direct(g, wosize + 1);
  return v;
}

struct allocator *gc_bulk(struct domain *d) { return gc_observer() == NULL ? &gc_domain(d)->alloc : NULL; }
void gc_bulk_allocated(struct domain *d, size_t words) { count_direct(gc_domain(d), words); }

static unsigned kind_of_tag(tag_t tag, bool finaliser)
{
  if (tag < No_scan_tag) return tag == Cont_tag ? KIND_CONT : KIND_SCAN;
  return tag == Custom_tag && finaliser ? KIND_FINAL : KIND_NOSCAN;
}

value gc_alloc_major(struct domain *d, mlsize_t wosize, tag_t tag)
{
  if (wosize > Max_wosize) return 0;
  struct gc_domain *g = gc_domain(d);
  return tell_allocated(g, alloc_major_kind(g, wosize, tag, kind_of_tag(tag, true)));
}

/* C code that makes one large block after the other reaches no other safepoint. What cannot be served here stays pending. */
static void serve_before_large(struct gc_domain *g)
{
  if (!domain_has_interrupts(&g->dom)) return;
  uint32_t left = gc_serve(g);
  if (left != 0) domain_request(&g->dom, left);
}

/* Where there should be room and is none, the system has refused memory, or what is free lies scattered. */
value gc_alloc_major_or_collect(struct domain *d, mlsize_t wosize, tag_t tag, unsigned kind)
{
  serve_before_large(gc_domain(d));
  if (!gc_make_room(d, wosize)) return 0;
  value v = alloc_major_kind(gc_domain(d), wosize, tag, kind);
  if (unlikely(v == 0)) {
    gc_compact_for(d, (uint32_t)div_up(wosize + 1, BLOCK_WORDS));
    v = alloc_major_kind(gc_domain(d), wosize, tag, kind);
  }
  return tell_allocated(gc_domain(d), v);
}

value gc_alloc(struct domain *d, mlsize_t wosize, tag_t tag)
{
  value v;
  DCHECK(wosize > 0);
  if (wosize <= Max_young_wosize) {
    gc_nursery_alloc(d, wosize + 1);
    v = Val_hp(d->window->young_ptr);
    *Hp_val(v) = Make_header(wosize, tag, 0);
  } else {
    v = gc_alloc_major_or_collect(d, wosize, tag, kind_of_tag(tag, true));
    if (v == 0) return 0;
  }
  if (tag < No_scan_tag)
    for (mlsize_t i = 0; i < wosize; i++) Field(v, i) = Val_unit;
  return v;
}

/* ---- Off-heap memory ---- */

static double share_of(double part, double whole) { return whole <= 0 ? 1 : part / whole; }

/* A heap with little in it counts as 4 MB: so much are the first pools of all size classes. */
enum { CUSTOM_HEAP_LEAST_WORDS = 512 * 1024 };

/* Bytes outside the heap that may be garbage at once: custom_major_ratio percent of what lives in the heap. */
static double custom_major_bytes(void)
{
  double heap = (double)max_size(load_relaxed(&bac_gc.pacing.live), CUSTOM_HEAP_LEAST_WORDS) * sizeof(value);
  return heap * (double)bac_gc.params.custom_major_ratio / 100;
}

static double custom_minor_bytes(const struct domain *d)
{
  double nursery = (double)((char *)d->window->young_end - (char *)d->window->young_start);
  return nursery * (double)bac_gc.params.custom_minor_ratio / 100;
}

static void custom_count_minor(struct gc_domain *g, double share)
{
  g->custom_minor += share;
  if (g->custom_minor > 1) domain_request(&g->dom, DOMAIN_WANT_MINOR);
}

static value alloc_custom_major(struct domain *d, mlsize_t wosize, bool finaliser, double share)
{
  value v = gc_alloc_major_or_collect(d, wosize, Custom_tag, kind_of_tag(Custom_tag, finaliser));
  if (v == 0) return 0;
  pacing_custom(gc_domain(d), share);
  if (share > 0) domain_request(d, DOMAIN_WANT_SLICE);
  return v;
}

static value alloc_custom_young(struct domain *d, mlsize_t wosize)
{
  gc_nursery_alloc(d, wosize + 1);
  value v = Val_hp(d->window->young_ptr);
  *Hp_val(v) = Make_header(wosize, Custom_tag, 0);
  return v;
}

void young_list_renew(struct gc_domain *g) { g->dom.young_list = add_relaxed(&bac_gc.young_lists, 1) + 1; }

/* Notes of places in the list do not survive its growing. */
static struct young_special *special_push(struct gc_domain *g, value v, double share)
{
  if (unlikely(g->rem.special.len == g->rem.special.cap)) young_list_renew(g);
  struct young_special *s = vec_push(&g->rem.special);
  *s = (struct young_special){v, share};
  return s;
}

value gc_alloc_custom(struct domain *d, mlsize_t wosize, bool finaliser, mlsize_t mem, mlsize_t max)
{
  bool bytes = max == 0 && mem != 0;
  double major = mem == 0 ? 0 : share_of((double)mem, bytes ? custom_major_bytes() : (double)max);
  bool young = wosize <= Max_young_wosize && !(bytes && mem > bac_gc.params.custom_minor_max_bytes);
  value v = young ? alloc_custom_young(d, wosize) : alloc_custom_major(d, wosize, finaliser, major);
  if (unlikely(gc_observer() != NULL) && v != 0 && bytes) gc_observer()->custom_allocated(d, v, mem);
  if (young && (finaliser || mem != 0)) {
    struct gc_domain *g = gc_domain(d);
    special_push(g, v, major);
    if (mem != 0) custom_count_minor(g, share_of((double)mem, bytes ? custom_minor_bytes(d) : (double)max));
  }
  return v;
}

void gc_note_first(struct domain *d, value cont, struct gc_note *note)
{
  struct young_special *s = special_push(gc_domain(d), cont, 0);
  *note = (struct gc_note){d->young_list, &s->v};
}

void gc_adjust_speed(struct domain *d, mlsize_t mem, mlsize_t max)
{
  pacing_custom(gc_domain(d), share_of((double)mem, (double)max));
  domain_request(d, DOMAIN_WANT_SLICE);
}

void gc_dependent_memory(struct domain *d, intnat bytes)
{
  if (bytes <= 0) return;
  pacing_custom(gc_domain(d), share_of((double)bytes, custom_major_bytes()));
  domain_request(d, DOMAIN_WANT_SLICE);
}
