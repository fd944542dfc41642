/* SPDX-License-Identifier: MIT */
/* Tests of what the collector does with blocks that end: finalisers, custom blocks, continuations. */
#include "gc_tests.h"

#include "os/os.h"

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

struct leaving_job { uint32_t polls, blocked, stop; int n; };

static void thread_polls(struct domain *d, void *arg)
{
  struct leaving_job *job = arg;
  store_release(&job->polls, 1);
  while (!load_relaxed(&job->stop)) mock_poll(d);
}

static void thread_leaves_when_blocked(struct domain *d, void *arg)
{
  struct leaving_job *job = arg;
  while (!load_acquire(&job->blocked)) mock_poll(d);
  thread_leaves_finalisers(d, &job->n);
}

/* The first domain is in a blocking section: what another leaves goes to one that runs. */
TEST(what_a_domain_leaves_goes_to_one_that_runs)
{
  struct domain *d = sole();
  enum { N = 10 };
  struct leaving_job job = {.n = N};
  long got[N + 1];
  struct mock_thread runs, ends;
  REQUIRE(mock_spawn(d, &runs, thread_polls, &job));
  while (!load_acquire(&job.polls)) mock_poll(d);
  REQUIRE(mock_spawn(d, &ends, thread_leaves_when_blocked, &job));
  domain_enter_blocking(d);
  store_release(&job.blocked, 1);
  while (load_acquire(&bac_domains.count) != 2) os_yield();
  domain_leave_blocking(d);
  mock_join(d, &ends);
  EXPECT_EQ(gc_domain(d)->first.entries.len, 0);
  store_relaxed(&job.stop, 1);
  mock_join(d, &runs);
  gc_full_major(d);
  EXPECT_EQ(take_all(d, got, N + 1), N + 1);
  expect_empty(d);
}

/* ---- Closures: nobody refers to them but the tables ---- */

enum { CLOSURES = 3000 };

/* The closure holds a number, as its value does. */
static value new_numbered(struct domain *d, long number)
{
  value v = mock_alloc(d, 1, 0);
  Field(v, 0) = Val_long(number);
  return v;
}

/* [n] values with finalisers, in a block in the root [at]. */
static void register_closures(struct domain *d, bool first, int at, mlsize_t n)
{
  value *roots = mock_state(d)->root;
  roots[at] = mock_alloc(d, n, 0);
  for (mlsize_t i = 0; i < n; i++) {
    roots[at + 1] = new_numbered(d, (long)i);
    put(d, roots[at], i, new_numbered(d, (long)i));
    gc_finalise(d, first, roots[at + 1], Field(roots[at], i));
    roots[at + 1] = Val_unit;
  }
}

/* Takes [n] that are ready; their closures and values are what they were, and marked. */
static void take_closures(struct domain *d, bool first, mlsize_t n)
{
  value closure, arg;
  for (mlsize_t i = 0; i < n; i++) {
    REQUIRE(gc_finaliser_take(d, &closure, &arg));
    EXPECT(!gc_is_marking() || (mark_is_marked(closure) && mark_is_marked(arg)));
    EXPECT(Wosize_val(closure) == 1 && Is_long(Field(closure, 0)));
    EXPECT(first ? Field(arg, 0) == Field(closure, 0) : arg == Val_unit);
    gc_finaliser_done(d);
  }
}

static void major_to_the_end(struct domain *d)
{
  while (bac_gc.phase != PHASE_IDLE) gc_major_slice(d, 2000);
}

TEST(closures_are_shaded_while_marking)
{
  struct domain *d = sole();
  for (int first = 0; first < 2; first++) {
    register_closures(d, first, 0, CLOSURES);
    start_marking(d);
    struct finalisers *f = first ? &gc_domain(d)->first : &gc_domain(d)->last;
    EXPECT(!mark_is_marked(f->entries.at[CLOSURES - 1].closure));
    gc_major_slice(d, 1000);
    register_closures(d, first, 2, 100);
    major_to_the_end(d);
    gc_verify(d);
    *root(0) = *root(2) = Val_unit;
    gc_full_major(d);
    gc_full_major(d);
    take_closures(d, first, CLOSURES + 100);
    EXPECT(gc_domain(d)->ready == NULL);
    expect_empty(d);
  }
}

/* What is ready when marking starts is shaded when it is taken, or in time. */
TEST(what_is_ready_is_shaded_while_marking)
{
  struct domain *d = sole();
  for (int batch = 0; batch < 3; batch++) {
    register_closures(d, true, 0, CLOSURES);
    *root(0) = Val_unit;
    gc_full_major(d);
  }
  for (int cycle = 0; cycle < 3; cycle++) {
    start_marking(d);
    take_closures(d, true, CLOSURES / 2);
    gc_major_slice(d, 1000);
    take_closures(d, true, CLOSURES / 4);
    major_to_the_end(d);
    gc_verify(d);
  }
  take_closures(d, true, 3 * CLOSURES - 3 * (CLOSURES / 2 + CLOSURES / 4));
  EXPECT(gc_domain(d)->ready == NULL);
  expect_empty(d);
}

/* A domain ends while marking has shaded nothing, or a part, of what it leaves. */
static void thread_leaves_closures(struct domain *d, void *arg)
{
  register_closures(d, true, 0, CLOSURES);
  mock_state(d)->root[0] = Val_unit;
  gc_full_major(d);
  register_closures(d, true, 0, CLOSURES);
  register_closures(d, false, 2, CLOSURES);
  start_marking(d);
  gc_major_slice(d, *(int *)arg);
}

TEST(closures_are_adopted_while_marking)
{
  struct domain *d = sole();
  for (int words = 100; words < 1000 * 1000; words *= 10) {
    struct mock_thread t;
    register_closures(d, true, 0, 100);
    REQUIRE(mock_spawn(d, &t, thread_leaves_closures, &words));
    mock_join(d, &t);
    major_to_the_end(d);
    gc_verify(d);
    *root(0) = Val_unit;
    gc_full_major(d);
    gc_full_major(d);
    int taken = 0;
    value closure, arg;
    for (; gc_finaliser_take(d, &closure, &arg); taken++) {
      EXPECT(Wosize_val(closure) == 1 && Is_long(Field(closure, 0)));
      gc_finaliser_done(d);
    }
    EXPECT_EQ(taken, 3 * CLOSURES + 100);
    expect_empty(d);
  }
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
    Field(v, 0) = (value)mock_count;
    Field(v, 1) = (value)&count;
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

UNIT_MAIN()
