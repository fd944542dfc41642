/* SPDX-License-Identifier: MIT */
/* Recursive values (let rec x = ... x ...): the compiler first makes an empty
 * block for each, then computes the right-hand sides, which may refer to
 * those, and last copies each result into its block (bytecomp, "dummy").
 *
 * No state. The copy is made of barriered stores; code pointers and closure
 * information in a closure are words that the collector passes over. */
#include "abi/runtime.h"

CAMLprim value caml_alloc_dummy(value size) { return caml_alloc((mlsize_t)Long_val(size), 0); }

/* It is unscanned from the beginning: the collector keeps such blocks apart. */
CAMLprim value caml_alloc_dummy_float(value size)
{
  mlsize_t n = (mlsize_t)Long_val(size);
  value v = caml_alloc_float_array(n);
  for (mlsize_t i = 0; i < n; i++) Store_double_flat_field(v, i, 0.0);
  return v;
}

CAMLprim value caml_alloc_dummy_function(value size, value arity) { return caml_alloc_dummy(size); }

/* A block of closures, as the address of the one at [offset] words in it. */
CAMLprim value caml_alloc_dummy_infix(value size, value offset)
{
  mlsize_t at = (mlsize_t)Long_val(offset);
  value block = caml_alloc((mlsize_t)Long_val(size), Closure_tag);
  Closinfo_val(block) = Make_closinfo(0, (mlsize_t)Long_val(size));
  Field(block, at - 1) = (value)Make_header(at, Infix_tag, 0);
  return (value)&Field(block, at);
}

static value closure_block(value v)
{
  return Tag_val(v) == Infix_tag ? v - (value)Infix_offset_hd(Hd_val(v)) : v;
}

/* The collector of another domain may be setting the colour in the same header. */
static void set_tag(value v, tag_t tag)
{
  __atomic_store_n((unsigned char *)Hp_val(v), (unsigned char)tag, __ATOMIC_RELAXED);
}

CAMLprim value caml_update_dummy(value dummy, value made)
{
  dummy = closure_block(dummy);
  made = closure_block(made);
  mlsize_t size = Wosize_val(made);
  if (size == 0) return Val_unit;
  CHECK(size <= Wosize_val(dummy));
  set_tag(dummy, Tag_val(made));
  if (Tag_val(made) == Double_array_tag)
    memcpy(Op_val(dummy), Op_val(made), Bsize_wsize(size));
  else
    for (mlsize_t i = 0; i < size; i++) caml_modify(&Field(dummy, i), Field(made, i));
  return Val_unit;
}
