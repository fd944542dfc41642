/* SPDX-License-Identifier: MIT */
/* The library's side: one cycle of the runtime, from start to shutdown. */
#include <caml/alloc.h>
#include <caml/callback.h>
#include <caml/custom.h>
#include <caml/memory.h>
#include <caml/mlvalues.h>
#include <stdlib.h>

static long alive;

static void counted_finalize(value v)
{
  free(*(void **)Data_custom_val(v));
  alive--;
}

static struct custom_operations counted_ops = {"counted", counted_finalize, custom_compare_default, custom_hash_default,
                                               custom_serialize_default, custom_deserialize_default, custom_compare_ext_default,
                                               custom_fixed_length_default};

value embed_counted(value unit)
{
  value v = caml_alloc_custom(&counted_ops, sizeof(void *), 0, 1);
  *(void **)Data_custom_val(v) = malloc(1000);
  alive++;
  return v;
}

/* Answers what the OCaml code computes; *left: how many custom blocks were never finalised. Starts are nested, as the manual says they may be. */
long embed_cycle(const char *how, int pooled, long *left)
{
  char *argv[] = {"embedded", NULL};
  void (*start)(char **) = pooled ? caml_startup_pooled : caml_startup;
  start(argv);
  start(argv);
  if (pooled) caml_stat_alloc(1000);
  long result = Long_val(caml_callback(*caml_named_value("work"), caml_copy_string(how)));
  caml_shutdown();
  caml_shutdown();
  *left = alive;
  return result;
}
