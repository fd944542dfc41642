/* SPDX-License-Identifier: MIT */
/* Tests of src/gc through the mock mutator: what is kept and what is not, to the word; large
 * objects, impossible sizes, slices, atomic stores, ranges of fields. Random graphs are for tests/model. */
#include "gc_tests.h"

/* ---- What is kept ---- */

static mlsize_t random_wosize(void)
{
  switch (rng_below(&unit_rng, 8)) {
  case 0: return 1 + rng_below(&unit_rng, 5000);
  case 1: return 4000 + rng_below(&unit_rng, 30000);
  default: return 1 + rng_below(&unit_rng, 300);
  }
}

TEST(retained_words_are_exact)
{
  enum { N = 400 };
  struct domain *d = sole();
  static const tag_t tags[] = {0, 7, 200, Object_tag, String_tag, Double_array_tag, Abstract_tag};
  uint64_t words = N + 1, blocks = 1 + N;
  *root(0) = mock_alloc(d, N, 0);
  for (int i = 0; i < N; i++) {
    mlsize_t wosize = random_wosize();
    value v = mock_alloc(d, wosize, tags[rng_below(&unit_rng, countof(tags))]);
    put(d, *root(0), i, v);
    mock_alloc(d, random_wosize(), 0);
    words += wosize + 1;
  }
  gc_full_major(d);
  struct gc_stats s = stat_now(d);
  EXPECT_EQ(s.live_words, words);
  EXPECT_EQ(s.live_blocks, blocks);
  expect_identities(&s);
  for (int i = 0; i < N; i += 2) {
    words -= Wosize_val(Field(*root(0), i)) + 1;
    put(d, *root(0), i, Val_unit);
  }
  gc_compact(d);
  s = stat_now(d);
  EXPECT_EQ(s.live_words, words);
  EXPECT_EQ(s.live_blocks, blocks - N / 2);
  expect_identities(&s);
  expect_empty(d);
}

TEST(minor_and_promoted_words_are_exact)
{
  struct domain *d = sole();
  gc_minor(d);
  struct gc_stats before = quick_stat_now(d), after;
  uint64_t kept = 0, all = 0;
  for (int i = 0; i < 20; i++) {
    mlsize_t wosize = 1 + rng_below(&unit_rng, 50);
    all += wosize + 1;
    value v = mock_alloc(d, wosize, 0);
    if (i % 3 != 0) continue;
    kept += wosize + 1;
    *root(i) = v;
  }
  after = quick_stat_now(d);
  EXPECT_EQ(after.minor_words - before.minor_words, all);
  EXPECT_EQ(after.minor_collections, before.minor_collections);
  gc_minor(d);
  after = quick_stat_now(d);
  EXPECT_EQ(after.minor_words - before.minor_words, all);
  EXPECT_EQ(after.promoted_words - before.promoted_words, kept);
  EXPECT_EQ(after.major_words - before.major_words, kept);
  EXPECT_EQ(after.minor_collections, before.minor_collections + 1);
  EXPECT_EQ(gc_minor_free(d), d->window->young_end - d->window->young_start);
}

TEST(counters_only_grow)
{
  struct domain *d = sole();
  struct gc_stats last = quick_stat_now(d);
  for (int n = 0; n < 3000; n++) {
    switch (rng_below(&unit_rng, 200)) {
    case 0: gc_full_major(d); break;
    case 1: gc_compact(d); break;
    case 2: gc_major(d); break;
    case 3: gc_minor(d); break;
    case 4: case 5: gc_major_slice(d, rng_below(&unit_rng, 5000)); break;
    default: *root(rng_below(&unit_rng, MOCK_ROOTS)) = mock_alloc(d, random_wosize(), rng_below(&unit_rng, 2) ? 0 : String_tag);
    }
    struct gc_stats now = quick_stat_now(d);
    expect_monotone(&last, &now);
    expect_identities(&now);
    last = now;
  }
  gc_verify(d);
  expect_empty(d);
}

TEST(large_objects_are_counted_and_freed)
{
  struct domain *d = sole();
  static const mlsize_t wosizes[] = {SLOT_WORDS_MAX - 1, SLOT_WORDS_MAX, BLOCK_WORDS - 2, BLOCK_WORDS - 1, BLOCK_WORDS,
                                     2 * BLOCK_WORDS - 1, 2 * BLOCK_WORDS, 1000000};
  for (unsigned i = 0; i < countof(wosizes); i++) {
    struct gc_stats before = stat_now(d), s;
    *root(0) = mock_alloc(d, wosizes[i], i % 2 ? String_tag : 0);
    s = stat_now(d);
    EXPECT_EQ(s.live_words - before.live_words, wosizes[i] + 1);
    EXPECT_EQ(s.live_blocks - before.live_blocks, 1);
    expect_identities(&s);
    *root(0) = Val_unit;
    s = stat_now(d);
    EXPECT_EQ(s.live_words, before.live_words);
    EXPECT_EQ(s.live_blocks, before.live_blocks);
    expect_identities(&s);
  }
  gc_compact(d);
  EXPECT_EQ(quick_stat_now(d).heap_words, 0);
}

TEST(impossible_sizes_answer_0)
{
  struct domain *d = sole();
  static const mlsize_t wosizes[] = {Max_wosize, Max_wosize + 1, Max_wosize - 1, (mlsize_t)1 << 50, (mlsize_t)1 << 45,
                                     (mlsize_t)NO_BLOCK * BLOCK_WORDS - 1, SIZE_MAX, SIZE_MAX / 8};
  *root(0) = mock_alloc(d, 1000, 0);
  struct gc_stats before = stat_now(d);
  for (unsigned i = 0; i < countof(wosizes); i++) {
    EXPECT_EQ(gc_alloc(d, wosizes[i], 0), 0);
    EXPECT_EQ(gc_alloc(d, wosizes[i], String_tag), 0);
    EXPECT_EQ(gc_alloc_major(d, wosizes[i], 0), 0);
    gc_verify(d);
  }
  struct gc_stats s = stat_now(d);
  EXPECT_EQ(s.live_words, before.live_words);
  expect_identities(&s);
  expect_empty(d);
}

TEST(slices_complete_cycles)
{
  struct domain *d = sole();
  for (int i = 0; i < 100; i++) *root(i) = mock_alloc(d, 1000, 0);
  for (int words = 100000; words >= 1000; words /= 10) {
    uint64_t from = quick_stat_now(d).major_collections;
    int slices = 0;
    while (quick_stat_now(d).major_collections < from + 3 && slices < 100000) {
      gc_major_slice(d, words);
      slices++;
    }
    EXPECT(slices < 100000);
  }
  expect_empty(d);
}

/* What is cut off while marking stays for that cycle, and goes in the next. */
TEST(atomic_stores_keep_the_snapshot)
{
  struct domain *d = sole();
  *root(0) = old_block(d, 2);
  for (int round = 0; round < 10; round++) {
    put(d, *root(0), 0, mock_alloc(d, 3, 0));
    start_marking(d);
    value cut = gc_exchange_field(d, &Field(*root(0), 0), Val_unit);
    *root(1) = cut;
    *root(2) = mock_alloc(d, 1, 0);
    EXPECT(gc_cas_field(d, &Field(*root(0), 1), Field(*root(0), 1), *root(2)));
    EXPECT(!gc_cas_field(d, &Field(*root(0), 1), Val_long(5), Val_unit));
    gc_verify(d);
    gc_minor(d);
    EXPECT_EQ(Field(*root(0), 1), *root(2));
    gc_major(d);
    gc_verify(d);
  }
  expect_empty(d);
}

/* ---- Ranges of fields ---- */

enum { RANGE = 40 };

static void expect_numbers(value block, mlsize_t first, mlsize_t count, long number)
{
  for (mlsize_t i = first; i < first + count; i++) EXPECT_EQ(Field(Field(block, i), 0), Val_long(number++));
}

/* Field i of the block in root [at] gets a new block that holds the number i. */
static void fill_numbers(struct domain *d, int at)
{
  for (int i = 0; i < RANGE; i++) {
    value v = mock_alloc(d, 1, 0);
    Field(v, 0) = Val_long(i);
    put(d, *root(at), (mlsize_t)i, v);
  }
}

/* Copies of blocks in root 0, whose fields are young: onto itself, to another old block, to a new one, to a young one. */
static void copy_ranges(struct domain *d, bool young)
{
  *root(0) = young ? mock_alloc(d, RANGE, 0) : old_block(d, RANGE);
  fill_numbers(d, 0);
  gc_copy_fields(d, &Field(*root(0), 1), &Field(*root(0), 0), RANGE - 1);
  expect_numbers(*root(0), 1, RANGE - 1, 0);
  gc_copy_fields(d, &Field(*root(0), 0), &Field(*root(0), 2), RANGE - 2);
  expect_numbers(*root(0), 0, RANGE - 2, 1);
  *root(1) = old_block(d, RANGE);
  gc_copy_fields(d, &Field(*root(1), 0), &Field(*root(0), 0), RANGE);
  *root(2) = gc_alloc_major(d, RANGE, 0);
  gc_init_fields(d, &Field(*root(2), 0), &Field(*root(0), 0), RANGE);
  *root(3) = mock_alloc(d, RANGE, 0);
  gc_init_fields(d, &Field(*root(3), 0), &Field(*root(0), 0), RANGE);
  *root(0) = Val_unit;
  gc_minor(d);
  for (int at = 1; at <= 3; at++) expect_numbers(*root(at), 0, RANGE - 2, 1);
}

static void thread_polls(struct domain *d, void *stop)
{
  while (!load_relaxed((uint32_t *)stop)) mock_poll(d);
}

TEST(ranges_of_fields_are_remembered)
{
  struct domain *d = sole();
  uint32_t stop = 0;
  struct mock_thread t;
  copy_ranges(d, false);
  copy_ranges(d, true);
  REQUIRE(mock_spawn(d, &t, thread_polls, &stop));
  copy_ranges(d, false);
  copy_ranges(d, true);
  store_relaxed(&stop, 1);
  mock_join(d, &t);
  expect_empty(d);
}

TEST(ranges_of_fields_keep_the_snapshot)
{
  struct domain *d = sole();
  *root(0) = old_block(d, RANGE);
  *root(1) = old_block(d, RANGE);
  for (int i = 0; i < RANGE; i++) {
    value v = old_block(d, 1);
    put(d, v, 0, Val_long(i));
    put(d, *root(0), (mlsize_t)i, v);
  }
  start_marking(d);
  value last = Field(*root(0), RANGE - 1);
  gc_copy_fields(d, &Field(*root(0), 0), &Field(*root(1), 0), RANGE);
  EXPECT(mark_is_marked(last));
  expect_empty(d);
}

UNIT_MAIN()
