/* SPDX-License-Identifier: MIT */
/* Arrays: the primitives of Array, Float.Array and the compiler's uniform arrays.
 *
 * An 'a array holds values, or, when its elements are floats, the bare doubles
 * in a block of Double_array_tag. Hence three families:
 *
 *   caml_array_*           look at the tag and do the right thing
 *   caml_floatarray_*      always bare doubles
 *   caml_uniform_array_*   always values, floats too are boxed
 *
 * An empty array is Atom(0) in all three.
 *
 * Concurrency: another domain may read or write the same array meanwhile. It must
 * never see half a value, so values are copied word by word with atomic accesses.
 * The callers check offsets and lengths, except where a message below says so. */
#include "abi/runtime.h"
#include "sync/atomic.h"

CAMLexport int caml_is_double_array(value array) { return Tag_val(array) == Double_array_tag; }

CAMLexport mlsize_t caml_array_length(value array) { return Wosize_val(array); }

static void check_index(value array, value index)
{
  if ((uintnat)Long_val(index) >= Wosize_val(array)) caml_array_bound_error();
}

/* ---- Get and set ---- */

CAMLprim value caml_floatarray_unsafe_get(value array, value index)
{
  return caml_copy_double(Double_flat_field(array, Long_val(index)));
}

CAMLprim value caml_floatarray_unsafe_set(value array, value index, value v)
{
  Store_double_flat_field(array, Long_val(index), Double_val(v));
  return Val_unit;
}

CAMLprim value caml_array_unsafe_get(value array, value index)
{
  if (caml_is_double_array(array)) return caml_floatarray_unsafe_get(array, index);
  return load_relaxed(&Field(array, Long_val(index)));
}

CAMLprim value caml_array_unsafe_set(value array, value index, value v)
{
  if (caml_is_double_array(array)) return caml_floatarray_unsafe_set(array, index, v);
  caml_modify(&Field(array, Long_val(index)), v);
  return Val_unit;
}

CAMLprim value caml_array_get(value array, value index)
{
  check_index(array, index);
  return caml_array_unsafe_get(array, index);
}

CAMLprim value caml_array_set(value array, value index, value v)
{
  check_index(array, index);
  return caml_array_unsafe_set(array, index, v);
}

CAMLprim value caml_floatarray_get(value array, value index)
{
  check_index(array, index);
  return caml_floatarray_unsafe_get(array, index);
}

CAMLprim value caml_floatarray_set(value array, value index, value v)
{
  check_index(array, index);
  return caml_floatarray_unsafe_set(array, index, v);
}

CAMLprim value caml_array_get_addr(value array, value index)
{
  check_index(array, index);
  return load_relaxed(&Field(array, Long_val(index)));
}

CAMLprim value caml_array_set_addr(value array, value index, value v)
{
  check_index(array, index);
  caml_modify(&Field(array, Long_val(index)), v);
  return Val_unit;
}

/* ---- Creation ---- */

/* Elements not set; a length beyond bounds, negative ones too, is [culprit]'s fault. [may gc] */
static value new_float_array(mlsize_t length, const char *culprit)
{
  if (length > Max_wosize) caml_invalid_argument(culprit);
  return length == 0 ? Atom(0) : caml_alloc(length, Double_array_tag);
}

/* The same with values: the caller sets all of them at once (gc_init_fields). [may gc] */
static value new_value_array(mlsize_t length, const char *culprit)
{
  if (length > Max_wosize) caml_invalid_argument(culprit);
  if (length == 0) return Atom(0);
  if (length <= Max_young_wosize) return caml_alloc_small(length, 0);
  if (!gc_make_room(Caml_state->domain, length)) caml_raise_out_of_memory();
  return caml_alloc_shr(length, 0);
}

CAMLprim value caml_floatarray_create(value length)
{
  return actions_poll(new_float_array((mlsize_t)Long_val(length), "Float.Array.create"));
}

CAMLprim value caml_floatarray_make_unboxed(intnat length, double init)
{
  value array = new_float_array((mlsize_t)length, "Array.make");
  for (intnat i = 0; i < length; i++) Store_double_flat_field(array, i, init);
  return actions_poll(array);
}

CAMLprim value caml_floatarray_make(value length, value init)
{
  return caml_floatarray_make_unboxed(Long_val(length), Double_val(init));
}

/* A large array full of one young value would put each element into the
 * remembered set: the value is promoted first. Then its stores owe the collector nothing,
 * as those into a young array. */
CAMLprim value caml_uniform_array_make(value length, value init)
{
  mlsize_t n = (mlsize_t)Long_val(length);
  LOCAL_ROOTS(&init);
  if (n > Max_young_wosize && n <= Max_wosize && Is_block(init) && gc_is_young(init))
    gc_minor(Caml_state->domain);
  value array = new_value_array(n, "Array.make");
  for (mlsize_t i = 0; i < n; i++) Field(array, i) = init;
  return actions_poll(array);
}

CAMLprim value caml_array_make(value length, value init)
{
  bool flat = Is_block(init) && Tag_val(init) == Double_tag;
  return flat ? caml_floatarray_make(length, init) : caml_uniform_array_make(length, init);
}

CAMLprim value caml_array_create_float(value length) { return caml_floatarray_create(length); }

/* [| a; b; ... |] of elements whose type the compiler does not know is built as
 * a block of values first; here it gets its proper form. */
CAMLprim value caml_array_of_uniform_array(value values)
{
  mlsize_t n = Wosize_val(values);
  if (n == 0 || Is_long(Field(values, 0)) || Tag_val(Field(values, 0)) != Double_tag) return values;
  LOCAL_ROOTS(&values);
  value floats = new_float_array(n, "Array.make");
  for (mlsize_t i = 0; i < n; i++) Store_double_flat_field(floats, i, Double_val(Field(values, i)));
  return actions_poll(floats);
}

/* Their names before OCaml 5.3. */
CAMLprim value caml_make_vect(value length, value init) { return caml_array_make(length, init); }
CAMLprim value caml_make_float_vect(value length) { return caml_array_create_float(length); }
CAMLprim value caml_make_array(value values) { return caml_array_of_uniform_array(values); }

/* ---- Fill and blit ---- */

/* Stores into a young array have no write barrier; they are still releases that
 * follow an acquire fence, as OCaml's memory model wants. */

CAMLprim value caml_floatarray_fill_unboxed(value array, intnat start, intnat length, double d)
{
  for (intnat i = start; i < start + length; i++) Store_double_flat_field(array, i, d);
  return Val_unit;
}

CAMLprim value caml_floatarray_fill(value array, value start, value length, value v)
{
  return caml_floatarray_fill_unboxed(array, Long_val(start), Long_val(length), Double_val(v));
}

CAMLprim value caml_uniform_array_fill(value array, value start, value length, value v)
{
  value *from = &Field(array, Long_val(start)), *to = from + Long_val(length);
  if (gc_is_young(array)) {
    fence_acquire();
    for (value *field = from; field < to; field++) store_release(field, v);
    return Val_unit;
  }
  for (value *field = from; field < to; field++)
    if (load_relaxed(field) != v) caml_modify(field, v);
  caml_check_urgent_gc(Val_unit);
  return Val_unit;
}

CAMLprim value caml_array_fill(value array, value start, value length, value v)
{
  return caml_is_double_array(array) ? caml_floatarray_fill(array, start, length, v)
                                     : caml_uniform_array_fill(array, start, length, v);
}

/* An empty array may come with any tag: nothing is touched then. */
CAMLprim value caml_floatarray_blit(value src, value from, value dst, value to, value length)
{
  fence_acquire();
  if (Long_val(length) > 0)
    memmove((double *)dst + Long_val(to), (double *)src + Long_val(from),
            (size_t)Long_val(length) * sizeof(double));
  return Val_unit;
}

CAMLprim value caml_uniform_array_blit(value src, value from, value dst, value to, value length)
{
  /* An empty array may be a static block. */
  if (Long_val(length) <= 0) return Val_unit;
  gc_copy_fields(domain_self(), &Field(dst, Long_val(to)), &Field(src, Long_val(from)), (size_t)Long_val(length));
  caml_check_urgent_gc(Val_unit);
  return Val_unit;
}

CAMLprim value caml_array_blit(value src, value from, value dst, value to, value length)
{
  return caml_is_double_array(dst) ? caml_floatarray_blit(src, from, dst, to, length)
                                   : caml_uniform_array_blit(src, from, dst, to, length);
}

/* ---- New arrays out of parts of others ---- */

/* Puts src[from .. from+n-1] at dst[at ..]; dst is new, made by new_float_array if [flat]. [no gc] */
static void place(bool flat, value dst, mlsize_t at, value src, mlsize_t from, mlsize_t n)
{
  const value *in = &Field(src, from);
  value *out = &Field(dst, at);
  if (flat)
    memcpy(out, in, n * sizeof(double));
  else
    gc_init_fields(domain_self(), out, in, n);
}

static value new_array(bool flat, mlsize_t length)
{
  return flat ? new_float_array(length, "Array.concat") : new_value_array(length, "Array.concat");
}

static value sub_array(bool flat, value array, value start, value length)
{
  LOCAL_ROOTS(&array);
  value part = new_array(flat, (mlsize_t)Long_val(length));
  place(flat, part, 0, array, (mlsize_t)Long_val(start), (mlsize_t)Long_val(length));
  return actions_poll(part);
}

static value append_arrays(bool flat, value a, value b)
{
  LOCAL_ROOTS(&a, &b);
  mlsize_t n = Wosize_val(a), m = Wosize_val(b);
  value both = new_array(flat, n + m);
  place(flat, both, 0, a, 0, n);
  place(flat, both, n, b, 0, m);
  return actions_poll(both);
}

CAMLprim value caml_floatarray_sub(value array, value start, value length)
{
  return sub_array(true, array, start, length);
}

CAMLprim value caml_uniform_array_sub(value array, value start, value length)
{
  return sub_array(false, array, start, length);
}

CAMLprim value caml_array_sub(value array, value start, value length)
{
  return sub_array(caml_is_double_array(array), array, start, length);
}

CAMLprim value caml_floatarray_append(value a, value b) { return append_arrays(true, a, b); }

CAMLprim value caml_uniform_array_append(value a, value b) { return append_arrays(false, a, b); }

CAMLprim value caml_array_append(value a, value b)
{
  return append_arrays(caml_is_double_array(a) || caml_is_double_array(b), a, b);
}

CAMLprim value caml_array_concat(value arrays)
{
  LOCAL_ROOTS(&arrays);
  mlsize_t length = 0, at = 0;
  bool flat = false;
  for (value l = arrays; l != Val_emptylist; l = Field(l, 1)) {
    if (__builtin_add_overflow(length, Wosize_val(Field(l, 0)), &length)) length = SIZE_MAX;
    flat |= caml_is_double_array(Field(l, 0));
    if (length > Max_wosize) caml_invalid_argument("Array.concat");
  }
  value all = new_array(flat, length);
  for (value l = arrays; l != Val_emptylist; l = Field(l, 1)) {
    mlsize_t n = Wosize_val(Field(l, 0));
    place(flat, all, at, Field(l, 0), 0, n);
    at += n;
  }
  return actions_poll(all);
}
