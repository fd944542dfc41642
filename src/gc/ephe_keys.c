/* SPDX-License-Identifier: MIT */
/* A table of awaited keys: which ephemerons are to be looked at again when a certain object turns out
 * to be alive. Marking has one (ephe_mark.c), and each minor collection (ephe.c).
 *
 * It is a linear hash: each insertion that needs room adds one bucket, which gets its share of the one
 * that stood in for it. So no insertion is long, and none moves more than a few waits.
 *
 * State: the caller's, with its lock. */
#include "gc/state.h"

static size_t keys_bucket(const struct ephe_keys *t, value key)
{
  size_t mask = ((size_t)1 << log2_ceil(t->buckets.len)) - 1;
  size_t i = ((uintnat)key >> 3) * 0x9e3779b97f4a7c15u >> 20 & mask;
  return i < t->buckets.len ? i : i & mask >> 1;
}

static void keys_link(struct ephe_keys *t, size_t wait)
{
  size_t *bucket = &t->buckets.at[keys_bucket(t, t->waits.at[wait - 1].key)];
  t->waits.at[wait - 1].next = *bucket;
  *bucket = wait;
}

static void keys_grow(struct ephe_keys *t)
{
  size_t fresh = t->buckets.len;
  *vec_push(&t->buckets) = 0;
  if (fresh == 0) return;
  size_t mask = ((size_t)1 << log2_ceil(t->buckets.len)) - 1, *parent = &t->buckets.at[fresh & mask >> 1];
  size_t wait = *parent;
  for (*parent = 0; wait != 0;) {
    size_t next = t->waits.at[wait - 1].next;
    keys_link(t, wait);
    wait = next;
  }
}

void keys_add(struct ephe_keys *t, value key, value ephe, mlsize_t index)
{
  if (t->waiting++ == t->buckets.len) keys_grow(t);
  size_t wait = t->free_wait;
  if (wait == 0) {
    vec_push(&t->waits);
    wait = t->waits.len;
  } else {
    t->free_wait = t->waits.at[wait - 1].next;
  }
  t->waits.at[wait - 1] = (struct ephe_wait){key, ephe, index, 0};
  keys_link(t, wait);
}

bool keys_take(struct ephe_keys *t, value key, size_t *most, struct ephe_woken *woken)
{
  if (t->waiting == 0) return true;
  for (size_t *link = &t->buckets.at[keys_bucket(t, key)], wait; (wait = *link) != 0;) {
    struct ephe_wait *w = &t->waits.at[wait - 1];
    if (w->key != key) {
      link = &w->next;
      continue;
    }
    if (*most == 0) return false;
    (*most)--;
    *vec_push(woken) = *w;
    *link = w->next;
    w->next = t->free_wait;
    t->free_wait = wait;
    t->waiting--;
  }
  return true;
}

void keys_prefetch(const struct ephe_keys *t, value key)
{
  if (t->waiting != 0) __builtin_prefetch(&t->buckets.at[keys_bucket(t, key)]);
}

void keys_free(struct ephe_keys *t)
{
  vec_free(&t->waits);
  vec_free(&t->buckets);
  t->free_wait = t->waiting = 0;
}
