/* SPDX-License-Identifier: MIT */
/* Statistics near the limits of their types. That they are exact and only grow: gc_keep_test.c, tests/gc. */
#include "gc_tests.h"

/* A counter that is to stand for years of work, or decades. */
static void preset(struct domain *d, uint64_t minor, uint64_t promoted, uint64_t major)
{
  gc_domain(d)->counters = (struct domain_counters){minor, promoted, major};
}

TEST(counters_near_the_limit_do_not_wrap)
{
  struct domain *d = sole();
  static const uint64_t limits[] = {(uint64_t)1 << 53, (uint64_t)1 << 62, (uint64_t)1 << 63};
  for (unsigned i = 0; i < countof(limits); i++) {
    gc_minor(d);
    struct domain_counters before = gc_domain(d)->counters;
    uint64_t others = quick_stat_now(d).minor_words - before.minor_words, minor, promoted, major;
    preset(d, limits[i] - 2, limits[i] - 4, limits[i] - 3);
    *root(0) = mock_alloc(d, 4, 0);
    struct gc_stats s = quick_stat_now(d);
    EXPECT_EQ(s.minor_words, limits[i] + 3 + others);
    expect_identities(&s);
    gc_minor(d);
    gc_counters(d, &minor, &promoted, &major);
    EXPECT_EQ(minor, limits[i] + 3);
    EXPECT_EQ(promoted, limits[i] + 1);
    EXPECT_EQ(major, limits[i] + 2);
    struct gc_stats after = quick_stat_now(d);
    expect_monotone(&s, &after);
    expect_identities(&after);
    preset(d, before.minor_words + 5, before.promoted_words + 5, before.major_words + 5);
  }
  uint64_t *const counts[] = {&bac_gc.minor_collections, &bac_gc.major_collections, &bac_gc.forced_major, &bac_gc.compactions};
  for (unsigned i = 0; i < countof(counts); i++) {
    uint64_t before = *counts[i], much = ((uint64_t)1 << 62) - 1;
    *counts[i] += much;
    gc_compact(d);
    struct gc_stats s = quick_stat_now(d);
    const uint64_t told[] = {s.minor_collections, s.major_collections, s.forced_major_collections, s.compactions};
    EXPECT(*counts[i] > much);
    EXPECT_EQ(told[i], *counts[i]);
    *counts[i] -= much;
    EXPECT(*counts[i] > before);
  }
}

UNIT_MAIN()
