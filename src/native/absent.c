/* SPDX-License-Identifier: MIT */
/* Primitives of bytecode programs that the compilers' library names; a native program has no bytecode to
 * make, so they raise. No state. */
#include "abi/caml.h"

CAMLprim value caml_get_global_data(value unit) { caml_invalid_argument("Meta.get_global_data"); }
CAMLprim value caml_realloc_global(value size) { caml_invalid_argument("Meta.realloc_global"); }
CAMLprim value caml_reify_bytecode(value bytes, value events, value digest)
{
  caml_invalid_argument("Meta.reify_bytecode");
}
CAMLprim value caml_static_release_bytecode(value code) { caml_invalid_argument("Meta.static_release_bytecode"); }
CAMLprim value caml_invoke_traced_function(value code, value env, value arg)
{
  caml_invalid_argument("Meta.invoke_traced_function");
}

CAMLprim value caml_dynlink_add_primitive(value address) { caml_invalid_argument("dynlink_add_primitive"); }
CAMLprim value caml_dynlink_get_current_libs(value unit) { caml_invalid_argument("dynlink_get_current_libs"); }
CAMLprim value caml_dynlink_get_bytecode_sections(value unit)
{
  caml_invalid_argument("dynlink_get_bytecode_sections");
}
