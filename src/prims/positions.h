/* SPDX-License-Identifier: MIT */
/* A table that numbers blocks by their addresses: 0, 1, 2 ... in the order in which they are first asked for.
 *
 * Memory is looked at in pieces of 256 bytes. A piece in which a block was met has a slab: 16 numbers of 32 bits, one for each 16 bytes (no two
 * blocks of a field or more begin in the same 16). An open-addressing table leads from a piece to its slab. Neighbours in the
 * heap are neighbours here, and a block costs 6 to 10 bytes where blocks lie close. (One entry of 16 bytes for each block, half
 * of them free, cost 24 MB more at the end of the compilation whose peak is the standard library's highest.)
 *
 * STATE. struct positions, its owner's. A megabyte of memory is kept from one use to the next; entries carry
 * the stamp of their use, so nothing is cleared in between.
 *
 * Not for blocks without fields. [no gc] from positions_begin to positions_end: an address is an identity.
 * Design page: docs/design/marshal.md. */
#ifndef BAC_PRIMS_POSITIONS_H
#define BAC_PRIMS_POSITIONS_H

#include "base/bits.h"
#include "heap/value.h"

enum {
  PIECE_SHIFT = 8,
  CELL_SHIFT = 4,
  SLAB_CELLS = 1 << (PIECE_SHIFT - CELL_SHIFT),
  PIECE_BITS = 48 - PIECE_SHIFT,     /* of a key; the stamp is in the others */
};

struct slab { uint32_t cell[SLAB_CELLS]; };  /* number + 1; 0: not met */

struct piece {
  uint64_t key;                      /* stamp, number of the piece */
  struct slab *slab;
};

struct positions {
  struct piece *piece;               /* [cap], a power of two; NULL: none yet */
  size_t cap, count;                 /* of pieces */
  unsigned shift;                    /* 64 - log2 cap */
  uint64_t stamp;                    /* of this use, in its place */
  uint64_t last_key;                 /* what was asked for last, and its slab */
  struct slab *last_slab;
  struct slab_chunk *chunks;         /* in the order in which they are filled */
  struct slab_chunk *chunk;          /* the one under way; NULL: none yet */
  size_t chunk_used;                 /* its slabs */
  uint32_t blocks;                   /* numbers given */
};

/* An empty table. False: no memory. */
bool positions_begin(struct positions *t);
/* The end of a use: what is large is given back. */
void positions_end(struct positions *t);
void positions_free(struct positions *t);

/* The slab of a piece, made if need be. NULL: no memory. */
struct slab *positions_slab(struct positions *t, uint64_t key);

enum position_answer { POSITION_OLD, POSITION_NEW, POSITION_NO_MEMORY };

/* The cell of an address; NULL: no memory. */
static inline uint32_t *positions_cell(struct positions *t, value block)
{
  uint64_t key = t->stamp | (uintnat)block >> PIECE_SHIFT;
  if (key != t->last_key) {
    struct slab *slab = positions_slab(t, key);
    if (unlikely(slab == NULL)) return NULL;
    t->last_key = key;
    t->last_slab = slab;
  }
  return &t->last_slab->cell[(uintnat)block >> CELL_SHIFT & (SLAB_CELLS - 1)];
}

/* Numbers [block] if it is new; *number is its number. POSITION_NO_MEMORY: also for the 2^32nd block. */
static inline enum position_answer positions_number(struct positions *t, value block, uint32_t *number)
{
  uint32_t *cell = positions_cell(t, block);
  if (unlikely(cell == NULL)) return POSITION_NO_MEMORY;
  if (*cell != 0) {
    *number = *cell - 1;
    return POSITION_OLD;
  }
  if (unlikely(t->blocks == UINT32_MAX)) return POSITION_NO_MEMORY;
  *number = t->blocks;
  *cell = ++t->blocks;
  return POSITION_NEW;
}

#endif
