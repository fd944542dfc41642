/* SPDX-License-Identifier: MIT */
/* Ephemerons and weak arrays.
 *
 * An ephemeron holds keys weakly, and its data for as long as the ephemeron
 * and all its keys are alive. A weak array is an ephemeron whose data is unused. They live in
 * pools of their own kind (KIND_EPHE), always in the major heap.
 *
 * Here are the operations of a program, and the minor collection, which decides about the
 * fields that were given a young block since the last one: they stand in rem.ephes.
 * Marking and cleaning: ephe_mark.c.
 *
 * Atomicity: keys and data are words that other domains may read at any time. A
 * reader during marking shades what it reads (gc_keep); while dead keys are being cleaned
 * a reader takes them for gone and a writer settles what it writes over.
 *
 * Semantics: stdlib/ephemeron.mli, weak.mli. Design page: docs/design/ephemerons.md. */
#include "gc/state.h"

/* A static block, outside the heap; coloured as unmarkable. */
static struct { header_t header; value field; } ephe_none_block = {
    ((header_t)1 << HEADER_WOSIZE_SHIFT) | COLOUR_FREE | Abstract_tag, Val_unit};
value bac_ephe_none;

void ephe_init(void) { bac_ephe_none = (value)&ephe_none_block.field; }

/* A forced lazy value that is a key counts as what it stands for. Somebody else may store a key meanwhile.
 * Where that is young the key stays what it is: the ephemeron is not remembered for it, and who has forced the lazy value
 * since the last minor collection holds it. */
value ephe_key_shortcut(value *key)
{
  value v = load_acquire(key);
  while (Is_block(v) && heap_contains(v) && Tag_val(v) == Forward_tag) {
    fence_acquire();
    value f = load_dependent(&Forward_val(v));
    if (Is_long(f) || is_young_block(f)) break;
    tag_t tag = Tag_val(f);
    if (tag == Forward_tag || tag == Lazy_tag || tag == Forcing_tag || tag == Double_tag) break;
    if (cas_acq_rel(key, &v, f)) v = f;
  }
  return v;
}

/* ---- The operations ---- */

static void ephe_note_young(struct gc_domain *g, value ephe, mlsize_t index, value v)
{
  if (!is_young_block(v)) return;
  *vec_push(&g->rem.ephes) = (struct ephe_ref){ephe, index};
  if (remembered_wants_minor(g, g->rem.ephes.len)) domain_request(&g->dom, DOMAIN_WANT_MINOR);
}

/* While cleaning, what is written over is settled first: a dead key takes the data with it, and
 * new data must not go with a key that is dead already. */
static void ephe_store_cleaning(value ephe, mlsize_t index, value v)
{
  lock_acquire(&bac_gc.ephe.clean_lock);
  if (index == EPHE_DATA)
    ephe_clean_keys(ephe, EPHE_FIRST_KEY, Wosize_val(ephe));
  else
    ephe_clean_keys(ephe, index, index + 1);
  store_release(&Field(ephe, index), v);
  lock_release(&bac_gc.ephe.clean_lock);
}

static void ephe_store(struct gc_domain *g, value ephe, mlsize_t index, value v)
{
  ephe_note_young(g, ephe, index, v);
  if (unlikely(gc_is_cleaning())) {
    ephe_store_cleaning(ephe, index, v);
    return;
  }
  value old = load_acquire(&Field(ephe, index));
  store_release(&Field(ephe, index), v);
  /* It may be waiting for the key that is no longer its own. */
  if (unlikely(bac_gc.ephe.by_key) && index != EPHE_DATA && !mark_is_marked(old) &&
      !mark_is_marked(load_acquire(&Field(ephe, EPHE_DATA))))
    ephe_note(&g->marker, ephe);
}

value gc_ephe_create(struct domain *d, mlsize_t keys)
{
  mlsize_t wosize = keys + EPHE_FIRST_KEY;
  value ephe = gc_alloc_major_or_collect(d, wosize, Abstract_tag, KIND_EPHE);
  if (ephe == 0) return 0;
  Field(ephe, EPHE_LINK) = Val_unit;
  for (mlsize_t i = EPHE_DATA; i < wosize; i++) Field(ephe, i) = bac_ephe_none;
  return ephe;
}

/* What a field holds, dead keys and their data being gone. */
static value ephe_read(value ephe, mlsize_t index)
{
  if (likely(!gc_is_cleaning())) return load_acquire(&Field(ephe, index));
  if (index != EPHE_DATA) {
    value key = ephe_key_shortcut(&Field(ephe, index));
    return mark_is_marked(key) ? key : bac_ephe_none;
  }
  mlsize_t size = Wosize_val(ephe);
  for (mlsize_t i = EPHE_FIRST_KEY; i < size; i++)
    if (!mark_is_marked(ephe_key_shortcut(&Field(ephe, i)))) return bac_ephe_none;
  return load_acquire(&Field(ephe, EPHE_DATA));
}

value gc_ephe_peek(struct domain *d, value ephe, mlsize_t index)
{
  (void)d;
  return ephe_read(ephe, index);
}

value gc_ephe_get(struct domain *d, value ephe, mlsize_t index)
{
  value v = ephe_read(ephe, index);
  if (v != bac_ephe_none) gc_keep(d, v);
  return v;
}

bool gc_ephe_check(struct domain *d, value ephe, mlsize_t index)
{
  (void)d;
  return ephe_read(ephe, index) != bac_ephe_none;
}

void gc_ephe_set(struct domain *d, value ephe, mlsize_t index, value v)
{
  ephe_store(gc_domain(d), ephe, index, v);
}

void gc_ephe_unset(struct domain *d, value ephe, mlsize_t index)
{
  ephe_store(gc_domain(d), ephe, index, bac_ephe_none);
}

void gc_ephe_blit_key(struct domain *d, value src, mlsize_t from, value dst, mlsize_t to, mlsize_t count)
{
  struct gc_domain *g = gc_domain(d);
  bool down = src == dst && from < to;
  for (mlsize_t n = 0; n < count; n++) {
    mlsize_t i = down ? count - 1 - n : n;
    value v = gc_ephe_get(d, src, from + i);
    ephe_store(g, dst, to + i, v);
  }
}

void gc_ephe_blit_data(struct domain *d, value src, value dst)
{
  ephe_store(gc_domain(d), dst, EPHE_DATA, gc_ephe_get(d, src, EPHE_DATA));
}

/* ---- Minor collection ---- */

/* Alive after the strong part of a minor collection. Moves the reference along where it can. */
static bool ephe_key_survives(value *key)
{
  value v = *key;
  if (!is_young_block(v)) return true;
  value copy = minor_forwarded(v);
  if (copy == 0 && Tag_val(v) == Forward_tag) copy = minor_redirected(v);
  if (copy == 0) return false;
  *key = copy;
  return true;
}

/* What is needed to decide about all data in one minor collection: as in marking (ephe_mark.c), an
 * ephemeron waits for the first of its keys that has not been promoted. */
struct ephe_minor {
  struct minor_worker *w;
  struct ephe_keys keys;
  struct ephe_woken woken;
};

/* Promotes the data of [ephe], if it is young, where its keys survive; those before index [from] do. */
static void ephe_minor_look(struct ephe_minor *e, value ephe, mlsize_t from)
{
  value *data = &Field(ephe, EPHE_DATA);
  if (!is_young_block(*data)) return;
  mlsize_t size = Wosize_val(ephe);
  for (mlsize_t i = from; i < size; i++) {
    if (ephe_key_survives(&Field(ephe, i))) continue;
    keys_add(&e->keys, minor_awaited(Field(ephe, i)), ephe, i);
    return;
  }
  struct gc_domain *g = minor_promote_now(e->w, data);
  size_t most = SIZE_MAX;
  for (size_t i = 0; i < g->moved.len; i++) keys_take(&e->keys, g->moved.at[i], &most, &e->woken);
  vec_clear(&g->moved);
}

static void ephe_minor_data(struct minor_worker *w)
{
  struct ephe_minor e = {.w = w};
  for_each_gc_domain(g) {
    for (size_t i = 0; i < g->rem.ephes.len; i++) {
      struct ephe_ref r = g->rem.ephes.at[i];
      if (r.index == EPHE_DATA) ephe_minor_look(&e, r.ephe, EPHE_FIRST_KEY);
      while (e.woken.len != 0) {
        struct ephe_wait again = vec_pop(&e.woken);
        ephe_minor_look(&e, again.ephe, again.index);
      }
    }
  }
  keys_free(&e.keys);
  vec_free(&e.woken);
}

void ephe_minor_stw(struct minor_worker *w)
{
  ephe_minor_data(w);
  for_each_gc_domain(g) {
    for (size_t i = 0; i < g->rem.ephes.len; i++) {
      struct ephe_ref r = g->rem.ephes.at[i];
      if (ephe_key_survives(&Field(r.ephe, r.index))) continue;
      Field(r.ephe, r.index) = bac_ephe_none;
      Field(r.ephe, EPHE_DATA) = bac_ephe_none;
    }
  }
}
