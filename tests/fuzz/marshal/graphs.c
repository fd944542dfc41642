/* SPDX-License-Identifier: MIT */
/* Random values of all the kinds of blocks that a message may hold. */
#include "fuzz/marshal/fuzz.h"

#include "abi/codefrag.h"
#include "abi/runtime.h"
#include "prims/bigarray.h"

enum { POOL = 64, DEEPEST = 3000 };

/* ---- A custom block that knows whether it is sound ---- */

enum { SOUND = 0x600d };

static void sound_finalise(value v)
{
  if (*(intnat *)Data_custom_val(v) != SOUND) bac_fatal("the finaliser of an unfinished block was called");
}

static void sound_serialise(value v, uintnat *bsize_32, uintnat *bsize_64)
{
  caml_serialize_int_8(*(int64_t *)Data_custom_val(v));
  *bsize_32 = *bsize_64 = 8;
}

static uintnat sound_deserialise(void *to)
{
  int64_t n = caml_deserialize_sint_8();
  if (n != SOUND) caml_deserialize_error("input_value: not sound");
  *(int64_t *)to = n;
  return 8;
}

static const struct custom_fixed_length sound_length = {8, 8};
static const struct custom_operations sound_ops = {
    .identifier = "_fuzz",
    .finalize = sound_finalise,
    .serialize = sound_serialise,
    .deserialize = sound_deserialise,
    .fixed_length = &sound_length,
};

static value make_sound(void)
{
  value v = caml_alloc_custom(&sound_ops, 8, 0, 1);
  *(int64_t *)Data_custom_val(v) = SOUND;
  return v;
}

/* ---- The other kinds ---- */

static char code_area[256];

void graphs_init(void)
{
  codefrag_register(code_area, code_area + sizeof code_area, (const unsigned char *)"a digest of code", NULL);
  caml_register_custom_operations(&sound_ops);
}

/* A closure of two functions with one variable, as the interpreter lays it out. */
static value make_closure(value variable)
{
  LOCAL_ROOTS(&variable);
  value v = caml_alloc_small(6, Closure_tag);
  Field(v, 0) = (value)&code_area[16];
  Field(v, 1) = Make_closinfo(0, 5);
  Field(v, 2) = (value)Make_header(3, Infix_tag, 0);
  Field(v, 3) = (value)&code_area[32];
  Field(v, 4) = Make_closinfo(0, 2);
  Field(v, 5) = variable;
  return one_in(2) ? v : v + (value)Bsize_wsize(3);
}

static value make_bigarray(void)
{
  int kind = (int)below(CAML_BA_KINDS);
  intnat rows = (intnat)below(5), columns = (intnat)below(9);
  value v = caml_ba_alloc_dims(kind, 2, NULL, rows, columns);
  memset(Caml_ba_data_val(v), 7, caml_ba_byte_size(Caml_ba_array_val(v)));
  return v;
}

/* With a negative identity, which is not renewed. */
static value make_object(value state)
{
  LOCAL_ROOTS(&state);
  value v = caml_alloc_small(3, Object_tag);
  Field(v, 0) = Val_unit;
  Field(v, 1) = Val_int(-5);
  Field(v, 2) = state;
  return v;
}

static value make_int(void)
{
  intnat n = (intnat)rng_next(&fuzz_rng) >> below(63);
  return Val_long(n);
}

static value make_floats(void)
{
  value v = caml_alloc_float_array(1 + below(one_in(8) ? 300 : 20));
  memset(Op_val(v), 1, Bosize_val(v));
  return v;
}

/* A block of what the pool holds so far. */
static value make_block(value *pool, size_t have)
{
  mlsize_t size = one_in(16) ? below(300) : below(9);
  tag_t tag = (tag_t)below(one_in(4) ? Forcing_tag : 16);
  value v = caml_alloc(size, tag);
  for (mlsize_t i = 0; i < size; i++)
    Store_field(v, i, have == 0 || one_in(3) ? make_int() : pool[below(have)]);
  return v;
}

/* Each block but the last is the first field of another, or the last. */
static value make_deep(bool first)
{
  value v = Val_emptylist;
  LOCAL_ROOTS(&v);
  for (size_t n = below(one_in(8) ? DEEPEST : 100); n > 0; n--)
    v = first ? caml_alloc_2(Tag_cons, v, make_int()) : caml_alloc_2(Tag_cons, make_int(), v);
  return v;
}

static value make_any(value *pool, size_t have)
{
  value last = have > 0 ? pool[have - 1] : Val_unit;
  switch (below(20)) {
  case 0: return make_int();
  case 1: return caml_alloc_initialized_string(below(40), code_area);
  case 2: return caml_alloc_initialized_string(below(200), code_area);
  case 3: return caml_copy_double((double)rng_next(&fuzz_rng));
  case 4: return make_floats();
  case 5: return caml_copy_int32((int32_t)rng_next(&fuzz_rng));
  case 6: return caml_copy_int64((int64_t)rng_next(&fuzz_rng));
  case 7: return caml_copy_nativeint((intnat)rng_next(&fuzz_rng) >> below(40));
  case 8: return make_bigarray();
  case 9:
  case 10: return make_closure(last);
  case 11: return make_sound();
  case 12: return make_object(last);
  default: return make_block(pool, have);
  }
}

value graphs_make(bool tree)
{
  if (one_in(16)) return make_deep(one_in(2));
  if (tree) return make_any(NULL, 0);
  value pool[POOL];
  size_t count = 1 + below(1 + below(POOL));
  for (size_t i = 0; i < count; i++) pool[i] = Val_unit;
  LOCAL_ROOT_ARRAY(pool, (intnat)count);
  for (size_t i = 0; i < count; i++) pool[i] = make_any(pool, i);
  for (size_t i = 0; i < count; i++)
    if (one_in(8) && Is_block(pool[i]) && Tag_val(pool[i]) < 16 && Wosize_val(pool[i]) > 0)
      Store_field(pool[i], 0, pool[below(count)]);
  return pool[count - 1];
}
