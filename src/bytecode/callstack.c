/* SPDX-License-Identifier: MIT */
/* Call stacks: Printexc.get_callstack and Effect.Deep.get_callstack. The
 * addresses are copied to the C heap first, since the OCaml array is allocated
 * when no stack may change. Stateless. */
#include "abi/backtrace.h"
#include "base/vec.h"
#include "bytecode/bytecode.h"
#include "bytecode/fiber.h"
#include "prims/continuation.h"
#include "sync/atomic.h"

struct slots {
  VEC(backtrace_slot) list;
};

/* From the innermost call of [f] outwards, at most [max]. */
static struct slots slots_collect(const struct stack_info *f, intnat max)
{
  struct slots slots = {VEC_EMPTY};
  struct fiber_walk walk = fiber_walk_start(f);
  code_t pc;
  while ((intnat)slots.list.len < max && (pc = fiber_walk_next(&walk)) != NULL) *vec_push(&slots.list) = pc;
  return slots;
}

/* Frees the list, also where there is no memory for the array. */
static value slots_value(struct slots *slots)
{
  value raw = backtrace_value(slots->list.at, slots->list.len);
  vec_free(&slots->list);
  if (raw == 0) caml_raise_out_of_memory();
  return raw;
}

CAMLprim value caml_get_current_callstack(value max)
{
  struct slots slots = slots_collect(Caml_state->current_stack, Long_val(max));
  return slots_value(&slots);
}

/* The continuation is taken while its stack is looked at, so nobody resumes it meanwhile. */
CAMLprim value caml_get_continuation_callstack(value cont, value max)
{
  struct stack_info *first = continuation_take(cont);
  if (!first) caml_raise(continuation_already_resumed());
  struct slots slots = slots_collect(first, Long_val(max));
  store_release(&Field(cont, 0), Val_ptr(first));
  return slots_value(&slots);
}
