/* SPDX-License-Identifier: MIT */
/* The C side of c_overflow.ml. */
#include <caml/callback.h>
#include <caml/memory.h>
#include <caml/mlvalues.h>

#include <string.h>

static long down(long n, value s)
{
  CAMLparam1(s);
  volatile char frame[1000];
  memset((char *)frame, (int)n, sizeof frame);
  long below = n == 0 ? 0 : down(n - 1, s);
  CAMLreturnT(long, below + 1 + frame[5] - (char)n);
}

value ovf_recurse(value n, value s) { return Val_long(down(Long_val(n), s) - 1); }
value ovf_apply(value f, value a) { return caml_callback(f, a); }
value ovf_roots(value unit)
{
  long count = 0;
  for (struct caml__roots_block *r = Caml_state->local_roots; r; r = r->next) count++;
  return Val_long(count);
}
