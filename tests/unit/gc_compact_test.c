/* SPDX-License-Identifier: MIT */
/* Tests of compaction by several participants. Random graphs that are compacted are for tests/model. */
#include "gc_tests.h"

#include "domain/stw.h"

static void thread_polls(struct domain *d, void *stop)
{
  while (!load_relaxed((uint32_t *)stop)) mock_poll(d);
}

static void count_leader(struct domain *d, void *arg)
{
  (void)d;
  stats_sum_counts(arg);
}

static uint64_t wasted_words(struct domain *d)
{
  struct heap_counts counts;
  while (!stw_run(d, count_leader, &counts)) continue;
  return compact_wasted_words(&counts);
}

/* Objects of few sizes, of which three or more are in a pool; some of them die. */
static void make_holes(struct domain *d)
{
  static const mlsize_t wosizes[] = {2700, 1300, 700, 200};
  enum { N = 60 };
  for (unsigned s = 0; s < countof(wosizes); s++) {
    *root((int)s) = mock_alloc(d, N, 0);
    for (mlsize_t i = 0; i < N; i++) {
      value v = mock_alloc(d, wosizes[s], 0);
      Field(v, 0) = Val_long(i);
      put(d, *root((int)s), i, v);
    }
    for (mlsize_t i = 0; i < N; i++)
      if (rng_below(&unit_rng, 3) == 0) put(d, *root((int)s), i, Val_unit);
  }
}

static void expect_holes_are_sound(void)
{
  for (int s = 0; s < 4; s++)
    for (mlsize_t i = 0; i < Wosize_val(*root(s)); i++) {
      value v = Field(*root(s), i);
      EXPECT(v == Val_unit || Field(v, 0) == Val_long(i));
    }
}

/* However many take part, no more pools are left than the objects need (COMPACT-2). */
TEST(participants_leave_no_pool_too_many)
{
  struct domain *d = sole();
  enum { HELPERS = 3 };
  struct mock_thread t[HELPERS];
  unsigned cores = bac_domains.stw->cores;
  uint32_t stop = 0;
  bac_domains.stw->cores = HELPERS + 1;
  for (int i = 0; i < HELPERS; i++) REQUIRE(mock_spawn(d, &t[i], thread_polls, &stop));
  for (int round = 0; round < (UNIT_SANITIZED ? 20 : 100); round++) {
    make_holes(d);
    gc_compact(d);
    EXPECT_EQ(wasted_words(d), 0);
    expect_holes_are_sound();
  }
  store_relaxed(&stop, 1);
  for (int i = 0; i < HELPERS; i++) mock_join(d, &t[i]);
  bac_domains.stw->cores = cores;
  expect_empty(d);
}

UNIT_MAIN()
