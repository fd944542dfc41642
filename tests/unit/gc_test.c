/* SPDX-License-Identifier: MIT */
/* Tests of src/gc through the mock mutator: what is kept and what is not, to the word;
 * statistics, weak references, finalisers, custom blocks, continuations, global roots,
 * large objects, slices, parameters, domains. The collector is started once; each test begins with
 * an empty heap, by sole(). Random graphs are for tests/model. */
#include "unit.h"

#include "gc/state.h"
#include "mock/mock.h"

enum { NURSERY_WORDS = 4096 };

static struct domain *started;

static value *root(int i) { return &mock_state(started)->root[i]; }

static void drain_finalisers(struct domain *d)
{
  value closure, arg;
  while (gc_finaliser_take(d, &closure, &arg)) gc_finaliser_done(d);
}

/* The only domain, and nothing alive. */
static struct domain *sole(void)
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

static struct gc_stats stat_now(struct domain *d)
{
  struct gc_stats s;
  gc_stat(d, &s);
  return s;
}

static struct gc_stats quick_stat_now(struct domain *d)
{
  struct gc_stats s;
  gc_quick_stat(d, &s);
  return s;
}

static void expect_identities(const struct gc_stats *s)
{
  EXPECT_EQ(s->live_words + s->free_words + s->fragments, s->heap_words);
  EXPECT(s->top_heap_words >= s->heap_words);
  EXPECT(s->live_blocks <= s->live_words);
  EXPECT(s->major_words >= s->promoted_words);
}

static void expect_monotone(const struct gc_stats *a, const struct gc_stats *b)
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

static void expect_empty(struct domain *d)
{
  struct gc_stats scanned, counted, s;
  sole();
  gc_scan_heap(d, &scanned, &counted);
  EXPECT_EQ(scanned.live_words, 0);
  EXPECT_EQ(counted.live_words, 0);
  s = quick_stat_now(d);
  expect_identities(&s);
}

static void put(struct domain *d, value block, mlsize_t i, value v) { gc_write_field(d, &Field(block, i), v); }

/* A block in the major heap with all its fields set, no root. */
static value old_block(struct domain *d, mlsize_t wosize)
{
  value v = gc_alloc_major(d, wosize, 0);
  if (v == 0) bac_fatal("gc_test: no memory");
  for (mlsize_t i = 0; i < wosize; i++) gc_init_field(d, &Field(v, i), Val_unit);
  return v;
}

/* Until marking has begun (and has not ended). */
static void start_marking(struct domain *d)
{
  gc_full_major(d);
  while (bac_gc.phase != PHASE_MARK) gc_major_slice(d, 1000000);
}

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

/* ---- Ephemerons ---- */

static value new_ephe(struct domain *d, int at, mlsize_t keys)
{
  value e = gc_ephe_create(d, keys);
  if (e == 0) bac_fatal("gc_test: no memory for an ephemeron");
  return *root(at) = e;
}

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

/* ---- Finalisers ---- */

/* Takes what is ready, as far as there is room; answers how many. Closures are integers here. */
static int take_all(struct domain *d, long *numbers, int room)
{
  value closure, arg;
  int n = 0;
  while (n < room && gc_finaliser_take(d, &closure, &arg)) {
    numbers[n++] = Long_val(closure);
    EXPECT(arg == Val_unit || Field(arg, 0) == closure);
    gc_finaliser_done(d);
  }
  return n;
}

static void register_finaliser(struct domain *d, bool first, int at, long number)
{
  *root(at) = mock_alloc(d, 2, 0);
  Field(*root(at), 0) = Val_long(number);
  gc_finalise(d, first, Val_long(number), *root(at));
}

TEST(finalisers_run_in_reverse_order_once)
{
  struct domain *d = sole();
  enum { N = 30 };
  for (int first = 0; first < 2; first++) {
    long got[N + 1];
    for (int i = 0; i < N; i++) register_finaliser(d, first, i, i);
    gc_full_major(d);
    EXPECT_EQ(take_all(d, got, N + 1), 0);
    for (int i = 0; i < N; i += 2) *root(i) = Val_unit;
    gc_full_major(d);
    EXPECT_EQ(take_all(d, got, N + 1), N / 2);
    for (int i = 0; i < N / 2; i++) EXPECT_EQ(got[i], N - 2 - 2 * i);
    gc_full_major(d);
    gc_full_major(d);
    EXPECT_EQ(take_all(d, got, N + 1), 0);
    for (int i = 1; i < N; i += 2) *root(i) = Val_unit;
    gc_full_major(d);
    EXPECT_EQ(take_all(d, got, N + 1), N / 2);
  }
  expect_empty(d);
}

TEST(finaliser_resurrects_for_good)
{
  struct domain *d = sole();
  value closure, arg;
  register_finaliser(d, true, 0, 5);
  put(d, *root(0), 1, mock_alloc(d, 3, 0));
  *root(0) = Val_unit;
  gc_full_major(d);
  REQUIRE(gc_finaliser_take(d, &closure, &arg));
  *root(1) = arg;
  gc_finaliser_done(d);
  for (int i = 0; i < 3; i++) gc_full_major(d);
  EXPECT_EQ(Field(*root(1), 0), Val_long(5));
  EXPECT_EQ(Wosize_val(Field(*root(1), 1)), 3);
  EXPECT_EQ(stat_now(d).live_words, 3 + 4);
  EXPECT(!gc_finaliser_take(d, &closure, &arg));
  expect_empty(d);
}

/* A value that waits in the queue stays, with what it refers to. */
TEST(finaliser_not_taken_keeps_its_value)
{
  struct domain *d = sole();
  value closure, arg;
  register_finaliser(d, true, 0, 9);
  *root(0) = Val_unit;
  gc_full_major(d);
  gc_compact(d);
  gc_minor(d);
  EXPECT_EQ(stat_now(d).live_words, 3);
  REQUIRE(gc_finaliser_take(d, &closure, &arg));
  EXPECT_EQ(Field(arg, 0), Val_long(9));
  EXPECT_EQ(closure, Val_long(9));
  gc_finaliser_done(d);
  expect_empty(d);
}

TEST(finalise_last_of_young_values_runs_after_a_minor_collection)
{
  struct domain *d = sole();
  long got[4];
  gc_minor(d);
  for (int i = 0; i < 3; i++) register_finaliser(d, false, i, i);
  *root(0) = *root(2) = Val_unit;
  gc_minor(d);
  EXPECT(domain_has_interrupts(d));
  EXPECT_EQ(take_all(d, got, 4), 2);
  EXPECT_EQ(got[0], 2);
  EXPECT_EQ(got[1], 0);
  gc_full_major(d);
  EXPECT_EQ(take_all(d, got, 4), 0);
  *root(1) = Val_unit;
  gc_full_major(d);
  EXPECT_EQ(take_all(d, got, 4), 1);
  expect_empty(d);
}

/* Functions of both kinds for one value: that of Gc.finalise first, the other when the value is gone. */
TEST(finalise_first_comes_before_last)
{
  struct domain *d = sole();
  long got[4];
  register_finaliser(d, false, 0, 1);
  gc_finalise(d, true, Field(*root(0), 0), *root(0));
  new_ephe(d, 1, 1);
  gc_ephe_set(d, *root(1), EPHE_FIRST_KEY, *root(0));
  *root(0) = Val_unit;
  gc_full_major(d);
  EXPECT_EQ(take_all(d, got, 4), 1);
  gc_full_major(d);
  EXPECT_EQ(take_all(d, got, 4), 1);
  EXPECT(!gc_ephe_check(d, *root(1), EPHE_FIRST_KEY));
  expect_empty(d);
}

TEST(one_finaliser_at_a_time_unless_released)
{
  struct domain *d = sole();
  value closure, arg;
  for (int i = 0; i < 3; i++) register_finaliser(d, true, 0, i);
  *root(0) = Val_unit;
  gc_full_major(d);
  EXPECT(gc_finaliser_take(d, &closure, &arg));
  EXPECT(!gc_finaliser_take(d, &closure, &arg));
  gc_finaliser_release(d);
  EXPECT(gc_finaliser_take(d, &closure, &arg));
  gc_finaliser_done(d);
  EXPECT(gc_finaliser_take(d, &closure, &arg));
  gc_finaliser_done(d);
  EXPECT(!gc_finaliser_take(d, &closure, &arg));
  expect_empty(d);
}

static void thread_leaves_finalisers(struct domain *d, void *arg)
{
  int n = *(int *)arg;
  struct mock_state *s = mock_state(d);
  for (int i = 0; i < n; i++) {
    s->root[i] = mock_alloc(d, 2, 0);
    Field(s->root[i], 0) = Val_long(i);
    gc_finalise(d, true, Val_long(i), s->root[i]);
  }
  gc_minor(d);
  s->root[0] = mock_alloc(d, 2, 0);
  Field(s->root[0], 0) = Val_long(n);
  gc_finalise(d, false, Val_long(n), s->root[0]);
}

TEST(finalisers_are_adopted)
{
  struct domain *d = sole();
  enum { N = 10 };
  int n = N;
  long got[N + 2];
  struct mock_thread t;
  REQUIRE(mock_spawn(d, &t, thread_leaves_finalisers, &n));
  mock_join(d, &t);
  int taken = take_all(d, got, N + 2);
  gc_full_major(d);
  taken += take_all(d, got + taken, N + 2 - taken);
  EXPECT_EQ(taken, N + 1);
  unsigned seen = 0;
  for (int i = 0; i < taken; i++) seen |= 1u << got[i];
  EXPECT_EQ(seen, (1u << (N + 1)) - 1);
  expect_empty(d);
}

/* ---- Custom blocks, continuations ---- */

TEST(custom_blocks_are_finalised_once)
{
  struct domain *d = sole();
  int64_t count[6] = {0};
  *root(0) = mock_alloc_custom(d, &count[0], 0, 1);
  mock_alloc_custom(d, &count[1], 0, 1);                    /* dies young */
  gc_minor(d);
  EXPECT_EQ(count[1], 1);
  *root(1) = mock_alloc_custom(d, &count[2], 1000000, 0);   /* born old: stands for much memory */
  EXPECT(!gc_is_young(*root(1)));
  *root(2) = mock_alloc_custom(d, &count[3], 5, 100);
  *root(3) = mock_alloc_custom(d, NULL, 0, 1);
  gc_full_major(d);
  gc_compact(d);
  for (int i = 0; i < 6; i++) EXPECT_EQ(count[i], i == 1);
  for (int i = 0; i < 4; i++) *root(i) = Val_unit;
  gc_full_major(d);
  gc_full_major(d);
  for (int i = 0; i < 4; i++) EXPECT_EQ(count[i], 1);
  expect_empty(d);
}

static void thread_makes_customs(struct domain *d, void *arg)
{
  for (int i = 0; i < 5000; i++) mock_state(d)->root[i % 100] = mock_alloc_custom(d, arg, i % 7, 1000);
}

TEST(custom_blocks_of_ended_domains_are_finalised_once)
{
  struct domain *d = sole();
  int64_t count = 0;
  struct mock_thread t[3];
  for (int i = 0; i < 3; i++) REQUIRE(mock_spawn(d, &t[i], thread_makes_customs, &count));
  for (int i = 0; i < 3; i++) mock_join(d, &t[i]);
  gc_full_major(d);
  EXPECT_EQ(load_relaxed(&count), 15000);
  expect_empty(d);
}

TEST(large_custom_blocks_are_finalised)
{
  struct domain *d = sole();
  int64_t count = 0;
  static const mlsize_t wosizes[] = {Max_young_wosize + 1, 2000, SLOT_WORDS_MAX, 3 * BLOCK_WORDS};
  for (unsigned i = 0; i < countof(wosizes); i++) {
    value v = gc_alloc_custom(d, wosizes[i], true, 0, 1);
    REQUIRE(v != 0);
    Field(v, 0) = (value)&count;
    *root(i) = v;
  }
  gc_compact(d);
  EXPECT_EQ(count, 0);
  for (unsigned i = 0; i < countof(wosizes); i++) *root(i) = Val_unit;
  gc_full_major(d);
  EXPECT_EQ(count, (int)countof(wosizes));
  expect_empty(d);
}

TEST(continuations_free_their_stacks)
{
  struct domain *d = sole();
  int64_t before = load_relaxed(&mock_stacks);
  for (int i = 0; i < 2000; i++) {
    *root(100) = mock_alloc(d, 3, 0);
    Field(*root(100), 0) = Val_long(i);
    value k = mock_alloc_continuation(d, 5);
    mock_stack(k)->slot[2] = *root(100);
    if (i < 20) *root(i) = k;
  }
  *root(100) = Val_unit;
  gc_full_major(d);
  gc_compact(d);
  EXPECT_EQ(load_relaxed(&mock_stacks) - before, 20);
  for (int i = 0; i < 20; i++) EXPECT_EQ(Field(mock_stack(*root(i))->slot[2], 0), Val_long(i));
  for (int i = 0; i < 20; i++) *root(i) = Val_unit;
  gc_full_major(d);
  EXPECT_EQ(load_relaxed(&mock_stacks), before);
  expect_empty(d);
}

/* ---- Global roots ---- */

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
  EXPECT_EQ(got.custom_minor_max_bytes, 1);
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

/* The kind of what lives changes from strings to cells: the estimate of the work follows. */
TEST(marking_keeps_up_when_the_heap_changes_its_kind)
{
  struct domain *d = sole();
  *root(0) = mock_alloc(d, 200, 0);
  for (int n = 0; n < 200; n++) gc_write_field(d, &Field(*root(0), n), mock_alloc(d, 5000, String_tag));
  gc_full_major(d);
  *root(0) = Val_unit;
  for (int list = 0; list < 24; list++) {
    *root(1 + list % 8) = Val_unit;
    for (int n = 0; n < 20 * 1000; n++) {
      value cell = mock_alloc(d, 2, 0);
      gc_init_field(d, &Field(cell, 1), *root(1 + list % 8));
      *root(1 + list % 8) = cell;
    }
  }
  EXPECT(quick_stat_now(d).heap_words < 4 * 8 * 20 * 1000 * 3);
}

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

/* Stacks that hold each other in a long chain are marked without recursion. */
TEST(chains_of_continuations_are_marked)
{
  struct domain *d = sole();
  for (int n = 0; n < 200 * 1000; n++) {
    value cont = mock_alloc_continuation(d, 1);
    mock_stack(cont)->slot[0] = *root(0);
    *root(0) = cont;
  }
  gc_full_major(d);
  EXPECT_EQ(load_relaxed(&mock_stacks), 200 * 1000);
  expect_empty(d);
  EXPECT_EQ(load_relaxed(&mock_stacks), 0);
}

UNIT_MAIN()
