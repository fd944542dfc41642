/* SPDX-License-Identifier: MIT */
/* Pools: blocks cut into equal slots, and the allocators that fill them.
 *
 * A domain owns one current pool for each kind and class that it uses, and
 * cuts objects off one run of free slots at a time. All other pools belong to
 * the lists of their class, so nothing is to be handed over when a domain ends.
 * Pools are taken fullest first: the emptiest get the time to become free. */
#include "heap/heap.h"

#include "base/fault.h"

/* Exact up to EXACT_WORDS_MAX words, then steps of an eighth of the size, then what divides a block evenly. */
const uint16_t class_slot_words[CLASSES] = {
    2,   3,   4,   5,   6,   7,   8,   9,   10,  11,  12,  13,   14,   15,   16,   18,
    20,  22,  24,  26,  28,  30,  32,  36,  40,  44,  48,  52,   56,   60,   64,   72,
    80,  88,  96,  104, 112, 120, 128, 144, 160, 176, 192, 208,  224,  240,  256,  292,
    341, 390, 455, 512, 585, 682, 744, 819, 910, 1024, 1170, 1365, 1638, 2730, 4096};
uint8_t class_of_whsize_[SLOT_WORDS_MAX + 1];

/* ---- Lists ---- */

void pool_list_push(uint32_t *list, uint32_t i)
{
  bac_heap.block[i].next = *list;
  store_relaxed(list, i);
}

uint32_t pool_list_pop(uint32_t *list)
{
  uint32_t i = *list;
  if (i != NO_BLOCK) store_relaxed(list, bac_heap.block[i].next);
  return i;
}

static unsigned pool_partial_index(const struct block *b)
{
  unsigned free_quarters = (b->slots - b->live) * PARTIAL_LISTS / b->slots;
  return free_quarters < PARTIAL_LISTS ? free_quarters : PARTIAL_LISTS - 1;
}

void pool_file(struct allocator *a, uint32_t i)
{
  struct block *b = &bac_heap.block[i];
  unsigned kind = bac_heap.kind[i];
  if (b->live == 0) {
    a->counts.cls[kind][b->cls].pools--;
    counts_tell(a, kind, b->cls);
    if (!FAULT(leaked_block)) heap_give_blocks(i, 1);
    return;
  }
  struct class_pools *p = &bac_heap.pools[kind][b->cls];
  lock_acquire(&p->lock);
  pool_list_push(b->live == b->slots ? &p->full : &p->partial[pool_partial_index(b)], i);
  lock_release(&p->lock);
}

/* ---- Sweeping one pool ---- */

/* What a pass over a pool builds: the list of free runs, in address order. */
struct run_builder {
  header_t **link;    /* where the next run's address goes */
  header_t *run;      /* the open run, NULL: none */
  size_t slots;       /* of the open run */
};

static inline void run_extend(struct run_builder *r, header_t *at, size_t slots)
{
  if (r->run == NULL) {
    r->run = at;
    r->slots = 0;
  }
  r->slots += slots;
}

static inline void run_close(struct run_builder *r)
{
  if (r->run == NULL) return;
  *r->run = free_run_header(r->slots);
  *r->link = r->run;
  r->link = free_run_next(r->run);
  r->run = NULL;
}

struct sweep_result { size_t live, dead, dead_words; };

static struct sweep_result sweep_scan_pool(struct block *b, header_t *start, struct run_builder *r)
{
  struct sweep_result out = {0, 0, 0};
  size_t slot = b->slot_words;
  header_t dead = heap_other_colour(), *end = start + (size_t)b->slots * slot;
  for (header_t *p = start; p < end;) {
    header_t hd = load_relaxed(p);
    if (is_free_run(hd)) {
      size_t n = free_run_slots(hd);
      run_extend(r, p, n);
      p += n * slot;
    } else if (Colour_hd(hd) == dead) {
      out.dead++;
      out.dead_words += Whsize_hd(hd);
      run_extend(r, p, 1);
      p += slot;
    } else {
      out.live++;
      run_close(r);
      p += slot;
    }
  }
  return out;
}

static size_t side_object_words(uint8_t side, header_t *hp, size_t slot)
{
  size_t slack = side >> 2;
  return slack == SIDE_SLACK_MAX ? Whsize_hd(*hp) : slot - slack;
}

static struct sweep_result sweep_side_pool(struct block *b, unsigned kind, header_t *start, struct run_builder *r)
{
  struct sweep_result out = {0, 0, 0};
  size_t slot = b->slot_words;
  uint8_t dead = side_colour(heap_other_colour());
  bool tell = kind == KIND_FINAL || kind == KIND_CONT;
  header_t *p = start;
  for (unsigned i = 0; i < b->slots; i++, p += slot) {
    uint8_t *side = side_byte(p);
    if (*side != 0 && (*side & SIDE_COLOUR) != dead) {
      out.live++;
      run_close(r);
      continue;
    }
    if (*side != 0) {
      out.dead++;
      out.dead_words += side_object_words(*side, p, slot);
      if (tell) bac_heap.dead(Val_hp(p), kind);
      *side = 0;
    }
    run_extend(r, p, 1);
  }
  return out;
}

/* All of the pool becomes one free run. */
static void pool_clear(struct block *b, header_t *start)
{
  b->live = 0;
  b->free_run = start;
  *start = free_run_header(b->slots);
  *free_run_next(start) = NULL;
}

/* Nothing in the pool was marked, and how many words it holds is known, so nobody needs to look at what dies. */
static bool pool_is_dead(const struct block *b, uint32_t i, unsigned kind)
{
  return load_relaxed(&bac_heap.seen[i]) != side_colour(heap_colour()) && b->slot_words <= EXACT_WORDS_MAX &&
         (kind == KIND_SCAN || kind == KIND_NOSCAN);
}

static struct sweep_result sweep_dead_pool(struct block *b, unsigned kind, header_t *start)
{
  struct sweep_result out = {0, b->live, (size_t)b->live * b->slot_words};
  if (kind == KIND_NOSCAN) memset(side_byte(start), 0, BLOCK_BYTES >> SIDE_SHIFT);
  pool_clear(b, start);
  return out;
}

static struct sweep_result sweep_mixed_pool(struct block *b, unsigned kind, header_t *start)
{
  struct run_builder r = {&b->free_run, NULL, 0};
  struct sweep_result out = kind == KIND_SCAN ? sweep_scan_pool(b, start, &r) : sweep_side_pool(b, kind, start, &r);
  run_close(&r);
  *r.link = NULL;
  b->live = out.live;
  return out;
}

/* What sweeping a large object or a dead pool costs, in words of a pool. */
enum { LOOKLESS_SWEEP_WORDS = 256 };

/* Frees the dead objects of pool i, which nobody else can see, and counts them in [a]. Answers what it cost, in words. */
static size_t pool_sweep(struct allocator *a, uint32_t i)
{
  struct block *b = &bac_heap.block[i];
  unsigned kind = bac_heap.kind[i];
  header_t *start = block_start(i);
  bool dead = pool_is_dead(b, i, kind);
  struct sweep_result res = dead ? sweep_dead_pool(b, kind, start) : sweep_mixed_pool(b, kind, start);
  struct class_counts *c = &a->counts.cls[kind][b->cls];
  c->objects -= res.dead;
  c->words -= res.dead_words;
  counts_tell(a, kind, b->cls);
  add_relaxed(&bac_heap.swept_words, res.dead_words);
  add_relaxed(&bac_heap.sweep_done, BLOCK_WORDS);
  sub_seq(&bac_heap.unswept, 1);
  return dead ? LOOKLESS_SWEEP_WORDS : BLOCK_WORDS;
}

/* ---- Allocators ---- */

void allocator_init(struct allocator *a)
{
  memset(a, 0, sizeof *a);
  for (int k = 0; k < KINDS; k++)
    for (int c = 0; c < CLASSES; c++) a->pool[k][c] = NO_BLOCK;
}

static void bump_count(struct allocator *a, unsigned kind, unsigned cls)
{
  struct bump *b = &a->bump[kind][cls];
  if (b->next == b->counted) return;
  size_t words = b->next - b->counted, objects = words / class_slot_words[cls];
  struct class_counts *c = &a->counts.cls[kind][cls];
  c->objects += objects;
  c->words += words - b->slack;
  bac_heap.block[a->pool[kind][cls]].live += objects;
  b->counted = b->next;
  b->slack = 0;
}

#define for_each_class(kind, cls)           \
  for (unsigned kind = 1; kind < KINDS; kind++) \
    for (unsigned cls = 0; cls < CLASSES; cls++)

void allocator_count(struct allocator *a)
{
  for_each_touched_class(a, kind, cls) bump_count(a, kind, cls);
  counts_tell_all(a);
}

static void bump_seal(struct bump *b, unsigned cls)
{
  if (b->next != b->end) {
    *b->next = free_run_header((b->end - b->next) / class_slot_words[cls]);
    *free_run_next(b->next) = NULL;
  }
}

void allocator_seal(struct allocator *a)
{
  for_each_class(kind, cls) bump_seal(&a->bump[kind][cls], cls);
}

static void bump_set(struct bump *b, header_t *run, unsigned cls)
{
  b->next = b->counted = run;
  b->end = run == NULL ? NULL : run + free_run_slots(*run) * class_slot_words[cls];
  b->slack = 0;
}

/* The tail of the current run becomes a run of its pool again. */
static void bump_put_back(struct allocator *a, unsigned kind, unsigned cls)
{
  struct bump *b = &a->bump[kind][cls];
  bump_count(a, kind, cls);
  if (b->next != b->end) {
    struct block *pool = &bac_heap.block[a->pool[kind][cls]];
    bump_seal(b, cls);
    *free_run_next(b->next) = pool->free_run;
    pool->free_run = b->next;
  }
  bump_set(b, NULL, cls);
}

/* The current pool goes to the lists. */
static void pool_leave(struct allocator *a, unsigned kind, unsigned cls)
{
  uint32_t i = a->pool[kind][cls];
  a->pool[kind][cls] = NO_BLOCK;
  heap_note_seen(bac_heap.seen, i, side_colour(heap_colour()));
  pool_file(a, i);
}

void allocator_retire(struct allocator *a)
{
  for_each_class(kind, cls) {
    uint32_t i = a->pool[kind][cls];
    if (i == NO_BLOCK) continue;
    bump_put_back(a, kind, cls);
    pool_leave(a, kind, cls);
  }
  counts_tell_all(a);
}

static uint32_t pool_create(struct allocator *a, unsigned kind, unsigned cls)
{
  uint32_t i = heap_take_blocks(1, kind, kind);
  if (i == NO_BLOCK) return NO_BLOCK;
  struct block *b = &bac_heap.block[i];
  b->cls = cls;
  b->slot_words = class_slot_words[cls];
  b->slots = BLOCK_WORDS / b->slot_words;
  pool_clear(b, block_start(i));
  a->counts.cls[kind][cls].pools++;
  return i;
}

/* How many unswept pools without room an allocation looks at before it takes a fresh block: it
 * bounds the pause, and the slices sweep the rest. */
enum { SWEEPS_PER_REFILL = 32 };

/* Finalisers are foreign code, which may even change the roots: they wait while objects are being copied. */
static uint32_t pool_from_unswept(struct allocator *a, struct class_pools *p, unsigned kind)
{
  if (kind == KIND_FINAL && bac_heap.collecting) return NO_BLOCK;
  for (int n = 0; n < SWEEPS_PER_REFILL && load_relaxed(&p->unswept) != NO_BLOCK; n++) {
    lock_acquire(&p->lock);
    uint32_t i = pool_list_pop(&p->unswept);
    lock_release(&p->lock);
    if (i == NO_BLOCK) return NO_BLOCK;
    pool_sweep(a, i);
    if (bac_heap.block[i].free_run != NULL) return i;
    pool_file(a, i);
  }
  return NO_BLOCK;
}

static uint32_t pool_from_partial(struct class_pools *p)
{
  uint32_t i = NO_BLOCK;
  lock_acquire(&p->lock);
  for (int q = 0; q < PARTIAL_LISTS && i == NO_BLOCK; q++) i = pool_list_pop(&p->partial[q]);
  lock_release(&p->lock);
  return i;
}

header_t *allocator_refill(struct allocator *a, unsigned kind, unsigned cls)
{
  struct bump *b = &a->bump[kind][cls];
  uint32_t i = a->pool[kind][cls];
  if (i != NO_BLOCK) {
    bump_count(a, kind, cls);
    bump_set(b, NULL, cls);
    if (bac_heap.block[i].free_run == NULL) {
      counts_tell(a, kind, cls);
      pool_leave(a, kind, cls);
      i = NO_BLOCK;
    }
  }
  if (i == NO_BLOCK) {
    struct class_pools *p = &bac_heap.pools[kind][cls];
    i = pool_from_unswept(a, p, kind);
    if (i == NO_BLOCK) i = pool_from_partial(p);
    if (i == NO_BLOCK && !bac_heap.compacting) i = pool_create(a, kind, cls);
    if (i == NO_BLOCK) return NULL;
    a->pool[kind][cls] = i;
    a->touched[kind] |= (uint64_t)1 << cls;
  }
  struct block *pool = &bac_heap.block[i];
  header_t *run = pool->free_run;
  pool->free_run = *free_run_next(run);
  bump_set(b, run, cls);
  return run;
}

/* ---- Large objects ---- */

header_t *heap_alloc_large(struct allocator *a, size_t whsize, unsigned kind)
{
  size_t blocks = div_up(whsize, BLOCK_WORDS);
  if (blocks >= NO_BLOCK) return NULL;
  uint32_t i = heap_take_blocks(blocks, kind | KIND_LARGE, KIND_LARGE_REST);
  if (i == NO_BLOCK) return NULL;
  struct class_counts *c = &a->counts.large[kind];
  c->pools += blocks;
  c->objects++;
  c->words += whsize;
  counts_tell(a, kind, CLASSES);
  lock_acquire(&bac_heap.large_lock);
  pool_list_push(&bac_heap.large, i);
  lock_release(&bac_heap.large_lock);
  return block_start(i);
}

static void large_free(struct allocator *a, uint32_t i, unsigned kind)
{
  header_t *hp = block_start(i);
  uint32_t blocks = bac_heap.block[i].blocks;
  struct class_counts *c = &a->counts.large[kind];
  if (kind == KIND_FINAL || kind == KIND_CONT) bac_heap.dead(Val_hp(hp), kind);
  c->pools -= blocks;
  c->objects--;
  c->words -= Whsize_hd(*hp);
  counts_tell(a, kind, CLASSES);
  add_relaxed(&bac_heap.swept_words, Whsize_hd(*hp));
  *side_byte(hp) = 0;
  heap_give_blocks(i, blocks);
}

/* False: none is left. */
static bool large_sweep_one(struct allocator *a)
{
  struct heap *h = &bac_heap;
  if (load_relaxed(&h->large_unswept) == NO_BLOCK) return false;
  lock_acquire(&h->large_lock);
  uint32_t i = pool_list_pop(&h->large_unswept);
  lock_release(&h->large_lock);
  if (i == NO_BLOCK) return false;
  unsigned kind = h->kind[i] & ~KIND_LARGE;
  if (object_colour(Val_hp(block_start(i)), kind) == heap_other_colour()) {
    large_free(a, i, kind);
  } else {
    lock_acquire(&h->large_lock);
    pool_list_push(&h->large, i);
    lock_release(&h->large_lock);
  }
  add_relaxed(&h->sweep_done, LOOKLESS_SWEEP_WORDS);
  sub_seq(&h->unswept, 1);
  return true;
}

/* ---- Sweeping the heap ---- */

void heap_begin_sweep(void)
{
  struct heap *h = &bac_heap;
  for (unsigned k = 0; k < KINDS; k++)
    for (unsigned c = 0; c < CLASSES; c++) {
      struct class_pools *p = &h->pools[k][c];
      p->unswept = p->full = NO_BLOCK;
      for (int q = 0; q < PARTIAL_LISTS; q++) p->partial[q] = NO_BLOCK;
    }
  h->large = h->large_unswept = NO_BLOCK;
  int64_t found = 0;
  for (uint32_t i = h->committed; i-- > 0;) {
    uint8_t kind = h->kind[i];
    if (kind == KIND_FREE || kind == KIND_LARGE_REST) continue;
    pool_list_push(kind & KIND_LARGE ? &h->large_unswept : &h->pools[kind][h->block[i].cls].unswept, i);
    found++;
  }
  h->swept_words = h->sweep_done = 0;
  store_release(&h->unswept, found);
}

/* Large objects first: they are few, and a look at their list is cheaper than one at all the pools'. */
size_t heap_sweep_some(struct allocator *a, unsigned *hint)
{
  if (large_sweep_one(a)) return LOOKLESS_SWEEP_WORDS;
  for (unsigned tried = 0; tried < KINDS * CLASSES; tried++, *hint = (*hint + 1) % (KINDS * CLASSES)) {
    struct class_pools *p = &bac_heap.pools[*hint / CLASSES][*hint % CLASSES];
    if (load_relaxed(&p->unswept) == NO_BLOCK) continue;
    lock_acquire(&p->lock);
    uint32_t i = pool_list_pop(&p->unswept);
    lock_release(&p->lock);
    if (i == NO_BLOCK) continue;
    size_t cost = pool_sweep(a, i);
    pool_file(a, i);
    return cost;
  }
  return 0;
}

/* ---- Walking ---- */

bool heap_walk_pool(uint32_t i, unsigned kind, bool (*visit)(value, uint8_t, void *), void *arg)
{
  struct block *b = &bac_heap.block[i];
  header_t *p = block_start(i), *end = p + (size_t)b->slots * b->slot_words;
  while (p < end) {
    header_t hd = load_relaxed(p);
    if (kind == KIND_SCAN && is_free_run(hd)) {
      p += free_run_slots(hd) * b->slot_words;
      continue;
    }
    bool object = kind == KIND_SCAN || *side_byte(p) != 0;
    if (object && !visit(Val_hp(p), kind, arg)) return false;
    p += b->slot_words;
  }
  return true;
}

bool heap_walk_block(uint32_t i, bool (*visit)(value, uint8_t, void *), void *arg)
{
  uint8_t kind = kind_of_block(i);
  if (kind == KIND_FREE || kind == KIND_LARGE_REST) return true;
  if (kind & KIND_LARGE) return visit(Val_hp(block_start(i)), kind, arg);
  return heap_walk_pool(i, kind, visit, arg);
}
