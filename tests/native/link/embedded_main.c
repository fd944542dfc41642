/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <caml/mlvalues.h>
#include <caml/callback.h>
#include <caml/alloc.h>
#include <caml/printexc.h>
int main(int argc, char **argv)
{
  caml_startup(argv);
  printf("%ld\n", Long_val(caml_callback(*caml_named_value("f"), Val_int(1000))));
  value r = caml_callback_exn(*caml_named_value("g"), caml_copy_string("oops"));
  if (Is_exception_result(r)) { char *s = caml_format_exception(Extract_exception(r)); printf("%s\n", s); }
  fflush(stdout);
  caml_shutdown();
  return 0;
}
