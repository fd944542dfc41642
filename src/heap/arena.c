/* SPDX-License-Identifier: MIT */
/* The arena: address space, blocks, and memory given back.
 *
 * Blocks are handed out lowest address first, so that the heap stays together
 * and its upper end falls free. A scan of the kind table finds them: a byte
 * for 64 KiB, so a gigabyte of heap is 16 KiB of table. A freed block keeps its memory
 * ("dirty") until heap_return_some: most are wanted again soon. */
#include "heap/heap.h"
#include "os/os.h"

struct heap bac_heap;

/* The arena asks for much address space, and for less where it may not have it. */
static const size_t ARENA_BYTES_MAX = (size_t)512 << 30;
static const size_t ARENA_BYTES_MIN = (size_t)16 << 20;

/* Bytes of tables for one block; its two bits count as a byte. */
enum { TABLE_BYTES_PER_BLOCK = 3 + sizeof(struct block) + (BLOCK_BYTES >> SIDE_SHIFT) };

static size_t arena_wanted_bytes(size_t nursery_bytes, size_t heap_bytes)
{
  size_t limit = os_address_space_limit();
  if (limit == SIZE_MAX) return ARENA_BYTES_MAX;
  /* Under ulimit -v: three quarters of what the nursery leaves; the rest is for the C heap, stacks, libraries. */
  size_t left = limit > nursery_bytes ? limit - nursery_bytes : 0;
  size_t bytes = left / 4 * 3 / (BLOCK_BYTES + TABLE_BYTES_PER_BLOCK) * BLOCK_BYTES;
  if (heap_bytes != 0) bytes = min_size(bytes, align_up(heap_bytes, BLOCK_BYTES));
  return min_size(max_size(bytes, ARENA_BYTES_MIN), ARENA_BYTES_MAX);
}

static bool arena_reserve(size_t bytes)
{
  struct heap *h = &bac_heap;
  size_t blocks = bytes >> BLOCK_SHIFT, page = os_page_size();
  size_t kind_bytes = align_up(blocks, page), map_bytes = align_up(blocks / 8, page);
  size_t block_bytes = align_up(blocks * sizeof(struct block), page);
  size_t side_bytes = bytes >> SIDE_SHIFT;
  size_t small = 2 * kind_bytes + 2 * map_bytes, tables = small + block_bytes + side_bytes;
  char *arena = os_reserve(bytes, (size_t)2 << 20);
  if (arena == NULL) return false;
  char *table = os_reserve(tables, page);
  if (table == NULL || !os_commit(table, small)) {
    if (table != NULL) os_unreserve(table, tables);
    os_unreserve(arena, bytes);
    return false;
  }
  h->base = (uintnat)arena;
  h->bytes = bytes;
  h->kind = (uint8_t *)table;
  h->table_bytes = tables;
  h->memory = (uint64_t *)(table + kind_bytes);
  h->dirty = (uint64_t *)(table + kind_bytes + map_bytes);
  h->seen = (uint8_t *)table + kind_bytes + 2 * map_bytes;
  h->block = (struct block *)(table + small);
  h->side = (uint8_t *)table + small + block_bytes;
  h->limit = blocks;
  return true;
}

void heap_fini(void)
{
  struct heap *h = &bac_heap;
  os_unreserve((void *)h->base, h->bytes);
  os_unreserve(h->kind, h->table_bytes);
  h->bytes = h->table_bytes = 0;
}

static void class_pools_init(struct class_pools *p)
{
  p->lock = (struct lock)LOCK_INIT(RANK_POOLS);
  p->unswept = p->full = NO_BLOCK;
  for (int i = 0; i < PARTIAL_LISTS; i++) p->partial[i] = NO_BLOCK;
}

const char *heap_init(size_t nursery_bytes, size_t heap_bytes, dead_object_fn dead)
{
  struct heap *h = &bac_heap;
  size_t bytes = align_down(arena_wanted_bytes(nursery_bytes, heap_bytes), (size_t)ARENA_STEP_BLOCKS << BLOCK_SHIFT);
  while (!arena_reserve(bytes)) {
    bytes = align_down(bytes / 2, (size_t)ARENA_STEP_BLOCKS << BLOCK_SHIFT);
    if (bytes < ARENA_BYTES_MIN) return "no address space for the heap";
  }
  h->lock = (struct lock)LOCK_INIT(RANK_ARENA);
  h->large_lock = (struct lock)LOCK_INIT(RANK_LARGE);
  h->large = h->large_unswept = NO_BLOCK;
  h->colour = COLOUR_A;
  h->dead = dead;
  h->max_blocks = h->limit;
  for (int k = 0; k < KINDS; k++)
    for (int c = 0; c < CLASSES; c++) class_pools_init(&h->pools[k][c]);
  unsigned c = 0;
  for (size_t w = 0; w <= SLOT_WORDS_MAX; w++) {
    if (w > class_slot_words[c]) c++;
    class_of_whsize_[w] = c;
  }
  return NULL;
}

/* Free blocks that keep their memory whatever happens. */
enum { SPARE_BLOCKS = 64 };

void heap_set_growth(size_t percent, size_t blocks)
{
  store_relaxed(&bac_heap.growth_percent, percent);
  store_relaxed(&bac_heap.growth_blocks, blocks);
}

/* What major_heap_increment wants. Percentages above 1000 and sizes above the arena's need not be told apart. */
static uint32_t arena_growth_wanted(void)
{
  struct heap *h = &bac_heap;
  size_t percent = min_size(load_relaxed(&h->growth_percent), 1000);
  size_t wanted = max_size(h->committed * percent / 100, load_relaxed(&h->growth_blocks));
  return (uint32_t)min_size(wanted, h->limit - h->committed);
}

/* [lock:arena] */
static bool arena_commit_more(uint32_t blocks)
{
  struct heap *h = &bac_heap;
  uint32_t more = align_up(blocks, ARENA_STEP_BLOCKS), from = h->committed;
  if (more > h->limit - from) more = h->limit - from;
  if (more < blocks) return false;
  if (!os_commit(block_start(from), (size_t)more << BLOCK_SHIFT)) return false;
  if (!os_commit(&h->block[from], more * sizeof(struct block))) return false;
  if (!os_commit(side_byte(block_start(from)), (size_t)more << (BLOCK_SHIFT - SIDE_SHIFT))) return false;
  if (h->huge_pages) os_hint_huge(block_start(from), (size_t)more << BLOCK_SHIFT);
  h->committed = from + more;
  return true;
}

/* Makes at least [blocks] more blocks usable. [lock:arena] */
static bool arena_grow(uint32_t blocks)
{
  uint32_t wanted = arena_growth_wanted();
  return (wanted > blocks && arena_commit_more(wanted)) || arena_commit_more(blocks);
}

/* The first run of [count] free blocks below committed, or committed minus the free blocks at its end. [lock:arena] */
static uint32_t arena_find_run(uint32_t count)
{
  struct heap *h = &bac_heap;
  uint32_t i = h->first_free;
  while (i < h->committed) {
    uint8_t *free = memchr(h->kind + i, KIND_FREE, h->committed - i);
    if (free == NULL) return h->committed;
    uint32_t start = free - h->kind, end = start + 1;
    while (end < h->committed && end - start < count && h->kind[end] == KIND_FREE) end++;
    if (end - start == count || end == h->committed) return start;
    i = end;
  }
  return h->committed;
}

static inline void bit_set(uint64_t *map, uint32_t i) { map[i / 64] |= (uint64_t)1 << i % 64; }
static inline void bit_clear(uint64_t *map, uint32_t i) { map[i / 64] &= ~((uint64_t)1 << i % 64); }

/* Memory of free blocks goes back to the system, with their part of the side table, which is all zero. [lock:arena] */
static void arena_decommit(uint32_t first, uint32_t end)
{
  struct heap *h = &bac_heap;
  os_decommit(block_start(first), (size_t)(end - first) << BLOCK_SHIFT);
  os_decommit(side_byte(block_start(first)), (size_t)(end - first) << (BLOCK_SHIFT - SIDE_SHIFT));
  for (uint32_t i = first; i < end; i++) {
    bit_clear(h->dirty, i);
    bit_clear(h->memory, i);
  }
  store_relaxed(&h->dirty_blocks, h->dirty_blocks - (end - first));
}

/* The last of the blocks below [end] that are free and have memory, plus 1; 0: none. */
static uint32_t arena_last_dirty(uint32_t end)
{
  while (end > 0 && !block_bit(bac_heap.dirty, end - 1)) end -= end % 64 == 0 && bac_heap.dirty[end / 64 - 1] == 0 ? 64 : 1;
  return end;
}

/* Gives back the memory of [count] free blocks, which is there. From the top down: low blocks are taken first, so they are the ones
 * to keep. [lock:arena] */
static void arena_return(int64_t count)
{
  for (uint32_t end = bac_heap.committed; count > 0;) {
    uint32_t start = end = arena_last_dirty(end);
    while (start > 0 && block_bit(bac_heap.dirty, start - 1) && end - start < count) start--;
    arena_decommit(start, end);
    count -= end - start;
    end = start;
  }
}

/* Free blocks that have memory count against the limit like those in use. [lock:arena] */
static void arena_stay_below_limit(void)
{
  struct heap *h = &bac_heap;
  int64_t room = load_relaxed(&h->max_blocks) - h->used_blocks;
  if (h->dirty_blocks > 0 && h->dirty_blocks > room) arena_return(h->dirty_blocks - (room > 0 ? room / 2 : 0));
}

static void arena_note_top(void)
{
  struct heap *h = &bac_heap;
  int64_t now = h->used_blocks + h->dirty_blocks;
  if (now > h->top_blocks) store_relaxed(&h->top_blocks, now);
}

/* The [count] free blocks from [first] on. [lock:arena] */
static void arena_take(uint32_t first, uint32_t count, uint8_t first_kind, uint8_t rest_kind)
{
  struct heap *h = &bac_heap;
  if (first == h->first_free) h->first_free = first + count;
  int64_t dirty = 0;
  for (uint32_t i = first; i < first + count; i++) {
    dirty += block_bit(h->dirty, i);
    bit_clear(h->dirty, i);
    bit_set(h->memory, i);
    store_relaxed(&h->kind[i], i == first ? first_kind : rest_kind);
  }
  h->block[first].blocks = count;
  h->taken_blocks += count;
  store_relaxed(&h->used_blocks, h->used_blocks + count);
  store_relaxed(&h->dirty_blocks, h->dirty_blocks - dirty);
  arena_stay_below_limit();
  arena_note_top();
}

uint32_t heap_take_blocks(uint32_t count, uint8_t first_kind, uint8_t rest_kind)
{
  struct heap *h = &bac_heap;
  uint32_t first = NO_BLOCK;
  lock_acquire(&h->lock);
  size_t before = h->committed;
  if (count <= (h->collecting ? h->limit : load_relaxed(&h->max_blocks)) - h->used_blocks) {
    uint32_t at = arena_find_run(count);
    if (at + (uint64_t)count <= h->committed || arena_grow(at + count - h->committed)) first = at;
  }
  if (first != NO_BLOCK) arena_take(first, count, first_kind, rest_kind);
  size_t now = h->committed;
  lock_release(&h->lock);
  if (unlikely(now != before) && h->grew != NULL) h->grew(now << BLOCK_SHIFT);
  return first;
}

uint32_t heap_take_blocks_below(uint32_t end, uint32_t count, uint8_t first_kind, uint8_t rest_kind)
{
  lock_acquire(&bac_heap.lock);
  uint32_t first = arena_find_run(count);
  if (first + (uint64_t)count > end) first = NO_BLOCK;
  if (first != NO_BLOCK) arena_take(first, count, first_kind, rest_kind);
  lock_release(&bac_heap.lock);
  return first;
}

bool heap_has_run(uint32_t count)
{
  lock_acquire(&bac_heap.lock);
  uint64_t end = arena_find_run(count) + (uint64_t)count;
  lock_release(&bac_heap.lock);
  return end <= bac_heap.limit;
}

void heap_give_blocks(uint32_t first, uint32_t count)
{
  struct heap *h = &bac_heap;
  lock_acquire(&h->lock);
  for (uint32_t i = first; i < first + count; i++) {
    bit_set(h->dirty, i);
    store_relaxed(&h->kind[i], KIND_FREE);
  }
  if (first < h->first_free) h->first_free = first;
  store_relaxed(&h->used_blocks, h->used_blocks - count);
  store_relaxed(&h->dirty_blocks, h->dirty_blocks + count);
  lock_release(&h->lock);
}

/* A piece takes a millisecond. */
enum { RETURN_BLOCKS = 128 };

void heap_plan_return(int64_t most_kept)
{
  struct heap *h = &bac_heap;
  lock_acquire(&h->lock);
  int64_t keep = SPARE_BLOCKS + h->taken_blocks + h->taken_blocks / 4;
  if (keep > most_kept) keep = most_kept;
  store_relaxed(&h->surplus_blocks, h->dirty_blocks > keep ? h->dirty_blocks - keep : 0);
  h->taken_blocks = 0;
  lock_release(&h->lock);
}

bool heap_return_some(void)
{
  struct heap *h = &bac_heap;
  if (load_relaxed(&h->surplus_blocks) == 0) return false;
  lock_acquire(&h->lock);
  int64_t surplus = h->surplus_blocks < h->dirty_blocks ? h->surplus_blocks : h->dirty_blocks;
  int64_t piece = surplus < RETURN_BLOCKS ? surplus : RETURN_BLOCKS;
  arena_return(piece);
  store_relaxed(&h->surplus_blocks, surplus - piece);
  lock_release(&h->lock);
  return piece != 0;
}
