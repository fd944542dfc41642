/* SPDX-License-Identifier: MIT */
/* Callbacks: C code that applies OCaml closures. The _exn forms hand an
 * exception back as a marked result; the others raise it on.
 *
 * The closure runs in a new activation of the interpreter on the current
 * fiber. An effect that it performs and does not handle itself does not reach
 * handlers outside the callback: it raises Effect.Unhandled there.
 *
 * No state. All functions are [may run OCaml]. */
#include "abi/runtime.h"
#include "bytecode/activation.h"

CAMLexport value caml_callbackN_exn(value f, int n, value args[])
{
  return activation_apply(f, (size_t)n, args);
}

CAMLexport value caml_callback_exn(value f, value a) { return activation_apply(f, 1, &a); }

CAMLexport value caml_callback2_exn(value f, value a, value b)
{
  return activation_apply(f, 2, (const value[]){a, b});
}

CAMLexport value caml_callback3_exn(value f, value a, value b, value c)
{
  return activation_apply(f, 3, (const value[]){a, b, c});
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
