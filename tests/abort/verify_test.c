/* SPDX-License-Identifier: MIT */
/* The heap verifier sees what is wrong: each test breaks one invariant of heap.h or
 * gc/state.h by hand, in a child process, which must end in the message that names it. */
#include "unit/unit.h"

#include "gc/state.h"
#include "mock/mock.h"

static struct domain *d;
static value freed;    /* the place of an object that was swept */

static value *root(int i) { return &mock_state(d)->root[i]; }

/* A heap with a few objects of one size class in roots 0 .. 9, all old, and free slots beside them. */
static void begin(tag_t tag)
{
  struct gc_params p = gc_params_default;
  p.minor_words = 4096;
  d = mock_start(&p);
  for (int i = 0; i < 20; i++) {
    value v = mock_alloc(d, 5, tag);
    if (i % 2 == 0) *root(i / 2) = v;
    else *root(20 + i) = v;
  }
  gc_minor(d);
  freed = *root(25);
  for (int i = 1; i < 20; i += 2) *root(20 + i) = Val_unit;
  gc_full_major(d);
}

static void break_header(header_t hd, tag_t tag)
{
  begin(tag);
  *Hp_val(*root(3)) = hd | tag;
  gc_verify(d);
}

TEST(header_of_another_size)
{
  EXPECT_ABORTS(break_header(Make_header(9, 0, COLOUR_A), 0), "does not fit its slot of 6 words (POOL-1)");
  EXPECT_ABORTS(break_header(Make_header(2, 0, COLOUR_A), 0), "does not fit its slot of 6 words (POOL-1)");
  EXPECT_ABORTS(break_header(Make_header(0, 0, COLOUR_A), 0), "does not fit its slot of 6 words (POOL-1)");
  EXPECT_ABORTS(break_header(Make_header(Max_wosize, 0, COLOUR_A), String_tag), "(POOL-1)");
}

static void break_colour(bool other)
{
  begin(0);
  header_set_colour(Hp_val(*root(3)), Hd_val(*root(3)), other ? heap_other_colour() : 0);
  gc_verify(d);
}

TEST(colours)
{
  EXPECT_ABORTS(break_colour(false), "it has no colour of a live object");
  EXPECT_ABORTS(break_colour(true), "unmarked, though all is swept");
}

static void break_side_byte(void)
{
  begin(String_tag);
  *side_byte(Hp_val(*root(3))) ^= 1 << 2;
  gc_verify(d);
}

static void break_seen(void)
{
  begin(0);
  bac_heap.seen[block_index(*root(3))] ^= side_colour(COLOUR_A | COLOUR_B);
  gc_verify(d);
}

TEST(seen) { EXPECT_ABORTS(break_seen(), "where no object of its colour was seen (POOL-4)"); }

TEST(side_byte) { EXPECT_ABORTS(break_side_byte(), "its side byte tells another size (POOL-2)"); }

/* ---- References ---- */

static value free_block(void) { return Val_hp(block_start(bac_heap.committed - 1)); }

static void break_field(int how)
{
  begin(0);
  value v = *root(3);
  Field(v, 2) = how == 0 ? freed : how == 1 ? (value)&Field(v, 1) : free_block();
  gc_verify(d);
}

TEST(field_refers_to_no_object)
{
  for (int how = 0; how < 3; how++) EXPECT_ABORTS(break_field(how), "is no object (POOL-1)");
}

static void break_root(void)
{
  begin(0);
  *root(100) = free_block();
  gc_verify(d);
}

static void break_stack(void)
{
  begin(0);
  *root(100) = mock_alloc_continuation(d, 4);
  gc_full_major(d);
  mock_stack(*root(100))->slot[1] = free_block();
  gc_verify(d);
}

static void break_global_root(void)
{
  static value slot = Val_unit;
  begin(0);
  gc_root_add(&slot);
  slot = free_block();
  gc_verify(d);
}

TEST(root_refers_to_no_object)
{
  EXPECT_ABORTS(break_root(), "root of a domain");
  EXPECT_ABORTS(break_stack(), "stack of a continuation");
  EXPECT_ABORTS(break_global_root(), "root of the process");
}

static void break_remembering(bool ephemeron)
{
  begin(0);
  value holder = ephemeron ? gc_ephe_create(d, 1) : *root(3);
  *root(100) = holder;
  Field(holder, EPHE_FIRST_KEY) = mock_alloc(d, 1, 0);
  gc_verify(d);
}

TEST(young_block_is_not_remembered)
{
  EXPECT_ABORTS(break_remembering(false), "the field is not remembered (REM-2)");
  EXPECT_ABORTS(break_remembering(true), "the field is not remembered (REM-2)");
}

/* The same, seen by a minor collection of V=2. */
static void break_minor(void)
{
  begin(0);
  bac_gc.params.verify = 2;
  Field(*root(3), 0) = mock_alloc(d, 1, 0);
  gc_minor(d);
}

TEST(young_block_survives_nowhere) { EXPECT_ABORTS(break_minor(), "after a minor collection"); }

static void start_leader(struct domain *d, void *arg)
{
  (void)arg;
  cycle_start_stw(gc_domain(d));
}

/* A dead object is stored where it should not have been found any more. */
static void break_sweep(void)
{
  begin(0);
  gc_full_major(d);
  value dead = *root(4);
  *root(4) = Val_unit;
  while (!stw_run(d, start_leader, NULL)) continue;
  while (bac_gc.phase != PHASE_SWEEP) cycle_slice(gc_domain(d), 1000000);
  Field(*root(3), 0) = dead;
  gc_verify(d);
}

TEST(live_refers_to_dead) { EXPECT_ABORTS(break_sweep(), "is dead (MARK-2)"); }

/* ---- Free runs, counters ---- */

static void break_free_run(int how)
{
  begin(0);
  allocator_retire(&gc_domain(d)->alloc);
  struct block *b = &bac_heap.block[block_index(*root(3))];
  if (how == 0) b->free_run = block_start(bac_heap.committed - 1);
  else if (how == 1) b->free_run++;
  else *b->free_run = free_run_header(BLOCK_WORDS);
  gc_verify(d);
}

TEST(free_runs)
{
  for (int how = 0; how < 3; how++) EXPECT_ABORTS(break_free_run(how), "bad free run");
}

static void break_counts(int how)
{
  begin(0);
  struct class_counts *c = &gc_domain(d)->alloc.counts.cls[KIND_SCAN][class_of_whsize(6)];
  switch (how) {
  case 0: c->words++; break;
  case 1: c->objects--; break;
  case 2: c->pools++; break;
  default: gc_domain(d)->alloc.counts.large[KIND_NOSCAN].words = 1;
  }
  gc_verify(d);
}

static void break_blocks(bool dirty)
{
  begin(0);
  if (dirty) bac_heap.dirty_blocks++;
  else bac_heap.used_blocks--;
  gc_verify(d);
}

static void break_tally(int how)
{
  begin(0);
  switch (how) {
  case 0: bac_heap.tally.live_words++; break;
  case 1: bac_heap.tally.live_blocks--; break;
  case 2: bac_heap.tally.fragments++; break;
  case 3: bac_heap.memory[0] ^= 1; break;
  case 4: bac_heap.dirty[0] ^= 1; break;
  default: bac_heap.top_blocks = bac_heap.used_blocks + bac_heap.dirty_blocks - 1;
  }
  gc_verify(d);
}

TEST(counters)
{
  for (int how = 0; how < 6; how++) EXPECT_ABORTS(break_tally(how), "(STAT-1)");
  for (int how = 0; how < 4; how++) EXPECT_ABORTS(break_counts(how), "(COUNT-1)");
  for (int dirty = 0; dirty < 2; dirty++) EXPECT_ABORTS(break_blocks(dirty), "(STAT-1)");
}

/* ---- Misuse ---- */

static void start_twice(void)
{
  begin(0);
  mock_start(&bac_gc.params);
}

TEST(second_start) { EXPECT_ABORTS(start_twice(), "bac_domains.live == NULL"); }

UNIT_MAIN()
