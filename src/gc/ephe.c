/* SPDX-License-Identifier: MIT */
/* Ephemerons and weak arrays.
 *
 * An ephemeron holds keys weakly, and its data for as long as the ephemeron
 * and all its keys are alive. A weak array is an ephemeron whose data is unused. They live in
 * pools of their own kind (KIND_EPHE), always in the major heap, and marking
 * does not scan them: it notes each one that it reaches.
 *
 * At the end of marking the noted ones are looked at until nothing changes: where all keys are
 * marked the data is marked. Then dead keys are taken out, and with a dead key
 * the data. A minor collection does the same for the entries that were given a
 * young block since the last one: they stand in rem.ephes.
 *
 * Atomicity: keys and data are words that other domains may read at any time; a
 * reader during marking shades what it reads (gc_keep).
 *
 * Semantics: stdlib/ephemeron.mli, weak.mli. Design page: docs/design/ephemerons.md. */
#include "gc/state.h"

/* A static block, outside the heap; coloured as unmarkable. */
static struct { header_t header; value field; } ephe_none_block = {
    ((header_t)1 << HEADER_WOSIZE_SHIFT) | COLOUR_FREE | Abstract_tag, Val_unit};
value bac_ephe_none;

void ephe_init(void) { bac_ephe_none = (value)&ephe_none_block.field; }

/* ---- The operations ---- */

/* Entries after which a minor collection is due, even if nothing was allocated. */
enum { EPHE_REFS_MOST = 64 * 1024 };

static void ephe_note_young(struct gc_domain *g, value ephe, mlsize_t index, value v)
{
  if (!is_young_block(v)) return;
  *vec_push(&g->rem.ephes) = (struct ephe_ref){ephe, index};
  if (g->rem.ephes.len % EPHE_REFS_MOST == 0) domain_request(&g->dom, DOMAIN_WANT_MINOR);
}

static void ephe_store(struct gc_domain *g, value ephe, mlsize_t index, value v)
{
  ephe_note_young(g, ephe, index, v);
  store_release(&Field(ephe, index), v);
}

value gc_ephe_create(struct domain *d, mlsize_t keys)
{
  struct gc_domain *g = gc_domain(d);
  mlsize_t wosize = keys + EPHE_FIRST_KEY;
  value ephe = gc_alloc_major_kind(g, wosize, Abstract_tag, KIND_EPHE);
  if (ephe == 0) return 0;
  Field(ephe, EPHE_LINK) = Val_unit;
  for (mlsize_t i = EPHE_DATA; i < wosize; i++) Field(ephe, i) = bac_ephe_none;
  return ephe;
}

value gc_ephe_get(struct domain *d, value ephe, mlsize_t index)
{
  value v = load_acquire(&Field(ephe, index));
  if (v != bac_ephe_none) gc_keep(d, v);
  return v;
}

bool gc_ephe_check(struct domain *d, value ephe, mlsize_t index)
{
  (void)d;
  return load_acquire(&Field(ephe, index)) != bac_ephe_none;
}

void gc_ephe_set(struct domain *d, value ephe, mlsize_t index, value v)
{
  ephe_store(gc_domain(d), ephe, index, v);
}

void gc_ephe_unset(struct domain *d, value ephe, mlsize_t index)
{
  (void)d;
  store_release(&Field(ephe, index), bac_ephe_none);
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

static bool ephe_keys_survive(value ephe)
{
  mlsize_t size = Wosize_val(ephe);
  for (mlsize_t i = EPHE_FIRST_KEY; i < size; i++)
    if (!ephe_key_survives(&Field(ephe, i))) return false;
  return true;
}

/* Promotes the young data of ephemerons whose keys survive; true if there was any. */
static bool ephe_minor_pass(struct minor_worker *w)
{
  bool progress = false;
  for_each_gc_domain(g) {
    for (size_t i = 0; i < g->rem.ephes.len; i++) {
      struct ephe_ref r = g->rem.ephes.at[i];
      value *data = &Field(r.ephe, EPHE_DATA);
      if (r.index != EPHE_DATA || !is_young_block(*data) || !ephe_keys_survive(r.ephe)) continue;
      minor_promote_now(w, data);
      progress = true;
    }
  }
  return progress;
}

void ephe_minor_stw(struct minor_worker *w)
{
  while (ephe_minor_pass(w)) continue;
  for_each_gc_domain(g) {
    for (size_t i = 0; i < g->rem.ephes.len; i++) {
      struct ephe_ref r = g->rem.ephes.at[i];
      if (ephe_key_survives(&Field(r.ephe, r.index))) continue;
      Field(r.ephe, r.index) = bac_ephe_none;
      Field(r.ephe, EPHE_DATA) = bac_ephe_none;
    }
  }
}

/* ---- Marking ---- */

/* A forced lazy value that is a key counts as what it stands for. */
static value ephe_key_shortcut(value *key)
{
  value v = *key;
  while (Is_block(v) && heap_contains(v) && Tag_val(v) == Forward_tag) {
    value f = Forward_val(v);
    if (Is_long(f)) break;
    tag_t tag = Tag_val(f);
    if (tag == Forward_tag || tag == Lazy_tag || tag == Forcing_tag || tag == Double_tag) break;
    *key = v = f;
  }
  return v;
}

static bool ephe_keys_marked(value ephe)
{
  mlsize_t size = Wosize_val(ephe);
  for (mlsize_t i = EPHE_FIRST_KEY; i < size; i++)
    if (!mark_is_marked(ephe_key_shortcut(&Field(ephe, i)))) return false;
  return true;
}

void ephe_mark_stw(struct gc_domain *leader)
{
  for (bool progress = true; progress;) {
    progress = false;
    for_each_gc_domain(g) {
      for (size_t i = 0; i < g->marker.ephemerons.len; i++) {
        value ephe = g->marker.ephemerons.at[i];
        value data = Field(ephe, EPHE_DATA);
        if (mark_is_marked(data) || !ephe_keys_marked(ephe)) continue;
        mark_value(&leader->marker, data);
        progress = true;
      }
    }
    if (progress) mark_drain_stw(leader);
  }
}

static void ephe_clean(value ephe)
{
  mlsize_t size = Wosize_val(ephe);
  bool dead_key = false;
  for (mlsize_t i = EPHE_FIRST_KEY; i < size; i++) {
    if (mark_is_marked(ephe_key_shortcut(&Field(ephe, i)))) continue;
    Field(ephe, i) = bac_ephe_none;
    dead_key = true;
  }
  if (dead_key) Field(ephe, EPHE_DATA) = bac_ephe_none;
}

void ephe_clean_stw(void)
{
  for_each_gc_domain(g) {
    for (size_t i = 0; i < g->marker.ephemerons.len; i++) ephe_clean(g->marker.ephemerons.at[i]);
    vec_clear(&g->marker.ephemerons);
  }
}
