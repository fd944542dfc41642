/* SPDX-License-Identifier: MIT */
/* Callbacks: C code that applies OCaml closures. The _exn forms hand an exception back
 * as a marked result; the others raise it on.
 *
 * The closure runs on the current fiber. An effect that it performs and does not handle itself does not reach handlers
 * outside the callback: it raises Effect.Unhandled there.
 *
 * No state. All functions are [may run OCaml]. */
#include "native/native.h"
#include "native/stack.h"

value native_enter(value (*entry)(caml_domain_state *, value, value *), value closure, value *args)
{
  caml_domain_state *st = Caml_state;
  if (unlikely(overflow_is_near() || !stack_ensure(st, STACK_ENTRY_WORDS)))
    return Make_exception_result(caml_exception_stack_overflow());
  st->current_stack->callbacks++;
  value result = entry(st, closure, args);
  /* The fiber may have moved. */
  Caml_state->current_stack->callbacks--;
  return result;
}

CAMLexport value caml_callback_exn(value f, value a) { return native_enter(caml_callback_asm, f, &a); }

CAMLexport value caml_callback2_exn(value f, value a, value b)
{
  return native_enter(caml_callback2_asm, f, (value[]){a, b});
}

CAMLexport value caml_callback3_exn(value f, value a, value b, value c)
{
  return native_enter(caml_callback3_asm, f, (value[]){a, b, c});
}

/* By three at a time: what comes back is a closure that waits for the rest. */
CAMLexport value caml_callbackN_exn(value f, int n, value args[])
{
  LOCAL_ROOT_ARRAY(args, n);
  for (; n > 3; n -= 3, args += 3) {
    f = native_enter(caml_callback3_asm, f, args);
    if (Is_exception_result(f)) return f;
  }
  switch (n) {
  case 1: return native_enter(caml_callback_asm, f, args);
  case 2: return native_enter(caml_callback2_asm, f, args);
  case 3: return native_enter(caml_callback3_asm, f, args);
  default: return f;
  }
}

CAMLexport value caml_callback(value f, value a) { return value_or_raise(caml_callback_exn(f, a)); }

CAMLexport value caml_callback2(value f, value a, value b)
{
  return value_or_raise(caml_callback2_exn(f, a, b));
}

CAMLexport value caml_callback3(value f, value a, value b, value c)
{
  return value_or_raise(caml_callback3_exn(f, a, b, c));
}

CAMLexport value caml_callbackN(value f, int n, value args[])
{
  return value_or_raise(caml_callbackN_exn(f, n, args));
}
