/* SPDX-License-Identifier: MIT */
/* The C side of externals.ml, by the stock headers. */
#define CAML_NAME_SPACE
#include <caml/alloc.h>
#include <caml/callback.h>
#include <caml/fail.h>
#include <caml/memory.h>
#include <caml/mlvalues.h>

#include <stdio.h>
#include <string.h>

value ext_many(value a, value b, value c, value d, value e, value f, value g, value h, value i, value j, value k)
{
  const value all[] = {a, b, c, d, e, f, g, h, i, j, k};
  long sum = 0;
  for (int n = 0; n < 11; n++) sum += (n + 1) * Long_val(all[n]);
  return Val_long(sum);
}
value ext_many_byte(value *v, int n) { return Val_unit; }

double ext_mixed(intnat a, double b, int32_t c, int64_t d, intnat e, double f, intnat g, intnat h, intnat i, double j, double k,
                 double l, double m, double n, double o, double p)
{
  value garbage = caml_alloc_string(100);
  (void)garbage;
  return (double)(a + c + d + e + g + h + i) + b + f + j + k + l + m + n + o + p;
}
value ext_mixed_byte(value *v, int n) { return Val_unit; }

double ext_noalloc(intnat a, double b) { return (double)a + b; }
value ext_noalloc_byte(value a, value b) { return Val_unit; }

value ext_concat(value a, value b, value c, value d, value e, value f, value g, value h)
{
  CAMLparam5(a, b, c, d, e);
  CAMLxparam3(f, g, h);
  char text[256];
  for (int i = 0; i < 1000; i++) caml_alloc_string(2000);
  snprintf(text, sizeof text, "%s%s%s%s%s%s%s%s", String_val(a), String_val(b), String_val(c), String_val(d), String_val(e),
           String_val(f), String_val(g), String_val(h));
  CAMLreturn(caml_copy_string(text));
}
value ext_concat_byte(value *v, int n) { return Val_unit; }

value ext_apply(value f, value a) { return caml_callback(f, a); }
value ext_apply2(value f, value a, value b) { return caml_callback2(f, a, b); }
value ext_apply3(value f, value a, value b, value c) { return caml_callback3(f, a, b, c); }

value ext_apply_n(value f, value array)
{
  value args[16];
  int n = (int)Wosize_val(array);
  for (int i = 0; i < n; i++) args[i] = Field(array, i);
  return caml_callbackN(f, n, args);
}

value ext_apply_exn(value f, value a)
{
  CAMLparam0();
  CAMLlocal2(result, outcome);
  result = caml_callback_exn(f, a);
  int failed = Is_exception_result(result);
  if (failed) result = Extract_exception(result);
  outcome = caml_alloc(1, failed);
  Store_field(outcome, 0, result);
  CAMLreturn(outcome);
}

value ext_rooted(value f, value s, value list)
{
  CAMLparam3(f, s, list);
  CAMLlocal2(copy, array);
  char text[100];
  array = caml_alloc_tuple(2);
  Store_field(array, 0, s);
  char *outside = caml_stat_strdup(String_val(s));
  copy = caml_copy_string(outside);
  caml_stat_free(outside);
  for (int i = 0; i < 10; i++) {
    caml_callback(f, Val_unit);
    Store_field(array, 1, copy);
  }
  snprintf(text, sizeof text, "%s,%s,%s", String_val(Field(array, 1)), String_val(Field(list, 0)),
           String_val(Field(Field(list, 1), 0)));
  CAMLreturn(caml_copy_string(text));
}

value ext_raise_deep(value n, value s)
{
  CAMLparam1(s);
  if (Int_val(n) > 0) ext_raise_deep(Val_int(Int_val(n) - 1), s);
  caml_failwith(String_val(s));
  CAMLnoreturn;
}

value ext_local_roots(value unit) { return Val_bool(Caml_state->local_roots == NULL); }
