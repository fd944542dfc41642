/* SPDX-License-Identifier: MIT */
/* Bodies of the primitives of bytecode/inlined.tbl, as macros like those of bytecode/instructions.h: pc stands at the
 * primitive's index at the entry and behind it at the end. Each does the case that is frequent and short; what raises or is
 * rare is left to the primitive itself, by a jump to the instruction that calls it. Included by interp.c alone. */
#ifndef BAC_BYTECODE_INLINED_H
#define BAC_BYTECODE_INLINED_H

#include <math.h>

#define CALL_UNLESS(test, args)                                                 \
  do {                                                                          \
    if (unlikely(!(test))) goto op_C_CALL##args;                                \
  } while (0)
/* The primitive's result, in place of its [args] arguments. */
#define ANSWER(args, result)                                                    \
  do {                                                                          \
    acc = (result);                                                             \
    sp += (args) - 1;                                                           \
    pc++;                                                                       \
  } while (0)
#define ANSWER_FLOAT(args, result)                                              \
  do {                                                                          \
    double d_ = (result);                                                       \
    value block_;                                                               \
    ALLOC(block_, Double_wosize, Double_tag, 1);                                \
    Store_double_val(block_, d_);                                               \
    ANSWER(args, block_);                                                       \
  } while (0)

/* ---- Floats ---- */

#define FLOATS(op) ANSWER_FLOAT(2, Double_val(acc) op Double_val(sp[0]))
#define DO_caml_add_float FLOATS(+)
#define DO_caml_sub_float FLOATS(-)
#define DO_caml_mul_float FLOATS(*)
#define DO_caml_div_float FLOATS(/)
#define DO_caml_neg_float ANSWER_FLOAT(1, -Double_val(acc))
#define DO_caml_abs_float ANSWER_FLOAT(1, fabs(Double_val(acc)))
#define DO_caml_sqrt_float                                                      \
  do {                                                                          \
    CALL_UNLESS(Double_val(acc) >= 0, 1);                                       \
    ANSWER_FLOAT(1, sqrt(Double_val(acc)));                                     \
  } while (0)
#define DO_caml_float_of_int ANSWER_FLOAT(1, (double)Long_val(acc))
/* What does not fit is undefined here. */
#define DO_caml_int_of_float                                                    \
  do {                                                                          \
    CALL_UNLESS(fabs(Double_val(acc)) < 0x1p62, 1);                             \
    ANSWER(1, Val_long((intnat)Double_val(acc)));                               \
  } while (0)

#define FLOATS_ARE(op) ANSWER(2, Val_bool(Double_val(acc) op Double_val(sp[0])))
#define DO_caml_eq_float FLOATS_ARE(==)
#define DO_caml_neq_float FLOATS_ARE(!=)
#define DO_caml_lt_float FLOATS_ARE(<)
#define DO_caml_le_float FLOATS_ARE(<=)
#define DO_caml_gt_float FLOATS_ARE(>)
#define DO_caml_ge_float FLOATS_ARE(>=)

/* ---- Arrays: acc, the index, for stores the value ---- */

#define INDEX Long_val(sp[0])
#define INDEX_IS_INSIDE ((uintnat)INDEX < Wosize_val(acc))
#define IS_FLAT (Tag_val(acc) == Double_array_tag)

#define GET_FLAT ANSWER_FLOAT(2, Double_flat_field(acc, INDEX))
#define GET_ADDR ANSWER(2, load_relaxed(&Field(acc, INDEX)))
#define SET_FLAT                                                                \
  do {                                                                          \
    Store_double_flat_field(acc, INDEX, Double_val(sp[1]));                     \
    ANSWER(3, Val_unit);                                                        \
  } while (0)
#define SET_ADDR                                                                \
  do {                                                                          \
    WRITE_FIELD(&Field(acc, INDEX), sp[1]);                                     \
    ANSWER(3, Val_unit);                                                        \
  } while (0)
#define WHERE(test, args, access)                                               \
  do {                                                                          \
    CALL_UNLESS(test, args);                                                    \
    access;                                                                     \
  } while (0)

#define DO_caml_floatarray_get WHERE(INDEX_IS_INSIDE, 2, GET_FLAT)
#define DO_caml_floatarray_unsafe_get GET_FLAT
#define DO_caml_floatarray_set WHERE(INDEX_IS_INSIDE, 3, SET_FLAT)
#define DO_caml_floatarray_unsafe_set SET_FLAT
#define DO_caml_array_get WHERE(INDEX_IS_INSIDE && !IS_FLAT, 2, GET_ADDR)
#define DO_caml_array_unsafe_get WHERE(!IS_FLAT, 2, GET_ADDR)
#define DO_caml_array_get_addr WHERE(INDEX_IS_INSIDE, 2, GET_ADDR)
#define DO_caml_array_set WHERE(INDEX_IS_INSIDE && !IS_FLAT, 3, SET_ADDR)
#define DO_caml_array_unsafe_set WHERE(!IS_FLAT, 3, SET_ADDR)
#define DO_caml_array_set_addr WHERE(INDEX_IS_INSIDE, 3, SET_ADDR)

/* ---- Strings ---- */

#define BYTE_IS_INSIDE ((uintnat)INDEX < string_length(acc))
#define GET_BYTE WHERE(BYTE_IS_INSIDE, 2, ANSWER(2, Val_int(Byte_u(acc, INDEX))))
#define DO_caml_ml_string_length ANSWER(1, Val_long(string_length(acc)))
#define DO_caml_ml_bytes_length DO_caml_ml_string_length
#define DO_caml_string_get GET_BYTE
#define DO_caml_bytes_get GET_BYTE
#define DO_caml_bytes_set                                                       \
  do {                                                                          \
    CALL_UNLESS(BYTE_IS_INSIDE, 3);                                             \
    Byte_u(acc, INDEX) = (unsigned char)Long_val(sp[1]);                        \
    ANSWER(3, Val_unit);                                                        \
  } while (0)

/* ---- Comparison: of integers, which are many of those that the compiler does not know to be some ---- */

#define BOTH_LONG (acc & sp[0] & 1)
#define THREE_WAY ANSWER(2, Val_int((acc > sp[0]) - (acc < sp[0])))
#define LONGS_ARE(op) WHERE(BOTH_LONG, 2, ANSWER(2, Val_bool(acc op sp[0])))
#define DO_caml_int_compare THREE_WAY
#define DO_caml_compare WHERE(BOTH_LONG, 2, THREE_WAY)
#define DO_caml_equal LONGS_ARE(==)
#define DO_caml_notequal LONGS_ARE(!=)
#define DO_caml_lessthan LONGS_ARE(<)
#define DO_caml_lessequal LONGS_ARE(<=)
#define DO_caml_greaterthan LONGS_ARE(>)
#define DO_caml_greaterequal LONGS_ARE(>=)

#endif
