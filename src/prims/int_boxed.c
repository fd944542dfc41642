/* SPDX-License-Identifier: MIT */
/* The boxed integers: int32, int64, nativeint.
 *
 * Each is a custom block with the number after the operations word. Arithmetic
 * wraps around: it is done on unsigned numbers and the result is given back its
 * sign. The forms on unboxed numbers are those that the externals of stdlib/int32.ml,
 * int64.ml, nativeint.ml and float.ml name for native code. No state. */
#include "prims/ints.h"
#include "prims/marshal.h"

/* Shift counts outside the width are unspecified by the library; masking them
 * keeps them defined in C and is what the machine does. */
#define COUNT32(n) ((unsigned)Long_val(n) & 31)
#define COUNT64(n) ((unsigned)Long_val(n) & 63)
#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

/* A conversion of what does not fit gives what the machine's instruction
 * gives, as in native code; the sanitizer need not tell. */
#define MACHINE_CAST __attribute__((no_sanitize("undefined")))

static int64_t divide(int64_t a, int64_t b)
{
  if (b == 0) caml_raise_zero_divide();
  return b == -1 ? (int64_t)-(uint64_t)a : a / b;
}

static int64_t modulo(int64_t a, int64_t b)
{
  if (b == 0) caml_raise_zero_divide();
  return b == -1 ? 0 : a % b;
}

/* ---- int32 ---- */

static inline uint32_t u32(value n) { return (uint32_t)Int32_val(n); }
static inline value box32(uint32_t n) { return caml_copy_int32((int32_t)n); }

CAMLprim value caml_int32_neg(value n) { return box32(-u32(n)); }
CAMLprim value caml_int32_add(value a, value b) { return box32(u32(a) + u32(b)); }
CAMLprim value caml_int32_sub(value a, value b) { return box32(u32(a) - u32(b)); }
CAMLprim value caml_int32_mul(value a, value b) { return box32(u32(a) * u32(b)); }
CAMLprim value caml_int32_div(value a, value b) { return box32((uint32_t)divide(Int32_val(a), Int32_val(b))); }
CAMLprim value caml_int32_mod(value a, value b) { return box32((uint32_t)modulo(Int32_val(a), Int32_val(b))); }
CAMLprim value caml_int32_and(value a, value b) { return box32(u32(a) & u32(b)); }
CAMLprim value caml_int32_or(value a, value b) { return box32(u32(a) | u32(b)); }
CAMLprim value caml_int32_xor(value a, value b) { return box32(u32(a) ^ u32(b)); }
CAMLprim value caml_int32_shift_left(value n, value by) { return box32(u32(n) << COUNT32(by)); }
CAMLprim value caml_int32_shift_right(value n, value by) { return caml_copy_int32(Int32_val(n) >> COUNT32(by)); }
CAMLprim value caml_int32_shift_right_unsigned(value n, value by) { return box32(u32(n) >> COUNT32(by)); }
CAMLprim value caml_int32_bswap(value n) { return box32(__builtin_bswap32(u32(n))); }
CAMLexport intnat caml_int32_direct_bswap(intnat n) { return (int32_t)__builtin_bswap32((uint32_t)n); }

CAMLprim value caml_int32_of_int(value n) { return box32((uint32_t)Long_val(n)); }
CAMLprim value caml_int32_to_int(value n) { return Val_long(Int32_val(n)); }

CAMLexport MACHINE_CAST int32_t caml_int32_of_float_unboxed(double d) { return (int32_t)d; }
CAMLprim value caml_int32_of_float(value d) { return caml_copy_int32(caml_int32_of_float_unboxed(Double_val(d))); }
CAMLexport double caml_int32_to_float_unboxed(int32_t n) { return n; }
CAMLprim value caml_int32_to_float(value n) { return caml_copy_double(Int32_val(n)); }

CAMLexport int32_t caml_int32_bits_of_float_unboxed(double d)
{
  float single = (float)d;
  int32_t bits;
  memcpy(&bits, &single, sizeof bits);
  return bits;
}

CAMLexport double caml_int32_float_of_bits_unboxed(int32_t bits)
{
  float single;
  memcpy(&single, &bits, sizeof single);
  return single;
}

CAMLprim value caml_int32_bits_of_float(value d)
{
  return caml_copy_int32(caml_int32_bits_of_float_unboxed(Double_val(d)));
}

CAMLprim value caml_int32_float_of_bits(value n)
{
  return caml_copy_double(caml_int32_float_of_bits_unboxed(Int32_val(n)));
}

CAMLexport intnat caml_int32_compare_unboxed(int32_t a, int32_t b) { return ORDER(a, b); }
CAMLprim value caml_int32_compare(value a, value b) { return Val_long(ORDER(Int32_val(a), Int32_val(b))); }

CAMLprim value caml_int32_format(value format, value n)
{
  return ints_format(format, Int32_val(n), u32(n), 0);
}

CAMLprim value caml_int32_of_string(value text)
{
  return box32((uint32_t)ints_parse(text, 32, "Int32.of_string"));
}

/* ---- int64 ---- */

static inline uint64_t u64(value n) { return (uint64_t)Int64_val(n); }
static inline value box64(uint64_t n) { return caml_copy_int64((int64_t)n); }

CAMLprim value caml_int64_neg(value n) { return box64(-u64(n)); }
CAMLprim value caml_int64_add(value a, value b) { return box64(u64(a) + u64(b)); }
CAMLprim value caml_int64_sub(value a, value b) { return box64(u64(a) - u64(b)); }
CAMLprim value caml_int64_mul(value a, value b) { return box64(u64(a) * u64(b)); }
CAMLprim value caml_int64_div(value a, value b) { return caml_copy_int64(divide(Int64_val(a), Int64_val(b))); }
CAMLprim value caml_int64_mod(value a, value b) { return caml_copy_int64(modulo(Int64_val(a), Int64_val(b))); }
CAMLprim value caml_int64_and(value a, value b) { return box64(u64(a) & u64(b)); }
CAMLprim value caml_int64_or(value a, value b) { return box64(u64(a) | u64(b)); }
CAMLprim value caml_int64_xor(value a, value b) { return box64(u64(a) ^ u64(b)); }
CAMLprim value caml_int64_shift_left(value n, value by) { return box64(u64(n) << COUNT64(by)); }
CAMLprim value caml_int64_shift_right(value n, value by) { return caml_copy_int64(Int64_val(n) >> COUNT64(by)); }
CAMLprim value caml_int64_shift_right_unsigned(value n, value by) { return box64(u64(n) >> COUNT64(by)); }
CAMLprim value caml_int64_bswap(value n) { return box64(__builtin_bswap64(u64(n))); }
CAMLexport int64_t caml_int64_direct_bswap(int64_t n) { return (int64_t)__builtin_bswap64((uint64_t)n); }

CAMLprim value caml_int64_of_int(value n) { return caml_copy_int64(Long_val(n)); }
CAMLprim value caml_int64_to_int(value n) { return Val_long(Int64_val(n)); }
CAMLprim value caml_int64_of_int32(value n) { return caml_copy_int64(Int32_val(n)); }
CAMLprim value caml_int64_to_int32(value n) { return box32((uint32_t)u64(n)); }
CAMLprim value caml_int64_of_nativeint(value n) { return caml_copy_int64(Nativeint_val(n)); }
CAMLprim value caml_int64_to_nativeint(value n) { return caml_copy_nativeint(Int64_val(n)); }

CAMLexport MACHINE_CAST int64_t caml_int64_of_float_unboxed(double d) { return (int64_t)d; }
CAMLprim value caml_int64_of_float(value d) { return caml_copy_int64(caml_int64_of_float_unboxed(Double_val(d))); }
CAMLexport double caml_int64_to_float_unboxed(int64_t n) { return (double)n; }
CAMLprim value caml_int64_to_float(value n) { return caml_copy_double((double)Int64_val(n)); }

CAMLexport int64_t caml_int64_bits_of_float_unboxed(double d)
{
  int64_t bits;
  memcpy(&bits, &d, sizeof bits);
  return bits;
}

CAMLexport double caml_int64_float_of_bits_unboxed(int64_t bits)
{
  double d;
  memcpy(&d, &bits, sizeof d);
  return d;
}

CAMLprim value caml_int64_bits_of_float(value d)
{
  return caml_copy_int64(caml_int64_bits_of_float_unboxed(Double_val(d)));
}

CAMLprim value caml_int64_float_of_bits(value n)
{
  return caml_copy_double(caml_int64_float_of_bits_unboxed(Int64_val(n)));
}

CAMLexport intnat caml_int64_compare_unboxed(int64_t a, int64_t b) { return ORDER(a, b); }
CAMLprim value caml_int64_compare(value a, value b) { return Val_long(ORDER(Int64_val(a), Int64_val(b))); }

CAMLprim value caml_int64_format(value format, value n)
{
  return ints_format(format, Int64_val(n), u64(n), 1);
}

CAMLprim value caml_int64_of_string(value text)
{
  return caml_copy_int64(ints_parse(text, 64, "Int64.of_string"));
}

/* ---- nativeint ---- */

static inline uintnat un(value n) { return (uintnat)Nativeint_val(n); }
static inline value boxn(uintnat n) { return caml_copy_nativeint((intnat)n); }

CAMLprim value caml_nativeint_neg(value n) { return boxn(-un(n)); }
CAMLprim value caml_nativeint_add(value a, value b) { return boxn(un(a) + un(b)); }
CAMLprim value caml_nativeint_sub(value a, value b) { return boxn(un(a) - un(b)); }
CAMLprim value caml_nativeint_mul(value a, value b) { return boxn(un(a) * un(b)); }
CAMLprim value caml_nativeint_div(value a, value b)
{
  return caml_copy_nativeint(divide(Nativeint_val(a), Nativeint_val(b)));
}
CAMLprim value caml_nativeint_mod(value a, value b)
{
  return caml_copy_nativeint(modulo(Nativeint_val(a), Nativeint_val(b)));
}
CAMLprim value caml_nativeint_and(value a, value b) { return boxn(un(a) & un(b)); }
CAMLprim value caml_nativeint_or(value a, value b) { return boxn(un(a) | un(b)); }
CAMLprim value caml_nativeint_xor(value a, value b) { return boxn(un(a) ^ un(b)); }
CAMLprim value caml_nativeint_shift_left(value n, value by) { return boxn(un(n) << COUNT64(by)); }
CAMLprim value caml_nativeint_shift_right(value n, value by)
{
  return caml_copy_nativeint(Nativeint_val(n) >> COUNT64(by));
}
CAMLprim value caml_nativeint_shift_right_unsigned(value n, value by) { return boxn(un(n) >> COUNT64(by)); }
CAMLprim value caml_nativeint_bswap(value n) { return boxn(__builtin_bswap64(un(n))); }
CAMLexport intnat caml_nativeint_direct_bswap(intnat n) { return (intnat)__builtin_bswap64((uint64_t)n); }

CAMLprim value caml_nativeint_of_int(value n) { return caml_copy_nativeint(Long_val(n)); }
CAMLprim value caml_nativeint_to_int(value n) { return Val_long(Nativeint_val(n)); }
CAMLprim value caml_nativeint_of_int32(value n) { return caml_copy_nativeint(Int32_val(n)); }
CAMLprim value caml_nativeint_to_int32(value n) { return box32((uint32_t)un(n)); }

CAMLexport MACHINE_CAST intnat caml_nativeint_of_float_unboxed(double d) { return (intnat)d; }
CAMLprim value caml_nativeint_of_float(value d)
{
  return caml_copy_nativeint(caml_nativeint_of_float_unboxed(Double_val(d)));
}
CAMLexport double caml_nativeint_to_float_unboxed(intnat n) { return (double)n; }
CAMLprim value caml_nativeint_to_float(value n) { return caml_copy_double((double)Nativeint_val(n)); }

CAMLexport intnat caml_nativeint_compare_unboxed(intnat a, intnat b) { return ORDER(a, b); }
CAMLprim value caml_nativeint_compare(value a, value b)
{
  return Val_long(ORDER(Nativeint_val(a), Nativeint_val(b)));
}

CAMLprim value caml_nativeint_format(value format, value n)
{
  return ints_format(format, Nativeint_val(n), un(n), 1);
}

CAMLprim value caml_nativeint_of_string(value text)
{
  return caml_copy_nativeint(ints_parse(text, 64, "Nativeint.of_string"));
}

/* ---- As custom blocks ---- */

static int int32_order(value a, value b) { return ORDER(Int32_val(a), Int32_val(b)); }
static int int64_order(value a, value b) { return ORDER(Int64_val(a), Int64_val(b)); }
static int nativeint_order(value a, value b) { return ORDER(Nativeint_val(a), Nativeint_val(b)); }

static intnat int32_hash(value n) { return Int32_val(n); }
static intnat int64_hash(value n) { return (uint32_t)(u64(n) ^ u64(n) >> 32); }
/* A number of 32 bits hashes as the same int32 would. */
static intnat nativeint_hash(value n)
{
  intnat i = Nativeint_val(n);
  return i ^ i >> 32 ^ i >> 63;
}

static void int32_write(value n, uintnat *size_32, uintnat *size_64)
{
  caml_serialize_int_4(Int32_val(n));
  *size_32 = *size_64 = sizeof(int32_t);
}

static void int64_write(value n, uintnat *size_32, uintnat *size_64)
{
  caml_serialize_int_8(Int64_val(n));
  *size_32 = *size_64 = sizeof(int64_t);
}

/* A byte says how wide the number that follows is: what fits is written so
 * that a machine of 32 bits can read it. */
enum { NATIVEINT_4_BYTES = 1, NATIVEINT_8_BYTES = 2 };

static void nativeint_write(value n, uintnat *size_32, uintnat *size_64)
{
  intnat i = Nativeint_val(n);
  bool narrow = i == (int32_t)i;
  caml_serialize_int_1(narrow ? NATIVEINT_4_BYTES : NATIVEINT_8_BYTES);
  if (narrow) caml_serialize_int_4((int32_t)i);
  else caml_serialize_int_8(i);
  *size_32 = 4;
  *size_64 = 8;
}

static uintnat int32_read(void *dst)
{
  int32_t n = caml_deserialize_sint_4();
  memcpy(dst, &n, sizeof n);
  return sizeof n;
}

static uintnat int64_read(void *dst)
{
  int64_t n = caml_deserialize_sint_8();
  memcpy(dst, &n, sizeof n);
  return sizeof n;
}

static uintnat nativeint_read(void *dst)
{
  intnat n = 0;
  switch (caml_deserialize_uint_1()) {
  case NATIVEINT_4_BYTES: n = caml_deserialize_sint_4(); break;
  case NATIVEINT_8_BYTES: n = caml_deserialize_sint_8(); break;
  default: caml_deserialize_error("input_value: ill-formed native integer");
  }
  memcpy(dst, &n, sizeof n);
  return sizeof n;
}

static const struct custom_fixed_length length_4 = {4, 4}, length_8 = {8, 8}, length_word = {4, 8};

CAMLexport const struct custom_operations caml_int32_ops = {
  .identifier = "_i", .compare = int32_order, .hash = int32_hash,
  .serialize = int32_write, .deserialize = int32_read, .fixed_length = &length_4,
};

CAMLexport const struct custom_operations caml_int64_ops = {
  .identifier = "_j", .compare = int64_order, .hash = int64_hash,
  .serialize = int64_write, .deserialize = int64_read, .fixed_length = &length_8,
};

CAMLexport const struct custom_operations caml_nativeint_ops = {
  .identifier = "_n", .compare = nativeint_order, .hash = nativeint_hash,
  .serialize = nativeint_write, .deserialize = nativeint_read, .fixed_length = &length_word,
};
