/* SPDX-License-Identifier: MIT */
/* The public header, function by function, on one collector that the first test starts. What
 * needs parameters of its own is in start_test.c, random graphs are in tests/model. */
#include "bactrian/gc.h"
#include "unit/unit.h"

#include <setjmp.h>

static struct bac_domain *d;

static void begin(void)
{
  if (d != NULL) return;
  struct bac_params p;
  bac_params_default(&p);
  p.control.minor_heap_size = 4096;
  p.max_domains = 4;
  p.verify = 1;
  const char *why = "";
  d = bac_start(&p, &why);
  if (d == NULL) fprintf(stderr, "no collector: %s\n", why);
}

static struct bac_stats quick(void)
{
  struct bac_stats s;
  bac_quick_stat(d, &s);
  return s;
}

/* A list of n cells: field 0 its index, field 1 the rest. */
static bac_value list_of(int n)
{
  bac_value list = BAC_NIL;
  BAC_ROOTS(d, &list);
  for (int i = 0; i < n; i++) {
    bac_value cell = bac_alloc(d, 2, 7);
    bac_init_field(d, cell, 0, bac_from_int(i));
    bac_init_field(d, cell, 1, list);
    list = cell;
  }
  return list;
}

static int list_is_whole(bac_value list, int n)
{
  for (; list != BAC_NIL; list = bac_field(list, 1))
    if (bac_tag(list) != 7 || bac_size(list) != 2 || bac_to_int(bac_field(list, 0)) != --n) return 0;
  return n == 0;
}

/* ---- Values, allocation ---- */

TEST(values)
{
  begin();
  REQUIRE(d != NULL);
  EXPECT(bac_self() == d);
  EXPECT_EQ(bac_to_int(bac_from_int(-5)), -5);
  EXPECT_EQ(bac_to_int(bac_from_int(INTPTR_MAX >> 1)), INTPTR_MAX >> 1);
  EXPECT_EQ(bac_from_int(0), BAC_NIL);
  EXPECT(bac_is_int(BAC_NIL) && !bac_is_int(BAC_NONE));
  EXPECT(bac_to_pointer(bac_from_pointer(&d)) == &d);
}

TEST(blocks_of_any_size)
{
  static const size_t sizes[] = {1, 2, 255, 256, 257, 5000, 100000, 3000000};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    bac_value v = bac_alloc(d, sizes[i], i);
    REQUIRE(v != BAC_NONE);
    EXPECT_EQ(bac_size(v), sizes[i]);
    EXPECT_EQ(bac_tag(v), i);
    for (size_t f = 0; f < sizes[i]; f++)
      if (bac_field(v, f) != BAC_NIL) UNIT_FAIL("field %zu of %zu", f, sizes[i]);
  }
  EXPECT_EQ(bac_size(bac_alloc(d, 0, BAC_TAGS - 1)), 1);
  EXPECT(bac_alloc(d, SIZE_MAX, 0) == BAC_NONE && bac_alloc(d, (size_t)1 << 54, 0) == BAC_NONE);
  EXPECT(bac_alloc(d, (size_t)1 << 50, 0) == BAC_NONE);
  bac_verify(d);
}

TEST(bytes_of_any_size)
{
  static const size_t sizes[] = {0, 1, 8, 9, 2048, 2049, 100000, 3000000};
  bac_value v[8];
  for (int i = 0; i < 8; i++) v[i] = BAC_NIL;
  BAC_ROOT_ARRAY(d, v, 8);
  for (int i = 0; i < 8; i++) {
    v[i] = bac_alloc_bytes(d, sizes[i]);
    REQUIRE(v[i] != BAC_NONE);
    EXPECT_EQ(bac_size(v[i]), sizes[i] == 0 ? 1 : (sizes[i] + 7) / 8);
    memset(bac_bytes(v[i]), i, sizes[i]);
  }
  bac_compact(d);
  for (int i = 0; i < 8; i++)
    for (size_t at = 0; at < sizes[i]; at++)
      if (((char *)bac_bytes(v[i]))[at] != i) UNIT_FAIL("byte %zu of %zu", at, sizes[i]);
  EXPECT(bac_alloc_bytes(d, SIZE_MAX) == BAC_NONE && bac_alloc_bytes(d, SIZE_MAX / 2) == BAC_NONE);
}

TEST(allocation_collects)
{
  struct bac_stats before = quick();
  bac_value list = list_of(100000);
  EXPECT(list_is_whole(list, 100000));
  struct bac_stats after = quick();
  EXPECT(after.minor_collections > before.minor_collections + 50);
  EXPECT_EQ(after.minor_words - before.minor_words, 300000);
}

/* ---- Roots ---- */

static void nested(int depth)
{
  bac_value a = list_of(depth), b = bac_from_int(depth), c = bac_from_pointer(&depth);
  BAC_ROOTS(d, &a, &b);
  BAC_ROOTS(d, &c);
  if (depth == 0) bac_compact(d);
  else nested(depth - 1);
  EXPECT(list_is_whole(a, depth) && bac_to_int(b) == depth && bac_to_pointer(c) == &depth);
}

TEST(local_roots)
{
  nested(100);
  EXPECT(d->frames == NULL);
  bac_value v[20];
  for (int i = 0; i < 20; i++) v[i] = bac_from_int(i);
  {
    BAC_ROOT_ARRAY(d, v, 20);
    bac_value a = v[0], b = a, c = a, e = a, f = a, g = a, h = a, i = a;
    BAC_ROOTS(d, &a, &b, &c, &e, &f, &g, &h, &i);
    EXPECT_EQ(quick().stack_size, 28);
    for (int n = 0; n < 20; n++) v[n] = list_of(n);
    a = i = v[19];
    bac_compact(d);
    EXPECT(list_is_whole(a, 19) && a == i && a == v[19]);
  }
  EXPECT(!list_is_whole(v[19], 18) && d->frames == NULL);
}

static void leave(jmp_buf *out)
{
  bac_value v = BAC_NIL;
  BAC_ROOTS(d, &v);
  longjmp(*out, 1);
}

TEST(frames_and_longjmp)
{
  jmp_buf out;
  bac_value v = list_of(3);
  BAC_ROOTS(d, &v);
  struct bac_frame *volatile mark = d->frames;
  if (setjmp(out) == 0) leave(&out);
  EXPECT(d->frames != mark);
  d->frames = mark;
  bac_full_major(d);
  EXPECT(list_is_whole(v, 3));
}

TEST(global_roots)
{
  static bac_value plain = BAC_NIL, generational = BAC_NIL;
  for (int twice = 0; twice < 2; twice++) {
    bac_root_add(&plain);
    bac_root_add_generational(&generational);
  }
  plain = list_of(5);
  bac_root_modify(&generational, list_of(6));
  bac_compact(d);
  EXPECT(list_is_whole(plain, 5) && list_is_whole(generational, 6));
  bac_root_modify(&generational, list_of(7));
  bac_minor(d);
  EXPECT(list_is_whole(generational, 7));
  struct bac_stats held, left;
  bac_stat(d, &held);
  for (int twice = 0; twice < 2; twice++) {
    bac_root_remove(&plain);
    bac_root_remove_generational(&generational);
  }
  bac_stat(d, &left);
  EXPECT_EQ(held.live_words - left.live_words, (5 + 7) * 3);
}

/* ---- Fields ---- */

TEST(write_barrier)
{
  bac_value old = bac_alloc(d, 3, 0), large = BAC_NIL;
  BAC_ROOTS(d, &old, &large);
  large = bac_alloc(d, 1000, 0);
  bac_minor(d);
  bac_write(d, old, 0, list_of(10));
  bac_init_field(d, large, 999, list_of(11));
  bac_minor(d);
  EXPECT(list_is_whole(bac_field(old, 0), 10) && list_is_whole(bac_field(large, 999), 11));
  for (int i = 0; i < 2000; i++) {
    bac_major_slice(d, 50);
    bac_write(d, old, i % 3, i % 2 ? list_of(i % 10) : bac_field(old, (i + 1) % 3));
  }
  bac_verify(d);
}

TEST(atomic_fields)
{
  bac_value cell = bac_alloc(d, 1, 0), list = BAC_NIL;
  BAC_ROOTS(d, &cell, &list);
  bac_minor(d);
  list = list_of(4);
  EXPECT(bac_exchange(d, cell, 0, list) == BAC_NIL);
  bac_minor(d);
  EXPECT(bac_field(cell, 0) == list && list_is_whole(list, 4));
  EXPECT(!bac_compare_and_set(d, cell, 0, BAC_NIL, bac_from_int(1)));
  EXPECT(bac_compare_and_set(d, cell, 0, list, bac_from_int(1)));
  EXPECT_EQ(bac_field(cell, 0), bac_from_int(1));
}

/* ---- The Gc module ---- */

static int sums(const struct bac_stats *s)
{
  return s->heap_words == s->live_words + s->free_words + s->fragments && s->top_heap_words >= s->heap_words;
}

TEST(collections)
{
  bac_value list = list_of(10);
  BAC_ROOTS(d, &list);
  struct bac_stats before = quick(), s;
  bac_minor(d);
  EXPECT_EQ(quick().minor_collections, before.minor_collections + 1);
  bac_major(d);
  bac_full_major(d);
  s = quick();
  EXPECT(s.major_collections >= before.major_collections + 1 && sums(&s));  /* bac_major may have found only sweeping left */
  EXPECT_EQ(s.forced_major_collections, before.forced_major_collections + 1);
  bac_compact(d);
  s = quick();
  EXPECT_EQ(s.compactions, before.compactions + 1);
  bac_major_slice(d, 0);
  bac_major_slice(d, SIZE_MAX);
  EXPECT(list_is_whole(list, 10));
}

TEST(statistics)
{
  struct bac_stats before, after;
  bac_stat(d, &before);
  bac_value list = list_of(1000);
  BAC_ROOTS(d, &list);
  bac_stat(d, &after);
  EXPECT(sums(&before) && sums(&after));
  EXPECT_EQ(after.live_words - before.live_words, 3000);
  EXPECT_EQ(after.live_blocks - before.live_blocks, 1000);
  EXPECT(after.heap_chunks > 0 && after.stack_size == 1);
  uint64_t minor, promoted, major;
  bac_counters(d, &minor, &promoted, &major);
  EXPECT(minor == bac_minor_words(d) && promoted <= minor && promoted <= major);
  EXPECT_EQ(bac_allocated_bytes(d), 8 * (minor + major - promoted));
  bac_counters(d, NULL, NULL, NULL);
  size_t left = bac_minor_free(d);
  bac_alloc(d, 9, 0);
  EXPECT_EQ(left - bac_minor_free(d), 10);
}

TEST(print_stat)
{
  static const char *const lines[] = {"minor_collections:", "major_collections:", "compactions:", "forced_major_collections:",
    "\n", "minor_words:", "promoted_words:", "major_words:", "\n", "top_heap_words:", "heap_words:", "live_words:",
    "free_words:", "largest_free:", "fragments:", "\n", "live_blocks:", "free_blocks:", "heap_chunks:"};
  FILE *f = tmpfile();
  REQUIRE(f != NULL);
  bac_print_stat(d, f);
  rewind(f);
  char line[100];
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    REQUIRE(fgets(line, sizeof line, f) != NULL);
    if (strncmp(line, lines[i], strlen(lines[i])) != 0) UNIT_FAIL("line %zu is %s", i, line);
  }
  EXPECT(fgets(line, sizeof line, f) == NULL);
  fclose(f);
}

TEST(control)
{
  struct bac_control was, set = {8192, 20, 90, 0, 400, 1 << 20, 2, 5, 50, 120, 60000}, got;
  bac_get(d, &was);
  EXPECT(bac_set(d, &set));
  bac_get(d, &got);
  EXPECT(memcmp(&set, &got, sizeof set) == 0);
  EXPECT_EQ(d->young_end - d->young_start, 8192);
  set.window_size = 1000;
  EXPECT(!bac_set(d, &set));
  bac_get(d, &got);
  EXPECT_EQ(got.window_size, 50);
  set.window_size = 5;
  set.minor_heap_size = 8191;    /* less than whole pages */
  EXPECT(bac_set(d, &set));
  set.minor_heap_size = 0;
  EXPECT(!bac_set(d, &set));
  set.minor_heap_size = SIZE_MAX;
  EXPECT(!bac_set(d, &set));
  EXPECT(bac_set(d, &was));
  bac_get(d, &got);
  EXPECT(memcmp(&was, &got, sizeof was) == 0);
}

/* ---- Custom blocks ---- */

static int closed;    /* [atomic] */
static void close_file(void *data) { __atomic_fetch_add(&closed, *(int *)data, __ATOMIC_RELAXED); }

static bac_value open_file(int number, size_t mem, size_t max)
{
  bac_value v = bac_alloc_custom(d, sizeof number, close_file, mem, max);
  memcpy(bac_custom_data(v), &number, sizeof number);
  return v;
}

TEST(custom_blocks)
{
  closed = 0;
  bac_value kept = open_file(1000, 0, 0), plain = BAC_NIL;
  BAC_ROOTS(d, &kept, &plain);
  plain = bac_alloc_custom(d, 3000, NULL, 0, 0);
  memset(bac_custom_data(plain), 1, 3000);
  open_file(1, 0, 0);
  bac_minor(d);
  EXPECT_EQ(closed, 1);
  bac_value old = open_file(10, 200000, 0);   /* born in the major heap */
  EXPECT(old != BAC_NONE);
  bac_compact(d);
  EXPECT_EQ(closed, 11);
  EXPECT_EQ(*(int *)bac_custom_data(kept), 1000);
  EXPECT_EQ(((char *)bac_custom_data(plain))[2999], 1);
  EXPECT(bac_alloc_custom(d, SIZE_MAX - 20, NULL, 0, 0) == BAC_NONE);
}

/* What dies young costs minor collections, what is old or only told costs cycles, also where the heap is empty. */
TEST(off_heap_memory)
{
  bac_compact(d);
  struct bac_stats before = quick();
  for (int i = 0; i < 1000; i++) open_file(0, 60000, 0);
  EXPECT(quick().minor_collections > before.minor_collections + 100);
  before = quick();
  for (int i = 0; i < 1000; i++) open_file(0, 1, 100);
  EXPECT(quick().minor_collections >= before.minor_collections + 9);
  before = quick();
  for (int i = 0; i < 1000; i++) open_file(0, 1 << 20, 0);
  EXPECT(quick().major_collections > before.major_collections + 9);
  before = quick();
  for (int i = 0; i < 200; i++) {
    bac_add_off_heap(d, 1 << 20);
    bac_poll(d);
  }
  EXPECT(quick().major_collections > before.major_collections + 9);
  before = quick();
  for (int i = 0; i < 200; i++) {
    bac_adjust_speed(d, 1, 10);
    bac_poll(d);
  }
  EXPECT(quick().major_collections > before.major_collections + 5);
}

/* ---- Finalisers ---- */

static struct { bac_value seen[10]; int calls; } fin;

static void note(struct bac_domain *self, bac_value v, bac_value env)
{
  BAC_ROOTS(self, &v, &env);
  bac_compact(self);    /* may do all that the program may */
  EXPECT(self == d && (v == BAC_NIL || list_is_whole(v, 5)));
  fin.seen[fin.calls++ % 10] = env;
}

static void finalise_some(void)
{
  bac_value v = list_of(5);
  BAC_ROOTS(d, &v);
  EXPECT(bac_finalise(d, note, v, bac_from_int(1)));
  EXPECT(bac_finalise(d, note, v, bac_from_int(2)));
  EXPECT(bac_finalise_last(d, note, v, bac_from_int(3)));
}

TEST(finalisers)
{
  fin.calls = 0;
  finalise_some();
  bac_minor(d);
  EXPECT_EQ(fin.calls, 0);
  bac_full_major(d);
  bac_full_major(d);
  EXPECT_EQ(fin.calls, 3);
  EXPECT(fin.seen[0] == bac_from_int(2) && fin.seen[1] == bac_from_int(1) && fin.seen[2] == bac_from_int(3));
  EXPECT(!bac_finalise(d, note, bac_from_int(4), BAC_NIL) && !bac_finalise_last(d, note, (bac_value)&fin, BAC_NIL));
}

/* finalise_last of a young block is ready after a minor collection; only a poll calls it, and allocation
 * stays fast meanwhile. */
TEST(finalisers_wait_for_a_poll)
{
  fin.calls = 0;
  EXPECT(bac_finalise_last(d, note, list_of(1), BAC_NIL));
  for (int i = 0; i < 100; i++) list_of(1000);
  EXPECT_EQ(fin.calls, 0);
  EXPECT(d->finalisers_ready && d->young_limit != UINTPTR_MAX);
  bac_poll(d);
  EXPECT(fin.calls == 1 && !d->finalisers_ready);
}

static void releases(struct bac_domain *self, bac_value v, bac_value env)
{
  (void)v;
  int first = fin.calls++ == 0;
  if (env == BAC_NIL) return;
  bac_finalise_last(self, releases, list_of(1), BAC_NIL);
  bac_minor(self);
  EXPECT_EQ(fin.calls, 1);
  bac_finalise_release(self);
  bac_poll(self);
  bac_minor(self);
  EXPECT(first && fin.calls == 2);
}

TEST(finalise_release)
{
  fin.calls = 0;
  bac_finalise_last(d, releases, list_of(1), bac_from_int(1));
  bac_minor(d);
  EXPECT_EQ(fin.calls, 2);
}

static jmp_buf left;
static void leaves(struct bac_domain *self, bac_value v, bac_value env)
{
  (void)v;
  BAC_ROOTS(self, &env);
  bac_poll(self);    /* calls no other while this one runs */
  fin.calls++;
  if (env != BAC_NIL) longjmp(left, 1);
}

/* A finaliser that never returns is over: the next poll calls the others, one after the other. */
TEST(finalisers_that_jump)
{
  fin.calls = 0;
  for (int i = 0; i < 5; i++) bac_finalise_last(d, leaves, list_of(1), bac_from_int(i % 2));
  struct bac_frame *volatile mark = d->frames;
  volatile int jumps = 0;
  if (setjmp(left) != 0) jumps++;
  d->frames = mark;
  if (jumps == 0) bac_minor(d);
  else bac_poll(d);
  EXPECT_EQ(jumps, 2);
  EXPECT_EQ(fin.calls, 5);
  EXPECT(!d->finalisers_ready);
}

static void ring_and_leave(struct bac_domain *self, bac_value v, bac_value env)
{
  leaves(self, v, env);
}

TEST(alarms_that_jump)
{
  fin.calls = 0;
  bac_value a = bac_alarm_create(d, ring_and_leave, bac_from_int(1));
  BAC_ROOTS(d, &a);
  struct bac_frame *volatile mark = d->frames;
  volatile int jumps = 0;
  if (setjmp(left) != 0) jumps++;
  d->frames = mark;
  if (jumps < 3) bac_full_major(d);
  EXPECT(fin.calls == 3 && jumps == 3);
  bac_alarm_delete(d, a);
  bac_full_major(d);
  EXPECT_EQ(fin.calls, 3);
}

static bac_value saved = BAC_NIL;
static void resurrect(struct bac_domain *self, bac_value v, bac_value env)
{
  (void)self;
  saved = v;
  fin.calls += (int)bac_to_int(bac_field(env, 0));
}

TEST(resurrection)
{
  fin.calls = 0;
  bac_root_add(&saved);
  {
    bac_value v = list_of(20), env = BAC_NIL;
    BAC_ROOTS(d, &v, &env);
    env = bac_alloc(d, 1, 0);
    bac_init_field(d, env, 0, bac_from_int(100));
    bac_finalise(d, resurrect, v, env);
  }
  for (int i = 0; i < 3; i++) bac_full_major(d);
  EXPECT_EQ(fin.calls, 100);
  EXPECT(list_is_whole(saved, 20));
  bac_root_remove(&saved);
}

static void ring(struct bac_domain *self, bac_value v, bac_value env)
{
  (void)self;
  fin.calls += v == BAC_NIL ? (int)bac_to_int(env) : -100;
}

TEST(alarms)
{
  fin.calls = 0;
  bac_value a = bac_alarm_create(d, ring, bac_from_int(1)), b = BAC_NIL;
  BAC_ROOTS(d, &a, &b);
  b = bac_alarm_create(d, ring, bac_from_int(10));
  bac_full_major(d);
  EXPECT_EQ(fin.calls, 11);
  bac_alarm_delete(d, b);
  bac_alarm_delete(d, b);
  bac_full_major(d);
  bac_full_major(d);
  EXPECT_EQ(fin.calls, 13);
  bac_alarm_delete(d, a);
  for (int i = 0; i < 2; i++) bac_full_major(d);
  EXPECT_EQ(fin.calls, 13);
}

/* ---- Ephemerons ---- */

TEST(weak_references)
{
  bac_value weak = bac_ephe_create(d, 3), key = list_of(2);
  BAC_ROOTS(d, &weak, &key);
  EXPECT_EQ(bac_ephe_keys(weak), 3);
  EXPECT(bac_ephe_get(d, weak, 0) == BAC_NONE && !bac_ephe_check(d, weak, 0));
  bac_ephe_set(d, weak, 0, key);
  bac_ephe_set(d, weak, 1, list_of(3));
  bac_ephe_set(d, weak, 2, bac_from_int(5));
  bac_minor(d);
  EXPECT(bac_ephe_get(d, weak, 0) == key && bac_ephe_get(d, weak, 1) == BAC_NONE);
  EXPECT(bac_ephe_check(d, weak, 0) && !bac_ephe_check(d, weak, 1));
  EXPECT_EQ(bac_ephe_get(d, weak, 2), bac_from_int(5));
  bac_ephe_blit(d, weak, 0, weak, 1, 2);
  EXPECT(bac_ephe_get(d, weak, 1) == key && !bac_ephe_check(d, weak, 2));
  bac_ephe_set(d, weak, 1, BAC_NONE);
  EXPECT(!bac_ephe_check(d, weak, 1));
  key = BAC_NIL;
  bac_full_major(d);
  EXPECT(!bac_ephe_check(d, weak, 0));
}

TEST(ephemerons)
{
  bac_value e = bac_ephe_create(d, 1), key = list_of(1);
  BAC_ROOTS(d, &e, &key);
  bac_ephe_set(d, e, 0, key);
  bac_ephe_set(d, e, BAC_DATUM, list_of(4));
  bac_compact(d);
  EXPECT(bac_ephe_get(d, e, 0) == key && list_is_whole(bac_ephe_get(d, e, BAC_DATUM), 4));
  key = BAC_NIL;
  bac_full_major(d);
  EXPECT(!bac_ephe_check(d, e, 0) && bac_ephe_get(d, e, BAC_DATUM) == BAC_NONE);
  EXPECT(bac_ephe_create(d, SIZE_MAX) == BAC_NONE && bac_ephe_create(d, (size_t)1 << 50) == BAC_NONE);
  EXPECT(bac_ephe_create(d, 100000) != BAC_NONE);
}

/* ---- Domains ---- */

enum { ADDERS = 3, ADDED = 20000 };

/* arg: a cell whose integer is counted up, and a list. Answers a list of this domain's own. */
static bac_value adder(struct bac_domain *self, bac_value arg)
{
  bac_value own = BAC_NIL;
  BAC_ROOTS(self, &arg, &own);
  EXPECT(self != d && bac_self() == self && bac_domain_id(self) != 0);
  for (int i = 0; i < ADDED; i++) {
    bac_value cell = bac_alloc(self, 2, 7), n;
    bac_init_field(self, cell, 0, bac_from_int(i));
    bac_init_field(self, cell, 1, own);
    own = cell;
    do n = bac_field(arg, 0);
    while (!bac_compare_and_set(self, arg, 0, n, bac_from_int(bac_to_int(n) + 1)));
    if (i % 1000 == 0) {
      bac_enter_blocking(self);
      bac_leave_blocking(self);
    }
  }
  EXPECT(list_is_whole(bac_field(arg, 1), 50));
  return own;
}

TEST(domains)
{
  bac_value shared = bac_alloc(d, 2, 0), results[ADDERS] = {BAC_NIL, BAC_NIL, BAC_NIL};
  BAC_ROOTS(d, &shared);
  BAC_ROOT_ARRAY(d, results, ADDERS);
  bac_init_field(d, shared, 0, bac_from_int(0));
  bac_value list = list_of(50);
  bac_write(d, shared, 1, list);
  EXPECT_EQ(bac_domain_id(d), 0);
  struct bac_thread *t[ADDERS];
  for (int i = 0; i < ADDERS; i++) REQUIRE((t[i] = bac_spawn(d, adder, shared)) != NULL);
  for (int i = 0; i < 10; i++) bac_compact(d);
  for (int i = 0; i < ADDERS; i++) results[i] = bac_join(d, t[i]);
  bac_full_major(d);
  for (int i = 0; i < ADDERS; i++) EXPECT(list_is_whole(results[i], ADDED));
  EXPECT_EQ(bac_field(shared, 0), bac_from_int(ADDERS * ADDED));
  bac_verify(d);
}

/* A domain that only polls lets the others collect. */
static bac_value poller(struct bac_domain *self, bac_value arg)
{
  while (__atomic_load_n((int *)bac_to_pointer(arg), __ATOMIC_ACQUIRE) == 0) bac_poll(self);
  return BAC_NIL;
}

TEST(polling)
{
  int stop = 0;
  struct bac_thread *t[3];
  for (int i = 0; i < 3; i++) REQUIRE((t[i] = bac_spawn(d, poller, bac_from_pointer(&stop))) != NULL);
  EXPECT(bac_spawn(d, poller, bac_from_pointer(&stop)) == NULL);    /* max_domains is 4 */
  for (int i = 0; i < 20; i++) bac_minor(d);
  __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
  for (int i = 0; i < 3; i++) EXPECT_EQ(bac_join(d, t[i]), BAC_NIL);
}

/* An alarm ends with its domain, a finaliser is inherited. */
static bac_value leaves_things(struct bac_domain *self, bac_value arg)
{
  bac_alarm_create(self, ring, bac_from_int(1000));
  bac_value v = bac_alloc(self, 1, 0);
  bac_finalise(self, ring, v, BAC_NIL);
  return arg;
}

TEST(what_a_domain_leaves)
{
  fin.calls = 0;
  struct bac_thread *t = bac_spawn(d, leaves_things, BAC_NIL);
  REQUIRE(t != NULL);
  bac_join(d, t);
  for (int i = 0; i < 3; i++) bac_full_major(d);
  EXPECT_EQ(fin.calls, -100);
}

TEST(fork)
{
  bac_value list = list_of(100);
  BAC_ROOTS(d, &list);
  int stop = 0;
  /* gcc's thread sanitizer refuses threads and allocation in a child of several threads. */
  struct bac_thread *t = UNIT_SANITIZED ? NULL : bac_spawn(d, poller, bac_from_pointer(&stop));
  pid_t pid = fork();
  if (pid == 0) {
    bac_compact(d);
    bac_verify(d);
    _exit(list_is_whole(list, 100) && bac_self() == d ? 0 : 1);
  }
  int status = 1;
  bac_enter_blocking(d);
  waitpid(pid, &status, 0);
  bac_leave_blocking(d);
  EXPECT_EQ(status, 0);
  __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
  if (t != NULL) bac_join(d, t);
  EXPECT(list_is_whole(list, 100));
}

/* ---- Misuse ---- */

static void in_section(void)
{
  bac_enter_blocking(d);
  bac_minor(d);
}

static struct bac_domain stranger;

TEST(misuse)
{
  bac_value list = list_of(1), ephe = bac_ephe_create(d, 2);
  BAC_ROOTS(d, &list, &ephe);
  EXPECT_ABORTS(bac_start(NULL, NULL), "Fatal error: bac_start: the collector has been started already");
  EXPECT_ABORTS(bac_alloc(d, 1, BAC_TAGS), "Fatal error: bac_alloc: tag 244 is not below 244");
  EXPECT_ABORTS(bac_minor(&stranger), "Fatal error: bac_minor: this is not the thread's domain");
  EXPECT_ABORTS(bac_leave_blocking(&stranger), "Fatal error: bac_leave_blocking: this is not the thread's domain");
  EXPECT_ABORTS(bac_alloc(&stranger, 1000, 0), "Fatal error: bac_alloc: this is not the thread's domain");
  EXPECT_ABORTS(in_section(), "Fatal error: bac_minor: called in a blocking section");
  EXPECT_ABORTS(bac_leave_blocking(d), "Fatal error: bac_leave_blocking: called outside of a blocking section");
  EXPECT_ABORTS(bac_adjust_speed(d, 1, 0), "Fatal error: bac_adjust_speed: max is 0");
  EXPECT_ABORTS(bac_ephe_get(d, list, 0), "Fatal error: bac_ephe_get: not an ephemeron");
  EXPECT_ABORTS(bac_ephe_keys(BAC_NIL), "Fatal error: bac_ephe_keys: not an ephemeron");
  EXPECT_ABORTS(bac_ephe_set(d, ephe, 2, list), "Fatal error: bac_ephe_set: key 2 of 2");
  EXPECT_ABORTS(bac_ephe_blit(d, ephe, 1, ephe, 0, 2), "Fatal error: bac_ephe_blit: 2 keys from 1 of 2");
}

/* A root that was not registered is noticed by the verifier, once the block has gone. */
static void forgets_a_root(void)
{
  bac_value cell = bac_alloc(d, 1, 0), lost = bac_alloc_bytes(d, 8);
  BAC_ROOTS(d, &cell);
  bac_minor(d);
  ((bac_value *)cell)[0] = lost;
  bac_verify(d);
}

TEST(verifier) { EXPECT_ABORTS(forgets_a_root(), "Fatal error: "); }

UNIT_MAIN()
