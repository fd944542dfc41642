/* SPDX-License-Identifier: MIT */
/* Frame descriptors: what the compiler tells of each place where OCaml code calls something.
 *
 * A compilation unit's table is a count, then that many descriptors, each aligned to a word (asmcomp/emitaux.ml,
 * emit_frames):
 *
 *     return address   8 bytes
 *     size             2 bytes: of the frame with its return address, a multiple of 4, plus flags;
 *                      or FRAME_CHUNK: the return leaves OCaml code, a struct stack_chunk is on the stack
 *     live count       2 bytes, and that many numbers of 2 bytes: 2n + 1 is register n, others are offsets from
 *                      the stack pointer after the call
 *     FRAME_ALLOC      a count (1 byte) of the blocks that are allocated together, none: a poll; for each, from the lowest
 *                      address up, its words - 2 (1 byte)
 *     FRAME_DEBUG      (aligned to 4) distances of 4 bytes to debugging information, each from its own place: one, or with
 *                      FRAME_ALLOC one for each block, 0: none
 *
 * State: one hash table of all descriptors. Look-ups take no lock and may run in any thread, beside additions.
 * Nothing is ever taken out. */
#ifndef BAC_NATIVE_FRAMES_H
#define BAC_NATIVE_FRAMES_H

#include "heap/value.h"

enum { FRAME_DEBUG = 1, FRAME_ALLOC = 2, FRAME_FLAGS = 3, FRAME_CHUNK = 0xffff };

struct frame_descr {
  uintptr_t return_address;
  uint16_t size;
  uint16_t live_count;
  uint16_t live[];
};

static inline size_t frame_size(const struct frame_descr *d) { return d->size & ~(size_t)FRAME_FLAGS; }

/* Adds units' tables, up to a NULL. They stay where they are for ever. No memory is fatal. All at once is best: each time that the hash
 * table grows the old one is lost. */
void frames_add_tables(const void *const *tables);

/* NULL: no such place. */
const struct frame_descr *frames_find(uintptr_t return_address);

/* The blocks allocated together (0: a poll) and their words less 2. The descriptor has FRAME_ALLOC. */
unsigned frame_alloc_count(const struct frame_descr *d);
const unsigned char *frame_alloc_lengths(const struct frame_descr *d);
/* All words, with headers. */
size_t frame_alloc_words(const struct frame_descr *d);

/* Debugging information, NULL: none. With several blocks the first that there is; or that of block i. */
const uint32_t *frame_debuginfo(const struct frame_descr *d);
const uint32_t *frame_alloc_debuginfo(const struct frame_descr *d, unsigned i);

#endif
