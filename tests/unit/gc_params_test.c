/* SPDX-License-Identifier: MIT */
/* Tests of what steers the collector and what it says: parameters, also where they change under running
 * domains; statistics of ended domains; pacing. */
#include "gc_tests.h"

/* ---- Parameters ---- */

TEST(parameters_are_clamped)
{
  struct domain *d = sole();
  struct gc_params before, p, got;
  gc_params_get(d, &before);
  p = before;
  p.minor_words = 0;
  p.space_overhead = 0;
  p.window_size = 0;
  p.custom_major_ratio = p.custom_minor_ratio = p.custom_minor_max_bytes = 0;
  p.max_domains = 1;
  p.heap_limit = 1;
  gc_params_set(d, &p);
  gc_params_get(d, &got);
  EXPECT(got.minor_words > Max_young_wosize);
  EXPECT_EQ(got.space_overhead, 1);
  EXPECT_EQ(got.window_size, 1);
  EXPECT_EQ(got.custom_major_ratio, 1);
  EXPECT_EQ(got.custom_minor_ratio, 1);
  EXPECT_EQ(got.custom_minor_max_bytes, 0);
  EXPECT_EQ(got.max_domains, before.max_domains);   /* settled at start */
  EXPECT_EQ(got.heap_limit, before.heap_limit);
  *root(0) = mock_alloc(d, Max_young_wosize, 0);
  EXPECT(gc_is_young(*root(0)));
  gc_minor(d);
  p = before;
  p.window_size = 1000;
  p.space_overhead = SIZE_MAX;
  p.verify = 77;
  gc_params_set(d, &p);
  gc_params_get(d, &got);
  EXPECT_EQ(got.window_size, 50);
  EXPECT(got.space_overhead < SIZE_MAX);
  EXPECT_EQ(got.verify, 2);
  gc_params_set(d, &before);
  expect_empty(d);
}

/* ---- Several domains ---- */

struct churn { uint64_t seed; uint32_t stop; uint64_t words; long steps; };

/* A list in root 0 that is checked as it goes; counts the nursery words that it takes. */
static void thread_churn(struct domain *d, void *arg)
{
  struct churn *c = arg;
  struct rng rng = {c->seed};
  value *list = mock_state(d)->root;
  long length = 0;
  for (long n = 0; n < c->steps && !load_relaxed(&c->stop); n++) {
    value cell = mock_alloc(d, 2, 0);
    Field(cell, 0) = Val_long(length);
    Field(cell, 1) = length == 0 ? Val_unit : *list;
    c->words += 3;
    *list = cell;
    length++;
    if (rng_below(&rng, 1000) == 0) {
      for (value v = *list; Is_block(v); v = Field(v, 1)) EXPECT_EQ(Field(v, 0), Val_long(--length));
      length = 0;
    }
  }
}

TEST(nursery_is_resized_under_running_domains)
{
  struct domain *d = sole();
  enum { THREADS = 3 };
  struct gc_params before, p;
  struct mock_thread t[THREADS];
  struct churn c[THREADS];
  gc_params_get(d, &before);
  p = before;
  for (int i = 0; i < THREADS; i++) {
    c[i] = (struct churn){rng_next(&unit_rng), 0, 0, INT32_MAX};
    REQUIRE(mock_spawn(d, &t[i], thread_churn, &c[i]));
  }
  for (int i = 0; i < 20; i++) {
    p.minor_words = 300 + rng_below(&unit_rng, 60000);
    gc_params_set(d, &p);
    EXPECT((size_t)(d->window->young_end - d->window->young_start) >= p.minor_words);
    for (int n = 0; n < 1000; n++) mock_alloc(d, 20, 0);
  }
  for (int i = 0; i < THREADS; i++) store_relaxed(&c[i].stop, 1);
  for (int i = 0; i < THREADS; i++) mock_join(d, &t[i]);
  gc_params_set(d, &before);
  expect_empty(d);
}

TEST(ended_domains_stay_in_the_statistics)
{
  struct domain *d = sole();
  enum { THREADS = 2, ROUNDS = 15 };
  struct gc_stats last = quick_stat_now(d);
  uint64_t words = last.minor_words;
  for (int r = 0; r < ROUNDS; r++) {
    struct mock_thread t[THREADS];
    struct churn c[THREADS];
    for (int i = 0; i < THREADS; i++) {
      c[i] = (struct churn){rng_next(&unit_rng), 0, 0, 1 + rng_below(&unit_rng, 5000)};
      REQUIRE(mock_spawn(d, &t[i], thread_churn, &c[i]));
    }
    for (int i = 0; i < THREADS; i++) {
      mock_join(d, &t[i]);
      struct gc_stats now = quick_stat_now(d);
      expect_monotone(&last, &now);
      expect_identities(&now);
      last = now;
      words += c[i].words;
    }
    EXPECT_EQ(last.minor_words, words);
  }
  expect_empty(d);
}

/* ---- Pacing ---- */

/* A heap of bytes costs next to nothing to mark; its cycles must come all the same. */
TEST(heaps_of_strings_are_collected)
{
  struct domain *d = sole();
  uint64_t before = stat_now(d).major_collections;
  for (int n = 0; n < 200 * 1000; n++) *root(n % 16) = mock_alloc(d, 200, String_tag);
  struct gc_stats s = quick_stat_now(d);
  EXPECT(s.major_collections > before + 20);
  EXPECT(s.heap_words < 4 * 1000 * 1000);
}

/* TSan takes minutes for what the others do in a second, and with one domain has nothing to find. */
#if !UNDER_TSAN
/* The kind of what lives changes from strings to cells: the estimate of the work follows. */
TEST(marking_keeps_up_when_the_heap_changes_its_kind)
{
  struct domain *d = sole();
  *root(0) = mock_alloc(d, 200, 0);
  for (int n = 0; n < 200; n++) gc_write_field(d, &Field(*root(0), n), mock_alloc(d, 5000, String_tag));
  gc_full_major(d);
  *root(0) = Val_unit;
  for (int list = 0; list < 72; list++) {
    *root(1 + list % 8) = Val_unit;
    for (int n = 0; n < 20 * 1000; n++) {
      value cell = mock_alloc(d, 2, 0);
      gc_init_field(d, &Field(cell, 1), *root(1 + list % 8));
      *root(1 + list % 8) = cell;
    }
  }
  EXPECT(quick_stat_now(d).heap_words < 4 * 8 * 20 * 1000 * 3);
}

/* Stacks that hold each other in a long chain are marked without recursion. */
TEST(chains_of_continuations_are_marked)
{
  enum { CHAIN = 200 * 1000 };
  struct domain *d = sole();
  for (int n = 0; n < CHAIN; n++) {
    value cont = mock_alloc_continuation(d, 1);
    mock_stack(cont)->slot[0] = *root(0);
    *root(0) = cont;
  }
  gc_full_major(d);
  EXPECT_EQ(load_relaxed(&mock_stacks), CHAIN);
  expect_empty(d);
  EXPECT_EQ(load_relaxed(&mock_stacks), 0);
}
#endif

TEST(free_memory_goes_back_without_a_compaction)
{
  struct domain *d = sole();
  *root(0) = mock_alloc(d, 20 * 1000 * 1000, String_tag);
  EXPECT(stat_now(d).heap_words > 20 * 1000 * 1000);
  uint64_t compactions = quick_stat_now(d).compactions;
  *root(0) = Val_unit;
  EXPECT(stat_now(d).heap_words < 2 * 1000 * 1000);
  EXPECT_EQ(quick_stat_now(d).compactions, compactions);
}

/* A program that stores and never allocates reaches safepoints all the same. */
TEST(remembered_set_does_not_grow_for_ever)
{
  struct domain *d = sole();
  *root(0) = mock_alloc(d, 1, 0);
  gc_minor(d);
  uint64_t before = quick_stat_now(d).minor_collections;
  for (int n = 0; n < 1000 * 1000; n++) {
    if (n % 10000 == 0) *root(1) = mock_alloc(d, 1, 0);
    gc_write_field(d, &Field(*root(0), 0), *root(1));
    gc_write_field(d, &Field(*root(0), 0), Val_unit);
    mock_poll(d);
  }
  EXPECT(quick_stat_now(d).minor_collections > before);
  EXPECT(gc_domain(d)->rem.fields.len <= 128 * 1024);
}

UNIT_MAIN()
