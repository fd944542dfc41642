/* SPDX-License-Identifier: MIT */
/* Walking fibers and finding the values on them. No state. */
#include "native/walk.h"

struct frame_walk walk_from(const struct stack_info *s, uintptr_t pc, char *sp)
{
  return (struct frame_walk){.stack = s, .sp = sp, .pc = pc};
}

struct frame_walk walk_start(const struct stack_info *s, value *regs)
{
  struct frame_walk w = {.stack = s, .sp = s->sp, .regs = regs};
  w.at_end = s->sp == (char *)s->top;
  if (!w.at_end) {
    w.pc = *(uintptr_t *)w.sp;
    w.sp += sizeof(uintptr_t);
  }
  return w;
}

/* Past the chunk that sp is at, to the frame from which its C code was called. */
static void walk_chunk(struct frame_walk *w)
{
  const struct stack_chunk *chunk = (const struct stack_chunk *)w->sp;
  w->regs = chunk->regs;
  w->sp += sizeof *chunk;
  w->at_end = w->sp == (char *)w->stack->top;
  if (w->at_end) return;
  w->pc = *(uintptr_t *)w->sp;
  w->sp += sizeof(uintptr_t);
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

static void scan_frames(struct frame_walk w, struct root_visitor *v)
{
  const struct frame_descr *d;
  for (; (d = walk_frame(&w)) != NULL; walk_up(&w, d))
    for (unsigned i = 0; i < d->live_count; i++) v->visit(v, live_slot(&w, d->live[i]), 1);
  if (!w.at_end) bac_fatal("no frame descriptor for the code at %p", (void *)w.pc);
}

void walk_scan_chain(const struct stack_info *first, value *regs, struct root_visitor *v)
{
  for (const struct stack_info *s = first; s; s = s->top->parent) {
    scan_frames(walk_start(s, regs), v);
    v->visit(v, s->top->handlers, HANDLERS);
    regs = NULL;
  }
}
