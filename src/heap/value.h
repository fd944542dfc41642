/* SPDX-License-Identifier: MIT */
/* The value model of OCaml 5.3 on 64-bit machines.
 *
 * A value is one machine word: an integer (low bit 1, the number in the upper
 * 63 bits) or the address of a block's first field. The word before the first
 * field is the block's header:
 *
 *      63            10 9      8 7     0
 *     +----------------+--------+-------+
 *     | size in words  | colour |  tag  |
 *     +----------------+--------+-------+
 *
 * "wosize" is the number of fields, without the header; "whsize" counts the
 * header too. The vocabulary (Val_int, Field, Tag_val ...) is that of the
 * public <caml/mlvalues.h>, which C programmers of OCaml know; the layouts are
 * those that the compiler emits. Source: the manual, "Interfacing C with
 * OCaml", and stdlib/obj.ml. */
#ifndef BAC_HEAP_VALUE_H
#define BAC_HEAP_VALUE_H

#include "base/check.h"

#include <stdint.h>
#include <string.h>

typedef intptr_t intnat;
typedef uintptr_t uintnat;
typedef intnat value;
typedef uintnat header_t;
typedef uintnat mlsize_t;
typedef uintnat asize_t;
typedef unsigned tag_t;
typedef int32_t opcode_t;
typedef opcode_t *code_t;

/* Tags with a meaning for the runtime; those below are plain blocks. Blocks
 * with a tag of No_scan_tag and above hold bytes, not values. */
enum {
  Forcing_tag = 244,
  Cont_tag = 245,
  Lazy_tag = 246,
  Closure_tag = 247,
  Object_tag = 248,
  Infix_tag = 249,
  Forward_tag = 250,
  No_scan_tag = 251,
  Abstract_tag = 251,
  String_tag = 252,
  Double_tag = 253,
  Double_array_tag = 254,
  Custom_tag = 255,
};

/* Integers, and the constants made of them. */
#define Val_long(n) ((value)(((uintnat)(n) << 1) | 1))
#define Long_val(v) ((intnat)(v) >> 1)
#define Val_int(n) Val_long(n)
#define Int_val(v) ((int)Long_val(v))
#define Unsigned_long_val(v) ((uintnat)(v) >> 1)
#define Max_long (INTPTR_MAX >> 1)
#define Min_long (INTPTR_MIN >> 1)
#define Val_unit Val_long(0)
#define Val_false Val_long(0)
#define Val_true Val_long(1)
#define Val_bool(b) ((b) ? Val_true : Val_false)
#define Bool_val(v) ((v) != Val_false)
#define Val_none Val_long(0)
#define Val_emptylist Val_long(0)
#define Tag_some 0
#define Tag_cons 0

static inline bool Is_long(value v) { return (v & 1) != 0; }
static inline bool Is_block(value v) { return (v & 1) == 0; }
static inline bool Is_none(value v) { return v == Val_none; }

/* A pointer with even address, dressed as an integer. */
static inline value Val_ptr(void *p) { return (value)p | 1; }
static inline void *Ptr_val(value v) { return (void *)(v & ~(value)1); }

/* Headers. */
enum { HEADER_WOSIZE_SHIFT = 10, HEADER_COLOUR_SHIFT = 8 };
#define HEADER_COLOUR_MASK ((header_t)3 << HEADER_COLOUR_SHIFT)
#define Max_wosize (((uintnat)1 << 54) - 1)

/* Blocks of at most this many fields may be born in the nursery; the compiler
 * relies on it. */
#define Max_young_wosize 256

static inline header_t Make_header(mlsize_t wosize, tag_t tag, header_t colour)
{
  return (wosize << HEADER_WOSIZE_SHIFT) | colour | tag;
}
static inline mlsize_t Wosize_hd(header_t hd) { return hd >> HEADER_WOSIZE_SHIFT; }
static inline mlsize_t Whsize_hd(header_t hd) { return Wosize_hd(hd) + 1; }
static inline tag_t Tag_hd(header_t hd) { return hd & 0xff; }
static inline header_t Colour_hd(header_t hd) { return hd & HEADER_COLOUR_MASK; }

/* The header is read with a relaxed atomic load: the collector of another
 * domain may be changing its colour byte, or a lazy value its tag byte. */
#define Hp_val(v) ((header_t *)(v) - 1)
static inline header_t Hd_val(value v)
{
  return __atomic_load_n(Hp_val(v), __ATOMIC_RELAXED);
}
static inline value Val_hp(void *hp) { return (value)((header_t *)hp + 1); }
static inline mlsize_t Wosize_val(value v) { return Wosize_hd(Hd_val(v)); }
static inline mlsize_t Bosize_val(value v) { return Wosize_val(v) * sizeof(value); }
static inline tag_t Tag_val(value v)
{
  return __atomic_load_n((unsigned char *)Hp_val(v), __ATOMIC_RELAXED);
}

/* Fields and bytes. */
#define Op_val(v) ((value *)(v))
#define Field(v, i) (((value *)(v))[i])
#define Bp_val(v) ((char *)(v))
#define Byte(v, i) (((char *)(v))[i])
#define Byte_u(v, i) (((unsigned char *)(v))[i])
#define Bsize_wsize(words) ((words) * sizeof(value))
#define Wsize_bsize(bytes) ((bytes) / sizeof(value))

/* Strings: padded to whole words; the last byte says how many bytes of the
 * last word are padding (less one). */
#define String_val(v) ((const char *)(v))
#define Bytes_val(v) ((unsigned char *)(v))
static inline mlsize_t string_length(value s)
{
  mlsize_t last = Bosize_val(s) - 1;
  return last - Byte_u(s, last);
}

/* Floats. */
#define Double_wosize 1
static inline double Double_val(value v)
{
  double d;
  memcpy(&d, (void *)v, sizeof d);
  return d;
}
static inline void Store_double_val(value v, double d) { memcpy((void *)v, &d, sizeof d); }
static inline double Double_flat_field(value v, mlsize_t i)
{
  return Double_val((value)((double *)v + i));
}
static inline void Store_double_flat_field(value v, mlsize_t i, double d)
{
  Store_double_val((value)((double *)v + i), d);
}

/* Closures: field 0 is a code pointer, field 1 the "closure information":
 * arity in the top 8 bits, then the index of the first environment field,
 * then a 1. A block of mutually recursive closures holds infix headers, whose
 * size field is the distance in words back to the block. */
#define Code_val(v) (((code_t *)(v))[0])
#define Closinfo_val(v) Field(v, 1)
static inline intnat Arity_closinfo(value info) { return (intnat)info >> 56; }
static inline mlsize_t Start_env_closinfo(value info) { return ((uintnat)info << 8) >> 9; }
static inline value Make_closinfo(intnat arity, mlsize_t start_env)
{
  return (value)(((uintnat)arity << 56) | (start_env << 1) | 1);
}
static inline mlsize_t Infix_offset_hd(header_t hd) { return Bsize_wsize(Wosize_hd(hd)); }

/* Objects, forwarding blocks, custom blocks. */
#define Class_val(obj) Field(obj, 0)
#define Oid_val(obj) Long_val(Field(obj, 1))
#define Forward_val(v) Field(v, 0)
#define Data_custom_val(v) ((void *)&Field(v, 1))
#define Data_abstract_val(v) ((void *)(v))

/* Ephemerons and weak arrays: a link that the collector may use, the data,
 * then the keys. An empty key or data holds bac_ephe_none. */
enum { EPHE_LINK = 0, EPHE_DATA = 1, EPHE_FIRST_KEY = 2 };

#endif
