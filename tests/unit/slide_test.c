/* SPDX-License-Identifier: MIT */
/* Tests of src/gc/slide.c through the mock mutator: large objects of every kind move into the holes
 * below them, whoever refers to them finds them whole, and the blocks above are free. */
#include "unit.h"

#include "gc/state.h"
#include "mock/mock.h"

enum { LARGE = 3 * BLOCK_WORDS - 100, PAIRS = 20 };

static struct domain *d;

static value *root(int i) { return &mock_state(d)->root[i]; }

static void start(void)
{
  if (d == NULL) {
    struct gc_params p = gc_params_default;
    p.minor_words = 4096;
    p.verify = 2;
    d = mock_start(&p);
  }
  for (int i = 0; i < MOCK_ROOTS; i++) *root(i) = Val_unit;
  gc_compact(d);
}

/* More than there can be: so everything moves that has a hole below. */
static void slide(void) { gc_compact_for(d, UINT32_MAX); }

/* The last one of a large object: pools stay where they are. */
static uint32_t top_block(void)
{
  uint32_t top = 0;
  for (uint32_t i = 0; i < bac_heap.committed; i++)
    if (kind_of_block(i) & (KIND_LARGE | KIND_LARGE_REST)) top = i;
  return top;
}

/* Every second object goes: holes of [LARGE] words all over. */
static void make_holes(value (*make)(int i))
{
  for (int i = 0; i < 2 * PAIRS; i++) *root(i) = make(i);
  for (int i = 0; i < PAIRS; i++) *root(2 * i) = Val_unit;
  gc_full_major(d);
}

/* Answers how many of the survivors have another address afterwards. */
static int slide_survivors(void)
{
  value before[2 * PAIRS];
  int moved = 0;
  for (int i = 0; i < 2 * PAIRS; i++) before[i] = *root(i);
  uint32_t top = top_block();
  slide();
  for (int i = 0; i < 2 * PAIRS; i++) moved += *root(i) != before[i];
  EXPECT(top_block() < top - (PAIRS - 2) * 3);
  return moved;
}

static value make_string(int i)
{
  value v = mock_alloc(d, LARGE, String_tag);
  for (mlsize_t w = 0; w < LARGE; w++) Field(v, w) = (value)(w * 1000 + i);
  return v;
}

TEST(strings)
{
  start();
  make_holes(make_string);
  EXPECT(slide_survivors() >= PAIRS / 2 - 1);
  for (int i = 1; i < 2 * PAIRS; i += 2)
    for (mlsize_t w = 0; w < LARGE; w++)
      if (Field(*root(i), w) != (value)(w * 1000 + i)) {
        UNIT_FAIL("word %lu of string %d", w, i);
        break;
      }
}

/* Each refers to the one before, to a small block and to itself. */
static value make_array(int i)
{
  value v = mock_alloc(d, LARGE, 0);
  *root(200) = v;
  value small = mock_alloc(d, 1, 0);
  Field(small, 0) = Val_long(i);
  v = *root(200);
  gc_write_field(d, &Field(v, 0), v);
  gc_write_field(d, &Field(v, LARGE - 1), small);
  if (i > 2) gc_write_field(d, &Field(v, 1), *root(i - 2));
  *root(200) = Val_unit;
  return v;
}

TEST(arrays_that_refer_to_each_other)
{
  start();
  make_holes(make_array);
  EXPECT(slide_survivors() >= PAIRS / 2 - 1);
  for (int i = 1; i < 2 * PAIRS; i += 2) {
    value v = *root(i);
    EXPECT_EQ(Field(v, 0), v);
    EXPECT_EQ(Field(Field(v, LARGE - 1), 0), Val_long(i));
    EXPECT_EQ(Field(v, 1), i > 2 ? *root(i - 2) : Val_unit);
    EXPECT_EQ(Wosize_val(v), LARGE);
  }
}

static value make_weak(int i)
{
  value e = gc_ephe_create(d, LARGE - 2);
  gc_ephe_set(d, e, EPHE_FIRST_KEY + 7, *root(100));
  gc_ephe_set(d, e, EPHE_DATA, Val_long(i));
  return e;
}

TEST(ephemerons)
{
  start();
  *root(100) = mock_alloc(d, 3, 0);
  make_holes(make_weak);
  EXPECT(slide_survivors() >= PAIRS / 2 - 1);
  for (int i = 1; i < 2 * PAIRS; i += 2) {
    EXPECT_EQ(gc_ephe_get(d, *root(i), EPHE_FIRST_KEY + 7), *root(100));
    EXPECT_EQ(gc_ephe_get(d, *root(i), EPHE_DATA), Val_long(i));
  }
  /* Their keys are looked after where they are now. */
  *root(100) = Val_unit;
  gc_full_major(d);
  for (int i = 1; i < 2 * PAIRS; i += 2) EXPECT(!gc_ephe_check(d, *root(i), EPHE_FIRST_KEY + 7));
}

static int64_t finalised;

static value make_custom(int i)
{
  value v = gc_alloc_custom(d, LARGE, true, 0, 1);
  if (v == 0) bac_fatal("no memory for a custom block");
  Field(v, 0) = (value)mock_count;
  Field(v, 1) = (value)&finalised;
  Field(v, LARGE - 1) = (value)i;
  return v;
}

TEST(custom_blocks_are_finalised_once)
{
  start();
  finalised = 0;
  make_holes(make_custom);
  EXPECT_EQ(finalised, PAIRS);
  EXPECT(slide_survivors() >= PAIRS / 2 - 1);
  EXPECT_EQ(finalised, PAIRS);
  for (int i = 1; i < 2 * PAIRS; i += 2) EXPECT_EQ(Field(*root(i), LARGE - 1), (value)i);
  for (int i = 0; i < 2 * PAIRS; i++) *root(i) = Val_unit;
  gc_full_major(d);
  EXPECT_EQ(finalised, 2 * PAIRS);
}

TEST(weak_arguments_of_finalisers)
{
  start();
  make_holes(make_string);
  for (int i = 1; i < 2 * PAIRS; i += 2) gc_finalise(d, true, Val_long(i), *root(i));
  slide_survivors();
  value all[2 * PAIRS], closure, arg;
  for (int i = 1; i < 2 * PAIRS; i += 2) all[i] = *root(i), *root(i) = Val_unit;
  gc_full_major(d);
  int n = 0;
  for (; gc_finaliser_take(d, &closure, &arg); n++, gc_finaliser_done(d)) EXPECT_EQ(arg, all[Long_val(closure)]);
  EXPECT_EQ(n, PAIRS);
}

TEST(nothing_moves_without_need)
{
  start();
  make_holes(make_string);
  value before[2 * PAIRS];
  for (int i = 0; i < 2 * PAIRS; i++) before[i] = *root(i);
  gc_compact(d);
  gc_compact_for(d, 3);
  for (int i = 0; i < 2 * PAIRS; i++) EXPECT_EQ(*root(i), before[i]);
}

UNIT_MAIN()
