/* SPDX-License-Identifier: MIT */
/* Walking the frames of a fiber, innermost first. */
#ifndef BAC_NATIVE_WALK_H
#define BAC_NATIVE_WALK_H

#include "native/frames.h"
#include "native/native.h"
#include "native/stack.h"

/* Stands at a frame: that of the function that [pc] returns into, whose stack pointer is then [sp]. */
struct frame_walk {
  const struct stack_info *stack;
  char *sp;
  uintptr_t pc;
  uintptr_t *at;                /* where that stands on the fiber; a return barrier may have its place */
  value *regs;                  /* registers of the innermost frame of this chunk */
  bool at_end;
};

/* From the saved stack pointer of a fiber that is not running, or whose C code is. */
struct frame_walk walk_start(const struct stack_info *s, value *regs);
/* From a place in the running fiber: the return address just below [sp] is the next to be taken. */
struct frame_walk walk_from(const struct stack_info *s, char *sp);

/* The frame's descriptor; goes over from one chunk to the next as need be. NULL: the end of the fiber, or (then not
 * at_end) code without a descriptor. */
const struct frame_descr *walk_frame(struct frame_walk *w);
/* To the frame that the return address at w->at leads to. */
static inline void walk_return(struct frame_walk *w, uintptr_t *at)
{
  w->at = at;
  w->pc = *at;
  w->sp = (char *)(at + 1);
  if (unlikely(w->pc == (uintptr_t)native_return_barrier)) w->pc = w->stack->top->barrier_return;
}
/* To the caller's frame. */
static inline void walk_up(struct frame_walk *w, const struct frame_descr *d)
{
  walk_return(w, (uintptr_t *)(w->sp + frame_size(d)) - 1);
}

/* With few frames between barriers, for tests. Before there is OCaml code. */
void walk_init(bool stress);

/* Visits every value of a suspended chain of fibers. */
void walk_scan_suspended(const struct stack_info *first, struct root_visitor *v);
/* The same for a chain that ends in a domain's or a thread's own fiber; for young_only what is younger than its return
 * barrier, and moves that. [regs]: of the first fiber. [stw] */
void walk_scan_own(const struct stack_info *first, value *regs, struct root_visitor *v);

#endif
