/* SPDX-License-Identifier: MIT */
/* Catching exceptions in C: an activation without an interpreter loop. It is
 * the innermost one while f runs; f runs no OCaml code of its own, so it has no
 * frames on the fiber. No state. */
#include "bytecode/guard.h"

#include "bytecode/activation.h"
#include "prims/io.h"

value guard_call(value (*f)(void *), void *arg)
{
  caml_domain_state *st = Caml_state;
  struct exception_context here = {
      .local_roots = st->local_roots,
      .channels = channels_locked(),
      .base = st->current_stack,
      .used = fiber_used(st->current_stack),
      .outer_trap = st->current_stack->trap,
      .outer = st->external_raise,
  };
  st->external_raise = &here;
  value result = _setjmp(here.jump) == 0 ? f(arg) : Make_exception_result(here.exn);
  st->external_raise = here.outer;
  return result;
}
