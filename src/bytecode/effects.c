/* SPDX-License-Identifier: MIT */
/* The primitives of stdlib/effect.ml that make and change fibers. Continuation blocks: prims/continuation.c.
 * No state. */
#include "bytecode/bytecode.h"
#include "bytecode/fiber.h"
#include "prims/continuation.h"

CAMLprim value caml_alloc_stack(value on_value, value on_exn, value on_effect)
{
  struct stack_info *f = fiber_new(FIBER_WORDS);
  if (!f) caml_raise_out_of_memory();
  f->handlers[HANDLE_VALUE] = on_value;
  f->handlers[HANDLE_EXN] = on_exn;
  f->handlers[HANDLE_EFFECT] = on_effect;
  f->sp -= 3;
  f->sp[0] = (value)interp_fiber_return();
  f->sp[1] = Val_unit;
  f->sp[2] = Val_long(0);
  return Val_ptr(f);
}

/* Shallow handlers: whoever resumes the continuation handles what comes next. */
CAMLprim value caml_continuation_use_and_update_handler_noexc(value cont, value on_value,
                                                              value on_exn, value on_effect)
{
  struct stack_info *first = continuation_take(cont), *last = first;
  if (!first) return Val_ptr(NULL);
  while (last->parent) last = last->parent;
  last->handlers[HANDLE_VALUE] = on_value;
  last->handlers[HANDLE_EXN] = on_exn;
  last->handlers[HANDLE_EFFECT] = on_effect;
  return Val_ptr(first);
}
