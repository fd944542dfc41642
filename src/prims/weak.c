/* SPDX-License-Identifier: MIT */
/* The primitives of Weak, Ephemeron and Obj.Ephemeron. A weak array is an
 * ephemeron whose data is never set. What makes them weak is gc.h's.
 *
 * State: caml_ephe_none, a copy of the collector's for stubs. An index from OCaml
 * code counts keys from 0. */
#include "abi/runtime.h"
#include "sync/atomic.h"

/* What an empty field holds, once there is an ephemeron. The name is the ABI's. */
CAMLexport value caml_ephe_none;

static mlsize_t ephe_keys(value ephe) { return Wosize_val(ephe) - EPHE_FIRST_KEY; }

static mlsize_t key_index(value ephe, value n, const char *who)
{
  uintnat key = (uintnat)Long_val(n);
  if (key >= ephe_keys(ephe)) caml_invalid_argument(who);
  return EPHE_FIRST_KEY + key;
}

/* ---- Creation ---- */

/* The limit is Obj.Ephemeron.max_ephe_length. */
CAMLprim value caml_ephe_create(value length)
{
  uintnat keys = (uintnat)Long_val(length);
  if (keys > Max_wosize - EPHE_FIRST_KEY) caml_invalid_argument("Weak.create");
  value ephe = gc_ephe_create(domain_self(), keys);
  if (ephe == 0) caml_raise_out_of_memory();
  store_relaxed(&caml_ephe_none, bac_ephe_none);
  return ephe;
}

CAMLprim value caml_weak_create(value length) { return caml_ephe_create(length); }

/* ---- Reading ---- */

static value ephe_get(value ephe, mlsize_t index)
{
  value v = gc_ephe_get(domain_self(), ephe, index);
  return v == bac_ephe_none ? Val_none : caml_alloc_some(v);
}

/* What has an identity outside of its fields, or could be resumed twice, stands for itself. */
static bool has_copy(value v)
{
  return Is_block(v) && Wosize_val(v) != 0 && Tag_val(v) != Custom_tag && Tag_val(v) != Cont_tag;
}

static bool has_shape(value block, value of)
{
  return Is_block(block) && Wosize_val(block) == Wosize_val(of) && Tag_val(block) == Tag_val(of);
}

/* The copy, not the block that may die meanwhile, keeps the fields. */
static void copy_and_keep_fields(value copy, value v)
{
  struct domain *d = domain_self();
  mlsize_t n = Wosize_val(v);
  if (Tag_val(v) >= No_scan_tag) {
    memcpy(Bp_val(copy), Bp_val(v), Bsize_wsize(n));
    return;
  }
  for (mlsize_t i = 0; i < n; i++) {
    value field = load_relaxed(&Field(v, i));
    gc_keep(d, field);
    gc_init_field(d, &Field(copy, i), field);
  }
}

/* The block itself is not kept: the cycle that is under way may find it dead (weak.mli). So making room for the copy may make it go,
 * and what is there then may have another shape. */
static value ephe_get_copy(value ephe, mlsize_t index)
{
  value copy = Val_unit, v;
  LOCAL_ROOTS(&ephe, &copy);
  for (;;) {
    v = gc_ephe_peek(domain_self(), ephe, index);
    if (v == bac_ephe_none) return Val_none;
    if (!has_copy(v)) return ephe_get(ephe, index);
    value block = Tag_val(v) == Infix_tag ? v - (value)Infix_offset_hd(Hd_val(v)) : v;
    if (has_shape(copy, block)) {
      copy_and_keep_fields(copy, block);
      return caml_alloc_some(copy + (v - block));
    }
    copy = caml_alloc(Wosize_val(block), Tag_val(block));
  }
}

CAMLprim value caml_ephe_get_key(value ephe, value n)
{
  return ephe_get(ephe, key_index(ephe, n, "Weak.get"));
}
CAMLprim value caml_ephe_get_key_copy(value ephe, value n)
{
  return ephe_get_copy(ephe, key_index(ephe, n, "Weak.get"));
}
CAMLprim value caml_ephe_get_data(value ephe) { return ephe_get(ephe, EPHE_DATA); }
CAMLprim value caml_ephe_get_data_copy(value ephe) { return ephe_get_copy(ephe, EPHE_DATA); }
CAMLprim value caml_weak_get(value ephe, value n) { return caml_ephe_get_key(ephe, n); }
CAMLprim value caml_weak_get_copy(value ephe, value n) { return caml_ephe_get_key_copy(ephe, n); }

CAMLprim value caml_ephe_check_key(value ephe, value n)
{
  return Val_bool(gc_ephe_check(domain_self(), ephe, key_index(ephe, n, "Weak.check")));
}
CAMLprim value caml_ephe_check_data(value ephe)
{
  return Val_bool(gc_ephe_check(domain_self(), ephe, EPHE_DATA));
}
CAMLprim value caml_weak_check(value ephe, value n) { return caml_ephe_check_key(ephe, n); }

/* ---- Writing ---- */

CAMLprim value caml_ephe_set_key(value ephe, value n, value v)
{
  gc_ephe_set(domain_self(), ephe, key_index(ephe, n, "Weak.set"), v);
  return Val_unit;
}
CAMLprim value caml_ephe_unset_key(value ephe, value n)
{
  gc_ephe_unset(domain_self(), ephe, key_index(ephe, n, "Weak.set"));
  return Val_unit;
}
CAMLprim value caml_ephe_set_data(value ephe, value v)
{
  gc_ephe_set(domain_self(), ephe, EPHE_DATA, v);
  return Val_unit;
}
CAMLprim value caml_ephe_unset_data(value ephe)
{
  gc_ephe_unset(domain_self(), ephe, EPHE_DATA);
  return Val_unit;
}
CAMLprim value caml_weak_set(value ephe, value n, value option)
{
  return Is_none(option) ? caml_ephe_unset_key(ephe, n)
                         : caml_ephe_set_key(ephe, n, Field(option, 0));
}

/* ---- Copying between ephemerons ---- */

static bool is_key_range(value ephe, value from, value count)
{
  uintnat first = (uintnat)Long_val(from), n = (uintnat)Long_val(count), keys = ephe_keys(ephe);
  return first <= keys && n <= keys - first;
}

CAMLprim value caml_ephe_blit_key(value src, value from, value dst, value to, value count)
{
  if (!is_key_range(src, from, count) || !is_key_range(dst, to, count))
    caml_invalid_argument("Weak.blit");
  if (Long_val(count) > 0)
    gc_ephe_blit_key(domain_self(), src, EPHE_FIRST_KEY + (mlsize_t)Long_val(from), dst,
                     EPHE_FIRST_KEY + (mlsize_t)Long_val(to), (mlsize_t)Long_val(count));
  return Val_unit;
}
CAMLprim value caml_ephe_blit_data(value src, value dst)
{
  gc_ephe_blit_data(domain_self(), src, dst);
  return Val_unit;
}
CAMLprim value caml_weak_blit(value src, value from, value dst, value to, value count)
{
  return caml_ephe_blit_key(src, from, dst, to, count);
}
