/* SPDX-License-Identifier: MIT */
/* Call stacks: Printexc.get_callstack, Effect.Deep.get_callstack, and the memory profiler's. The slots
 * are copied to the C heap first, since the OCaml array is allocated when no stack may change. Stateless. */
#include "abi/backtrace.h"
#include "base/vec.h"
#include "native/walk.h"
#include "prims/continuation.h"
#include "prims/memprof.h"
#include "sync/atomic.h"

/* From the innermost frame of s outwards, over its parents too, at most [max]; how many were written. */
static size_t slots_collect(const struct stack_info *s, backtrace_slot *slots, size_t max)
{
  size_t count = 0;
  for (; s; s = s->top->parent) {
    struct frame_walk w = walk_start(s, NULL);
    const struct frame_descr *d;
    for (; count < max && (d = walk_frame(&w)) != NULL; walk_up(&w, d)) slots[count++] = (backtrace_slot)d;
  }
  return count;
}

size_t backend_callstack(void **slots, size_t max) { return slots_collect(Caml_state->current_stack, slots, max); }

static size_t frames_count(const struct stack_info *s, size_t max)
{
  size_t count = 0;
  for (; s; s = s->top->parent) {
    struct frame_walk w = walk_start(s, NULL);
    const struct frame_descr *d;
    for (; count < max && (d = walk_frame(&w)) != NULL; walk_up(&w, d)) count++;
  }
  return count;
}

/* A malloc'ed array of at most [max] slots. */
static backtrace_slot *slots_of(const struct stack_info *s, intnat max, size_t *count)
{
  size_t room = frames_count(s, max > 0 ? (size_t)max : 0);
  backtrace_slot *slots = caml_stat_alloc(room * sizeof *slots);
  *count = slots_collect(s, slots, room);
  return slots;
}

static value slots_value(backtrace_slot *slots, size_t count)
{
  value raw = backtrace_value(slots, count);
  caml_stat_free(slots);
  if (raw == 0) caml_raise_out_of_memory();
  return raw;
}

CAMLprim value caml_get_current_callstack(value max)
{
  size_t count;
  backtrace_slot *slots = slots_of(Caml_state->current_stack, Long_val(max), &count);
  return slots_value(slots, count);
}

/* The continuation is taken while its stack is looked at, so nobody resumes it meanwhile. */
CAMLprim value caml_get_continuation_callstack(value cont, value max)
{
  size_t count;
  struct stack_info *first = continuation_take(cont);
  if (!first) caml_raise(continuation_already_resumed());
  backtrace_slot *slots = slots_of(first, Long_val(max), &count);
  store_release(&Field(cont, 0), Val_ptr(first));
  return slots_value(slots, count);
}
