/* SPDX-License-Identifier: MIT */
/* Walking fibers and finding the values on them.
 *
 * RETURN BARRIERS. A minor collection leaves no young value on a stack, so a frame that has not run since the last one has none. So that deep
 * stacks are not scanned again and again (FIELD P4), a return address a little way down is replaced by that of native_return_barrier: as long as
 * it is there, nothing below has run, and scanning ends at it (STACK-5). A function that returns to it comes to
 * native_barrier_reached, which puts it further down and goes on to where the function meant to return. Exceptions do
 * not return: one that goes past the barrier takes it away, the next collection does not meet it and scans all.
 *
 * Only walks see return addresses, and walk_up translates. A barrier takes the place of the return address of an OCaml function, never of one
 * pushed by a call of the glue, which may have to keep more registers than a function's result.
 *
 * State: two figures, [const]. Design page: docs/design/native.md. Tests: tests/native/deep_stacks.ml. */
#include "native/walk.h"

struct frame_walk walk_from(const struct stack_info *s, char *sp)
{
  struct frame_walk w = {.stack = s};
  walk_return(&w, (uintptr_t *)sp - 1);
  return w;
}

struct frame_walk walk_start(const struct stack_info *s, value *regs)
{
  struct frame_walk w = {.stack = s, .sp = s->sp, .regs = regs};
  w.at_end = s->sp == (char *)s->top;
  if (!w.at_end) walk_return(&w, (uintptr_t *)w.sp);
  return w;
}

/* Past the chunk that sp is at, to the frame from which its C code was called. */
static void walk_chunk(struct frame_walk *w)
{
  const struct stack_chunk *chunk = (const struct stack_chunk *)w->sp;
  w->regs = chunk->regs;
  w->sp += sizeof *chunk;
  w->at_end = w->sp == (char *)w->stack->top;
  if (!w->at_end) walk_return(w, (uintptr_t *)w->sp);
}

const struct frame_descr *walk_frame(struct frame_walk *w)
{
  while (!w->at_end) {
    const struct frame_descr *d = frames_find(w->pc);
    if (d == NULL || likely(d->size != FRAME_CHUNK)) return d;
    walk_chunk(w);
  }
  return NULL;
}

/* ---- Scanning ---- */

static inline value *live_slot(const struct frame_walk *w, unsigned where)
{
  return where & 1 ? &w->regs[where >> 1] : (value *)(w->sp + where);
}

static inline void scan_frame(const struct frame_walk *w, const struct frame_descr *d, struct root_visitor *v)
{
  for (unsigned i = 0; i < d->live_count; i++) v->visit(v, live_slot(w, d->live[i]), 1);
}

static void walk_check_end(const struct frame_walk *w)
{
  if (!w->at_end) bac_fatal("no frame descriptor for the code at %p", (void *)w->pc);
}

static void scan_fiber(const struct stack_info *s, value *regs, struct root_visitor *v)
{
  struct frame_walk w = walk_start(s, regs);
  for (const struct frame_descr *d; (d = walk_frame(&w)) != NULL; walk_up(&w, d)) scan_frame(&w, d, v);
  walk_check_end(&w);
  v->visit(v, s->top->handlers, HANDLERS);
}

void walk_scan_suspended(const struct stack_info *first, struct root_visitor *v)
{
  for (const struct stack_info *s = first; s; s = s->top->parent) scan_fiber(s, NULL, v);
}

/* ---- Return barriers ---- */

/* Frames that may be above the barrier after a collection before it is moved; frames above it when it has been. A stack of fewer frames never has
 * one: then debuggers and profilers need not look through it. */
static size_t frames_most = 1024, frames_above = 256;

void walk_init(bool stress)
{
  if (stress) frames_most = 6, frames_above = 2;
}

static uintptr_t *barrier_of(const struct stack_top *top)
{
  return top->barrier_at == 0 ? NULL : (uintptr_t *)((char *)top - top->barrier_at);
}

static void barrier_put(struct stack_top *top, uintptr_t *at)
{
  top->barrier_return = *at;
  top->barrier_at = (size_t)((char *)top - (char *)at);
  *at = (uintptr_t)native_return_barrier;
}

/* Stands the walk where a barrier may be put? It has come from a frame of OCaml code to another. */
static bool may_have_barrier(const struct frame_walk *w)
{
  const struct frame_descr *d = frames_find(w->pc);
  return d != NULL && d->size != FRAME_CHUNK;
}

static void scan_young_frames(const struct stack_info *s, value *regs, struct root_visitor *v)
{
  uintptr_t *barrier = barrier_of(s->top), *next = NULL;
  struct frame_walk w = walk_start(s, regs);
  bool met;
  size_t frames = 0;
  for (;;) {
    met = barrier != NULL && w.at == barrier && *barrier == (uintptr_t)native_return_barrier;
    const struct frame_descr *d = met ? NULL : walk_frame(&w);
    if (d == NULL) break;
    scan_frame(&w, d, v);
    walk_up(&w, d);
    if (++frames >= frames_above && next == NULL && w.at != barrier && may_have_barrier(&w)) next = w.at;
  }
  if (!met) {
    walk_check_end(&w);
    s->top->barrier_at = 0;
  }
  if (frames <= frames_most || next == NULL) return;
  if (met) *barrier = s->top->barrier_return;
  barrier_put(s->top, next);
}

/* What returned to the barrier goes on at the address answered, with the stack pointer [sp]. */
uintptr_t native_barrier_reached(char *sp)
{
  const struct stack_info *s = Caml_state->current_stack;
  uintptr_t address = s->top->barrier_return;
  struct frame_walk w = walk_from(s, sp);
  s->top->barrier_at = 0;
  size_t frames = 0;
  for (const struct frame_descr *d; (d = walk_frame(&w)) != NULL;) {
    walk_up(&w, d);
    if (++frames < frames_above || !may_have_barrier(&w)) continue;
    barrier_put(s->top, w.at);
    break;
  }
  return address;
}

void walk_scan_own(const struct stack_info *first, value *regs, struct root_visitor *v)
{
  for (const struct stack_info *s = first; s; s = s->top->parent) {
    if (v->young_only && s->top->parent == NULL) scan_young_frames(s, regs, v);
    else scan_fiber(s, regs, v);
    regs = NULL;
  }
}
