/* SPDX-License-Identifier: MIT */
/* Bigarrays, with the layout that C stubs know from the public <caml/bigarray.h>. */
#ifndef BAC_PRIMS_BIGARRAY_H
#define BAC_PRIMS_BIGARRAY_H

#include "abi/caml.h"

enum { CAML_BA_MAX_NUM_DIMS = 16 };

/* In the order of Bigarray.kind's constructors. */
enum caml_ba_kind {
  CAML_BA_FLOAT32,
  CAML_BA_FLOAT64,
  CAML_BA_SINT8,
  CAML_BA_UINT8,
  CAML_BA_SINT16,
  CAML_BA_UINT16,
  CAML_BA_INT32,
  CAML_BA_INT64,
  CAML_BA_CAML_INT,
  CAML_BA_NATIVE_INT,
  CAML_BA_COMPLEX32,
  CAML_BA_COMPLEX64,
  CAML_BA_CHAR,
  CAML_BA_FLOAT16,
  CAML_BA_KINDS,
};

/* The flags word: kind, layout, who frees the data, is it a part of another's. */
enum {
  CAML_BA_KIND_MASK = 0xff,
  CAML_BA_C_LAYOUT = 0,              /* last index varies fastest, from 0 */
  CAML_BA_FORTRAN_LAYOUT = 0x100,    /* first index varies fastest, from 1 */
  CAML_BA_LAYOUT_MASK = 0x100,
  CAML_BA_LAYOUT_SHIFT = 8,
  CAML_BA_EXTERNAL = 0,              /* not ours */
  CAML_BA_MANAGED = 0x200,           /* free() */
  CAML_BA_MAPPED_FILE = 0x400,       /* the Unix library's finaliser unmaps it */
  CAML_BA_MANAGED_MASK = 0x600,
  CAML_BA_SUBARRAY = 0x800,
};

/* What arrays that share data have in common; in C memory. */
struct caml_ba_proxy {
  uintnat refcount;                  /* [atomic] blocks that point here */
  void *data;                        /* of the whole array */
  uintnat size;                      /* of a mapped file, bytes */
};

struct caml_ba_array {
  void *data;
  intnat num_dims;
  intnat flags;
  struct caml_ba_proxy *proxy;       /* [atomic] NULL: nobody shares the data */
  intnat dim[];
};

#define Caml_ba_array_val(v) ((struct caml_ba_array *)Data_custom_val(v))
#define Caml_ba_data_val(v) (Caml_ba_array_val(v)->data)

/* A new bigarray over [data], or over new memory (not initialised) if data is NULL.
 * dim may be in the OCaml heap. [may gc] [raises Out_of_memory] */
value caml_ba_alloc(int flags, int num_dims, void *data, intnat *dim);
/* The same, with the dimensions as arguments of type intnat. */
value caml_ba_alloc_dims(int flags, int num_dims, void *data, ...);

uintnat caml_ba_num_elts(struct caml_ba_array *b);
uintnat caml_ba_byte_size(struct caml_ba_array *b);
extern int caml_ba_element_size[];   /* by kind */

/* The custom operations, for kinds of bigarrays with another finaliser. */
void caml_ba_finalize(value v);
int caml_ba_compare(value a, value b);
intnat caml_ba_hash(value v);
void caml_ba_serialize(value v, uintnat *bsize_32, uintnat *bsize_64);
uintnat caml_ba_deserialize(void *to);

/* Half precision, rounded to nearest, ties to even, by way of single precision. */
double caml_double_of_float16(intnat half);
intnat caml_float16_of_double(double d);

#endif
