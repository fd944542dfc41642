/* SPDX-License-Identifier: MIT */
/* Tests of src/heap, without the collector's decisions: size classes, blocks, slots and their
 * side bytes, large objects, sweeping, counts against a naive model. The heap is
 * started once for all tests; each leaves it empty. */
#include "unit.h"

#include "heap/heap.h"
#include "heap/nursery.h"
#include "os/os.h"

static struct allocator allocator;
static int dead_told;    /* calls of dead_object */

static void dead_object(value v, unsigned kind)
{
  EXPECT(heap_contains(v));
  EXPECT(kind == KIND_FINAL || kind == KIND_CONT);
  dead_told++;
}

static struct allocator *heap_started(void)
{
  if (bac_heap.base == 0) {
    const char *why = heap_init(0, 0, dead_object);
    if (why != NULL) bac_fatal("%s", why);
    allocator_init(&allocator);
  }
  return &allocator;
}

static void sweep_all(struct allocator *a)
{
  unsigned hint = 0;
  allocator_retire(a);
  heap_begin_sweep();
  while (heap_sweep_some(a, &hint) != 0) continue;
  EXPECT(heap_is_swept());
}

/* All that has the present colour dies. */
static void kill_all(struct allocator *a)
{
  bac_heap.colour = heap_other_colour();
  sweep_all(a);
}

static int64_t sum_objects(const struct heap_counts *c, int64_t *words, int64_t *blocks)
{
  int64_t objects = *words = *blocks = 0;
  for (unsigned k = 0; k < KINDS; k++)
    for (unsigned cls = 0; cls <= CLASSES; cls++) {
      const struct class_counts *one = cls < CLASSES ? &c->cls[k][cls] : &c->large[k];
      objects += one->objects;
      *words += one->words;
      *blocks += one->pools;
    }
  return objects;
}

static void expect_counts(struct allocator *a, int64_t objects, int64_t words)
{
  int64_t counted_words, blocks;
  allocator_count(a);
  EXPECT_EQ(sum_objects(&bac_heap.counts, &counted_words, &blocks), objects);
  EXPECT_EQ(counted_words, words);
  EXPECT_EQ(blocks, bac_heap.used_blocks);
  struct heap_figures now;
  heap_figures(&now, true);
  EXPECT_EQ(now.live_blocks, objects);
  EXPECT_EQ(now.live_words, words);
  EXPECT_EQ(now.heap_words, (bac_heap.used_blocks + bac_heap.dirty_blocks) * BLOCK_WORDS);
  EXPECT_EQ(now.heap_words, now.live_words + now.free_words + now.fragments);
  EXPECT(now.free_words <= now.heap_words && now.fragments <= now.heap_words && now.largest_free <= now.free_words);
  EXPECT((now.free_blocks == 0) == (now.free_words == 0) && (now.largest_free == 0) == (now.free_words == 0));
}

/* ---- Size classes ---- */

TEST(classes_grow_and_fit)
{
  heap_started();
  for (unsigned c = 0; c < CLASSES; c++) {
    EXPECT(class_slot_words[c] >= 2 && class_slot_words[c] <= SLOT_WORDS_MAX);
    EXPECT(c == 0 || class_slot_words[c] > class_slot_words[c - 1]);
  }
  EXPECT_EQ(class_slot_words[CLASSES - 1], SLOT_WORDS_MAX);
  for (size_t w = 1; w <= SLOT_WORDS_MAX; w++) {
    unsigned c = class_of_whsize(w);
    REQUIRE(c < CLASSES);
    EXPECT(class_slot_words[c] >= w);
    EXPECT(c == 0 || class_slot_words[c - 1] < w);   /* the least that fits */
  }
}

/* Slots of at most SIDE_SLACK_MAX words more, or the side byte says "ask the header". */
TEST(class_edges)
{
  struct allocator *a = heap_started();
  static const unsigned kinds[] = {KIND_SCAN, KIND_NOSCAN, KIND_FINAL, KIND_CONT, KIND_EPHE};
  int64_t objects = 0, words = 0;
  for (unsigned k = 0; k < countof(kinds); k++)
    for (unsigned c = 0; c < CLASSES; c++)
      for (int off = -1; off <= 1; off++) {
        size_t whsize = class_slot_words[c] + off;
        if (whsize < 2) continue;
        value v = heap_alloc(a, kinds[k], whsize - 1, 0);
        REQUIRE(v != 0);
        objects++;
        words += whsize;
        EXPECT_EQ(Wosize_val(v), whsize - 1);
        EXPECT_EQ(heap_kind(v), kinds[k] | (whsize > SLOT_WORDS_MAX ? KIND_LARGE : 0));
        EXPECT_EQ(object_colour(v, heap_kind(v)), heap_colour());
        if (whsize > SLOT_WORDS_MAX) continue;
        struct block *b = &bac_heap.block[block_index(v)];
        EXPECT_EQ(b->slot_words, class_slot_words[class_of_whsize(whsize)]);
        EXPECT_EQ(block_index(v), block_index(v + 8 * (whsize - 1) - 1));
        size_t slack = b->slot_words - whsize;
        if (kinds[k] != KIND_SCAN) EXPECT_EQ(*side_byte(Hp_val(v)) >> 2, min_size(slack, SIDE_SLACK_MAX));
      }
  expect_counts(a, objects, words);
  kill_all(a);
  expect_counts(a, 0, 0);
}

/* ---- Blocks ---- */

static void heap_return_memory(int64_t most_kept)
{
  heap_plan_return(most_kept);
  while (heap_return_some()) continue;
}

TEST(blocks_are_taken_lowest_first)
{
  heap_started();
  heap_return_memory(0);
  uint32_t a = heap_take_blocks(3, KIND_SCAN | KIND_LARGE, KIND_LARGE_REST);
  uint32_t b = heap_take_blocks(1, KIND_SCAN, KIND_SCAN);
  uint32_t c = heap_take_blocks(2, KIND_NOSCAN | KIND_LARGE, KIND_LARGE_REST);
  EXPECT(a < b && b < c);
  EXPECT_EQ(kind_of_block(a), KIND_SCAN | KIND_LARGE);
  EXPECT_EQ(kind_of_block(a + 2), KIND_LARGE_REST);
  EXPECT_EQ(kind_of_block(b), KIND_SCAN);
  heap_give_blocks(a, 3);
  EXPECT_EQ(kind_of_block(a + 1), KIND_FREE);
  EXPECT_EQ(heap_take_blocks(2, KIND_SCAN, KIND_SCAN), a);
  EXPECT(heap_take_blocks(2, KIND_SCAN, KIND_SCAN) > c);   /* one block is too short a gap */
  EXPECT_EQ(heap_take_blocks(1, KIND_SCAN, KIND_SCAN), a + 2);
  heap_give_blocks(a, c + 4 - a);
  EXPECT_EQ(bac_heap.used_blocks, 0);
  EXPECT_EQ(bac_heap.dirty_blocks, c + 4 - a);
  heap_return_memory(0);
  EXPECT_EQ(bac_heap.dirty_blocks, 0);
}

/* What was taken is likely to be taken again, with a quarter more; 64 blocks are always kept. */
TEST(memory_that_is_not_wanted_goes_back)
{
  heap_started();
  heap_return_memory(0);
  heap_return_memory(INT64_MAX);
  uint32_t a = heap_take_blocks(400, KIND_SCAN | KIND_LARGE, KIND_LARGE_REST);
  heap_give_blocks(a, 400);
  heap_return_memory(INT64_MAX);
  EXPECT_EQ(bac_heap.dirty_blocks, 400);
  a = heap_take_blocks(100, KIND_SCAN | KIND_LARGE, KIND_LARGE_REST);
  heap_give_blocks(a, 100);
  heap_return_memory(INT64_MAX);
  EXPECT_EQ(bac_heap.dirty_blocks, 64 + 125);
  a = heap_take_blocks(100, KIND_SCAN | KIND_LARGE, KIND_LARGE_REST);
  heap_give_blocks(a, 100);
  heap_return_memory(150);   /* but no more than the caller expects to be taken */
  EXPECT_EQ(bac_heap.dirty_blocks, 150);
  heap_return_memory(INT64_MAX);
  EXPECT_EQ(bac_heap.dirty_blocks, 64);
}

TEST(memory_goes_back_in_pieces)
{
  heap_started();
  heap_return_memory(0);
  uint32_t a = heap_take_blocks(300, KIND_SCAN | KIND_LARGE, KIND_LARGE_REST);
  heap_give_blocks(a, 300);
  heap_plan_return(0);
  EXPECT(heap_return_some());
  EXPECT_EQ(bac_heap.dirty_blocks, 300 - 128);
  EXPECT_EQ(heap_take_blocks(100, KIND_SCAN | KIND_LARGE, KIND_LARGE_REST), a);   /* what has been taken meanwhile stays */
  EXPECT(heap_return_some());
  EXPECT_EQ(bac_heap.dirty_blocks, 0);
  EXPECT(!heap_return_some());
  heap_give_blocks(a, 100);
  EXPECT(!heap_return_some());                             /* freed after the plan was made */
  EXPECT_EQ(bac_heap.dirty_blocks, 100);
}

/* What each block is thought to be, and the areas that follow. */
enum { MODEL_BLOCKS = 20000 };
static struct { bool memory, dirty; } model_block[MODEL_BLOCKS];

static void model_set(uint32_t first, uint32_t count, bool dirty)
{
  for (uint32_t i = first; i < first + count; i++) model_block[i].memory = true, model_block[i].dirty = dirty;
}

static void model_return(int64_t keep)
{
  int64_t dirty = 0;
  for (int i = 0; i < MODEL_BLOCKS; i++) dirty += model_block[i].dirty;
  for (int i = MODEL_BLOCKS; i-- > 0 && dirty > keep;)
    if (model_block[i].dirty) model_block[i].memory = model_block[i].dirty = false, dirty--;
}

static void expect_areas(void)
{
  uint64_t areas = 0, runs = 0, run = 0, longest = 0;
  for (int i = 0; i < MODEL_BLOCKS; i++) {
    areas += model_block[i].memory && (i == 0 || !model_block[i - 1].memory);
    runs += model_block[i].dirty && run == 0;
    run = model_block[i].dirty ? run + 1 : 0;
    if (run > longest) longest = run;
  }
  struct heap_figures now;
  heap_figures(&now, true);
  EXPECT_EQ(now.areas, areas);
  EXPECT_EQ(now.free_blocks, runs);
  EXPECT_EQ(now.largest_free, longest * BLOCK_WORDS);
}

/* Random takes and gives: runs never overlap, counts are right, returned memory is zero again. */
TEST(blocks_against_a_model)
{
  enum { RUNS = 60 };
  struct { uint32_t first, count; } run[RUNS] = {{0, 0}};
  int64_t used = 0;
  heap_started();
  heap_return_memory(0);
  for (int n = 0; n < 4000; n++) {
    int i = rng_below(&unit_rng, RUNS);
    if (run[i].count != 0) {
      for (uint32_t b = 0; b < run[i].count; b++) EXPECT_EQ(*block_start(run[i].first + b), (header_t)i + 1);
      heap_give_blocks(run[i].first, run[i].count);
      model_set(run[i].first, run[i].count, true);
      used -= run[i].count;
      run[i].count = 0;
    } else {
      uint32_t count = 1 + rng_below(&unit_rng, rng_below(&unit_rng, 10) == 0 ? 200 : 4);
      uint32_t first = heap_take_blocks(count, KIND_SCAN | KIND_LARGE, KIND_LARGE_REST);
      REQUIRE(first != NO_BLOCK);
      run[i].first = first;
      run[i].count = count;
      REQUIRE(first + count <= MODEL_BLOCKS);
      model_set(first, count, false);
      used += count;
      for (uint32_t b = 0; b < count; b++) *block_start(first + b) = (header_t)i + 1;
    }
    EXPECT_EQ(bac_heap.used_blocks, used);
    EXPECT(bac_heap.top_blocks >= bac_heap.used_blocks + bac_heap.dirty_blocks);
    if (n % 20 == 0) expect_areas();
    if (n % 100 != 0) continue;
    heap_return_memory(rng_below(&unit_rng, 2) != 0);
    model_return(bac_heap.dirty_blocks);
    expect_areas();
  }
  for (int i = 0; i < RUNS; i++)
    if (run[i].count != 0) heap_give_blocks(run[i].first, run[i].count);
  EXPECT_EQ(bac_heap.used_blocks, 0);
  heap_return_memory(0);
  EXPECT_EQ(*block_start(0), 0);
}

TEST(too_many_blocks)
{
  heap_started();
  uint32_t most = bac_heap.limit;
  EXPECT_EQ(heap_take_blocks(most + 1, KIND_SCAN | KIND_LARGE, KIND_LARGE_REST), NO_BLOCK);
  EXPECT_EQ(heap_take_blocks(NO_BLOCK - 1, KIND_SCAN | KIND_LARGE, KIND_LARGE_REST), NO_BLOCK);
  EXPECT_EQ(heap_alloc(&allocator, KIND_SCAN, Max_wosize, 0), 0);
  EXPECT_EQ(heap_alloc(&allocator, KIND_NOSCAN, (mlsize_t)NO_BLOCK * BLOCK_WORDS, 0), 0);
  EXPECT_EQ(bac_heap.used_blocks, 0);
}

/* ---- Objects ---- */

TEST(large_object_edges)
{
  struct allocator *a = heap_started();
  for (int blocks = 1; blocks <= 4; blocks++)
    for (int off = -1; off <= 1; off++) {
      size_t whsize = (size_t)blocks * BLOCK_WORDS + off;
      value v = heap_alloc(a, KIND_SCAN, whsize - 1, 0);
      REQUIRE(v != 0);
      EXPECT_EQ(bac_heap.block[block_index(v)].blocks, blocks + (off > 0));
      EXPECT_EQ(Hp_val(v) - block_start(block_index(v)), 0);
      Field(v, whsize - 2) = Val_unit;
      expect_counts(a, 1, whsize);
      kill_all(a);
      expect_counts(a, 0, 0);
    }
}

/* Random objects live and die; what the heap shows by a walk and by its counters is what the model says. */
struct model { value v[3000]; size_t whsize[3000]; };

static bool count_object(value v, uint8_t kind, void *arg)
{
  int64_t *sum = arg;
  sum[0]++;
  sum[1] += Whsize_hd(Hd_val(v));
  EXPECT_EQ(object_colour(v, kind), heap_colour());
  return true;
}

static void expect_walk(struct allocator *a, int64_t objects, int64_t words)
{
  int64_t sum[2] = {0, 0};
  allocator_count(a);
  allocator_seal(a);
  for (uint32_t i = 0; i < bac_heap.committed; i++) heap_walk_block(i, count_object, sum);
  EXPECT_EQ(sum[0], objects);
  EXPECT_EQ(sum[1], words);
  expect_counts(a, objects, words);
}

static void object_set_colour(value v, uint8_t kind, header_t colour)
{
  if ((kind & 0xf) == KIND_SCAN) {
    header_set_colour(Hp_val(v), Hd_val(v), colour);
  } else {
    uint8_t *side = side_byte(Hp_val(v));
    store_relaxed(side, (uint8_t)((load_relaxed(side) & ~SIDE_COLOUR) | side_colour(colour)));
  }
}

TEST(objects_against_a_model)
{
  static struct model m;
  struct allocator *a = heap_started();
  int64_t objects = 0, words = 0;
  memset(&m, 0, sizeof m);
  for (int round = 0; round < 12; round++) {
    for (size_t i = 0; i < countof(m.v); i++) {
      if (m.v[i] != 0 || rng_below(&unit_rng, 3) == 0) continue;
      m.whsize[i] = 2 + rng_below(&unit_rng, rng_below(&unit_rng, 50) == 0 ? 30000 : 100);
      m.v[i] = heap_alloc(a, KIND_SCAN + rng_below(&unit_rng, KINDS - 1), m.whsize[i] - 1, i % 200);
      REQUIRE(m.v[i] != 0);
      Field(m.v[i], 0) = Val_long(i);
      objects++;
      words += m.whsize[i];
    }
    expect_walk(a, objects, words);
    /* A cycle: what is to live gets the new colour. */
    int told = dead_told, to_tell = 0;
    bac_heap.colour = heap_other_colour();
    for (size_t i = 0; i < countof(m.v); i++) {
      if (m.v[i] == 0) continue;
      uint8_t kind = heap_kind(m.v[i]);
      if (rng_below(&unit_rng, 10) < (uint64_t)round % 10) {
        object_set_colour(m.v[i], kind, heap_colour());
        heap_note_seen(bac_heap.seen, block_index(m.v[i]), side_colour(heap_colour()));
        continue;
      }
      to_tell += (kind & 0xf) == KIND_FINAL || (kind & 0xf) == KIND_CONT;
      objects--;
      words -= m.whsize[i];
      m.v[i] = 0;
    }
    sweep_all(a);
    EXPECT_EQ(dead_told - told, to_tell);
    expect_walk(a, objects, words);
    for (size_t i = 0; i < countof(m.v); i++)
      if (m.v[i] != 0) EXPECT(Field(m.v[i], 0) == Val_long(i) && Tag_val(m.v[i]) == i % 200 && Wosize_val(m.v[i]) == m.whsize[i] - 1);
  }
  kill_all(a);
  expect_walk(a, 0, 0);
  EXPECT_EQ(bac_heap.used_blocks, 0);
}

/* ---- Nurseries ---- */

TEST(nursery_slots)
{
  enum { SLOTS = 4, WORDS = 4096 };
  value *start[SLOTS], *end[SLOTS];
  REQUIRE(nursery_init(SLOTS, WORDS));
  EXPECT(nursery_max_words() >= WORDS);
  for (int i = 0; i < SLOTS; i++) {
    REQUIRE(nursery_commit(i, WORDS + (size_t)i * 1000, &start[i], &end[i]));
    EXPECT((size_t)(end[i] - start[i]) >= WORDS + (size_t)i * 1000);
    EXPECT(nursery_contains((value)start[i]) && nursery_contains((value)(end[i] - 1)));
    EXPECT(i == 0 || start[i] >= end[i - 1]);
    start[i][0] = end[i][-1] = Val_long(i);
  }
  EXPECT(!nursery_contains((value)end[SLOTS - 1]));
  EXPECT(!is_young_block(Val_unit));
  EXPECT(!nursery_commit(0, nursery_max_words() + os_page_size(), &start[0], &end[0]));
  nursery_release(1, start[1], end[1]);
  REQUIRE(nursery_commit(1, 2 * WORDS, &start[1], &end[1]));
  EXPECT_EQ(end[1][-1], 0);
  EXPECT_EQ(start[2][0], Val_long(2));
}

UNIT_MAIN()
