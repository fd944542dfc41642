/* SPDX-License-Identifier: MIT */
/* What the tests of src/gc through the mock mutator have in common. The collector is started once in
 * each program; each test begins with an empty heap, by sole(), and most end with expect_empty(). */
#ifndef BAC_TESTS_UNIT_GC_TESTS_H
#define BAC_TESTS_UNIT_GC_TESTS_H

#include "unit.h"

#include "gc/state.h"
#include "mock/mock.h"

enum { NURSERY_WORDS = 4096 };

static struct domain *started;

static inline value *root(int i) { return &mock_state(started)->root[i]; }

static inline void drain_finalisers(struct domain *d)
{
  value closure, arg;
  while (gc_finaliser_take(d, &closure, &arg)) gc_finaliser_done(d);
}

/* The only domain, and nothing alive. */
static inline struct domain *sole(void)
{
  if (started == NULL) {
    struct gc_params p = gc_params_default;
    p.minor_words = NURSERY_WORDS;
    p.verify = 2;
    started = mock_start(&p);
  }
  for (int i = 0; i < MOCK_ROOTS; i++) *root(i) = Val_unit;
  gc_full_major(started);
  drain_finalisers(started);
  gc_full_major(started);
  return started;
}

static inline struct gc_stats stat_now(struct domain *d)
{
  struct gc_stats s;
  gc_stat(d, &s);
  return s;
}

static inline struct gc_stats quick_stat_now(struct domain *d)
{
  struct gc_stats s;
  gc_quick_stat(d, &s);
  return s;
}

static inline void expect_identities(const struct gc_stats *s)
{
  EXPECT_EQ(s->live_words + s->free_words + s->fragments, s->heap_words);
  EXPECT(s->top_heap_words >= s->heap_words);
  EXPECT(s->live_blocks <= s->live_words);
  EXPECT(s->major_words >= s->promoted_words);
}

static inline void expect_monotone(const struct gc_stats *a, const struct gc_stats *b)
{
  EXPECT(a->minor_words <= b->minor_words);
  EXPECT(a->promoted_words <= b->promoted_words);
  EXPECT(a->major_words <= b->major_words);
  EXPECT(a->minor_collections <= b->minor_collections);
  EXPECT(a->major_collections <= b->major_collections);
  EXPECT(a->forced_major_collections <= b->forced_major_collections);
  EXPECT(a->compactions <= b->compactions);
  EXPECT(a->top_heap_words <= b->top_heap_words);
}

static inline void expect_empty(struct domain *d)
{
  struct gc_stats scanned, counted, s;
  sole();
  gc_scan_heap(d, &scanned, &counted);
  EXPECT_EQ(scanned.live_words, 0);
  EXPECT_EQ(counted.live_words, 0);
  s = quick_stat_now(d);
  expect_identities(&s);
}

static inline void put(struct domain *d, value block, mlsize_t i, value v) { gc_write_field(d, &Field(block, i), v); }

/* A block in the major heap with all its fields set, no root. */
static inline value old_block(struct domain *d, mlsize_t wosize)
{
  value v = gc_alloc_major(d, wosize, 0);
  if (v == 0) bac_fatal("no memory for a test");
  for (mlsize_t i = 0; i < wosize; i++) gc_init_field(d, &Field(v, i), Val_unit);
  return v;
}

/* In the root [at]. */
static inline value new_ephe(struct domain *d, int at, mlsize_t keys)
{
  value e = gc_ephe_create(d, keys);
  if (e == 0) bac_fatal("no memory for an ephemeron");
  return *root(at) = e;
}

static inline void start_leader_(struct domain *d, void *arg)
{
  (void)arg;
  cycle_start_stw(gc_domain(d));
}

/* Marking has begun and has not ended. */
static inline void start_marking(struct domain *d)
{
  gc_full_major(d);
  while (!stw_run(d, start_leader_, NULL)) continue;
}

#endif
