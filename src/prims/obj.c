/* SPDX-License-Identifier: MIT */
/* The primitives of Obj: blocks seen as blocks. */
#include "abi/runtime.h"
#include "sync/atomic.h"

/* What Obj.tag answers for words that are no blocks; stdlib/obj.ml. */
enum { OBJ_INT_TAG = 1000, OBJ_UNALIGNED_TAG = 1002 };

/* The acquire pairs with the release of a domain that forced a lazy value:
 * who sees Forward_tag sees the forwarded value. */
CAMLprim value caml_obj_tag(value v)
{
  if (Is_long(v)) return Val_int(OBJ_INT_TAG);
  if ((uintnat)v % sizeof(value) != 0) return Val_int(OBJ_UNALIGNED_TAG);
  return Val_int(Tag_hd(load_acquire(Hp_val(v))));
}

CAMLprim value caml_obj_raw_field(value v, value i) { return caml_copy_nativeint(Field(v, Long_val(i))); }

CAMLprim value caml_obj_set_raw_field(value v, value i, value bits)
{
  Field(v, Long_val(i)) = Nativeint_val(bits);
  return Val_unit;
}

/* Blocks whose tag promises an inner structure get the least of it: a
 * string its length, a closure its information word. A custom block cannot be had so. */
CAMLprim value caml_obj_block(value tag, value size)
{
  intnat t = Long_val(tag), n = Long_val(size);
  mlsize_t least = t == Closure_tag ? 2 : t == String_tag ? 1 : 0;
  bool fits = t >= 0 && t < Custom_tag && n >= 0 && (uintnat)n <= Max_wosize;
  if (!fits || (mlsize_t)n < least) caml_invalid_argument("Obj.new_block");
  value v = caml_alloc((mlsize_t)n, (tag_t)t);
  if (t == Closure_tag) Closinfo_val(v) = Make_closinfo(0, 2);
  if (t == String_tag) Field(v, n - 1) = 0;
  return v;
}

CAMLprim value caml_obj_with_tag(value tag, value v)
{
  LOCAL_ROOTS(&v);
  mlsize_t n = Wosize_val(v);
  tag_t t = (tag_t)Long_val(tag);
  if (n == 0) return Atom(t);
  if (t >= No_scan_tag) {
    value bytes = caml_alloc(n, t);
    memcpy(Bp_val(bytes), Bp_val(v), Bsize_wsize(n));
    return bytes;
  }
  if (n <= Max_young_wosize) {
    value copy = caml_alloc_small(n, t);
    for (mlsize_t i = 0; i < n; i++) Field(copy, i) = load_relaxed(&Field(v, i));
    return copy;
  }
  if (!gc_make_room(Caml_state->domain, n)) caml_raise_out_of_memory();
  value copy = caml_alloc_shr(n, t);
  for (mlsize_t i = 0; i < n; i++) caml_initialize(&Field(copy, i), load_relaxed(&Field(v, i)));
  return actions_poll(copy);
}

CAMLprim value caml_obj_dup(value v) { return caml_obj_with_tag(Val_int(Tag_val(v)), v); }

CAMLprim value caml_obj_compare_and_swap(value v, value i, value expected, value desired)
{
  bool done = gc_cas_field(Caml_state->domain, &Field(v, Long_val(i)), expected, desired);
  caml_check_urgent_gc(Val_unit);
  return Val_bool(done);
}

/* Has v left the nursery of the domain that made it, so that others may see it? */
CAMLprim value caml_obj_is_shared(value v) { return Val_bool(Is_long(v) || !gc_is_young(v)); }

CAMLprim value caml_obj_add_offset(value v, value offset) { return v + Int32_val(offset); }

/* The word n as a pointer, for closures' code addresses and the like. */
CAMLprim value caml_int_as_pointer(value n) { return n - 1; }
