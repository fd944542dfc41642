/* SPDX-License-Identifier: MIT */
/* Roots: the places outside the heap from which everything is reached.
 *
 * The client scans its own (stacks, local roots). Here are the global roots: C
 * variables that a stub registered for the life of the process. Plain ones may
 * be assigned at any time, so each collection looks at all of them; generational
 * ones change only through gc_root_modify_generational, so a minor collection looks
 * only at those that were given a young value since the last one.
 *
 * State: one table of slots sorted by insertion with a hash index would be
 * dearer than what programs do with roots; registering is rare, scanning is not,
 * so each set is an open-addressing hash table of slot addresses that is scanned in array
 * order. Guard: RANK_GLOBAL_ROOTS, or a stopped world. */
#include "gc/state.h"

#include "base/bits.h"

struct root_set {
  value **slot;      /* [lock:global roots, stw] NULL: never used; TOMBSTONE: removed */
  size_t cap;        /* power of two */
  size_t used;       /* with tombstones */
  size_t count;
};
#define TOMBSTONE ((value *)1)
enum { YOUNG_LEAST = 1024 };

static struct {
  struct lock lock;
  struct root_set plain, generational;
  VEC(value *) young;  /* generational slots that were given a young value; some may have been removed since */
  size_t young_most;   /* length of [young] at which those are taken out */
} roots = {.lock = LOCK_INIT(RANK_GLOBAL_ROOTS), .young_most = YOUNG_LEAST};

static size_t root_hash(value *slot, size_t cap)
{
  return ((uintnat)slot >> 3) * 0x9e3779b97f4a7c15u >> 20 & (cap - 1);
}

static void root_set_insert(struct root_set *s, value *slot)
{
  size_t i = root_hash(slot, s->cap);
  while (s->slot[i] != NULL) {
    if (s->slot[i] == slot) return;
    i = (i + 1) & (s->cap - 1);
  }
  s->slot[i] = slot;
  s->used++;
  s->count++;
}

static void root_set_grow(struct root_set *s)
{
  struct root_set old = *s;
  *s = (struct root_set){.cap = max_size(64, old.count * 4)};
  s->cap = (size_t)1 << log2_ceil(s->cap);
  s->slot = mem_calloc(s->cap, sizeof *s->slot);
  if (s->slot == NULL) bac_fatal("out of memory: no room for the table of global roots");
  for (size_t i = 0; i < old.cap; i++)
    if (old.slot[i] != NULL && old.slot[i] != TOMBSTONE) root_set_insert(s, old.slot[i]);
  mem_free(old.slot);
}

static void root_set_add(struct root_set *s, value *slot)
{
  if ((s->used + 1) * 2 > s->cap) root_set_grow(s);
  root_set_insert(s, slot);
}

/* Where [slot] stands in the set, or NULL. */
static value **root_set_find(const struct root_set *s, value *slot)
{
  if (s->cap == 0) return NULL;
  for (size_t i = root_hash(slot, s->cap); s->slot[i] != NULL; i = (i + 1) & (s->cap - 1))
    if (s->slot[i] == slot) return &s->slot[i];
  return NULL;
}

static void root_set_remove(struct root_set *s, value *slot)
{
  value **at = root_set_find(s, slot);
  if (at == NULL) return;
  *at = TOMBSTONE;
  s->count--;
}

static void root_set_visit(struct root_set *s, struct root_visitor *v)
{
  for (size_t i = 0; i < s->cap; i++)
    if (s->slot[i] != NULL && s->slot[i] != TOMBSTONE) v->visit(v, s->slot[i], 1);
}

/* A removed root may stay in [young] until the next minor collection, which looks again whether it is one. Only a program that adds and
 * removes without end gets here; the length doubles in between. [lock:global roots] */
static void roots_trim_young(void)
{
  size_t kept = 0;
  for (size_t i = 0; i < roots.young.len; i++)
    if (root_set_find(&roots.generational, roots.young.at[i]) != NULL) roots.young.at[kept++] = roots.young.at[i];
  roots.young.len = kept;
  roots.young_most = 2 * kept + YOUNG_LEAST;
}

void gc_root_add(value *slot)
{
  lock_acquire(&roots.lock);
  root_set_add(&roots.plain, slot);
  lock_release(&roots.lock);
}

void gc_root_remove(value *slot)
{
  lock_acquire(&roots.lock);
  root_set_remove(&roots.plain, slot);
  lock_release(&roots.lock);
}

void gc_root_add_generational(value *slot)
{
  lock_acquire(&roots.lock);
  root_set_add(&roots.generational, slot);
  if (is_young_block(*slot)) *vec_push(&roots.young) = slot;
  lock_release(&roots.lock);
}

void gc_root_remove_generational(value *slot)
{
  lock_acquire(&roots.lock);
  root_set_remove(&roots.generational, slot);
  if (roots.young.len > roots.young_most) roots_trim_young();
  lock_release(&roots.lock);
}

void gc_root_modify_generational(value *slot, value v)
{
  lock_acquire(&roots.lock);
  if (is_young_block(v) && !is_young_block(*slot)) *vec_push(&roots.young) = slot;
  *slot = v;
  lock_release(&roots.lock);
}

static void roots_visit_young(struct root_visitor *v)
{
  for (size_t i = 0; i < roots.young.len; i++)
    if (root_set_find(&roots.generational, roots.young.at[i]) != NULL) v->visit(v, roots.young.at[i], 1);
}

void roots_scan_process(struct root_visitor *v)
{
  bac_gc.client.scan_process(v);
  /* The lock keeps out threads that are in a blocking section. */
  lock_acquire(&roots.lock);
  root_set_visit(&roots.plain, v);
  if (v->young_only)
    roots_visit_young(v);
  else
    root_set_visit(&roots.generational, v);
  lock_release(&roots.lock);
}

void roots_after_minor(void)
{
  lock_acquire(&roots.lock);
  vec_clear(&roots.young);
  lock_release(&roots.lock);
}

void roots_scan_domain(struct gc_domain *g, struct root_visitor *v)
{
  if (domain_is_helper(&g->dom)) return;
  bac_gc.client.scan_domain(&g->dom, v);
  if (gc_observer() != NULL) gc_observer()->scan(&g->dom, v);
}
