/* SPDX-License-Identifier: MIT */
/* Tests of slices that are asked for, of the window that spreads work, and of the rule by which a compaction comes by
 * itself. */
#include "gc_tests.h"

/* A slice as large as can be goes through all phases, and stops where the cycle ends. */
TEST(a_slice_goes_on_through_phases)
{
  struct domain *d = sole();
  for (int i = 0; i < 100; i++) *root(i) = mock_alloc(d, 1000, 0);
  gc_full_major(d);
  for (int i = 0; i < 5; i++) {
    uint64_t before = quick_stat_now(d).major_collections;
    gc_major_slice(d, Max_long);
    EXPECT_EQ(quick_stat_now(d).major_collections, before + 1);
    EXPECT_EQ(bac_gc.phase, PHASE_IDLE);
  }
  expect_empty(d);
}

static void finish_leader(struct domain *d, void *arg)
{
  (void)arg;
  cycle_finish_stw(gc_domain(d));
}

/* What allocation sweeps on its way to a free slot is a part of what is owed. */
TEST(sweeping_for_an_allocation_is_counted)
{
  struct domain *d = sole();
  for (int i = 0; i < 200; i++)
    for (int n = 0; n < 100; n++) *root(i) = old_block(d, 20);
  start_marking(d);
  while (!stw_run(d, finish_leader, NULL)) continue;
  REQUIRE(bac_gc.phase == PHASE_SWEEP);
  int64_t unswept = load_relaxed(&bac_heap.unswept);
  EXPECT_EQ(load_relaxed(&bac_heap.sweep_done), 0);
  for (int i = 0; i < 2000; i++) old_block(d, 20);
  int64_t swept = unswept - load_relaxed(&bac_heap.unswept);
  EXPECT(swept > 0);
  EXPECT_EQ(load_relaxed(&bac_heap.sweep_done), swept * BLOCK_WORDS);
  expect_empty(d);
}

/* Cleaning comes before the end of marking's budget, as marking does. */
TEST(cleaning_is_charged_as_marking)
{
  struct domain *d = sole();
  double rate[4];
  enum gc_phase was = bac_gc.phase;
  bac_gc.pacing.mark_work = 100 * bac_gc.pacing.budget;
  for (enum gc_phase phase = PHASE_MARK; phase <= PHASE_SWEEP; phase++) {
    bac_gc.phase = phase;
    rate[phase] = pacing_work_per_word();
  }
  bac_gc.phase = was;
  EXPECT(rate[PHASE_CLEAN] == rate[PHASE_MARK] && rate[PHASE_CLEAN] != rate[PHASE_SWEEP]);
  expect_empty(d);
}

/* Another domain has ended the sweeping, and sets the next budget while this one has decided by the last and stops the world. */
static void budget_comes_late(struct domain *d, unsigned phase)
{
  (void)d;
  if (phase == TRACE_STW_GATHER) bac_gc.pacing.mark_at = 1 << 30;
}
static void tells_nothing(struct domain *d, unsigned phase) { (void)d, (void)phase; }
static void counts_nothing(struct domain *d, unsigned counter, uint64_t n) { (void)d, (void)counter, (void)n; }

TEST(whether_a_cycle_is_due_is_asked_in_the_stop)
{
  static const struct gc_tracer late = {budget_comes_late, tells_nothing, counts_nothing};
  struct domain *d = sole();
  uint64_t mark_at = bac_gc.pacing.mark_at;
  bac_gc.pacing.mark_at = 0;
  REQUIRE(!pacing_wants_cycle(gc_domain(d)));   /* nothing has been allocated */
  bac_gc.pacing.allocated++;
  REQUIRE(pacing_wants_cycle(gc_domain(d)) && bac_gc.phase == PHASE_IDLE);
  gc_trace(&late);
  cycle_slice(gc_domain(d), 0);
  gc_trace(NULL);
  EXPECT_EQ(bac_gc.phase, PHASE_IDLE);
  bac_gc.pacing.mark_at = mark_at;
  expect_empty(d);
}

/* ---- Windows ---- */

TEST(a_window_spreads_what_is_owed)
{
  struct work_window w = {0};
  EXPECT_EQ(window_spread(&w, PHASE_MARK, 1, 1000), 1000);
  size_t owed = 1000;
  for (int i = 0; i < 4; i++) {
    size_t work = window_spread(&w, PHASE_MARK, 4, owed);
    EXPECT_EQ(work, 250);
    owed -= work;
  }
  EXPECT_EQ(window_spread(&w, PHASE_MARK, 4, owed), 0);
}

/* What comes anew each time is done at the rate at which it comes, once the window is full. */
TEST(a_window_keeps_up)
{
  struct work_window w = {0};
  for (size_t window = 2; window <= WINDOW_MOST; window += 6) {
    size_t owed = 0, work = 0;
    for (size_t i = 0; i < 3 * window; i++) {
      owed += 1000;
      work = window_spread(&w, PHASE_SWEEP, window, owed);
      EXPECT(work <= owed);
      owed -= work;
    }
    EXPECT(work >= 999 && work <= 1000 + window);
    EXPECT(owed <= 1000 * window);
  }
}

/* What was put off in one phase is no debt in the next. */
TEST(a_window_forgets_with_the_phase)
{
  struct work_window w = {0};
  window_spread(&w, PHASE_MARK, 10, 100000);
  EXPECT_EQ(window_spread(&w, PHASE_SWEEP, 10, 50), 5);
  EXPECT_EQ(window_spread(&w, PHASE_SWEEP, 5, 50), 10);
}

/* ---- Automatic compaction ---- */

enum { WASTED = 1000 * BLOCK_WORDS, LIVE = 100 * BLOCK_WORDS };

static unsigned compactions_in(struct auto_compaction *a, uint64_t from, uint64_t cycles, size_t max_overhead, uint64_t live)
{
  unsigned n = 0;
  for (uint64_t cycle = from; cycle < from + cycles; cycle++) n += compact_is_due(a, max_overhead, cycle, WASTED, live);
  return n;
}

TEST(compaction_of_a_heap_that_stays_wasteful)
{
  struct auto_compaction a = {0};
  unsigned first = compactions_in(&a, 1, 100, 500, LIVE), then = compactions_in(&a, 101, 900, 500, LIVE);
  EXPECT(first >= 4 && first <= 7);
  EXPECT(then >= 900 / 64 && then <= 900 / 64 + 2);
}

/* Wasteful in every fourth cycle only. */
TEST(compaction_of_a_heap_that_is_filled_again)
{
  struct auto_compaction a = {0};
  unsigned n = 0;
  for (uint64_t cycle = 1; cycle <= 400; cycle += 4) n += compact_is_due(&a, 500, cycle, WASTED, LIVE);
  EXPECT(n >= 6 && n <= 14);
}

/* Cycles end at the top of its swings, at the bottom and half-way. */
TEST(compaction_of_a_heap_that_swings)
{
  struct auto_compaction a = {0};
  unsigned n = 0;
  for (uint64_t cycle = 1; cycle <= 400; cycle++) n += compact_is_due(&a, 500, cycle, WASTED / (1 + cycle % 3), LIVE / (1 + cycle % 4));
  EXPECT(n >= 6 && n <= 14);
}

TEST(compaction_of_a_heap_that_changes)
{
  struct auto_compaction a = {0};
  EXPECT(compact_is_due(&a, 500, 1, WASTED, LIVE));
  EXPECT(!compact_is_due(&a, 500, 2, WASTED, LIVE / 4));
  EXPECT(compact_is_due(&a, 500, 2, 2 * WASTED + 1, LIVE));
  EXPECT(!compact_is_due(&a, 500, 3, 2 * WASTED, LIVE));
}

TEST(compaction_obeys_max_overhead)
{
  struct auto_compaction a = {0};
  EXPECT_EQ(compactions_in(&a, 1, 10, 1000, LIVE), 0);
  EXPECT_EQ(compactions_in(&a, 1, 1, 999, LIVE), 1);
  EXPECT_EQ(compactions_in(&a, 2, 10, 0, LIVE), 10);
  EXPECT(!compact_is_due(&a, 1000 * 1000, 100, WASTED, 1));
  EXPECT(compact_is_due(&a, 1000 * 1000 - 1, 100, WASTED, 1));
  EXPECT(!compact_is_due(&a, 500, 1000, BLOCK_WORDS, 1));   /* too little to be worth a stop */
}

UNIT_MAIN()
