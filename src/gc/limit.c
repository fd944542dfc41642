/* SPDX-License-Identifier: MIT */
/* The heap's limit: Xlimit, or what the container and the address space leave.
 *
 * Near the limit the pacing collects harder (pacing.c). When the program's
 * blocks are more than the limit all garbage is collected, then the heap is compacted; if
 * that does not help, the program is told: an allocation that may fail is refused, one that
 * cannot (a small block: its survivors must be promoted) makes the client raise
 * Out_of_memory at its next safepoint.
 *
 * A program that was told gets a reserve, a sixteenth of the limit, before it is
 * told again: its handler allocates too, and may take its time to drop what it holds. The reserve
 * also keeps a program that lives just below the limit from collecting all the time:
 * between two such collections the heap has grown by the reserve. A program that
 * goes on all the same, until what it holds is twice the limit, is ended.
 *
 * OUTSIDE. Memory outside the heap is a part of what is used where its holder tells both when it comes and when it
 * goes (gc_off_heap: bigarrays, caml_alloc_dependent_memory); what is only told when it comes (caml_alloc_custom_mem) is not. It counts
 * where the limit bounds memory, Xlimit's or the container's, not where it is only the arena that is small.
 *
 * STATE (struct heap_limit). [at] is where the next collection for the limit's sake
 * happens: the limit, or above it after such a collection; it comes down at the end of each
 * cycle that found less. [most] bounds what is taken without such a look: [at]
 * and the limit, each with the reserve; bac_heap.max_blocks is what that leaves to the heap. All domains read and write them without a
 * lock: a look at an old figure is a collection too early or too late.
 *
 * Not counted: the nurseries, and what malloc holds for C code that does not tell. Design page: docs/design/pacing.md. */
#include "gc/state.h"

#include "os/os.h"

enum { RESERVE_PART = 16, RESERVE_LEAST_BLOCKS = 4 };

/* How often a program is told at least before it is ended: one collection of a large nursery may bring much. */
enum { TOLD_LEAST = 4 };

/* Of a container's memory a fifth stays for the reserve, the tables (a sixteenth of the heap), nurseries, stacks and the
 * C heap; of the arena, an eighth for what survives. */
enum { CONTAINER_HEADROOM = 5, ARENA_HEADROOM = 8 };

static inline int64_t limit_outside(void) { return load_relaxed(&bac_gc.limit.outside) >> BLOCK_SHIFT; }

static void limit_tell_heap(void)
{
  store_relaxed(&bac_heap.max_blocks, load_relaxed(&bac_gc.limit.most) - limit_outside());
}

static void limit_set_at(int64_t blocks)
{
  struct heap_limit *l = &bac_gc.limit;
  int64_t at = blocks > l->blocks ? blocks : l->blocks;
  store_relaxed(&l->at, at);
  store_relaxed(&l->most, at > l->blocks + l->reserve ? at : l->blocks + l->reserve);
  limit_tell_heap();
}

/* At twice the limit a program is ended. */
size_t limit_heap_most(size_t bytes) { return min_size(bytes, SIZE_MAX / 4) * 2; }

void limit_init(size_t bytes)
{
  struct heap_limit *l = &bac_gc.limit;
  size_t container = bytes == 0 ? os_memory_limit() : SIZE_MAX;
  if (bytes == 0) bytes = container == SIZE_MAX ? SIZE_MAX : container - container / CONTAINER_HEADROOM;
  l->counts_outside = bytes != SIZE_MAX;
  size_t blocks = min_size(bytes >> BLOCK_SHIFT, bac_heap.limit - bac_heap.limit / ARENA_HEADROOM);
  l->blocks = (int64_t)max_size(blocks, 1);
  l->reserve = (int64_t)max_size(blocks / RESERVE_PART, RESERVE_LEAST_BLOCKS);
  limit_set_at(0);
}

static inline int64_t limit_used(void) { return load_relaxed(&bac_heap.used_blocks) + limit_outside(); }

int64_t limit_heap_blocks(void)
{
  int64_t blocks = bac_gc.limit.blocks - limit_outside();
  return blocks > 0 ? blocks : 0;
}

void gc_off_heap(intnat bytes)
{
  struct heap_limit *l = &bac_gc.limit;
  if (!l->counts_outside) return;
  int64_t now = add_relaxed(&l->outside, bytes) + bytes;
  if (now >> BLOCK_SHIFT != (now - bytes) >> BLOCK_SHIFT) limit_tell_heap();
}

/* A cycle has ended: after the program has freed memory the limit is where it was. */
void limit_cycle_swept(void)
{
  struct heap_limit *l = &bac_gc.limit;
  int64_t at = load_relaxed(&l->at), now = limit_used() + l->reserve;
  if (at > l->blocks && now < at) limit_set_at(now);
  limit_tell_heap();
  if (limit_used() <= l->blocks) store_relaxed(&l->told, 0);
}

/* Everything that can be done for [blocks] more; true: they stay below the limit. */
static bool limit_collect(struct gc_domain *g, int64_t blocks)
{
  struct heap_limit *l = &bac_gc.limit;
  gc_collect_all(&g->dom);
  if (limit_used() + blocks > l->blocks)
    gc_compact_now(&g->dom);
  else
    compact_after_cycle(g);
  if (limit_used() <= l->blocks) store_relaxed(&l->told, 0);
  limit_set_at(limit_used() + l->reserve);
  return limit_used() + blocks <= l->blocks;
}

/* What lies in pools may find a free slot; the reserve is not for large objects without end. */
static bool limit_fits(int64_t blocks)
{
  struct heap_limit *l = &bac_gc.limit;
  int64_t at = load_relaxed(&l->at);
  if (blocks > 0 && at > l->blocks + l->reserve) at = l->blocks + l->reserve;
  return limit_used() + blocks <= at;
}

static bool limit_may_hold(size_t blocks) { return blocks <= (size_t)(bac_gc.limit.blocks + bac_gc.limit.reserve); }

static bool limit_make_room(struct domain *d, size_t blocks)
{
  if (!limit_may_hold(blocks)) return false;
  if (likely(limit_fits((int64_t)blocks)) || limit_collect(gc_domain(d), (int64_t)blocks)) return true;
  gc_domain(d)->out_of_memory = false;   /* the refusal says it */
  return false;
}

bool gc_make_room(struct domain *d, mlsize_t wosize)
{
  size_t blocks = wosize < SLOT_WORDS_MAX ? 0 : div_up(wosize + 1, BLOCK_WORDS);
  if (wosize > Max_wosize || !limit_may_hold(blocks)) return false;
  if (wosize > DIRECT_WORDS_TOLD) gc_slice_before(gc_domain(d), wosize);
  return limit_make_room(d, blocks);
}

bool gc_make_room_off_heap(struct domain *d, size_t bytes)
{
  return !bac_gc.limit.counts_outside || limit_make_room(d, div_up(bytes, BLOCK_BYTES));
}

static COLD void limit_tell(struct gc_domain *g)
{
  struct heap_limit *l = &bac_gc.limit;
  int64_t used = limit_used();
  if (add_relaxed(&l->told, 1) >= TOLD_LEAST && used > 2 * l->blocks)
    bac_fatal("out of memory: the program holds %ld MiB and has gone on after Out_of_memory; the heap's limit is %ld MiB",
              used * BLOCK_BYTES >> 20, l->blocks * BLOCK_BYTES >> 20);
  g->out_of_memory = true;
  domain_request(&g->dom, DOMAIN_WANT_ACTIONS);
}

void limit_obey(struct gc_domain *g)
{
  if (likely(limit_used() <= load_relaxed(&bac_gc.limit.at))) return;
  if (!limit_collect(g, 0)) limit_tell(g);
}

void limit_watch(struct gc_domain *g)
{
  if (unlikely(limit_used() > load_relaxed(&bac_gc.limit.at))) domain_request(&g->dom, DOMAIN_WANT_MINOR);
}

bool gc_out_of_memory_take(struct domain *d)
{
  struct gc_domain *g = gc_domain(d);
  bool told = g->out_of_memory;
  g->out_of_memory = false;
  return told;
}
