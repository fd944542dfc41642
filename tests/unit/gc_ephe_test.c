/* SPDX-License-Identifier: MIT */
/* Tests of src/gc/ephe.c through the mock mutator: when keys and data die, and when they stay. */
#include "gc_tests.h"

TEST(weak_key_dies)
{
  struct domain *d = sole();
  for (int young = 0; young < 2; young++) {
    new_ephe(d, 0, 3);
    for (int i = 0; i < 3; i++) {
      *root(1) = mock_alloc(d, 5, 0);
      Field(*root(1), 0) = Val_long(i);
      gc_ephe_set(d, *root(0), EPHE_FIRST_KEY + i, *root(1));
      if (i == 1) *root(2) = *root(1);
    }
    *root(1) = Val_unit;
    if (young) gc_minor(d); else gc_full_major(d);
    EXPECT(!gc_ephe_check(d, *root(0), EPHE_FIRST_KEY));
    EXPECT(gc_ephe_check(d, *root(0), EPHE_FIRST_KEY + 1));
    EXPECT(!gc_ephe_check(d, *root(0), EPHE_FIRST_KEY + 2));
    EXPECT_EQ(gc_ephe_get(d, *root(0), EPHE_FIRST_KEY), bac_ephe_none);
    EXPECT_EQ(gc_ephe_get(d, *root(0), EPHE_FIRST_KEY + 1), *root(2));
    EXPECT_EQ(Field(*root(2), 0), Val_long(1));
    gc_ephe_unset(d, *root(0), EPHE_FIRST_KEY + 1);
    EXPECT(!gc_ephe_check(d, *root(0), EPHE_FIRST_KEY + 1));
  }
  expect_empty(d);
}

/* Key [key] in a root; data is a fresh block that holds [number]. */
static void ephe_bind(struct domain *d, int ephe, int key, long number)
{
  value data = mock_alloc(d, 2, 0);
  Field(data, 0) = Val_long(number);
  gc_ephe_set(d, *root(ephe), EPHE_DATA, data);
  gc_ephe_set(d, *root(ephe), EPHE_FIRST_KEY, *root(key));
}

TEST(ephemeron_data_lives_as_long_as_its_key)
{
  struct domain *d = sole();
  for (int old = 0; old < 2; old++) {
    new_ephe(d, 0, 1);
    *root(1) = mock_alloc(d, 1, 0);
    ephe_bind(d, 0, 1, 42);
    if (old) gc_minor(d);
    gc_full_major(d);
    gc_compact(d);
    EXPECT_EQ(gc_ephe_get(d, *root(0), EPHE_FIRST_KEY), *root(1));
    value data = gc_ephe_get(d, *root(0), EPHE_DATA);
    REQUIRE(data != bac_ephe_none);
    EXPECT_EQ(Field(data, 0), Val_long(42));
    *root(1) = Val_unit;
    gc_full_major(d);
    EXPECT(!gc_ephe_check(d, *root(0), EPHE_DATA));
    EXPECT(!gc_ephe_check(d, *root(0), EPHE_FIRST_KEY));
  }
  expect_empty(d);
}

/* Ephemeron i has block i as key and block i + 1 as data: the first block keeps all. */
static void chain_build(struct domain *d, int length)
{
  *root(0) = mock_alloc(d, length, 0);
  *root(1) = *root(2) = mock_alloc(d, 2, 0);
  for (int i = 0; i < length; i++) {
    put(d, *root(0), i, new_ephe(d, 3, 1));
    value next = mock_alloc(d, 2, 0);
    Field(next, 0) = Val_long(i + 1);
    gc_ephe_set(d, *root(3), EPHE_DATA, next);
    gc_ephe_set(d, *root(3), EPHE_FIRST_KEY, *root(2));
    *root(2) = next;
  }
  *root(2) = *root(3) = Val_unit;
}

static int chain_length(struct domain *d, int length)
{
  int n = 0;
  for (int i = 0; i < length; i++) n += gc_ephe_check(d, Field(*root(0), i), EPHE_DATA);
  return n;
}

TEST(ephemeron_chains)
{
  struct domain *d = sole();
  enum { LENGTH = 50 };
  for (int how = 0; how < 3; how++) {
    chain_build(d, LENGTH);
    if (how == 1) gc_minor(d);
    if (how != 0) gc_full_major(d);
    EXPECT_EQ(chain_length(d, LENGTH), LENGTH);
    *root(1) = Val_unit;
    if (how == 0) gc_minor(d);
    gc_full_major(d);
    EXPECT_EQ(chain_length(d, LENGTH), 0);
  }
  expect_empty(d);
}

TEST(ephemeron_data_that_holds_its_key_dies)
{
  struct domain *d = sole();
  for (int old = 0; old < 2; old++) {
    new_ephe(d, 0, 1);
    *root(1) = mock_alloc(d, 1, 0);
    ephe_bind(d, 0, 1, 1);
    put(d, gc_ephe_get(d, *root(0), EPHE_DATA), 1, *root(1));
    if (old) gc_minor(d);
    *root(1) = Val_unit;
    if (old) gc_full_major(d); else gc_minor(d);
    EXPECT(!gc_ephe_check(d, *root(0), EPHE_DATA));
    EXPECT(!gc_ephe_check(d, *root(0), EPHE_FIRST_KEY));
  }
  expect_empty(d);
}

/* A key that dies young costs no promotion of its data. */
TEST(ephemeron_of_a_short_lived_key_promotes_nothing)
{
  struct domain *d = sole();
  new_ephe(d, 0, 2);
  gc_minor(d);
  uint64_t before = quick_stat_now(d).promoted_words;
  *root(1) = mock_alloc(d, 1, 0);
  *root(2) = mock_alloc(d, 3, 0);
  ephe_bind(d, 0, 1, 1);
  gc_ephe_set(d, *root(0), EPHE_FIRST_KEY + 1, *root(2));
  *root(1) = Val_unit;
  gc_minor(d);
  EXPECT_EQ(quick_stat_now(d).promoted_words - before, 4);
  EXPECT(!gc_ephe_check(d, *root(0), EPHE_DATA));
  EXPECT(gc_ephe_check(d, *root(0), EPHE_FIRST_KEY + 1));
  expect_empty(d);
}

TEST(ephemeron_read_while_marking_stays)
{
  struct domain *d = sole();
  for (int round = 0; round < 5; round++) {
    new_ephe(d, 0, 1);
    *root(1) = mock_alloc(d, 1, 0);
    ephe_bind(d, 0, 1, 7);
    gc_full_major(d);
    *root(1) = Val_unit;
    start_marking(d);
    *root(2) = gc_ephe_get(d, *root(0), EPHE_DATA);
    if (*root(2) == bac_ephe_none) *root(2) = Val_unit;
    gc_major(d);
    gc_verify(d);
    if (*root(2) != Val_unit) EXPECT_EQ(Field(*root(2), 0), Val_long(7));
  }
  expect_empty(d);
}

TEST(ephemeron_blits)
{
  struct domain *d = sole();
  enum { KEYS = 8 };
  new_ephe(d, 0, KEYS);
  new_ephe(d, 1, KEYS);
  for (int i = 0; i < KEYS; i++) {
    *root(10 + i) = mock_alloc(d, 1, 0);
    gc_ephe_set(d, *root(0), EPHE_FIRST_KEY + i, *root(10 + i));
  }
  ephe_bind(d, 0, 10, 99);
  gc_ephe_blit_data(d, *root(0), *root(1));
  gc_ephe_blit_key(d, *root(0), EPHE_FIRST_KEY, *root(1), EPHE_FIRST_KEY + 2, KEYS - 2);
  gc_ephe_blit_key(d, *root(0), EPHE_FIRST_KEY, *root(0), EPHE_FIRST_KEY + 3, KEYS - 3);  /* overlaps, upwards */
  gc_ephe_blit_key(d, *root(0), EPHE_FIRST_KEY + 2, *root(0), EPHE_FIRST_KEY + 1, KEYS - 2);  /* and down */
  static const int wanted[2][KEYS] = {{0, 2, 0, 1, 2, 3, 4, 4}, {-1, -1, 0, 1, 2, 3, 4, 5}};
  for (int round = 0; round < 3; round++) {
    for (int e = 0; e < 2; e++)
      for (int i = 0; i < KEYS; i++) {
        value want = wanted[e][i] < 0 ? bac_ephe_none : *root(10 + wanted[e][i]);
        EXPECT_EQ(gc_ephe_get(d, *root(e), EPHE_FIRST_KEY + i), want);
      }
    EXPECT_EQ(Field(gc_ephe_get(d, *root(1), EPHE_DATA), 0), Val_long(99));
    if (round == 0) gc_minor(d); else gc_compact(d);
  }
  expect_empty(d);
}

/* A lazy value that was forced lately: it is old, and what it stands for is young. A key counts as that, but the
 * ephemeron may hold it only where the next minor collection finds it. */
TEST(forced_lazy_key_with_a_young_value)
{
  struct domain *d = sole();
  enum { OTHERS = 500 };
  static const enum gc_phase phases[] = {PHASE_MARK, PHASE_CLEAN};
  size_t stop_words = bac_gc.stop_words;
  for (size_t n = 0; n < countof(phases); n++) {
    *root(0) = mock_alloc(d, OTHERS, 0);
    *root(1) = mock_alloc(d, 1, Lazy_tag);
    for (int i = 0; i < OTHERS; i++) {
      put(d, *root(0), i, new_ephe(d, 2, 1));
      ephe_bind(d, 2, 1, i);
    }
    gc_full_major(d);
    bac_gc.stop_words = 50;
    start_marking(d);
    while (bac_gc.phase != phases[n] || (n == 0 && !bac_gc.ephe.by_key)) cycle_slice(gc_domain(d), 1);
    value young = mock_alloc(d, 1, 0);
    Field(young, 0) = Val_long(77);
    gc_write_field(d, &Field(*root(1), 0), young);
    ((unsigned char *)Hp_val(*root(1)))[0] = Forward_tag;
    for (int i = 0; i < OTHERS; i++) gc_ephe_get(d, Field(*root(0), i), EPHE_FIRST_KEY);
    for (int i = 0; i < 20 && bac_gc.phase == phases[n]; i++) cycle_slice(gc_domain(d), 100);
    gc_minor(d);
    gc_major(d);
    bac_gc.stop_words = stop_words;
    gc_full_major(d);
    for (int i = 0; i < OTHERS; i++) {
      value key = gc_ephe_get(d, Field(*root(0), i), EPHE_FIRST_KEY);
      REQUIRE(key != bac_ephe_none);
      EXPECT_EQ(Field(Tag_val(key) == Forward_tag ? Forward_val(key) : key, 0), Val_long(77));
      EXPECT_EQ(Field(gc_ephe_get(d, Field(*root(0), i), EPHE_DATA), 0), Val_long(i));
    }
  }
  expect_empty(d);
}

/* Near the heap's limit there is room for it if what is garbage is collected first. */
TEST(ephemeron_collects_to_find_room)
{
  struct domain *d = sole();
  enum { BLOCKS = 30 };
  struct heap_limit before = bac_gc.limit;
  int64_t most = bac_heap.max_blocks;
  bac_gc.limit = (struct heap_limit){.blocks = bac_heap.used_blocks + BLOCKS + 10, .reserve = 4};
  bac_gc.limit.at = bac_gc.limit.blocks;
  bac_heap.max_blocks = bac_gc.limit.most = bac_gc.limit.blocks + bac_gc.limit.reserve;
  old_block(d, BLOCKS * BLOCK_WORDS - 1);
  EXPECT(gc_ephe_create(d, BLOCKS * BLOCK_WORDS - 10) != 0);
  bac_gc.limit = before;
  bac_heap.max_blocks = most;
  expect_empty(d);
}

UNIT_MAIN()
