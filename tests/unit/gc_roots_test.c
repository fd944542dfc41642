/* SPDX-License-Identifier: MIT */
/* Tests of the collector's global roots, plain and generational. */
#include "gc_tests.h"

#include "os/os.h"

TEST(global_roots_keep_and_follow)
{
  struct domain *d = sole();
  enum { N = 200 };
  static value slot[N];
  for (int i = 0; i < N; i++) {
    slot[i] = Val_unit;
    gc_root_add(&slot[i]);
    gc_root_add(&slot[i]);  /* twice is once */
  }
  for (int i = 0; i < N; i++) {
    slot[i] = mock_alloc(d, 2, 0);
    Field(slot[i], 0) = Val_long(i);
  }
  gc_minor(d);
  gc_compact(d);
  EXPECT_EQ(stat_now(d).live_words, 3 * N);
  for (int i = 0; i < N; i++) EXPECT_EQ(Field(slot[i], 0), Val_long(i));
  for (int i = 0; i < N; i += 2) gc_root_remove(&slot[i]);
  EXPECT_EQ(stat_now(d).live_words, 3 * N / 2);
  for (int i = 1; i < N; i += 2) EXPECT_EQ(Field(slot[i], 0), Val_long(i));
  for (int i = 0; i < N; i++) gc_root_remove(&slot[i]);  /* those that are gone, too */
  expect_empty(d);
}

TEST(generational_roots_keep_and_follow)
{
  struct domain *d = sole();
  enum { N = 200 };
  static value slot[N];
  for (int i = 0; i < N; i++) {
    slot[i] = i % 2 ? mock_alloc(d, 2, 0) : Val_unit;
    if (i % 2) Field(slot[i], 0) = Val_long(i);
    gc_root_add_generational(&slot[i]);
  }
  for (int round = 0; round < 5; round++) {
    for (int i = round % 2; i < N; i += 2) {
      value v = mock_alloc(d, 2, 0);
      Field(v, 0) = Val_long(i);
      gc_root_modify_generational(&slot[i], v);
      if (i % 16 == 0) gc_root_modify_generational(&slot[i], v);
    }
    if (round == 2) gc_compact(d); else gc_minor(d);
    if (round == 3) start_marking(d);
    for (int i = 0; i < N; i++)
      if (slot[i] != Val_unit) EXPECT_EQ(Field(slot[i], 0), Val_long(i));
  }
  EXPECT_EQ(stat_now(d).live_words, 3 * N);
  for (int i = 0; i < N; i += 4) gc_root_modify_generational(&slot[i], Val_long(3));
  EXPECT_EQ(stat_now(d).live_words, 3 * N * 3 / 4);
  /* Removed while it holds a young value: the slot may be anything afterwards. */
  for (int i = 0; i < N; i++) {
    gc_root_modify_generational(&slot[i], mock_alloc(d, 1, 0));
    gc_root_remove_generational(&slot[i]);
    slot[i] = 0;
  }
  gc_minor(d);
  for (int i = 0; i < N; i++) EXPECT_EQ(slot[i], 0);
  expect_empty(d);
}

/* More of them than are remembered one by one, all young, most removed before any collection; in linear time, or this takes minutes. */
TEST(many_young_generational_roots)
{
  struct domain *d = sole();
  enum { N = 200 * 1000, KEPT = 1000 };
  value *slot = calloc(N, sizeof *slot);
  value v = mock_alloc(d, 1, 0);
  Field(v, 0) = Val_long(7);
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < N; i++) {
      slot[i] = v;
      gc_root_add_generational(&slot[i]);
    }
    for (int i = 0; i < N; i++) {
      if (round == 1 && i % (N / KEPT) == 0) continue;
      gc_root_remove_generational(&slot[i]);
      slot[i] = 0;
    }
  }
  gc_minor(d);
  for (int i = 0; i < N; i++) {
    bool kept = i % (N / KEPT) == 0;
    if (kept) EXPECT_EQ(Field(slot[i], 0), Val_long(7)); else EXPECT_EQ(slot[i], 0);
    if (kept) gc_root_remove_generational(&slot[i]);
  }
  free(slot);
  expect_empty(d);
}

/* Roots come and go in threads that are in a blocking section, or have no domain, also while a collection runs. */
static struct { uint32_t stop, done; } registrar;

static void register_and_remove(void *arg)
{
  static value slot[8];
  (void)arg;
  for (int i = 0; i < 8; i++) slot[i] = Val_unit;
  for (unsigned n = 0; n < 100 || !load_acquire(&registrar.stop); n++) {
    gc_root_add_generational(&slot[n % 8]);
    if (n >= 7) gc_root_remove_generational(&slot[(n + 1) % 8]);
  }
  for (int i = 0; i < 8; i++) gc_root_remove_generational(&slot[i]);
  store_release(&registrar.done, 1);
}

TEST(roots_come_and_go_beside_collections)
{
  struct domain *d = sole();
  enum { N = 20 };
  static value slot[N];
  for (int i = 0; i < N; i++) slot[i] = Val_unit;
  registrar.stop = registrar.done = 0;
  for (int i = 0; i < N; i++) gc_root_add_generational(&slot[i]);
  REQUIRE(os_thread_start(register_and_remove, NULL) == 0);
  for (int round = 0; round < 300; round++) {
    for (int i = 0; i < N; i++) {
      value v = mock_alloc(d, 1, 0);
      Field(v, 0) = Val_long(round + i);
      gc_root_modify_generational(&slot[i], v);
    }
    gc_minor(d);
    for (int i = 0; i < N; i++) EXPECT_EQ(Field(slot[i], 0), Val_long(round + i));
  }
  store_release(&registrar.stop, 1);
  while (!load_acquire(&registrar.done)) os_yield();
  for (int i = 0; i < N; i++) gc_root_remove_generational(&slot[i]);
  expect_empty(d);
}

UNIT_MAIN()
