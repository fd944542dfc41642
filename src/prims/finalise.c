/* SPDX-License-Identifier: MIT */
/* Gc.finalise, Gc.finalise_last, Gc.finalise_release. When a finaliser becomes ready is the
 * collector's matter; abi/actions.c calls it. No state. */
#include "abi/runtime.h"

/* Values that the compiler may replace by others behind the program's back
 * (a forced lazy value by its result, a float by its bits) have no identity to watch; nor has the
 * empty array, of which there is one. */
static bool has_identity(value v)
{
  if (Is_long(v) || Wosize_val(v) == 0) return false;
  switch (Tag_val(v)) {
  case Lazy_tag:
  case Forcing_tag:
  case Forward_tag:
  case Double_tag:
    return false;
  default:
    return true;
  }
}

/* A block outside the heap never becomes unreachable. */
static value finaliser_register(bool first, value closure, value v)
{
  if (!has_identity(v)) caml_invalid_argument("Gc.finalise");
  if ((gc_is_young(v) || gc_in_major_heap(v)) && !gc_finalise(domain_self(), first, closure, v)) caml_raise_out_of_memory();
  return Val_unit;
}

CAMLprim value caml_final_register(value closure, value v)
{
  return finaliser_register(true, closure, v);
}
/* The finaliser does not get the value, so for a closure inside of a block the
 * block will do. */
CAMLprim value caml_final_register_called_without_value(value closure, value v)
{
  if (Is_block(v) && Tag_val(v) == Infix_tag) v -= (value)Infix_offset_hd(Hd_val(v));
  return finaliser_register(false, closure, v);
}
CAMLprim value caml_final_release(value unit)
{
  gc_finaliser_release(domain_self());
  return Val_unit;
}
