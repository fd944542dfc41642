/* SPDX-License-Identifier: MIT */
/* Walking the frames of a fiber, innermost first. */
#ifndef BAC_NATIVE_WALK_H
#define BAC_NATIVE_WALK_H

#include "native/frames.h"
#include "native/stack.h"

/* Stands at a frame: that of the function that [pc] returns into, whose stack pointer is then [sp]. */
struct frame_walk {
  const struct stack_info *stack;
  char *sp;
  uintptr_t pc;
  value *regs;                  /* registers of the innermost frame of this chunk */
  bool at_end;
};

/* From the saved stack pointer of a fiber that is not running, or whose C code is. */
struct frame_walk walk_start(const struct stack_info *s, value *regs);
/* From a place in the running fiber. */
struct frame_walk walk_from(const struct stack_info *s, uintptr_t pc, char *sp);

/* The frame's descriptor; goes over from one chunk to the next as need be. NULL: the end of the fiber, or (then not
 * at_end) code without a descriptor. */
const struct frame_descr *walk_frame(struct frame_walk *w);
/* To the caller's frame. */
static inline void walk_up(struct frame_walk *w, const struct frame_descr *d)
{
  w->sp += frame_size(d);
  w->pc = ((uintptr_t *)w->sp)[-1];
}

/* Visits every value of a chain of fibers. [regs]: of the first one. */
void walk_scan_chain(const struct stack_info *first, value *regs, struct root_visitor *v);

#endif
