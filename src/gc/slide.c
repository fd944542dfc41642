/* SPDX-License-Identifier: MIT */
/* Sliding: large objects move to lower addresses, so that free blocks come together.
 *
 * A part of a compaction (compact.c), and only of one for the sake of an allocation that found no run of free
 * blocks that is long enough: that happens where the address space is tight. From the top of the heap down, each
 * large object moves into the lowest hole that takes it. As with evacuated pools, its old blocks keep its new address,
 * and KIND_EVACUATED, until all references are redirected. Nothing is counted: an object that moves is the same
 * object.
 *
 * A block of closures stays: pointers into it find its start by headers in its old blocks. World stopped, everything
 * swept; one thread. Design page: docs/design/compaction.md. */
#include "gc/state.h"

#include "os/os.h"

/* False: there is no hole below it. */
static bool slide_move(uint32_t i, uint8_t kind)
{
  uint32_t blocks = bac_heap.block[i].blocks;
  value v = Val_hp(block_start(i));
  uint32_t to = heap_take_blocks_below(i, blocks, kind, KIND_LARGE_REST);
  if (to == NO_BLOCK) return false;
  memcpy(block_start(to), Hp_val(v), Bsize_wsize(Whsize_hd(Hd_val(v))));
  *side_byte(block_start(to)) = *side_byte(Hp_val(v));
  *Hp_val(v) = 0;
  Field(v, 0) = Val_hp(block_start(to));
  for (uint32_t b = i; b < i + blocks; b++) bac_heap.kind[b] |= KIND_EVACUATED;
  /* Not twice in memory: what is read again is on the first page. */
  os_decommit(block_start(i) + BLOCK_WORDS / 2, ((size_t)blocks << BLOCK_SHIFT) - BLOCK_BYTES / 2);
  return true;
}

void slide_move_stw(struct slid *slid)
{
  for (uint32_t i = bac_heap.committed; i-- > 0;) {
    uint8_t kind = kind_of_block(i);
    if (!(kind & KIND_LARGE) || Tag_val(Val_hp(block_start(i))) == Closure_tag) continue;
    if (slide_move(i, kind)) *vec_push(&slid->blocks) = i;
  }
}

void slide_free_stw(struct slid *slid)
{
  struct heap *h = &bac_heap;
  for (size_t n = 0; n < slid->blocks.len; n++) {
    uint32_t i = slid->blocks.at[n];
    *side_byte(block_start(i)) = 0;
    heap_give_blocks(i, h->block[i].blocks);
  }
  vec_free(&slid->blocks);
  h->large = NO_BLOCK;
  for (uint32_t i = h->committed; i-- > 0;)
    if (h->kind[i] & KIND_LARGE) pool_list_push(&h->large, i);
}
