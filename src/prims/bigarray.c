/* SPDX-License-Identifier: MIT */
/* Bigarrays: arrays of numbers outside the OCaml heap.
 *
 * A bigarray is a custom block with the address of its data, its dimensions and
 * flags. Sub-arrays, slices and reshaped arrays are blocks of their own over the same data;
 * blocks that share data count themselves in a proxy, and the last one to die frees
 * it. All that depends on the kind of element is in one table, [kinds].
 *
 * Concurrency: elements are read and written without any protection, as the
 * manual says; the proxy of an array is installed by compare-and-swap, since two
 * domains may take parts of one array at the same time.
 *
 * The data of mapped files is freed by the Unix library's own finaliser.
 *
 * State: for each thread the data of an unmarshalling that has not ended. */
#include "prims/bigarray.h"

#include "base/bits.h"
#include "prims/hash.h"
#include "prims/marshal.h"
#include "sync/atomic.h"

#include <stdarg.h>
#include <stdlib.h>

/* ---- Half-precision floats: 1 sign, 5 exponent (bias 15), 10 mantissa bits ---- */

typedef uint16_t half;

enum {
  HALF_EXPONENT_ONES = 0x7c00, HALF_QUIET_NAN = 0x7e00, HALF_SIGN = 0x8000,
  MANTISSA_BITS_LOST = 23 - 10, FLOAT_EXPONENT_ONES = 255, HALF_MIN_EXPONENT = -14,
};

/* n / 2^bits, rounded to nearest, ties to even; 1 <= bits <= 31. */
static uint32_t shift_rounding(uint32_t n, int bits)
{
  uint32_t quotient = n >> bits, rest = n & ((1u << bits) - 1), tie = 1u << (bits - 1);
  return quotient + (rest > tie || (rest == tie && (quotient & 1)));
}

static half half_of_float(float f)
{
  uint32_t bits;
  memcpy(&bits, &f, sizeof bits);
  half sign = bits >> 16 & HALF_SIGN;
  int exponent = (int)(bits >> 23 & FLOAT_EXPONENT_ONES) - 127;
  uint32_t mantissa = bits & 0x7fffff;
  if (exponent == FLOAT_EXPONENT_ONES - 127 && mantissa != 0) return sign | HALF_QUIET_NAN;
  if (exponent > 15) return sign | HALF_EXPONENT_ONES;
  if (exponent < HALF_MIN_EXPONENT - 11) return sign;
  if (exponent < HALF_MIN_EXPONENT) {
    int shift = MANTISSA_BITS_LOST + HALF_MIN_EXPONENT - exponent;
    return sign | (half)shift_rounding(mantissa | 1u << 23, shift);
  }
  /* A carry out of the mantissa goes into the exponent, up to infinity. */
  return sign | (half)shift_rounding((uint32_t)(exponent + 15) << 23 | mantissa, MANTISSA_BITS_LOST);
}

static float float_of_half(half h)
{
  uint32_t sign = (uint32_t)(h & HALF_SIGN) << 16, exponent = h >> 10 & 31, mantissa = h & 0x3ff;
  if (exponent == 0) {
    float f = (float)mantissa * 0x1p-24f;
    return sign ? -f : f;
  }
  exponent = exponent == 31 ? FLOAT_EXPONENT_ONES : exponent + 127 - 15;
  uint32_t bits = sign | exponent << 23 | mantissa << MANTISSA_BITS_LOST;
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}

CAMLexport double caml_double_of_float16(intnat h) { return float_of_half((half)h); }
CAMLexport intnat caml_float16_of_double(double d) { return half_of_float((float)d); }

/* NaNs hash alike, and so do the two zeros. */
static uint32_t hash_mix_half(uint32_t h, half x)
{
  bool nan = (x & ~HALF_SIGN) > HALF_EXPONENT_ONES;
  return caml_hash_mix_uint32(h, nan ? HALF_EXPONENT_ONES + 1 : x == HALF_SIGN ? 0 : x);
}

/* ---- Order of contents: lexicographic ---- */

#define DEFINE_ORDER(name, type)                                                \
  static int order_##name(const void *a, const void *b, uintnat n)             \
  {                                                                            \
    const type *x = a, *y = b;                                                 \
    for (uintnat i = 0; i < n; i++)                                            \
      if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;                           \
    return 0;                                                                  \
  }
DEFINE_ORDER(int8, int8_t)
DEFINE_ORDER(uint8, uint8_t)
DEFINE_ORDER(int16, int16_t)
DEFINE_ORDER(uint16, uint16_t)
DEFINE_ORDER(int32, int32_t)
DEFINE_ORDER(int64, int64_t)

/* NaN is equal to itself and below all else, for compare; = and < are told
 * that they met one. */
static int order_doubles(double x, double y)
{
  if (x == y) return 0;
  if (x < y) return -1;
  if (x > y) return 1;
  Caml_state->compare_unordered = 1;
  return (x == x) - (y == y);
}

#define DEFINE_FLOAT_ORDER(name, type, to_double)                               \
  static int order_##name(const void *a, const void *b, uintnat n)             \
  {                                                                            \
    const type *x = a, *y = b;                                                 \
    int order = 0;                                                             \
    for (uintnat i = 0; order == 0 && i < n; i++)                              \
      order = order_doubles(to_double(x[i]), to_double(y[i]));                 \
    return order;                                                              \
  }
DEFINE_FLOAT_ORDER(half, half, float_of_half)
DEFINE_FLOAT_ORDER(float, float, (double))
DEFINE_FLOAT_ORDER(double, double, (double))

/* ---- Hash of the first elements ---- */

#define DEFINE_HASH(name, type, most, mix)                                      \
  static uint32_t hash_##name(const void *data, uintnat n)                     \
  {                                                                            \
    const type *x = data;                                                      \
    uint32_t h = 0;                                                            \
    for (uintnat i = 0; i < n && i < (most); i++) h = mix(h, x[i]);            \
    return h;                                                                  \
  }
DEFINE_HASH(half, half, 128, hash_mix_half)
DEFINE_HASH(int32, uint32_t, 64, caml_hash_mix_uint32)
DEFINE_HASH(intnat, intnat, 64, caml_hash_mix_intnat)
DEFINE_HASH(int64, int64_t, 32, caml_hash_mix_int64)
DEFINE_HASH(float, float, 64, caml_hash_mix_float)
DEFINE_HASH(double, double, 32, caml_hash_mix_double)

/* Small integers are mixed four bytes at a time, little end first. */
static uint32_t hash_packed(const unsigned char *bytes, uintnat size)
{
  uint32_t h = 0, word = 0;
  for (uintnat i = 0; i < size; i++) {
    word |= (uint32_t)bytes[i] << 8 * (i % 4);
    if (i % 4 != 3 && i != size - 1) continue;
    h = caml_hash_mix_uint32(h, word);
    word = 0;
  }
  return h;
}

enum { HASHED_BYTES = 256 };
static uint32_t hash_bytes(const void *data, uintnat n)
{
  return hash_packed(data, min_size(n, HASHED_BYTES));
}
static uint32_t hash_shorts(const void *data, uintnat n)
{
  return hash_packed(data, 2 * min_size(n, HASHED_BYTES / 2));
}

/* ---- Elements as OCaml values ---- */

#define DEFINE_ELEMENT(name, type, to_value, of_value)                          \
  static value get_##name(const void *at) { return to_value(*(const type *)at); } \
  static void set_##name(void *at, value v) { *(type *)at = (type)of_value(v); }
static value copy_half(half h) { return caml_copy_double(float_of_half(h)); }
static half half_val(value v) { return half_of_float((float)Double_val(v)); }
DEFINE_ELEMENT(half, half, copy_half, half_val)
DEFINE_ELEMENT(float, float, caml_copy_double, Double_val)
DEFINE_ELEMENT(double, double, caml_copy_double, Double_val)
DEFINE_ELEMENT(int8, int8_t, Val_long, Long_val)
DEFINE_ELEMENT(uint8, uint8_t, Val_long, Long_val)
DEFINE_ELEMENT(int16, int16_t, Val_long, Long_val)
DEFINE_ELEMENT(uint16, uint16_t, Val_long, Long_val)
DEFINE_ELEMENT(int32, int32_t, caml_copy_int32, Int32_val)
DEFINE_ELEMENT(int64, int64_t, caml_copy_int64, Int64_val)
DEFINE_ELEMENT(int, intnat, Val_long, Long_val)
DEFINE_ELEMENT(nativeint, intnat, caml_copy_nativeint, Nativeint_val)

/* A complex number is the record { re; im }, kept as a flat float array. */
static value copy_complex(double re, double im)
{
  value v = caml_alloc_small(2, Double_array_tag);
  Store_double_flat_field(v, 0, re);
  Store_double_flat_field(v, 1, im);
  return v;
}
#define DEFINE_COMPLEX(name, type)                                              \
  static value get_##name(const void *at)                                      \
  {                                                                            \
    const type *parts = at;                                                    \
    return copy_complex(parts[0], parts[1]);                                   \
  }                                                                            \
  static void set_##name(void *at, value v)                                    \
  {                                                                            \
    type *parts = at;                                                          \
    parts[0] = (type)Double_flat_field(v, 0);                                  \
    parts[1] = (type)Double_flat_field(v, 1);                                  \
  }
DEFINE_COMPLEX(complex32, float)
DEFINE_COMPLEX(complex64, double)

/* ---- Kinds ---- */

/* An element is one scalar or, if complex, two. order and hash are given a
 * number of scalars. */
static const struct kind {
  size_t scalar, scalars;      /* bytes of one; how many */
  value (*get)(const void *at);
  void (*set)(void *at, value v);
  int (*order)(const void *a, const void *b, uintnat n);
  uint32_t (*hash)(const void *data, uintnat n);
} kinds[] = {
    [CAML_BA_FLOAT32] = {4, 1, get_float, set_float, order_float, hash_float},
    [CAML_BA_FLOAT64] = {8, 1, get_double, set_double, order_double, hash_double},
    [CAML_BA_SINT8] = {1, 1, get_int8, set_int8, order_int8, hash_bytes},
    [CAML_BA_UINT8] = {1, 1, get_uint8, set_uint8, order_uint8, hash_bytes},
    [CAML_BA_SINT16] = {2, 1, get_int16, set_int16, order_int16, hash_shorts},
    [CAML_BA_UINT16] = {2, 1, get_uint16, set_uint16, order_uint16, hash_shorts},
    [CAML_BA_INT32] = {4, 1, get_int32, set_int32, order_int32, hash_int32},
    [CAML_BA_INT64] = {8, 1, get_int64, set_int64, order_int64, hash_int64},
    [CAML_BA_CAML_INT] = {8, 1, get_int, set_int, order_int64, hash_intnat},
    [CAML_BA_NATIVE_INT] = {8, 1, get_nativeint, set_nativeint, order_int64, hash_intnat},
    [CAML_BA_COMPLEX32] = {4, 2, get_complex32, set_complex32, order_float, hash_float},
    [CAML_BA_COMPLEX64] = {8, 2, get_complex64, set_complex64, order_double, hash_double},
    [CAML_BA_CHAR] = {1, 1, get_uint8, set_uint8, order_uint8, hash_bytes},
    [CAML_BA_FLOAT16] = {2, 1, get_half, set_half, order_half, hash_half},
};

CAMLexport int caml_ba_element_size[] = {4, 8, 1, 1, 2, 2, 4, 8, 8, 8, 8, 16, 1, 2};
_Static_assert(countof(caml_ba_element_size) == CAML_BA_KINDS && countof(kinds) == CAML_BA_KINDS,
               "one size for each kind");
enum { LARGEST_ELEMENT = 16 };

static enum caml_ba_kind kind_index(const struct caml_ba_array *b)
{
  return (enum caml_ba_kind)(b->flags & CAML_BA_KIND_MASK);
}
static const struct kind *kind_of(const struct caml_ba_array *b) { return &kinds[kind_index(b)]; }
static size_t element_size(const struct caml_ba_array *b)
{
  return (size_t)caml_ba_element_size[kind_index(b)];
}
static bool is_fortran(const struct caml_ba_array *b)
{
  return (b->flags & CAML_BA_LAYOUT_MASK) == CAML_BA_FORTRAN_LAYOUT;
}

/* ---- Sizes ---- */

static uintnat product(const intnat *dim, intnat count)
{
  uintnat n = 1;
  for (intnat i = 0; i < count; i++) n *= (uintnat)dim[i];
  return n;
}

/* False where the number of bytes does not fit a word; negative dimensions do not. */
static bool checked_product(const intnat *dim, intnat count, uintnat unit, uintnat *out)
{
  *out = unit;
  for (intnat i = 0; i < count; i++)
    if (dim[i] < 0 || !mul_fits(*out, (uintnat)dim[i], out)) return false;
  return true;
}

CAMLexport uintnat caml_ba_num_elts(struct caml_ba_array *b) { return product(b->dim, b->num_dims); }

CAMLexport uintnat caml_ba_byte_size(struct caml_ba_array *b)
{
  return caml_ba_num_elts(b) * element_size(b);
}

/* ---- Life ---- */

CAMLexport const struct custom_operations caml_ba_ops = {
    .identifier = "_bigarr02",
    .finalize = caml_ba_finalize,
    .compare = caml_ba_compare,
    .hash = caml_ba_hash,
    .serialize = caml_ba_serialize,
    .deserialize = caml_ba_deserialize,
};

static size_t block_bytes(intnat num_dims)
{
  return sizeof(struct caml_ba_array) + (size_t)num_dims * sizeof(intnat);
}

/* [memory]: bytes of the data that this block is to be charged for. dim is not in the heap. */
static value new_block(intnat flags, intnat num_dims, void *data, const intnat *dim, uintnat memory)
{
  value v = caml_alloc_custom_mem(&caml_ba_ops, block_bytes(num_dims), memory);
  struct caml_ba_array *b = Caml_ba_array_val(v);
  b->data = data;
  b->num_dims = num_dims;
  b->flags = flags;
  b->proxy = NULL;
  memcpy(b->dim, dim, (size_t)num_dims * sizeof *dim);
  return v;
}

/* Dead arrays keep their data until they are collected. [may gc] */
static void *data_alloc(uintnat size)
{
  if (!gc_make_room_off_heap(Caml_state->domain, size)) caml_raise_out_of_memory();
  void *data = malloc(size ? size : 1);
  if (likely(data != NULL)) return data;
  gc_full_major(Caml_state->domain);
  data = malloc(size ? size : 1);
  if (data == NULL) caml_raise_out_of_memory();
  return data;
}

CAMLexport value caml_ba_alloc(int flags, int num_dims, void *data, intnat *dim)
{
  intnat dims[CAML_BA_MAX_NUM_DIMS];
  uintnat size;
  CHECK(num_dims >= 0 && num_dims <= CAML_BA_MAX_NUM_DIMS);
  CHECK((flags & CAML_BA_KIND_MASK) < CAML_BA_KINDS);
  memcpy(dims, dim, (size_t)num_dims * sizeof *dims);
  uintnat unit = (uintnat)caml_ba_element_size[flags & CAML_BA_KIND_MASK];
  if (!checked_product(dims, num_dims, unit, &size)) caml_raise_out_of_memory();
  if (data == NULL) {
    data = data_alloc(size);
    flags |= CAML_BA_MANAGED;
  }
  bool owns = (flags & (CAML_BA_MANAGED_MASK | CAML_BA_SUBARRAY)) == CAML_BA_MANAGED;
  value v = new_block(flags, num_dims, data, dims, owns ? size : 0);
  if (owns) gc_off_heap((intnat)size);
  return v;
}

CAMLexport value caml_ba_alloc_dims(int flags, int num_dims, void *data, ...)
{
  intnat dims[CAML_BA_MAX_NUM_DIMS];
  CHECK(num_dims >= 0 && num_dims <= CAML_BA_MAX_NUM_DIMS);
  va_list args;
  va_start(args, data);
  for (int i = 0; i < num_dims; i++) dims[i] = va_arg(args, intnat);
  va_end(args);
  return caml_ba_alloc(flags, num_dims, data, dims);
}

CAMLprim value caml_ba_create(value kind, value layout, value dim)
{
  intnat dims[CAML_BA_MAX_NUM_DIMS];
  mlsize_t n = Wosize_val(dim);
  if (n > CAML_BA_MAX_NUM_DIMS)
    caml_invalid_argument("Bigarray.create: bad number of dimensions");
  for (mlsize_t i = 0; i < n; i++) {
    dims[i] = Long_val(Field(dim, i));
    if (dims[i] < 0) caml_invalid_argument("Bigarray.create: negative dimension");
  }
  return caml_ba_alloc(Int_val(kind) | Int_val(layout) << CAML_BA_LAYOUT_SHIFT, (int)n, NULL, dims);
}

CAMLexport void caml_ba_finalize(value v)
{
  struct caml_ba_array *b = Caml_ba_array_val(v);
  struct caml_ba_proxy *proxy = b->proxy;
  if ((b->flags & CAML_BA_MANAGED_MASK) != CAML_BA_MANAGED) return;
  if (proxy == NULL) {
    free(b->data);
    gc_off_heap(-(intnat)caml_ba_byte_size(b));
  } else if (sub_seq(&proxy->refcount, 1) == 1) {
    free(proxy->data);
    gc_off_heap(-(intnat)proxy->size);
    free(proxy);
  }
}

/* One more block will point to the data of b: the proxy for it, counted; NULL
 * where nobody counts. b is alive, so its own count keeps the proxy. */
static struct caml_ba_proxy *share_data(struct caml_ba_array *b)
{
  if ((b->flags & CAML_BA_MANAGED_MASK) == CAML_BA_EXTERNAL) return NULL;
  struct caml_ba_proxy *proxy = load_acquire(&b->proxy);
  if (proxy == NULL) {
    struct caml_ba_proxy *fresh = malloc(sizeof *fresh);
    if (fresh == NULL) caml_raise_out_of_memory();
    *fresh = (struct caml_ba_proxy){.refcount = 2, .data = b->data, .size = caml_ba_byte_size(b)};
    if (cas_seq(&b->proxy, &proxy, fresh)) return fresh;
    free(fresh);
  }
  add_seq(&proxy->refcount, 1);
  return proxy;
}

/* A new array over the data of [whole] from element [first] on. It has the
 * finaliser of the whole, which the Unix library may have given it. */
static value make_view(value whole, intnat flags, intnat num_dims, const intnat *dim, uintnat first)
{
  LOCAL_ROOTS(&whole);
  struct caml_ba_array *b = Caml_ba_array_val(whole);
  char *data = (char *)b->data + first * element_size(b);
  struct caml_ba_proxy *proxy = share_data(b);
  value view = new_block(flags | CAML_BA_SUBARRAY, num_dims, data, dim, 0);
  Custom_ops_val(view) = Custom_ops_val(whole);
  Caml_ba_array_val(view)->proxy = proxy;
  return view;
}

/* ---- Access ---- */

/* The offset in elements of the element with these indices; in [count]
 * dimensions from [dim] on. */
static uintnat locate(const intnat *dim, intnat count, const value *indices, bool fortran)
{
  uintnat at = 0;
  for (intnat k = 0; k < count; k++) {
    intnat d = fortran ? count - 1 - k : k;
    uintnat i = (uintnat)Long_val(indices[d]) - fortran;
    if (i >= (uintnat)dim[d]) caml_array_bound_error();
    at = at * (uintnat)dim[d] + i;
  }
  return at;
}

static void *element_at(value v, const value *indices, mlsize_t count, const char *wrong_number)
{
  struct caml_ba_array *b = Caml_ba_array_val(v);
  if ((intnat)count != b->num_dims) caml_invalid_argument(wrong_number);
  return (char *)b->data + locate(b->dim, b->num_dims, indices, is_fortran(b)) * element_size(b);
}

static value get_element(value v, const value *indices, mlsize_t count)
{
  const void *at = element_at(v, indices, count, "Bigarray.get: wrong number of indices");
  return kind_of(Caml_ba_array_val(v))->get(at);
}

static value set_element(value v, const value *indices, mlsize_t count, value x)
{
  void *at = element_at(v, indices, count, "Bigarray.set: wrong number of indices");
  kind_of(Caml_ba_array_val(v))->set(at, x);
  return Val_unit;
}

CAMLprim value caml_ba_get_1(value v, value i) { return get_element(v, &i, 1); }
CAMLprim value caml_ba_get_2(value v, value i, value j)
{
  return get_element(v, (value[]){i, j}, 2);
}
CAMLprim value caml_ba_get_3(value v, value i, value j, value k)
{
  return get_element(v, (value[]){i, j, k}, 3);
}
CAMLprim value caml_ba_get_generic(value v, value indices)
{
  return get_element(v, Op_val(indices), Wosize_val(indices));
}

CAMLprim value caml_ba_set_1(value v, value i, value x) { return set_element(v, &i, 1, x); }
CAMLprim value caml_ba_set_2(value v, value i, value j, value x)
{
  return set_element(v, (value[]){i, j}, 2, x);
}
CAMLprim value caml_ba_set_3(value v, value i, value j, value k, value x)
{
  return set_element(v, (value[]){i, j, k}, 3, x);
}
CAMLprim value caml_ba_set_generic(value v, value indices, value x)
{
  return set_element(v, Op_val(indices), Wosize_val(indices), x);
}

/* [width] bytes from index [i] on of a one-dimensional array of bytes. */
static void *bytes_at(value v, value i, intnat width)
{
  struct caml_ba_array *b = Caml_ba_array_val(v);
  intnat at = Long_val(i);
  if (at < 0 || at > b->dim[0] - width) caml_array_bound_error();
  return (char *)b->data + at;
}

#define DEFINE_BYTES_ACCESS(bits, to_value, of_value)                           \
  static value get_bytes_##bits(const void *at)                                \
  {                                                                            \
    uint##bits##_t n;                                                          \
    memcpy(&n, at, sizeof n);                                                  \
    return to_value(n);                                                        \
  }                                                                            \
  static void set_bytes_##bits(void *at, value x)                              \
  {                                                                            \
    uint##bits##_t n = (uint##bits##_t)of_value(x);                            \
    memcpy(at, &n, sizeof n);                                                  \
  }
DEFINE_BYTES_ACCESS(16, Val_long, Long_val)
DEFINE_BYTES_ACCESS(32, caml_copy_int32, Int32_val)
DEFINE_BYTES_ACCESS(64, caml_copy_int64, Int64_val)

CAMLprim value caml_ba_uint8_get16(value v, value i) { return get_bytes_16(bytes_at(v, i, 2)); }
CAMLprim value caml_ba_uint8_get32(value v, value i) { return get_bytes_32(bytes_at(v, i, 4)); }
CAMLprim value caml_ba_uint8_get64(value v, value i) { return get_bytes_64(bytes_at(v, i, 8)); }

CAMLprim value caml_ba_uint8_set16(value v, value i, value x)
{
  set_bytes_16(bytes_at(v, i, 2), x);
  return Val_unit;
}
CAMLprim value caml_ba_uint8_set32(value v, value i, value x)
{
  set_bytes_32(bytes_at(v, i, 4), x);
  return Val_unit;
}
CAMLprim value caml_ba_uint8_set64(value v, value i, value x)
{
  set_bytes_64(bytes_at(v, i, 8), x);
  return Val_unit;
}

/* ---- Facts ---- */

CAMLprim value caml_ba_num_dims(value v) { return Val_long(Caml_ba_array_val(v)->num_dims); }

CAMLprim value caml_ba_dim(value v, value n)
{
  struct caml_ba_array *b = Caml_ba_array_val(v);
  if ((uintnat)Long_val(n) >= (uintnat)b->num_dims) caml_invalid_argument("Bigarray.dim");
  return Val_long(b->dim[Long_val(n)]);
}

CAMLprim value caml_ba_dim_1(value v) { return caml_ba_dim(v, Val_int(0)); }
CAMLprim value caml_ba_dim_2(value v) { return caml_ba_dim(v, Val_int(1)); }
CAMLprim value caml_ba_dim_3(value v) { return caml_ba_dim(v, Val_int(2)); }

CAMLprim value caml_ba_kind(value v) { return Val_int(kind_index(Caml_ba_array_val(v))); }
CAMLprim value caml_ba_layout(value v) { return Val_int(is_fortran(Caml_ba_array_val(v))); }

/* ---- Views ---- */

/* The indices fix the slowest dimensions: the first ones in C layout, the last ones in Fortran's. */
CAMLprim value caml_ba_slice(value v, value indices)
{
  struct caml_ba_array *b = Caml_ba_array_val(v);
  intnat dims[CAML_BA_MAX_NUM_DIMS];
  intnat fixed = (intnat)Wosize_val(indices), left = b->num_dims - fixed;
  if (left < 0) caml_invalid_argument("Bigarray.slice: too many indices");
  bool fortran = is_fortran(b);
  const intnat *fixed_dims = fortran ? b->dim + left : b->dim;
  memcpy(dims, fortran ? b->dim : b->dim + fixed, (size_t)left * sizeof *dims);
  uintnat first = locate(fixed_dims, fixed, Op_val(indices), fortran) * product(dims, left);
  return make_view(v, b->flags, left, dims, first);
}

CAMLprim value caml_ba_sub(value v, value start, value length)
{
  struct caml_ba_array *b = Caml_ba_array_val(v);
  intnat dims[CAML_BA_MAX_NUM_DIMS], n = b->num_dims, length_ = Long_val(length);
  bool fortran = is_fortran(b);
  intnat cut = fortran ? n - 1 : 0, from = Long_val(start) - fortran;
  if (n == 0 || from < 0 || length_ < 0 || from > b->dim[cut] || length_ > b->dim[cut] - from)
    caml_invalid_argument("Bigarray.sub: bad sub-array");
  memcpy(dims, b->dim, (size_t)n * sizeof *dims);
  dims[cut] = length_;
  uintnat row = fortran ? product(dims, n - 1) : product(dims + 1, n - 1);
  return make_view(v, b->flags, n, dims, (uintnat)from * row);
}

CAMLprim value caml_ba_change_layout(value v, value layout)
{
  struct caml_ba_array *b = Caml_ba_array_val(v);
  intnat dims[CAML_BA_MAX_NUM_DIMS], n = b->num_dims;
  intnat wanted = Long_val(layout) << CAML_BA_LAYOUT_SHIFT;
  if ((b->flags & CAML_BA_LAYOUT_MASK) == wanted) return v;
  for (intnat i = 0; i < n; i++) dims[i] = b->dim[n - 1 - i];
  return make_view(v, (b->flags & ~CAML_BA_LAYOUT_MASK) | wanted, n, dims, 0);
}

CAMLprim value caml_ba_reshape(value v, value dim)
{
  struct caml_ba_array *b = Caml_ba_array_val(v);
  intnat dims[CAML_BA_MAX_NUM_DIMS];
  mlsize_t n = Wosize_val(dim);
  uintnat elements;
  if (n > CAML_BA_MAX_NUM_DIMS)
    caml_invalid_argument("Bigarray.reshape: bad number of dimensions");
  for (mlsize_t i = 0; i < n; i++) {
    dims[i] = Long_val(Field(dim, i));
    if (dims[i] < 0) caml_invalid_argument("Bigarray.reshape: negative dimension");
  }
  if (!checked_product(dims, (intnat)n, 1, &elements) || elements != caml_ba_num_elts(b))
    caml_invalid_argument("Bigarray.reshape: size mismatch");
  return make_view(v, b->flags, (intnat)n, dims, 0);
}

/* ---- Blit and fill ---- */

/* Work on so many bytes, or on a file, is done in a blocking section, so that
 * it does not hold up a collection. */
enum { LONG_WORK_BYTES = 32768 };

static bool is_long_work(const struct caml_ba_array *b, uintnat bytes)
{
  return bytes >= LONG_WORK_BYTES || (b->flags & CAML_BA_MAPPED_FILE);
}

/* The blocks are roots, so that their data stay. */
static void copy_long(value from, value to, uintnat bytes)
{
  LOCAL_ROOTS(&from, &to);
  void *in = Caml_ba_array_val(from)->data, *out = Caml_ba_array_val(to)->data;
  caml_enter_blocking_section();
  memmove(out, in, bytes);
  caml_leave_blocking_section();
}

CAMLprim value caml_ba_blit(value from, value to)
{
  struct caml_ba_array *src = Caml_ba_array_val(from), *dst = Caml_ba_array_val(to);
  size_t dim_bytes = (size_t)src->num_dims * sizeof(intnat);
  if (src->num_dims != dst->num_dims || memcmp(src->dim, dst->dim, dim_bytes) != 0)
    caml_invalid_argument("Bigarray.blit: dimension mismatch");
  uintnat size = caml_ba_byte_size(src);
  if (is_long_work(src, size) || is_long_work(dst, size))
    copy_long(from, to, size);
  else
    memmove(dst->data, src->data, size);
  return Val_unit;
}

/* Copies of the element, enough for LARGEST_ELEMENT bytes. */
static void pattern_make(uint64_t pattern[2], const char *element, size_t unit)
{
  uint16_t two;
  uint32_t four;
  switch (unit) {
  case 2:
    memcpy(&two, element, 2);
    pattern[0] = pattern[1] = two * UINT64_C(0x0001000100010001);
    break;
  case 4:
    memcpy(&four, element, 4);
    pattern[0] = pattern[1] = four * UINT64_C(0x0000000100000001);
    break;
  case 8:
    memcpy(&pattern[0], element, 8);
    pattern[1] = pattern[0];
    break;
  default:
    memcpy(&pattern[0], element, 8);
    memcpy(&pattern[1], element + 8, 8);
  }
}

/* Fills [bytes], a multiple of [unit], with copies of the element. After the first ones, the source of the copies is the start of the data, little enough of it to
 * stay in the cache. */
static void replicate(char *data, const char *element, size_t unit, uintnat bytes)
{
  enum { FIRST = 256, MOST_AT_ONCE = 4096 };
  if (unit == 1 || (bytes > FIRST && memcmp(element, element + 1, unit - 1) == 0)) {
    memset(data, element[0], bytes);
    return;
  }
  uint64_t pattern[2];
  pattern_make(pattern, element, unit);
  uintnat done = 0, first = min_size(bytes, FIRST);
  for (; done + sizeof pattern <= first; done += sizeof pattern) memcpy(data + done, pattern, sizeof pattern);
  if (done < first) {
    memcpy(data + done, pattern, first - done);
    return;
  }
  while (done < bytes) {
    uintnat piece = min_size(min_size(done, bytes - done), MOST_AT_ONCE);
    memcpy(data + done, data, piece);
    done += piece;
  }
}

static void replicate_long(value v, const char *element, size_t unit, uintnat bytes)
{
  LOCAL_ROOTS(&v);
  char *data = Caml_ba_array_val(v)->data;
  caml_enter_blocking_section();
  replicate(data, element, unit, bytes);
  caml_leave_blocking_section();
}

CAMLprim value caml_ba_fill(value v, value x)
{
  struct caml_ba_array *b = Caml_ba_array_val(v);
  uintnat size = caml_ba_byte_size(b);
  size_t unit = element_size(b);
  char element[LARGEST_ELEMENT] __attribute__((aligned(LARGEST_ELEMENT)));
  if (size == 0) return Val_unit;
  kind_of(b)->set(element, x);
  if (is_long_work(b, size))
    replicate_long(v, element, unit, size);
  else
    replicate(b->data, element, unit, size);
  return Val_unit;
}

/* ---- Custom operations ---- */

/* Kind and layout, then number of dimensions, then dimensions, then contents. */
CAMLexport int caml_ba_compare(value a, value b)
{
  struct caml_ba_array *x = Caml_ba_array_val(a), *y = Caml_ba_array_val(b);
  enum { TYPE_MASK = CAML_BA_KIND_MASK | CAML_BA_LAYOUT_MASK };
  int types = (int)(y->flags & TYPE_MASK) - (int)(x->flags & TYPE_MASK);
  if (types != 0) return types;
  if (x->num_dims != y->num_dims) return (int)(y->num_dims - x->num_dims);
  int dims = order_int64(x->dim, y->dim, (uintnat)x->num_dims);
  if (dims != 0) return dims;
  return kind_of(x)->order(x->data, y->data, caml_ba_num_elts(x) * kind_of(x)->scalars);
}

CAMLexport intnat caml_ba_hash(value v)
{
  struct caml_ba_array *b = Caml_ba_array_val(v);
  return kind_of(b)->hash(b->data, caml_ba_num_elts(b) * kind_of(b)->scalars);
}

/* ---- Marshalling: the format of stock's "_bigarr02" ---- */

enum { LONG_DIMENSION = 0xffff };

/* OCaml integers and native ones are words of either size: 32 bits if all fit
 * the type on a 32-bit machine. */
static bool is_word_kind(enum caml_ba_kind kind)
{
  return kind == CAML_BA_CAML_INT || kind == CAML_BA_NATIVE_INT;
}

static void serialize_words(const struct caml_ba_array *b, uintnat n)
{
  intnat *words = b->data;
  intnat bound = kind_index(b) == CAML_BA_CAML_INT ? (intnat)1 << 30 : (intnat)1 << 31;
  bool wide = false;
  for (uintnat i = 0; i < n && !wide; i++) wide = words[i] < -bound || words[i] >= bound;
  caml_serialize_int_1(wide);
  if (wide)
    caml_serialize_block_8(words, (intnat)n);
  else
    for (uintnat i = 0; i < n; i++) caml_serialize_int_4((int32_t)words[i]);
}

static void deserialize_words(intnat *words, uintnat n)
{
  if (caml_deserialize_uint_1())
    caml_deserialize_block_8(words, (intnat)n);
  else
    for (uintnat i = 0; i < n; i++) words[i] = caml_deserialize_sint_4();
}

static void serialize_data(const struct caml_ba_array *b, uintnat n)
{
  intnat scalars = (intnat)(n * kind_of(b)->scalars);
  switch (kind_of(b)->scalar) {
  case 1: caml_serialize_block_1(b->data, scalars); break;
  case 2: caml_serialize_block_2(b->data, scalars); break;
  case 4: caml_serialize_block_4(b->data, scalars); break;
  case 8: caml_serialize_block_8(b->data, scalars); break;
  }
}

static void deserialize_data(const struct caml_ba_array *b, uintnat n)
{
  intnat scalars = (intnat)(n * kind_of(b)->scalars);
  switch (kind_of(b)->scalar) {
  case 1: caml_deserialize_block_1(b->data, scalars); break;
  case 2: caml_deserialize_block_2(b->data, scalars); break;
  case 4: caml_deserialize_block_4(b->data, scalars); break;
  case 8: caml_deserialize_block_8(b->data, scalars); break;
  }
}

CAMLexport void caml_ba_serialize(value v, uintnat *bsize_32, uintnat *bsize_64)
{
  struct caml_ba_array *b = Caml_ba_array_val(v);
  caml_serialize_int_4((int32_t)b->num_dims);
  caml_serialize_int_4((int32_t)(b->flags & (CAML_BA_KIND_MASK | CAML_BA_LAYOUT_MASK)));
  for (intnat i = 0; i < b->num_dims; i++) {
    bool is_long = b->dim[i] >= LONG_DIMENSION;
    caml_serialize_int_2(is_long ? LONG_DIMENSION : (int)b->dim[i]);
    if (is_long) caml_serialize_int_8(b->dim[i]);
  }
  uintnat n = caml_ba_num_elts(b);
  if (is_word_kind(kind_index(b))) serialize_words(b, n);
  else serialize_data(b, n);
  *bsize_64 = block_bytes(b->num_dims);
  *bsize_32 = *bsize_64 / 2;
}

/* The fixed part up to the data; the size of the data in bytes. The message
 * may come from an enemy. */
static uintnat deserialize_shape(struct caml_ba_array *b)
{
  uint32_t num_dims = caml_deserialize_uint_4(), flags = caml_deserialize_uint_4();
  if (num_dims > CAML_BA_MAX_NUM_DIMS)
    caml_deserialize_error("input_value: wrong number of bigarray dimensions");
  if ((flags & CAML_BA_KIND_MASK) >= CAML_BA_KINDS)
    caml_deserialize_error("input_value: bad bigarray kind");
  b->num_dims = num_dims;
  b->flags = (flags & (CAML_BA_KIND_MASK | CAML_BA_LAYOUT_MASK)) | CAML_BA_MANAGED;
  for (uint32_t i = 0; i < num_dims; i++) {
    b->dim[i] = caml_deserialize_uint_2();
    if (b->dim[i] == LONG_DIMENSION) b->dim[i] = (intnat)caml_deserialize_uint_8();
  }
  uintnat size;
  if (!checked_product(b->dim, num_dims, element_size(b), &size))
    caml_deserialize_error("input_value: size overflow for bigarray");
  return size;
}

/* A message that ends too early leaves the functions above by a jump. What was
 * allocated for it is freed when the thread reads the next bigarray. */
static __thread void *unfinished_data;

CAMLexport uintnat caml_ba_deserialize(void *to)
{
  struct caml_ba_array *b = to;
  free(unfinished_data);
  unfinished_data = b->data = NULL;
  b->proxy = NULL;
  uintnat size = deserialize_shape(b);
  /* Words may stand in the message at half their size. */
  if (size / 2 > marshal_bytes_left()) caml_deserialize_error("input_value: truncated bigarray");
  unfinished_data = b->data = malloc(size ? size : 1);
  if (b->data == NULL) caml_deserialize_error("input_value: out of memory for bigarray");
  uintnat n = caml_ba_num_elts(b);
  if (is_word_kind(kind_index(b))) deserialize_words(b->data, n);
  else deserialize_data(b, n);
  unfinished_data = NULL;
  gc_off_heap((intnat)size);
  return block_bytes(b->num_dims);
}
